/*
 * The token endpoint and its neighbours, in the form of an ADFS authority (docs/sign-in.md). Owns OAuth's words; what they
 * mean is access/signin.h. The pages that people see are routes_pages.c.
 */
#include "access/signin.h"
#include "api/path.h"
#include "api/route.h"
#include "base/log.h"

enum { MAX_FIELDS = 32, FORM_BYTES = 64 << 10 };

struct token_request {
    struct mln_request *request;
    struct mln_reply *reply;
    struct mln_signin *signin;
    struct mln_pair fields[MAX_FIELDS];
    size_t n_fields;
    struct mln_str client_id;
};

static struct mln_str field(const struct token_request *t, const char *name)
{
    return mln_pair_find(t->fields, t->n_fields, name);
}

/* ---- errors ---- */

static struct mln_result oauth_error(struct mln_reply *reply, int status, const char *error, const char *description)
{
    struct mln_json_writer *w = mln_reply_json(reply, status);
    mln_json_begin_object(w);
    mln_json_member_str(w, "error", mln_str_c(error));
    mln_json_member_str(w, "error_description", mln_str_c(description));
    mln_json_end_object(w);
    return mln_json_writer_end(w);
}

/* A failed proof in OAuth's words; refused is the word for UNAUTHENTICATED. */
static struct mln_result oauth_failure(struct token_request *t, struct mln_result failure, const char *refused)
{
    char text[512];
    snprintf(text, sizeof text, "%s", mln_error_text());
    if (failure.code == MLN_E_UNAUTHENTICATED || failure.code == MLN_E_TOO_MANY)
        mln_log(WARNING, "sign-in from %.*s refused: client %.*s, user %.*s: %s", MLN_FMT(t->request->address),
                MLN_FMT(t->client_id), MLN_FMT(mln_str_sub(field(t, "username"), 0, 128)), text);
    if (failure.code == MLN_E_UNAUTHENTICATED)
        return oauth_error(t->reply, strcmp(refused, "invalid_client") ? 400 : 401, refused, text);
    if (failure.code == MLN_E_INVALID || failure.code == MLN_E_SYNTAX)
        return oauth_error(t->reply, 400, "invalid_request", text);
    if (failure.code == MLN_E_TOO_MANY) {
        MLN_TRY(oauth_error(t->reply, 429, "temporarily_unavailable", text));
        return mln_reply_header(t->request, t->reply, "Retry-After", MLN_S("60"));
    }
    return failure;
}

/* ---- the answer ---- */

static struct mln_result put_id_token(struct token_request *t, const struct mln_principal *principal,
                                      struct mln_str nonce, struct mln_json_writer *w)
{
    MLN_BUF_CLEANUP struct mln_buf id = MLN_BUF_SECRET(MLN_JWT_MAX_BYTES);
    struct mln_str issuer;
    MLN_TRY_STR(t->request->arena, issuer,
                mln_str_printf(t->request->arena, "%.*s/adfs", MLN_FMT(t->request->base_url)));
    MLN_TRY(mln_tokens_id(mln_signin_tokens(t->signin), principal, t->client_id, issuer, nonce, &id));
    mln_json_member_str(w, "id_token", mln_buf_str(&id));
    return MLN_OK;
}

/* refresh.n 0: none, as for service principals. */
static struct mln_result give_tokens(struct token_request *t, const struct mln_principal *principal,
                                     struct mln_str refresh, struct mln_str nonce)
{
    MLN_BUF_CLEANUP struct mln_buf access = MLN_BUF_SECRET(MLN_JWT_MAX_BYTES);
    MLN_TRY(mln_tokens_access(mln_signin_tokens(t->signin), principal, t->client_id, &access));
    struct mln_json_writer *w = mln_reply_json(t->reply, 200);
    mln_json_begin_object(w);
    mln_json_member_str(w, "token_type", MLN_S("Bearer"));
    mln_json_member_i64(w, "expires_in", MLN_ACCESS_TOKEN_SECONDS);
    mln_json_member_str(w, "scope", field(t, "scope"));
    mln_json_member_str(w, "access_token", mln_buf_str(&access));
    if (refresh.n) {
        mln_json_member_str(w, "refresh_token", refresh);
        MLN_TRY(put_id_token(t, principal, nonce, w));
    }
    mln_json_end_object(w);
    return mln_json_writer_end(w);
}

static struct mln_result give_user_tokens(struct token_request *t, const struct mln_principal *principal,
                                          struct mln_str nonce)
{
    MLN_BUF_CLEANUP struct mln_buf refresh = MLN_BUF_SECRET(256);
    MLN_TRY(mln_signin_refresh_start(t->signin, principal, t->client_id, &refresh));
    return give_tokens(t, principal, mln_buf_str(&refresh), nonce);
}

/* ---- grants ---- */

