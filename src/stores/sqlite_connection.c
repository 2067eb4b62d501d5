#include "stores/sqlite_connection.h"

#include <errno.h>

enum {
    LOG_KEEP_BYTES = 16 << 20, /* an emptied log is cut down to this */
};

static enum mln_code code_of_io_failure(int extended, int error)
{
    if (extended == SQLITE_IOERR_NOMEM)
        return MLN_E_MEMORY;
    if (error == ENOSPC || error == EDQUOT || error == EFBIG)
        return MLN_E_FULL;
    if (error == EACCES || error == EPERM || error == EROFS)
        return MLN_E_FORBIDDEN;
    return MLN_E_IO;
}

static enum mln_code code_of_failure(int extended, int error)
{
    switch (extended & 0xff) {
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
        return code_of_io_failure(extended, error);
    case SQLITE_FULL:
        return MLN_E_FULL;
    case SQLITE_NOMEM:
        return MLN_E_MEMORY;
    case SQLITE_TOOBIG:
        return MLN_E_LIMIT;
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
        return MLN_E_FORBIDDEN;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_INTERRUPT:
        return MLN_E_BUSY;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_MISMATCH: /* these: a table is not as this program makes it */
    case SQLITE_CONSTRAINT:
    case SQLITE_ERROR:
        return MLN_E_CORRUPT;
    default:
        return MLN_E_INTERNAL;
    }
}

struct mln_result mln_sqlite_fail(struct mln_sqlite_connection *connection, int code, const char *doing)
{
    int extended = connection->db ? sqlite3_extended_errcode(connection->db) : code;
    if ((extended & 0xff) != (code & 0xff))
        extended = code; /* the connection has meanwhile had another failure */
    bool by_system = (code & 0xff) == SQLITE_IOERR || (code & 0xff) == SQLITE_CANTOPEN;
    int error = by_system && connection->db ? sqlite3_system_errno(connection->db) : 0;
    const char *system = error ? strerrordesc_np(error) : NULL;
    return mln_fail(code_of_failure(extended, error), "%s: %s (SQLite code %d)%s%s", doing, sqlite3_errstr(code),
                    extended, system ? ": " : "", system ? system : "");
}

/* The file may have been written by an enemy: no code from the schema, no writing around SQLite's own checks. */
static void harden(sqlite3 *db)
{
    static const struct {
        int option, value;
    } settings[] = {
        {SQLITE_DBCONFIG_DEFENSIVE, 1},
        {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
        {SQLITE_DBCONFIG_ENABLE_TRIGGER, 0},
        {SQLITE_DBCONFIG_ENABLE_VIEW, 0},
        {SQLITE_DBCONFIG_DQS_DML, 0},
        {SQLITE_DBCONFIG_DQS_DDL, 0},
        {SQLITE_DBCONFIG_ENABLE_FKEY, 0},
        {SQLITE_DBCONFIG_WRITABLE_SCHEMA, 0},
        {SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0},
    };
    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++)
        sqlite3_db_config(db, settings[i].option, settings[i].value, NULL);
}

struct mln_result mln_sqlite_open(struct mln_sqlite_connection *connection, const char *path)
{
    int code = sqlite3_open_v2(path, &connection->db,
                               SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW |
                                   SQLITE_OPEN_EXRESCODE | SQLITE_OPEN_PRIVATECACHE,
                               NULL);
    if (code != SQLITE_OK) {
        struct mln_result r = mln_sqlite_fail(connection, code, "opening the database");
        mln_sqlite_close(connection);
        return r;
    }
    sqlite3_busy_timeout(connection->db, MLN_SQLITE_BUSY_TIMEOUT_MS);
    harden(connection->db);
    return MLN_OK;
}

static struct mln_result use_wal(struct mln_sqlite_connection *connection)
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(connection->db, "PRAGMA journal_mode = WAL", -1, &statement, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    struct mln_result r = MLN_OK;
    if (code != SQLITE_ROW)
        r = mln_sqlite_fail(connection, code, "turning on the write-ahead log");
    else if (!mln_str_eq(mln_str_c((const char *)sqlite3_column_text(statement, 0)), MLN_S("wal")))
        r = mln_fail(MLN_E_UNSUPPORTED, "the file system cannot hold a write-ahead log (no shared memory)");
    sqlite3_finalize(statement);
    return r;
}

