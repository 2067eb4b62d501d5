/* Microsoft.Resources without a provider in the path: tenants, subscriptions, locations, resource groups. */
#include "api/route.h"
#include "inventory/containers.h"

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

/* ---- subscriptions: seen by whoever has any role at, above or below them ---- */

static struct mln_result put_subscription(struct mln_request *request, struct mln_json_writer *w,
                                          const struct mln_subscription *s)
{
    struct mln_str id;
    MLN_TRY_STR(request->arena, id, mln_str_printf(request->arena, "/subscriptions/%.*s", MLN_FMT(s->id)));
    mln_json_begin_object(w);
    mln_json_member_str(w, "id", id);
    mln_json_member_str(w, "subscriptionId", s->id);
    mln_json_member_str(w, "tenantId", request->api->tenant_id);
    mln_json_member_str(w, "displayName", s->display_name);
    mln_json_member_str(w, "state", MLN_S("Enabled"));
    mln_json_end_object(w);
    return MLN_OK;
}

static struct mln_result may_see(struct mln_request *request, struct mln_str subscription, bool *may)
{
    struct mln_str scope;
    MLN_TRY_STR(request->arena, scope, mln_str_printf(request->arena, "/subscriptions/%.*s", MLN_FMT(subscription)));
    *may = mln_access_somewhere(request->api->rbac, &request->caller, (struct mln_str){0}, scope);
    return MLN_OK;
}

static struct mln_result get_subscriptions(struct mln_request *request, struct mln_reply *reply)
{
    MLN_CLEANUP(mln_store_read_end) struct mln_store_read *read = NULL;
    struct mln_subscription *all;
    size_t n;
    MLN_TRY(mln_store_read_begin(request->api->store, &read));
    MLN_TRY(mln_subscription_list(read, request->arena, &all, &n));
    struct mln_json_writer *w = mln_reply_list_begin(reply);
    for (size_t i = 0; i < n; i++) {
        bool may;
        MLN_TRY(may_see(request, all[i].id, &may));
        if (may)
            MLN_TRY(put_subscription(request, w, &all[i]));
    }
    return mln_reply_list_end(request, reply, (struct mln_str){0});
}

