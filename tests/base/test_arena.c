#include "check.h"

#include "base/vec.h"

static bool all_zero(const unsigned char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (p[i])
            return false;
    return true;
}

static void memory_is_zeroed_and_aligned(void **state)
{
    (void)state;
    struct mln_arena *arena MLN_CLEANUP(mln_arena_free) = mln_arena_new(1 << 20);
    for (int round = 0; round < 2; round++) {
        for (size_t size = 0; size < 300; size += 7) {
            unsigned char *p = mln_arena_alloc(arena, size);
            assert_non_null(p);
            assert_int_equal((uintptr_t)p % _Alignof(max_align_t), 0);
            assert_true(all_zero(p, size));
            memset(p, 0xAA, size);
        }
        mln_arena_reset(arena); /* the second round reuses dirty memory */
    }
}

static void allocations_do_not_overlap(void **state)
{
    (void)state;
    struct mln_arena *arena MLN_CLEANUP(mln_arena_free) = mln_arena_new(8 << 20);
    uint64_t chance = 1;
    unsigned char *blocks[500];
    size_t sizes[500];
    for (size_t i = 0; i < 500; i++) {
        sizes[i] = check_below(&chance, 9000);
        blocks[i] = mln_arena_alloc(arena, sizes[i]);
        assert_non_null(blocks[i]);
        memset(blocks[i], (int)(i % 251), sizes[i]);
    }
    for (size_t i = 0; i < 500; i++)
        for (size_t at = 0; at < sizes[i]; at++)
            assert_int_equal(blocks[i][at], i % 251);
}

static void the_budget_is_a_limit_and_not_the_end(void **state)
{
    (void)state;
    struct mln_arena *arena MLN_CLEANUP(mln_arena_free) = mln_arena_new(100);
    assert_non_null(mln_arena_alloc(arena, 64));
    assert_null(mln_arena_alloc(arena, 64));
    assert_fails(LIMIT, mln_arena_failure(arena));
    assert_error_has("budget of 100 bytes");
    assert_non_null(mln_arena_alloc(arena, 16));
    mln_arena_reset(arena);
    assert_int_equal(mln_arena_used(arena), 0);
    assert_non_null(mln_arena_alloc(arena, 96));
    assert_int_equal(mln_arena_used(arena), 96);
}

static void sizes_that_overflow_are_refused(void **state)
{
    (void)state;
    struct mln_arena *arena MLN_CLEANUP(mln_arena_free) = mln_arena_new(SIZE_MAX);
    assert_null(mln_arena_alloc(arena, SIZE_MAX));
    assert_fails(LIMIT, mln_arena_failure(arena));
    assert_null(mln_arena_array(arena, SIZE_MAX / 2, 4));
    assert_fails(LIMIT, mln_arena_failure(arena));
    assert_null(mln_arena_alloc(arena, SIZE_MAX / 4));
    assert_fails(MEMORY, mln_arena_failure(arena));
}

static struct mln_result take(struct mln_arena *arena, size_t count)
{
    int64_t *numbers, *one;
    MLN_TRY_ARRAY(arena, numbers, count);
    MLN_TRY_NEW(arena, one);
    numbers[count - 1] = *one;
    return MLN_OK;
}

static void the_macros_hand_failures_on(void **state)
{
    (void)state;
    struct mln_arena *arena MLN_CLEANUP(mln_arena_free) = mln_arena_new(4096);
    assert_ok(take(arena, 10));
    assert_fails(LIMIT, take(arena, 10000));
    mln_arena_free(NULL);
}

static void a_vector_grows_in_an_arena(void **state)
{
    (void)state;
    struct mln_arena *arena MLN_CLEANUP(mln_arena_free) = mln_arena_new(1 << 20);
    MLN_VEC(struct mln_str) names = {0};
    for (size_t i = 0; i < 1000; i++)
        assert_ok(mln_vec_push(arena, &names, mln_str_printf(arena, "n%zu", i)));
    assert_int_equal(names.n, 1000);
    assert_str(names.at[0], "n0");
    assert_str(names.at[999], "n999");
}

static void a_vector_stays_as_it_was_when_memory_ends(void **state)
{
    (void)state;
    struct mln_arena *arena MLN_CLEANUP(mln_arena_free) = mln_arena_new(200);
    MLN_VEC(int64_t) numbers = {0};
    struct mln_result r = MLN_OK;
    for (int64_t i = 0; mln_ok(r) && i < 100; i++)
        r = mln_vec_push(arena, &numbers, i);
    assert_fails(LIMIT, r);
    assert_int_equal(numbers.n, 16); /* 8, then 16 of them fit */
    for (size_t i = 0; i < numbers.n; i++)
        assert_int_equal(numbers.at[i], i);
}

static void a_vector_on_the_heap_is_freed(void **state)
{
    (void)state;
    MLN_VEC(int) numbers = {0};
    for (int i = 0; i < 100; i++)
        assert_ok(mln_vec_push(NULL, &numbers, i * i));
    assert_int_equal(numbers.at[99], 99 * 99);
    mln_vec_free(&numbers);
    assert_null(numbers.at);
    assert_int_equal(numbers.n + numbers.cap, 0);
}

static void a_vector_cannot_grow_beyond_counting(void **state)
{
    (void)state;
    void *at = NULL;
    size_t cap = SIZE_MAX / 8;
    assert_fails(LIMIT, mln_vec_grow_(NULL, &at, &cap, 0, 64));
    cap = SIZE_MAX;
    assert_fails(LIMIT, mln_vec_grow_(NULL, &at, &cap, 0, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_is_zeroed_and_aligned),
        cmocka_unit_test(allocations_do_not_overlap),
        cmocka_unit_test(the_budget_is_a_limit_and_not_the_end),
        cmocka_unit_test(sizes_that_overflow_are_refused),
        cmocka_unit_test(the_macros_hand_failures_on),
        cmocka_unit_test(a_vector_grows_in_an_arena),
        cmocka_unit_test(a_vector_stays_as_it_was_when_memory_ends),
        cmocka_unit_test(a_vector_on_the_heap_is_freed),
        cmocka_unit_test(a_vector_cannot_grow_beyond_counting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
