/*
 * Servers of one's own: enrolment tokens (ours, below Microsoft.Security) and the agent's calls (docs/agent-protocol.md).
 * Who a machine is has been found out before its handler runs, from the client certificate.
 */
#include "api/route.h"
#include "connect/hosts.h"

#define TOKENS "{P}/enrolmentTokens"
#define TYPE "Microsoft.Security/enrolmentTokens"
#define VERSIONS "2026-11-01"

static struct mln_result hosts_of(const struct mln_request *request, struct mln_hosts **hosts)
{
    *hosts = request->api->hosts;
    return *hosts ? MLN_OK : mln_fail(MLN_E_UNSUPPORTED, "This server takes no machines.");
}

/* ---- enrolment tokens ---- */

static struct mln_result put_token(struct mln_request *request, struct mln_json_writer *w,
                                   const struct mln_enrolment_token *token, const char *secret)
{
    struct mln_str id;
    MLN_TRY_STR(request->arena, id,
                mln_str_printf(request->arena, "%.*s/providers/" TYPE "/%.*s", MLN_FMT(token->resource_group),
                               MLN_FMT(token->id)));
    mln_envelope_begin(w, id, token->id, TYPE);
    mln_envelope_properties(w);
    mln_json_member_str(w, "description", token->description);
    mln_json_member_str(w, "createdBy", token->created_by);
    mln_json_member_time(w, "createdTime", token->created_ms);
    mln_json_member_time(w, "expiresTime", token->expires_ms);
    mln_json_member_i64(w, "uses", token->uses);
    mln_json_member_i64(w, "used", token->used);
    mln_json_member_bool(w, "revoked", token->revoked);
    mln_json_member_tree(w, "tags", token->tags);
    if (secret)
        mln_json_member_str(w, "token", mln_str_c(secret)); /* this once */
    mln_envelope_end(w);
    return MLN_OK;
}

static struct mln_result create_token(struct mln_request *request, struct mln_reply *reply)
{
    struct mln_hosts *hosts;
    struct mln_enrolment_token wanted = {.resource_group = request->scope}, made;
    char secret[MLN_HOSTS_TOKEN_TEXT];
    struct mln_str none = {0};
    MLN_TRY(hosts_of(request, &hosts));
    const struct mln_json *p = mln_json_get_nocase(request->json, MLN_S("properties"));
    struct mln_str expires = mln_json_str(mln_json_get_nocase(p, MLN_S("expiresTime")), none);
    wanted.description = mln_json_str(mln_json_get_nocase(p, MLN_S("description")), none);
    wanted.uses = mln_json_i64(mln_json_get_nocase(p, MLN_S("uses")), 0);
    wanted.tags = mln_json_get_nocase(p, MLN_S("tags"));
    if (expires.n)
        MLN_TRY(mln_time_parse(expires, &wanted.expires_ms));
    MLN_TRY(mln_hosts_token_create(hosts, &wanted, request->caller.name, request->arena, secret, &made));
    struct mln_json_writer *w = mln_reply_json(reply, 201);
    struct mln_result r = put_token(request, w, &made, secret);
    explicit_bzero(secret, sizeof secret);
    MLN_TRY(r);
    return mln_json_writer_end(w);
}

struct token_list {
    struct mln_request *request;
    struct mln_json_writer *w;
};

static struct mln_result list_token(void *context, const struct mln_enrolment_token *token, bool *stop)
{
    (void)stop;
    struct token_list *list = context;
    return put_token(list->request, list->w, token, NULL);
}

static struct mln_result get_tokens(struct mln_request *request, struct mln_reply *reply)
{
    struct mln_hosts *hosts;
    MLN_TRY(hosts_of(request, &hosts));
    struct token_list list = {request, mln_reply_list_begin(reply)};
    MLN_TRY(mln_hosts_tokens(hosts, request->scope, list_token, &list));
    return mln_reply_list_end(request, reply, (struct mln_str){0});
}

/* By its name, in the group that the path names. */
static struct mln_result find_token(struct mln_request *request, struct mln_hosts **hosts,
                                    struct mln_enrolment_token *token)
{
    MLN_TRY(hosts_of(request, hosts));
    MLN_TRY(mln_hosts_token_get(*hosts, mln_request_capture(request, "name"), request->arena, token));
    return mln_str_eq_nocase(token->resource_group, request->scope)
               ? MLN_OK
               : mln_fail(MLN_E_NOT_FOUND, "The resource group has no such enrolment token.");
}

