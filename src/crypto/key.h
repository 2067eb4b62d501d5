/*
 * Key pairs. Private keys are EC P-256 and ours; public keys are ours or a client's (EC P-256, or RSA of 2048 to 8192
 * bits for verifying only). Both are immutable once made and may be shared by threads.
 *
 * Writing a private key to a file, with its mode, is the caller's (os/file.h).
 */
#ifndef MLN_CRYPTO_KEY_H
#define MLN_CRYPTO_KEY_H

#include "crypto/digest.h"

struct mln_key; /* a private key and its public half */
struct mln_public_key;

enum mln_key_type { MLN_KEY_P256, MLN_KEY_RSA };
enum { MLN_KEY_PEM_MAX_BYTES = 16 * 1024 };

MLN_RESULT mln_key_generate(struct mln_key **out);
/* PKCS #8 or SEC 1 PEM, not encrypted. SYNTAX when it is none, INVALID when it is another kind of key. */
MLN_RESULT mln_key_from_pem(struct mln_str pem, struct mln_key **out);
/* Appends PKCS #8 PEM; out must be a secret buffer (MLN_BUF_SECRET), else INVALID. */
MLN_RESULT mln_key_to_pem(const struct mln_key *key, struct mln_buf *out);
/* The public half, a counted reference of its own. */
MLN_RESULT mln_key_public(const struct mln_key *key, struct mln_public_key **out);
void mln_key_free(struct mln_key *key);
MLN_DEFINE_CLEANUP(struct mln_key, mln_key_free)

/* SubjectPublicKeyInfo PEM. */
MLN_RESULT mln_public_key_from_pem(struct mln_str pem, struct mln_public_key **out);
MLN_RESULT mln_public_key_to_pem(const struct mln_public_key *key, struct mln_buf *out);
enum mln_key_type mln_public_key_type(const struct mln_public_key *key);
/* SHA-256 of the DER SubjectPublicKeyInfo: names the key in store and log. */
MLN_RESULT mln_public_key_fingerprint(const struct mln_public_key *key, struct mln_sha256 *out);
void mln_public_key_free(struct mln_public_key *key);
MLN_DEFINE_CLEANUP(struct mln_public_key, mln_public_key_free)

#endif
