/*
 * What is handed out once and asked for again: refresh tokens, device codes, authorization codes, browser sessions, and
 * the ids of client assertions that were used. All stand in collection TOKENS, by the SHA-256 of the secret, with an
 * expiry; the secret itself is never kept.
 */
#ifndef MLN_ACCESS_GRANTS_H
#define MLN_ACCESS_GRANTS_H

#include "base/fields.h"
#include "base/time.h"
#include "crypto/digest.h"
#include "store/store.h"

/* kind, key prefix in TOKENS, life in seconds, how many may stand at once (0: any number) */
#define MLN_GRANTS(G)                                                                                                  \
    G(REFRESH, "refresh/", 30 * 24 * 3600, 0)                                                                          \
    G(DEVICE, "device/", 900, 1000)                                                                                    \
    G(USER_CODE, "usercode/", 900, 1000) /* the code that a person types, leading to the device's */                   \
    G(CODE, "code/", 300, 1000)                                                                                        \
    G(SESSION, "session/", 12 * 3600, 0)                                                                               \
    G(ASSERTION, "assertion/", 3600, 0)

enum mln_grant_kind {
#define G(name, prefix, seconds, most) MLN_GRANT_##name,
    MLN_GRANTS(G)
#undef G
        MLN_GRANT_KINDS
};

enum mln_grant_state { MLN_GRANT_OPEN, MLN_GRANT_APPROVED, MLN_GRANT_DENIED, MLN_GRANT_USED };

#define MLN_GRANT_FIELDS(F)                                                                                            \
    F(struct mln_str, principal_id, "principal", STR, NULL, "for whom")                                                \
    F(int64_t, generation, "generation", I64, NULL, "of the principal then; another one ends the grant")               \
    F(struct mln_str, client_id, "client", STR, NULL, "the application that it was given to")                          \
    F(struct mln_str, redirect_uri, "redirect", STR, NULL, "CODE: where it was sent")                                  \
    F(struct mln_str, challenge, "challenge", STR, NULL, "CODE: PKCE S256 challenge")                                  \
    F(struct mln_str, nonce, "nonce", STR, NULL, "CODE: for the id token")                                             \
    F(struct mln_str, csrf, "csrf", STR, NULL, "SESSION: what its forms must repeat")                                  \
    F(struct mln_str, target, "target", STR, NULL, "USER_CODE: key of the device's grant")                             \
    F(struct mln_str, address, "address", STR, NULL, "USER_CODE: where the device asked from")                         \
    F(int, state, "state", ENUM, mln_grant_state_words, "OPEN to begin with")                                          \
    F(int64_t, used_ms, "usedTime", TIME, NULL, "REFRESH: when its successor was given out")                           \
    F(int64_t, created_ms, "createdTime", TIME, NULL, "when")                                                          \
    F(int64_t, expires_ms, "expiresTime", TIME, NULL, "from when on it is nothing")
extern const char *const mln_grant_state_words[];

struct mln_grant {
#define F(ctype, member, json, kind, words, doc) ctype member;
    MLN_GRANT_FIELDS(F)
#undef F
    /* filled in by find */
    struct mln_str key;
    int64_t revision;
};

struct mln_grants {
    struct mln_store *store;
    const struct mln_clock *clock;
};

/* The key of a secret: prefix and SHA-256, for REFRESH with the family before it ("refresh/FAMILY/SHA256"). */
MLN_RESULT mln_grant_key(enum mln_grant_kind kind, struct mln_str secret, struct mln_arena *arena, struct mln_str *key);

/* Adds a new grant under a key to the batch; times are filled in. TOO_MANY when the kind's number is reached. CONFLICT
   shows at the commit, as PRECONDITION, when the key exists. */
MLN_RESULT mln_grant_add(struct mln_grants *grants, struct mln_store_batch *batch, enum mln_grant_kind kind,
                         struct mln_str key, struct mln_grant *grant);
/* NOT_FOUND also for an expired one. */
MLN_RESULT mln_grant_find(struct mln_grants *grants, struct mln_str key, struct mln_arena *arena,
                          struct mln_grant *out);
/* Adds replacing or removing a grant that was found to the batch; the commit fails with PRECONDITION when somebody was
   faster, so that a code works once. */
MLN_RESULT mln_grant_replace(struct mln_store_batch *batch, const struct mln_grant *grant);
MLN_RESULT mln_grant_remove(struct mln_store_batch *batch, const struct mln_grant *grant);
/* Removes all refresh tokens of the family that the key belongs to. */
MLN_RESULT mln_grant_remove_family(struct mln_store_batch *batch, struct mln_str key);
/* Removes what has expired; call it every few minutes. *removed may be NULL. */
MLN_RESULT mln_grants_sweep(struct mln_grants *grants, size_t *removed);

#endif
