/* Judging a resource: the order of needs, applies and healthy, and what each outcome says. */
#include "check_json.h"

#include "posture/assess.h"

#define RULE(id, conditions)                                                                                           \
    "id: " id "\ntitle: x\ndescription: x\nremediation: {text: x}\nseverity: Low\ncategory: Compute\n"                 \
    "controls: [security-best-practices]\nresourceType: Microsoft.HybridCompute/machines\n" conditions                 \
    "examples:\n  - {name: a, expect: Healthy, facts: {}}\n  - {name: b, expect: Unhealthy, facts: {}}\n"
#define MACHINE(facts) "{\"type\":\"microsoft.hybridcompute/Machines\",\"properties\":{\"facts\":" facts "}}"

struct bench {
    struct mln_arena *arena;
    struct mln_ruleset *set;
    int64_t now_ms;
    struct mln_clock clock;
};

static int open_bench(void **state)
{
    struct bench *b = calloc(1, sizeof *b);
    assert_non_null(b);
    b->arena = mln_arena_new(1 << 20);
    b->now_ms = INT64_C(1795529104123);
    b->clock = mln_fake_clock(&b->now_ms);
    *state = b;
    return 0;
}

static int close_bench(void **state)
{
    struct bench *b = *state;
    mln_ruleset_free(b->set);
    mln_arena_free(b->arena);
    free(b);
    return 0;
}

static void use_rule(struct bench *b, const char *yaml)
{
    mln_ruleset_free(b->set);
    assert_ok(mln_ruleset_parse(MLN_S("rule.yaml"), mln_str_c(yaml), &b->set));
    if (b->set->n_errors)
        fail_msg("%u:%u: %.*s", b->set->errors[0].line, b->set->errors[0].column, MLN_FMT(b->set->errors[0].text));
}

static struct mln_finding judge(struct bench *b, const char *machine)
{
    struct mln_finding *findings;
    size_t n;
    assert_ok(mln_assess(b->set, check_json(b->arena, machine), NULL, &b->clock, b->arena, &findings, &n));
    assert_int_equal(n, 1);
    assert_int_equal(findings[0].rule, 0);
    return findings[0];
}

static void assert_finding(struct mln_finding got, enum mln_status status, enum mln_cause cause, const char *text)
{
    assert_int_equal(got.status, status);
    assert_int_equal(got.cause, cause);
    if (text)
        assert_str(got.text, text);
    else
        assert_null(got.text.p);
}

static void healthy_and_unhealthy(void **state)
{
    struct bench *b = *state;
    use_rule(b, RULE("r", "healthy: facts.sshd.root == \"no\"\nfound: '\"root is \" + facts.sshd.root'\n"));
    assert_finding(judge(b, MACHINE("{\"sshd\":{\"root\":\"no\"}}")), MLN_HEALTHY, MLN_CAUSE_NONE, NULL);
    assert_finding(judge(b, MACHINE("{\"sshd\":{\"root\":\"yes\"}}")), MLN_UNHEALTHY, MLN_CAUSE_NONE, "root is yes");
    assert_finding(judge(b, MACHINE("{\"sshd\":{}}")), MLN_UNHEALTHY, MLN_CAUSE_NONE, "root is null");
}

static void what_was_not_collected_is_not_healthy(void **state)
{
    struct bench *b = *state;
    use_rule(b, RULE("r", "applies: facts.os.id == \"debian\"\nhealthy: facts.sshd.root == \"no\"\n"));
    assert_finding(judge(b, MACHINE("{\"os\":{}}")), MLN_NOT_APPLICABLE, MLN_CAUSE_NOT_COLLECTED,
                   "not collected: sshd");
    assert_finding(judge(b, MACHINE("{\"os\":{},\"sshd\":null}")), MLN_NOT_APPLICABLE, MLN_CAUSE_NOT_COLLECTED,
                   "not collected: sshd");
    assert_finding(judge(b, MACHINE("{\"errors\":{\"sshd\":\"permission denied\"}}")), MLN_NOT_APPLICABLE,
                   MLN_CAUSE_NOT_COLLECTED, "not collected: os, sshd (permission denied)");
    assert_finding(judge(b, "{\"type\":\"Microsoft.HybridCompute/machines\"}"), MLN_NOT_APPLICABLE,
                   MLN_CAUSE_NOT_COLLECTED, "not collected: os, sshd");
}

static void needs_of_the_file_count_instead(void **state)
{
    struct bench *b = *state;
    use_rule(b, RULE("r", "healthy: facts.sshd.root == \"no\"\nneeds: [properties.status]\n"));
    assert_finding(judge(b, MACHINE("{\"sshd\":{\"root\":\"no\"}}")), MLN_NOT_APPLICABLE, MLN_CAUSE_NOT_COLLECTED,
                   "not collected: status");
}

static void a_rule_that_does_not_apply(void **state)
{
    struct bench *b = *state;
    use_rule(b, RULE("r", "applies: facts.sshd.installed\nhealthy: 1 / 0 == 1\n"));
    assert_finding(judge(b, MACHINE("{\"sshd\":{\"installed\":false}}")), MLN_NOT_APPLICABLE, MLN_CAUSE_OFF_BY_RULE,
                   NULL);
}

