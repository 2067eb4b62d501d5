/* Values: comparing, ordering, texts, copies, grouping keys. */
#include "query/ast.h"

#include "base/buf.h"
#include "json/writer.h"

enum { TEXT_MAX_BYTES = 1 << 20, DAY_MS = 86400000 };

struct mln_json kql_null(void)
{
    return mln_json_null;
}

struct mln_json kql_span(int64_t ms)
{
    return (struct mln_json){.kind = KQL_TIMESPAN, .i = ms};
}

struct mln_json kql_date(int64_t ms)
{
    return (struct mln_json){.kind = KQL_DATETIME, .i = ms};
}

bool kql_truth(struct mln_json v)
{
    return v.kind == MLN_JSON_BOOL && v.boolean;
}

bool kql_is_number(struct mln_json v)
{
    return v.kind == MLN_JSON_INT || v.kind == MLN_JSON_UINT || v.kind == MLN_JSON_REAL;
}

double kql_number(struct mln_json v)
{
    switch (v.kind) {
    case MLN_JSON_INT:
        return (double)v.i;
    case MLN_JSON_UINT:
        return (double)v.u;
    case MLN_JSON_REAL:
        return v.real;
    default:
        return 0;
    }
}

static int sign_of(double a, double b)
{
    return (a > b) - (a < b);
}

static struct mln_str text_of(struct mln_json v)
{
    return (struct mln_str){v.string, v.n};
}

/* Both numbers, both dates, both spans, both texts or both bools. */
static bool order_alike(struct mln_json a, struct mln_json b, int *order)
{
    if (kql_is_number(a) && kql_is_number(b)) {
        *order = a.kind == MLN_JSON_INT && b.kind == MLN_JSON_INT ? (a.i > b.i) - (a.i < b.i)
                                                                  : sign_of(kql_number(a), kql_number(b));
        return true;
    }
    if (a.kind != b.kind)
        return false;
    if (a.kind == KQL_DATETIME || a.kind == KQL_TIMESPAN)
        *order = (a.i > b.i) - (a.i < b.i);
    else if (a.kind == MLN_JSON_STRING)
        *order = mln_str_cmp(text_of(a), text_of(b));
    else if (a.kind == MLN_JSON_BOOL)
        *order = a.boolean - b.boolean;
    else
        return false;
    return true;
}

bool kql_compare(struct mln_json a, struct mln_json b, int *order)
{
    /* A date beside a text: the text is read as a date, as Resource Graph does for dynamic fields. */
    int64_t ms;
    if (a.kind == KQL_DATETIME && b.kind == MLN_JSON_STRING && mln_ok(mln_time_parse(text_of(b), &ms)))
        b = kql_date(ms);
    else if (b.kind == KQL_DATETIME && a.kind == MLN_JSON_STRING && mln_ok(mln_time_parse(text_of(a), &ms)))
        a = kql_date(ms);
    /* A bool beside a number: as 0 and 1. */
    if (a.kind == MLN_JSON_BOOL && kql_is_number(b))
        a = mln_json_of_i64(a.boolean);
    else if (b.kind == MLN_JSON_BOOL && kql_is_number(a))
        b = mln_json_of_i64(b.boolean);
    if (order_alike(a, b, order))
        return true;
    if (a.kind == b.kind && (a.kind == MLN_JSON_ARRAY || a.kind == MLN_JSON_OBJECT)) {
        *order = mln_json_equal(&a, &b) ? 0 : 1;
        return true;
    }
    return false;
}

int kql_order(struct mln_json a, struct mln_json b)
{
    static const int8_t ranks[] = {
        [MLN_JSON_NULL] = 0, [MLN_JSON_BOOL] = 1, [MLN_JSON_INT] = 2,    [MLN_JSON_UINT] = 2,  [MLN_JSON_REAL] = 2,
        [KQL_DATETIME] = 3,  [KQL_TIMESPAN] = 4,  [MLN_JSON_STRING] = 5, [MLN_JSON_ARRAY] = 6, [MLN_JSON_OBJECT] = 7};
    int order = 0;
    if (order_alike(a, b, &order))
        return order;
    return ranks[a.kind] - ranks[b.kind];
}

static struct mln_result span_text(struct mln_arena *arena, int64_t ms, struct mln_str *out)
{
    uint64_t rest = ms < 0 ? 0 - (uint64_t)ms : (uint64_t)ms;
    char days[32] = "", fraction[16] = "";
    if (rest >= DAY_MS)
        snprintf(days, sizeof days, "%llu.", (unsigned long long)(rest / DAY_MS));
    if (rest % 1000)
        snprintf(fraction, sizeof fraction, ".%03u0000", (unsigned)(rest % 1000));
    MLN_TRY_STR(arena, *out,
                mln_str_printf(arena, "%s%s%02u:%02u:%02u%s", ms < 0 ? "-" : "", days, (unsigned)(rest / 3600000 % 24),
                               (unsigned)(rest / 60000 % 60), (unsigned)(rest / 1000 % 60), fraction));
    return MLN_OK;
}

