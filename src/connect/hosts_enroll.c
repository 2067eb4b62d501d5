/* Enrolment and renewal: how a machine gets its certificates. */
#include "base/address.h"
#include "connect/hosts_tokens.h"
#include "crypto/random.h"
#include "model/arm_id.h"
#include "json/fields.h"

enum { REQUEST_ARENA_BYTES = 4 << 20, DAY_MS = 24 * 60 * 60 * 1000, BACKDATED_MS = 5 * 60 * 1000 };

struct enroll_request {
    struct mln_str token, csr, name, agent_version, machine_id;
};
static const struct mln_field enroll_fields[] = {
    MLN_FIELD(struct enroll_request, token, "token", STR, REQUIRED, NULL, "the enrolment token"),
    MLN_FIELD(struct enroll_request, csr, "csr", STR, REQUIRED, NULL, "certificate request, PEM"),
    MLN_FIELD(struct enroll_request, name, "name", STR, REQUIRED, NULL, "the machine's name"),
    MLN_FIELD(struct enroll_request, agent_version, "agentVersion", STR, OPTIONAL, NULL, "of the agent"),
    MLN_FIELD(struct enroll_request, machine_id, "machineId", STR, REQUIRED, NULL, "digest of the machine's own id"),
};

/* What an enrolment works with. */
struct enrolment {
    struct mln_hosts *hosts;
    struct mln_arena *arena;
    struct enroll_request request;
    struct mln_csr *csr;
    char key[MLN_SHA256_HEX]; /* fingerprint of the agent's public key */
    struct mln_enrolment_token token;
    struct mln_str token_digest;
    int64_t token_revision;
    struct mln_str resource_id, resource_key;
};

static struct mln_result no_such_token(struct mln_hosts *hosts)
{
    mln_hosts_count(hosts, &hosts->stats.refused);
    return mln_fail(MLN_E_UNAUTHENTICATED, "the enrolment token is unknown, used up, expired or revoked");
}

/* Networks share the places of a small table: whoever shares one with a loud neighbour is counted with it. */
static bool address_allowed(struct mln_hosts *hosts, struct mln_str address)
{
    char network[MLN_ADDRESS_TEXT];
    uint64_t hash = mln_str_hash(mln_address_network(address, network));
    pthread_mutex_lock(&hosts->lock);
    struct mln_rate *rate = &hosts->rates[hash % MLN_HOSTS_RATE_PLACES];
    bool allowed = mln_rate_allows(rate, mln_now_ms(hosts->clock), hosts->requests_a_minute);
    if (!allowed)
        hosts->stats.limited++;
    pthread_mutex_unlock(&hosts->lock);
    return allowed;
}

static bool is_hex_digest(struct mln_str text)
{
    unsigned char bytes[MLN_SHA256_BYTES];
    return mln_ok(mln_hex_decode(text, bytes, sizeof bytes));
}

/* Letters, digits, '-', '_' and '.', as Azure Arc has them. */
static bool is_machine_name(struct mln_str name)
{
    if (!name.n || name.n > MLN_HOSTS_MAX_NAME_BYTES || name.p[0] == '.' || name.p[name.n - 1] == '.')
        return false;
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!letter && !(c >= '0' && c <= '9') && c != '-' && c != '_' && c != '.')
            return false;
    }
    return true;
}

static struct mln_result parse_body(struct mln_str body, const struct mln_field *fields, size_t n,
                                    struct mln_arena *arena, void *out)
{
    const struct mln_json *json;
    MLN_TRY(mln_json_parse(arena, body, MLN_HOSTS_MAX_SMALL_BODY_BYTES, &json));
    return mln_json_read_fields(json, fields, n, MLN_JSON_UNKNOWN_IGNORED, out);
}

