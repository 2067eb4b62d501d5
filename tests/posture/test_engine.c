/* The engine, one thing at a time. */
#include "check.h"

#include "estate.h"

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

static uint64_t stored(enum mln_collection c)
{
    uint64_t n = 0;
    struct mln_store_read *read MLN_CLEANUP(mln_store_read_end) = place_read(&estate.place);
    assert_ok(mln_store_count(read, c, MLN_S(""), &n));
    return n;
}

static uint64_t commits(void)
{
    struct mln_store_stats stats;
    mln_store_stats(estate.place.store, &stats);
    return stats.batches;
}

static void assert_findings(const char *expected)
{
    struct mln_buf text MLN_BUF_CLEANUP = MLN_BUF(1 << 16);
    findings_text(&estate, 0, &text);
    assert_string_equal(text.p ? text.p : "", expected);
}

static void an_empty_estate_has_no_score(void **state)
{
    (void)state;
    assert_score(&estate, "0 of 0 weight 0:\n");
    assert_findings("");
    const struct mln_ruleset *rules;
    struct mln_posture_score score;
    struct mln_snapshot_pin *pin = mln_posture_rules(estate.posture, &rules);
    assert_int_equal(rules->n_rules, 4);
    assert_fails(NOT_FOUND, mln_posture_score(estate.posture, rules, MLN_S(OTHER_SUB), 0, estate.arena, &score));
    mln_posture_unpin(estate.posture, pin);
}

static void a_resource_is_judged_and_counted(void **state)
{
    (void)state;
    bool created;
    int64_t revision;
    assert_ok(mln_posture_put(estate.posture, box(estate.arena, BOX("One"), WORDS("ok", "bad", "off", NULL)),
                              MLN_POSTURE_NEW, MLN_S("tester"), &created, &revision));
    assert_true(created && revision > 0);
    assert_findings("One box-a Healthy  '' first 1000 changed 1000\n"
                    "One box-b Unhealthy  'it is bad' first 1000 changed 1000\n"
                    "One box-c NotApplicable OffByRule '' first 1000 changed 1000\n"
                    "One box-d NotApplicable DataNotCollected 'not collected: d' first 1000 changed 1000\n");
    assert_score(&estate, "0 of 12000000000 weight 1: secure-management-ports 0/1/0 encrypt-data-in-transit 0/1/0\n");
    assert_int_equal(stored(MLN_COLLECTION_RESOURCES), 1);
    assert_int_equal(stored(MLN_COLLECTION_ASSESSMENTS), 1);
    assert_int_equal(stored(MLN_COLLECTION_RESOURCE_CHANGES), 1);
    assert_int_equal(stored(MLN_COLLECTION_ASSESSMENT_CHANGES), 1);
    assert_int_equal(stored(MLN_COLLECTION_SCORE_CHANGES), 1);
    assert_memory_is_the_store(&estate);
}

static void a_fix_moves_the_score_and_says_why(void **state)
{
    (void)state;
    struct mln_buf kinds MLN_BUF_CLEANUP = MLN_BUF(1 << 16);
    assert_ok(put_box(&estate, BOX("One"), WORDS("ok", "bad", "ok", NULL)));
    estate.now_ms = 2000;
    assert_ok(put_box(&estate, BOX("Two"), WORDS("bad", "ok", "ok", NULL)));
    estate.now_ms = 3000;
    assert_ok(put_box(&estate, BOX("One"), WORDS("ok", "ok", "ok", NULL)));
    assert_score(&estate,
                 "8000000000 of 12000000000 weight 2: secure-management-ports 1/1/0 encrypt-data-in-transit 2/0/0\n");
    assert_int_equal(assert_changes_add_up(&estate, &kinds), 3);
    assert_string_equal(kinds.p, "resourceChanged box-b Unhealthy>Healthy 4000000000\n"
                                 "resourceChanged box-b Unhealthy>Healthy 2000000000\n"
                                 "resourceAdded - ->- 2000000000\n"
                                 "resourceAdded - ->- 0\n"
                                 "resourceAdded - ->- 0\n");
}

