#include "access/grants.h"

#include "base/vec.h"
#include "json/fields.h"

enum { ROW_BYTES = 8192, SWEEP_BUDGET_BYTES = 4 << 20, SWEEP_MOST = 5000 };

const char *const mln_grant_state_words[] = {"open", "approved", "denied", "used", NULL};

static const struct mln_field fields[] = {
#define F(ctype, member, json, kind, words, doc) MLN_FIELD(struct mln_grant, member, json, kind, OPTIONAL, words, doc),
    MLN_GRANT_FIELDS(F)
#undef F
};
enum { FIELDS = sizeof fields / sizeof *fields };

static const struct {
    const char *prefix;
    int64_t life_ms;
    uint64_t most;
} kinds[] = {
#define G(name, prefix, seconds, most) {prefix, INT64_C(1000) * (seconds), most},
    MLN_GRANTS(G)
#undef G
};

struct mln_result mln_grant_key(enum mln_grant_kind kind, struct mln_str secret, struct mln_arena *arena,
                                struct mln_str *key)
{
    struct mln_str family = MLN_S(""), rest = secret;
    char digest[MLN_SHA256_HEX];
    MLN_TRY(mln_sha256_hex(secret, digest));
    if (kind == MLN_GRANT_REFRESH) {
        mln_str_cut(&rest, '.', &family);
        for (size_t i = 0; i < family.n; i++)
            if (family.n > 64 || family.p[i] == '/')
                return mln_fail(MLN_E_NOT_FOUND, "not a refresh token");
    }
    MLN_TRY_STR(arena, *key,
                mln_str_printf(arena, "%s%.*s%s%s", kinds[kind].prefix, MLN_FMT(family), family.n ? "/" : "", digest));
    return MLN_OK;
}

static struct mln_result write_grant(const struct mln_grant *grant, struct mln_buf *out)
{
    struct mln_json_writer w = mln_json_writer(out);
    mln_json_begin_object(&w);
    mln_json_put_fields(&w, fields, FIELDS, grant);
    mln_json_end_object(&w);
    return mln_json_writer_end(&w);
}

struct mln_result mln_grant_add(struct mln_grants *grants, struct mln_store_batch *batch, enum mln_grant_kind kind,
                                struct mln_str key, struct mln_grant *grant)
{
    if (kinds[kind].most) {
        uint64_t standing;
        MLN_CLEANUP(mln_store_read_end) struct mln_store_read *read = NULL;
        MLN_TRY(mln_store_read_begin(grants->store, &read));
        MLN_TRY(mln_store_count(read, MLN_COLLECTION_TOKENS, mln_str_c(kinds[kind].prefix), &standing));
        if (standing >= kinds[kind].most)
            return mln_fail(MLN_E_TOO_MANY, "Too many sign-ins are under way; try again in a few minutes.");
    }
    grant->created_ms = mln_now_ms(grants->clock);
    grant->expires_ms = grant->created_ms + kinds[kind].life_ms;
    MLN_BUF_CLEANUP struct mln_buf text = MLN_BUF(ROW_BYTES);
    MLN_TRY(write_grant(grant, &text));
    MLN_TRY(mln_store_expect(batch, MLN_COLLECTION_TOKENS, key, 0));
    return mln_store_put(batch, MLN_COLLECTION_TOKENS, key, mln_buf_str(&text));
}

static struct mln_result read_grant(struct mln_arena *arena, struct mln_str value, struct mln_grant *out)
{
    const struct mln_json *json;
    *out = (struct mln_grant){0};
    MLN_TRY(mln_json_parse(arena, value, ROW_BYTES, &json));
    return mln_json_read_fields(json, fields, FIELDS, MLN_JSON_UNKNOWN_IGNORED, out);
}

struct mln_result mln_grant_find(struct mln_grants *grants, struct mln_str key, struct mln_arena *arena,
                                 struct mln_grant *out)
{
    struct mln_str value;
    int64_t revision;
    MLN_CLEANUP(mln_store_read_end) struct mln_store_read *read = NULL;
    MLN_TRY(mln_store_read_begin(grants->store, &read));
    MLN_TRY(mln_store_get(read, MLN_COLLECTION_TOKENS, key, arena, &value, &revision));
    MLN_TRY(read_grant(arena, value, out));
    out->key = key;
    out->revision = revision;
    if (mln_now_ms(grants->clock) >= out->expires_ms)
        return mln_fail(MLN_E_NOT_FOUND, "expired");
    return MLN_OK;
}

