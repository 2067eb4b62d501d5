/* Functions on numbers. */
#include "expr/library.h"

#include <math.h>

/* The item of a list of numbers that comes last (sign 1) or first (-1) in their order. */
static mln_value extreme(struct mln_expr_run *run, const mln_value *list, int sign, const char *name)
{
    if (list->n == 0)
        return mln_run_error(run, "%s(): the list is empty", name);
    size_t best = 0;
    for (size_t i = 0; i < list->n; i++) {
        int order = 0;
        if (!mln_value_is_number(list->items[i].kind))
            return mln_run_error(run, "%s(): item %zu is of type %s, all must be numbers", name, i,
                                 mln_value_type_name(list->items[i].kind));
        if (mln_value_order(run, &list->items[i], &list->items[best], &order) && order * sign > 0)
            best = i;
    }
    mln_run_charge(run, list->n);
    return list->items[best];
}

mln_value mln_fn_greatest(struct mln_expr_run *run, const mln_value *args)
{
    return extreme(run, args, 1, "math.greatest");
}

mln_value mln_fn_least(struct mln_expr_run *run, const mln_value *args)
{
    return extreme(run, args, -1, "math.least");
}

mln_value mln_fn_abs(struct mln_expr_run *run, const mln_value *args)
{
    if (args->kind == MLN_JSON_REAL)
        return mln_value_double(fabs(args->real));
    if (args->i == INT64_MIN)
        return mln_run_error(run, "math.abs(): integer overflow");
    return mln_value_int(args->i < 0 ? -args->i : args->i);
}

mln_value mln_fn_sign(struct mln_expr_run *run, const mln_value *args)
{
    (void)run;
    if (args->kind == MLN_JSON_INT)
        return mln_value_int((args->i > 0) - (args->i < 0));
    if (args->kind == MLN_JSON_UINT)
        return mln_value_uint(args->u > 0);
    return isnan(args->real) ? *args : mln_value_double((args->real > 0) - (args->real < 0));
}

mln_value mln_fn_sqrt(struct mln_expr_run *run, const mln_value *args)
{
    (void)run;
    return mln_value_double(sqrt(args->kind == MLN_JSON_REAL  ? args->real
                                 : args->kind == MLN_JSON_INT ? (double)args->i
                                                              : (double)args->u));
}

#define OF_DOUBLE(name, expression)                                                                                    \
    mln_value mln_fn_##name(struct mln_expr_run *run, const mln_value *args)                                           \
    {                                                                                                                  \
        (void)run;                                                                                                     \
        return expression;                                                                                             \
    }

OF_DOUBLE(ceil, mln_value_double(ceil(args->real)))
OF_DOUBLE(floor, mln_value_double(floor(args->real)))
OF_DOUBLE(round, mln_value_double(round(args->real)))
OF_DOUBLE(trunc, mln_value_double(trunc(args->real)))
OF_DOUBLE(is_nan, mln_value_bool(isnan(args->real)))
OF_DOUBLE(is_inf, mln_value_bool(isinf(args->real)))
OF_DOUBLE(is_finite, mln_value_bool(isfinite(args->real)))

/* Bits of an int or uint; the result has the type of the first operand. */
static mln_value bits(const mln_value *like, uint64_t value)
{
    mln_value v = *like;
    v.u = value;
    return v;
}

mln_value mln_fn_bit_and(struct mln_expr_run *run, const mln_value *args)
{
    (void)run;
    return bits(args, args[0].u & args[1].u);
}

mln_value mln_fn_bit_or(struct mln_expr_run *run, const mln_value *args)
{
    (void)run;
    return bits(args, args[0].u | args[1].u);
}

mln_value mln_fn_bit_xor(struct mln_expr_run *run, const mln_value *args)
{
    (void)run;
    return bits(args, args[0].u ^ args[1].u);
}

mln_value mln_fn_bit_not(struct mln_expr_run *run, const mln_value *args)
{
    (void)run;
    return bits(args, ~args[0].u);
}

mln_value mln_fn_shift_left(struct mln_expr_run *run, const mln_value *args)
{
    if (args[1].i < 0)
        return mln_run_error(run, "math.bitShiftLeft(): the number of bits is negative");
    return bits(args, args[1].i > 63 ? 0 : args[0].u << args[1].i);
}

mln_value mln_fn_shift_right(struct mln_expr_run *run, const mln_value *args)
{
    if (args[1].i < 0)
        return mln_run_error(run, "math.bitShiftRight(): the number of bits is negative");
    return bits(args, args[1].i > 63 ? 0 : args[0].u >> args[1].i);
}
