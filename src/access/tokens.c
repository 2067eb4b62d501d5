#include "access/tokens.h"

#include "base/snapshot.h"
#include "crypto/random.h"
#include "json/writer.h"

enum { CLAIMS_BYTES = 4096, CLOCK_SKEW_MS = 60000 };

struct mln_tokens {
    const struct mln_clock *clock;
    char tenant_id[MLN_UUID_TEXT];
    struct mln_snapshot *keys; /* struct mln_jwt_keys */
};

static void keys_free(void *value)
{
    mln_jwt_keys_free(value);
}

struct mln_result mln_tokens_new(const struct mln_clock *clock, struct mln_str tenant_id, struct mln_tokens **out)
{
    struct mln_uuid tenant;
    MLN_TRY(mln_uuid_parse(tenant_id, &tenant));
    MLN_CLEANUP(mln_tokens_free) struct mln_tokens *tokens = calloc(1, sizeof *tokens);
    if (!tokens || !(tokens->keys = mln_snapshot_new(keys_free)))
        return mln_fail(MLN_E_MEMORY, "no memory for tokens");
    tokens->clock = clock;
    mln_uuid_text(&tenant, tokens->tenant_id);
    *out = MLN_TAKE(tokens);
    return MLN_OK;
}

void mln_tokens_free(struct mln_tokens *tokens)
{
    if (!tokens)
        return;
    if (tokens->keys)
        mln_snapshot_free(tokens->keys);
    free(tokens);
}

struct mln_result mln_tokens_use_keys(struct mln_tokens *tokens, struct mln_jwt_keys *keys)
{
    return mln_snapshot_publish(tokens->keys, keys);
}

struct mln_result mln_tokens_jwks(struct mln_tokens *tokens, struct mln_buf *out)
{
    void *keys;
    struct mln_snapshot_pin *pin = mln_snapshot_pin(tokens->keys, &keys);
    struct mln_result r = keys ? mln_jwt_keys_jwks(keys, out) : mln_fail(MLN_E_INTERNAL, "no signing keys");
    mln_snapshot_unpin(tokens->keys, pin);
    return r;
}

static struct mln_result sign(struct mln_tokens *tokens, const struct mln_buf *claims, struct mln_buf *out)
{
    void *keys;
    struct mln_snapshot_pin *pin = mln_snapshot_pin(tokens->keys, &keys);
    struct mln_result r =
        keys ? mln_jwt_keys_sign(keys, mln_buf_str(claims), out) : mln_fail(MLN_E_INTERNAL, "no signing keys");
    mln_snapshot_unpin(tokens->keys, pin);
    return r;
}

/* The claims that both kinds have; the caller closes the object. */
static void put_claims(const struct mln_tokens *tokens, struct mln_json_writer *w,
                       const struct mln_principal *principal)
{
    int64_t now = mln_now_ms(tokens->clock) / 1000;
    bool user = principal->kind == MLN_PRINCIPAL_USER;
    mln_json_member_str(w, "sub", principal->id);
    mln_json_member_str(w, "oid", principal->id);
    mln_json_member_str(w, "tid", mln_str_c(tokens->tenant_id));
    mln_json_member_str(w, user ? "upn" : "app_displayname", principal->name);
    mln_json_member_i64(w, "iat", now);
    mln_json_member_i64(w, "nbf", now);
    mln_json_member_i64(w, "exp", now + MLN_ACCESS_TOKEN_SECONDS);
}

