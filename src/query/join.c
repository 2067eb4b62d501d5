/* join and union: two and more tables into one. A join hashes its right side. */
#include "query/ast.h"

enum { KEY_MAX_BYTES = 1 << 20, MAX_KEYS = 16 };

struct side {
    const struct kql_table *table;
    size_t keys[MAX_KEYS], n_keys;
};

static struct mln_result find_keys(const struct kql_stage *stage, struct side *side, const struct mln_str *names,
                                   size_t n)
{
    if (n > MAX_KEYS)
        return kql_wrong(stage->line, stage->position, "a join on more than %d columns", MAX_KEYS);
    side->n_keys = n;
    for (size_t i = 0; i < n; i++) {
        side->keys[i] = kql_column(side->table->schema, names[i]);
        if (side->keys[i] == SIZE_MAX)
            return kql_wrong(stage->line, stage->position, "there is no column '%.*s' to join on", MLN_FMT(names[i]));
    }
    return MLN_OK;
}

static struct mln_result row_key(const struct side *side, const struct mln_json *row, struct mln_buf *out)
{
    mln_buf_clear(out);
    for (size_t i = 0; i < side->n_keys; i++)
        MLN_TRY(kql_key(out, &row[side->keys[i]], 1));
    return MLN_OK;
}

struct bucket { /* rows with one key, in their order */
    MLN_VEC(size_t) rows;
    bool used;
};

struct joining {
    struct kql_run *run;
    const struct kql_stage *stage;
    struct side left, right;
    const struct kql_schema *schema;
    struct mln_map *index; /* key to bucket of the right side */
    struct kql_table *out;
};

static struct mln_result index_right(struct joining *j)
{
    MLN_BUF_CLEANUP struct mln_buf key = MLN_BUF(KEY_MAX_BYTES);
    for (size_t i = 0; i < j->right.table->rows.n; i++) {
        MLN_TRY(kql_tick(j->run));
        MLN_TRY(row_key(&j->right, j->right.table->rows.at[i], &key));
        union mln_map_value *found = mln_map_get(j->index, mln_buf_str(&key));
        struct bucket *bucket = found ? found->p : NULL;
        if (!bucket) {
            struct mln_str kept;
            MLN_TRY_NEW(j->run->keep, bucket);
            MLN_TRY_STR(j->run->keep, kept, mln_str_dup(j->run->keep, mln_buf_str(&key)));
            MLN_TRY(mln_map_put(j->index, kept, (union mln_map_value){.p = bucket}));
        }
        MLN_TRY(mln_vec_push(j->run->keep, &bucket->rows, i));
    }
    return MLN_OK;
}

static struct mln_result emit(struct joining *j, const struct mln_json *left, const struct mln_json *right)
{
    struct mln_json *cells;
    size_t n_left = j->left.table->schema->n, n_right = j->schema->n - n_left;
    MLN_TRY_ARRAY(j->run->keep, cells, j->schema->n);
    if (left && n_left)
        memcpy(cells, left, n_left * sizeof *cells);
    if (right && n_right)
        memcpy(cells + n_left, right, n_right * sizeof *cells);
    return kql_add_row(j->run, j->out, cells);
}

static struct mln_result join_left_row(struct joining *j, struct mln_json *row, struct mln_str key)
{
    enum kql_join_kind kind = j->stage->join;
    union mln_map_value *found = mln_map_get(j->index, key);
    struct bucket *bucket = found ? found->p : NULL;
    if (kind == KQL_LEFTANTI || kind == KQL_LEFTSEMI)
        return (bucket != NULL) == (kind == KQL_LEFTSEMI) ? emit(j, row, NULL) : MLN_OK;
    if (!bucket)
        return kind == KQL_LEFTOUTER || kind == KQL_FULLOUTER ? emit(j, row, NULL) : MLN_OK;
    if (kind == KQL_INNERUNIQUE && bucket->used) /* one row of the left side a key */
        return MLN_OK;
    bucket->used = true;
    for (size_t i = 0; i < bucket->rows.n; i++) {
        MLN_TRY(kql_tick(j->run));
        MLN_TRY(emit(j, row, j->right.table->rows.at[bucket->rows.at[i]]));
    }
    return MLN_OK;
}

