#include "check.h"

#include "access/limiter.h"

enum { MOST = 3 };
#define WINDOW_MS INT64_C(900000)

static int64_t now_ms;
static struct mln_clock clock_;
static struct mln_limiter *limiter;

static int setup(void **state)
{
    (void)state;
    now_ms = 1000000;
    clock_ = mln_fake_clock(&now_ms);
    assert_ok(mln_limiter_new(&clock_, MOST, WINDOW_MS, &limiter));
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    mln_limiter_free(limiter);
    return 0;
}

static void fail_times(const char *name, int times)
{
    for (int i = 0; i < times; i++)
        mln_limiter_failed(limiter, mln_str_c(name));
}

static void test_a_name_is_refused_after_enough_failures(void **state)
{
    (void)state;
    int64_t retry_ms;
    fail_times("alice", MOST - 1);
    assert_ok(mln_limiter_check(limiter, MLN_S("alice"), &retry_ms));
    assert_int_equal(retry_ms, 0);
    fail_times("alice", 1);
    assert_fails(TOO_MANY, mln_limiter_check(limiter, MLN_S("ALICE"), &retry_ms));
    assert_int_equal(retry_ms, WINDOW_MS);
    assert_ok(mln_limiter_check(limiter, MLN_S("bob"), NULL));
}

static void test_the_refusal_ends(void **state)
{
    (void)state;
    fail_times("alice", MOST);
    now_ms += WINDOW_MS - 1;
    assert_fails(TOO_MANY, mln_limiter_check(limiter, MLN_S("alice"), NULL));
    now_ms += 1;
    assert_ok(mln_limiter_check(limiter, MLN_S("alice"), NULL));
}

static void test_rare_failures_do_not_add_up(void **state)
{
    (void)state;
    for (int i = 0; i < 10; i++) {
        fail_times("alice", 1);
        assert_ok(mln_limiter_check(limiter, MLN_S("alice"), NULL));
        now_ms += WINDOW_MS / 2 + 1;
    }
}

static void test_a_success_forgets_failures(void **state)
{
    (void)state;
    fail_times("alice", MOST - 1);
    mln_limiter_succeeded(limiter, MLN_S("alice"));
    fail_times("alice", MOST - 1);
    assert_ok(mln_limiter_check(limiter, MLN_S("alice"), NULL));
}

static void test_more_names_than_room(void **state)
{
    (void)state;
    char name[32];
    for (int i = 0; i < 100000; i++) {
        snprintf(name, sizeof name, "name-%d", i);
        now_ms++;
        fail_times(name, 1);
    }
    fail_times("late", MOST);
    assert_fails(TOO_MANY, mln_limiter_check(limiter, MLN_S("late"), NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_name_is_refused_after_enough_failures, setup, teardown),
        cmocka_unit_test_setup_teardown(test_the_refusal_ends, setup, teardown),
        cmocka_unit_test_setup_teardown(test_rare_failures_do_not_add_up, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_success_forgets_failures, setup, teardown),
        cmocka_unit_test_setup_teardown(test_more_names_than_room, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
