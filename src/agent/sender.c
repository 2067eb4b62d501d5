#include "agent/sender.h"

#include "connect/http.h"
#include "os/file.h"

#include <malloc.h>

enum {
    CA_BYTES = 1 << 20,
    SMALL_BYTES = 256 << 10,
    FACTS_BYTES = 8 << 20, /* the server takes no larger body */
    SMALL_ARENA_BYTES = 4 << 20,
    FACTS_ARENA_BYTES = 256 << 20,
    CONNECT_TIMEOUT_MS = 10 * 1000,
    TIMEOUT_MS = 30 * 1000,
};

struct mln_sender {
    char *directory;
    const struct mln_clock *clock;
    struct mln_arena *arena; /* of config and certificate dates */
    struct mln_agent_config config;
    struct mln_cert_info certificate;
    struct mln_http *http;
    int64_t sequence, retry_after_ms;
    char acked[MLN_SHA256_HEX]; /* digest of the facts last acknowledged; "": none */
};

/* ---- opening ---- */

static struct mln_result connect_with(struct mln_sender *sender, const struct mln_key *key, const struct mln_cert *cert)
{
    MLN_BUF_CLEANUP struct mln_buf ca = MLN_BUF(CA_BYTES), certificate = MLN_BUF(MLN_CERT_PEM_MAX_BYTES);
    MLN_BUF_CLEANUP struct mln_buf secret = MLN_BUF_SECRET(MLN_KEY_PEM_MAX_BYTES);
    struct mln_http *http = NULL;
    struct mln_result r = mln_state_read(sender->directory, MLN_STATE_CA, &ca);
    if (r.code != MLN_E_NOT_FOUND) /* without the file the system's authorities are trusted */
        MLN_TRY(r);
    MLN_TRY(mln_cert_to_pem(cert, &certificate));
    MLN_TRY(mln_key_to_pem(key, &secret));
    MLN_TRY(mln_http_open(&(struct mln_http_setup){.ca_pem = mln_buf_str(&ca),
                                                   .certificate_pem = mln_buf_str(&certificate),
                                                   .key_pem = mln_buf_str(&secret),
                                                   .proxy = sender->config.proxy,
                                                   .user_agent = MLN_S("merlon-agent/" MLN_VERSION),
                                                   .connect_timeout_ms = CONNECT_TIMEOUT_MS,
                                                   .timeout_ms = TIMEOUT_MS,
                                                   .max_answer_bytes = SMALL_BYTES},
                          &http));
    mln_http_close(sender->http);
    sender->http = http;
    return mln_cert_describe(cert, sender->arena, &sender->certificate);
}

static struct mln_result load_identity(struct mln_sender *sender)
{
    MLN_CLEANUP(mln_key_free) struct mln_key *key = NULL;
    MLN_CLEANUP(mln_cert_free) struct mln_cert *cert = NULL;
    MLN_TRY(mln_state_identity(sender->directory, &key, &cert));
    return connect_with(sender, key, cert);
}

/* The digest of the facts that are kept, which are in canonical form: a damaged file gives another digest, and the server
   then asks for everything. */
static struct mln_result load_acked(struct mln_sender *sender)
{
    MLN_BUF_CLEANUP struct mln_buf text = MLN_BUF(FACTS_BYTES);
    struct mln_result r = mln_state_read(sender->directory, MLN_STATE_ACKED, &text);
    if (!mln_ok(r))
        return MLN_OK; /* none yet, or one that cannot be read: everything is sent */
    return mln_sha256_hex(mln_buf_str(&text), sender->acked);
}

