/* Heartbeats and reports of facts. */
#include "connect/hosts_state.h"

#include "inventory/inventory.h"
#include "json/fields.h"

enum { REPORT_ARENA_BYTES = 192 << 20, REQUEST_ARENA_BYTES = 1 << 20, MAX_FACTS_BYTES = MLN_HOSTS_MAX_BODY_BYTES };

/* ---- heartbeat ---- */

struct heartbeat {
    struct mln_str agent_version, facts_hash;
    int64_t sequence;
};
static const struct mln_field heartbeat_fields[] = {
    MLN_FIELD(struct heartbeat, agent_version, "agentVersion", STR, OPTIONAL, NULL, "of the agent"),
    MLN_FIELD(struct heartbeat, sequence, "sequence", I64, OPTIONAL, NULL, "counts the agent's requests"),
    MLN_FIELD(struct heartbeat, facts_hash, "factsHash", STR, OPTIONAL, NULL, "of the facts last acknowledged"),
};

static struct mln_result write_heartbeat_answer(const struct mln_hosts *hosts, bool want_full, struct mln_buf *answer)
{
    struct mln_json_writer w = mln_json_writer(answer);
    mln_json_begin_object(&w);
    mln_json_member_i64(&w, "heartbeatSeconds", hosts->heartbeat_seconds);
    mln_json_member_i64(&w, "reportSeconds", hosts->report_seconds);
    mln_json_member_bool(&w, "wantFull", want_full);
    mln_json_name(&w, MLN_S("orders"));
    mln_json_begin_array(&w);
    mln_json_end_array(&w);
    mln_json_end_object(&w);
    return mln_json_writer_end(&w);
}

static struct mln_result heartbeat(struct mln_hosts *hosts, struct mln_host *host, const struct mln_json *body,
                                   struct mln_buf *answer)
{
    struct mln_host_state before = host->now;
    struct heartbeat beat = {0};
    bool changed = false;
    MLN_TRY(mln_json_read_fields(body, heartbeat_fields, sizeof heartbeat_fields / sizeof *heartbeat_fields,
                                 MLN_JSON_UNKNOWN_IGNORED, &beat));
    char version[MLN_HOSTS_VERSION_TEXT];
    mln_host_copy(version, sizeof version, beat.agent_version);
    if (version[0] && strcmp(version, host->now.agent_version) != 0) {
        memcpy(host->now.agent_version, version, sizeof version);
        changed = true;
    }
    host->now.spool_held = mln_json_i64(mln_json_path(body, "spool.held"), 0);
    host->now.spool_dropped = mln_json_i64(mln_json_path(body, "spool.dropped"), 0);
    mln_host_heard(hosts, host, &changed);
    if (changed)
        MLN_TRY(mln_host_commit(hosts, host, &before, mln_str_c(host->resource_id), NULL, NULL));
    bool want_full = host->facts_hash[0] && !mln_str_eq(beat.facts_hash, mln_str_c(host->facts_hash));
    mln_hosts_count(hosts, &hosts->stats.heartbeats);
    return write_heartbeat_answer(hosts, want_full, answer);
}

struct mln_result mln_hosts_heartbeat(struct mln_hosts *hosts, struct mln_str machine_id, struct mln_str body,
                                      struct mln_buf *answer)
{
    MLN_CLEANUP(mln_arena_free) struct mln_arena *arena = mln_arena_new(REQUEST_ARENA_BYTES);
    const struct mln_json *json;
    struct mln_host *host = mln_hosts_find(hosts, machine_id);
    if (!arena)
        return mln_fail(MLN_E_MEMORY, "no memory for a heartbeat");
    if (!host)
        return mln_fail(MLN_E_UNAUTHENTICATED, "no machine %.*s", MLN_FMT(machine_id));
    MLN_TRY(mln_json_parse(arena, body, MLN_HOSTS_MAX_SMALL_BODY_BYTES, &json));
    MLN_TRY(mln_host_enter(hosts, host));
    struct mln_result r = host->now.revoked ? mln_fail(MLN_E_UNAUTHENTICATED, "the machine is revoked")
                                            : heartbeat(hosts, host, json, answer);
    mln_host_leave(hosts, host);
    return r;
}

/* ---- facts ---- */

struct report {
    struct mln_str base, hash; /* base p NULL: everything */
    const struct mln_json *patch;
};

static struct mln_result read_report(struct mln_str body, struct mln_arena *arena, struct report *out)
{
    const struct mln_json *json, *base;
    MLN_TRY(mln_json_parse(arena, body, MLN_HOSTS_MAX_BODY_BYTES, &json));
    base = mln_json_get(json, MLN_S("base"));
    out->base = mln_json_str(base, (struct mln_str){NULL, 0});
    out->hash = mln_json_str(mln_json_get(json, MLN_S("hash")), MLN_S(""));
    out->patch = mln_json_get(json, MLN_S("patch"));
    if (base && !out->base.p && !mln_json_is(base, MLN_JSON_NULL))
        return mln_fail(MLN_E_INVALID, "base: a digest or null");
    if (out->hash.n != MLN_SHA256_HEX - 1)
        return mln_fail(MLN_E_INVALID, "hash: a SHA-256 digest in hex");
    if (!mln_json_is(out->patch, MLN_JSON_OBJECT))
        return mln_fail(MLN_E_INVALID, "patch: an object");
    return MLN_OK;
}

