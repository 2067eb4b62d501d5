/* Random trees for the properties of json/. */
#ifndef MLN_TESTS_JSON_RANDOM_TREE_H
#define MLN_TESTS_JSON_RANDOM_TREE_H

#include "check_json.h"

/* A real of any magnitude, finite. */
static inline double random_real(uint64_t *chance)
{
    for (;;) {
        uint64_t bits = check_random(chance);
        double real;
        memcpy(&real, &bits, sizeof real);
        if (__builtin_isfinite(real))
            return real;
    }
}

static inline struct mln_str random_text(uint64_t *chance, struct mln_arena *arena)
{
    static const char *const pieces[] = {"a",   "Z", "\"", "\\", "/", "\n", "\x01", " ", "\xC3\xA9", "\xF0\x9F\x98\x80",
                                         "\x7f"};
    struct mln_str text = mln_str_dup(arena, MLN_S(""));
    for (size_t n = check_below(chance, 6); n > 0; n--)
        text =
            mln_str_printf(arena, "%.*s%s", MLN_FMT(text), pieces[check_below(chance, sizeof pieces / sizeof *pieces)]);
    return text;
}

/* nulls: whether object members may be null. Now and then an object is large enough to be indexed. */
static inline struct mln_json random_tree(uint64_t *chance, struct mln_arena *arena, int depth, bool nulls)
{
    struct mln_json_object object = {0};
    struct mln_json_array array = {0};
    switch (check_below(chance, depth > 0 ? 10 : 7)) {
    case 0:
        return nulls ? mln_json_null : mln_json_of_bool(false);
    case 1:
        return mln_json_of_bool(check_below(chance, 2));
    case 2:
        return mln_json_of_i64((int64_t)check_random(chance) >> check_below(chance, 64));
    case 3:
        return mln_json_of_real(random_real(chance));
    case 4:
        return mln_json_of_real((double)check_below(chance, 5));
    case 5:
        return (struct mln_json){.kind = MLN_JSON_UINT, .u = check_random(chance) | UINT64_C(1) << 63};
    case 6:
        return mln_json_of_str(random_text(chance, arena));
    case 7:
        for (size_t n = check_below(chance, 5); n > 0; n--)
            assert_ok(mln_json_append(arena, &array, random_tree(chance, arena, depth - 1, true)));
        return mln_json_array_done(&array);
    default:
        for (size_t n = check_below(chance, check_below(chance, 8) ? 6 : 40); n > 0; n--)
            if (check_below(chance, 3))
                assert_ok(mln_json_add(arena, &object, mln_str_printf(arena, "m%zu", n),
                                       random_tree(chance, arena, depth - 1, nulls)));
        return mln_json_object_done(&object);
    }
}

#endif
