/*
 * A server's state, opened: store, principals, rights, activity log, default subscription and group. What `run` serves from
 * and what the commands for the stopped server work on.
 */
#ifndef MLN_MERLOND_HOME_H
#define MLN_MERLOND_HOME_H

#include "access/activity.h"
#include "access/rbac.h"
#include "access/signin.h"
#include "merlond/options.h"
#include "merlond/state.h"

struct mln_home {
    const struct mln_clock *clock;
    struct mln_state state;
    struct mln_store *store;
    struct mln_principals *principals;
    struct mln_tokens *tokens;
    struct mln_rbac *rbac;
    struct mln_activity *activity;
    struct mln_signin *signin;
};

/* Opens everything; at the first start also makes the default subscription and resource group. */
MLN_RESULT mln_home_open(const struct mln_daemon_options *options, const struct mln_clock *clock, struct mln_home *out);
void mln_home_close(struct mln_home *home);
static inline void mln_home_close_cleanup_(struct mln_home *home)
{
    mln_home_close(home);
}
#define MLN_HOME_CLEANUP __attribute__((cleanup(mln_home_close_cleanup_)))

/* Whether anybody can sign in. */
MLN_RESULT mln_home_has_principals(struct mln_home *home, bool *has);
/* Makes the user an owner of the tenant with this password, or, where the user exists, gives it the password. */
MLN_RESULT mln_home_set_administrator(struct mln_home *home, struct mln_str name, struct mln_str password);
/* Appends a password that was made for somebody to type: 20 letters and digits. */
MLN_RESULT mln_home_new_password(struct mln_buf *out);

#endif
