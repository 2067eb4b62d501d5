#include "access/activity.h"

#include "json/fields.h"

#include <pthread.h>

/*
 * An entry as stored is BODY,"previous":"HEX","hash":"HEX"} where BODY is the object without its closing brace. What is
 * hashed is the previous hash and BODY as they stand, so that any changed byte shows. META "activity/head" repeats the
 * newest sequence number and hash: taking entries off the end shows too.
 */
enum {
    ENTRY_BYTES = 96 << 10,
    TEXT_BYTES = MLN_STORE_MAX_KEY_BYTES,
    HEX = MLN_SHA256_HEX - 1,
    READ_BUDGET_BYTES = 512 << 10
};
#define HEAD_KEY MLN_S("activity/head")
static const char no_hash[] = "0000000000000000000000000000000000000000000000000000000000000000";
static const char link_format[] = ",\"previous\":\"%s\",\"hash\":\"%s\"}";
enum { LINK_BYTES = sizeof ",\"previous\":\"\",\"hash\":\"\"}" - 1 + 2 * HEX };

struct head {
    int64_t sequence, time_ms; /* of the newest entry; 0: none */
    char hash[MLN_SHA256_HEX];
};

struct mln_activity {
    struct mln_store *store;
    const struct mln_clock *clock;
    pthread_mutex_t chaining;
    struct head head;
};

static struct mln_result hash_of(const char *previous, struct mln_str body, char out[MLN_SHA256_HEX])
{
    MLN_BUF_CLEANUP struct mln_buf text = MLN_BUF(ENTRY_BYTES + HEX);
    MLN_TRY(mln_buf_append(&text, mln_str_c(previous)));
    MLN_TRY(mln_buf_append(&text, body));
    return mln_sha256_hex(mln_buf_str(&text), out);
}

static const struct mln_field fields[] = {
#define F(ctype, member, json, kind, need, doc)                                                                        \
    MLN_FIELD(struct mln_activity_entry, member, json, kind, need, NULL, doc),
    MLN_ACTIVITY_FIELDS(F)
#undef F
};
enum { FIELDS = sizeof fields / sizeof *fields };

/* Texts of strangers are cut, so that an entry always fits. */
static void cut(struct mln_activity_entry *e)
{
    struct mln_str *texts[] = {&e->caller_id, &e->caller_name,    &e->address,       &e->action,
                               &e->scope,     &e->correlation_id, &e->client_command};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        *texts[i] = mln_str_sub(*texts[i], 0, TEXT_BYTES);
}

static struct mln_result write_body(struct mln_activity_entry entry, struct mln_buf *out)
{
    struct mln_json_writer w = mln_json_writer(out);
    cut(&entry);
    mln_json_begin_object(&w);
    mln_json_put_fields(&w, fields, FIELDS, &entry);
    mln_json_end_object(&w);
    MLN_TRY(mln_json_writer_end(&w));
    out->n--; /* the closing brace comes back after the link */
    return MLN_OK;
}

static struct mln_result read_entry(struct mln_arena *arena, struct mln_str value, struct mln_activity_entry *out)
{
    const struct mln_json *json;
    *out = (struct mln_activity_entry){0};
    MLN_TRY(mln_json_parse(arena, value, ENTRY_BYTES + LINK_BYTES, &json));
    return mln_json_read_fields(json, fields, FIELDS, MLN_JSON_UNKNOWN_IGNORED, out);
}

/* ---- opening ---- */

static struct mln_result read_head(struct mln_store_read *read, struct mln_arena *arena, struct head *head)
{
    struct mln_str value;
    *head = (struct head){0};
    memcpy(head->hash, no_hash, sizeof head->hash);
    struct mln_result r = mln_store_get(read, MLN_COLLECTION_META, HEAD_KEY, arena, &value, NULL);
    if (r.code == MLN_E_NOT_FOUND)
        return MLN_OK;
    MLN_TRY(r);
    const struct mln_json *json;
    MLN_TRY(mln_json_parse(arena, value, 1024, &json));
    struct mln_str hash = mln_json_str(mln_json_get(json, MLN_S("hash")), MLN_S(""));
    head->sequence = mln_json_i64(mln_json_get(json, MLN_S("sequence")), 0);
    head->time_ms = mln_json_i64(mln_json_get(json, MLN_S("timeMs")), 0);
    if (hash.n != HEX || head->sequence < 1)
        return mln_fail(MLN_E_CORRUPT, "the head of the activity log cannot be read");
    memcpy(head->hash, hash.p, HEX);
    return MLN_OK;
}

