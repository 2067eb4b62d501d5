/* Catalogs, shifts between them, and counts: what a resource counts for, however it got there. */
#include "check.h"

#include "posture/counts.h"
#include "random.h"

static struct mln_arena *arena;

static int set_up(void **state)
{
    (void)state;
    arena = mln_arena_new(64 << 20);
    return arena ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    mln_arena_free(arena);
    return 0;
}

static struct mln_catalog *catalog_of(const struct mln_ruleset *set)
{
    struct mln_catalog *catalog;
    assert_ok(mln_catalog_of(set, &catalog));
    return catalog;
}

/* Two rules in control 0 (10 points), the second also in control 1 (4 points); a third in preview. */
static struct mln_catalog *small_catalog(void)
{
    static const uint32_t first[] = {0}, second[] = {1, 0};
    static const uint32_t numbers[] = {0, 1, 2};
    const struct mln_control controls[] = {{.id = MLN_S("c0"), .max_points = 10}, {.id = MLN_S("c1"), .max_points = 4}};
    const struct mln_rule rules[] = {
        {.id = MLN_S("r0"), .key = MLN_S("k0"), .version = MLN_S("1"), .controls = first, .n_controls = 1},
        {.id = MLN_S("r1"), .key = MLN_S("k1"), .version = MLN_S("1"), .controls = second, .n_controls = 2},
        {.id = MLN_S("r2"),
         .key = MLN_S("k2"),
         .version = MLN_S("1"),
         .controls = first,
         .n_controls = 1,
         .preview = true},
    };
    const struct mln_rule_type type = {.resource_type = MLN_S("A.B/c"), .rules = numbers, .n_rules = 3};
    const struct mln_ruleset set = {.controls = controls,
                                    .n_controls = 2,
                                    .rules = rules,
                                    .n_rules = 3,
                                    .types = &type,
                                    .n_types = 1,
                                    .version = MLN_S("0123456789abcdef")};
    return catalog_of(&set);
}

static void a_catalog_is_what_counts_of_a_rule_set(void **state)
{
    (void)state;
    struct mln_catalog *catalog MLN_CLEANUP(mln_catalog_free) = small_catalog();
    assert_int_equal(catalog->n_controls, 2);
    assert_int_equal(catalog->n_rules, 3);
    assert_int_equal(catalog->n_pairs, 3);
    assert_int_equal(catalog->rules[1].controls[0], 0);
    assert_int_equal(catalog->rules[1].controls[1], 1);
    assert_int_equal(catalog->rules[2].n_controls, 0); /* preview */
    assert_int_equal(mln_catalog_type(catalog, MLN_S("a.b/C")), 0);
    assert_int_equal(mln_catalog_type(catalog, MLN_S("a.b/d")), MLN_NO_TYPE);
}

static void a_rule_in_too_many_controls_is_refused(void **state)
{
    (void)state;
    uint32_t in[MLN_RULE_MAX_CONTROLS + 1] = {0};
    const struct mln_rule rule = {.id = MLN_S("r"), .controls = in, .n_controls = MLN_RULE_MAX_CONTROLS + 1};
    const struct mln_ruleset set = {.rules = &rule, .n_rules = 1};
    struct mln_catalog *catalog;
    assert_fails(LIMIT, mln_catalog_of(&set, &catalog));
}

static void assert_same_catalog(const struct mln_catalog *a, const struct mln_catalog *b)
{
    struct mln_buf x MLN_BUF_CLEANUP = MLN_BUF(1 << 20), y MLN_BUF_CLEANUP = MLN_BUF(1 << 20);
    assert_ok(mln_catalog_write(a, &x));
    assert_ok(mln_catalog_write(b, &y));
    assert_string_equal(x.p, y.p);
    assert_int_equal(a->n_pairs, b->n_pairs);
}

static void a_catalog_reads_back_from_its_text(void **state)
{
    (void)state;
    uint64_t dice = 42;
    for (int i = 0; i < 20; i++) {
        struct mln_catalog *catalog MLN_CLEANUP(mln_catalog_free) =
            catalog_of(random_ruleset(&dice, arena, 20, 6, "v"));
        struct mln_catalog *back MLN_CLEANUP(mln_catalog_free) = NULL;
        struct mln_buf text MLN_BUF_CLEANUP = MLN_BUF(1 << 20);
        assert_ok(mln_catalog_write(catalog, &text));
        assert_ok(mln_catalog_read(mln_buf_str(&text), &back));
        assert_same_catalog(catalog, back);
    }
}

