/* The value of an expression on one row. */
#include "query/ast.h"

enum { MAX_ARGUMENTS = 64 };

size_t kql_column(const struct kql_schema *schema, struct mln_str name)
{
    for (size_t i = 0; i < schema->n; i++)
        if (mln_str_eq(schema->names[i], name))
            return i;
    for (size_t i = 0; i < schema->n; i++)
        if (mln_str_eq_nocase(schema->names[i], name))
            return i;
    return SIZE_MAX;
}

struct mln_json kql_member(struct mln_json of, struct mln_str name)
{
    const struct mln_json *found = mln_json_get(&of, name);
    if (!found)
        found = mln_json_get_nocase(&of, name);
    return found ? *found : kql_null();
}

static struct mln_result eval_name(struct kql_run *run, const struct kql_schema *schema, const struct mln_json *row,
                                   struct kql_expr *expr, struct mln_json *out)
{
    if (expr->bound_to != schema->serial) {
        expr->bound_to = schema->serial;
        expr->bound_at = kql_column(schema, expr->name);
    }
    if (expr->bound_at != SIZE_MAX) {
        *out = row[expr->bound_at];
        return MLN_OK;
    }
    for (size_t i = 0; i < run->query->lets.n; i++) {
        const struct kql_let *let = &run->query->lets.at[i];
        if (let->scalar && mln_str_eq(let->name, expr->name)) {
            if (run->depth > MLN_KQL_MAX_DEPTH)
                return kql_wrong(expr->line, expr->position, "'%.*s' is defined by itself", MLN_FMT(expr->name));
            run->depth++;
            struct mln_result r = kql_eval(run, &kql_no_columns, NULL, let->scalar, out);
            run->depth--;
            return r;
        }
    }
    return kql_wrong(expr->line, expr->position, "there is no column '%.*s' here", MLN_FMT(expr->name));
}

static struct mln_result eval_index(struct kql_run *run, const struct kql_schema *schema, const struct mln_json *row,
                                    struct kql_expr *expr, struct mln_json *out)
{
    struct mln_json of, index;
    MLN_TRY(kql_eval(run, schema, row, expr->args[0], &of));
    MLN_TRY(kql_eval(run, schema, row, expr->args[1], &index));
    *out = kql_null();
    if (index.kind == MLN_JSON_STRING) {
        *out = kql_member(of, (struct mln_str){index.string, index.n});
    } else if (index.kind == MLN_JSON_INT && of.kind == MLN_JSON_ARRAY) {
        int64_t at = index.i < 0 ? index.i + of.n : index.i;
        if (at >= 0 && at < of.n)
            *out = of.items[at];
    }
    return MLN_OK;
}

static struct mln_result eval_lazy(struct kql_run *run, const struct kql_schema *schema, const struct mln_json *row,
                                   struct kql_expr *expr, struct mln_json *out)
{
    if (expr->function->lazy == KQL_LAZY_CASE) {
        size_t i = 0;
        for (; i + 1 < expr->n_args; i += 2) {
            struct mln_json condition;
            MLN_TRY(kql_eval(run, schema, row, expr->args[i], &condition));
            if (kql_truth(condition))
                return kql_eval(run, schema, row, expr->args[i + 1], out);
        }
        *out = kql_null();
        return i < expr->n_args ? kql_eval(run, schema, row, expr->args[i], out) : MLN_OK;
    }
    bool stops_at = expr->function->lazy == KQL_LAZY_OR;
    struct mln_json v;
    MLN_TRY(kql_eval(run, schema, row, expr->args[0], &v));
    if (kql_truth(v) != stops_at)
        MLN_TRY(kql_eval(run, schema, row, expr->args[1], &v));
    *out = mln_json_of_bool(kql_truth(v));
    return MLN_OK;
}

static struct mln_result eval_call(struct kql_run *run, const struct kql_schema *schema, const struct mln_json *row,
                                   struct kql_expr *expr, struct mln_json *out)
{
    struct mln_json args[MAX_ARGUMENTS];
    if (!expr->function)
        return kql_wrong(expr->line, expr->position, "'%.*s' is an aggregate: it can stand in summarize only",
                         MLN_FMT(expr->name));
    if (expr->function->lazy)
        return eval_lazy(run, schema, row, expr, out);
    if (expr->n_args > MAX_ARGUMENTS) { /* a long list of in (...) */
        struct mln_json *many;
        MLN_TRY_ARRAY(run->scratch, many, expr->n_args);
        for (size_t i = 0; i < expr->n_args; i++)
            MLN_TRY(kql_eval(run, schema, row, expr->args[i], &many[i]));
        return expr->function->call(run, expr, many, expr->n_args, out);
    }
    for (size_t i = 0; i < expr->n_args; i++)
        MLN_TRY(kql_eval(run, schema, row, expr->args[i], &args[i]));
    return expr->function->call(run, expr, args, expr->n_args, out);
}

struct mln_result kql_eval(struct kql_run *run, const struct kql_schema *schema, const struct mln_json *row,
                           struct kql_expr *expr, struct mln_json *out)
{
    struct mln_json of;
    switch (expr->kind) {
    case KQL_LITERAL:
        *out = expr->value;
        return MLN_OK;
    case KQL_NAME:
        return eval_name(run, schema, row, expr, out);
    case KQL_MEMBER:
        MLN_TRY(kql_eval(run, schema, row, expr->args[0], &of));
        *out = kql_member(of, expr->name);
        return MLN_OK;
    case KQL_INDEX:
        return eval_index(run, schema, row, expr, out);
    case KQL_CALL:
        return eval_call(run, schema, row, expr, out);
    case KQL_STAR:
        break;
    }
    return kql_wrong(expr->line, expr->position, "'*' cannot stand here");
}
