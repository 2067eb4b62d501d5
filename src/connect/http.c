#include "connect/http.h"

#include "crypto/cert.h"

#include <curl/curl.h>
#include <pthread.h>

enum {
    MAX_URL_BYTES = 8192,
    MAX_HEADER_BYTES = 16 << 10,
    DESCRIBE_ARENA_BYTES = 256 << 10,
    DEFAULT_CONNECT_MS = 10 * 1000,
    DEFAULT_TIMEOUT_MS = 60 * 1000,
    DEFAULT_ANSWER_BYTES = 16 << 20,
};

struct mln_http {
    CURL *curl;
    char *ca_file, *proxy, *user_agent;
    struct mln_buf ca, certificate, key; /* PEM; the key's buffer is wiped */
    bool pinned;                         /* trust is by the digest below; ca is filled once the server has shown it */
    struct mln_sha256 pin;
    int64_t connect_timeout_ms, timeout_ms;
    size_t max_answer_bytes;
    char error[CURL_ERROR_SIZE];
};

static pthread_once_t started = PTHREAD_ONCE_INIT;
static CURLcode start_code;

static void start(void)
{
    start_code = curl_global_init(CURL_GLOBAL_DEFAULT);
}

static struct mln_result copy_text(struct mln_str text, char **out)
{
    if (!text.p)
        return MLN_OK;
    if (memchr(text.p, 0, text.n))
        return mln_fail(MLN_E_INVALID, "a NUL in an option of the HTTPS client");
    *out = strndup(text.p, text.n);
    return *out ? MLN_OK : mln_fail(MLN_E_MEMORY, "no memory for the HTTPS client");
}

/* "AB:CD:..." or "abcd...", 32 bytes of hex. */
static struct mln_result read_pin(struct mln_str text, struct mln_sha256 *out)
{
    char digits[2 * MLN_SHA256_BYTES];
    size_t n = 0;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == ':')
            continue;
        if (n == sizeof digits)
            return mln_fail(MLN_E_INVALID, "the fingerprint is longer than a SHA-256 digest");
        digits[n++] = text.p[i];
    }
    if (n != sizeof digits || !mln_ok(mln_hex_decode((struct mln_str){digits, n}, out->bytes, sizeof out->bytes)))
        return mln_fail(MLN_E_INVALID, "the fingerprint is not a SHA-256 digest in hex");
    return MLN_OK;
}

struct mln_result mln_http_open(const struct mln_http_setup *setup, struct mln_http **out)
{
    pthread_once(&started, start);
    if (start_code != CURLE_OK)
        return mln_fail(MLN_E_INTERNAL, "libcurl: %s", curl_easy_strerror(start_code));
    MLN_CLEANUP(mln_http_close) struct mln_http *http = calloc(1, sizeof *http);
    if (!http || !(http->curl = curl_easy_init()))
        return mln_fail(MLN_E_MEMORY, "no memory for the HTTPS client");
    http->ca = MLN_BUF(1 << 20);
    http->certificate = MLN_BUF(MLN_CERT_PEM_MAX_BYTES);
    http->key = MLN_BUF_SECRET(MLN_KEY_PEM_MAX_BYTES);
    http->connect_timeout_ms = setup->connect_timeout_ms ? setup->connect_timeout_ms : DEFAULT_CONNECT_MS;
    http->timeout_ms = setup->timeout_ms ? setup->timeout_ms : DEFAULT_TIMEOUT_MS;
    http->max_answer_bytes = setup->max_answer_bytes ? setup->max_answer_bytes : DEFAULT_ANSWER_BYTES;
    MLN_TRY(copy_text(setup->ca_file, &http->ca_file));
    MLN_TRY(copy_text(setup->proxy, &http->proxy));
    MLN_TRY(copy_text(setup->user_agent.p ? setup->user_agent : MLN_S("merlon/" MLN_VERSION), &http->user_agent));
    if (setup->ca_pem.n)
        MLN_TRY(mln_buf_append(&http->ca, setup->ca_pem));
    if (setup->certificate_pem.n)
        MLN_TRY(mln_buf_append(&http->certificate, setup->certificate_pem));
    if (setup->key_pem.n)
        MLN_TRY(mln_buf_append(&http->key, setup->key_pem));
    if (setup->ca_sha256.p) {
        http->pinned = true;
        MLN_TRY(read_pin(setup->ca_sha256, &http->pin));
    }
    *out = MLN_TAKE(http);
    return MLN_OK;
}

void mln_http_close(struct mln_http *http)
{
    if (!http)
        return;
    curl_easy_cleanup(http->curl);
    free(http->ca_file);
    free(http->proxy);
    free(http->user_agent);
    mln_buf_free(&http->ca);
    mln_buf_free(&http->certificate);
    mln_buf_free(&http->key);
    free(http);
}

