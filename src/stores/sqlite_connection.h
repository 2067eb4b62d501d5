/*
 * One connection to a SQLite database: opened hardened, with the settings of the house, its prepared statements kept,
 * its error codes turned into ours. One thread at a time.
 */
#ifndef MLN_STORES_SQLITE_CONNECTION_H
#define MLN_STORES_SQLITE_CONNECTION_H

#include "store/ops.h"

#include <sqlite3.h>

/* What is done with a collection's table: name, SQL with the table as "%w". */
#define MLN_SQLITE_STATEMENTS(S)                                                                                       \
    S(GET, "SELECT revision, value FROM \"%w\" WHERE key = ?1")                                                        \
    S(REVISION, "SELECT revision FROM \"%w\" WHERE key = ?1")                                                          \
    S(PUT, "INSERT INTO \"%w\" (key, revision, value) VALUES (?1, ?2, ?3)"                                             \
           " ON CONFLICT (key) DO UPDATE SET revision = excluded.revision, value = excluded.value")                    \
    S(DELETE, "DELETE FROM \"%w\" WHERE key = ?1")                                                                     \
    S(DELETE_RANGE, "DELETE FROM \"%w\" WHERE key >= ?1 AND key < ?2")                                                 \
    S(SCAN_UP, "SELECT key, revision, value FROM \"%w\" WHERE key >= ?1 AND key < ?2 ORDER BY key LIMIT ?3")           \
    S(SCAN_DOWN, "SELECT key, revision, value FROM \"%w\" WHERE key >= ?1 AND key < ?2 ORDER BY key DESC LIMIT ?3")    \
    S(COUNT, "SELECT count(*) FROM \"%w\" WHERE key >= ?1 AND key < ?2")

enum mln_sqlite_statement {
#define S(name, sql) MLN_SQLITE_##name,
    MLN_SQLITE_STATEMENTS(S)
#undef S
        MLN_SQLITE_STATEMENT_COUNT
};

/* How long a statement waits for another program, such as a shell, that has the database locked. */
enum { MLN_SQLITE_BUSY_TIMEOUT_MS = 5000 };

struct mln_sqlite_connection {
    sqlite3 *db;
    sqlite3_stmt *kept[MLN_COLLECTION_COUNT][MLN_SQLITE_STATEMENT_COUNT];
};

/* Opens an existing file (it may be empty); nothing is read or written yet. */
MLN_RESULT mln_sqlite_open(struct mln_sqlite_connection *connection, const char *path);
/* Sets durability, cache and the rest; turns the database into WAL mode. */
MLN_RESULT mln_sqlite_configure(struct mln_sqlite_connection *connection, int cache_kib);
void mln_sqlite_close(struct mln_sqlite_connection *connection); /* a zeroed one is fine */

/* The failure for a result code of SQLite; the text is what was being done, SQLite's word for the code and the system's
   for its errno, and never data. */
MLN_RESULT mln_sqlite_fail(struct mln_sqlite_connection *connection, int code, const char *doing);

/* Runs statements that give no rows. */
MLN_RESULT mln_sqlite_run(struct mln_sqlite_connection *connection, const char *sql);
/* The integer that a query gives in its first row. */
MLN_RESULT mln_sqlite_integer(struct mln_sqlite_connection *connection, const char *sql, int64_t *value);

/* Takes the statement out of those that are kept, or prepares one; give puts it back, reset and without its values. */
MLN_RESULT mln_sqlite_take(struct mln_sqlite_connection *connection, enum mln_collection c,
                           enum mln_sqlite_statement which, sqlite3_stmt **statement);
void mln_sqlite_give(struct mln_sqlite_connection *connection, enum mln_collection c, enum mln_sqlite_statement which,
                     sqlite3_stmt *statement);

/* Binds bytes that stay valid until the statement is given back. */
int mln_sqlite_bind(sqlite3_stmt *statement, int parameter, struct mln_str bytes);
/* Binds a range to the parameters 1 and 2. */
int mln_sqlite_bind_range(sqlite3_stmt *statement, struct mln_store_range range);
/* The bytes of a column, valid until the next step. */
struct mln_str mln_sqlite_column(sqlite3_stmt *statement, int column);

#endif
