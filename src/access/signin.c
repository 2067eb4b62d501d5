#include "access/signin_internal.h"

#include "base/address.h"
#include "base/base64.h"
#include "crypto/random.h"

enum {
    LOCK_OUT_WINDOW_MS = 15 * 60 * 1000,
    FAILURES_BY_PAIR = 10,
    FAILURES_BY_NAME = 100,
    FAILURES_BY_NETWORK = 30,
    DEVICE_STARTS_BY_NETWORK = 30,
    TRADED_AGAIN_MS = 60 * 1000, /* two processes of one client may trade the same refresh token at once */
    USED_REFRESH_KEPT_MS = 24 * 3600 * 1000,
    SECRET_BYTES = 32,
};

/* ---- opening ---- */

struct mln_result mln_signin_open(const struct mln_signin_setup *setup, struct mln_signin **out)
{
    MLN_CLEANUP(mln_signin_close) struct mln_signin *signin = calloc(1, sizeof *signin);
    if (!signin)
        return mln_fail(MLN_E_MEMORY, "no memory for sign-in");
    signin->setup = *setup;
    signin->grants = (struct mln_grants){.store = setup->store, .clock = setup->clock};
    pthread_mutex_init(&signin->hashing, NULL);
    pthread_cond_init(&signin->hash_done, NULL);
    MLN_TRY(mln_limiter_new(setup->clock, FAILURES_BY_PAIR, LOCK_OUT_WINDOW_MS, &signin->by_pair));
    MLN_TRY(mln_limiter_new(setup->clock, FAILURES_BY_NAME, LOCK_OUT_WINDOW_MS, &signin->by_name));
    MLN_TRY(mln_limiter_new(setup->clock, FAILURES_BY_NETWORK, LOCK_OUT_WINDOW_MS, &signin->by_network));
    MLN_TRY(mln_limiter_new(setup->clock, DEVICE_STARTS_BY_NETWORK, LOCK_OUT_WINDOW_MS, &signin->starts));
    *out = MLN_TAKE(signin);
    return MLN_OK;
}

void mln_signin_close(struct mln_signin *signin)
{
    if (!signin)
        return;
    mln_limiter_free(signin->by_pair);
    mln_limiter_free(signin->by_name);
    mln_limiter_free(signin->by_network);
    mln_limiter_free(signin->starts);
    pthread_cond_destroy(&signin->hash_done);
    pthread_mutex_destroy(&signin->hashing);
    free(signin);
}

struct mln_principals *mln_signin_principals(struct mln_signin *signin)
{
    return signin->setup.principals;
}

struct mln_tokens *mln_signin_tokens(struct mln_signin *signin)
{
    return signin->setup.tokens;
}

struct mln_result mln_signin_bearer(struct mln_signin *signin, struct mln_str token, struct mln_arena *arena,
                                    struct mln_caller *out, bool *expired)
{
    return mln_tokens_verify(signin->setup.tokens, signin->setup.principals, token, arena, out, expired);
}

struct mln_result mln_signin_sweep(struct mln_signin *signin, size_t *removed)
{
    return mln_grants_sweep(&signin->grants, removed);
}

struct mln_result mln_signin_network_check(struct mln_limiter *limiter, struct mln_str address)
{
    char network[MLN_ADDRESS_TEXT];
    return mln_limiter_check(limiter, mln_address_network(address, network), NULL);
}

void mln_signin_network_failed(struct mln_limiter *limiter, struct mln_str address)
{
    char network[MLN_ADDRESS_TEXT];
    mln_limiter_failed(limiter, mln_address_network(address, network));
}

/* ---- what the grants have in common ---- */

struct mln_result mln_signin_grant_principal(struct mln_signin *signin, const struct mln_grant *grant,
                                             struct mln_arena *arena, struct mln_principal *out)
{
    struct mln_result r = mln_principal_get(signin->setup.principals, grant->principal_id, arena, out);
    if (r.code == MLN_E_NOT_FOUND || (mln_ok(r) && (out->disabled || out->generation != grant->generation)))
        return mln_signin_refused();
    return r;
}

static struct mln_result new_batch(struct mln_store_batch **out)
{
    *out = mln_store_batch_new();
    return *out ? MLN_OK : mln_fail(MLN_E_MEMORY, "no memory to sign in");
}

