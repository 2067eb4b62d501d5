/*
 * Running a query: reading the source through the row-wise operators at its head, then one operator after another on the
 * whole table. Rows that are kept are copied into run->keep; what a row needs meanwhile lives in run->scratch.
 */
#include "query/ast.h"

enum { TICK_EVERY = 256, SCRATCH_BYTES = 64 << 20 };

struct mln_result kql_wrong(uint32_t line, uint32_t position, const char *format, ...)
{
    char text[256];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return mln_fail(MLN_E_INVALID, "%u:%u: %s", line, position + 1, text);
}

struct mln_result kql_tick(struct kql_run *run)
{
    if (++run->steps % TICK_EVERY == 0 && mln_monotonic_ms() > run->limits->deadline_ms)
        return mln_fail(MLN_E_TIMEOUT, "the query takes too long");
    return MLN_OK;
}

struct mln_result kql_add_row(struct kql_run *run, struct kql_table *table, struct mln_json *cells)
{
    if (table->rows.n >= run->limits->max_rows)
        return mln_fail(MLN_E_LIMIT, "more than %zu rows: narrow the query with where, or summarize",
                        run->limits->max_rows);
    return mln_vec_push(run->keep, &table->rows, cells);
}

struct
    head { /* the row-wise operators at the start of a pipeline, while its table is read, and a grouping behind them */
    struct kql_run *run;
    const struct kql_pipeline *pipeline;
    size_t n;                          /* how many of them */
    const struct kql_schema **schemas; /* before the first, between, after the last: n + 1 */
    struct kql_grouping *grouping;     /* takes the rows, which then need not be kept; NULL: none stands there */
    struct kql_table *out;
    size_t enough; /* rows after which a take needs no more */
};

/* Copies cells out of scratch. */
static struct mln_result keep_row(struct kql_run *run, const struct kql_schema *schema, const struct mln_json *cells,
                                  struct kql_table *table)
{
    struct mln_json *kept;
    MLN_TRY_ARRAY(run->keep, kept, schema->n);
    for (size_t i = 0; i < schema->n; i++)
        MLN_TRY(kql_copy(run->keep, cells[i], &kept[i]));
    return kql_add_row(run, table, kept);
}

static struct mln_result run_head(struct head *head, struct mln_json *cells)
{
    for (size_t i = 0; i < head->n && cells; i++)
        MLN_TRY(kql_row_run(head->run, &head->pipeline->stages.at[i], head->schemas[i], head->schemas[i + 1], cells,
                            &cells));
    if (!cells)
        return MLN_OK;
    return head->grouping ? kql_grouping_add(head->grouping, cells)
                          : keep_row(head->run, head->schemas[head->n], cells, head->out);
}

static struct mln_result on_source_row(void *context, const struct mln_json *row, bool *stop)
{
    struct head *head = context;
    struct mln_json *cells;
    const struct kql_schema *columns = head->schemas[0];
    MLN_TRY(kql_tick(head->run));
    mln_arena_reset(head->run->scratch);
    MLN_TRY_ARRAY(head->run->scratch, cells, columns->n);
    for (size_t i = 0; i < columns->n; i++) {
        const struct mln_json *value = mln_json_get(row, columns->names[i]);
        cells[i] = value ? *value : kql_null();
    }
    MLN_TRY(run_head(head, cells));
    *stop = head->out->rows.n >= head->enough;
    return MLN_OK;
}

static struct mln_result make_schemas(struct head *head, const struct kql_schema *first)
{
    const struct kql_pipeline *pipeline = head->pipeline;
    while (head->n < pipeline->stages.n && kql_stage_is_rowwise(&pipeline->stages.at[head->n]))
        head->n++;
    MLN_TRY_ARRAY(head->run->keep, head->schemas, head->n + 1);
    head->schemas[0] = first;
    for (size_t i = 0; i < head->n; i++)
        MLN_TRY(kql_row_schema(head->run, &pipeline->stages.at[i], head->schemas[i], &head->schemas[i + 1]));
    head->out->schema = head->schemas[head->n];
    head->enough = SIZE_MAX;
    const struct kql_stage *next = head->n < pipeline->stages.n ? &pipeline->stages.at[head->n] : NULL;
    if (next && next->kind == KQL_TAKE && next->predicate->kind == KQL_LITERAL &&
        next->predicate->value.kind == MLN_JSON_INT && next->predicate->value.i > 0)
        head->enough = (size_t)next->predicate->value.i;
    return next && kql_stage_groups(next) ? kql_grouping_new(head->run, next, head->out->schema, &head->grouping)
                                          : MLN_OK;
}

static const struct kql_pipeline *find_let(const struct kql_run *run, struct mln_str name)
{
    for (size_t i = 0; i < run->query->lets.n; i++)
        if (run->query->lets.at[i].tabular && mln_str_eq(run->query->lets.at[i].name, name))
            return run->query->lets.at[i].tabular;
    return NULL;
}

static struct mln_result read_table(struct head *head)
{
    const struct mln_str *names;
    struct kql_run *run = head->run;
    const struct kql_pipeline *pipeline = head->pipeline;
    struct kql_schema *columns;
    size_t n;
    struct mln_result r = run->tables->columns(run->tables->context, pipeline->table, &names, &n);
    if (r.code == MLN_E_NOT_FOUND)
        return kql_wrong(pipeline->line, pipeline->position, "there is no table '%.*s'", MLN_FMT(pipeline->table));
    MLN_TRY(r);
    MLN_TRY(kql_schema_new(run, n, &columns));
    for (size_t i = 0; i < n; i++)
        columns->names[columns->n++] = names[i];
    MLN_TRY(make_schemas(head, columns));
    return run->tables->scan(run->tables->context, pipeline->table, on_source_row, head);
}

