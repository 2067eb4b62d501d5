/*
 * The queue of prepared work, and its commit. Whoever finds nobody leading leads: takes what is queued, works out the scores
 * on copies of the counts in the order of the queue, commits all as one batch outside the lock, and lets memory follow.
 * A group that fails is tried again one by one, so that no change fails for another's sake.
 */
#include "posture/engine.h"

enum {
    MAX_GROUP = 256,
    MAX_GROUP_BYTES = 16 << 20,
    MAX_CAUSES_BYTES = 8 << 20,
    GROUP_ARENA_BYTES = 64 << 20,
};

void mln_work_free(struct mln_work *work)
{
    free(MLN_TAKE(work->statuses));
    free(MLN_TAKE(work->next));
    if (work->with)
        mln_store_batch_free(MLN_TAKE(work->with));
}

/* ---- score changes as text ---- */

static void put_points(struct mln_json_writer *w, const char *name, mln_nanopoints points)
{
    char text[32];
    mln_json_name(w, mln_str_c(name));
    mln_json_put_raw(w, mln_score_text(points, 9, text)); /* all digits of a nanopoint: sums come out exact */
}

void mln_score_put_sums(struct mln_json_writer *w, const char *name, const struct mln_scope_score *score)
{
    mln_json_name(w, mln_str_c(name));
    mln_json_begin_object(w);
    put_points(w, "current", score->current);
    put_points(w, "max", score->max);
    mln_json_member_real(w, "percentage", score->percentage);
    mln_json_member_i64(w, "weight", score->weight);
    mln_json_end_object(w);
}

void mln_score_put_controls(struct mln_json_writer *w, const struct mln_catalog *catalog,
                            const struct mln_control_counts *controls)
{
    mln_json_name(w, MLN_S("controls"));
    mln_json_begin_array(w);
    for (uint32_t c = 0; c < catalog->n_controls; c++) {
        const struct mln_control_counts *counts = &controls[c];
        if (!counts->healthy && !counts->unhealthy && !counts->not_applicable)
            continue;
        mln_json_begin_array(w);
        mln_json_put_str(w, catalog->controls[c].id);
        mln_json_put_i64(w, catalog->controls[c].max_points);
        mln_json_put_i64(w, counts->healthy);
        mln_json_put_i64(w, counts->unhealthy);
        mln_json_put_i64(w, counts->not_applicable);
        mln_json_end_array(w);
    }
    mln_json_end_array(w);
}

void mln_score_put_cause(struct mln_json_writer *w, const struct mln_score_change *cause)
{
    mln_json_begin_object(w);
    mln_json_member_str(w, "kind", mln_str_c(cause->kind));
    mln_json_member_str(w, "resourceId", cause->resource_id);
    mln_json_member_str(w, "ruleKey", cause->rule_key);
    mln_json_member_str(w, "ruleId", cause->rule_id);
    mln_json_member_str(w, "control", cause->control);
    mln_json_member_str(w, "from", cause->from);
    mln_json_member_str(w, "to", cause->to);
    put_points(w, "points", cause->points);
    if (cause->max)
        put_points(w, "max", cause->max);
    mln_json_end_object(w);
}

/* ---- working out what a group does to the scores ---- */

/* One scope as it will be, if the group is committed. */
struct draft {
    uint32_t scope;
    struct mln_control_counts *controls;
    int64_t weight;
    bool touched;          /* some count is different */
    struct mln_buf causes; /* a JSON array's items */
    struct mln_json_writer writer;
};

struct group {
    struct mln_work *works[MAX_GROUP];
    size_t n;
    struct draft *drafts;
    size_t n_drafts;
    struct mln_moment moment;
    struct mln_arena *arena;
    struct mln_store_batch *batch;
};

static void group_done(struct group *group)
{
    for (size_t i = 0; i < group->n_drafts; i++)
        mln_buf_free(&group->drafts[i].causes);
    mln_arena_free(group->arena);
    mln_store_batch_free(group->batch);
}

static struct mln_result draft_of(struct mln_posture *p, struct group *group, uint32_t scope, struct draft **out)
{
    for (size_t i = 0; i < group->n_drafts; i++)
        if (group->drafts[i].scope == scope) {
            *out = &group->drafts[i];
            return MLN_OK;
        }
    const struct mln_counts *now = p->scopes.at[scope]->now;
    struct draft *draft = &group->drafts[group->n_drafts];
    size_t n = p->now->catalog->n_controls;
    *draft = (struct draft){.scope = scope, .weight = now->weight, .causes = MLN_BUF(MAX_CAUSES_BYTES)};
    MLN_TRY_ARRAY(group->arena, draft->controls, n);
    if (n)
        memcpy(draft->controls, now->controls, n * sizeof *now->controls);
    group->n_drafts++;
    draft->writer = mln_json_writer(&draft->causes);
    mln_json_begin_array(&draft->writer);
    *out = draft;
    return MLN_OK;
}

