#include "check.h"

#include "api/odata.h"

static struct mln_arena *arena;
static struct mln_odata_clause clauses[MLN_ODATA_MAX_CLAUSES];
static size_t n;

static int setup(void **state)
{
    (void)state;
    arena = mln_arena_new(1 << 16);
    return 0;
}
static int teardown(void **state)
{
    (void)state;
    mln_arena_free(arena);
    return 0;
}

static void test_comparisons(void **state)
{
    (void)state;
    assert_ok(mln_odata_parse(arena, MLN_S(" eventTimestamp ge '2026-01-01T00:00:00Z' AND a/b eq 'it''s' and n le 7 "),
                              clauses, &n));
    assert_int_equal(n, 3);
    assert_str(clauses[0].name, "eventTimestamp");
    assert_str(clauses[0].op, "ge");
    assert_str(clauses[0].value, "2026-01-01T00:00:00Z");
    assert_str(clauses[1].name, "a/b");
    assert_str(clauses[1].value, "it's");
    assert_str(clauses[2].value, "7");
}

static void test_calls_and_nothing(void **state)
{
    (void)state;
    assert_ok(mln_odata_parse(arena, MLN_S("atScope() and principalId eq 'x'"), clauses, &n));
    assert_int_equal(n, 2);
    assert_null(clauses[0].op.p);
    assert_ok(mln_odata_parse(arena, MLN_S(""), clauses, &n));
    assert_int_equal(n, 0);
    assert_ok(mln_odata_parse(arena, (struct mln_str){0}, clauses, &n));
    assert_int_equal(n, 0);
}

static void test_all_else_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "a",
        "a eq",
        "a eq 'x",
        "a like 'x'",
        "eq eq",
        "a eq 'x' or b eq 'y'",
        "(a eq 'x')",
        "a eq 'x'",
        "not a",
        "a eq b c",
        "'x' eq a",
        "a eq 'x' and",
        "startswith(a,'b')",
        "a eq 1 and a eq 1 and a eq 1 and a eq 1 and a eq 1 and a eq 1 and a eq 1 and a eq 1 and a eq 1"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (mln_ok(mln_odata_parse(arena, mln_str_c(bad[i]), clauses, &n)) != (i == 7))
            fail_msg("%s", bad[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_comparisons, setup, teardown),
        cmocka_unit_test_setup_teardown(test_calls_and_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(test_all_else_is_refused, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
