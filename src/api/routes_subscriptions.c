/* Microsoft.Resources without a provider in the path: tenants, subscriptions, locations, resource groups. */
#include "api/route.h"
#include "model/arm_id.h"

#define VERSIONS "2019-11-01 2021-04-01 2022-12-01"

static struct mln_result get_tenants(struct mln_request *request, struct mln_reply *reply)
{
    struct mln_str id;
    MLN_TRY_STR(request->arena, id, mln_str_printf(request->arena, "/tenants/%.*s", MLN_FMT(request->api->tenant_id)));
    struct mln_json_writer *w = mln_reply_list_begin(reply);
    mln_json_begin_object(w);
    mln_json_member_str(w, "id", id);
    mln_json_member_str(w, "tenantId", request->api->tenant_id);
    mln_json_member_str(w, "displayName", request->api->tenant_name);
    mln_json_end_object(w);
    return mln_reply_list_end(request, reply, (struct mln_str){0});
}

/* ---- subscriptions: stored as {"id","subscriptionId","displayName","state"} ---- */

static struct mln_result put_subscription(struct mln_request *request, struct mln_json_writer *w, struct mln_str stored)
{
    const struct mln_json *json;
    MLN_TRY(mln_json_parse(request->arena, stored, stored.n, &json));
    struct mln_str none = {0};
    mln_json_begin_object(w);
    mln_json_member_str(w, "id", mln_json_str(mln_json_get(json, MLN_S("id")), none));
    mln_json_member_str(w, "subscriptionId", mln_json_str(mln_json_get(json, MLN_S("subscriptionId")), none));
    mln_json_member_str(w, "tenantId", request->api->tenant_id);
    mln_json_member_str(w, "displayName", mln_json_str(mln_json_get(json, MLN_S("displayName")), none));
    mln_json_member_str(w, "state", mln_json_str(mln_json_get(json, MLN_S("state")), MLN_S("Enabled")));
    mln_json_end_object(w);
    return MLN_OK;
}

static bool may_see(const struct mln_request *request, struct mln_str scope)
{
    return mln_access_somewhere(request->api->rbac, &request->caller, (struct mln_str){0}, scope);
}

struct listing {
    struct mln_request *request;
    struct mln_json_writer *w;
    struct mln_page page;
    struct mln_str last; /* key of the last item written; p NULL while nothing follows */
    size_t n;
    bool more;
};

/* True when the page is full; the scan then ends. */
static bool is_full(struct listing *list, bool *stop)
{
    list->more = *stop = list->n == list->page.limit;
    return *stop;
}

static struct mln_result list_subscription(void *context, struct mln_str key, struct mln_str value, int64_t revision,
                                           bool *stop)
{
    (void)revision, (void)stop;
    struct listing *list = context;
    struct mln_str scope;
    MLN_TRY_STR(list->request->arena, scope,
                mln_str_printf(list->request->arena, "/subscriptions/%.*s", MLN_FMT(key)));
    return may_see(list->request, scope) ? put_subscription(list->request, list->w, value) : MLN_OK;
}

static struct mln_result get_subscriptions(struct mln_request *request, struct mln_reply *reply)
{
    MLN_CLEANUP(mln_store_read_end) struct mln_store_read *read = NULL;
    MLN_TRY(mln_store_read_begin(request->api->store, &read));
    struct listing list = {.request = request, .w = mln_reply_list_begin(reply)};
    MLN_TRY(mln_store_scan(read, MLN_COLLECTION_SUBSCRIPTIONS, &(struct mln_store_scan){0}, list_subscription, &list));
    return mln_reply_list_end(request, reply, (struct mln_str){0});
}

static struct mln_result read_stored(struct mln_request *request, enum mln_collection collection, struct mln_str key,
                                     struct mln_str *value, int64_t *revision)
{
    MLN_CLEANUP(mln_store_read_end) struct mln_store_read *read = NULL;
    struct mln_str lower;
    MLN_TRY(mln_store_read_begin(request->api->store, &read));
    MLN_TRY_STR(request->arena, lower, mln_str_lower(request->arena, key));
    return mln_store_get(read, collection, lower, request->arena, value, revision);
}

