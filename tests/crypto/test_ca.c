/* What the authority issues, and what it takes no notice of: ca.h. */
#include "check.h"

#include "base/base64.h"
#include "base/time.h"
#include "crypto/ca.h"

static const int64_t day_ms = 24 * 60 * 60 * 1000;
static const int64_t noon_ms = 1795003200000; /* 2026-11-18T12:00:00Z */

struct fixture {
    struct mln_arena *arena;
    struct mln_ca *ca;
    struct mln_key *key;
};

static struct mln_validity days(int64_t n)
{
    return (struct mln_validity){noon_ms, noon_ms + n * day_ms};
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    f->arena = mln_arena_new(1 << 20);
    assert_ok(mln_ca_create(MLN_S("Merlon test CA"), days(100), &f->ca));
    assert_ok(mln_key_generate(&f->key));
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    mln_key_free(f->key);
    mln_ca_free(f->ca);
    mln_arena_free(f->arena);
    free(f);
    return 0;
}

static struct mln_csr *csr_of(const char *fixture)
{
    MLN_BUF_CLEANUP struct mln_buf pem = MLN_BUF(8192);
    struct mln_csr *csr = NULL;
    check_fixture(fixture, &pem);
    assert_ok(mln_csr_from_pem(mln_buf_str(&pem), &csr));
    return csr;
}

/* True when the certificate's bytes contain text: names stand in them as they are. */
static bool certificate_contains(const struct mln_cert *cert, struct mln_str text)
{
    MLN_BUF_CLEANUP struct mln_buf pem = MLN_BUF(65536), base64 = MLN_BUF(65536), der = MLN_BUF(65536);
    assert_ok(mln_cert_to_pem(cert, &pem));
    struct mln_str rest = mln_buf_str(&pem), line;
    while (mln_str_cut(&rest, '\n', &line))
        if (!mln_str_starts(line, MLN_S("-----")))
            assert_ok(mln_buf_append(&base64, line));
    assert_ok(mln_base64_decode(MLN_BASE64, mln_buf_str(&base64), &der));
    return mln_str_find(mln_buf_str(&der), text, 0) != SIZE_MAX;
}

static void an_authority(void **state)
{
    struct fixture *f = *state;
    struct mln_cert_info info;
    assert_ok(mln_cert_describe(mln_ca_cert(f->ca), f->arena, &info));
    assert_str(info.subject_cn, "Merlon test CA");
    assert_str(info.issuer_cn, "Merlon test CA");
    assert_true(info.is_ca);
    assert_int_equal(info.not_before_ms, noon_ms);
    assert_int_equal(info.not_after_ms, noon_ms + 100 * day_ms);
    assert_int_equal(info.serial.n, 32);
}

static void an_authority_is_loaded_again(void **state)
{
    struct fixture *f = *state;
    MLN_CLEANUP(mln_ca_free) struct mln_ca *again = NULL;
    MLN_BUF_CLEANUP struct mln_buf cert = MLN_BUF(8192), key = MLN_BUF_SECRET(8192), other = MLN_BUF_SECRET(8192);
    assert_ok(mln_cert_to_pem(mln_ca_cert(f->ca), &cert));
    assert_ok(mln_key_to_pem(mln_ca_key(f->ca), &key));
    assert_ok(mln_key_to_pem(f->key, &other));
    assert_fails(INVALID, mln_ca_load(mln_buf_str(&cert), mln_buf_str(&other), &again));
    assert_fails(SYNTAX, mln_ca_load(mln_buf_str(&key), mln_buf_str(&cert), &again));
    assert_null(again);
    assert_ok(mln_ca_load(mln_buf_str(&cert), mln_buf_str(&key), &again));
    MLN_CLEANUP(mln_csr_free) struct mln_csr *csr = csr_of("crypto/data/csr-greedy.pem");
    MLN_CLEANUP(mln_cert_free) struct mln_cert *client = NULL;
    assert_ok(mln_ca_issue_client(again, csr, MLN_S("machine-7"), days(10), &client));
    const struct mln_cert *authority = mln_ca_cert(f->ca);
    assert_ok(mln_cert_verify_client(client, &authority, 1, noon_ms));
}

