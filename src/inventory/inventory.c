#include "inventory/inventory.h"

#include "base/fields.h"

const char *const mln_resource_change_words[] = {"unchanged", "created", "updated", "deleted", NULL};

struct mln_result mln_inventory_scope(struct mln_str scope, struct mln_arena *arena, struct mln_str *key)
{
    *key = MLN_S("");
    if (scope.n == 0)
        return MLN_OK;
    struct mln_arm_id id;
    MLN_TRY(mln_arm_id_parse(scope, &id));
    MLN_TRY_STR(arena, *key, mln_str_lower(arena, id.whole));
    return MLN_OK;
}

/* ---- walking what is at and below a scope ---- */

struct scope_walk {
    struct mln_str scope, after;
    mln_store_visit visit;
    void *context;
    bool stopped;
};

/* Hands on the entries of the scope's own id: the id alone, or the id and a tail. */
static struct mln_result visit_own(void *context, struct mln_str key, struct mln_str value, int64_t revision,
                                   bool *stop)
{
    struct scope_walk *walk = context;
    if (key.n > walk->scope.n && key.p[walk->scope.n] != MLN_KEY_TAIL) {
        *stop = true; /* a tail sorts before everything else that may follow the id */
        return MLN_OK;
    }
    if (walk->after.p && mln_str_cmp(key, walk->after) <= 0)
        return MLN_OK;
    struct mln_result r = walk->visit(walk->context, key, value, revision, stop);
    walk->stopped = *stop;
    return r;
}

struct mln_result mln_inventory_scan(struct mln_store_read *read, enum mln_collection c, struct mln_str scope,
                                     struct mln_str after, mln_store_visit visit, void *context)
{
    if (scope.n == 0)
        return mln_store_scan(read, c, &(struct mln_store_scan){.after = after}, visit, context);
    struct scope_walk walk = {scope, after, visit, context, false};
    MLN_TRY(mln_store_scan(read, c, &(struct mln_store_scan){.prefix = scope}, visit_own, &walk));
    if (walk.stopped)
        return MLN_OK;
    char below[MLN_ARM_ID_MAX_BYTES + 1];
    if (scope.n >= sizeof below)
        return mln_fail(MLN_E_INVALID, "a scope of %zu bytes is too long", scope.n);
    memcpy(below, scope.p, scope.n);
    below[scope.n] = '/';
    struct mln_store_scan scan = {.prefix = {below, scope.n + 1}, .after = after};
    return mln_store_scan(read, c, &scan, visit, context);
}

/* ---- resources now ---- */

/* The resource that a stored value is. */
static struct mln_result read_resource(struct mln_str key, struct mln_str value, int64_t revision,
                                       struct mln_arena *arena, struct mln_resource *out)
{
    const struct mln_json *document;
    struct mln_result r = mln_json_parse(arena, value, MLN_STORE_MAX_VALUE_BYTES, &document);
    if (!mln_ok(r))
        return mln_fail_at(r, "the stored resource %.*s", MLN_FMT(key));
    *out = (struct mln_resource){
        .key = key,
        .id = mln_json_str(mln_json_get(document, MLN_S("id")), key),
        .type = mln_json_str(mln_json_get(document, MLN_S("type")), MLN_S("")),
        .name = mln_json_str(mln_json_get(document, MLN_S("name")), MLN_S("")),
        .document = document,
        .revision = revision,
    };
    return MLN_OK;
}

struct mln_result mln_resource_get(struct mln_store_read *read, struct mln_str id, struct mln_arena *arena,
                                   struct mln_resource *out)
{
    struct mln_str key, value;
    int64_t revision;
    MLN_TRY(mln_inventory_scope(id, arena, &key));
    struct mln_result r = key.n ? mln_store_get(read, MLN_COLLECTION_RESOURCES, key, arena, &value, &revision)
                                : mln_fail(MLN_E_NOT_FOUND, "no id");
    if (r.code == MLN_E_NOT_FOUND)
        return mln_fail(MLN_E_NOT_FOUND, "the resource '%.*s' was not found", MLN_FMT(id));
    MLN_TRY(r);
    return read_resource(key, value, revision, arena, out);
}

struct list_walk {
    const struct mln_resource_query *query;
    struct mln_arena *arena; /* of one resource at a time */
    mln_resource_visit visit;
    void *context;
    size_t visited;
};

static struct mln_result visit_listed(void *context, struct mln_str key, struct mln_str value, int64_t revision,
                                      bool *stop)
{
    struct list_walk *walk = context;
    struct mln_resource resource;
    mln_arena_reset(walk->arena);
    MLN_TRY(read_resource(key, value, revision, walk->arena, &resource));
    if (walk->query->type.p && !mln_str_eq_nocase(resource.type, walk->query->type))
        return MLN_OK;
    MLN_TRY(walk->visit(walk->context, &resource, stop));
    if (++walk->visited == walk->query->limit)
        *stop = true;
    return MLN_OK;
}

static struct mln_result new_arena(struct mln_arena **arena)
{
    *arena = mln_arena_new(MLN_RESOURCE_ARENA_BYTES);
    return *arena ? MLN_OK : mln_fail(MLN_E_MEMORY, "no memory to read resources");
}

