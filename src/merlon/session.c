#include "merlon/session.h"

#include "base/time.h"
#include "connect/http.h"
#include "crypto/cert.h"
#include "crypto/jwt.h"
#include "merlon/input.h"
#include "merlon/output.h"
#include "model/arm_id.h"
#include "os/file.h"
#include "json/fields.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/file.h>
#include <unistd.h>

enum {
    SESSION_BYTES = 256 << 10,
    ANSWER_BYTES = 64 << 20,
    SECRET_BYTES = 4096,
    PATH_BYTES = 8192, /* what the client takes as a URL */
    MARGIN_MS = 60000, /* a token that ends within a minute is renewed first */
    DEVICE_POLL_MS = 5000,
    TRIES = 3,
};

#define CLIENT_ID "merlon"
#define SESSION_FILE "session.json"
#define LOCK_FILE "session.lock"

/* What is kept. */
#define SESSION_FIELDS(F)                                                                                              \
    F(struct mln_str, server, STR, REQUIRED, "the server's address")                                                   \
    F(struct mln_str, ca, STR, OPTIONAL, "PEM of the authority that is trusted")                                       \
    F(struct mln_str, name, STR, REQUIRED, "who is signed in")                                                         \
    F(struct mln_str, access_token, STR, REQUIRED, "bearer token")                                                     \
    F(int64_t, expires, TIME, REQUIRED, "when the bearer token ends")                                                  \
    F(struct mln_str, refresh_token, STR, OPTIONAL, "renews it; users only")

struct kept {
#define F(ctype, name, kind, need, doc) ctype name;
    SESSION_FIELDS(F)
#undef F
};

static const struct mln_field kept_fields[] = {
#define F(ctype, name, kind, need, doc) MLN_FIELD(struct kept, name, #name, kind, need, NULL, doc),
    SESSION_FIELDS(F)
#undef F
};
enum { KEPT_FIELDS = sizeof kept_fields / sizeof *kept_fields };

struct mln_session {
    struct mln_invocation *invocation;
    struct mln_http *http;
    struct kept kept;
};

/* ---- the file ---- */

static struct mln_result session_directory(struct mln_arena *arena, struct mln_str *out)
{
    const char *own = getenv("MERLON_CONFIG_DIR"), *xdg = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
    if (own && *own)
        MLN_TRY_STR(arena, *out, mln_str_dup(arena, mln_str_c(own)));
    else if (xdg && *xdg)
        MLN_TRY_STR(arena, *out, mln_str_printf(arena, "%s/merlon", xdg));
    else if (home && *home)
        MLN_TRY_STR(arena, *out, mln_str_printf(arena, "%s/.config/merlon", home));
    else
        return mln_fail(MLN_E_INVALID, "no place to keep the sign-in: set HOME or MERLON_CONFIG_DIR");
    return MLN_OK;
}

static struct mln_result session_path(struct mln_arena *arena, const char *name, const char **out)
{
    struct mln_str directory, path;
    MLN_TRY(session_directory(arena, &directory));
    MLN_TRY_STR(arena, path, mln_str_printf(arena, "%.*s/%s", MLN_FMT(directory), name));
    *out = path.p;
    return MLN_OK;
}

static struct mln_result save(struct mln_arena *arena, const struct kept *kept)
{
    struct mln_str directory;
    const char *path;
    MLN_BUF_CLEANUP struct mln_buf text = MLN_BUF_SECRET(SESSION_BYTES);
    struct mln_json_writer w = mln_json_writer(&text);
    mln_json_begin_object(&w);
    mln_json_put_fields(&w, kept_fields, KEPT_FIELDS, kept);
    mln_json_end_object(&w);
    MLN_TRY(mln_json_writer_end(&w));
    MLN_TRY(session_directory(arena, &directory));
    if (access(directory.p, F_OK) != 0) /* one that is there keeps its mode: it may be anything */
        MLN_TRY(mln_dir_ensure(directory.p, 0700));
    MLN_TRY(session_path(arena, SESSION_FILE, &path));
    return mln_file_write(path, mln_buf_str(&text), 0600);
}

