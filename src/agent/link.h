/*
 * The link: the process that talks to the server. It has no rights but the network and its state directory; what it knows
 * of the machine comes as frames on a socket from the keeper. It decides when to beat, to report, to renew, and how long to
 * wait after a failure.
 */
#ifndef MLN_AGENT_LINK_H
#define MLN_AGENT_LINK_H

#include "base/result.h"

/* What the link's process may not do from here on: read anything but what a client of the network needs and its state
   directory, write anywhere else, execute, listen. Called by mln_link_main; apart so that tests can try what is refused. */
MLN_RESULT mln_link_give_up_rights(const char *state_directory);

/* Runs on the socket until the keeper closes it or says stop; an exit status. */
int mln_link_main(const char *state_directory, int socket);

/* Milliseconds to wait after the n-th failure in a row (from 1): doubling from 1 s to 5 min, by chance between half of it
   and all of it. chance: any number. */
long long mln_link_backoff_ms(unsigned failures, unsigned long long chance);

#endif
