/* Opening and closing the engine, and the rule set in force. */
#include "posture/engine.h"

enum { META_BYTES = 32 << 20 };

void mln_content_free(void *value)
{
    struct mln_content *content = value;
    if (!content)
        return;
    mln_ruleset_free(content->rules);
    mln_catalog_free(content->catalog);
    free(content);
}

struct mln_result mln_content_new(struct mln_ruleset *rules, struct mln_content **out)
{
    struct mln_content *content = calloc(1, sizeof *content);
    if (!content) {
        mln_ruleset_free(rules);
        return mln_fail(MLN_E_MEMORY, "no memory for a rule set");
    }
    content->rules = rules;
    struct mln_result r = mln_catalog_of(rules, &content->catalog);
    if (mln_ok(r))
        *out = content;
    else
        mln_content_free(content);
    return r;
}

/* ---- from the store to memory ---- */

/* The catalog that the store's counts are counts of, and since when. A new store's counts are of nothing. */
static struct mln_result read_catalog(struct mln_store_read *read, struct mln_moment *since, struct mln_catalog **out)
{
    static const struct mln_ruleset nothing = {.version = {"none", 4}};
    struct mln_arena *arena MLN_CLEANUP(mln_arena_free) = mln_arena_new(META_BYTES);
    struct mln_str value;
    if (!arena)
        return mln_fail(MLN_E_MEMORY, "no memory to open the engine");
    struct mln_result r = mln_store_get(read, MLN_COLLECTION_META, MLN_META_SINCE, arena, &value, NULL);
    if (r.code == MLN_E_NOT_FOUND)
        return mln_catalog_of(&nothing, out);
    MLN_TRY(r);
    MLN_TRY(mln_moment_parse(value, since));
    MLN_TRY(mln_store_get(read, MLN_COLLECTION_META, MLN_META_CATALOG, arena, &value, NULL));
    return mln_catalog_read(value, out);
}

static struct mln_result read_content(struct mln_store_read *read, struct mln_moment *since, struct mln_content **out)
{
    struct mln_content *content MLN_CLEANUP(mln_content_free) = calloc(1, sizeof *content);
    if (!content)
        return mln_fail(MLN_E_MEMORY, "no memory to open the engine");
    MLN_TRY(read_catalog(read, since, &content->catalog));
    *out = MLN_TAKE(content);
    return MLN_OK;
}

struct loading {
    struct mln_posture *p;
    struct mln_store_read *read;
    struct mln_arena *arena; /* of one row */
};

static struct mln_result load_row(void *context, struct mln_str key, struct mln_str value, int64_t revision, bool *stop)
{
    (void)revision, (void)stop;
    struct loading *loading = context;
    struct mln_posture *p = loading->p;
    struct mln_stored stored = {0};
    struct mln_arm_id id;
    struct mln_entry *entry;
    uint64_t *statuses;
    mln_arena_reset(loading->arena);
    MLN_TRY(mln_stored_row(loading->read, p->now, &p->clock, p->since.ms, key, value, loading->arena, &stored));
    MLN_TRY(mln_arm_id_parse(key, &id));
    MLN_TRY(mln_entry_add(p, key, id.subscription, &entry));
    uint32_t type = mln_catalog_type(p->now->catalog, stored.row.type);
    MLN_TRY(mln_statuses_of_row(p->now->catalog, type, &stored.row, &statuses));
    mln_entry_set(p, entry, type, statuses);
    entry->evaluated_ms = stored.row.evaluated_ms;
    p->behind |= stored.behind || !mln_str_eq(stored.row.version, p->now->catalog->version);
    return MLN_OK;
}

static struct mln_result load(struct mln_posture *p, struct mln_store_read *read)
{
    struct mln_arena *arena MLN_CLEANUP(mln_arena_free) = mln_arena_new(MLN_RESOURCE_ARENA_BYTES);
    if (!arena)
        return mln_fail(MLN_E_MEMORY, "no memory to open the engine");
    struct loading loading = {p, read, arena};
    MLN_TRY(mln_table_prepare_next(p));
    MLN_TRY(mln_resource_last_moment(read, &p->moment));
    if (mln_moment_cmp(p->since, p->moment) > 0)
        p->moment = p->since;
    return mln_store_scan(read, MLN_COLLECTION_ASSESSMENTS, &(struct mln_store_scan){0}, load_row, &loading);
}

