#include "check.h"

#include "content/ruleset.h"

#include <sys/stat.h>
#include <unistd.h>

/* ---- a directory to load ---- */

struct place {
    char path[64];
    char files[16][96]; /* relative, as made */
    size_t n_files;
};

static int make_place(void **state)
{
    struct place *p = calloc(1, sizeof *p);
    assert_non_null(p);
    snprintf(p->path, sizeof p->path, "/tmp/merlon-ruleset-XXXXXX");
    assert_non_null(mkdtemp(p->path));
    *state = p;
    return 0;
}

static int remove_place(void **state)
{
    struct place *p = *state;
    char full[256];
    for (size_t i = p->n_files; i-- > 0;) {
        snprintf(full, sizeof full, "%s/%s", p->path, p->files[i]);
        assert_int_equal(remove(full), 0);
    }
    assert_int_equal(rmdir(p->path), 0);
    free(p);
    return 0;
}

static const char *remember(struct place *p, const char *name, char full[256])
{
    assert_true(p->n_files < 16);
    snprintf(p->files[p->n_files++], sizeof p->files[0], "%s", name);
    snprintf(full, 256, "%s/%s", p->path, name);
    return full;
}

static void put_file(struct place *p, const char *name, const char *content)
{
    char full[256];
    FILE *file = fopen(remember(p, name, full), "w");
    assert_non_null(file);
    assert_int_equal(fputs(content, file) < 0, 0);
    fclose(file);
}

static void put_directory(struct place *p, const char *name)
{
    char full[256];
    assert_int_equal(mkdir(remember(p, name, full), 0700), 0);
}

static struct mln_ruleset *load(struct place *p)
{
    struct mln_ruleset *set;
    assert_ok(mln_ruleset_load(mln_str_c(p->path), &set));
    return set;
}

/* ---- rules as text ---- */

#define HEAD(id)                                                                                                       \
    "id: " id "\n"                                                                                                     \
    "title: Root should not sign in\n"                                                                                 \
    "description: Everybody knows the name.\n"                                                                         \
    "remediation: {text: Set it., commands: [systemctl reload ssh]}\n"                                                 \
    "severity: High\n"                                                                                                 \
    "category: Compute\n"                                                                                              \
    "controls: [secure-management-ports]\n"                                                                            \
    "resourceType: Microsoft.HybridCompute/machines\n"
#define EXAMPLES                                                                                                       \
    "examples:\n"                                                                                                      \
    "  - {name: good, expect: Healthy, facts: {sshd: {root: \"no\"}}}\n"                                               \
    "  - {name: bad, expect: Unhealthy, facts: {sshd: {root: \"yes\"}}}\n"
#define RULE(id) HEAD(id) "healthy: facts.sshd.root == \"no\"\n" EXAMPLES

static void assert_one_error(const struct mln_ruleset *set, const char *file, uint32_t line, uint32_t column,
                             const char *text)
{
    for (size_t i = 0; i < set->n_errors; i++) {
        const struct mln_rule_error *e = &set->errors[i];
        if (e->line == line && e->column == column && mln_str_find(e->text, mln_str_c(text), 0) != SIZE_MAX) {
            assert_str(e->file, file);
            return;
        }
    }
    for (size_t i = 0; i < set->n_errors; i++)
        print_message("# %.*s:%u:%u: %.*s\n", MLN_FMT(set->errors[i].file), set->errors[i].line, set->errors[i].column,
                      MLN_FMT(set->errors[i].text));
    fail_msg("no error at %u:%u says '%s'", line, column, text);
}

/* ---- tests ---- */