static struct mln_result get_token(struct mln_request *request, struct mln_reply *reply)
{
    struct mln_hosts *hosts;
    struct mln_enrolment_token token;
    MLN_TRY(find_token(request, &hosts, &token));
    struct mln_json_writer *w = mln_reply_json(reply, 200);
    MLN_TRY(put_token(request, w, &token, NULL));
    return mln_json_writer_end(w);
}

static struct mln_result revoke_token(struct mln_request *request, struct mln_reply *reply)
{
    struct mln_hosts *hosts;
    struct mln_enrolment_token token;
    struct mln_result r = find_token(request, &hosts, &token);
    mln_reply_empty(reply, r.code == MLN_E_NOT_FOUND ? 204 : 200);
    if (r.code == MLN_E_NOT_FOUND)
        return MLN_OK;
    MLN_TRY(r);
    return mln_hosts_token_revoke(hosts, token.id);
}

/* Ends a machine's enrolment; its resource stays, Disconnected. */
static struct mln_result revoke_machine(struct mln_request *request, struct mln_reply *reply)
{
    struct mln_hosts *hosts;
    MLN_TRY(hosts_of(request, &hosts));
    struct mln_result r = mln_hosts_revoke(hosts, request->scope, request->caller.name);
    mln_reply_empty(reply, r.code == MLN_E_NOT_FOUND ? 204 : 200);
    return r.code == MLN_E_NOT_FOUND ? MLN_OK : r;
}

/* ---- the agent ---- */

static struct mln_result enroll(struct mln_request *request, struct mln_reply *reply)
{
    struct mln_hosts *hosts;
    MLN_TRY(hosts_of(request, &hosts));
    mln_reply_json(reply, 200);
    return mln_hosts_enroll(hosts, request->address, request->body, &reply->body);
}

static struct mln_result renew(struct mln_request *request, struct mln_reply *reply)
{
    mln_reply_json(reply, 200);
    return mln_hosts_renew(request->api->hosts, request->caller.id, request->body, &reply->body);
}

static struct mln_result heartbeat(struct mln_request *request, struct mln_reply *reply)
{
    mln_reply_json(reply, 200);
    return mln_hosts_heartbeat(request->api->hosts, request->caller.id, request->body, &reply->body);
}

static struct mln_result facts(struct mln_request *request, struct mln_reply *reply)
{
    mln_reply_json(reply, 200);
    struct mln_result r = mln_hosts_facts(request->api->hosts, request->caller.id, request->body, &reply->body);
    if (r.code == MLN_E_PRECONDITION) /* the agent then sends everything */
        return mln_reply_error(reply, 409, "BaseMismatch", "%s", mln_error_text());
    return r;
}

static struct mln_result unenroll(struct mln_request *request, struct mln_reply *reply)
{
    mln_reply_json(reply, 200);
    return mln_hosts_unenroll(request->api->hosts, request->caller.id, &reply->body);
}

#define AGENT (MLN_ROUTE_MACHINE | MLN_ROUTE_RAW)
#define SMALL MLN_HOSTS_MAX_SMALL_BODY_BYTES

static const struct mln_route routes[] = {
    {MLN_GET, "{S}" TOKENS, get_tokens, TYPE "/read", VERSIONS, 0, 0},
    {MLN_GET, "{G}" TOKENS, get_tokens, TYPE "/read", VERSIONS, 0, 0},
    {MLN_POST, "{G}" TOKENS, create_token, TYPE "/write", VERSIONS, MLN_ROUTE_ENGINE, 0},
    {MLN_GET, "{G}" TOKENS "/{name}", get_token, TYPE "/read", VERSIONS, 0, 0},
    {MLN_DELETE, "{G}" TOKENS "/{name}", revoke_token, TYPE "/delete", VERSIONS, MLN_ROUTE_ENGINE, 0},
    {MLN_DELETE, "{R}{P}/enrolments/default", revoke_machine, "Microsoft.Security/enrolments/delete", VERSIONS,
     MLN_ROUTE_ENGINE, 0},
    {MLN_POST, "/agent/v1/enroll", enroll, NULL, NULL, MLN_ROUTE_PUBLIC | MLN_ROUTE_RAW, SMALL},
    {MLN_POST, "/agent/v1/renew", renew, NULL, NULL, AGENT, SMALL},
    {MLN_POST, "/agent/v1/heartbeat", heartbeat, NULL, NULL, AGENT, SMALL},
    {MLN_POST, "/agent/v1/facts", facts, NULL, NULL, AGENT, MLN_HOSTS_MAX_BODY_BYTES},
    {MLN_POST, "/agent/v1/unenroll", unenroll, NULL, NULL, AGENT, SMALL},
};
const struct mln_route_table mln_routes_hosts = MLN_ROUTE_TABLE("hosts", routes);
