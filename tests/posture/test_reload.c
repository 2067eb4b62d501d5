/* Another rule set: everything judged anew, the change explained, and nothing half done, whatever happens on the way. */
#include "check.h"

#include "estate.h"
#include "faulty.h"

static struct estate estate;

static int set_up(void **state)
{
    (void)state;
    estate_make(&estate);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    estate_remove(&estate);
    return 0;
}

static void put_three(void)
{
    assert_ok(put_box(&estate, BOX("One"), WORDS("ok", "ok", "ok", NULL)));
    assert_ok(put_box(&estate, BOX("Two"), WORDS("bad", "ok", "ok", NULL)));
    assert_ok(put_box(&estate, BOX("Three"), WORDS("bad", "ok", "bad", NULL)));
}

static struct mln_result reload(void)
{
    return mln_posture_reload(estate.posture, load_rules(&estate));
}

static struct mln_str version_of(const char *id)
{
    const struct mln_ruleset *rules;
    struct mln_snapshot_pin *pin = mln_posture_rules(estate.posture, &rules);
    struct mln_str version = mln_str_dup(estate.arena, mln_ruleset_by_id(rules, mln_str_c(id))->version);
    mln_posture_unpin(estate.posture, pin);
    return version;
}

/* The causes of the newest score change. */
static void newest_causes(struct mln_buf *kinds)
{
    struct chain chain = {.estate = &estate, .arena = mln_arena_new(16 << 20), .kinds = kinds};
    assert_ok(mln_posture_score_changes(estate.posture, MLN_S(SUB), 0, INT64_MAX, 1, check_change, &chain));
    mln_arena_free(chain.arena);
}

/* One rule ("-": none) in one control is the cause, and all is well otherwise. */
static void assert_newest_cause(const char *rule, struct mln_str from, struct mln_str to, long long points)
{
    struct mln_buf kinds MLN_BUF_CLEANUP = MLN_BUF(1 << 16);
    char expected[512];
    newest_causes(&kinds);
    snprintf(expected, sizeof expected, "content %s %.*s>%.*s %lld\n", rule, MLN_FMT(from), MLN_FMT(to), points);
    assert_string_equal(kinds.p, expected);
    assert_memory_is_the_store(&estate);
    assert_changes_add_up(&estate, NULL);
}

static void the_same_content_changes_nothing(void **state)
{
    (void)state;
    struct mln_store_stats before, after;
    put_three();
    mln_store_stats(estate.place.store, &before);
    assert_ok(reload());
    mln_store_stats(estate.place.store, &after);
    assert_int_equal(before.batches, after.batches);
}

static void a_changed_rule_is_the_cause(void **state)
{
    (void)state;
    put_three();
    struct mln_str before = version_of("box-a");
    write_rule(&estate, "a", "secure-management-ports", "good", false);
    estate.now_ms = 7000;
    assert_ok(reload());
    assert_newest_cause("box-a", before, version_of("box-a"), -2666666667);
    assert_score(&estate,
                 "2666666667 of 12000000000 weight 3: secure-management-ports 0/3/0 encrypt-data-in-transit 2/1/0\n");
    struct mln_buf findings MLN_BUF_CLEANUP = MLN_BUF(1 << 16);
    findings_text(&estate, 0, &findings);
    assert_non_null(strstr(findings.p, "One box-a Unhealthy  'it is ok' first 1000 changed 7000\n"));
    assert_non_null(strstr(findings.p, "One box-b Healthy  '' first 1000 changed 1000\n"));
}

static void a_rule_that_is_new_is_the_cause(void **state)
{
    (void)state;
    write_rule(&estate, "c", "", "", false);
    assert_ok(reload());
    put_three();
    write_rule(&estate, "c", "encrypt-data-in-transit", "ok", false);
    assert_ok(reload());
    assert_newest_cause("box-c", MLN_S("-"), version_of("box-c"), -1333333333);
}

static void a_rule_that_is_gone_is_the_cause(void **state)
{
    (void)state;
    put_three();
    struct mln_str before = version_of("box-c");
    write_rule(&estate, "c", "", "", false);
    assert_ok(reload());
    assert_newest_cause("box-c", before, MLN_S("-"), 1333333333);
}

