#include "api/handle.h"

#include "access/signin.h"
#include "api/cookie.h"
#include "api/path.h"
#include "api/router.h"
#include "connect/hosts.h"
#include "crypto/random.h"
#include "inventory/containers.h"

/* ---- the request line ---- */

static const struct {
    const char *word;
    enum mln_method method;
} methods[] = {
    {"GET", MLN_GET},   {"HEAD", MLN_GET},    {"PUT", MLN_PUT},
    {"POST", MLN_POST}, {"PATCH", MLN_PATCH}, {"DELETE", MLN_DELETE},
};

static bool read_method(struct mln_request *request, struct mln_str word)
{
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
        if (mln_str_eq(word, mln_str_c(methods[i].word))) {
            request->method = methods[i].method;
            request->head = mln_str_eq(word, MLN_S("HEAD"));
            return true;
        }
    return false;
}

static struct mln_result read_target(struct mln_request *request, struct mln_str target)
{
    if (target.n > MLN_API_MAX_TARGET_BYTES)
        return mln_fail(MLN_E_LIMIT, "The request URI is longer than %d bytes.", MLN_API_MAX_TARGET_BYTES);
    struct mln_str query = target;
    mln_str_cut(&query, '?', &request->target);
    MLN_TRY(mln_path_split(request->arena, request->target, request->segments, &request->n_segments));
    MLN_TRY(mln_form_parse(request->arena, query, request->query, MLN_MAX_QUERY, &request->n_query));
    request->api_version = mln_request_query(request, "api-version");
    return mln_request_locate(request);
}

/* Takes "name", "name:port" or "[address]:port" apart; false for anything else. */
static bool split_host(struct mln_str host, struct mln_str *name)
{
    size_t end = host.n && host.p[0] == '[' ? mln_str_find(host, MLN_S("]"), 0) : mln_str_find(host, MLN_S(":"), 0);
    bool bracket = host.n && host.p[0] == '[';
    if (bracket && end == SIZE_MAX)
        return false;
    *name = mln_str_sub(host, bracket ? 1 : 0, end);
    struct mln_str port = end == SIZE_MAX ? (struct mln_str){0} : mln_str_sub(host, end + bracket, host.n);
    uint64_t number;
    return !port.n ||
           (port.p[0] == ':' && mln_ok(mln_str_to_u64(mln_str_sub(port, 1, port.n), &number)) && number <= 65535);
}

/* The address that this client used, when it is one that our certificate covers: what we tell it to go on with. */
static struct mln_result read_host(struct mln_request *request)
{
    const struct mln_api *api = request->api;
    struct mln_str sent = mln_request_header(request, "host"), name;
    request->base_url = api->base_url;
    if (!sent.n || sent.n > 300)
        return MLN_OK;
    MLN_TRY_STR(request->arena, request->host, mln_str_lower(request->arena, sent));
    if (!split_host(request->host, &name))
        return MLN_OK;
    for (size_t i = 0; i < api->n_hosts_served; i++)
        if (mln_str_eq_nocase(name, api->hosts_served[i]))
            MLN_TRY_STR(request->arena, request->base_url,
                        mln_str_printf(request->arena, "https://%.*s", MLN_FMT(request->host)));
    return MLN_OK;
}

static struct mln_result name_request(struct mln_request *request)
{
    struct mln_uuid id;
    char text[MLN_UUID_TEXT];
    MLN_TRY(mln_uuid_random(&id));
    MLN_TRY_STR(request->arena, request->request_id, mln_str_dup(request->arena, mln_uuid_text(&id, text)));
    return MLN_OK;
}

/* ---- who is asking ---- */

static struct mln_result refuse_signin(struct mln_request *request, struct mln_reply *reply, bool expired)
{
    struct mln_str header;
    const char *why = mln_error_text();
    MLN_TRY_STR(request->arena, header,
                mln_str_printf(request->arena,
                               "Bearer authorization_uri=\"%.*s/adfs\", error=\"invalid_token\", "
                               "error_description=\"%s\"",
                               MLN_FMT(request->base_url), why));
    MLN_TRY(
        mln_reply_error(reply, 401, expired ? "ExpiredAuthenticationToken" : "InvalidAuthenticationToken", "%s", why));
    return mln_reply_header(request, reply, "WWW-Authenticate", header);
}

