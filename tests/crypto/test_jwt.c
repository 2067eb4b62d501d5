#include "check.h"

#include "base/base64.h"
#include "crypto/cert.h"
#include "crypto/jwt.h"

#define CLAIMS "{\"iss\":\"https://merlon.example/adfs\",\"exp\":1795000600}"

struct fixture {
    struct mln_arena *arena;
    struct mln_jwt_keys *keys;
    struct mln_key *key;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    f->arena = mln_arena_new(1 << 20);
    assert_ok(mln_key_generate(&f->key));
    assert_ok(mln_jwt_keys_new(&f->keys));
    assert_ok(mln_jwt_keys_add(f->keys, f->key));
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    mln_jwt_keys_free(f->keys);
    mln_key_free(f->key);
    mln_arena_free(f->arena);
    free(f);
    return 0;
}

static void our_own_token(void **state)
{
    struct fixture *f = *state;
    MLN_BUF_CLEANUP struct mln_buf token = MLN_BUF_SECRET(4096);
    struct mln_str payload;
    struct mln_jwt jwt;
    assert_ok(mln_jwt_keys_sign(f->keys, MLN_S(CLAIMS), &token));
    assert_ok(mln_jwt_keys_verify(f->keys, mln_buf_str(&token), f->arena, &payload));
    assert_str(payload, CLAIMS);
    assert_ok(mln_jwt_decode(mln_buf_str(&token), f->arena, &jwt));
    assert_true(mln_str_starts(jwt.header, MLN_S("{\"alg\":\"ES256\",\"typ\":\"JWT\",\"kid\":\"")));
    assert_int_equal(jwt.signature.n, 64);
}

/* Every single character of a token counts: changed into any other character of its kind, the token is refused. */
static void a_changed_token_is_refused(void **state)
{
    struct fixture *f = *state;
    MLN_BUF_CLEANUP struct mln_buf token = MLN_BUF_SECRET(4096);
    struct mln_str payload;
    assert_ok(mln_jwt_keys_sign(f->keys, MLN_S("{}"), &token));
    for (size_t i = 0; i < token.n; i++) {
        char was = token.p[i];
        token.p[i] = was == 'A' ? 'B' : 'A';
        assert_fails(UNAUTHENTICATED, mln_jwt_keys_verify(f->keys, mln_buf_str(&token), f->arena, &payload));
        assert_null(payload.p);
        token.p[i] = was;
    }
    for (size_t n = 0; n < token.n; n++)
        assert_fails(UNAUTHENTICATED, mln_jwt_keys_verify(f->keys, (struct mln_str){token.p, n}, f->arena, &payload));
    assert_ok(mln_buf_byte(&token, 'A'));
    assert_fails(UNAUTHENTICATED, mln_jwt_keys_verify(f->keys, mln_buf_str(&token), f->arena, &payload));
}

static void keys_change_over(void **state)
{
    struct fixture *f = *state;
    MLN_CLEANUP(mln_key_free) struct mln_key *newer = NULL;
    MLN_CLEANUP(mln_jwt_keys_free) struct mln_jwt_keys *both = NULL;
    MLN_BUF_CLEANUP struct mln_buf old_token = MLN_BUF(4096), new_token = MLN_BUF(4096);
    struct mln_str payload;
    assert_ok(mln_key_generate(&newer));
    assert_ok(mln_jwt_keys_new(&both));
    assert_ok(mln_jwt_keys_add(both, newer));
    assert_ok(mln_jwt_keys_add(both, f->key));
    assert_ok(mln_jwt_keys_sign(f->keys, MLN_S(CLAIMS), &old_token));
    assert_ok(mln_jwt_keys_sign(both, MLN_S(CLAIMS), &new_token));
    assert_ok(mln_jwt_keys_verify(both, mln_buf_str(&old_token), f->arena, &payload));
    assert_ok(mln_jwt_keys_verify(both, mln_buf_str(&new_token), f->arena, &payload));
    assert_fails(UNAUTHENTICATED, mln_jwt_keys_verify(f->keys, mln_buf_str(&new_token), f->arena, &payload));
}

