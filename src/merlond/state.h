/*
 * The state directory: what the server is, over restarts. Owns its files (all 0600 but the two certificates):
 *
 *     lock              held while a merlond uses the directory
 *     server.json       tenant and default subscription
 *     ca.pem ca.key     the authority that signs the server's and the machines' certificates
 *     server.pem .key   the server's certificate, made anew when its names change or it runs out
 *     token-keys/       the keys that sign access tokens, one file each, named by when it was made
 *     merlon.db         the store (opened by whoever uses the directory)
 *     initial-password  the administrator's first password, until somebody deletes the file
 */
#ifndef MLN_MERLOND_STATE_H
#define MLN_MERLOND_STATE_H

#include "base/buf.h"
#include "base/time.h"
#include "crypto/ca.h"
#include "crypto/jwt.h"
#include "crypto/random.h"

struct mln_state {
    const char *directory;
    int lock;
    bool created; /* by this call of open */
    char tenant_id[MLN_UUID_TEXT], subscription_id[MLN_UUID_TEXT];
    struct mln_ca *ca;
    struct mln_buf ca_pem, ca_key; /* PEM */
};

/* Locks the directory and makes what is not there yet. CONFLICT when another process uses it. */
MLN_RESULT mln_state_open(const char *directory, const struct mln_clock *clock, struct mln_state *out);
void mln_state_close(struct mln_state *state);

/* Whether a server's state is there. */
bool mln_state_exists(const char *directory);

/* Path of a file in the directory, in the arena; NULL when there is no memory. */
const char *mln_state_path(const struct mln_state *state, struct mln_arena *arena, const char *name);

/* The server's certificate (followed by its authority's) and key for these names; the stored one while it fits and is good
   for 60 more days. */
MLN_RESULT mln_state_server_certificate(const struct mln_state *state, const struct mln_clock *clock,
                                        const struct mln_str *names, size_t n, struct mln_buf *certificate,
                                        struct mln_buf *key);

/* The keys for access tokens, the newest first. A new one is made every 30 days; an old one is kept for two hours after
   its successor, so that its tokens can live out, and then deleted. */
MLN_RESULT mln_state_signing_keys(const struct mln_state *state, const struct mln_clock *clock,
                                  struct mln_jwt_keys **out);

#endif