static void a_rule_that_moves_to_another_control_is_the_cause_twice(void **state)
{
    (void)state;
    put_three();
    struct mln_str before = version_of("box-c");
    write_rule(&estate, "c", "remediate-vulnerabilities", "ok", false);
    assert_ok(reload());
    struct mln_buf kinds MLN_BUF_CLEANUP = MLN_BUF(1 << 16);
    newest_causes(&kinds);
    struct mln_str after = version_of("box-c");
    char leaves[128], enters[128];
    snprintf(leaves, sizeof leaves, "content box-c %.*s>%.*s 1333333333\n", MLN_FMT(before), MLN_FMT(after));
    snprintf(enters, sizeof enters, "content box-c %.*s>%.*s 4000000000\n", MLN_FMT(before), MLN_FMT(after));
    assert_non_null(strstr(kinds.p, leaves));
    assert_non_null(strstr(kinds.p, enters));
    assert_memory_is_the_store(&estate);
    assert_changes_add_up(&estate, NULL);
}

static void a_rule_that_goes_into_preview_stops_counting(void **state)
{
    (void)state;
    put_three();
    struct mln_str before = version_of("box-a");
    write_rule(&estate, "a", "secure-management-ports", "ok", true);
    assert_ok(reload());
    assert_newest_cause("box-a", before, version_of("box-a"), 5333333333);
}

static void write_controls(const char *points)
{
    char path[160];
    snprintf(path, sizeof path, "%s/controls.yaml", estate.rules);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    static const char *const slugs[] = {"secure-management-ports", "encrypt-data-in-transit", "apply-system-updates"};
    fprintf(file, "controls:\n");
    for (int i = 0; i < 3; i++)
        fprintf(
            file,
            "  - id: 0f2c8a1e-0000-4000-8000-00000000000%d\n    slug: %s\n    title: Control\n    description: One.\n"
            "    maxPoints: %s\n",
            i, slugs[i], i == 0 ? points : "4");
    fclose(file);
}

static void a_control_that_is_worth_more_is_the_cause(void **state)
{
    (void)state;
    write_controls("8");
    assert_ok(reload());
    put_three();
    assert_score(&estate,
                 "5333333334 of 12000000000 weight 3: secure-management-ports 1/2/0 encrypt-data-in-transit 2/1/0\n");
    struct mln_str before = mln_str_dup(estate.arena, estate.posture->now->catalog->version);
    write_controls("10");
    assert_ok(reload());
    assert_newest_cause("-", before, estate.posture->now->catalog->version, 666666666);
}

static void content_that_changed_while_the_engine_was_closed_is_a_reload(void **state)
{
    (void)state;
    put_three();
    struct mln_str before = version_of("box-c");
    mln_posture_close(MLN_TAKE(estate.posture));
    write_rule(&estate, "c", "encrypt-data-in-transit", "bad", false);
    estate.now_ms = 9000;
    estate_open(&estate);
    assert_newest_cause("box-c", before, version_of("box-c"), -1333333334);
    struct mln_buf then MLN_BUF_CLEANUP = MLN_BUF(1 << 16);
    score_text(&estate, SUB, 8999, &then);
    assert_string_equal(
        then.p, "5333333334 of 12000000000 weight 3: secure-management-ports 1/2/0 encrypt-data-in-transit 2/1/0\n");
}

static void an_old_pin_outlives_a_reload(void **state)
{
    (void)state;
    const struct mln_ruleset *rules;
    put_three();
    struct mln_snapshot_pin *pin = mln_posture_rules(estate.posture, &rules);
    write_rule(&estate, "a", "secure-management-ports", "good", false);
    assert_ok(reload());
    const struct mln_rule *rule = mln_ruleset_by_id(rules, MLN_S("box-a"));
    assert_str(rule->healthy_source, "properties.a == \"ok\"");
    mln_posture_unpin(estate.posture, pin);
}

/* ---- on a disk that fails ---- */

static void a_reload_that_cannot_be_written_changes_nothing(void **state)
{
    (void)state;
    struct mln_buf before MLN_BUF_CLEANUP = MLN_BUF(1 << 16), after MLN_BUF_CLEANUP = MLN_BUF(1 << 16);
    put_three();
    estate_make_faulty(&estate);
    findings_text(&estate, 0, &before);
    score_text(&estate, SUB, 0, &before);
    write_rule(&estate, "a", "secure-management-ports", "good", false);
    atomic_store(&faulty_pass, 0);
    assert_fails(FULL, reload());
    findings_text(&estate, 0, &after);
    score_text(&estate, SUB, 0, &after);
    assert_string_equal(before.p, after.p);
    atomic_store(&faulty_pass, -1);
    assert_memory_is_the_store(&estate);
    assert_ok(put_box(&estate, BOX("Four"), WORDS("ok", "ok", "ok", NULL)));
    assert_ok(reload());
    assert_memory_is_the_store(&estate);
    assert_changes_add_up(&estate, NULL);
}

