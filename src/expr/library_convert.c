/* Sizes, types and conversions between them. */
#include "expr/instant.h"
#include "expr/library.h"
#include "expr/utf8.h"

#include <math.h>

mln_value mln_fn_size(struct mln_expr_run *run, const mln_value *args)
{
    if (args->kind != MLN_JSON_STRING)
        return mln_value_int(args->n);
    mln_run_charge_bytes(run, args->n);
    return mln_value_int((int64_t)mln_utf8_count(mln_value_str(*args)));
}

mln_value mln_fn_type_of(struct mln_expr_run *run, const mln_value *args)
{
    (void)run;
    return mln_value_type(mln_value_type_of(args->kind));
}

mln_value mln_fn_same(struct mln_expr_run *run, const mln_value *args)
{
    (void)run;
    return *args;
}

static mln_value not_convertible(struct mln_expr_run *run, const char *to, const mln_value *from)
{
    return mln_run_error(run, "%s(): '%.*s' cannot be converted", to,
                         MLN_FMT(mln_str_sub(mln_value_str(*from), 0, 60)));
}

static mln_value out_of_range(struct mln_expr_run *run, const char *to)
{
    return mln_run_error(run, "%s(): out of range", to);
}

mln_value mln_fn_bool_of_text(struct mln_expr_run *run, const mln_value *args)
{
    static const struct {
        struct mln_str text;
        bool value;
    } words[] = {{MLN_S("1"), true},      {MLN_S("t"), true},     {MLN_S("true"), true}, {MLN_S("TRUE"), true},
                 {MLN_S("True"), true},   {MLN_S("0"), false},    {MLN_S("f"), false},   {MLN_S("false"), false},
                 {MLN_S("FALSE"), false}, {MLN_S("False"), false}};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (mln_str_eq(words[i].text, mln_value_str(*args)))
            return mln_value_bool(words[i].value);
    return not_convertible(run, "bool", args);
}

mln_value mln_fn_int_of_uint(struct mln_expr_run *run, const mln_value *args)
{
    return args->u > INT64_MAX ? out_of_range(run, "int") : mln_value_int((int64_t)args->u);
}

mln_value mln_fn_int_of_double(struct mln_expr_run *run, const mln_value *args)
{
    if (!(args->real > -0x1p63 && args->real < 0x1p63))
        return out_of_range(run, "int");
    return mln_value_int((int64_t)args->real);
}

static struct mln_str without_plus(struct mln_str s)
{
    return s.n > 1 && s.p[0] == '+' && s.p[1] != '-' ? mln_str_sub(s, 1, s.n) : s;
}

mln_value mln_fn_int_of_text(struct mln_expr_run *run, const mln_value *args)
{
    int64_t i;
    return mln_ok(mln_str_to_i64(without_plus(mln_value_str(*args)), &i)) ? mln_value_int(i)
                                                                          : not_convertible(run, "int", args);
}

mln_value mln_fn_int_of_timestamp(struct mln_expr_run *run, const mln_value *args)
{
    (void)run;
    return mln_value_int(args->i);
}

mln_value mln_fn_int_of_duration(struct mln_expr_run *run, const mln_value *args)
{
    (void)run;
    return mln_value_int(args->i);
}

mln_value mln_fn_uint_of_int(struct mln_expr_run *run, const mln_value *args)
{
    return args->i < 0 ? out_of_range(run, "uint") : mln_value_uint((uint64_t)args->i);
}

mln_value mln_fn_uint_of_double(struct mln_expr_run *run, const mln_value *args)
{
    if (!(args->real >= 0 && args->real < 0x1p64))
        return out_of_range(run, "uint");
    return mln_value_uint((uint64_t)args->real);
}

mln_value mln_fn_uint_of_text(struct mln_expr_run *run, const mln_value *args)
{
    uint64_t u;
    return mln_ok(mln_str_to_u64(mln_value_str(*args), &u)) ? mln_value_uint(u) : not_convertible(run, "uint", args);
}

