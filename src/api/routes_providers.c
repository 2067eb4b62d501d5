/* What this server offers, told from the route tables: resource providers, operations. And polls of long-running ones. */
#include "api/operations.h"
#include "api/router.h"
#include "base/vec.h"

struct offer { /* one resource type, or one operation */
    struct mln_str provider, name;
    MLN_VEC(struct mln_str) versions;
};

struct offers {
    struct mln_request *request;
    struct mln_str provider; /* only this one; p NULL: all */
    bool operations;         /* actions instead of types */
    MLN_VEC(struct offer) at;
};

static struct offer *find_offer(struct offers *offers, struct mln_str provider, struct mln_str name)
{
    for (size_t i = 0; i < offers->at.n; i++)
        if (mln_str_eq_nocase(offers->at.at[i].provider, provider) && mln_str_eq_nocase(offers->at.at[i].name, name))
            return &offers->at.at[i];
    return NULL;
}

static struct mln_result add_versions(struct mln_arena *arena, struct offer *offer, const char *versions)
{
    struct mln_str rest = mln_str_c(versions), version;
    while (rest.n && mln_str_cut(&rest, ' ', &version)) {
        bool known = !version.n;
        for (size_t i = 0; i < offer->versions.n; i++)
            known |= mln_str_eq(offer->versions.at[i], version);
        if (!known)
            MLN_TRY(mln_vec_push(arena, &offer->versions, version));
    }
    return MLN_OK;
}

static struct mln_result add_offer(void *context, const struct mln_route *route, struct mln_str provider,
                                   struct mln_str type)
{
    struct offers *offers = context;
    struct mln_arena *arena = offers->request->arena;
    struct mln_str name = offers->operations ? mln_str_c(route->action) : type;
    if (!provider.p || mln_str_eq(provider, MLN_S("*")) || !name.n ||
        (offers->provider.p && !mln_str_eq_nocase(offers->provider, provider)) ||
        (!offers->operations && (route->method != MLN_GET || !route->versions)))
        return MLN_OK;
    struct offer *offer = find_offer(offers, provider, name);
    if (!offer) {
        MLN_TRY(mln_vec_push(arena, &offers->at, {.provider = provider, .name = name}));
        offer = &offers->at.at[offers->at.n - 1];
    }
    return add_versions(arena, offer, route->versions);
}

static struct mln_result collect(struct mln_request *request, struct mln_str provider, bool operations,
                                 struct offers *offers)
{
    *offers = (struct offers){.request = request, .provider = provider, .operations = operations};
    return mln_router_visit(request->api->router, add_offer, offers);
}

/* ---- providers ---- */

static struct mln_result put_provider(struct mln_request *request, struct mln_json_writer *w,
                                      const struct offers *offers, struct mln_str provider)
{
    struct mln_str id;
    MLN_TRY_STR(request->arena, id,
                mln_str_printf(request->arena, "%.*s/providers/%.*s", MLN_FMT(request->scope), MLN_FMT(provider)));
    mln_json_begin_object(w);
    mln_json_member_str(w, "id", id);
    mln_json_member_str(w, "namespace", provider);
    mln_json_member_str(w, "registrationPolicy", MLN_S("RegistrationFree"));
    mln_json_member_str(w, "registrationState", MLN_S("Registered"));
    mln_json_name(w, MLN_S("resourceTypes"));
    mln_json_begin_array(w);
    for (size_t i = 0; i < offers->at.n; i++) {
        const struct offer *offer = &offers->at.at[i];
        if (!mln_str_eq_nocase(offer->provider, provider))
            continue;
        mln_json_begin_object(w);
        mln_json_member_str(w, "resourceType", offer->name);
        mln_json_name(w, MLN_S("locations"));
        mln_json_begin_array(w);
        mln_json_put_str(w, MLN_S(MLN_LOCATION));
        mln_json_end_array(w);
        mln_json_name(w, MLN_S("apiVersions"));
        mln_json_begin_array(w);
        for (size_t v = 0; v < offer->versions.n; v++)
            mln_json_put_str(w, offer->versions.at[v]);
        mln_json_end_array(w);
        mln_json_end_object(w);
    }
    mln_json_end_array(w);
    mln_json_end_object(w);
    return MLN_OK;
}

