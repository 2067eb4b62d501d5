/* Code points of valid UTF-8. */
#ifndef MLN_EXPR_UTF8_H
#define MLN_EXPR_UTF8_H

#include "base/str.h"

static inline bool mln_utf8_begins(char c)
{
    return ((unsigned char)c & 0xC0) != 0x80;
}

static inline size_t mln_utf8_count(struct mln_str s)
{
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++)
        n += mln_utf8_begins(s.p[i]);
    return n;
}

/* The byte offset of code point n, which may be the end. False beyond it. */
static inline bool mln_utf8_offset(struct mln_str s, uint64_t n, size_t *offset)
{
    size_t at = 0;
    while (n > 0 && at < s.n) {
        for (at++; at < s.n && !mln_utf8_begins(s.p[at]);)
            at++;
        n--;
    }
    *offset = at;
    return n == 0;
}

/* The code point at *at, which must be before the end; moves behind it. */
static inline uint32_t mln_utf8_next(struct mln_str s, size_t *at)
{
    unsigned char c = (unsigned char)s.p[(*at)++];
    uint32_t point = c < 0x80 ? c : c < 0xE0 ? c & 0x1Fu : c < 0xF0 ? c & 0x0Fu : c & 0x07u;
    while (*at < s.n && !mln_utf8_begins(s.p[*at]))
        point = point << 6 | ((unsigned char)s.p[(*at)++] & 0x3Fu);
    return point;
}

/* The byte offset of the code point that ends at to, which must not be 0. */
static inline size_t mln_utf8_before(struct mln_str s, size_t to)
{
    for (to--; to > 0 && !mln_utf8_begins(s.p[to]);)
        to--;
    return to;
}

/* Writes a code point (at most U+10FFFF, no surrogate) as 1 to 4 bytes; their number. */
static inline size_t mln_utf8_put(uint32_t point, char out[4])
{
    if (point < 0x80) {
        out[0] = (char)point;
        return 1;
    }
    size_t n = point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    static const unsigned char first[] = {0, 0, 0xC0, 0xE0, 0xF0};
    for (size_t i = n; i-- > 1; point >>= 6)
        out[i] = (char)(0x80 | (point & 0x3F));
    out[0] = (char)(first[n] | point);
    return n;
}

/* Unicode's White_Space. */
static inline bool mln_utf8_is_space(uint32_t c)
{
    return (c >= 9 && c <= 13) || c == 0x20 || c == 0x85 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) ||
           c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

#endif
