#include "connect/http.h"

#include "crypto/cert.h"
#include "crypto/digest.h"

#include <curl/curl.h>
#include <pthread.h>

enum {
    CONNECT_TIMEOUT_MS = 10000,
    TIMEOUT_MS = 60000,
    MAX_ANSWER_BYTES = 16 << 20,
    MAX_HEADERS = 32,
    MAX_CHAIN = 10,
    PEM_BYTES = 64 << 10,
    CERTIFICATE_ARENA_BYTES = 256 << 10,
};

struct mln_http {
    CURL *curl;
    struct mln_buf ca_pem;         /* whom to trust; empty: the system's authorities, or not yet known */
    struct mln_buf certificate_pem, key_pem;
    struct mln_sha256 ca_sha256;
    bool pinned;                   /* ca_sha256 says whom to trust */
    char *ca_file, *proxy, *user_agent;
    long connect_timeout_ms, timeout_ms;
    size_t max_answer_bytes;
    char error[CURL_ERROR_SIZE];
};

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void start_curl(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

static char *copy(struct mln_str s)
{
    return s.p ? strndup(s.p, s.n) : NULL;
}

/* A digest in hex, with or without colons. */
static struct mln_result read_fingerprint(struct mln_str text, struct mln_sha256 *out)
{
    char hex[MLN_SHA256_HEX];
    size_t n = 0;
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] != ':' && n < sizeof hex)
            hex[n++] = text.p[i];
    if (n != MLN_SHA256_HEX - 1 || !mln_ok(mln_hex_decode((struct mln_str){hex, n}, out->bytes, sizeof out->bytes)))
        return mln_fail(MLN_E_INVALID, "a fingerprint is the 64 hex digits of a certificate's SHA-256");
    return MLN_OK;
}

struct mln_result mln_http_open(const struct mln_http_setup *setup, struct mln_http **out)
{
    pthread_once(&once, start_curl);
    MLN_CLEANUP(mln_http_close) struct mln_http *http = calloc(1, sizeof *http);
    if (!http)
        return mln_fail(MLN_E_MEMORY, "no memory for an HTTPS client");
    http->ca_pem = MLN_BUF(PEM_BYTES);
    http->certificate_pem = MLN_BUF(PEM_BYTES);
    http->key_pem = MLN_BUF_SECRET(PEM_BYTES);
    http->pinned = setup->ca_sha256.p != NULL;
    if (http->pinned)
        MLN_TRY(read_fingerprint(setup->ca_sha256, &http->ca_sha256));
    MLN_TRY(mln_buf_append(&http->ca_pem, setup->ca_pem));
    MLN_TRY(mln_buf_append(&http->certificate_pem, setup->certificate_pem));
    MLN_TRY(mln_buf_append(&http->key_pem, setup->key_pem));
    http->ca_file = copy(setup->ca_file);
    http->proxy = copy(setup->proxy);
    http->user_agent = copy(setup->user_agent.p ? setup->user_agent : MLN_S("merlon/" MLN_VERSION));
    http->connect_timeout_ms = (long)(setup->connect_timeout_ms ? setup->connect_timeout_ms : CONNECT_TIMEOUT_MS);
    http->timeout_ms = (long)(setup->timeout_ms ? setup->timeout_ms : TIMEOUT_MS);
    http->max_answer_bytes = setup->max_answer_bytes ? setup->max_answer_bytes : MAX_ANSWER_BYTES;
    http->curl = curl_easy_init();
    if (!http->curl || !http->user_agent || (setup->ca_file.p && !http->ca_file) || (setup->proxy.p && !http->proxy))
        return mln_fail(MLN_E_MEMORY, "no memory for an HTTPS client");
    *out = MLN_TAKE(http);
    return MLN_OK;
}

void mln_http_close(struct mln_http *http)
{
    if (!http)
        return;
    curl_easy_cleanup(http->curl);
    mln_buf_free(&http->ca_pem);
    mln_buf_free(&http->certificate_pem);
    mln_buf_free(&http->key_pem);
    free(http->ca_file);
    free(http->proxy);
    free(http->user_agent);
    free(http);
}

struct mln_str mln_http_pinned_ca(const struct mln_http *http)
{
    return http->pinned ? mln_buf_str(&http->ca_pem) : (struct mln_str){NULL, 0};
}

/* ---- one exchange ---- */

struct receiving {
    struct mln_http_answer *answer;
    bool too_large;
};

static size_t on_body(char *data, size_t size, size_t n, void *context)
{
    struct receiving *receiving = context;
    if (mln_ok(mln_buf_append(&receiving->answer->body, (struct mln_str){data, size * n})))
        return size * n;
    receiving->too_large = true;
    return 0;
}

