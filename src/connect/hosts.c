/* The table of machines: opening, who is calling, revoking, the sweep. */
#include "connect/hosts_state.h"

#include "inventory/inventory.h"

const char *const mln_machine_status_words[] = {"Connected", "Disconnected", "Expired", NULL};

enum {
    RECORD_ARENA_BYTES = 1 << 20,
    RESOURCE_ARENA_BYTES = 128 << 20,
    DAY_MS = 24 * 60 * 60 * 1000,
    LEAST_SILENCE_MS = 90 * 1000,
    STORE_HEARD_MS = 5 * 60 * 1000, /* how old the stored time of the last sign of life may become */
    SLEPT_MS = 5 * 60 * 1000,       /* a longer gap between two sweeps means that this machine was away */
};
static const int64_t EXPIRES_MS = INT64_C(45) * DAY_MS;

/* ---- one machine ---- */

void mln_host_copy(char *place, size_t n, struct mln_str text)
{
    size_t kept = 0;
    for (size_t i = 0; i < text.n && kept + 1 < n; i++)
        if (text.p[i] > ' ' && text.p[i] < 0x7f)
            place[kept++] = text.p[i];
    place[kept] = 0;
}

static char *copy_of(struct mln_str text, bool lower)
{
    char *out = malloc(text.n + 1);
    for (size_t i = 0; out && i < text.n; i++)
        out[i] = lower && text.p[i] >= 'A' && text.p[i] <= 'Z' ? (char)(text.p[i] | 0x20) : text.p[i];
    if (out)
        out[text.n] = 0;
    return out;
}

struct mln_result mln_host_new(struct mln_str id, struct mln_str resource_id, struct mln_host **out)
{
    struct mln_host *host = calloc(1, sizeof *host);
    if (!host)
        return mln_fail(MLN_E_MEMORY, "no memory for a machine");
    pthread_mutex_init(&host->turn, NULL);
    mln_host_copy(host->id, sizeof host->id, id);
    host->resource_id = copy_of(resource_id, false);
    host->resource_key = copy_of(resource_id, true);
    if (!host->resource_id || !host->resource_key) {
        mln_host_free(host);
        return mln_fail(MLN_E_MEMORY, "no memory for a machine");
    }
    *out = host;
    return MLN_OK;
}

void mln_host_free(struct mln_host *host)
{
    if (!host)
        return;
    pthread_mutex_destroy(&host->turn);
    free(host->resource_id);
    free(host->resource_key);
    free(host);
}

void mln_host_take_turn(struct mln_host *host)
{
    pthread_mutex_lock(&host->turn);
}

void mln_host_end_turn(struct mln_host *host)
{
    pthread_mutex_unlock(&host->turn);
}

struct mln_result mln_host_enter(struct mln_hosts *hosts, struct mln_host *host)
{
    pthread_mutex_lock(&hosts->lock);
    bool room = host->calls < MLN_HOSTS_CALLS_AT_ONCE;
    if (room)
        host->calls++;
    else
        hosts->stats.limited++;
    pthread_mutex_unlock(&hosts->lock);
    if (!room)
        return mln_fail(MLN_E_BUSY, "more than %d calls of one machine at once", MLN_HOSTS_CALLS_AT_ONCE);
    mln_host_take_turn(host);
    return MLN_OK;
}

void mln_host_leave(struct mln_hosts *hosts, struct mln_host *host)
{
    mln_host_end_turn(host);
    pthread_mutex_lock(&hosts->lock);
    host->calls--;
    pthread_mutex_unlock(&hosts->lock);
}

/* The record's members that are texts: the name and where they are. */
#define TEXTS(T)                                                                                                       \
    T("vmId", vm_id)                                                                                                   \
    T("tokenId", token_id)                                                                                             \
    T("certificate", certificate)                                                                                      \
    T("previousCertificate", previous)                                                                                 \
    T("agentVersion", agent_version)
#define TIMES(T)                                                                                                       \
    T("enrolledTime", enrolled_ms)                                                                                     \
    T("statusChangedTime", status_changed_ms)                                                                          \
    T("heardTime", heard_ms)

