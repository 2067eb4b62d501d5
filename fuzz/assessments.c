/*
 * What the engine stores, read back from hostile bytes: a row of assessments, a record of what changed of them, a catalog.
 * What is read must be what is written again; a replay of a record over a row must keep the rules in order.
 */
#include "posture/catalog.h"
#include "posture/row.h"

enum { BUDGET_BYTES = 64 << 20, LARGEST_BYTES = 1 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void need(bool holds)
{
    if (!holds)
        abort();
}

static void need_order(const struct mln_row *row)
{
    for (size_t i = 1; i < row->n; i++)
        need(mln_str_cmp(row->findings[i - 1].rule, row->findings[i].rule) < 0);
}

static void try_row(struct mln_arena *arena, struct mln_str text)
{
    struct mln_buf once MLN_BUF_CLEANUP = MLN_BUF(64 << 20), twice MLN_BUF_CLEANUP = MLN_BUF(64 << 20);
    struct mln_row row, again;
    struct mln_row_record removal;
    if (!mln_ok(mln_row_read(arena, text, &row)))
        return;
    need_order(&row);
    need(mln_ok(mln_row_write(&row, &once)));
    need(mln_ok(mln_row_read(arena, mln_buf_str(&once), &again)));
    need(mln_ok(mln_row_write(&again, &twice)));
    need(mln_str_eq(mln_buf_str(&once), mln_buf_str(&twice)));
    need(mln_ok(mln_row_removal(arena, &row, 1, &removal)));
    need(mln_ok(mln_row_apply(arena, &row, &removal)));
    need(row.n == 0);
}

static void try_record(struct mln_arena *arena, struct mln_str text)
{
    struct mln_buf once MLN_BUF_CLEANUP = MLN_BUF(64 << 20), twice MLN_BUF_CLEANUP = MLN_BUF(64 << 20);
    struct mln_row_record record, again;
    struct mln_row row = {0};
    if (!mln_ok(mln_row_record_read(arena, text, &record)))
        return;
    need(mln_ok(mln_row_record_write(&record, &once)));
    need(mln_ok(mln_row_record_read(arena, mln_buf_str(&once), &again)));
    need(mln_ok(mln_row_record_write(&again, &twice)));
    need(mln_str_eq(mln_buf_str(&once), mln_buf_str(&twice)));
    for (int i = 0; i < 2; i++) {
        need(mln_ok(mln_row_apply(arena, &row, &record)));
        need_order(&row);
    }
}

static void try_catalog(struct mln_str text)
{
    struct mln_buf once MLN_BUF_CLEANUP = MLN_BUF(64 << 20), twice MLN_BUF_CLEANUP = MLN_BUF(64 << 20);
    struct mln_catalog *catalog MLN_CLEANUP(mln_catalog_free) = NULL, *again MLN_CLEANUP(mln_catalog_free) = NULL;
    if (!mln_ok(mln_catalog_read(text, &catalog)))
        return;
    need(mln_ok(mln_catalog_write(catalog, &once)));
    need(mln_ok(mln_catalog_read(mln_buf_str(&once), &again)));
    need(mln_ok(mln_catalog_write(again, &twice)));
    need(mln_str_eq(mln_buf_str(&once), mln_buf_str(&twice)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mln_str text = {(const char *)data, size};
    struct mln_arena *arena MLN_CLEANUP(mln_arena_free) = mln_arena_new(BUDGET_BYTES);
    if (size > LARGEST_BYTES)
        return 0;
    try_row(arena, text);
    try_record(arena, text);
    try_catalog(text);
    return 0;
}
