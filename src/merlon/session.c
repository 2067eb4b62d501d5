#include "merlon/session.h"

#include "base/time.h"
#include "connect/http.h"
#include "json/fields.h"
#include "merlon/output.h"
#include "os/file.h"

#include <stdarg.h>
#include <termios.h>
#include <unistd.h>

enum {
    SESSION_BYTES = 256 << 10,
    ANSWER_BYTES = 64 << 20,
    SECRET_BYTES = 4096,
    MARGIN_MS = 60000, /* a token that ends within a minute is renewed first */
    DEVICE_POLL_MS = 5000,
    TRIES = 3,
};

#define CLIENT_ID "merlon"

/* What is kept. */
#define SESSION_FIELDS(F)                                                                           \
    F(struct mln_str, server, STR, REQUIRED, "the server's address")                                \
    F(struct mln_str, ca, STR, OPTIONAL, "PEM of the authority that is trusted")                    \
    F(struct mln_str, name, STR, REQUIRED, "who is signed in")                                      \
    F(struct mln_str, access_token, STR, REQUIRED, "bearer token")                                  \
    F(int64_t, expires, TIME, REQUIRED, "when the bearer token ends")                               \
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

static struct mln_result session_path(struct mln_arena *arena, const char **out)
{
    struct mln_str directory, path;
    MLN_TRY(session_directory(arena, &directory));
    MLN_TRY_STR(arena, path, mln_str_printf(arena, "%.*s/session.json", MLN_FMT(directory)));
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
    MLN_TRY(mln_dir_ensure(directory.p, 0700));
    MLN_TRY(session_path(arena, &path));
    return mln_file_write(path, mln_buf_str(&text), 0600);
}

