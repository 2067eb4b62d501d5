#include "crypto/jwt.h"

#include "base/base64.h"
#include "crypto/openssl.h"

#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/rsa.h>

enum { P256_NUMBER_BYTES = 32, P256_SIGNATURE_BYTES = 2 * P256_NUMBER_BYTES, BASE64_OF_32 = 44 };

MLN_DEFINE_CLEANUP(ECDSA_SIG, ECDSA_SIG_free)
MLN_DEFINE_CLEANUP(BIGNUM, BN_free)

struct signing_key {
    EVP_PKEY *pkey;
    char x[BASE64_OF_32], y[BASE64_OF_32], kid[BASE64_OF_32]; /* base64url */
    char prefix[256];                                         /* of each token: the header in base64url, and a dot */
};

struct mln_jwt_keys {
    struct signing_key at[MLN_JWT_KEYS_MAX];
    size_t n;
};

/* name, the key's kind, whether RSA uses PSS (RFC 7518 section 3.1); all with SHA-256 */
static const struct algorithm {
    struct mln_str name;
    enum mln_key_type type;
    bool pss;
} algorithms[] = {
    {MLN_S("ES256"), MLN_KEY_P256, false},
    {MLN_S("RS256"), MLN_KEY_RSA, false},
    {MLN_S("PS256"), MLN_KEY_RSA, true},
};

static struct mln_result refuse(const char *why)
{
    return mln_fail(MLN_E_UNAUTHENTICATED, "token refused: %s", why);
}

/* One base64url part of a token, decoded into the arena. */
static struct mln_result decode_part(struct mln_str text, struct mln_arena *arena, struct mln_str *out)
{
    MLN_BUF_CLEANUP struct mln_buf bytes = MLN_BUF_SECRET(MLN_JWT_MAX_BYTES);
    if (!mln_ok(mln_base64_decode(MLN_BASE64URL, text, &bytes)))
        return refuse("a part is not base64url");
    MLN_TRY_STR(arena, *out, mln_str_dup(arena, mln_buf_str(&bytes)));
    return MLN_OK;
}

struct mln_result mln_jwt_decode(struct mln_str token, struct mln_arena *arena, struct mln_jwt *out)
{
    *out = (struct mln_jwt){0};
    if (token.n > MLN_JWT_MAX_BYTES)
        return refuse("it is too large");
    struct mln_str rest = token, header, payload, signature;
    if (!mln_str_cut(&rest, '.', &header) || !mln_str_cut(&rest, '.', &payload) ||
        !mln_str_cut(&rest, '.', &signature) || rest.p || !header.n || !payload.n)
        return refuse("it has not three parts");
    if (!signature.n)
        return refuse("it is not signed");
    out->signed_part = mln_str_sub(token, 0, header.n + 1 + payload.n);
    MLN_TRY(decode_part(header, arena, &out->header));
    MLN_TRY(decode_part(payload, arena, &out->payload));
    return decode_part(signature, arena, &out->signature);
}

/* JOSE's r || s as the DER that OpenSSL wants; der is to be freed with OPENSSL_free. */
static struct mln_result signature_to_der(struct mln_str signature, unsigned char **der, size_t *der_bytes)
{
    if (signature.n != P256_SIGNATURE_BYTES)
        return refuse("its signature has the wrong length");
    const unsigned char *bytes = (const unsigned char *)signature.p;
    MLN_CLEANUP(ECDSA_SIG_free) ECDSA_SIG *pair = ECDSA_SIG_new();
    MLN_CLEANUP(BN_free) BIGNUM *r = BN_bin2bn(bytes, P256_NUMBER_BYTES, NULL);
    MLN_CLEANUP(BN_free) BIGNUM *s = BN_bin2bn(bytes + P256_NUMBER_BYTES, P256_NUMBER_BYTES, NULL);
    if (!pair || !r || !s || ECDSA_SIG_set0(pair, r, s) != 1)
        return mln_openssl_fail(MLN_E_MEMORY, "reading a signature");
    r = s = NULL; /* pair owns them */
    int n = i2d_ECDSA_SIG(pair, der);
    if (n <= 0)
        return mln_openssl_fail(MLN_E_MEMORY, "reading a signature");
    *der_bytes = (size_t)n;
    return MLN_OK;
}

static struct mln_result verify(const struct algorithm *algorithm, EVP_PKEY *pkey, struct mln_str signed_part,
                                const unsigned char *signature, size_t signature_bytes)
{
    MLN_CLEANUP(EVP_MD_CTX_free) EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_PKEY_CTX *parameters = NULL;
    if (!context || EVP_DigestVerifyInit(context, &parameters, EVP_sha256(), NULL, pkey) != 1)
        return mln_openssl_fail(MLN_E_INTERNAL, "verifying a token");
    if (algorithm->pss && (EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING) != 1 ||
                           EVP_PKEY_CTX_set_rsa_mgf1_md(parameters, EVP_sha256()) != 1 ||
                           EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, RSA_PSS_SALTLEN_DIGEST) != 1))
        return mln_openssl_fail(MLN_E_INTERNAL, "verifying a token");
    if (EVP_DigestVerify(context, signature, signature_bytes, (const unsigned char *)signed_part.p, signed_part.n) != 1)
        return mln_openssl_fail(MLN_E_UNAUTHENTICATED, "token refused: its signature");
    return MLN_OK;
}