static void a_server_is_no_authority(void **state)
{
    struct fixture *f = *state;
    MLN_CLEANUP(mln_cert_free) struct mln_cert *server = NULL;
    MLN_CLEANUP(mln_ca_free) struct mln_ca *ca = NULL;
    MLN_BUF_CLEANUP struct mln_buf cert = MLN_BUF(8192), key = MLN_BUF_SECRET(8192);
    const struct mln_str name = MLN_S("merlon.example");
    assert_ok(mln_ca_issue_server(f->ca, f->key, &name, 1, days(10), &server));
    assert_ok(mln_cert_to_pem(server, &cert));
    assert_ok(mln_key_to_pem(f->key, &key));
    assert_fails(INVALID, mln_ca_load(mln_buf_str(&cert), mln_buf_str(&key), &ca));
}

static void a_server_certificate(void **state)
{
    struct fixture *f = *state;
    MLN_CLEANUP(mln_cert_free) struct mln_cert *server = NULL;
    const struct mln_str names[] = {MLN_S("merlon.example"), MLN_S("localhost"), MLN_S("192.0.2.7"),
                                    MLN_S("2001:db8::7")};
    struct mln_cert_info info;
    assert_ok(mln_ca_issue_server(f->ca, f->key, names, 4, days(10), &server));
    assert_ok(mln_cert_describe(server, f->arena, &info));
    assert_str(info.subject_cn, "merlon.example");
    assert_str(info.issuer_cn, "Merlon test CA");
    assert_false(info.is_ca);
    assert_int_equal(info.not_after_ms, noon_ms + 10 * day_ms);
    /* The context-specific tags 2 (DNS name) and 7 (address) of RFC 5280's GeneralName, each with its length. */
    assert_true(certificate_contains(server, MLN_S("\x82\x0emerlon.example")));
    assert_true(certificate_contains(server, MLN_S("\x82\x09localhost")));
    assert_true(certificate_contains(server, MLN_S("\x87\x04\xc0\x00\x02\x07")));
    assert_true(certificate_contains(server, MLN_S("\x87\x10\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x07")));
}

static void a_name_too_long_for_the_subject(void **state)
{
    struct fixture *f = *state;
    MLN_CLEANUP(mln_cert_free) struct mln_cert *server = NULL;
    const struct mln_str name = MLN_S("a-host-with-quite-a-long-name.in-a-zone-with-a-long-name.merlon.example");
    struct mln_cert_info info;
    assert_ok(mln_ca_issue_server(f->ca, f->key, &name, 1, days(10), &server));
    assert_ok(mln_cert_describe(server, f->arena, &info));
    assert_str(info.subject_cn, "server");
    assert_true(certificate_contains(server, name));
}