static struct mln_result read_request(struct enrolment *e, struct mln_str body)
{
    MLN_CLEANUP(mln_public_key_free) struct mln_public_key *key = NULL;
    struct mln_sha256 fingerprint;
    MLN_TRY(parse_body(body, enroll_fields, sizeof enroll_fields / sizeof *enroll_fields, e->arena, &e->request));
    if (!is_machine_name(e->request.name))
        return mln_fail(MLN_E_INVALID, "name: 1 to %d letters, digits, '-', '_' or '.'", MLN_HOSTS_MAX_NAME_BYTES);
    if (!is_hex_digest(e->request.machine_id))
        return mln_fail(MLN_E_INVALID, "machineId: a SHA-256 digest in hex");
    MLN_TRY(mln_csr_from_pem(e->request.csr, &e->csr));
    MLN_TRY(mln_csr_public_key(e->csr, &key));
    MLN_TRY(mln_public_key_fingerprint(key, &fingerprint));
    mln_hex_encode(mln_sha256_str(&fingerprint), e->key);
    return MLN_OK;
}

static struct mln_result load_token(struct enrolment *e, struct mln_store_read *read)
{
    struct mln_token_digest digest;
    if (!mln_ok(mln_token_identify(e->request.token, &digest)))
        return no_such_token(e->hosts);
    struct mln_result r =
        mln_token_load(read, mln_str_c(digest.id), e->arena, &e->token, &e->token_digest, &e->token_revision);
    if (r.code == MLN_E_NOT_FOUND)
        return no_such_token(e->hosts);
    MLN_TRY(r);
    if (!mln_secret_eq(e->token_digest, mln_str_c(digest.digest)) || e->token.revoked ||
        mln_now_ms(e->hosts->clock) >= e->token.expires_ms)
        return no_such_token(e->hosts);
    MLN_TRY_STR(e->arena, e->resource_id,
                mln_str_printf(e->arena, "%.*s/providers/" MLN_MACHINE_TYPE "/%.*s", MLN_FMT(e->token.resource_group),
                               MLN_FMT(e->request.name)));
    MLN_TRY_STR(e->arena, e->resource_key, mln_str_lower(e->arena, e->resource_id));
    return MLN_OK;
}

/* ---- answers, and the memory of them ---- */

struct mln_result mln_hosts_issue(struct mln_hosts *hosts, const struct mln_csr *csr, struct mln_str machine_id,
                                  struct mln_buf *pem, char digest[MLN_SHA256_HEX])
{
    MLN_CLEANUP(mln_cert_free) struct mln_cert *cert = NULL;
    MLN_CLEANUP(mln_arena_free) struct mln_arena *arena = mln_arena_new(REQUEST_ARENA_BYTES);
    struct mln_cert_info info;
    int64_t now = mln_now_ms(hosts->clock);
    if (!arena)
        return mln_fail(MLN_E_MEMORY, "no memory for a certificate");
    /* from a little earlier: the agent's clock may be behind ours */
    struct mln_validity validity = {now - BACKDATED_MS, now + (int64_t)hosts->certificate_days * DAY_MS};
    MLN_TRY(mln_ca_issue_client(hosts->ca, csr, machine_id, validity, &cert));
    MLN_TRY(mln_cert_describe(cert, arena, &info));
    mln_hex_encode(mln_sha256_str(&info.sha256), digest);
    return mln_cert_to_pem(cert, pem);
}

void mln_hosts_put_certificate(const struct mln_hosts *hosts, struct mln_json_writer *w, struct mln_str pem,
                               int64_t issued_ms)
{
    mln_json_member_str(w, "certificate", pem);
    mln_json_member_str(w, "caCertificates", mln_str_c(hosts->ca_pem));
    mln_json_member_time(w, "renewAfter", issued_ms + (int64_t)hosts->certificate_days * DAY_MS / 3 * 2);
}

static struct mln_result write_answer(const struct enrolment *e, const char *machine_id, struct mln_str pem,
                                      struct mln_buf *answer)
{
    struct mln_json_writer w = mln_json_writer(answer);
    mln_json_begin_object(&w);
    mln_json_member_str(&w, "machineId", mln_str_c(machine_id));
    mln_json_member_str(&w, "resourceId", e->resource_id);
    mln_hosts_put_certificate(e->hosts, &w, pem, mln_now_ms(e->hosts->clock));
    mln_json_member_i64(&w, "heartbeatSeconds", e->hosts->heartbeat_seconds);
    mln_json_member_i64(&w, "reportSeconds", e->hosts->report_seconds);
    mln_json_end_object(&w);
    return mln_json_writer_end(&w);
}