struct mln_result mln_activity_open(struct mln_store *store, const struct mln_clock *clock, struct mln_activity **out)
{
    MLN_CLEANUP(mln_activity_close) struct mln_activity *activity = calloc(1, sizeof *activity);
    MLN_CLEANUP(mln_arena_free) struct mln_arena *arena = mln_arena_new(READ_BUDGET_BYTES);
    if (!activity || !arena)
        return mln_fail(MLN_E_MEMORY, "no memory for the activity log");
    activity->store = store;
    activity->clock = clock;
    pthread_mutex_init(&activity->chaining, NULL);
    MLN_CLEANUP(mln_store_read_end) struct mln_store_read *read = NULL;
    MLN_TRY(mln_store_read_begin(store, &read));
    MLN_TRY(read_head(read, arena, &activity->head));
    *out = MLN_TAKE(activity);
    return MLN_OK;
}

void mln_activity_close(struct mln_activity *activity)
{
    if (!activity)
        return;
    pthread_mutex_destroy(&activity->chaining);
    free(activity);
}

/* ---- appending ---- */

/* Puts entry and head into the batch; *head becomes what it is once the batch is committed. */
static struct mln_result add_entry(struct mln_store_batch *batch, const struct mln_activity_entry *entry,
                                   struct head *head)
{
    MLN_BUF_CLEANUP struct mln_buf body = MLN_BUF(ENTRY_BYTES + LINK_BYTES);
    MLN_TRY(write_body(*entry, &body));
    char hash[MLN_SHA256_HEX], key[MLN_STORE_NUMBER_KEY + 1], text[256];
    MLN_TRY(hash_of(head->hash, mln_buf_str(&body), hash));
    MLN_TRY(mln_buf_printf(&body, link_format, head->hash, hash));
    mln_store_number_key(entry->sequence, key);
    MLN_TRY(mln_store_expect(batch, MLN_COLLECTION_ACTIVITY, mln_str_c(key), 0));
    MLN_TRY(mln_store_put(batch, MLN_COLLECTION_ACTIVITY, mln_str_c(key), mln_buf_str(&body)));
    head->sequence = entry->sequence;
    head->time_ms = entry->time_ms;
    memcpy(head->hash, hash, sizeof head->hash);
    snprintf(text, sizeof text, "{\"sequence\":%lld,\"timeMs\":%lld,\"hash\":\"%s\"}", (long long)head->sequence,
             (long long)head->time_ms, head->hash);
    return mln_store_put(batch, MLN_COLLECTION_META, HEAD_KEY, mln_str_c(text));
}

struct mln_result mln_activity_commit(struct mln_activity *activity, struct mln_store_batch *batch,
                                      const struct mln_activity_entry *entry, int64_t *revision)
{
    if (!batch)
        batch = mln_store_batch_new();
    MLN_CLEANUP(mln_store_batch_free) struct mln_store_batch *owned = batch;
    if (!owned)
        return mln_fail(MLN_E_MEMORY, "no memory for an activity entry");
    pthread_mutex_lock(&activity->chaining);
    struct mln_activity_entry next = *entry;
    struct head head = activity->head;
    next.sequence = head.sequence + 1;
    next.time_ms = mln_now_ms(activity->clock);
    if (next.time_ms < head.time_ms)
        next.time_ms = head.time_ms; /* the log is in the order of time, even when the clock is set back */
    struct mln_result r = add_entry(owned, &next, &head);
    if (mln_ok(r))
        r = mln_store_commit(activity->store, MLN_TAKE(owned), revision);
    if (mln_ok(r))
        activity->head = head;
    pthread_mutex_unlock(&activity->chaining);
    return r;
}

int64_t mln_activity_head(struct mln_activity *activity, char hash[MLN_SHA256_HEX])
{
    pthread_mutex_lock(&activity->chaining);
    int64_t sequence = activity->head.sequence;
    memcpy(hash, activity->head.hash, MLN_SHA256_HEX);
    pthread_mutex_unlock(&activity->chaining);
    return sequence;
}

/* ---- reading ---- */

struct listing {
    struct mln_arena *arena;
    int64_t from_ms, to_ms;
    mln_activity_visit visit;
    void *context;
};