static void a_preview_rule_is_shown_and_not_counted(void **state)
{
    (void)state;
    assert_ok(put_box(&estate, BOX("One"), WORDS(NULL, NULL, NULL, "bad")));
    assert_score(&estate, "0 of 0 weight 0: secure-management-ports 0/0/1 encrypt-data-in-transit 0/0/1\n");
}

static void a_resource_without_rules_is_kept(void **state)
{
    (void)state;
    const struct mln_json *document;
    assert_ok(mln_json_parse(estate.arena, MLN_S("{\"id\":\"" GROUP "/providers/O.P/q/r\",\"type\":\"O.P/q\"}"), 1000,
                             &document));
    assert_ok(mln_posture_put(estate.posture, document, MLN_POSTURE_ANY, MLN_S("t"), NULL, NULL));
    assert_findings("");
    assert_score(&estate, "0 of 0 weight 0:\n");
    assert_int_equal(stored(MLN_COLLECTION_RESOURCES), 1);
    assert_memory_is_the_store(&estate);
    estate_reopen(&estate);
    assert_memory_is_the_store(&estate);
    assert_ok(mln_posture_delete(estate.posture, MLN_S(GROUP "/providers/O.P/q/r"), MLN_S("t")));
    assert_int_equal(stored(MLN_COLLECTION_ASSESSMENTS), 0);
}

static void the_same_report_again_writes_nothing(void **state)
{
    (void)state;
    int64_t first, second;
    assert_ok(mln_posture_put(estate.posture, box(estate.arena, BOX("One"), WORDS("ok", "bad", NULL, NULL)),
                              MLN_POSTURE_ANY, MLN_S("tester"), NULL, &first));
    uint64_t before = commits();
    estate.now_ms += 60000;
    assert_ok(mln_posture_put(estate.posture, box(estate.arena, BOX("One"), WORDS("ok", "bad", NULL, NULL)),
                              MLN_POSTURE_ANY, MLN_S("tester"), NULL, &second));
    assert_int_equal(commits(), before);
    assert_int_equal(first, second);
}

static struct mln_result note_evaluated(void *context, const struct mln_assessment *assessment, bool *stop)
{
    *(int64_t *)context = assessment->evaluated_ms;
    *stop = true;
    return MLN_OK;
}

static int64_t evaluated(void)
{
    int64_t ms = 0;
    const struct mln_ruleset *rules;
    struct mln_snapshot_pin *pin = mln_posture_rules(estate.posture, &rules);
    struct mln_posture_query query = {.scope = MLN_S(BOX("One"))};
    assert_ok(mln_posture_assessments(estate.posture, rules, &query, note_evaluated, &ms));
    mln_posture_unpin(estate.posture, pin);
    return ms;
}

static void when_it_was_evaluated_is_known_and_stored_once_an_hour(void **state)
{
    (void)state;
    assert_ok(put_box(&estate, BOX("One"), WORDS("ok", NULL, NULL, NULL)));
    assert_int_equal(evaluated(), 1000);
    estate.now_ms = 60000;
    assert_ok(put_box(&estate, BOX("One"), WORDS("ok", NULL, NULL, NULL)));
    assert_int_equal(evaluated(), 60000);
    estate_reopen(&estate);
    assert_int_equal(evaluated(), 1000); /* what the store knows */
    estate.now_ms = 1000 + 3600000;
    assert_ok(put_box(&estate, BOX("One"), WORDS("ok", NULL, NULL, NULL)));
    estate_reopen(&estate);
    assert_int_equal(evaluated(), 3601000);
    assert_int_equal(stored(MLN_COLLECTION_ASSESSMENT_CHANGES), 1);
    assert_int_equal(stored(MLN_COLLECTION_RESOURCE_CHANGES), 1);
}

