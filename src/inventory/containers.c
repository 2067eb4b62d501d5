#include "inventory/containers.h"

#include "base/vec.h"
#include "model/arm_id.h"
#include "json/writer.h"

enum {
    MAX_TEXT_BYTES = 128, /* display names, locations */
    MAX_TAG_NAME_BYTES = 512,
    MAX_TAG_VALUE_BYTES = 256,
    MAX_CONTAINER_BYTES = 64 << 10,
    ARENA_BYTES = 1 << 20,
    TRIES = 8, /* of a change that others of the same container came before */
};

static struct mln_result new_arena(struct mln_arena **arena)
{
    *arena = mln_arena_new(ARENA_BYTES);
    return *arena ? MLN_OK : mln_fail(MLN_E_MEMORY, "no memory to look at a container");
}

static struct mln_result check_text(const char *what, struct mln_str text)
{
    if (text.n == 0 || text.n > MAX_TEXT_BYTES || !mln_str_is_utf8(text))
        return mln_fail(MLN_E_INVALID, "%s must have 1 to %d bytes of UTF-8", what, MAX_TEXT_BYTES);
    for (size_t i = 0; i < text.n; i++)
        if ((unsigned char)text.p[i] < 0x20 || text.p[i] == 0x7F)
            return mln_fail(MLN_E_INVALID, "%s must not have control characters", what);
    return MLN_OK;
}

/* What a stored container's JSON says. */
static struct mln_result parse_stored(struct mln_arena *arena, struct mln_str key, struct mln_str value,
                                      const struct mln_json **out)
{
    struct mln_result r = mln_json_parse(arena, value, MLN_STORE_MAX_VALUE_BYTES, out);
    return mln_ok(r) ? r : mln_fail_at(r, "the stored container %.*s", MLN_FMT(key));
}

static struct mln_result stored_time(const struct mln_json *json, const char *path, int64_t *ms)
{
    return mln_time_parse(mln_json_str(mln_json_path(json, path), MLN_S("")), ms);
}

/* The first of a collection's keys below prefix, if any, is a reason against deleting. */
static struct mln_result note_found(void *context, struct mln_str key, struct mln_str value, int64_t revision,
                                    bool *stop)
{
    (void)key, (void)value, (void)revision;
    *stop = *(bool *)context = true;
    return MLN_OK;
}

static struct mln_result expect_empty(struct mln_store_read *read, enum mln_collection c, struct mln_str prefix,
                                      const char *what)
{
    bool found = false;
    struct mln_store_scan scan = {.prefix = prefix, .limit = 1};
    MLN_TRY(mln_store_scan(read, c, &scan, note_found, &found));
    return found ? mln_fail(MLN_E_CONFLICT, "'%.*s' still has %s in it", MLN_FMT(prefix), what) : MLN_OK;
}

static struct mln_result commit(struct mln_store *store, struct mln_store_batch **batch)
{
    return mln_store_commit(store, MLN_TAKE(*batch), NULL);
}

static struct mln_result new_batch(struct mln_store_batch **batch)
{
    *batch = mln_store_batch_new();
    return *batch ? MLN_OK : mln_fail(MLN_E_MEMORY, "no memory for a change");
}

/* ---- subscriptions ---- */

static bool is_guid(struct mln_str text)
{
    if (text.n != 36)
        return false;
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        bool hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
        if (i == 8 || i == 13 || i == 18 || i == 23 ? c != '-' : !hex)
            return false;
    }
    return true;
}

static struct mln_result write_subscription(struct mln_buf *out, struct mln_str id, struct mln_str display_name,
                                            int64_t now_ms)
{
    char path[64];
    int n = snprintf(path, sizeof path, "/subscriptions/%.*s", MLN_FMT(id));
    struct mln_json_writer w = mln_json_writer(out);
    mln_json_begin_object(&w);
    mln_json_member_str(&w, "id", (struct mln_str){path, (size_t)n});
    mln_json_member_str(&w, "subscriptionId", id);
    mln_json_member_str(&w, "displayName", display_name);
    mln_json_member_str(&w, "state", MLN_S("Enabled"));
    mln_json_member_time(&w, "createdTime", now_ms);
    mln_json_end_object(&w);
    return mln_json_writer_end(&w);
}

