#include "base/str.h"

#include <pthread.h>
#include <stdarg.h>
#include <sys/random.h>

struct mln_str mln_str_c(const char *text)
{
    return (struct mln_str){text, text ? strlen(text) : 0};
}

static struct mln_str copy(struct mln_arena *arena, struct mln_str s)
{
    char *p = mln_arena_alloc(arena, s.n == SIZE_MAX ? SIZE_MAX : s.n + 1);
    if (!p || s.n == SIZE_MAX)
        return (struct mln_str){NULL, 0};
    if (s.n)
        memcpy(p, s.p, s.n);
    return (struct mln_str){p, s.n};
}

const char *mln_str_z(struct mln_arena *arena, struct mln_str s)
{
    return copy(arena, s).p;
}

struct mln_str mln_str_dup(struct mln_arena *arena, struct mln_str s)
{
    return copy(arena, s);
}

static unsigned char lower(unsigned char c)
{
    return c >= 'A' && c <= 'Z' ? (unsigned char)(c | 0x20) : c;
}

struct mln_str mln_str_lower(struct mln_arena *arena, struct mln_str s)
{
    struct mln_str out = copy(arena, s);
    char *p = (char *)(uintptr_t)out.p;
    for (size_t i = 0; i < out.n; i++)
        p[i] = (char)lower((unsigned char)p[i]);
    return out;
}

struct mln_str mln_str_printf(struct mln_arena *arena, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *p = mln_arena_alloc(arena, n < 0 ? SIZE_MAX : (size_t)n + 1);
    if (!p)
        return (struct mln_str){NULL, 0};
    va_start(args, format);
    vsnprintf(p, (size_t)n + 1, format, args);
    va_end(args);
    return (struct mln_str){p, (size_t)n};
}

