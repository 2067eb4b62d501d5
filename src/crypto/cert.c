#include "crypto/cert.h"

#include "crypto/openssl.h"

#include <limits.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

MLN_DEFINE_CLEANUP(BIGNUM, BN_free)
MLN_DEFINE_CLEANUP(X509_STORE, X509_STORE_free)
MLN_DEFINE_CLEANUP(X509_STORE_CTX, X509_STORE_CTX_free)

/* Owns x509 from here on, also on failure. */
static struct mln_result wrap(X509 *x509, struct mln_cert **out)
{
    *out = malloc(sizeof **out);
    if (!*out) {
        X509_free(x509);
        return mln_fail(MLN_E_MEMORY, "no memory for a certificate");
    }
    (*out)->x509 = x509;
    return MLN_OK;
}

struct mln_result mln_cert_from_pem(struct mln_str pem, struct mln_cert **out)
{
    *out = NULL;
    MLN_CLEANUP(BIO_free_all) BIO *bio = NULL;
    MLN_TRY(mln_openssl_reader(pem, MLN_CERT_PEM_MAX_BYTES, &bio));
    X509 *x509 = PEM_read_bio_X509(bio, NULL, mln_openssl_no_passphrase, NULL);
    if (!x509)
        return mln_openssl_fail(MLN_E_SYNTAX, "certificate");
    return wrap(x509, out);
}

struct mln_result mln_cert_from_der(struct mln_str der, struct mln_cert **out)
{
    *out = NULL;
    if (der.n > MLN_CERT_PEM_MAX_BYTES)
        return mln_fail(MLN_E_LIMIT, "larger than %d bytes", MLN_CERT_PEM_MAX_BYTES);
    const unsigned char *at = (const unsigned char *)der.p;
    X509 *x509 = der.n ? d2i_X509(NULL, &at, (long)der.n) : NULL;
    if (!x509)
        return mln_openssl_fail(MLN_E_SYNTAX, "certificate");
    if (at != (const unsigned char *)der.p + der.n) {
        X509_free(x509);
        return mln_fail(MLN_E_SYNTAX, "bytes after a certificate");
    }
    return wrap(x509, out);
}

struct mln_result mln_cert_to_pem(const struct mln_cert *cert, struct mln_buf *out)
{
    MLN_CLEANUP(BIO_free_all) BIO *bio = BIO_new(BIO_s_mem());
    if (!bio || PEM_write_bio_X509(bio, cert->x509) != 1)
        return mln_openssl_fail(MLN_E_INTERNAL, "writing a certificate");
    return mln_openssl_take(bio, out);
}

/* The last common name of a subject or issuer, as UTF-8; empty where there is none. INVALID when it holds a NUL byte.
 */
static struct mln_result common_name(const X509_NAME *name, struct mln_arena *arena, struct mln_str *out)
{
    *out = (struct mln_str){0};
    int at = -1, last = -1;
    while ((at = X509_NAME_get_index_by_NID(name, NID_commonName, at)) >= 0)
        last = at;
    if (last < 0)
        return MLN_OK;
    unsigned char *utf8 = NULL;
    int n = ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, last)));
    if (n < 0)
        return mln_openssl_fail(MLN_E_INVALID, "common name of a certificate");
    struct mln_str text = {(const char *)utf8, (size_t)n};
    bool plain = !n || !memchr(text.p, '\0', text.n);
    *out = mln_str_dup(arena, text);
    OPENSSL_free(utf8);
    if (!plain)
        return mln_fail(MLN_E_INVALID, "a NUL byte in the common name of a certificate");
    return out->p ? MLN_OK : mln_arena_failure(arena);
}

static struct mln_result serial_text(const X509 *x509, struct mln_arena *arena, struct mln_str *out)
{
    MLN_CLEANUP(BN_free) BIGNUM *number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(x509), NULL);
    unsigned char bytes[64] = {0};
    if (!number || BN_num_bytes(number) > (int)sizeof bytes)
        return mln_openssl_fail(MLN_E_INVALID, "serial number of a certificate");
    int n = BN_bn2bin(number, bytes);
    char text[2 * sizeof bytes + 1];
    MLN_TRY_STR(arena, *out,
                mln_str_dup(arena, mln_hex_encode((struct mln_str){(char *)bytes, n ? (size_t)n : 1}, text)));
    return MLN_OK;
}

