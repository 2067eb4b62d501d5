/*
 * How a program is told to end. A program with a loop adds SIGTERM and SIGINT to it (loop.h) and needs only
 * mln_ignore_pipe_signal; one without asks the flag.
 */
#ifndef MLN_OS_SHUTDOWN_H
#define MLN_OS_SHUTDOWN_H

#include "base/result.h"

#include <stdbool.h>

/* Writing to a closed pipe or socket is an error (EPIPE), not the end of the process. */
MLN_RESULT mln_ignore_pipe_signal(void);
/* SIGTERM, SIGINT and SIGHUP set a flag from now on; a second SIGINT ends the process. */
MLN_RESULT mln_shutdown_catch(void);
bool mln_shutdown_requested(void);

#endif