/* Takes content (owned from here on) as what is in force. */
static struct mln_result start_with(struct mln_posture *p, struct mln_content *content)
{
    if (content->rules)
        MLN_TRY(mln_snapshot_publish(p->contents, content));
    p->now = content;
    return mln_shift_new(content->catalog, content->catalog, &p->same);
}

static struct mln_result open_on_store(struct mln_posture *p, struct mln_ruleset *rules)
{
    struct mln_content *given MLN_CLEANUP(mln_content_free) = NULL, *stored MLN_CLEANUP(mln_content_free) = NULL;
    struct mln_store_read *read MLN_CLEANUP(mln_store_read_end) = NULL;
    MLN_TRY(mln_content_new(rules, &given));
    MLN_TRY(mln_store_read_begin(p->store, &read));
    MLN_TRY(read_content(read, &p->since, &stored));
    bool same = mln_str_eq(stored->catalog->version, given->catalog->version);
    if (same)
        MLN_TRY(start_with(p, MLN_TAKE(given)));
    else
        MLN_TRY(start_with(p, MLN_TAKE(stored)));
    MLN_TRY(load(p, read));
    mln_store_read_end(MLN_TAKE(read));
    if (!same)
        return mln_posture_switch(p, MLN_TAKE(given));
    return p->behind ? mln_posture_catch_up(p) : MLN_OK;
}

struct mln_result mln_posture_open(struct mln_store *store, const struct mln_clock *clock, struct mln_ruleset *rules,
                                   struct mln_posture **out)
{
    struct mln_posture *p MLN_CLEANUP(mln_posture_close) = calloc(1, sizeof *p);
    if (!p) {
        mln_ruleset_free(rules);
        return mln_fail(MLN_E_MEMORY, "no memory for the engine");
    }
    p->store = store;
    p->clock = *clock;
    pthread_mutex_init(&p->lock, NULL);
    pthread_mutex_init(&p->reloading, NULL);
    pthread_cond_init(&p->changed, NULL);
    p->contents = mln_snapshot_new(mln_content_free);
    struct mln_result r = p->contents ? mln_table_open(p) : mln_fail(MLN_E_MEMORY, "no memory for the engine");
    if (!mln_ok(r)) {
        mln_ruleset_free(rules);
        return r;
    }
    MLN_TRY(open_on_store(p, rules));
    *out = MLN_TAKE(p);
    return MLN_OK;
}

void mln_posture_close(struct mln_posture *p)
{
    if (!p)
        return;
    mln_table_close(p);
    mln_shift_free(p->same);
    if (p->now && !p->now->rules)
        mln_content_free(p->now);
    mln_snapshot_free(p->contents);
    pthread_cond_destroy(&p->changed);
    pthread_mutex_destroy(&p->reloading);
    pthread_mutex_destroy(&p->lock);
    free(p);
}

void mln_content_pin(struct mln_posture *p, struct mln_pinned *out)
{
    void *content;
    pthread_mutex_lock(&p->lock);
    out->pin = mln_snapshot_pin(p->contents, &content);
    out->content = content;
    out->since_ms = p->since.ms;
    out->behind = p->behind;
    pthread_mutex_unlock(&p->lock);
}

void mln_content_unpin(struct mln_posture *p, struct mln_pinned *pinned)
{
    mln_snapshot_unpin(p->contents, pinned->pin);
}

struct mln_snapshot_pin *mln_posture_rules(struct mln_posture *p, const struct mln_ruleset **rules)
{
    void *value;
    struct mln_snapshot_pin *pin = mln_snapshot_pin(p->contents, &value);
    *rules = ((const struct mln_content *)value)->rules;
    return pin;
}

void mln_posture_unpin(struct mln_posture *p, struct mln_snapshot_pin *pin)
{
    mln_snapshot_unpin(p->contents, pin);
}
