/* One resource in, changed or out: reads what is stored, judges, prepares, and has it committed. */
#include "posture/engine.h"

#include "inventory/containers.h"

enum {
    /* An unchanged resource that is reported again writes nothing but, once in so long, that it was looked at: between
       that, memory knows better than the store. */
    EVALUATED_STORED_EVERY_MS = 60 * 60 * 1000,
};

struct putting {
    const struct mln_json *document;
    int64_t expect;
    struct mln_str actor;
    struct mln_arm_id id;
    struct mln_str key;
    struct mln_arena *arena;
    bool created;
    int64_t revision;
};

static struct mln_result row_text(struct mln_arena *arena, const struct mln_row *row, struct mln_str *out)
{
    struct mln_buf text MLN_BUF_CLEANUP = MLN_BUF(MLN_STORE_MAX_VALUE_BYTES);
    MLN_TRY(mln_row_write(row, &text));
    MLN_TRY_STR(arena, *out, mln_str_dup(arena, mln_buf_str(&text)));
    return MLN_OK;
}

static struct mln_result record_text(struct mln_arena *arena, const struct mln_row_record *record, struct mln_str *out)
{
    struct mln_buf text MLN_BUF_CLEANUP = MLN_BUF(MLN_STORE_MAX_VALUE_BYTES);
    MLN_TRY(mln_row_record_write(record, &text));
    MLN_TRY_STR(arena, *out, mln_str_dup(arena, mln_buf_str(&text)));
    return MLN_OK;
}

static struct mln_result expect_containers(struct mln_store_read *read, const struct mln_arm_id *id,
                                           struct mln_arena *arena)
{
    struct mln_subscription subscription;
    struct mln_group group;
    MLN_TRY(mln_subscription_get(read, id->subscription, arena, &subscription));
    return id->group.p ? mln_group_get(read, id->subscription, id->group, arena, &group) : MLN_OK;
}

static struct mln_result expect_revision(const struct putting *put, bool exists, const struct mln_stored *stored)
{
    if (put->expect == MLN_POSTURE_ANY || (put->expect == MLN_POSTURE_NEW && !exists) ||
        (exists && put->expect == stored->resource.revision))
        return MLN_OK;
    if (put->expect == MLN_POSTURE_NEW)
        return mln_fail(MLN_E_PRECONDITION, "the resource '%.*s' exists already", MLN_FMT(put->id.whole));
    return mln_fail(MLN_E_PRECONDITION, "the resource '%.*s' is not at the expected revision", MLN_FMT(put->id.whole));
}

/* Judges the new document by one content; the findings are wanted for the content in force only. */
static struct mln_result judge(struct mln_posture *p, const struct mln_content *content,
                               const struct mln_resource_change *change, struct mln_arena *arena, uint32_t *type,
                               uint64_t **statuses, struct mln_finding **findings, size_t *n)
{
    MLN_TRY(mln_assess(content->rules, change->document, NULL, &p->clock, arena, findings, n));
    *type = mln_catalog_type(content->catalog, change->type);
    return mln_statuses_of_findings(content->catalog, *type, *findings, *n, statuses);
}

/* Fills work's rows: what the new judgement changes. *quiet: nothing is worth a commit. */
static struct mln_result prepare_rows(const struct mln_posture *p, const struct putting *put,
                                      const struct mln_stored *before, const struct mln_finding *findings, size_t n,
                                      int64_t now_ms, struct mln_work *work, bool *quiet)
{
    struct mln_row row = {.id = work->resource.id, .type = work->resource.type};
    struct mln_row_record record;
    MLN_TRY(mln_row_merge(put->arena, before ? &before->row : NULL, p->now->rules, findings, n, now_ms, &row, &record));
    bool respelt = before && (!mln_str_eq(before->row.id, row.id) || !mln_str_eq(before->row.type, row.type));
    bool due = before && now_ms - before->row.evaluated_ms >= EVALUATED_STORED_EVERY_MS;
    work->evaluated_ms = now_ms;
    *quiet = before && !record.n && !respelt && !due && !before->behind;
    if (*quiet)
        return MLN_OK;
    MLN_TRY(row_text(put->arena, &row, &work->row));
    if (before && before->behind)
        MLN_TRY(record_text(put->arena, &before->record, &work->earlier_record));
    return !before || record.n ? record_text(put->arena, &record, &work->record) : MLN_OK;
}

/* Everything that is to be known of the change before it can be queued. *quiet: there is nothing to commit. */
static struct mln_result prepare_put(struct mln_posture *p, struct putting *put, struct mln_work *work, bool *quiet)
{
    struct mln_store_read *read MLN_CLEANUP(mln_store_read_end) = NULL;
    struct mln_stored stored;
    MLN_TRY(mln_store_read_begin(p->store, &read));
    MLN_TRY(expect_containers(read, &put->id, put->arena));
    struct mln_result r = mln_stored_read(read, p->now, &p->clock, p->since.ms, put->key, put->arena, &stored);
    if (r.code != MLN_E_NOT_FOUND)
        MLN_TRY(r);
    const struct mln_stored *before = mln_ok(r) ? &stored : NULL;
    MLN_TRY(expect_revision(put, before != NULL, before));
    put->created = !before;
    put->revision = before ? before->resource.revision : 0;

