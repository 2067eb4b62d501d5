/*
 * An arena: memory for one request, assessment, batch or message, given back all at once.
 *
 * It owns its chunks. It has a budget; when that is used up an allocation fails with LIMIT, it never aborts. One thread
 * at a time. Memory is zeroed.
 */
#ifndef MLN_BASE_ARENA_H
#define MLN_BASE_ARENA_H

#include "base/result.h"

#include <stddef.h>

struct mln_arena;

/* A new arena that will hold at most budget_bytes of payload. NULL only when the machine has no memory. */
struct mln_arena *mln_arena_new(size_t budget_bytes);
void mln_arena_free(struct mln_arena *arena);
MLN_DEFINE_CLEANUP(struct mln_arena, mln_arena_free)

/* size zeroed bytes aligned for any type, owned by the arena; NULL (with this thread's error text set, code LIMIT or
   MEMORY as mln_arena_failure tells) when that is not to be had. A size of 0 gives a valid pointer. */
void *mln_arena_alloc(struct mln_arena *arena, size_t size_bytes);

/* As above for count items; an overflowing product fails. */
void *mln_arena_array(struct mln_arena *arena, size_t count, size_t item_bytes);

/* The failure behind the last NULL. */
MLN_RESULT mln_arena_failure(const struct mln_arena *arena);

/* Forgets all allocations, keeps the largest chunk for reuse. */
void mln_arena_reset(struct mln_arena *arena);

/* Payload bytes handed out since the start or the last reset. */
size_t mln_arena_used(const struct mln_arena *arena);

/* p = arena memory for count items of *p, or return the failure. */
#define MLN_TRY_ARRAY(arena, p, count)                                                                                 \
    do {                                                                                                               \
        (p) = mln_arena_array((arena), (count), sizeof *(p));                                                          \
        if (!(p))                                                                                                      \
            return mln_arena_failure(arena);                                                                           \
    } while (0)
#define MLN_TRY_NEW(arena, p) MLN_TRY_ARRAY(arena, p, 1)

#endif
