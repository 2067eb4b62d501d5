#include "crypto/ca.h"

#include "crypto/openssl.h"
#include "crypto/random.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

enum { SERIAL_BYTES = 16, SERVER_NAMES_MAX = 64, DNS_NAME_MAX_BYTES = 253, DNS_LABEL_MAX_BYTES = 63 };

struct mln_csr {
    X509_REQ *request;
};

struct mln_ca {
    struct mln_cert *cert;
    struct mln_key *key;
};

MLN_DEFINE_CLEANUP(X509_REQ, X509_REQ_free)
MLN_DEFINE_CLEANUP(X509_EXTENSION, X509_EXTENSION_free)
MLN_DEFINE_CLEANUP(BIGNUM, BN_free)

static struct mln_result check_cn(struct mln_str cn)
{
    if (cn.n < 1 || cn.n > MLN_CERT_CN_MAX_BYTES)
        return mln_fail(MLN_E_INVALID, "a common name has 1 to %d bytes", MLN_CERT_CN_MAX_BYTES);
    for (size_t i = 0; i < cn.n; i++)
        if (cn.p[i] < ' ' || cn.p[i] > '~')
            return mln_fail(MLN_E_INVALID, "a common name has printable ASCII only");
    return MLN_OK;
}

static struct mln_result set_cn(X509_NAME *name, struct mln_str cn)
{
    MLN_TRY(check_cn(cn));
    if (X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_UTF8, (const unsigned char *)cn.p, (int)cn.n, -1,
                                   0) != 1)
        return mln_openssl_fail(MLN_E_INTERNAL, "naming a certificate");
    return MLN_OK;
}

struct mln_result mln_csr_create(const struct mln_key *key, struct mln_str cn, struct mln_buf *pem)
{
    MLN_CLEANUP(X509_REQ_free) X509_REQ *request = X509_REQ_new();
    MLN_CLEANUP(BIO_free_all) BIO *bio = BIO_new(BIO_s_mem());
    if (!request || !bio)
        return mln_openssl_fail(MLN_E_MEMORY, "making a certificate request");
    MLN_TRY(set_cn(X509_REQ_get_subject_name(request), cn));
    if (X509_REQ_set_pubkey(request, key->pkey) != 1 || X509_REQ_sign(request, key->pkey, EVP_sha256()) <= 0 ||
        PEM_write_bio_X509_REQ(bio, request) != 1)
        return mln_openssl_fail(MLN_E_INTERNAL, "making a certificate request");
    return mln_openssl_take(bio, pem);
}

struct mln_result mln_csr_from_pem(struct mln_str pem, struct mln_csr **out)
{
    *out = NULL;
    MLN_CLEANUP(BIO_free_all) BIO *bio = NULL;
    MLN_TRY(mln_openssl_reader(pem, MLN_CERT_PEM_MAX_BYTES, &bio));
    MLN_CLEANUP(X509_REQ_free)
    X509_REQ *request = PEM_read_bio_X509_REQ(bio, NULL, mln_openssl_no_passphrase, NULL);
    if (!request)
        return mln_openssl_fail(MLN_E_SYNTAX, "certificate request");
    EVP_PKEY *pkey = X509_REQ_get0_pubkey(request);
    if (!pkey)
        return mln_openssl_fail(MLN_E_INVALID, "key of a certificate request");
    MLN_TRY(mln_openssl_check_key(pkey, true));
    if (X509_REQ_verify(request, pkey) != 1)
        return mln_openssl_fail(MLN_E_INVALID, "signature of a certificate request");
    *out = malloc(sizeof **out);
    if (!*out)
        return mln_fail(MLN_E_MEMORY, "no memory for a certificate request");
    (*out)->request = MLN_TAKE(request);
    return MLN_OK;
}

struct mln_result mln_csr_public_key(const struct mln_csr *csr, struct mln_public_key **out)
{
    *out = NULL;
    EVP_PKEY *pkey = X509_REQ_get_pubkey(csr->request);
    if (!pkey)
        return mln_openssl_fail(MLN_E_INVALID, "key of a certificate request");
    return mln_openssl_public_key(pkey, out);
}