static struct mln_result by_cookie(struct mln_request *request)
{
    if (request->method != MLN_GET && !mln_cookie_from_our_page(request))
        return mln_fail(MLN_E_UNAUTHENTICATED,
                        "A write with a browser session needs X-Merlon-Request: 1 from our own page.");
    return mln_cookie_caller(request);
}

static struct mln_result authenticate(struct mln_request *request, bool *expired)
{
    struct mln_str header = mln_request_header(request, "authorization");
    *expired = false;
    if (header.n) {
        if (!mln_str_starts_nocase(header, MLN_S("Bearer ")))
            return mln_fail(MLN_E_UNAUTHENTICATED, "The Authorization header is not a bearer token.");
        struct mln_str token = mln_str_trim(mln_str_sub(header, 7, header.n));
        return mln_signin_bearer(request->api->signin, token, request->arena, &request->caller, expired);
    }
    if (mln_cookie_session(request).n)
        return by_cookie(request);
    return mln_fail(MLN_E_UNAUTHENTICATED, "The Authorization header is missing.");
}

/* A machine is who its client certificate says: one of ours, valid now, and enrolled still. */
static struct mln_result authenticate_machine(struct mln_request *request)
{
    const struct mln_api *api = request->api;
    MLN_CLEANUP(mln_cert_free) struct mln_cert *cert = NULL;
    char id[MLN_MACHINE_ID_TEXT];
    if (!api->hosts)
        return mln_fail(MLN_E_UNSUPPORTED, "This server takes no machines.");
    if (!request->client_certificate.n)
        return mln_fail(MLN_E_UNAUTHENTICATED, "A client certificate is required.");
    if (!mln_ok(mln_cert_from_der(request->client_certificate, &cert)))
        return mln_fail(MLN_E_UNAUTHENTICATED, "The client certificate cannot be read.");
    MLN_TRY(mln_cert_verify_client(cert, api->authorities, api->n_authorities, request->now_ms));
    MLN_TRY(mln_hosts_identify(api->hosts, request->client_certificate, id));
    request->caller = (struct mln_caller){.kind = MLN_CALLER_MACHINE, .how = MLN_S("certificate")};
    MLN_TRY_STR(request->arena, request->caller.id, mln_str_dup(request->arena, mln_str_c(id)));
    request->caller.name = request->caller.id;
    return MLN_OK;
}

/* ---- rights and scope ---- */

/* A subscription that is named must exist, and so must the group that a provider's route is below. */
static struct mln_result check_scope(struct mln_request *request, struct mln_reply *reply, bool *refused)
{
    MLN_CLEANUP(mln_store_read_end) struct mln_store_read *read = NULL;
    struct mln_subscription subscription;
    struct mln_group group;
    *refused = false;
    if (!request->subscription.p)
        return MLN_OK;
    MLN_TRY(mln_store_read_begin(request->api->store, &read));
    struct mln_result r = mln_subscription_get(read, request->subscription, request->arena, &subscription);
    *refused = r.code == MLN_E_NOT_FOUND;
    if (*refused)
        return mln_reply_error(reply, 404, "SubscriptionNotFound", "The subscription '%.*s' could not be found.",
                               MLN_FMT(request->subscription));
    MLN_TRY(r);
    if (!request->group.p || !request->provider.p)
        return MLN_OK;
    r = mln_group_get(read, request->subscription, request->group, request->arena, &group);
    *refused = r.code == MLN_E_NOT_FOUND;
    return *refused ? mln_reply_error(reply, 404, "ResourceGroupNotFound", "Resource group '%.*s' could not be found.",
                                      MLN_FMT(request->group))
                    : r;
}

static struct mln_result name_action(struct mln_request *request)
{
    static const struct mln_str placeholder = {"{type}", 6};
    struct mln_str type;
    request->action = mln_str_c(request->route->action);
    if (!mln_str_starts(request->action, placeholder))
        return MLN_OK;
    MLN_TRY(mln_request_type(request, &type));
    MLN_TRY_STR(request->arena, request->action,
                mln_str_printf(request->arena, "%.*s%s", MLN_FMT(type), request->route->action + placeholder.n));
    return MLN_OK;
}

/* Strangers are not recorded: they could fill the log. */
static bool is_write(const struct mln_request *request)
{
    return request->method != MLN_GET && request->caller.kind != MLN_CALLER_NOBODY && request->route &&
           request->route->action && !(request->route->flags & MLN_ROUTE_UNRECORDED);
}

