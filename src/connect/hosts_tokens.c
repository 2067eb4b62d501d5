/* Enrolment tokens: made, listed, revoked. Their use is in hosts_enroll.c. */
#include "connect/hosts_tokens.h"

#include "crypto/random.h"
#include "inventory/containers.h"
#include "model/arm_id.h"

enum { RECORD_ARENA_BYTES = 1 << 20, DAY_MS = 24 * 60 * 60 * 1000, MAX_TAGS = 50, MAX_DESCRIPTION_BYTES = 512 };
static const int64_t LONGEST_MS = INT64_C(366) * DAY_MS;

#define PREFIX "enrol/"

static struct mln_result key_of(struct mln_str id, struct mln_arena *arena, struct mln_str *key)
{
    MLN_TRY_STR(arena, *key, mln_str_printf(arena, PREFIX "%.*s", MLN_FMT(id)));
    return MLN_OK;
}

static void put_members(struct mln_json_writer *w, const struct mln_enrolment_token *token)
{
    mln_json_member_str(w, "id", token->id);
    mln_json_member_str(w, "resourceGroup", token->resource_group);
    mln_json_member_str(w, "description", token->description);
    mln_json_member_str(w, "createdBy", token->created_by);
    mln_json_member_time(w, "createdTime", token->created_ms);
    mln_json_member_time(w, "expiresTime", token->expires_ms);
    mln_json_member_i64(w, "uses", token->uses);
    mln_json_member_i64(w, "used", token->used);
    mln_json_member_bool(w, "revoked", token->revoked);
    mln_json_member_tree(w, "tags", token->tags);
}

void mln_hosts_token_json(struct mln_json_writer *w, const struct mln_enrolment_token *token)
{
    mln_json_begin_object(w);
    put_members(w, token);
    mln_json_end_object(w);
}

struct mln_result mln_token_store(const struct mln_enrolment_token *token, struct mln_str digest, int64_t expect,
                                  struct mln_arena *arena, struct mln_store_batch *batch)
{
    MLN_BUF_CLEANUP struct mln_buf out = MLN_BUF(RECORD_ARENA_BYTES);
    struct mln_json_writer w = mln_json_writer(&out);
    struct mln_str key;
    MLN_TRY(key_of(token->id, arena, &key));
    mln_json_begin_object(&w);
    put_members(&w, token);
    mln_json_member_str(&w, "digest", digest);
    mln_json_end_object(&w);
    MLN_TRY(mln_json_writer_end(&w));
    MLN_TRY(mln_store_expect(batch, MLN_COLLECTION_TOKENS, key, expect));
    return mln_store_put(batch, MLN_COLLECTION_TOKENS, key, mln_buf_str(&out));
}

static struct mln_str text_of(const struct mln_json *json, const char *name)
{
    return mln_json_str(mln_json_get(json, mln_str_c(name)), (struct mln_str){NULL, 0});
}

static struct mln_result read_record(struct mln_str text, struct mln_arena *arena, struct mln_enrolment_token *out,
                                     struct mln_str *digest)
{
    const struct mln_json *json;
    MLN_TRY(mln_json_parse(arena, text, RECORD_ARENA_BYTES, &json));
    *out = (struct mln_enrolment_token){
        .id = text_of(json, "id"),
        .resource_group = text_of(json, "resourceGroup"),
        .description = text_of(json, "description"),
        .created_by = text_of(json, "createdBy"),
        .tags = mln_json_get(json, MLN_S("tags")),
        .uses = mln_json_i64(mln_json_get(json, MLN_S("uses")), 0),
        .used = mln_json_i64(mln_json_get(json, MLN_S("used")), 0),
        .revoked = mln_json_bool(mln_json_get(json, MLN_S("revoked")), true),
    };
    *digest = text_of(json, "digest");
    MLN_TRY(mln_time_parse(text_of(json, "createdTime"), &out->created_ms));
    return mln_time_parse(text_of(json, "expiresTime"), &out->expires_ms);
}