void mln_csr_free(struct mln_csr *csr)
{
    if (!csr)
        return;
    X509_REQ_free(csr->request);
    free(csr);
}

static struct mln_result set_serial(X509 *x509)
{
    unsigned char bytes[SERIAL_BYTES];
    MLN_TRY(mln_random_bytes(bytes, sizeof bytes));
    bytes[0] = (unsigned char)((bytes[0] & 0x7f) | 0x40); /* positive, and always of the same length */
    MLN_CLEANUP(BN_free) BIGNUM *number = BN_bin2bn(bytes, sizeof bytes, NULL);
    if (!number || !BN_to_ASN1_INTEGER(number, X509_get_serialNumber(x509)))
        return mln_openssl_fail(MLN_E_MEMORY, "numbering a certificate");
    return MLN_OK;
}

static struct mln_result set_validity(X509 *x509, struct mln_validity validity)
{
    if (validity.from_ms < 0 || validity.to_ms <= validity.from_ms)
        return mln_fail(MLN_E_INVALID, "a certificate's validity must end after it begins");
    if (!ASN1_TIME_set(X509_getm_notBefore(x509), (time_t)(validity.from_ms / 1000)) ||
        !ASN1_TIME_set(X509_getm_notAfter(x509), (time_t)(validity.to_ms / 1000)))
        return mln_openssl_fail(MLN_E_INVALID, "validity of a certificate");
    return MLN_OK;
}

/* Cuts a validity to the authority's: a certificate that outlives its issuer is refused by strict clients. */
static struct mln_result within(const struct mln_ca *ca, struct mln_validity *validity)
{
    struct mln_cert_info info;
    MLN_CLEANUP(mln_arena_free) struct mln_arena *arena = mln_arena_new(4096);
    if (!arena)
        return mln_fail(MLN_E_MEMORY, "no memory");
    MLN_TRY(mln_cert_describe(ca->cert, arena, &info));
    if (validity->from_ms < info.not_before_ms)
        validity->from_ms = info.not_before_ms;
    if (validity->to_ms > info.not_after_ms)
        validity->to_ms = info.not_after_ms;
    return MLN_OK;
}

static struct mln_result extend(X509 *x509, X509V3_CTX *context, int nid, const char *value)
{
    MLN_CLEANUP(X509_EXTENSION_free) X509_EXTENSION *extension = X509V3_EXT_nconf_nid(NULL, context, nid, value);
    if (!extension || X509_add_ext(x509, extension, -1) != 1)
        return mln_openssl_fail(MLN_E_INTERNAL, "extension of a certificate");
    return MLN_OK;
}

struct extension {
    int nid;
    const char *value;
};

/* Fills in and signs a certificate: version 3, random serial, the extensions, and names unless it is NULL as subject
   alternative names. issuer NULL: self-signed by signer. */
struct plan {
    struct mln_str cn;
    struct mln_validity validity;
    EVP_PKEY *subject_key;
    const X509 *issuer;
    EVP_PKEY *signer;
    const struct extension *extensions; /* up to nid 0 */
    const GENERAL_NAMES *names;
};

