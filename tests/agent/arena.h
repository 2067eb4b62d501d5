/* An arena for each test, fresh and freed. Include after check.h. */
#ifndef MLN_TESTS_AGENT_ARENA_H
#define MLN_TESTS_AGENT_ARENA_H

static struct mln_arena *arena;

static inline int arena_setup(void **state)
{
    (void)state;
    arena = mln_arena_new((size_t)64 << 20);
    return arena ? 0 : -1;
}

static inline int arena_teardown(void **state)
{
    (void)state;
    mln_arena_free(MLN_TAKE(arena));
    return 0;
}

#define with_arena(test) cmocka_unit_test_setup_teardown(test, arena_setup, arena_teardown)

/* The items of a list joined with '|', for comparing. */
static inline struct mln_str joined(const struct mln_str *at, size_t n)
{
    struct mln_str out = MLN_S("");
    for (size_t i = 0; i < n; i++)
        out = mln_str_printf(arena, "%.*s%s%.*s", MLN_FMT(out), i ? "|" : "", MLN_FMT(at[i]));
    return out;
}

#endif