static void a_rule_with_everything(void **state)
{
    struct place *p = *state;
    put_directory(p, "ssh");
    put_file(p, "ssh/root.yaml",
             HEAD("linux-ssh-root") "key: 0B5D3E0C-6F4C-4A55-9C3D-1D2E3F405162\n"
                                    "effort: Low\nuserImpact: Moderate\nthreats: [accountBreach]\n"
                                    "tactics: [Initial Access]\ntechniques: [Valid Accounts]\n"
                                    "standards:\n  - cis-debian-12: 5.1.20\n  - other: 7\npreview: true\n"
                                    "applies: facts.sshd.installed\n"
                                    "healthy: facts.sshd.root == \"no\" && facts.users.root.locked\n"
                                    "found: '\"it is \" + facts.os.id'\n" EXAMPLES);
    MLN_CLEANUP(mln_ruleset_free) struct mln_ruleset *set = load(p);
    assert_int_equal(set->n_errors, 0);
    assert_int_equal(set->n_rules, 1);
    assert_int_equal(set->version.n, 16);
    const struct mln_rule *rule = mln_ruleset_by_id(set, MLN_S("linux-ssh-root"));
    assert_non_null(rule);
    assert_str(rule->key, "0b5d3e0c-6f4c-4a55-9c3d-1d2e3f405162");
    assert_ptr_equal(rule, mln_ruleset_by_key(set, MLN_S("0B5D3E0C-6f4c-4A55-9C3D-1D2E3F405162")));
    assert_str(rule->title, "Root should not sign in");
    assert_str(rule->remediation, "Set it.");
    assert_int_equal(rule->n_commands, 1);
    assert_str(rule->commands[0], "systemctl reload ssh");
    assert_int_equal(rule->severity, MLN_SEVERITY_HIGH);
    assert_str(rule->category, "Compute");
    assert_str(rule->effort, "Low");
    assert_str(rule->user_impact, "Moderate");
    assert_str(rule->threats[0], "accountBreach");
    assert_str(rule->tactics[0], "Initial Access");
    assert_str(rule->techniques[0], "Valid Accounts");
    assert_int_equal(rule->n_controls, 1);
    assert_str(set->controls[rule->controls[0]].title, "Secure management ports");
    assert_int_equal(rule->n_standards, 2);
    assert_str(rule->standards[0].standard, "cis-debian-12");
    assert_str(rule->standards[0].control, "5.1.20");
    assert_str(rule->standards[1].control, "7");
    assert_true(rule->preview);
    assert_non_null(rule->applies);
    assert_non_null(rule->found);
    assert_str(rule->file, "ssh/root.yaml");
    assert_int_equal(rule->version.n, 16);
    /* What is only shown is not needed. */
    assert_int_equal(rule->n_needs, 2);
    assert_str(rule->needs[0], "properties.facts.sshd");
    assert_str(rule->needs[1], "properties.facts.users");
    assert_int_equal(rule->n_examples, 2);
    const struct mln_json *resource = rule->examples[1].resource;
    assert_str(mln_json_str(mln_json_path(resource, "properties.facts.sshd.root"), MLN_S("")), "yes");
    assert_str(mln_json_str(mln_json_get(resource, MLN_S("type")), MLN_S("")), "Microsoft.HybridCompute/machines");
    assert_true(rule->examples[1].line > rule->examples[0].line);
}

static void keys_and_versions_are_stable(void **state)
{
    struct place *p = *state;
    put_file(p, "a.yaml", RULE("rule-a"));
    MLN_CLEANUP(mln_ruleset_free) struct mln_ruleset *first = load(p);
    put_file(p, "b.yaml", RULE("rule-b"));
    MLN_CLEANUP(mln_ruleset_free) struct mln_ruleset *second = load(p);
    const struct mln_rule *a = mln_ruleset_by_id(first, MLN_S("rule-a")),
                          *again = mln_ruleset_by_id(second, MLN_S("rule-a"));
    assert_true(mln_str_eq(a->key, again->key));
    assert_true(mln_str_eq(a->version, again->version));
    assert_false(mln_str_eq(first->version, second->version));
    MLN_CLEANUP(mln_ruleset_free) struct mln_ruleset *third = load(p);
    assert_true(mln_str_eq(third->version, second->version));
    /* uuid5(NAMESPACE_URL, "merlon:rule:rule-a") as Python computes it */
    assert_str(a->key, "c7ea0422-8a46-56a8-a6f1-12359635202e");
}

static void rules_are_in_order_and_found_by_type(void **state)
{
    struct place *p = *state;
    put_file(p, "1.yaml", RULE("z"));
    put_file(p, "2.yaml", RULE("a"));
    put_directory(p, ".hidden");
    put_file(p, ".hidden/3.yaml", "not: a rule\n");
    put_file(p, "readme.md", "not a rule\n");
    MLN_CLEANUP(mln_ruleset_free) struct mln_ruleset *set = load(p);
    assert_int_equal(set->n_rules, 2);
    assert_int_equal(set->n_errors, 0);
    assert_str(set->rules[0].id, "a");
    const struct mln_rule_type *type = mln_ruleset_type(set, MLN_S("microsoft.hybridcompute/MACHINES"));
    assert_non_null(type);
    assert_int_equal(type->n_rules, 2);
    assert_null(mln_ruleset_type(set, MLN_S("Microsoft.Compute/virtualMachines")));
    assert_null(mln_ruleset_by_id(set, MLN_S("b")));
    assert_null(mln_ruleset_by_key(set, MLN_S("b")));
}