static void a_rule_that_fails(void **state)
{
    struct bench *b = *state;
    use_rule(b, RULE("r", "applies: facts.sshd.installed\nhealthy: 1 / facts.sshd.n == 1\n"));
    assert_finding(judge(b, MACHINE("{\"sshd\":{\"installed\":true,\"n\":0}}")), MLN_NOT_APPLICABLE,
                   MLN_CAUSE_RULE_FAILED, "healthy: 1:3: division by zero");
    assert_finding(judge(b, MACHINE("{\"sshd\":{}}")), MLN_NOT_APPLICABLE, MLN_CAUSE_RULE_FAILED,
                   "applies: the result is null (a field is absent), not true or false");
}

static void what_was_found(void **state)
{
    struct bench *b = *state;
    use_rule(b, RULE("r", "healthy: false\nfound: facts.x\n"));
    assert_finding(judge(b, MACHINE("{\"x\":[1,{\"a\":\"b\"}]}")), MLN_UNHEALTHY, MLN_CAUSE_NONE, "[1,{\"a\":\"b\"}]");
    use_rule(b, RULE("r", "healthy: false\nfound: facts.x + 1\n"));
    assert_finding(judge(b, MACHINE("{}")), MLN_UNHEALTHY, MLN_CAUSE_NONE,
                   "what was found cannot be shown: 1:9: no such overload: _+_(null_type, int)");
}

static void a_long_text_is_cut_between_characters(void **state)
{
    struct bench *b = *state;
    use_rule(b, RULE("r", "healthy: false\nfound: facts.x.map(i, \"\xC3\xAF\").join() + \"a\"\n"));
    MLN_BUF_CLEANUP struct mln_buf machine = MLN_BUF(1 << 16);
    assert_ok(mln_buf_append(
        &machine, MLN_S("{\"type\":\"Microsoft.HybridCompute/machines\",\"properties\":{\"facts\":{\"x\":[")));
    for (int i = 0; i < 800; i++)
        assert_ok(mln_buf_append(&machine, i ? MLN_S(",0") : MLN_S("0")));
    assert_ok(mln_buf_append(&machine, MLN_S("]}}}")));
    struct mln_finding got = judge(b, machine.p);
    assert_int_equal(got.text.n, 1000);
    assert_true(mln_str_is_utf8(got.text));
}

static void other_types_have_no_findings(void **state)
{
    struct bench *b = *state;
    struct mln_finding *findings;
    size_t n = 9;
    use_rule(b, RULE("r", "healthy: true\n"));
    assert_ok(
        mln_assess(b->set, check_json(b->arena, "{\"type\":\"A.B/c\"}"), NULL, &b->clock, b->arena, &findings, &n));
    assert_int_equal(n, 0);
    assert_ok(mln_assess(b->set, check_json(b->arena, "[]"), NULL, &b->clock, b->arena, &findings, &n));
    assert_int_equal(n, 0);
}

static void one_run_for_many_machines(void **state)
{
    struct bench *b = *state;
    struct mln_finding *findings;
    size_t n;
    use_rule(b, RULE("r", "healthy: facts.n == 1 && now() > timestamp(\"2026-11-24T00:00:00Z\")\n"));
    MLN_CLEANUP(mln_expr_run_free)
    struct mln_expr_run *run = mln_expr_run_new(b->set->types[0].env, &b->clock, &mln_expr_default_limits);
    for (int i = 0; i < 4; i++) {
        const char *machine = i % 2 ? MACHINE("{\"n\":1}") : MACHINE("{\"n\":2}");
        assert_ok(mln_assess(b->set, check_json(b->arena, machine), run, &b->clock, b->arena, &findings, &n));
        assert_int_equal(findings[0].status, i % 2 ? MLN_HEALTHY : MLN_UNHEALTHY);
    }
}

static void no_room_is_a_failure_of_the_call(void **state)
{
    struct bench *b = *state;
    struct mln_finding *findings;
    size_t n;
    MLN_CLEANUP(mln_arena_free) struct mln_arena *tiny = mln_arena_new(64);
    use_rule(b, RULE("r", "healthy: false\nfound: '\"a text that has no room in that arena, long as it is\"'\n"));
    assert_fails(LIMIT, mln_assess(b->set, check_json(b->arena, MACHINE("{}")), NULL, &b->clock, tiny, &findings, &n));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, open_bench, close_bench)
    const struct CMUnitTest tests[] = {
        T(healthy_and_unhealthy),
        T(what_was_not_collected_is_not_healthy),
        T(needs_of_the_file_count_instead),
        T(a_rule_that_does_not_apply),
        T(a_rule_that_fails),
        T(what_was_found),
        T(a_long_text_is_cut_between_characters),
        T(other_types_have_no_findings),
        T(one_run_for_many_machines),
        T(no_room_is_a_failure_of_the_call),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
