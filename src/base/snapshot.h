/*
 * Publishing immutable data to readers: the writer puts a whole new value in place, readers pin the one that is current
 * and unpin it when done; a value is destroyed when it is no longer current and its last reader has left. A reader never
 * sees half of an update.
 */
#ifndef MLN_BASE_SNAPSHOT_H
#define MLN_BASE_SNAPSHOT_H

#include "base/result.h"

struct mln_snapshot;     /* the place */
struct mln_snapshot_pin; /* one counted value */

/* destroy is called once per published value; NULL result: no memory. */
struct mln_snapshot *mln_snapshot_new(void (*destroy)(void *value));
void mln_snapshot_free(struct mln_snapshot *snapshot); /* all pins must have been given back */

/* Makes value (owned from here on, also on failure) the current one. */
MLN_RESULT mln_snapshot_publish(struct mln_snapshot *snapshot, void *value);
/* The two halves of publish, for who must not fail at the second: wrap value (owned from here on, also on failure) in a pin,
   then make the pin's value the current one. A pin that is not placed is given back with unpin. */
MLN_RESULT mln_snapshot_prepare(struct mln_snapshot *snapshot, void *value, struct mln_snapshot_pin **pin);
void mln_snapshot_place(struct mln_snapshot *snapshot, struct mln_snapshot_pin *pin);
/* The current value, held until unpin; *value is NULL, and so is the pin, before the first publish. */
struct mln_snapshot_pin *mln_snapshot_pin(struct mln_snapshot *snapshot, void **value);
void mln_snapshot_unpin(struct mln_snapshot *snapshot, struct mln_snapshot_pin *pin); /* NULL is allowed */

#endif
