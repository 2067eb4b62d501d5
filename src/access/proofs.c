/* Proofs of identity: passwords, client secrets, client assertions. */
#include "access/signin_internal.h"
#include "base/address.h"
#include "base/base64.h"
#include "crypto/password.h"
#include "crypto/random.h"
#include "json/json.h"

/* Who waits for a hash keeps a thread of the server: these and those at work are fewer than it has at least. */
enum { HASHES_AT_ONCE = 2, HASHES_WAITING = 4, ASSERTION_SKEW_MS = 300000, ASSERTION_LIFE_MS = 3600000 };

struct mln_result mln_signin_refused(void)
{
    return mln_fail(MLN_E_UNAUTHENTICATED, "The name or the secret is not right, or the account is disabled.");
}

/* ---- password hashes cost memory and time: few at once, a bounded number waits ---- */

static struct mln_result enter(struct mln_signin *signin)
{
    struct mln_result r = MLN_OK;
    pthread_mutex_lock(&signin->hashing);
    if (signin->hashes_waiting >= HASHES_WAITING) {
        r = mln_fail(MLN_E_BUSY, "Too many are signing in at this moment.");
    } else {
        signin->hashes_waiting++;
        while (signin->hashes_running >= HASHES_AT_ONCE)
            pthread_cond_wait(&signin->hash_done, &signin->hashing);
        signin->hashes_waiting--;
        signin->hashes_running++;
    }
    pthread_mutex_unlock(&signin->hashing);
    return r;
}

static void leave(struct mln_signin *signin)
{
    pthread_mutex_lock(&signin->hashing);
    signin->hashes_running--;
    pthread_cond_signal(&signin->hash_done);
    pthread_mutex_unlock(&signin->hashing);
}

static struct mln_result hash(struct mln_signin *signin, struct mln_str secret, struct mln_buf *out)
{
    MLN_TRY(enter(signin));
    struct mln_result r = mln_password_hash(secret, out);
    leave(signin);
    return r;
}

/* ---- secrets ---- */

/* Whether the secret is one of the principal's (NULL: nobody's, at the same cost). */
static struct mln_result try_secrets(struct mln_signin *signin, const struct mln_principal *principal,
                                     struct mln_str secret)
{
    int64_t now = mln_now_ms(signin->setup.clock);
    struct mln_result r = {MLN_E_UNAUTHENTICATED};
    size_t tried = 0;
    for (size_t i = 0; principal && i < principal->n_secrets && r.code == MLN_E_UNAUTHENTICATED; i++) {
        const struct mln_principal_secret *s = &principal->secrets[i];
        if (s->expires_ms && s->expires_ms <= now)
            continue;
        r = mln_password_verify(secret, s->hash);
        tried++;
    }
    if (!tried)
        r = mln_password_verify(secret, MLN_S(""));
    return r;
}

/* Whose secret is tried, from where: what failures are counted by. */
struct attempt {
    struct mln_str name, address, pair;
    char pair_text[256 + 1 + MLN_ADDRESS_TEXT];
};

static void name_attempt(struct attempt *a, struct mln_str name, struct mln_str address)
{
    char network[MLN_ADDRESS_TEXT];
    a->name = mln_str_sub(name, 0, 256);
    a->address = address;
    mln_address_network(address, network);
    int n = snprintf(a->pair_text, sizeof a->pair_text, "%s\n%.*s", network, MLN_FMT(a->name));
    a->pair = (struct mln_str){a->pair_text, (size_t)n};
}

static struct mln_result check_attempt(struct mln_signin *signin, const struct attempt *a)
{
    MLN_TRY(mln_limiter_check(signin->by_pair, a->pair, NULL));
    MLN_TRY(mln_limiter_check(signin->by_name, a->name, NULL));
    return mln_signin_network_check(signin->by_network, a->address);
}