/* The left columns, then the right ones; a name that is taken gets 1 behind it. */
static struct mln_result join_schema(struct joining *j)
{
    struct kql_schema *s;
    const struct kql_schema *left = j->left.table->schema, *right = j->right.table->schema;
    bool left_only = j->stage->join == KQL_LEFTANTI || j->stage->join == KQL_LEFTSEMI;
    MLN_TRY(kql_schema_new(j->run, left->n + right->n, &s));
    for (size_t i = 0; i < left->n; i++)
        s->names[s->n++] = left->names[i];
    for (size_t i = 0; i < right->n && !left_only; i++) {
        struct mln_str name = right->names[i];
        for (uint32_t number = 1; kql_column(s, name) != SIZE_MAX; number++)
            MLN_TRY_STR(j->run->keep, name, mln_str_printf(j->run->keep, "%.*s%u", MLN_FMT(right->names[i]), number));
        s->names[s->n++] = name;
    }
    j->schema = s;
    return MLN_OK;
}

static struct mln_result join_rows(struct joining *j)
{
    MLN_BUF_CLEANUP struct mln_buf key = MLN_BUF(KEY_MAX_BYTES);
    const struct kql_table *left = j->left.table;
    enum kql_join_kind kind = j->stage->join;
    for (size_t i = 0; i < left->rows.n; i++) {
        MLN_TRY(kql_tick(j->run));
        MLN_TRY(row_key(&j->left, left->rows.at[i], &key));
        MLN_TRY(join_left_row(j, left->rows.at[i], mln_buf_str(&key)));
    }
    if (kind != KQL_RIGHTOUTER && kind != KQL_FULLOUTER)
        return MLN_OK;
    for (size_t i = 0; i < j->right.table->rows.n; i++) {
        MLN_TRY(row_key(&j->right, j->right.table->rows.at[i], &key));
        const struct bucket *bucket = mln_map_get(j->index, mln_buf_str(&key))->p;
        if (!bucket->used)
            MLN_TRY(emit(j, NULL, j->right.table->rows.at[i]));
    }
    return MLN_OK;
}

struct mln_result kql_join(struct kql_run *run, const struct kql_stage *stage, struct kql_table *table)
{
    struct kql_table right = {0}, out = {0};
    struct joining j = {.run = run, .stage = stage, .left.table = table, .right.table = &right, .out = &out};
    MLN_TRY(kql_pipeline_run(run, stage->others.at[0], &right));
    MLN_TRY(find_keys(stage, &j.left, stage->left_keys.at, stage->left_keys.n));
    MLN_TRY(find_keys(stage, &j.right, stage->right_keys.at, stage->right_keys.n));
    MLN_CLEANUP(mln_map_free) struct mln_map *index = mln_map_new(false);
    if (!index)
        return mln_fail(MLN_E_MEMORY, "no memory for a join");
    j.index = index;
    MLN_TRY(join_schema(&j));
    MLN_TRY(index_right(&j));
    MLN_TRY(join_rows(&j));
    out.schema = j.schema;
    *table = out;
    return MLN_OK;
}

static struct mln_result append_by_name(struct kql_run *run, const struct kql_table *from,
                                        const struct kql_schema *schema, struct kql_table *out)
{
    for (size_t r = 0; r < from->rows.n; r++) {
        struct mln_json *cells;
        MLN_TRY(kql_tick(run));
        MLN_TRY_ARRAY(run->keep, cells, schema->n);
        for (size_t c = 0; c < from->schema->n; c++)
            cells[kql_column(schema, from->schema->names[c])] = from->rows.at[r][c];
        MLN_TRY(kql_add_row(run, out, cells));
    }
    return MLN_OK;
}

struct mln_result kql_union(struct kql_run *run, const struct kql_stage *stage, struct kql_table *table)
{
    size_t n = stage->others.n, columns = table->schema->n;
    struct kql_table *others, out = {0};
    struct kql_schema *schema;
    MLN_TRY_ARRAY(run->keep, others, n);
    for (size_t i = 0; i < n; i++) {
        MLN_TRY(kql_pipeline_run(run, stage->others.at[i], &others[i]));
        columns += others[i].schema->n;
    }
    MLN_TRY(kql_schema_new(run, columns > MLN_KQL_MAX_COLUMNS ? MLN_KQL_MAX_COLUMNS : columns, &schema));
    for (size_t i = 0; i <= n; i++) {
        const struct kql_schema *s = i == 0 ? table->schema : others[i - 1].schema;
        for (size_t c = 0; c < s->n; c++) {
            if (kql_column(schema, s->names[c]) != SIZE_MAX)
                continue;
            if (schema->n == MLN_KQL_MAX_COLUMNS)
                return mln_fail(MLN_E_LIMIT, "more than %d columns", MLN_KQL_MAX_COLUMNS);
            schema->names[schema->n++] = s->names[c];
        }
    }
    out.schema = schema;
    MLN_TRY(append_by_name(run, table, schema, &out));
    for (size_t i = 0; i < n; i++)
        MLN_TRY(append_by_name(run, &others[i], schema, &out));
    *table = out;
    return MLN_OK;
}
