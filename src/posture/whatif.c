/* Answers of what could be: the counts as they would be after some fixes, on copies; nothing is changed. */
#include "posture/engine.h"

enum { MAX_FIXES = 1000 };

/* A fix, looked up. */
struct aim {
    uint32_t rule;        /* of the catalog in force */
    struct mln_str below; /* key of a scope; empty: everywhere */
};

static struct mln_result find_rule(const struct mln_catalog *catalog, struct mln_str key, uint32_t *rule)
{
    for (*rule = 0; *rule < catalog->n_rules; ++*rule)
        if (mln_str_eq_nocase(catalog->rules[*rule].key, key))
            return MLN_OK;
    return mln_fail(MLN_E_NOT_FOUND, "there is no recommendation '%.*s'", MLN_FMT(key));
}

/* True when key is scope or lies below it; both in lower case. */
static bool is_below(struct mln_str key, struct mln_str scope)
{
    return scope.n == 0 || (mln_str_starts(key, scope) && (key.n == scope.n || key.p[scope.n] == '/'));
}

/* Makes unhealthy statuses healthy where an aim hits; fixed has room for the type's words. False: none was hit. */
static bool fix_statuses(const struct mln_catalog *catalog, const struct mln_view *view, struct mln_str key,
                         const struct aim *aims, size_t n, uint64_t *fixed)
{
    const struct mln_catalog_type *type = &catalog->types[view->type];
    bool hit = false;
    for (uint32_t i = 0; i < type->n_rules; i++) {
        if (mln_statuses_get(view->statuses, i) != MLN_UNHEALTHY)
            continue;
        for (size_t a = 0; a < n; a++) {
            if (aims[a].rule != type->rules[i] || !is_below(key, aims[a].below))
                continue;
            if (!hit)
                memcpy(fixed, view->statuses, mln_statuses_words(type->n_rules) * sizeof *fixed);
            hit = true;
            mln_statuses_set(fixed, i, MLN_HEALTHY);
            break;
        }
    }
    return hit;
}

static size_t most_words(const struct mln_catalog *catalog)
{
    size_t most = 1;
    for (uint32_t i = 0; i < catalog->n_types; i++) {
        size_t words = mln_statuses_words(catalog->types[i].n_rules);
        most = words > most ? words : most;
    }
    return most;
}

static struct mln_result look_up(const struct mln_catalog *catalog, const struct mln_fix *fixes, size_t n,
                                 struct mln_arena *arena, struct aim **out)
{
    if (n > MAX_FIXES)
        return mln_fail(MLN_E_LIMIT, "at most %d fixes at once", MAX_FIXES);
    MLN_TRY_ARRAY(arena, *out, n);
    for (size_t i = 0; i < n; i++) {
        MLN_TRY(find_rule(catalog, fixes[i].rule_key, &(*out)[i].rule));
        MLN_TRY(mln_inventory_scope(fixes[i].resource, arena, &(*out)[i].below));
    }
    return MLN_OK;
}

/* Moves every resource of the scope that a fix hits from its view to the fixed one. Lock held. */
static struct mln_result count_fixed(struct mln_posture *p, size_t scope, const struct aim *aims, size_t n,
                                     struct mln_arena *arena, struct mln_counts *counts)
{
    const struct mln_catalog *catalog = p->now->catalog;
    uint64_t *fixed;
    size_t at = 0;
    struct mln_str key;
    union mln_map_value value;
    MLN_TRY_ARRAY(arena, fixed, most_words(catalog));
    while (mln_map_next(p->entries, &at, &key, &value)) {
        const struct mln_entry *entry = value.p;
        struct mln_view view = mln_entry_view(entry);
        if (!entry->present || entry->scope != scope || !view.statuses ||
            !fix_statuses(catalog, &view, key, aims, n, fixed))
            continue;
        mln_counts_add(counts, catalog, &view, p->tallies, -1);
        view.statuses = fixed;
        mln_counts_add(counts, catalog, &view, p->tallies, 1);
    }
    return MLN_OK;
}