static void count_failure(struct mln_signin *signin, const struct attempt *a)
{
    mln_limiter_failed(signin->by_pair, a->pair);
    mln_limiter_failed(signin->by_name, a->name);
    mln_signin_network_failed(signin->by_network, a->address);
}

static struct mln_result prove(struct mln_signin *signin, const struct mln_principal *principal, struct mln_str name,
                               struct mln_str secret, struct mln_str address)
{
    struct attempt a;
    name_attempt(&a, name, address);
    MLN_TRY(check_attempt(signin, &a));
    if (!secret.n || secret.n > MLN_PASSWORD_MAX_BYTES)
        return mln_signin_refused();
    MLN_TRY(enter(signin));
    struct mln_result r = check_attempt(signin, &a); /* again: many guesses may have waited here together */
    if (mln_ok(r))
        r = try_secrets(signin, principal, secret);
    if (mln_ok(r) && (!principal || principal->disabled))
        r = (struct mln_result){MLN_E_UNAUTHENTICATED};
    if (mln_ok(r))
        mln_limiter_succeeded(signin->by_pair, a.pair);
    else if (r.code == MLN_E_UNAUTHENTICATED)
        count_failure(signin, &a);
    leave(signin);
    return r.code == MLN_E_UNAUTHENTICATED ? mln_signin_refused() : r;
}

struct mln_result mln_signin_password(struct mln_signin *signin, struct mln_str name, struct mln_str password,
                                      struct mln_str address, struct mln_arena *arena, struct mln_principal *out)
{
    struct mln_result r = mln_principal_by_name(signin->setup.principals, name, arena, out);
    if (!mln_ok(r) && r.code != MLN_E_NOT_FOUND)
        return r;
    return prove(signin, mln_ok(r) ? out : NULL, name, password, address);
}

static struct mln_result find_service(struct mln_signin *signin, struct mln_str client_id, struct mln_arena *arena,
                                      struct mln_principal *out)
{
    MLN_TRY(mln_principal_get(signin->setup.principals, client_id, arena, out));
    return out->kind == MLN_PRINCIPAL_SERVICE ? MLN_OK : mln_fail(MLN_E_NOT_FOUND, "not a service principal");
}

struct mln_result mln_signin_secret(struct mln_signin *signin, struct mln_str client_id, struct mln_str secret,
                                    struct mln_str address, struct mln_arena *arena, struct mln_principal *out)
{
    struct mln_result r = find_service(signin, client_id, arena, out);
    if (!mln_ok(r) && r.code != MLN_E_NOT_FOUND)
        return r;
    return prove(signin, mln_ok(r) ? out : NULL, client_id, secret, address);
}

/* ---- assertions ---- */

static struct mln_str text(const struct mln_json *json, const char *name)
{
    return mln_json_str(mln_json_get(json, mln_str_c(name)), (struct mln_str){0});
}

/* NumericDate in seconds, which clients send as integers and as floats; -1 when absent. */
static int64_t date_ms(const struct mln_json *json, const char *name)
{
    const struct mln_json *value = mln_json_get(json, mln_str_c(name));
    if (mln_json_is(value, MLN_JSON_INT) && value->i >= 0 && value->i < INT64_MAX / 1000)
        return value->i * 1000;
    if (mln_json_is(value, MLN_JSON_REAL) && value->real >= 0 && value->real < 9e12)
        return (int64_t)(value->real * 1000);
    return -1;
}

/* x5t, the SHA-1 of the certificate, in base64url with or without padding, as upper-case hex. */
static struct mln_result thumbprint_of(const struct mln_json *header, char out[2 * MLN_SHA1_BYTES + 1])
{
    struct mln_str x5t = text(header, "x5t");
    MLN_BUF_CLEANUP struct mln_buf bytes = MLN_BUF(64);
    enum mln_base64_form form = mln_str_ends(x5t, MLN_S("=")) ? MLN_BASE64URL_PADDED : MLN_BASE64URL;
    MLN_TRY(mln_base64_decode(form, x5t, &bytes));
    if (bytes.n != MLN_SHA1_BYTES)
        return mln_fail(MLN_E_SYNTAX, "x5t is not a SHA-1 digest");
    mln_hex_encode(mln_buf_str(&bytes), out);
    for (char *c = out; *c; c++)
        if (*c >= 'a')
            *c = (char)(*c - 32);
    return MLN_OK;
}

