/*
 * The readers: a bounded pool of connections, each of which holds at most one moment (a read transaction). A reader's
 * lock is held while its owner is inside a call, so that the writer can end the moment of one who is not, and who is
 * inside ends it himself on the way out.
 */
#include "stores/sqlite.h"

#include "base/time.h"
#include "os/file.h"

#include <errno.h>
#include <fcntl.h>

enum { CACHE_KIB = 2048 };

struct mln_sqlite_reader {
    struct mln_sqlite_store *store;
    struct mln_sqlite_reader *next_free;
    bool in_use;
    int64_t began_ms;
    sqlite3 *handle; /* once open; for interrupting only */

    pthread_mutex_t lock; /* over the connection and begun */
    struct mln_sqlite_connection connection;
    bool begun;
    unsigned depth; /* calls inside calls; the owner's */
    atomic_bool revoked;
};

struct mln_result mln_sqlite_readers_new(struct mln_sqlite_store *store)
{
    store->readers = calloc(store->options.readers, sizeof *store->readers);
    if (!store->readers)
        return mln_fail(MLN_E_MEMORY, "no memory for %zu readers", store->options.readers);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&store->pool_has_free, &monotonic);
    pthread_condattr_destroy(&monotonic);
    pthread_mutex_init(&store->pool_lock, NULL);
    for (size_t i = 0; i < store->options.readers; i++) {
        struct mln_sqlite_reader *reader = &store->readers[i];
        reader->store = store;
        pthread_mutex_init(&reader->lock, NULL);
        reader->next_free = store->free_readers;
        store->free_readers = reader;
    }
    return MLN_OK;
}

void mln_sqlite_readers_free(struct mln_sqlite_store *store)
{
    if (!store->readers)
        return;
    for (size_t i = 0; i < store->options.readers; i++) {
        mln_sqlite_close(&store->readers[i].connection);
        pthread_mutex_destroy(&store->readers[i].lock);
    }
    pthread_cond_destroy(&store->pool_has_free);
    pthread_mutex_destroy(&store->pool_lock);
    free(MLN_TAKE(store->readers));
}

static struct mln_sqlite_reader *take_reader(struct mln_sqlite_store *store)
{
    int64_t deadline_ms = mln_monotonic_ms() + store->options.reader_wait_ms;
    struct timespec deadline = {.tv_sec = deadline_ms / 1000, .tv_nsec = deadline_ms % 1000 * 1000000};
    pthread_mutex_lock(&store->pool_lock);
    int waited = 0;
    while (!store->free_readers && waited != ETIMEDOUT)
        waited = pthread_cond_timedwait(&store->pool_has_free, &store->pool_lock, &deadline);
    struct mln_sqlite_reader *reader = store->free_readers;
    if (reader) {
        store->free_readers = reader->next_free;
        store->readers_in_use++;
        reader->in_use = true;
        reader->began_ms = mln_monotonic_ms();
        atomic_store(&reader->revoked, false);
    }
    pthread_mutex_unlock(&store->pool_lock);
    return reader;
}

static void give_reader(struct mln_sqlite_reader *reader)
{
    struct mln_sqlite_store *store = reader->store;
    pthread_mutex_lock(&store->pool_lock);
    reader->in_use = false;
    reader->next_free = store->free_readers;
    store->free_readers = reader;
    store->readers_in_use--;
    pthread_cond_signal(&store->pool_has_free);
    pthread_mutex_unlock(&store->pool_lock);
}

/* Under the reader's lock. */
static void end_moment(struct mln_sqlite_reader *reader)
{
    if (reader->begun)
        sqlite3_exec(reader->connection.db, "ROLLBACK", NULL, NULL, NULL);
    reader->begun = false;
}

static struct mln_result check_revoked(struct mln_sqlite_reader *reader)
{
    return atomic_load(&reader->revoked)
               ? mln_fail(MLN_E_BUSY, "this moment was held so long that the log grew beyond its limit")
               : MLN_OK;
}

/* Every enter has its leave, also when it fails. */
static struct mln_result enter(struct mln_sqlite_reader *reader)
{
    if (reader->depth++ == 0)
        pthread_mutex_lock(&reader->lock);
    return check_revoked(reader);
}

/* Hands r on, but says BUSY instead where it is because of the revocation. */
static struct mln_result leave(struct mln_sqlite_reader *reader, struct mln_result r)
{
    if (r.code == MLN_E_BUSY && atomic_load(&reader->revoked))
        r = check_revoked(reader);
    if (--reader->depth > 0)
        return r;
    if (atomic_load(&reader->revoked))
        end_moment(reader);
    pthread_mutex_unlock(&reader->lock);
    return r;
}

