/*
 * Random bytes, tokens that cannot be guessed, and UUIDs (RFC 9562). Randomness is OpenSSL's private generator, seeded by
 * the kernel.
 */
#ifndef MLN_CRYPTO_RANDOM_H
#define MLN_CRYPTO_RANDOM_H

#include "base/buf.h"

/* n bytes fit for keys and tokens. INTERNAL when the generator has no seed. */
MLN_RESULT mln_random_bytes(void *out, size_t n);

/* Appends base64url of n random bytes (32 give 43 characters); n is at most 64. */
MLN_RESULT mln_random_token(size_t n, struct mln_buf *out);

enum { MLN_UUID_TEXT = 37 };
struct mln_uuid {
    unsigned char bytes[16];
};

/* Version 4: random. */
MLN_RESULT mln_uuid_random(struct mln_uuid *out);
/* Version 5: the same name in the same namespace gives the same UUID. */
MLN_RESULT mln_uuid_from_name(const struct mln_uuid *space, struct mln_str name, struct mln_uuid *out);
/* RFC 9562's namespace for URLs and host paths, for names that need no space of their own. */
extern const struct mln_uuid mln_uuid_space_url;

/* Lower case with hyphens, NUL-terminated, into out; returns the slice of it without the NUL. */
struct mln_str mln_uuid_text(const struct mln_uuid *uuid, char out[MLN_UUID_TEXT]);
/* The form with hyphens, either case; any version. SYNTAX otherwise. */
MLN_RESULT mln_uuid_parse(struct mln_str text, struct mln_uuid *out);

#endif
