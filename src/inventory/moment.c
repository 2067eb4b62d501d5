#include "inventory/moment.h"

#include <inttypes.h>

void mln_moment_key(struct mln_moment moment, char out[MLN_MOMENT_KEY + 1])
{
    uint64_t ms = moment.ms > 0 ? (uint64_t)moment.ms : 0;
    snprintf(out, MLN_MOMENT_KEY + 1, "%016" PRIx64 "-%08" PRIx32, ms, moment.number);
}

/* Lower-case hex digits only: a key has one spelling. */
static bool read_hex(struct mln_str digits, uint64_t *out)
{
    *out = 0;
    for (size_t i = 0; i < digits.n; i++) {
        char c = digits.p[i];
        int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
        if (digit < 0)
            return false;
        *out = *out << 4 | (uint64_t)digit;
    }
    return true;
}

struct mln_result mln_moment_parse(struct mln_str key, struct mln_moment *moment)
{
    uint64_t ms, number;
    if (key.n != MLN_MOMENT_KEY || key.p[16] != '-' || !read_hex(mln_str_sub(key, 0, 16), &ms) ||
        !read_hex(mln_str_sub(key, 17, MLN_MOMENT_KEY), &number) || ms > INT64_MAX)
        return mln_fail(MLN_E_CORRUPT, "a key of the history has no moment in it");
    *moment = (struct mln_moment){(int64_t)ms, (uint32_t)number};
    return MLN_OK;
}

struct mln_moment mln_moment_after(struct mln_moment last, int64_t now_ms)
{
    if (now_ms > last.ms)
        return (struct mln_moment){now_ms, 0};
    if (last.number == UINT32_MAX)
        return (struct mln_moment){last.ms + 1, 0};
    return (struct mln_moment){last.ms, last.number + 1};
}

int mln_moment_cmp(struct mln_moment a, struct mln_moment b)
{
    if (a.ms != b.ms)
        return a.ms < b.ms ? -1 : 1;
    return a.number < b.number ? -1 : a.number > b.number;
}