/* Where the answer to this key and token is kept for ten minutes. */
static struct mln_result repeat_key(const struct enrolment *e, struct mln_str *key)
{
    MLN_TRY_STR(e->arena, *key, mln_str_printf(e->arena, "enrolled/%s/%.*s", e->key, MLN_FMT(e->token.id)));
    return MLN_OK;
}

static struct mln_result remember_answer(const struct enrolment *e, struct mln_str answer,
                                         struct mln_store_batch *batch)
{
    MLN_BUF_CLEANUP struct mln_buf out = MLN_BUF(256 << 10);
    struct mln_json_writer w = mln_json_writer(&out);
    struct mln_str key;
    mln_json_begin_object(&w);
    mln_json_member_time(&w, "time", mln_now_ms(e->hosts->clock));
    mln_json_name(&w, MLN_S("answer"));
    mln_json_put_raw(&w, answer);
    mln_json_end_object(&w);
    MLN_TRY(mln_json_writer_end(&w));
    MLN_TRY(repeat_key(e, &key));
    return mln_store_put(batch, MLN_COLLECTION_TOKENS, key, mln_buf_str(&out));
}

/* The same token and key again, shortly after: the answer was lost on its way. */
static struct mln_result answer_again(const struct enrolment *e, struct mln_store_read *read, struct mln_buf *answer,
                                      bool *done)
{
    struct mln_str key, value;
    const struct mln_json *json;
    int64_t time;
    MLN_TRY(repeat_key(e, &key));
    struct mln_result r = mln_store_get(read, MLN_COLLECTION_TOKENS, key, e->arena, &value, NULL);
    if (r.code == MLN_E_NOT_FOUND)
        return MLN_OK;
    MLN_TRY(r);
    MLN_TRY(mln_json_parse(e->arena, value, REQUEST_ARENA_BYTES, &json));
    MLN_TRY(mln_time_parse(mln_json_str(mln_json_get(json, MLN_S("time")), MLN_S("")), &time));
    if (mln_now_ms(e->hosts->clock) - time > MLN_HOSTS_REPEAT_MS)
        return MLN_OK;
    *done = true;
    return mln_json_write(answer, mln_json_get(json, MLN_S("answer")), false);
}

struct forgetting {
    struct mln_hosts *hosts;
    struct mln_arena *arena;
    struct mln_store_batch *batch;
};

static struct mln_result forget_one(void *context, struct mln_str key, struct mln_str value, int64_t revision,
                                    bool *stop)
{
    struct forgetting *f = context;
    const struct mln_json *json;
    int64_t time;
    (void)revision, (void)stop;
    mln_arena_reset(f->arena);
    MLN_TRY(mln_json_parse(f->arena, value, REQUEST_ARENA_BYTES, &json));
    MLN_TRY(mln_time_parse(mln_json_str(mln_json_get(json, MLN_S("time")), MLN_S("")), &time));
    int64_t age = mln_now_ms(f->hosts->clock) - time;
    return age > MLN_HOSTS_REPEAT_MS || age < 0 ? mln_store_delete(f->batch, MLN_COLLECTION_TOKENS, key) : MLN_OK;
}

struct mln_result mln_hosts_forget_answers(struct mln_hosts *hosts)
{
    MLN_CLEANUP(mln_store_read_end) struct mln_store_read *read = NULL;
    MLN_CLEANUP(mln_arena_free) struct mln_arena *arena = mln_arena_new(REQUEST_ARENA_BYTES);
    MLN_CLEANUP(mln_store_batch_free) struct mln_store_batch *batch = mln_store_batch_new();
    struct forgetting f = {hosts, arena, batch};
    if (!arena || !batch)
        return mln_fail(MLN_E_MEMORY, "no memory for the sweep");
    MLN_TRY(mln_store_read_begin(hosts->store, &read));
    MLN_TRY(mln_store_scan(read, MLN_COLLECTION_TOKENS,
                           &(struct mln_store_scan){.prefix = MLN_S("enrolled/"), .limit = 1000}, forget_one, &f));
    return mln_store_batch_length(batch) ? mln_store_commit(hosts->store, MLN_TAKE(batch), NULL) : MLN_OK;
}