static struct mln_result load(struct mln_arena *arena, struct kept *out)
{
    const char *path;
    const struct mln_json *json;
    MLN_BUF_CLEANUP struct mln_buf text = MLN_BUF_SECRET(SESSION_BYTES);
    MLN_TRY(session_path(arena, SESSION_FILE, &path));
    struct mln_result r = mln_file_read(path, 0, &text);
    if (r.code == MLN_E_NOT_FOUND)
        return mln_fail(MLN_E_UNAUTHENTICATED, "nobody is signed in; 'merlon login' does it");
    MLN_TRY(r);
    *out = (struct kept){0};
    r = mln_json_parse(arena, mln_buf_str(&text), SESSION_BYTES, &json);
    if (mln_ok(r))
        r = mln_json_read_fields(json, kept_fields, KEPT_FIELDS, MLN_JSON_UNKNOWN_IGNORED, out);
    return mln_ok(r) ? r : mln_fail_at(r, "%s: sign in again with 'merlon login'", path);
}

/* ---- requests ---- */

static struct mln_result open_http(struct mln_str ca_pem, struct mln_str ca_sha256, struct mln_http **out)
{
    const struct mln_http_setup setup = {.ca_pem = ca_pem,
                                         .ca_sha256 = ca_sha256,
                                         .max_answer_bytes = ANSWER_BYTES,
                                         .user_agent = MLN_S("merlon/" MLN_VERSION)};
    return mln_http_open(&setup, out);
}

/* A failure in the server's own words, from ARM's or OAuth's form of an error. */
static struct mln_result server_failure(int status, const struct mln_json *body)
{
    struct mln_str message = mln_json_str(mln_json_path(body, "error.message"), MLN_S(""));
    struct mln_str code = mln_json_str(mln_json_path(body, "error.code"), MLN_S(""));
    if (!message.n)
        message = mln_json_str(mln_json_get(body, MLN_S("error_description")), MLN_S("the server gave no reason"));
    enum mln_code failure = status == 404   ? MLN_E_NOT_FOUND
                            : status == 401 ? MLN_E_UNAUTHENTICATED
                            : status == 403 ? MLN_E_FORBIDDEN
                            : status == 409 ? MLN_E_CONFLICT
                            : status == 429 ? MLN_E_TOO_MANY
                            : status == 503 ? MLN_E_BUSY
                                            : MLN_E_INVALID;
    if (code.n)
        return mln_fail(failure, "(%.*s) %.*s", MLN_FMT(code), MLN_FMT(mln_str_sub(message, 0, 400)));
    return mln_fail(failure, "%.*s (status %d)", MLN_FMT(mln_str_sub(message, 0, 400)), status);
}

/* Sends, again where the server is busy, and parses the answer. No answer at all is a matter of the server's reach. */
static struct mln_result exchange(struct mln_http *http, struct mln_invocation *in,
                                  const struct mln_http_request *request, int *status, const struct mln_json **body)
{
    *body = NULL;
    for (int attempt = 1;; attempt++) {
        struct mln_http_answer answer;
        struct mln_result r = mln_http_do(http, request, &answer);
        if (!mln_ok(r) && r.code != MLN_E_INVALID && r.code != MLN_E_LIMIT)
            in->failed_with = MLN_EXIT_UNREACHABLE;
        bool again = mln_ok(r) && (answer.status == 429 || answer.status == 503) && attempt < TRIES;
        int64_t wait_ms =
            mln_ok(r) && answer.retry_after_ms >= 0 && answer.retry_after_ms < 30000 ? answer.retry_after_ms : 1000;
        if (mln_ok(r) && !again) {
            *status = answer.status;
            struct mln_str text = mln_str_trim(mln_buf_str(&answer.body));
            if (text.n && text.p[0] != '<')
                r = mln_json_parse(in->arena, text, ANSWER_BYTES, body);
        }
        mln_http_answer_free(&answer);
        if (!again)
            return r;
        usleep((useconds_t)wait_ms * 1000);
    }
}

