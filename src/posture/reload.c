/*
 * Putting another rule set in force. Three parts: every resource is judged by it, in memory, while answers and changes go on
 * with the old one (a resource that changes meanwhile is judged by both); then one batch writes the scores' change and the
 * new catalog, and memory switches; then the stored rows are rewritten, a few at a time. Until a row's turn comes it is
 * brought up to date by whoever reads it, so no answer mixes two contents.
 */
#include "posture/engine.h"

enum {
    RESOURCES_A_PAGE = 256,
    ROWS_A_BATCH = 64,  /* rewritten while the gate is closed */
    ROWS_A_LOOK = 1024, /* read while the gate is closed */
    ARENA_BYTES = 256 << 20,
    MAX_CATALOG_BYTES = MLN_STORE_MAX_VALUE_BYTES,
};

static struct mln_result new_arena(struct mln_arena **arena)
{
    *arena = mln_arena_new(ARENA_BYTES);
    return *arena ? MLN_OK : mln_fail(MLN_E_MEMORY, "no memory to judge resources");
}

/* ---- judging everything by the next content ---- */

struct judging {
    struct mln_posture *p;
    struct mln_expr_run **runs; /* one a type of the next catalog, made when first needed */
    struct mln_arena *arena;    /* of one resource */
    struct mln_str last;        /* key of the last resource seen */
    char last_bytes[MLN_ARM_ID_MAX_BYTES + 1];
    size_t seen;
};

static struct mln_expr_run *run_for(struct judging *j, uint32_t type)
{
    if (type == MLN_NO_TYPE)
        return NULL;
    const struct mln_ruleset *rules = j->p->next->rules;
    if (!j->runs[type])
        j->runs[type] = mln_expr_run_new(rules->types[type].env, &j->p->clock, &mln_expr_default_limits);
    return j->runs[type];
}

/* The entry, when it still has to be judged. Lock held. */
static struct mln_entry *to_judge(struct mln_posture *p, struct mln_str key)
{
    const union mln_map_value *found = mln_map_get(p->entries, key);
    struct mln_entry *entry = found ? found->p : NULL;
    return entry && entry->present && !entry->next_known ? entry : NULL;
}

static struct mln_result judge_one(void *context, const struct mln_resource *resource, bool *stop)
{
    (void)stop;
    struct judging *j = context;
    struct mln_posture *p = j->p;
    struct mln_finding *findings;
    uint64_t *statuses;
    size_t n;
    j->seen++;
    memcpy(j->last_bytes, resource->key.p, resource->key.n);
    j->last = (struct mln_str){j->last_bytes, resource->key.n};
    mln_arena_reset(j->arena);
    uint32_t type = mln_catalog_type(p->next->catalog, resource->type);
    MLN_TRY(mln_assess(p->next->rules, resource->document, run_for(j, type), &p->clock, j->arena, &findings, &n));
    MLN_TRY(mln_statuses_of_findings(p->next->catalog, type, findings, n, &statuses));
    pthread_mutex_lock(&p->lock);
    struct mln_entry *entry = to_judge(p, resource->key); /* else it changed meanwhile, and was judged by both then */
    if (entry)
        mln_entry_set_next(p, entry, type, MLN_TAKE(statuses));
    pthread_mutex_unlock(&p->lock);
    free(statuses);
    return MLN_OK;
}

static struct mln_result judge_page(struct judging *j)
{
    struct mln_store_read *read MLN_CLEANUP(mln_store_read_end) = NULL;
    struct mln_resource_query query = {.after = j->last, .limit = RESOURCES_A_PAGE};
    MLN_TRY(mln_store_read_begin(j->p->store, &read));
    j->seen = 0;
    return mln_resource_list(read, &query, judge_one, j);
}