struct mln_result mln_host_store(const struct mln_host *host, struct mln_store_batch *batch)
{
    MLN_BUF_CLEANUP struct mln_buf out = MLN_BUF(16 << 10);
    struct mln_json_writer w = mln_json_writer(&out);
    struct mln_str key = mln_str_c(host->id);
    mln_json_begin_object(&w);
    mln_json_member_str(&w, "resourceId", mln_str_c(host->resource_id));
#define T(name, member) mln_json_member_str(&w, name, mln_str_c(host->now.member));
    TEXTS(T)
#undef T
#define T(name, member) mln_json_member_time(&w, name, host->now.member);
    TIMES(T)
#undef T
    mln_json_member_str(&w, "status", mln_str_c(mln_machine_status_words[host->now.status]));
    mln_json_member_bool(&w, "revoked", host->now.revoked);
    mln_json_member_i64(&w, "spoolHeld", host->now.spool_held);
    mln_json_member_i64(&w, "spoolDropped", host->now.spool_dropped);
    mln_json_end_object(&w);
    MLN_TRY(mln_json_writer_end(&w));
    MLN_TRY(mln_store_expect(batch, MLN_COLLECTION_MACHINES, key, host->revision));
    return mln_store_put(batch, MLN_COLLECTION_MACHINES, key, mln_buf_str(&out));
}

static struct mln_str text_of(const struct mln_json *json, const char *name)
{
    return mln_json_str(mln_json_get(json, mln_str_c(name)), (struct mln_str){NULL, 0});
}

static struct mln_result time_of(const struct mln_json *json, const char *name, int64_t *ms)
{
    struct mln_str text = text_of(json, name);
    return text.p ? mln_time_parse(text, ms) : MLN_OK;
}

static struct mln_result read_record(struct mln_str key, const struct mln_json *json, struct mln_host **out)
{
    MLN_CLEANUP(mln_host_free) struct mln_host *host = NULL;
    int status = mln_word_index(mln_machine_status_words, text_of(json, "status"));
    struct mln_str resource_id = text_of(json, "resourceId");
    if (status < 0 || !resource_id.n)
        return mln_fail(MLN_E_CORRUPT, "the record of machine %.*s", MLN_FMT(key));
    MLN_TRY(mln_host_new(key, resource_id, &host));
#define T(name, member) mln_host_copy(host->now.member, sizeof host->now.member, text_of(json, name));
    TEXTS(T)
#undef T
#define T(name, member) MLN_TRY(time_of(json, name, &host->now.member));
    TIMES(T)
#undef T
    host->now.status = (enum mln_machine_status)status;
    host->now.revoked = mln_json_bool(mln_json_get(json, MLN_S("revoked")), false);
    host->now.spool_held = mln_json_i64(mln_json_get(json, MLN_S("spoolHeld")), 0);
    host->now.spool_dropped = mln_json_i64(mln_json_get(json, MLN_S("spoolDropped")), 0);
    host->heard_stored_ms = host->now.heard_ms;
    *out = MLN_TAKE(host);
    return MLN_OK;
}

/* ---- the table ---- */

static struct mln_host *look_up(struct mln_hosts *hosts, const struct mln_map *map, struct mln_str key)
{
    pthread_mutex_lock(&hosts->lock);
    union mln_map_value *at = mln_map_get(map, key);
    struct mln_host *host = at ? at->p : NULL;
    pthread_mutex_unlock(&hosts->lock);
    return host;
}

struct mln_host *mln_hosts_find(struct mln_hosts *hosts, struct mln_str machine_id)
{
    return look_up(hosts, hosts->by_id, machine_id);
}

struct mln_host *mln_hosts_find_resource(struct mln_hosts *hosts, struct mln_str resource_key)
{
    return look_up(hosts, hosts->by_resource, resource_key);
}

struct mln_result mln_hosts_insert(struct mln_hosts *hosts, struct mln_host *host)
{
    pthread_mutex_lock(&hosts->lock);
    struct mln_result r =
        mln_map_put(hosts->by_resource, mln_str_c(host->resource_key), (union mln_map_value){.p = host});
    if (mln_ok(r)) {
        r = mln_map_put(hosts->by_id, mln_str_c(host->id), (union mln_map_value){.p = host});
        if (!mln_ok(r))
            mln_map_remove(hosts->by_resource, mln_str_c(host->resource_key));
    }
    pthread_mutex_unlock(&hosts->lock);
    return r;
}

