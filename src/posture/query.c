/* Answers of now: scores and recommendations from the counts in memory, assessments from the store. */
#include "posture/engine.h"

#include "inventory/containers.h"

enum { SMALL_ARENA_BYTES = 1 << 20 };

struct mln_result mln_posture_subscription(struct mln_posture *p, struct mln_str subscription, struct mln_arena *arena,
                                           struct mln_str *id)
{
    struct mln_store_read *read MLN_CLEANUP(mln_store_read_end) = NULL;
    struct mln_subscription found;
    MLN_TRY(mln_store_read_begin(p->store, &read));
    MLN_TRY(mln_subscription_get(read, subscription, arena, &found));
    *id = found.id;
    return MLN_OK;
}

/* ---- scores ---- */

/* The catalog's number of a control of the rule set: the same one when both are of one content. */
static uint32_t control_number(const struct mln_catalog *catalog, size_t guess, struct mln_str id)
{
    if (guess < catalog->n_controls && mln_str_eq_nocase(catalog->controls[guess].id, id))
        return (uint32_t)guess;
    for (uint32_t i = 0; i < catalog->n_controls; i++)
        if (mln_str_eq_nocase(catalog->controls[i].id, id))
            return i;
    return MLN_NONE;
}

struct mln_result mln_score_answer(const struct mln_ruleset *rules, const struct mln_catalog *catalog,
                                   const struct mln_control_counts *controls, int64_t weight, struct mln_arena *arena,
                                   struct mln_posture_score *out)
{
    *out = (struct mln_posture_score){.scope = mln_counts_score(catalog, controls, weight),
                                      .n_controls = rules->n_controls};
    MLN_TRY_ARRAY(arena, out->controls, rules->n_controls);
    for (size_t i = 0; i < rules->n_controls; i++) {
        struct mln_posture_control *control = &out->controls[i];
        uint32_t number = control_number(catalog, i, rules->controls[i].id);
        control->control = &rules->controls[i];
        if (number == MLN_NONE)
            continue;
        control->counts = controls[number];
        control->score = mln_score_control(catalog->controls[number].max_points, &controls[number]);
    }
    return MLN_OK;
}

static struct mln_result score_now(struct mln_posture *p, const struct mln_ruleset *rules, struct mln_str id,
                                   struct mln_arena *arena, struct mln_posture_score *out)
{
    struct mln_control_counts *none;
    pthread_mutex_lock(&p->lock);
    size_t number = mln_scope_find(p, id);
    struct mln_result r = MLN_OK;
    if (number != SIZE_MAX) {
        const struct mln_counts *counts = p->scopes.at[number]->now;
        r = mln_score_answer(rules, p->now->catalog, counts->controls, counts->weight, arena, out);
    } else {
        none = mln_arena_array(arena, p->now->catalog->n_controls, sizeof *none);
        r = none ? mln_score_answer(rules, p->now->catalog, none, 0, arena, out) : mln_arena_failure(arena);
    }
    pthread_mutex_unlock(&p->lock);
    return r;
}

struct mln_result mln_posture_score(struct mln_posture *p, const struct mln_ruleset *rules, struct mln_str subscription,
                                    int64_t at_ms, struct mln_arena *arena, struct mln_posture_score *out)
{
    struct mln_str id;
    MLN_TRY(mln_posture_subscription(p, subscription, arena, &id));
    return at_ms ? mln_posture_score_then(p, rules, id, at_ms, arena, out) : score_now(p, rules, id, arena, out);
}

/* ---- recommendations ---- */

static int by_worth(const void *a, const void *b)
{
    const struct mln_recommendation *x = a, *y = b;
    if (x->potential_increase != y->potential_increase)
        return x->potential_increase > y->potential_increase ? -1 : 1;
    if (x->potential_share != y->potential_share)
        return x->potential_share > y->potential_share ? -1 : 1;
    if (x->rule->severity != y->rule->severity)
        return x->rule->severity > y->rule->severity ? -1 : 1;
    if (x->unhealthy != y->unhealthy)
        return x->unhealthy > y->unhealthy ? -1 : 1;
    return mln_str_cmp(x->rule->id, y->rule->id);
}

/* Those of one scope, unordered. Lock held. */
static struct mln_result recommendations_of(const struct mln_posture *p, const struct mln_ruleset *rules, size_t number,
                                            struct mln_arena *arena, struct mln_recommendation **out, size_t *n)
{
    const struct mln_catalog *catalog = p->now->catalog;
    *n = 0;
    MLN_TRY_ARRAY(arena, *out, catalog->n_rules);
    if (number == SIZE_MAX)
        return MLN_OK;
    const struct mln_counts *counts = p->scopes.at[number]->now;
    for (uint32_t r = 0; r < catalog->n_rules; r++) {
        const struct mln_control_counts *c = &counts->rules[r];
        const struct mln_rule *rule = mln_ruleset_by_id(rules, catalog->rules[r].id);
        if (!rule || (!c->healthy && !c->unhealthy && !c->not_applicable))
            continue;
        (*out)[(*n)++] = (struct mln_recommendation){
            .rule = rule,
            .healthy = c->healthy,
            .unhealthy = c->unhealthy,
            .not_applicable = c->not_applicable,
            .potential_increase = mln_counts_increase(counts, catalog, r),
            .potential_share = mln_counts_share(counts, catalog, r),
        };
    }
    return MLN_OK;
}

