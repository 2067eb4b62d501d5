#include "check.h"

#include "base/time.h"

static const int64_t day_ms = 86400000;

static void clocks(void **state)
{
    (void)state;
    int64_t at = 1000;
    struct mln_clock fake = mln_fake_clock(&at);
    assert_int_equal(mln_now_ms(&fake), 1000);
    at = -5;
    assert_int_equal(mln_now_ms(&fake), -5);
    assert_true(mln_now_ms(&mln_system_clock) > 1700000000000);
    int64_t before = mln_monotonic_ms();
    assert_true(mln_monotonic_ms() >= before);
}

static void dates_count_days(void **state)
{
    (void)state;
    assert_int_equal(mln_days_from_civil(1970, 1, 1), 0);
    assert_int_equal(mln_days_from_civil(1969, 12, 31), -1);
    assert_int_equal(mln_days_from_civil(2000, 3, 1), 11017);
    assert_int_equal(mln_days_from_civil(2026, 11, 24), 20781);
    assert_int_equal(mln_days_from_civil(0, 1, 1), -719528);
}

/* Every day of ten thousand years: back and forth, and one after the other. */
static void dates_come_back(void **state)
{
    (void)state;
    int64_t year = 0, last_year = 0;
    int month = 1, day = 1, last_month = 1, last_day = 0;
    for (int64_t days = mln_days_from_civil(0, 1, 1); days < mln_days_from_civil(10000, 1, 1); days++) {
        mln_civil_from_days(days, &year, &month, &day);
        if (mln_days_from_civil(year, month, day) != days)
            fail_msg("day %lld", (long long)days);
        bool next = year == last_year && month == last_month ? day == last_day + 1 : day == 1;
        if (!next)
            fail_msg("%lld-%d-%d does not follow", (long long)year, month, day);
        last_year = year, last_month = month, last_day = day;
    }
}

static void times_are_written(void **state)
{
    (void)state;
    char out[MLN_TIME_TEXT];
    assert_str(mln_time_text(0, out), "1970-01-01T00:00:00Z");
    assert_str(mln_time_text(-1, out), "1969-12-31T23:59:59.999Z");
    assert_str(mln_time_text(20781 * day_ms + 50700123, out), "2026-11-24T14:05:00.123Z");
    assert_str(mln_time_text(INT64_MIN, out), "0000-01-01T00:00:00Z");
    assert_str(mln_time_text(INT64_MAX, out), "9999-12-31T23:59:59.999Z");
}

static void times_are_read(void **state)
{
    (void)state;
    const int64_t base = 20781 * day_ms + 50700000;
    static const struct {
        const char *text;
        int64_t from_base;
    } cases[] = {
        {"2026-11-24T14:05:00Z", 0},      {"2026-11-24t14:05:00z", 0},
        {"2026-11-24T14:05:00.1Z", 100},  {"2026-11-24T14:05:00.123999999Z", 123},
        {"2026-11-24T16:05:00+02:00", 0}, {"2026-11-24T08:35:00-05:30", 0},
        {"2026-11-24T14:05:00+00:00", 0}, {"2026-11-24T14:04:60Z", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t ms;
        assert_ok(mln_time_parse(mln_str_c(cases[i].text), &ms));
        assert_int_equal(ms, base + cases[i].from_base);
    }
}

static void wrong_times_are_refused(void **state)
{
    (void)state;
    static const char *const cases[] = {"",
                                        "2026",
                                        "2026-11-24",
                                        "2026-11-24 14:05:00Z",
                                        "2026-11-24T14:05Z",
                                        "2026-11-24T14:05:00",
                                        "2026-13-24T14:05:00Z",
                                        "2026-00-24T14:05:00Z",
                                        "2026-11-00T14:05:00Z",
                                        "2026-11-31T14:05:00Z",
                                        "2026-02-29T14:05:00Z",
                                        "1900-02-29T00:00:00Z",
                                        "2026-11-24T24:00:00Z",
                                        "2026-11-24T14:60:00Z",
                                        "2026-11-24T14:05:61Z",
                                        "2026-11-24T14:05:00.Z",
                                        "2026-11-24T14:05:00.1234567890Z",
                                        "2026-11-24T14:05:00+24:00",
                                        "2026-11-24T14:05:00+02:60",
                                        "2026-11-24T14:05:00+0200",
                                        "2026-11-24T14:05:00Z ",
                                        " 2026-11-24T14:05:00Z",
                                        "+026-11-24T14:05:00Z",
                                        "2026-11-24T14:05:00Zz"};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t ms;
        assert_fails(SYNTAX, mln_time_parse(mln_str_c(cases[i]), &ms));
    }
    int64_t ms;
    assert_fails(SYNTAX, mln_time_parse(MLN_S("2026-11-24T14:05:00\0Z"), &ms));
}

static void leap_days_follow_the_centuries(void **state)
{
    (void)state;
    int64_t ms;
    assert_ok(mln_time_parse(MLN_S("2000-02-29T00:00:00Z"), &ms));
    assert_ok(mln_time_parse(MLN_S("2024-02-29T00:00:00Z"), &ms));
    assert_fails(SYNTAX, mln_time_parse(MLN_S("2100-02-29T00:00:00Z"), &ms));
}

static void written_times_are_read_back(void **state)
{
    (void)state;
    uint64_t chance = 7;
    const int64_t first = mln_days_from_civil(0, 1, 1) * day_ms;
    for (int i = 0; i < 20000; i++) {
        int64_t ms = first + (int64_t)(check_random(&chance) % (uint64_t)(3652425 * day_ms)), again;
        char out[MLN_TIME_TEXT];
        assert_ok(mln_time_parse(mln_time_text(ms, out), &again));
        assert_int_equal(again, ms);
    }
}

static void durations(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t ms;
    } cases[] = {{"PT3H", 10800000},    {"P1DT12H", 129600000},
                 {"PT0.5S", 500},       {"PT0,25S", 250},
                 {"P2W", 1209600000},   {"PT90M", 5400000},
                 {"PT1.2345S", 1234},   {"P0D", 0},
                 {"PT1H2M3S", 3723000}, {"P10675199DT0S", 10675199 * INT64_C(86400000)}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t ms = -1;
        assert_ok(mln_duration_parse(mln_str_c(cases[i].text), &ms));
        assert_int_equal(ms, cases[i].ms);
    }
    static const char *const bad[] = {"",
                                      "P",
                                      "PT",
                                      "3H",
                                      "PT3",
                                      "P1Y",
                                      "P1M",
                                      "PT1D",
                                      "P1H",
                                      "PT1M1H",
                                      "PT1H1H",
                                      "P1DT",
                                      "PT.5S",
                                      "PT1.S",
                                      "PT0.5M",
                                      "-PT1H",
                                      "PT-1H",
                                      "pt1h",
                                      "PT1H ",
                                      "PTT1H",
                                      "P1D2W",
                                      "PT9223372036854775808S",
                                      "P99999999999999999D"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        int64_t ms;
        assert_fails(INVALID, mln_duration_parse(mln_str_c(bad[i]), &ms));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clocks),
        cmocka_unit_test(dates_count_days),
        cmocka_unit_test(dates_come_back),
        cmocka_unit_test(times_are_written),
        cmocka_unit_test(times_are_read),
        cmocka_unit_test(wrong_times_are_refused),
        cmocka_unit_test(leap_days_follow_the_centuries),
        cmocka_unit_test(written_times_are_read_back),
        cmocka_unit_test(durations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
