#include "merlond/state.h"

#include "os/file.h"
#include "os/root.h"
#include "json/fields.h"

#define DAY_MS (INT64_C(24) * 3600 * 1000)
enum {
    SMALL_FILE_BYTES = 64 << 10,
    AUTHORITY_DAYS = 3650,
    SERVER_DAYS = 397,
    SERVER_LEAST_DAYS = 60,
    KEY_DAYS = 30,
    KEY_OVERLAP_MS = 2 * 3600 * 1000,
    KEY_FILES = 64,
};

/* ---- files ---- */

const char *mln_state_path(const struct mln_state *state, struct mln_arena *arena, const char *name)
{
    return mln_str_printf(arena, "%s/%s", state->directory, name).p;
}

static struct mln_result read_file(const struct mln_state *state, const char *name, struct mln_buf *out)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", state->directory, name);
    return mln_file_read(path, MLN_FILE_NOLINK, out);
}

static struct mln_result write_file(const struct mln_state *state, const char *name, const struct mln_buf *content,
                                    mode_t mode)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", state->directory, name);
    return mln_file_write(path, mln_buf_str(content), mode);
}

bool mln_state_exists(const char *directory)
{
    char path[4096];
    struct stat st;
    snprintf(path, sizeof path, "%s/server.json", directory);
    return !stat(path, &st);
}

/* ---- tenant and subscription ---- */

struct identity {
    struct mln_str tenant_id, subscription_id;
};
static const struct mln_field identity_fields[] = {
    MLN_FIELD(struct identity, tenant_id, "tenantId", STR, REQUIRED, NULL, "GUID of this server"),
    MLN_FIELD(struct identity, subscription_id, "subscriptionId", STR, REQUIRED, NULL,
              "GUID of the default subscription"),
};
enum { IDENTITY_FIELDS = sizeof identity_fields / sizeof *identity_fields };

static struct mln_result read_identity(struct mln_state *state, const struct mln_buf *text)
{
    MLN_CLEANUP(mln_arena_free) struct mln_arena *arena = mln_arena_new(SMALL_FILE_BYTES * 8);
    const struct mln_json *json;
    struct identity identity = {0};
    struct mln_uuid uuid;
    if (!arena)
        return mln_fail(MLN_E_MEMORY, "no memory to read server.json");
    MLN_TRY(mln_json_parse(arena, mln_buf_str(text), SMALL_FILE_BYTES, &json));
    MLN_TRY(mln_json_read_fields(json, identity_fields, IDENTITY_FIELDS, MLN_JSON_UNKNOWN_IGNORED, &identity));
    MLN_TRY(mln_uuid_parse(identity.tenant_id, &uuid));
    mln_uuid_text(&uuid, state->tenant_id);
    MLN_TRY(mln_uuid_parse(identity.subscription_id, &uuid));
    mln_uuid_text(&uuid, state->subscription_id);
    return MLN_OK;
}

static struct mln_result make_identity(struct mln_state *state)
{
    MLN_BUF_CLEANUP struct mln_buf text = MLN_BUF(SMALL_FILE_BYTES);
    struct mln_uuid uuid;
    MLN_TRY(mln_uuid_random(&uuid));
    mln_uuid_text(&uuid, state->tenant_id);
    MLN_TRY(mln_uuid_random(&uuid));
    mln_uuid_text(&uuid, state->subscription_id);
    struct identity identity = {mln_str_c(state->tenant_id), mln_str_c(state->subscription_id)};
    struct mln_json_writer w = mln_json_writer(&text);
    mln_json_begin_object(&w);
    mln_json_put_fields(&w, identity_fields, IDENTITY_FIELDS, &identity);
    mln_json_end_object(&w);
    MLN_TRY(mln_json_writer_end(&w));
    state->created = true;
    return write_file(state, "server.json", &text, 0600);
}

static struct mln_result open_identity(struct mln_state *state)
{
    MLN_BUF_CLEANUP struct mln_buf text = MLN_BUF(SMALL_FILE_BYTES);
    struct mln_result r = read_file(state, "server.json", &text);
    if (r.code == MLN_E_NOT_FOUND)
        return make_identity(state);
    MLN_TRY(r);
    r = read_identity(state, &text);
    return mln_ok(r) ? r : mln_fail_at(r, "%s/server.json", state->directory);
}

/* ---- the authority ---- */

static struct mln_validity days_from(int64_t now_ms, int64_t days)
{
    return (struct mln_validity){now_ms - 3600 * 1000, now_ms + days * DAY_MS}; /* an hour back, for clocks that lag */
}

static struct mln_result make_authority(struct mln_state *state, int64_t now_ms)
{
    char name[64];
    snprintf(name, sizeof name, "Merlon CA %.8s", state->tenant_id);
    MLN_TRY(mln_ca_create(mln_str_c(name), days_from(now_ms, AUTHORITY_DAYS), &state->ca));
    MLN_TRY(mln_key_to_pem(mln_ca_key(state->ca), &state->ca_key));
    MLN_TRY(mln_cert_to_pem(mln_ca_cert(state->ca), &state->ca_pem));
    MLN_TRY(write_file(state, "ca.key", &state->ca_key, 0600));
    return write_file(state, "ca.pem", &state->ca_pem, 0644);
}