struct mln_str mln_http_pinned_ca(const struct mln_http *http)
{
    return http->pinned && http->ca.n ? mln_buf_str(&http->ca) : (struct mln_str){NULL, 0};
}

/* ---- settings of one transfer ---- */

static struct curl_blob blob_of(const struct mln_buf *buf)
{
    return (struct curl_blob){.data = buf->p, .len = buf->n, .flags = CURL_BLOB_COPY};
}

/* Whom to trust. Both checks are always on: the chain, and the host's name. */
static CURLcode set_trust(struct mln_http *http)
{
    CURL *curl = http->curl;
    CURLcode code = curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
    if (code == CURLE_OK)
        code = curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
    if (code == CURLE_OK && http->ca.n) {
        struct curl_blob blob = blob_of(&http->ca);
        code = curl_easy_setopt(curl, CURLOPT_CAINFO, NULL);
        if (code == CURLE_OK)
            code = curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
        if (code == CURLE_OK)
            code = curl_easy_setopt(curl, CURLOPT_CAINFO_BLOB, &blob);
    } else if (code == CURLE_OK && http->ca_file) {
        code = curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
        if (code == CURLE_OK)
            code = curl_easy_setopt(curl, CURLOPT_CAINFO, http->ca_file);
    }
    return code;
}

static CURLcode set_client_certificate(struct mln_http *http)
{
    CURL *curl = http->curl;
    if (!http->certificate.n || !http->key.n)
        return CURLE_OK;
    struct curl_blob certificate = blob_of(&http->certificate), key = blob_of(&http->key);
    CURLcode code = curl_easy_setopt(curl, CURLOPT_SSLCERTTYPE, "PEM");
    if (code == CURLE_OK)
        code = curl_easy_setopt(curl, CURLOPT_SSLCERT_BLOB, &certificate);
    if (code == CURLE_OK)
        code = curl_easy_setopt(curl, CURLOPT_SSLKEYTYPE, "PEM");
    if (code == CURLE_OK)
        code = curl_easy_setopt(curl, CURLOPT_SSLKEY_BLOB, &key);
    return code;
}

static CURLcode set_connection(struct mln_http *http, const char *url)
{
    CURL *curl = http->curl;
    curl_easy_reset(curl); /* keeps the connection */
    http->error[0] = 0;
    const struct {
        CURLoption option;
        long value;
    } numbers[] = {
        {CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2},
        {CURLOPT_NOSIGNAL, 1},
        {CURLOPT_FOLLOWLOCATION, 0},
        {CURLOPT_TCP_KEEPALIVE, 1},
        {CURLOPT_CONNECTTIMEOUT_MS, (long)http->connect_timeout_ms},
        {CURLOPT_TIMEOUT_MS, (long)http->timeout_ms},
        {CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1},
    };
    const struct {
        CURLoption option;
        const char *value;
    } texts[] = {
        {CURLOPT_URL, url},
        {CURLOPT_PROTOCOLS_STR, "https"},
        {CURLOPT_PROXY, http->proxy ? http->proxy : ""}, /* "": none, whatever the environment says */
        {CURLOPT_NOPROXY, ""},
        {CURLOPT_USERAGENT, http->user_agent},
    };
    CURLcode code = curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, http->error);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers && code == CURLE_OK; i++)
        code = curl_easy_setopt(curl, numbers[i].option, numbers[i].value);
    for (size_t i = 0; i < sizeof texts / sizeof *texts && code == CURLE_OK; i++)
        code = curl_easy_setopt(curl, texts[i].option, texts[i].value);
    return code;
}

static struct mln_result failure(const struct mln_http *http, CURLcode code, const char *url)
{
    const char *text = http->error[0] ? http->error : curl_easy_strerror(code);
    switch ((int)code) {
    case CURLE_OPERATION_TIMEDOUT:
        return mln_fail(MLN_E_TIMEOUT, "%.200s: %s", url, text);
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
        return mln_fail(MLN_E_UNAUTHENTICATED, "%.200s: %s", url, text);
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
        return mln_fail(MLN_E_INVALID, "%.200s: %s", url, text);
    case CURLE_OUT_OF_MEMORY:
        return mln_fail(MLN_E_MEMORY, "%.200s: %s", url, text);
    default:
        return mln_fail(MLN_E_IO, "%.200s: %s", url, text);
    }
}

/* ---- the pinned authority ---- */