struct mln_result mln_sender_open(const char *state_directory, const struct mln_clock *clock, struct mln_sender **out)
{
    MLN_CLEANUP(mln_sender_close) struct mln_sender *sender = calloc(1, sizeof *sender);
    if (!sender || !(sender->directory = strdup(state_directory)) ||
        !(sender->arena = mln_arena_new(SMALL_ARENA_BYTES)))
        return mln_fail(MLN_E_MEMORY, "no memory for the connection");
    sender->clock = clock;
    sender->retry_after_ms = -1;
    MLN_TRY(mln_state_config(state_directory, sender->arena, &sender->config));
    MLN_TRY(load_identity(sender));
    MLN_TRY(load_acked(sender));
    *out = MLN_TAKE(sender);
    return MLN_OK;
}

void mln_sender_close(struct mln_sender *sender)
{
    if (!sender)
        return;
    mln_http_close(sender->http);
    mln_arena_free(sender->arena);
    free(sender->directory);
    free(sender);
}

int64_t mln_sender_retry_after_ms(const struct mln_sender *sender)
{
    return sender->retry_after_ms;
}

const struct mln_agent_config *mln_sender_config(const struct mln_sender *sender)
{
    return &sender->config;
}

int64_t mln_sender_certificate_end(const struct mln_sender *sender)
{
    return sender->certificate.not_after_ms;
}

/* ---- one exchange ---- */

/* What a status means for what to do next. */
static enum mln_code code_of(int status)
{
    switch (status) {
    case 401:
    case 403:
        return MLN_E_UNAUTHENTICATED;
    case 409:
        return MLN_E_CONFLICT;
    case 412:
        return MLN_E_PRECONDITION;
    case 413:
        return MLN_E_LIMIT;
    case 429:
        return MLN_E_TOO_MANY;
    default:
        return status >= 500 ? MLN_E_BUSY : MLN_E_INVALID;
    }
}

static struct mln_result read_answer(const struct mln_http_answer *answer, struct mln_arena *arena,
                                     const struct mln_json **out)
{
    const struct mln_json *json = NULL;
    struct mln_result r = mln_json_parse(arena, mln_buf_str(&answer->body), SMALL_BYTES, &json);
    if (answer->status == 200) {
        *out = json;
        return mln_ok(r) ? MLN_OK : mln_fail_at(r, "the server's answer");
    }
    struct mln_str text =
        mln_json_str(mln_json_path(mln_ok(r) ? json : NULL, "error.message"), MLN_S("no reason given"));
    return mln_fail(code_of(answer->status), "the server says %d: %.*s", answer->status,
                    MLN_FMT(mln_str_sub(text, 0, 200)));
}

static struct mln_result post(struct mln_http *http, struct mln_str server, const char *call,
                              const struct mln_buf *body, struct mln_arena *arena, int64_t *retry_after_ms,
                              const struct mln_json **out)
{
    static const struct mln_http_header headers[] = {{MLN_S("Content-Type"), MLN_S("application/json")}};
    struct mln_http_answer answer;
    struct mln_str url;
    MLN_TRY_STR(arena, url, mln_str_printf(arena, "%.*s/agent/v1/%s", MLN_FMT(server), call));
    struct mln_result r = mln_http_do(
        http,
        &(struct mln_http_request){
            .method = MLN_S("POST"), .url = url, .headers = headers, .n_headers = 1, .body = mln_buf_str(body)},
        &answer);
    if (mln_ok(r)) {
        if (retry_after_ms)
            *retry_after_ms = answer.retry_after_ms;
        r = read_answer(&answer, arena, out);
    }
    mln_http_answer_free(&answer);
    return r;
}

static struct mln_result call(struct mln_sender *sender, const char *name, const struct mln_buf *body,
                              struct mln_arena *arena, const struct mln_json **out)
{
    sender->retry_after_ms = -1;
    return post(sender->http, sender->config.server, name, body, arena, &sender->retry_after_ms, out);
}

static struct mln_str text_of(const struct mln_json *json, const char *name)
{
    return mln_json_str(mln_json_get(json, mln_str_c(name)), (struct mln_str){NULL, 0});
}

