/*
 * Private to crypto/: the structs behind the opaque names, cleanups for OpenSSL's types, and turning OpenSSL's errors
 * into ours. No other room includes this.
 */
#ifndef MLN_CRYPTO_OPENSSL_H
#define MLN_CRYPTO_OPENSSL_H

#include "crypto/key.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

struct mln_key {
    EVP_PKEY *pkey;
};

struct mln_public_key {
    EVP_PKEY *pkey;
};

struct mln_cert {
    X509 *x509;
};

MLN_DEFINE_CLEANUP(BIO, BIO_free_all)
MLN_DEFINE_CLEANUP(EVP_PKEY, EVP_PKEY_free)
MLN_DEFINE_CLEANUP(EVP_PKEY_CTX, EVP_PKEY_CTX_free)
MLN_DEFINE_CLEANUP(EVP_MD_CTX, EVP_MD_CTX_free)
MLN_DEFINE_CLEANUP(X509, X509_free)

/* A failure with OpenSSL's reason behind the text, its error queue emptied. The reasons are fixed texts: no input and no
   secret gets into them. */
MLN_RESULT mln_openssl_fail(enum mln_code code, const char *what);

/* The passphrase callback for reading PEM: an encrypted text is refused. OpenSSL's own would ask on the terminal. */
int mln_openssl_no_passphrase(char *buf, int size, int writing, void *context);

/* A BIO that reads text, borrowed; LIMIT when it is longer than max_bytes. */
MLN_RESULT mln_openssl_reader(struct mln_str text, size_t max_bytes, BIO **out);
/* Appends what was written to a memory BIO. */
MLN_RESULT mln_openssl_take(BIO *bio, struct mln_buf *out);

/* Whether pkey is of a kind that key.h allows; private keys must be P-256. */
MLN_RESULT mln_openssl_check_key(const EVP_PKEY *pkey, bool private_key);
/* Owns pkey from here on, also on failure. */
MLN_RESULT mln_openssl_public_key(EVP_PKEY *pkey, struct mln_public_key **out);

#endif