/* The certificate among those that the server showed whose digest is the pinned one: it must be an authority's. */
static struct mln_result take_pinned(struct mln_http *http, const struct curl_certinfo *shown)
{
    MLN_CLEANUP(mln_arena_free) struct mln_arena *arena = mln_arena_new(DESCRIBE_ARENA_BYTES);
    if (!arena)
        return mln_fail(MLN_E_MEMORY, "no memory for the server's certificates");
    for (int i = 0; i < shown->num_of_certs && i < 16; i++) {
        for (const struct curl_slist *line = shown->certinfo[i]; line; line = line->next) {
            MLN_CLEANUP(mln_cert_free) struct mln_cert *cert = NULL;
            struct mln_cert_info info;
            if (strncmp(line->data, "Cert:", 5) != 0 || !mln_ok(mln_cert_from_pem(mln_str_c(line->data + 5), &cert)) ||
                !mln_ok(mln_cert_describe(cert, arena, &info)))
                continue;
            if (info.is_ca && mln_secret_eq(mln_sha256_str(&info.sha256), mln_sha256_str(&http->pin)))
                return mln_cert_to_pem(cert, &http->ca);
        }
    }
    return mln_fail(MLN_E_UNAUTHENTICATED, "the server shows no authority with the fingerprint that was given");
}

static size_t drop(char *data, size_t size, size_t n, void *context)
{
    (void)data, (void)context;
    return size * n;
}

/* Looks at the server's certificates on a connection over which nothing is sent. What is found is an authority only; the
   exchange itself then verifies the server by it like by any other. */
static struct mln_result find_pinned(struct mln_http *http, const char *url)
{
    CURL *look = http->curl;
    struct curl_certinfo *shown = NULL;
    CURLcode code = set_connection(http, url);
    if (code == CURLE_OK)
        code = curl_easy_setopt(look, CURLOPT_CONNECT_ONLY, 1L);
    if (code == CURLE_OK)
        code = curl_easy_setopt(look, CURLOPT_CERTINFO, 1L);
    if (code == CURLE_OK)
        code = curl_easy_setopt(look, CURLOPT_SSL_VERIFYPEER, 0L);
    if (code == CURLE_OK)
        code = curl_easy_setopt(look, CURLOPT_SSL_VERIFYHOST, 0L);
    if (code == CURLE_OK)
        code = curl_easy_setopt(look, CURLOPT_FRESH_CONNECT, 1L);
    if (code == CURLE_OK)
        code = curl_easy_setopt(look, CURLOPT_WRITEFUNCTION, drop);
    if (code == CURLE_OK)
        code = curl_easy_perform(look);
    if (code == CURLE_OK)
        code = curl_easy_getinfo(look, CURLINFO_CERTINFO, &shown);
    struct mln_result r = code == CURLE_OK ? MLN_OK : failure(http, code, url);
    if (mln_ok(r))
        r = shown ? take_pinned(http, shown) : mln_fail(MLN_E_UNAUTHENTICATED, "the server showed no certificate");
    /* A connection that was not verified must not be used again: a new handle has none. */
    CURL *fresh = curl_easy_init();
    if (!fresh)
        return mln_fail(MLN_E_MEMORY, "no memory for the HTTPS client");
    curl_easy_cleanup(http->curl);
    http->curl = fresh;
    return r;
}

/* ---- the exchange ---- */

struct exchange {
    struct mln_http_answer *answer;
    size_t header_bytes;
    bool too_large;
};

static size_t take_body(char *data, size_t size, size_t n, void *context)
{
    struct exchange *x = context;
    if (mln_ok(mln_buf_append(&x->answer->body, (struct mln_str){data, size * n})))
        return size * n;
    x->too_large = true;
    return 0;
}

static void take_text(char *place, size_t size, struct mln_str value)
{
    snprintf(place, size, "%.*s", MLN_FMT(value));
}

static size_t take_header(char *data, size_t size, size_t n, void *context)
{
    struct exchange *x = context;
    struct mln_str line = {data, size * n}, name;
    int64_t seconds;
    x->header_bytes += line.n;
    if (x->header_bytes > MAX_HEADER_BYTES) {
        x->too_large = true;
        return 0;
    }
    struct mln_str rest = line;
    if (!mln_str_cut(&rest, ':', &name) || !rest.p)
        return line.n;
    rest = mln_str_trim(rest);
    if (mln_str_eq_nocase(name, MLN_S("Retry-After")) && mln_ok(mln_str_to_i64(rest, &seconds)) && seconds >= 0)
        x->answer->retry_after_ms = seconds > 86400 ? 86400000 : seconds * 1000;
    else if (mln_str_eq_nocase(name, MLN_S("Location")))
        take_text(x->answer->location, sizeof x->answer->location, rest);
    else if (mln_str_eq_nocase(name, MLN_S("Content-Type")))
        take_text(x->answer->content_type, sizeof x->answer->content_type, rest);
    return line.n;
}