void mln_hosts_count(struct mln_hosts *hosts, uint64_t *counter)
{
    pthread_mutex_lock(&hosts->lock);
    (*counter)++;
    pthread_mutex_unlock(&hosts->lock);
}

struct loading {
    struct mln_hosts *hosts;
    struct mln_arena *arena;
};

static struct mln_result load_one(void *context, struct mln_str key, struct mln_str value, int64_t revision, bool *stop)
{
    struct loading *loading = context;
    MLN_CLEANUP(mln_host_free) struct mln_host *host = NULL;
    const struct mln_json *json;
    (void)stop;
    mln_arena_reset(loading->arena);
    MLN_TRY(mln_json_parse(loading->arena, value, RECORD_ARENA_BYTES, &json));
    MLN_TRY(read_record(key, json, &host));
    host->revision = revision;
    MLN_TRY(mln_hosts_insert(loading->hosts, host));
    host = NULL;
    return MLN_OK;
}

static struct mln_result load(struct mln_hosts *hosts)
{
    MLN_CLEANUP(mln_store_read_end) struct mln_store_read *read = NULL;
    MLN_CLEANUP(mln_arena_free) struct mln_arena *arena = mln_arena_new(RECORD_ARENA_BYTES);
    struct loading loading = {hosts, arena};
    if (!arena)
        return mln_fail(MLN_E_MEMORY, "no memory to read the machines");
    MLN_TRY(mln_store_read_begin(hosts->store, &read));
    return mln_store_scan(read, MLN_COLLECTION_MACHINES, &(struct mln_store_scan){0}, load_one, &loading);
}

static uint32_t or_default(uint32_t value, uint32_t otherwise)
{
    return value ? value : otherwise;
}

struct mln_result mln_hosts_open(const struct mln_hosts_setup *setup, struct mln_hosts **out)
{
    MLN_CLEANUP(mln_hosts_close) struct mln_hosts *hosts = calloc(1, sizeof *hosts);
    if (!hosts)
        return mln_fail(MLN_E_MEMORY, "no memory for the machines");
    pthread_mutex_init(&hosts->lock, NULL);
    pthread_mutex_init(&hosts->enrolling, NULL);
    hosts->store = setup->store;
    hosts->posture = setup->posture;
    hosts->clock = setup->clock;
    hosts->heartbeat_seconds = or_default(setup->heartbeat_seconds, 30);
    hosts->report_seconds = or_default(setup->report_seconds, 3600);
    hosts->certificate_days = or_default(setup->certificate_days, 30);
    hosts->requests_a_minute = or_default(setup->requests_a_minute, 60);
    hosts->by_id = mln_map_new(false);
    hosts->by_resource = mln_map_new(false);
    hosts->ca_pem = copy_of(setup->ca_certificate, false);
    if (!hosts->by_id || !hosts->by_resource || !hosts->ca_pem)
        return mln_fail(MLN_E_MEMORY, "no memory for the machines");
    MLN_TRY(mln_ca_load(setup->ca_certificate, setup->ca_key, &hosts->ca));
    MLN_TRY(load(hosts));
    hosts->quiet_from_ms = hosts->swept_ms = mln_now_ms(hosts->clock);
    *out = MLN_TAKE(hosts);
    return MLN_OK;
}

void mln_hosts_close(struct mln_hosts *hosts)
{
    if (!hosts)
        return;
    struct mln_str key;
    union mln_map_value value;
    for (size_t at = 0; hosts->by_id && mln_map_next(hosts->by_id, &at, &key, &value);)
        mln_host_free(value.p);
    mln_map_free(hosts->by_id);
    mln_map_free(hosts->by_resource);
    mln_ca_free(hosts->ca);
    free(hosts->ca_pem);
    pthread_mutex_destroy(&hosts->lock);
    pthread_mutex_destroy(&hosts->enrolling);
    free(hosts);
}

/* ---- the resource ---- */

