/*
 * Stored forms of secrets that people or programs sign in with: scrypt (RFC 7914), its parameters in the text, so that
 * they can be raised later: $scrypt$ln=15,r=8,p=1$SALT$HASH, with base64 without padding.
 *
 * One hash takes about a tenth of a second and 32 MiB: who calls it for strangers limits how many run at once.
 */
#ifndef MLN_CRYPTO_PASSWORD_H
#define MLN_CRYPTO_PASSWORD_H

#include "base/buf.h"

enum { MLN_PASSWORD_MAX_BYTES = 1024, MLN_PASSWORD_TEXT_MAX_BYTES = 256 };

/* Appends the text to store. INVALID for an empty secret, LIMIT over MLN_PASSWORD_MAX_BYTES. */
MLN_RESULT mln_password_hash(struct mln_str secret, struct mln_buf *text);

/* UNAUTHENTICATED when the secret is not the one. CORRUPT when the text is not one of ours, or asks for more than 128 MiB
   or a multiple of the usual work. An empty text stands for a user who does not exist: it costs the same work and is
   always refused, so that the time does not tell who exists. */
MLN_RESULT mln_password_verify(struct mln_str secret, struct mln_str text);

/* True when the text was made with weaker parameters than today's: hash the secret anew after the next sign-in. */
bool mln_password_is_outdated(struct mln_str text);

#endif
