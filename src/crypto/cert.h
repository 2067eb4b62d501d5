/*
 * X.509 certificates: reading them, what they say, and whether a machine's is one of ours. Immutable once made; threads
 * may share one. Issuing is in ca.h. Times are UTC milliseconds of the caller's clock; nothing here looks at a clock.
 *
 * Revocation is not here: a machine's certificate names the machine, and its record decides (access/, store/).
 */
#ifndef MLN_CRYPTO_CERT_H
#define MLN_CRYPTO_CERT_H

#include "crypto/key.h"

struct mln_cert;

enum { MLN_CERT_PEM_MAX_BYTES = 64 * 1024, MLN_CERT_CN_MAX_BYTES = 64 };

struct mln_cert_info {
    struct mln_str subject_cn; /* UTF-8; empty where there is none */
    struct mln_str issuer_cn;
    struct mln_str serial;              /* lower-case hex */
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

/* Whether cert was issued for clientAuth by one of the authorities and is valid at at_ms. UNAUTHENTICATED with the reason
   otherwise. Several authorities: the old and the new one while they change over. */
MLN_RESULT mln_cert_verify_client(const struct mln_cert *cert, const struct mln_cert *const *authorities, size_t n,
                                  int64_t at_ms);

#endif
