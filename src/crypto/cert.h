/*
 * X.509: the server's certificate authority, the certificates that it issues, the requests it answers, and the check of a
 * machine's certificate. Times are UTC milliseconds of the caller's clock; nothing here looks at a clock of its own.
 *
 * Revocation is not here: a machine's certificate names the machine, and its record decides (access/, store/).
 */
#ifndef MLN_CRYPTO_CERT_H
#define MLN_CRYPTO_CERT_H

#include "crypto/key.h"

struct mln_cert;
struct mln_csr;
struct mln_ca; /* a CA certificate and its private key */

enum { MLN_CERT_PEM_MAX_BYTES = 64 * 1024, MLN_CERT_CN_MAX_BYTES = 64 };

struct mln_validity {
    int64_t from_ms, to_ms; /* cut to seconds */
};

struct mln_cert_info {
    struct mln_str subject_cn; /* UTF-8; empty where there is none */
    struct mln_str issuer_cn;
    struct mln_str serial;     /* lower-case hex */
    unsigned char sha1[MLN_SHA1_BYTES]; /* JOSE's x5t, Azure's thumbprint; never used to trust anything */
    struct mln_sha256 sha256;
    int64_t not_before_ms, not_after_ms;
    bool is_ca;
};

/* The first CERTIFICATE block, or DER. SYNTAX, LIMIT. */
MLN_RESULT mln_cert_from_pem(struct mln_str pem, struct mln_cert **out);
MLN_RESULT mln_cert_from_der(struct mln_str der, struct mln_cert **out);
MLN_RESULT mln_cert_to_pem(const struct mln_cert *cert, struct mln_buf *out);
/* Texts in the arena. */
MLN_RESULT mln_cert_describe(const struct mln_cert *cert, struct mln_arena *arena, struct mln_cert_info *out);
/* INVALID when the key is of a kind that key.h does not have. */
MLN_RESULT mln_cert_public_key(const struct mln_cert *cert, struct mln_public_key **out);
void mln_cert_free(struct mln_cert *cert);
MLN_DEFINE_CLEANUP(struct mln_cert, mln_cert_free)

/* A request of ours: PEM appended to out, subject CN as given. */
MLN_RESULT mln_csr_create(const struct mln_key *key, struct mln_str cn, struct mln_buf *pem);
/* A stranger's request: its signature by its own key is checked here, the key must be EC P-256. SYNTAX, INVALID, LIMIT. */
MLN_RESULT mln_csr_from_pem(struct mln_str pem, struct mln_csr **out);
MLN_RESULT mln_csr_public_key(const struct mln_csr *csr, struct mln_public_key **out);
void mln_csr_free(struct mln_csr *csr);
MLN_DEFINE_CLEANUP(struct mln_csr, mln_csr_free)

/* A new self-signed authority (path length 0) with a key of its own. */
MLN_RESULT mln_ca_create(struct mln_str cn, struct mln_validity validity, struct mln_ca **out);
/* INVALID when the key is not the certificate's, or the certificate is not an authority's. */
MLN_RESULT mln_ca_load(struct mln_str cert_pem, struct mln_str key_pem, struct mln_ca **out);
const struct mln_cert *mln_ca_cert(const struct mln_ca *ca); /* borrowed */
const struct mln_key *mln_ca_key(const struct mln_ca *ca);   /* borrowed */
void mln_ca_free(struct mln_ca *ca);
MLN_DEFINE_CLEANUP(struct mln_ca, mln_ca_free)

/* A server certificate (serverAuth) for names, each a DNS name or an IPv4 or IPv6 address; the first is also the CN where
   it fits. At most 64 names. The validity is cut to the authority's own. INVALID for a name that is neither. */
MLN_RESULT mln_ca_issue_server(const struct mln_ca *ca, const struct mln_key *key, const struct mln_str *names,
                               size_t name_count, struct mln_validity validity, struct mln_cert **out);

/* A machine's certificate (clientAuth) for the key of csr and the CN given here: what the request asks for beside its key
   is ignored. cn is 1 to 64 bytes of printable ASCII. The validity is cut to the authority's own. */
MLN_RESULT mln_ca_issue_client(const struct mln_ca *ca, const struct mln_csr *csr, struct mln_str cn,
                               struct mln_validity validity, struct mln_cert **out);

/* Whether cert was issued for clientAuth by one of the authorities and is valid at at_ms. UNAUTHENTICATED with the reason
   otherwise. Several authorities: the old and the new one while they change over. */
MLN_RESULT mln_cert_verify_client(const struct mln_cert *cert, const struct mln_cert *const *authorities, size_t n,
                                  int64_t at_ms);

#endif
