/* A store of its own for a test, in a new directory, with the back end that is embedded by default. Include after check.h. */
#ifndef MLN_TESTS_PLACE_H
#define MLN_TESTS_PLACE_H

#include "stores/stores.h"

#include <ftw.h>
#include <unistd.h>

struct place {
    char directory[64];
    struct mln_store *store;
};

static inline void place_open(struct place *place)
{
    char location[128];
    snprintf(location, sizeof location, "sqlite:%s/store.db", place->directory);
    assert_ok(mln_stores_open(location, NULL, &place->store));
}

static inline void place_make(struct place *place)
{
    snprintf(place->directory, sizeof place->directory, "/tmp/merlon-test-XXXXXX");
    assert_non_null(mkdtemp(place->directory));
    place_open(place);
}

static inline int place_remove_entry(const char *path, const struct stat *status, int type, struct FTW *walk)
{
    (void)status, (void)type, (void)walk;
    return remove(path);
}

static inline void place_remove(struct place *place)
{
    mln_store_close(MLN_TAKE(place->store));
    nftw(place->directory, place_remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

static inline struct mln_store_read *place_read(struct place *place)
{
    struct mln_store_read *read = NULL;
    assert_ok(mln_store_read_begin(place->store, &read));
    return read;
}

#endif
