/*
 * A bounded queue of pointers between threads: many producers, many consumers. It owns its slots, not what the pointers
 * point at; an item belongs to whoever popped it, and to the caller again where a push failed.
 */
#ifndef MLN_BASE_QUEUE_H
#define MLN_BASE_QUEUE_H

#include "base/result.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mln_queue;

struct mln_queue *mln_queue_new(size_t capacity); /* NULL: no memory */
void mln_queue_free(struct mln_queue *queue);     /* nobody may be waiting in it any more */
MLN_DEFINE_CLEANUP(struct mln_queue, mln_queue_free)

/* Adds without waiting. BUSY when full (counted as refused), CLOSED after close. */
MLN_RESULT mln_queue_push(struct mln_queue *queue, void *item);
/* Adds, waiting for room until the deadline (mln_monotonic_ms; negative: for ever). BUSY, CLOSED. */
MLN_RESULT mln_queue_push_wait(struct mln_queue *queue, void *item, int64_t deadline_ms);
/* Takes the oldest, waiting until the deadline (as above). NULL when the time is over, or closed and empty. */
void *mln_queue_pop(struct mln_queue *queue, int64_t deadline_ms);
/* No more pushes; what is in it can still be popped; wakes everybody. */
void mln_queue_close(struct mln_queue *queue);

size_t mln_queue_length(struct mln_queue *queue);
uint64_t mln_queue_refused(struct mln_queue *queue); /* pushes that found it full */

#endif