static struct mln_result get_providers(struct mln_request *request, struct mln_reply *reply)
{
    struct offers offers;
    MLN_TRY(collect(request, (struct mln_str){0}, false, &offers));
    struct mln_json_writer *w = mln_reply_list_begin(reply);
    for (size_t i = 0; i < offers.at.n; i++) {
        bool first = true;
        for (size_t j = 0; j < i && first; j++)
            first = !mln_str_eq_nocase(offers.at.at[i].provider, offers.at.at[j].provider);
        if (first)
            MLN_TRY(put_provider(request, w, &offers, offers.at.at[i].provider));
    }
    return mln_reply_list_end(request, reply, (struct mln_str){0});
}

/* GET and register alike: every provider that has routes is registered, always. */
static struct mln_result get_provider(struct mln_request *request, struct mln_reply *reply)
{
    struct offers offers;
    MLN_TRY(collect(request, request->provider, false, &offers));
    if (!offers.at.n)
        return mln_reply_error(reply, 404, "InvalidResourceNamespace", "The resource namespace '%.*s' is invalid.",
                               MLN_FMT(request->provider));
    struct mln_json_writer *w = mln_reply_json(reply, 200);
    MLN_TRY(put_provider(request, w, &offers, offers.at.at[0].provider));
    return mln_json_writer_end(w);
}

/* ---- operations ---- */

static struct mln_result get_operations(struct mln_request *request, struct mln_reply *reply)
{
    struct offers offers;
    MLN_TRY(collect(request, request->provider, true, &offers));
    struct mln_json_writer *w = mln_reply_list_begin(reply);
    for (size_t i = 0; i < offers.at.n; i++) {
        const struct offer *offer = &offers.at.at[i];
        struct mln_str rest = offer->name, part, resource = {0}, verb = {0};
        mln_str_cut(&rest, '/', &part);
        size_t slash = rest.n;
        while (slash > 0 && rest.p[slash - 1] != '/')
            slash--;
        verb = mln_str_sub(rest, slash, rest.n);
        resource = mln_str_sub(rest, 0, slash ? slash - 1 : 0);
        mln_json_begin_object(w);
        mln_json_member_str(w, "name", offer->name);
        mln_json_member_str(w, "origin", MLN_S("user,system"));
        mln_json_name(w, MLN_S("display"));
        mln_json_begin_object(w);
        mln_json_member_str(w, "provider", offer->provider);
        mln_json_member_str(w, "resource", resource);
        mln_json_member_str(w, "operation", verb);
        mln_json_end_object(w);
        mln_json_end_object(w);
    }
    return mln_reply_list_end(request, reply, (struct mln_str){0});
}

static struct mln_result get_operation_result(struct mln_request *request, struct mln_reply *reply)
{
    int status;
    mln_reply_json(reply, 200);
    MLN_TRY(mln_operations_find(request->api->operations, request->subscription, mln_request_capture(request, "id"),
                                &status, &reply->body));
    reply->status = status;
    if (!reply->body.n)
        reply->content_type = NULL;
    return MLN_OK;
}

static const struct mln_route routes[] = {
    {MLN_GET, "{S}/providers", get_providers, NULL, NULL, 0, 0},
    {MLN_GET, "{S}/providers/{namespace}", get_provider, NULL, NULL, 0, 0},
    {MLN_POST, "{S}/providers/{namespace}/register", get_provider, "{type}/action", NULL, 0, 0},
    {MLN_GET, "{P}/operations", get_operations, NULL, "2015-06-01-preview", 0, 0},
    {MLN_GET, "/providers/Microsoft.ResourceGraph/operations", get_operations, NULL, NULL, 0, 0},
    {MLN_GET, "{S}{P}{L}/operationResults/{id}", get_operation_result,
     "Microsoft.Security/locations/operationResults/read", "2025-10-01-preview", 0, 0},
};
const struct mln_route_table mln_routes_providers = MLN_ROUTE_TABLE("providers", routes);