bool mln_str_eq(struct mln_str a, struct mln_str b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool mln_str_eq_nocase(struct mln_str a, struct mln_str b)
{
    return a.n == b.n && mln_str_cmp_nocase(a, b) == 0;
}

int mln_str_cmp(struct mln_str a, struct mln_str b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int order = n ? memcmp(a.p, b.p, n) : 0;
    return order ? order : (a.n > b.n) - (a.n < b.n);
}

int mln_str_cmp_nocase(struct mln_str a, struct mln_str b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    for (size_t i = 0; i < n; i++) {
        int order = lower((unsigned char)a.p[i]) - lower((unsigned char)b.p[i]);
        if (order)
            return order;
    }
    return (a.n > b.n) - (a.n < b.n);
}

bool mln_str_starts(struct mln_str s, struct mln_str prefix)
{
    return s.n >= prefix.n && mln_str_eq(mln_str_sub(s, 0, prefix.n), prefix);
}

bool mln_str_starts_nocase(struct mln_str s, struct mln_str prefix)
{
    return s.n >= prefix.n && mln_str_eq_nocase(mln_str_sub(s, 0, prefix.n), prefix);
}

bool mln_str_ends(struct mln_str s, struct mln_str suffix)
{
    return s.n >= suffix.n && mln_str_eq(mln_str_sub(s, s.n - suffix.n, s.n), suffix);
}

size_t mln_str_find(struct mln_str s, struct mln_str needle, size_t from)
{
    if (from > s.n || needle.n > s.n - from)
        return SIZE_MAX;
    if (needle.n == 0)
        return from;
    const char *at = memmem(s.p + from, s.n - from, needle.p, needle.n);
    return at ? (size_t)(at - s.p) : SIZE_MAX;
}

struct mln_str mln_str_sub(struct mln_str s, size_t from, size_t to)
{
    if (to > s.n)
        to = s.n;
    if (from > to)
        from = to;
    return (struct mln_str){s.p ? s.p + from : NULL, to - from};
}

struct mln_str mln_str_trim(struct mln_str s)
{
    while (s.n && memchr(" \t\r\n", s.p[0], 4))
        s.p++, s.n--;
    while (s.n && memchr(" \t\r\n", s.p[s.n - 1], 4))
        s.n--;
    return s;
}

bool mln_str_cut(struct mln_str *rest, char separator, struct mln_str *part)
{
    if (!rest->p) {
        *part = (struct mln_str){NULL, 0};
        return false;
    }
    const char *at = rest->n ? memchr(rest->p, separator, rest->n) : NULL;
    if (!at) {
        *part = *rest;
        *rest = (struct mln_str){NULL, 0};
        return true;
    }
    size_t n = (size_t)(at - rest->p);
    *part = (struct mln_str){rest->p, n};
    *rest = (struct mln_str){at + 1, rest->n - n - 1};
    return true;
}

struct mln_result mln_str_to_u64(struct mln_str s, uint64_t *out)
{
    uint64_t value = 0;
    bool good = s.n > 0;
    for (size_t i = 0; i < s.n && good; i++)
        good = s.p[i] >= '0' && s.p[i] <= '9' && !__builtin_mul_overflow(value, UINT64_C(10), &value) &&
               !__builtin_add_overflow(value, (uint64_t)(s.p[i] - '0'), &value);
    if (!good)
        return mln_fail(MLN_E_INVALID, "'%.*s' is not a whole number in range", MLN_FMT(mln_str_sub(s, 0, 40)));
    *out = value;
    return MLN_OK;
}

struct mln_result mln_str_to_i64(struct mln_str s, int64_t *out)
{
    bool negative = s.n && s.p[0] == '-';
    uint64_t value;
    MLN_TRY(mln_str_to_u64(negative ? mln_str_sub(s, 1, s.n) : s, &value));
    if (value > (uint64_t)INT64_MAX + negative)
        return mln_fail(MLN_E_INVALID, "'%.*s' is out of range", MLN_FMT(mln_str_sub(s, 0, 40)));
    *out = negative ? (int64_t)(0 - value) : (int64_t)value;
    return MLN_OK;
}

/* Bytes of the character at p, 0 when it is not well formed: the ranges of Unicode's table 3-7. */
static size_t utf8_length(const unsigned char *p, size_t n)
{
    unsigned char c = p[0];
    if (c < 0x80)
        return 1;
    size_t length = c >= 0xC2 && c <= 0xDF ? 2 : (c & 0xF0) == 0xE0 ? 3 : c >= 0xF0 && c <= 0xF4 ? 4 : 0;
    if (length == 0 || n < length)
        return 0;
    unsigned char low = c == 0xE0 ? 0xA0 : c == 0xF0 ? 0x90 : 0x80;
    unsigned char high = c == 0xED ? 0x9F : c == 0xF4 ? 0x8F : 0xBF;
    if (p[1] < low || p[1] > high)
        return 0;
    for (size_t i = 2; i < length; i++)
        if ((p[i] & 0xC0) != 0x80)
            return 0;
    return length;
}

size_t mln_str_utf8_prefix(struct mln_str s)
{
    size_t at = 0;
    for (size_t length; at < s.n; at += length) {
        length = utf8_length((const unsigned char *)s.p + at, s.n - at);
        if (length == 0)
            break;
    }
    return at;
}

bool mln_str_is_utf8(struct mln_str s)
{
    return mln_str_utf8_prefix(s) == s.n;
}

static uint64_t process_key[2];
static pthread_once_t key_once = PTHREAD_ONCE_INIT;

static void make_key(void)
{
    if (getrandom(process_key, sizeof process_key, 0) != sizeof process_key)
        abort(); /* no randomness: nothing that follows would be safe */
}

static inline uint64_t rotate(uint64_t v, int by)
{
    return v << by | v >> (64 - by);
}

static inline void sip_round(uint64_t v[4])
{
    v[0] += v[1], v[2] += v[3];
    v[1] = rotate(v[1], 13) ^ v[0], v[3] = rotate(v[3], 16) ^ v[2];
    v[0] = rotate(v[0], 32);
    v[2] += v[1], v[0] += v[3];
    v[1] = rotate(v[1], 17) ^ v[2], v[3] = rotate(v[3], 21) ^ v[0];
    v[2] = rotate(v[2], 32);
}

static uint64_t sip(const uint64_t key[2], struct mln_str s, bool fold)
{
    uint64_t v[4] = {key[0] ^ 0x736f6d6570736575, key[1] ^ 0x646f72616e646f6d, key[0] ^ 0x6c7967656e657261,
                     key[1] ^ 0x7465646279746573};
    uint64_t word = 0;
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        word |= (uint64_t)(fold ? lower(c) : c) << (i % 8 * 8);
        if (i % 8 == 7) {
            v[3] ^= word;
            sip_round(v);
            v[0] ^= word;
            word = 0;
        }
    }
    word |= (uint64_t)s.n << 56;
    v[3] ^= word;
    sip_round(v);
    v[0] ^= word;
    v[2] ^= 0xff;
    for (int i = 0; i < 3; i++)
        sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

uint64_t mln_siphash13(const uint64_t key[2], struct mln_str s)
{
    return sip(key, s, false);
}

uint64_t mln_str_hash(struct mln_str s)
{
    pthread_once(&key_once, make_key);
    return sip(process_key, s, false);
}

uint64_t mln_str_hash_nocase(struct mln_str s)
{
    pthread_once(&key_once, make_key);
    return sip(process_key, s, true);
}