static struct mln_result digest_of(const struct mln_json *facts, char out[MLN_SHA256_HEX])
{
    MLN_BUF_CLEANUP struct mln_buf text = MLN_BUF(MAX_FACTS_BYTES);
    MLN_TRY(mln_json_write_canonical(&text, facts));
    return mln_sha256_hex(mln_buf_str(&text), out);
}

/* The facts that the server has, and their digest: computed anew only when somebody else wrote the resource. */
static struct mln_result current_facts(struct mln_hosts *hosts, struct mln_host *host, struct mln_arena *arena,
                                       const struct mln_json **facts, int64_t *revision)
{
    MLN_CLEANUP(mln_store_read_end) struct mln_store_read *read = NULL;
    struct mln_resource now = {0};
    MLN_TRY(mln_store_read_begin(hosts->store, &read));
    struct mln_result r = mln_resource_get(read, mln_str_c(host->resource_id), arena, &now);
    if (r.code != MLN_E_NOT_FOUND)
        MLN_TRY(r);
    *facts = mln_json_path(now.document, "properties.facts");
    *revision = now.document ? now.revision : MLN_POSTURE_NEW;
    if (!mln_json_is(*facts, MLN_JSON_OBJECT)) {
        *facts = NULL;
        host->facts_hash[0] = 0;
    } else if (!host->facts_hash[0] || host->facts_revision != *revision) {
        MLN_TRY(digest_of(*facts, host->facts_hash));
        host->facts_revision = *revision;
    }
    return MLN_OK;
}

static struct mln_result base_mismatch(void)
{
    return mln_fail(MLN_E_PRECONDITION, "BaseMismatch: the facts here are not those that the report builds on");
}

/* One try: base, patch, digest, and the resource with the result. PRECONDITION also when somebody else changed it meanwhile. */
static struct mln_result apply(struct mln_hosts *hosts, struct mln_host *host, const struct report *report,
                               struct mln_arena *arena)
{
    static const struct mln_json nothing = {.kind = MLN_JSON_OBJECT};
    const struct mln_json *facts, *merged;
    struct mln_json document;
    char digest[MLN_SHA256_HEX];
    int64_t expect, read_at, revision;
    MLN_TRY(current_facts(hosts, host, arena, &facts, &expect));
    if (report->base.p && (!facts || !mln_str_eq(report->base, mln_str_c(host->facts_hash))))
        return base_mismatch();
    MLN_TRY(mln_json_merge_patch(arena, report->base.p ? facts : &nothing, report->patch, &merged));
    MLN_TRY(digest_of(merged, digest));
    if (!mln_str_eq(report->hash, mln_str_c(digest)))
        return mln_fail(MLN_E_INVALID, "hash: not the digest of the facts with the patch");
    MLN_TRY(mln_host_compose(hosts, host, merged, NULL, arena, &document, &read_at));
    if (read_at != expect)
        return mln_fail(MLN_E_BUSY, "the resource is being changed");
    MLN_TRY(mln_posture_put(hosts->posture, &document, expect, mln_str_c(host->resource_id), NULL, &revision));
    memcpy(host->facts_hash, digest, sizeof digest);
    host->facts_revision = revision;
    return MLN_OK;
}

static struct mln_result take_report(struct mln_hosts *hosts, struct mln_host *host, const struct report *report,
                                     struct mln_arena *arena, struct mln_buf *answer)
{
    struct mln_host_state before = host->now;
    bool returned = false;
    mln_host_heard(hosts, host, &returned);
    if (returned)
        MLN_TRY(mln_host_commit(hosts, host, &before, mln_str_c(host->resource_id), NULL, NULL));
    MLN_TRY(apply(hosts, host, report, arena));
    mln_hosts_count(hosts, &hosts->stats.reports);
    if (!report->base.p)
        mln_hosts_count(hosts, &hosts->stats.full_reports);
    struct mln_json_writer w = mln_json_writer(answer);
    mln_json_begin_object(&w);
    mln_json_member_str(&w, "hash", mln_str_c(host->facts_hash));
    mln_json_end_object(&w);
    return mln_json_writer_end(&w);
}

struct mln_result mln_hosts_facts(struct mln_hosts *hosts, struct mln_str machine_id, struct mln_str body,
                                  struct mln_buf *answer)
{
    MLN_CLEANUP(mln_arena_free) struct mln_arena *arena = mln_arena_new(REPORT_ARENA_BYTES);
    struct report report;
    struct mln_host *host = mln_hosts_find(hosts, machine_id);
    if (!arena)
        return mln_fail(MLN_E_MEMORY, "no memory for a report");
    if (!host)
        return mln_fail(MLN_E_UNAUTHENTICATED, "no machine %.*s", MLN_FMT(machine_id));
    MLN_TRY(mln_host_enter(hosts, host));
    struct mln_result r = host->now.revoked ? mln_fail(MLN_E_UNAUTHENTICATED, "the machine is revoked")
                                            : read_report(body, arena, &report);
    if (mln_ok(r))
        r = take_report(hosts, host, &report, arena, answer);
    mln_host_leave(hosts, host);
    return r;
}
