/* Kusto queries: parses any text and runs it over two small tables. */
#include "query/kql.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct mln_str columns[] = {{"name", 4}, {"cores", 5}, {"tags", 4}, {"seen", 4}, {"ports", 5}};

static struct mln_result table_columns(void *context, struct mln_str table, const struct mln_str **names, size_t *n)
{
    (void)context;
    if (table.n > 8)
        return mln_fail(MLN_E_NOT_FOUND, "no such table");
    *names = columns;
    *n = sizeof columns / sizeof *columns;
    return MLN_OK;
}

static struct mln_result table_scan(void *context, struct mln_str table, mln_kql_row each, void *each_context)
{
    const struct mln_json *rows = context;
    bool stop = false;
    (void)table;
    for (uint32_t i = 0; i < rows->n && !stop; i++)
        MLN_TRY(each(each_context, &rows->items[i], &stop));
    return MLN_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char document[] = "[{\"name\":\"web-1\",\"cores\":4,\"tags\":{\"env\":\"prod\"},\"seen\":"
                                   "\"2026-11-24T11:00:00Z\",\"ports\":[22,80]},{\"name\":\"db\",\"ports\":[]}]";
    struct mln_str text = mln_str_c(document);
    MLN_CLEANUP(mln_arena_free) struct mln_arena *arena = mln_arena_new(4 << 20);
    const struct mln_json *rows;
    struct mln_kql_query *query;
    struct mln_kql_result result;
    int64_t now = 1795521600000;
    struct mln_clock clock = mln_fake_clock(&now);
    if (!arena || !mln_ok(mln_json_parse(arena, text, text.n, &rows)))
        return 0;
    union {
        const struct mln_json *in;
        void *out;
    } context = {rows};
    struct mln_kql_tables tables = {table_columns, table_scan, context.out};
    struct mln_kql_limits limits = {.max_rows = 1000, .memory_bytes = 4 << 20, .deadline_ms = mln_monotonic_ms() + 500};
    if (mln_ok(mln_kql_parse(arena, (struct mln_str){(const char *)data, size}, &query, NULL)))
        MLN_IGNORE(mln_kql_run(query, &tables, &clock, &limits, arena, &result));
    return 0;
}
