/*
 * Kusto queries, the subset that Resource Graph and hunting need: parsing a query text, running it over tables that the
 * caller provides. docs/kql.md lists operators and functions; their tables are in operators.c and functions.c.
 *
 * This room knows no store and no HTTP: rows come in through struct mln_kql_tables, a result goes out.
 */
#ifndef MLN_QUERY_KQL_H
#define MLN_QUERY_KQL_H

#include "base/time.h"
#include "json/json.h"

struct mln_kql_query;

/* Where a query text is wrong; line from 1, position in the line from 0 (bytes), the token that was met. */
struct mln_kql_error {
    uint32_t line, position;
    struct mln_str token; /* in the query text */
};

enum {
    MLN_KQL_MAX_TEXT_BYTES = 64 << 10,
    MLN_KQL_MAX_DEPTH = 64,   /* nesting of parentheses, calls and pipelines */
    MLN_KQL_MAX_STAGES = 128, /* operators in a query */
    MLN_KQL_MAX_COLUMNS = 512,
};

/* Parses a query; it and all it holds live in the arena, and the text must live as long. SYNTAX with "line:column: ..."
   and *error filled in, or LIMIT. */
MLN_RESULT mln_kql_parse(struct mln_arena *arena, struct mln_str text, struct mln_kql_query **out,
                         struct mln_kql_error *error);

/* Takes one row of a table: a JSON object, valid during the call only. *stop is set when no more rows are wanted. */
typedef struct mln_result (*mln_kql_row)(void *context, const struct mln_json *row, bool *stop);

/* The tables that a query may name. columns: the names and order of a table's columns, NOT_FOUND for a table that is not
   there (names compare without case). scan: calls each for every row. */
struct mln_kql_tables {
    struct mln_result (*columns)(void *context, struct mln_str table, const struct mln_str **names, size_t *n);
    struct mln_result (*scan)(void *context, struct mln_str table, mln_kql_row each, void *each_context);
    void *context;
};

struct mln_kql_limits {
    size_t max_rows;     /* rows held at any stage */
    size_t memory_bytes; /* for rows and values beside the result's arena budget */
    int64_t deadline_ms; /* mln_monotonic_ms */
};

struct mln_kql_result {
    const struct mln_str *columns;
    const char *const *types; /* "string", "long", "double", "bool", "datetime", "timespan", "dynamic" per column */
    size_t n_columns;
    const struct mln_json *cells; /* row after row, n_rows x n_columns; dates and spans are text */
    size_t n_rows;
};

/* Runs a query. The result is in the arena. INVALID (unknown column or function, wrong use), NOT_FOUND (unknown table),
   LIMIT (rows, memory), TIMEOUT. */
MLN_RESULT mln_kql_run(const struct mln_kql_query *query, const struct mln_kql_tables *tables,
                       const struct mln_clock *clock, const struct mln_kql_limits *limits, struct mln_arena *arena,
                       struct mln_kql_result *out);

/* One row as a JSON object. */
MLN_RESULT mln_kql_row_object(const struct mln_kql_result *result, size_t row, struct mln_arena *arena,
                              struct mln_json *out);

/* The scalar functions, aggregates and operators there are, for the docs: name and help of the i-th; false past the end. */
bool mln_kql_function_at(size_t i, const char **name, const char **help);
bool mln_kql_aggregate_at(size_t i, const char **name, const char **help);
bool mln_kql_operator_at(size_t i, const char **name, const char **help);

#endif