void mln_sqlite_revoke(struct mln_sqlite_store *store, int64_t before_ms)
{
    pthread_mutex_lock(&store->pool_lock);
    for (size_t i = 0; i < store->options.readers; i++) {
        struct mln_sqlite_reader *reader = &store->readers[i];
        if (!reader->in_use || reader->began_ms > before_ms || atomic_exchange(&reader->revoked, true))
            continue;
        atomic_fetch_add(&store->revoked, 1);
        if (pthread_mutex_trylock(&reader->lock) == 0) {
            end_moment(reader);
            pthread_mutex_unlock(&reader->lock);
        } else if (reader->handle) {
            sqlite3_interrupt(reader->handle);
        }
    }
    pthread_mutex_unlock(&store->pool_lock);
}

static struct mln_result open_reader(struct mln_sqlite_reader *reader)
{
    if (reader->connection.db)
        return MLN_OK;
    MLN_TRY(mln_sqlite_open(&reader->connection, reader->store->path));
    struct mln_result r = mln_sqlite_configure(&reader->connection, CACHE_KIB);
    if (!mln_ok(r)) {
        mln_sqlite_close(&reader->connection);
        return r;
    }
    pthread_mutex_lock(&reader->store->pool_lock);
    reader->handle = reader->connection.db;
    pthread_mutex_unlock(&reader->store->pool_lock);
    return MLN_OK;
}

/* The moment is fixed by the first read, not by BEGIN. */
static struct mln_result begin_moment(struct mln_sqlite_reader *reader)
{
    MLN_TRY(open_reader(reader));
    MLN_TRY(mln_sqlite_run(&reader->connection, "BEGIN"));
    reader->begun = true;
    int64_t revision;
    return mln_sqlite_integer(&reader->connection, "SELECT revision FROM merlon_store", &revision);
}

static struct mln_result get_reader(struct mln_sqlite_store *store, struct mln_sqlite_reader **reader)
{
    *reader = take_reader(store);
    return *reader ? MLN_OK : mln_fail(MLN_E_BUSY, "all %zu readers of the store are in use", store->options.readers);
}

struct mln_result mln_sqlite_read_begin(void *database, void **moment)
{
    struct mln_sqlite_reader *reader;
    MLN_TRY(get_reader(database, &reader));
    struct mln_result r = enter(reader);
    if (mln_ok(r))
        r = begin_moment(reader);
    r = leave(reader, r);
    if (mln_ok(r))
        *moment = reader;
    else
        mln_sqlite_read_end(reader);
    return r;
}

void mln_sqlite_read_end(void *moment)
{
    struct mln_sqlite_reader *reader = moment;
    pthread_mutex_lock(&reader->lock);
    end_moment(reader);
    pthread_mutex_unlock(&reader->lock);
    give_reader(reader);
}

static struct mln_result row_failure(struct mln_sqlite_reader *reader, int code, enum mln_collection c)
{
    return mln_sqlite_fail(&reader->connection, code, mln_collection_name(c));
}

static struct mln_result get_inside(struct mln_sqlite_reader *reader, enum mln_collection c, struct mln_str key,
                                    struct mln_arena *arena, struct mln_str *value, int64_t *revision)
{
    enum mln_sqlite_statement which = value ? MLN_SQLITE_GET : MLN_SQLITE_REVISION;
    sqlite3_stmt *statement;
    MLN_TRY(mln_sqlite_take(&reader->connection, c, which, &statement));
    int code = mln_sqlite_bind(statement, 1, key);
    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    struct mln_result r = MLN_OK;
    if (code == SQLITE_DONE) {
        r = mln_fail(MLN_E_NOT_FOUND, "%s: no such key", mln_collection_name(c));
    } else if (code != SQLITE_ROW) {
        r = row_failure(reader, code, c);
    } else {
        *revision = sqlite3_column_int64(statement, 0);
        if (value) {
            *value = mln_str_dup(arena, mln_sqlite_column(statement, 1));
            r = value->p ? MLN_OK : mln_arena_failure(arena);
        }
    }
    mln_sqlite_give(&reader->connection, c, which, statement);
    return r;
}

struct mln_result mln_sqlite_get(void *moment, enum mln_collection c, struct mln_str key, struct mln_arena *arena,
                                 struct mln_str *value, int64_t *revision)
{
    struct mln_sqlite_reader *reader = moment;
    struct mln_result r = enter(reader);
    if (mln_ok(r))
        r = get_inside(reader, c, key, arena, value, revision);
    return leave(reader, r);
}