struct mln_result mln_subscription_create(struct mln_store *store, const struct mln_clock *clock, struct mln_str id,
                                          struct mln_str display_name)
{
    struct mln_arena *arena MLN_CLEANUP(mln_arena_free) = NULL;
    struct mln_store_batch *batch MLN_CLEANUP(mln_store_batch_free) = NULL;
    struct mln_buf value MLN_BUF_CLEANUP = MLN_BUF(MAX_CONTAINER_BYTES);
    if (!is_guid(id))
        return mln_fail(MLN_E_INVALID, "the id of a subscription must be a GUID");
    MLN_TRY(check_text("the name of a subscription", display_name));
    struct mln_str key;
    MLN_TRY(new_arena(&arena));
    MLN_TRY_STR(arena, key, mln_str_lower(arena, id));
    MLN_TRY(write_subscription(&value, key, display_name, mln_now_ms(clock)));
    MLN_TRY(new_batch(&batch));
    MLN_TRY(mln_store_expect(batch, MLN_COLLECTION_SUBSCRIPTIONS, key, 0));
    MLN_TRY(mln_store_put(batch, MLN_COLLECTION_SUBSCRIPTIONS, key, mln_buf_str(&value)));
    struct mln_result r = commit(store, &batch);
    if (r.code == MLN_E_PRECONDITION)
        return mln_fail(MLN_E_CONFLICT, "the subscription '%.*s' exists already", MLN_FMT(key));
    return r;
}

struct mln_result mln_subscription_ensure(struct mln_store *store, const struct mln_clock *clock, struct mln_str id,
                                          struct mln_str display_name)
{
    struct mln_result r = mln_subscription_create(store, clock, id, display_name);
    return r.code == MLN_E_CONFLICT ? MLN_OK : r;
}

static struct mln_result read_subscription(struct mln_arena *arena, struct mln_str key, struct mln_str value,
                                           int64_t revision, struct mln_subscription *out)
{
    const struct mln_json *json;
    MLN_TRY(parse_stored(arena, key, value, &json));
    MLN_TRY_STR(arena, out->id, mln_str_dup(arena, key));
    out->display_name = mln_json_str(mln_json_get(json, MLN_S("displayName")), MLN_S(""));
    out->revision = revision;
    return stored_time(json, "createdTime", &out->created_ms);
}

/* The stored value too, for a change that leaves it as it is. */
static struct mln_result get_subscription(struct mln_store_read *read, struct mln_str id, struct mln_arena *arena,
                                          struct mln_subscription *out, struct mln_str *value)
{
    struct mln_str key;
    int64_t revision;
    struct mln_result r = MLN_OK;
    if (is_guid(id)) {
        MLN_TRY_STR(arena, key, mln_str_lower(arena, id));
        r = mln_store_get(read, MLN_COLLECTION_SUBSCRIPTIONS, key, arena, value, &revision);
    }
    if (!is_guid(id) || r.code == MLN_E_NOT_FOUND)
        return mln_fail(MLN_E_NOT_FOUND, "the subscription '%.*s' was not found", MLN_FMT(id));
    MLN_TRY(r);
    return read_subscription(arena, key, *value, revision, out);
}

struct mln_result mln_subscription_get(struct mln_store_read *read, struct mln_str id, struct mln_arena *arena,
                                       struct mln_subscription *out)
{
    struct mln_str value;
    return get_subscription(read, id, arena, out, &value);
}

struct subscription_list {
    struct mln_arena *arena;
    MLN_VEC(struct mln_subscription) found;
};

static struct mln_result list_subscription(void *context, struct mln_str key, struct mln_str value, int64_t revision,
                                           bool *stop)
{
    (void)stop;
    struct subscription_list *list = context;
    struct mln_subscription one;
    MLN_TRY(read_subscription(list->arena, key, value, revision, &one));
    return mln_vec_push(list->arena, &list->found, one);
}

struct mln_result mln_subscription_list(struct mln_store_read *read, struct mln_arena *arena,
                                        struct mln_subscription **out, size_t *n)
{
    struct subscription_list list = {.arena = arena};
    MLN_TRY(mln_store_scan(read, MLN_COLLECTION_SUBSCRIPTIONS, &(struct mln_store_scan){0}, list_subscription, &list));
    *out = list.found.at;
    *n = list.found.n;
    return MLN_OK;
}

