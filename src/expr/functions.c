#include "expr/functions.h"

const struct mln_function *mln_functions_named(struct mln_str name, enum mln_function_style style, size_t *n)
{
    *n = 0;
    const struct mln_function *first = NULL;
    for (size_t i = 0; i < mln_n_functions; i++) {
        const struct mln_function *f = &mln_functions[i];
        if (f->style != style || !mln_str_eq(name, mln_str_c(f->name))) {
            if (first)
                break;
            continue;
        }
        if (!first)
            first = f;
        ++*n;
    }
    return first;
}

bool mln_function_takes(const struct mln_function *row, size_t n)
{
    return row->flags & MLN_FUNCTION_MANY ? n > 0 : row->takes.n == n;
}

static bool has_type(const mln_value *v, const struct mln_type *type)
{
    switch (type->kind) {
    case MLN_VALUE_DYN:
    case MLN_TYPE_PARAMETER:
        return true;
    case MLN_TYPE_NUMBER:
        return mln_value_is_number(v->kind);
    default:
        return type->kind == mln_value_type_of(v->kind);
    }
}

static bool fits(const struct mln_function *row, const mln_value *args, size_t n)
{
    if (!mln_function_takes(row, n))
        return false;
    for (size_t i = 0; i < n; i++)
        if (!has_type(&args[i], mln_function_argument(row, i)))
            return false;
    return true;
}

mln_value mln_function_call(struct mln_expr_run *run, const struct mln_function *rows, size_t n_rows,
                            const mln_value *args, size_t n_args)
{
    for (size_t i = 0; i < n_rows; i++) {
        if (!fits(&rows[i], args, n_args))
            continue;
        if (!rows[i].run)
            return mln_run_error(run, "%s() is declared only and cannot be called", rows[i].name);
        mln_value list = mln_value_list(args, n_args);
        return rows[i].run(run, rows[i].flags & MLN_FUNCTION_MANY ? &list : args);
    }
    for (size_t i = 0; run->lenient && i < n_args; i++) {
        if (args[i].kind == MLN_JSON_NULL && rows->flags & MLN_FUNCTION_FALSE_IF_ABSENT)
            return mln_value_bool(false);
        if (args[i].kind == MLN_JSON_NULL && rows->flags & MLN_FUNCTION_ZERO_IF_ABSENT)
            return mln_value_int(0);
    }
    return mln_run_no_overload(run, rows->name, args, n_args);
}

struct mln_str mln_function_signature(const struct mln_function *row, char out[128])
{
    char text[MLN_TYPE_TEXT];
    size_t receiver = row->style == MLN_FUNCTION_RECEIVER, n = 0;
    if (receiver)
        n += (size_t)snprintf(out, 128, "%s.", mln_type_text(row->takes.args[0], text));
    n += (size_t)snprintf(out + n, 128 - n, "%s(", row->name);
    for (size_t i = receiver; i < row->takes.n && n < 128; i++)
        n += (size_t)snprintf(out + n, 128 - n, "%s%s", i > receiver ? ", " : "",
                              mln_type_text(row->takes.args[i], text));
    if (n < 128)
        n += (size_t)snprintf(out + n, 128 - n, "%s) -> %s", row->flags & MLN_FUNCTION_MANY ? ", ..." : "",
                              mln_type_text(row->takes.result, text));
    return (struct mln_str){out, n < 128 ? n : 127};
}