struct mln_result kql_span_parse(struct mln_str text, int64_t *ms)
{
    struct mln_str rest = text, day, hour, minute, second;
    bool negative = mln_str_starts(rest, MLN_S("-"));
    if (negative)
        rest = mln_str_sub(rest, 1, rest.n);
    uint64_t d = 0, h = 0, m = 0, s = 0, f = 0;
    size_t dot = mln_str_find(rest, MLN_S("."), 0), colon = mln_str_find(rest, MLN_S(":"), 0);
    bool good = true;
    if (dot != SIZE_MAX && (colon == SIZE_MAX || dot < colon)) {
        good = mln_str_cut(&rest, '.', &day) && mln_ok(mln_str_to_u64(day, &d));
    } else if (colon == SIZE_MAX) { /* days alone */
        good = mln_ok(mln_str_to_u64(rest, &d));
        rest = MLN_S("0:0:0");
    }
    good = good && mln_str_cut(&rest, ':', &hour) && mln_ok(mln_str_to_u64(hour, &h)) &&
           mln_str_cut(&rest, ':', &minute) && mln_ok(mln_str_to_u64(minute, &m));
    if (good && mln_str_cut(&rest, '.', &second)) {
        good = mln_ok(mln_str_to_u64(second, &s));
        if (good && rest.p)
            good = mln_ok(mln_str_to_u64(mln_str_sub(rest, 0, 3), &f));
        for (size_t i = rest.n; i < 3 && rest.p; i++)
            f *= 10;
    }
    if (!good || d > 10000000 || h > 23 || m > 59 || s > 59)
        return mln_fail(MLN_E_INVALID, "'%.*s' is not a time span such as 1.02:03:04",
                        MLN_FMT(mln_str_sub(text, 0, 40)));
    int64_t total = (int64_t)(d * DAY_MS + h * 3600000 + m * 60000 + s * 1000 + f);
    *ms = negative ? -total : total;
    return MLN_OK;
}

struct mln_result kql_text(struct mln_arena *arena, struct mln_json v, struct mln_str *out)
{
    char when[MLN_TIME_TEXT];
    switch (v.kind) {
    case MLN_JSON_NULL:
        *out = MLN_S("");
        return MLN_OK;
    case MLN_JSON_STRING:
        *out = text_of(v);
        return MLN_OK;
    case MLN_JSON_BOOL:
        *out = v.boolean ? MLN_S("true") : MLN_S("false");
        return MLN_OK;
    case KQL_DATETIME:
        MLN_TRY_STR(arena, *out, mln_str_dup(arena, mln_time_text(v.i, when)));
        return MLN_OK;
    case KQL_TIMESPAN:
        return span_text(arena, v.i, out);
    default: {
        MLN_BUF_CLEANUP struct mln_buf json = MLN_BUF(TEXT_MAX_BYTES);
        MLN_TRY(mln_json_write(&json, &v, false));
        MLN_TRY_STR(arena, *out, mln_str_dup(arena, mln_buf_str(&json)));
        return MLN_OK;
    }
    }
}

static struct mln_result copy_deep(struct mln_arena *arena, const struct mln_json *v, struct mln_json *out, int depth)
{
    if (depth > MLN_JSON_MAX_DEPTH)
        return mln_fail(MLN_E_LIMIT, "a value nested more than %d deep", MLN_JSON_MAX_DEPTH);
    *out = *v;
    if (v->kind == MLN_JSON_STRING) {
        struct mln_str copy;
        MLN_TRY_STR(arena, copy, mln_str_dup(arena, text_of(*v)));
        out->string = copy.p;
    } else if (v->kind == MLN_JSON_ARRAY) {
        struct mln_json *items;
        MLN_TRY_ARRAY(arena, items, v->n);
        for (uint32_t i = 0; i < v->n; i++)
            MLN_TRY(copy_deep(arena, &v->items[i], &items[i], depth + 1));
        out->items = items;
    } else if (v->kind == MLN_JSON_OBJECT) {
        struct mln_json_member *members;
        MLN_TRY_ARRAY(arena, members, v->n);
        for (uint32_t i = 0; i < v->n; i++) {
            members[i] = v->members[i];
            MLN_TRY_STR(arena, members[i].name, mln_str_dup(arena, v->members[i].name));
            MLN_TRY(copy_deep(arena, &v->members[i].value, &members[i].value, depth + 1));
        }
        out->members = members;
    }
    return MLN_OK;
}

struct mln_result kql_copy(struct mln_arena *arena, struct mln_json v, struct mln_json *out)
{
    return copy_deep(arena, &v, out, 0);
}

struct mln_result kql_key(struct mln_buf *out, const struct mln_json *values, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct mln_json v = values[i];
        if (v.kind == MLN_JSON_UINT ||
            (v.kind == MLN_JSON_REAL && v.real >= -9e15 && v.real <= 9e15 && v.real == (double)(int64_t)v.real))
            v = v.kind == MLN_JSON_UINT ? mln_json_of_real((double)v.u) : mln_json_of_i64((int64_t)v.real);
        MLN_TRY(mln_buf_byte(out, (char)('A' + v.kind)));
        if (v.kind == KQL_DATETIME || v.kind == KQL_TIMESPAN)
            MLN_TRY(mln_buf_printf(out, "%lld", (long long)v.i));
        else if (v.kind == MLN_JSON_STRING)
            MLN_TRY(mln_buf_printf(out, "%u:", v.n)); /* the length keeps two texts apart, whatever bytes they hold */
        else if (v.kind != MLN_JSON_NULL)
            MLN_TRY(mln_json_write(out, &v, false));
        MLN_TRY(mln_buf_append(out, v.kind == MLN_JSON_STRING ? text_of(v) : MLN_S(";")));
    }
    return MLN_OK;
}

struct mln_result kql_plain(struct mln_arena *arena, struct mln_json v, struct mln_json *out)
{
    struct mln_str text;
    *out = v;
    if (v.kind != KQL_DATETIME && v.kind != KQL_TIMESPAN)
        return MLN_OK;
    MLN_TRY(kql_text(arena, v, &text));
    *out = mln_json_of_str(text);
    return MLN_OK;
}
