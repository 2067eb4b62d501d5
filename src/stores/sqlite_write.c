/*
 * The writer thread's side: groups of batches as one transaction, and the write-ahead log kept short.
 *
 * The log. A commit is durable when it is in the log; its pages are moved to their place in the database later:
 *   - from CHECKPOINT_PAGES on, and after each further so many, as far as readers allow (readers never wait);
 *   - when nothing was written for a while, wholly, and the log is emptied;
 *   - beyond options.log_limit_bytes, waiting a moment for readers, then ending those that hold an old moment;
 *   - beyond twice that, no more is written until it is shorter.
 */
#include "stores/sqlite.h"

#include "base/time.h"

enum {
    CHECKPOINT_PAGES = 1000,
    PATIENCE_MS = 250, /* with readers, when the log is too long */
};

static int note_log(void *context, sqlite3 *db, const char *schema, int pages)
{
    (void)db, (void)schema;
    struct mln_sqlite_store *store = context;
    if (pages < store->log_pages)
        store->log_pages_tried = 0; /* it began anew */
    store->log_pages = pages;
    return SQLITE_OK;
}

void mln_sqlite_watch_log(struct mln_sqlite_store *store)
{
    sqlite3_wal_hook(store->writer.db, note_log, store);
    store->log_pages = 1; /* at least, so that what opening or a crash left is moved when it is quiet */
}

/* True when the whole log was moved (and, for TRUNCATE, emptied). */
static bool move_log(struct mln_sqlite_store *store, int mode, int patience_ms)
{
    int in_log = 0, moved = 0;
    sqlite3_busy_timeout(store->writer.db, patience_ms);
    int code = sqlite3_wal_checkpoint_v2(store->writer.db, NULL, mode, &in_log, &moved);
    sqlite3_busy_timeout(store->writer.db, MLN_SQLITE_BUSY_TIMEOUT_MS);
    store->log_pages_tried = store->log_pages;
    if (code == SQLITE_OK && mode == SQLITE_CHECKPOINT_TRUNCATE)
        store->log_pages = store->log_pages_tried = 0;
    if (code != SQLITE_OK && code != SQLITE_BUSY)
        atomic_fetch_add(&store->log_failures, 1);
    return code == SQLITE_OK && in_log == moved;
}

static uint64_t log_bytes(const struct mln_sqlite_store *store)
{
    return (uint64_t)store->log_pages * store->page_bytes;
}

static void shorten_log(struct mln_sqlite_store *store)
{
    int64_t now_ms = mln_monotonic_ms();
    if (move_log(store, SQLITE_CHECKPOINT_TRUNCATE, PATIENCE_MS))
        return;
    mln_sqlite_revoke(store, now_ms);
    move_log(store, SQLITE_CHECKPOINT_TRUNCATE, PATIENCE_MS);
}

static void tend_log(struct mln_sqlite_store *store)
{
    if (store->log_pages < store->log_pages_tried + CHECKPOINT_PAGES)
        return;
    if (log_bytes(store) > store->options.log_limit_bytes)
        shorten_log(store);
    else
        move_log(store, SQLITE_CHECKPOINT_PASSIVE, 0);
}

bool mln_sqlite_idle(void *database)
{
    struct mln_sqlite_store *store = database;
    return store->log_pages && !move_log(store, SQLITE_CHECKPOINT_TRUNCATE, 0);
}

static struct mln_result step_once(struct mln_sqlite_store *store, sqlite3_stmt *statement, int bound,
                                   enum mln_collection c)
{
    int code = bound == SQLITE_OK ? sqlite3_step(statement) : bound;
    return code == SQLITE_DONE ? MLN_OK : mln_sqlite_fail(&store->writer, code, mln_collection_name(c));
}

static struct mln_result put(struct mln_sqlite_store *store, const struct mln_store_change *change, int64_t revision)
{
    sqlite3_stmt *statement;
    MLN_TRY(mln_sqlite_take(&store->writer, change->collection, MLN_SQLITE_PUT, &statement));
    int code = mln_sqlite_bind(statement, 1, change->key);
    if (code == SQLITE_OK)
        code = sqlite3_bind_int64(statement, 2, revision);
    if (code == SQLITE_OK)
        code = mln_sqlite_bind(statement, 3, change->value);
    struct mln_result r = step_once(store, statement, code, change->collection);
    mln_sqlite_give(&store->writer, change->collection, MLN_SQLITE_PUT, statement);
    return r;
}

