#include "check.h"

#include "crypto/key.h"

static struct mln_key *key_of(const char *fixture)
{
    struct mln_key *key = NULL;
    MLN_BUF_CLEANUP struct mln_buf pem = MLN_BUF_SECRET(MLN_KEY_PEM_MAX_BYTES);
    check_fixture(fixture, &pem);
    assert_ok(mln_key_from_pem(mln_buf_str(&pem), &key));
    return key;
}

static void assert_same_key(const struct mln_key *a, const struct mln_key *b, bool same)
{
    MLN_CLEANUP(mln_public_key_free) struct mln_public_key *public_a = NULL;
    MLN_CLEANUP(mln_public_key_free) struct mln_public_key *public_b = NULL;
    struct mln_sha256 print_a, print_b;
    assert_ok(mln_key_public(a, &public_a));
    assert_ok(mln_key_public(b, &public_b));
    assert_ok(mln_public_key_fingerprint(public_a, &print_a));
    assert_ok(mln_public_key_fingerprint(public_b, &print_b));
    assert_int_equal(mln_secret_eq(mln_sha256_str(&print_a), mln_sha256_str(&print_b)), same);
}

static void a_key_survives_pem(void **state)
{
    (void)state;
    MLN_CLEANUP(mln_key_free) struct mln_key *key = NULL;
    MLN_CLEANUP(mln_key_free) struct mln_key *again = NULL;
    MLN_CLEANUP(mln_key_free) struct mln_key *other = NULL;
    MLN_BUF_CLEANUP struct mln_buf pem = MLN_BUF_SECRET(MLN_KEY_PEM_MAX_BYTES);
    assert_ok(mln_key_generate(&key));
    assert_ok(mln_key_generate(&other));
    assert_ok(mln_key_to_pem(key, &pem));
    assert_true(mln_str_starts(mln_buf_str(&pem), MLN_S("-----BEGIN PRIVATE KEY-----\n")));
    assert_ok(mln_key_from_pem(mln_buf_str(&pem), &again));
    assert_same_key(key, again, true);
    assert_same_key(key, other, false);
}

static void a_private_key_goes_into_secret_buffers_only(void **state)
{
    (void)state;
    MLN_CLEANUP(mln_key_free) struct mln_key *key = NULL;
    MLN_BUF_CLEANUP struct mln_buf open = MLN_BUF(MLN_KEY_PEM_MAX_BYTES), small = MLN_BUF_SECRET(16);
    assert_ok(mln_key_generate(&key));
    assert_fails(INVALID, mln_key_to_pem(key, &open));
    assert_fails(LIMIT, mln_key_to_pem(key, &small));
}

static void keys_in_the_older_form(void **state)
{
    (void)state;
    MLN_CLEANUP(mln_key_free) struct mln_key *key = key_of("crypto/data/key-sec1.pem");
    assert_same_key(key, key, true);
}

static void other_private_keys_are_refused(void **state)
{
    (void)state;
    MLN_CLEANUP(mln_key_free) struct mln_key *key = NULL;
    MLN_BUF_CLEANUP struct mln_buf p384 = MLN_BUF(8192), encrypted = MLN_BUF(8192), certificate = MLN_BUF(8192);
    check_fixture("crypto/data/key-p384.pem", &p384);
    assert_fails(INVALID, mln_key_from_pem(mln_buf_str(&p384), &key));
    check_fixture("crypto/data/key-encrypted.pem", &encrypted);
    assert_fails(SYNTAX, mln_key_from_pem(mln_buf_str(&encrypted), &key));
    check_fixture("crypto/data/client-rsa.pem", &certificate);
    assert_fails(SYNTAX, mln_key_from_pem(mln_buf_str(&certificate), &key));
    assert_fails(SYNTAX, mln_key_from_pem(MLN_S(""), &key));
    assert_null(key);
    mln_buf_free(&certificate);
    certificate.max_bytes = MLN_KEY_PEM_MAX_BYTES + 1;
    while (certificate.n <= MLN_KEY_PEM_MAX_BYTES)
        assert_ok(mln_buf_byte(&certificate, ' '));
    assert_fails(LIMIT, mln_key_from_pem(mln_buf_str(&certificate), &key));
}

static void a_public_key_survives_pem(void **state)
{
    (void)state;
    MLN_CLEANUP(mln_key_free) struct mln_key *key = NULL;
    MLN_CLEANUP(mln_public_key_free) struct mln_public_key *public = NULL;
    MLN_CLEANUP(mln_public_key_free) struct mln_public_key *again = NULL;
    MLN_BUF_CLEANUP struct mln_buf pem = MLN_BUF(MLN_KEY_PEM_MAX_BYTES), second = MLN_BUF(MLN_KEY_PEM_MAX_BYTES);
    assert_ok(mln_key_generate(&key));
    assert_ok(mln_key_public(key, &public));
    assert_int_equal(mln_public_key_type(public), MLN_KEY_P256);
    assert_ok(mln_public_key_to_pem(public, &pem));
    assert_ok(mln_public_key_from_pem(mln_buf_str(&pem), &again));
    assert_ok(mln_public_key_to_pem(again, &second));
    assert_true(mln_str_eq(mln_buf_str(&pem), mln_buf_str(&second)));
    assert_true(mln_str_starts(mln_buf_str(&pem), MLN_S("-----BEGIN PUBLIC KEY-----\n")));
    mln_public_key_free(MLN_TAKE(again));
    assert_fails(
        SYNTAX, mln_public_key_from_pem(MLN_S("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"), &again));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_survives_pem),        cmocka_unit_test(a_private_key_goes_into_secret_buffers_only),
        cmocka_unit_test(keys_in_the_older_form),    cmocka_unit_test(other_private_keys_are_refused),
        cmocka_unit_test(a_public_key_survives_pem),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