static struct mln_result what_if(struct mln_posture *p, const struct mln_ruleset *rules, struct mln_str id,
                                 const struct mln_fix *fixes, size_t n, struct mln_arena *arena,
                                 struct mln_posture_score *out)
{
    const struct mln_catalog *catalog = p->now->catalog;
    size_t scope = mln_scope_find(p, id);
    struct mln_counts *counts MLN_CLEANUP(mln_counts_free) =
        scope == SIZE_MAX ? mln_counts_new(catalog) : mln_counts_clone(catalog, p->scopes.at[scope]->now);
    struct aim *aims;
    if (!counts)
        return mln_fail(MLN_E_MEMORY, "no memory for a what-if");
    MLN_TRY(look_up(catalog, fixes, n, arena, &aims));
    MLN_TRY(count_fixed(p, scope, aims, n, arena, counts));
    return mln_score_answer(rules, catalog, counts->controls, counts->weight, arena, out);
}

struct mln_result mln_posture_what_if(struct mln_posture *p, const struct mln_ruleset *rules,
                                      struct mln_str subscription, const struct mln_fix *fixes, size_t n_fixes,
                                      struct mln_arena *arena, struct mln_posture_score *out)
{
    struct mln_str id;
    MLN_TRY(mln_posture_subscription(p, subscription, arena, &id));
    pthread_mutex_lock(&p->lock);
    struct mln_result r = what_if(p, rules, id, fixes, n_fixes, arena, out);
    pthread_mutex_unlock(&p->lock);
    return r;
}

/* ---- a plan ---- */

/* Resources with the same statuses are one pattern, counted. What follows the count is the pattern's key. */
struct pattern {
    int64_t resources;
    uint32_t type, n_words;
    uint64_t statuses[];
};

struct plan {
    const struct mln_catalog *catalog;
    struct mln_counts *counts;
    struct mln_tally *tallies;
    struct mln_map *known; /* key -> pattern */
    MLN_VEC(struct pattern *) patterns;
};

static void plan_done(struct plan *plan)
{
    for (size_t i = 0; i < plan->patterns.n; i++)
        free(plan->patterns.at[i]);
    mln_vec_free(&plan->patterns);
    mln_counts_free(plan->counts);
    mln_map_free(plan->known);
    free(plan->tallies);
}

static struct mln_result add_pattern(struct plan *plan, const struct mln_view *view)
{
    size_t words = mln_statuses_words(plan->catalog->types[view->type].n_rules), bytes = words * sizeof(uint64_t);
    struct pattern *pattern = calloc(1, sizeof *pattern + bytes);
    if (!pattern)
        return mln_fail(MLN_E_MEMORY, "no memory for a plan");
    *pattern = (struct pattern){1, view->type, (uint32_t)words};
    memcpy(pattern->statuses, view->statuses, bytes);
    struct mln_str key = {(const char *)&pattern->type, sizeof *pattern - offsetof(struct pattern, type) + bytes};
    const union mln_map_value *found = mln_map_get(plan->known, key);
    struct mln_result r = MLN_OK;
    if (found)
        ((struct pattern *)found->p)->resources++;
    else
        r = mln_vec_push(NULL, &plan->patterns, pattern);
    if (found || !mln_ok(r)) {
        free(pattern);
        return r;
    }
    return mln_map_put(plan->known, key, (union mln_map_value){.p = pattern});
}

/* Takes over what a plan needs of the scope, so that the planning itself holds nobody up. Lock held. */
static struct mln_result plan_begin(struct mln_posture *p, struct mln_str id, struct plan *plan)
{
    size_t scope, at = 0;
    struct mln_str key;
    union mln_map_value value;
    struct mln_result r = MLN_OK;
    scope = mln_scope_find(p, id);
    plan->counts =
        scope == SIZE_MAX ? mln_counts_new(plan->catalog) : mln_counts_clone(plan->catalog, p->scopes.at[scope]->now);
    plan->tallies = calloc((size_t)plan->catalog->n_controls + 1, sizeof *plan->tallies);
    plan->known = mln_map_new(false);
    if (!plan->counts || !plan->tallies || !plan->known)
        r = mln_fail(MLN_E_MEMORY, "no memory for a plan");
    while (mln_ok(r) && mln_map_next(p->entries, &at, &key, &value)) {
        struct mln_view view = mln_entry_view(value.p);
        const struct mln_entry *entry = value.p;
        if (entry->present && entry->scope == scope && view.statuses)
            r = add_pattern(plan, &view);
    }
    return r;
}