static uint32_t seconds_of(const struct mln_json *json, const char *name, uint32_t otherwise)
{
    int64_t seconds = mln_json_i64(mln_json_get(json, mln_str_c(name)), otherwise);
    return seconds >= 1 && seconds <= 86400 ? (uint32_t)seconds : otherwise;
}

/* ---- heartbeat ---- */

struct mln_result mln_sender_beat(struct mln_sender *sender, struct mln_orders *orders)
{
    MLN_CLEANUP(mln_arena_free) struct mln_arena *arena = mln_arena_new(SMALL_ARENA_BYTES);
    MLN_BUF_CLEANUP struct mln_buf body = MLN_BUF(SMALL_BYTES);
    struct mln_json_writer w = mln_json_writer(&body);
    const struct mln_json *answer;
    if (!arena)
        return mln_fail(MLN_E_MEMORY, "no memory for a heartbeat");
    mln_json_begin_object(&w);
    mln_json_member_str(&w, "agentVersion", MLN_S(MLN_VERSION));
    mln_json_member_i64(&w, "sequence", ++sender->sequence);
    if (sender->acked[0])
        mln_json_member_str(&w, "factsHash", mln_str_c(sender->acked));
    mln_json_name(&w, MLN_S("spool")); /* events of a sensor would wait there; this agent has none */
    mln_json_begin_object(&w);
    mln_json_member_i64(&w, "held", 0);
    mln_json_member_i64(&w, "dropped", 0);
    mln_json_end_object(&w);
    mln_json_end_object(&w);
    MLN_TRY(mln_json_writer_end(&w));
    MLN_TRY(call(sender, "heartbeat", &body, arena, &answer));
    orders->heartbeat_seconds = seconds_of(answer, "heartbeatSeconds", sender->config.heartbeat_seconds);
    orders->report_seconds = seconds_of(answer, "reportSeconds", sender->config.report_seconds);
    orders->want_full = mln_json_bool(mln_json_get(answer, MLN_S("wantFull")), false);
    return MLN_OK;
}

/* ---- report ---- */

struct report_work {
    struct mln_sender *sender;
    struct mln_arena *arena;
    const struct mln_json *facts, *acked; /* acked NULL: none */
    struct mln_buf canonical;             /* of facts */
    char hash[MLN_SHA256_HEX];
};

static struct mln_result prepare(struct report_work *work, const struct mln_report *report)
{
    static const struct mln_json nothing = {.kind = MLN_JSON_OBJECT};
    MLN_BUF_CLEANUP struct mln_buf text = MLN_BUF(FACTS_BYTES), acked = MLN_BUF(FACTS_BYTES);
    const struct mln_json *parsed;
    MLN_TRY(mln_report_write(report, mln_now_ms(work->sender->clock), MLN_SECTION_COUNT, &text));
    MLN_TRY(mln_json_parse(work->arena, mln_buf_str(&text), FACTS_BYTES, &parsed));
    /* what the server makes of it: a merge patch cannot carry null */
    MLN_TRY(mln_json_merge_patch(work->arena, &nothing, parsed, &work->facts));
    MLN_TRY(mln_json_write_canonical(&work->canonical, work->facts));
    MLN_TRY(mln_sha256_hex(mln_buf_str(&work->canonical), work->hash));
    if (work->sender->acked[0] && mln_ok(mln_state_read(work->sender->directory, MLN_STATE_ACKED, &acked)) &&
        !mln_ok(mln_json_parse(work->arena, mln_buf_str(&acked), FACTS_BYTES, &work->acked)))
        work->acked = NULL;
    return MLN_OK;
}

