/* The engines on top of a home: rules, posture, the hosts connector. */
#ifndef MLN_MERLOND_ENGINE_H
#define MLN_MERLOND_ENGINE_H

#include "connect/hosts.h"
#include "merlond/home.h"
#include "posture/posture.h"

struct mln_engine {
    struct mln_posture *posture;
    struct mln_hosts *hosts;
};

/* Loads the rules (broken files are logged, not fatal) and opens the engines. */
MLN_RESULT mln_engine_open(const struct mln_daemon_options *options, struct mln_home *home, struct mln_engine *out);
void mln_engine_close(struct mln_engine *engine);
/* Loads the rules anew and assesses everything by them. */
MLN_RESULT mln_engine_reload(const struct mln_daemon_options *options, struct mln_engine *engine);

#endif