/* The rule that gains most by itself; where none gains anything alone, the one with the largest share. MLN_NONE: nothing is
   left to fix. */
static uint32_t best_rule(const struct plan *plan)
{
    uint32_t best = MLN_NONE;
    mln_nanopoints best_increase = 0, best_share = 0;
    for (uint32_t r = 0; r < plan->catalog->n_rules; r++) {
        mln_nanopoints increase = mln_counts_increase(plan->counts, plan->catalog, r);
        mln_nanopoints share = mln_counts_share(plan->counts, plan->catalog, r);
        if (share > 0 && (increase > best_increase || (increase == best_increase && share > best_share))) {
            best = r;
            best_increase = increase;
            best_share = share;
        }
    }
    return best;
}

/* Makes the rule healthy in all patterns. */
static void plan_fix(struct plan *plan, uint32_t rule)
{
    for (size_t i = 0; i < plan->patterns.n; i++) {
        struct pattern *pattern = plan->patterns.at[i];
        const struct mln_catalog_type *type = &plan->catalog->types[pattern->type];
        struct mln_view view = {pattern->type, pattern->statuses};
        const uint32_t *found = bsearch(&rule, type->rules, type->n_rules, sizeof rule, mln_by_number);
        uint32_t place = found ? (uint32_t)(found - type->rules) : MLN_NONE;
        if (!found || mln_statuses_get(pattern->statuses, place) != MLN_UNHEALTHY)
            continue;
        mln_counts_add(plan->counts, plan->catalog, &view, plan->tallies, -pattern->resources);
        mln_statuses_set(pattern->statuses, place, MLN_HEALTHY);
        mln_counts_add(plan->counts, plan->catalog, &view, plan->tallies, pattern->resources);
    }
}

static struct mln_result plan_steps(struct plan *plan, double percentage, struct mln_arena *arena,
                                    struct mln_fix **fixes, size_t *n)
{
    MLN_TRY_ARRAY(arena, *fixes, plan->catalog->n_rules);
    for (*n = 0; *n < plan->catalog->n_rules; ++*n) {
        if (mln_counts_score(plan->catalog, plan->counts->controls, 0).percentage >= percentage)
            return MLN_OK;
        uint32_t rule = best_rule(plan);
        if (rule == MLN_NONE)
            return MLN_OK;
        plan_fix(plan, rule);
        (*fixes)[*n].resource = MLN_S("");
        MLN_TRY_STR(arena, (*fixes)[*n].rule_key, mln_str_dup(arena, plan->catalog->rules[rule].key));
    }
    return MLN_OK;
}

struct mln_result mln_posture_plan(struct mln_posture *p, const struct mln_ruleset *rules, struct mln_str subscription,
                                   double percentage, struct mln_arena *arena, struct mln_fix **fixes, size_t *n,
                                   struct mln_posture_score *reached)
{
    struct mln_str id;
    void *content;
    MLN_TRY(mln_posture_subscription(p, subscription, arena, &id));
    pthread_mutex_lock(&p->lock);
    struct mln_snapshot_pin *pin = mln_snapshot_pin(p->contents, &content); /* it keeps the catalog */
    struct plan plan = {.catalog = p->now->catalog};
    struct mln_result r = plan_begin(p, id, &plan);
    pthread_mutex_unlock(&p->lock);
    if (mln_ok(r))
        r = plan_steps(&plan, percentage, arena, fixes, n);
    if (mln_ok(r))
        r = mln_score_answer(rules, plan.catalog, plan.counts->controls, plan.counts->weight, arena, reached);
    plan_done(&plan);
    mln_snapshot_unpin(p->contents, pin);
    return r;
}
