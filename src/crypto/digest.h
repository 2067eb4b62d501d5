/*
 * Digests, message authentication, and bytes as hex. Bytes travel as struct mln_str. Signatures are in key.h and jwt.h.
 */
#ifndef MLN_CRYPTO_DIGEST_H
#define MLN_CRYPTO_DIGEST_H

#include "base/buf.h"

enum { MLN_SHA1_BYTES = 20, MLN_SHA256_BYTES = 32, MLN_SHA256_HEX = 2 * MLN_SHA256_BYTES + 1 };

struct mln_sha256 {
    unsigned char bytes[MLN_SHA256_BYTES];
};

/* FIPS 180-4 SHA-256 of the whole of data. */
MLN_RESULT mln_sha256(struct mln_str data, struct mln_sha256 *out);
/* The same as 64 lower-case hex digits and a NUL. */
MLN_RESULT mln_sha256_hex(struct mln_str data, char out[MLN_SHA256_HEX]);

/* SHA-256 of data that comes in pieces: new, add any number of times, finish once (it can be used anew afterwards). */
struct mln_sha256_stream;
MLN_RESULT mln_sha256_stream_new(struct mln_sha256_stream **out);
MLN_RESULT mln_sha256_stream_add(struct mln_sha256_stream *stream, struct mln_str data);
MLN_RESULT mln_sha256_stream_finish(struct mln_sha256_stream *stream, struct mln_sha256 *out);
void mln_sha256_stream_free(struct mln_sha256_stream *stream);
MLN_DEFINE_CLEANUP(struct mln_sha256_stream, mln_sha256_stream_free)

/* RFC 2104 with SHA-256. */
MLN_RESULT mln_hmac_sha256(struct mln_str key, struct mln_str data, struct mln_sha256 *out);

static inline struct mln_str mln_sha256_str(const struct mln_sha256 *digest)
{
    return (struct mln_str){(const char *)digest->bytes, sizeof digest->bytes};
}

/* Equal, in a time that depends on the lengths alone. */
bool mln_secret_eq(struct mln_str a, struct mln_str b);

/* Lower-case hex of bytes into out, 2 * bytes.n + 1 bytes, NUL-terminated. Returns the slice without the NUL. */
struct mln_str mln_hex_encode(struct mln_str bytes, char *out);
/* Exactly n bytes from 2 * n hex digits of either case; SYNTAX otherwise. */
MLN_RESULT mln_hex_decode(struct mln_str text, unsigned char *out, size_t n);

#endif