struct mln_result mln_host_compose(struct mln_hosts *hosts, const struct mln_host *host, const struct mln_json *facts,
                                   const struct mln_json *tags, struct mln_arena *arena, struct mln_json *document,
                                   int64_t *revision)
{
    MLN_CLEANUP(mln_store_read_end) struct mln_store_read *read = NULL;
    struct mln_resource now = {0};
    MLN_TRY(mln_store_read_begin(hosts->store, &read));
    struct mln_result r = mln_resource_get(read, mln_str_c(host->resource_id), arena, &now);
    if (r.code != MLN_E_NOT_FOUND)
        MLN_TRY(r);
    *revision = now.document ? now.revision : MLN_POSTURE_NEW;
    struct mln_machine machine = {
        .id = mln_str_c(host->resource_id),
        .location = mln_json_str(mln_json_get(now.document, MLN_S("location")), (struct mln_str){NULL, 0}),
        .vm_id = mln_str_c(host->id),
        .status = mln_str_c(mln_machine_status_words[host->now.status]),
        .agent_version = mln_str_c(host->now.agent_version),
        .last_status_change_ms = host->now.status_changed_ms,
        .tags = now.document ? mln_json_get(now.document, MLN_S("tags")) : tags,
        .facts = facts ? facts : mln_json_path(now.document, "properties.facts"),
    };
    return mln_machine_document(&machine, arena, document);
}

struct mln_result mln_host_commit_record(struct mln_hosts *hosts, struct mln_host *host,
                                         const struct mln_host_state *before)
{
    struct mln_store_batch *batch = mln_store_batch_new();
    struct mln_result r = batch ? mln_host_store(host, batch) : mln_fail(MLN_E_MEMORY, "no memory for a record");
    if (mln_ok(r))
        r = mln_store_commit(hosts->store, batch, &host->revision);
    else
        mln_store_batch_free(batch);
    if (mln_ok(r))
        host->heard_stored_ms = host->now.heard_ms;
    else
        host->now = *before;
    return r;
}

static struct mln_result commit(struct mln_hosts *hosts, struct mln_host *host, struct mln_str actor,
                                const struct mln_json *tags, struct mln_store_batch *with)
{
    MLN_CLEANUP(mln_store_batch_free) struct mln_store_batch *batch = with ? with : mln_store_batch_new();
    MLN_CLEANUP(mln_arena_free) struct mln_arena *arena = mln_arena_new(RESOURCE_ARENA_BYTES);
    struct mln_json document;
    int64_t expect, revision;
    if (!batch || !arena)
        return mln_fail(MLN_E_MEMORY, "no memory for a machine's resource");
    MLN_TRY(mln_host_store(host, batch));
    MLN_TRY(mln_host_compose(hosts, host, NULL, tags, arena, &document, &expect));
    if (expect == MLN_POSTURE_NEW && host->now.revoked)
        MLN_TRY(mln_store_commit(hosts->store, MLN_TAKE(batch), &revision));
    else
        MLN_TRY(mln_posture_put_with(hosts->posture, &document, expect, actor, MLN_TAKE(batch), NULL, &revision));
    host->revision = revision;
    host->heard_stored_ms = host->now.heard_ms;
    if (host->facts_revision == expect) /* the facts are the same ones in the resource's new revision */
        host->facts_revision = revision;
    return MLN_OK;
}

struct mln_result mln_host_commit(struct mln_hosts *hosts, struct mln_host *host, const struct mln_host_state *before,
                                  struct mln_str actor, const struct mln_json *tags, struct mln_store_batch *with)
{
    struct mln_result r = commit(hosts, host, actor, tags, with);
    if (!mln_ok(r))
        host->now = *before;
    return r;
}

/* ---- who is calling ---- */

bool mln_rate_allows(struct mln_rate *rate, int64_t now_ms, uint32_t limit)
{
    if (now_ms - rate->since_ms >= 60000 || now_ms < rate->since_ms)
        *rate = (struct mln_rate){.since_ms = now_ms};
    return ++rate->count <= limit;
}

/* One text for all reasons, so that the answer tells a stranger nothing. */
static struct mln_result refuse(struct mln_hosts *hosts)
{
    mln_hosts_count(hosts, &hosts->stats.refused);
    return mln_fail(MLN_E_UNAUTHENTICATED, "the certificate is not one of an enrolled machine");
}

