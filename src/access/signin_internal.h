/* What the files of signing in share: proofs.c (secrets and assertions) and signin.c (grants). */
#ifndef MLN_ACCESS_SIGNIN_INTERNAL_H
#define MLN_ACCESS_SIGNIN_INTERNAL_H

#include "access/limiter.h"
#include "access/signin.h"

#include <pthread.h>

struct mln_signin {
    struct mln_signin_setup setup;
    struct mln_grants grants;
    struct mln_limiter *by_pair, *by_name, *by_network, *starts;
    pthread_mutex_t hashing;
    pthread_cond_t hash_done;
    unsigned hashes_running, hashes_waiting;
};

/* By network: where an attempt comes from, so that the many addresses of one customer do not count as many. */
MLN_RESULT mln_signin_network_check(struct mln_limiter *limiter, struct mln_str address);
void mln_signin_network_failed(struct mln_limiter *limiter, struct mln_str address);

/* The one answer to a proof that fails. */
MLN_RESULT mln_signin_refused(void);
/* The principal, unless it is gone, disabled, or of another generation than the grant. */
MLN_RESULT mln_signin_grant_principal(struct mln_signin *signin, const struct mln_grant *grant, struct mln_arena *arena,
                                      struct mln_principal *out);

#endif
