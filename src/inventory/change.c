/* Preparing what a new document does to a stored resource: pure but for the batch that it is added to at the end. */
#include "inventory/inventory.h"

#include "base/time.h"
#include "json/writer.h"

enum { MAX_CHANGED_PATHS = 64, MAX_TYPE_BYTES = 256, MAX_ACTOR_BYTES = 512 };

/* What changes with each look at a resource and says nothing about it: no history is kept of it. */
static const char *const volatile_path[] = {"properties", "facts", "collected"};

struct mln_result mln_resource_check(const struct mln_json *document, struct mln_arena *arena, struct mln_arm_id *id,
                                     struct mln_str *key)
{
    if (!mln_json_is(document, MLN_JSON_OBJECT))
        return mln_fail(MLN_E_INVALID, "a resource must be an object, is %s", mln_json_kind_name(document));
    struct mln_str text = mln_json_str(mln_json_get(document, MLN_S("id")), MLN_S(""));
    if (!text.n)
        return mln_fail(MLN_E_INVALID, "a resource must have an id");
    MLN_TRY(mln_arm_id_parse(text, id));
    if (!id->subscription.p || !id->provider.p)
        return mln_fail(MLN_E_INVALID, "'%.*s' is not the id of a resource below a subscription", MLN_FMT(text));
    struct mln_str type = mln_json_str(mln_json_get(document, MLN_S("type")), MLN_S(""));
    if (!type.n || type.n > MAX_TYPE_BYTES)
        return mln_fail(MLN_E_INVALID, "a resource must have a type of 1 to %d bytes", MAX_TYPE_BYTES);
    const struct mln_json *name = mln_json_get(document, MLN_S("name"));
    if (name && !mln_str_eq_nocase(mln_json_str(name, MLN_S("")), id->name))
        return mln_fail(MLN_E_INVALID, "the name of a resource must be the last segment of its id, '%.*s'",
                        MLN_FMT(id->name));
    MLN_TRY_STR(arena, *key, mln_str_lower(arena, id->whole));
    return MLN_OK;
}

/* The object without the member; the object itself when it has none. */
static struct mln_result without(struct mln_arena *arena, const struct mln_json *object, struct mln_str name,
                                 const struct mln_json **out)
{
    *out = object;
    if (!mln_json_get(object, name))
        return MLN_OK;
    struct mln_json *copy;
    struct mln_json_member *members;
    MLN_TRY_NEW(arena, copy);
    MLN_TRY_ARRAY(arena, members, object->n);
    uint32_t n = 0;
    for (uint32_t i = 0; i < object->n; i++)
        if (!mln_str_eq(object->members[i].name, name))
            members[n++] = object->members[i];
    *copy = (struct mln_json){.kind = MLN_JSON_OBJECT, .n = n, .members = members};
    *out = copy;
    return MLN_OK;
}

/* json without members that are null, at any depth of objects: a rule cannot tell them from absent ones, and a merge patch
   cannot say them. */
static struct mln_result without_nulls(struct mln_arena *arena, const struct mln_json *json, struct mln_json *out)
{
    *out = *json;
    if (json->kind != MLN_JSON_OBJECT)
        return MLN_OK;
    struct mln_json_member *members;
    MLN_TRY_ARRAY(arena, members, json->n);
    out->n = 0;
    out->members = members;
    for (uint32_t i = 0; i < json->n; i++) {
        if (json->members[i].value.kind == MLN_JSON_NULL)
            continue;
        members[out->n] = json->members[i];
        MLN_TRY(without_nulls(arena, &json->members[i].value, &members[out->n].value));
        out->n++;
    }
    return MLN_OK;
}

/* True when the patch touches the volatile member and nothing else. */
static bool only_volatile(const struct mln_json *patch)
{
    for (size_t i = 0; i < sizeof volatile_path / sizeof *volatile_path; i++) {
        if (!mln_json_is(patch, MLN_JSON_OBJECT) || patch->n != 1 ||
            !mln_str_eq(patch->members[0].name, mln_str_c(volatile_path[i])))
            return false;
        patch = &patch->members[0].value;
    }
    return true;
}

/* Appends the paths of the patch's leaves to w, depth first, until there are enough of them. */
static void put_paths(struct mln_json_writer *w, const struct mln_json *patch, struct mln_buf *path, size_t *n)
{
    for (uint32_t i = 0; i < patch->n && *n < MAX_CHANGED_PATHS; i++) {
        size_t before = path->n;
        const struct mln_json_member *member = &patch->members[i];
        if (!mln_ok(mln_buf_printf(path, "%s%.*s", before ? "." : "", MLN_FMT(member->name)))) {
            mln_json_put_str(w, mln_buf_str(path)); /* too long to be said whole: its beginning */
            ++*n;
        } else if (member->value.kind == MLN_JSON_OBJECT && member->value.n) {
            put_paths(w, &member->value, path, n);
        } else {
            mln_json_put_str(w, mln_buf_str(path));
            ++*n;
        }
        path->n = before;
    }
}