static struct mln_result prove_client(struct token_request *t, struct mln_principal *principal)
{
    struct mln_request *request = t->request;
    struct mln_str assertion = field(t, "client_assertion"), audiences[2];
    if (!assertion.p)
        return mln_signin_secret(t->signin, t->client_id, field(t, "client_secret"), request->address, request->arena,
                                 principal);
    if (!mln_str_eq(field(t, "client_assertion_type"), MLN_S("urn:ietf:params:oauth:client-assertion-type:jwt-bearer")))
        return mln_fail(MLN_E_INVALID, "client_assertion_type must be jwt-bearer.");
    MLN_TRY_STR(request->arena, audiences[0],
                mln_str_printf(request->arena, "%.*s/adfs/oauth2/token", MLN_FMT(request->base_url)));
    MLN_TRY_STR(request->arena, audiences[1], mln_str_printf(request->arena, "%.*s/adfs", MLN_FMT(request->base_url)));
    return mln_signin_assertion(t->signin, t->client_id, assertion, audiences, 2, request->address, request->arena,
                                principal);
}

static struct mln_result by_client(struct token_request *t)
{
    struct mln_principal principal = {0};
    struct mln_result r = prove_client(t, &principal);
    if (!mln_ok(r))
        return oauth_failure(t, r, "invalid_client");
    return give_tokens(t, &principal, (struct mln_str){0}, (struct mln_str){0});
}

static struct mln_result by_password(struct token_request *t)
{
    struct mln_principal principal = {0};
    struct mln_result r = mln_signin_password(t->signin, field(t, "username"), field(t, "password"),
                                              t->request->address, t->request->arena, &principal);
    return mln_ok(r) ? give_user_tokens(t, &principal, (struct mln_str){0}) : oauth_failure(t, r, "invalid_grant");
}

static struct mln_result by_device(struct token_request *t)
{
    struct mln_principal principal = {0};
    struct mln_str code = field(t, "device_code");
    if (!code.p)
        code = field(t, "code"); /* what older clients call it */
    struct mln_result r = mln_signin_device_poll(t->signin, code, t->client_id, t->request->arena, &principal);
    if (r.code == MLN_E_CONFLICT)
        return oauth_error(t->reply, 400, "authorization_pending", "Nobody has decided yet.");
    if (r.code == MLN_E_FORBIDDEN)
        return oauth_error(t->reply, 400, "access_denied", "The sign-in was denied.");
    if (r.code == MLN_E_NOT_FOUND)
        return oauth_error(t->reply, 400, "expired_token", "The device code has expired; start again.");
    return mln_ok(r) ? give_user_tokens(t, &principal, (struct mln_str){0}) : oauth_failure(t, r, "invalid_grant");
}

static struct mln_result by_code(struct token_request *t)
{
    struct mln_principal principal = {0};
    struct mln_str nonce = {0};
    struct mln_result r = mln_signin_code(t->signin, field(t, "code"), t->client_id, field(t, "redirect_uri"),
                                          field(t, "code_verifier"), t->request->arena, &principal, &nonce);
    return mln_ok(r) ? give_user_tokens(t, &principal, nonce) : oauth_failure(t, r, "invalid_grant");
}

static struct mln_result by_refresh(struct token_request *t)
{
    MLN_BUF_CLEANUP struct mln_buf refresh = MLN_BUF_SECRET(256);
    struct mln_principal principal = {0};
    struct mln_result r =
        mln_signin_refresh(t->signin, field(t, "refresh_token"), t->client_id, t->request->arena, &principal, &refresh);
    return mln_ok(r) ? give_tokens(t, &principal, mln_buf_str(&refresh), (struct mln_str){0})
                     : oauth_failure(t, r, "invalid_grant");
}

static const struct {
    const char *grant_type;
    struct mln_result (*give)(struct token_request *t);
} grants[] = {
    {"client_credentials", by_client},
    {"password", by_password},
    {"urn:ietf:params:oauth:grant-type:device_code", by_device},
    {"device_code", by_device},
    {"authorization_code", by_code},
    {"refresh_token", by_refresh},
};

static struct mln_result read_form(struct mln_request *request, struct mln_reply *reply, struct token_request *t)
{
    *t = (struct token_request){.request = request, .reply = reply, .signin = request->api->signin};
    MLN_TRY(mln_form_parse(request->arena, request->body, t->fields, MAX_FIELDS, &t->n_fields));
    t->client_id = field(t, "client_id");
    if (!t->client_id.n || t->client_id.n > 64)
        return mln_fail(MLN_E_INVALID, "client_id is missing or too long.");
    return MLN_OK;
}

static struct mln_result post_token(struct mln_request *request, struct mln_reply *reply)
{
    struct token_request t;
    struct mln_result r = read_form(request, reply, &t);
    if (!mln_ok(r))
        return oauth_failure(&t, r, "invalid_request");
    struct mln_str type = field(&t, "grant_type");
    for (size_t i = 0; i < sizeof grants / sizeof *grants; i++)
        if (mln_str_eq(type, mln_str_c(grants[i].grant_type)))
            return grants[i].give(&t);
    return oauth_error(reply, 400, "unsupported_grant_type", "This grant_type is not supported.");
}