static void a_key_set_has_bounds(void **state)
{
    struct fixture *f = *state;
    MLN_CLEANUP(mln_jwt_keys_free) struct mln_jwt_keys *keys = NULL;
    MLN_BUF_CLEANUP struct mln_buf token = MLN_BUF(4096);
    struct mln_str payload;
    assert_ok(mln_jwt_keys_new(&keys));
    assert_fails(CONFLICT, mln_jwt_keys_sign(keys, MLN_S(CLAIMS), &token));
    assert_fails(UNAUTHENTICATED, mln_jwt_keys_verify(keys, MLN_S("a.b.c"), f->arena, &payload));
    assert_ok(mln_jwt_keys_add(keys, f->key));
    assert_fails(CONFLICT, mln_jwt_keys_add(keys, f->key));
    for (int i = 1; i <= MLN_JWT_KEYS_MAX; i++) {
        MLN_CLEANUP(mln_key_free) struct mln_key *key = NULL;
        assert_ok(mln_key_generate(&key));
        if (i < MLN_JWT_KEYS_MAX)
            assert_ok(mln_jwt_keys_add(keys, key));
        else
            assert_fails(LIMIT, mln_jwt_keys_add(keys, key));
    }
}

/* The published form carries what verifies a token: coordinates that make the same thumbprint as the token's kid. */
static void the_published_keys(void **state)
{
    struct fixture *f = *state;
    MLN_BUF_CLEANUP struct mln_buf set = MLN_BUF(4096), token = MLN_BUF(4096), thumbprint = MLN_BUF(64);
    struct mln_jwt jwt;
    char x[44], y[44], kid[44], canonical[256];
    assert_ok(mln_jwt_keys_jwks(f->keys, &set));
    assert_int_equal(sscanf(set.p,
                            "{\"keys\":[{\"kty\":\"EC\",\"use\":\"sig\",\"alg\":\"ES256\",\"crv\":\"P-256\",\"kid\":"
                            "\"%43[^\"]\",\"x\":\"%43[^\"]\",\"y\":\"%43[^\"]\"}]}",
                            kid, x, y),
                     3);
    snprintf(canonical, sizeof canonical, "{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"%s\",\"y\":\"%s\"}", x, y);
    struct mln_sha256 digest;
    assert_ok(mln_sha256(mln_str_c(canonical), &digest));
    assert_ok(mln_base64_encode(MLN_BASE64URL, mln_sha256_str(&digest), &thumbprint));
    assert_str(mln_buf_str(&thumbprint), kid);
    assert_ok(mln_jwt_keys_sign(f->keys, MLN_S(CLAIMS), &token));
    assert_ok(mln_jwt_decode(mln_buf_str(&token), f->arena, &jwt));
    assert_true(mln_str_find(jwt.header, mln_buf_str(&thumbprint), 0) != SIZE_MAX);
}

static void the_published_keys_of_several(void **state)
{
    struct fixture *f = *state;
    MLN_CLEANUP(mln_key_free) struct mln_key *second = NULL;
    MLN_BUF_CLEANUP struct mln_buf set = MLN_BUF(4096), small = MLN_BUF(40);
    assert_ok(mln_key_generate(&second));
    assert_ok(mln_jwt_keys_add(f->keys, second));
    assert_ok(mln_jwt_keys_jwks(f->keys, &set));
    size_t first = mln_str_find(mln_buf_str(&set), MLN_S("\"kty\""), 0);
    assert_true(mln_str_find(mln_buf_str(&set), MLN_S("},{\"kty\""), first) != SIZE_MAX);
    assert_fails(LIMIT, mln_jwt_keys_jwks(f->keys, &small));
}

