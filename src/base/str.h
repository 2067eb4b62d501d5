/*
 * Length-carrying string slices. A slice owns nothing: it points into memory that somebody else keeps alive.
 * NUL bytes are ordinary bytes inside; NUL-terminated text exists only at the edges (mln_str_c, mln_str_z).
 */
#ifndef MLN_BASE_STR_H
#define MLN_BASE_STR_H

#include "base/arena.h"

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

struct mln_str {
    const char *p; /* may be NULL when n is 0 */
    size_t n;      /* bytes */
};

/* A slice of a string literal. */
#define MLN_S(literal) ((struct mln_str){"" literal, sizeof(literal) - 1})
/* For printf's "%.*s"; the text ends at a NUL in it. */
#define MLN_FMT(s) (int)((s).n > INT_MAX ? INT_MAX : (s).n), (s).p ? (s).p : ""

/* A slice of a NUL-terminated text; NULL gives the empty slice. */
struct mln_str mln_str_c(const char *text);
/* A NUL-terminated copy in the arena, NULL when there is no room. */
const char *mln_str_z(struct mln_arena *arena, struct mln_str s);
/* Copies in the arena; on failure the result's p is NULL and n 0 (use MLN_TRY_STR to hand the failure on). */
struct mln_str mln_str_dup(struct mln_arena *arena, struct mln_str s);
struct mln_str mln_str_lower(struct mln_arena *arena, struct mln_str s); /* ASCII only */
struct mln_str mln_str_printf(struct mln_arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* s = expression, or return the arena's failure when it gave no memory. */
#define MLN_TRY_STR(arena, s, expression)                                                                              \
    do {                                                                                                               \
        (s) = (expression);                                                                                            \
        if (!(s).p)                                                                                                    \
            return mln_arena_failure(arena);                                                                           \
    } while (0)

bool mln_str_eq(struct mln_str a, struct mln_str b);
bool mln_str_eq_nocase(struct mln_str a, struct mln_str b); /* ASCII case folding */
int mln_str_cmp(struct mln_str a, struct mln_str b);        /* byte order; <0, 0, >0 */
int mln_str_cmp_nocase(struct mln_str a, struct mln_str b);
bool mln_str_starts(struct mln_str s, struct mln_str prefix);
bool mln_str_starts_nocase(struct mln_str s, struct mln_str prefix);
bool mln_str_ends(struct mln_str s, struct mln_str suffix);
/* Offset of the first needle at or after from, or SIZE_MAX. */
size_t mln_str_find(struct mln_str s, struct mln_str needle, size_t from);

/* The part [from, to), clamped to s. */
struct mln_str mln_str_sub(struct mln_str s, size_t from, size_t to);
/* Without leading and trailing space, tab, CR and LF. */
struct mln_str mln_str_trim(struct mln_str s);
/* Takes the part before the first separator out of *rest (separator dropped). False, and *part empty, when *rest had
   been used up ({NULL, 0}). "" gives one empty part. */
bool mln_str_cut(struct mln_str *rest, char separator, struct mln_str *part);

/* The whole slice as a decimal number; INVALID on anything else or overflow. */
MLN_RESULT mln_str_to_i64(struct mln_str s, int64_t *out);
MLN_RESULT mln_str_to_u64(struct mln_str s, uint64_t *out);

/* Valid UTF-8 (no surrogates, no overlong forms, at most U+10FFFF). */
bool mln_str_is_utf8(struct mln_str s);
/* How many leading bytes of s are valid UTF-8: s.n when all are, else the offset of the first bad byte sequence. */
size_t mln_str_utf8_prefix(struct mln_str s);

/* SipHash-1-3 (Aumasson and Bernstein, "SipHash: a fast short-input PRF", with one and three rounds). */
uint64_t mln_siphash13(const uint64_t key[2], struct mln_str s);
/* SipHash-1-3 under a per-process random key: safe for tables of hostile keys; never store it. */
uint64_t mln_str_hash(struct mln_str s);
uint64_t mln_str_hash_nocase(struct mln_str s);

#endif
