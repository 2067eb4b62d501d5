/* The commands of merlond, and what they share. */
#ifndef MLN_MERLOND_COMMANDS_H
#define MLN_MERLOND_COMMANDS_H

#include "merlond/options.h"

/* serve.c: until SIGTERM. */
MLN_RESULT mln_command_run(const struct mln_daemon_options *options);
/* admin.c: on the state of a stopped server; results go to standard output. */
MLN_RESULT mln_command_init(const struct mln_daemon_options *options);
MLN_RESULT mln_command_reset_password(const struct mln_daemon_options *options);
MLN_RESULT mln_command_token(const struct mln_daemon_options *options);

#endif
