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

/* ---- rpm ---- */

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static struct mln_str skip_separators(struct mln_str s)
{
    while (s.n && !is_digit(s.p[0]) && !is_letter(s.p[0]) && s.p[0] != '~' && s.p[0] != '^')
        s = mln_str_sub(s, 1, s.n);
    return s;
}

/* Takes the digits, or else the letters, at the beginning off. */
static struct mln_str take_segment(struct mln_str *s, bool digits)
{
    size_t n = 0;
    while (n < s->n && (digits ? is_digit(s->p[n]) : is_letter(s->p[n])))
        n++;
    struct mln_str segment = mln_str_sub(*s, 0, n);
    *s = mln_str_sub(*s, n, s->n);
    return segment;
}

static int compare_numbers(struct mln_str a, struct mln_str b)
{
    while (a.n && a.p[0] == '0')
        a = mln_str_sub(a, 1, a.n);
    while (b.n && b.p[0] == '0')
        b = mln_str_sub(b, 1, b.n);
    if (a.n != b.n)
        return a.n > b.n ? 1 : -1;
    return mln_str_cmp(a, b);
}

/* Where one has a mark at its beginning: '~' is below the end of the other, '^' above the end and below all else. 0 where
   both have it. */
static int compare_mark(struct mln_str a, struct mln_str b, char mark)
{
    bool marked_a = a.n && a.p[0] == mark, marked_b = b.n && b.p[0] == mark;
    if (marked_a == marked_b)
        return 0;
    if (mark == '^' && !(marked_a ? b : a).n)
        return marked_a ? 1 : -1;
    return marked_a ? -1 : 1;
}

static int compare_rpm_part(struct mln_str a, struct mln_str b)
{
    while (a.n || b.n) {
        a = skip_separators(a), b = skip_separators(b);
        int order = compare_mark(a, b, '~');
        if (!order)
            order = compare_mark(a, b, '^');
        if (order || !a.n || !b.n)
            return order ? order : (a.n > 0) - (b.n > 0);
        if (a.p[0] == '~' || a.p[0] == '^') {
            a = mln_str_sub(a, 1, a.n), b = mln_str_sub(b, 1, b.n);
            continue;
        }
        bool digits = is_digit(a.p[0]);
        if (digits != is_digit(b.p[0]))
            return digits ? 1 : -1;
        struct mln_str of_a = take_segment(&a, digits), of_b = take_segment(&b, digits);
        order = digits ? compare_numbers(of_a, of_b) : mln_str_cmp(of_a, of_b);
        if (order)
            return order;
    }
    return 0;
}

int mln_rpm_version_cmp(struct mln_str a, struct mln_str b)
{
    struct mln_str release_a, release_b;
    struct mln_str epoch_a = split(&a, &release_a), epoch_b = split(&b, &release_b);
    int order = compare_rpm_part(epoch_a, epoch_b);
    if (!order)
        order = compare_rpm_part(a, b);
    return order ? order : compare_rpm_part(release_a, release_b);
}

/* ---- kernels ---- */

struct mln_str mln_kernel_flavour(struct mln_str release)
{
    size_t at = 0;
    for (size_t i = 0; i + 1 < release.n; i++)
        if (release.p[i] == '-' && is_digit(release.p[i + 1]))
            at = i + 1;
    struct mln_str tail = mln_str_sub(release, at, release.n);
    size_t from = mln_str_find(tail, MLN_S("-"), 0);
    if (from == SIZE_MAX)
        from = mln_str_find(tail, MLN_S("+"), 0);
    return from == SIZE_MAX ? MLN_S("") : mln_str_sub(tail, from, tail.n);
}
