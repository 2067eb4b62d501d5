/* Time zones: files in the format of RFC 8536, good and bad ones, and the zones of the system against libc's own view. */
#include "check.h"

#include "base/buf.h"
#include "base/time.h"
#include "expr/zone.h"

#include <unistd.h>

/* ---- making files ---- */

struct file {
    size_t times, types;
    const int64_t *at;
    const unsigned char *index;
    const int32_t *offsets;
    const char *footer; /* NULL: version 1 only */
};

static void put(struct mln_buf *out, uint64_t value, size_t bytes)
{
    while (bytes-- > 0)
        assert_ok(mln_buf_byte(out, (char)(bytes < sizeof value ? value >> 8 * bytes : 0)));
}

static void put_block(struct mln_buf *out, const struct file *f, size_t time_bytes, bool empty)
{
    size_t times = empty ? 0 : f->times, types = empty ? 1 : f->types;
    assert_ok(mln_buf_append(out, MLN_S("TZif")));
    put(out, f->footer ? '2' : 0, 1);
    put(out, 0, 15);
    const size_t counts[] = {0, 0, 0, times, types, 4};
    for (size_t i = 0; i < 6; i++)
        put(out, counts[i], 4);
    for (size_t i = 0; i < times; i++)
        put(out, (uint64_t)f->at[i], time_bytes);
    for (size_t i = 0; i < times; i++)
        put(out, f->index[i], 1);
    for (size_t i = 0; i < types; i++) {
        put(out, (uint32_t)f->offsets[i], 4);
        put(out, 0, 2);
    }
    assert_ok(mln_buf_append(out, (struct mln_str){"ABC", 4}));
}

static void write_file(struct mln_buf *out, const struct file *f)
{
    mln_buf_clear(out);
    put_block(out, f, 4, f->footer != NULL);
    if (!f->footer)
        return;
    put_block(out, f, 8, false);
    assert_ok(mln_buf_printf(out, "\n%s\n", f->footer));
}

static const int64_t moments[] = {1000, 2000};
static const unsigned char indices[] = {1, 0};
static const int32_t offsets[] = {3600, 7200};

static struct file plain(const char *footer)
{
    return (struct file){2, 2, moments, indices, offsets, footer};
}

static int32_t offset_in(const struct file *f, int64_t seconds)
{
    MLN_BUF_CLEANUP struct mln_buf bytes = MLN_BUF(1 << 16);
    MLN_CLEANUP(mln_zone_free) struct mln_zone *zone = NULL;
    write_file(&bytes, f);
    assert_ok(mln_zone_read(mln_buf_str(&bytes), &zone));
    return mln_zone_offset(zone, seconds);
}

/* ---- tests ---- */

static void transitions(void **state)
{
    (void)state;
    const struct file old = plain(NULL), new = plain("");
    const struct file *files[] = {&old, &new};
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(offset_in(files[i], -5), 3600);
        assert_int_equal(offset_in(files[i], 999), 3600);
        assert_int_equal(offset_in(files[i], 1000), 7200);
        assert_int_equal(offset_in(files[i], 1999), 7200);
        assert_int_equal(offset_in(files[i], 2000), 3600);
        assert_int_equal(offset_in(files[i], 1000000), 3600);
    }
}

static int64_t at(const char *text)
{
    int64_t ms;
    assert_ok(mln_time_parse(mln_str_c(text), &ms));
    return ms / 1000;
}

static void the_rule_of_the_footer(void **state)
{
    (void)state;
    static const struct {
        const char *rule, *time;
        int32_t offset;
    } cases[] = {
        {"CET-1CEST,M3.5.0,M10.5.0/3", "2026-03-29T00:59:59Z", 3600},
        {"CET-1CEST,M3.5.0,M10.5.0/3", "2026-03-29T01:00:00Z", 7200},
        {"CET-1CEST,M3.5.0,M10.5.0/3", "2026-10-25T00:59:59Z", 7200},
        {"CET-1CEST,M3.5.0,M10.5.0/3", "2026-10-25T01:00:00Z", 3600},
        {"EST5EDT,M3.2.0,M11.1.0", "2026-07-01T00:00:00Z", -4 * 3600},
        {"AEST-10AEDT,M10.1.0,M4.1.0/3", "2026-01-01T00:00:00Z", 11 * 3600}, /* summer over the turn of the year */
        {"AEST-10AEDT,M10.1.0,M4.1.0/3", "2026-07-01T00:00:00Z", 10 * 3600},
        {"<+0330>-3:30", "2026-07-01T00:00:00Z", 12600},
        {"<-02>2<-01>,M3.5.0/-1,M10.5.0/0", "2026-03-29T00:59:59Z", -7200},
        {"<-02>2<-01>,M3.5.0/-1,M10.5.0/0", "2026-03-29T01:00:00Z", -3600},
        {"AAA0BBB-2:15:30,J60,J300", "2024-03-01T01:59:59Z", 0}, /* J60 is March 1, leap year or not */
        {"AAA0BBB-2:15:30,J60,J300", "2024-03-01T02:00:00Z", 8130},
        {"AAA0BBB,59,299", "2024-02-29T02:00:00Z", 3600}, /* the 60th day of the year */
        {"AAA0BBB,M12.5.1,M12.5.5", "2026-12-30T00:00:00Z", 3600},
        {"UTC0", "2026-12-30T00:00:00Z", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct file f = plain(cases[i].rule);
        int32_t got = offset_in(&f, at(cases[i].time));
        if (got != cases[i].offset)
            fail_msg("%s at %s: %d, expected %d", cases[i].rule, cases[i].time, got, cases[i].offset);
    }
}

static void bad_rules(void **state)
{
    (void)state;
    static const char *const rules[] = {"5",
                                        "EST",
                                        "EST25",
                                        "EST5EDT,M13.1.0,M1.1.0",
                                        "EST5EDT,M3",
                                        "EST5EDT,J0,J1",
                                        "EST5EDT,366,1",
                                        "EST5EDT,M3.2.7,M1.1.0",
                                        "<EST5",
                                        "EST5EDT",
                                        "EST5EDT,M3.2.0,M11.1.0x",
                                        "EST5EDT,M3.2.0/168,1"};
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        MLN_BUF_CLEANUP struct mln_buf bytes = MLN_BUF(1 << 16);
        struct mln_zone *zone;
        struct file f = plain(rules[i]);
        write_file(&bytes, &f);
        struct mln_result r = mln_zone_read(mln_buf_str(&bytes), &zone);
        if (r.code != MLN_E_CORRUPT)
            fail_msg("took the rule %s", rules[i]);
        assert_null(zone);
    }
}