static bool is_one_line(struct mln_str text)
{
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] == '\r' || text.p[i] == '\n' || text.p[i] == 0)
            return false;
    return true;
}

static struct mln_result make_headers(const struct mln_http_request *request, struct curl_slist **out)
{
    struct curl_slist *more = curl_slist_append(NULL, "Expect:"); /* no "100-continue": one round trip less */
    if (!more)
        return mln_fail(MLN_E_MEMORY, "no memory for headers");
    *out = more;
    for (size_t i = 0; i < request->n_headers; i++) {
        const struct mln_http_header *header = &request->headers[i];
        MLN_BUF_CLEANUP struct mln_buf line = MLN_BUF_SECRET(MAX_HEADER_BYTES);
        if (!header->name.n || !is_one_line(header->name) || !is_one_line(header->value))
            return mln_fail(MLN_E_INVALID, "a header that is not one line");
        MLN_TRY(mln_buf_append(&line, header->name));
        MLN_TRY(mln_buf_append(&line, MLN_S(": ")));
        MLN_TRY(mln_buf_append(&line, header->value));
        more = curl_slist_append(*out, line.p);
        if (!more)
            return mln_fail(MLN_E_MEMORY, "no memory for headers");
        *out = more;
    }
    return MLN_OK;
}

static CURLcode set_request(struct mln_http *http, const struct mln_http_request *request, const char *method,
                            struct curl_slist *headers, struct exchange *x)
{
    CURL *curl = http->curl;
    CURLcode code = curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    if (code == CURLE_OK && request->body.p) {
        code = curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.n);
        if (code == CURLE_OK)
            code = curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request->body.p);
    }
    if (code == CURLE_OK && strcmp(method, "HEAD") == 0)
        code = curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
    else if (code == CURLE_OK)
        code = curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
    if (code == CURLE_OK)
        code = curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
    if (code == CURLE_OK)
        code = curl_easy_setopt(curl, CURLOPT_WRITEDATA, x);
    if (code == CURLE_OK)
        code = curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header);
    if (code == CURLE_OK)
        code = curl_easy_setopt(curl, CURLOPT_HEADERDATA, x);
    return code;
}

static struct mln_result perform(struct mln_http *http, const char *url, const struct mln_http_request *request,
                                 const char *method, struct curl_slist *headers, struct mln_http_answer *answer)
{
    struct exchange x = {.answer = answer};
    long status = 0;
    CURLcode code = set_connection(http, url);
    if (code == CURLE_OK)
        code = set_trust(http);
    if (code == CURLE_OK)
        code = set_client_certificate(http);
    if (code == CURLE_OK)
        code = set_request(http, request, method, headers, &x);
    if (code == CURLE_OK)
        code = curl_easy_perform(http->curl);
    if (x.too_large)
        return mln_fail(MLN_E_LIMIT, "the answer is larger than %zu bytes", http->max_answer_bytes);
    if (code != CURLE_OK)
        return failure(http, code, url);
    curl_easy_getinfo(http->curl, CURLINFO_RESPONSE_CODE, &status);
    answer->status = (int)status;
    return MLN_OK;
}

struct mln_result mln_http_do(struct mln_http *http, const struct mln_http_request *request,
                              struct mln_http_answer *answer)
{
    char url[MAX_URL_BYTES], method[16];
    struct curl_slist *headers = NULL;
    *answer = (struct mln_http_answer){.body = MLN_BUF(http->max_answer_bytes), .retry_after_ms = -1};
    if (!mln_str_starts_nocase(request->url, MLN_S("https://")) || request->url.n >= sizeof url ||
        !is_one_line(request->url))
        return mln_fail(MLN_E_INVALID, "not an https URL");
    if (!request->method.n || request->method.n >= sizeof method || !is_one_line(request->method))
        return mln_fail(MLN_E_INVALID, "not an HTTP method");
    memcpy(url, request->url.p, request->url.n);
    url[request->url.n] = 0;
    memcpy(method, request->method.p, request->method.n);
    method[request->method.n] = 0;
    if (http->pinned && !http->ca.n)
        MLN_TRY(find_pinned(http, url));
    struct mln_result r = make_headers(request, &headers);
    if (mln_ok(r))
        r = perform(http, url, request, method, headers, answer);
    for (struct curl_slist *line = headers; line; line = line->next)
        explicit_bzero(line->data, strlen(line->data)); /* a bearer token may stand there */
    curl_slist_free_all(headers);
    return r;
}