/* The key is written first: a certificate stands for a complete pair. */
static struct mln_result open_authority(struct mln_state *state, int64_t now_ms)
{
    struct mln_result r = read_file(state, "ca.pem", &state->ca_pem);
    if (r.code == MLN_E_NOT_FOUND)
        return make_authority(state, now_ms);
    MLN_TRY(r);
    MLN_TRY(read_file(state, "ca.key", &state->ca_key));
    r = mln_ca_load(mln_buf_str(&state->ca_pem), mln_buf_str(&state->ca_key), &state->ca);
    return mln_ok(r) ? r : mln_fail_at(r, "%s/ca.pem", state->directory);
}

/* ---- opening ---- */

static struct mln_result open_all(struct mln_state *state, int64_t now_ms)
{
    char path[4096];
    if (strlen(state->directory) > sizeof path - 64)
        return mln_fail(MLN_E_INVALID, "the state directory's path is too long");
    MLN_TRY(mln_dir_ensure(state->directory, 0700));
    snprintf(path, sizeof path, "%s/lock", state->directory);
    struct mln_result r = mln_file_lock(path, &state->lock);
    if (r.code == MLN_E_CONFLICT)
        return mln_fail(MLN_E_CONFLICT, "another merlond uses %s; stop it first", state->directory);
    MLN_TRY(r);
    MLN_TRY(open_identity(state));
    MLN_TRY(open_authority(state, now_ms));
    snprintf(path, sizeof path, "%s/token-keys", state->directory);
    return mln_dir_ensure(path, 0700);
}

struct mln_result mln_state_open(const char *directory, const struct mln_clock *clock, struct mln_state *out)
{
    *out = (struct mln_state){.directory = directory,
                              .lock = -1,
                              .ca_pem = MLN_BUF(SMALL_FILE_BYTES),
                              .ca_key = MLN_BUF_SECRET(SMALL_FILE_BYTES)};
    struct mln_result r = open_all(out, mln_now_ms(clock));
    if (!mln_ok(r))
        mln_state_close(out);
    return r;
}

void mln_state_close(struct mln_state *state)
{
    mln_ca_free(state->ca);
    mln_buf_free(&state->ca_pem);
    mln_buf_free(&state->ca_key);
    if (state->lock >= 0)
        close(state->lock);
    *state = (struct mln_state){.lock = -1};
}

/* ---- the server's certificate ---- */

static struct mln_result join_names(const struct mln_str *names, size_t n, struct mln_buf *out)
{
    for (size_t i = 0; i < n; i++)
        MLN_TRY(mln_buf_printf(out, "%.*s\n", MLN_FMT(names[i])));
    return MLN_OK;
}

/* Whether the stored certificate is one of this authority for these names, and lasts. */
static struct mln_result read_server(const struct mln_state *state, int64_t now_ms, const struct mln_buf *names,
                                     struct mln_buf *certificate, struct mln_buf *key, bool *fits)
{
    MLN_BUF_CLEANUP struct mln_buf stored_names = MLN_BUF(SMALL_FILE_BYTES);
    MLN_CLEANUP(mln_cert_free) struct mln_cert *cert = NULL;
    MLN_CLEANUP(mln_arena_free) struct mln_arena *arena = mln_arena_new(SMALL_FILE_BYTES);
    struct mln_cert_info info;
    *fits = false;
    if (!arena)
        return mln_fail(MLN_E_MEMORY, "no memory for the server's certificate");
    struct mln_result r = read_file(state, "server.names", &stored_names);
    if (mln_ok(r))
        r = read_file(state, "server.pem", certificate);
    if (mln_ok(r))
        r = read_file(state, "server.key", key);
    if (r.code == MLN_E_NOT_FOUND)
        return MLN_OK;
    MLN_TRY(r);
    MLN_TRY(mln_cert_from_pem(mln_buf_str(certificate), &cert));
    MLN_TRY(mln_cert_describe(cert, arena, &info));
    *fits = mln_str_eq(mln_buf_str(&stored_names), mln_buf_str(names)) &&
            mln_str_ends(mln_buf_str(certificate), mln_buf_str(&state->ca_pem)) &&
            info.not_after_ms > now_ms + SERVER_LEAST_DAYS * DAY_MS;
    return MLN_OK;
}