/* Commits; who lost a race is refused. */
static struct mln_result commit_once(struct mln_signin *signin, struct mln_store_batch **batch)
{
    struct mln_result r = mln_store_commit(signin->setup.store, MLN_TAKE(*batch), NULL);
    return r.code == MLN_E_PRECONDITION ? mln_signin_refused() : r;
}

/* Appends a fresh secret to out and stores the grant under it. */
static struct mln_result give(struct mln_signin *signin, enum mln_grant_kind kind, struct mln_grant *grant,
                              struct mln_arena *arena, struct mln_buf *out)
{
    MLN_CLEANUP(mln_store_batch_free) struct mln_store_batch *batch = NULL;
    struct mln_str key;
    size_t before = out->n;
    MLN_TRY(new_batch(&batch));
    MLN_TRY(mln_random_token(SECRET_BYTES, out));
    MLN_TRY(mln_grant_key(kind, mln_str_sub(mln_buf_str(out), before, out->n), arena, &key));
    MLN_TRY(mln_grant_add(&signin->grants, batch, kind, key, grant));
    return commit_once(signin, &batch);
}

static struct mln_result find(struct mln_signin *signin, enum mln_grant_kind kind, struct mln_str secret,
                              struct mln_arena *arena, struct mln_grant *out)
{
    struct mln_str key;
    MLN_TRY(mln_grant_key(kind, secret, arena, &key));
    return mln_grant_find(&signin->grants, key, arena, out);
}

static struct mln_result unknown_is_refused(struct mln_result r)
{
    return r.code == MLN_E_NOT_FOUND ? mln_signin_refused() : r;
}

/* ---- refresh tokens: FAMILY.SECRET ---- */

static struct mln_result add_refresh(struct mln_signin *signin, struct mln_store_batch *batch, struct mln_str family,
                                     const struct mln_principal *principal, struct mln_str client_id,
                                     struct mln_arena *arena, struct mln_buf *out)
{
    struct mln_grant grant = {
        .principal_id = principal->id, .generation = principal->generation, .client_id = client_id};
    struct mln_str key;
    size_t before = out->n;
    MLN_TRY(mln_buf_append(out, family));
    MLN_TRY(mln_buf_byte(out, '.'));
    MLN_TRY(mln_random_token(SECRET_BYTES, out));
    MLN_TRY(mln_grant_key(MLN_GRANT_REFRESH, mln_str_sub(mln_buf_str(out), before, out->n), arena, &key));
    return mln_grant_add(&signin->grants, batch, MLN_GRANT_REFRESH, key, &grant);
}

struct mln_result mln_signin_refresh_start(struct mln_signin *signin, const struct mln_principal *principal,
                                           struct mln_str client_id, struct mln_buf *out)
{
    MLN_CLEANUP(mln_store_batch_free) struct mln_store_batch *batch = NULL;
    MLN_CLEANUP(mln_arena_free) struct mln_arena *arena = mln_arena_new(64 << 10);
    MLN_BUF_CLEANUP struct mln_buf family = MLN_BUF(64);
    MLN_TRY(new_batch(&batch));
    if (!arena)
        return mln_fail(MLN_E_MEMORY, "no memory to sign in");
    MLN_TRY(mln_random_token(16, &family));
    MLN_TRY(add_refresh(signin, batch, mln_buf_str(&family), principal, client_id, arena, out));
    return commit_once(signin, &batch);
}

static struct mln_result end_family(struct mln_signin *signin, const struct mln_grant *grant)
{
    MLN_CLEANUP(mln_store_batch_free) struct mln_store_batch *batch = NULL;
    MLN_TRY(new_batch(&batch));
    MLN_TRY(mln_grant_remove_family(batch, grant->key));
    MLN_TRY(mln_store_commit(signin->setup.store, MLN_TAKE(batch), NULL));
    return mln_signin_refused();
}

