/*
 * The contract between the API and its handlers: the request, and the table of routes.
 *
 * A group of routes is one file `routes_<group>.c` that exports one `const struct mln_route_table`; routes.c names it in
 * one line. A handler gets a request whose caller is known and allowed (the route's action at the request's id is
 * checked before it runs), whose body is parsed and whose path is taken apart. It holds no logic of an engine.
 *
 *     static MLN_RESULT get_pricing(struct mln_request *request, struct mln_reply *reply) { ... }
 *     static const struct mln_route routes[] = {
 *         {MLN_GET, "{S}{P}/pricings/{plan}", get_pricing, "Microsoft.Security/pricings/read", "2022-03-01 2024-01-01"},
 *     };
 *     const struct mln_route_table mln_routes_pricings = MLN_ROUTE_TABLE("pricings", routes);
 *
 * Patterns are literal segments, `{name}` (one segment), and at the end `{name*}` (one or more), after one of these:
 *     {S}  /subscriptions/{subscription}            {G}  {S}/resourceGroups/{group}
 *     {R}  a resource: {G} or {S} and /providers/{ns}/{type}/{name}...; of nested providers the last one is the route's
 *     {X}  any of the three                         (nothing: tenant level)
 *     {P}  /providers/Microsoft.Security            {L}  /locations/{location}
 * Another provider is written out: "{S}/providers/Microsoft.Authorization/roleAssignments". Words match without case.
 */
#ifndef MLN_API_ROUTE_H
#define MLN_API_ROUTE_H

#include "api/api.h"
#include "api/reply.h"

enum mln_method {
    MLN_GET = 1, /* HEAD comes as GET, with request->head */
    MLN_PUT = 2,
    MLN_POST = 4,
    MLN_PATCH = 8,
    MLN_DELETE = 16,
};

/* What stands before the provider, or the whole path where there is none. */
enum mln_scope_kind {
    MLN_SCOPE_TENANT = 1,
    MLN_SCOPE_SUBSCRIPTION = 2,
    MLN_SCOPE_GROUP = 4,
    MLN_SCOPE_RESOURCE = 8,
};

enum { MLN_MAX_SEGMENTS = 48, MLN_MAX_QUERY = 32, MLN_MAX_CAPTURES = 8 };

struct mln_pair { /* a query parameter, form field or header, decoded */
    struct mln_str name, value;
};

struct mln_route;

struct mln_request {
    const struct mln_api *api;
    struct mln_arena *arena; /* lives as long as the request; budgeted */
    int64_t now_ms;          /* one moment for the whole request */
    const struct mln_route *route;

    enum mln_method method;
    bool head;                          /* only whether it is there is asked: 204 instead of 200 below the ARM roots */
    struct mln_str target;              /* the path as sent */
    struct mln_str id;                  /* the path as an ARM id: decoded, one leading slash, no trailing one */
    struct mln_str scope;               /* what {S} {G} {R} {X} matched: an ARM id; "" at tenant level */
    struct mln_str subscription, group; /* of the scope; p NULL when it has none */
    struct mln_str provider;            /* "Microsoft.Security" as sent; p NULL when none is named */
    struct mln_str segments[MLN_MAX_SEGMENTS]; /* decoded */
    size_t n_segments;
    uint8_t scope_kind;                        /* enum mln_scope_kind */
    uint8_t tail;                              /* the first segment after the provider's name; 0 without a provider */
    struct mln_str captures[MLN_MAX_CAPTURES]; /* of the route's {names}, in order: mln_request_capture */
    const struct mln_str *capture_names;
    size_t n_captures;
    struct mln_pair query[MLN_MAX_QUERY];
    size_t n_query;
    struct mln_str api_version; /* as sent; p NULL only on routes without one */

    struct mln_str body;         /* bytes as sent */
    const struct mln_json *json; /* parsed; NULL without a body, and on routes that take no JSON */

