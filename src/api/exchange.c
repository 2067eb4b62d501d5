#include "api/exchange.h"

#include "base/log.h"

#include <arpa/inet.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

enum { SEND_BYTES_A_SECOND = 16 << 10, SEND_LEAST_MS = 30000, RECEIVE_BYTES_A_SECOND = 64 << 10 };

/* ---- what came ---- */

static struct mln_str address_of(struct mln_arena *arena, struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    char text[INET6_ADDRSTRLEN] = "";
    if (info && info->client_addr->sa_family == AF_INET)
        inet_ntop(AF_INET, &((const struct sockaddr_in *)(const void *)info->client_addr)->sin_addr, text, sizeof text);
    else if (info && info->client_addr->sa_family == AF_INET6)
        inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)(const void *)info->client_addr)->sin6_addr, text,
                  sizeof text);
    struct mln_str address = mln_str_c(text);
    if (mln_str_starts(address, MLN_S("::ffff:")))
        address = mln_str_sub(address, 7, address.n);
    return mln_str_dup(arena, address);
}

static struct mln_str certificate_of(struct mln_arena *arena, struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    unsigned n = 0;
    const gnutls_datum_t *chain =
        info && info->tls_session ? gnutls_certificate_get_peers(info->tls_session, &n) : NULL;
    if (!chain || !n)
        return (struct mln_str){0};
    return mln_str_dup(arena, (struct mln_str){(const char *)chain[0].data, chain[0].size});
}

/* Whether the header came before and is one of which two would be two readings of one request. */
static bool is_second(const struct mln_exchange *x, struct mln_str name)
{
    static const char *const once[] = {"host", "content-length", "authorization"};
    bool single = false, seen = false;
    for (size_t i = 0; i < sizeof once / sizeof *once; i++)
        single |= mln_str_eq(name, mln_str_c(once[i]));
    for (size_t i = 0; single && i < x->raw.n_headers; i++)
        seen |= mln_str_eq(name, x->headers[i].name);
    return seen;
}

static enum MHD_Result take_header(void *context, enum MHD_ValueKind kind, const char *name, const char *value)
{
    (void)kind;
    struct mln_exchange *x = context;
    if (x->raw.n_headers == MLN_MAX_HEADERS) {
        x->bad_headers = true;
        return MHD_NO;
    }
    struct mln_pair *pair = &x->headers[x->raw.n_headers];
    pair->name = mln_str_lower(x->arena, mln_str_c(name));
    pair->value = mln_str_dup(x->arena, mln_str_trim(mln_str_c(value)));
    x->bad_headers |= !pair->name.p || !pair->value.p || !mln_str_is_utf8(pair->value);
    x->bad_headers |= is_second(x, pair->name);
    x->raw.n_headers++;
    return MHD_YES;
}

static void exchange_free(struct mln_exchange *x)
{
    if (!x)
        return;
    atomic_fetch_sub(&x->server->body_bytes, x->held_bytes);
    atomic_fetch_sub(&x->server->running, x->counted);
    mln_buf_free(&x->body);
    mln_buf_free(&x->reply.body);
    mln_arena_free(x->arena);
    free(x);
}

void *mln_exchange_new(void *context, const char *uri, struct MHD_Connection *connection)
{
    struct mln_exchange *x = calloc(1, sizeof *x);
    struct mln_arena *arena = mln_arena_new(MLN_API_ARENA_BYTES);
    if (!x || !arena) {
        free(x);
        mln_arena_free(arena);
        return NULL;
    }
    x->server = context;
    x->connection = connection;
    x->arena = arena;
    /* The path must reach us as sent: it is split before it is decoded. */
    x->raw.target = mln_str_dup(arena, mln_str_c(uri));
    return x;
}

/* ---- what goes ---- */

static enum MHD_Result add_headers(struct mln_exchange *x, struct MHD_Response *response)
{
    struct mln_reply_header common[8];
    size_t n = mln_api_common_headers(&x->request, common);
    enum MHD_Result ok = MHD_YES;
    for (size_t i = 0; i < n; i++)
        ok &= MHD_add_response_header(response, common[i].name, common[i].value);
    bool cached = false;
    for (size_t i = 0; i < x->reply.n_headers; i++) {
        ok &= MHD_add_response_header(response, x->reply.headers[i].name, x->reply.headers[i].value);
        cached |= !strcmp(x->reply.headers[i].name, MHD_HTTP_HEADER_CACHE_CONTROL);
    }
    if (!cached)
        ok &= MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    if (x->last || atomic_load(&x->server->draining))
        ok &= MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
    if (x->reply.content_type)
        ok &= MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, x->reply.content_type);
    return ok;
}

