#include "json/keys.h"

#include "json/json.h"

#include <pthread.h>
#include <stdatomic.h>

enum { FIRST_SLOTS = 1024, MOST_NAMES = 1000000, MOST_BYTES = 64 << 20, LONGEST_NAME = 256 };

struct entry {
    uint64_t hash;
    uint32_t key, key_fold, n;
    char bytes[];
};

struct table {
    struct table *smaller; /* what it replaced: a reader may still be in it, so it stays */
    size_t mask;
    _Atomic(struct entry *) slots[];
};

static _Atomic(struct table *) current;
static pthread_mutex_t writing = PTHREAD_MUTEX_INITIALIZER;
static uint32_t names;
static size_t bytes;
static bool closed; /* once a name was turned away all new ones are, so that a name's number never changes */

static _Atomic(struct entry *) *slot_of(struct table *table, struct mln_str name, uint64_t hash)
{
    for (size_t i = hash & table->mask;; i = (i + 1) & table->mask) {
        struct entry *entry = atomic_load_explicit(&table->slots[i], memory_order_acquire);
        if (!entry || (entry->hash == hash && mln_str_eq((struct mln_str){entry->bytes, entry->n}, name)))
            return &table->slots[i];
    }
}

static struct entry *find(struct mln_str name, uint64_t hash)
{
    struct table *table = atomic_load_explicit(&current, memory_order_acquire);
    return table ? atomic_load_explicit(slot_of(table, name, hash), memory_order_acquire) : NULL;
}

/* The table with room for one more, or NULL. */
static struct table *with_room(void)
{
    struct table *table = atomic_load_explicit(&current, memory_order_relaxed);
    if (table && ((size_t)names + 1) * 2 <= table->mask + 1)
        return table;
    size_t slots = table ? (table->mask + 1) * 2 : FIRST_SLOTS;
    struct table *larger = calloc(1, sizeof *larger + slots * sizeof larger->slots[0]);
    if (!larger)
        return NULL;
    larger->smaller = table;
    larger->mask = slots - 1;
    for (size_t i = 0; table && i <= table->mask; i++) {
        struct entry *entry = atomic_load_explicit(&table->slots[i], memory_order_relaxed);
        if (entry)
            atomic_store_explicit(slot_of(larger, (struct mln_str){entry->bytes, entry->n}, entry->hash), entry,
                                  memory_order_relaxed);
    }
    atomic_store_explicit(&current, larger, memory_order_release);
    return larger;
}

/* Under the lock. Adds the lower-case form first, because the entry must be whole before readers can see it. */
static struct entry *add(struct mln_str name, uint64_t hash)
{
    struct entry *entry = find(name, hash);
    if (entry || closed)
        return entry;
    char folded[LONGEST_NAME];
    for (size_t i = 0; i < name.n; i++)
        folded[i] = name.p[i] >= 'A' && name.p[i] <= 'Z' ? (char)(name.p[i] | 0x20) : name.p[i];
    struct mln_str fold = {folded, name.n};
    bool is_folded = mln_str_eq(fold, name);
    struct entry *lower = is_folded ? NULL : add(fold, mln_str_hash(fold));
    struct table *table = closed || names == MOST_NAMES || bytes + name.n > MOST_BYTES ? NULL : with_room();
    entry = table ? malloc(sizeof *entry + name.n + 1) : NULL;
    if (!entry) {
        closed = true;
        return NULL;
    }
    *entry = (struct entry){.hash = hash, .key = ++names, .n = (uint32_t)name.n};
    entry->key_fold = is_folded ? entry->key : lower ? lower->key : MLN_JSON_KEY_OTHER;
    if (name.n)
        memcpy(entry->bytes, name.p, name.n);
    entry->bytes[name.n] = '\0';
    bytes += name.n;
    atomic_store_explicit(slot_of(table, name, hash), entry, memory_order_release);
    return entry;
}

struct mln_json_name mln_json_intern(struct mln_str name)
{
    struct mln_json_name none = {{NULL, 0}, MLN_JSON_KEY_OTHER, MLN_JSON_KEY_OTHER};
    if (name.n > LONGEST_NAME)
        return none;
    uint64_t hash = mln_str_hash(name);
    struct entry *entry = find(name, hash);
    if (!entry) {
        pthread_mutex_lock(&writing);
        entry = add(name, hash);
        pthread_mutex_unlock(&writing);
    }
    return entry ? (struct mln_json_name){{entry->bytes, entry->n}, entry->key, entry->key_fold} : none;
}

uint32_t mln_json_key(struct mln_str name)
{
    return mln_json_intern(name).key;
}
