/*
 * Resources of every provider that is not ours: whatever a connector, an import or a user puts in, in the provider's own
 * JSON. What enters or leaves goes through posture/, so that it is judged at once.
 */
#include "api/odata.h"
#include "api/router.h"
#include "connect/hosts.h"
#include "inventory/inventory.h"

enum { PAGE_MOST = 200, PAGE_BYTES = 8 << 20 }; /* a page ends with the resource that reaches the one or the other */

/* ---- lists ---- */

struct wanted { /* of a list; p NULL: any */
    struct mln_str type, group, name, location;
};

struct listing {
    struct mln_json_writer *w;
    struct wanted wanted;
    size_t n, limit;
    struct mln_arena *arena;
    struct mln_str last;
    bool brief; /* without properties, as ARM lists resources of mixed types */
    bool more;
};

/* A machine's facts are what it is assessed by and can be large: they are in the machine itself, not in lists. */
static void put_properties(struct mln_json_writer *w, const struct mln_json *properties)
{
    mln_json_name(w, MLN_S("properties"));
    mln_json_begin_object(w);
    for (size_t i = 0; i < properties->n; i++) {
        if (mln_str_eq(properties->members[i].name, MLN_S("facts")))
            continue;
        mln_json_name(w, properties->members[i].name);
        mln_json_put_tree(w, &properties->members[i].value);
    }
    mln_json_end_object(w);
}

static bool passes(const struct wanted *wanted, const struct mln_resource *resource)
{
    struct mln_str location = mln_json_str(mln_json_get(resource->document, MLN_S("location")), MLN_S(""));
    return (!wanted->name.p || mln_str_eq_nocase(wanted->name, resource->name)) &&
           (!wanted->location.p || mln_str_eq_nocase(wanted->location, location));
}

static struct mln_result list_resource(void *context, const struct mln_resource *resource, bool *stop)
{
    struct listing *list = context;
    if (!passes(&list->wanted, resource))
        return MLN_OK;
    if (list->n == list->limit || list->w->out->n >= PAGE_BYTES) {
        list->more = *stop = true;
        return MLN_OK;
    }
    const struct mln_json *document = resource->document;
    mln_json_begin_object(list->w);
    for (size_t i = 0; i < document->n; i++) {
        const struct mln_json_member *member = &document->members[i];
        bool properties = mln_str_eq(member->name, MLN_S("properties"));
        if (properties && mln_json_is(&member->value, MLN_JSON_OBJECT)) {
            if (!list->brief)
                put_properties(list->w, &member->value);
            continue;
        }
        mln_json_name(list->w, member->name);
        mln_json_put_tree(list->w, &member->value);
    }
    mln_json_end_object(list->w);
    MLN_TRY_STR(list->arena, list->last, mln_str_dup(list->arena, resource->key));
    list->n++;
    return MLN_OK;
}

static struct mln_result list(struct mln_request *request, struct mln_reply *reply, struct mln_str scope,
                              const struct wanted *wanted, bool brief)
{
    MLN_CLEANUP(mln_store_read_end) struct mln_store_read *read = NULL;
    struct mln_page page;
    MLN_TRY(mln_request_page(request, &page));
    struct listing listing = {.wanted = *wanted,
                              .arena = request->arena,
                              .limit = page.limit < PAGE_MOST ? page.limit : PAGE_MOST,
                              .brief = brief};
    if (wanted->group.p && !request->group.p)
        MLN_TRY_STR(request->arena, scope,
                    mln_str_printf(request->arena, "%.*s/resourceGroups/%.*s", MLN_FMT(scope), MLN_FMT(wanted->group)));
    struct mln_resource_query query = {.scope = scope, .type = wanted->type, .after = page.after};
    MLN_TRY(mln_store_read_begin(request->api->store, &read));
    listing.w = mln_reply_list_begin(reply);
    MLN_TRY(mln_resource_list(read, &query, list_resource, &listing));
    return mln_reply_list_end(request, reply, listing.more ? listing.last : (struct mln_str){0});
}

static struct mln_result read_wanted(struct mln_request *request, struct wanted *out)
{
    const struct {
        struct mln_str name, *to;
    } members[] = {{MLN_S("resourceType"), &out->type},
                   {MLN_S("resourceGroup"), &out->group},
                   {MLN_S("name"), &out->name},
                   {MLN_S("location"), &out->location}};
    struct mln_odata_clause clauses[MLN_ODATA_MAX_CLAUSES];
    size_t n;
    MLN_TRY(mln_odata_parse(request->arena, mln_request_query(request, "$filter"), clauses, &n));
    for (size_t i = 0; i < n; i++) {
        bool known = false;
        for (size_t m = 0; m < sizeof members / sizeof *members && mln_str_eq_nocase(clauses[i].op, MLN_S("eq")); m++)
            if (mln_str_eq_nocase(clauses[i].name, members[m].name)) {
                *members[m].to = clauses[i].value;
                known = true;
            }
        if (!known)
            return mln_fail(MLN_E_INVALID,
                            "$filter: resourceType, resourceGroup, name and location (eq) are understood here.");
    }
    return MLN_OK;
}