/* One try. PRECONDITION: another trade of the same token came first. */
static struct mln_result trade(struct mln_signin *signin, struct mln_str token, struct mln_str client_id,
                               struct mln_arena *arena, struct mln_principal *principal, struct mln_buf *out)
{
    struct mln_grant grant;
    int64_t now = mln_now_ms(signin->setup.clock);
    MLN_TRY(unknown_is_refused(find(signin, MLN_GRANT_REFRESH, token, arena, &grant)));
    if (!mln_str_eq_nocase(grant.client_id, client_id))
        return mln_signin_refused();
    MLN_TRY(mln_signin_grant_principal(signin, &grant, arena, principal));
    if (grant.state == MLN_GRANT_USED && now - grant.used_ms > TRADED_AGAIN_MS)
        return end_family(signin, &grant);
    MLN_CLEANUP(mln_store_batch_free) struct mln_store_batch *batch = NULL;
    MLN_TRY(new_batch(&batch));
    struct mln_str family, rest = token;
    mln_str_cut(&rest, '.', &family);
    MLN_TRY(add_refresh(signin, batch, family, principal, client_id, arena, out));
    if (grant.state != MLN_GRANT_USED) {
        grant.state = MLN_GRANT_USED;
        grant.used_ms = now;
        if (grant.expires_ms > now + USED_REFRESH_KEPT_MS)
            grant.expires_ms = now + USED_REFRESH_KEPT_MS;
        MLN_TRY(mln_grant_replace(batch, &grant));
    }
    return mln_store_commit(signin->setup.store, MLN_TAKE(batch), NULL);
}

struct mln_result mln_signin_refresh(struct mln_signin *signin, struct mln_str token, struct mln_str client_id,
                                     struct mln_arena *arena, struct mln_principal *principal, struct mln_buf *out)
{
    size_t before = out->n;
    struct mln_result r = trade(signin, token, client_id, arena, principal, out);
    if (r.code != MLN_E_PRECONDITION)
        return r;
    out->n = before;
    r = trade(signin, token, client_id, arena, principal, out); /* now it is one that was traded a moment ago */
    return r.code == MLN_E_PRECONDITION ? mln_signin_refused() : r;
}

/* ---- device codes ---- */

/* Eight letters without vowels and without those that look alike: "BCDF-GHJK". */
static struct mln_result new_user_code(char out[MLN_USER_CODE_TEXT])
{
    static const char letters[] = "BCDFGHJKLMNPQRSTVWXZ";
    unsigned char random[32];
    size_t n = 0;
    while (n < 9) {
        MLN_TRY(mln_random_bytes(random, sizeof random));
        for (size_t i = 0; i < sizeof random && n < 9; i++) {
            if (n == 4)
                out[n++] = '-';
            if (random[i] < 240) /* 12 * 20: every letter is as likely */
                out[n++] = letters[random[i] % 20];
        }
    }
    out[n] = '\0';
    return MLN_OK;
}

static struct mln_result user_code_key(struct mln_str typed, struct mln_arena *arena, struct mln_str *key)
{
    char letters[9];
    size_t n = 0;
    for (size_t i = 0; i < typed.n; i++) {
        char c = typed.p[i];
        if (c == ' ' || c == '-')
            continue;
        if (n == 8)
            return mln_fail(MLN_E_NOT_FOUND, "no such code");
        letters[n++] = c >= 'a' && c <= 'z' ? (char)(c - 32) : c;
    }
    return mln_grant_key(MLN_GRANT_USER_CODE, (struct mln_str){letters, n}, arena, key);
}

struct mln_result mln_signin_device_start(struct mln_signin *signin, struct mln_str client_id, struct mln_str address,
                                          struct mln_buf *device_code, char user_code[MLN_USER_CODE_TEXT])
{
    MLN_CLEANUP(mln_store_batch_free) struct mln_store_batch *batch = NULL;
    MLN_CLEANUP(mln_arena_free) struct mln_arena *arena = mln_arena_new(64 << 10);
    struct mln_str device_key, code_key;
    size_t before = device_code->n;
    MLN_TRY(mln_signin_network_check(signin->starts, address));
    mln_signin_network_failed(signin->starts, address);
    MLN_TRY(new_batch(&batch));
    if (!arena)
        return mln_fail(MLN_E_MEMORY, "no memory to sign in");
    MLN_TRY(new_user_code(user_code));
    MLN_TRY(mln_random_token(SECRET_BYTES, device_code));
    MLN_TRY(mln_grant_key(MLN_GRANT_DEVICE, mln_str_sub(mln_buf_str(device_code), before, device_code->n), arena,
                          &device_key));
    MLN_TRY(user_code_key(mln_str_c(user_code), arena, &code_key));
    struct mln_grant device = {.client_id = client_id},
                     code = {.client_id = client_id, .target = device_key, .address = address};
    MLN_TRY(mln_grant_add(&signin->grants, batch, MLN_GRANT_DEVICE, device_key, &device));
    MLN_TRY(mln_grant_add(&signin->grants, batch, MLN_GRANT_USER_CODE, code_key, &code));
    return commit_once(signin, &batch);
}