/* mmap_size stays 0: a page that cannot be read would kill the process by a signal instead of being an error. */
struct mln_result mln_sqlite_configure(struct mln_sqlite_connection *connection, int cache_kib)
{
    MLN_TRY(use_wal(connection));
    char pragmas[512];
    snprintf(pragmas, sizeof pragmas,
             "PRAGMA synchronous = FULL; PRAGMA foreign_keys = OFF; PRAGMA mmap_size = 0;"
             "PRAGMA temp_store = MEMORY; PRAGMA cell_size_check = ON; PRAGMA wal_autocheckpoint = 0;"
             "PRAGMA journal_size_limit = %d; PRAGMA cache_size = -%d;",
             LOG_KEEP_BYTES, cache_kib);
    return mln_sqlite_run(connection, pragmas);
}

void mln_sqlite_close(struct mln_sqlite_connection *connection)
{
    for (size_t c = 0; c < MLN_COLLECTION_COUNT; c++)
        for (size_t which = 0; which < MLN_SQLITE_STATEMENT_COUNT; which++)
            sqlite3_finalize(MLN_TAKE(connection->kept[c][which]));
    sqlite3_close(MLN_TAKE(connection->db));
}

struct mln_result mln_sqlite_run(struct mln_sqlite_connection *connection, const char *sql)
{
    int code = sqlite3_exec(connection->db, sql, NULL, NULL, NULL);
    return code == SQLITE_OK ? MLN_OK : mln_sqlite_fail(connection, code, sql);
}

struct mln_result mln_sqlite_integer(struct mln_sqlite_connection *connection, const char *sql, int64_t *value)
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(connection->db, sql, -1, &statement, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    struct mln_result r = MLN_OK;
    if (code == SQLITE_ROW)
        *value = sqlite3_column_int64(statement, 0);
    else if (code == SQLITE_DONE)
        r = mln_fail(MLN_E_CORRUPT, "%s: nothing is there", sql);
    else
        r = mln_sqlite_fail(connection, code, sql);
    sqlite3_finalize(statement);
    return r;
}

static struct mln_result prepare(struct mln_sqlite_connection *connection, enum mln_collection c,
                                 enum mln_sqlite_statement which, sqlite3_stmt **statement)
{
    static const char *const templates[] = {
#define S(name, sql) sql,
        MLN_SQLITE_STATEMENTS(S)
#undef S
    };
    char sql[512];
    sqlite3_snprintf(sizeof sql, sql, templates[which], mln_collection_name(c));
    int code = sqlite3_prepare_v3(connection->db, sql, -1, SQLITE_PREPARE_PERSISTENT, statement, NULL);
    return code == SQLITE_OK ? MLN_OK : mln_sqlite_fail(connection, code, mln_collection_name(c));
}

struct mln_result mln_sqlite_take(struct mln_sqlite_connection *connection, enum mln_collection c,
                                  enum mln_sqlite_statement which, sqlite3_stmt **statement)
{
    *statement = MLN_TAKE(connection->kept[c][which]);
    return *statement ? MLN_OK : prepare(connection, c, which, statement);
}

void mln_sqlite_give(struct mln_sqlite_connection *connection, enum mln_collection c, enum mln_sqlite_statement which,
                     sqlite3_stmt *statement)
{
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    if (connection->kept[c][which])
        sqlite3_finalize(statement); /* nested scans had made a second one */
    else
        connection->kept[c][which] = statement;
}

int mln_sqlite_bind(sqlite3_stmt *statement, int parameter, struct mln_str bytes)
{
    return sqlite3_bind_blob64(statement, parameter, bytes.n ? bytes.p : "", bytes.n, SQLITE_STATIC);
}

int mln_sqlite_bind_range(sqlite3_stmt *statement, struct mln_store_range range)
{
    /* Above every key: as many of the largest byte as a key can have, and one more. */
    static const char beyond[MLN_STORE_MAX_KEY_BYTES + 1] = {[0 ... MLN_STORE_MAX_KEY_BYTES] = (char)0xff};
    int code = mln_sqlite_bind(statement, 1, range.from);
    if (code != SQLITE_OK)
        return code;
    return mln_sqlite_bind(statement, 2, range.to.p ? range.to : (struct mln_str){beyond, sizeof beyond});
}

struct mln_str mln_sqlite_column(sqlite3_stmt *statement, int column)
{
    const void *bytes = sqlite3_column_blob(statement, column);
    int n = sqlite3_column_bytes(statement, column);
    return bytes && n > 0 ? (struct mln_str){bytes, (size_t)n} : MLN_S("");
}
