/* Operators that look at one row at a time: where, extend, project and its kin, parse. They run while a table is read, so
   that a row that is dropped costs no memory. */
#include "query/ast.h"

bool kql_stage_is_rowwise(const struct kql_stage *stage)
{
    return stage->kind <= KQL_PROJECT_REORDER || stage->kind == KQL_PARSE;
}

const struct kql_schema kql_no_columns = {.serial = 1};

struct mln_result kql_schema_new(struct kql_run *run, size_t n, struct kql_schema **out)
{
    if (n > MLN_KQL_MAX_COLUMNS)
        return mln_fail(MLN_E_LIMIT, "more than %d columns", MLN_KQL_MAX_COLUMNS);
    MLN_TRY_NEW(run->keep, *out);
    MLN_TRY_ARRAY(run->keep, (*out)->names, n);
    static uint64_t last = 1;
    (*out)->serial = __atomic_add_fetch(&last, 1, __ATOMIC_RELAXED);
    return MLN_OK;
}

static bool listed(const struct kql_stage *stage, struct mln_str name)
{
    for (size_t i = 0; i < stage->columns.n; i++) {
        struct mln_str pattern = stage->columns.at[i].name;
        if (mln_str_eq(pattern, name))
            return true;
    }
    return false;
}

static struct mln_result wants_names(const struct kql_stage *stage, const struct kql_schema *in)
{
    for (size_t i = 0; i < stage->columns.n; i++) {
        const struct kql_expr *e = stage->columns.at[i].expr;
        if (e->kind != KQL_NAME)
            return kql_wrong(e->line, e->position, "a column's name is wanted here");
        if (kql_column(in, e->name) == SIZE_MAX)
            return kql_wrong(e->line, e->position, "there is no column '%.*s' here", MLN_FMT(e->name));
    }
    return MLN_OK;
}

static void add_name(struct kql_schema *schema, struct mln_str name)
{
    for (size_t i = 0; i < schema->n; i++)
        if (mln_str_eq(schema->names[i], name))
            return;
    schema->names[schema->n++] = name;
}

struct mln_result kql_row_schema(struct kql_run *run, const struct kql_stage *stage, const struct kql_schema *in,
                                 const struct kql_schema **out)
{
    struct kql_schema *s;
    *out = in;
    if (stage->kind == KQL_WHERE)
        return MLN_OK;
    MLN_TRY(kql_schema_new(run, in->n + stage->columns.n, &s));
    s->n = 0;
    if (stage->kind != KQL_PROJECT && stage->kind != KQL_EXTEND && stage->kind != KQL_PARSE)
        MLN_TRY(wants_names(stage, in));
    switch (stage->kind) {
    case KQL_PROJECT:
        for (size_t i = 0; i < stage->columns.n; i++)
            s->names[s->n++] = stage->columns.at[i].name;
        break;
    case KQL_PROJECT_AWAY:
    case KQL_PROJECT_KEEP:
        for (size_t i = 0; i < in->n; i++)
            if (listed(stage, in->names[i]) == (stage->kind == KQL_PROJECT_KEEP))
                add_name(s, in->names[i]);
        break;
    case KQL_PROJECT_RENAME:
        for (size_t i = 0; i < in->n; i++) {
            s->names[s->n] = in->names[i];
            for (size_t c = 0; c < stage->columns.n; c++)
                if (kql_column(in, stage->columns.at[c].expr->name) == i)
                    s->names[s->n] = stage->columns.at[c].name;
            s->n++;
        }
        break;
    case KQL_PROJECT_REORDER:
        for (size_t i = 0; i < stage->columns.n; i++)
            add_name(s, stage->columns.at[i].name);
        for (size_t i = 0; i < in->n; i++)
            add_name(s, in->names[i]);
        break;
    default: /* EXTEND, PARSE */
        for (size_t i = 0; i < in->n; i++)
            s->names[s->n++] = in->names[i];
        for (size_t i = 0; i < stage->columns.n; i++)
            if (stage->columns.at[i].name.p)
                add_name(s, stage->columns.at[i].name);
        break;
    }
    *out = s;
    return MLN_OK;
}