struct mln_result mln_jwt_verify(const struct mln_jwt *jwt, struct mln_str alg, const struct mln_public_key *key)
{
    const struct algorithm *algorithm = NULL;
    for (size_t i = 0; i < sizeof algorithms / sizeof *algorithms; i++)
        if (mln_str_eq(alg, algorithms[i].name))
            algorithm = &algorithms[i];
    if (!algorithm)
        return refuse("its algorithm is not one of ES256, RS256, PS256");
    if (algorithm->type != mln_public_key_type(key))
        return refuse("its algorithm does not go with the key");
    if (algorithm->type == MLN_KEY_RSA)
        return verify(algorithm, key->pkey, jwt->signed_part, (const unsigned char *)jwt->signature.p,
                      jwt->signature.n);
    unsigned char *der = NULL;
    size_t n = 0;
    MLN_TRY(signature_to_der(jwt->signature, &der, &n));
    struct mln_result r = verify(algorithm, key->pkey, jwt->signed_part, der, n);
    OPENSSL_free(der);
    return r;
}

/* ES256 over data, as r || s. */
static struct mln_result sign_bytes(EVP_PKEY *pkey, struct mln_str data, unsigned char out[P256_SIGNATURE_BYTES])
{
    unsigned char der[128];
    size_t n = sizeof der;
    MLN_CLEANUP(EVP_MD_CTX_free) EVP_MD_CTX *context = EVP_MD_CTX_new();
    if (!context || EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, pkey) != 1 ||
        EVP_DigestSign(context, der, &n, (const unsigned char *)data.p, data.n) != 1)
        return mln_openssl_fail(MLN_E_INTERNAL, "signing a token");
    const unsigned char *at = der;
    MLN_CLEANUP(ECDSA_SIG_free) ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &at, (long)n);
    if (!pair || BN_bn2binpad(ECDSA_SIG_get0_r(pair), out, P256_NUMBER_BYTES) != P256_NUMBER_BYTES ||
        BN_bn2binpad(ECDSA_SIG_get0_s(pair), out + P256_NUMBER_BYTES, P256_NUMBER_BYTES) != P256_NUMBER_BYTES)
        return mln_openssl_fail(MLN_E_INTERNAL, "signing a token");
    return MLN_OK;
}

/* Completes a token whose header and dot are in token. */
static struct mln_result finish_token(EVP_PKEY *pkey, struct mln_str payload, struct mln_buf *token)
{
    unsigned char signature[P256_SIGNATURE_BYTES];
    MLN_TRY(mln_base64_encode(MLN_BASE64URL, payload, token));
    MLN_TRY(sign_bytes(pkey, mln_buf_str(token), signature));
    MLN_TRY(mln_buf_byte(token, '.'));
    return mln_base64_encode(MLN_BASE64URL, (struct mln_str){(char *)signature, sizeof signature}, token);
}

struct mln_result mln_jwt_sign(const struct mln_key *key, struct mln_str header, struct mln_str payload,
                               struct mln_buf *out)
{
    MLN_BUF_CLEANUP struct mln_buf token = MLN_BUF_SECRET(MLN_JWT_MAX_BYTES);
    MLN_TRY(mln_base64_encode(MLN_BASE64URL, header, &token));
    MLN_TRY(mln_buf_byte(&token, '.'));
    MLN_TRY(finish_token(key->pkey, payload, &token));
    return mln_buf_append(out, mln_buf_str(&token));
}

struct mln_result mln_jwt_keys_new(struct mln_jwt_keys **out)
{
    *out = calloc(1, sizeof **out);
    return *out ? MLN_OK : mln_fail(MLN_E_MEMORY, "no memory for a key set");
}

void mln_jwt_keys_free(struct mln_jwt_keys *keys)
{
    if (!keys)
        return;
    for (size_t i = 0; i < keys->n; i++)
        EVP_PKEY_free(keys->at[i].pkey);
    free(keys);
}

static struct mln_result put_text(struct mln_buf *text, char *out, size_t room)
{
    if (text->n >= room)
        return mln_fail(MLN_E_INTERNAL, "a text of a key set is too long");
    memcpy(out, text->p, text->n + 1);
    return MLN_OK;
}

static struct mln_result bytes_to_text(const unsigned char bytes[32], char out[BASE64_OF_32])
{
    MLN_BUF_CLEANUP struct mln_buf text = MLN_BUF(BASE64_OF_32);
    MLN_TRY(mln_base64_encode(MLN_BASE64URL, (struct mln_str){(const char *)bytes, 32}, &text));
    return put_text(&text, out, BASE64_OF_32);
}