static struct mln_result get_subscription(struct mln_request *request, struct mln_reply *reply)
{
    MLN_CLEANUP(mln_store_read_end) struct mln_store_read *read = NULL;
    struct mln_subscription subscription;
    bool may;
    MLN_TRY(may_see(request, request->subscription, &may));
    if (!may)
        return mln_access_check(request->api->rbac, &request->caller, MLN_S("Microsoft.Resources/subscriptions/read"),
                                request->scope);
    MLN_TRY(mln_store_read_begin(request->api->store, &read));
    MLN_TRY(mln_subscription_get(read, request->subscription, request->arena, &subscription));
    struct mln_json_writer *w = mln_reply_json(reply, 200);
    MLN_TRY(put_subscription(request, w, &subscription));
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

static void put_group(struct mln_json_writer *w, const struct mln_group *group)
{
    mln_envelope_begin(w, group->id, group->name, "Microsoft.Resources/resourceGroups");
    mln_json_member_str(w, "location", group->location);
    mln_json_member_tree(w, "tags", group->tags);
    mln_envelope_properties(w);
    mln_json_member_str(w, "provisioningState", MLN_S("Succeeded"));
    mln_envelope_end(w);
}

static struct mln_result answer_group(struct mln_reply *reply, int status, const struct mln_group *group)
{
    struct mln_json_writer *w = mln_reply_json(reply, status);
    put_group(w, group);
    return mln_json_writer_end(w);
}

static struct mln_result get_groups(struct mln_request *request, struct mln_reply *reply)
{
    MLN_CLEANUP(mln_store_read_end) struct mln_store_read *read = NULL;
    struct mln_page page;
    struct mln_group *groups;
    struct mln_str last = {0};
    size_t n, shown = 0, i = 0;
    MLN_TRY(mln_request_page(request, &page));
    MLN_TRY(mln_store_read_begin(request->api->store, &read));
    MLN_TRY(mln_group_list(read, request->subscription, page.after, 0, request->arena, &groups, &n));
    struct mln_json_writer *w = mln_reply_list_begin(reply);
    for (; i < n; i++) {
        if (!mln_access_somewhere(request->api->rbac, &request->caller,
                                  MLN_S("Microsoft.Resources/subscriptions/resourceGroups/read"), groups[i].id))
            continue;
        if (shown++ == page.limit)
            break;
        put_group(w, &groups[i]);
        last = groups[i].name; /* what the next page's token says: never the name of a group that is not shown */
    }
    return mln_reply_list_end(request, reply, i < n ? last : (struct mln_str){0});
}

static struct mln_result find_group(struct mln_request *request, struct mln_group *group)
{
    MLN_CLEANUP(mln_store_read_end) struct mln_store_read *read = NULL;
    MLN_TRY(mln_store_read_begin(request->api->store, &read));
    return mln_group_get(read, request->subscription, request->group, request->arena, group);
}

/* ARM has a code word of its own for a group that is missing. */
static struct mln_result group_failure(const struct mln_request *request, struct mln_reply *reply,
                                       struct mln_result failure)
{
    if (failure.code != MLN_E_NOT_FOUND)
        return failure;
    return mln_reply_error(reply, 404, "ResourceGroupNotFound", "Resource group '%.*s' could not be found.",
                           MLN_FMT(request->group));
}

static struct mln_result get_group(struct mln_request *request, struct mln_reply *reply)
{
    struct mln_group group;
    struct mln_result r = find_group(request, &group);
    return mln_ok(r) ? answer_group(reply, 200, &group) : group_failure(request, reply, r);
}

static struct mln_result put_one_group(struct mln_request *request, struct mln_reply *reply)
{
    const struct mln_json *body;
    struct mln_group group;
    bool created;
    MLN_TRY(mln_request_object(request, &body));
    struct mln_str location = mln_json_str(mln_json_get_nocase(body, MLN_S("location")), (struct mln_str){0});
    if (!location.n)
        return mln_reply_error(reply, 400, "LocationRequired",
                               "The location property is required for a resource group.");
    struct mln_result r =
        mln_group_put(request->api->store, request->api->clock, request->subscription, request->group, location,
                      mln_json_get_nocase(body, MLN_S("tags")), request->arena, &created, &group);
    if (r.code == MLN_E_CONFLICT)
        return mln_reply_error(reply, 409, "InvalidResourceGroupLocation", "%s", mln_error_text());
    MLN_TRY(r);
    return answer_group(reply, created ? 201 : 200, &group);
}

static struct mln_result patch_group(struct mln_request *request, struct mln_reply *reply)
{
    const struct mln_json *body;
    struct mln_group group;
    MLN_TRY(mln_request_object(request, &body));
    struct mln_result r = find_group(request, &group);
    if (!mln_ok(r))
        return group_failure(request, reply, r);
    const struct mln_json *tags = mln_json_get_nocase(body, MLN_S("tags"));
    MLN_TRY(mln_group_put(request->api->store, request->api->clock, request->subscription, request->group,
                          group.location, tags ? tags : group.tags, request->arena, NULL, &group));
    return answer_group(reply, 200, &group);
}

static struct mln_result delete_group(struct mln_request *request, struct mln_reply *reply)
{
    struct mln_result r = mln_posture_delete_group(request->api->posture, request->subscription, request->group);
    if (r.code == MLN_E_CONFLICT)
        return mln_reply_error(reply, 409, "ResourceGroupNotEmpty",
                               "Resource group '%.*s' still holds resources; delete them first.",
                               MLN_FMT(request->group));
    if (!mln_ok(r))
        return group_failure(request, reply, r);
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
    {MLN_PUT, "{G}", put_one_group, GROUPS "write", VERSIONS, MLN_ROUTE_ENGINE, 0},
    {MLN_PATCH, "{G}", patch_group, GROUPS "write", VERSIONS, MLN_ROUTE_ENGINE, 0},
    {MLN_DELETE, "{G}", delete_group, GROUPS "delete", VERSIONS, MLN_ROUTE_ENGINE, 0},
};
const struct mln_route_table mln_routes_subscriptions = MLN_ROUTE_TABLE("subscriptions", routes);
