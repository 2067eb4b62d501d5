/* summarize, distinct and count: rows into groups by a key, aggregates over each group. */
#include "query/ast.h"

enum { KEY_MAX_BYTES = 1 << 20 };

struct group {
    struct mln_json *by;
    void **states;               /* one for each aggregate use */
    struct mln_json **best_rows; /* arg_max, arg_min: the row, and the value it won with */
    struct mln_json *best_values;
};

struct kql_grouping {
    struct kql_run *run;
    struct kql_stage stage; /* distinct as a summarize without aggregates */
    const struct kql_schema *in;
    size_t counted;                  /* rows, for count */
    MLN_VEC(struct kql_expr *) uses; /* every aggregate in the expressions, in order */
    MLN_VEC(struct group) groups;
    struct mln_map *index; /* key to place in groups */
};

static bool is_arg(const struct kql_expr *e)
{
    return e->kind == KQL_CALL && e->aggregate && mln_str_starts_nocase(e->name, MLN_S("arg_m"));
}

static struct mln_result find_uses(struct kql_grouping *g, struct kql_expr *e)
{
    if (e->kind == KQL_CALL && e->aggregate)
        return mln_vec_push(g->run->keep, &g->uses, e);
    for (size_t i = 0; i < e->n_args; i++)
        MLN_TRY(find_uses(g, e->args[i]));
    return MLN_OK;
}

static struct mln_result new_group(struct kql_grouping *g, const struct mln_json *by, size_t *at)
{
    struct group group = {0};
    struct mln_arena *keep = g->run->keep;
    if (g->groups.n >= g->run->limits->max_rows)
        return mln_fail(MLN_E_LIMIT, "more than %zu groups", g->run->limits->max_rows);
    MLN_TRY_ARRAY(keep, group.by, g->stage.by.n);
    for (size_t i = 0; i < g->stage.by.n; i++)
        MLN_TRY(kql_copy(keep, by[i], &group.by[i]));
    MLN_TRY_ARRAY(keep, group.states, g->uses.n);
    MLN_TRY_ARRAY(keep, group.best_rows, g->uses.n);
    MLN_TRY_ARRAY(keep, group.best_values, g->uses.n);
    for (size_t i = 0; i < g->uses.n; i++) {
        group.states[i] = mln_arena_alloc(keep, g->uses.at[i]->aggregate->state_bytes);
        if (!group.states[i])
            return mln_arena_failure(keep);
    }
    *at = g->groups.n;
    return mln_vec_push(keep, &g->groups, group);
}

/* The group of these values, made when it is new. */
static struct mln_result find_group(struct kql_grouping *g, const struct mln_json *by, size_t *at)
{
    MLN_BUF_CLEANUP struct mln_buf key = MLN_BUF(KEY_MAX_BYTES);
    MLN_TRY(mln_buf_append(&key, MLN_S("")));
    MLN_TRY(kql_key(&key, by, g->stage.by.n));
    union mln_map_value *found = mln_map_get(g->index, mln_buf_str(&key));
    if (found) {
        *at = found->u;
        return MLN_OK;
    }
    struct mln_str kept;
    MLN_TRY_STR(g->run->keep, kept, mln_str_dup(g->run->keep, mln_buf_str(&key)));
    MLN_TRY(new_group(g, by, at));
    return mln_map_put(g->index, kept, (union mln_map_value){.u = *at});
}

static struct mln_result add_best(struct kql_grouping *g, struct group *group, size_t use, struct mln_json *row)
{
    struct mln_json value;
    struct kql_expr *e = g->uses.at[use];
    MLN_TRY(kql_eval(g->run, g->in, row, e->args[0], &value));
    bool largest = mln_str_eq_nocase(e->name, MLN_S("arg_max"));
    int order = group->best_rows[use] ? kql_order(value, group->best_values[use]) : 1;
    if (group->best_rows[use] && !(largest ? order > 0 : order < 0))
        return MLN_OK;
    MLN_TRY_ARRAY(g->run->keep, group->best_rows[use], g->in->n);
    for (size_t i = 0; i < g->in->n; i++)
        MLN_TRY(kql_copy(g->run->keep, row[i], &group->best_rows[use][i]));
    return kql_copy(g->run->keep, value, &group->best_values[use]);
}