static const struct mln_principal_certificate *certificate_of(const struct mln_principal *principal,
                                                              const char *thumbprint, int64_t now_ms)
{
    for (size_t i = 0; i < principal->n_certificates; i++) {
        const struct mln_principal_certificate *c = &principal->certificates[i];
        if (mln_str_eq_nocase(c->thumbprint, mln_str_c(thumbprint)) && (!c->expires_ms || c->expires_ms > now_ms))
            return c;
    }
    return NULL;
}

static bool claims_hold(const struct mln_json *claims, struct mln_str client_id, const struct mln_str *audiences,
                        size_t n_audiences, int64_t now_ms)
{
    int64_t expires = date_ms(claims, "exp"), not_before = date_ms(claims, "nbf");
    bool audience = false;
    for (size_t i = 0; i < n_audiences; i++)
        audience |= mln_str_eq(text(claims, "aud"), audiences[i]);
    return audience && mln_str_eq_nocase(text(claims, "iss"), client_id) &&
           mln_str_eq_nocase(text(claims, "sub"), client_id) && expires > now_ms &&
           expires <= now_ms + ASSERTION_LIFE_MS && not_before <= now_ms + ASSERTION_SKEW_MS &&
           text(claims, "jti").n > 0 && text(claims, "jti").n <= 256;
}

/* Remembers client (by its own id, not as the request spells it) and jti; a second time it is refused. */
static struct mln_result use_up(struct mln_signin *signin, struct mln_str client_id, struct mln_str jti,
                                struct mln_arena *arena)
{
    MLN_CLEANUP(mln_store_batch_free) struct mln_store_batch *batch = mln_store_batch_new();
    struct mln_str both, key;
    struct mln_grant grant = {.client_id = client_id, .state = MLN_GRANT_USED};
    if (!batch)
        return mln_fail(MLN_E_MEMORY, "no memory to sign in");
    MLN_TRY_STR(arena, both, mln_str_printf(arena, "%.*s\n%.*s", MLN_FMT(client_id), MLN_FMT(jti)));
    MLN_TRY(mln_grant_key(MLN_GRANT_ASSERTION, both, arena, &key));
    MLN_TRY(mln_grant_add(&signin->grants, batch, MLN_GRANT_ASSERTION, key, &grant));
    struct mln_result r = mln_store_commit(signin->setup.store, MLN_TAKE(batch), NULL);
    return r.code == MLN_E_PRECONDITION ? mln_fail(MLN_E_UNAUTHENTICATED, "The assertion was used before.") : r;
}

static struct mln_result prove_assertion(struct mln_signin *signin, struct mln_str client_id, struct mln_str assertion,
                                         const struct mln_str *audiences, size_t n_audiences, struct mln_arena *arena,
                                         struct mln_principal *out)
{
    struct mln_jwt jwt;
    const struct mln_json *header, *claims;
    char thumbprint[2 * MLN_SHA1_BYTES + 1];
    int64_t now = mln_now_ms(signin->setup.clock);
    MLN_TRY(find_service(signin, client_id, arena, out));
    MLN_TRY(mln_jwt_decode(assertion, arena, &jwt));
    MLN_TRY(mln_json_parse(arena, jwt.header, MLN_JWT_MAX_BYTES, &header));
    MLN_TRY(thumbprint_of(header, thumbprint));
    const struct mln_principal_certificate *certificate = certificate_of(out, thumbprint, now);
    if (!certificate || out->disabled)
        return mln_signin_refused();
    MLN_CLEANUP(mln_public_key_free) struct mln_public_key *key = NULL;
    MLN_TRY(mln_public_key_from_pem(certificate->public_key, &key));
    MLN_TRY(mln_jwt_verify(&jwt, text(header, "alg"), key));
    MLN_TRY(mln_json_parse(arena, jwt.payload, MLN_JWT_MAX_BYTES, &claims));
    if (!claims_hold(claims, client_id, audiences, n_audiences, now))
        return mln_fail(MLN_E_UNAUTHENTICATED, "The assertion is expired, or for another audience or client.");
    return use_up(signin, out->id, text(claims, "jti"), arena);
}