static void a_clock_that_goes_back_does_not_take_history_with_it(void **state)
{
    (void)state;
    estate.now_ms = 5000;
    assert_ok(put_box(&estate, BOX("One"), WORDS("ok", NULL, NULL, NULL)));
    estate.now_ms = 2000;
    assert_ok(put_box(&estate, BOX("One"), WORDS("bad", NULL, NULL, NULL)));
    assert_findings("One box-a Unhealthy  'it is bad' first 5000 changed 5000\n"
                    "One box-b NotApplicable DataNotCollected 'not collected: b' first 5000 changed 5000\n"
                    "One box-c NotApplicable DataNotCollected 'not collected: c' first 5000 changed 5000\n"
                    "One box-d NotApplicable DataNotCollected 'not collected: d' first 5000 changed 5000\n");
    assert_int_equal(assert_changes_add_up(&estate, NULL), 2);
}

static void a_put_expects_a_revision(void **state)
{
    (void)state;
    const struct mln_json *one = box(estate.arena, BOX("One"), WORDS("ok", NULL, NULL, NULL));
    const struct mln_json *two = box(estate.arena, BOX("One"), WORDS("bad", NULL, NULL, NULL));
    int64_t revision, next;
    assert_fails(PRECONDITION, mln_posture_put(estate.posture, one, 7, MLN_S("t"), NULL, NULL));
    assert_ok(mln_posture_put(estate.posture, one, MLN_POSTURE_NEW, MLN_S("t"), NULL, &revision));
    assert_fails(PRECONDITION, mln_posture_put(estate.posture, two, MLN_POSTURE_NEW, MLN_S("t"), NULL, NULL));
    assert_fails(PRECONDITION, mln_posture_put(estate.posture, two, revision + 1, MLN_S("t"), NULL, NULL));
    assert_ok(mln_posture_put(estate.posture, two, revision, MLN_S("t"), NULL, &next));
    assert_true(next > revision);
    assert_fails(PRECONDITION, mln_posture_put(estate.posture, one, revision, MLN_S("t"), NULL, NULL));
    assert_memory_is_the_store(&estate);
}

static void a_resource_needs_a_place(void **state)
{
    (void)state;
    const char *const homeless[] = {"/subscriptions/" OTHER_SUB "/providers/Test.Kit/boxes/x",
                                    "/subscriptions/" SUB "/resourceGroups/Nowhere/providers/Test.Kit/boxes/x"};
    for (size_t i = 0; i < 2; i++)
        assert_fails(NOT_FOUND, put_box(&estate, homeless[i], WORDS("ok", NULL, NULL, NULL)));
    assert_fails(INVALID, put_box(&estate, GROUP, WORDS("ok", NULL, NULL, NULL)));
    assert_fails(NOT_FOUND, mln_posture_delete(estate.posture, MLN_S(BOX("None")), MLN_S("t")));
    assert_fails(NOT_FOUND, mln_posture_delete(estate.posture, MLN_S(GROUP), MLN_S("t")));
    assert_fails(INVALID, mln_posture_delete(estate.posture, MLN_S("x"), MLN_S("t")));
    assert_int_equal(stored(MLN_COLLECTION_RESOURCES), 0);
    assert_int_equal(mln_scope_find(estate.posture, MLN_S(OTHER_SUB)), SIZE_MAX);
    assert_memory_is_the_store(&estate);
}