    struct mln_str action; /* of the route, "{type}" filled in; p NULL when it has none */
    struct mln_caller caller;
    struct mln_str address;            /* of the other side, without port */
    struct mln_str host;               /* the Host header, lower case */
    struct mln_str base_url;           /* "https://HOST:PORT" as this client sees the server */
    struct mln_str request_id;         /* ours, x-ms-request-id and x-ms-correlation-request-id */
    struct mln_str client_certificate; /* DER, not verified yet; p NULL without one */
    const struct mln_pair *headers;    /* names in lower case */
    size_t n_headers;
    struct mln_str session_csrf;   /* of a caller with a cookie: what forms must repeat */
    bool recorded;                 /* the activity entry is written already (mln_request_commit did it) */
    enum mln_code failure;         /* what the answer's error came from, for the log; OK when there is none */
    enum mln_code unrecorded_code; /* why the activity entry of a change that was made could not be written */
};

typedef struct mln_result (*mln_handler)(struct mln_request *request, struct mln_reply *reply);

enum mln_route_flag {
    MLN_ROUTE_PUBLIC = 1,      /* nobody need be signed in */
    MLN_ROUTE_NO_VERSION = 2,  /* api-version is not asked for */
    MLN_ROUTE_RAW = 4,         /* the body is not JSON; the handler reads request->body */
    MLN_ROUTE_MACHINE = 8,     /* for enrolled machines, who come with a client certificate */
    MLN_ROUTE_UNRECORDED = 16, /* a POST that changes nothing (a question): no activity entry */
    MLN_ROUTE_ENGINE =
        32, /* a change in a commit that is not the handler's: the activity log has it before and after */
};

struct mln_route {
    enum mln_method method;
    const char *pattern;
    mln_handler handler;
    const char *action;   /* what RBAC is asked for at request->id, "{type}" in front standing for the path's resource
                             type; NULL: any signed-in caller, the handler filters */
    const char *versions; /* api-versions, by blanks, for {S}/providers; any value is accepted. NULL: none listed */
    uint32_t flags;
    uint32_t max_body_bytes; /* 0: 1 MiB, 16 KiB for public routes, GET and DELETE; at most 8 MiB */
};

struct mln_route_table {
    const char *group;
    const struct mln_route *routes;
    size_t n;
};
#define MLN_ROUTE_TABLE(name, array)                                                                                   \
    {                                                                                                                  \
        (name), (array), sizeof(array) / sizeof *(array)                                                               \
    }

/* ---- what handlers ask of a request ---- */

/* What {name} of the route's pattern stands for; p NULL when the pattern has none of that name. */
struct mln_str mln_request_capture(const struct mln_request *request, const char *name);
/* A query parameter by name without case; p NULL when it was not sent. */
struct mln_str mln_request_query(const struct mln_request *request, const char *name);
/* A header by its lower-case name; p NULL when it was not sent. */
struct mln_str mln_request_header(const struct mln_request *request, const char *name);
/* The body as a JSON object; SYNTAX when there is none or it is something else. */
MLN_RESULT mln_request_object(const struct mln_request *request, const struct mln_json **object);
/* The resource type that the path names after its provider: "Microsoft.Compute/virtualMachines/extensions". */
MLN_RESULT mln_request_type(const struct mln_request *request, struct mln_str *type);
/* True when api-version is at least this date ("2022-01-01"); -preview is not looked at. */
bool mln_request_version_from(const struct mln_request *request, const char *date);

/* Where a list goes on: `after` is the key that $skipToken carried (p NULL at the start), limit from $top (at most and by
   default 1000). INVALID for a bad token or number. */
struct mln_page {
    struct mln_str after;
    size_t limit;
};
MLN_RESULT mln_request_page(const struct mln_request *request, struct mln_page *page);

/* Commits the batch (owned from here on) together with the activity entry of this request: the way for every handler
   whose change is a batch of its own. Where an engine owns the batch (posture) the route has MLN_ROUTE_ENGINE, and
   the pipeline appends one entry before the handler and one after it. PRECONDITION, FULL, ... as mln_store_commit. */
MLN_RESULT mln_request_commit(struct mln_request *request, struct mln_store_batch *batch, int64_t *revision);

#endif
