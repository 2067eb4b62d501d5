/* What can be asked before anybody is signed in: health, and where the cloud's parts are. */
#include "api/route.h"

static struct mln_result get_health(struct mln_request *request, struct mln_reply *reply)
{
    MLN_CLEANUP(mln_store_read_end) struct mln_store_read *read = NULL;
    struct mln_result r = mln_store_read_begin(request->api->store, &read);
    struct mln_json_writer *w = mln_reply_json(reply, mln_ok(r) ? 200 : 503);
    mln_json_begin_object(w);
    mln_json_member_str(w, "status", mln_ok(r) ? MLN_S("ok") : MLN_S("the store cannot be read"));
    mln_json_end_object(w);
    return mln_json_writer_end(w);
}

static void put_authentication(struct mln_json_writer *w, const struct mln_request *request, struct mln_str login,
                               bool newer)
{
    mln_json_name(w, MLN_S("authentication"));
    mln_json_begin_object(w);
    mln_json_member_str(w, "loginEndpoint", login);
    mln_json_name(w, MLN_S("audiences"));
    mln_json_begin_array(w);
    mln_json_put_str(w, request->base_url);
    mln_json_end_array(w);
    if (newer) {
        mln_json_member_str(w, "tenant", MLN_S("adfs"));
        mln_json_member_str(w, "identityProvider", MLN_S("ADFS"));
    }
    mln_json_end_object(w);
}

/* Up to 2018 one object, from 2019 on an array of clouds. */
static struct mln_result get_endpoints(struct mln_request *request, struct mln_reply *reply)
{
    struct mln_str login;
    bool newer = mln_request_version_from(request, "2019-01-01");
    MLN_TRY_STR(request->arena, login, mln_str_printf(request->arena, "%.*s/adfs", MLN_FMT(request->base_url)));
    struct mln_json_writer *w = mln_reply_json(reply, 200);
    if (newer)
        mln_json_begin_array(w);
    mln_json_begin_object(w);
    if (newer) {
        mln_json_member_str(w, "name", MLN_S("merlon"));
        mln_json_member_str(w, "portal", request->base_url);
        mln_json_member_str(w, "resourceManager", request->base_url);
        mln_json_member_str(w, "graphAudience", request->base_url);
    } else {
        mln_json_member_str(w, "graphEndpoint", request->base_url);
    }
    put_authentication(w, request, login, newer);
    if (newer) {
        mln_json_name(w, MLN_S("suffixes"));
        mln_json_begin_object(w);
        mln_json_end_object(w);
    }
    mln_json_end_object(w);
    if (newer)
        mln_json_end_array(w);
    return mln_json_writer_end(w);
}

static const struct mln_route routes[] = {
    {MLN_GET, "/healthz", get_health, NULL, NULL, MLN_ROUTE_PUBLIC, 0},
    {MLN_GET, "/metadata/endpoints", get_endpoints, NULL, NULL, MLN_ROUTE_PUBLIC, 0},
};
const struct mln_route_table mln_routes_meta = MLN_ROUTE_TABLE("meta", routes);
