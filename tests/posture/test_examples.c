/* The examples of rules, and the report about a directory. */
#include "check_json.h"

#include "posture/examples.h"

#include <unistd.h>

#define RULE                                                                                                           \
    "id: r\ntitle: x\ndescription: x\nremediation: {text: x}\nseverity: Low\ncategory: Compute\n"                      \
    "controls: [security-best-practices]\nresourceType: Microsoft.HybridCompute/machines\n"                            \
    "healthy: facts.n / facts.m == 1 || timestamp(facts.t) > now()\nneeds: []\nfound: string(facts.n)\nexamples:\n"

static const char failing[] =
    RULE "  - {name: as expected, expect: Healthy, facts: {n: 1, m: 1}}\n"
         "  - {name: tomorrow, expect: Healthy, facts: {t: \"2026-01-02T00:00:00Z\"}}\n"
         "  - {name: not so, expect: Unhealthy, facts: {n: 1, m: 1}}\n"
         "  - {name: nor this, expect: Healthy, facts: {n: 2, m: 1, t: \"2025-01-02T00:00:00Z\"}}\n"
         "  - {name: broken, expect: NotApplicable, facts: {n: 1, m: 0}}\n";

static void what_is_not_as_expected_is_a_failure(void **state)
{
    (void)state;
    MLN_CLEANUP(mln_ruleset_free) struct mln_ruleset *set = NULL;
    MLN_CLEANUP(mln_arena_free) struct mln_arena *arena = mln_arena_new(1 << 20);
    struct mln_examples examples;
    assert_ok(mln_ruleset_parse(MLN_S("r.yaml"), mln_str_c(failing), &set));
    assert_int_equal(set->n_errors, 0);
    assert_ok(mln_examples_run(set, arena, &examples));
    assert_int_equal(examples.run, 5);
    assert_int_equal(examples.n_failures, 3);
    assert_str(examples.failures[0].example->name, "not so");
    assert_int_equal(examples.failures[0].got.status, MLN_HEALTHY);
    assert_str(examples.failures[1].example->name, "nor this");
    assert_str(examples.failures[1].got.text, "2");
    assert_str(examples.failures[2].example->name, "broken");
    assert_int_equal(examples.failures[2].got.cause, MLN_CAUSE_RULE_FAILED);
}

struct directory {
    char path[64], file[96];
};

static void put(struct directory *d, const char *content)
{
    snprintf(d->path, sizeof d->path, "/tmp/merlon-examples-XXXXXX");
    assert_non_null(mkdtemp(d->path));
    snprintf(d->file, sizeof d->file, "%s/r.yaml", d->path);
    FILE *file = fopen(d->file, "w");
    assert_non_null(file);
    fputs(content, file);
    fclose(file);
}

static void report(const char *content, bool json, struct mln_buf *out, bool *passed)
{
    struct directory d;
    put(&d, content);
    assert_ok(mln_policy_test(mln_str_c(d.path), json, out, passed));
    assert_int_equal(remove(d.file), 0);
    assert_int_equal(rmdir(d.path), 0);
}

static void the_report_as_text(void **state)
{
    (void)state;
    MLN_BUF_CLEANUP struct mln_buf out = MLN_BUF(1 << 16);
    bool passed = true;
    report(failing, false, &out, &passed);
    assert_false(passed);
    assert_str(
        mln_buf_str(&out),
        "r.yaml:15: r: example 'not so': expected Unhealthy, got Healthy\n"
        "r.yaml:16: r: example 'nor this': expected Healthy, got Unhealthy: 2\n"
        "r.yaml:17: r: example 'broken': expected NotApplicable, got NotApplicable (EvaluationFailed): healthy: 1:9: "
        "division by zero\n"
        "1 rule, 5 examples: 0 errors, 3 examples failed\n");
}

static void errors_come_first(void **state)
{
    (void)state;
    MLN_BUF_CLEANUP struct mln_buf out = MLN_BUF(1 << 16);
    bool passed = true;
    report("id: [\n", false, &out, &passed);
    assert_false(passed);
    assert_str(mln_buf_str(&out), "r.yaml:2:1: while parsing a flow node, did not find expected node content\n"
                                  "0 rules, 0 examples: 1 error, 0 examples failed\n");
}

static void all_is_well(void **state)
{
    (void)state;
    MLN_BUF_CLEANUP struct mln_buf out = MLN_BUF(1 << 16);
    bool passed = false;
    report(RULE "  - {name: a, expect: Healthy, facts: {n: 1, m: 1}}\n"
                "  - {name: b, expect: Unhealthy, facts: {n: 2, m: 1, t: \"2025-01-02T00:00:00Z\"}}\n",
           false, &out, &passed);
    assert_true(passed);
    assert_str(mln_buf_str(&out), "1 rule, 2 examples: 0 errors, 0 examples failed\n");
}

static void the_report_as_json(void **state)
{
    (void)state;
    MLN_CLEANUP(mln_arena_free) struct mln_arena *arena = mln_arena_new(1 << 20);
    MLN_BUF_CLEANUP struct mln_buf out = MLN_BUF(1 << 16);
    bool passed = true;
    report(failing, true, &out, &passed);
    const struct mln_json *json = check_json(arena, out.p);
    assert_false(mln_json_bool(mln_json_get(json, MLN_S("passed")), true));
    assert_int_equal(mln_json_i64(mln_json_get(json, MLN_S("rules")), 0), 1);
    assert_int_equal(mln_json_i64(mln_json_get(json, MLN_S("examples")), 0), 5);
    assert_int_equal(mln_json_get(json, MLN_S("errors"))->n, 0);
    const struct mln_json *failures = mln_json_get(json, MLN_S("failures"));
    assert_int_equal(failures->n, 3);
    assert_json_text(&failures->items[1], "{\"file\":\"r.yaml\",\"line\":16,\"rule\":\"r\",\"example\":\"nor this\","
                                          "\"expected\":\"Healthy\",\"got\":\"Unhealthy\",\"text\":\"2\"}");
}

static void a_directory_that_is_not_there(void **state)
{
    (void)state;
    MLN_BUF_CLEANUP struct mln_buf out = MLN_BUF(1 << 16);
    bool passed = false;
    assert_fails(NOT_FOUND, mln_policy_test(MLN_S("/nowhere/at/all"), false, &out, &passed));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_as_expected_is_a_failure),
        cmocka_unit_test(the_report_as_text),
        cmocka_unit_test(errors_come_first),
        cmocka_unit_test(all_is_well),
        cmocka_unit_test(the_report_as_json),
        cmocka_unit_test(a_directory_that_is_not_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