/* {S}/resources and {G}/resources, with $filter and $expand=properties. */
static struct mln_result get_resources(struct mln_request *request, struct mln_reply *reply)
{
    struct wanted wanted = {0};
    bool brief = mln_str_find(mln_request_query(request, "$expand"), MLN_S("properties"), 0) == SIZE_MAX;
    MLN_TRY(read_wanted(request, &wanted));
    return list(request, reply, request->scope, &wanted, brief);
}

/* ---- one resource ---- */

/* The provider's types are ours to serve by routes of their own: a path that reached this file is none of them. */
static bool is_ours(const struct mln_request *request)
{
    return mln_router_owns(request->api->router, request->provider);
}

static bool names_a_type(const struct mln_request *request)
{
    return (request->n_segments - request->tail) % 2 == 1;
}

static struct mln_result no_such_type(struct mln_request *request, struct mln_reply *reply)
{
    struct mln_str type;
    MLN_TRY(mln_request_type(request, &type));
    return mln_reply_error(reply, 404, "InvalidResourceType", "The resource type '%.*s' is not served here.",
                           MLN_FMT(mln_str_sub(type, 0, 300)));
}

static struct mln_result put_etag(struct mln_request *request, struct mln_reply *reply, int64_t revision)
{
    struct mln_str etag;
    MLN_TRY_STR(request->arena, etag, mln_str_printf(request->arena, "\"%lld\"", (long long)revision));
    return mln_reply_header(request, reply, "ETag", etag);
}

/* The revision that the client expects to replace: If-Match: "N", If-None-Match: *. */
static struct mln_result expected(const struct mln_request *request, int64_t *revision)
{
    struct mln_str match = mln_request_header(request, "if-match"), none = mln_request_header(request, "if-none-match");
    *revision = mln_str_eq(none, MLN_S("*")) ? MLN_POSTURE_NEW : MLN_POSTURE_ANY;
    if (!match.n || mln_str_eq(match, MLN_S("*")))
        return MLN_OK;
    if (match.n < 3 || match.p[0] != '"' || !mln_ok(mln_str_to_i64(mln_str_sub(match, 1, match.n - 1), revision)))
        return mln_fail(MLN_E_PRECONDITION, "If-Match is not an ETag of this server.");
    return MLN_OK;
}

static struct mln_result read_resource(struct mln_request *request, struct mln_resource *resource)
{
    MLN_CLEANUP(mln_store_read_end) struct mln_store_read *read = NULL;
    MLN_TRY(mln_store_read_begin(request->api->store, &read));
    struct mln_result r = mln_resource_get(read, request->id, request->arena, resource);
    return r.code == MLN_E_NOT_FOUND ? mln_fail(MLN_E_NOT_FOUND, "The Resource '%.*s' was not found.",
                                                MLN_FMT(mln_str_sub(request->id, 0, 400)))
                                     : r;
}

static struct mln_result answer(struct mln_request *request, struct mln_reply *reply, int status)
{
    struct mln_resource resource;
    MLN_TRY(read_resource(request, &resource));
    struct mln_json_writer *w = mln_reply_json(reply, status);
    mln_json_put_tree(w, resource.document);
    MLN_TRY(mln_json_writer_end(w));
    return put_etag(request, reply, resource.revision);
}

static struct mln_result get_one(struct mln_request *request, struct mln_reply *reply)
{
    struct wanted wanted = {0};
    if (is_ours(request))
        return no_such_type(request, reply);
    if (!names_a_type(request))
        return answer(request, reply, 200);
    MLN_TRY(mln_request_type(request, &wanted.type));
    /* Children are listed below their parent, all else below the group or subscription. */
    struct mln_str scope = request->scope;
    if (request->n_segments - request->tail > 1) {
        size_t slash = request->id.n;
        while (slash > 0 && request->id.p[slash - 1] != '/')
            slash--;
        scope = mln_str_sub(request->id, 0, slash - 1);
    }
    return list(request, reply, scope, &wanted, false);
}