static enum MHD_Result answer(struct mln_exchange *x)
{
    struct mln_reply *reply = &x->reply;
    struct MHD_Response *response;
    size_t size = reply->fixed_body.p ? reply->fixed_body.n : reply->body.n;
    if (reply->fixed_body.p) {
        response =
            MHD_create_response_from_buffer(size, (void *)(uintptr_t)reply->fixed_body.p, MHD_RESPMEM_PERSISTENT);
    } else {
        response = MHD_create_response_from_buffer(size, reply->body.p, MHD_RESPMEM_MUST_FREE);
        if (response)
            reply->body = (struct mln_buf){0};
    }
    if (!response)
        return MHD_NO;
    enum MHD_Result ok = add_headers(x, response);
    if (ok)
        ok = MHD_queue_response(x->connection, (unsigned)reply->status, response);
    MHD_destroy_response(response);
    mln_peers_allow(x->server->peers, x->peer, SEND_LEAST_MS + (int64_t)(size / SEND_BYTES_A_SECOND) * 1000);
    return ok;
}

static void log_outcome(const struct mln_exchange *x)
{
    const struct mln_request *r = &x->request;
    if (x->reply.status >= 500 && r->failure != MLN_E_OK)
        mln_log(ERROR, "%.*s %.*s: %d: %s (request %.*s)", MLN_FMT(x->raw.method),
                MLN_FMT(mln_str_sub(r->target, 0, 300)), x->reply.status, mln_error_text(), MLN_FMT(r->request_id));
    if (r->unrecorded_code != MLN_E_OK)
        mln_log(ERROR, "%.*s %.*s: the activity entry could not be written: %s (request %.*s)", MLN_FMT(x->raw.method),
                MLN_FMT(mln_str_sub(r->target, 0, 300)), mln_code_doc(r->unrecorded_code), MLN_FMT(r->request_id));
    mln_log(DEBUG, "%.*s %.*s %.*s %d", MLN_FMT(r->address), MLN_FMT(x->raw.method),
            MLN_FMT(mln_str_sub(r->target, 0, 300)), x->reply.status);
}

/* ---- the steps ---- */