struct mln_result mln_resource_list(struct mln_store_read *read, const struct mln_resource_query *query,
                                    mln_resource_visit visit, void *context)
{
    struct mln_arena *arena MLN_CLEANUP(mln_arena_free) = NULL, *scratch MLN_CLEANUP(mln_arena_free) = NULL;
    MLN_TRY(new_arena(&arena));
    MLN_TRY(new_arena(&scratch));
    struct mln_str scope;
    MLN_TRY(mln_inventory_scope(query->scope, arena, &scope));
    struct list_walk walk = {query, scratch, visit, context, 0};
    return mln_inventory_scan(read, MLN_COLLECTION_RESOURCES, scope, query->after, visit_listed, &walk);
}

/* ---- what happened to them ---- */

static struct mln_result read_event(struct mln_str key, struct mln_str value, struct mln_arena *arena,
                                    struct mln_resource_event *out)
{
    const struct mln_json *json;
    struct mln_result r = mln_json_parse(arena, value, MLN_STORE_MAX_VALUE_BYTES, &json);
    if (!mln_ok(r))
        return mln_fail_at(r, "the stored change %.*s", MLN_FMT(key));
    *out = (struct mln_resource_event){
        .key = mln_str_sub(key, MLN_MOMENT_KEY, key.n),
        .id = mln_json_str(mln_json_get(json, MLN_S("id")), MLN_S("")),
        .type = mln_json_str(mln_json_get(json, MLN_S("type")), MLN_S("")),
        .actor = mln_json_str(mln_json_get(json, MLN_S("actor")), MLN_S("")),
        .patch = mln_json_get(json, MLN_S("patch")),
        .changed = mln_json_get(json, MLN_S("changed")),
    };
    int kind = mln_word_index(mln_resource_change_words, mln_json_str(mln_json_get(json, MLN_S("kind")), MLN_S("")));
    if (kind < 0)
        return mln_fail(MLN_E_CORRUPT, "the stored change %.*s is of no known kind", MLN_FMT(key));
    out->kind = (enum mln_resource_change_kind)kind;
    return mln_moment_parse(mln_str_sub(key, 0, MLN_MOMENT_KEY), &out->moment);
}

struct event_walk {
    struct mln_str scope;
    int64_t from_ms;
    size_t limit, visited;
    struct mln_arena *arena; /* of one event at a time */
    mln_resource_event_visit visit;
    void *context;
};

static struct mln_result visit_event(void *context, struct mln_str key, struct mln_str value, int64_t revision,
                                     bool *stop)
{
    (void)revision;
    struct event_walk *walk = context;
    struct mln_moment moment;
    MLN_TRY(mln_moment_parse(mln_str_sub(key, 0, MLN_MOMENT_KEY), &moment));
    if (moment.ms < walk->from_ms) {
        *stop = true;
        return MLN_OK;
    }
    if (walk->scope.n && !mln_arm_id_below(mln_str_sub(key, MLN_MOMENT_KEY, key.n), walk->scope))
        return MLN_OK;
    mln_arena_reset(walk->arena);
    struct mln_resource_event event;
    MLN_TRY(read_event(key, value, walk->arena, &event));
    MLN_TRY(walk->visit(walk->context, &event, stop));
    if (++walk->visited == walk->limit)
        *stop = true;
    return MLN_OK;
}

struct mln_result mln_resource_events(struct mln_store_read *read, struct mln_str scope, int64_t from_ms, int64_t to_ms,
                                      size_t limit, mln_resource_event_visit visit, void *context)
{
    struct mln_arena *arena MLN_CLEANUP(mln_arena_free) = NULL, *scratch MLN_CLEANUP(mln_arena_free) = NULL;
    MLN_TRY(new_arena(&arena));
    MLN_TRY(new_arena(&scratch));
    struct event_walk walk = {.from_ms = from_ms, .limit = limit, .arena = scratch, .visit = visit, .context = context};
    MLN_TRY(mln_inventory_scope(scope, arena, &walk.scope));
    if (to_ms <= from_ms)
        return MLN_OK;
    char before[MLN_MOMENT_KEY + 1]; /* backwards from the first key that is not wanted */
    mln_moment_key((struct mln_moment){to_ms, 0}, before);
    struct mln_store_scan scan = {.after = mln_str_c(before), .backwards = true};
    return mln_store_scan(read, MLN_COLLECTION_RESOURCE_CHANGES, &scan, visit_event, &walk);
}

static struct mln_result visit_last(void *context, struct mln_str key, struct mln_str value, int64_t revision,
                                    bool *stop)
{
    (void)value, (void)revision;
    *stop = true;
    return mln_moment_parse(mln_str_sub(key, 0, MLN_MOMENT_KEY), context);
}

struct mln_result mln_resource_last_moment(struct mln_store_read *read, struct mln_moment *moment)
{
    *moment = (struct mln_moment){0};
    struct mln_store_scan scan = {.backwards = true, .limit = 1};
    return mln_store_scan(read, MLN_COLLECTION_RESOURCE_CHANGES, &scan, visit_last, moment);
}