/* The body with the id, name and type that the path says. */
static struct mln_result document_of(struct mln_request *request, const struct mln_json *body,
                                     const struct mln_json **out)
{
    struct mln_json_object object = {0};
    struct mln_json *document;
    struct mln_str type;
    bool located = false;
    MLN_TRY(mln_request_type(request, &type));
    MLN_TRY(mln_json_add(request->arena, &object, MLN_S("id"), mln_json_of_str(request->id)));
    MLN_TRY(mln_json_add(request->arena, &object, MLN_S("name"),
                         mln_json_of_str(request->segments[request->n_segments - 1])));
    MLN_TRY(mln_json_add(request->arena, &object, MLN_S("type"), mln_json_of_str(type)));
    for (size_t i = 0; i < body->n; i++) {
        struct mln_str name = body->members[i].name;
        if (mln_str_eq_nocase(name, MLN_S("id")) || mln_str_eq_nocase(name, MLN_S("name")) ||
            mln_str_eq_nocase(name, MLN_S("type")))
            continue;
        located |= mln_str_eq(name, MLN_S("location"));
        MLN_TRY(mln_json_add(request->arena, &object, name, body->members[i].value));
    }
    if (!located)
        MLN_TRY(mln_json_add(request->arena, &object, MLN_S("location"), mln_json_of_str(MLN_S(MLN_LOCATION))));
    MLN_TRY_NEW(request->arena, document);
    *document = mln_json_object_done(&object);
    *out = document;
    return MLN_OK;
}

static struct mln_result put_document(struct mln_request *request, struct mln_reply *reply, const struct mln_json *body,
                                      int64_t expect)
{
    const struct mln_json *document;
    bool created;
    MLN_TRY(document_of(request, body, &document));
    MLN_TRY(mln_posture_put(request->api->posture, document, expect, request->caller.name, &created, NULL));
    return answer(request, reply, created ? 201 : 200);
}

static struct mln_result put_one(struct mln_request *request, struct mln_reply *reply)
{
    const struct mln_json *body;
    int64_t expect;
    if (is_ours(request) || names_a_type(request))
        return no_such_type(request, reply);
    MLN_TRY(mln_request_object(request, &body));
    MLN_TRY(expected(request, &expect));
    return put_document(request, reply, body, expect);
}

static struct mln_result patch_one(struct mln_request *request, struct mln_reply *reply)
{
    const struct mln_json *body, *merged;
    struct mln_resource resource;
    int64_t expect;
    if (is_ours(request) || names_a_type(request))
        return no_such_type(request, reply);
    MLN_TRY(mln_request_object(request, &body));
    MLN_TRY(expected(request, &expect));
    MLN_TRY(read_resource(request, &resource));
    if (expect != MLN_POSTURE_ANY && expect != resource.revision)
        return mln_fail(MLN_E_PRECONDITION, "The resource is at another version than If-Match says.");
    MLN_TRY(mln_json_merge_patch(request->arena, resource.document, body, &merged));
    return put_document(request, reply, merged, resource.revision);
}

static struct mln_result delete_one(struct mln_request *request, struct mln_reply *reply)
{
    if (is_ours(request) || names_a_type(request))
        return no_such_type(request, reply);
    struct mln_result r = MLN_OK;
    if (request->api->hosts) /* a machine is refused first: a report on its way would bring the resource back */
        r = mln_hosts_revoke(request->api->hosts, request->id, request->caller.name);
    if (r.code != MLN_E_NOT_FOUND)
        MLN_TRY(r);
    r = mln_posture_delete(request->api->posture, request->id, request->caller.name);
    mln_reply_empty(reply, r.code == MLN_E_NOT_FOUND ? 204 : 200);
    return r.code == MLN_E_NOT_FOUND ? MLN_OK : r;
}

#define ANY "/providers/{namespace}/{path*}"

static const struct mln_route routes[] = {
    {MLN_GET, "{S}/resources", get_resources, "Microsoft.Resources/subscriptions/resources/read", NULL, 0, 0},
    {MLN_GET, "{G}/resources", get_resources, "Microsoft.Resources/subscriptions/resourceGroups/resources/read", NULL,
     0, 0},
    {MLN_GET, "{S}" ANY, get_one, "{type}/read", NULL, 0, 0},
    {MLN_GET, "{G}" ANY, get_one, "{type}/read", NULL, 0, 0},
    {MLN_PUT, "{G}" ANY, put_one, "{type}/write", NULL, MLN_ROUTE_ENGINE, 8 << 20},
    {MLN_PATCH, "{G}" ANY, patch_one, "{type}/write", NULL, MLN_ROUTE_ENGINE, 8 << 20},
    {MLN_DELETE, "{G}" ANY, delete_one, "{type}/delete", NULL, MLN_ROUTE_ENGINE, 0},
};
const struct mln_route_table mln_routes_resources = MLN_ROUTE_TABLE("resources", routes);
