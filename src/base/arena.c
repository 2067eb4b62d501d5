#include "base/arena.h"

#include <stdint.h>

enum { FIRST_CHUNK_BYTES = 4096, LARGEST_CHUNK_BYTES = 1 << 20, ALIGN = _Alignof(max_align_t) };

struct chunk {
    struct chunk *next;
    size_t size_bytes, used_bytes;
    _Alignas(max_align_t) unsigned char data[];
};

struct mln_arena {
    struct chunk *chunks; /* the one in use is first */
    size_t budget_bytes, used_bytes, next_chunk_bytes;
    enum mln_code failure;
};

struct mln_arena *mln_arena_new(size_t budget_bytes)
{
    struct mln_arena *arena = calloc(1, sizeof *arena);
    if (!arena)
        return NULL;
    arena->budget_bytes = budget_bytes;
    arena->next_chunk_bytes = FIRST_CHUNK_BYTES;
    return arena;
}

static void free_chunks(struct chunk *chunk)
{
    while (chunk) {
        struct chunk *next = chunk->next;
        free(chunk);
        chunk = next;
    }
}

void mln_arena_free(struct mln_arena *arena)
{
    if (!arena)
        return;
    free_chunks(arena->chunks);
    free(arena);
}

static void *refuse(struct mln_arena *arena, enum mln_code code, size_t size)
{
    arena->failure = code;
    if (code == MLN_E_LIMIT)
        MLN_IGNORE(mln_fail(code, "memory budget of %zu bytes is used up (%zu in use, %zu more asked)",
                            arena->budget_bytes, arena->used_bytes, size));
    else
        MLN_IGNORE(mln_fail(code, "no memory for %zu bytes", size));
    return NULL;
}

static struct chunk *add_chunk(struct mln_arena *arena, size_t need)
{
    size_t size = need > arena->next_chunk_bytes ? need : arena->next_chunk_bytes;
    struct chunk *chunk = malloc(sizeof *chunk + size);
    if (!chunk)
        return NULL;
    chunk->size_bytes = size;
    chunk->used_bytes = 0;
    chunk->next = arena->chunks;
    arena->chunks = chunk;
    if (arena->next_chunk_bytes < LARGEST_CHUNK_BYTES)
        arena->next_chunk_bytes *= 2;
    return chunk;
}

void *mln_arena_alloc(struct mln_arena *arena, size_t size_bytes)
{
    if (size_bytes > SIZE_MAX - ALIGN)
        return refuse(arena, MLN_E_LIMIT, size_bytes);
    size_t size = (size_bytes + ALIGN - 1) / ALIGN * ALIGN;
    if (size > arena->budget_bytes - arena->used_bytes || arena->used_bytes > arena->budget_bytes)
        return refuse(arena, MLN_E_LIMIT, size);
    struct chunk *chunk = arena->chunks;
    if (!chunk || size > chunk->size_bytes - chunk->used_bytes) {
        chunk = add_chunk(arena, size);
        if (!chunk)
            return refuse(arena, MLN_E_MEMORY, size);
    }
    void *p = chunk->data + chunk->used_bytes;
    chunk->used_bytes += size;
    arena->used_bytes += size;
    return memset(p, 0, size);
}

void *mln_arena_array(struct mln_arena *arena, size_t count, size_t item_bytes)
{
    size_t size;
    if (__builtin_mul_overflow(count, item_bytes, &size))
        return refuse(arena, MLN_E_LIMIT, SIZE_MAX);
    return mln_arena_alloc(arena, size);
}

struct mln_result mln_arena_failure(const struct mln_arena *arena)
{
    return (struct mln_result){arena->failure};
}

void mln_arena_reset(struct mln_arena *arena)
{
    struct chunk *keep = arena->chunks;
    for (struct chunk *c = arena->chunks; c; c = c->next)
        if (c->size_bytes > keep->size_bytes)
            keep = c;
    for (struct chunk *c = arena->chunks, *next; c; c = next) {
        next = c->next;
        if (c != keep)
            free(c);
    }
    if (keep) {
        keep->next = NULL;
        keep->used_bytes = 0;
    }
    arena->chunks = keep;
    arena->used_bytes = 0;
    arena->failure = MLN_E_OK;
}

size_t mln_arena_used(const struct mln_arena *arena)
{
    return arena->used_bytes;
}