struct mln_result kql_grouping_add(struct kql_grouping *g, struct mln_json *row)
{
    struct mln_json *by, args[64];
    size_t at;
    g->counted++;
    if (g->stage.kind == KQL_COUNT)
        return MLN_OK;
    MLN_TRY_ARRAY(g->run->scratch, by, g->stage.by.n);
    for (size_t i = 0; i < g->stage.by.n; i++)
        MLN_TRY(kql_eval(g->run, g->in, row, g->stage.by.at[i].expr, &by[i]));
    MLN_TRY(find_group(g, by, &at));
    for (size_t u = 0; u < g->uses.n; u++) {
        struct kql_expr *e = g->uses.at[u];
        if (is_arg(e)) {
            MLN_TRY(add_best(g, &g->groups.at[at], u, row));
            continue;
        }
        for (size_t i = 0; i < e->n_args; i++)
            MLN_TRY(kql_eval(g->run, g->in, row, e->args[i], &args[i]));
        MLN_TRY(e->aggregate->add(g->run, e, g->groups.at[at].states[u], args, e->n_args));
    }
    return MLN_OK;
}

static bool is_by(const struct kql_stage *stage, struct mln_str name)
{
    for (size_t i = 0; i < stage->by.n; i++)
        if (mln_str_eq(stage->by.at[i].name, name))
            return true;
    return false;
}

/* The columns that arg_max(x, ...) makes: x, then the named ones, or with * all others. With schema the names are added
   to it, with cells the values of the row. */
static struct mln_result best_columns(struct kql_grouping *g, const struct kql_named *column, size_t use,
                                      struct kql_schema *schema, const struct group *group, struct mln_json *cells,
                                      size_t *at)
{
    struct kql_expr *e = column->expr;
    struct mln_json *row = group ? group->best_rows[use] : NULL;
    struct mln_str key = column->by_hand                ? column->name
                         : e->args[0]->kind == KQL_NAME ? e->args[0]->name
                                                        : column->name;
    for (size_t i = 0; i < e->n_args; i++) {
        if (e->args[i]->kind != KQL_STAR) {
            struct mln_str name = i == 0 ? key : e->args[i]->name;
            if (!name.p)
                return kql_wrong(e->line, e->position, "the columns of '%.*s' must be names", MLN_FMT(e->name));
            if (schema)
                schema->names[schema->n++] = name;
            else if (row)
                MLN_TRY(i == 0 ? kql_copy(g->run->keep, group->best_values[use], &cells[*at])
                               : kql_eval(g->run, g->in, row, e->args[i], &cells[*at]));
            ++*at;
            continue;
        }
        for (size_t c = 0; c < g->in->n; c++) {
            if (is_by(&g->stage, g->in->names[c]) || mln_str_eq(g->in->names[c], key))
                continue;
            if (schema)
                schema->names[schema->n++] = g->in->names[c];
            else if (row)
                cells[*at] = row[c];
            ++*at;
        }
    }
    return MLN_OK;
}

static struct mln_result result_schema(struct kql_grouping *g, struct kql_schema **out)
{
    size_t most = g->stage.by.n, at = 0, use = 0;
    for (size_t i = 0; i < g->stage.columns.n; i++)
        most += is_arg(g->stage.columns.at[i].expr) ? g->in->n + 64 : 1;
    MLN_TRY(kql_schema_new(g->run, most > MLN_KQL_MAX_COLUMNS ? MLN_KQL_MAX_COLUMNS : most, out));
    for (size_t i = 0; i < g->stage.by.n; i++)
        (*out)->names[(*out)->n++] = g->stage.by.at[i].name;
    for (size_t i = 0; i < g->stage.columns.n; i++) {
        if (most > MLN_KQL_MAX_COLUMNS)
            return mln_fail(MLN_E_LIMIT, "more than %d columns", MLN_KQL_MAX_COLUMNS);
        if (is_arg(g->stage.columns.at[i].expr))
            MLN_TRY(best_columns(g, &g->stage.columns.at[i], use, *out, NULL, NULL, &at));
        else
            (*out)->names[(*out)->n++] = g->stage.columns.at[i].name;
    }
    return MLN_OK;
}