/* All answers, of now and of then, as one text. */
static void all_answers(struct mln_buf *out)
{
    findings_text(&estate, 0, out);
    for (int64_t at_ms = 999; at_ms <= estate.now_ms; at_ms++) {
        assert_ok(mln_buf_printf(out, "at %lld\n", (long long)at_ms));
        findings_text(&estate, at_ms, out);
        score_text(&estate, SUB, at_ms, out);
    }
}

/* The switch is written, the rows are not: answers are those of the new content all the same, and stay so once the rows are
   rewritten: by a put, at the next reload or at the next start. */
static void rows_left_behind_answer_as_if_they_were_rewritten(void **state)
{
    (void)state;
    struct mln_buf before MLN_BUF_CLEANUP = MLN_BUF(1 << 20), after MLN_BUF_CLEANUP = MLN_BUF(1 << 20);
    put_three();
    estate_make_faulty(&estate);
    estate.now_ms = 1005;
    write_rule(&estate, "a", "secure-management-ports", "good", false);
    write_rule(&estate, "c", "", "", false);
    atomic_store(&faulty_pass, 1);
    assert_fails(FULL, reload());
    assert_true(estate.posture->behind);
    all_answers(&before);
    assert_non_null(strstr(before.p, "One box-a Unhealthy  'it is ok' first 1000 changed 1005"));
    atomic_store(&faulty_pass, -1);
    estate.now_ms = 1006;
    assert_ok(put_box(&estate, BOX("One"), WORDS("good", "ok", "ok", NULL)));
    assert_ok(mln_posture_delete(estate.posture, MLN_S(BOX("Two")), MLN_S("t")));
    mln_buf_clear(&before);
    all_answers(&before);
    assert_changes_add_up(&estate, NULL);
    estate_reopen(&estate);
    assert_false(estate.posture->behind);
    all_answers(&after);
    assert_string_equal(before.p, after.p);
    assert_memory_is_the_store(&estate);
}

static void a_reload_first_finishes_the_one_before(void **state)
{
    (void)state;
    put_three();
    estate_make_faulty(&estate);
    write_rule(&estate, "a", "secure-management-ports", "good", false);
    atomic_store(&faulty_pass, 1);
    assert_fails(FULL, reload());
    assert_fails(FULL, reload());
    atomic_store(&faulty_pass, -1);
    write_rule(&estate, "a", "secure-management-ports", "ok", false);
    assert_ok(reload());
    assert_memory_is_the_store(&estate);
    assert_changes_add_up(&estate, NULL);
    assert_score(&estate,
                 "5333333334 of 12000000000 weight 3: secure-management-ports 1/2/0 encrypt-data-in-transit 2/1/0\n");
}

/* More resources than are judged or rewritten at a time. */
static void a_reload_goes_over_many_pages(void **state)
{
    (void)state;
    char id[256];
    for (int i = 0; i < 600; i++) {
        snprintf(id, sizeof id, BOX("b%03d"), i);
        assert_ok(put_box(&estate, id, WORDS(i % 3 ? "ok" : "good", "ok", NULL, NULL)));
    }
    write_rule(&estate, "a", "secure-management-ports", "good", false);
    assert_ok(reload());
    assert_score(
        &estate,
        "6666666667 of 12000000000 weight 600: secure-management-ports 200/400/0 encrypt-data-in-transit 600/0/0\n");
    assert_memory_is_the_store(&estate);
    estate_reopen(&estate);
    assert_memory_is_the_store(&estate);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(the_same_content_changes_nothing),
        CASE(a_changed_rule_is_the_cause),
        CASE(a_rule_that_is_new_is_the_cause),
        CASE(a_rule_that_is_gone_is_the_cause),
        CASE(a_rule_that_moves_to_another_control_is_the_cause_twice),
        CASE(a_rule_that_goes_into_preview_stops_counting),
        CASE(a_control_that_is_worth_more_is_the_cause),
        CASE(content_that_changed_while_the_engine_was_closed_is_a_reload),
        CASE(an_old_pin_outlives_a_reload),
        CASE(a_reload_that_cannot_be_written_changes_nothing),
        CASE(rows_left_behind_answer_as_if_they_were_rewritten),
        CASE(a_reload_first_finishes_the_one_before),
        CASE(a_reload_goes_over_many_pages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
