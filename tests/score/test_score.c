/* The classic secure score: the documented cases of docs/score.md by number, then properties. */
#include "check.h"

#include "score/score.h"

static void assert_text(mln_nanopoints points, int decimals, const char *expected)
{
    char out[32];
    struct mln_str text = mln_score_text(points, decimals, out);
    assert_string_equal(out, expected);
    assert_int_equal(text.n, strlen(expected));
}

static struct mln_control_score control(int32_t max, int64_t healthy, int64_t unhealthy)
{
    struct mln_control_counts counts = {healthy, unhealthy, 0};
    return mln_score_control(max, &counts);
}

/* A counted control with a current score given in hundredths of a point. */
static struct mln_control_score control_at(int32_t max, int64_t hundredths)
{
    mln_nanopoints full = max * MLN_NANOPOINTS_A_POINT, current = hundredths * (MLN_NANOPOINTS_A_POINT / 100);
    return (struct mln_control_score){full, current, full - current, true};
}

static void case_1_thirty_five_resources_five_healthy(void **state)
{
    (void)state;
    struct mln_control_score score = control(6, 5, 30);
    assert_text(score.current, 2, "0.86");
    assert_text(score.potential_increase, 2, "5.14");
    struct mln_control_counts counts = {5, 30, 0};
    assert_text(mln_score_share(6, &counts, 1), 4, "0.1714");
}

static void case_2_four_healthy_seventy_four_not(void **state)
{
    (void)state;
    struct mln_control_score score = control(6, 4, 74);
    assert_text(score.current, 2, "0.31");
    assert_text(score.potential_increase, 2, "5.69");
    struct mln_control_counts counts = {4, 74, 0};
    assert_text(mln_score_share(6, &counts, 1), 4, "0.0769");
}

static void case_3_missing_points_are_the_potentials(void **state)
{
    (void)state;
    /* 28 of 60 points, over controls whose healthy shares give whole points. */
    struct mln_control_score controls[] = {control(10, 5, 5), control(20, 3, 7), control(30, 17, 13)};
    struct mln_scope_score scope = mln_score_scope(controls, 3, 50);
    assert_int_equal(scope.current, 28 * MLN_NANOPOINTS_A_POINT);
    assert_int_equal(scope.max, 60 * MLN_NANOPOINTS_A_POINT);
    assert_int_equal((int64_t)(scope.percentage * 1000 + 0.5), 467);
    mln_nanopoints potential = 0;
    for (size_t i = 0; i < 3; i++)
        potential += controls[i].potential_increase;
    assert_int_equal(potential, 32 * MLN_NANOPOINTS_A_POINT);
    assert_int_equal(potential, scope.max - scope.current);
    assert_int_equal(scope.weight, 50);
}

static void case_4_twenty_two_of_fifty_eight(void **state)
{
    (void)state;
    struct mln_control_score controls[] = {control_at(10, 1000), control_at(48, 1200)};
    assert_int_equal((int64_t)(mln_score_scope(controls, 2, 1).percentage * 1000 + 0.5), 379);
}

static void case_5_not_applicable_never_counts(void **state)
{
    (void)state;
    /* 1311 shown, 336 unhealthy, 556 not applicable: 755 count, and 6 points become 3.33. */
    struct mln_control_counts counts = {755 - 336, 336, 556};
    assert_int_equal(counts.healthy + counts.unhealthy + counts.not_applicable, 1311);
    assert_text(mln_score_control(6, &counts).current, 2, "3.33");
    counts.not_applicable = 0;
    assert_text(mln_score_control(6, &counts).current, 2, "3.33");
}

static void case_6_scopes_are_weighted(void **state)
{
    (void)state;
    struct mln_scope_score scopes[] = {{.percentage = 0.72, .weight = 200},
                                       {.percentage = 0.30, .weight = 1700},
                                       {.percentage = 0.37, .weight = 3000}};
    double all = mln_score_over_scopes(scopes, 3);
    assert_int_equal((int64_t)(all * 1000 + 0.5), 360);
    double mean_of_clouds = (0.72 + 0.30 + 0.37) / 3;
    assert_true(all < mean_of_clouds - 0.1);
}

static void case_7_thirteen_controls(void **state)
{
    (void)state;
    static const int32_t max[] = {10, 8, 6, 6, 4, 4, 4, 4, 4, 3, 2, 2, 1};
    static const int64_t current[] = {705, 445, 173, 279, 191, 276, 66, 130, 91, 208, 38, 90, 9};
    struct mln_control_score controls[13];
    for (size_t i = 0; i < 13; i++)
        controls[i] = control_at(max[i], current[i]);
    struct mln_scope_score scope = mln_score_scope(controls, 13, 1);
    assert_text(scope.current, 2, "27.01");
    assert_text(scope.max, 0, "58");
    assert_int_equal((int64_t)(scope.percentage * 1000 + 0.5), 466);
}

