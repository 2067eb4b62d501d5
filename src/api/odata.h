/* The part of OData's $filter that the operations know: comparisons joined by "and". */
#ifndef MLN_API_ODATA_H
#define MLN_API_ODATA_H

#include "base/str.h"

enum { MLN_ODATA_MAX_CLAUSES = 8 };

struct mln_odata_clause {           /* name op 'value', or a call without operator: "atScope()" */
    struct mln_str name, op, value; /* op: eq ne ge gt le lt; p NULL for a call */
};

/* Parses "a eq 'x' and b ge 'y'"; '' inside quotes is one quote; numbers and words may stand without quotes. An empty
   text has no clauses. INVALID for anything else. */
MLN_RESULT mln_odata_parse(struct mln_arena *arena, struct mln_str text, struct mln_odata_clause *clauses, size_t *n);

#endif