static void a_deleted_resource_leaves_its_history(void **state)
{
    (void)state;
    struct mln_buf then MLN_BUF_CLEANUP = MLN_BUF(1 << 16);
    assert_ok(put_box(&estate, BOX("One"), WORDS("ok", "ok", "ok", NULL)));
    estate.now_ms = 2000;
    assert_ok(mln_posture_delete(estate.posture, MLN_S(BOX("ONE")), MLN_S("t")));
    assert_findings("");
    assert_score(&estate, "0 of 0 weight 0:\n");
    assert_int_equal(stored(MLN_COLLECTION_ASSESSMENTS), 0);
    findings_text(&estate, 1500, &then);
    assert_non_null(strstr(then.p, "One box-a Healthy"));
    assert_int_equal(assert_changes_add_up(&estate, NULL), 2);
    assert_fails(NOT_FOUND, mln_posture_delete(estate.posture, MLN_S(BOX("One")), MLN_S("t")));
    assert_ok(put_box(&estate, BOX("One"), WORDS("ok", "ok", "ok", NULL)));
    assert_memory_is_the_store(&estate);
}

static void further_changes_go_with_a_put_or_not_at_all(void **state)
{
    (void)state;
    const struct mln_json *one = box(estate.arena, BOX("One"), WORDS("ok", NULL, NULL, NULL));
    for (int i = 0; i < 2; i++) { /* the second time the resource itself does not change */
        struct mln_store_batch *with = mln_store_batch_new();
        assert_ok(mln_store_put(with, MLN_COLLECTION_TOKENS, mln_str_c(i ? "two" : "one"), MLN_S("used")));
        assert_ok(mln_posture_put_with(estate.posture, one, MLN_POSTURE_ANY, MLN_S("t"), with, NULL, NULL));
        assert_int_equal(stored(MLN_COLLECTION_TOKENS), (unsigned)i + 1);
    }
    struct mln_store_batch *with = mln_store_batch_new();
    assert_ok(mln_store_expect(with, MLN_COLLECTION_TOKENS, MLN_S("one"), 0));
    assert_ok(mln_store_put(with, MLN_COLLECTION_TOKENS, MLN_S("three"), MLN_S("used")));
    assert_fails(PRECONDITION,
                 mln_posture_put_with(estate.posture, box(estate.arena, BOX("Two"), WORDS("ok", NULL, NULL, NULL)),
                                      MLN_POSTURE_ANY, MLN_S("t"), with, NULL, NULL));
    assert_int_equal(stored(MLN_COLLECTION_TOKENS), 2);
    assert_int_equal(stored(MLN_COLLECTION_RESOURCES), 1);
    with = mln_store_batch_new();
    assert_fails(INVALID, mln_posture_put_with(estate.posture, NULL, MLN_POSTURE_ANY, MLN_S("t"), with, NULL, NULL));
    assert_memory_is_the_store(&estate);
}

static void containers_go_when_they_are_empty(void **state)
{
    (void)state;
    assert_ok(put_box(&estate, BOX("One"), WORDS("ok", NULL, NULL, NULL)));
    assert_fails(CONFLICT, mln_posture_delete_group(estate.posture, MLN_S(SUB), MLN_S("boxes")));
    assert_fails(CONFLICT, mln_posture_delete_subscription(estate.posture, MLN_S(SUB)));
    assert_ok(mln_posture_delete(estate.posture, MLN_S(BOX("One")), MLN_S("t")));
    assert_ok(mln_posture_delete_group(estate.posture, MLN_S(SUB), MLN_S("boxes")));
    assert_fails(NOT_FOUND, put_box(&estate, BOX("One"), WORDS("ok", NULL, NULL, NULL)));
    assert_ok(mln_posture_delete_subscription(estate.posture, MLN_S(SUB)));
    assert_fails(NOT_FOUND, mln_posture_delete_subscription(estate.posture, MLN_S(SUB)));
}

static void scopes_are_scored_apart(void **state)
{
    (void)state;
    struct mln_buf other MLN_BUF_CLEANUP = MLN_BUF(1 << 16);
    assert_ok(mln_subscription_create(estate.place.store, &estate.clock, MLN_S(OTHER_SUB), MLN_S("o")));
    assert_ok(put_box(&estate, BOX("One"), WORDS("ok", "ok", "ok", NULL)));
    assert_ok(
        put_box(&estate, "/subscriptions/" OTHER_SUB "/providers/Test.Kit/boxes/x", WORDS("bad", NULL, NULL, NULL)));
    assert_score(&estate,
                 "12000000000 of 12000000000 weight 1: secure-management-ports 1/0/0 encrypt-data-in-transit 1/0/0\n");
    score_text(&estate, OTHER_SUB, 0, &other);
    assert_string_equal(other.p,
                        "0 of 8000000000 weight 1: secure-management-ports 0/1/0 encrypt-data-in-transit 0/0/1\n");
}