/* Takes the few headers that callers look at. */
static size_t on_header(char *data, size_t size, size_t n, void *context)
{
    struct receiving *receiving = context;
    struct mln_str rest = {data, size * n}, name;
    int64_t seconds;
    if (!mln_str_cut(&rest, ':', &name) || !rest.p)
        return size * n;
    struct mln_str value = mln_str_trim(rest);
    struct mln_http_answer *answer = receiving->answer;
    if (mln_str_eq_nocase(name, MLN_S("retry-after")) && mln_ok(mln_str_to_i64(value, &seconds)) && seconds >= 0 &&
        seconds < INT64_MAX / 1000)
        answer->retry_after_ms = seconds * 1000;
    else if (mln_str_eq_nocase(name, MLN_S("location")))
        snprintf(answer->location, sizeof answer->location, "%.*s", MLN_FMT(value));
    else if (mln_str_eq_nocase(name, MLN_S("content-type")))
        snprintf(answer->content_type, sizeof answer->content_type, "%.*s", MLN_FMT(value));
    return size * n;
}

static struct curl_blob blob_of(const struct mln_buf *buf)
{
    return (struct curl_blob){.data = buf->p, .len = buf->n, .flags = CURL_BLOB_NOCOPY};
}

/* What every exchange with this server has in common. */
static struct mln_result prepare(struct mln_http *http, const char *url)
{
    CURL *curl = http->curl;
    curl_easy_reset(curl);
    http->error[0] = '\0';
    bool good = curl_easy_setopt(curl, CURLOPT_URL, url) == CURLE_OK &&
                curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https") == CURLE_OK &&
                curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) == CURLE_OK &&
                curl_easy_setopt(curl, CURLOPT_PROXY, http->proxy ? http->proxy : "") == CURLE_OK;
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, http->error);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, http->user_agent);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, http->connect_timeout_ms);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, http->timeout_ms);
    if (http->ca_pem.n) {
        struct curl_blob blob = blob_of(&http->ca_pem);
        good = good && curl_easy_setopt(curl, CURLOPT_CAINFO_BLOB, &blob) == CURLE_OK;
    } else if (http->ca_file) {
        good = good && curl_easy_setopt(curl, CURLOPT_CAINFO, http->ca_file) == CURLE_OK;
    }
    if (http->certificate_pem.n) {
        struct curl_blob certificate = blob_of(&http->certificate_pem), key = blob_of(&http->key_pem);
        good = good && curl_easy_setopt(curl, CURLOPT_SSLCERT_BLOB, &certificate) == CURLE_OK &&
               curl_easy_setopt(curl, CURLOPT_SSLKEY_BLOB, &key) == CURLE_OK;
    }
    return good ? MLN_OK : mln_fail(MLN_E_INTERNAL, "libcurl does not take an option");
}

static struct mln_result failure(const struct mln_http *http, CURLcode code, const char *url)
{
    const char *why = http->error[0] ? http->error : curl_easy_strerror(code);
    switch (code) {
    case CURLE_OPERATION_TIMEDOUT:
        return mln_fail(MLN_E_TIMEOUT, "%.200s: no answer in time", url);
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
        return mln_fail(MLN_E_UNAUTHENTICATED, "%.200s: the server's certificate is not to be trusted: %.200s", url, why);
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
        return mln_fail(MLN_E_INVALID, "%.200s: not an https address", url);
    case CURLE_OUT_OF_MEMORY:
        return mln_fail(MLN_E_MEMORY, "no memory for an exchange");
    default:
        return mln_fail(MLN_E_IO, "%.200s: %.200s", url, why);
    }
}

/* Whether this certificate is the pinned authority. */
static struct mln_result is_pinned(const struct mln_http *http, struct mln_str pem, bool *yes)
{
    MLN_CLEANUP(mln_arena_free) struct mln_arena *arena = mln_arena_new(CERTIFICATE_ARENA_BYTES);
    MLN_CLEANUP(mln_cert_free) struct mln_cert *cert = NULL;
    struct mln_cert_info info;
    *yes = false;
    if (!arena)
        return mln_fail(MLN_E_MEMORY, "no memory for a certificate");
    if (!mln_ok(mln_cert_from_pem(pem, &cert)) || !mln_ok(mln_cert_describe(cert, arena, &info)))
        return MLN_OK; /* what cannot be read is not it */
    *yes = info.is_ca && memcmp(info.sha256.bytes, http->ca_sha256.bytes, sizeof info.sha256.bytes) == 0;
    return MLN_OK;
}