struct drafting {
    const struct mln_catalog *catalog;
    struct draft *draft;
    const struct mln_work *work;
    bool present;
};

static struct mln_str status_word(unsigned status)
{
    return status < MLN_NOT_ASSESSED ? mln_str_c(mln_status_words[status]) : (struct mln_str){NULL, 0};
}

static void draft_step(void *context, const struct mln_step *step)
{
    struct drafting *d = context;
    const struct mln_catalog_control *control = &d->catalog->controls[step->control];
    struct mln_control_counts *counts = &d->draft->controls[step->control];
    struct mln_control_score before = mln_score_control(control->max_points, counts);
    mln_counts_move(counts, step->before, step->after, 1);
    struct mln_control_score after = mln_score_control(control->max_points, counts);
    d->draft->touched = true;
    if (before.current == after.current && before.max == after.max)
        return;
    struct mln_score_change cause = {
        .kind = !d->present        ? "resourceAdded"
                : d->work->removes ? "resourceRemoved"
                                   : "resourceChanged",
        .resource_id = d->work->resource.id,
        .control = control->id,
        .from = status_word(step->from),
        .to = status_word(step->to),
        .points = after.current - before.current,
        .max = after.max - before.max,
    };
    if (step->rule != MLN_NONE) {
        cause.rule_key = d->catalog->rules[step->rule].key;
        cause.rule_id = d->catalog->rules[step->rule].id;
    }
    mln_score_put_cause(&d->draft->writer, &cause);
}

/* Leads one work's resource from its view of now to its new one, on the draft of its scope. */
static struct mln_result draft_work(struct mln_posture *p, struct group *group, const struct mln_work *work)
{
    struct draft *draft;
    if (!work->moves && !work->removes)
        return MLN_OK;
    MLN_TRY(draft_of(p, group, work->entry->scope, &draft));
    const struct mln_catalog *catalog = p->now->catalog;
    struct mln_view before = mln_entry_view(work->entry), after = {work->type, work->statuses};
    struct drafting drafting = {catalog, draft, work, work->entry->present};
    bool weighed = work->entry->present && mln_view_counts(catalog, &before, p->tallies);
    bool weighs = !work->removes && mln_view_counts(catalog, &after, p->tallies);
    draft->weight += weighs - weighed;
    draft->touched |= weighs != weighed;
    mln_shift_walk(p->same, work->entry->present ? &before : NULL, work->removes ? NULL : &after, p->tallies,
                   draft_step, &drafting);
    return MLN_OK;
}

static struct mln_result put_score_row(struct mln_posture *p, struct group *group, struct draft *draft)
{
    struct mln_buf value MLN_BUF_CLEANUP = MLN_BUF(MLN_STORE_MAX_VALUE_BYTES);
    const struct mln_scope *scope = p->scopes.at[draft->scope];
    const struct mln_catalog *catalog = p->now->catalog;
    if (!draft->touched)
        return MLN_OK;
    mln_json_end_array(&draft->writer);
    MLN_TRY(mln_json_writer_end(&draft->writer));
    struct mln_scope_score before = mln_counts_score(catalog, scope->now->controls, scope->now->weight);
    struct mln_scope_score after = mln_counts_score(catalog, draft->controls, draft->weight);
    struct mln_json_writer w = mln_json_writer(&value);
    mln_json_begin_object(&w);
    mln_json_member_time(&w, "time", group->moment.ms);
    mln_score_put_sums(&w, "before", &before);
    mln_score_put_sums(&w, "after", &after);
    mln_score_put_controls(&w, catalog, draft->controls);
    mln_json_name(&w, MLN_S("causes"));
    mln_json_put_raw(&w, mln_buf_str(&draft->causes));
    mln_json_end_object(&w);
    MLN_TRY(mln_json_writer_end(&w));
    struct mln_str key;
    MLN_TRY(mln_history_key(group->arena, mln_str_c(scope->id), '/', group->moment, &key));
    return mln_store_put(group->batch, MLN_COLLECTION_SCORE_CHANGES, key, mln_buf_str(&value));
}

static struct mln_result put_work(struct mln_posture *p, struct group *group, const struct mln_work *work)
{
    struct mln_str key = mln_entry_key(work->entry), history;
    MLN_TRY(mln_resource_add(group->batch, &work->resource, group->moment));
    if (work->removes)
        MLN_TRY(mln_store_delete(group->batch, MLN_COLLECTION_ASSESSMENTS, key));
    if (work->row.p)
        MLN_TRY(mln_store_put(group->batch, MLN_COLLECTION_ASSESSMENTS, key, work->row));
    if (work->earlier_record.p) {
        MLN_TRY(mln_history_key(group->arena, key, MLN_KEY_TAIL, p->since, &history));
        MLN_TRY(mln_store_put(group->batch, MLN_COLLECTION_ASSESSMENT_CHANGES, history, work->earlier_record));
    }
    if (work->record.p) {
        MLN_TRY(mln_history_key(group->arena, key, MLN_KEY_TAIL, group->moment, &history));
        MLN_TRY(mln_store_put(group->batch, MLN_COLLECTION_ASSESSMENT_CHANGES, history, work->record));
    }
    return MLN_OK;
}

