/* The stored form of enrolment tokens, for those files of the hosts connector that use them. */
#ifndef MLN_CONNECT_HOSTS_TOKENS_H
#define MLN_CONNECT_HOSTS_TOKENS_H

#include "connect/hosts_state.h"

enum { MLN_TOKEN_ID_TEXT = 33 };

/* A token's id is the first half of its digest: what finds the record does not let anybody in. */
struct mln_token_digest {
    char digest[MLN_SHA256_HEX];
    char id[MLN_TOKEN_ID_TEXT];
};
/* UNAUTHENTICATED for what has not the form of a token. */
MLN_RESULT mln_token_identify(struct mln_str secret, struct mln_token_digest *out);

/* NOT_FOUND. */
MLN_RESULT mln_token_load(struct mln_store_read *read, struct mln_str id, struct mln_arena *arena,
                          struct mln_enrolment_token *out, struct mln_str *digest, int64_t *revision);
/* Adds the record to a batch, expecting the revision. */
MLN_RESULT mln_token_store(const struct mln_enrolment_token *token, struct mln_str digest, int64_t expect,
                           struct mln_arena *arena, struct mln_store_batch *batch);

#endif