static void what_is_wrong_has_a_place(void **state)
{
    static const struct {
        const char *content;
        uint32_t line, column;
        const char *text;
    } rows[] = {
        {"titel: x\n" RULE("r"), 1, 1, "unknown member 'titel' (did you mean 'title'?)"},
        {"id: r\n", 1, 1, "the member 'title' is missing"},
        {"- a\n", 1, 1, "expected members such as 'id: ...'"},
        {"key: x\n" RULE("r"), 1, 6, "'x' is not a UUID"},
        {"effort: Hihg\n" RULE("r"), 1, 9, "found 'Hihg', expected one of Low, Moderate, High (did you mean 'High'?)"},
        {"needs: x\n" RULE("r"), 1, 8, "expected a list"},
        {"standards: [5.1.20]\n" RULE("r"), 1, 13, "- cis-debian-12: 5.1.20"},
        {"threats: ['']\n" RULE("r"), 1, 11, "the text is empty"},
        {"preview: maybe\n" RULE("r"), 1, 10, "expected one of false, true"},
        {"found: facts.sshd. + 1\n" RULE("r"), 1, 20, "found '+', expected a member's name"},
        {"applies: >-\n  true &&\n  fcts.sshd\n" RULE("r"), 3, 3, "unknown name 'fcts' (did you mean 'facts'?)"},
        {"applies: 'facts.x == \"a'\n" RULE("r"), 1, 22, "the closing quote is missing"},
        {RULE("Upper Case"), 1, 5, "an id has lower-case letters"},
        {HEAD("r") "healthy: true\nexamples: []\n", 10, 11, "at least one example must be Healthy and one Unhealthy"},
        {HEAD("r") "healthy: true\nexamples:\n  - {name: x, expect: Healthy}\n", 11, 5, "an example has one mapping"},
        {HEAD("r") "healthy: true\nexamples:\n  - {name: x, expect: Sick, facts: {}}\n", 11, 23,
         "expected one of Healthy, Unhealthy, NotApplicable"},
        {"a: [1\n", 2, 1, "flow sequence"},
        {"a: &x 1\n", 1, 4, "anchors are not supported"},
    };
    struct place *p = *state;
    put_file(p, "good.yaml", RULE("good"));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        put_file(p, "bad.yaml", rows[i].content);
        MLN_CLEANUP(mln_ruleset_free) struct mln_ruleset *set = load(p);
        assert_one_error(set, "bad.yaml", rows[i].line, rows[i].column, rows[i].text);
        assert_int_equal(set->n_rules, 1); /* the good one stands */
        p->n_files--;                      /* the next one takes its place */
    }
    p->n_files++;
}

static void an_unknown_control(void **state)
{
    struct place *p = *state;
    put_file(p, "controls.yaml",
             "controls:\n  - {slug: only-one, id: 0b5d3e0c-6f4c-4a55-9c3d-1d2e3f405162, title: One, maxPoints: 5}\n");
    put_file(p, "r.yaml", RULE("r"));
    MLN_CLEANUP(mln_ruleset_free) struct mln_ruleset *set = load(p);
    assert_int_equal(set->n_controls, 1);
    assert_int_equal(set->controls[0].max_points, 5);
    assert_int_equal(set->n_rules, 0);
    assert_one_error(set, "r.yaml", 7, 12, "found 'secure-management-ports', expected one of only-one");
}

static void broken_controls(void **state)
{
    struct place *p = *state;
    put_file(p, "controls.yaml",
             "controls:\n"
             "  - {slug: a, id: 0b5d3e0c-6f4c-4a55-9c3d-1d2e3f405162, title: One, maxPoints: 5}\n"
             "  - {slug: a, id: 0b5d3e0c-6f4c-4a55-9c3d-1d2e3f405163, title: One, maxPoints: 5}\n"
             "  - {slug: b, id: x, title: One, maxPoints: -5}\n");
    MLN_CLEANUP(mln_ruleset_free) struct mln_ruleset *set = load(p);
    assert_int_equal(set->n_controls, 1);
    assert_one_error(set, "controls.yaml", 3, 5, "has the slug or id of another one");
    assert_one_error(set, "controls.yaml", 4, 19, "'x' is not a UUID");
    assert_one_error(set, "controls.yaml", 4, 45, "expected a whole number of points");
}

