#include "posture/shift.h"

void mln_shift_free(struct mln_shift *shift)
{
    if (shift)
        mln_arena_free(shift->arena);
}

/* ---- building ---- */

static uint32_t control_of(const struct mln_catalog *catalog, struct mln_str id)
{
    for (uint32_t i = 0; i < catalog->n_controls; i++)
        if (mln_str_eq_nocase(catalog->controls[i].id, id))
            return i;
    return MLN_NONE;
}

/* The controls of both: from's in its order, then those that only `to` has. */
static struct mln_result join_controls(struct mln_shift *shift)
{
    struct mln_shift_control *controls;
    uint32_t *from_controls, *to_controls;
    MLN_TRY_ARRAY(shift->arena, controls, (size_t)shift->from->n_controls + shift->to->n_controls);
    MLN_TRY_ARRAY(shift->arena, from_controls, shift->from->n_controls);
    MLN_TRY_ARRAY(shift->arena, to_controls, shift->to->n_controls);
    uint32_t n = 0;
    for (uint32_t i = 0; i < shift->from->n_controls; i++) {
        from_controls[i] = n;
        controls[n++] = (struct mln_shift_control){shift->from->controls[i].id, i, MLN_NONE};
    }
    for (uint32_t i = 0; i < shift->to->n_controls; i++) {
        uint32_t known = control_of(shift->from, shift->to->controls[i].id);
        to_controls[i] = known != MLN_NONE ? from_controls[known] : n;
        if (known == MLN_NONE)
            controls[n++] = (struct mln_shift_control){shift->to->controls[i].id, MLN_NONE, i};
        else
            controls[to_controls[i]].to = i;
    }
    shift->controls = controls;
    shift->from_controls = from_controls;
    shift->to_controls = to_controls;
    shift->n_controls = n;
    return MLN_OK;
}

/* The controls of a rule of one catalog, in the shift's numbers, ascending, appended to out. */
static uint32_t shift_controls(const struct mln_catalog_rule *rule, const uint32_t *numbers, uint32_t *out)
{
    for (uint32_t i = 0; i < rule->n_controls; i++)
        out[i] = numbers[rule->controls[i]];
    qsort(out, rule->n_controls, sizeof *out, mln_by_number);
    return rule->n_controls;
}

static struct mln_result join_rule(struct mln_shift *shift, uint32_t from, uint32_t to, struct mln_shift_rule *rule)
{
    static const struct mln_catalog_rule nothing;
    const struct mln_catalog_rule *a = from == MLN_NONE ? &nothing : &shift->from->rules[from];
    const struct mln_catalog_rule *b = to == MLN_NONE ? &nothing : &shift->to->rules[to];
    uint32_t *both;
    MLN_TRY_ARRAY(shift->arena, both, (size_t)a->n_controls + b->n_controls);
    uint32_t n_from = shift_controls(a, shift->from_controls, both);
    uint32_t n = n_from + shift_controls(b, shift->to_controls, both + n_from);
    bool same_controls =
        a->n_controls == b->n_controls && (n == 0 || !memcmp(both, both + n_from, n_from * sizeof *both));
    qsort(both, n, sizeof *both, mln_by_number);
    uint32_t distinct = 0;
    for (uint32_t i = 0; i < n; i++)
        if (i == 0 || both[i] != both[i - 1])
            both[distinct++] = both[i];
    *rule = (struct mln_shift_rule){
        .from = from,
        .to = to,
        .changed = from == MLN_NONE || to == MLN_NONE || !same_controls || !mln_str_eq(a->version, b->version),
        .controls = both,
        .n_controls = distinct,
        .first_pair = shift->n_pairs,
    };
    shift->n_pairs += distinct;
    return MLN_OK;
}

/* The rules of both, merged by id. */
static struct mln_result join_rules(struct mln_shift *shift)
{
    struct mln_shift_rule *rules;
    uint32_t *from_rules, *to_rules, from = 0, to = 0, n = 0;
    MLN_TRY_ARRAY(shift->arena, rules, (size_t)shift->from->n_rules + shift->to->n_rules);
    MLN_TRY_ARRAY(shift->arena, from_rules, shift->from->n_rules);
    MLN_TRY_ARRAY(shift->arena, to_rules, shift->to->n_rules);
    while (from < shift->from->n_rules || to < shift->to->n_rules) {
        int order = from == shift->from->n_rules ? 1
                    : to == shift->to->n_rules   ? -1
                                                 : mln_str_cmp(shift->from->rules[from].id, shift->to->rules[to].id);
        MLN_TRY(join_rule(shift, order <= 0 ? from : MLN_NONE, order >= 0 ? to : MLN_NONE, &rules[n]));
        if (order <= 0)
            from_rules[from++] = n;
        if (order >= 0)
            to_rules[to++] = n;
        n++;
    }
    shift->rules = rules;
    shift->from_rules = from_rules;
    shift->to_rules = to_rules;
    shift->n_rules = n;
    return MLN_OK;
}

struct mln_result mln_shift_new(const struct mln_catalog *from, const struct mln_catalog *to, struct mln_shift **out)
{
    struct mln_arena *arena MLN_CLEANUP(mln_arena_free) = mln_arena_new((size_t)64 << 20);
    if (!arena)
        return mln_fail(MLN_E_MEMORY, "no memory to compare two catalogs");
    struct mln_shift *shift;
    MLN_TRY_NEW(arena, shift);
    *shift = (struct mln_shift){.from = from, .to = to, .arena = arena};
    MLN_TRY(join_controls(shift));
    MLN_TRY(join_rules(shift));
    arena = NULL; /* the shift's from here on */
    *out = shift;
    return MLN_OK;
}