/* The text of the patch where it is small enough, else p NULL. */
static struct mln_result patch_text(struct mln_arena *arena, const struct mln_json *patch, struct mln_str *out)
{
    struct mln_buf text MLN_BUF_CLEANUP = MLN_BUF(MLN_RESOURCE_MAX_PATCH_BYTES);
    struct mln_result r = mln_json_write(&text, patch, false);
    *out = (struct mln_str){NULL, 0};
    if (r.code == MLN_E_LIMIT)
        return MLN_OK;
    MLN_TRY(r);
    MLN_TRY_STR(arena, *out, mln_str_dup(arena, mln_buf_str(&text)));
    return MLN_OK;
}

static struct mln_result write_event(struct mln_arena *arena, struct mln_str actor, const struct mln_json *patch,
                                     struct mln_resource_change *change)
{
    struct mln_buf text MLN_BUF_CLEANUP = MLN_BUF(MLN_STORE_MAX_VALUE_BYTES), path MLN_BUF_CLEANUP = MLN_BUF(1024);
    struct mln_json_writer w = mln_json_writer(&text);
    struct mln_str small = {NULL, 0};
    mln_json_begin_object(&w);
    mln_json_member_str(&w, "kind", mln_str_c(mln_resource_change_words[change->kind]));
    mln_json_member_str(&w, "id", change->id);
    mln_json_member_str(&w, "type", change->type);
    mln_json_member_str(&w, "actor", mln_str_sub(actor, 0, MAX_ACTOR_BYTES));
    if (patch) {
        MLN_TRY(patch_text(arena, patch, &small));
        mln_json_name(&w, small.p ? MLN_S("patch") : MLN_S("changed"));
        if (small.p) {
            mln_json_put_raw(&w, small);
        } else {
            size_t n = 0;
            mln_json_begin_array(&w);
            put_paths(&w, patch, &path, &n);
            mln_json_end_array(&w);
        }
    }
    mln_json_end_object(&w);
    MLN_TRY(mln_json_writer_end(&w));
    MLN_TRY_STR(arena, change->event, mln_str_dup(arena, mln_buf_str(&text)));
    return MLN_OK;
}

static struct mln_result add_time(struct mln_arena *arena, struct mln_json_object *object, struct mln_str name,
                                  int64_t ms)
{
    char *text;
    MLN_TRY_ARRAY(arena, text, MLN_TIME_TEXT);
    return mln_json_add(arena, object, name, mln_json_of_str(mln_time_text(ms, text)));
}

/* systemData: who made the resource stays, who changed it last is actor. */
static struct mln_result make_system_data(struct mln_arena *arena, const struct mln_resource *before, int64_t now_ms,
                                          struct mln_str actor, struct mln_json *out)
{
    static const struct mln_str kept[] = {{"createdBy", 9}, {"createdAt", 9}};
    struct mln_json_object data = {0};
    const struct mln_json *old = before ? mln_json_get(before->document, MLN_S("systemData")) : NULL;
    actor = mln_str_sub(actor, 0, MAX_ACTOR_BYTES);
    for (size_t i = 0; old && i < 2; i++)
        if (mln_json_get(old, kept[i]))
            MLN_TRY(mln_json_add(arena, &data, kept[i], *mln_json_get(old, kept[i])));
    if (!before) {
        MLN_TRY(mln_json_add(arena, &data, kept[0], mln_json_of_str(actor)));
        MLN_TRY(add_time(arena, &data, kept[1], now_ms));
    }
    MLN_TRY(mln_json_add(arena, &data, MLN_S("lastModifiedBy"), mln_json_of_str(actor)));
    MLN_TRY(add_time(arena, &data, MLN_S("lastModifiedAt"), now_ms));
    *out = mln_json_object_done(&data);
    return MLN_OK;
}

/* The document with its name, and without a systemData of its own. */
static struct mln_result make_bare(struct mln_arena *arena, const struct mln_json *document, struct mln_str name,
                                   const struct mln_json **out)
{
    MLN_TRY(without(arena, document, MLN_S("systemData"), out));
    if (mln_json_get(*out, MLN_S("name")))
        return MLN_OK;
    struct mln_json_object object = {0};
    struct mln_json *whole;
    MLN_TRY_NEW(arena, whole);
    for (uint32_t i = 0; i < (*out)->n; i++)
        MLN_TRY(mln_json_add(arena, &object, (*out)->members[i].name, (*out)->members[i].value));
    MLN_TRY(mln_json_add(arena, &object, MLN_S("name"), mln_json_of_str(name)));
    *whole = mln_json_object_done(&object);
    *out = whole;
    return MLN_OK;
}