static struct mln_result issue(const struct plan *plan, struct mln_cert **out)
{
    MLN_CLEANUP(X509_free) X509 *x509 = X509_new();
    if (!x509 || X509_set_version(x509, X509_VERSION_3) != 1 || X509_set_pubkey(x509, plan->subject_key) != 1)
        return mln_openssl_fail(MLN_E_INTERNAL, "making a certificate");
    MLN_TRY(set_serial(x509));
    MLN_TRY(set_validity(x509, plan->validity));
    MLN_TRY(set_cn(X509_get_subject_name(x509), plan->cn));
    const X509 *issuer = plan->issuer ? plan->issuer : x509;
    if (X509_set_issuer_name(x509, X509_get_subject_name(issuer)) != 1)
        return mln_openssl_fail(MLN_E_INTERNAL, "making a certificate");
    X509V3_CTX context;
    X509V3_set_ctx(&context, (X509 *)(uintptr_t)issuer, x509, NULL, NULL, 0);
    for (const struct extension *extension = plan->extensions; extension->nid; extension++)
        MLN_TRY(extend(x509, &context, extension->nid, extension->value));
    if (plan->names && X509_add1_ext_i2d(x509, NID_subject_alt_name, (void *)(uintptr_t)plan->names, 0, 0) != 1)
        return mln_openssl_fail(MLN_E_INTERNAL, "names of a certificate");
    if (X509_sign(x509, plan->signer, EVP_sha256()) <= 0)
        return mln_openssl_fail(MLN_E_INTERNAL, "signing a certificate");
    *out = malloc(sizeof **out);
    if (!*out)
        return mln_fail(MLN_E_MEMORY, "no memory for a certificate");
    (*out)->x509 = MLN_TAKE(x509);
    return MLN_OK;
}

struct mln_result mln_ca_create(struct mln_str cn, struct mln_validity validity, struct mln_ca **out)
{
    static const struct extension extensions[] = {
        {NID_basic_constraints, "critical,CA:TRUE,pathlen:0"},
        {NID_key_usage, "critical,keyCertSign,cRLSign"},
        {NID_subject_key_identifier, "hash"},
        {0, NULL},
    };
    *out = NULL;
    MLN_CLEANUP(mln_ca_free) struct mln_ca *ca = calloc(1, sizeof *ca);
    if (!ca)
        return mln_fail(MLN_E_MEMORY, "no memory for an authority");
    MLN_TRY(mln_key_generate(&ca->key));
    struct plan plan = {.cn = cn,
                        .validity = validity,
                        .subject_key = ca->key->pkey,
                        .signer = ca->key->pkey,
                        .extensions = extensions};
    MLN_TRY(issue(&plan, &ca->cert));
    *out = MLN_TAKE(ca);
    return MLN_OK;
}

struct mln_result mln_ca_load(struct mln_str cert_pem, struct mln_str key_pem, struct mln_ca **out)
{
    *out = NULL;
    MLN_CLEANUP(mln_ca_free) struct mln_ca *ca = calloc(1, sizeof *ca);
    if (!ca)
        return mln_fail(MLN_E_MEMORY, "no memory for an authority");
    MLN_TRY(mln_cert_from_pem(cert_pem, &ca->cert));
    MLN_TRY(mln_key_from_pem(key_pem, &ca->key));
    if (X509_check_private_key(ca->cert->x509, ca->key->pkey) != 1)
        return mln_openssl_fail(MLN_E_INVALID, "key of an authority");
    if (X509_check_ca(ca->cert->x509) != 1)
        return mln_fail(MLN_E_INVALID, "the certificate is not an authority's");
    *out = MLN_TAKE(ca);
    return MLN_OK;
}

const struct mln_cert *mln_ca_cert(const struct mln_ca *ca)
{
    return ca->cert;
}

const struct mln_key *mln_ca_key(const struct mln_ca *ca)
{
    return ca->key;
}

void mln_ca_free(struct mln_ca *ca)
{
    if (!ca)
        return;
    mln_cert_free(ca->cert);
    mln_key_free(ca->key);
    free(ca);
}

/* Letters, digits, hyphens and dots in labels of 1 to 63; no wildcards. */
static bool is_dns_name(struct mln_str name)
{
    size_t label = 0;
    if (name.n < 1 || name.n > DNS_NAME_MAX_BYTES)
        return false;
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
        bool edge = label == 0 || i + 1 == name.n || name.p[i + 1] == '.';
        if (c == '.') {
            if (!label)
                return false;
            label = 0;
        } else if ((letter || (c == '-' && !edge)) && label < DNS_LABEL_MAX_BYTES) {
            label++;
        } else {
            return false;
        }
    }
    return label > 0;
}

