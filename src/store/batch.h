/* The inside of a batch, for the writer. */
#ifndef MLN_STORE_BATCH_H
#define MLN_STORE_BATCH_H

#include "base/vec.h"
#include "store/ops.h"

struct mln_store_batch {
    struct mln_arena *arena; /* keys and values */
    MLN_VEC(struct mln_store_change) changes;
    MLN_VEC(struct mln_store_expectation) expectations;
    size_t bytes; /* keys, values and the entries themselves: what the ceilings count */
};

#endif