struct mln_result mln_tokens_access(struct mln_tokens *tokens, const struct mln_principal *principal,
                                    struct mln_str client_id, struct mln_buf *out)
{
    struct mln_uuid id;
    char id_text[MLN_UUID_TEXT], issuer[64];
    MLN_TRY(mln_uuid_random(&id));
    snprintf(issuer, sizeof issuer, "urn:merlon:%s", tokens->tenant_id);
    MLN_BUF_CLEANUP struct mln_buf claims = MLN_BUF(CLAIMS_BYTES);
    struct mln_json_writer w = mln_json_writer(&claims);
    mln_json_begin_object(&w);
    mln_json_member_str(&w, "iss", mln_str_c(issuer));
    mln_json_member_str(&w, "aud", mln_str_c(issuer));
    put_claims(tokens, &w, principal);
    mln_json_member_str(&w, "appid", client_id);
    mln_json_member_str(&w, "idtyp", principal->kind == MLN_PRINCIPAL_USER ? MLN_S("user") : MLN_S("app"));
    mln_json_member_i64(&w, "gen", principal->generation);
    mln_json_member_str(&w, "jti", mln_uuid_text(&id, id_text));
    mln_json_end_object(&w);
    MLN_TRY(mln_json_writer_end(&w));
    return sign(tokens, &claims, out);
}

struct mln_result mln_tokens_id(struct mln_tokens *tokens, const struct mln_principal *principal,
                                struct mln_str client_id, struct mln_str issuer, struct mln_str nonce,
                                struct mln_buf *out)
{
    MLN_BUF_CLEANUP struct mln_buf claims = MLN_BUF(CLAIMS_BYTES);
    struct mln_json_writer w = mln_json_writer(&claims);
    mln_json_begin_object(&w);
    mln_json_member_str(&w, "iss", issuer);
    mln_json_member_str(&w, "aud", client_id);
    put_claims(tokens, &w, principal);
    mln_json_member_str(&w, "preferred_username", principal->name);
    mln_json_member_str(&w, "nonce", nonce);
    mln_json_end_object(&w);
    MLN_TRY(mln_json_writer_end(&w));
    return sign(tokens, &claims, out);
}

static struct mln_result signed_claims(struct mln_tokens *tokens, struct mln_str token, struct mln_arena *arena,
                                       const struct mln_json **claims)
{
    void *keys;
    struct mln_str payload;
    struct mln_snapshot_pin *pin = mln_snapshot_pin(tokens->keys, &keys);
    struct mln_result r =
        keys ? mln_jwt_keys_verify(keys, token, arena, &payload) : mln_fail(MLN_E_INTERNAL, "no signing keys");
    mln_snapshot_unpin(tokens->keys, pin);
    MLN_TRY(r);
    return mln_json_parse(arena, payload, CLAIMS_BYTES * 2, claims);
}

struct mln_result mln_tokens_verify(struct mln_tokens *tokens, struct mln_principals *principals, struct mln_str token,
                                    struct mln_arena *arena, struct mln_caller *out, bool *expired)
{
    const struct mln_json *claims;
    char ours[64];
    *expired = false;
    MLN_TRY(signed_claims(tokens, token, arena, &claims));
    int n = snprintf(ours, sizeof ours, "urn:merlon:%s", tokens->tenant_id);
    struct mln_str none = {0}, name = {ours, (size_t)n};
    /* An id token is signed by the same keys. Its audience is the client, which anybody may name as they like, but its
       issuer is an address. */
    if (!mln_str_eq(mln_json_str(mln_json_get(claims, MLN_S("aud")), none), name) ||
        !mln_str_eq(mln_json_str(mln_json_get(claims, MLN_S("iss")), none), name))
        return mln_fail(MLN_E_UNAUTHENTICATED, "The access token is for another audience.");
    int64_t now = mln_now_ms(tokens->clock);
    *expired = now / 1000 >= mln_json_i64(mln_json_get(claims, MLN_S("exp")), 0);
    if (*expired)
        return mln_fail(MLN_E_UNAUTHENTICATED, "The access token expiry UTC time is earlier than current UTC time.");
    if ((now + CLOCK_SKEW_MS) / 1000 < mln_json_i64(mln_json_get(claims, MLN_S("nbf")), INT64_MAX))
        return mln_fail(MLN_E_UNAUTHENTICATED, "The access token is not valid yet.");
    MLN_TRY(mln_principal_caller(principals, mln_json_str(mln_json_get(claims, MLN_S("sub")), none),
                                 mln_json_i64(mln_json_get(claims, MLN_S("gen")), -1), arena, out));
    out->how = MLN_S("bearer");
    return MLN_OK;
}