static struct mln_result time_ms(const ASN1_TIME *time, int64_t *out)
{
    struct tm tm;
    if (ASN1_TIME_to_tm(time, &tm) != 1)
        return mln_openssl_fail(MLN_E_INVALID, "time in a certificate");
    *out = (int64_t)timegm(&tm) * 1000;
    return MLN_OK;
}

struct mln_result mln_cert_describe(const struct mln_cert *cert, struct mln_arena *arena, struct mln_cert_info *out)
{
    *out = (struct mln_cert_info){0};
    X509 *x509 = cert->x509;
    MLN_TRY(common_name(X509_get_subject_name(x509), arena, &out->subject_cn));
    MLN_TRY(common_name(X509_get_issuer_name(x509), arena, &out->issuer_cn));
    MLN_TRY(serial_text(x509, arena, &out->serial));
    MLN_TRY(time_ms(X509_get0_notBefore(x509), &out->not_before_ms));
    MLN_TRY(time_ms(X509_get0_notAfter(x509), &out->not_after_ms));
    if (X509_digest(x509, EVP_sha1(), out->sha1, NULL) != 1 ||
        X509_digest(x509, EVP_sha256(), out->sha256.bytes, NULL) != 1)
        return mln_openssl_fail(MLN_E_INTERNAL, "digest of a certificate");
    out->is_ca = X509_check_ca(x509) == 1; /* 1: version 3 with basicConstraints CA; other values are old habits */
    ERR_clear_error();
    return MLN_OK;
}

struct mln_result mln_cert_public_key(const struct mln_cert *cert, struct mln_public_key **out)
{
    *out = NULL;
    EVP_PKEY *pkey = X509_get_pubkey(cert->x509);
    if (!pkey)
        return mln_openssl_fail(MLN_E_INVALID, "public key of a certificate");
    return mln_openssl_public_key(pkey, out);
}

void mln_cert_free(struct mln_cert *cert)
{
    if (!cert)
        return;
    X509_free(cert->x509);
    free(cert);
}

struct mln_result mln_cert_verify_client(const struct mln_cert *cert, const struct mln_cert *const *authorities,
                                         size_t n, int64_t at_ms)
{
    MLN_CLEANUP(X509_STORE_free) X509_STORE *store = X509_STORE_new();
    MLN_CLEANUP(X509_STORE_CTX_free) X509_STORE_CTX *context = X509_STORE_CTX_new();
    if (!store || !context)
        return mln_openssl_fail(MLN_E_MEMORY, "verifying a certificate");
    for (size_t i = 0; i < n; i++)
        if (X509_STORE_add_cert(store, authorities[i]->x509) != 1)
            return mln_openssl_fail(MLN_E_INTERNAL, "trusting an authority");
    if (X509_STORE_CTX_init(context, store, cert->x509, NULL) != 1)
        return mln_openssl_fail(MLN_E_INTERNAL, "verifying a certificate");
    X509_VERIFY_PARAM *parameters = X509_STORE_CTX_get0_param(context);
    X509_VERIFY_PARAM_set_time(parameters, (time_t)(at_ms / 1000));
    X509_VERIFY_PARAM_set_depth(parameters, 0); /* no certificate between ours and theirs */
    X509_VERIFY_PARAM_set_auth_level(parameters, 2);
    if (X509_VERIFY_PARAM_set_purpose(parameters, X509_PURPOSE_SSL_CLIENT) != 1 ||
        X509_VERIFY_PARAM_set_flags(parameters, X509_V_FLAG_X509_STRICT) != 1)
        return mln_openssl_fail(MLN_E_INTERNAL, "verifying a certificate");
    int verified = X509_verify_cert(context);
    int why = X509_STORE_CTX_get_error(context);
    ERR_clear_error();
    if (verified != 1)
        return mln_fail(MLN_E_UNAUTHENTICATED, "client certificate refused: %s", X509_verify_cert_error_string(why));
    /* The purpose also lets pass a certificate that names no use at all: ours all name one. */
    if (!(X509_get_extension_flags(cert->x509) & EXFLAG_XKUSAGE) || X509_check_ca(cert->x509) == 1)
        return mln_fail(MLN_E_UNAUTHENTICATED, "client certificate refused: it is not for clients");
    return MLN_OK;
}