static struct mln_result judge_all(struct mln_posture *p)
{
    struct mln_arena *arena MLN_CLEANUP(mln_arena_free) = NULL;
    struct judging j = {.p = p};
    uint32_t n_types = p->next->catalog->n_types;
    MLN_TRY(new_arena(&arena));
    j.arena = arena;
    j.runs = calloc((size_t)n_types + 1, sizeof(struct mln_expr_run *));
    struct mln_result r = j.runs ? MLN_OK : mln_fail(MLN_E_MEMORY, "no memory to judge resources");
    do {
        if (mln_ok(r))
            r = judge_page(&j);
    } while (mln_ok(r) && j.seen == RESOURCES_A_PAGE);
    for (uint32_t i = 0; j.runs && i < n_types; i++)
        if (j.runs[i])
            mln_expr_run_free(j.runs[i]);
    free(j.runs);
    return r;
}

/* ---- the change of the scores ---- */

struct telescope {
    const struct mln_shift *shift;
    struct mln_control_counts *counts; /* by the shift's numbers, on the way from now to next */
    struct mln_json_writer w;
    mln_nanopoints moved; /* by the causes so far */
};

static int32_t max_of(const struct mln_shift *shift, uint32_t control, bool after)
{
    const struct mln_shift_control *c = &shift->controls[control];
    bool from = c->to == MLN_NONE || (!after && c->from != MLN_NONE);
    return from ? shift->from->controls[c->from].max_points : shift->to->controls[c->to].max_points;
}

static struct mln_str version_of(const struct mln_catalog *catalog, uint32_t rule)
{
    return rule == MLN_NONE ? (struct mln_str){NULL, 0} : catalog->rules[rule].version;
}

static void put_content_cause(struct telescope *t, const struct mln_shift_rule *rule, uint32_t control,
                              const struct mln_control_score *before, const struct mln_control_score *after)
{
    const struct mln_shift *shift = t->shift;
    if (before->current == after->current && before->max == after->max)
        return;
    struct mln_score_change cause = {
        .kind = "content",
        .control = shift->controls[control].id,
        .from = shift->from->version,
        .to = shift->to->version,
        .points = after->current - before->current,
        .max = after->max - before->max,
    };
    if (rule) {
        const struct mln_catalog_rule *named =
            rule->to != MLN_NONE ? &shift->to->rules[rule->to] : &shift->from->rules[rule->from];
        cause.rule_key = named->key;
        cause.rule_id = named->id;
        cause.from = version_of(shift->from, rule->from);
        cause.to = version_of(shift->to, rule->to);
    }
    t->moved += cause.points;
    mln_score_put_cause(&t->w, &cause);
}

static void add_counts(struct mln_control_counts *to, const struct mln_control_counts *from)
{
    to->healthy += from->healthy;
    to->unhealthy += from->unhealthy;
    to->not_applicable += from->not_applicable;
}

/* From the counts of now to those of next, rule by rule; then the controls whose maximum is another. */
static void put_causes(struct telescope *t, const struct mln_scope *scope)
{
    const struct mln_shift *shift = t->shift;
    for (uint32_t r = 0; r < shift->n_rules; r++) {
        const struct mln_shift_rule *rule = &shift->rules[r];
        for (uint32_t k = 0; k < rule->n_controls; k++) {
            uint32_t c = rule->controls[k];
            struct mln_control_score before = mln_score_control(max_of(shift, c, false), &t->counts[c]);
            add_counts(&t->counts[c], &scope->moved[rule->first_pair + k]);
            struct mln_control_score after = mln_score_control(max_of(shift, c, false), &t->counts[c]);
            put_content_cause(t, rule, c, &before, &after);
        }
    }
    for (uint32_t c = 0; c < shift->n_controls; c++) {
        struct mln_control_score before = mln_score_control(max_of(shift, c, false), &t->counts[c]);
        struct mln_control_score after = mln_score_control(max_of(shift, c, true), &t->counts[c]);
        put_content_cause(t, NULL, c, &before, &after);
    }
}

