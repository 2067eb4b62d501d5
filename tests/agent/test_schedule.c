#include "check.h"

#include "agent/link.h"
#include "agent/schedule.h"

static struct mln_schedule schedule;
static int64_t now_ms;

#define BIT(section) (UINT64_C(1) << MLN_SECTION_##section)

/* Looks at everything that is due, taking took_ms a section. */
static mln_section_set look(bool cheap, int64_t took_ms)
{
    mln_section_set all = 0, taken;
    while ((taken = mln_schedule_take(&schedule, cheap, now_ms))) {
        all |= taken;
        for (enum mln_section i = 0; i < MLN_SECTION_COUNT; i++)
            if (taken >> i & 1)
                mln_schedule_done(&schedule, i, now_ms, took_ms);
    }
    return all;
}

static int set_up(void **state)
{
    (void)state;
    now_ms = 1000;
    mln_schedule_start(&schedule, now_ms);
    return 0;
}

static void everything_is_looked_at_first(void **state)
{
    (void)state;
    mln_section_set cheap = look(true, 1), dear = look(false, 1);
    for (enum mln_section i = 0; i < MLN_SECTION_COUNT; i++) {
        assert_int_equal(cheap >> i & 1, mln_sections[i].cost == MLN_COST_CHEAP);
        assert_int_equal(dear >> i & 1, mln_sections[i].cost == MLN_COST_DEAR);
    }
    assert_int_equal(look(true, 1), 0);
    now_ms += MLN_SCHEDULE_FIRST_WALK_MS;
    assert_int_equal(look(false, 1), BIT(fileScan));
}

static void one_process_serves_one_need(void **state)
{
    (void)state;
    mln_section_set taken;
    while ((taken = mln_schedule_take(&schedule, true, now_ms))) {
        enum mln_need need = MLN_NEED_NOTHING;
        bool first = true;
        for (enum mln_section i = 0; i < MLN_SECTION_COUNT; i++) {
            if (!(taken >> i & 1))
                continue;
            assert_true(first || mln_sections[i].need == need);
            need = mln_sections[i].need;
            first = false;
        }
    }
}

static void what_is_being_looked_at_is_not_looked_at_again(void **state)
{
    (void)state;
    mln_section_set taken = mln_schedule_take(&schedule, true, now_ms);
    assert_int_equal(mln_schedule_take(&schedule, true, now_ms) & taken, 0);
}

static void periods_come_round_and_neighbours_go_along(void **state)
{
    (void)state;
    look(true, 1);
    look(false, 1);
    now_ms += 14999;
    assert_int_equal(look(true, 1), 0);
    now_ms += 1;
    assert_int_equal(look(true, 1), BIT(listeners));
    now_ms += 15000 - 1; /* sysctl has 30 s: it is due in a moment */
    assert_int_equal(mln_schedule_next_ms(&schedule), now_ms + 1);
    now_ms += 1;
    mln_section_set taken = look(true, 1);
    assert_true(taken & BIT(sysctl));
    assert_true(taken & BIT(listeners));
}

static void a_change_is_followed_at_once(void **state)
{
    (void)state;
    look(true, 1);
    look(false, 1);
    now_ms += 5000;
    mln_schedule_changed(&schedule, BIT(sshd) | BIT(fileScan), now_ms);
    assert_int_equal(look(true, 1), 0); /* a moment, so that it is written whole */
    now_ms += MLN_SCHEDULE_SETTLE_MS;
    assert_int_equal(look(true, 1) & BIT(sshd), BIT(sshd));
    assert_int_equal(look(false, 1), 0); /* walks follow their period */
    assert_int_equal(look(true, 1), 0);
}

static void a_file_that_changes_always_costs_a_hundredth(void **state)
{
    (void)state;
    look(true, 10);
    look(false, 10);
    int looks = 0;
    for (int64_t end = now_ms + 14000; now_ms < end; now_ms += 10) {
        mln_schedule_changed(&schedule, BIT(banners), now_ms);
        looks += (look(true, 10) & BIT(banners)) != 0;
    }
    assert_in_range(looks, 10, 15);
}

static void dear_sections_wait_for_the_end_of_changes(void **state)
{
    (void)state;
    look(true, 1);
    look(false, 1);
    now_ms += 10000;
    int64_t began = now_ms;
    for (; now_ms < began + 20000; now_ms += 1000) {
        mln_schedule_changed(&schedule, BIT(packages), now_ms);
        assert_int_equal(look(false, 1), 0);
    }
    now_ms += MLN_SCHEDULE_QUIET_MS;
    assert_int_equal(look(false, 1), BIT(packages));
    began = now_ms;
    bool looked = false;
    for (; now_ms < began + MLN_SCHEDULE_LONGEST_WAIT_MS + 2000; now_ms += 1000) { /* but not for ever */
        mln_schedule_changed(&schedule, BIT(packages), now_ms);
        looked |= look(false, 1) == BIT(packages);
    }
    assert_true(looked);
}

static void an_order_makes_everything_due(void **state)
{
    (void)state;
    look(true, 1);
    look(false, 1);
    mln_schedule_all(&schedule, now_ms);
    assert_true(look(true, 1) & BIT(cloud));
    assert_int_equal(look(false, 1), BIT(packages) | BIT(fileScan));
}

static void failures_are_waited_for_longer_and_longer(void **state)
{
    (void)state;
    long long most = 1000;
    for (unsigned n = 1; n<20; n++, most = most * 2> 300000 ? 300000 : most * 2) {
        assert_in_range(mln_link_backoff_ms(n, 0), most / 2, most);
        assert_in_range(mln_link_backoff_ms(n, ~0ULL), most / 2, most);
        assert_in_range(mln_link_backoff_ms(n, 123456789), most / 2, most);
    }
    assert_int_equal(mln_link_backoff_ms(1, 500), 1000);
    assert_in_range(mln_link_backoff_ms(4000000000U, 7), 150000, 300000);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup(test, set_up)
    const struct CMUnitTest tests[] = {
        T(everything_is_looked_at_first),
        T(one_process_serves_one_need),
        T(what_is_being_looked_at_is_not_looked_at_again),
        T(periods_come_round_and_neighbours_go_along),
        T(a_change_is_followed_at_once),
        T(a_file_that_changes_always_costs_a_hundredth),
        T(dear_sections_wait_for_the_end_of_changes),
        T(an_order_makes_everything_due),
        T(failures_are_waited_for_longer_and_longer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
