/* Moments: one order for everything that is recorded, whatever the clock does. */
#include "check.h"

#include "inventory/moment.h"

static void a_moment_moves_with_the_clock(void **state)
{
    (void)state;
    struct mln_moment first = mln_moment_after((struct mln_moment){0}, 1000);
    assert_int_equal(first.ms, 1000);
    assert_int_equal(first.number, 0);
    assert_int_equal(mln_moment_after(first, 1001).ms, 1001);
}

static void a_standing_or_returning_clock_is_counted_on(void **state)
{
    (void)state;
    struct mln_moment last = {1000, 0}, next = mln_moment_after(last, 1000);
    assert_int_equal(next.ms, 1000);
    assert_int_equal(next.number, 1);
    next = mln_moment_after(next, 400);
    assert_int_equal(next.ms, 1000);
    assert_int_equal(next.number, 2);
    next = mln_moment_after((struct mln_moment){1000, UINT32_MAX}, 1000);
    assert_int_equal(next.ms, 1001);
    assert_int_equal(next.number, 0);
}

static void keys_order_as_moments_and_read_back(void **state)
{
    (void)state;
    const struct mln_moment ordered[] = {
        {0, 0}, {0, 1}, {9, 4000000000}, {10, 0}, {16, 2}, {1764000000000, 7}, {INT64_MAX, UINT32_MAX}};
    char before[MLN_MOMENT_KEY + 1] = "";
    for (size_t i = 0; i < sizeof ordered / sizeof *ordered; i++) {
        char key[MLN_MOMENT_KEY + 1];
        struct mln_moment back;
        mln_moment_key(ordered[i], key);
        assert_int_equal(strlen(key), MLN_MOMENT_KEY);
        assert_true(strcmp(before, key) < 0);
        assert_ok(mln_moment_parse(mln_str_c(key), &back));
        assert_int_equal(mln_moment_cmp(back, ordered[i]), 0);
        if (i > 0)
            assert_true(mln_moment_cmp(ordered[i - 1], ordered[i]) < 0 &&
                        mln_moment_cmp(ordered[i], ordered[i - 1]) > 0);
        memcpy(before, key, sizeof before);
    }
}

static void other_texts_are_no_keys(void **state)
{
    (void)state;
    struct mln_moment moment;
    const char *const wrong[] = {"",
                                 "0000019ab3c4d5e6",
                                 "0000019ab3c4d5e6-0000000",
                                 "0000019ab3c4d5e6-000000000",
                                 "0000019AB3C4D5E6-00000000",
                                 "0000019ab3c4d5e6+00000000",
                                 "0000019ab3c4d5eg-00000000",
                                 "ffffffffffffffff-00000000"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_fails(CORRUPT, mln_moment_parse(mln_str_c(wrong[i]), &moment));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_moment_moves_with_the_clock),
        cmocka_unit_test(a_standing_or_returning_clock_is_counted_on),
        cmocka_unit_test(keys_order_as_moments_and_read_back),
        cmocka_unit_test(other_texts_are_no_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
