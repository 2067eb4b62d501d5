/* Reading certificates, and whether a machine's is one of ours: cert.h. What is issued is looked at in test_ca.c. */
#include "check.h"

#include "base/base64.h"
#include "base/time.h"
#include "crypto/ca.h"

static const int64_t day_ms = 24 * 60 * 60 * 1000;
static const int64_t noon_ms = 1795003200000; /* 2026-11-18T12:00:00Z */

struct fixture {
    struct mln_arena *arena;
    struct mln_ca *ca;
    struct mln_cert *client; /* issued by ca for ten days from noon */
};

static struct mln_validity days(int64_t n)
{
    return (struct mln_validity){noon_ms, noon_ms + n * day_ms};
}

static struct mln_cert *client_of(const struct mln_ca *ca, struct mln_validity validity)
{
    MLN_CLEANUP(mln_key_free) struct mln_key *key = NULL;
    MLN_CLEANUP(mln_csr_free) struct mln_csr *csr = NULL;
    MLN_BUF_CLEANUP struct mln_buf pem = MLN_BUF(8192);
    struct mln_cert *cert = NULL;
    assert_ok(mln_key_generate(&key));
    assert_ok(mln_csr_create(key, MLN_S("request"), &pem));
    assert_ok(mln_csr_from_pem(mln_buf_str(&pem), &csr));
    assert_ok(mln_ca_issue_client(ca, csr, MLN_S("machine-7"), validity, &cert));
    return cert;
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    f->arena = mln_arena_new(1 << 20);
    assert_ok(mln_ca_create(MLN_S("Merlon test CA"), days(100), &f->ca));
    f->client = client_of(f->ca, days(10));
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    mln_cert_free(f->client);
    mln_ca_free(f->ca);
    mln_arena_free(f->arena);
    free(f);
    return 0;
}

static struct mln_result verify(const struct fixture *f, const struct mln_cert *cert, int64_t at_ms)
{
    const struct mln_cert *authority = mln_ca_cert(f->ca);
    return mln_cert_verify_client(cert, &authority, 1, at_ms);
}

/* Made with `openssl req -x509`; the expected values are what `openssl x509` prints. */
static void a_certificate_of_another_program(void **state)
{
    struct fixture *f = *state;
    MLN_BUF_CLEANUP struct mln_buf pem = MLN_BUF(8192);
    MLN_CLEANUP(mln_cert_free) struct mln_cert *cert = NULL;
    MLN_CLEANUP(mln_public_key_free) struct mln_public_key *key = NULL;
    struct mln_cert_info info;
    char hex[MLN_SHA256_HEX], time[MLN_TIME_TEXT];
    check_fixture("crypto/data/client-rsa.pem", &pem);
    assert_ok(mln_cert_from_pem(mln_buf_str(&pem), &cert));
    assert_ok(mln_cert_describe(cert, f->arena, &info));
    assert_str(info.subject_cn, "automation");
    assert_str(info.issuer_cn, "automation");
    assert_str(info.serial, "452f381adde25928a8a71fdc0cefa8229a24b1be");
    assert_str(mln_hex_encode((struct mln_str){(char *)info.sha1, sizeof info.sha1}, hex),
               "16f9b3507a115f78afc9969a2a4cff5a44005654");
    assert_str(mln_hex_encode(mln_sha256_str(&info.sha256), hex),
               "81ece26e8c9d79636402c6cc25d929382ae652f214131e515d09a8c743d8d313");
    assert_str(mln_time_text(info.not_before_ms, time), "2026-11-24T14:31:54Z");
    assert_str(mln_time_text(info.not_after_ms, time), "2036-11-21T14:31:54Z");
    assert_ok(mln_cert_public_key(cert, &key));
    assert_int_equal(mln_public_key_type(key), MLN_KEY_RSA);
    assert_fails(UNAUTHENTICATED, verify(f, cert, noon_ms + 30 * day_ms));
}

static void pem_and_der(void **state)
{
    struct fixture *f = *state;
    MLN_BUF_CLEANUP struct mln_buf pem = MLN_BUF(8192), base64 = MLN_BUF(8192), der = MLN_BUF(8192),
                                   again = MLN_BUF(8192);
    MLN_CLEANUP(mln_cert_free) struct mln_cert *cert = NULL;
    assert_ok(mln_cert_to_pem(f->client, &pem));
    struct mln_str rest = mln_buf_str(&pem), line;
    while (mln_str_cut(&rest, '\n', &line))
        if (!mln_str_starts(line, MLN_S("-----")))
            assert_ok(mln_buf_append(&base64, line));
    assert_ok(mln_base64_decode(MLN_BASE64, mln_buf_str(&base64), &der));
    assert_ok(mln_cert_from_der(mln_buf_str(&der), &cert));
    assert_ok(mln_cert_to_pem(cert, &again));
    assert_true(mln_str_eq(mln_buf_str(&pem), mln_buf_str(&again)));
    mln_cert_free(MLN_TAKE(cert));
    for (size_t n = 0; n < der.n; n++)
        assert_fails(SYNTAX, mln_cert_from_der((struct mln_str){der.p, n}, &cert));
    assert_ok(mln_buf_byte(&der, 'x'));
    assert_fails(SYNTAX, mln_cert_from_der(mln_buf_str(&der), &cert));
    assert_null(cert);
}