struct mln_result mln_signin_device_find(struct mln_signin *signin, struct mln_str user_code, struct mln_str address,
                                         struct mln_arena *arena, struct mln_grant *out)
{
    struct mln_str key;
    MLN_TRY(mln_signin_network_check(signin->by_network, address));
    struct mln_result r = user_code_key(user_code, arena, &key);
    if (mln_ok(r))
        r = mln_grant_find(&signin->grants, key, arena, out);
    if (r.code == MLN_E_NOT_FOUND) {
        mln_signin_network_failed(signin->by_network, address);
        return mln_fail(MLN_E_NOT_FOUND, "There is no such code, or it has expired.");
    }
    return r;
}

struct mln_result mln_signin_device_decide(struct mln_signin *signin, struct mln_str user_code, struct mln_str address,
                                           struct mln_str principal_id, bool approve, struct mln_arena *arena)
{
    struct mln_grant code, device;
    struct mln_principal principal;
    MLN_TRY(mln_signin_device_find(signin, user_code, address, arena, &code));
    MLN_TRY(mln_grant_find(&signin->grants, code.target, arena, &device));
    MLN_TRY(mln_principal_get(signin->setup.principals, principal_id, arena, &principal));
    MLN_CLEANUP(mln_store_batch_free) struct mln_store_batch *batch = NULL;
    MLN_TRY(new_batch(&batch));
    device.state = approve ? MLN_GRANT_APPROVED : MLN_GRANT_DENIED;
    device.principal_id = principal.id;
    device.generation = principal.generation;
    MLN_TRY(mln_grant_replace(batch, &device));
    MLN_TRY(mln_grant_remove(batch, &code));
    return commit_once(signin, &batch);
}

struct mln_result mln_signin_device_poll(struct mln_signin *signin, struct mln_str device_code,
                                         struct mln_str client_id, struct mln_arena *arena, struct mln_principal *out)
{
    struct mln_grant device;
    MLN_TRY(find(signin, MLN_GRANT_DEVICE, device_code, arena, &device));
    if (!mln_str_eq_nocase(device.client_id, client_id))
        return mln_fail(MLN_E_NOT_FOUND, "The device code is another client's.");
    if (device.state == MLN_GRANT_OPEN)
        return mln_fail(MLN_E_CONFLICT, "Nobody has decided yet.");
    MLN_CLEANUP(mln_store_batch_free) struct mln_store_batch *batch = NULL;
    MLN_TRY(new_batch(&batch));
    MLN_TRY(mln_grant_remove(batch, &device));
    MLN_TRY(commit_once(signin, &batch));
    if (device.state == MLN_GRANT_DENIED)
        return mln_fail(MLN_E_FORBIDDEN, "The sign-in was denied.");
    return mln_signin_grant_principal(signin, &device, arena, out);
}

/* ---- authorization codes ---- */

static bool is_loopback(struct mln_str uri)
{
    static const char *const starts[] = {"http://localhost", "http://127.0.0.1", "http://[::1]"};
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
        struct mln_str start = mln_str_c(starts[i]);
        if (!mln_str_starts(uri, start))
            continue;
        char next = uri.n == start.n ? '/' : uri.p[start.n];
        if (next != '/' && next != ':')
            continue;
        size_t at = start.n + (next == ':');
        while (next == ':' && at < uri.n && uri.p[at] >= '0' && uri.p[at] <= '9')
            at++;
        return at >= uri.n || uri.p[at] == '/';
    }
    return false;
}

static bool is_plain(struct mln_str s, size_t most)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] <= ' ' || s.p[i] > '~' || s.p[i] == '"' || s.p[i] == '#')
            return false;
    return s.n > 0 && s.n <= most;
}

struct mln_result mln_signin_code_check(const struct mln_code_request *request)
{
    if (!is_plain(request->client_id, 64))
        return mln_fail(MLN_E_INVALID, "client_id is missing or malformed.");
    if (!is_plain(request->redirect_uri, 512) || !is_loopback(request->redirect_uri))
        return mln_fail(MLN_E_INVALID, "redirect_uri must be http://localhost or http://127.0.0.1 with any port.");
    if (!is_plain(request->challenge, 128) || request->challenge.n < 43)
        return mln_fail(MLN_E_INVALID, "A code_challenge by S256 (PKCE) is required.");
    return MLN_OK;
}