static void damaged_catalogs_are_corrupt(void **state)
{
    (void)state;
    const char *const wrong[] = {
        "",
        "[]",
        "{\"version\":\"v\"}",
        "{\"version\":1,\"controls\":[],\"rules\":[],\"types\":[]}",
        "{\"version\":\"v\",\"controls\":[[\"c\",-1]],\"rules\":[],\"types\":[]}",
        "{\"version\":\"v\",\"controls\":[[\"c\"]],\"rules\":[],\"types\":[]}",
        "{\"version\":\"v\",\"controls\":[],\"rules\":[[\"a\",\"k\",\"1\",[0]]],\"types\":[]}",
        "{\"version\":\"v\",\"controls\":[],\"rules\":[[\"b\",\"k\",\"1\",[]],[\"a\",\"k\",\"1\",[]]],\"types\":[]}",
        "{\"version\":\"v\",\"controls\":[],\"rules\":[[\"a\",\"k\",\"1\",[]]],\"types\":[[\"t\",[1]]]}",
        "{\"version\":\"v\",\"controls\":[],\"rules\":[[\"a\",\"k\",\"1\",[]]],\"types\":[[\"t\",[0,0]]]}",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct mln_catalog *catalog;
        assert_fails(CORRUPT, mln_catalog_read(mln_str_c(wrong[i]), &catalog));
    }
}

