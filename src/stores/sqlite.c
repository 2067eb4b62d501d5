/*
 * The SQLite back end: one database file with its log beside it, one process at a time (PATH.lock). Opens, closes,
 * counts; what happens in between is in sqlite_write.c and sqlite_read.c.
 */
#include "stores/sqlite.h"

#include "os/file.h"
#include "stores/backends.h"
#include "stores/sqlite_schema.h"

#include <errno.h>
#include <limits.h>

enum {
    WRITER_CACHE_KIB = 16384,
    CHECK_MS = 10000, /* for looking for damage after a crash */
};

/* The part of a path before its last slash. */
static struct mln_result directory_of(const char *path, char out[PATH_MAX])
{
    const char *slash = strrchr(path, '/');
    struct mln_str part = mln_str_c(path);
    if (!slash)
        part = MLN_S(".");
    else
        part.n = slash == path ? 1 : (size_t)(slash - path);
    if (part.n >= PATH_MAX)
        return mln_fail(MLN_E_LIMIT, "the path is too long");
    snprintf(out, PATH_MAX, "%.*s", MLN_FMT(part));
    return MLN_OK;
}

/* The same path with its directory, which is made if need be, resolved: SQLite is told to follow no link after that. */
static struct mln_result resolve(const char *path, char **resolved)
{
    char directory[PATH_MAX], real[PATH_MAX];
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    if (!*name || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return mln_fail(MLN_E_INVALID, "this is not the path of a file");
    MLN_TRY(directory_of(path, directory));
    if (access(directory, F_OK) != 0)
        MLN_TRY(mln_dir_ensure(directory, 0700));
    struct stat at;
    if (!realpath(directory, real) || stat(real, &at) != 0)
        return mln_fail_errno(errno, "%s", directory);
    if (at.st_mode & 022)
        return mln_fail(MLN_E_FORBIDDEN, "%s may be written by other users (mode %04o)", real, at.st_mode & 07777);
    if (asprintf(resolved, "%s/%s", real, name) < 0) {
        *resolved = NULL;
        return mln_fail(MLN_E_MEMORY, "no memory for a path");
    }
    return MLN_OK;
}

/* There, a regular file, and nobody else's to read. */
static struct mln_result ensure_file(const char *path)
{
    struct stat at;
    if (lstat(path, &at) != 0 && errno == ENOENT)
        return mln_file_create(path, MLN_S(""), 0600);
    if (lstat(path, &at) != 0)
        return mln_fail_errno(errno, "reading its mode");
    if (!S_ISREG(at.st_mode))
        return mln_fail(MLN_E_INVALID, "this is not a regular file");
    if (at.st_mode & 077 && chmod(path, 0600) != 0)
        return mln_fail_errno(errno, "taking it away from other users");
    return MLN_OK;
}

static uint64_t file_bytes(const char *path, const char *suffix)
{
    char name[PATH_MAX];
    struct stat at;
    if (snprintf(name, sizeof name, "%s%s", path, suffix) >= (int)sizeof name || stat(name, &at) != 0)
        return 0;
    return (uint64_t)at.st_size;
}

static struct mln_result lock_out_others(struct mln_sqlite_store *store)
{
    char name[PATH_MAX];
    if (snprintf(name, sizeof name, "%s.lock", store->path) >= (int)sizeof name)
        return mln_fail(MLN_E_LIMIT, "the path is too long");
    return mln_file_lock(name, &store->lock);
}

static struct mln_result open_writer(struct mln_sqlite_store *store)
{
    bool was_cut_off = file_bytes(store->path, "-wal") > 0; /* a clean close leaves none */
    MLN_TRY(mln_sqlite_open(&store->writer, store->path));
    MLN_TRY(mln_sqlite_recognise(&store->writer));
    MLN_TRY(mln_sqlite_configure(&store->writer, WRITER_CACHE_KIB));
    if (was_cut_off)
        MLN_TRY(mln_sqlite_check(&store->writer, CHECK_MS));
    MLN_TRY(mln_sqlite_migrate(&store->writer));
    int64_t page_bytes;
    MLN_TRY(mln_sqlite_integer(&store->writer, "PRAGMA page_size", &page_bytes));
    store->page_bytes = (uint64_t)page_bytes;
    mln_sqlite_watch_log(store);
    return MLN_OK;
}

static void close_store(void *database)
{
    struct mln_sqlite_store *store = database;
    mln_sqlite_readers_free(store);
    mln_sqlite_close(&store->writer); /* the last connection moves the log and removes it */
    if (store->lock >= 0)
        close(store->lock);
    free(store->path);
    free(store);
}

static struct mln_result open_inside(struct mln_sqlite_store *store, const char *path)
{
    MLN_TRY(resolve(path, &store->path));
    MLN_TRY(lock_out_others(store));
    MLN_TRY(ensure_file(store->path));
    MLN_TRY(open_writer(store));
    return mln_sqlite_readers_new(store);
}

static struct mln_result open_store(const char *path, const struct mln_store_options *options, void **database)
{
    struct mln_sqlite_store *store = calloc(1, sizeof *store);
    if (!store)
        return mln_fail(MLN_E_MEMORY, "no memory for a store");
    store->lock = -1;
    store->options = *options;
    struct mln_result r = open_inside(store, path);
    if (mln_ok(r)) {
        *database = store;
    } else {
        close_store(store);
        r = mln_fail_at(r, "store %s", path);
    }
    return r;
}

static void fill_stats(void *database, struct mln_store_stats *stats)
{
    struct mln_sqlite_store *store = database;
    stats->log_bytes = file_bytes(store->path, "-wal");
    stats->size_bytes = file_bytes(store->path, "") + file_bytes(store->path, "-shm") + stats->log_bytes;
    stats->log_failures = atomic_load(&store->log_failures);
    stats->revoked = atomic_load(&store->revoked);
    pthread_mutex_lock(&store->pool_lock);
    stats->readers = store->readers_in_use;
    pthread_mutex_unlock(&store->pool_lock);
}

const struct mln_store_ops mln_sqlite_ops = {
    .scheme = "sqlite",
    .open = open_store,
    .close = close_store,
    .apply = mln_sqlite_apply,
    .idle = mln_sqlite_idle,
    .read_begin = mln_sqlite_read_begin,
    .read_end = mln_sqlite_read_end,
    .get = mln_sqlite_get,
    .scan = mln_sqlite_scan,
    .count = mln_sqlite_count,
    .stats = fill_stats,
    .backup = mln_sqlite_backup,
};