struct mln_result mln_signin_assertion(struct mln_signin *signin, struct mln_str client_id, struct mln_str assertion,
                                       const struct mln_str *audiences, size_t n_audiences, struct mln_str address,
                                       struct mln_arena *arena, struct mln_principal *out)
{
    MLN_TRY(mln_signin_network_check(signin->by_network, address));
    struct mln_result r = prove_assertion(signin, client_id, assertion, audiences, n_audiences, arena, out);
    if (r.code == MLN_E_NOT_FOUND || r.code == MLN_E_SYNTAX || r.code == MLN_E_INVALID)
        r = mln_signin_refused();
    if (r.code == MLN_E_UNAUTHENTICATED)
        mln_signin_network_failed(signin->by_network, address);
    return r;
}

/* ---- changing secrets ---- */

static struct mln_result new_secret(struct mln_signin *signin, struct mln_str secret, int64_t expires_ms,
                                    struct mln_arena *arena, struct mln_principal_secret *out)
{
    struct mln_uuid id;
    char id_text[MLN_UUID_TEXT];
    MLN_BUF_CLEANUP struct mln_buf hashed = MLN_BUF(MLN_PASSWORD_TEXT_MAX_BYTES);
    MLN_TRY(mln_uuid_random(&id));
    MLN_TRY(hash(signin, secret, &hashed));
    *out = (struct mln_principal_secret){.created_ms = mln_now_ms(signin->setup.clock), .expires_ms = expires_ms};
    MLN_TRY_STR(arena, out->id, mln_str_dup(arena, mln_uuid_text(&id, id_text)));
    MLN_TRY_STR(arena, out->hash, mln_str_dup(arena, mln_buf_str(&hashed)));
    return MLN_OK;
}

struct mln_result mln_signin_set_password(struct mln_signin *signin, struct mln_principal *principal,
                                          struct mln_str password, struct mln_arena *arena)
{
    if (password.n < MLN_PASSWORD_LEAST_BYTES || password.n > MLN_PASSWORD_MAX_BYTES)
        return mln_fail(MLN_E_INVALID, "A password has %d to %d bytes.", MLN_PASSWORD_LEAST_BYTES,
                        MLN_PASSWORD_MAX_BYTES);
    MLN_TRY(new_secret(signin, password, 0, arena, &principal->secrets[0]));
    principal->n_secrets = 1;
    principal->generation++;
    return MLN_OK;
}

struct mln_result mln_signin_add_secret(struct mln_signin *signin, struct mln_principal *principal, int64_t expires_ms,
                                        struct mln_arena *arena, struct mln_buf *out)
{
    if (principal->n_secrets == MLN_PRINCIPAL_MAX_SECRETS)
        return mln_fail(MLN_E_CONFLICT, "A service principal has at most %d secrets; delete one first.",
                        MLN_PRINCIPAL_MAX_SECRETS);
    size_t before = out->n;
    MLN_TRY(mln_random_token(32, out));
    struct mln_str secret = mln_str_sub(mln_buf_str(out), before, out->n);
    MLN_TRY(new_secret(signin, secret, expires_ms, arena, &principal->secrets[principal->n_secrets]));
    principal->n_secrets++;
    return MLN_OK;
}
