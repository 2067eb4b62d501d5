/*
 * Access and id tokens: ES256 JWTs of this tenant, made and checked. Access tokens live one hour and carry the principal's
 * generation, so that a changed password or a disabled principal ends them at once.
 *
 * Which keys sign is the program's to say (it keeps the files); a new set replaces the old one while threads work.
 */
#ifndef MLN_ACCESS_TOKENS_H
#define MLN_ACCESS_TOKENS_H

#include "access/principals.h"
#include "crypto/jwt.h"

enum { MLN_ACCESS_TOKEN_SECONDS = 3600 };

struct mln_tokens;
MLN_RESULT mln_tokens_new(const struct mln_clock *clock, struct mln_str tenant_id, struct mln_tokens **out);
void mln_tokens_free(struct mln_tokens *tokens);
MLN_DEFINE_CLEANUP(struct mln_tokens, mln_tokens_free)

/* Signs with the first key of the set from now on and accepts all of its keys. keys is owned from here on. */
MLN_RESULT mln_tokens_use_keys(struct mln_tokens *tokens, struct mln_jwt_keys *keys);
/* Appends the public keys as a JWK set. */
MLN_RESULT mln_tokens_jwks(struct mln_tokens *tokens, struct mln_buf *out);

/* Appends an access token for the principal, asked for by the client application client_id. */
MLN_RESULT mln_tokens_access(struct mln_tokens *tokens, const struct mln_principal *principal, struct mln_str client_id,
                             struct mln_buf *out);
/* Appends an id token: who signed in, for the client. nonce.p NULL: none was asked for. */
MLN_RESULT mln_tokens_id(struct mln_tokens *tokens, const struct mln_principal *principal, struct mln_str client_id,
                         struct mln_str issuer, struct mln_str nonce, struct mln_buf *out);

/* Who a bearer token stands for. UNAUTHENTICATED: not ours, expired (then *expired is true), not yet valid, revoked. */
MLN_RESULT mln_tokens_verify(struct mln_tokens *tokens, struct mln_principals *principals, struct mln_str token,
                             struct mln_arena *arena, struct mln_caller *out, bool *expired);

#endif