static void ids_and_keys_are_unique(void **state)
{
    struct place *p = *state;
    put_file(p, "a.yaml", RULE("same"));
    put_file(p, "b.yaml", RULE("same"));
    put_file(p, "c.yaml", "key: 0b5d3e0c-6f4c-4a55-9c3d-1d2e3f405162\n" RULE("c"));
    put_file(p, "d.yaml", "key: 0b5d3e0c-6f4c-4a55-9c3d-1d2e3f405162\n" RULE("d"));
    MLN_CLEANUP(mln_ruleset_free) struct mln_ruleset *set = load(p);
    assert_int_equal(set->n_rules, 2);
    assert_int_equal(set->n_errors, 2);
    assert_str(set->errors[0].file, "b.yaml");
    assert_str(set->errors[0].text, "the id 'same' is used by a.yaml already");
    assert_str(set->errors[1].file, "d.yaml");
    assert_true(mln_str_ends(set->errors[1].text, MLN_S("is used by c.yaml already")));
}

static void examples_are_filled_in(void **state)
{
    struct place *p = *state;
    put_file(p, "a.yaml",
             HEAD("a") "healthy: properties.n == 1\nexamples:\n"
                       "  - {name: one, expect: Healthy, properties: {n: 1}}\n"
                       "  - {name: two, expect: Unhealthy, resource: {id: /x, properties: {n: 2}}}\n");
    put_file(
        p, "b.yaml",
        "id: b\ntitle: x\ndescription: x\nremediation: {text: x}\nseverity: Low\ncategory: Data\n"
        "controls: [encryption-at-rest]\nresourceType: Microsoft.Storage/storageAccounts\nhealthy: properties.on\n"
        "examples:\n  - {name: one, expect: Healthy, facts: {}}\n  - {name: two, expect: Unhealthy, properties: {}}\n");
    MLN_CLEANUP(mln_ruleset_free) struct mln_ruleset *set = load(p);
    assert_int_equal(set->n_errors, 1);
    assert_one_error(set, "b.yaml", 11, 41, "resources of type Microsoft.Storage/storageAccounts have no facts");
    const struct mln_rule *rule = mln_ruleset_by_id(set, MLN_S("a"));
    assert_int_equal(rule->n_needs, 0);
    assert_int_equal(mln_json_i64(mln_json_path(rule->examples[0].resource, "properties.n"), 0), 1);
    assert_str(mln_json_str(mln_json_get(rule->examples[1].resource, MLN_S("id")), MLN_S("")), "/x");
    assert_str(mln_json_str(mln_json_get(rule->examples[1].resource, MLN_S("name")), MLN_S("")), "example");
}

static void a_directory_that_is_not_there(void **state)
{
    (void)state;
    struct mln_ruleset *set;
    assert_fails(NOT_FOUND, mln_ruleset_load(MLN_S("/nowhere/at/all"), &set));
    assert_null(set);
    assert_fails(INVALID, mln_ruleset_load(MLN_S(""), &set));
}

/* The tree's own content: no error, and rules that come without controls get those of the file. */
static void the_content_of_the_tree(void **state)
{
    char path[4096];
    const char *source = getenv("MLN_SOURCE");
    snprintf(path, sizeof path, "%s/content", source ? source : ".");
    MLN_CLEANUP(mln_ruleset_free) struct mln_ruleset *set = NULL;
    MLN_CLEANUP(mln_ruleset_free) struct mln_ruleset *built_in = load(*state);
    assert_ok(mln_ruleset_load(mln_str_c(path), &set));
    for (size_t i = 0; i < set->n_errors; i++)
        print_message("# %.*s:%u:%u: %.*s\n", MLN_FMT(set->errors[i].file), set->errors[i].line, set->errors[i].column,
                      MLN_FMT(set->errors[i].text));
    assert_int_equal(set->n_errors, 0);
    assert_int_equal(set->n_controls, 15);
    assert_int_equal(built_in->n_controls, 15);
    int32_t points = 0;
    for (size_t i = 0; i < 15; i++) {
        assert_true(mln_str_eq(set->controls[i].id, built_in->controls[i].id));
        assert_true(mln_str_eq(set->controls[i].slug, built_in->controls[i].slug));
        assert_true(mln_str_eq(set->controls[i].title, built_in->controls[i].title));
        assert_true(mln_str_eq(set->controls[i].description, built_in->controls[i].description));
        assert_int_equal(set->controls[i].max_points, built_in->controls[i].max_points);
        points += set->controls[i].max_points;
    }
    assert_int_equal(points, 58);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, make_place, remove_place)
    const struct CMUnitTest tests[] = {
        T(a_rule_with_everything),    T(keys_and_versions_are_stable), T(rules_are_in_order_and_found_by_type),
        T(what_is_wrong_has_a_place), T(an_unknown_control),           T(broken_controls),
        T(ids_and_keys_are_unique),   T(examples_are_filled_in),       T(a_directory_that_is_not_there),
        T(the_content_of_the_tree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