/* Says in the activity log that an engine is about to be asked for a change: its commit is its own, so that the entry with
   the outcome comes after it and could be lost. What cannot be announced is not done. */
static struct mln_result announce(const struct mln_request *request)
{
    struct mln_activity_entry entry = mln_request_entry(request, 0);
    entry.status = MLN_S("Started");
    return mln_activity_commit(request->api->activity, NULL, &entry, NULL);
}

/* Writes the activity entry of a write whose handler has not done so: an engine owned its batch, or it was refused. */
static void record(struct mln_request *request, const struct mln_reply *reply)
{
    if (!is_write(request) || request->recorded)
        return;
    struct mln_activity_entry entry = mln_request_entry(request, reply->status);
    struct mln_result r = mln_activity_commit(request->api->activity, NULL, &entry, NULL);
    request->recorded = mln_ok(r);
    if (!mln_ok(r))
        request->unrecorded_code = r.code;
}

/* ---- the two steps ---- */

static struct mln_result refuse_route(struct mln_request *request, struct mln_reply *reply, uint32_t allowed)
{
    if (allowed) {
        char list[64];
        int n = 0;
        for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
            if (allowed & methods[i].method)
                n += snprintf(list + n, sizeof list - (size_t)n, "%s%s", n ? ", " : "", methods[i].word);
        MLN_TRY(
            mln_reply_error(reply, 405, "MethodNotAllowed", "The method is not allowed here; allowed are %s.", list));
        return mln_reply_header(request, reply, "Allow", mln_str_c(list));
    }
    if (request->provider.p)
        return mln_reply_error(reply, 404, "InvalidResourceType",
                               "No resource type of the namespace '%.*s' is served at '%.*s'.",
                               MLN_FMT(request->provider), MLN_FMT(mln_str_sub(request->id, 0, 512)));
    return mln_reply_error(reply, 404, "NotFound", "Nothing is served at '%.*s'.",
                           MLN_FMT(mln_str_sub(request->id, 0, 512)));
}

/* What may be known without being signed in about a path that is not served: nothing below the ARM roots. */
static bool is_arm(const struct mln_request *request)
{
    static const char *const roots[] = {"subscriptions", "providers", "tenants"};
    for (size_t i = 0; i < sizeof roots / sizeof *roots; i++)
        if (request->n_segments && mln_str_eq_nocase(request->segments[0], mln_str_c(roots[i])))
            return true;
    return false;
}

static struct mln_result admit(struct mln_request *request, struct mln_reply *reply, bool *go_on)
{
    uint32_t allowed;
    enum mln_route_outcome outcome = mln_router_find(request->api->router, request, &allowed);
    uint32_t flags = request->route ? request->route->flags : 0;
    bool open = outcome == MLN_ROUTE_FOUND ? flags & (MLN_ROUTE_PUBLIC | MLN_ROUTE_MACHINE) : !is_arm(request);
    if (!open) {
        bool expired;
        struct mln_result r = authenticate(request, &expired);
        if (r.code == MLN_E_UNAUTHENTICATED)
            return refuse_signin(request, reply, expired);
        MLN_TRY(r);
    }
    if (outcome != MLN_ROUTE_FOUND)
        return refuse_route(request, reply, allowed);
    MLN_TRY(name_action(request));
    if (flags & MLN_ROUTE_MACHINE)
        MLN_TRY(authenticate_machine(request));
    if (!request->api_version.n && !(flags & (MLN_ROUTE_NO_VERSION | MLN_ROUTE_PUBLIC | MLN_ROUTE_MACHINE)))
        return mln_reply_error(reply, 400, "MissingApiVersionParameter",
                               "The api-version query parameter (?api-version=) is required for all requests.");
    if (request->action.p)
        MLN_TRY(mln_access_check(request->api->rbac, &request->caller, request->action, request->id));
    bool refused;
    MLN_TRY(check_scope(request, reply, &refused));
    *go_on = !refused;
    return MLN_OK;
}

static void make_failure(struct mln_request *request, struct mln_reply *reply, struct mln_result failure)
{
    request->failure = failure.code;
    if (!mln_ok(mln_reply_failure(reply, failure)))
        mln_reply_empty(reply, mln_code_http(failure.code));
    if (failure.code == MLN_E_TOO_MANY || failure.code == MLN_E_BUSY)
        MLN_IGNORE(
            mln_reply_header(request, reply, "Retry-After", failure.code == MLN_E_BUSY ? MLN_S("2") : MLN_S("30")));
}

