/*
 * The order of everything that is recorded: a time and, for what happens in the same millisecond, a number. History keys
 * carry a moment, so that no two records share a key and a scan by key is a scan in the order of events.
 */
#ifndef MLN_INVENTORY_MOMENT_H
#define MLN_INVENTORY_MOMENT_H

#include "base/str.h"

struct mln_moment {
    int64_t ms; /* UTC milliseconds, never negative */
    uint32_t number;
};

/* "0000019ab3c4d5e6-00000000": 16 and 8 hex digits, ordered as the moments are. */
enum { MLN_MOMENT_KEY = 25 };
void mln_moment_key(struct mln_moment moment, char out[MLN_MOMENT_KEY + 1]);
/* Reads such a key back. CORRUPT when it is none. */
MLN_RESULT mln_moment_parse(struct mln_str key, struct mln_moment *moment);

/* The moment after last, at now_ms or, when the clock stands or went back, in last's millisecond. */
struct mln_moment mln_moment_after(struct mln_moment last, int64_t now_ms);
int mln_moment_cmp(struct mln_moment a, struct mln_moment b); /* <0, 0, >0 */

#endif