/* ---- enrolling ---- */

/* The machine to be: the one that has the name, when it is the same machine or was let go; else a new one. */
static struct mln_result choose_host(const struct enrolment *e, struct mln_host **host, bool *is_new)
{
    struct mln_uuid uuid;
    char id[MLN_UUID_TEXT];
    *host = mln_hosts_find_resource(e->hosts, e->resource_key);
    *is_new = !*host;
    if (*is_new) {
        MLN_TRY(mln_uuid_random(&uuid));
        return mln_host_new(mln_uuid_text(&uuid, id), e->resource_id, host);
    }
    mln_host_take_turn(*host);
    bool same = (*host)->now.revoked || mln_str_eq_nocase(mln_str_c((*host)->now.vm_id), e->request.machine_id);
    mln_host_end_turn(*host);
    if (same)
        return MLN_OK;
    *host = NULL;
    return mln_fail(MLN_E_CONFLICT, "another machine is enrolled as \"%.*s\"", MLN_FMT(e->request.name));
}

/* Token, machine, its resource and the memory of the answer, in one commit. */
static struct mln_result commit(const struct enrolment *e, struct mln_host *host, struct mln_buf *answer)
{
    MLN_BUF_CLEANUP struct mln_buf pem = MLN_BUF(MLN_CERT_PEM_MAX_BYTES), fresh = MLN_BUF(256 << 10);
    MLN_CLEANUP(mln_store_batch_free) struct mln_store_batch *batch = mln_store_batch_new();
    struct mln_host_state before = host->now;
    struct mln_enrolment_token token = e->token;
    if (!batch)
        return mln_fail(MLN_E_MEMORY, "no memory for an enrolment");
    char digest[MLN_SHA256_HEX];
    MLN_TRY(mln_hosts_issue(e->hosts, e->csr, mln_str_c(host->id), &pem, digest));
    MLN_TRY(write_answer(e, host->id, mln_buf_str(&pem), &fresh));
    token.used++;
    MLN_TRY(mln_token_store(&token, e->token_digest, e->token_revision, e->arena, batch));
    MLN_TRY(remember_answer(e, mln_buf_str(&fresh), batch));
    int64_t now = mln_now_ms(e->hosts->clock);
    memcpy(host->now.certificate, digest, sizeof digest);
    host->now.previous[0] = 0;
    host->now.revoked = false;
    mln_host_copy(host->now.vm_id, sizeof host->now.vm_id, e->request.machine_id);
    mln_host_copy(host->now.token_id, sizeof host->now.token_id, e->token.id);
    mln_host_copy(host->now.agent_version, sizeof host->now.agent_version, e->request.agent_version);
    host->now.status = MLN_MACHINE_CONNECTED;
    host->now.enrolled_ms = host->now.status_changed_ms = host->now.heard_ms = now;
    MLN_TRY(mln_host_commit(e->hosts, host, &before, mln_str_c(host->resource_id), e->token.tags, MLN_TAKE(batch)));
    return mln_buf_append(answer, mln_buf_str(&fresh));
}

static struct mln_result enroll_in_turn(const struct enrolment *e, struct mln_buf *answer)
{
    MLN_CLEANUP(mln_host_free) struct mln_host *fresh = NULL;
    struct mln_host *host;
    bool is_new;
    if (e->token.used >= e->token.uses)
        return no_such_token(e->hosts);
    MLN_TRY(choose_host(e, &host, &is_new));
    if (is_new)
        fresh = host;
    mln_host_take_turn(host);
    struct mln_result r = commit(e, host, answer);
    mln_host_end_turn(host);
    MLN_TRY(r);
    if (is_new) {
        MLN_TRY(mln_hosts_insert(e->hosts, fresh));
        fresh = NULL;
    }
    mln_hosts_count(e->hosts, &e->hosts->stats.enrolments);
    return MLN_OK;
}

