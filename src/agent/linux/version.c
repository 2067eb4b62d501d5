#include "agent/linux/version.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* The weight of a character that is no digit: '~' below the end, letters below everything else. */
static int weight(struct mln_str s, size_t at)
{
    if (at >= s.n || is_digit(s.p[at]))
        return 0;
    char c = s.p[at];
    if (c == '~')
        return -1;
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))
        return (unsigned char)c;
    return (unsigned char)c + 256;
}

static int compare_part(struct mln_str a, struct mln_str b)
{
    size_t i = 0, j = 0;
    while (i < a.n || j < b.n) {
        while ((i < a.n && !is_digit(a.p[i])) || (j < b.n && !is_digit(b.p[j]))) {
            int difference = weight(a, i) - weight(b, j);
            if (difference)
                return difference;
            i++, j++;
        }
        while (i < a.n && a.p[i] == '0')
            i++;
        while (j < b.n && b.p[j] == '0')
            j++;
        size_t from_a = i, from_b = j;
        while (i < a.n && is_digit(a.p[i]))
            i++;
        while (j < b.n && is_digit(b.p[j]))
            j++;
        if (i - from_a != j - from_b)
            return i - from_a > j - from_b ? 1 : -1;
        int order = i > from_a ? memcmp(a.p + from_a, b.p + from_b, i - from_a) : 0;
        if (order)
            return order;
    }
    return 0;
}

/* Takes "epoch:" and "-revision" off; a missing one is "0", respectively "". */
static struct mln_str split(struct mln_str *version, struct mln_str *revision)
{
    struct mln_str epoch = MLN_S("0");
    size_t colon = mln_str_find(*version, MLN_S(":"), 0);
    if (colon != SIZE_MAX) {
        epoch = mln_str_sub(*version, 0, colon);
        *version = mln_str_sub(*version, colon + 1, version->n);
    }
    *revision = (struct mln_str){NULL, 0};
    for (size_t i = version->n; i > 0; i--) {
        if (version->p[i - 1] == '-') {
            *revision = mln_str_sub(*version, i, version->n);
            *version = mln_str_sub(*version, 0, i - 1);
            break;
        }
    }
    return epoch;
}

int mln_deb_version_cmp(struct mln_str a, struct mln_str b)
{
    struct mln_str revision_a, revision_b;
    struct mln_str epoch_a = split(&a, &revision_a), epoch_b = split(&b, &revision_b);
    int order = compare_part(epoch_a, epoch_b);
    if (!order)
        order = compare_part(a, b);
    return order ? order : compare_part(revision_a, revision_b);
}