/* patch NULL: everything. */
static struct mln_result send(const struct report_work *work, const struct mln_json *patch)
{
    MLN_BUF_CLEANUP struct mln_buf body = MLN_BUF(FACTS_BYTES);
    struct mln_sender *sender = work->sender;
    struct mln_json_writer w = mln_json_writer(&body);
    const struct mln_json *answer;
    mln_json_begin_object(&w);
    mln_json_member_i64(&w, "sequence", ++sender->sequence);
    mln_json_name(&w, MLN_S("base"));
    if (patch)
        mln_json_put_str(&w, mln_str_c(sender->acked));
    else
        mln_json_put_null(&w);
    mln_json_member_str(&w, "hash", mln_str_c(work->hash));
    mln_json_member_tree(&w, "patch", patch ? patch : work->facts);
    mln_json_end_object(&w);
    MLN_TRY(mln_json_writer_end(&w));
    MLN_TRY(call(sender, "facts", &body, work->arena, &answer));
    if (!mln_str_eq(text_of(answer, "hash"), mln_str_c(work->hash)))
        return mln_fail(MLN_E_CORRUPT, "the server acknowledged other facts than those sent");
    MLN_TRY(mln_state_write(sender->directory, MLN_STATE_ACKED, mln_buf_str(&work->canonical)));
    memcpy(sender->acked, work->hash, sizeof sender->acked);
    return MLN_OK;
}

/* When it was looked at changes always, and alone is nothing to report. */
static bool is_only_time(const struct mln_json *patch)
{
    return !patch || (patch->n == 1 && mln_str_eq(patch->members[0].name, MLN_S("collected")));
}

static struct mln_result report_work(struct report_work *work, bool full, bool due, bool *sent)
{
    const struct mln_json *patch = NULL;
    if (work->acked && !full) {
        MLN_TRY(mln_json_diff(work->arena, work->acked, work->facts, &patch));
        if (is_only_time(patch) && !due)
            return MLN_OK;
        if (patch) {
            struct mln_result r = send(work, patch);
            *sent = mln_ok(r);
            if (r.code != MLN_E_PRECONDITION)
                return r;
        }
    }
    MLN_TRY(send(work, NULL));
    *sent = true;
    return MLN_OK;
}

struct mln_result mln_sender_report(struct mln_sender *sender, const struct mln_report *report, bool full, bool due,
                                    bool *sent)
{
    struct report_work work = {.sender = sender, .canonical = MLN_BUF(FACTS_BYTES)};
    bool done = false;
    work.arena = mln_arena_new(FACTS_ARENA_BYTES);
    struct mln_result r = work.arena ? prepare(&work, report) : mln_fail(MLN_E_MEMORY, "no memory for a report");
    if (mln_ok(r))
        r = report_work(&work, full, due, &done);
    if (sent)
        *sent = done;
    mln_buf_free(&work.canonical);
    mln_arena_free(work.arena);
    malloc_trim(0); /* the trees are gone: give their memory back, this process mostly sleeps */
    return r;
}

/* ---- certificates ---- */

static struct mln_result put_csr(struct mln_json_writer *w, const struct mln_key *key)
{
    MLN_BUF_CLEANUP struct mln_buf csr = MLN_BUF(SMALL_BYTES);
    MLN_TRY(mln_csr_create(key, MLN_S("merlon-agent"), &csr));
    mln_json_member_str(w, "csr", mln_buf_str(&csr));
    return MLN_OK;
}

/* The certificate of an answer, which must be for the key that was asked for. */
static struct mln_result take_certificate(const struct mln_json *answer, const struct mln_key *key,
                                          struct mln_cert **out)
{
    MLN_CLEANUP(mln_cert_free) struct mln_cert *cert = NULL;
    MLN_CLEANUP(mln_public_key_free) struct mln_public_key *asked = NULL, *given = NULL;
    struct mln_sha256 one, other;
    MLN_TRY(mln_cert_from_pem(text_of(answer, "certificate"), &cert));
    MLN_TRY(mln_cert_public_key(cert, &given));
    MLN_TRY(mln_key_public(key, &asked));
    MLN_TRY(mln_public_key_fingerprint(given, &one));
    MLN_TRY(mln_public_key_fingerprint(asked, &other));
    if (memcmp(one.bytes, other.bytes, sizeof one.bytes) != 0)
        return mln_fail(MLN_E_CORRUPT, "the server's certificate is for another key");
    *out = MLN_TAKE(cert);
    return MLN_OK;
}