static bool scope_differs(const struct mln_posture *p, const struct mln_scope *scope)
{
    const struct mln_shift *shift = p->shift;
    static const struct mln_control_counts none;
    if (scope->now->weight != scope->next->weight)
        return true;
    for (uint32_t c = 0; c < shift->n_controls; c++) {
        const struct mln_shift_control *control = &shift->controls[c];
        const struct mln_control_counts *a = control->from == MLN_NONE ? &none : &scope->now->controls[control->from];
        const struct mln_control_counts *b = control->to == MLN_NONE ? &none : &scope->next->controls[control->to];
        bool any = a->healthy || a->unhealthy || b->healthy || b->unhealthy;
        if (memcmp(a, b, sizeof *a) || (any && max_of(shift, c, false) != max_of(shift, c, true)))
            return true;
    }
    return false;
}

static struct mln_result put_scope_change(struct mln_posture *p, const struct mln_scope *scope,
                                          struct mln_moment moment, struct mln_arena *arena,
                                          struct mln_store_batch *batch)
{
    struct mln_buf value MLN_BUF_CLEANUP = MLN_BUF(MLN_STORE_MAX_VALUE_BYTES);
    const struct mln_shift *shift = p->shift;
    struct telescope t = {.shift = shift, .w = mln_json_writer(&value)};
    if (!scope_differs(p, scope))
        return MLN_OK;
    MLN_TRY_ARRAY(arena, t.counts, shift->n_controls);
    for (uint32_t c = 0; c < shift->n_controls; c++)
        if (shift->controls[c].from != MLN_NONE)
            t.counts[c] = scope->now->controls[shift->controls[c].from];
    struct mln_scope_score before = mln_counts_score(shift->from, scope->now->controls, scope->now->weight);
    struct mln_scope_score after = mln_counts_score(shift->to, scope->next->controls, scope->next->weight);
    mln_json_begin_object(&t.w);
    mln_json_member_time(&t.w, "time", moment.ms);
    mln_score_put_sums(&t.w, "before", &before);
    mln_score_put_sums(&t.w, "after", &after);
    mln_score_put_controls(&t.w, shift->to, scope->next->controls);
    mln_json_name(&t.w, MLN_S("causes"));
    mln_json_begin_array(&t.w);
    put_causes(&t, scope);
    mln_json_end_array(&t.w);
    mln_json_end_object(&t.w);
    MLN_TRY(mln_json_writer_end(&t.w));
    if (t.moved != after.current - before.current)
        return mln_fail(MLN_E_INTERNAL, "the causes of a score change do not add up in '%s'", scope->id);
    struct mln_str key;
    MLN_TRY(mln_history_key(arena, mln_str_c(scope->id), '/', moment, &key));
    return mln_store_put(batch, MLN_COLLECTION_SCORE_CHANGES, key, mln_buf_str(&value));
}

static struct mln_result expect_all_judged(const struct mln_posture *p)
{
    size_t at = 0;
    struct mln_str key;
    union mln_map_value value;
    while (mln_map_next(p->entries, &at, &key, &value)) {
        const struct mln_entry *entry = value.p;
        if (entry->present && !entry->next_known)
            return mln_fail(MLN_E_CORRUPT, "the resource '%.*s' has assessments, but is not there", MLN_FMT(key));
    }
    return MLN_OK;
}

/* Writes what the switch changes, as one batch. The gate is closed. */
static struct mln_result commit_switch(struct mln_posture *p, struct mln_moment moment)
{
    struct mln_arena *arena MLN_CLEANUP(mln_arena_free) = NULL;
    struct mln_store_batch *batch MLN_CLEANUP(mln_store_batch_free) = mln_store_batch_new();
    struct mln_buf catalog MLN_BUF_CLEANUP = MLN_BUF(MAX_CATALOG_BYTES);
    char since[MLN_MOMENT_KEY + 1];
    MLN_TRY(new_arena(&arena));
    if (!batch)
        return mln_fail(MLN_E_MEMORY, "no memory for a commit");
    mln_moment_key(moment, since);
    MLN_TRY(expect_all_judged(p));
    MLN_TRY(mln_catalog_write(p->next->catalog, &catalog));
    MLN_TRY(mln_store_put(batch, MLN_COLLECTION_META, MLN_META_CATALOG, mln_buf_str(&catalog)));
    MLN_TRY(mln_store_put(batch, MLN_COLLECTION_META, MLN_META_SINCE, mln_str_c(since)));
    for (size_t i = 0; i < p->scopes.n; i++) {
        mln_arena_reset(arena);
        MLN_TRY(put_scope_change(p, p->scopes.at[i], moment, arena, batch));
    }
    return mln_store_commit(p->store, MLN_TAKE(batch), NULL);
}