struct mln_result mln_grant_replace(struct mln_store_batch *batch, const struct mln_grant *grant)
{
    MLN_BUF_CLEANUP struct mln_buf text = MLN_BUF(ROW_BYTES);
    MLN_TRY(write_grant(grant, &text));
    MLN_TRY(mln_store_expect(batch, MLN_COLLECTION_TOKENS, grant->key, grant->revision));
    return mln_store_put(batch, MLN_COLLECTION_TOKENS, grant->key, mln_buf_str(&text));
}

struct mln_result mln_grant_remove(struct mln_store_batch *batch, const struct mln_grant *grant)
{
    MLN_TRY(mln_store_expect(batch, MLN_COLLECTION_TOKENS, grant->key, grant->revision));
    return mln_store_delete(batch, MLN_COLLECTION_TOKENS, grant->key);
}

struct mln_result mln_grant_remove_family(struct mln_store_batch *batch, struct mln_str key)
{
    size_t at = key.n;
    while (at > 0 && key.p[at - 1] != '/')
        at--;
    if (at <= sizeof "refresh/")
        return mln_fail(MLN_E_INTERNAL, "not the key of a refresh token");
    MLN_BUF_CLEANUP struct mln_buf to = MLN_BUF(MLN_STORE_MAX_KEY_BYTES);
    MLN_TRY(mln_buf_append(&to, mln_str_sub(key, 0, at)));
    to.p[to.n - 1]++; /* the byte after '/' */
    return mln_store_delete_range(batch, MLN_COLLECTION_TOKENS, mln_str_sub(key, 0, at), mln_buf_str(&to));
}

/* ---- sweeping ---- */

struct sweep {
    struct mln_arena *arena, *row;
    int64_t now_ms;
    MLN_VEC(struct mln_str) keys;
};

static struct mln_result sweep_one(void *context, struct mln_str key, struct mln_str value, int64_t revision,
                                   bool *stop)
{
    (void)revision;
    struct sweep *sweep = context;
    struct mln_grant grant;
    mln_arena_reset(sweep->row);
    struct mln_result r = read_grant(sweep->row, value, &grant);
    if (mln_ok(r) && grant.expires_ms > sweep->now_ms)
        return MLN_OK;
    MLN_TRY_STR(sweep->arena, key, mln_str_dup(sweep->arena, key));
    MLN_TRY(mln_vec_push(sweep->arena, &sweep->keys, key));
    *stop = sweep->keys.n == SWEEP_MOST;
    return MLN_OK;
}

struct mln_result mln_grants_sweep(struct mln_grants *grants, size_t *removed)
{
    MLN_CLEANUP(mln_arena_free) struct mln_arena *arena = mln_arena_new(SWEEP_BUDGET_BYTES);
    MLN_CLEANUP(mln_arena_free) struct mln_arena *row = mln_arena_new(ROW_BYTES * 16);
    MLN_CLEANUP(mln_store_batch_free) struct mln_store_batch *batch = mln_store_batch_new();
    if (!arena || !row || !batch)
        return mln_fail(MLN_E_MEMORY, "no memory to sweep");
    struct sweep sweep = {.arena = arena, .row = row, .now_ms = mln_now_ms(grants->clock)};
    MLN_CLEANUP(mln_store_read_end) struct mln_store_read *read = NULL;
    MLN_TRY(mln_store_read_begin(grants->store, &read));
    for (size_t i = 0; i < MLN_GRANT_KINDS && sweep.keys.n < SWEEP_MOST; i++) {
        struct mln_store_scan scan = {.prefix = mln_str_c(kinds[i].prefix)};
        MLN_TRY(mln_store_scan(read, MLN_COLLECTION_TOKENS, &scan, sweep_one, &sweep));
    }
    if (removed)
        *removed = sweep.keys.n;
    for (size_t i = 0; i < sweep.keys.n; i++)
        MLN_TRY(mln_store_delete(batch, MLN_COLLECTION_TOKENS, sweep.keys.at[i]));
    return sweep.keys.n ? mln_store_commit(grants->store, MLN_TAKE(batch), NULL) : MLN_OK;
}
