#include "crypto/key.h"

#include "crypto/openssl.h"

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>

enum { RSA_BITS_LEAST = 2048, RSA_BITS_MOST = 8192 };

static bool is_p256(const EVP_PKEY *pkey)
{
    char group[32];
    size_t n;
    return EVP_PKEY_is_a(pkey, "EC") && EVP_PKEY_get_group_name(pkey, group, sizeof group, &n) == 1 &&
           !strcmp(group, SN_X9_62_prime256v1);
}

struct mln_result mln_openssl_check_key(const EVP_PKEY *pkey, bool private_key)
{
    if (is_p256(pkey))
        return MLN_OK;
    ERR_clear_error();
    if (private_key)
        return mln_fail(MLN_E_INVALID, "a private key must be EC P-256");
    int bits = EVP_PKEY_get_bits(pkey);
    if (EVP_PKEY_is_a(pkey, "RSA") && bits >= RSA_BITS_LEAST && bits <= RSA_BITS_MOST)
        return MLN_OK;
    return mln_fail(MLN_E_INVALID, "a public key must be EC P-256 or RSA of %d to %d bits", RSA_BITS_LEAST,
                    RSA_BITS_MOST);
}

static struct mln_result wrap_private(EVP_PKEY *pkey, struct mln_key **out)
{
    *out = malloc(sizeof **out);
    if (!*out) {
        EVP_PKEY_free(pkey);
        return mln_fail(MLN_E_MEMORY, "no memory for a key");
    }
    (*out)->pkey = pkey;
    return MLN_OK;
}

struct mln_result mln_openssl_public_key(EVP_PKEY *pkey, struct mln_public_key **out)
{
    *out = NULL;
    struct mln_result r = mln_openssl_check_key(pkey, false);
    if (mln_ok(r) && !(*out = malloc(sizeof **out)))
        r = mln_fail(MLN_E_MEMORY, "no memory for a key");
    if (mln_ok(r))
        (*out)->pkey = pkey;
    else
        EVP_PKEY_free(pkey);
    return r;
}

struct mln_result mln_key_generate(struct mln_key **out)
{
    *out = NULL;
    EVP_PKEY *pkey = EVP_EC_gen(SN_X9_62_prime256v1);
    if (!pkey)
        return mln_openssl_fail(MLN_E_INTERNAL, "making a key");
    return wrap_private(pkey, out);
}

struct mln_result mln_key_from_pem(struct mln_str pem, struct mln_key **out)
{
    *out = NULL;
    MLN_CLEANUP(BIO_free_all) BIO *bio = NULL;
    MLN_TRY(mln_openssl_reader(pem, MLN_KEY_PEM_MAX_BYTES, &bio));
    MLN_CLEANUP(EVP_PKEY_free) EVP_PKEY *pkey = PEM_read_bio_PrivateKey(bio, NULL, mln_openssl_no_passphrase, NULL);
    if (!pkey)
        return mln_openssl_fail(MLN_E_SYNTAX, "private key");
    MLN_TRY(mln_openssl_check_key(pkey, true));
    MLN_CLEANUP(EVP_PKEY_CTX_free) EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(pkey, NULL);
    if (!context || EVP_PKEY_pairwise_check(context) != 1)
        return mln_openssl_fail(MLN_E_INVALID, "checking the two halves of a private key");
    return wrap_private(MLN_TAKE(pkey), out);
}

struct mln_result mln_key_to_pem(const struct mln_key *key, struct mln_buf *out)
{
    if (!out->secret)
        return mln_fail(MLN_E_INVALID, "a private key goes into a secret buffer only");
    MLN_CLEANUP(BIO_free_all) BIO *bio = BIO_new(BIO_s_secmem());
    if (!bio || PEM_write_bio_PKCS8PrivateKey(bio, key->pkey, NULL, NULL, 0, NULL, NULL) != 1)
        return mln_openssl_fail(MLN_E_INTERNAL, "writing a private key");
    return mln_openssl_take(bio, out);
}

struct mln_result mln_key_public(const struct mln_key *key, struct mln_public_key **out)
{
    if (EVP_PKEY_up_ref(key->pkey) != 1)
        return mln_openssl_fail(MLN_E_INTERNAL, "counting a key");
    return mln_openssl_public_key(key->pkey, out);
}

void mln_key_free(struct mln_key *key)
{
    if (!key)
        return;
    EVP_PKEY_free(key->pkey);
    free(key);
}

struct mln_result mln_public_key_from_pem(struct mln_str pem, struct mln_public_key **out)
{
    *out = NULL;
    MLN_CLEANUP(BIO_free_all) BIO *bio = NULL;
    MLN_TRY(mln_openssl_reader(pem, MLN_KEY_PEM_MAX_BYTES, &bio));
    EVP_PKEY *pkey = PEM_read_bio_PUBKEY(bio, NULL, mln_openssl_no_passphrase, NULL);
    if (!pkey)
        return mln_openssl_fail(MLN_E_SYNTAX, "public key");
    return mln_openssl_public_key(pkey, out);
}

struct mln_result mln_public_key_to_pem(const struct mln_public_key *key, struct mln_buf *out)
{
    MLN_CLEANUP(BIO_free_all) BIO *bio = BIO_new(BIO_s_mem());
    if (!bio || PEM_write_bio_PUBKEY(bio, key->pkey) != 1)
        return mln_openssl_fail(MLN_E_INTERNAL, "writing a public key");
    return mln_openssl_take(bio, out);
}

enum mln_key_type mln_public_key_type(const struct mln_public_key *key)
{
    return EVP_PKEY_is_a(key->pkey, "EC") ? MLN_KEY_P256 : MLN_KEY_RSA;
}

struct mln_result mln_public_key_fingerprint(const struct mln_public_key *key, struct mln_sha256 *out)
{
    unsigned char *der = NULL;
    int n = i2d_PUBKEY(key->pkey, &der);
    if (n <= 0)
        return mln_openssl_fail(MLN_E_INTERNAL, "encoding a public key");
    struct mln_result r = mln_sha256((struct mln_str){(char *)der, (size_t)n}, out);
    OPENSSL_free(der);
    return r;
}

void mln_public_key_free(struct mln_public_key *key)
{
    if (!key)
        return;
    EVP_PKEY_free(key->pkey);
    free(key);
}