/* Appends a value with all but unreserved characters (RFC 3986, 2.3) in percent form; those of also stay too. */
static struct mln_result escape(struct mln_buf *out, struct mln_str value, const char *also)
{
    for (size_t i = 0; i < value.n; i++) {
        unsigned char c = (unsigned char)value.p[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     (c && (strchr("-._~", c) || strchr(also, c)));
        MLN_TRY(plain ? mln_buf_byte(out, (char)c) : mln_buf_printf(out, "%%%02X", c));
    }
    return MLN_OK;
}

static struct mln_result form_add(struct mln_buf *form, const char *name, struct mln_str value)
{
    MLN_TRY(mln_buf_printf(form, "%s%s=", form->n ? "&" : "", name));
    return escape(form, value, "");
}

static struct mln_result post_form(struct mln_http *http, struct mln_invocation *in, struct mln_str server,
                                   const char *path, const struct mln_buf *form, int *status,
                                   const struct mln_json **body)
{
    static const struct mln_http_header headers[] = {{{"Content-Type", 12}, {"application/x-www-form-urlencoded", 33}},
                                                     {{"Accept", 6}, {"application/json", 16}}};
    struct mln_http_request request = {
        .method = MLN_S("POST"), .headers = headers, .n_headers = 2, .body = mln_buf_str(form)};
    MLN_TRY_STR(in->arena, request.url, mln_str_printf(in->arena, "%.*s%s", MLN_FMT(server), path));
    return exchange(http, in, &request, status, body);
}

/* Takes tokens out of an answer of the token endpoint. */
static struct mln_result take_tokens(int status, const struct mln_json *body, struct kept *kept)
{
    if (status != 200)
        return server_failure(status, body);
    kept->access_token = mln_json_str(mln_json_get(body, MLN_S("access_token")), MLN_S(""));
    kept->expires = mln_now_ms(&mln_system_clock) + mln_json_i64(mln_json_get(body, MLN_S("expires_in")), 0) * 1000;
    struct mln_str refresh = mln_json_str(mln_json_get(body, MLN_S("refresh_token")), (struct mln_str){NULL, 0});
    if (refresh.p)
        kept->refresh_token = refresh;
    return kept->access_token.n ? MLN_OK : mln_fail(MLN_E_INVALID, "the server's answer has no token");
}

/* ---- signing in ---- */

/* Who a token is for, for people: read, not verified. */
static struct mln_str name_in(struct mln_arena *arena, struct mln_str token)
{
    static const char *const claims[] = {"unique_name", "upn", "preferred_username", "appid", "sub"};
    struct mln_jwt jwt;
    const struct mln_json *payload;
    if (!mln_ok(mln_jwt_decode(token, arena, &jwt)) ||
        !mln_ok(mln_json_parse(arena, jwt.payload, MLN_JWT_MAX_BYTES, &payload)))
        return MLN_S("");
    for (size_t i = 0; i < sizeof claims / sizeof *claims; i++) {
        struct mln_str name = mln_json_str(mln_json_get(payload, mln_str_c(claims[i])), MLN_S(""));
        if (name.n)
            return name;
    }
    return MLN_S("");
}

/* Asks until the user has answered elsewhere; as often as the server wants to be asked (RFC 8628, 3.5). */
static struct mln_result poll_device(struct mln_invocation *in, struct mln_http *http, const struct kept *kept,
                                     const struct mln_buf *form, int64_t wait_ms, int *status,
                                     const struct mln_json **body)
{
    for (;;) {
        usleep((useconds_t)wait_ms * 1000);
        MLN_TRY(post_form(http, in, kept->server, "/adfs/oauth2/token", form, status, body));
        struct mln_str error = mln_json_str(mln_json_get(*body, MLN_S("error")), MLN_S(""));
        if (mln_str_eq(error, MLN_S("slow_down")))
            wait_ms += DEVICE_POLL_MS;
        else if (!mln_str_eq(error, MLN_S("authorization_pending")))
            return MLN_OK;
    }
}

static struct mln_result device_login(struct mln_invocation *in, struct mln_http *http, struct kept *kept)
{
    const struct mln_json *body;
    int status;
    MLN_BUF_CLEANUP struct mln_buf form = MLN_BUF_SECRET(SECRET_BYTES);
    MLN_TRY(form_add(&form, "client_id", MLN_S(CLIENT_ID)));
    MLN_TRY(post_form(http, in, kept->server, "/adfs/oauth2/devicecode", &form, &status, &body));
    if (status != 200)
        return server_failure(status, body);
    MLN_TRY(mln_output_say(in, "%.*s\n", MLN_FMT(mln_json_str(mln_json_get(body, MLN_S("message")), MLN_S("")))));
    MLN_TRY(form_add(&form, "grant_type", MLN_S("urn:ietf:params:oauth:grant-type:device_code")));
    MLN_TRY(form_add(&form, "device_code", mln_json_str(mln_json_get(body, MLN_S("device_code")), MLN_S(""))));
    int64_t seconds = mln_json_i64(mln_json_get(body, MLN_S("interval")), 0);
    MLN_TRY(poll_device(in, http, kept, &form, seconds < 1 || seconds > 60 ? DEVICE_POLL_MS : seconds * 1000, &status,
                        &body));
    MLN_TRY(take_tokens(status, body, kept));
    kept->name = name_in(in->arena, kept->access_token);
    return MLN_OK;
}

static struct mln_result secret_login(struct mln_invocation *in, struct mln_http *http, const struct mln_login *login,
                                      struct kept *kept)
{
    const struct mln_json *body;
    int status;
    bool user = login->user.p != NULL;
    MLN_BUF_CLEANUP struct mln_buf form = MLN_BUF_SECRET(4 * SECRET_BYTES);
    MLN_BUF_CLEANUP struct mln_buf secret = MLN_BUF_SECRET(SECRET_BYTES);
    MLN_TRY(mln_input_secret(in, login->secret_file, user ? "password" : "secret", &secret));
    MLN_TRY(form_add(&form, "grant_type", user ? MLN_S("password") : MLN_S("client_credentials")));
    MLN_TRY(form_add(&form, "client_id", user ? MLN_S(CLIENT_ID) : login->service_principal));
    if (user)
        MLN_TRY(form_add(&form, "username", login->user));
    MLN_TRY(form_add(&form, user ? "password" : "client_secret", mln_buf_str(&secret)));
    MLN_TRY(post_form(http, in, kept->server, "/adfs/oauth2/token", &form, &status, &body));
    kept->name = user ? login->user : login->service_principal;
    return take_tokens(status, body, kept);
}

/* --server or MERLON_SERVER, without a slash at the end. */
static struct mln_result server_option(struct mln_invocation *in, struct mln_str *out)
{
    *out = mln_option_value(in, "server");
    if (!out->p)
        *out = mln_str_c(getenv("MERLON_SERVER"));
    while (mln_str_ends(*out, MLN_S("/")))
        out->n--;
    if (out->n && !mln_str_starts_nocase(*out, MLN_S("https://")))
        return mln_misuse(in, "the server's address must begin with https://");
    return MLN_OK;
}

static struct mln_result ca_option(const struct mln_invocation *in, struct mln_str *pem)
{
    struct mln_str path = mln_option_value(in, "ca");
    *pem = (struct mln_str){NULL, 0};
    if (!path.p)
        path = mln_str_c(getenv("MERLON_CA"));
    if (!path.n)
        return MLN_OK;
    MLN_BUF_CLEANUP struct mln_buf text = MLN_BUF(SESSION_BYTES / 2);
    const char *z = mln_str_z(in->arena, path);
    struct mln_result r = z ? mln_file_read(z, 0, &text) : mln_arena_failure(in->arena);
    if (!mln_ok(r))
        return mln_fail_at(r, "--ca");
    MLN_TRY_STR(in->arena, *pem, mln_str_dup(in->arena, mln_buf_str(&text)));
    return MLN_OK;
}

struct mln_result mln_session_login(struct mln_invocation *in, const struct mln_login *login, struct mln_str *name)
{
    struct kept kept = {0};
    MLN_CLEANUP(mln_http_close) struct mln_http *http = NULL;
    MLN_TRY(server_option(in, &kept.server));
    if (!kept.server.n)
        return mln_misuse(in, "which server? --server https://HOST:PORT");
    if (login->ca_sha256.p && mln_option_given(in, "ca"))
        return mln_misuse(in, "--ca and --ca-fingerprint do not go together");
    MLN_TRY(ca_option(in, &kept.ca));
    MLN_TRY(open_http(kept.ca, login->ca_sha256, &http));
    MLN_TRY(login->device_code ? device_login(in, http, &kept) : secret_login(in, http, login, &kept));
    if (login->ca_sha256.p)
        MLN_TRY_STR(in->arena, kept.ca, mln_str_dup(in->arena, mln_http_pinned_ca(http)));
    *name = kept.name;
    return save(in->arena, &kept);
}

struct mln_result mln_session_logout(struct mln_invocation *in, struct mln_str *name)
{
    const char *path;
    struct kept kept;
    MLN_TRY(session_path(in->arena, SESSION_FILE, &path));
    *name = mln_ok(load(in->arena, &kept)) ? kept.name : MLN_S("");
    if (unlink(path) == 0)
        return MLN_OK;
    return errno == ENOENT ? mln_fail(MLN_E_NOT_FOUND, "nobody was signed in") : mln_fail_errno(errno, "%s", path);
}

/* ---- the kept session ---- */

static bool ends_soon(const struct kept *kept)
{
    return kept->expires - mln_now_ms(&mln_system_clock) < MARGIN_MS;
}

/* One renewal at a time: a refresh token is good once, so whoever waited takes what the one before it got. */
static struct mln_result lock_session(struct mln_arena *arena, int *fd)
{
    const char *path;
    MLN_TRY(session_path(arena, LOCK_FILE, &path));
    *fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (*fd < 0 || flock(*fd, LOCK_EX) != 0)
        return mln_fail_errno(errno, "%s", path);
    return MLN_OK;
}

static struct mln_result renew(struct mln_session *session)
{
    const struct mln_json *body;
    struct mln_invocation *in = session->invocation;
    int status;
    MLN_FD_CLEANUP int lock = -1;
    MLN_BUF_CLEANUP struct mln_buf form = MLN_BUF_SECRET(4 * SECRET_BYTES);
    MLN_TRY(lock_session(in->arena, &lock));
    MLN_TRY(load(in->arena, &session->kept));
    if (!ends_soon(&session->kept))
        return MLN_OK;
    if (!session->kept.refresh_token.n)
        return mln_fail(MLN_E_UNAUTHENTICATED, "the sign-in of %.*s has ended; 'merlon login' renews it",
                        MLN_FMT(session->kept.name));
    MLN_TRY(form_add(&form, "grant_type", MLN_S("refresh_token")));
    MLN_TRY(form_add(&form, "client_id", MLN_S(CLIENT_ID)));
    MLN_TRY(form_add(&form, "refresh_token", session->kept.refresh_token));
    MLN_TRY(post_form(session->http, in, session->kept.server, "/adfs/oauth2/token", &form, &status, &body));
    if (status == 400 || status == 401)
        return mln_fail(MLN_E_UNAUTHENTICATED, "the sign-in of %.*s has ended; 'merlon login' renews it",
                        MLN_FMT(session->kept.name));
    MLN_TRY(take_tokens(status, body, &session->kept));
    return save(in->arena, &session->kept);
}

struct mln_result mln_session_open(struct mln_invocation *in, struct mln_session **out)
{
    struct mln_str server, ca;
    MLN_CLEANUP(mln_session_close) struct mln_session *session = calloc(1, sizeof *session);
    if (!session)
        return mln_fail(MLN_E_MEMORY, "no memory for a session");
    session->invocation = in;
    MLN_TRY(load(in->arena, &session->kept));
    MLN_TRY(server_option(in, &server));
    MLN_TRY(ca_option(in, &ca));
    if (server.n && !mln_str_eq(server, session->kept.server))
        return mln_fail(MLN_E_UNAUTHENTICATED, "signed in to %.*s, not to %.*s; 'merlon login --server' changes that",
                        MLN_FMT(session->kept.server), MLN_FMT(server));
    MLN_TRY(open_http(ca.p ? ca : session->kept.ca, (struct mln_str){NULL, 0}, &session->http));
    if (ends_soon(&session->kept))
        MLN_TRY(renew(session));
    *out = MLN_TAKE(session);
    return MLN_OK;
}

void mln_session_close(struct mln_session *session)
{
    if (!session)
        return;
    mln_http_close(session->http);
    free(session);
}

struct mln_result mln_session_ca_fingerprint(const struct mln_session *session, char out[MLN_SHA256_HEX])
{
    MLN_CLEANUP(mln_cert_free) struct mln_cert *cert = NULL;
    struct mln_cert_info info;
    out[0] = 0;
    if (!session->kept.ca.n)
        return MLN_OK;
    MLN_TRY(mln_cert_from_pem(session->kept.ca, &cert));
    MLN_TRY(mln_cert_describe(cert, session->invocation->arena, &info));
    mln_hex_encode(mln_sha256_str(&info.sha256), out);
    return MLN_OK;
}

struct mln_str mln_session_server(const struct mln_session *session)
{
    return session->kept.server;
}

struct mln_arena *mln_session_arena(const struct mln_session *session)
{
    return session->invocation->arena;
}

struct mln_str mln_session_user(const struct mln_session *session)
{
    return session->kept.name;
}

static struct mln_result call_url(struct mln_session *session, const char *method, struct mln_str url,
                                  struct mln_str body, const struct mln_json **answer)
{
    struct mln_arena *arena = session->invocation->arena;
    struct mln_http_header headers[4] = {{MLN_S("Accept"), MLN_S("application/json")}};
    int status = 0;
    MLN_TRY_STR(arena, headers[1].value, mln_str_printf(arena, "Bearer %.*s", MLN_FMT(session->kept.access_token)));
    headers[1].name = MLN_S("Authorization");
    headers[2].name = MLN_S("CommandName");
    MLN_TRY_STR(arena, headers[2].value, mln_str_printf(arena, "merlon %s", session->invocation->command->words));
    headers[3] = (struct mln_http_header){MLN_S("Content-Type"), MLN_S("application/json")};
    const struct mln_http_request request = {
        .method = mln_str_c(method), .url = url, .headers = headers, .n_headers = body.p ? 4 : 3, .body = body};
    MLN_TRY(exchange(session->http, session->invocation, &request, &status, answer));
    return status >= 400 ? server_failure(status, *answer) : MLN_OK;
}

struct mln_result mln_session_call(struct mln_session *session, const char *method, struct mln_str path,
                                   struct mln_str body, const struct mln_json **answer)
{
    struct mln_str url;
    MLN_TRY_STR(session->invocation->arena, url,
                mln_str_printf(session->invocation->arena, "%.*s%.*s", MLN_FMT(session->kept.server), MLN_FMT(path)));
    return call_url(session, method, url, body, answer);
}

struct mln_result mln_session_get(struct mln_session *session, struct mln_str path, const struct mln_json **answer)
{
    return mln_session_call(session, "GET", path, (struct mln_str){NULL, 0}, answer);
}

struct mln_result mln_session_list(struct mln_session *session, struct mln_str path, struct mln_json *array)
{
    struct mln_json_array all = {0};
    const struct mln_json *page;
    MLN_TRY(mln_session_get(session, path, &page));
    for (;;) {
        const struct mln_json *value = mln_json_get(page, MLN_S("value"));
        for (uint32_t i = 0; mln_json_is(value, MLN_JSON_ARRAY) && i < value->n; i++)
            MLN_TRY(mln_json_append(session->invocation->arena, &all, value->items[i]));
        struct mln_str next = mln_json_str(mln_json_get(page, MLN_S("nextLink")), MLN_S(""));
        if (!next.n)
            break;
        struct mln_str rest = mln_str_sub(next, session->kept.server.n, next.n);
        if (!mln_str_starts_nocase(next, session->kept.server) || !mln_str_starts(rest, MLN_S("/")))
            return mln_fail(MLN_E_INVALID, "the server sends on to another one, which is not followed");
        MLN_TRY(call_url(session, "GET", next, (struct mln_str){NULL, 0}, &page));
    }
    *array = mln_json_array_done(&all);
    return MLN_OK;
}

struct mln_result mln_session_subscription(struct mln_session *session, struct mln_str *scope)
{
    struct mln_arena *arena = session->invocation->arena;
    struct mln_str id = mln_option_value(session->invocation, "subscription");
    struct mln_json list;
    if (!id.p) {
        MLN_TRY(mln_session_list(session, MLN_S("/subscriptions?api-version=2019-11-01"), &list));
        if (list.n == 0)
            return mln_fail(MLN_E_NOT_FOUND, "there is no subscription that you may read");
        id = mln_json_str(mln_json_get(&list.items[0], MLN_S("subscriptionId")), MLN_S(""));
    }
    MLN_TRY(mln_session_escape(session, id, &id));
    MLN_TRY_STR(arena, *scope, mln_str_printf(arena, "/subscriptions/%.*s", MLN_FMT(id)));
    return MLN_OK;
}

struct mln_result mln_session_security_path(struct mln_session *session, struct mln_str scope, const char *version,
                                            struct mln_str *path, const char *format, ...)
{
    MLN_BUF_CLEANUP struct mln_buf rest = MLN_BUF(PATH_BYTES);
    va_list args;
    va_start(args, format);
    struct mln_result r = mln_buf_vprintf(&rest, format, args);
    va_end(args);
    MLN_TRY(r);
    MLN_TRY_STR(session->invocation->arena, *path,
                mln_str_printf(session->invocation->arena, "%.*s/providers/Microsoft.Security/%s%capi-version=%s",
                               MLN_FMT(scope), rest.p, strchr(rest.p, '?') ? '&' : '?', version));
    return MLN_OK;
}

struct mln_result mln_session_id_path(struct mln_session *session, struct mln_str id, const char *version,
                                      struct mln_str *path)
{
    MLN_BUF_CLEANUP struct mln_buf text = MLN_BUF(PATH_BYTES);
    struct mln_arm_id parsed;
    MLN_TRY(mln_arm_id_parse(id, &parsed));
    MLN_TRY(escape(&text, parsed.whole, "/"));
    MLN_TRY_STR(
        session->invocation->arena, *path,
        mln_str_printf(session->invocation->arena, "%.*s?api-version=%s", MLN_FMT(mln_buf_str(&text)), version));
    return MLN_OK;
}

struct mln_result mln_session_escape(struct mln_session *session, struct mln_str value, struct mln_str *out)
{
    MLN_BUF_CLEANUP struct mln_buf text = MLN_BUF(PATH_BYTES);
    MLN_TRY(escape(&text, value, ""));
    MLN_TRY_STR(session->invocation->arena, *out, mln_str_dup(session->invocation->arena, mln_buf_str(&text)));
    return MLN_OK;
}