/* ---- the switch ---- */

/* What the switch needs; all of it is there before anything is written, so that it cannot fail afterwards. */
struct switching {
    struct mln_content *content;
    struct mln_snapshot_pin *pin; /* owns content */
    struct mln_shift *shift, *same;
};

static struct mln_result prepare_switch(struct mln_posture *p, struct switching *s)
{
    MLN_TRY(mln_snapshot_prepare(p->contents, s->content, &s->pin));
    MLN_TRY(mln_shift_new(p->now->catalog, s->content->catalog, &s->shift));
    return mln_shift_new(s->content->catalog, s->content->catalog, &s->same);
}

/* From here on every change is judged by both contents. */
static struct mln_result begin_next(struct mln_posture *p, const struct switching *s)
{
    mln_gate_close(p);
    pthread_mutex_lock(&p->lock);
    p->next = s->content;
    p->shift = s->shift;
    struct mln_result r = mln_table_prepare_next(p);
    pthread_mutex_unlock(&p->lock);
    mln_gate_open(p);
    return r;
}

/* Ends the preparation, with the switch or without. The gate is closed. */
static void end_next(struct mln_posture *p, struct switching *s, bool put_in_force, struct mln_moment moment)
{
    struct mln_content *old = NULL;
    pthread_mutex_lock(&p->lock);
    if (put_in_force) {
        mln_table_switch(p);
        old = p->now->rules ? NULL : p->now; /* else the snapshot's */
        p->now = s->content;
        struct mln_shift *old_same = p->same;
        p->same = s->same;
        s->same = old_same;
        p->since = moment;
        p->behind = true;
        mln_snapshot_place(p->contents, MLN_TAKE(s->pin)); /* under the lock: who holds it sees one content only */
    } else {
        mln_table_drop_next(p);
    }
    p->next = NULL;
    p->shift = NULL;
    pthread_mutex_unlock(&p->lock);
    mln_shift_free(MLN_TAKE(s->shift));
    mln_shift_free(MLN_TAKE(s->same));
    mln_content_free(old);
}

struct mln_result mln_posture_switch(struct mln_posture *p, struct mln_content *content)
{
    struct switching s = {.content = content};
    struct mln_moment moment = {0};
    struct mln_result r = prepare_switch(p, &s);
    if (mln_ok(r)) {
        r = begin_next(p, &s);
        if (mln_ok(r))
            r = judge_all(p);
        mln_gate_close(p);
        if (mln_ok(r)) {
            p->moment = moment = mln_moment_after(p->moment, mln_now_ms(&p->clock));
            r = commit_switch(p, moment);
        }
        end_next(p, &s, mln_ok(r), moment);
        mln_gate_open(p);
    }
    mln_shift_free(s.shift);
    mln_shift_free(s.same);
    mln_snapshot_unpin(p->contents, s.pin);
    return mln_ok(r) ? mln_posture_catch_up(p) : r;
}

/* ---- rewriting the rows of earlier content ---- */

struct catching {
    struct mln_posture *p;
    struct mln_store_read *read;
    struct mln_store_batch *batch;
    struct mln_arena *arena; /* of one row */
    char after_bytes[MLN_ARM_ID_MAX_BYTES + 1];
    struct mln_str after;
    size_t looked, rewritten;
};

static struct mln_result rewrite(struct catching *c, struct mln_str key, const struct mln_stored *stored)
{
    struct mln_buf text MLN_BUF_CLEANUP = MLN_BUF(MLN_STORE_MAX_VALUE_BYTES);
    MLN_TRY(mln_row_write(&stored->row, &text));
    MLN_TRY(mln_store_put(c->batch, MLN_COLLECTION_ASSESSMENTS, key, mln_buf_str(&text)));
    c->rewritten++;
    if (!stored->record.n)
        return MLN_OK;
    struct mln_str history;
    mln_buf_clear(&text);
    MLN_TRY(mln_row_record_write(&stored->record, &text));
    MLN_TRY(mln_history_key(c->arena, key, MLN_KEY_TAIL, c->p->since, &history));
    return mln_store_put(c->batch, MLN_COLLECTION_ASSESSMENT_CHANGES, history, mln_buf_str(&text));
}

