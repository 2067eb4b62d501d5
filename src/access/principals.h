/*
 * Who can sign in: users (name and password) and service principals (client id with secrets or certificates).
 *
 * Owns collection PRINCIPALS and a snapshot of it in memory. Secrets are kept as scrypt texts, certificates as their
 * public keys. How somebody signs in is signin.h's, what they may do rbac.h's.
 */
#ifndef MLN_ACCESS_PRINCIPALS_H
#define MLN_ACCESS_PRINCIPALS_H

#include "access/caller.h"
#include "base/fields.h"
#include "base/time.h"
#include "store/store.h"

enum {
    MLN_PRINCIPAL_MAX_SECRETS = 2,
    MLN_PRINCIPAL_MAX_CERTIFICATES = 4,
    MLN_PRINCIPAL_NAME_BYTES = 128,
    MLN_PRINCIPAL_DISPLAY_BYTES = 256,
    MLN_PRINCIPALS_MAX = 10000
};

enum mln_principal_kind { MLN_PRINCIPAL_USER, MLN_PRINCIPAL_SERVICE };
extern const char *const mln_principal_kind_words[]; /* "User", "ServicePrincipal", NULL */

struct mln_principal_secret {
    struct mln_str id, hash;        /* GUID; scrypt text */
    int64_t created_ms, expires_ms; /* 0: never */
};
struct mln_principal_certificate {
    struct mln_str thumbprint; /* SHA-1 of the DER, upper-case hex, as Azure names certificates */
    struct mln_str public_key; /* PEM */
    struct mln_str subject;
    int64_t expires_ms;
};

#define MLN_PRINCIPAL_FIELDS(F)                                                                                        \
    F(struct mln_str, id, "id", STR, REQUIRED, NULL, "GUID; a service principal's client id too")                      \
    F(int, kind, "kind", ENUM, REQUIRED, mln_principal_kind_words, "User or ServicePrincipal")                         \
    F(struct mln_str, name, "name", STR, REQUIRED, NULL, "what a user signs in with; unique without case")             \
    F(struct mln_str, display_name, "displayName", STR, OPTIONAL, NULL, "for people")                                  \
    F(bool, disabled, "disabled", BOOL, OPTIONAL, NULL, "no sign-in, and no token works")                              \
    F(int64_t, generation, "generation", I64, OPTIONAL, NULL, "tokens of another generation are refused")              \
    F(int64_t, created_ms, "createdTime", TIME, OPTIONAL, NULL, "when")                                                \
    F(struct mln_str, created_by, "createdBy", STR, OPTIONAL, NULL, "principal id of who made it")

struct mln_principal {
#define F(ctype, member, json, kind, need, words, doc) ctype member;
    MLN_PRINCIPAL_FIELDS(F)
#undef F
    struct mln_principal_secret secrets[MLN_PRINCIPAL_MAX_SECRETS]; /* a user's password is the first */
    size_t n_secrets;
    struct mln_principal_certificate certificates[MLN_PRINCIPAL_MAX_CERTIFICATES];
    size_t n_certificates;
};

struct mln_principals;
MLN_RESULT mln_principals_open(struct mln_store *store, struct mln_principals **out);
void mln_principals_close(struct mln_principals *principals);
MLN_DEFINE_CLEANUP(struct mln_principals, mln_principals_close)
/* Publishes what the store holds, after a batch with changes was committed. */
MLN_RESULT mln_principals_refresh(struct mln_principals *principals);

/* Changes of principals and of what they may do happen one after another: whoever makes one holds this from the first look
   to the refresh, so that no two of them each rely on what the other takes away (a name, the last owner). */
struct mln_principals *mln_principals_lock(struct mln_principals *principals);
void mln_principals_unlock(struct mln_principals *principals);
MLN_DEFINE_CLEANUP(struct mln_principals, mln_principals_unlock)

/* Copies in the arena. NOT_FOUND. A name finds users only. */
MLN_RESULT mln_principal_get(struct mln_principals *principals, struct mln_str id, struct mln_arena *arena,
                             struct mln_principal *out);
MLN_RESULT mln_principal_by_name(struct mln_principals *principals, struct mln_str name, struct mln_arena *arena,
                                 struct mln_principal *out);
/* By name. What visit gets is valid during the call. */
typedef struct mln_result (*mln_principal_visit)(void *context, const struct mln_principal *principal);
MLN_RESULT mln_principals_visit(struct mln_principals *principals, mln_principal_visit visit, void *context);

/* Whether there is such a principal, it is not disabled, and it has something to sign in with. */
bool mln_principal_can_sign_in(struct mln_principals *principals, struct mln_str id);

/* The caller behind a token, without secrets: UNAUTHENTICATED when the principal is gone, disabled, or of another
   generation. Texts in the arena. */
MLN_RESULT mln_principal_caller(struct mln_principals *principals, struct mln_str id, int64_t generation,
                                struct mln_arena *arena, struct mln_caller *out);

/* Adds creating or replacing to the batch. INVALID: a name that is empty, too long or holds control bytes, or such a display
   name; CONFLICT: a user's name that another user has; LIMIT: there are as many principals as there may be. */
MLN_RESULT mln_principal_put(struct mln_principals *principals, struct mln_store_batch *batch,
                             const struct mln_principal *principal);
MLN_RESULT mln_principal_delete(struct mln_store_batch *batch, struct mln_str id);

#endif