static struct mln_result try_delete_subscription(struct mln_store *store, struct mln_str id)
{
    struct mln_arena *arena MLN_CLEANUP(mln_arena_free) = NULL;
    struct mln_store_read *read MLN_CLEANUP(mln_store_read_end) = NULL;
    struct mln_store_batch *batch MLN_CLEANUP(mln_store_batch_free) = NULL;
    struct mln_subscription subscription;
    struct mln_str prefix;
    MLN_TRY(new_arena(&arena));
    MLN_TRY(mln_store_read_begin(store, &read));
    MLN_TRY(mln_subscription_get(read, id, arena, &subscription));
    MLN_TRY_STR(arena, prefix, mln_str_printf(arena, "/subscriptions/%.*s/", MLN_FMT(subscription.id)));
    MLN_TRY(expect_empty(read, MLN_COLLECTION_RESOURCE_GROUPS, prefix, "a resource group"));
    MLN_TRY(expect_empty(read, MLN_COLLECTION_RESOURCES, prefix, "a resource"));
    MLN_TRY(new_batch(&batch));
    MLN_TRY(mln_store_expect(batch, MLN_COLLECTION_SUBSCRIPTIONS, subscription.id, subscription.revision));
    MLN_TRY(mln_store_delete(batch, MLN_COLLECTION_SUBSCRIPTIONS, subscription.id));
    return commit(store, &batch);
}

struct mln_result mln_subscription_delete(struct mln_store *store, struct mln_str id)
{
    struct mln_result r = {MLN_E_PRECONDITION};
    for (int i = 0; i < TRIES && r.code == MLN_E_PRECONDITION; i++)
        r = try_delete_subscription(store, id);
    return r;
}

/* ---- resource groups ---- */

static struct mln_result check_group_name(struct mln_str name)
{
    bool fine = name.n > 0 && name.n <= MLN_GROUP_MAX_NAME_BYTES && name.p[name.n - 1] != '.';
    for (size_t i = 0; fine && i < name.n; i++) {
        char c = name.p[i];
        fine = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c && strchr("_-.()", c));
    }
    return fine ? MLN_OK
                : mln_fail(
                      MLN_E_INVALID,
                      "the name of a resource group must be 1 to %d letters, digits, '_', '-', '.', '(' or ')', and "
                      "not end in '.'",
                      MLN_GROUP_MAX_NAME_BYTES);
}

static struct mln_result check_tags(const struct mln_json *tags)
{
    if (!tags)
        return MLN_OK;
    if (!mln_json_is(tags, MLN_JSON_OBJECT) || tags->n > MLN_GROUP_MAX_TAGS)
        return mln_fail(MLN_E_INVALID, "tags must be an object of at most %d strings", MLN_GROUP_MAX_TAGS);
    for (uint32_t i = 0; i < tags->n; i++) {
        const struct mln_json_member *tag = &tags->members[i];
        if (tag->name.n == 0 || tag->name.n > MAX_TAG_NAME_BYTES || tag->value.kind != MLN_JSON_STRING ||
            tag->value.n > MAX_TAG_VALUE_BYTES)
            return mln_fail(MLN_E_INVALID, "a tag must be a string of at most %d bytes under a name of 1 to %d",
                            MAX_TAG_VALUE_BYTES, MAX_TAG_NAME_BYTES);
    }
    return MLN_OK;
}

static struct mln_result write_group(struct mln_buf *out, const struct mln_group *group)
{
    struct mln_json_writer w = mln_json_writer(out);
    mln_json_begin_object(&w);
    mln_json_member_str(&w, "id", group->id);
    mln_json_member_str(&w, "name", group->name);
    mln_json_member_str(&w, "type", MLN_S("Microsoft.Resources/resourceGroups"));
    mln_json_member_str(&w, "location", group->location);
    mln_json_member_tree(&w, "tags", group->tags);
    mln_json_name(&w, MLN_S("properties"));
    mln_json_begin_object(&w);
    mln_json_member_str(&w, "provisioningState", MLN_S("Succeeded"));
    mln_json_end_object(&w);
    mln_json_name(&w, MLN_S("systemData"));
    mln_json_begin_object(&w);
    mln_json_member_time(&w, "createdAt", group->created_ms);
    mln_json_member_time(&w, "lastModifiedAt", group->modified_ms);
    mln_json_end_object(&w);
    mln_json_end_object(&w);
    return mln_json_writer_end(&w);
}

static const struct mln_json no_tags = {.kind = MLN_JSON_OBJECT};