static struct mln_result emit(struct kql_grouping *g, const struct group *group, const struct kql_schema *schema,
                              struct kql_table *out)
{
    struct mln_json *cells;
    size_t at = g->stage.by.n, use = 0;
    MLN_TRY_ARRAY(g->run->keep, cells, schema->n);
    if (g->stage.by.n)
        memcpy(cells, group->by, g->stage.by.n * sizeof *cells);
    for (size_t i = 0; i < g->stage.columns.n; i++) {
        const struct kql_named *column = &g->stage.columns.at[i];
        if (is_arg(column->expr)) {
            MLN_TRY(best_columns(g, column, use++, NULL, group, cells, &at));
            continue;
        }
        /* The aggregates of this expression stand as values in it while it is evaluated for this group. */
        size_t first = use;
        struct kql_grouping of_column = {.run = g->run};
        MLN_TRY(find_uses(&of_column, column->expr));
        struct mln_result r = MLN_OK;
        for (; use < first + of_column.uses.n && mln_ok(r); use++) {
            r = g->uses.at[use]->aggregate->done(g->run, g->uses.at[use], group->states[use], &g->uses.at[use]->value);
            if (mln_ok(r))
                g->uses.at[use]->kind = KQL_LITERAL;
        }
        struct mln_json value;
        if (mln_ok(r))
            r = kql_eval(g->run, &kql_no_columns, NULL, column->expr, &value);
        for (size_t u = first; u < use; u++)
            g->uses.at[u]->kind = KQL_CALL;
        MLN_TRY(r);
        MLN_TRY(kql_copy(g->run->keep, value, &cells[at++]));
    }
    return kql_add_row(g->run, out, cells);
}

bool kql_stage_groups(const struct kql_stage *stage)
{
    return stage->kind == KQL_SUMMARIZE || stage->kind == KQL_DISTINCT || stage->kind == KQL_COUNT;
}

/* distinct a, b is summarize by a, b. */
static struct mln_result as_summarize(struct kql_run *run, const struct kql_schema *in, struct kql_stage *stage)
{
    kql_named_list columns = stage->columns;
    for (size_t i = 0; stage->star && i < in->n; i++) {
        struct kql_expr *e;
        MLN_TRY_NEW(run->keep, e);
        *e = (struct kql_expr){.kind = KQL_NAME, .name = in->names[i]};
        struct kql_named named = {.name = e->name, .expr = e};
        MLN_TRY(mln_vec_push(run->keep, &columns, named));
    }
    *stage = (struct kql_stage){.kind = KQL_SUMMARIZE, .by = columns};
    return MLN_OK;
}

struct mln_result kql_grouping_new(struct kql_run *run, const struct kql_stage *stage, const struct kql_schema *in,
                                   struct kql_grouping **out)
{
    struct kql_grouping *g;
    *out = NULL;
    MLN_TRY_NEW(run->keep, g);
    *g = (struct kql_grouping){.run = run, .stage = *stage, .in = in};
    if (stage->kind == KQL_DISTINCT)
        MLN_TRY(as_summarize(run, in, &g->stage));
    for (size_t i = 0; i < g->stage.columns.n; i++)
        MLN_TRY(find_uses(g, g->stage.columns.at[i].expr));
    g->index = mln_map_new(false);
    if (!g->index)
        return mln_fail(MLN_E_MEMORY, "no memory for groups");
    *out = g;
    return MLN_OK;
}

void kql_grouping_free(struct kql_grouping *g)
{
    if (g)
        mln_map_free(g->index);
}

static struct mln_result count_done(struct kql_grouping *g, struct kql_table *out)
{
    struct kql_schema *schema;
    struct mln_json *cell;
    MLN_TRY(kql_schema_new(g->run, 1, &schema));
    schema->names[schema->n++] = MLN_S("Count");
    MLN_TRY_NEW(g->run->keep, cell);
    *cell = mln_json_of_i64((int64_t)g->counted);
    *out = (struct kql_table){.schema = schema};
    return kql_add_row(g->run, out, cell);
}

struct mln_result kql_grouping_done(struct kql_grouping *g, struct kql_table *out)
{
    struct kql_schema *schema;
    size_t ignored;
    if (g->stage.kind == KQL_COUNT)
        return count_done(g, out);
    if (g->groups.n == 0 && g->stage.by.n == 0) /* without by there is one row, also over nothing */
        MLN_TRY(new_group(g, NULL, &ignored));
    MLN_TRY(result_schema(g, &schema));
    mln_arena_reset(g->run->scratch);
    *out = (struct kql_table){.schema = schema};
    for (size_t i = 0; i < g->groups.n; i++)
        MLN_TRY(emit(g, &g->groups.at[i], schema, out));
    return MLN_OK;
}