static void pages_of_assessments_follow_each_other(void **state)
{
    (void)state;
    const struct mln_ruleset *rules;
    assert_ok(put_box(&estate, BOX("a"), WORDS("ok", NULL, NULL, NULL)));
    assert_ok(put_box(&estate, BOX("b"), WORDS("ok", NULL, NULL, NULL)));
    assert_ok(put_box(&estate, BOX("c"), WORDS("ok", NULL, NULL, NULL)));
    struct mln_snapshot_pin *pin = mln_posture_rules(estate.posture, &rules);
    for (int64_t at_ms = 0; at_ms <= 1000; at_ms += 1000) { /* now and then */
        struct mln_buf text MLN_BUF_CLEANUP = MLN_BUF(1 << 16);
        struct mln_posture_query query = {
            .scope = MLN_S("/subscriptions/" SUB), .after = MLN_S(BOX("B")), .at_ms = at_ms};
        assert_ok(mln_posture_assessments(estate.posture, rules, &query, note_assessment, &text));
        assert_non_null(strstr(text.p, "c box-a"));
        assert_null(strstr(text.p, "b box-a"));
        query.after = MLN_S(BOX("c"));
        mln_buf_clear(&text);
        assert_ok(mln_posture_assessments(estate.posture, rules, &query, note_assessment, &text));
        assert_int_equal(text.n, 0);
    }
    mln_posture_unpin(estate.posture, pin);
}

static struct mln_result stop_at_once(void *context, const struct mln_assessment *assessment, bool *stop)
{
    (void)assessment;
    ++*(int *)context;
    *stop = true;
    return MLN_OK;
}

static struct mln_result fail_at_once(void *context, const struct mln_assessment *assessment, bool *stop)
{
    (void)context, (void)assessment, (void)stop;
    return mln_fail(MLN_E_BUSY, "enough");
}

static void a_visitor_may_stop_or_fail(void **state)
{
    (void)state;
    const struct mln_ruleset *rules;
    assert_ok(put_box(&estate, BOX("a"), WORDS("ok", NULL, NULL, NULL)));
    assert_ok(put_box(&estate, BOX("b"), WORDS("ok", NULL, NULL, NULL)));
    struct mln_snapshot_pin *pin = mln_posture_rules(estate.posture, &rules);
    for (int64_t at_ms = 0; at_ms <= 1000; at_ms += 1000) {
        struct mln_posture_query query = {.scope = MLN_S("/subscriptions/" SUB), .at_ms = at_ms};
        int visited = 0;
        assert_ok(mln_posture_assessments(estate.posture, rules, &query, stop_at_once, &visited));
        assert_int_equal(visited, 1);
        assert_fails(BUSY, mln_posture_assessments(estate.posture, rules, &query, fail_at_once, NULL));
    }
    mln_posture_unpin(estate.posture, pin);
}

/* ---- recommendations, what-if, plan ---- */

