/*
 * Users and service principals: `/providers/Microsoft.Security/principals`, an extension of ours (Azure keeps them in
 * Microsoft Graph). The rights are Microsoft.Authorization's on purpose: who may make principals or their secrets can act
 * as them, so it takes what it takes to give roles, and a Security Admin does not have that.
 */
#include "access/signin.h"
#include "api/route.h"
#include "crypto/cert.h"
#include "crypto/random.h"

#define P "{P}/principals"
#define TYPE "Microsoft.Security/principals"
#define RIGHT "Microsoft.Authorization/principals/"
#define VERSIONS "2026-11-01"
#define PREFIX "/providers/Microsoft.Security/principals/"

/* ---- answers ---- */

static void put_secrets(struct mln_json_writer *w, const struct mln_principal *p)
{
    mln_json_name(w, MLN_S("secrets"));
    mln_json_begin_array(w);
    for (size_t i = 0; i < p->n_secrets; i++) {
        mln_json_begin_object(w);
        mln_json_member_str(w, "id", p->secrets[i].id);
        mln_json_member_time(w, "createdTime", p->secrets[i].created_ms);
        mln_json_member_time(w, "expiresTime", p->secrets[i].expires_ms);
        mln_json_end_object(w);
    }
    mln_json_end_array(w);
}

static void put_certificates(struct mln_json_writer *w, const struct mln_principal *p)
{
    mln_json_name(w, MLN_S("certificates"));
    mln_json_begin_array(w);
    for (size_t i = 0; i < p->n_certificates; i++) {
        mln_json_begin_object(w);
        mln_json_member_str(w, "thumbprint", p->certificates[i].thumbprint);
        mln_json_member_str(w, "subject", p->certificates[i].subject);
        mln_json_member_time(w, "expiresTime", p->certificates[i].expires_ms);
        mln_json_end_object(w);
    }
    mln_json_end_array(w);
}

static void put_principal(struct mln_json_writer *w, const struct mln_principal *p)
{
    char id[sizeof PREFIX + 64];
    snprintf(id, sizeof id, PREFIX "%.*s", MLN_FMT(p->id));
    mln_envelope_begin(w, mln_str_c(id), p->id, TYPE);
    mln_envelope_properties(w);
    mln_json_member_str(w, "principalType", mln_str_c(mln_principal_kind_words[p->kind]));
    mln_json_member_str(w, p->kind == MLN_PRINCIPAL_USER ? "userName" : "appDisplayName", p->name);
    mln_json_member_str(w, "displayName", p->display_name.n ? p->display_name : (struct mln_str){0});
    mln_json_member_bool(w, "accountEnabled", !p->disabled);
    mln_json_member_time(w, "createdTime", p->created_ms);
    put_secrets(w, p);
    put_certificates(w, p);
    mln_envelope_end(w);
}

static struct mln_result answer(struct mln_reply *reply, int status, const struct mln_principal *p)
{
    struct mln_json_writer *w = mln_reply_json(reply, status);
    put_principal(w, p);
    return mln_json_writer_end(w);
}

static struct mln_result list_principal(void *context, const struct mln_principal *p)
{
    put_principal(context, p);
    return MLN_OK;
}

static struct mln_result get_principals(struct mln_request *request, struct mln_reply *reply)
{
    struct mln_json_writer *w = mln_reply_list_begin(reply);
    MLN_TRY(mln_principals_visit(mln_signin_principals(request->api->signin), list_principal, w));
    return mln_reply_list_end(request, reply, (struct mln_str){0});
}

static struct mln_result find(struct mln_request *request, struct mln_principal *p)
{
    return mln_principal_get(mln_signin_principals(request->api->signin), mln_request_capture(request, "id"),
                             request->arena, p);
}

static struct mln_result get_principal(struct mln_request *request, struct mln_reply *reply)
{
    struct mln_principal p;
    MLN_TRY(find(request, &p));
    return answer(reply, 200, &p);
}

/* ---- changes ---- */

/* From the first look to the refresh; see mln_principals_lock. */
#define CHANGING(request)                                                                                              \
    MLN_CLEANUP(mln_principals_unlock)                                                                                 \
    struct mln_principals *changing = mln_principals_lock(mln_signin_principals((request)->api->signin));              \
    (void)changing

static struct mln_result commit(struct mln_request *request, const struct mln_principal *p)
{
    struct mln_principals *principals = mln_signin_principals(request->api->signin);
    MLN_CLEANUP(mln_store_batch_free) struct mln_store_batch *batch = mln_store_batch_new();
    if (!batch)
        return mln_fail(MLN_E_MEMORY, "no memory for the change");
    MLN_TRY(mln_principal_put(principals, batch, p));
    MLN_TRY(mln_request_commit(request, MLN_TAKE(batch), NULL));
    return mln_principals_refresh(principals);
}

