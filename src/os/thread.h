/* Threads: named, with all signals blocked (the program's loop or flag gets them), joined by whoever started them. */
#ifndef MLN_OS_THREAD_H
#define MLN_OS_THREAD_H

#include "base/result.h"

struct mln_thread;

/* Starts run(context) in a thread; name is cut to 15 bytes. Every started thread must be joined. */
MLN_RESULT mln_thread_start(const char *name, void (*run)(void *context), void *context, struct mln_thread **out);
/* Waits for its end and frees it; NULL is allowed. */
void mln_thread_join(struct mln_thread *thread);

/* The processors that this process may use, at least 1. */
unsigned mln_cpu_count(void);

#endif