static void names_that_no_server_has(void **state)
{
    struct fixture *f = *state;
    MLN_CLEANUP(mln_cert_free) struct mln_cert *server = NULL;
    const struct mln_str wrong[] = {
        MLN_S(""),
        MLN_S("."),
        MLN_S("a..b"),
        MLN_S("a."),
        MLN_S(".a"),
        MLN_S("-a"),
        MLN_S("a-"),
        MLN_S("a-.b"),
        MLN_S("a b"),
        MLN_S("*.example"),
        MLN_S("a\0.example"),
        MLN_S("1.2.3.4\0"),
        MLN_S("exam\xc3\xa4ple"),
        MLN_S("2001:db8::7%eth0"),
        MLN_S("a,DNS:other.example"),
        MLN_S("label-of-more-than-sixty-three-characters-aaaaaaaaaaaaaaaaaaaaaaa.example"),
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_fails(INVALID, mln_ca_issue_server(f->ca, f->key, &wrong[i], 1, days(10), &server));
    struct mln_str many[65];
    for (size_t i = 0; i < sizeof many / sizeof *many; i++)
        many[i] = MLN_S("merlon.example");
    assert_fails(INVALID, mln_ca_issue_server(f->ca, f->key, many, 0, days(10), &server));
    assert_fails(INVALID, mln_ca_issue_server(f->ca, f->key, many, 65, days(10), &server));
    assert_ok(mln_ca_issue_server(f->ca, f->key, many, 64, days(10), &server));
}

/* The request asks for another name, to be an authority, to serve as victim.example: it gets a machine's certificate.
 */
static void a_greedy_request(void **state)
{
    struct fixture *f = *state;
    MLN_CLEANUP(mln_csr_free) struct mln_csr *csr = csr_of("crypto/data/csr-greedy.pem");
    MLN_CLEANUP(mln_cert_free) struct mln_cert *client = NULL;
    struct mln_cert_info info;
    assert_ok(mln_ca_issue_client(f->ca, csr, MLN_S("machine-7"), days(10), &client));
    assert_ok(mln_cert_describe(client, f->arena, &info));
    assert_str(info.subject_cn, "machine-7");
    assert_false(info.is_ca);
    assert_false(certificate_contains(client, MLN_S("victim.example")));
    assert_false(certificate_contains(client, MLN_S("I want to be root")));
}

static void the_key_of_a_request_is_the_certificates(void **state)
{
    struct fixture *f = *state;
    MLN_CLEANUP(mln_csr_free) struct mln_csr *csr = csr_of("crypto/data/csr-greedy.pem");
    MLN_CLEANUP(mln_cert_free) struct mln_cert *client = NULL;
    MLN_CLEANUP(mln_public_key_free) struct mln_public_key *asked = NULL;
    MLN_CLEANUP(mln_public_key_free) struct mln_public_key *given = NULL;
    struct mln_sha256 asked_print, given_print;
    assert_ok(mln_ca_issue_client(f->ca, csr, MLN_S("machine-7"), days(10), &client));
    assert_ok(mln_csr_public_key(csr, &asked));
    assert_ok(mln_cert_public_key(client, &given));
    assert_ok(mln_public_key_fingerprint(asked, &asked_print));
    assert_ok(mln_public_key_fingerprint(given, &given_print));
    assert_memory_equal(asked_print.bytes, given_print.bytes, sizeof given_print.bytes);
}

static void requests_that_are_refused(void **state)
{
    (void)state;
    MLN_CLEANUP(mln_csr_free) struct mln_csr *csr = NULL;
    MLN_BUF_CLEANUP struct mln_buf spoiled = MLN_BUF(8192), rsa = MLN_BUF(8192),
                                   large = MLN_BUF(MLN_CERT_PEM_MAX_BYTES + 1);
    check_fixture("crypto/data/csr-spoiled.pem", &spoiled); /* one bit of the signature is another */
    assert_fails(INVALID, mln_csr_from_pem(mln_buf_str(&spoiled), &csr));
    check_fixture("crypto/data/csr-rsa.pem", &rsa);
    assert_fails(INVALID, mln_csr_from_pem(mln_buf_str(&rsa), &csr));
    assert_fails(SYNTAX, mln_csr_from_pem(MLN_S(""), &csr));
    while (large.n <= MLN_CERT_PEM_MAX_BYTES)
        assert_ok(mln_buf_byte(&large, ' '));
    assert_fails(LIMIT, mln_csr_from_pem(mln_buf_str(&large), &csr));
    assert_null(csr);
}

static void common_names_are_plain(void **state)
{
    struct fixture *f = *state;
    MLN_CLEANUP(mln_csr_free) struct mln_csr *csr = csr_of("crypto/data/csr-greedy.pem");
    MLN_CLEANUP(mln_cert_free) struct mln_cert *client = NULL;
    MLN_CLEANUP(mln_ca_free) struct mln_ca *ca = NULL;
    MLN_BUF_CLEANUP struct mln_buf pem = MLN_BUF(8192);
    char longest[MLN_CERT_CN_MAX_BYTES + 1];
    memset(longest, 'x', sizeof longest);
    const struct mln_str wrong[] = {
        MLN_S(""), MLN_S("a\0b"), MLN_S("a\nb"), MLN_S("\xc3\xa4"), {longest, sizeof longest}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_fails(INVALID, mln_ca_issue_client(f->ca, csr, wrong[i], days(10), &client));
        assert_fails(INVALID, mln_ca_create(wrong[i], days(10), &ca));
        assert_fails(INVALID, mln_csr_create(f->key, wrong[i], &pem));
    }
    assert_ok(mln_ca_issue_client(f->ca, csr, (struct mln_str){longest, sizeof longest - 1}, days(10), &client));
}

static void nothing_outlives_the_authority(void **state)
{
    struct fixture *f = *state;
    MLN_CLEANUP(mln_csr_free) struct mln_csr *csr = csr_of("crypto/data/csr-greedy.pem");
    MLN_CLEANUP(mln_cert_free) struct mln_cert *client = NULL;
    struct mln_cert_info info;
    struct mln_validity wide = {noon_ms - day_ms, noon_ms + 1000 * day_ms};
    assert_ok(mln_ca_issue_client(f->ca, csr, MLN_S("m"), wide, &client));
    assert_ok(mln_cert_describe(client, f->arena, &info));
    assert_int_equal(info.not_before_ms, noon_ms);
    assert_int_equal(info.not_after_ms, noon_ms + 100 * day_ms);
    mln_cert_free(MLN_TAKE(client));
    struct mln_validity later = {noon_ms + 200 * day_ms, noon_ms + 300 * day_ms};
    assert_fails(INVALID, mln_ca_issue_client(f->ca, csr, MLN_S("m"), later, &client));
    assert_fails(INVALID, mln_ca_issue_client(f->ca, csr, MLN_S("m"), days(0), &client));
    assert_null(client);
}

static void serials_differ(void **state)
{
    struct fixture *f = *state;
    MLN_CLEANUP(mln_csr_free) struct mln_csr *csr = csr_of("crypto/data/csr-greedy.pem");
    MLN_CLEANUP(mln_cert_free) struct mln_cert *one = NULL;
    MLN_CLEANUP(mln_cert_free) struct mln_cert *two = NULL;
    struct mln_cert_info first, second;
    assert_ok(mln_ca_issue_client(f->ca, csr, MLN_S("m"), days(1), &one));
    assert_ok(mln_ca_issue_client(f->ca, csr, MLN_S("m"), days(1), &two));
    assert_ok(mln_cert_describe(one, f->arena, &first));
    assert_ok(mln_cert_describe(two, f->arena, &second));
    assert_false(mln_str_eq(first.serial, second.serial));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_authority, setup, teardown),
        cmocka_unit_test_setup_teardown(an_authority_is_loaded_again, setup, teardown),
        cmocka_unit_test_setup_teardown(a_server_is_no_authority, setup, teardown),
        cmocka_unit_test_setup_teardown(a_server_certificate, setup, teardown),
        cmocka_unit_test_setup_teardown(a_name_too_long_for_the_subject, setup, teardown),
        cmocka_unit_test_setup_teardown(names_that_no_server_has, setup, teardown),
        cmocka_unit_test_setup_teardown(a_greedy_request, setup, teardown),
        cmocka_unit_test_setup_teardown(the_key_of_a_request_is_the_certificates, setup, teardown),
        cmocka_unit_test(requests_that_are_refused),
        cmocka_unit_test_setup_teardown(common_names_are_plain, setup, teardown),
        cmocka_unit_test_setup_teardown(nothing_outlives_the_authority, setup, teardown),
        cmocka_unit_test_setup_teardown(serials_differ, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