static struct mln_result read_certificate(struct mln_request *request, const struct mln_json *json,
                                          struct mln_principal_certificate *out)
{
    struct mln_str pem = mln_json_str(json, (struct mln_str){0});
    MLN_CLEANUP(mln_cert_free) struct mln_cert *cert = NULL;
    MLN_CLEANUP(mln_public_key_free) struct mln_public_key *key = NULL;
    MLN_BUF_CLEANUP struct mln_buf key_pem = MLN_BUF(MLN_KEY_PEM_MAX_BYTES);
    struct mln_cert_info info;
    char hex[2 * MLN_SHA1_BYTES + 1];
    if (!pem.n)
        return mln_fail(MLN_E_INVALID, "certificates must be an array of PEM texts.");
    MLN_TRY(mln_cert_from_pem(pem, &cert));
    MLN_TRY(mln_cert_describe(cert, request->arena, &info));
    MLN_TRY(mln_cert_public_key(cert, &key));
    MLN_TRY(mln_public_key_to_pem(key, &key_pem));
    mln_hex_encode((struct mln_str){(const char *)info.sha1, sizeof info.sha1}, hex);
    for (char *c = hex; *c; c++)
        if (*c >= 'a')
            *c = (char)(*c - 32);
    out->expires_ms = info.not_after_ms;
    out->subject = info.subject_cn;
    MLN_TRY_STR(request->arena, out->thumbprint, mln_str_dup(request->arena, mln_str_c(hex)));
    MLN_TRY_STR(request->arena, out->public_key, mln_str_dup(request->arena, mln_buf_str(&key_pem)));
    return MLN_OK;
}

static struct mln_result read_certificates(struct mln_request *request, const struct mln_json *array,
                                           struct mln_principal *p)
{
    if (!array)
        return MLN_OK;
    if (!mln_json_is(array, MLN_JSON_ARRAY) || array->n > MLN_PRINCIPAL_MAX_CERTIFICATES)
        return mln_fail(MLN_E_INVALID, "certificates must be an array of at most %d PEM texts.",
                        MLN_PRINCIPAL_MAX_CERTIFICATES);
    p->generation++; /* who signed in with one that goes must do so anew */
    for (p->n_certificates = 0; p->n_certificates < array->n; p->n_certificates++)
        MLN_TRY(read_certificate(request, &array->items[p->n_certificates], &p->certificates[p->n_certificates]));
    return MLN_OK;
}

/* Fills what the body names; what it does not name stays. */
static struct mln_result read_properties(struct mln_request *request, const struct mln_json *body, bool created,
                                         struct mln_principal *p)
{
    struct mln_str none = {0};
    const struct mln_json *properties = mln_json_get_nocase(body, MLN_S("properties"));
    struct mln_str type = mln_json_str(mln_json_get_nocase(properties, MLN_S("principalType")), none);
    if (created || type.n) {
        int kind = mln_word_index(mln_principal_kind_words, type);
        if (kind < 0 || (!created && kind != p->kind))
            return mln_fail(MLN_E_INVALID, "principalType must be User or ServicePrincipal, and cannot change.");
        p->kind = kind;
    }
    bool user = p->kind == MLN_PRINCIPAL_USER;
    p->name =
        mln_json_str(mln_json_get_nocase(properties, user ? MLN_S("userName") : MLN_S("appDisplayName")), p->name);
    p->display_name = mln_json_str(mln_json_get_nocase(properties, MLN_S("displayName")), p->display_name);
    bool enabled = mln_json_bool(mln_json_get_nocase(properties, MLN_S("accountEnabled")), !p->disabled);
    p->generation += !enabled && !p->disabled; /* switched off: all its tokens end */
    p->disabled = !enabled;
    if (!user)
        return read_certificates(request, mln_json_get_nocase(properties, MLN_S("certificates")), p);
    const struct mln_json *password = mln_json_get_nocase(properties, MLN_S("password"));
    if (!password && created)
        return mln_fail(MLN_E_INVALID, "A new user needs a password.");
    return password ? mln_signin_set_password(request->api->signin, p, mln_json_str(password, none), request->arena)
                    : MLN_OK;
}

static struct mln_result put_one(struct mln_request *request, struct mln_reply *reply)
{
    const struct mln_json *body;
    struct mln_principal p = {0};
    struct mln_uuid uuid;
    char text[MLN_UUID_TEXT];
    CHANGING(request);
    MLN_TRY(mln_request_object(request, &body));
    if (!mln_ok(mln_uuid_parse(mln_request_capture(request, "id"), &uuid)))
        return mln_fail(MLN_E_INVALID, "A principal's id is a GUID.");
    struct mln_result r = find(request, &p);
    bool created = r.code == MLN_E_NOT_FOUND;
    if (!created)
        MLN_TRY(r);
    if (created) {
        /* a moment, so that no token of an earlier principal of this id is one of this */
        p = (struct mln_principal){
            .generation = request->now_ms, .created_ms = request->now_ms, .created_by = request->caller.id};
        MLN_TRY_STR(request->arena, p.id, mln_str_dup(request->arena, mln_uuid_text(&uuid, text)));
    }
    MLN_TRY(read_properties(request, body, created, &p));
    if (p.disabled && mln_str_eq_nocase(p.id, request->caller.id))
        return mln_fail(MLN_E_CONFLICT, "Nobody can switch off the account they are using.");
    if (p.disabled)
        MLN_TRY(mln_rbac_check_owner_left(request->api->rbac, changing, p.id));
    MLN_TRY(commit(request, &p));
    return answer(reply, created ? 201 : 200, &p);
}

