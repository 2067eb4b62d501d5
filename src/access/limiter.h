/*
 * Counting failures by name and refusing whoever has too many: the brake on guessing secrets. In memory and bounded; when
 * it is full, the entry that rests longest is forgotten. Thread-safe.
 */
#ifndef MLN_ACCESS_LIMITER_H
#define MLN_ACCESS_LIMITER_H

#include "base/time.h"

struct mln_limiter;

/* After `failures` failures of one name within window_ms, the name is refused until window_ms after the last of them. */
MLN_RESULT mln_limiter_new(const struct mln_clock *clock, uint32_t failures, int64_t window_ms,
                           struct mln_limiter **out);
void mln_limiter_free(struct mln_limiter *limiter);
MLN_DEFINE_CLEANUP(struct mln_limiter, mln_limiter_free)

/* TOO_MANY while the name is refused; *retry_ms (may be NULL) says for how long. */
MLN_RESULT mln_limiter_check(struct mln_limiter *limiter, struct mln_str name, int64_t *retry_ms);
void mln_limiter_failed(struct mln_limiter *limiter, struct mln_str name);
void mln_limiter_succeeded(struct mln_limiter *limiter, struct mln_str name); /* forgets its failures */

#endif