static struct mln_result read_group(struct mln_arena *arena, struct mln_str key, struct mln_str value, int64_t revision,
                                    struct mln_group *out)
{
    const struct mln_json *json;
    MLN_TRY(parse_stored(arena, key, value, &json));
    const struct mln_json *tags = mln_json_get(json, MLN_S("tags"));
    struct mln_arm_id id;
    *out = (struct mln_group){
        .id = mln_json_str(mln_json_get(json, MLN_S("id")), MLN_S("")),
        .name = mln_json_str(mln_json_get(json, MLN_S("name")), MLN_S("")),
        .location = mln_json_str(mln_json_get(json, MLN_S("location")), MLN_S("")),
        .tags = mln_json_is(tags, MLN_JSON_OBJECT) ? tags : &no_tags,
        .revision = revision,
    };
    MLN_TRY(mln_arm_id_parse(out->id, &id));
    out->subscription = id.subscription;
    MLN_TRY(stored_time(json, "systemData.createdAt", &out->created_ms));
    return stored_time(json, "systemData.lastModifiedAt", &out->modified_ms);
}

static struct mln_result group_key(struct mln_arena *arena, struct mln_str subscription, struct mln_str name,
                                   struct mln_str *key)
{
    struct mln_str id;
    MLN_TRY_STR(arena, id,
                mln_str_printf(arena, "/subscriptions/%.*s/resourcegroups/%.*s", MLN_FMT(subscription), MLN_FMT(name)));
    MLN_TRY_STR(arena, *key, mln_str_lower(arena, id));
    return MLN_OK;
}

struct mln_result mln_group_get(struct mln_store_read *read, struct mln_str subscription, struct mln_str name,
                                struct mln_arena *arena, struct mln_group *out)
{
    struct mln_str key, value;
    int64_t revision;
    struct mln_result r = MLN_OK;
    bool possible = is_guid(subscription) && name.n > 0 && name.n <= MLN_GROUP_MAX_NAME_BYTES;
    if (possible) {
        MLN_TRY(group_key(arena, subscription, name, &key));
        r = mln_store_get(read, MLN_COLLECTION_RESOURCE_GROUPS, key, arena, &value, &revision);
    }
    if (!possible || r.code == MLN_E_NOT_FOUND)
        return mln_fail(MLN_E_NOT_FOUND, "the resource group '%.*s' was not found", MLN_FMT(name));
    MLN_TRY(r);
    return read_group(arena, key, value, revision, out);
}

struct group_list {
    struct mln_arena *arena;
    MLN_VEC(struct mln_group) found;
};

static struct mln_result list_group(void *context, struct mln_str key, struct mln_str value, int64_t revision,
                                    bool *stop)
{
    (void)stop;
    struct group_list *list = context;
    struct mln_group one;
    MLN_TRY(read_group(list->arena, key, value, revision, &one));
    return mln_vec_push(list->arena, &list->found, one);
}

struct mln_result mln_group_list(struct mln_store_read *read, struct mln_str subscription, struct mln_str after,
                                 size_t limit, struct mln_arena *arena, struct mln_group **out, size_t *n)
{
    struct group_list list = {.arena = arena};
    struct mln_store_scan scan = {.limit = limit};
    MLN_TRY(group_key(arena, subscription, MLN_S(""), &scan.prefix));
    if (after.p)
        MLN_TRY(group_key(arena, subscription, after, &scan.after));
    MLN_TRY(mln_store_scan(read, MLN_COLLECTION_RESOURCE_GROUPS, &scan, list_group, &list));
    *out = list.found.at;
    *n = list.found.n;
    return MLN_OK;
}

/* The group as it will be: of wanted's names and tags, with the past of the one that is there, if any. */
static struct mln_result plan_group(struct mln_store_read *read, const struct mln_group *wanted, int64_t now_ms,
                                    struct mln_arena *arena, struct mln_store_batch *batch, struct mln_group *out)
{
    struct mln_subscription subscription;
    struct mln_str subscription_value;
    MLN_TRY(get_subscription(read, wanted->subscription, arena, &subscription, &subscription_value));
    struct mln_result r = mln_group_get(read, wanted->subscription, wanted->name, arena, out);
    if (mln_ok(r)) {
        if (!mln_str_eq_nocase(out->location, wanted->location))
            return mln_fail(MLN_E_CONFLICT, "the resource group '%.*s' exists in the location '%.*s'",
                            MLN_FMT(out->name), MLN_FMT(out->location));
        out->tags = wanted->tags;
        out->modified_ms = now_ms;
        return MLN_OK;
    }
    if (r.code != MLN_E_NOT_FOUND)
        return r;
    *out = *wanted;
    out->subscription = subscription.id;
    out->created_ms = out->modified_ms = now_ms;
    MLN_TRY_STR(arena, out->id,
                mln_str_printf(arena, "/subscriptions/%.*s/resourceGroups/%.*s", MLN_FMT(subscription.id),
                               MLN_FMT(wanted->name)));
    /* Renewed as it is, so that a deletion that saw the subscription empty meets another revision. */
    MLN_TRY(mln_store_expect(batch, MLN_COLLECTION_SUBSCRIPTIONS, subscription.id, subscription.revision));
    return mln_store_put(batch, MLN_COLLECTION_SUBSCRIPTIONS, subscription.id, subscription_value);
}