static struct mln_result delete_one(struct mln_request *request, struct mln_reply *reply)
{
    struct mln_principal p;
    CHANGING(request);
    struct mln_result r = find(request, &p);
    if (r.code == MLN_E_NOT_FOUND) {
        mln_reply_empty(reply, 204);
        return MLN_OK;
    }
    MLN_TRY(r);
    if (mln_str_eq_nocase(p.id, request->caller.id))
        return mln_fail(MLN_E_CONFLICT, "Nobody can delete the account they are using.");
    MLN_CLEANUP(mln_store_batch_free) struct mln_store_batch *batch = mln_store_batch_new();
    if (!batch)
        return mln_fail(MLN_E_MEMORY, "no memory for the change");
    MLN_TRY(mln_principal_delete(batch, p.id));
    MLN_TRY(mln_rbac_delete_principal(request->api->rbac, changing, batch, p.id));
    MLN_TRY(mln_request_commit(request, MLN_TAKE(batch), NULL));
    MLN_TRY(mln_principals_refresh(mln_signin_principals(request->api->signin)));
    MLN_TRY(mln_rbac_refresh(request->api->rbac));
    mln_reply_empty(reply, 200);
    return MLN_OK;
}

/* ---- secrets of service principals: shown once ---- */

static struct mln_result add_secret(struct mln_request *request, struct mln_reply *reply)
{
    struct mln_principal p;
    int64_t expires_ms = 0;
    CHANGING(request);
    MLN_BUF_CLEANUP struct mln_buf secret = MLN_BUF_SECRET(64);
    MLN_TRY(find(request, &p));
    if (p.kind != MLN_PRINCIPAL_SERVICE)
        return mln_fail(MLN_E_INVALID, "A user has a password, not secrets.");
    struct mln_str expires =
        mln_json_str(mln_json_get_nocase(request->json, MLN_S("expiresTime")), (struct mln_str){0});
    if (expires.n) {
        MLN_TRY(mln_time_parse(expires, &expires_ms));
        if (expires_ms <= request->now_ms)
            return mln_fail(MLN_E_INVALID, "expiresTime must be in the future.");
    }
    MLN_TRY(mln_signin_add_secret(request->api->signin, &p, expires_ms, request->arena, &secret));
    MLN_TRY(commit(request, &p));
    struct mln_json_writer *w = mln_reply_json(reply, 200);
    mln_json_begin_object(w);
    mln_json_member_str(w, "secretId", p.secrets[p.n_secrets - 1].id);
    mln_json_member_str(w, "clientId", p.id);
    mln_json_member_str(w, "clientSecret", mln_buf_str(&secret));
    mln_json_member_time(w, "expiresTime", expires_ms);
    mln_json_end_object(w);
    return mln_json_writer_end(w);
}

static struct mln_result delete_secret(struct mln_request *request, struct mln_reply *reply)
{
    struct mln_principal p;
    struct mln_str id = mln_request_capture(request, "secret");
    CHANGING(request);
    MLN_TRY(find(request, &p));
    size_t kept = 0, before = p.n_secrets;
    for (size_t i = 0; i < before; i++)
        if (!mln_str_eq_nocase(p.secrets[i].id, id))
            p.secrets[kept++] = p.secrets[i];
    if (p.kind == MLN_PRINCIPAL_USER)
        return mln_fail(MLN_E_INVALID, "A user's password is replaced, not deleted.");
    p.n_secrets = kept;
    p.generation += kept != before; /* who signed in with it must do so anew */
    mln_reply_empty(reply, kept == before ? 204 : 200);
    return kept == before ? MLN_OK : commit(request, &p);
}

static const struct mln_route routes[] = {
    {MLN_GET, P, get_principals, RIGHT "read", VERSIONS, 0, 0},
    {MLN_GET, P "/{id}", get_principal, RIGHT "read", VERSIONS, 0, 0},
    {MLN_PUT, P "/{id}", put_one, RIGHT "write", VERSIONS, 0, 0},
    {MLN_DELETE, P "/{id}", delete_one, RIGHT "delete", VERSIONS, 0, 0},
    {MLN_POST, P "/{id}/addSecret", add_secret, RIGHT "write", VERSIONS, 0, 0},
    {MLN_DELETE, P "/{id}/secrets/{secret}", delete_secret, RIGHT "write", VERSIONS, 0, 0},
};
const struct mln_route_table mln_routes_principals = MLN_ROUTE_TABLE("principals", routes);
