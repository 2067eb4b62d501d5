#include "base/suggest.h"

enum { LONGEST_WORD = 64 };

static unsigned char lower(char c)
{
    return (unsigned char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

size_t mln_str_distance(struct mln_str a, struct mln_str b)
{
    size_t rows[3][LONGEST_WORD + 1], *before = rows[0], *last = rows[1], *row = rows[2];
    if (a.n > LONGEST_WORD || b.n > LONGEST_WORD)
        return SIZE_MAX;
    for (size_t j = 0; j <= b.n; j++)
        last[j] = before[j] = j;
    for (size_t i = 1; i <= a.n; i++) {
        row[0] = i;
        for (size_t j = 1; j <= b.n; j++) {
            bool same = lower(a.p[i - 1]) == lower(b.p[j - 1]);
            row[j] = least(least(last[j], row[j - 1]) + 1, last[j - 1] + !same);
            if (i > 1 && j > 1 && lower(a.p[i - 1]) == lower(b.p[j - 2]) && lower(a.p[i - 2]) == lower(b.p[j - 1]))
                row[j] = least(row[j], before[j - 2] + 1);
        }
        size_t *oldest = before;
        before = last;
        last = row;
        row = oldest;
    }
    return last[b.n];
}

void mln_suggest(struct mln_suggestion *suggestion, struct mln_str candidate)
{
    size_t distance = mln_str_distance(suggestion->word, candidate);
    if (distance > (suggestion->word.n + 2) / 3 || (suggestion->best.p && distance >= suggestion->distance))
        return;
    suggestion->best = candidate;
    suggestion->distance = distance;
}

const char *mln_suggest_text(const struct mln_suggestion *suggestion, char out[MLN_SUGGEST_TEXT])
{
    out[0] = '\0';
    if (suggestion->best.p)
        snprintf(out, MLN_SUGGEST_TEXT, " (did you mean '%.*s'?)", MLN_FMT(mln_str_sub(suggestion->best, 0, 100)));
    return out;
}
