/* The tables of a SQLite store, and bringing an older database up to date. */
#ifndef MLN_STORES_SQLITE_SCHEMA_H
#define MLN_STORES_SQLITE_SCHEMA_H

#include "stores/sqlite_connection.h"

/* Looks, without writing, whether the database is empty or a store that this program understands: INVALID when it is
   another program's, UNSUPPORTED when a newer Merlon's, CORRUPT when it is no database. */
MLN_RESULT mln_sqlite_recognise(struct mln_sqlite_connection *connection);
/* Makes what is missing, in one transaction. */
MLN_RESULT mln_sqlite_migrate(struct mln_sqlite_connection *connection);
/* Looks for damage, for at most max_ms. CORRUPT with what was found; MLN_OK also when the time was over. */
MLN_RESULT mln_sqlite_check(struct mln_sqlite_connection *connection, int64_t max_ms);

#endif