static struct mln_result renew(struct mln_sender *sender, struct mln_arena *arena)
{
    MLN_CLEANUP(mln_key_free) struct mln_key *key = NULL;
    MLN_CLEANUP(mln_cert_free) struct mln_cert *cert = NULL;
    MLN_BUF_CLEANUP struct mln_buf body = MLN_BUF(SMALL_BYTES);
    struct mln_json_writer w = mln_json_writer(&body);
    const struct mln_json *answer;
    MLN_TRY(mln_key_generate(&key));
    mln_json_begin_object(&w);
    MLN_TRY(put_csr(&w, key));
    mln_json_end_object(&w);
    MLN_TRY(mln_json_writer_end(&w));
    MLN_TRY(call(sender, "renew", &body, arena, &answer));
    MLN_TRY(take_certificate(answer, key, &cert));
    MLN_TRY(mln_state_put_identity(sender->directory, key, cert));
    return connect_with(sender, key, cert);
}

struct mln_result mln_sender_renew_if_due(struct mln_sender *sender, bool *renewed)
{
    MLN_CLEANUP(mln_arena_free) struct mln_arena *arena = mln_arena_new(SMALL_ARENA_BYTES);
    int64_t life = sender->certificate.not_after_ms - sender->certificate.not_before_ms;
    bool due = mln_now_ms(sender->clock) > sender->certificate.not_before_ms + life / 3 * 2;
    if (renewed)
        *renewed = false;
    if (!due)
        return MLN_OK;
    if (!arena)
        return mln_fail(MLN_E_MEMORY, "no memory for a renewal");
    MLN_TRY(renew(sender, arena));
    if (renewed)
        *renewed = true;
    return MLN_OK;
}

struct mln_result mln_sender_unenroll(struct mln_sender *sender)
{
    MLN_CLEANUP(mln_arena_free) struct mln_arena *arena = mln_arena_new(SMALL_ARENA_BYTES);
    MLN_BUF_CLEANUP struct mln_buf body = MLN_BUF(16);
    const struct mln_json *answer;
    if (!arena)
        return mln_fail(MLN_E_MEMORY, "no memory for saying good-bye");
    MLN_TRY(mln_buf_append(&body, MLN_S("{}")));
    return call(sender, "unenroll", &body, arena, &answer);
}

/* ---- enrolment ---- */

/* The key of an attempt before this one, or a new one: with the same key a lost answer is given again. */
static struct mln_result pending_key(const char *directory, struct mln_key **out)
{
    MLN_BUF_CLEANUP struct mln_buf text = MLN_BUF_SECRET(MLN_KEY_PEM_MAX_BYTES);
    struct mln_result r = mln_state_read(directory, MLN_STATE_PENDING, &text);
    if (mln_ok(r))
        return mln_key_from_pem(mln_buf_str(&text), out);
    if (r.code != MLN_E_NOT_FOUND)
        return r;
    MLN_TRY(mln_key_generate(out));
    MLN_TRY(mln_key_to_pem(*out, &text));
    return mln_state_write(directory, MLN_STATE_PENDING, mln_buf_str(&text));
}

static struct mln_result write_request(const char *directory, const struct mln_enrolment *enrolment,
                                       const struct mln_key *key, struct mln_buf *body)
{
    struct mln_json_writer w = mln_json_writer(body);
    char digest[MLN_SHA256_HEX];
    MLN_TRY(mln_state_machine_digest(directory, digest));
    mln_json_begin_object(&w);
    mln_json_member_str(&w, "token", enrolment->token);
    MLN_TRY(put_csr(&w, key));
    mln_json_member_str(&w, "name", enrolment->name);
    mln_json_member_str(&w, "agentVersion", MLN_S(MLN_VERSION));
    mln_json_member_str(&w, "machineId", mln_str_c(digest));
    mln_json_end_object(&w);
    return mln_json_writer_end(&w);
}

