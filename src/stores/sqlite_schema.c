/*
 * A collection is a table with an index on its key, not a table WITHOUT ROWID: those keep whole rows in the nodes of
 * the tree, and with values of some kilobytes, as JSON documents have, hold four rows a page; measured with values of 6
 * KB, that takes 2.5 times the writing, 3 times the reading and 1.4 times the disk.
 */
#include "stores/sqlite_schema.h"

#include "base/time.h"

enum { APPLICATION_ID = 0x4d4c4e53 }; /* "MLNS" */

/* Step n brings a database from user_version n to n + 1. Steps are never changed once released, only added. */
static const char *const steps[] = {
    "CREATE TABLE merlon_store (id INTEGER PRIMARY KEY CHECK (id = 1), revision INTEGER NOT NULL) STRICT;"
    "INSERT INTO merlon_store (id, revision) VALUES (1, 0);",
};
enum { NEWEST = sizeof steps / sizeof steps[0] };

struct mln_result mln_sqlite_recognise(struct mln_sqlite_connection *connection)
{
    int64_t application, version, objects;
    MLN_TRY(mln_sqlite_integer(connection, "PRAGMA application_id", &application));
    MLN_TRY(mln_sqlite_integer(connection, "PRAGMA user_version", &version));
    MLN_TRY(mln_sqlite_integer(connection, "SELECT count(*) FROM sqlite_schema", &objects));
    if (application == 0 && version == 0 && objects == 0)
        return MLN_OK;
    if (application != APPLICATION_ID)
        return mln_fail(MLN_E_INVALID, "this is a database of another program");
    if (version < 1)
        return mln_fail(MLN_E_CORRUPT, "the version of the tables is %lld", (long long)version);
    if (version > NEWEST)
        return mln_fail(MLN_E_UNSUPPORTED,
                        "this store was written by a newer Merlon (version %lld of the tables, this program knows %d)",
                        (long long)version, NEWEST);
    return MLN_OK;
}

static struct mln_result make_collections(struct mln_sqlite_connection *connection)
{
    for (unsigned c = 0; c < MLN_COLLECTION_COUNT; c++) {
        char sql[256];
        sqlite3_snprintf(sizeof sql, sql,
                         "CREATE TABLE IF NOT EXISTS \"%w\""
                         " (key BLOB NOT NULL UNIQUE, revision INTEGER NOT NULL, value BLOB NOT NULL) STRICT",
                         mln_collection_name((enum mln_collection)c));
        MLN_TRY(mln_sqlite_run(connection, sql));
    }
    return MLN_OK;
}

static struct mln_result migrate_inside(struct mln_sqlite_connection *connection)
{
    int64_t version;
    MLN_TRY(mln_sqlite_integer(connection, "PRAGMA user_version", &version));
    for (int64_t step = version; step < NEWEST; step++)
        MLN_TRY(mln_sqlite_run(connection, steps[step]));
    MLN_TRY(make_collections(connection));
    if (version == NEWEST)
        return MLN_OK;
    char sql[96];
    snprintf(sql, sizeof sql, "PRAGMA user_version = %d; PRAGMA application_id = %d", NEWEST, APPLICATION_ID);
    return mln_sqlite_run(connection, sql);
}

struct mln_result mln_sqlite_migrate(struct mln_sqlite_connection *connection)
{
    MLN_TRY(mln_sqlite_run(connection, "BEGIN IMMEDIATE"));
    struct mln_result r = migrate_inside(connection);
    if (mln_ok(r))
        r = mln_sqlite_run(connection, "COMMIT");
    if (!mln_ok(r))
        sqlite3_exec(connection->db, "ROLLBACK", NULL, NULL, NULL);
    return r;
}

static int is_over(void *deadline_ms)
{
    return mln_monotonic_ms() >= *(int64_t *)deadline_ms;
}

struct mln_result mln_sqlite_check(struct mln_sqlite_connection *connection, int64_t max_ms)
{
    int64_t deadline_ms = mln_monotonic_ms() + max_ms;
    sqlite3_progress_handler(connection->db, 10000, is_over, &deadline_ms);
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(connection->db, "PRAGMA quick_check(1)", -1, &statement, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    struct mln_result r = MLN_OK;
    if (code == SQLITE_ROW) {
        const char *found = (const char *)sqlite3_column_text(statement, 0);
        if (!mln_str_eq(mln_str_c(found), MLN_S("ok")))
            r = mln_fail(MLN_E_CORRUPT, "damaged: %.200s", found ? found : "");
    } else if (code != SQLITE_DONE && code != SQLITE_INTERRUPT) {
        r = mln_sqlite_fail(connection, code, "looking for damage");
    }
    sqlite3_finalize(statement);
    sqlite3_progress_handler(connection->db, 0, NULL, NULL);
    return r;
}
