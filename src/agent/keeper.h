/*
 * The keeper: the process that may read the whole machine, and therefore parses nothing of it. It starts collectors by a
 * fixed table, watches the files that they read, and hands their frames on to the link. It takes no orders from the link;
 * SIGHUP makes it look at everything.
 */
#ifndef MLN_AGENT_KEEPER_H
#define MLN_AGENT_KEEPER_H

#include "base/result.h"

struct mln_keeper_setup {
    const char *root; /* "/" but for tests */
    const char *state_directory;
    const char *user; /* whom the link and the collectors become; NULL: merlon-agent, else nobody */
};

/* Runs until it is told to stop. CONFLICT: another agent has the state directory. */
MLN_RESULT mln_keeper_run(const struct mln_keeper_setup *setup);

#endif
