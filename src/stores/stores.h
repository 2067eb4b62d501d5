/* The back ends that this build has, and opening one by the location of its database. */
#ifndef MLN_STORES_STORES_H
#define MLN_STORES_STORES_H

#include "store/ops.h"

/* Opens the store at "sqlite:PATH", making it where it is not there yet. options may be NULL. UNSUPPORTED for a back
   end that this build does not have, or data of a newer Merlon; CONFLICT when another process has the store open. */
MLN_RESULT mln_stores_open(const char *location, const struct mln_store_options *options, struct mln_store **store);

#endif