struct mln_result mln_state_server_certificate(const struct mln_state *state, const struct mln_clock *clock,
                                               const struct mln_str *names, size_t n, struct mln_buf *certificate,
                                               struct mln_buf *key)
{
    MLN_BUF_CLEANUP struct mln_buf joined = MLN_BUF(SMALL_FILE_BYTES);
    MLN_CLEANUP(mln_key_free) struct mln_key *pair = NULL;
    MLN_CLEANUP(mln_cert_free) struct mln_cert *cert = NULL;
    int64_t now = mln_now_ms(clock);
    bool fits;
    MLN_TRY(join_names(names, n, &joined));
    MLN_TRY(read_server(state, now, &joined, certificate, key, &fits));
    if (fits)
        return MLN_OK;
    mln_buf_clear(certificate);
    mln_buf_clear(key);
    MLN_TRY(mln_key_generate(&pair));
    MLN_TRY(mln_ca_issue_server(state->ca, pair, names, n, days_from(now, SERVER_DAYS), &cert));
    MLN_TRY(mln_key_to_pem(pair, key));
    MLN_TRY(mln_cert_to_pem(cert, certificate));
    MLN_TRY(mln_buf_append(certificate, mln_buf_str(&state->ca_pem)));
    MLN_TRY(write_file(state, "server.key", key, 0600));
    MLN_TRY(write_file(state, "server.pem", certificate, 0644));
    return write_file(state, "server.names", &joined, 0600);
}

/* ---- keys of tokens: token-keys/TIME.pem ---- */

static struct mln_result key_path(const struct mln_state *state, int64_t created_ms, char out[4096])
{
    int n = snprintf(out, 4096, "%s/token-keys/%016llx.pem", state->directory, (long long)created_ms);
    return n < 4096 ? MLN_OK : mln_fail(MLN_E_INVALID, "the state directory's path is too long");
}

static struct mln_result make_key(const struct mln_state *state, int64_t now_ms)
{
    MLN_CLEANUP(mln_key_free) struct mln_key *key = NULL;
    MLN_BUF_CLEANUP struct mln_buf pem = MLN_BUF_SECRET(MLN_KEY_PEM_MAX_BYTES);
    char path[4096];
    MLN_TRY(key_path(state, now_ms, path));
    MLN_TRY(mln_key_generate(&key));
    MLN_TRY(mln_key_to_pem(key, &pem));
    return mln_file_create(path, mln_buf_str(&pem), 0600);
}

static struct mln_result load_key(const struct mln_state *state, int64_t created_ms, struct mln_jwt_keys *keys)
{
    MLN_CLEANUP(mln_key_free) struct mln_key *key = NULL;
    MLN_BUF_CLEANUP struct mln_buf pem = MLN_BUF_SECRET(MLN_KEY_PEM_MAX_BYTES);
    char path[4096];
    MLN_TRY(key_path(state, created_ms, path));
    MLN_TRY(mln_file_read(path, MLN_FILE_NOLINK, &pem));
    struct mln_result r = mln_key_from_pem(mln_buf_str(&pem), &key);
    return mln_ok(r) ? mln_jwt_keys_add(keys, key) : mln_fail_at(r, "%s", path);
}

/* When the stored keys were made, oldest first; at most KEY_FILES. */
static struct mln_result key_times(const struct mln_state *state, int64_t times[KEY_FILES], size_t *n)
{
    MLN_CLEANUP(mln_arena_free) struct mln_arena *arena = mln_arena_new(SMALL_FILE_BYTES * 4);
    struct mln_dir_names names;
    char path[4096];
    if (!arena)
        return mln_fail(MLN_E_MEMORY, "no memory for the signing keys");
    snprintf(path, sizeof path, "%s/token-keys", state->directory);
    struct mln_root root;
    MLN_TRY(mln_root_open(path, &root));
    struct mln_result r = mln_root_list(&root, "/", arena, KEY_FILES, &names);
    mln_root_close(&root);
    MLN_TRY(r);
    *n = 0;
    for (size_t i = 0; i < names.n; i++) {
        char *end;
        int64_t created = strtoll(names.at[i], &end, 16);
        if (end == names.at[i] + 16 && !strcmp(end, ".pem"))
            times[(*n)++] = created;
    }
    return MLN_OK;
}

struct mln_result mln_state_signing_keys(const struct mln_state *state, const struct mln_clock *clock,
                                         struct mln_jwt_keys **out)
{
    MLN_CLEANUP(mln_jwt_keys_free) struct mln_jwt_keys *keys = NULL;
    int64_t times[KEY_FILES + 1], now = mln_now_ms(clock);
    size_t n;
    MLN_TRY(key_times(state, times, &n));
    if (!n || times[n - 1] <= now - KEY_DAYS * DAY_MS) {
        MLN_TRY(make_key(state, now));
        times[n++] = now;
    }
    MLN_TRY(mln_jwt_keys_new(&keys));
    for (size_t i = n, loaded = 0; i-- > 0; loaded++) {
        bool over = i + 1 < n && times[i + 1] + KEY_OVERLAP_MS < now;
        if (!over && loaded < MLN_JWT_KEYS_MAX) {
            MLN_TRY(load_key(state, times[i], keys));
            continue;
        }
        char path[4096];
        MLN_TRY(key_path(state, times[i], path));
        unlink(path); /* what stays behind is tried again the next time */
    }
    *out = MLN_TAKE(keys);
    return MLN_OK;
}
