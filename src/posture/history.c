/* Answers of then: scores from the score change nearest before the moment, assessments by replay of their changes. */
#include "posture/engine.h"

enum { ARENA_BYTES = 64 << 20 };

static struct mln_result new_arena(size_t bytes, struct mln_arena **arena)
{
    *arena = mln_arena_new(bytes);
    return *arena ? MLN_OK : mln_fail(MLN_E_MEMORY, "no memory to look back");
}

/* The moment in a key that ends in one. */
static struct mln_result moment_of(struct mln_str key, struct mln_moment *moment)
{
    return mln_moment_parse(mln_str_sub(key, key.n < MLN_MOMENT_KEY ? 0 : key.n - MLN_MOMENT_KEY, key.n), moment);
}

/* The first moment after at_ms: what lies before it has happened at at_ms. */
static struct mln_moment end_of(int64_t at_ms)
{
    return (struct mln_moment){at_ms < INT64_MAX ? at_ms + 1 : at_ms, 0};
}

/* ---- scores ---- */

struct score_then {
    const struct mln_ruleset *rules;
    struct mln_arena *arena;
    struct mln_posture_score *out;
};

static struct mln_result corrupt(const char *what)
{
    return mln_fail(MLN_E_CORRUPT, "a stored score change: %s", what);
}

static mln_nanopoints points_of(const struct mln_json *json)
{
    double points = mln_json_is(json, MLN_JSON_REAL) ? json->real : (double)mln_json_i64(json, 0);
    double nano = points * (double)MLN_NANOPOINTS_A_POINT;
    if (!(nano > -9e18 && nano < 9e18))
        return 0;
    return (mln_nanopoints)(nano < 0 ? nano - 0.5 : nano + 0.5);
}

/* One of "controls": [id, max, healthy, unhealthy, notApplicable]. Controls that the rule set does not have are left out. */
static struct mln_result read_control(const struct mln_json *entry, struct mln_posture_score *out)
{
    if (entry->kind != MLN_JSON_ARRAY || entry->n != 5)
        return corrupt("a control has another form");
    struct mln_str id = mln_json_str(&entry->items[0], MLN_S(""));
    int64_t max = mln_json_i64(&entry->items[1], -1);
    if (max < 0 || max > INT32_MAX)
        return corrupt("the points of a control");
    for (size_t i = 0; i < out->n_controls; i++) {
        struct mln_posture_control *control = &out->controls[i];
        if (!mln_str_eq_nocase(control->control->id, id))
            continue;
        control->counts = (struct mln_control_counts){
            mln_json_i64(&entry->items[2], 0), mln_json_i64(&entry->items[3], 0), mln_json_i64(&entry->items[4], 0)};
        control->score = mln_score_control((int32_t)max, &control->counts);
    }
    return MLN_OK;
}

static struct mln_result read_score(void *context, struct mln_str key, struct mln_str value, int64_t revision,
                                    bool *stop)
{
    (void)key, (void)revision, (void)stop;
    const struct score_then *then = context;
    const struct mln_json *json;
    if (!mln_ok(mln_json_parse(then->arena, value, MLN_STORE_MAX_VALUE_BYTES, &json)))
        return corrupt("it is no JSON");
    const struct mln_json *controls = mln_json_get(json, MLN_S("controls"));
    struct mln_scope_score *scope = &then->out->scope;
    if (!mln_json_is(controls, MLN_JSON_ARRAY))
        return corrupt("it has no controls");
    scope->current = points_of(mln_json_path(json, "after.current"));
    scope->max = points_of(mln_json_path(json, "after.max"));
    scope->weight = mln_json_i64(mln_json_path(json, "after.weight"), 0);
    scope->percentage = scope->max > 0 ? (double)scope->current / (double)scope->max : 0;
    for (uint32_t i = 0; i < controls->n; i++)
        MLN_TRY(read_control(&controls->items[i], then->out));
    return MLN_OK;
}