/* The turn is held. */
static struct mln_result check_certificate(struct mln_hosts *hosts, struct mln_host *host,
                                           const struct mln_cert_info *info)
{
    char digest[MLN_SHA256_HEX];
    int64_t now = mln_now_ms(hosts->clock);
    mln_hex_encode(mln_sha256_str(&info->sha256), digest);
    bool current = strcmp(digest, host->now.certificate) == 0;
    if (host->now.revoked || now > info->not_after_ms || (!current && strcmp(digest, host->now.previous) != 0))
        return refuse(hosts);
    if (current)
        host->now.previous[0] = 0; /* the agent has the new certificate: the old one is done with */
    if (!mln_rate_allows(&host->rate, now, hosts->requests_a_minute)) {
        mln_hosts_count(hosts, &hosts->stats.limited);
        return mln_fail(MLN_E_TOO_MANY, "more than %u requests a minute", hosts->requests_a_minute);
    }
    return MLN_OK;
}

struct mln_result mln_hosts_identify(struct mln_hosts *hosts, struct mln_str certificate_der,
                                     char machine_id[MLN_MACHINE_ID_TEXT])
{
    MLN_CLEANUP(mln_cert_free) struct mln_cert *cert = NULL;
    MLN_CLEANUP(mln_arena_free) struct mln_arena *arena = mln_arena_new(RECORD_ARENA_BYTES);
    struct mln_cert_info info;
    if (!arena)
        return mln_fail(MLN_E_MEMORY, "no memory for a certificate");
    if (!mln_ok(mln_cert_from_der(certificate_der, &cert)) || !mln_ok(mln_cert_describe(cert, arena, &info)))
        return refuse(hosts);
    struct mln_host *host = mln_hosts_find(hosts, info.subject_cn);
    if (!host)
        return refuse(hosts);
    MLN_TRY(mln_host_enter(hosts, host));
    struct mln_result r = check_certificate(hosts, host, &info);
    mln_host_leave(hosts, host);
    MLN_TRY(r);
    mln_host_copy(machine_id, MLN_MACHINE_ID_TEXT, mln_str_c(host->id));
    return MLN_OK;
}

/* ---- status ---- */

static void set_status(struct mln_hosts *hosts, struct mln_host *host, enum mln_machine_status status)
{
    host->now.status = status;
    host->now.status_changed_ms = mln_now_ms(hosts->clock);
}

void mln_host_heard(struct mln_hosts *hosts, struct mln_host *host, bool *returned)
{
    host->now.heard_ms = mln_now_ms(hosts->clock);
    if (host->now.status == MLN_MACHINE_CONNECTED)
        return;
    set_status(hosts, host, MLN_MACHINE_CONNECTED);
    *returned = true;
}

static struct mln_result disconnect(struct mln_hosts *hosts, struct mln_host *host, struct mln_str actor)
{
    struct mln_host_state before = host->now;
    host->now.revoked = true;
    host->now.certificate[0] = host->now.previous[0] = 0;
    if (host->now.status == MLN_MACHINE_CONNECTED)
        set_status(hosts, host, MLN_MACHINE_DISCONNECTED);
    struct mln_host_state after = host->now;
    struct mln_result r = mln_host_commit(hosts, host, &before, actor, NULL, NULL);
    if (r.code != MLN_E_NOT_FOUND && r.code != MLN_E_PRECONDITION)
        return r;
    host->now = after; /* the resource is being changed or deleted: the machine is refused all the same */
    return mln_host_commit_record(hosts, host, &before);
}

struct mln_result mln_hosts_revoke(struct mln_hosts *hosts, struct mln_str resource_id, struct mln_str actor)
{
    MLN_CLEANUP(mln_arena_free) struct mln_arena *arena = mln_arena_new(RECORD_ARENA_BYTES);
    struct mln_str key;
    if (!arena)
        return mln_fail(MLN_E_MEMORY, "no memory for a resource id");
    MLN_TRY_STR(arena, key, mln_str_lower(arena, resource_id));
    struct mln_host *host = mln_hosts_find_resource(hosts, key);
    if (!host)
        return mln_fail(MLN_E_NOT_FOUND, "no machine is enrolled as %.*s", MLN_FMT(resource_id));
    MLN_CLEANUP(mln_host_end_turn) struct mln_host *turn = host;
    mln_host_take_turn(turn);
    return disconnect(hosts, host, actor);
}