static struct mln_result make_stored(struct mln_arena *arena, const struct mln_json *bare,
                                     const struct mln_json *system, struct mln_resource_change *change)
{
    struct mln_json_object object = {0};
    struct mln_json *whole;
    MLN_TRY_NEW(arena, whole);
    for (uint32_t i = 0; i < bare->n; i++)
        MLN_TRY(mln_json_add(arena, &object, bare->members[i].name, bare->members[i].value));
    MLN_TRY(mln_json_add(arena, &object, MLN_S("systemData"), *system));
    *whole = mln_json_object_done(&object);
    change->document = whole;
    struct mln_buf text MLN_BUF_CLEANUP = MLN_BUF(MLN_RESOURCE_MAX_BYTES);
    struct mln_result r = mln_json_write(&text, whole, false);
    if (!mln_ok(r))
        return mln_fail_at(r, "the resource '%.*s'", MLN_FMT(change->id));
    MLN_TRY_STR(arena, change->value, mln_str_dup(arena, mln_buf_str(&text)));
    return MLN_OK;
}

struct mln_result mln_resource_prepare(struct mln_arena *arena, const struct mln_resource *before,
                                       const struct mln_json *document, int64_t now_ms, struct mln_str actor,
                                       struct mln_resource_change *out)
{
    struct mln_arm_id id;
    const struct mln_json *bare, *old_bare = NULL, *patch = NULL;
    *out = (struct mln_resource_change){.kind = before ? MLN_RESOURCE_UPDATED : MLN_RESOURCE_CREATED};
    MLN_TRY(mln_resource_check(document, arena, &id, &out->key));
    MLN_TRY(make_bare(arena, document, id.name, &bare));
    out->id = mln_json_str(mln_json_get(bare, MLN_S("id")), out->key);
    out->type = mln_json_str(mln_json_get(bare, MLN_S("type")), MLN_S(""));
    out->name = mln_json_str(mln_json_get(bare, MLN_S("name")), id.name);
    if (before) {
        out->before_revision = before->revision;
        MLN_TRY(without(arena, before->document, MLN_S("systemData"), &old_bare));
        if (mln_json_equal(old_bare, bare)) {
            out->kind = MLN_RESOURCE_UNCHANGED;
            out->document = before->document;
            return MLN_OK;
        }
        struct mln_json from, to, *nothing;
        MLN_TRY(without_nulls(arena, old_bare, &from));
        MLN_TRY(without_nulls(arena, bare, &to));
        MLN_TRY_NEW(arena, nothing);
        nothing->kind = MLN_JSON_OBJECT;
        MLN_TRY(mln_json_diff(arena, &from, &to, &patch));
        patch = patch ? patch : nothing;
    }
    struct mln_json system;
    MLN_TRY(make_system_data(arena, before, now_ms, actor, &system));
    MLN_TRY(make_stored(arena, bare, &system, out));
    return patch && only_volatile(patch) ? MLN_OK : write_event(arena, actor, patch, out);
}

struct mln_result mln_resource_prepare_delete(struct mln_arena *arena, const struct mln_resource *before,
                                              struct mln_str actor, struct mln_resource_change *out)
{
    *out = (struct mln_resource_change){
        .kind = MLN_RESOURCE_DELETED,
        .key = before->key,
        .id = before->id,
        .type = before->type,
        .name = before->name,
        .before_revision = before->revision,
    };
    return write_event(arena, actor, NULL, out);
}

struct mln_result mln_resource_add(struct mln_store_batch *batch, const struct mln_resource_change *change,
                                   struct mln_moment moment)
{
    if (change->kind == MLN_RESOURCE_UNCHANGED)
        return MLN_OK;
    MLN_TRY(mln_store_expect(batch, MLN_COLLECTION_RESOURCES, change->key, change->before_revision));
    if (change->value.p)
        MLN_TRY(mln_store_put(batch, MLN_COLLECTION_RESOURCES, change->key, change->value));
    else
        MLN_TRY(mln_store_delete(batch, MLN_COLLECTION_RESOURCES, change->key));
    if (!change->event.p)
        return MLN_OK;
    char key[MLN_MOMENT_KEY + MLN_ARM_ID_MAX_BYTES + 1];
    mln_moment_key(moment, key);
    memcpy(key + MLN_MOMENT_KEY, change->key.p, change->key.n);
    return mln_store_put(batch, MLN_COLLECTION_RESOURCE_CHANGES, (struct mln_str){key, MLN_MOMENT_KEY + change->key.n},
                         change->event);
}
