/* Aggregates, the functions of summarize: one table. A state is zeroed memory in run->keep, one a group and use. */
#include "query/ast.h"

#include <math.h>

#define ADD(name)                                                                                                      \
    static struct mln_result name(struct kql_run *run, const struct kql_expr *expr, void *state,                       \
                                  const struct mln_json *args, size_t n)
#define DONE(name)                                                                                                     \
    static struct mln_result name(struct kql_run *run, const struct kql_expr *expr, void *state, struct mln_json *out)
#define UNUSED (void)run, (void)expr

enum { KEY_MAX_BYTES = 1 << 20, LIST_MAX = 100000 };
enum { PLAIN, IF }; /* the last argument is a condition */

struct number_state {
    int64_t count, whole;
    double real;
    bool is_real, overflow;
};

static bool passes(const struct kql_expr *expr, const struct mln_json *args, size_t n)
{
    return expr->aggregate->variant != IF || kql_truth(args[n - 1]);
}

ADD(count_add)
{
    UNUSED;
    struct number_state *s = state;
    s->count += n == 0 || passes(expr, args, n);
    return MLN_OK;
}

DONE(count_done)
{
    UNUSED;
    *out = mln_json_of_i64(((struct number_state *)state)->count);
    return MLN_OK;
}

ADD(sum_add)
{
    UNUSED;
    struct number_state *s = state;
    struct mln_json v = args[0];
    if (!passes(expr, args, n) || !(kql_is_number(v) || v.kind == KQL_TIMESPAN))
        return MLN_OK;
    s->count++;
    s->is_real |= v.kind == MLN_JSON_REAL || v.kind == MLN_JSON_UINT;
    s->real += v.kind == KQL_TIMESPAN ? (double)v.i : kql_number(v);
    if (v.kind == MLN_JSON_INT || v.kind == KQL_TIMESPAN)
        s->overflow |= __builtin_add_overflow(s->whole, v.i, &s->whole);
    return MLN_OK;
}

DONE(sum_done)
{
    UNUSED;
    struct number_state *s = state;
    *out = s->is_real || s->overflow ? mln_json_of_real(s->real) : mln_json_of_i64(s->whole);
    return MLN_OK;
}

DONE(average_done)
{
    UNUSED;
    struct number_state *s = state;
    *out = s->count ? mln_json_of_real(s->real / (double)s->count) : kql_null();
    return MLN_OK;
}

struct value_state {
    struct mln_json value;
    bool any;
};

enum { MIN, MAX, ANY };

ADD(extreme_add)
{
    struct value_state *s = state;
    (void)n;
    int how = expr->aggregate->variant;
    if (args[0].kind == MLN_JSON_NULL || (how == ANY && s->any))
        return MLN_OK;
    int order = s->any ? kql_order(args[0], s->value) : 0;
    if (s->any && !(how == MIN ? order < 0 : order > 0))
        return MLN_OK;
    s->any = true;
    return kql_copy(run->keep, args[0], &s->value);
}

DONE(value_done)
{
    UNUSED;
    struct value_state *s = state;
    *out = s->any ? s->value : kql_null();
    return MLN_OK;
}

/* True the first time that this state meets this value. */
static struct mln_result first_seen(struct kql_run *run, const void *state, const struct mln_json *v, bool *first)
{
    MLN_BUF_CLEANUP struct mln_buf key = MLN_BUF(KEY_MAX_BYTES);
    MLN_TRY(mln_buf_printf(&key, "%p ", state));
    MLN_TRY(kql_key(&key, v, 1));
    if (!run->distinct && !(run->distinct = mln_map_new(false)))
        return mln_fail(MLN_E_MEMORY, "no memory for distinct values");
    *first = !mln_map_get(run->distinct, mln_buf_str(&key));
    if (!*first)
        return MLN_OK;
    struct mln_str kept;
    MLN_TRY_STR(run->keep, kept, mln_str_dup(run->keep, mln_buf_str(&key)));
    return mln_map_put(run->distinct, kept, (union mln_map_value){.u = 1});
}

ADD(distinct_add)
{
    struct number_state *s = state;
    bool first;
    if (args[0].kind == MLN_JSON_NULL || !passes(expr, args, n))
        return MLN_OK;
    MLN_TRY(first_seen(run, state, args, &first));
    s->count += first;
    return MLN_OK;
}

enum { LIST, SET };

ADD(list_add)
{
    struct mln_json_array *s = state;
    bool wanted = args[0].kind != MLN_JSON_NULL;
    int64_t most = n > 1 && args[1].kind == MLN_JSON_INT ? args[1].i : LIST_MAX;
    if (wanted && expr->aggregate->variant == SET)
        MLN_TRY(first_seen(run, state, args, &wanted));
    if (!wanted || (int64_t)s->n >= most)
        return MLN_OK;
    struct mln_json kept;
    MLN_TRY(kql_plain(run->keep, args[0], &kept));
    MLN_TRY(kql_copy(run->keep, kept, &kept));
    return mln_json_append(run->keep, s, kept);
}