static bool read_line(struct mln_exchange *x, const char *method)
{
    union MHD_ConnectionInfo const *info = MHD_get_connection_info(x->connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    x->peer = info ? info->socket_context : NULL;
    x->raw.method = mln_str_dup(x->arena, mln_str_c(method));
    x->raw.headers = x->headers;
    x->raw.address = address_of(x->arena, x->connection);
    x->raw.client_certificate = certificate_of(x->arena, x->connection);
    MHD_get_connection_values(x->connection, MHD_HEADER_KIND, take_header, x);
    /* What even an answer without a judgement needs. */
    x->request.arena = x->arena;
    x->reply.body = MLN_BUF(MLN_MAX_REPLY_BYTES);
    return x->peer && x->raw.target.p && x->raw.method.p && x->raw.address.p;
}

/* The body's size as announced. Chunked bodies are refused: no client of this API sends them, and two ways to say a
   body's length are one too many. */
static struct mln_result announced(struct mln_exchange *x, uint64_t *size)
{
    struct mln_str length = mln_request_header(&x->request, "content-length");
    *size = 0;
    if (mln_request_header(&x->request, "transfer-encoding").p)
        return mln_fail(MLN_E_INVALID, "A Content-Length is required; transfer encodings are not taken.");
    return length.p ? mln_str_to_u64(length, size) : MLN_OK;
}

static void refuse(struct mln_exchange *x, struct mln_result failure)
{
    if (!mln_ok(mln_reply_failure(&x->reply, failure)))
        mln_reply_empty(&x->reply, mln_code_http(failure.code));
}

/* Judges line and headers. False: the reply is the answer, and nothing more of the request is read. */
static bool judge(struct mln_exchange *x)
{
    struct mln_server *server = x->server;
    size_t most = 0;
    atomic_fetch_add(&server->requests, 1);
    bool wanted = mln_api_begin(server->api, &x->raw, x->arena, &x->request, &x->reply, &most);
    struct mln_result r = x->bad_headers
                              ? mln_fail(MLN_E_INVALID,
                                         "The headers cannot be taken: more than %d, one that is not UTF-8, or Host, "
                                         "Content-Length or Authorization twice.",
                                         MLN_MAX_HEADERS)
                              : announced(x, &x->announced_bytes);
    x->no_body = mln_ok(r) && x->announced_bytes == 0;
    x->last = !mln_ok(r); /* where this request ends is a matter of opinion */
    if (!mln_ok(r)) {
        refuse(x, r);
        return false;
    }
    if (!wanted)
        return false;
    if (x->announced_bytes > most) {
        mln_api_too_large(&x->request, &x->reply, most);
        return false;
    }
    x->body = MLN_BUF_SECRET(most); /* it may hold passwords */
    return true;
}

/* Hands the exchange to a worker. */
static enum MHD_Result submit(struct mln_exchange *x, enum mln_exchange_step step)
{
    struct mln_server *server = x->server;
    mln_peers_allow(server->peers, x->peer, 0);
    x->step = step;
    MHD_suspend_connection(x->connection);
    atomic_fetch_add(&server->running, !x->counted);
    x->counted = true;
    struct mln_result r = mln_queue_push(server->work, x);
    if (mln_ok(r))
        return MHD_YES;
    atomic_fetch_add(&server->refused_busy, 1);
    refuse(x, mln_fail(MLN_E_BUSY, "Too many requests wait to be worked on."));
    x->step = MLN_STEP_ANSWER;
    MHD_resume_connection(x->connection);
    return MHD_YES;
}

void mln_exchange_work(struct mln_exchange *x)
{
    struct mln_server *server = x->server;
    bool wanted = x->step == MLN_STEP_WORK || judge(x);
    if (wanted && x->step == MLN_STEP_JUDGE && !x->no_body) {
        x->step = MLN_STEP_BODY;
        mln_peers_allow(server->peers, x->peer,
                        server->receive_ms + (int64_t)(x->announced_bytes / RECEIVE_BYTES_A_SECOND) * 1000);
    } else {
        if (wanted)
            mln_api_finish(&x->request, mln_buf_str(&x->body), &x->reply);
        log_outcome(x);
        x->step = MLN_STEP_ANSWER;
    }
    MHD_resume_connection(x->connection); /* x may be gone from here on */
}

/* Lets go of what has come of the body; the rest of it is read and thrown away. */
static void drop_body(struct mln_exchange *x)
{
    x->dropped = true;
    mln_buf_free(&x->body);
    atomic_fetch_sub(&x->server->body_bytes, x->held_bytes);
    x->held_bytes = 0;
}

static enum MHD_Result take_body(struct mln_exchange *x, const char *upload, size_t *size)
{
    struct mln_str part = {upload, *size};
    *size = 0;
    if (x->dropped)
        return MHD_YES;
    x->held_bytes += part.n;
    if (atomic_fetch_add(&x->server->body_bytes, part.n) + part.n > MLN_MAX_BODIES_BYTES) {
        drop_body(x);
        return MHD_YES;
    }
    return mln_ok(mln_buf_append(&x->body, part)) ? MHD_YES : MHD_NO; /* more than was announced: not HTTP any more */
}

static enum MHD_Result end_body(struct mln_exchange *x)
{
    if (!x->dropped)
        return submit(x, MLN_STEP_WORK);
    refuse(x, mln_fail(MLN_E_BUSY, "The server holds as many request bodies as it may."));
    x->step = MLN_STEP_ANSWER;
    return answer(x);
}

/* The call after a judgement is libmicrohttpd's first one again: an answer given in it ends the connection, because a body
   may be on its way; without one the answer waits for the last call, and the connection can go on. */
static enum MHD_Result after_judging(struct mln_exchange *x)
{
    x->judged = true;
    return x->step == MLN_STEP_ANSWER && !x->no_body ? answer(x) : MHD_YES;
}

enum MHD_Result mln_exchange_step(void *context, struct MHD_Connection *connection, const char *url, const char *method,
                                  const char *version, const char *upload, size_t *upload_size, void **exchange)
{
    (void)context, (void)connection, (void)url, (void)version;
    struct mln_exchange *x = *exchange;
    if (!x)
        return MHD_NO;
    switch (x->step) {
    case MLN_STEP_LINE:
        return read_line(x, method) ? submit(x, MLN_STEP_JUDGE) : MHD_NO;
    case MLN_STEP_JUDGE:
    case MLN_STEP_WORK:
        return MHD_YES;
    case MLN_STEP_BODY:
        if (!x->judged)
            return after_judging(x);
        return *upload_size ? take_body(x, upload, upload_size) : end_body(x);
    case MLN_STEP_ANSWER:
        return x->judged ? answer(x) : after_judging(x);
    }
    return MHD_NO;
}

void mln_exchange_done(void *context, struct MHD_Connection *connection, void **exchange,
                       enum MHD_RequestTerminationCode why)
{
    (void)connection;
    struct mln_server *server = context;
    struct mln_exchange *x = *exchange;
    if (x && x->peer && why == MHD_REQUEST_TERMINATED_COMPLETED_OK)
        mln_peers_allow(server->peers, x->peer, server->idle_ms);
    exchange_free(x);
    *exchange = NULL;
}