static struct mln_result try_put_group(struct mln_store *store, const struct mln_group *wanted, int64_t now_ms,
                                       struct mln_arena *arena, bool *created, struct mln_group *out)
{
    struct mln_store_read *read MLN_CLEANUP(mln_store_read_end) = NULL;
    struct mln_store_batch *batch MLN_CLEANUP(mln_store_batch_free) = NULL;
    struct mln_buf value MLN_BUF_CLEANUP = MLN_BUF(MAX_CONTAINER_BYTES);
    struct mln_str key;
    MLN_TRY(new_batch(&batch));
    MLN_TRY(mln_store_read_begin(store, &read));
    MLN_TRY(plan_group(read, wanted, now_ms, arena, batch, out));
    *created = out->revision == 0;
    MLN_TRY(group_key(arena, out->subscription, out->name, &key));
    MLN_TRY(write_group(&value, out));
    MLN_TRY(mln_store_expect(batch, MLN_COLLECTION_RESOURCE_GROUPS, key, out->revision));
    MLN_TRY(mln_store_put(batch, MLN_COLLECTION_RESOURCE_GROUPS, key, mln_buf_str(&value)));
    return mln_store_commit(store, MLN_TAKE(batch), &out->revision);
}

struct mln_result mln_group_put(struct mln_store *store, const struct mln_clock *clock, struct mln_str subscription,
                                struct mln_str name, struct mln_str location, const struct mln_json *tags,
                                struct mln_arena *arena, bool *created, struct mln_group *out)
{
    struct mln_arena *own MLN_CLEANUP(mln_arena_free) = NULL;
    MLN_TRY(check_group_name(name));
    MLN_TRY(check_text("the location of a resource group", location));
    MLN_TRY(check_tags(tags));
    struct mln_group wanted = {
        .subscription = subscription, .name = name, .location = location, .tags = tags ? tags : &no_tags};
    struct mln_group made;
    bool is_new = false;
    if (!arena)
        MLN_TRY(new_arena(&own));
    struct mln_result r = {MLN_E_PRECONDITION};
    for (int i = 0; i < TRIES && r.code == MLN_E_PRECONDITION; i++)
        r = try_put_group(store, &wanted, mln_now_ms(clock), arena ? arena : own, &is_new, &made);
    MLN_TRY(r);
    if (created)
        *created = is_new;
    if (out)
        *out = made;
    return MLN_OK;
}

static struct mln_result try_delete_group(struct mln_store *store, struct mln_str subscription, struct mln_str name)
{
    struct mln_arena *arena MLN_CLEANUP(mln_arena_free) = NULL;
    struct mln_store_read *read MLN_CLEANUP(mln_store_read_end) = NULL;
    struct mln_store_batch *batch MLN_CLEANUP(mln_store_batch_free) = NULL;
    struct mln_group group;
    struct mln_str key, prefix;
    MLN_TRY(new_arena(&arena));
    MLN_TRY(mln_store_read_begin(store, &read));
    MLN_TRY(mln_group_get(read, subscription, name, arena, &group));
    MLN_TRY(group_key(arena, subscription, name, &key));
    MLN_TRY_STR(arena, prefix, mln_str_printf(arena, "%.*s/", MLN_FMT(key)));
    MLN_TRY(expect_empty(read, MLN_COLLECTION_RESOURCES, prefix, "a resource"));
    MLN_TRY(new_batch(&batch));
    MLN_TRY(mln_store_expect(batch, MLN_COLLECTION_RESOURCE_GROUPS, key, group.revision));
    MLN_TRY(mln_store_delete(batch, MLN_COLLECTION_RESOURCE_GROUPS, key));
    return commit(store, &batch);
}

struct mln_result mln_group_delete(struct mln_store *store, struct mln_str subscription, struct mln_str name)
{
    struct mln_result r = {MLN_E_PRECONDITION};
    for (int i = 0; i < TRIES && r.code == MLN_E_PRECONDITION; i++)
        r = try_delete_group(store, subscription, name);
    return r;
}