static struct mln_result remove_keys(struct mln_sqlite_store *store, const struct mln_store_change *change)
{
    bool range = change->kind == MLN_CHANGE_DELETE_RANGE;
    enum mln_sqlite_statement which = range ? MLN_SQLITE_DELETE_RANGE : MLN_SQLITE_DELETE;
    sqlite3_stmt *statement;
    MLN_TRY(mln_sqlite_take(&store->writer, change->collection, which, &statement));
    int code = range ? mln_sqlite_bind_range(statement, (struct mln_store_range){change->key, change->value})
                     : mln_sqlite_bind(statement, 1, change->key);
    struct mln_result r = step_once(store, statement, code, change->collection);
    mln_sqlite_give(&store->writer, change->collection, which, statement);
    return r;
}

static struct mln_result check_expectation(struct mln_sqlite_store *store,
                                           const struct mln_store_expectation *expectation)
{
    sqlite3_stmt *statement;
    MLN_TRY(mln_sqlite_take(&store->writer, expectation->collection, MLN_SQLITE_REVISION, &statement));
    int code = mln_sqlite_bind(statement, 1, expectation->key);
    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    int64_t revision = code == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : 0;
    struct mln_result r = MLN_OK;
    if (code != SQLITE_ROW && code != SQLITE_DONE)
        r = mln_sqlite_fail(&store->writer, code, mln_collection_name(expectation->collection));
    else if (revision != expectation->revision)
        r = mln_fail(MLN_E_PRECONDITION, "%s: revision %lld was expected, it is %lld",
                     mln_collection_name(expectation->collection), (long long)expectation->revision,
                     (long long)revision);
    mln_sqlite_give(&store->writer, expectation->collection, MLN_SQLITE_REVISION, statement);
    return r;
}

/* PRECONDITION is the batch's own failure; any other is the whole transaction's. */
static struct mln_result apply_batch(struct mln_sqlite_store *store, const struct mln_store_work *work,
                                     int64_t revision)
{
    for (size_t i = 0; i < work->expectation_count; i++)
        MLN_TRY(check_expectation(store, &work->expectations[i]));
    for (size_t i = 0; i < work->change_count; i++) {
        const struct mln_store_change *change = &work->changes[i];
        MLN_TRY(change->kind == MLN_CHANGE_PUT ? put(store, change, revision) : remove_keys(store, change));
    }
    return MLN_OK;
}

static struct mln_result write_revision(struct mln_sqlite_store *store, int64_t revision)
{
    char sql[96];
    snprintf(sql, sizeof sql, "UPDATE merlon_store SET revision = %lld", (long long)revision);
    return mln_sqlite_run(&store->writer, sql);
}

static struct mln_result apply_group(struct mln_sqlite_store *store, struct mln_store_work *work, size_t count)
{
    int64_t revision;
    MLN_TRY(mln_sqlite_integer(&store->writer, "SELECT revision FROM merlon_store", &revision));
    for (size_t i = 0; i < count; i++) {
        struct mln_result r = apply_batch(store, &work[i], revision + 1);
        if (mln_ok(r))
            work[i].revision = ++revision;
        else if (r.code == MLN_E_PRECONDITION)
            mln_store_work_fail(&work[i], r);
        else
            return r;
    }
    return write_revision(store, revision);
}

static void roll_back(struct mln_sqlite_store *store)
{
    if (!sqlite3_get_autocommit(store->writer.db))
        sqlite3_exec(store->writer.db, "ROLLBACK", NULL, NULL, NULL);
}

/* A commit that failed in its last act, the sync, lies complete in the log, and would come to life when the process
   died now. A commit of one page in its place makes it invalid for good. Where that fails too the disk is broken, and
   the next commit that works does the same. */
static void bury_failed_commit(struct mln_sqlite_store *store)
{
    sqlite3_exec(store->writer.db, "UPDATE merlon_store SET revision = revision + 1", NULL, NULL, NULL);
    roll_back(store);
}

struct mln_result mln_sqlite_apply(void *database, struct mln_store_work *work, size_t count)
{
    struct mln_sqlite_store *store = database;
    if (log_bytes(store) > 2 * store->options.log_limit_bytes) {
        shorten_log(store);
        if (log_bytes(store) > 2 * store->options.log_limit_bytes)
            return mln_fail(MLN_E_BUSY, "the log has %llu bytes, and readers or the disk keep it from being shortened",
                            (unsigned long long)log_bytes(store));
    }
    MLN_TRY(mln_sqlite_run(&store->writer, "BEGIN IMMEDIATE"));
    struct mln_result r = apply_group(store, work, count);
    if (!mln_ok(r)) {
        roll_back(store);
        return r;
    }
    r = mln_sqlite_run(&store->writer, "COMMIT");
    if (!mln_ok(r)) {
        roll_back(store);
        bury_failed_commit(store);
        return r;
    }
    tend_log(store);
    return MLN_OK;
}