static struct mln_result visit_rows(struct mln_sqlite_reader *reader, enum mln_collection c, sqlite3_stmt *statement,
                                    mln_store_visit visit, void *context)
{
    bool stop = false;
    while (!stop) {
        int code = sqlite3_step(statement);
        if (code == SQLITE_DONE)
            return MLN_OK;
        if (code != SQLITE_ROW)
            return row_failure(reader, code, c);
        MLN_TRY(visit(context, mln_sqlite_column(statement, 0), mln_sqlite_column(statement, 2),
                      sqlite3_column_int64(statement, 1), &stop));
        MLN_TRY(check_revoked(reader));
    }
    return MLN_OK;
}

static struct mln_result scan_inside(struct mln_sqlite_reader *reader, enum mln_collection c,
                                     struct mln_store_range range, bool backwards, size_t limit, mln_store_visit visit,
                                     void *context)
{
    enum mln_sqlite_statement which = backwards ? MLN_SQLITE_SCAN_DOWN : MLN_SQLITE_SCAN_UP;
    sqlite3_stmt *statement;
    MLN_TRY(mln_sqlite_take(&reader->connection, c, which, &statement));
    int code = mln_sqlite_bind_range(statement, range);
    if (code == SQLITE_OK)
        code = sqlite3_bind_int64(statement, 3, limit == 0 || limit > INT64_MAX ? -1 : (int64_t)limit);
    struct mln_result r =
        code == SQLITE_OK ? visit_rows(reader, c, statement, visit, context) : row_failure(reader, code, c);
    mln_sqlite_give(&reader->connection, c, which, statement);
    return r;
}

struct mln_result mln_sqlite_scan(void *moment, enum mln_collection c, struct mln_store_range range, bool backwards,
                                  size_t limit, mln_store_visit visit, void *context)
{
    struct mln_sqlite_reader *reader = moment;
    struct mln_result r = enter(reader);
    if (mln_ok(r))
        r = scan_inside(reader, c, range, backwards, limit, visit, context);
    return leave(reader, r);
}

static struct mln_result count_inside(struct mln_sqlite_reader *reader, enum mln_collection c,
                                      struct mln_store_range range, uint64_t *count)
{
    sqlite3_stmt *statement;
    MLN_TRY(mln_sqlite_take(&reader->connection, c, MLN_SQLITE_COUNT, &statement));
    int code = mln_sqlite_bind_range(statement, range);
    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    struct mln_result r = MLN_OK;
    if (code == SQLITE_ROW)
        *count = (uint64_t)sqlite3_column_int64(statement, 0);
    else
        r = row_failure(reader, code, c);
    mln_sqlite_give(&reader->connection, c, MLN_SQLITE_COUNT, statement);
    return r;
}

struct mln_result mln_sqlite_count(void *moment, enum mln_collection c, struct mln_store_range range, uint64_t *count)
{
    struct mln_sqlite_reader *reader = moment;
    struct mln_result r = enter(reader);
    if (mln_ok(r))
        r = count_inside(reader, c, range, count);
    return leave(reader, r);
}

static struct mln_result copy_inside(struct mln_sqlite_reader *reader, const char *path)
{
    MLN_TRY(open_reader(reader));
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(reader->connection.db, "VACUUM INTO ?1", -1, &statement, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_bind_text(statement, 1, path, -1, SQLITE_STATIC);
    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    struct mln_result r = code == SQLITE_DONE ? MLN_OK : mln_sqlite_fail(&reader->connection, code, "copying");
    sqlite3_finalize(statement);
    return r;
}

static struct mln_result sync_file(const char *path)
{
    MLN_FD_CLEANUP int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    return fd >= 0 && fsync(fd) == 0 ? MLN_OK : mln_fail_errno(errno, "%s", path);
}

struct mln_result mln_sqlite_backup(void *database, const char *path)
{
    struct mln_sqlite_reader *reader;
    MLN_TRY(mln_file_create(path, MLN_S(""), 0600)); /* VACUUM INTO fills an empty file, and would fill another's too */
    struct mln_result r = get_reader(database, &reader);
    if (mln_ok(r)) {
        r = enter(reader);
        if (mln_ok(r))
            r = copy_inside(reader, path);
        r = leave(reader, r);
        give_reader(reader);
    }
    if (mln_ok(r))
        r = sync_file(path);
    if (!mln_ok(r)) {
        r = mln_fail_at(r, "backup to %s", path);
        unlink(path);
    }
    return r;
}