static void recommendations_are_ranked_by_what_they_gain(void **state)
{
    (void)state;
    const struct mln_ruleset *rules;
    struct mln_recommendation *list;
    size_t n;
    assert_ok(put_box(&estate, BOX("One"), WORDS("bad", "bad", "ok", "bad")));
    assert_ok(put_box(&estate, BOX("Two"), WORDS("bad", "ok", "ok", NULL)));
    struct mln_snapshot_pin *pin = mln_posture_rules(estate.posture, &rules);
    assert_ok(mln_posture_recommendations(estate.posture, rules, MLN_S(SUB), estate.arena, &list, &n));
    assert_int_equal(n, 4);
    assert_str(list[0].rule->id, "box-a"); /* Two becomes healthy in the ports control: 8 / 2 */
    assert_int_equal(list[0].potential_increase, 4000000000);
    assert_int_equal(list[0].potential_share, 8000000000);
    assert_int_equal(list[0].unhealthy, 2);
    assert_str(list[1].rule->id, "box-b"); /* One becomes healthy in encryption: 4 / 2; in ports a fails too */
    assert_int_equal(list[1].potential_increase, 2000000000);
    assert_int_equal(list[1].potential_share, 6000000000);
    assert_str(list[2].rule->id, "box-d"); /* preview */
    assert_int_equal(list[2].potential_share, 0);
    assert_int_equal(list[2].unhealthy, 1);
    assert_int_equal(list[2].not_applicable, 1);
    assert_str(list[3].rule->id, "box-c");
    assert_int_equal(list[3].healthy, 2);
    assert_fails(NOT_FOUND,
                 mln_posture_recommendations(estate.posture, rules, MLN_S(OTHER_SUB), estate.arena, &list, &n));
    mln_posture_unpin(estate.posture, pin);
}

static struct mln_str key_of(const struct mln_ruleset *rules, const char *id)
{
    return mln_ruleset_by_id(rules, mln_str_c(id))->key;
}

static void assert_what_if(const struct mln_fix *fixes, size_t n, const char *expected)
{
    const struct mln_ruleset *rules;
    struct mln_posture_score score;
    struct mln_buf text MLN_BUF_CLEANUP = MLN_BUF(1 << 16);
    struct mln_snapshot_pin *pin = mln_posture_rules(estate.posture, &rules);
    assert_ok(mln_posture_what_if(estate.posture, rules, MLN_S(SUB), fixes, n, estate.arena, &score));
    print_score(&score, &text);
    assert_string_equal(text.p, expected);
    mln_posture_unpin(estate.posture, pin);
}

static void a_what_if_changes_nothing_but_its_answer(void **state)
{
    (void)state;
    const struct mln_ruleset *rules;
    struct mln_posture_score score;
    static const char before[] =
        "2000000000 of 12000000000 weight 2: secure-management-ports 0/2/0 encrypt-data-in-transit 1/1/0\n";
    assert_ok(put_box(&estate, BOX("One"), WORDS("bad", "bad", "ok", NULL)));
    assert_ok(put_box(&estate, BOX("Two"), WORDS("bad", "ok", "ok", NULL)));
    assert_score(&estate, before);
    struct mln_snapshot_pin *pin = mln_posture_rules(estate.posture, &rules);
    struct mln_fix fixes[] = {{key_of(rules, "box-a"), MLN_S("")}, {key_of(rules, "box-b"), MLN_S(BOX("ONE"))}};
    assert_what_if(NULL, 0, before);
    assert_what_if(fixes, 1,
                   "6000000000 of 12000000000 weight 2: secure-management-ports 1/1/0 encrypt-data-in-transit 1/1/0\n");
    assert_what_if(
        fixes, 2, "12000000000 of 12000000000 weight 2: secure-management-ports 2/0/0 encrypt-data-in-transit 2/0/0\n");
    fixes[0].resource = MLN_S(GROUP);
    assert_what_if(fixes, 1,
                   "6000000000 of 12000000000 weight 2: secure-management-ports 1/1/0 encrypt-data-in-transit 1/1/0\n");
    fixes[0].resource = MLN_S(BOX("One"));
    assert_what_if(fixes, 1, before); /* b still fails there */
    fixes[0].resource = MLN_S(BOX("On"));
    assert_what_if(fixes, 1, before);
    fixes[0].rule_key = MLN_S("no such key");
    assert_fails(NOT_FOUND, mln_posture_what_if(estate.posture, rules, MLN_S(SUB), fixes, 1, estate.arena, &score));
    assert_fails(LIMIT, mln_posture_what_if(estate.posture, rules, MLN_S(SUB), fixes, 100000, estate.arena, &score));
    assert_score(&estate, before);
    assert_memory_is_the_store(&estate);
    mln_posture_unpin(estate.posture, pin);
}