static struct mln_result list_one(void *context, struct mln_str key, struct mln_str value, int64_t revision, bool *stop)
{
    (void)revision;
    struct listing *listing = context;
    struct mln_activity_entry entry;
    mln_arena_reset(listing->arena);
    struct mln_result r = read_entry(listing->arena, value, &entry);
    if (!mln_ok(r))
        return mln_fail(MLN_E_CORRUPT, "activity entry %.*s cannot be read", MLN_FMT(key));
    if (entry.time_ms >= listing->to_ms)
        return MLN_OK;
    if (entry.time_ms < listing->from_ms) {
        *stop = true;
        return MLN_OK;
    }
    return listing->visit(listing->context, &entry, stop);
}

struct mln_result mln_activity_list(struct mln_activity *activity, int64_t from_ms, int64_t to_ms, int64_t before,
                                    mln_activity_visit visit, void *context)
{
    MLN_CLEANUP(mln_arena_free) struct mln_arena *arena = mln_arena_new(READ_BUDGET_BYTES);
    if (!arena)
        return mln_fail(MLN_E_MEMORY, "no memory to read the activity log");
    MLN_CLEANUP(mln_store_read_end) struct mln_store_read *read = NULL;
    MLN_TRY(mln_store_read_begin(activity->store, &read));
    char key[MLN_STORE_NUMBER_KEY + 1];
    mln_store_number_key(before, key);
    struct mln_store_scan scan = {.after = mln_str_c(key), .backwards = true};
    struct listing listing = {arena, from_ms, to_ms, visit, context};
    return mln_store_scan(read, MLN_COLLECTION_ACTIVITY, &scan, list_one, &listing);
}

struct check {
    int64_t sequence; /* of the last entry that fits */
    char hash[MLN_SHA256_HEX];
    bool broken;
};

/* Whether the stored text is an entry that continues the chain; advances it. */
static struct mln_result check_one(void *context, struct mln_str key, struct mln_str value, int64_t revision,
                                   bool *stop)
{
    (void)revision;
    struct check *check = context;
    char expected_key[MLN_STORE_NUMBER_KEY + 1], hash[MLN_SHA256_HEX], link[LINK_BYTES + 1], head[64];
    mln_store_number_key(check->sequence + 1, expected_key);
    struct mln_str body = mln_str_sub(value, 0, value.n < LINK_BYTES ? 0 : value.n - LINK_BYTES);
    check->broken = true;
    *stop = true;
    if (!mln_str_eq(key, mln_str_c(expected_key)) || !body.n || body.n > ENTRY_BYTES)
        return MLN_OK;
    int n = snprintf(head, sizeof head, "{\"sequence\":%lld,", (long long)check->sequence + 1);
    MLN_TRY(hash_of(check->hash, body, hash));
    snprintf(link, sizeof link, link_format, check->hash, hash);
    if (!mln_str_starts(body, (struct mln_str){head, (size_t)n}) || !mln_str_ends(value, mln_str_c(link)))
        return MLN_OK;
    check->sequence++;
    memcpy(check->hash, hash, sizeof hash);
    check->broken = *stop = false;
    return MLN_OK;
}

struct mln_result mln_activity_verify(struct mln_activity *activity, int64_t *entries, int64_t *first_broken)
{
    MLN_CLEANUP(mln_arena_free) struct mln_arena *arena = mln_arena_new(READ_BUDGET_BYTES);
    if (!arena)
        return mln_fail(MLN_E_MEMORY, "no memory to verify the activity log");
    MLN_CLEANUP(mln_store_read_end) struct mln_store_read *read = NULL;
    MLN_TRY(mln_store_read_begin(activity->store, &read));
    struct head head;
    MLN_TRY(read_head(read, arena, &head));
    struct check check = {0};
    memcpy(check.hash, no_hash, sizeof check.hash);
    MLN_TRY(mln_store_scan(read, MLN_COLLECTION_ACTIVITY, &(struct mln_store_scan){0}, check_one, &check));
    *entries = check.sequence;
    *first_broken = 0;
    if (!check.broken && check.sequence == head.sequence && !memcmp(check.hash, head.hash, HEX))
        return MLN_OK;
    *first_broken = check.sequence + 1;
    return mln_fail(MLN_E_CORRUPT, "the activity log does not check out from entry %lld on", (long long)*first_broken);
}