    int64_t now_ms = mln_now_ms(&p->clock);
    if (before && now_ms < before->row.evaluated_ms)
        now_ms = before->row.evaluated_ms; /* the clock went back: a history does not */
    MLN_TRY(mln_resource_prepare(put->arena, before ? &before->resource : NULL, put->document, now_ms, put->actor,
                                 &work->resource));
    struct mln_finding *findings, *next_findings;
    size_t n, next_n;
    MLN_TRY(judge(p, p->now, &work->resource, put->arena, &work->type, &work->statuses, &findings, &n));
    if (p->next)
        MLN_TRY(judge(p, p->next, &work->resource, put->arena, &work->next_type, &work->next, &next_findings, &next_n));
    work->has_next = p->next != NULL;
    work->moves = true;
    MLN_TRY(prepare_rows(p, put, before, findings, n, now_ms, work, quiet));
    *quiet = *quiet && work->resource.kind == MLN_RESOURCE_UNCHANGED && !work->with;
    return MLN_OK;
}

static struct mln_result put_claimed(struct mln_posture *p, struct putting *put, struct mln_work *work)
{
    bool quiet;
    MLN_TRY(prepare_put(p, put, work, &quiet));
    if (quiet) {
        pthread_mutex_lock(&p->lock);
        work->entry->evaluated_ms = work->evaluated_ms;
        pthread_mutex_unlock(&p->lock);
        return MLN_OK;
    }
    MLN_TRY(mln_work_commit(p, work));
    if (work->resource.kind != MLN_RESOURCE_UNCHANGED)
        put->revision = work->revision;
    return MLN_OK;
}

/* Claims what an id names, in a subscription that exists: memory is made for no other. */
static struct mln_result claim(struct mln_posture *p, const struct mln_arm_id *id, struct mln_str key,
                               struct mln_arena *arena, struct mln_entry **entry)
{
    struct mln_str subscription;
    MLN_TRY(mln_posture_subscription(p, id->subscription, arena, &subscription));
    return mln_entry_claim(p, key, subscription, entry);
}

struct mln_result mln_posture_put_with(struct mln_posture *p, const struct mln_json *document, int64_t expect,
                                       struct mln_str actor, struct mln_store_batch *with, bool *created,
                                       int64_t *revision)
{
    struct mln_work work __attribute__((cleanup(mln_work_free))) = {.with = with};
    struct mln_arena *arena MLN_CLEANUP(mln_arena_free) = mln_arena_new(MLN_RESOURCE_ARENA_BYTES);
    struct putting put = {.document = document, .expect = expect, .actor = actor, .arena = arena};
    if (!arena)
        return mln_fail(MLN_E_MEMORY, "no memory to put a resource");
    MLN_TRY(mln_resource_check(document, arena, &put.id, &put.key));
    MLN_TRY(claim(p, &put.id, put.key, arena, &work.entry));
    struct mln_result r = put_claimed(p, &put, &work);
    mln_entry_release(p, work.entry);
    MLN_TRY(r);
    if (created)
        *created = put.created;
    if (revision)
        *revision = put.revision;
    return MLN_OK;
}

struct mln_result mln_posture_put(struct mln_posture *p, const struct mln_json *document, int64_t expect,
                                  struct mln_str actor, bool *created, int64_t *revision)
{
    return mln_posture_put_with(p, document, expect, actor, NULL, created, revision);
}

static struct mln_result prepare_delete(struct mln_posture *p, struct mln_str key, struct mln_str actor,
                                        struct mln_arena *arena, struct mln_work *work)
{
    struct mln_store_read *read MLN_CLEANUP(mln_store_read_end) = NULL;
    struct mln_stored before;
    struct mln_row_record record;
    MLN_TRY(mln_store_read_begin(p->store, &read));
    MLN_TRY(mln_stored_read(read, p->now, &p->clock, p->since.ms, key, arena, &before));
    int64_t now_ms = mln_now_ms(&p->clock);
    if (now_ms < before.row.evaluated_ms)
        now_ms = before.row.evaluated_ms;
    MLN_TRY(mln_resource_prepare_delete(arena, &before.resource, actor, &work->resource));
    MLN_TRY(mln_row_removal(arena, &before.row, now_ms, &record));
    MLN_TRY(record_text(arena, &record, &work->record));
    work->removes = true;
    return before.behind ? record_text(arena, &before.record, &work->earlier_record) : MLN_OK;
}

struct mln_result mln_posture_delete(struct mln_posture *p, struct mln_str id, struct mln_str actor)
{
    struct mln_work work __attribute__((cleanup(mln_work_free))) = {0};
    struct mln_arena *arena MLN_CLEANUP(mln_arena_free) = mln_arena_new(MLN_RESOURCE_ARENA_BYTES);
    struct mln_arm_id arm;
    struct mln_str key;
    if (!arena)
        return mln_fail(MLN_E_MEMORY, "no memory to delete a resource");
    MLN_TRY(mln_arm_id_parse(id, &arm));
    if (!arm.subscription.p || !arm.provider.p)
        return mln_fail(MLN_E_NOT_FOUND, "the resource '%.*s' was not found", MLN_FMT(id));
    MLN_TRY_STR(arena, key, mln_str_lower(arena, arm.whole));
    MLN_TRY(claim(p, &arm, key, arena, &work.entry));
    struct mln_result r = prepare_delete(p, key, actor, arena, &work);
    if (mln_ok(r))
        r = mln_work_commit(p, &work);
    mln_entry_release(p, work.entry);
    return r;
}

struct mln_result mln_posture_delete_group(struct mln_posture *p, struct mln_str subscription, struct mln_str name)
{
    mln_gate_close(p);
    struct mln_result r = mln_group_delete(p->store, subscription, name);
    mln_gate_open(p);
    return r;
}

struct mln_result mln_posture_delete_subscription(struct mln_posture *p, struct mln_str subscription)
{
    mln_gate_close(p);
    struct mln_result r = mln_subscription_delete(p->store, subscription);
    mln_gate_open(p);
    return r;
}
