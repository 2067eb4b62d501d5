/* The tables of functions of the back ends, for the list in stores.c and for the conformance suite. */
#ifndef MLN_STORES_BACKENDS_H
#define MLN_STORES_BACKENDS_H

#include "store/ops.h"

extern const struct mln_store_ops mln_sqlite_ops;

#endif