static struct mln_result get_subscription(struct mln_request *request, struct mln_reply *reply)
{
    struct mln_str value;
    if (!may_see(request, request->scope))
        return mln_access_check(request->api->rbac, &request->caller, MLN_S("Microsoft.Resources/subscriptions/read"),
                                request->scope);
    MLN_TRY(read_stored(request, MLN_COLLECTION_SUBSCRIPTIONS, request->subscription, &value, NULL));
    struct mln_json_writer *w = mln_reply_json(reply, 200);
    MLN_TRY(put_subscription(request, w, value));
    return mln_json_writer_end(w);
}

static struct mln_result get_locations(struct mln_request *request, struct mln_reply *reply)
{
    struct mln_str id;
    MLN_TRY_STR(request->arena, id,
                mln_str_printf(request->arena, "%.*s/locations/" MLN_LOCATION, MLN_FMT(request->scope)));
    struct mln_json_writer *w = mln_reply_list_begin(reply);
    mln_json_begin_object(w);
    mln_json_member_str(w, "id", id);
    mln_json_member_str(w, "name", MLN_S(MLN_LOCATION));
    mln_json_member_str(w, "type", MLN_S("Region"));
    mln_json_member_str(w, "displayName", MLN_S("Local"));
    mln_json_member_str(w, "regionalDisplayName", MLN_S("Local"));
    mln_json_name(w, MLN_S("metadata"));
    mln_json_begin_object(w);
    mln_json_member_str(w, "regionType", MLN_S("Physical"));
    mln_json_member_str(w, "regionCategory", MLN_S("Recommended"));
    mln_json_end_object(w);
    mln_json_end_object(w);
    return mln_reply_list_end(request, reply, (struct mln_str){0});
}

/* ---- resource groups ---- */

static struct mln_result list_group(void *context, struct mln_str key, struct mln_str value, int64_t revision, bool *stop)
{
    (void)revision;
    struct listing *list = context;
    if (is_full(list, stop))
        return MLN_OK;
    if (!mln_access_somewhere(list->request->api->rbac, &list->request->caller,
                              MLN_S("Microsoft.Resources/subscriptions/resourceGroups/read"), key))
        return MLN_OK;
    mln_json_put_raw(list->w, value);
    MLN_TRY_STR(list->request->arena, list->last, mln_str_dup(list->request->arena, key));
    list->n++;
    return MLN_OK;
}

static struct mln_result get_groups(struct mln_request *request, struct mln_reply *reply)
{
    struct listing list = {.request = request};
    struct mln_str prefix;
    MLN_TRY(mln_request_page(request, &list.page));
    MLN_TRY_STR(request->arena, prefix, mln_str_printf(request->arena, "%.*s/", MLN_FMT(request->scope)));
    MLN_TRY_STR(request->arena, prefix, mln_str_lower(request->arena, prefix));
    MLN_CLEANUP(mln_store_read_end) struct mln_store_read *read = NULL;
    MLN_TRY(mln_store_read_begin(request->api->store, &read));
    list.w = mln_reply_list_begin(reply);
    struct mln_store_scan scan = {.prefix = prefix, .after = list.page.after};
    MLN_TRY(mln_store_scan(read, MLN_COLLECTION_RESOURCE_GROUPS, &scan, list_group, &list));
    return mln_reply_list_end(request, reply, list.more ? list.last : (struct mln_str){0});
}

static struct mln_result read_group(struct mln_request *request, struct mln_str *value, int64_t *revision)
{
    struct mln_result r = read_stored(request, MLN_COLLECTION_RESOURCE_GROUPS, request->scope, value, revision);
    if (r.code == MLN_E_NOT_FOUND)
        return mln_fail(MLN_E_NOT_FOUND, "Resource group '%.*s' could not be found.", MLN_FMT(request->group));
    return r;
}

/* ARM has a code word of its own for this one. */
static struct mln_result group_failure(struct mln_reply *reply, struct mln_result failure)
{
    return failure.code == MLN_E_NOT_FOUND ? mln_reply_error(reply, 404, "ResourceGroupNotFound", "%s", mln_error_text())
                                           : failure;
}

