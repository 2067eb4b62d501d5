/* The HTTPS client against a server of its own (https_server.py): whom it trusts, what it sends, what it bears. */
#include "check.h"

#include "base/time.h"
#include "check_json.h"
#include "connect/http.h"
#include "crypto/ca.h"
#include "os/file.h"

#include <sys/wait.h>
#include <unistd.h>

#define DAY_MS (INT64_C(24) * 60 * 60 * 1000)

struct running {
    pid_t pid;
    int input;
    char url[64];
};

static char directory[64], ca_digest[MLN_SHA256_HEX];
static struct mln_buf ca_pem, other_ca_pem, client_pem, client_key;
static struct running server, impostor;
static struct mln_arena *arena;

static const char *path_of(const char *name)
{
    static char paths[4][128];
    static unsigned turn;
    char *path = paths[turn++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", directory, name);
    return path;
}

static struct mln_validity validity(void)
{
    int64_t now = mln_now_ms(&mln_system_clock);
    return (struct mln_validity){now - DAY_MS, now + DAY_MS};
}

/* A chain for a server that is not of the authority but shows its certificate: leaf of another one, then ca. */
static void make_impostor(struct mln_ca *other, const struct mln_cert *ca, const struct mln_key *key)
{
    MLN_CLEANUP(mln_cert_free) struct mln_cert *cert = NULL;
    MLN_BUF_CLEANUP struct mln_buf chain = MLN_BUF(1 << 20);
    struct mln_str name = MLN_S("127.0.0.1");
    assert_ok(mln_ca_issue_server(other, key, &name, 1, validity(), &cert));
    assert_ok(mln_cert_to_pem(cert, &chain));
    assert_ok(mln_cert_to_pem(ca, &chain));
    assert_ok(mln_file_write(path_of("impostor.pem"), mln_buf_str(&chain), 0600));
}

/* The authority, a server certificate for 127.0.0.1 with it in the chain, and a client certificate. */
static void make_certificates(void)
{
    MLN_CLEANUP(mln_ca_free) struct mln_ca *ca = NULL, *other = NULL;
    MLN_CLEANUP(mln_key_free) struct mln_key *key = NULL;
    MLN_CLEANUP(mln_cert_free) struct mln_cert *cert = NULL, *client = NULL;
    MLN_CLEANUP(mln_csr_free) struct mln_csr *csr = NULL;
    MLN_BUF_CLEANUP struct mln_buf chain = MLN_BUF(1 << 20), secret = MLN_BUF_SECRET(1 << 16),
                                   request = MLN_BUF(1 << 16);
    struct mln_cert_info info;
    struct mln_str name = MLN_S("127.0.0.1");
    assert_ok(mln_ca_create(MLN_S("Server authority"), validity(), &ca));
    assert_ok(mln_ca_create(MLN_S("Another authority"), validity(), &other));
    assert_ok(mln_key_generate(&key));
    assert_ok(mln_ca_issue_server(ca, key, &name, 1, validity(), &cert));
    assert_ok(mln_cert_to_pem(cert, &chain));
    assert_ok(mln_cert_to_pem(mln_ca_cert(ca), &chain));
    assert_ok(mln_key_to_pem(key, &secret));
    assert_ok(mln_file_write(path_of("chain.pem"), mln_buf_str(&chain), 0600));
    assert_ok(mln_file_write(path_of("key.pem"), mln_buf_str(&secret), 0600));
    assert_ok(mln_cert_to_pem(mln_ca_cert(ca), &ca_pem));
    assert_ok(mln_cert_to_pem(mln_ca_cert(other), &other_ca_pem));
    assert_ok(mln_file_write(path_of("ca.pem"), mln_buf_str(&ca_pem), 0600));
    assert_ok(mln_cert_describe(mln_ca_cert(ca), arena, &info));
    mln_hex_encode(mln_sha256_str(&info.sha256), ca_digest);
    assert_ok(mln_csr_create(key, MLN_S("x"), &request));
    assert_ok(mln_csr_from_pem(mln_buf_str(&request), &csr));
    assert_ok(mln_ca_issue_client(ca, csr, MLN_S("machine-7"), validity(), &client));
    assert_ok(mln_cert_to_pem(client, &client_pem));
    assert_ok(mln_key_to_pem(key, &client_key));
    make_impostor(other, mln_ca_cert(ca), key);
}

static void start_server(const char *chain, struct running *started)
{
    char script[4096], line[32] = "";
    int in[2], out[2];
    const char *source = getenv("MLN_SOURCE");
    snprintf(script, sizeof script, "%s/tests/connect/https_server.py", source ? source : ".");
    assert_int_equal(pipe(in), 0);
    assert_int_equal(pipe(out), 0);
    started->pid = fork();
    assert_true(started->pid >= 0);
    if (started->pid == 0) {
        dup2(in[0], 0);
        dup2(out[1], 1);
        close(in[1]);
        close(out[0]);
        execl("/usr/bin/python3", "python3", script, path_of(chain), path_of("key.pem"), path_of("ca.pem"), NULL);
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    started->input = in[1];
    ssize_t got = 1; /* the whole line: the rest of it would be written to a closed pipe */
    for (size_t n = 0; got > 0 && n + 1 < sizeof line && !strchr(line, '\n'); n += got > 0 ? (size_t)got : 0)
        got = read(out[0], line + n, sizeof line - 1 - n);
    close(out[0]);
    assert_true(got > 0);
    snprintf(started->url, sizeof started->url, "https://127.0.0.1:%d", (int)strtol(line, NULL, 10));
}

static void stop_server(struct running *started)
{
    close(started->input);
    waitpid(started->pid, NULL, 0);
}

static int set_up(void **state)
{
    (void)state;
    snprintf(directory, sizeof directory, "/tmp/merlon-test-XXXXXX");
    assert_non_null(mkdtemp(directory));
    arena = mln_arena_new(16 << 20);
    ca_pem = other_ca_pem = client_pem = MLN_BUF(1 << 16);
    client_key = MLN_BUF_SECRET(1 << 16);
    make_certificates();
    start_server("chain.pem", &server);
    start_server("impostor.pem", &impostor); /* its copy of the first one's pipe lives as long as it */
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    static const char *const files[] = {"chain.pem", "impostor.pem", "key.pem", "ca.pem"};
    stop_server(&impostor);
    stop_server(&server);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        unlink(path_of(files[i]));
    rmdir(directory);
    mln_buf_free(&ca_pem);
    mln_buf_free(&other_ca_pem);
    mln_buf_free(&client_pem);
    mln_buf_free(&client_key);
    mln_arena_free(arena);
    return 0;
}

static struct mln_http *opened(const struct mln_http_setup *setup)
{
    struct mln_http *http = NULL;
    assert_ok(mln_http_open(setup, &http));
    return http;
}

static struct mln_result get(struct mln_http *http, const char *path, struct mln_http_answer *answer)
{
    struct mln_str url = mln_str_printf(arena, "%s%s", server.url, path);
    return mln_http_do(http, &(struct mln_http_request){.method = MLN_S("GET"), .url = url}, answer);
}

static struct mln_http_setup trusting(void)
{
    return (struct mln_http_setup){.ca_pem = mln_buf_str(&ca_pem)};
}

/* ---- trust ---- */

static void an_authority_is_given_as_text_file_or_fingerprint(void **state)
{
    (void)state;
    char colons[128] = "";
    for (size_t i = 0, n = 0; i < 64; i += 2)
        n += (size_t)snprintf(colons + n, sizeof colons - n, "%s%c%c", i ? ":" : "", ca_digest[i], ca_digest[i + 1]);
    const struct mln_http_setup setups[] = {
        trusting(),
        {.ca_file = mln_str_c(path_of("ca.pem"))},
        {.ca_sha256 = mln_str_c(ca_digest)},
        {.ca_sha256 = mln_str_c(colons)},
    };
    for (size_t i = 0; i < 4; i++) {
        MLN_CLEANUP(mln_http_close) struct mln_http *http = opened(&setups[i]);
        struct mln_http_answer answer;
        assert_ok(get(http, "/", &answer));
        assert_int_equal(answer.status, 200);
        mln_http_answer_free(&answer);
        assert_int_equal(mln_http_pinned_ca(http).n > 0, i >= 2);
        if (i >= 2)
            assert_str(mln_http_pinned_ca(http), ca_pem.p);
    }
}

static void another_authority_is_not_trusted(void **state)
{
    (void)state;
    char wrong[MLN_SHA256_HEX];
    memcpy(wrong, ca_digest, sizeof wrong);
    wrong[0] = wrong[0] == '0' ? '1' : '0';
    const struct mln_http_setup setups[] = {
        {.ca_pem = mln_buf_str(&other_ca_pem)},
        {.ca_sha256 = mln_str_c(wrong)},
        {.ca_file = {NULL, 0}}, /* the system's authorities do not know ours */
    };
    for (size_t i = 0; i < 3; i++) {
        MLN_CLEANUP(mln_http_close) struct mln_http *http = opened(&setups[i]);
        struct mln_http_answer answer;
        assert_fails(UNAUTHENTICATED, get(http, "/", &answer));
        mln_http_answer_free(&answer);
        assert_int_equal(mln_http_pinned_ca(http).n, 0);
    }
}

static void the_servers_own_certificate_is_no_authority_to_pin(void **state)
{
    (void)state;
    MLN_CLEANUP(mln_cert_free) struct mln_cert *leaf = NULL;
    MLN_BUF_CLEANUP struct mln_buf chain = MLN_BUF(1 << 16);
    struct mln_cert_info info;
    char digest[MLN_SHA256_HEX];
    assert_ok(mln_file_read(path_of("chain.pem"), 0, &chain));
    assert_ok(mln_cert_from_pem(mln_buf_str(&chain), &leaf));
    assert_ok(mln_cert_describe(leaf, arena, &info));
    mln_hex_encode(mln_sha256_str(&info.sha256), digest);
    MLN_CLEANUP(mln_http_close)
    struct mln_http *http = opened(&(struct mln_http_setup){.ca_sha256 = mln_str_c(digest)});
    struct mln_http_answer answer;
    assert_fails(UNAUTHENTICATED, get(http, "/", &answer));
    mln_http_answer_free(&answer);
}

static void the_name_must_be_the_servers(void **state)
{
    (void)state;
    const struct mln_http_setup setups[] = {trusting(), {.ca_sha256 = mln_str_c(ca_digest)}};
    for (size_t i = 0; i < 2; i++) {
        MLN_CLEANUP(mln_http_close) struct mln_http *http = opened(&setups[i]);
        struct mln_http_answer answer;
        struct mln_str url = mln_str_printf(arena, "https://localhost%s/", strrchr(server.url, ':'));
        assert_fails(UNAUTHENTICATED,
                     mln_http_do(http, &(struct mln_http_request){.method = MLN_S("GET"), .url = url}, &answer));
        mln_http_answer_free(&answer);
    }
}

/* Whoever has spoken with the server has its authority's certificate; that makes nobody the server. */
static void showing_the_authority_is_not_being_of_it(void **state)
{
    (void)state;
    const struct mln_http_setup setups[] = {trusting(), {.ca_sha256 = mln_str_c(ca_digest)}};
    for (size_t i = 0; i < 2; i++) {
        MLN_CLEANUP(mln_http_close) struct mln_http *http = opened(&setups[i]);
        struct mln_http_answer answer;
        struct mln_http_request request = {.method = MLN_S("GET"), .url = mln_str_c(impostor.url)};
        assert_fails(UNAUTHENTICATED, mln_http_do(http, &request, &answer));
        mln_http_answer_free(&answer);
    }
}

static void fingerprints_have_a_form(void **state)
{
    (void)state;
    static const char *const wrong[] = {"", "abcd", "zz", ":::"};
    struct mln_http *http = NULL;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_fails(INVALID, mln_http_open(&(struct mln_http_setup){.ca_sha256 = mln_str_c(wrong[i])}, &http));
    struct mln_str longer = mln_str_printf(arena, "%s00", ca_digest);
    assert_fails(INVALID, mln_http_open(&(struct mln_http_setup){.ca_sha256 = longer}, &http));
    assert_fails(INVALID, mln_http_open(&(struct mln_http_setup){.ca_file = MLN_S("a\0b")}, &http));
}

/* ---- exchanges ---- */

static void what_is_sent_arrives(void **state)
{
    (void)state;
    struct mln_http_setup setup = trusting();
    setup.certificate_pem = mln_buf_str(&client_pem);
    setup.key_pem = mln_buf_str(&client_key);
    setup.user_agent = MLN_S("test/1");
    MLN_CLEANUP(mln_http_close) struct mln_http *http = opened(&setup);
    const struct mln_http_header headers[] = {{MLN_S("X-Colour"), MLN_S("green: dark")}};
    static const char *const methods[] = {"POST", "PUT", "PATCH", "DELETE"};
    for (size_t i = 0; i < 4; i++) {
        struct mln_http_answer answer;
        struct mln_http_request request = {.method = mln_str_c(methods[i]),
                                           .url = mln_str_printf(arena, "%s/a?b=c", server.url),
                                           .headers = headers,
                                           .n_headers = 1,
                                           .body = MLN_S("{\"x\":1}")};
        assert_ok(mln_http_do(http, &request, &answer));
        const struct mln_json *seen = check_json(arena, answer.body.p);
        assert_str(mln_json_str(mln_json_get(seen, MLN_S("method")), MLN_S("")), methods[i]);
        assert_str(mln_json_str(mln_json_get(seen, MLN_S("path")), MLN_S("")), "/a?b=c");
        assert_str(mln_json_str(mln_json_get(seen, MLN_S("body")), MLN_S("")), "{\"x\":1}");
        assert_str(mln_json_str(mln_json_get(seen, MLN_S("client")), MLN_S("")), "machine-7");
        assert_str(mln_json_str(mln_json_path(seen, "headers.X-Colour"), MLN_S("")), "green: dark");
        assert_str(mln_json_str(mln_json_path(seen, "headers.User-Agent"), MLN_S("")), "test/1");
        assert_true(mln_str_starts(mln_json_str(mln_json_get(seen, MLN_S("tls")), MLN_S("")), MLN_S("TLSv1.")));
        assert_string_equal(answer.content_type, "application/json");
        mln_http_answer_free(&answer);
    }
}

static void a_connection_is_kept(void **state)
{
    (void)state;
    MLN_CLEANUP(mln_http_close)
    struct mln_http *http = opened(&(struct mln_http_setup){.ca_sha256 = mln_str_c(ca_digest)});
    int64_t port = 0;
    for (int i = 0; i < 3; i++) {
        struct mln_http_answer answer;
        assert_ok(get(http, "/", &answer));
        int64_t now = mln_json_i64(mln_json_get(check_json(arena, answer.body.p), MLN_S("port")), 0);
        if (i)
            assert_int_equal(now, port);
        port = now;
        mln_http_answer_free(&answer);
    }
}

static void an_answer_of_any_status_is_an_answer(void **state)
{
    (void)state;
    MLN_CLEANUP(mln_http_close)
    struct mln_http *http = opened(&(struct mln_http_setup){.ca_pem = mln_buf_str(&ca_pem)});
    struct mln_http_answer answer;
    assert_ok(get(http, "/redirect", &answer)); /* not followed */
    assert_int_equal(answer.status, 302);
    assert_string_equal(answer.location, "https://192.0.2.1/elsewhere");
    assert_int_equal(answer.retry_after_ms, -1);
    mln_http_answer_free(&answer);
    assert_ok(get(http, "/busy", &answer));
    assert_int_equal(answer.status, 503);
    assert_int_equal(answer.retry_after_ms, 7000);
    mln_http_answer_free(&answer);
    assert_ok(
        get(http, "/busy-until-a-date", &answer)); /* the other form of Retry-After is left to the caller's patience */
    assert_int_equal(answer.retry_after_ms, -1);
    mln_http_answer_free(&answer);
    assert_ok(get(http, "/busy-for-years", &answer));
    assert_int_equal(answer.retry_after_ms, 24 * 60 * 60 * 1000);
    assert_int_equal(strlen(answer.location), sizeof answer.location - 1); /* cut */
    mln_http_answer_free(&answer);
    struct mln_str url = mln_str_printf(arena, "%s/large", server.url);
    assert_ok(mln_http_do(http, &(struct mln_http_request){.method = MLN_S("HEAD"), .url = url}, &answer));
    assert_int_equal(answer.body.n, 0);
    mln_http_answer_free(&answer);
}

static void too_much_and_too_late_are_errors(void **state)
{
    (void)state;
    struct mln_http_setup setup = trusting();
    setup.max_answer_bytes = 1000;
    setup.timeout_ms = 300;
    MLN_CLEANUP(mln_http_close) struct mln_http *http = opened(&setup);
    struct mln_http_answer answer;
    assert_fails(LIMIT, get(http, "/large", &answer));
    mln_http_answer_free(&answer);
    assert_fails(LIMIT, get(http, "/headers", &answer));
    mln_http_answer_free(&answer);
    assert_fails(TIMEOUT, get(http, "/slow", &answer));
    mln_http_answer_free(&answer);
    assert_fails(
        IO, mln_http_do(http, &(struct mln_http_request){.method = MLN_S("GET"), .url = MLN_S("https://127.0.0.1:1/")},
                        &answer));
    mln_http_answer_free(&answer);
}

static void the_environment_sets_no_proxy(void **state)
{
    (void)state;
    setenv("https_proxy", "http://127.0.0.1:1", 1);
    setenv("ALL_PROXY", "http://127.0.0.1:1", 1);
    MLN_CLEANUP(mln_http_close)
    struct mln_http *http = opened(&(struct mln_http_setup){.ca_pem = mln_buf_str(&ca_pem)});
    struct mln_http_setup through = trusting();
    through.proxy = MLN_S("http://127.0.0.1:1");
    MLN_CLEANUP(mln_http_close) struct mln_http *by_proxy = opened(&through);
    struct mln_http_answer answer;
    assert_ok(get(http, "/", &answer));
    mln_http_answer_free(&answer);
    assert_fails(IO, get(by_proxy, "/", &answer));
    mln_http_answer_free(&answer);
    unsetenv("https_proxy");
    unsetenv("ALL_PROXY");
}

static void requests_that_are_none_are_refused(void **state)
{
    (void)state;
    MLN_CLEANUP(mln_http_close)
    struct mln_http *http = opened(&(struct mln_http_setup){.ca_pem = mln_buf_str(&ca_pem)});
    const struct mln_http_header broken[] = {{MLN_S("X-A"), MLN_S("1\r\nX-B: 2")}};
    const struct mln_http_request wrong[] = {
        {.method = MLN_S("GET"), .url = MLN_S("http://127.0.0.1/")},
        {.method = MLN_S("GET"), .url = MLN_S("file:///etc/passwd")},
        {.method = MLN_S("GET"), .url = MLN_S("https://127.0.0.1/\r\nX: y")},
        {.method = MLN_S(""), .url = MLN_S("https://127.0.0.1/")},
        {.method = MLN_S("GET / HTTP/1.1\r\n"), .url = MLN_S("https://127.0.0.1/")},
        {.method = MLN_S("GET"), .url = MLN_S("https://127.0.0.1:1/"), .headers = broken, .n_headers = 1},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct mln_http_answer answer;
        assert_fails(INVALID, mln_http_do(http, &wrong[i], &answer));
        mln_http_answer_free(&answer);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_authority_is_given_as_text_file_or_fingerprint),
        cmocka_unit_test(another_authority_is_not_trusted),
        cmocka_unit_test(the_servers_own_certificate_is_no_authority_to_pin),
        cmocka_unit_test(the_name_must_be_the_servers),
        cmocka_unit_test(showing_the_authority_is_not_being_of_it),
        cmocka_unit_test(fingerprints_have_a_form),
        cmocka_unit_test(what_is_sent_arrives),
        cmocka_unit_test(a_connection_is_kept),
        cmocka_unit_test(an_answer_of_any_status_is_an_answer),
        cmocka_unit_test(too_much_and_too_late_are_errors),
        cmocka_unit_test(the_environment_sets_no_proxy),
        cmocka_unit_test(requests_that_are_none_are_refused),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