static void control_without_resources_leaves_both_sums(void **state)
{
    (void)state;
    struct mln_control_counts none = {0, 0, 12};
    struct mln_control_score empty = mln_score_control(8, &none);
    assert_false(empty.counted);
    assert_int_equal(empty.max, 0);
    assert_int_equal(mln_score_share(8, &none, 5), 0);
    struct mln_control_score controls[] = {empty, control(4, 1, 1)};
    struct mln_scope_score scope = mln_score_scope(controls, 2, 2);
    assert_int_equal(scope.max, 4 * MLN_NANOPOINTS_A_POINT);
    assert_true(scope.percentage == 0.5);
}

static void nothing_gives_zero_not_a_division(void **state)
{
    (void)state;
    assert_true(mln_score_scope(NULL, 0, 0).percentage == 0);
    assert_true(mln_score_over_scopes(NULL, 0) == 0);
    struct mln_scope_score scope = {.percentage = 0.9, .weight = 0};
    assert_true(mln_score_over_scopes(&scope, 1) == 0);
    struct mln_control_score worth_nothing = control(0, 3, 4);
    assert_true(worth_nothing.counted);
    assert_true(mln_score_scope(&worth_nothing, 1, 7).percentage == 0);
}

static void wrong_counts_count_as_zero(void **state)
{
    (void)state;
    assert_false(control(6, -1, -5).counted);
    assert_int_equal(control(6, -1, 5).current, 0);
    assert_int_equal(control(-6, 5, 0).current, 0);
    struct mln_control_counts counts = {1, 1, 0};
    assert_int_equal(mln_score_share(6, &counts, 100), 6 * MLN_NANOPOINTS_A_POINT);
    assert_int_equal(mln_score_share(6, &counts, -1), 0);
}

static void texts(void **state)
{
    (void)state;
    assert_text(0, 2, "0");
    assert_text(1, 2, "<0.01");
    assert_text(9999999, 2, "<0.01");
    assert_text(10000000, 2, "0.01");
    assert_text(14999999, 2, "0.01");
    assert_text(15000000, 2, "0.02");
    assert_text(-1, 2, ">-0.01");
    assert_text(-3330000000, 2, "-3.33");
    assert_text(1300000000, 2, "1.30");
    assert_text(999999999, 2, "1.00");
    assert_text(999999999, 0, "<1");
    assert_text(1500000000, 0, "2");
    assert_text(1, 9, "0.000000001");
    assert_text(1, 20, "0.000000001");
    assert_text(58000000000, -3, "58");
    assert_text(INT64_MAX, 9, "9223372036.854775807");
    assert_text(INT64_MIN, 9, "-9223372036.854775808");
}

static void current_and_potential_make_up_the_maximum(void **state)
{
    (void)state;
    uint64_t x = 88172645463325252;
    for (int i = 0; i < 20000; i++) {
        int32_t max = (int32_t)(check_random(&x) % 100);
        uint64_t mask = (UINT64_C(1) << check_random(&x) % 62) - 1; /* small and huge counts alike */
        int64_t healthy = (int64_t)(check_random(&x) & mask);
        int64_t unhealthy = (int64_t)(check_random(&x) & mask) + 1;
        struct mln_control_score score = control(max, healthy, unhealthy);
        assert_true(score.counted);
        assert_int_equal(score.current + score.potential_increase, score.max);
        assert_int_equal(score.max, max * MLN_NANOPOINTS_A_POINT);
        assert_true(score.current >= 0 && score.potential_increase >= 0);
        /* One more healthy resource instead of an unhealthy one never lowers the score. */
        assert_true(control(max, healthy + 1, unhealthy - 1).current >= score.current);
    }
}

static void sums_are_exact(void **state)
{
    (void)state;
    uint64_t x = 1234567;
    for (int i = 0; i < 500; i++) {
        struct mln_control_score controls[15];
        mln_nanopoints current = 0, potential = 0;
        for (size_t j = 0; j < 15; j++) {
            controls[j] = control((int32_t)(check_random(&x) % 11), (int64_t)(check_random(&x) % 1000),
                                  (int64_t)(check_random(&x) % 1000));
            current += controls[j].current;
            potential += controls[j].potential_increase;
        }
        struct mln_scope_score scope = mln_score_scope(controls, 15, 1);
        assert_int_equal(scope.current, current);
        assert_int_equal(scope.max - scope.current, potential);
        assert_true(scope.percentage >= 0 && scope.percentage <= 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(case_1_thirty_five_resources_five_healthy),
        cmocka_unit_test(case_2_four_healthy_seventy_four_not),
        cmocka_unit_test(case_3_missing_points_are_the_potentials),
        cmocka_unit_test(case_4_twenty_two_of_fifty_eight),
        cmocka_unit_test(case_5_not_applicable_never_counts),
        cmocka_unit_test(case_6_scopes_are_weighted),
        cmocka_unit_test(case_7_thirteen_controls),
        cmocka_unit_test(control_without_resources_leaves_both_sums),
        cmocka_unit_test(nothing_gives_zero_not_a_division),
        cmocka_unit_test(wrong_counts_count_as_zero),
        cmocka_unit_test(texts),
        cmocka_unit_test(current_and_potential_make_up_the_maximum),
        cmocka_unit_test(sums_are_exact),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