static struct mln_result get_group(struct mln_request *request, struct mln_reply *reply)
{
    struct mln_str value;
    struct mln_result r = read_group(request, &value, NULL);
    if (!mln_ok(r))
        return group_failure(reply, r);
    struct mln_json_writer *w = mln_reply_json(reply, 200);
    mln_json_put_raw(w, value);
    return mln_json_writer_end(w);
}

static struct mln_result check_group_name(struct mln_str name)
{
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (unsigned char)c > 0x7f;
        if (!plain && !strchr("-_().", c))
            return mln_fail(MLN_E_INVALID, "A resource group's name has letters, digits and -_(). only.");
    }
    if (name.n > 90 || name.p[name.n - 1] == '.')
        return mln_fail(MLN_E_INVALID, "A resource group's name has at most 90 characters and does not end with '.'.");
    return MLN_OK;
}

static struct mln_result check_tags(const struct mln_json *tags)
{
    if (!tags)
        return MLN_OK;
    if (!mln_json_is(tags, MLN_JSON_OBJECT) || tags->n > 50)
        return mln_fail(MLN_E_INVALID, "tags must be an object of at most 50 strings.");
    for (size_t i = 0; i < tags->n; i++)
        if (!mln_json_is(&tags->members[i].value, MLN_JSON_STRING))
            return mln_fail(MLN_E_INVALID, "tags must be an object of at most 50 strings.");
    return MLN_OK;
}

/* Writes the group as it is stored and served, into the reply. */
static struct mln_result write_group(struct mln_request *request, struct mln_reply *reply, int status,
                                     struct mln_str location, const struct mln_json *tags)
{
    struct mln_json_writer *w = mln_reply_json(reply, status);
    mln_envelope_begin(w, request->scope, request->group, "Microsoft.Resources/resourceGroups");
    mln_json_member_str(w, "location", location);
    mln_json_member_tree(w, "tags", tags);
    mln_envelope_properties(w);
    mln_json_member_str(w, "provisioningState", MLN_S("Succeeded"));
    mln_envelope_end(w);
    return mln_json_writer_end(w);
}

static struct mln_result commit_group(struct mln_request *request, const struct mln_reply *reply, int64_t revision)
{
    MLN_CLEANUP(mln_store_batch_free) struct mln_store_batch *batch = mln_store_batch_new();
    struct mln_str key;
    if (!batch)
        return mln_fail(MLN_E_MEMORY, "no memory for the change");
    MLN_TRY_STR(request->arena, key, mln_str_lower(request->arena, request->scope));
    MLN_TRY(mln_store_expect(batch, MLN_COLLECTION_RESOURCE_GROUPS, key, revision));
    MLN_TRY(mln_store_put(batch, MLN_COLLECTION_RESOURCE_GROUPS, key, mln_buf_str(&reply->body)));
    return mln_request_commit(request, MLN_TAKE(batch), NULL);
}

static struct mln_result put_group(struct mln_request *request, struct mln_reply *reply)
{
    const struct mln_json *body, *old = NULL;
    struct mln_arm_id parsed;
    struct mln_str value;
    int64_t revision = 0;
    MLN_TRY(mln_request_object(request, &body));
    MLN_TRY(mln_arm_id_parse(request->scope, &parsed));
    MLN_TRY(check_group_name(request->group));
    const struct mln_json *tags = mln_json_get_nocase(body, MLN_S("tags"));
    MLN_TRY(check_tags(tags));
    struct mln_result r = read_group(request, &value, &revision);
    if (mln_ok(r))
        MLN_TRY(mln_json_parse(request->arena, value, value.n, &old));
    else if (r.code != MLN_E_NOT_FOUND)
        return r;
    struct mln_str location = mln_json_str(mln_json_get_nocase(body, MLN_S("location")), (struct mln_str){0});
    struct mln_str old_location = mln_json_str(mln_json_get(old, MLN_S("location")), (struct mln_str){0});
    if (!location.n)
        return mln_reply_error(reply, 400, "LocationRequired", "The location property is required for a resource group.");
    if (old && !mln_str_eq_nocase(location, old_location))
        return mln_reply_error(reply, 409, "InvalidResourceGroupLocation",
                               "The resource group is in location '%.*s' and cannot move.", MLN_FMT(old_location));
    MLN_TRY(write_group(request, reply, old ? 200 : 201, location, tags));
    return commit_group(request, reply, revision);
}