/* Assertions as az makes them (msal's JwtAssertionCreator) with a certificate of `openssl req -x509`. */
static void verify_assertion(struct fixture *f, const char *fixture, const char *alg, const char *other_alg)
{
    MLN_BUF_CLEANUP struct mln_buf token = MLN_BUF(MLN_JWT_MAX_BYTES), pem = MLN_BUF(MLN_CERT_PEM_MAX_BYTES);
    MLN_CLEANUP(mln_cert_free) struct mln_cert *cert = NULL;
    MLN_CLEANUP(mln_public_key_free) struct mln_public_key *key = NULL;
    struct mln_jwt jwt;
    check_fixture(fixture, &token);
    check_fixture("crypto/data/client-rsa.pem", &pem);
    assert_ok(mln_cert_from_pem(mln_buf_str(&pem), &cert));
    assert_ok(mln_cert_public_key(cert, &key));
    assert_ok(mln_jwt_decode(mln_buf_str(&token), f->arena, &jwt));
    assert_true(mln_str_find(jwt.header, mln_str_c(alg), 0) != SIZE_MAX);
    assert_true(mln_str_find(jwt.payload, MLN_S("\"exp\":1795000600.5"), 0) != SIZE_MAX);
    assert_ok(mln_jwt_verify(&jwt, mln_str_c(alg), key));
    assert_fails(UNAUTHENTICATED, mln_jwt_verify(&jwt, mln_str_c(other_alg), key));
    assert_fails(UNAUTHENTICATED, mln_jwt_verify(&jwt, MLN_S("ES256"), key));
    assert_fails(UNAUTHENTICATED, mln_jwt_verify(&jwt, MLN_S("none"), key));
    assert_fails(UNAUTHENTICATED, mln_jwt_verify(&jwt, MLN_S("HS256"), key));
    assert_fails(UNAUTHENTICATED, mln_jwt_verify(&jwt, MLN_S("rs256"), key));
    assert_fails(UNAUTHENTICATED, mln_jwt_verify(&jwt, MLN_S(""), key));
    token.p[jwt.signed_part.n - 1] = token.p[jwt.signed_part.n - 1] == 'A' ? 'B' : 'A';
    assert_fails(UNAUTHENTICATED, mln_jwt_verify(&jwt, mln_str_c(alg), key));
}

static void client_assertions_with_rsa(void **state)
{
    verify_assertion(*state, "crypto/data/assertion-rs256.jwt", "RS256", "PS256");
    verify_assertion(*state, "crypto/data/assertion-ps256.jwt", "PS256", "RS256");
}

static void client_assertions_with_ec(void **state)
{
    struct fixture *f = *state;
    MLN_CLEANUP(mln_public_key_free) struct mln_public_key *key = NULL;
    MLN_BUF_CLEANUP struct mln_buf token = MLN_BUF(4096);
    struct mln_jwt jwt;
    assert_ok(mln_key_public(f->key, &key));
    assert_ok(mln_jwt_sign(f->key, MLN_S("{\"alg\":\"ES256\"}"), MLN_S(CLAIMS), &token));
    assert_ok(mln_jwt_decode(mln_buf_str(&token), f->arena, &jwt));
    assert_str(jwt.header, "{\"alg\":\"ES256\"}");
    assert_ok(mln_jwt_verify(&jwt, MLN_S("ES256"), key));
    assert_fails(UNAUTHENTICATED, mln_jwt_verify(&jwt, MLN_S("RS256"), key));
    jwt.signature.n--;
    assert_fails(UNAUTHENTICATED, mln_jwt_verify(&jwt, MLN_S("ES256"), key));
    /* The key set knows the key, but has not written this header. */
    struct mln_str payload;
    assert_fails(UNAUTHENTICATED, mln_jwt_keys_verify(f->keys, mln_buf_str(&token), f->arena, &payload));
}

