/* Optional values, and base64. */
#include "base/base64.h"
#include "expr/library.h"

mln_value mln_fn_optional_of(struct mln_expr_run *run, const mln_value *args)
{
    return mln_run_optional(run, args);
}

/* What a field has when nobody has set it. */
static bool is_zero(const mln_value *v)
{
    switch (v->kind) {
    case MLN_JSON_NULL:
        return true;
    case MLN_JSON_BOOL:
        return !v->boolean;
    case MLN_JSON_REAL:
        return v->real == 0;
    case MLN_JSON_STRING:
    case MLN_JSON_ARRAY:
    case MLN_JSON_OBJECT:
    case MLN_VALUE_BYTES:
    case MLN_VALUE_MAP:
    case MLN_VALUE_OPTIONAL:
        return v->n == 0;
    case MLN_JSON_INT:
    case MLN_JSON_UINT:
    case MLN_VALUE_DURATION:
        return v->u == 0;
    case MLN_VALUE_TIMESTAMP:
        return v->i == 0 && v->n == 0;
    default:
        return false;
    }
}

mln_value mln_fn_optional_of_non_zero(struct mln_expr_run *run, const mln_value *args)
{
    return mln_run_optional(run, is_zero(args) ? NULL : args);
}

mln_value mln_fn_optional_none(struct mln_expr_run *run, const mln_value *args)
{
    (void)run, (void)args;
    return mln_value_optional(NULL);
}

mln_value mln_fn_optional_has_value(struct mln_expr_run *run, const mln_value *args)
{
    (void)run;
    return mln_value_bool(args->n != 0);
}

mln_value mln_fn_optional_value(struct mln_expr_run *run, const mln_value *args)
{
    return args->n ? *args->items : mln_run_error(run, "value(): the optional has no value");
}

mln_value mln_fn_optional_or(struct mln_expr_run *run, const mln_value *args)
{
    (void)run;
    return args[0].n ? args[0] : args[1];
}

mln_value mln_fn_optional_or_value(struct mln_expr_run *run, const mln_value *args)
{
    (void)run;
    return args[0].n ? *args[0].items : args[1];
}

mln_value mln_fn_optional_unwrap(struct mln_expr_run *run, const mln_value *args)
{
    mln_value *items = mln_run_alloc(run, args->n, sizeof *items);
    if (!items)
        return mln_value_null();
    mln_run_charge(run, args->n);
    size_t n = 0;
    for (size_t i = 0; i < args->n; i++) {
        if (args->items[i].kind != MLN_VALUE_OPTIONAL)
            return mln_run_error(run, "unwrap(): item %zu is of type %s, all must be optionals", i,
                                 mln_value_type_name(args->items[i].kind));
        if (args->items[i].n)
            items[n++] = *args->items[i].items;
    }
    return mln_value_list(items, n);
}

mln_value mln_fn_base64_encode(struct mln_expr_run *run, const mln_value *args)
{
    size_t n = mln_base64_chars(MLN_BASE64, args->n);
    mln_run_charge_bytes(run, n);
    if (n > UINT32_MAX)
        return mln_run_error(run, "base64.encode(): the text would be too long");
    char *p = mln_run_alloc(run, n, 1);
    if (!p)
        return mln_value_null();
    mln_base64_write(MLN_BASE64, mln_value_str(*args), p);
    return mln_value_string((struct mln_str){p, n});
}

mln_value mln_fn_base64_decode(struct mln_expr_run *run, const mln_value *args)
{
    struct mln_str text = mln_value_str(*args);
    size_t n;
    mln_run_charge_bytes(run, text.n);
    char *p = mln_run_alloc(run, mln_base64_bytes_most(text.n), 1);
    if (!p)
        return mln_value_null();
    if (!mln_ok(mln_base64_read(text.n % 4 ? MLN_BASE64_BARE : MLN_BASE64, text, p, &n)))
        return mln_run_error(run, "base64.decode(): %s", mln_error_text());
    return mln_value_bytes((struct mln_str){p, n});
}
