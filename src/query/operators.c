/* Operators on a whole table: take, sort, top, grouping, mv-expand, and the row-wise ones in the middle of a pipeline. */
#include "query/ast.h"

static struct mln_result run_rowwise(struct kql_run *run, const struct kql_stage *stage, struct kql_table *table)
{
    const struct kql_schema *out_schema;
    struct kql_table out = {0};
    MLN_TRY(kql_row_schema(run, stage, table->schema, &out_schema));
    for (size_t i = 0; i < table->rows.n; i++) {
        struct mln_json *cells, *kept;
        MLN_TRY(kql_tick(run));
        mln_arena_reset(run->scratch);
        MLN_TRY(kql_row_run(run, stage, table->schema, out_schema, table->rows.at[i], &cells));
        if (!cells)
            continue;
        kept = cells;
        if (cells != table->rows.at[i]) {
            MLN_TRY_ARRAY(run->keep, kept, out_schema->n);
            for (size_t c = 0; c < out_schema->n; c++)
                MLN_TRY(kql_copy(run->keep, cells[c], &kept[c]));
        }
        MLN_TRY(kql_add_row(run, &out, kept));
    }
    out.schema = out_schema;
    *table = out;
    return MLN_OK;
}

static struct mln_result number_of(struct kql_run *run, struct kql_expr *expr, size_t *out)
{
    struct mln_json v;
    MLN_TRY(kql_eval(run, &kql_no_columns, NULL, expr, &v));
    if (v.kind != MLN_JSON_INT || v.i < 0)
        return kql_wrong(expr->line, expr->position, "a whole number of rows is wanted here");
    *out = (size_t)v.i;
    return MLN_OK;
}

struct sorted { /* a row with the values that it is ordered by */
    struct mln_json *row, *keys;
    size_t place; /* keeps equal rows in their order */
};

struct by {
    const struct kql_order *order;
    size_t n;
};

static int compare_sorted(const void *a, const void *b, void *context)
{
    const struct sorted *x = a, *y = b;
    const struct by *by = context;
    for (size_t i = 0; i < by->n; i++) {
        struct mln_json l = x->keys[i], r = y->keys[i];
        bool l_null = l.kind == MLN_JSON_NULL, r_null = r.kind == MLN_JSON_NULL;
        if (l_null != r_null)
            return l_null == by->order[i].nulls_first ? -1 : 1;
        int order = kql_order(l, r);
        if (order)
            return by->order[i].ascending ? order : -order;
    }
    return (x->place > y->place) - (x->place < y->place);
}

static struct mln_result run_sort(struct kql_run *run, const struct kql_stage *stage, struct kql_table *table)
{
    struct sorted *rows;
    MLN_TRY_ARRAY(run->keep, rows, table->rows.n);
    for (size_t i = 0; i < table->rows.n; i++) {
        MLN_TRY(kql_tick(run));
        rows[i] = (struct sorted){.row = table->rows.at[i], .place = i};
        MLN_TRY_ARRAY(run->keep, rows[i].keys, stage->order.n);
        for (size_t k = 0; k < stage->order.n; k++) {
            struct mln_json key;
            mln_arena_reset(run->scratch);
            MLN_TRY(kql_eval(run, table->schema, rows[i].row, stage->order.at[k].expr, &key));
            MLN_TRY(kql_copy(run->keep, key, &rows[i].keys[k]));
        }
    }
    struct by by = {stage->order.at, stage->order.n};
    if (table->rows.n > 1)
        qsort_r(rows, table->rows.n, sizeof *rows, compare_sorted, &by);
    for (size_t i = 0; i < table->rows.n; i++)
        table->rows.at[i] = rows[i].row;
    return MLN_OK;
}

static struct mln_result run_take(struct kql_run *run, const struct kql_stage *stage, struct kql_table *table)
{
    size_t n = 0;
    MLN_TRY(number_of(run, stage->predicate, &n));
    if (table->rows.n > n)
        table->rows.n = n;
    return MLN_OK;
}