mln_value mln_fn_double_of_int(struct mln_expr_run *run, const mln_value *args)
{
    (void)run;
    return mln_value_double((double)args->i);
}

mln_value mln_fn_double_of_uint(struct mln_expr_run *run, const mln_value *args)
{
    (void)run;
    return mln_value_double((double)args->u);
}

mln_value mln_fn_double_of_text(struct mln_expr_run *run, const mln_value *args)
{
    struct mln_str s = mln_value_str(*args);
    char text[400];
    if (mln_str_eq(s, MLN_S("NaN")))
        return mln_value_double(NAN);
    if (mln_str_eq(without_plus(s), MLN_S("Infinity")) || mln_str_eq(s, MLN_S("-Infinity")))
        return mln_value_double(s.p[0] == '-' ? -INFINITY : INFINITY);
    bool good = s.n > 0 && s.n < sizeof text;
    for (size_t i = 0; i < s.n && good; i++)
        good = strchr("0123456789+-.eE", s.p[i]) && s.p[i];
    if (!good)
        return not_convertible(run, "double", args);
    memcpy(text, s.p, s.n);
    text[s.n] = '\0';
    char *end;
    double d = strtod(text, &end);
    return end == text + s.n ? mln_value_double(d) : not_convertible(run, "double", args);
}

mln_value mln_fn_string_of_bool(struct mln_expr_run *run, const mln_value *args)
{
    (void)run;
    return mln_value_string(args->boolean ? MLN_S("true") : MLN_S("false"));
}

mln_value mln_fn_string_of_null(struct mln_expr_run *run, const mln_value *args)
{
    (void)run, (void)args;
    return mln_value_string(MLN_S("null"));
}

mln_value mln_fn_string_of_int(struct mln_expr_run *run, const mln_value *args)
{
    char text[32];
    int n = snprintf(text, sizeof text, "%lld", (long long)args->i);
    return mln_run_string(run, (struct mln_str){text, (size_t)n});
}

mln_value mln_fn_string_of_uint(struct mln_expr_run *run, const mln_value *args)
{
    char text[32];
    int n = snprintf(text, sizeof text, "%llu", (unsigned long long)args->u);
    return mln_run_string(run, (struct mln_str){text, (size_t)n});
}

mln_value mln_fn_string_of_double(struct mln_expr_run *run, const mln_value *args)
{
    double d = args->real;
    if (isnan(d))
        return mln_value_string(MLN_S("NaN"));
    if (isinf(d))
        return mln_value_string(d < 0 ? MLN_S("-Infinity") : MLN_S("Infinity"));
    char text[64];
    int n = 0;
    for (int digits = 15; digits <= 17; digits++) { /* the first that reads back */
        n = snprintf(text, sizeof text, "%.*g", digits, d);
        if (strtod(text, NULL) == d)
            break;
    }
    return mln_run_string(run, (struct mln_str){text, (size_t)n});
}

mln_value mln_fn_string_of_bytes(struct mln_expr_run *run, const mln_value *args)
{
    mln_run_charge_bytes(run, args->n);
    if (!mln_str_is_utf8(mln_value_str(*args)))
        return mln_run_error(run, "string(): the bytes are invalid UTF-8");
    return mln_value_string(mln_value_str(*args));
}

mln_value mln_fn_string_of_timestamp(struct mln_expr_run *run, const mln_value *args)
{
    char text[MLN_INSTANT_TEXT];
    return mln_run_string(run, mln_timestamp_text(args, text));
}

mln_value mln_fn_string_of_duration(struct mln_expr_run *run, const mln_value *args)
{
    char text[MLN_INSTANT_TEXT];
    return mln_run_string(run, mln_duration_text(args->i, text));
}

mln_value mln_fn_bytes_of_text(struct mln_expr_run *run, const mln_value *args)
{
    (void)run;
    return mln_value_bytes(mln_value_str(*args));
}