/* Fills the group's batch. Lock held. */
static struct mln_result build(struct mln_posture *p, struct group *group)
{
    group->arena = mln_arena_new(GROUP_ARENA_BYTES);
    group->batch = group->works[0]->with ? MLN_TAKE(group->works[0]->with) : mln_store_batch_new();
    if (!group->arena || !group->batch)
        return mln_fail(MLN_E_MEMORY, "no memory for a commit");
    group->moment = p->moment = mln_moment_after(p->moment, mln_now_ms(&p->clock));
    MLN_TRY_ARRAY(group->arena, group->drafts, group->n);
    for (size_t i = 0; i < group->n; i++) {
        MLN_TRY(draft_work(p, group, group->works[i]));
        MLN_TRY(put_work(p, group, group->works[i]));
    }
    for (size_t i = 0; i < group->n_drafts; i++)
        MLN_TRY(put_score_row(p, group, &group->drafts[i]));
    return MLN_OK;
}

/* Memory follows what is durable now. Lock held. */
static void follow(struct mln_posture *p, struct mln_work *work)
{
    struct mln_entry *entry = work->entry;
    if (work->removes) {
        mln_entry_clear(p, entry);
        return;
    }
    entry->evaluated_ms = work->evaluated_ms;
    if (!work->moves)
        return;
    if (work->has_next)
        mln_entry_set_next(p, entry, work->next_type, MLN_TAKE(work->next));
    mln_entry_set(p, entry, work->type, MLN_TAKE(work->statuses));
}

static void finish(struct mln_work *work, struct mln_result result, int64_t revision)
{
    work->result = result;
    work->revision = revision;
    if (!mln_ok(result))
        snprintf(work->text, sizeof work->text, "%s", mln_error_text());
    work->done = true;
}

/* Commits some works as one batch. Lock held on entry and exit, not meanwhile. */
static struct mln_result commit_group(struct mln_posture *p, struct group *group)
{
    int64_t revision = 0;
    struct mln_result r = build(p, group);
    if (mln_ok(r)) {
        pthread_mutex_unlock(&p->lock);
        r = mln_store_commit(p->store, MLN_TAKE(group->batch), &revision);
        pthread_mutex_lock(&p->lock);
    }
    for (size_t i = 0; mln_ok(r) && i < group->n; i++) {
        follow(p, group->works[i]);
        finish(group->works[i], r, revision);
    }
    return r;
}

static size_t work_bytes(const struct mln_work *work)
{
    return work->resource.value.n + work->resource.event.n + work->row.n + work->record.n + work->earlier_record.n;
}

/* Takes from the queue what can go in one batch: a work with changes of its caller's goes alone. */
static void take_group(struct mln_posture *p, struct group *group)
{
    size_t bytes = 0;
    while (p->first && group->n < MAX_GROUP) {
        struct mln_work *work = p->first;
        bytes += work_bytes(work);
        if (group->n > 0 && (work->with || bytes > MAX_GROUP_BYTES))
            return;
        p->first = work->later;
        if (!p->first)
            p->last = NULL;
        group->works[group->n++] = work;
        if (work->with)
            return;
    }
}

/* Lock held on entry and exit. */
static void lead(struct mln_posture *p)
{
    struct group group = {0};
    p->leading = true;
    take_group(p, &group);
    struct mln_result r = commit_group(p, &group);
    if (!mln_ok(r) && group.n == 1)
        finish(group.works[0], r, 0);
    for (size_t i = 0; !mln_ok(r) && group.n > 1 && i < group.n; i++) {
        struct group one = {.works = {group.works[i]}, .n = 1};
        struct mln_result single = commit_group(p, &one);
        if (!mln_ok(single))
            finish(group.works[i], single, 0);
        group_done(&one);
    }
    group_done(&group);
    p->leading = false;
    pthread_cond_broadcast(&p->changed);
}

struct mln_result mln_work_commit(struct mln_posture *p, struct mln_work *work)
{
    pthread_mutex_lock(&p->lock);
    if (p->last)
        p->last->later = work;
    else
        p->first = work;
    p->last = work;
    while (!work->done) {
        if (p->leading)
            pthread_cond_wait(&p->changed, &p->lock);
        else
            lead(p);
    }
    pthread_mutex_unlock(&p->lock);
    return mln_ok(work->result) ? MLN_OK : mln_fail(work->result.code, "%s", work->text);
}
