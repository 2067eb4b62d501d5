/*
 * An event loop (epoll): descriptors, timers, signals, a wake-up from other threads. One thread runs it and makes all
 * calls, except mln_loop_wake and mln_loop_stop, which any thread may make. It is for tens of timers, not thousands: they
 * are looked through one by one.
 *
 * A callback may remove its own or any other source; a removed source is not called again, and its memory stays until the
 * current round is over.
 */
#ifndef MLN_OS_LOOP_H
#define MLN_OS_LOOP_H

#include "base/result.h"

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

struct mln_loop;
struct mln_loop_source;

enum mln_loop_events { MLN_LOOP_READ = 1, MLN_LOOP_WRITE = 2, MLN_LOOP_HANGUP = 4 /* reported always */ };

MLN_RESULT mln_loop_new(struct mln_loop **out);
void mln_loop_free(struct mln_loop *loop); /* sources too; their descriptors stay the callers' */
MLN_DEFINE_CLEANUP(struct mln_loop, mln_loop_free)

/* Watches a descriptor (level-triggered); remove the source before closing it. *out may be NULL for who never removes. */
MLN_RESULT mln_loop_add_fd(struct mln_loop *loop, int fd, unsigned events,
                           void (*ready)(void *context, int fd, unsigned events), void *context,
                           struct mln_loop_source **out);
/* Changes what a descriptor's source waits for. */
MLN_RESULT mln_loop_change_fd(struct mln_loop_source *source, unsigned events);

/* Calls fire after after_ms, and then, unless it is 0, every every_ms: missed beats are not caught up. */
MLN_RESULT mln_loop_add_timer(struct mln_loop *loop, int64_t after_ms, int64_t every_ms, void (*fire)(void *context),
                              void *context, struct mln_loop_source **out);
/* Sets a timer anew, fired or not; a negative after_ms stops it. */
void mln_loop_set_timer(struct mln_loop_source *timer, int64_t after_ms, int64_t every_ms);

/* Blocks the signal in this thread and calls arrived for it from the loop. Do this before starting threads. CONFLICT when
   the loop has it already. */
MLN_RESULT mln_loop_add_signal(struct mln_loop *loop, int signal_number,
                               void (*arrived)(void *context, int signal_number), void *context,
                               struct mln_loop_source **out);

/* Ends a source; NULL is allowed. */
void mln_loop_remove(struct mln_loop_source *source);

/* What runs once after one or more calls of mln_loop_wake, and what runs each time before the loop sleeps. NULL: nothing. */
void mln_loop_on_wake(struct mln_loop *loop, void (*woken)(void *context), void *context);
void mln_loop_before_sleep(struct mln_loop *loop, void (*before)(void *context), void *context);
void mln_loop_wake(struct mln_loop *loop);

/* Runs until mln_loop_stop; a stop before the run makes it return at once. */
MLN_RESULT mln_loop_run(struct mln_loop *loop);
/* One round: sleeps at most max_ms (negative: until something happens), then calls what is due. */
MLN_RESULT mln_loop_once(struct mln_loop *loop, int64_t max_ms);
void mln_loop_stop(struct mln_loop *loop);

#endif