struct mln_result mln_posture_score_then(struct mln_posture *p, const struct mln_ruleset *rules, struct mln_str id,
                                         int64_t at_ms, struct mln_arena *arena, struct mln_posture_score *out)
{
    struct mln_store_read *read MLN_CLEANUP(mln_store_read_end) = NULL;
    struct mln_arena *scratch MLN_CLEANUP(mln_arena_free) = NULL;
    struct mln_store_scan scan = {.backwards = true, .limit = 1};
    MLN_TRY(new_arena(ARENA_BYTES, &scratch));
    *out = (struct mln_posture_score){.n_controls = rules->n_controls};
    MLN_TRY_ARRAY(arena, out->controls, rules->n_controls);
    for (size_t i = 0; i < rules->n_controls; i++)
        out->controls[i].control = &rules->controls[i];
    MLN_TRY_STR(scratch, scan.prefix, mln_str_printf(scratch, "%.*s/", MLN_FMT(id)));
    MLN_TRY(mln_history_key(scratch, id, '/', end_of(at_ms), &scan.after));
    struct score_then then = {rules, scratch, out};
    MLN_TRY(mln_store_read_begin(p->store, &read));
    return mln_store_scan(read, MLN_COLLECTION_SCORE_CHANGES, &scan, read_score, &then);
}

struct changes_walk {
    int64_t from_ms;
    mln_store_visit visit;
    void *context;
};

static struct mln_result visit_change(void *context, struct mln_str key, struct mln_str value, int64_t revision,
                                      bool *stop)
{
    struct changes_walk *walk = context;
    struct mln_moment moment;
    MLN_TRY(moment_of(key, &moment));
    if (moment.ms < walk->from_ms) {
        *stop = true;
        return MLN_OK;
    }
    return walk->visit(walk->context, key, value, revision, stop);
}

struct mln_result mln_posture_score_changes(struct mln_posture *p, struct mln_str subscription, int64_t from_ms,
                                            int64_t to_ms, size_t limit, mln_store_visit visit, void *context)
{
    struct mln_store_read *read MLN_CLEANUP(mln_store_read_end) = NULL;
    struct mln_arena *arena MLN_CLEANUP(mln_arena_free) = NULL;
    struct mln_store_scan scan = {.backwards = true, .limit = limit};
    struct mln_str id;
    MLN_TRY(new_arena(ARENA_BYTES, &arena));
    MLN_TRY(mln_posture_subscription(p, subscription, arena, &id));
    if (to_ms <= from_ms)
        return MLN_OK;
    MLN_TRY_STR(arena, scan.prefix, mln_str_printf(arena, "%.*s/", MLN_FMT(id)));
    MLN_TRY(mln_history_key(arena, id, '/', (struct mln_moment){to_ms, 0}, &scan.after));
    struct changes_walk walk = {from_ms, visit, context};
    MLN_TRY(mln_store_read_begin(p->store, &read));
    return mln_store_scan(read, MLN_COLLECTION_SCORE_CHANGES, &scan, visit_change, &walk);
}

/* ---- assessments ---- */

/* The changes of one resource follow each other, oldest first; when the next resource begins, the last one is told. */
struct replay {
    struct mln_posture *p;
    struct mln_store_read *read;
    struct mln_pinned pinned;
    const struct mln_ruleset *rules;
    int64_t at_ms;
    struct mln_arena *arena; /* of one resource */
    struct mln_str key;      /* of the resource being replayed; p NULL: none yet */
    struct mln_row row;
    bool there, stopped;
    mln_assessment_visit visit;
    void *context;
};

/* The content of now changed this resource's findings by then, and nobody has written that down yet. */
static struct mln_result add_unwritten(struct replay *replay)
{
    struct mln_stored stored;
    const struct mln_pinned *pinned = &replay->pinned;
    if (!pinned->behind || replay->at_ms < pinned->since_ms)
        return MLN_OK;
    struct mln_result r = mln_stored_read(replay->read, pinned->content, &replay->p->clock, pinned->since_ms,
                                          replay->key, replay->arena, &stored);
    if (r.code == MLN_E_NOT_FOUND)
        return MLN_OK;
    MLN_TRY(r);
    if (stored.behind)
        replay->row = stored.row;
    return MLN_OK;
}