DONE(list_done)
{
    UNUSED;
    *out = mln_json_array_done(state);
    return MLN_OK;
}

struct percentile_state {
    MLN_VEC(double) values;
    double rank;
};

ADD(percentile_add)
{
    (void)expr, (void)n;
    struct percentile_state *s = state;
    s->rank = kql_is_number(args[1]) ? kql_number(args[1]) : 50;
    return kql_is_number(args[0]) ? mln_vec_push(run->keep, &s->values, kql_number(args[0])) : MLN_OK;
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

DONE(percentile_done) /* nearest rank */
{
    UNUSED;
    struct percentile_state *s = state;
    *out = kql_null();
    if (s->values.n == 0)
        return MLN_OK;
    qsort(s->values.at, s->values.n, sizeof(double), compare_doubles);
    double place = ceil(s->rank / 100 * (double)s->values.n) - 1;
    size_t at = place < 0 ? 0 : place >= (double)s->values.n ? s->values.n - 1 : (size_t)place;
    *out = mln_json_of_real(s->values.at[at]);
    return MLN_OK;
}

ADD(arg_add) /* arg_max and arg_min are read row by row in group.c */
{
    UNUSED;
    (void)state, (void)args, (void)n;
    return mln_fail(MLN_E_INTERNAL, "arg_max stands by itself");
}

DONE(arg_done)
{
    (void)run, (void)state, (void)out;
    return kql_wrong(expr->line, expr->position, "'%.*s' cannot be part of an expression", MLN_FMT(expr->name));
}

static const struct kql_aggregate aggregates[] = {
    {"arg_max", 2, 64, 1, arg_add, arg_done, "arg_max(x, column, ... or *): the row with the largest x", MAX},
    {"arg_min", 2, 64, 1, arg_add, arg_done, "arg_min(x, column, ... or *): the row with the smallest x", MIN},
    {"avg", 1, 1, sizeof(struct number_state), sum_add, average_done, "mean", PLAIN},
    {"avgif", 2, 2, sizeof(struct number_state), sum_add, average_done, "avgif(x, condition)", IF},
    {"count", 0, 0, sizeof(struct number_state), count_add, count_done, "number of rows", PLAIN},
    {"countif", 1, 1, sizeof(struct number_state), count_add, count_done, "countif(condition)", IF},
    {"dcount", 1, 2, sizeof(struct number_state), distinct_add, count_done, "number of distinct values, exact", PLAIN},
    {"dcountif", 2, 2, sizeof(struct number_state), distinct_add, count_done, "dcountif(x, condition)", IF},
    {"make_list", 1, 2, sizeof(struct mln_json_array), list_add, list_done, "make_list(x, [most])", LIST},
    {"make_set", 1, 2, sizeof(struct mln_json_array), list_add, list_done, "make_set(x, [most]): each value once", SET},
    {"max", 1, 1, sizeof(struct value_state), extreme_add, value_done, "largest", MAX},
    {"min", 1, 1, sizeof(struct value_state), extreme_add, value_done, "smallest", MIN},
    {"percentile", 2, 2, sizeof(struct percentile_state), percentile_add, percentile_done, "percentile(x, rank)",
     PLAIN},
    {"sum", 1, 1, sizeof(struct number_state), sum_add, sum_done, "sum", PLAIN},
    {"sumif", 2, 2, sizeof(struct number_state), sum_add, sum_done, "sumif(x, condition)", IF},
    {"take_any", 1, 1, sizeof(struct value_state), extreme_add, value_done, "any value", ANY},
    {"any", 1, 1, sizeof(struct value_state), extreme_add, value_done, "the same as take_any", ANY},
    {"makelist", 1, 2, sizeof(struct mln_json_array), list_add, list_done, "the same as make_list", LIST},
    {"makeset", 1, 2, sizeof(struct mln_json_array), list_add, list_done, "the same as make_set", SET},
};

const struct kql_aggregate *kql_aggregate_find(struct mln_str name)
{
    for (size_t i = 0; i < sizeof aggregates / sizeof *aggregates; i++)
        if (mln_str_eq_nocase(name, mln_str_c(aggregates[i].name)))
            return &aggregates[i];
    return NULL;
}

bool mln_kql_aggregate_at(size_t i, const char **name, const char **help)
{
    if (i >= sizeof aggregates / sizeof *aggregates)
        return false;
    *name = aggregates[i].name;
    *help = aggregates[i].help;
    return true;
}