static struct mln_result load(struct mln_arena *arena, struct kept *out)
{
    const char *path;
    const struct mln_json *json;
    MLN_BUF_CLEANUP struct mln_buf text = MLN_BUF_SECRET(SESSION_BYTES);
    MLN_TRY(session_path(arena, &path));
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
    const struct mln_http_setup setup = {
        .ca_pem = ca_pem, .ca_sha256 = ca_sha256, .max_answer_bytes = ANSWER_BYTES, .user_agent = MLN_S("merlon/" MLN_VERSION)};
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

/* Sends, again where the server is busy, and parses the answer. */
static struct mln_result exchange(struct mln_http *http, struct mln_arena *arena, const struct mln_http_request *request,
                                  int *status, const struct mln_json **body)
{
    *body = NULL;
    for (int attempt = 1;; attempt++) {
        struct mln_http_answer answer;
        struct mln_result r = mln_http_do(http, request, &answer);
        bool again = mln_ok(r) && (answer.status == 429 || answer.status == 503) && attempt < TRIES;
        int64_t wait_ms = mln_ok(r) && answer.retry_after_ms >= 0 && answer.retry_after_ms < 30000 ? answer.retry_after_ms : 1000;
        if (mln_ok(r) && !again) {
            *status = answer.status;
            struct mln_str text = mln_str_trim(mln_buf_str(&answer.body));
            if (text.n && text.p[0] != '<')
                r = mln_json_parse(arena, text, ANSWER_BYTES, body);
        }
        mln_http_answer_free(&answer);
        if (!again)
            return r;
        usleep((useconds_t)wait_ms * 1000);
    }
}

static struct mln_result form_add(struct mln_buf *form, const char *name, struct mln_str value)
{
    MLN_TRY(mln_buf_printf(form, "%s%s=", form->n ? "&" : "", name));
    for (size_t i = 0; i < value.n; i++) {
        unsigned char c = (unsigned char)value.p[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || strchr("-._~", c);
        MLN_TRY(plain && c ? mln_buf_byte(form, (char)c) : mln_buf_printf(form, "%%%02X", c));
    }
    return MLN_OK;
}

static struct mln_result post_form(struct mln_http *http, struct mln_arena *arena, struct mln_str server, const char *path,
                                   const struct mln_buf *form, int *status, const struct mln_json **body)
{
    static const struct mln_http_header headers[] = {
        {{"Content-Type", 12}, {"application/x-www-form-urlencoded", 33}}, {{"Accept", 6}, {"application/json", 16}}};
    struct mln_http_request request = {.method = MLN_S("POST"), .headers = headers, .n_headers = 2, .body = mln_buf_str(form)};
    MLN_TRY_STR(arena, request.url, mln_str_printf(arena, "%.*s%s", MLN_FMT(server), path));
    return exchange(http, arena, &request, status, body);
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

static struct mln_result ask_secret(struct mln_invocation *in, const char *what, struct mln_buf *out)
{
    struct termios before, quiet;
    char line[1024];
    if (!isatty(STDIN_FILENO))
        return mln_fail(MLN_E_INVALID, "no terminal to ask for the %s on: use --secret-file FILE (- is standard input)", what);
    fprintf(in->err, "%c%s: ", what[0] & ~0x20, what + 1);
    fflush(in->err);
    tcgetattr(STDIN_FILENO, &before);
    quiet = before;
    quiet.c_lflag &= ~(tcflag_t)ECHO;
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
    char *got = fgets(line, sizeof line, stdin);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
    fprintf(in->err, "\n");
    struct mln_result r = got ? mln_buf_append(out, mln_str_trim(mln_str_c(line))) : mln_fail(MLN_E_INVALID, "nothing was typed");
    explicit_bzero(line, sizeof line);
    return r;
}

static struct mln_result read_secret(struct mln_invocation *in, struct mln_str file, const char *what, struct mln_buf *out)
{
    char line[SECRET_BYTES];
    if (!file.p)
        return ask_secret(in, what, out);
    const char *path = mln_str_z(in->arena, file);
    FILE *stream = mln_str_eq(file, MLN_S("-")) ? stdin : path ? fopen(path, "re") : NULL;
    if (!stream)
        return mln_fail(MLN_E_NOT_FOUND, "the file '%.*s' with the %s cannot be read", MLN_FMT(file), what);
    char *got = fgets(line, sizeof line, stream);
    if (stream != stdin)
        fclose(stream);
    struct mln_result r = got ? mln_buf_append(out, mln_str_trim(mln_str_c(line)))
                              : mln_fail(MLN_E_INVALID, "there is no %s in '%.*s'", what, MLN_FMT(file));
    explicit_bzero(line, sizeof line);
    return r;
}

static struct mln_result device_login(struct mln_invocation *in, struct mln_http *http, struct kept *kept)
{
    const struct mln_json *body;
    int status;
    MLN_BUF_CLEANUP struct mln_buf form = MLN_BUF_SECRET(SECRET_BYTES);
    MLN_TRY(form_add(&form, "client_id", MLN_S(CLIENT_ID)));
    MLN_TRY(post_form(http, in->arena, kept->server, "/adfs/oauth2/devicecode", &form, &status, &body));
    if (status != 200)
        return server_failure(status, body);
    struct mln_str code = mln_json_str(mln_json_get(body, MLN_S("device_code")), MLN_S("")), message;
    MLN_TRY(mln_output_clean(in, mln_json_str(mln_json_get(body, MLN_S("message")), MLN_S("")), &message));
    fprintf(in->err, "%.*s\n", MLN_FMT(message));
    MLN_TRY(form_add(&form, "grant_type", MLN_S("urn:ietf:params:oauth:grant-type:device_code")));
    MLN_TRY(form_add(&form, "device_code", code));
    int64_t wait_ms = mln_json_i64(mln_json_get(body, MLN_S("interval")), DEVICE_POLL_MS / 1000) * 1000;
    do {
        usleep((useconds_t)(wait_ms < 1000 || wait_ms > 60000 ? DEVICE_POLL_MS : wait_ms) * 1000);
        MLN_TRY(post_form(http, in->arena, kept->server, "/adfs/oauth2/token", &form, &status, &body));
    } while (status == 400 &&
             mln_str_eq(mln_json_str(mln_json_get(body, MLN_S("error")), MLN_S("")), MLN_S("authorization_pending")));
    kept->name = MLN_S("device code");
    return take_tokens(status, body, kept);
}

static struct mln_result secret_login(struct mln_invocation *in, struct mln_http *http, const struct mln_login *login,
                                      struct kept *kept)
{
    const struct mln_json *body;
    int status;
    bool user = login->user.p != NULL;
    MLN_BUF_CLEANUP struct mln_buf form = MLN_BUF_SECRET(4 * SECRET_BYTES);
    MLN_BUF_CLEANUP struct mln_buf secret = MLN_BUF_SECRET(SECRET_BYTES);
    MLN_TRY(read_secret(in, login->secret_file, user ? "password" : "secret", &secret));
    MLN_TRY(form_add(&form, "grant_type", user ? MLN_S("password") : MLN_S("client_credentials")));
    MLN_TRY(form_add(&form, "client_id", user ? MLN_S(CLIENT_ID) : login->service_principal));
    if (user)
        MLN_TRY(form_add(&form, "username", login->user));
    MLN_TRY(form_add(&form, user ? "password" : "client_secret", mln_buf_str(&secret)));
    MLN_TRY(post_form(http, in->arena, kept->server, "/adfs/oauth2/token", &form, &status, &body));
    kept->name = user ? login->user : login->service_principal;
    return take_tokens(status, body, kept);
}

/* --server or MERLON_SERVER, without a slash at the end. */
static struct mln_result server_option(const struct mln_invocation *in, struct mln_str *out)
{
    *out = mln_option_value(in, "server");
    if (!out->p)
        *out = mln_str_c(getenv("MERLON_SERVER"));
    while (mln_str_ends(*out, MLN_S("/")))
        out->n--;
    if (out->n && !mln_str_starts_nocase(*out, MLN_S("https://")))
        return mln_fail(MLN_E_INVALID, "the server's address must begin with https://");
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
        return mln_fail(MLN_E_INVALID, "which server? --server https://HOST:PORT");
    MLN_TRY(ca_option(in, &kept.ca));
    MLN_TRY(open_http(kept.ca, login->ca_sha256, &http));
    MLN_TRY(login->device_code ? device_login(in, http, &kept) : secret_login(in, http, login, &kept));
    if (login->ca_sha256.p)
        MLN_TRY_STR(in->arena, kept.ca, mln_str_dup(in->arena, mln_http_pinned_ca(http)));
    *name = kept.name;
    return save(in->arena, &kept);
}

struct mln_result mln_session_logout(struct mln_invocation *in)
{
    const char *path;
    MLN_TRY(session_path(in->arena, &path));
    return unlink(path) == 0 ? MLN_OK : mln_fail(MLN_E_NOT_FOUND, "nobody was signed in");
}

/* ---- the kept session ---- */

static struct mln_result renew(struct mln_session *session)
{
    const struct mln_json *body;
    int status;
    MLN_BUF_CLEANUP struct mln_buf form = MLN_BUF_SECRET(4 * SECRET_BYTES);
    if (!session->kept.refresh_token.n)
        return mln_fail(MLN_E_UNAUTHENTICATED, "the sign-in of %.*s has ended; 'merlon login' renews it",
                        MLN_FMT(session->kept.name));
    MLN_TRY(form_add(&form, "grant_type", MLN_S("refresh_token")));
    MLN_TRY(form_add(&form, "client_id", MLN_S(CLIENT_ID)));
    MLN_TRY(form_add(&form, "refresh_token", session->kept.refresh_token));
    MLN_TRY(post_form(session->http, session->invocation->arena, session->kept.server, "/adfs/oauth2/token", &form, &status,
                      &body));
    struct mln_result r = take_tokens(status, body, &session->kept);
    if (!mln_ok(r))
        return mln_fail(MLN_E_UNAUTHENTICATED, "the sign-in of %.*s has ended; 'merlon login' renews it",
                        MLN_FMT(session->kept.name));
    return save(session->invocation->arena, &session->kept);
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
    if (session->kept.expires - mln_now_ms(&mln_system_clock) < MARGIN_MS)
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

static struct mln_result call_url(struct mln_session *session, const char *method, struct mln_str url, struct mln_str body,
                                  const struct mln_json **answer)
{
    struct mln_arena *arena = session->invocation->arena;
    struct mln_http_header headers[4] = {{MLN_S("Accept"), MLN_S("application/json")}};
    int status = 0;
    MLN_TRY_STR(arena, headers[1].value, mln_str_printf(arena, "Bearer %.*s", MLN_FMT(session->kept.access_token)));
    headers[1].name = MLN_S("Authorization");
    headers[2] = (struct mln_http_header){MLN_S("CommandName"), mln_str_printf(arena, "merlon %s", session->invocation->command->words)};
    headers[3] = (struct mln_http_header){MLN_S("Content-Type"), MLN_S("application/json")};
    const struct mln_http_request request = {
        .method = mln_str_c(method), .url = url, .headers = headers, .n_headers = body.p ? 4 : 3, .body = body};
    struct mln_result r = exchange(session->http, arena, &request, &status, answer);
    if (r.code == MLN_E_IO)
        return mln_fail(MLN_E_TIMEOUT, "%.*s is out of reach: %s", MLN_FMT(session->kept.server), mln_error_text());
    MLN_TRY(r);
    return status >= 400 ? server_failure(status, *answer) : MLN_OK;
}

struct mln_result mln_session_call(struct mln_session *session, const char *method, struct mln_str path, struct mln_str body,
                                   const struct mln_json **answer)
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
        if (!mln_str_starts(next, session->kept.server))
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
    MLN_TRY_STR(arena, id, mln_session_escape(session, id));
    MLN_TRY_STR(arena, *scope, mln_str_printf(arena, "/subscriptions/%.*s", MLN_FMT(id)));
    return MLN_OK;
}

struct mln_str mln_session_security_path(struct mln_session *session, struct mln_str scope, const char *version,
                                         const char *format, ...)
{
    char rest[3072];
    va_list args;
    va_start(args, format);
    vsnprintf(rest, sizeof rest, format, args);
    va_end(args);
    return mln_str_printf(session->invocation->arena, "%.*s/providers/Microsoft.Security/%s%capi-version=%s", MLN_FMT(scope),
                          rest, strchr(rest, '?') ? '&' : '?', version);
}

struct mln_str mln_session_escape(struct mln_session *session, struct mln_str value)
{
    MLN_BUF_CLEANUP struct mln_buf text = MLN_BUF(16 << 10);
    if (!mln_ok(form_add(&text, "", value)))
        return (struct mln_str){NULL, 0};
    return mln_str_dup(session->invocation->arena, mln_str_sub(mln_buf_str(&text), 1, text.n));
}
