/*
 * A hash map from string to pointer or number (open addressing, linear probing, keyed hash). Keys are not copied: they
 * must outlive the map. The map owns its table, on the heap. With nocase, keys compare without ASCII case.
 */
#ifndef MLN_BASE_MAP_H
#define MLN_BASE_MAP_H

#include "base/str.h"

union mln_map_value {
    void *p;
    uint64_t u;
};

struct mln_map;

struct mln_map *mln_map_new(bool nocase); /* NULL: no memory */
void mln_map_free(struct mln_map *map);
MLN_DEFINE_CLEANUP(struct mln_map, mln_map_free)

/* Sets or replaces. On replacing, the old key slice stays in the map. */
MLN_RESULT mln_map_put(struct mln_map *map, struct mln_str key, union mln_map_value value);
/* The place of a key's value, valid until the next put or remove; NULL when absent. */
union mln_map_value *mln_map_get(const struct mln_map *map, struct mln_str key);
/* True when it was there. */
bool mln_map_remove(struct mln_map *map, struct mln_str key);
size_t mln_map_count(const struct mln_map *map);

/* Walks all entries in no particular order: size_t at = 0; while (mln_map_next(map, &at, &key, &value)) ... */
bool mln_map_next(const struct mln_map *map, size_t *at, struct mln_str *key, union mln_map_value *value);

#endif
