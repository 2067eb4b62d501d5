/*
 * JSON Web Tokens (RFC 7519) in the compact JWS form (RFC 7515), and JSON Web Keys (RFC 7517).
 *
 * Header and claims go in and out as JSON text: this room neither builds nor reads claims. Who verifies also checks the
 * claims (iss, aud, exp, nbf): a signature says only who wrote them.
 *
 * Tokens of our own are signed by a key set (ES256) and come back through mln_jwt_keys_verify. A client's assertion is
 * taken apart with mln_jwt_decode, its header read with json/, and verified with the key that the client is known by.
 */
#ifndef MLN_CRYPTO_JWT_H
#define MLN_CRYPTO_JWT_H

#include "crypto/key.h"

enum { MLN_JWT_MAX_BYTES = 16 * 1024, MLN_JWT_KEYS_MAX = 8 };

struct mln_jwt {
    struct mln_str header;      /* JSON text, not checked further */
    struct mln_str payload;     /* JSON text, not checked further; not to be trusted before verifying */
    struct mln_str signed_part; /* of the token: header.payload */
    struct mln_str signature;   /* bytes */
};

/* Takes a token apart, decoded parts in the arena, signed_part a slice of token. UNAUTHENTICATED when it is larger than
   MLN_JWT_MAX_BYTES or is not three parts of strict base64url. Verifies nothing. */
MLN_RESULT mln_jwt_decode(struct mln_str token, struct mln_arena *arena, struct mln_jwt *out);

/* Whether the signature was made with key's private half by the algorithm that alg, the header's "alg", names: ES256,
   RS256 or PS256, compared by exact bytes. UNAUTHENTICATED for every other name ("none" too), for an algorithm that is
   not the key's kind, and for a signature that does not fit. */
MLN_RESULT mln_jwt_verify(const struct mln_jwt *jwt, struct mln_str alg, const struct mln_public_key *key);

/* Appends a token signed with ES256; header is the caller's JSON object and has to say so. For client assertions; the
   server's own tokens come from a key set. LIMIT over MLN_JWT_MAX_BYTES. */
MLN_RESULT mln_jwt_sign(const struct mln_key *key, struct mln_str header, struct mln_str payload, struct mln_buf *out);

/* The keys that sign our tokens: the first added signs, all verify, so that keys can change while tokens live. Immutable
   while threads use it. */
struct mln_jwt_keys;
MLN_RESULT mln_jwt_keys_new(struct mln_jwt_keys **out);
void mln_jwt_keys_free(struct mln_jwt_keys *keys);
MLN_DEFINE_CLEANUP(struct mln_jwt_keys, mln_jwt_keys_free)
/* Takes a reference of key. LIMIT over MLN_JWT_KEYS_MAX, CONFLICT for a key that is in it. */
MLN_RESULT mln_jwt_keys_add(struct mln_jwt_keys *keys, const struct mln_key *key);

/* Appends a token: header {"alg":"ES256","typ":"JWT","kid":...}, kid being the signing key's RFC 7638 thumbprint. */
MLN_RESULT mln_jwt_keys_sign(const struct mln_jwt_keys *keys, struct mln_str payload, struct mln_buf *out);
/* The payload (JSON text, in the arena) of a token that a key of the set signed; the header must be byte for byte one
   that this set writes, so nothing in it is there to be confused by. UNAUTHENTICATED otherwise. */
MLN_RESULT mln_jwt_keys_verify(const struct mln_jwt_keys *keys, struct mln_str token, struct mln_arena *arena,
                               struct mln_str *payload);
/* Appends {"keys":[{"kty":"EC","use":"sig","alg":"ES256","crv":"P-256","kid":...,"x":...,"y":...}, ...]}. */
MLN_RESULT mln_jwt_keys_jwks(const struct mln_jwt_keys *keys, struct mln_buf *out);

#endif
