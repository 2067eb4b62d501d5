/* $filter: a clause that is accepted has a name, and a known operator with a value or none of both. */
#include "api/odata.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    MLN_CLEANUP(mln_arena_free) struct mln_arena *arena = mln_arena_new(1 << 22);
    struct mln_odata_clause clauses[MLN_ODATA_MAX_CLAUSES];
    size_t n;
    if (!mln_ok(mln_odata_parse(arena, (struct mln_str){(const char *)data, size}, clauses, &n)))
        return 0;
    for (size_t i = 0; i < n; i++)
        if (!clauses[i].name.n || (clauses[i].op.p && (clauses[i].op.n != 2 || !clauses[i].value.p)))
            abort();
    return 0;
}