/* An address as the bytes of its network form; 0 when text is none. */
static size_t address_bytes(struct mln_str text, unsigned char out[16])
{
    char z[INET6_ADDRSTRLEN];
    if (text.n >= sizeof z)
        return 0;
    memcpy(z, text.p, text.n);
    z[text.n] = '\0';
    if (inet_pton(AF_INET, z, out) == 1)
        return 4;
    return inet_pton(AF_INET6, z, out) == 1 ? 16 : 0;
}

static struct mln_result add_name(GENERAL_NAMES *names, struct mln_str text)
{
    unsigned char address[16];
    size_t n = text.n && !memchr(text.p, '\0', text.n) ? address_bytes(text, address) : 0;
    if (!n && !is_dns_name(text))
        return mln_fail(MLN_E_INVALID, "neither a DNS name nor an address: \"%.*s\"", MLN_FMT(text));
    GENERAL_NAME *name = GENERAL_NAME_new();
    ASN1_STRING *value = n ? ASN1_OCTET_STRING_new() : ASN1_IA5STRING_new();
    if (!name || !value || ASN1_STRING_set(value, n ? (void *)address : text.p, (int)(n ? n : text.n)) != 1) {
        GENERAL_NAME_free(name);
        ASN1_STRING_free(value);
        return mln_openssl_fail(MLN_E_MEMORY, "names of a certificate");
    }
    GENERAL_NAME_set0_value(name, n ? GEN_IPADD : GEN_DNS, value);
    if (sk_GENERAL_NAME_push(names, name) <= 0) {
        GENERAL_NAME_free(name);
        return mln_openssl_fail(MLN_E_MEMORY, "names of a certificate");
    }
    return MLN_OK;
}

MLN_DEFINE_CLEANUP(GENERAL_NAMES, GENERAL_NAMES_free)

struct mln_result mln_ca_issue_server(const struct mln_ca *ca, const struct mln_key *key, const struct mln_str *names,
                                      size_t name_count, struct mln_validity validity, struct mln_cert **out)
{
    static const struct extension extensions[] = {
        {NID_basic_constraints, "critical,CA:FALSE"},
        {NID_key_usage, "critical,digitalSignature"},
        {NID_ext_key_usage, "serverAuth"},
        {NID_subject_key_identifier, "hash"},
        {NID_authority_key_identifier, "keyid:always"},
        {0, NULL},
    };
    *out = NULL;
    if (name_count < 1 || name_count > SERVER_NAMES_MAX)
        return mln_fail(MLN_E_INVALID, "a server certificate has 1 to %d names", SERVER_NAMES_MAX);
    MLN_CLEANUP(GENERAL_NAMES_free) GENERAL_NAMES *list = GENERAL_NAMES_new();
    if (!list)
        return mln_openssl_fail(MLN_E_MEMORY, "names of a certificate");
    for (size_t i = 0; i < name_count; i++)
        MLN_TRY(add_name(list, names[i]));
    MLN_TRY(within(ca, &validity));
    struct plan plan = {.cn = names[0].n <= MLN_CERT_CN_MAX_BYTES ? names[0] : MLN_S("server"),
                        .validity = validity,
                        .subject_key = key->pkey,
                        .issuer = ca->cert->x509,
                        .signer = ca->key->pkey,
                        .extensions = extensions,
                        .names = list};
    return issue(&plan, out);
}

struct mln_result mln_ca_issue_client(const struct mln_ca *ca, const struct mln_csr *csr, struct mln_str cn,
                                      struct mln_validity validity, struct mln_cert **out)
{
    static const struct extension extensions[] = {
        {NID_basic_constraints, "critical,CA:FALSE"},
        {NID_key_usage, "critical,digitalSignature"},
        {NID_ext_key_usage, "clientAuth"},
        {NID_subject_key_identifier, "hash"},
        {NID_authority_key_identifier, "keyid:always"},
        {0, NULL},
    };
    *out = NULL;
    MLN_TRY(within(ca, &validity));
    struct plan plan = {.cn = cn,
                        .validity = validity,
                        .subject_key = X509_REQ_get0_pubkey(csr->request),
                        .issuer = ca->cert->x509,
                        .signer = ca->key->pkey,
                        .extensions = extensions};
    return issue(&plan, out);
}