static struct mln_result post_device_code(struct mln_request *request, struct mln_reply *reply)
{
    struct token_request t;
    char user_code[MLN_USER_CODE_TEXT];
    MLN_BUF_CLEANUP struct mln_buf device_code = MLN_BUF_SECRET(64);
    struct mln_str page, message;
    struct mln_result r = read_form(request, reply, &t);
    if (mln_ok(r))
        r = mln_signin_device_start(t.signin, t.client_id, request->address, &device_code, user_code);
    if (!mln_ok(r))
        return oauth_failure(&t, r, "invalid_request");
    MLN_TRY_STR(request->arena, page,
                mln_str_printf(request->arena, "%.*s/adfs/oauth2/deviceauth", MLN_FMT(request->base_url)));
    MLN_TRY_STR(request->arena, message,
                mln_str_printf(request->arena, "To sign in, open %.*s in a web browser and enter the code %s.",
                               MLN_FMT(page), user_code));
    struct mln_json_writer *w = mln_reply_json(reply, 200);
    mln_json_begin_object(w);
    mln_json_member_str(w, "device_code", mln_buf_str(&device_code));
    mln_json_member_str(w, "user_code", mln_str_c(user_code));
    mln_json_member_str(w, "verification_uri", page);
    mln_json_member_str(w, "verification_url", page); /* ADFS's own spelling */
    mln_json_member_i64(w, "expires_in", 900);
    mln_json_member_i64(w, "interval", MLN_DEVICE_POLL_SECONDS);
    mln_json_member_str(w, "message", message);
    mln_json_end_object(w);
    return mln_json_writer_end(w);
}

/* ---- discovery ---- */

static void put_strings(struct mln_json_writer *w, const char *name, const char *const *words)
{
    mln_json_name(w, mln_str_c(name));
    mln_json_begin_array(w);
    for (; *words; words++)
        mln_json_put_str(w, mln_str_c(*words));
    mln_json_end_array(w);
}

static struct mln_result put_address(struct mln_request *request, struct mln_json_writer *w, const char *name,
                                     const char *path)
{
    struct mln_str address;
    MLN_TRY_STR(request->arena, address,
                mln_str_printf(request->arena, "%.*s/adfs%s", MLN_FMT(request->base_url), path));
    mln_json_member_str(w, name, address);
    return MLN_OK;
}

static struct mln_result get_configuration(struct mln_request *request, struct mln_reply *reply)
{
    static const char *const types[] = {"code", NULL}, *const algorithms[] = {"ES256", NULL},
                             *const pkce[] = {"S256", NULL},
                             *const auth[] = {"client_secret_post", "private_key_jwt", NULL},
                             *const subjects[] = {"public", NULL};
    struct mln_json_writer *w = mln_reply_json(reply, 200);
    mln_json_begin_object(w);
    MLN_TRY(put_address(request, w, "issuer", ""));
    MLN_TRY(put_address(request, w, "authorization_endpoint", "/oauth2/authorize"));
    MLN_TRY(put_address(request, w, "token_endpoint", "/oauth2/token"));
    MLN_TRY(put_address(request, w, "device_authorization_endpoint", "/oauth2/devicecode"));
    MLN_TRY(put_address(request, w, "jwks_uri", "/discovery/keys"));
    put_strings(w, "response_types_supported", types);
    put_strings(w, "subject_types_supported", subjects);
    put_strings(w, "id_token_signing_alg_values_supported", algorithms);
    put_strings(w, "token_endpoint_auth_methods_supported", auth);
    put_strings(w, "code_challenge_methods_supported", pkce);
    mln_json_end_object(w);
    return mln_json_writer_end(w);
}

static struct mln_result get_keys(struct mln_request *request, struct mln_reply *reply)
{
    mln_reply_json(reply, 200);
    return mln_tokens_jwks(mln_signin_tokens(request->api->signin), &reply->body);
}

static const struct mln_route routes[] = {
    {MLN_GET, "/adfs/.well-known/openid-configuration", get_configuration, NULL, NULL, MLN_ROUTE_PUBLIC, 0},
    {MLN_GET, "/adfs/{tenant}/.well-known/openid-configuration", get_configuration, NULL, NULL, MLN_ROUTE_PUBLIC, 0},
    {MLN_GET, "/adfs/discovery/keys", get_keys, NULL, NULL, MLN_ROUTE_PUBLIC, 0},
    {MLN_POST, "/adfs/oauth2/token", post_token, NULL, NULL, MLN_ROUTE_PUBLIC | MLN_ROUTE_RAW, FORM_BYTES},
    {MLN_POST, "/adfs/oauth2/devicecode", post_device_code, NULL, NULL, MLN_ROUTE_PUBLIC | MLN_ROUTE_RAW, FORM_BYTES},
};
const struct mln_route_table mln_routes_oauth = MLN_ROUTE_TABLE("oauth", routes);