static void bad_files(void **state)
{
    (void)state;
    MLN_BUF_CLEANUP struct mln_buf bytes = MLN_BUF(1 << 16);
    struct mln_zone *zone;
    const struct file good = plain("UTC0");
    write_file(&bytes, &good);
    for (size_t n = 0; n < bytes.n; n++) /* the last byte ends the footer */
        assert_fails(CORRUPT, mln_zone_read((struct mln_str){bytes.p, n}, &zone));
    static const int64_t back[] = {2000, 1000};
    static const unsigned char beyond[] = {2, 0};
    static const int32_t far[] = {100000, 0};
    struct file bad[] = {plain("UTC0"), plain("UTC0"), plain("UTC0"), plain("UTC0")};
    bad[0].at = back;
    bad[1].index = beyond;
    bad[2].offsets = far;
    bad[3].types = 0;
    for (size_t i = 0; i < 4; i++) {
        write_file(&bytes, &bad[i]);
        assert_fails(CORRUPT, mln_zone_read(mln_buf_str(&bytes), &zone));
    }
}

static void names(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",     "/etc/passwd",
        "../x", "a/../b",
        "a//b", "a/",
        "a b",  "a/.b",
        "1/2",  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
    struct mln_zone *zone;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_fails(INVALID, mln_zone_open(mln_str_c(bad[i]), &zone));
    assert_fails(INVALID, mln_zone_open((struct mln_str){"a\0b", 3}, &zone));
    assert_fails(NOT_FOUND, mln_zone_open(MLN_S("No/Such"), &zone));
}

static void a_run_keeps_the_last_zones(void **state)
{
    (void)state;
    if (access("/usr/share/zoneinfo/Europe/Paris", R_OK) != 0)
        skip();
    static const char *const places[] = {"Europe/Paris", "Asia/Tokyo", "America/New_York", "Africa/Cairo",
                                         "Asia/Kolkata"};
    struct mln_zones zones = {0};
    const struct mln_zone *zone;
    bool opened;
    for (size_t i = 0; i < 5; i++) {
        assert_ok(mln_zones_get(&zones, mln_str_c(places[i]), &zone, &opened));
        assert_true(opened);
    }
    assert_ok(mln_zones_get(&zones, MLN_S("Asia/Kolkata"), &zone, &opened));
    assert_false(opened);
    assert_ok(mln_zones_get(&zones, MLN_S("Europe/Paris"), &zone, &opened)); /* was replaced */
    assert_true(opened);
    mln_zones_done(&zones);
}

/* Against localtime_r, which this test may send to another zone: every 40 days and something from 1900 to 2200. */
static void as_libc_has_it(void **state)
{
    (void)state;
    static const char *const places[] = {
        "Europe/Paris",      "America/New_York", "Australia/Sydney", "Asia/Kathmandu", "America/St_Johns",
        "Africa/Casablanca", "America/Nuuk",     "Pacific/Apia",     "Europe/Dublin",  "UTC"};
    const char *before = getenv("TZ");
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        MLN_CLEANUP(mln_zone_free) struct mln_zone *zone = NULL;
        if (!mln_ok(mln_zone_open(mln_str_c(places[i]), &zone)))
            skip();
        setenv("TZ", places[i], 1);
        tzset();
        for (int64_t t = INT64_C(-2208988800); t < INT64_C(7258118400); t += 40 * 86400 + 12345) {
            struct tm broken;
            time_t moment = (time_t)t;
            assert_non_null(localtime_r(&moment, &broken));
            if (mln_zone_offset(zone, t) != broken.tm_gmtoff)
                fail_msg("%s at %lld: %d, libc has %ld", places[i], (long long)t, mln_zone_offset(zone, t),
                         broken.tm_gmtoff);
        }
    }
    if (before)
        setenv("TZ", before, 1);
    else
        unsetenv("TZ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(transitions),    cmocka_unit_test(the_rule_of_the_footer),
        cmocka_unit_test(bad_rules),      cmocka_unit_test(bad_files),
        cmocka_unit_test(names),          cmocka_unit_test(a_run_keeps_the_last_zones),
        cmocka_unit_test(as_libc_has_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