struct mln_result mln_token_load(struct mln_store_read *read, struct mln_str id, struct mln_arena *arena,
                                 struct mln_enrolment_token *out, struct mln_str *digest, int64_t *revision)
{
    struct mln_str key, value;
    MLN_TRY(key_of(id, arena, &key));
    struct mln_result r = mln_store_get(read, MLN_COLLECTION_TOKENS, key, arena, &value, revision);
    if (r.code == MLN_E_NOT_FOUND)
        return mln_fail(MLN_E_NOT_FOUND, "no enrolment token %.*s", MLN_FMT(id));
    MLN_TRY(r);
    return read_record(value, arena, out, digest);
}

/* ---- making ---- */

static struct mln_result check_tags(const struct mln_json *tags)
{
    if (!tags)
        return MLN_OK;
    if (!mln_json_is(tags, MLN_JSON_OBJECT) || tags->n > MAX_TAGS)
        return mln_fail(MLN_E_INVALID, "tags: an object of at most %d", MAX_TAGS);
    for (uint32_t i = 0; i < tags->n; i++) {
        const struct mln_json_member *tag = &tags->members[i];
        if (!mln_json_is(&tag->value, MLN_JSON_STRING) || tag->name.n == 0 || tag->name.n > 512 || tag->value.n > 256)
            return mln_fail(MLN_E_INVALID, "tags: \"%.*s\" is not a name with a text", MLN_FMT(tag->name));
    }
    return MLN_OK;
}

/* Checks what is asked for, fills in the defaults, and writes the group's id as its owner did. */
static struct mln_result complete(struct mln_hosts *hosts, struct mln_arena *arena, struct mln_enrolment_token *token)
{
    MLN_CLEANUP(mln_store_read_end) struct mln_store_read *read = NULL;
    struct mln_arm_id id;
    struct mln_group group;
    token->created_ms = mln_now_ms(hosts->clock);
    token->uses = token->uses ? token->uses : 1;
    token->expires_ms = token->expires_ms ? token->expires_ms : token->created_ms + DAY_MS;
    if (token->uses < 1 || token->uses > MLN_HOSTS_MAX_TOKEN_USES)
        return mln_fail(MLN_E_INVALID, "uses: 1 to %d", MLN_HOSTS_MAX_TOKEN_USES);
    if (token->expires_ms <= token->created_ms || token->expires_ms - token->created_ms > LONGEST_MS)
        return mln_fail(MLN_E_INVALID, "expiresTime: later than now and within 366 days");
    if (token->description.n > MAX_DESCRIPTION_BYTES || !mln_str_is_utf8(token->description))
        return mln_fail(MLN_E_INVALID, "description: at most %d bytes of UTF-8", MAX_DESCRIPTION_BYTES);
    MLN_TRY(check_tags(token->tags));
    MLN_TRY(mln_arm_id_parse(token->resource_group, &id));
    if (!id.group.p || id.provider.p)
        return mln_fail(MLN_E_INVALID, "resourceGroup: the id of a resource group");
    MLN_TRY(mln_store_read_begin(hosts->store, &read));
    MLN_TRY(mln_group_get(read, id.subscription, id.group, arena, &group));
    token->resource_group = group.id;
    return MLN_OK;
}

struct mln_result mln_token_identify(struct mln_str secret, struct mln_token_digest *out)
{
    if (secret.n != MLN_HOSTS_TOKEN_TEXT - 1 || !mln_str_starts(secret, MLN_S("mlt_")))
        return mln_fail(MLN_E_UNAUTHENTICATED, "not an enrolment token");
    MLN_TRY(mln_sha256_hex(secret, out->digest));
    memcpy(out->id, out->digest, MLN_TOKEN_ID_TEXT - 1);
    out->id[MLN_TOKEN_ID_TEXT - 1] = 0;
    return MLN_OK;
}