static struct mln_result catch_up_row(void *context, struct mln_str key, struct mln_str value, int64_t revision,
                                      bool *stop)
{
    (void)revision;
    struct catching *c = context;
    struct mln_posture *p = c->p;
    struct mln_stored stored = {0};
    mln_arena_reset(c->arena);
    MLN_TRY(mln_stored_row(c->read, p->now, &p->clock, p->since.ms, key, value, c->arena, &stored));
    if (stored.behind)
        MLN_TRY(rewrite(c, key, &stored));
    memcpy(c->after_bytes, key.p, key.n);
    c->after = (struct mln_str){c->after_bytes, key.n};
    *stop = ++c->looked == ROWS_A_LOOK || c->rewritten == ROWS_A_BATCH;
    return MLN_OK;
}

/* One batch of rows. The gate is closed, so that no change comes between reading and writing. */
static struct mln_result catch_up_some(struct catching *c)
{
    struct mln_store_read *read MLN_CLEANUP(mln_store_read_end) = NULL;
    struct mln_store_batch *batch MLN_CLEANUP(mln_store_batch_free) = mln_store_batch_new();
    struct mln_store_scan scan = {.after = c->after};
    if (!batch)
        return mln_fail(MLN_E_MEMORY, "no memory for a commit");
    MLN_TRY(mln_store_read_begin(c->p->store, &read));
    c->read = read;
    c->batch = batch;
    c->looked = c->rewritten = 0;
    MLN_TRY(mln_store_scan(read, MLN_COLLECTION_ASSESSMENTS, &scan, catch_up_row, c));
    return c->rewritten ? mln_store_commit(c->p->store, MLN_TAKE(batch), NULL) : MLN_OK;
}

struct mln_result mln_posture_catch_up(struct mln_posture *p)
{
    struct mln_arena *arena MLN_CLEANUP(mln_arena_free) = NULL;
    MLN_TRY(new_arena(&arena));
    struct catching c = {.p = p, .arena = arena};
    struct mln_result r;
    do {
        mln_gate_close(p);
        r = catch_up_some(&c);
        mln_gate_open(p);
    } while (mln_ok(r) && c.looked);
    MLN_TRY(r);
    pthread_mutex_lock(&p->lock);
    p->behind = false;
    pthread_mutex_unlock(&p->lock);
    return MLN_OK;
}

/* The rules are the same, and so is what is wrong with the files that are none: a broken file has no version. */
static bool is_in_force(struct mln_posture *p, const struct mln_ruleset *rules)
{
    const struct mln_ruleset *now;
    struct mln_snapshot_pin *pin = mln_posture_rules(p, &now);
    bool same = mln_str_eq(now->version, rules->version) && now->n_errors == rules->n_errors;
    for (size_t i = 0; same && i < now->n_errors; i++)
        same = mln_str_eq(now->errors[i].file, rules->errors[i].file) &&
               mln_str_eq(now->errors[i].text, rules->errors[i].text);
    mln_posture_unpin(p, pin);
    return same;
}

struct mln_result mln_posture_reload(struct mln_posture *p, struct mln_ruleset *rules)
{
    struct mln_content *content MLN_CLEANUP(mln_content_free) = NULL;
    MLN_TRY(mln_content_new(rules, &content));
    pthread_mutex_lock(&p->reloading);
    struct mln_result r = p->behind ? mln_posture_catch_up(p) : MLN_OK;
    if (mln_ok(r) && !is_in_force(p, content->rules))
        r = mln_posture_switch(p, MLN_TAKE(content));
    pthread_mutex_unlock(&p->reloading);
    return r;
}
