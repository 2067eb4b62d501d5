/* A set of small numbers, one bit each, in memory of the caller (mln_bitset_words words). */
#ifndef MLN_BASE_BITSET_H
#define MLN_BASE_BITSET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline size_t mln_bitset_words(size_t bits)
{
    return (bits + 63) / 64;
}
static inline bool mln_bitset_has(const uint64_t *set, size_t bit)
{
    return set[bit / 64] >> (bit % 64) & 1;
}
static inline void mln_bitset_add(uint64_t *set, size_t bit)
{
    set[bit / 64] |= UINT64_C(1) << (bit % 64);
}
static inline void mln_bitset_remove(uint64_t *set, size_t bit)
{
    set[bit / 64] &= ~(UINT64_C(1) << (bit % 64));
}
static inline size_t mln_bitset_count(const uint64_t *set, size_t words)
{
    size_t n = 0;
    for (size_t i = 0; i < words; i++)
        n += (size_t)__builtin_popcountll(set[i]);
    return n;
}
/* The first member at or after from, or SIZE_MAX: for (b = next(s, w, 0); b != SIZE_MAX; b = next(s, w, b + 1)) */
static inline size_t mln_bitset_next(const uint64_t *set, size_t words, size_t from)
{
    for (size_t i = from / 64; i < words; i++) {
        uint64_t word = i == from / 64 ? set[i] & ~UINT64_C(0) << (from % 64) : set[i];
        if (word)
            return i * 64 + (size_t)__builtin_ctzll(word);
    }
    return SIZE_MAX;
}

#endif