struct mln_result mln_hosts_token_create(struct mln_hosts *hosts, const struct mln_enrolment_token *wanted,
                                         struct mln_str actor, struct mln_arena *arena,
                                         char secret[MLN_HOSTS_TOKEN_TEXT], struct mln_enrolment_token *made)
{
    MLN_BUF_CLEANUP struct mln_buf text = MLN_BUF_SECRET(MLN_HOSTS_TOKEN_TEXT);
    struct mln_enrolment_token token = *wanted;
    struct mln_token_digest digest;
    token.used = 0;
    token.revoked = false;
    token.created_by = actor;
    MLN_TRY(complete(hosts, arena, &token));
    MLN_TRY(mln_buf_append(&text, MLN_S("mlt_")));
    MLN_TRY(mln_random_token(32, &text));
    MLN_TRY(mln_token_identify(mln_buf_str(&text), &digest));
    MLN_TRY_STR(arena, token.id, mln_str_dup(arena, mln_str_c(digest.id)));
    struct mln_store_batch *batch = mln_store_batch_new();
    if (!batch)
        return mln_fail(MLN_E_MEMORY, "no memory for a token");
    struct mln_result r = mln_token_store(&token, mln_str_c(digest.digest), 0, arena, batch);
    if (!mln_ok(r)) {
        mln_store_batch_free(batch);
        return r;
    }
    MLN_TRY(mln_store_commit(hosts->store, batch, NULL));
    memcpy(secret, text.p, MLN_HOSTS_TOKEN_TEXT);
    *made = token;
    return MLN_OK;
}

/* ---- looking, revoking ---- */

struct mln_result mln_hosts_token_get(struct mln_hosts *hosts, struct mln_str id, struct mln_arena *arena,
                                      struct mln_enrolment_token *out)
{
    MLN_CLEANUP(mln_store_read_end) struct mln_store_read *read = NULL;
    struct mln_str digest;
    int64_t revision;
    MLN_TRY(mln_store_read_begin(hosts->store, &read));
    return mln_token_load(read, id, arena, out, &digest, &revision);
}

struct listing {
    struct mln_str scope;
    struct mln_arena *arena;
    mln_token_visit visit;
    void *context;
};

static struct mln_result list_one(void *context, struct mln_str key, struct mln_str value, int64_t revision, bool *stop)
{
    struct listing *listing = context;
    struct mln_enrolment_token token;
    struct mln_str digest;
    (void)key, (void)revision;
    mln_arena_reset(listing->arena);
    MLN_TRY(read_record(value, listing->arena, &token, &digest));
    if (!mln_arm_id_below(token.resource_group, listing->scope))
        return MLN_OK;
    return listing->visit(listing->context, &token, stop);
}

struct mln_result mln_hosts_tokens(struct mln_hosts *hosts, struct mln_str scope, mln_token_visit visit, void *context)
{
    MLN_CLEANUP(mln_store_read_end) struct mln_store_read *read = NULL;
    MLN_CLEANUP(mln_arena_free) struct mln_arena *arena = mln_arena_new(RECORD_ARENA_BYTES);
    struct listing listing = {scope, arena, visit, context};
    if (!arena)
        return mln_fail(MLN_E_MEMORY, "no memory for a token");
    MLN_TRY(mln_store_read_begin(hosts->store, &read));
    return mln_store_scan(read, MLN_COLLECTION_TOKENS, &(struct mln_store_scan){.prefix = MLN_S(PREFIX)}, list_one,
                          &listing);
}

struct mln_result mln_hosts_token_revoke(struct mln_hosts *hosts, struct mln_str id)
{
    MLN_CLEANUP(mln_store_read_end) struct mln_store_read *read = NULL;
    MLN_CLEANUP(mln_arena_free) struct mln_arena *arena = mln_arena_new(RECORD_ARENA_BYTES);
    struct mln_enrolment_token token;
    struct mln_str digest;
    int64_t revision;
    if (!arena)
        return mln_fail(MLN_E_MEMORY, "no memory for a token");
    pthread_mutex_lock(&hosts->enrolling); /* no enrolment may be between its look at the token and its commit */
    struct mln_store_batch *batch = mln_store_batch_new();
    struct mln_result r = batch ? mln_store_read_begin(hosts->store, &read) : mln_fail(MLN_E_MEMORY, "no memory");
    if (mln_ok(r))
        r = mln_token_load(read, id, arena, &token, &digest, &revision);
    if (mln_ok(r)) {
        token.revoked = true;
        r = mln_token_store(&token, digest, revision, arena, batch);
    }
    if (mln_ok(r))
        r = mln_store_commit(hosts->store, MLN_TAKE(batch), NULL);
    mln_store_batch_free(batch);
    pthread_mutex_unlock(&hosts->enrolling);
    return r;
}