static struct mln_result tell(struct replay *replay, bool *stop)
{
    if (!replay->there)
        return MLN_OK;
    MLN_TRY(add_unwritten(replay));
    return mln_row_visit(&replay->row, replay->rules, replay->row.evaluated_ms, replay->visit, replay->context, stop);
}

static struct mln_result begin_resource(struct replay *replay, struct mln_str key, bool *stop)
{
    MLN_TRY(tell(replay, stop));
    replay->stopped = *stop;
    mln_arena_reset(replay->arena);
    replay->row = (struct mln_row){0};
    replay->there = false;
    MLN_TRY_STR(replay->arena, replay->key, mln_str_dup(replay->arena, key));
    return MLN_OK;
}

static struct mln_result replay_change(void *context, struct mln_str key, struct mln_str value, int64_t revision,
                                       bool *stop)
{
    (void)revision;
    struct replay *replay = context;
    struct mln_moment moment;
    struct mln_row_record record;
    MLN_TRY(moment_of(key, &moment));
    struct mln_str resource = mln_str_sub(key, 0, key.n > MLN_MOMENT_KEY ? key.n - MLN_MOMENT_KEY - 1 : 0);
    if (!replay->key.p || !mln_str_eq(resource, replay->key))
        MLN_TRY(begin_resource(replay, resource, stop));
    if (*stop || moment.ms > replay->at_ms)
        return MLN_OK;
    MLN_TRY(mln_row_record_read(replay->arena, value, &record));
    replay->there = !record.gone;
    if (record.gone)
        replay->row = (struct mln_row){0};
    return record.gone ? MLN_OK : mln_row_apply(replay->arena, &replay->row, &record);
}

/* The key behind all changes of the resource with this id; p NULL stays. */
static struct mln_result after_resource(struct mln_str id, struct mln_arena *arena, struct mln_str *key)
{
    *key = id;
    if (!id.p)
        return MLN_OK;
    MLN_TRY(mln_inventory_scope(id, arena, key));
    MLN_TRY_STR(arena, *key, mln_str_printf(arena, "%.*s%c\x7F", MLN_FMT(*key), MLN_KEY_TAIL));
    return MLN_OK;
}

struct mln_result mln_posture_assessments_then(struct mln_posture *p, const struct mln_ruleset *rules,
                                               const struct mln_posture_query *query, mln_assessment_visit visit,
                                               void *context)
{
    struct mln_store_read *read MLN_CLEANUP(mln_store_read_end) = NULL;
    struct mln_arena *small MLN_CLEANUP(mln_arena_free) = NULL, *arena MLN_CLEANUP(mln_arena_free) = NULL;
    struct mln_str scope, after;
    bool stop = false;
    MLN_TRY(new_arena(ARENA_BYTES, &small));
    MLN_TRY(new_arena(MLN_RESOURCE_ARENA_BYTES, &arena));
    MLN_TRY(mln_inventory_scope(query->scope, small, &scope));
    MLN_TRY(after_resource(query->after, small, &after));
    MLN_TRY(mln_store_read_begin(p->store, &read));
    struct replay replay = {.p = p,
                            .read = read,
                            .rules = rules,
                            .at_ms = query->at_ms,
                            .arena = arena,
                            .visit = visit,
                            .context = context};
    mln_content_pin(p, &replay.pinned);
    struct mln_result r =
        mln_inventory_scan(read, MLN_COLLECTION_ASSESSMENT_CHANGES, scope, after, replay_change, &replay);
    if (mln_ok(r) && !replay.stopped)
        r = tell(&replay, &stop);
    mln_content_unpin(p, &replay.pinned);
    return r;
}