static struct mln_result run_grouping(struct kql_run *run, const struct kql_stage *stage, struct kql_table *table)
{
    MLN_CLEANUP(kql_grouping_free) struct kql_grouping *grouping = NULL;
    MLN_TRY(kql_grouping_new(run, stage, table->schema, &grouping));
    for (size_t i = 0; i < table->rows.n; i++) {
        MLN_TRY(kql_tick(run));
        mln_arena_reset(run->scratch);
        MLN_TRY(kql_grouping_add(grouping, table->rows.at[i]));
    }
    return kql_grouping_done(grouping, table);
}

/* A row for each item of the first column's array; further columns go along, item by item. An empty or absent array keeps
   its row, with null. */
static struct mln_result expand_row(struct kql_run *run, const struct kql_stage *stage,
                                    const struct kql_schema *in_schema, struct mln_json *row, struct kql_table *out)
{
    struct mln_json values[8];
    size_t n = stage->columns.n, most = 1;
    for (size_t i = 0; i < n; i++) {
        MLN_TRY(kql_eval(run, in_schema, row, stage->columns.at[i].expr, &values[i]));
        MLN_TRY(kql_copy(run->keep, values[i], &values[i]));
        if ((values[i].kind == MLN_JSON_ARRAY || values[i].kind == MLN_JSON_OBJECT) && values[i].n > most)
            most = values[i].n;
    }
    for (size_t item = 0; item < most; item++) {
        struct mln_json *cells;
        MLN_TRY_ARRAY(run->keep, cells, out->schema->n);
        memcpy(cells, row, in_schema->n * sizeof *cells);
        for (size_t i = 0; i < n; i++) {
            struct mln_json v = values[i], *cell = &cells[kql_column(out->schema, stage->columns.at[i].name)];
            if (v.kind == MLN_JSON_ARRAY) {
                *cell = item < v.n ? v.items[item] : kql_null();
            } else if (v.kind == MLN_JSON_OBJECT) {
                *cell = item < v.n ? (struct mln_json){.kind = MLN_JSON_OBJECT, .n = 1, .members = &v.members[item]}
                                   : kql_null();
            } else {
                *cell = item == 0 ? v : kql_null();
            }
        }
        MLN_TRY(kql_add_row(run, out, cells));
    }
    return MLN_OK;
}

static struct mln_result run_mv_expand(struct kql_run *run, const struct kql_stage *stage, struct kql_table *table)
{
    struct kql_table out = {0};
    struct kql_stage as_extend = *stage;
    if (stage->columns.n > 8)
        return kql_wrong(stage->line, stage->position, "mv-expand takes at most 8 columns");
    as_extend.kind = KQL_EXTEND;
    MLN_TRY(kql_row_schema(run, &as_extend, table->schema, &out.schema));
    for (size_t i = 0; i < table->rows.n; i++) {
        MLN_TRY(kql_tick(run));
        mln_arena_reset(run->scratch);
        MLN_TRY(expand_row(run, stage, table->schema, table->rows.at[i], &out));
    }
    *table = out;
    return MLN_OK;
}

struct mln_result kql_stage_run(struct kql_run *run, const struct kql_stage *stage, struct kql_table *table)
{
    switch (stage->kind) {
    case KQL_TAKE:
        return run_take(run, stage, table);
    case KQL_TOP:
        MLN_TRY(run_sort(run, stage, table));
        return run_take(run, stage, table);
    case KQL_SORT:
        return run_sort(run, stage, table);
    case KQL_MV_EXPAND:
        return run_mv_expand(run, stage, table);
    case KQL_SUMMARIZE:
    case KQL_DISTINCT:
    case KQL_COUNT:
        return run_grouping(run, stage, table);
    case KQL_JOIN:
        return kql_join(run, stage, table);
    case KQL_UNION:
        return kql_union(run, stage, table);
    default:
        return run_rowwise(run, stage, table);
    }
}