struct mln_result mln_signin_code_start(struct mln_signin *signin, const struct mln_code_request *request,
                                        struct mln_str principal_id, struct mln_arena *arena, struct mln_buf *code)
{
    struct mln_principal principal;
    MLN_TRY(mln_signin_code_check(request));
    MLN_TRY(mln_principal_get(signin->setup.principals, principal_id, arena, &principal));
    struct mln_grant grant = {.principal_id = principal.id,
                              .generation = principal.generation,
                              .client_id = request->client_id,
                              .redirect_uri = request->redirect_uri,
                              .challenge = request->challenge,
                              .nonce = request->nonce};
    return give(signin, MLN_GRANT_CODE, &grant, arena, code);
}

static struct mln_result verifier_fits(struct mln_str verifier, struct mln_str challenge)
{
    struct mln_sha256 digest;
    MLN_BUF_CLEANUP struct mln_buf text = MLN_BUF(64);
    if (verifier.n < 43 || verifier.n > 128)
        return mln_signin_refused();
    MLN_TRY(mln_sha256(verifier, &digest));
    MLN_TRY(mln_base64_encode(MLN_BASE64URL, mln_sha256_str(&digest), &text));
    return mln_secret_eq(mln_buf_str(&text), challenge) ? MLN_OK : mln_signin_refused();
}

struct mln_result mln_signin_code(struct mln_signin *signin, struct mln_str code, struct mln_str client_id,
                                  struct mln_str redirect_uri, struct mln_str verifier, struct mln_arena *arena,
                                  struct mln_principal *out, struct mln_str *nonce)
{
    struct mln_grant grant;
    MLN_TRY(unknown_is_refused(find(signin, MLN_GRANT_CODE, code, arena, &grant)));
    MLN_CLEANUP(mln_store_batch_free) struct mln_store_batch *batch = NULL;
    MLN_TRY(new_batch(&batch));
    MLN_TRY(mln_grant_remove(batch, &grant)); /* right or wrong, it was shown: it is used up */
    MLN_TRY(commit_once(signin, &batch));
    if (!mln_str_eq_nocase(grant.client_id, client_id) || !mln_str_eq(grant.redirect_uri, redirect_uri))
        return mln_signin_refused();
    MLN_TRY(verifier_fits(verifier, grant.challenge));
    *nonce = grant.nonce;
    return mln_signin_grant_principal(signin, &grant, arena, out);
}

/* ---- browser sessions ---- */

struct mln_result mln_signin_session_start(struct mln_signin *signin, const struct mln_principal *principal,
                                           struct mln_arena *arena, struct mln_buf *cookie, struct mln_str *csrf)
{
    MLN_BUF_CLEANUP struct mln_buf token = MLN_BUF_SECRET(64);
    MLN_TRY(mln_random_token(SECRET_BYTES, &token));
    MLN_TRY_STR(arena, *csrf, mln_str_dup(arena, mln_buf_str(&token)));
    struct mln_grant grant = {.principal_id = principal->id, .generation = principal->generation, .csrf = *csrf};
    return give(signin, MLN_GRANT_SESSION, &grant, arena, cookie);
}

struct mln_result mln_signin_session(struct mln_signin *signin, struct mln_str cookie, struct mln_arena *arena,
                                     struct mln_caller *caller, struct mln_str *csrf)
{
    struct mln_grant grant;
    struct mln_result r = find(signin, MLN_GRANT_SESSION, cookie, arena, &grant);
    if (r.code == MLN_E_NOT_FOUND)
        return mln_fail(MLN_E_UNAUTHENTICATED, "The session is over; sign in again.");
    MLN_TRY(r);
    MLN_TRY(mln_principal_caller(signin->setup.principals, grant.principal_id, grant.generation, arena, caller));
    caller->how = MLN_S("cookie");
    *csrf = grant.csrf;
    return MLN_OK;
}

struct mln_result mln_signin_session_end(struct mln_signin *signin, struct mln_str cookie, struct mln_arena *arena)
{
    struct mln_str key;
    MLN_CLEANUP(mln_store_batch_free) struct mln_store_batch *batch = NULL;
    MLN_TRY(new_batch(&batch));
    MLN_TRY(mln_grant_key(MLN_GRANT_SESSION, cookie, arena, &key));
    MLN_TRY(mln_store_delete(batch, MLN_COLLECTION_TOKENS, key));
    return mln_store_commit(signin->setup.store, MLN_TAKE(batch), NULL);
}