/* Strangers, and requests that need none, are not given much room for a body. */
static size_t body_limit(const struct mln_request *request)
{
    const struct mln_route *route = request->route;
    if (route->max_body_bytes)
        return route->max_body_bytes;
    bool small = route->flags & MLN_ROUTE_PUBLIC || route->method == MLN_GET || route->method == MLN_DELETE;
    return small ? MLN_API_SMALL_BODY_BYTES : MLN_API_DEFAULT_BODY_BYTES;
}

bool mln_api_begin(const struct mln_api *api, const struct mln_raw_request *raw, struct mln_arena *arena,
                   struct mln_request *request, struct mln_reply *reply, size_t *max_body_bytes)
{
    request->api = api;
    request->arena = arena;
    request->now_ms = mln_now_ms(api->clock);
    request->headers = raw->headers;
    request->n_headers = raw->n_headers;
    request->address = raw->address;
    request->client_certificate = raw->client_certificate;
    request->id = request->scope = MLN_S("");
    *reply = (struct mln_reply){.status = 200, .body = MLN_BUF(MLN_MAX_REPLY_BYTES)};
    reply->json = mln_json_writer(&reply->body);
    bool go_on = false;
    struct mln_result r = name_request(request);
    if (mln_ok(r))
        r = read_host(request);
    if (mln_ok(r))
        r = read_target(request, raw->target);
    if (mln_ok(r))
        r = read_method(request, raw->method)
                ? admit(request, reply, &go_on)
                : mln_reply_error(reply, 501, "NotImplemented",
                                  "The method is not GET, HEAD, PUT, POST, PATCH or DELETE.");
    if (!mln_ok(r))
        make_failure(request, reply, r);
    if (!go_on || !mln_ok(r)) {
        record(request, reply);
        return false;
    }
    *max_body_bytes = body_limit(request);
    return true;
}

static struct mln_result run(struct mln_request *request, struct mln_str body, struct mln_reply *reply)
{
    request->body = body;
    if (body.n && !(request->route->flags & MLN_ROUTE_RAW)) {
        struct mln_result r = mln_json_parse(request->arena, body, body.n, &request->json);
        if (!mln_ok(r))
            return mln_fail_at(r, "The request content is not valid JSON");
    }
    if (request->route->flags & MLN_ROUTE_ENGINE)
        MLN_TRY(announce(request));
    return request->route->handler(request, reply);
}

void mln_api_finish(struct mln_request *request, struct mln_str body, struct mln_reply *reply)
{
    struct mln_result r = run(request, body, reply);
    if (!mln_ok(r))
        make_failure(request, reply, r);
    if (request->head && reply->status == 200 && is_arm(request))
        mln_reply_empty(reply, 204); /* what ARM answers, and the only word that its clients take for yes */
    record(request, reply);
}

void mln_api_too_large(struct mln_request *request, struct mln_reply *reply, size_t max_body_bytes)
{
    make_failure(
        request, reply,
        mln_fail(MLN_E_LIMIT, "The request content is larger than the %zu bytes allowed here.", max_body_bytes));
    record(request, reply);
}

/* What a header of an answer may repeat of the request: printable ASCII, not too much of it. */
static bool may_be_echoed(struct mln_str text)
{
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] <= ' ' || text.p[i] > '~')
            return false;
    return text.n > 0 && text.n <= 128;
}

size_t mln_api_common_headers(const struct mln_request *request, struct mln_reply_header out[8])
{
    size_t n = 0;
    const char *id = request->request_id.n ? mln_str_z(request->arena, request->request_id) : NULL;
    struct mln_str sent = mln_request_header(request, "x-ms-client-request-id");
    const char *echo = may_be_echoed(sent) ? mln_str_z(request->arena, sent) : NULL;
    if (id) {
        out[n++] = (struct mln_reply_header){"x-ms-request-id", id};
        out[n++] = (struct mln_reply_header){"x-ms-correlation-request-id", id};
    }
    if (echo)
        out[n++] = (struct mln_reply_header){"x-ms-client-request-id", echo};
    out[n++] = (struct mln_reply_header){"X-Content-Type-Options", "nosniff"};
    out[n++] = (struct mln_reply_header){"Strict-Transport-Security", "max-age=31536000"};
    return n;
}