static struct mln_result coordinate(const EVP_PKEY *pkey, const char *name, char out[BASE64_OF_32])
{
    unsigned char bytes[P256_NUMBER_BYTES];
    BIGNUM *raw = NULL;
    int got = EVP_PKEY_get_bn_param(pkey, name, &raw);
    MLN_CLEANUP(BN_free) BIGNUM *number = raw;
    if (got != 1 || BN_bn2binpad(number, bytes, sizeof bytes) != sizeof bytes)
        return mln_openssl_fail(MLN_E_INTERNAL, "reading a public key");
    return bytes_to_text(bytes, out);
}

/* The texts of a key: coordinates, RFC 7638 thumbprint, token header. */
static struct mln_result describe_key(struct signing_key *key)
{
    MLN_TRY(coordinate(key->pkey, OSSL_PKEY_PARAM_EC_PUB_X, key->x));
    MLN_TRY(coordinate(key->pkey, OSSL_PKEY_PARAM_EC_PUB_Y, key->y));
    MLN_BUF_CLEANUP struct mln_buf text = MLN_BUF(512);
    MLN_TRY(mln_buf_printf(&text, "{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"%s\",\"y\":\"%s\"}", key->x, key->y));
    struct mln_sha256 thumbprint;
    MLN_TRY(mln_sha256(mln_buf_str(&text), &thumbprint));
    MLN_TRY(bytes_to_text(thumbprint.bytes, key->kid));
    mln_buf_clear(&text);
    MLN_TRY(mln_buf_printf(&text, "{\"alg\":\"ES256\",\"typ\":\"JWT\",\"kid\":\"%s\"}", key->kid));
    MLN_BUF_CLEANUP struct mln_buf prefix = MLN_BUF(512);
    MLN_TRY(mln_base64_encode(MLN_BASE64URL, mln_buf_str(&text), &prefix));
    MLN_TRY(mln_buf_byte(&prefix, '.'));
    return put_text(&prefix, key->prefix, sizeof key->prefix);
}

struct mln_result mln_jwt_keys_add(struct mln_jwt_keys *keys, const struct mln_key *key)
{
    if (keys->n == MLN_JWT_KEYS_MAX)
        return mln_fail(MLN_E_LIMIT, "a key set has at most %d keys", MLN_JWT_KEYS_MAX);
    struct signing_key added = {.pkey = key->pkey};
    MLN_TRY(describe_key(&added));
    for (size_t i = 0; i < keys->n; i++)
        if (!strcmp(keys->at[i].kid, added.kid))
            return mln_fail(MLN_E_CONFLICT, "the key is in the set already");
    if (EVP_PKEY_up_ref(added.pkey) != 1)
        return mln_openssl_fail(MLN_E_INTERNAL, "counting a key");
    keys->at[keys->n++] = added;
    return MLN_OK;
}

struct mln_result mln_jwt_keys_sign(const struct mln_jwt_keys *keys, struct mln_str payload, struct mln_buf *out)
{
    if (!keys->n)
        return mln_fail(MLN_E_CONFLICT, "there is no key to sign with");
    MLN_BUF_CLEANUP struct mln_buf token = MLN_BUF_SECRET(MLN_JWT_MAX_BYTES);
    MLN_TRY(mln_buf_append(&token, mln_str_c(keys->at[0].prefix)));
    MLN_TRY(finish_token(keys->at[0].pkey, payload, &token));
    return mln_buf_append(out, mln_buf_str(&token));
}

struct mln_result mln_jwt_keys_verify(const struct mln_jwt_keys *keys, struct mln_str token, struct mln_arena *arena,
                                      struct mln_str *payload)
{
    *payload = (struct mln_str){0};
    for (size_t i = 0; i < keys->n; i++) {
        if (!mln_str_starts(token, mln_str_c(keys->at[i].prefix)))
            continue;
        struct mln_jwt jwt;
        MLN_TRY(mln_jwt_decode(token, arena, &jwt));
        MLN_TRY(mln_jwt_verify(&jwt, algorithms[0].name, &(struct mln_public_key){keys->at[i].pkey}));
        *payload = jwt.payload;
        return MLN_OK;
    }
    return refuse("no key of this server has signed it");
}

struct mln_result mln_jwt_keys_jwks(const struct mln_jwt_keys *keys, struct mln_buf *out)
{
    MLN_TRY(mln_buf_append(out, MLN_S("{\"keys\":[")));
    for (size_t i = 0; i < keys->n; i++) {
        const struct signing_key *key = &keys->at[i];
        MLN_TRY(mln_buf_printf(out,
                               "%s{\"kty\":\"EC\",\"use\":\"sig\",\"alg\":\"ES256\",\"crv\":\"P-256\",\"kid\":\"%s\","
                               "\"x\":\"%s\",\"y\":\"%s\"}",
                               i ? "," : "", key->kid, key->x, key->y));
    }
    return mln_buf_append(out, MLN_S("]}"));
}