/* RFC 7515, appendix A.3: key, token. */
static void the_es256_vector_of_the_rfc(void **state)
{
    struct fixture *f = *state;
    static const char pem[] = "-----BEGIN PUBLIC KEY-----\n"
                              "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEf83OJ3D2xF1Bg8vub9tLe1gHMzV7\n"
                              "6e8Tus9uPHvRVEXH8UTNG72bfocs3+257rn0s2ldbqkLJK2KRiMohYjlrQ==\n"
                              "-----END PUBLIC KEY-----\n";
    static const char token[] =
        "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt"
        "cGxlLmNvbS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djx"
        "La8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
    MLN_CLEANUP(mln_public_key_free) struct mln_public_key *key = NULL;
    struct mln_jwt jwt;
    assert_ok(mln_public_key_from_pem(mln_str_c(pem), &key));
    assert_ok(mln_jwt_decode(mln_str_c(token), f->arena, &jwt));
    assert_ok(mln_jwt_verify(&jwt, MLN_S("ES256"), key));
}

static void not_a_token(void **state)
{
    struct fixture *f = *state;
    const char *const wrong[] = {"",
                                 ".",
                                 "..",
                                 "...",
                                 "e30",
                                 "e30.e30",
                                 "e30.e30.",
                                 ".e30.QQ",
                                 "e30..QQ",
                                 "e30.e30.QQ.QQ",
                                 "e30.e30.Q",
                                 "e30.e30.QQ==",
                                 "e3 0.e30.QQ",
                                 "e30.e30.Q+",
                                 "e31=.e30.QQ",
                                 "\n.e30.QQ"};
    struct mln_jwt jwt;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_fails(UNAUTHENTICATED, mln_jwt_decode(mln_str_c(wrong[i]), f->arena, &jwt));
    assert_ok(mln_jwt_decode(MLN_S("e30.e30.QQ"), f->arena, &jwt));
}

static void tokens_have_a_largest_size(void **state)
{
    struct fixture *f = *state;
    MLN_BUF_CLEANUP struct mln_buf payload = MLN_BUF(MLN_JWT_MAX_BYTES), token = MLN_BUF(2 * MLN_JWT_MAX_BYTES);
    struct mln_jwt jwt;
    while (payload.n < MLN_JWT_MAX_BYTES)
        assert_ok(mln_buf_byte(&payload, ' '));
    assert_fails(LIMIT, mln_jwt_keys_sign(f->keys, mln_buf_str(&payload), &token));
    assert_int_equal(token.n, 0);
    assert_ok(mln_buf_append(&token, MLN_S("e30.e30.")));
    while (token.n <= MLN_JWT_MAX_BYTES)
        assert_ok(mln_buf_byte(&token, 'A'));
    assert_fails(UNAUTHENTICATED, mln_jwt_decode(mln_buf_str(&token), f->arena, &jwt));
    MLN_CLEANUP(mln_arena_free) struct mln_arena *small = mln_arena_new(8);
    assert_fails(LIMIT, mln_jwt_decode(MLN_S("e30.eyJhIjoiYiJ9.QUFBQQ"), small, &jwt));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(our_own_token, setup, teardown),
        cmocka_unit_test_setup_teardown(a_changed_token_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(keys_change_over, setup, teardown),
        cmocka_unit_test_setup_teardown(a_key_set_has_bounds, setup, teardown),
        cmocka_unit_test_setup_teardown(the_published_keys, setup, teardown),
        cmocka_unit_test_setup_teardown(the_published_keys_of_several, setup, teardown),
        cmocka_unit_test_setup_teardown(client_assertions_with_rsa, setup, teardown),
        cmocka_unit_test_setup_teardown(client_assertions_with_ec, setup, teardown),
        cmocka_unit_test_setup_teardown(the_es256_vector_of_the_rfc, setup, teardown),
        cmocka_unit_test_setup_teardown(not_a_token, setup, teardown),
        cmocka_unit_test_setup_teardown(tokens_have_a_largest_size, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