static void what_is_no_certificate(void **state)
{
    (void)state;
    MLN_CLEANUP(mln_cert_free) struct mln_cert *cert = NULL;
    MLN_BUF_CLEANUP struct mln_buf large = MLN_BUF(MLN_CERT_PEM_MAX_BYTES + 1), key = MLN_BUF(8192);
    assert_fails(SYNTAX, mln_cert_from_pem(MLN_S(""), &cert));
    assert_fails(SYNTAX,
                 mln_cert_from_pem(MLN_S("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"), &cert));
    check_fixture("crypto/data/key-sec1.pem", &key);
    assert_fails(SYNTAX, mln_cert_from_pem(mln_buf_str(&key), &cert));
    while (large.n <= MLN_CERT_PEM_MAX_BYTES)
        assert_ok(mln_buf_byte(&large, '0'));
    assert_fails(LIMIT, mln_cert_from_pem(mln_buf_str(&large), &cert));
    assert_fails(LIMIT, mln_cert_from_der(mln_buf_str(&large), &cert));
}

static void a_weak_key_is_not_given_out(void **state)
{
    (void)state;
    MLN_BUF_CLEANUP struct mln_buf pem = MLN_BUF(8192);
    MLN_CLEANUP(mln_cert_free) struct mln_cert *cert = NULL;
    MLN_CLEANUP(mln_public_key_free) struct mln_public_key *key = NULL;
    check_fixture("crypto/data/rsa-1024.pem", &pem);
    assert_ok(mln_cert_from_pem(mln_buf_str(&pem), &cert));
    assert_fails(INVALID, mln_cert_public_key(cert, &key));
    assert_null(key);
}

static void a_machine_of_ours(void **state)
{
    struct fixture *f = *state;
    assert_ok(verify(f, f->client, noon_ms));
    assert_ok(verify(f, f->client, noon_ms + 5 * day_ms));
    assert_fails(UNAUTHENTICATED, verify(f, f->client, noon_ms - 1000));
    assert_fails(UNAUTHENTICATED, verify(f, f->client, noon_ms + 10 * day_ms + 1000));
    assert_non_null(strstr(mln_error_text(), "expired"));
}

static void a_machine_of_somebody_else(void **state)
{
    struct fixture *f = *state;
    MLN_CLEANUP(mln_ca_free) struct mln_ca *impostor = NULL;
    assert_ok(mln_ca_create(MLN_S("Merlon test CA"), days(100), &impostor)); /* the same name, another key */
    MLN_CLEANUP(mln_cert_free) struct mln_cert *stranger = client_of(impostor, days(10));
    assert_fails(UNAUTHENTICATED, verify(f, stranger, noon_ms));
    assert_fails(UNAUTHENTICATED, mln_cert_verify_client(f->client, NULL, 0, noon_ms));
}

static void authorities_change_over(void **state)
{
    struct fixture *f = *state;
    MLN_CLEANUP(mln_ca_free) struct mln_ca *newer = NULL;
    assert_ok(mln_ca_create(MLN_S("Merlon test CA"), days(100), &newer));
    MLN_CLEANUP(mln_cert_free) struct mln_cert *renewed = client_of(newer, days(10));
    const struct mln_cert *both[] = {mln_ca_cert(f->ca), mln_ca_cert(newer)};
    assert_ok(mln_cert_verify_client(f->client, both, 2, noon_ms));
    assert_ok(mln_cert_verify_client(renewed, both, 2, noon_ms));
}

static void certificates_for_other_purposes(void **state)
{
    struct fixture *f = *state;
    MLN_CLEANUP(mln_cert_free) struct mln_cert *server = NULL;
    MLN_CLEANUP(mln_key_free) struct mln_key *key = NULL;
    const struct mln_str name = MLN_S("merlon.example");
    assert_ok(mln_key_generate(&key));
    assert_ok(mln_ca_issue_server(f->ca, key, &name, 1, days(10), &server));
    assert_fails(UNAUTHENTICATED, verify(f, server, noon_ms));
    assert_fails(UNAUTHENTICATED, verify(f, mln_ca_cert(f->ca), noon_ms)); /* an authority is no machine */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_certificate_of_another_program, setup, teardown),
        cmocka_unit_test_setup_teardown(pem_and_der, setup, teardown),
        cmocka_unit_test(what_is_no_certificate),
        cmocka_unit_test(a_weak_key_is_not_given_out),
        cmocka_unit_test_setup_teardown(a_machine_of_ours, setup, teardown),
        cmocka_unit_test_setup_teardown(a_machine_of_somebody_else, setup, teardown),
        cmocka_unit_test_setup_teardown(authorities_change_over, setup, teardown),
        cmocka_unit_test_setup_teardown(certificates_for_other_purposes, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