/* Looks through the chain of the handshake that was just made. */
static struct mln_result take_pinned(struct mln_http *http)
{
    struct curl_certinfo *chain = NULL;
    curl_easy_getinfo(http->curl, CURLINFO_CERTINFO, &chain);
    for (int i = 0; chain && i < chain->num_of_certs && i < MAX_CHAIN; i++)
        for (const struct curl_slist *line = chain->certinfo[i]; line; line = line->next) {
            bool yes = false;
            if (strncmp(line->data, "Cert:", 5) != 0)
                continue;
            struct mln_str pem = mln_str_c(line->data + 5);
            MLN_TRY(is_pinned(http, pem, &yes));
            if (yes)
                return mln_buf_append(&http->ca_pem, pem);
        }
    return mln_fail(MLN_E_UNAUTHENTICATED, "the server does not show the authority with this fingerprint");
}

/* Shakes hands once, unverified and sending nothing, to see the chain; the authority with the right fingerprint is then
   the one that every exchange is verified with. */
static struct mln_result find_pinned(struct mln_http *http, const char *url)
{
    MLN_TRY(prepare(http, url));
    curl_easy_setopt(http->curl, CURLOPT_SSLCERT_BLOB, NULL);
    curl_easy_setopt(http->curl, CURLOPT_SSLKEY_BLOB, NULL);
    curl_easy_setopt(http->curl, CURLOPT_SSL_VERIFYPEER, 0L);
    curl_easy_setopt(http->curl, CURLOPT_SSL_VERIFYHOST, 0L);
    curl_easy_setopt(http->curl, CURLOPT_CERTINFO, 1L);
    curl_easy_setopt(http->curl, CURLOPT_CONNECT_ONLY, 1L);
    curl_easy_setopt(http->curl, CURLOPT_FRESH_CONNECT, 1L);
    curl_easy_setopt(http->curl, CURLOPT_FORBID_REUSE, 1L);
    CURLcode code = curl_easy_perform(http->curl);
    return code == CURLE_OK ? take_pinned(http) : failure(http, code, url);
}

static bool is_plain(struct mln_str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f)
            return false;
    return true;
}

static struct mln_result add_headers(const struct mln_http_request *request, struct curl_slist **list)
{
    if (request->n_headers > MAX_HEADERS)
        return mln_fail(MLN_E_INVALID, "more than %d headers", MAX_HEADERS);
    for (size_t i = 0; i < request->n_headers; i++) {
        MLN_BUF_CLEANUP struct mln_buf line = MLN_BUF_SECRET(64 << 10);
        if (!is_plain(request->headers[i].name) || !is_plain(request->headers[i].value))
            return mln_fail(MLN_E_INVALID, "a control byte in a header");
        MLN_TRY(mln_buf_append(&line, request->headers[i].name));
        MLN_TRY(mln_buf_append(&line, MLN_S(": ")));
        MLN_TRY(mln_buf_append(&line, request->headers[i].value));
        struct curl_slist *more = curl_slist_append(*list, line.p);
        if (!more)
            return mln_fail(MLN_E_MEMORY, "no memory for headers");
        *list = more;
    }
    return MLN_OK;
}

static struct mln_result perform(struct mln_http *http, const struct mln_http_request *request, const char *url,
                                 const char *method, struct curl_slist *headers, struct mln_http_answer *answer)
{
    struct receiving receiving = {.answer = answer};
    CURL *curl = http->curl;
    MLN_TRY(prepare(http, url));
    if (strcmp(method, "HEAD") == 0)
        curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
    if (request->body.p) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request->body.p);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.n);
    }
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &receiving);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, &receiving);
    CURLcode code = curl_easy_perform(curl);
    if (receiving.too_large)
        return mln_fail(MLN_E_LIMIT, "%.200s: the answer is larger than %zu bytes", url, http->max_answer_bytes);
    if (code != CURLE_OK)
        return failure(http, code, url);
    long status = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    answer->status = (int)status;
    return MLN_OK;
}

struct mln_result mln_http_do(struct mln_http *http, const struct mln_http_request *request, struct mln_http_answer *answer)
{
    *answer = (struct mln_http_answer){.body = MLN_BUF(http->max_answer_bytes), .retry_after_ms = -1};
    if (!mln_str_starts_nocase(request->url, MLN_S("https://")) || !is_plain(request->url))
        return mln_fail(MLN_E_INVALID, "%.*s: not an https address", MLN_FMT(mln_str_sub(request->url, 0, 200)));
    MLN_BUF_CLEANUP struct mln_buf url = MLN_BUF(64 << 10), method = MLN_BUF(32);
    MLN_TRY(mln_buf_append(&url, request->url));
    MLN_TRY(mln_buf_append(&method, request->method));
    if (http->pinned && !http->ca_pem.n)
        MLN_TRY(find_pinned(http, url.p));
    struct curl_slist *headers = NULL;
    struct mln_result r = add_headers(request, &headers);
    if (mln_ok(r))
        r = perform(http, request, url.p, method.p, headers, answer);
    for (struct curl_slist *h = headers; h; h = h->next)
        explicit_bzero(h->data, strlen(h->data)); /* a bearer token may stand there */
    curl_slist_free_all(headers);
    return r;
}