struct mln_result mln_posture_recommendations(struct mln_posture *p, const struct mln_ruleset *rules,
                                              struct mln_str subscription, struct mln_arena *arena,
                                              struct mln_recommendation **out, size_t *n)
{
    struct mln_str id;
    MLN_TRY(mln_posture_subscription(p, subscription, arena, &id));
    pthread_mutex_lock(&p->lock);
    struct mln_result r = recommendations_of(p, rules, mln_scope_find(p, id), arena, out, n);
    pthread_mutex_unlock(&p->lock);
    MLN_TRY(r);
    qsort(*out, *n, sizeof **out, by_worth);
    return MLN_OK;
}

/* ---- assessments ---- */

static struct mln_str last_segment(struct mln_str id)
{
    size_t at = id.n;
    while (at > 0 && id.p[at - 1] != '/')
        at--;
    return mln_str_sub(id, at, id.n);
}

struct mln_result mln_row_visit(const struct mln_row *row, const struct mln_ruleset *rules, int64_t evaluated_ms,
                                mln_assessment_visit visit, void *context, bool *stop)
{
    for (size_t i = 0; i < row->n && !*stop; i++) {
        const struct mln_row_finding *finding = &row->findings[i];
        struct mln_assessment assessment = {
            .resource_id = row->id,
            .resource_type = row->type,
            .resource_name = last_segment(row->id),
            .rule = mln_ruleset_by_id(rules, finding->rule),
            .status = finding->status,
            .cause = finding->cause,
            .text = finding->text,
            .first_evaluated_ms = finding->first_ms,
            .changed_ms = finding->changed_ms,
            .evaluated_ms = evaluated_ms,
            .content_version = row->version,
        };
        if (assessment.rule)
            MLN_TRY(visit(context, &assessment, stop));
    }
    return MLN_OK;
}

struct listing {
    struct mln_posture *p;
    struct mln_store_read *read;
    struct mln_pinned pinned;
    const struct mln_ruleset *rules;
    struct mln_arena *arena; /* of one row */
    mln_assessment_visit visit;
    void *context;
};

/* When the resource was looked at last: memory knows of looks that changed nothing. */
static int64_t evaluated_at(struct mln_posture *p, struct mln_str key, int64_t stored_ms)
{
    pthread_mutex_lock(&p->lock);
    const union mln_map_value *found = mln_map_get(p->entries, key);
    int64_t ms = found ? ((const struct mln_entry *)found->p)->evaluated_ms : 0;
    pthread_mutex_unlock(&p->lock);
    return ms > stored_ms ? ms : stored_ms;
}

static struct mln_result list_row(void *context, struct mln_str key, struct mln_str value, int64_t revision, bool *stop)
{
    (void)revision;
    struct listing *l = context;
    struct mln_stored stored = {0};
    mln_arena_reset(l->arena);
    MLN_TRY(
        mln_stored_row(l->read, l->pinned.content, &l->p->clock, l->pinned.since_ms, key, value, l->arena, &stored));
    int64_t evaluated_ms = evaluated_at(l->p, key, stored.row.evaluated_ms);
    return mln_row_visit(&stored.row, l->rules, evaluated_ms, l->visit, l->context, stop);
}

static struct mln_result assessments_now(struct mln_posture *p, const struct mln_ruleset *rules,
                                         const struct mln_posture_query *query, mln_assessment_visit visit,
                                         void *context)
{
    struct mln_arena *small MLN_CLEANUP(mln_arena_free) = mln_arena_new(SMALL_ARENA_BYTES);
    struct mln_arena *arena MLN_CLEANUP(mln_arena_free) = mln_arena_new(MLN_RESOURCE_ARENA_BYTES);
    struct mln_store_read *read MLN_CLEANUP(mln_store_read_end) = NULL;
    if (!small || !arena)
        return mln_fail(MLN_E_MEMORY, "no memory to list assessments");
    struct mln_str scope, after = {NULL, 0};
    MLN_TRY(mln_inventory_scope(query->scope, small, &scope));
    if (query->after.p)
        MLN_TRY(mln_inventory_scope(query->after, small, &after));
    MLN_TRY(mln_store_read_begin(p->store, &read));
    struct listing listing = {.p = p, .read = read, .rules = rules, .arena = arena, .visit = visit, .context = context};
    mln_content_pin(p, &listing.pinned);
    struct mln_result r = mln_inventory_scan(read, MLN_COLLECTION_ASSESSMENTS, scope, after, list_row, &listing);
    mln_content_unpin(p, &listing.pinned);
    return r;
}

struct mln_result mln_posture_assessments(struct mln_posture *p, const struct mln_ruleset *rules,
                                          const struct mln_posture_query *query, mln_assessment_visit visit,
                                          void *context)
{
    return query->at_ms ? mln_posture_assessments_then(p, rules, query, visit, context)
                        : assessments_now(p, rules, query, visit, context);
}