static void a_resource_is_healthy_only_if_all_that_applies_is(void **state)
{
    (void)state;
    struct mln_catalog *catalog MLN_CLEANUP(mln_catalog_free) = small_catalog();
    struct mln_tally tallies[2];
    const unsigned cases[][6] = {
        /* r0, r1, r2 (preview) -> in c0, in c1, has weight */
        {MLN_HEALTHY, MLN_HEALTHY, MLN_UNHEALTHY, MLN_HEALTHY, MLN_HEALTHY, 1},
        {MLN_HEALTHY, MLN_UNHEALTHY, MLN_HEALTHY, MLN_UNHEALTHY, MLN_UNHEALTHY, 1},
        {MLN_HEALTHY, MLN_NOT_APPLICABLE, MLN_HEALTHY, MLN_HEALTHY, MLN_NOT_APPLICABLE, 1},
        {MLN_NOT_APPLICABLE, MLN_NOT_APPLICABLE, MLN_HEALTHY, MLN_NOT_APPLICABLE, MLN_NOT_APPLICABLE, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint64_t statuses = 0;
        struct mln_view view = {0, &statuses};
        struct mln_counts *counts MLN_CLEANUP(mln_counts_free) = mln_counts_new(catalog);
        for (uint32_t r = 0; r < 3; r++)
            mln_statuses_set(&statuses, r, cases[i][r]);
        mln_counts_add(counts, catalog, &view, tallies, 1);
        for (uint32_t c = 0; c < 2; c++) {
            assert_int_equal(counts->controls[c].healthy, cases[i][3 + c] == MLN_HEALTHY);
            assert_int_equal(counts->controls[c].unhealthy, cases[i][3 + c] == MLN_UNHEALTHY);
            assert_int_equal(counts->controls[c].not_applicable, cases[i][3 + c] == MLN_NOT_APPLICABLE);
        }
        assert_int_equal(counts->weight, cases[i][5]);
        assert_int_equal(mln_view_counts(catalog, &view, tallies), cases[i][5]);
    }
}

static void potential_counts_resources_that_one_rule_alone_holds_back(void **state)
{
    (void)state;
    struct mln_catalog *catalog MLN_CLEANUP(mln_catalog_free) = small_catalog();
    struct mln_counts *counts MLN_CLEANUP(mln_counts_free) = mln_counts_new(catalog);
    struct mln_tally tallies[2];
    /* Three resources: r0 alone fails; r0 and r1 fail; nothing fails. */
    const unsigned of[][2] = {{MLN_UNHEALTHY, MLN_HEALTHY}, {MLN_UNHEALTHY, MLN_UNHEALTHY}, {MLN_HEALTHY, MLN_HEALTHY}};
    for (size_t i = 0; i < 3; i++) {
        uint64_t statuses = 0;
        struct mln_view view = {0, &statuses};
        mln_statuses_set(&statuses, 0, of[i][0]);
        mln_statuses_set(&statuses, 1, of[i][1]);
        mln_statuses_set(&statuses, 2, MLN_NOT_APPLICABLE);
        mln_counts_add(counts, catalog, &view, tallies, 1);
    }
    /* c0: 1 of 3 healthy. Fixing r0 helps one resource in c0; fixing r1 none there, but the only unhealthy one of c1. */
    assert_int_equal(mln_counts_increase(counts, catalog, 0), 6666666667 - 3333333333);
    assert_int_equal(mln_counts_increase(counts, catalog, 1), 4000000000 - 2666666667);
    assert_int_equal(mln_counts_increase(counts, catalog, 2), 0);
    assert_int_equal(mln_counts_share(counts, catalog, 0), 6666666667);
    assert_int_equal(mln_counts_share(counts, catalog, 1), 3333333333 + 1333333333);
    assert_int_equal(mln_counts_share(counts, catalog, 2), 0);
}

/* ---- properties ---- */

static uint64_t *random_statuses(uint64_t *dice, const struct mln_catalog *catalog, uint32_t type)
{
    uint32_t n = catalog->types[type].n_rules;
    uint64_t *statuses = mln_arena_array(arena, mln_statuses_words(n) + 1, sizeof *statuses);
    memset(statuses, 0xFF, (mln_statuses_words(n) + 1) * sizeof *statuses);
    for (uint32_t i = 0; i < n; i++)
        mln_statuses_set(statuses, i, roll(dice, 4));
    return statuses;
}

struct walked {
    const struct mln_shift *shift;
    struct mln_control_counts *counts;
    uint32_t last_rule;
};

static void apply_step(void *context, const struct mln_step *step)
{
    struct walked *walked = context;
    assert_true(step->control < walked->shift->n_controls);
    assert_int_not_equal(step->before, step->after);
    if (step->rule != MLN_NONE) {
        assert_true(step->rule >= walked->last_rule || walked->last_rule == MLN_NONE);
        assert_true(step->pair < walked->shift->n_pairs);
        walked->last_rule = step->rule;
    }
    mln_counts_move(&walked->counts[step->control], step->before, step->after, 1);
}

/* The counts of a view by the shift's numbers. */
static void counts_of(const struct mln_shift *shift, const struct mln_catalog *catalog, const uint32_t *numbers,
                      const struct mln_view *view, struct mln_control_counts *out)
{
    struct mln_counts *counts MLN_CLEANUP(mln_counts_free) = mln_counts_new(catalog);
    struct mln_tally tallies[64];
    memset(out, 0, shift->n_controls * sizeof *out);
    if (view)
        mln_counts_add(counts, catalog, view, tallies, 1);
    for (uint32_t c = 0; c < catalog->n_controls; c++)
        out[numbers[c]] = counts->controls[c];
}

static void assert_walk_leads(const struct mln_shift *shift, const struct mln_view *from, const struct mln_view *to)
{
    struct mln_control_counts there[64], wanted[64];
    struct mln_tally tallies[64];
    struct walked walked = {shift, there, MLN_NONE};
    assert_true(shift->n_controls <= 64);
    counts_of(shift, shift->from, shift->from_controls, from, there);
    counts_of(shift, shift->to, shift->to_controls, to, wanted);
    mln_shift_walk(shift, from, to, tallies, apply_step, &walked);
    assert_memory_equal(there, wanted, shift->n_controls * sizeof *there);
}

static void the_steps_of_a_walk_lead_from_one_view_to_the_other(void **state)
{
    (void)state;
    uint64_t dice = 7;
    for (int i = 0; i < 60; i++) {
        struct mln_catalog *a MLN_CLEANUP(mln_catalog_free) = catalog_of(random_ruleset(&dice, arena, 24, 7, "a"));
        struct mln_catalog *b MLN_CLEANUP(mln_catalog_free) = catalog_of(random_ruleset(&dice, arena, 24, 7, "b"));
        struct mln_shift *same MLN_CLEANUP(mln_shift_free) = NULL, *other MLN_CLEANUP(mln_shift_free) = NULL;
        assert_ok(mln_shift_new(a, a, &same));
        assert_ok(mln_shift_new(a, b, &other));
        for (int j = 0; j < 30; j++) {
            uint32_t type = roll(&dice, 2), type_b = roll(&dice, 2);
            struct mln_view from = {type, random_statuses(&dice, a, type)};
            struct mln_view to = {type_b, random_statuses(&dice, a, type_b)};
            struct mln_view beyond = {type_b, random_statuses(&dice, b, type_b)};
            struct mln_view without_rules = {MLN_NO_TYPE, NULL};
            assert_walk_leads(same, &from, &to);
            assert_walk_leads(same, &from, &from);
            assert_walk_leads(same, NULL, &to);
            assert_walk_leads(same, &from, NULL);
            assert_walk_leads(same, &from, &without_rules);
            assert_walk_leads(same, &without_rules, &to);
            assert_walk_leads(other, &from, &beyond);
            assert_walk_leads(other, &from, &without_rules);
        }
        assert_walk_leads(same, NULL, NULL);
    }
}

static void fail_on_step(void *context, const struct mln_step *step)
{
    (void)context, (void)step;
    fail();
}

static void an_unchanged_resource_makes_no_step(void **state)
{
    (void)state;
    uint64_t dice = 99;
    struct mln_catalog *a MLN_CLEANUP(mln_catalog_free) = catalog_of(random_ruleset(&dice, arena, 30, 5, "a"));
    struct mln_shift *same MLN_CLEANUP(mln_shift_free) = NULL;
    struct mln_tally tallies[64];
    assert_ok(mln_shift_new(a, a, &same));
    struct mln_view view = {0, random_statuses(&dice, a, 0)};
    mln_shift_walk(same, &view, &view, tallies, fail_on_step, NULL);
    for (uint32_t r = 0; r < same->n_rules; r++)
        assert_false(same->rules[r].changed);
}

static void counts_by_difference_are_counts_made_anew(void **state)
{
    (void)state;
    uint64_t dice = 1234567;
    enum { RESOURCES = 40 };
    for (int i = 0; i < 20; i++) {
        struct mln_catalog *catalog MLN_CLEANUP(mln_catalog_free) =
            catalog_of(random_ruleset(&dice, arena, 30, 6, "a"));
        struct mln_counts *kept MLN_CLEANUP(mln_counts_free) = mln_counts_new(catalog);
        struct mln_view views[RESOURCES];
        struct mln_tally tallies[64];
        for (int r = 0; r < RESOURCES; r++)
            views[r] = (struct mln_view){MLN_NO_TYPE, NULL};
        for (int j = 0; j < 300; j++) {
            struct mln_view *view = &views[roll(&dice, RESOURCES)];
            uint32_t type = roll(&dice, 2);
            mln_counts_add(kept, catalog, view, tallies, -1);
            *view = roll(&dice, 6) ? (struct mln_view){type, random_statuses(&dice, catalog, type)}
                                   : (struct mln_view){MLN_NO_TYPE, NULL};
            mln_counts_add(kept, catalog, view, tallies, 1);
        }
        struct mln_counts *anew MLN_CLEANUP(mln_counts_free) = mln_counts_new(catalog);
        for (int r = 0; r < RESOURCES; r++)
            mln_counts_add(anew, catalog, &views[r], tallies, 1);
        assert_true(mln_counts_equal(catalog, kept, anew));
        struct mln_counts *copy MLN_CLEANUP(mln_counts_free) = mln_counts_clone(catalog, kept);
        assert_true(mln_counts_equal(catalog, copy, anew));
    }
}

/* The increase that is told for a rule is what comes out when the rule is fixed on every resource. */
static void potential_increase_is_what_fixing_gains(void **state)
{
    (void)state;
    uint64_t dice = 777;
    enum { RESOURCES = 25 };
    for (int i = 0; i < 20; i++) {
        struct mln_catalog *catalog MLN_CLEANUP(mln_catalog_free) =
            catalog_of(random_ruleset(&dice, arena, 16, 5, "a"));
        struct mln_view views[RESOURCES];
        struct mln_tally tallies[64];
        struct mln_counts *counts MLN_CLEANUP(mln_counts_free) = mln_counts_new(catalog);
        for (int r = 0; r < RESOURCES; r++) {
            uint32_t type = roll(&dice, 2);
            views[r] = (struct mln_view){type, random_statuses(&dice, catalog, type)};
            mln_counts_add(counts, catalog, &views[r], tallies, 1);
        }
        mln_nanopoints now = mln_counts_score(catalog, counts->controls, 0).current;
        for (uint32_t rule = 0; rule < catalog->n_rules; rule++) {
            struct mln_counts *fixed MLN_CLEANUP(mln_counts_free) = mln_counts_new(catalog);
            for (int r = 0; r < RESOURCES; r++) {
                const struct mln_catalog_type *type = &catalog->types[views[r].type];
                uint64_t statuses[4];
                struct mln_view view = {views[r].type, statuses};
                memcpy(statuses, views[r].statuses, mln_statuses_words(type->n_rules) * sizeof *statuses);
                for (uint32_t k = 0; k < type->n_rules; k++)
                    if (type->rules[k] == rule && mln_statuses_get(statuses, k) == MLN_UNHEALTHY)
                        mln_statuses_set(statuses, k, MLN_HEALTHY);
                mln_counts_add(fixed, catalog, &view, tallies, 1);
            }
            mln_nanopoints then = mln_counts_score(catalog, fixed->controls, 0).current;
            assert_int_equal(mln_counts_increase(counts, catalog, rule), then - now);
            assert_true(mln_counts_share(counts, catalog, rule) >= then - now - 3);
        }
    }
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(a_catalog_is_what_counts_of_a_rule_set),
        CASE(a_rule_in_too_many_controls_is_refused),
        CASE(a_catalog_reads_back_from_its_text),
        CASE(damaged_catalogs_are_corrupt),
        CASE(a_resource_is_healthy_only_if_all_that_applies_is),
        CASE(potential_counts_resources_that_one_rule_alone_holds_back),
        CASE(the_steps_of_a_walk_lead_from_one_view_to_the_other),
        CASE(an_unchanged_resource_makes_no_step),
        CASE(counts_by_difference_are_counts_made_anew),
        CASE(potential_increase_is_what_fixing_gains),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