static struct mln_result patch_group(struct mln_request *request, struct mln_reply *reply)
{
    const struct mln_json *body, *old;
    struct mln_str value;
    int64_t revision;
    MLN_TRY(mln_request_object(request, &body));
    struct mln_result r = read_group(request, &value, &revision);
    if (!mln_ok(r))
        return group_failure(reply, r);
    MLN_TRY(mln_json_parse(request->arena, value, value.n, &old));
    const struct mln_json *tags = mln_json_get_nocase(body, MLN_S("tags"));
    MLN_TRY(check_tags(tags));
    MLN_TRY(write_group(request, reply, 200, mln_json_str(mln_json_get(old, MLN_S("location")), MLN_S(MLN_LOCATION)),
                        tags ? tags : mln_json_get(old, MLN_S("tags"))));
    return commit_group(request, reply, revision);
}

static struct mln_result delete_group(struct mln_request *request, struct mln_reply *reply)
{
    struct mln_str value, key, prefix;
    int64_t revision;
    uint64_t resources;
    struct mln_result r = read_group(request, &value, &revision);
    if (!mln_ok(r))
        return group_failure(reply, r);
    MLN_TRY_STR(request->arena, key, mln_str_lower(request->arena, request->scope));
    MLN_TRY_STR(request->arena, prefix, mln_str_printf(request->arena, "%.*s/", MLN_FMT(key)));
    MLN_CLEANUP(mln_store_read_end) struct mln_store_read *read = NULL;
    MLN_TRY(mln_store_read_begin(request->api->store, &read));
    MLN_TRY(mln_store_count(read, MLN_COLLECTION_RESOURCES, prefix, &resources));
    if (resources)
        return mln_reply_error(reply, 409, "ResourceGroupNotEmpty",
                               "The resource group still holds %llu resources; delete them first.",
                               (unsigned long long)resources);
    MLN_CLEANUP(mln_store_batch_free) struct mln_store_batch *batch = mln_store_batch_new();
    if (!batch)
        return mln_fail(MLN_E_MEMORY, "no memory for the change");
    MLN_TRY(mln_store_expect(batch, MLN_COLLECTION_RESOURCE_GROUPS, key, revision));
    MLN_TRY(mln_store_delete(batch, MLN_COLLECTION_RESOURCE_GROUPS, key));
    MLN_TRY(mln_request_commit(request, MLN_TAKE(batch), NULL));
    return mln_reply_long_running(request, reply, 200, MLN_S(""));
}

#define GROUPS "Microsoft.Resources/subscriptions/resourceGroups/"

static const struct mln_route routes[] = {
    {MLN_GET, "/tenants", get_tenants, NULL, NULL, 0, 0},
    {MLN_GET, "/subscriptions", get_subscriptions, NULL, NULL, 0, 0},
    {MLN_GET, "{S}", get_subscription, NULL, NULL, 0, 0},
    {MLN_GET, "{S}/locations", get_locations, NULL, NULL, 0, 0},
    {MLN_GET, "{S}/resourceGroups", get_groups, NULL, VERSIONS, 0, 0},
    {MLN_GET, "{G}", get_group, GROUPS "read", VERSIONS, 0, 0},
    {MLN_PUT, "{G}", put_group, GROUPS "write", VERSIONS, 0, 0},
    {MLN_PATCH, "{G}", patch_group, GROUPS "write", VERSIONS, 0, 0},
    {MLN_DELETE, "{G}", delete_group, GROUPS "delete", VERSIONS, 0, 0},
};
const struct mln_route_table mln_routes_subscriptions = MLN_ROUTE_TABLE("subscriptions", routes);
