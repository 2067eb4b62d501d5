#include "base/map.h"

struct slot {
    struct mln_str key; /* p NULL: free */
    uint64_t hash;
    union mln_map_value value;
};

struct mln_map {
    struct slot *slots;
    size_t mask, count;
    bool nocase;
};

enum { FIRST_SLOTS = 16 };

struct mln_map *mln_map_new(bool nocase)
{
    struct mln_map *map = calloc(1, sizeof *map);
    struct slot *slots = calloc(FIRST_SLOTS, sizeof *slots);
    if (!map || !slots) {
        free(map);
        free(slots);
        return NULL;
    }
    map->slots = slots;
    map->mask = FIRST_SLOTS - 1;
    map->nocase = nocase;
    return map;
}

void mln_map_free(struct mln_map *map)
{
    if (!map)
        return;
    free(map->slots);
    free(map);
}

/* The slot that holds the key, or the free one where it belongs. */
static struct slot *find(const struct mln_map *map, struct mln_str key, uint64_t hash)
{
    for (size_t i = hash & map->mask;; i = (i + 1) & map->mask) {
        struct slot *slot = &map->slots[i];
        if (!slot->key.p ||
            (slot->hash == hash && (map->nocase ? mln_str_eq_nocase(slot->key, key) : mln_str_eq(slot->key, key))))
            return slot;
    }
}

static uint64_t hash_of(const struct mln_map *map, struct mln_str key)
{
    return map->nocase ? mln_str_hash_nocase(key) : mln_str_hash(key);
}

static struct mln_result grow(struct mln_map *map)
{
    struct mln_map bigger = *map;
    bigger.mask = map->mask * 2 + 1;
    bigger.slots = calloc(bigger.mask + 1, sizeof *bigger.slots);
    if (!bigger.slots)
        return mln_fail(MLN_E_MEMORY, "no memory for a table of %zu entries", bigger.mask + 1);
    for (size_t i = 0; i <= map->mask; i++)
        if (map->slots[i].key.p)
            *find(&bigger, map->slots[i].key, map->slots[i].hash) = map->slots[i];
    free(map->slots);
    *map = bigger;
    return MLN_OK;
}

struct mln_result mln_map_put(struct mln_map *map, struct mln_str key, union mln_map_value value)
{
    if (!key.p)
        key = MLN_S("");
    uint64_t hash = hash_of(map, key);
    struct slot *slot = find(map, key, hash);
    if (!slot->key.p) {
        if ((map->count + 1) * 4 > (map->mask + 1) * 3) {
            MLN_TRY(grow(map));
            slot = find(map, key, hash);
        }
        slot->key = key;
        slot->hash = hash;
        map->count++;
    }
    slot->value = value;
    return MLN_OK;
}

union mln_map_value *mln_map_get(const struct mln_map *map, struct mln_str key)
{
    if (!key.p)
        key = MLN_S("");
    struct slot *slot = find(map, key, hash_of(map, key));
    return slot->key.p ? &slot->value : NULL;
}

bool mln_map_remove(struct mln_map *map, struct mln_str key)
{
    if (!key.p)
        key = MLN_S("");
    struct slot *gone = find(map, key, hash_of(map, key));
    if (!gone->key.p)
        return false;
    map->count--;
    size_t hole = (size_t)(gone - map->slots);
    /* Move later entries of the run back, so that no probe meets a gap. */
    for (size_t i = (hole + 1) & map->mask; map->slots[i].key.p; i = (i + 1) & map->mask) {
        size_t home = map->slots[i].hash & map->mask;
        if (((i - home) & map->mask) >= ((i - hole) & map->mask)) {
            map->slots[hole] = map->slots[i];
            hole = i;
        }
    }
    map->slots[hole] = (struct slot){0};
    return true;
}

size_t mln_map_count(const struct mln_map *map)
{
    return map->count;
}

bool mln_map_next(const struct mln_map *map, size_t *at, struct mln_str *key, union mln_map_value *value)
{
    for (; *at <= map->mask; ++*at) {
        const struct slot *slot = &map->slots[*at];
        if (!slot->key.p)
            continue;
        *key = slot->key;
        *value = slot->value;
        ++*at;
        return true;
    }
    return false;
}