/* Whom to trust from now on: the authority that was given, or whose fingerprint was; without either, the system's. */
static struct mln_result keep_ca(const char *directory, const struct mln_http *http, struct mln_str ca_pem)
{
    struct mln_str pem = ca_pem.n ? ca_pem : mln_http_pinned_ca(http);
    return pem.n ? mln_state_write(directory, MLN_STATE_CA, pem) : mln_state_remove(directory, MLN_STATE_CA);
}

static struct mln_result open_stranger(const struct mln_enrolment *enrolment, struct mln_str ca_pem,
                                       struct mln_http **out)
{
    return mln_http_open(&(struct mln_http_setup){.ca_pem = ca_pem,
                                                  .ca_sha256 = enrolment->ca_fingerprint,
                                                  .proxy = enrolment->proxy,
                                                  .user_agent = MLN_S("merlon-agent/" MLN_VERSION),
                                                  .connect_timeout_ms = CONNECT_TIMEOUT_MS,
                                                  .timeout_ms = TIMEOUT_MS,
                                                  .max_answer_bytes = SMALL_BYTES},
                         out);
}

static struct mln_result keep(const char *directory, const struct mln_json *answer, const struct mln_key *key,
                              const struct mln_agent_config *config)
{
    MLN_CLEANUP(mln_cert_free) struct mln_cert *cert = NULL;
    if (!config->machine_id.n || !config->resource_id.n)
        return mln_fail(MLN_E_CORRUPT, "the server's answer names no machine");
    MLN_TRY(take_certificate(answer, key, &cert));
    MLN_TRY(mln_state_remove(directory, MLN_STATE_ACKED));
    MLN_TRY(mln_state_put_identity(directory, key, cert));
    MLN_TRY(mln_state_put_config(directory, config)); /* last: with it the machine is enrolled */
    return mln_state_remove(directory, MLN_STATE_PENDING);
}

struct mln_result mln_sender_enroll(const char *state_directory, const struct mln_enrolment *enrolment,
                                    struct mln_agent_config *made, struct mln_arena *arena)
{
    MLN_CLEANUP(mln_key_free) struct mln_key *key = NULL;
    MLN_CLEANUP(mln_http_close) struct mln_http *http = NULL;
    MLN_BUF_CLEANUP struct mln_buf body = MLN_BUF_SECRET(SMALL_BYTES), ca = MLN_BUF(CA_BYTES);
    const struct mln_json *answer;
    if (mln_ok(mln_state_config(state_directory, arena, made)))
        return mln_fail(MLN_E_CONFLICT, "this machine is enrolled as %.*s", MLN_FMT(made->resource_id));
    if (enrolment->ca_file.p) {
        const char *path = mln_str_z(arena, enrolment->ca_file);
        if (!path)
            return mln_arena_failure(arena);
        MLN_TRY(mln_file_read(path, 0, &ca));
    }
    MLN_TRY(pending_key(state_directory, &key));
    MLN_TRY(write_request(state_directory, enrolment, key, &body));
    MLN_TRY(open_stranger(enrolment, mln_buf_str(&ca), &http));
    MLN_TRY(post(http, enrolment->server, "enroll", &body, arena, NULL, &answer));
    MLN_TRY(keep_ca(state_directory, http, mln_buf_str(&ca)));
    *made = (struct mln_agent_config){.server = enrolment->server,
                                      .proxy = enrolment->proxy,
                                      .name = enrolment->name,
                                      .machine_id = text_of(answer, "machineId"),
                                      .resource_id = text_of(answer, "resourceId"),
                                      .heartbeat_seconds = seconds_of(answer, "heartbeatSeconds", 30),
                                      .report_seconds = seconds_of(answer, "reportSeconds", 3600)};
    return keep(state_directory, answer, key, made);
}