/* The rows of a query in parentheses or of a let, through the operators at the head of this pipeline. */
static struct mln_result read_rows(struct head *head, const struct kql_pipeline *source)
{
    struct kql_table rows = {0};
    MLN_TRY(kql_pipeline_run(head->run, source, &rows));
    MLN_TRY(make_schemas(head, rows.schema));
    for (size_t i = 0; i < rows.rows.n; i++) {
        MLN_TRY(kql_tick(head->run));
        mln_arena_reset(head->run->scratch);
        MLN_TRY(run_head(head, rows.rows.at[i]));
    }
    return MLN_OK;
}

static struct mln_result read_source(struct head *head)
{
    const struct kql_pipeline *pipeline = head->pipeline;
    const struct kql_pipeline *let = pipeline->table.p ? find_let(head->run, pipeline->table) : NULL;
    if (pipeline->inner || let)
        MLN_TRY(read_rows(head, pipeline->inner ? pipeline->inner : let));
    else if (pipeline->table.p)
        MLN_TRY(read_table(head));
    return head->grouping ? kql_grouping_done(head->grouping, head->out) : MLN_OK;
}

struct mln_result kql_pipeline_run(struct kql_run *run, const struct kql_pipeline *pipeline, struct kql_table *out)
{
    struct head head = {.run = run, .pipeline = pipeline, .out = out};
    *out = (struct kql_table){.schema = &kql_no_columns};
    if (++run->depth > MLN_KQL_MAX_DEPTH)
        return mln_fail(MLN_E_LIMIT, "nested more than %d deep", MLN_KQL_MAX_DEPTH);
    struct mln_result r = read_source(&head);
    kql_grouping_free(head.grouping);
    MLN_TRY(r);
    for (size_t i = head.n + (head.grouping != NULL); i < pipeline->stages.n; i++)
        MLN_TRY(kql_stage_run(run, &pipeline->stages.at[i], out));
    run->depth--;
    return MLN_OK;
}

/* The name of a column's type, from its values; mixed: dynamic. */
static const char *type_of(const struct kql_table *table, size_t column)
{
    static const char *const names[] = {
        [MLN_JSON_BOOL] = "bool",      [MLN_JSON_INT] = "long",      [MLN_JSON_UINT] = "long",
        [MLN_JSON_REAL] = "double",    [MLN_JSON_STRING] = "string", [MLN_JSON_ARRAY] = "dynamic",
        [MLN_JSON_OBJECT] = "dynamic", [KQL_DATETIME] = "datetime",  [KQL_TIMESPAN] = "timespan"};
    const char *type = NULL;
    for (size_t r = 0; r < table->rows.n; r++) {
        struct mln_json v = table->rows.at[r][column];
        if (v.kind == MLN_JSON_NULL)
            continue;
        const char *this_type = names[v.kind];
        bool numbers =
            type && type[0] != 's' && (strcmp(type, "long") == 0 || strcmp(type, "double") == 0) && kql_is_number(v);
        if (!type || numbers)
            type = numbers && strcmp(type, this_type) != 0 ? "double" : this_type;
        else if (strcmp(type, this_type) != 0)
            return "dynamic";
    }
    return type ? type : "string";
}

static struct mln_result hand_out(struct mln_arena *arena, const struct kql_table *table, struct mln_kql_result *out)
{
    struct mln_str *columns;
    const char **types;
    struct mln_json *cells;
    size_t n = table->schema->n;
    MLN_TRY_ARRAY(arena, columns, n);
    MLN_TRY_ARRAY(arena, types, n);
    MLN_TRY_ARRAY(arena, cells, n * table->rows.n);
    for (size_t c = 0; c < n; c++) {
        MLN_TRY_STR(arena, columns[c], mln_str_dup(arena, table->schema->names[c]));
        types[c] = type_of(table, c);
        for (size_t r = 0; r < table->rows.n; r++) {
            struct mln_json plain;
            MLN_TRY(kql_plain(arena, table->rows.at[r][c], &plain));
            MLN_TRY(kql_copy(arena, plain, &cells[r * n + c]));
        }
    }
    *out = (struct mln_kql_result){columns, types, n, cells, table->rows.n};
    return MLN_OK;
}

struct mln_result mln_kql_run(const struct mln_kql_query *query, const struct mln_kql_tables *tables,
                              const struct mln_clock *clock, const struct mln_kql_limits *limits,
                              struct mln_arena *arena, struct mln_kql_result *out)
{
    MLN_CLEANUP(mln_arena_free) struct mln_arena *keep = mln_arena_new(limits->memory_bytes);
    MLN_CLEANUP(mln_arena_free) struct mln_arena *scratch = mln_arena_new(SCRATCH_BYTES);
    if (!keep || !scratch)
        return mln_fail(MLN_E_MEMORY, "no memory for a query");
    struct kql_run run = {.query = query,
                          .tables = tables,
                          .limits = limits,
                          .keep = keep,
                          .scratch = scratch,
                          .now_ms = mln_now_ms(clock)};
    struct kql_table table = {0};
    struct mln_result r = kql_pipeline_run(&run, query->main, &table);
    kql_regexes_free(run.regexes);
    mln_map_free(run.distinct);
    return mln_ok(r) ? hand_out(arena, &table, out) : r;
}

struct mln_result mln_kql_row_object(const struct mln_kql_result *result, size_t row, struct mln_arena *arena,
                                     struct mln_json *out)
{
    struct mln_json_object object = {0};
    for (size_t c = 0; c < result->n_columns; c++)
        MLN_TRY(mln_json_add(arena, &object, result->columns[c], result->cells[row * result->n_columns + c]));
    *out = mln_json_object_done(&object);
    return MLN_OK;
}
