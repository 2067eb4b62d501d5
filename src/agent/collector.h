/*
 * One look at some sections, in a process of its own: it runs their programs, gives its rights up, and only then reads
 * and parses what others wrote. What it says goes down a pipe as frames. It never returns to its caller's work.
 */
#ifndef MLN_AGENT_COLLECTOR_H
#define MLN_AGENT_COLLECTOR_H

#include "agent/linux/facts.h"
#include "agent/watch.h"

struct mln_collector_setup {
    const char *root;         /* the machine's files */
    mln_section_set sections; /* all of one need (struct mln_section_row) */
    enum mln_need need;
    bool privileged; /* this process is root: become uid and gid */
    uid_t uid;
    gid_t gid;
    int pipe; /* where the frames go */
};

/* What a collector may not do once it has run its programs: write, execute, open a socket, and read more than its need
   allows. Called by mln_collector_main; apart so that tests can try what is refused. */
MLN_RESULT mln_collector_give_up_rights(const struct mln_collector_setup *setup);

/* Does it all in a process that was forked for it; returns its exit status. */
int mln_collector_main(const struct mln_collector_setup *setup);

#endif