/* ---- walking ---- */

void mln_tally_change(struct mln_tally *tally, unsigned status, int change)
{
    tally->members += (uint32_t)change;
    if (status == MLN_HEALTHY)
        tally->healthy += (uint32_t)change;
    else if (status == MLN_UNHEALTHY)
        tally->unhealthy += (uint32_t)change;
}

void mln_counts_move(struct mln_control_counts *counts, unsigned before, unsigned after, int64_t sign)
{
    int64_t *const of_status[] = {&counts->healthy, &counts->unhealthy, &counts->not_applicable};
    if (before < MLN_NOT_ASSESSED)
        *of_status[before] -= sign;
    if (after < MLN_NOT_ASSESSED)
        *of_status[after] += sign;
}

/* A view's rules one after the other, in the shift's numbers. */
struct side {
    const struct mln_catalog *catalog;
    const struct mln_catalog_type *type; /* NULL: no rules */
    const uint64_t *statuses;
    const uint32_t *rules, *controls; /* catalog's number -> shift's */
    uint32_t at;
};

static struct side side_of(const struct mln_catalog *catalog, const struct mln_view *view, const uint32_t *rules,
                           const uint32_t *controls)
{
    bool any = view && view->type != MLN_NO_TYPE && view->statuses;
    return (struct side){
        catalog, any ? &catalog->types[view->type] : NULL, any ? view->statuses : NULL, rules, controls, 0};
}

/* The shift's number of the next rule, or MLN_NONE at the end. */
static uint32_t side_next(const struct side *side)
{
    return side->type && side->at < side->type->n_rules ? side->rules[side->type->rules[side->at]] : MLN_NONE;
}

/* Puts the side's rule at position i into the tallies of its controls, or takes it out. */
static void side_tally(const struct side *side, uint32_t i, struct mln_tally *tallies, int change)
{
    const struct mln_catalog_rule *rule = &side->catalog->rules[side->type->rules[i]];
    unsigned status = mln_statuses_get(side->statuses, i);
    for (uint32_t k = 0; k < rule->n_controls; k++)
        mln_tally_change(&tallies[side->controls[rule->controls[k]]], status, change);
}

static void side_tally_all(const struct side *side, struct mln_tally *tallies)
{
    for (uint32_t i = 0; side->type && i < side->type->n_rules; i++)
        side_tally(side, i, tallies, 1);
}

/* A resource that came or went: one step a control, whichever rules are in it. */
static void walk_whole(const struct mln_shift *shift, const struct mln_tally *tallies, bool came, mln_step_visit visit,
                       void *context)
{
    for (uint32_t c = 0; c < shift->n_controls; c++) {
        unsigned status = mln_tally_status(&tallies[c]);
        if (status == MLN_NOT_ASSESSED)
            continue;
        struct mln_step step = {
            .rule = MLN_NONE,
            .control = c,
            .pair = MLN_NONE,
            .before = came ? (unsigned)MLN_NOT_ASSESSED : status,
            .after = came ? status : (unsigned)MLN_NOT_ASSESSED,
            .from = MLN_NOT_ASSESSED,
            .to = MLN_NOT_ASSESSED,
        };
        visit(context, &step);
    }
}

/* Turns one rule from its side `from` to its side `to` (either may not have it) and tells what became of its controls. */
static void walk_rule(const struct mln_shift *shift, uint32_t number, const struct side *from, bool in_from,
                      const struct side *to, bool in_to, struct mln_tally *tallies, mln_step_visit visit, void *context)
{
    const struct mln_shift_rule *rule = &shift->rules[number];
    unsigned before[2 * MLN_RULE_MAX_CONTROLS];
    unsigned status_from = in_from ? mln_statuses_get(from->statuses, from->at) : (unsigned)MLN_NOT_ASSESSED;
    unsigned status_to = in_to ? mln_statuses_get(to->statuses, to->at) : (unsigned)MLN_NOT_ASSESSED;
    if (in_from && in_to && status_from == status_to && !rule->changed)
        return;
    for (uint32_t k = 0; k < rule->n_controls; k++)
        before[k] = mln_tally_status(&tallies[rule->controls[k]]);
    if (in_from)
        side_tally(from, from->at, tallies, -1);
    if (in_to)
        side_tally(to, to->at, tallies, 1);
    for (uint32_t k = 0; k < rule->n_controls; k++) {
        struct mln_step step = {
            .rule = number,
            .control = rule->controls[k],
            .pair = rule->first_pair + k,
            .before = before[k],
            .after = mln_tally_status(&tallies[rule->controls[k]]),
            .from = status_from,
            .to = status_to,
        };
        if (step.before != step.after)
            visit(context, &step);
    }
}

void mln_shift_walk(const struct mln_shift *shift, const struct mln_view *from, const struct mln_view *to,
                    struct mln_tally *tallies, mln_step_visit visit, void *context)
{
    struct side a = side_of(shift->from, from, shift->from_rules, shift->from_controls);
    struct side b = side_of(shift->to, to, shift->to_rules, shift->to_controls);
    memset(tallies, 0, shift->n_controls * sizeof *tallies);
    side_tally_all(from ? &a : &b, tallies);
    if (!from || !to) {
        if (from || to)
            walk_whole(shift, tallies, !from, visit, context);
        return;
    }
    for (;;) {
        uint32_t next_a = side_next(&a), next_b = side_next(&b), next = next_a < next_b ? next_a : next_b;
        if (next == MLN_NONE)
            return;
        walk_rule(shift, next, &a, next_a == next, &b, next_b == next, tallies, visit, context);
        a.at += next_a == next;
        b.at += next_b == next;
    }
}
