/* What every cmocka test of the tree uses: the headers cmocka asks for, checks of results and slices, repeatable chance,
   fixture files. */
#ifndef MLN_TESTS_CHECK_H
#define MLN_TESTS_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"

#define assert_ok(expression)                                                                                          \
    do {                                                                                                               \
        struct mln_result check_r_ = (expression);                                                                     \
        if (!mln_ok(check_r_))                                                                                         \
            fail_msg("%s: %s: %s", #expression, mln_code_name(check_r_.code), mln_error_text());                       \
    } while (0)

/* The expression fails with MLN_E_<CODE>. */
#define assert_fails(CODE, expression)                                                                                 \
    do {                                                                                                               \
        struct mln_result check_r_ = (expression);                                                                     \
        if (check_r_.code != MLN_E_##CODE)                                                                             \
            fail_msg("%s: %s (%s), expected " #CODE, #expression, mln_code_name(check_r_.code),                        \
                     mln_ok(check_r_) ? "" : mln_error_text());                                                        \
    } while (0)

/* The text of the last failure contains part. */
#define assert_error_has(part)                                                                                         \
    do {                                                                                                               \
        if (!strstr(mln_error_text(), part))                                                                           \
            fail_msg("the error \"%s\" does not say \"%s\"", mln_error_text(), part);                                  \
    } while (0)

#define assert_str(slice, text)                                                                                        \
    do {                                                                                                               \
        struct mln_str check_s_ = (slice);                                                                             \
        if (!mln_str_eq(check_s_, mln_str_c(text)))                                                                    \
            fail_msg("%s is \"%.*s\", expected \"%s\"", #slice, MLN_FMT(check_s_), text);                              \
    } while (0)

/* Repeatable chance for properties: xorshift64* (Vigna, "An experimental exploration of Marsaglia's xorshift
   generators"). Start with any state but 0. */
static inline uint64_t check_random(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * UINT64_C(2685821657736338717);
}

/* Evenly enough in [0, below). */
static inline size_t check_below(uint64_t *state, size_t below)
{
    return (size_t)((check_random(state) >> 32) % below);
}

/* Ends a test that this machine cannot run, saying why. Not cmocka's skip(): its TAP line reads as a failure to meson. */
#define check_skip(reason)                                                                                             \
    do {                                                                                                               \
        print_message("# skipped %s: %s\n", __func__, reason);                                                         \
        return;                                                                                                        \
    } while (0)

/* Appends the file tests/<path> of the source tree to out. */
static inline void check_fixture(const char *path, struct mln_buf *out)
{
    char full[4096], block[4096];
    const char *source = getenv("MLN_SOURCE");
    snprintf(full, sizeof full, "%s/tests/%s", source ? source : ".", path);
    FILE *file = fopen(full, "rb");
    if (!file)
        fail_msg("cannot open %s", full);
    for (size_t n; (n = fread(block, 1, sizeof block, file)) > 0;)
        assert_ok(mln_buf_append(out, (struct mln_str){block, n}));
    fclose(file);
}

#endif
