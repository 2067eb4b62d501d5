/* crontab(5) lines. Slices point into the text. */
#ifndef MLN_AGENT_LINUX_CRONTAB_H
#define MLN_AGENT_LINUX_CRONTAB_H

#include "base/str.h"

struct mln_cron_job {
    struct mln_str schedule, user, command; /* user p NULL in a user's own table */
    uint32_t line;
};

/* The next job of a table; *line counts on. with_user: a system table, which names the user. False at the end. */
bool mln_crontab_next(struct mln_str *rest, bool with_user, uint32_t *line, struct mln_cron_job *out);

#endif
