#include "base/vec.h"

#include <stdint.h>

struct mln_result mln_vec_grow_(struct mln_arena *arena, void **at, size_t *cap, size_t n, size_t item_bytes)
{
    size_t more = *cap ? *cap * 2 : 8, bytes;
    if (more < *cap || __builtin_mul_overflow(more, item_bytes, &bytes))
        return mln_fail(MLN_E_LIMIT, "list too long");
    void *p = arena ? mln_arena_alloc(arena, bytes) : realloc(*at, bytes);
    if (!p)
        return arena ? mln_arena_failure(arena) : mln_fail(MLN_E_MEMORY, "no memory for %zu bytes", bytes);
    if (arena && n)
        memcpy(p, *at, n * item_bytes);
    *at = p;
    *cap = more;
    return MLN_OK;
}