static struct mln_result enroll_one(struct enrolment *e, struct mln_buf *answer)
{
    MLN_CLEANUP(mln_store_read_end) struct mln_store_read *read = NULL;
    bool done = false;
    MLN_TRY(mln_store_read_begin(e->hosts->store, &read));
    MLN_TRY(load_token(e, read));
    MLN_TRY(answer_again(e, read, answer, &done));
    mln_store_read_end(MLN_TAKE(read));
    return done ? MLN_OK : enroll_in_turn(e, answer);
}

struct mln_result mln_hosts_enroll(struct mln_hosts *hosts, struct mln_str address, struct mln_str body,
                                   struct mln_buf *answer)
{
    MLN_CLEANUP(mln_arena_free) struct mln_arena *arena = mln_arena_new(REQUEST_ARENA_BYTES);
    struct enrolment e = {.hosts = hosts, .arena = arena};
    if (!arena)
        return mln_fail(MLN_E_MEMORY, "no memory for an enrolment");
    if (!address_allowed(hosts, address))
        return mln_fail(MLN_E_TOO_MANY, "too many enrolments from this address");
    struct mln_result r = read_request(&e, body);
    if (mln_ok(r)) {
        pthread_mutex_lock(&hosts->enrolling);
        r = enroll_one(&e, answer);
        pthread_mutex_unlock(&hosts->enrolling);
    }
    mln_csr_free(e.csr);
    return r;
}

/* ---- renewal ---- */

struct renew_request {
    struct mln_str csr;
};
static const struct mln_field renew_fields[] = {
    MLN_FIELD(struct renew_request, csr, "csr", STR, REQUIRED, NULL, "certificate request, PEM"),
};

/* The certificate that the caller has now stays valid until the new one is first used: the answer may be lost. */
static struct mln_result renew(struct mln_hosts *hosts, struct mln_host *host, const struct mln_csr *csr,
                               struct mln_buf *answer)
{
    MLN_BUF_CLEANUP struct mln_buf pem = MLN_BUF(MLN_CERT_PEM_MAX_BYTES);
    struct mln_host_state before = host->now;
    char digest[MLN_SHA256_HEX];
    MLN_TRY(mln_hosts_issue(hosts, csr, mln_str_c(host->id), &pem, digest));
    if (!before.previous[0]) /* otherwise the newer one has not been used: the caller is still on the older */
        memcpy(host->now.previous, before.certificate, sizeof before.certificate);
    memcpy(host->now.certificate, digest, sizeof digest);
    MLN_TRY(mln_host_commit_record(hosts, host, &before));
    struct mln_json_writer w = mln_json_writer(answer);
    mln_json_begin_object(&w);
    mln_hosts_put_certificate(hosts, &w, mln_buf_str(&pem), mln_now_ms(hosts->clock));
    mln_json_end_object(&w);
    return mln_json_writer_end(&w);
}

struct mln_result mln_hosts_renew(struct mln_hosts *hosts, struct mln_str machine_id, struct mln_str body,
                                  struct mln_buf *answer)
{
    MLN_CLEANUP(mln_arena_free) struct mln_arena *arena = mln_arena_new(REQUEST_ARENA_BYTES);
    MLN_CLEANUP(mln_csr_free) struct mln_csr *csr = NULL;
    struct renew_request request = {0};
    struct mln_host *host = mln_hosts_find(hosts, machine_id);
    if (!arena)
        return mln_fail(MLN_E_MEMORY, "no memory for a renewal");
    if (!host)
        return mln_fail(MLN_E_UNAUTHENTICATED, "no machine %.*s", MLN_FMT(machine_id));
    MLN_TRY(parse_body(body, renew_fields, sizeof renew_fields / sizeof *renew_fields, arena, &request));
    MLN_TRY(mln_csr_from_pem(request.csr, &csr));
    MLN_TRY(mln_host_enter(hosts, host));
    struct mln_result r =
        host->now.revoked ? mln_fail(MLN_E_UNAUTHENTICATED, "the machine is revoked") : renew(hosts, host, csr, answer);
    mln_host_leave(hosts, host);
    return r;
}