static struct mln_result typed_part(struct kql_run *run, const struct kql_named *part, struct mln_str text,
                                    struct mln_json *out)
{
    *out = mln_json_of_str(mln_str_trim(text));
    if (!part->expr)
        return MLN_OK;
    struct mln_str type = part->expr->name;
    const char *by = mln_str_eq_nocase(type, MLN_S("long")) || mln_str_eq_nocase(type, MLN_S("int"))      ? "tolong"
                     : mln_str_eq_nocase(type, MLN_S("real")) || mln_str_eq_nocase(type, MLN_S("double")) ? "todouble"
                     : mln_str_eq_nocase(type, MLN_S("datetime"))                                         ? "todatetime"
                     : mln_str_eq_nocase(type, MLN_S("bool"))                                             ? "tobool"
                                                                                                          : NULL;
    if (!by)
        return MLN_OK;
    const struct kql_function *function = kql_function_find(mln_str_c(by));
    struct kql_expr call = {.kind = KQL_CALL, .name = mln_str_c(by), .function = function};
    struct mln_json text_value = *out;
    return function->call(run, &call, &text_value, 1, out);
}

/* parse x with "a" one "b" two: each column is what stands between its neighbours; all null when a text is missing. */
static struct mln_result run_parse(struct kql_run *run, const struct kql_stage *stage,
                                   const struct kql_schema *in_schema, const struct kql_schema *out_schema,
                                   const struct mln_json *in, struct mln_json *cells)
{
    struct mln_json source;
    struct mln_str text;
    MLN_TRY(kql_eval(run, in_schema, in, stage->predicate, &source));
    MLN_TRY(kql_text(run->scratch, source, &text));
    const struct kql_named *waiting = NULL;
    size_t from = 0, n = stage->columns.n;
    bool matched = true, floating = true;
    for (size_t i = 0; i <= n && matched; i++) {
        const struct kql_named *part = i < n ? &stage->columns.at[i] : NULL;
        bool literal = part && !part->name.p && part->expr;
        if (part && !literal) {
            waiting = part->name.p ? part : NULL;
            floating = true;
            continue;
        }
        struct mln_str mark = literal ? (struct mln_str){part->expr->value.string, part->expr->value.n} : MLN_S("");
        size_t at = literal ? mln_str_find(text, mark, from) : text.n;
        matched = at != SIZE_MAX && (floating || at == from);
        if (matched && waiting)
            MLN_TRY(
                typed_part(run, waiting, mln_str_sub(text, from, at), &cells[kql_column(out_schema, waiting->name)]));
        from = at + mark.n;
        waiting = NULL;
        floating = false;
    }
    for (size_t i = 0; i < n && !matched; i++)
        if (stage->columns.at[i].name.p)
            cells[kql_column(out_schema, stage->columns.at[i].name)] = kql_null();
    return MLN_OK;
}

struct mln_result kql_row_run(struct kql_run *run, const struct kql_stage *stage, const struct kql_schema *in_schema,
                              const struct kql_schema *out_schema, struct mln_json *in, struct mln_json **out)
{
    struct mln_json value, *cells;
    if (stage->kind == KQL_WHERE) {
        MLN_TRY(kql_eval(run, in_schema, in, stage->predicate, &value));
        *out = kql_truth(value) ? in : NULL;
        return MLN_OK;
    }
    MLN_TRY_ARRAY(run->scratch, cells, out_schema->n);
    *out = cells;
    if (stage->kind == KQL_PROJECT) {
        for (size_t i = 0; i < out_schema->n; i++)
            MLN_TRY(kql_eval(run, in_schema, in, stage->columns.at[i].expr, &cells[i]));
        return MLN_OK;
    }
    if (stage->kind == KQL_PROJECT_RENAME) {
        memcpy(cells, in, in_schema->n * sizeof *cells);
        return MLN_OK;
    }
    for (size_t i = 0; i < out_schema->n; i++) {
        size_t from = kql_column(in_schema, out_schema->names[i]);
        if (from != SIZE_MAX)
            cells[i] = in[from];
    }
    if (stage->kind == KQL_PARSE)
        return run_parse(run, stage, in_schema, out_schema, in, cells);
    for (size_t i = 0; stage->kind == KQL_EXTEND && i < stage->columns.n; i++) {
        size_t to = kql_column(out_schema, stage->columns.at[i].name);
        MLN_TRY(kql_eval(run, in_schema, in, stage->columns.at[i].expr, &cells[to]));
    }
    return MLN_OK;
}