static void a_plan_reaches_the_wished_score(void **state)
{
    (void)state;
    const struct mln_ruleset *rules;
    struct mln_posture_score reached;
    struct mln_fix *fixes;
    size_t n;
    assert_ok(put_box(&estate, BOX("One"), WORDS("bad", "bad", "ok", NULL)));
    assert_ok(put_box(&estate, BOX("Two"), WORDS("bad", "ok", "bad", NULL)));
    assert_ok(put_box(&estate, BOX("Three"), WORDS("bad", "ok", "bad", NULL)));
    struct mln_snapshot_pin *pin = mln_posture_rules(estate.posture, &rules);
    assert_ok(mln_posture_plan(estate.posture, rules, MLN_S(SUB), 0.4, estate.arena, &fixes, &n, &reached));
    assert_int_equal(n, 1);
    assert_str(fixes[0].rule_key, mln_str_z(estate.arena, key_of(rules, "box-a")));
    assert_true(reached.scope.percentage >= 0.4);
    assert_ok(mln_posture_plan(estate.posture, rules, MLN_S(SUB), 1, estate.arena, &fixes, &n, &reached));
    assert_int_equal(n, 3);
    assert_true(reached.scope.percentage == 1);
    struct mln_buf planned MLN_BUF_CLEANUP = MLN_BUF(1 << 16);
    print_score(&reached, &planned);
    assert_what_if(fixes, n, planned.p);
    assert_ok(mln_posture_plan(estate.posture, rules, MLN_S(SUB), 0, estate.arena, &fixes, &n, &reached));
    assert_int_equal(n, 0);
    mln_posture_unpin(estate.posture, pin);
}

/* Where no fix gains anything alone, the plan still finds the pair that does. */
static void a_plan_passes_over_a_plateau(void **state)
{
    (void)state;
    const struct mln_ruleset *rules;
    struct mln_posture_score reached;
    struct mln_fix *fixes;
    size_t n;
    assert_ok(put_box(&estate, BOX("One"), WORDS("bad", "bad", "bad", NULL)));
    struct mln_snapshot_pin *pin = mln_posture_rules(estate.posture, &rules);
    assert_ok(mln_posture_plan(estate.posture, rules, MLN_S(SUB), 0.6, estate.arena, &fixes, &n, &reached));
    assert_int_equal(n, 2);
    assert_true(reached.scope.percentage > 0.6);
    mln_posture_unpin(estate.posture, pin);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(an_empty_estate_has_no_score),
        CASE(a_resource_is_judged_and_counted),
        CASE(a_fix_moves_the_score_and_says_why),
        CASE(a_preview_rule_is_shown_and_not_counted),
        CASE(a_resource_without_rules_is_kept),
        CASE(the_same_report_again_writes_nothing),
        CASE(when_it_was_evaluated_is_known_and_stored_once_an_hour),
        CASE(a_clock_that_goes_back_does_not_take_history_with_it),
        CASE(a_put_expects_a_revision),
        CASE(a_resource_needs_a_place),
        CASE(a_deleted_resource_leaves_its_history),
        CASE(further_changes_go_with_a_put_or_not_at_all),
        CASE(containers_go_when_they_are_empty),
        CASE(scopes_are_scored_apart),
        CASE(pages_of_assessments_follow_each_other),
        CASE(a_visitor_may_stop_or_fail),
        CASE(recommendations_are_ranked_by_what_they_gain),
        CASE(a_what_if_changes_nothing_but_its_answer),
        CASE(a_plan_reaches_the_wished_score),
        CASE(a_plan_passes_over_a_plateau),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