struct mln_result mln_hosts_unenroll(struct mln_hosts *hosts, struct mln_str machine_id, struct mln_buf *answer)
{
    struct mln_host *host = mln_hosts_find(hosts, machine_id);
    if (!host)
        return refuse(hosts);
    MLN_TRY(mln_host_enter(hosts, host));
    struct mln_result r = disconnect(hosts, host, mln_str_c(host->resource_id));
    mln_host_leave(hosts, host);
    MLN_TRY(r);
    return mln_buf_append(answer, MLN_S("{}"));
}

/* What a machine should be by its silence. */
static enum mln_machine_status status_by(const struct mln_hosts *hosts, const struct mln_host *host, int64_t now)
{
    int64_t heard = host->now.heard_ms > hosts->quiet_from_ms ? host->now.heard_ms : hosts->quiet_from_ms;
    int64_t allowed = INT64_C(3000) * hosts->heartbeat_seconds;
    if (now - host->now.heard_ms > EXPIRES_MS)
        return MLN_MACHINE_EXPIRED;
    if (host->now.status != MLN_MACHINE_CONNECTED)
        return MLN_MACHINE_DISCONNECTED;
    return now - heard > (allowed > LEAST_SILENCE_MS ? allowed : LEAST_SILENCE_MS) ? MLN_MACHINE_DISCONNECTED
                                                                                   : MLN_MACHINE_CONNECTED;
}

static struct mln_result sweep_one(struct mln_hosts *hosts, struct mln_host *host, int64_t now, bool *changed)
{
    MLN_CLEANUP(mln_host_end_turn) struct mln_host *turn = host;
    mln_host_take_turn(turn);
    struct mln_host_state before = host->now;
    enum mln_machine_status status = status_by(hosts, host, now);
    if (status != before.status) {
        set_status(hosts, host, status);
        MLN_TRY(mln_host_commit(hosts, host, &before, mln_str_c(host->resource_id), NULL, NULL));
        *changed = true;
    } else if (before.heard_ms - host->heard_stored_ms > STORE_HEARD_MS) {
        MLN_TRY(mln_host_commit_record(hosts, host, &before));
    }
    return MLN_OK;
}

/* The machines of the table, so that none is kept from its turn while the table is locked. */
static struct mln_result list_all(struct mln_hosts *hosts, struct mln_host ***out, size_t *n)
{
    struct mln_str key;
    union mln_map_value value;
    pthread_mutex_lock(&hosts->lock);
    *n = 0;
    *out = malloc((mln_map_count(hosts->by_id) + 1) * sizeof **out);
    for (size_t at = 0; *out && mln_map_next(hosts->by_id, &at, &key, &value);)
        (*out)[(*n)++] = value.p;
    pthread_mutex_unlock(&hosts->lock);
    return *out ? MLN_OK : mln_fail(MLN_E_MEMORY, "no memory for the sweep");
}

struct mln_result mln_hosts_sweep(struct mln_hosts *hosts, size_t *changed)
{
    struct mln_host **all;
    size_t n, moved = 0;
    int64_t now = mln_now_ms(hosts->clock);
    struct mln_result first = MLN_OK;
    MLN_TRY(list_all(hosts, &all, &n));
    if (now < hosts->swept_ms || now - hosts->swept_ms > SLEPT_MS)
        hosts->quiet_from_ms = now;
    hosts->swept_ms = now;
    for (size_t i = 0; i < n; i++) {
        bool one = false;
        struct mln_result r = sweep_one(hosts, all[i], now, &one);
        if (!mln_ok(r) && mln_ok(first))
            first = r; /* the others are looked at all the same */
        moved += one;
    }
    free(all);
    if (changed)
        *changed = moved;
    MLN_TRY(first);
    return mln_hosts_forget_answers(hosts);
}

void mln_hosts_stats(struct mln_hosts *hosts, struct mln_hosts_stats *stats)
{
    struct mln_host **all;
    size_t n;
    pthread_mutex_lock(&hosts->lock);
    *stats = hosts->stats;
    pthread_mutex_unlock(&hosts->lock);
    stats->machines = stats->connected = 0;
    if (!mln_ok(list_all(hosts, &all, &n)))
        return;
    stats->machines = n;
    for (size_t i = 0; i < n; i++) {
        mln_host_take_turn(all[i]);
        stats->connected += all[i]->now.status == MLN_MACHINE_CONNECTED;
        mln_host_end_turn(all[i]);
    }
    free(all);
}
