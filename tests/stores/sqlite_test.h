/* A new directory for a test of the SQLite back end, and what lies in it. */
#ifndef MLN_TESTS_STORES_SQLITE_TEST_H
#define MLN_TESTS_STORES_SQLITE_TEST_H

#include "store/store_test.h"
#include "stores/backends.h"
#include "stores/stores.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

static char directory[64], path[96];

static inline void make_directory(void)
{
    snprintf(directory, sizeof directory, "/tmp/merlon-store-XXXXXX");
    assert_non_null(mkdtemp(directory));
    snprintf(path, sizeof path, "%s/store.db", directory);
}

static inline void remove_directory(void)
{
    DIR *entries = opendir(directory);
    for (struct dirent *entry; entries && (entry = readdir(entries));)
        if (entry->d_name[0] != '.')
            unlinkat(dirfd(entries), entry->d_name, 0);
    if (entries)
        closedir(entries);
    rmdir(directory);
}

static inline int a_directory(void **state)
{
    (void)state;
    make_directory();
    return 0;
}

static inline int no_directory(void **state)
{
    (void)state;
    remove_directory();
    return 0;
}

static inline struct mln_result try_open(const struct mln_store_options *options, struct mln_store **out)
{
    return mln_store_open(&mln_sqlite_ops, path, options, out);
}

static inline struct mln_store *open_store(const struct mln_store_options *options)
{
    struct mln_store *opened = NULL;
    assert_ok(try_open(options, &opened));
    return opened;
}

#endif
