/*
 * The parts of the SQLite back end, between its files: sqlite.c opens and closes, sqlite_write.c is what the writer
 * thread does (groups, the log), sqlite_read.c the moments of readers.
 */
#ifndef MLN_STORES_SQLITE_H
#define MLN_STORES_SQLITE_H

#include "stores/sqlite_connection.h"

#include <pthread.h>
#include <stdatomic.h>

struct mln_sqlite_reader;

struct mln_sqlite_store {
    char *path;
    int lock; /* descriptor that keeps other processes out */
    struct mln_store_options options;

    /* The writer thread's. */
    struct mln_sqlite_connection writer;
    int log_pages;       /* in the log after the last commit */
    int log_pages_tried; /* when it was last tried to move them */
    uint64_t page_bytes;

    /* The readers. pool_lock is over the list of free ones and each one's in_use, began_ms and handle. */
    pthread_mutex_t pool_lock;
    pthread_cond_t pool_has_free;
    struct mln_sqlite_reader *readers;
    struct mln_sqlite_reader *free_readers; /* last used first: its cache is warm */
    size_t readers_in_use;

    atomic_uint_fast64_t log_failures, revoked;
};

/* sqlite_write.c */
MLN_RESULT mln_sqlite_apply(void *database, struct mln_store_work *work, size_t count);
bool mln_sqlite_idle(void *database);
void mln_sqlite_watch_log(struct mln_sqlite_store *store); /* once, before the writer starts */

/* sqlite_read.c */
MLN_RESULT mln_sqlite_readers_new(struct mln_sqlite_store *store);
void mln_sqlite_readers_free(struct mln_sqlite_store *store);
/* Ends the moments that began before: their readers get BUSY. */
void mln_sqlite_revoke(struct mln_sqlite_store *store, int64_t before_ms);
MLN_RESULT mln_sqlite_read_begin(void *database, void **moment);
void mln_sqlite_read_end(void *moment);
MLN_RESULT mln_sqlite_get(void *moment, enum mln_collection c, struct mln_str key, struct mln_arena *arena,
                          struct mln_str *value, int64_t *revision);
MLN_RESULT mln_sqlite_scan(void *moment, enum mln_collection c, struct mln_store_range range, bool backwards,
                           size_t limit, mln_store_visit visit, void *context);
MLN_RESULT mln_sqlite_count(void *moment, enum mln_collection c, struct mln_store_range range, uint64_t *count);
MLN_RESULT mln_sqlite_backup(void *database, const char *path);

#endif
