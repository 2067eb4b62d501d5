/*
 * The server's certificate authority: making one, certificate requests, and what it issues. Times are UTC milliseconds of
 * the caller's clock. Certificates themselves are in cert.h.
 */
#ifndef MLN_CRYPTO_CA_H
#define MLN_CRYPTO_CA_H

#include "crypto/cert.h"

struct mln_csr; /* a certificate request whose own signature holds */
struct mln_ca;  /* an authority's certificate and its private key */

struct mln_validity {
    int64_t from_ms, to_ms; /* cut to seconds */
};

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

#endif
