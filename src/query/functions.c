/*
 * Scalar functions and operators. One table: name, number of arguments, implementation, help. A function that is given
 * what it cannot use answers null, as Kusto does; only limits are failures.
 */
#include "query/functions.h"

#include <math.h>

enum { DAY_MS = 86400000 };

#define FUNCTION(name) static KQL_FUNCTION(name)

/* ---- comparison ---- */

enum { EQUAL, NOT_EQUAL, LESS, LESS_EQUAL, GREATER, GREATER_EQUAL };

FUNCTION(compare)
{
    UNUSED_RUN;
    int order = 0, how = expr->function->variant;
    bool comparable = kql_compare(args[0], args[1], &order);
    bool both_null = args[0].kind == MLN_JSON_NULL && args[1].kind == MLN_JSON_NULL;
    bool answer = false;
    if (how == EQUAL)
        answer = (comparable && order == 0) || both_null;
    else if (how == NOT_EQUAL)
        answer = !(comparable && order == 0) && !both_null;
    else if (comparable)
        answer = how == LESS ? order < 0 : how == LESS_EQUAL ? order <= 0 : how == GREATER ? order > 0 : order >= 0;
    *out = mln_json_of_bool(answer);
    return MLN_OK;
}

FUNCTION(equal_fold) /* =~ and !~ */
{
    UNUSED_RUN;
    int order = 0;
    bool same = args[0].kind == MLN_JSON_STRING && args[1].kind == MLN_JSON_STRING
                    ? mln_str_eq_nocase(kql_text_arg(args[0]), kql_text_arg(args[1]))
                    : kql_compare(args[0], args[1], &order) && order == 0;
    *out = mln_json_of_bool(same == (expr->function->variant == 0));
    return MLN_OK;
}

enum { NEGATED = 1, CASED = 2, CONTAINS = 4, HAS = 8, STARTS = 16, ENDS = 32, HASPREFIX = 64, HASSUFFIX = 128 };

static bool same_bytes(const char *a, const char *b, size_t n, bool cased)
{
    struct mln_str x = {a, n}, y = {b, n};
    return cased ? mln_str_eq(x, y) : mln_str_eq_nocase(x, y);
}

static bool is_term_byte(char c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || (unsigned char)c >= 0x80;
}

static bool text_test(struct mln_str s, struct mln_str what, int how)
{
    bool cased = how & CASED;
    if (what.n > s.n)
        return false;
    if (what.n == 0)
        return true;
    if (how & STARTS)
        return same_bytes(s.p, what.p, what.n, cased);
    if (how & ENDS)
        return same_bytes(s.p + s.n - what.n, what.p, what.n, cased);
    for (size_t i = 0; i + what.n <= s.n; i++) {
        if (!same_bytes(s.p + i, what.p, what.n, cased))
            continue;
        bool begins = i == 0 || !is_term_byte(s.p[i - 1]) || !is_term_byte(what.p[0]);
        bool ends = i + what.n == s.n || !is_term_byte(s.p[i + what.n]) || !is_term_byte(what.p[what.n - 1]);
        if ((how & CONTAINS) || ((begins || (how & HASSUFFIX)) && (ends || (how & HASPREFIX))))
            return true;
    }
    return false;
}

FUNCTION(text_operator)
{
    int how = expr->function->variant;
    struct mln_str s, what;
    (void)n;
    MLN_TRY(kql_text(run->scratch, args[0], &s));
    MLN_TRY(kql_text(run->scratch, args[1], &what));
    *out = mln_json_of_bool(text_test(s, what, how) == !(how & NEGATED));
    return MLN_OK;
}

FUNCTION(has_list) /* has_any: variant 0, has_all: 1 */
{
    bool all = expr->function->variant;
    struct mln_str s;
    MLN_TRY(kql_text(run->scratch, args[0], &s));
    const struct mln_json *list = &args[1];
    size_t count = n - 1;
    if (n == 2 && args[1].kind == MLN_JSON_ARRAY)
        list = args[1].items, count = args[1].n;
    bool answer = all;
    for (size_t i = 0; i < count && answer == all; i++)
        answer = text_test(s, kql_text_arg(list[i]), HAS);
    *out = mln_json_of_bool(answer);
    return MLN_OK;
}

FUNCTION(in_list) /* NEGATED for !in, CASED for in */
{
    (void)run;
    int how = expr->function->variant, order;
    const struct mln_json *list = &args[1];
    size_t count = n - 1;
    if (n == 2 && args[1].kind == MLN_JSON_ARRAY)
        list = args[1].items, count = args[1].n;
    bool found = false;
    for (size_t i = 0; i < count && !found; i++) {
        if (!(how & CASED) && args[0].kind == MLN_JSON_STRING && list[i].kind == MLN_JSON_STRING)
            found = mln_str_eq_nocase(kql_text_arg(args[0]), kql_text_arg(list[i]));
        else
            found = kql_compare(args[0], list[i], &order) && order == 0;
    }
    *out = mln_json_of_bool(found == !(how & NEGATED));
    return MLN_OK;
}

FUNCTION(between)
{
    UNUSED_RUN;
    int low, high;
    bool inside = kql_compare(args[0], args[1], &low) && kql_compare(args[0], args[2], &high) && low >= 0 && high <= 0;
    *out = mln_json_of_bool(inside == (expr->function->variant == 0));
    return MLN_OK;
}

FUNCTION(not_function)
{
    UNUSED_RUN;
    *out = args[0].kind == MLN_JSON_BOOL ? mln_json_of_bool(!args[0].boolean) : kql_null();
    return MLN_OK;
}

FUNCTION(lazy) /* and, or, iff, case: eval.c never comes here */
{
    UNUSED_RUN;
    (void)args, (void)out;
    return mln_fail(MLN_E_INTERNAL, "a lazy function was called");
}

/* ---- arithmetic ---- */

static bool span_arithmetic(char op, struct mln_json a, struct mln_json b, struct mln_json *out)
{
    bool da = a.kind == KQL_DATETIME, db = b.kind == KQL_DATETIME, sa = a.kind == KQL_TIMESPAN,
         sb = b.kind == KQL_TIMESPAN;
    int64_t value;
    if (op == '+' && ((da && sb) || (sa && db) || (sa && sb)) && !__builtin_add_overflow(a.i, b.i, &value))
        *out = da || db ? kql_date(value) : kql_span(value);
    else if (op == '-' && ((da && sb) || (da && db) || (sa && sb)) && !__builtin_sub_overflow(a.i, b.i, &value))
        *out = da && sb ? kql_date(value) : kql_span(value);
    else if (op == '/' && sa && sb && b.i)
        *out = mln_json_of_real((double)a.i / (double)b.i);
    else if (op == '*' && sa && kql_is_number(b) && fabs((double)a.i * kql_number(b)) < 9e15)
        *out = kql_span((int64_t)((double)a.i * kql_number(b)));
    else if (op == '*' && sb && kql_is_number(a) && fabs((double)b.i * kql_number(a)) < 9e15)
        *out = kql_span((int64_t)((double)b.i * kql_number(a)));
    else
        return false;
    return true;
}

FUNCTION(arithmetic)
{
    UNUSED_RUN;
    char op = (char)expr->function->variant;
    struct mln_json a = args[0], b = args[1];
    int64_t value = 0;
    *out = kql_null();
    if (!kql_is_number(a) || !kql_is_number(b)) {
        (void)span_arithmetic(op, a, b, out);
        return MLN_OK;
    }
    if (a.kind == MLN_JSON_INT && b.kind == MLN_JSON_INT) {
        bool good = op == '+'   ? !__builtin_add_overflow(a.i, b.i, &value)
                    : op == '-' ? !__builtin_sub_overflow(a.i, b.i, &value)
                    : op == '*' ? !__builtin_mul_overflow(a.i, b.i, &value)
                                : b.i != 0 && !(a.i == INT64_MIN && b.i == -1);
        if (good && (op == '/' || op == '%'))
            value = op == '/' ? a.i / b.i : a.i % b.i;
        if (good)
            *out = mln_json_of_i64(value);
        return MLN_OK;
    }
    double x = kql_number(a), y = kql_number(b);
    double result = op == '+' ? x + y : op == '-' ? x - y : op == '*' ? x * y : op == '/' ? x / y : fmod(x, y);
    if (isfinite(result))
        *out = mln_json_of_real(result);
    return MLN_OK;
}

FUNCTION(round_function)
{
    UNUSED_RUN;
    double digits = n > 1 && kql_is_number(args[1]) ? kql_number(args[1]) : 0, scale = pow(10, digits);
    *out = kql_null();
    if (kql_is_number(args[0]) && isfinite(scale) && scale > 0)
        *out = mln_json_of_real(round(kql_number(args[0]) * scale) / scale);
    return MLN_OK;
}

FUNCTION(whole_number) /* floor 'f', ceiling 'c', abs 'a' */
{
    UNUSED_RUN;
    double x = kql_number(args[0]);
    int how = expr->function->variant;
    *out = kql_null();
    if (args[0].kind == MLN_JSON_INT)
        *out = how == 'a' && args[0].i < 0 ? mln_json_of_i64(args[0].i == INT64_MIN ? INT64_MAX : -args[0].i) : args[0];
    else if (kql_is_number(args[0]))
        *out = mln_json_of_real(how == 'f' ? floor(x) : how == 'c' ? ceil(x) : fabs(x));
    return MLN_OK;
}

FUNCTION(bin)
{
    UNUSED_RUN;
    struct mln_json v = args[0], step = args[1];
    *out = kql_null();
    bool time = (v.kind == KQL_DATETIME || v.kind == KQL_TIMESPAN) && step.kind == KQL_TIMESPAN;
    if ((time || (v.kind == MLN_JSON_INT && step.kind == MLN_JSON_INT)) && step.i > 0) {
        int64_t rest = v.i % step.i;
        *out = v;
        out->i = v.i - (rest < 0 ? rest + step.i : rest);
    } else if (kql_is_number(v) && kql_is_number(step) && kql_number(step) > 0) {
        *out = mln_json_of_real(floor(kql_number(v) / kql_number(step)) * kql_number(step));
    }
    return MLN_OK;
}

/* ---- conversion ---- */

FUNCTION(to_string)
{
    UNUSED_RUN;
    struct mln_str s;
    MLN_TRY(kql_text(run->scratch, args[0], &s));
    *out = mln_json_of_str(s);
    return MLN_OK;
}

static bool text_number(struct mln_str s, double *out)
{
    char text[64], *end;
    s = mln_str_trim(s);
    if (s.n == 0 || s.n >= sizeof text)
        return false;
    memcpy(text, s.p, s.n);
    text[s.n] = '\0';
    *out = strtod(text, &end);
    return end == text + s.n && isfinite(*out);
}

FUNCTION(to_number) /* 'i': whole, 'd': real */
{
    UNUSED_RUN;
    struct mln_json v = args[0];
    double real = kql_number(v);
    bool whole = expr->function->variant == 'i';
    int64_t i;
    *out = kql_null();
    if (v.kind == MLN_JSON_BOOL)
        v = mln_json_of_i64(v.boolean), real = v.i ? 1 : 0;
    if (v.kind == MLN_JSON_STRING) {
        if (whole && mln_ok(mln_str_to_i64(mln_str_trim(kql_text_arg(v)), &i))) {
            *out = mln_json_of_i64(i);
            return MLN_OK;
        }
        if (!text_number(kql_text_arg(v), &real))
            return MLN_OK;
    } else if (!kql_is_number(v)) {
        return MLN_OK;
    }
    if (!whole)
        *out = mln_json_of_real(real);
    else if (v.kind == MLN_JSON_INT)
        *out = v;
    else if (real > -9.2e18 && real < 9.2e18)
        *out = mln_json_of_i64((int64_t)real);
    return MLN_OK;
}

FUNCTION(to_bool)
{
    UNUSED_RUN;
    *out = kql_null();
    if (args[0].kind == MLN_JSON_BOOL)
        *out = args[0];
    else if (kql_is_number(args[0]))
        *out = mln_json_of_bool(kql_number(args[0]) != 0);
    else if (mln_str_eq_nocase(kql_text_arg(args[0]), MLN_S("true")) ||
             mln_str_eq_nocase(kql_text_arg(args[0]), MLN_S("false")))
        *out = mln_json_of_bool(args[0].n == 4);
    return MLN_OK;
}

FUNCTION(to_datetime)
{
    (void)n, (void)expr;
    int64_t ms;
    struct mln_str s = kql_text_arg(args[0]);
    *out = kql_null();
    if (args[0].kind == KQL_DATETIME) {
        *out = args[0];
        return MLN_OK;
    }
    if (s.n == 10) /* a date alone */
        MLN_TRY_STR(run->scratch, s, mln_str_printf(run->scratch, "%.*sT00:00:00Z", MLN_FMT(s)));
    if (s.n && mln_ok(mln_time_parse(s, &ms)))
        *out = kql_date(ms);
    return MLN_OK;
}

FUNCTION(to_timespan)
{
    UNUSED_RUN;
    int64_t ms;
    *out = args[0].kind == KQL_TIMESPAN ? args[0] : kql_null();
    if (args[0].kind == MLN_JSON_STRING && mln_ok(kql_span_parse(kql_text_arg(args[0]), &ms)))
        *out = kql_span(ms);
    return MLN_OK;
}

FUNCTION(parse_json)
{
    UNUSED_RUN;
    const struct mln_json *tree;
    *out = args[0];
    if (args[0].kind == MLN_JSON_STRING && mln_ok(mln_json_parse(run->scratch, kql_text_arg(args[0]), 1 << 20, &tree)))
        *out = *tree;
    return MLN_OK;
}

FUNCTION(type_name)
{
    UNUSED_RUN;
    static const char *const names[] = {
        [MLN_JSON_NULL] = "null",   [MLN_JSON_BOOL] = "bool",         [MLN_JSON_INT] = "long",
        [MLN_JSON_UINT] = "long",   [MLN_JSON_REAL] = "double",       [MLN_JSON_STRING] = "string",
        [MLN_JSON_ARRAY] = "array", [MLN_JSON_OBJECT] = "dictionary", [KQL_DATETIME] = "datetime",
        [KQL_TIMESPAN] = "timespan"};
    *out = mln_json_of_str(mln_str_c(names[args[0].kind]));
    return MLN_OK;
}

/* ---- presence, dynamic values, time ---- */

FUNCTION(is_empty) /* 0 isempty, 1 isnotempty, 2 isnull, 3 isnotnull */
{
    UNUSED_RUN;
    int how = expr->function->variant;
    bool absent = args[0].kind == MLN_JSON_NULL || (how < 2 && args[0].kind == MLN_JSON_STRING && args[0].n == 0);
    *out = mln_json_of_bool(absent == !(how & 1));
    return MLN_OK;
}

FUNCTION(coalesce)
{
    UNUSED_RUN;
    *out = kql_null();
    for (size_t i = 0; i < n && (out->kind == MLN_JSON_NULL || (out->kind == MLN_JSON_STRING && out->n == 0)); i++)
        *out = args[i];
    return MLN_OK;
}

FUNCTION(array_length)
{
    UNUSED_RUN;
    *out = args[0].kind == MLN_JSON_ARRAY ? mln_json_of_i64(args[0].n) : kql_null();
    return MLN_OK;
}

FUNCTION(pack) /* bag_pack("name", value, ...) */
{
    (void)expr;
    struct mln_json_object object = {0};
    for (size_t i = 0; i + 1 < n; i += 2) {
        struct mln_json plain;
        MLN_TRY(kql_plain(run->scratch, args[i + 1], &plain));
        MLN_TRY(mln_json_add(run->scratch, &object, kql_text_arg(args[i]), plain));
    }
    *out = mln_json_object_done(&object);
    return MLN_OK;
}

FUNCTION(pack_array)
{
    (void)expr;
    struct mln_json_array array = {0};
    for (size_t i = 0; i < n; i++) {
        struct mln_json plain;
        MLN_TRY(kql_plain(run->scratch, args[i], &plain));
        MLN_TRY(mln_json_append(run->scratch, &array, plain));
    }
    *out = mln_json_array_done(&array);
    return MLN_OK;
}

FUNCTION(bag_keys)
{
    UNUSED_RUN;
    struct mln_json_array array = {0};
    for (uint32_t i = 0; args[0].kind == MLN_JSON_OBJECT && i < args[0].n; i++)
        MLN_TRY(mln_json_append(run->scratch, &array, mln_json_of_str(args[0].members[i].name)));
    *out = args[0].kind == MLN_JSON_OBJECT ? mln_json_array_done(&array) : kql_null();
    return MLN_OK;
}

FUNCTION(array_has) /* array_index_of 'i', set_has_element 'b' */
{
    UNUSED_RUN;
    int64_t at = -1;
    int order;
    for (uint32_t i = 0; args[0].kind == MLN_JSON_ARRAY && i < args[0].n && at < 0; i++)
        if (kql_compare(args[0].items[i], args[1], &order) && order == 0)
            at = i;
    *out = expr->function->variant == 'b' ? mln_json_of_bool(at >= 0) : mln_json_of_i64(at);
    return MLN_OK;
}

FUNCTION(now)
{
    UNUSED_RUN;
    int64_t offset = n && args[0].kind == KQL_TIMESPAN ? args[0].i : 0;
    *out = kql_date(run->now_ms + offset);
    return MLN_OK;
}

FUNCTION(ago)
{
    UNUSED_RUN;
    *out = args[0].kind == KQL_TIMESPAN ? kql_date(run->now_ms - args[0].i) : kql_null();
    return MLN_OK;
}

FUNCTION(start_of) /* 'd' day, 'w' week (from Sunday), 'm' month, 'y' year */
{
    UNUSED_RUN;
    *out = kql_null();
    if (args[0].kind != KQL_DATETIME)
        return MLN_OK;
    int64_t days = args[0].i / DAY_MS - (args[0].i % DAY_MS < 0), year;
    int month, day, how = expr->function->variant;
    mln_civil_from_days(days, &year, &month, &day);
    if (how == 'w')
        days -= ((days + 4) % 7 + 7) % 7; /* 1970-01-01 was a Thursday */
    else if (how != 'd')
        days = mln_days_from_civil(year, how == 'm' ? month : 1, 1);
    *out = kql_date(days * DAY_MS);
    return MLN_OK;
}

FUNCTION(datetime_diff)
{
    UNUSED_RUN;
    static const struct {
        struct mln_str unit;
        int64_t ms;
    } units[] = {{{"day", 3}, DAY_MS},
                 {{"hour", 4}, 3600000},
                 {{"minute", 6}, 60000},
                 {{"second", 6}, 1000},
                 {{"week", 4}, 7 * (int64_t)DAY_MS},
                 {{"millisecond", 11}, 1}};
    *out = kql_null();
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (mln_str_eq_nocase(units[i].unit, kql_text_arg(args[0])) && args[1].kind == KQL_DATETIME &&
            args[2].kind == KQL_DATETIME) /* boundaries crossed, as Kusto counts */
            *out = mln_json_of_i64(args[1].i / units[i].ms - args[2].i / units[i].ms);
    return MLN_OK;
}

#define COMPARISON(mark, how, help)                                                                                    \
    {                                                                                                                  \
        mark, 2, 2, compare, help, how, KQL_EAGER                                                                      \
    }
#define TEXT(mark, how, help)                                                                                          \
    {                                                                                                                  \
        mark, 2, 2, text_operator, help, how, KQL_EAGER                                                                \
    }

static const struct kql_function functions[] = {
    COMPARISON("==", EQUAL, "equal"),
    COMPARISON("!=", NOT_EQUAL, "not equal"),
    COMPARISON("<>", NOT_EQUAL, "not equal"),
    COMPARISON("<", LESS, "less"),
    COMPARISON("<=", LESS_EQUAL, "less or equal"),
    COMPARISON(">", GREATER, "greater"),
    COMPARISON(">=", GREATER_EQUAL, "greater or equal"),
    {"=~", 2, 2, equal_fold, "equal without case", 0, KQL_EAGER},
    {"!~", 2, 2, equal_fold, "not equal without case", 1, KQL_EAGER},
    TEXT("contains", CONTAINS, "contains, without case"),
    TEXT("!contains", CONTAINS | NEGATED, "does not contain, without case"),
    TEXT("contains_cs", CONTAINS | CASED, "contains, with case"),
    TEXT("!contains_cs", CONTAINS | CASED | NEGATED, "does not contain, with case"),
    TEXT("has", HAS, "has the term, without case"),
    TEXT("!has", HAS | NEGATED, "has not the term, without case"),
    TEXT("has_cs", HAS | CASED, "has the term, with case"),
    TEXT("!has_cs", HAS | CASED | NEGATED, "has not the term, with case"),
    TEXT("hasprefix", HASPREFIX, "a term begins so, without case"),
    TEXT("hassuffix", HASSUFFIX, "a term ends so, without case"),
    TEXT("startswith", STARTS, "begins with, without case"),
    TEXT("!startswith", STARTS | NEGATED, "does not begin with, without case"),
    TEXT("startswith_cs", STARTS | CASED, "begins with, with case"),
    TEXT("!startswith_cs", STARTS | CASED | NEGATED, "does not begin with, with case"),
    TEXT("endswith", ENDS, "ends with, without case"),
    TEXT("!endswith", ENDS | NEGATED, "does not end with, without case"),
    TEXT("endswith_cs", ENDS | CASED, "ends with, with case"),
    TEXT("!endswith_cs", ENDS | CASED | NEGATED, "does not end with, with case"),
    {"in", 1, KQL_MAX_ARGUMENTS, in_list, "in (a, b, ...): is one of", CASED, KQL_EAGER},
    {"!in", 1, KQL_MAX_ARGUMENTS, in_list, "is none of", CASED | NEGATED, KQL_EAGER},
    {"in~", 1, KQL_MAX_ARGUMENTS, in_list, "is one of, without case", 0, KQL_EAGER},
    {"!in~", 1, KQL_MAX_ARGUMENTS, in_list, "is none of, without case", NEGATED, KQL_EAGER},
    {"has_any", 1, KQL_MAX_ARGUMENTS, has_list, "has_any (a, b, ...): has one of the terms", 0, KQL_EAGER},
    {"has_all", 1, KQL_MAX_ARGUMENTS, has_list, "has all of the terms", 1, KQL_EAGER},
    {"between", 3, 3, between, "between (low .. high), both included", 0, KQL_EAGER},
    {"!between", 3, 3, between, "outside of low .. high", 1, KQL_EAGER},
    {"matches regex", 2, 2, kql_matches_regex, "a regular expression matches somewhere", 0, KQL_EAGER},
    {"and", 2, 2, lazy, "both", 0, KQL_LAZY_AND},
    {"or", 2, 2, lazy, "one of both", 0, KQL_LAZY_OR},
    {"not", 1, 1, not_function, "not(bool)", 0, KQL_EAGER},
    {"iff", 3, 3, lazy, "iff(if, then, else)", 0, KQL_LAZY_CASE},
    {"iif", 3, 3, lazy, "the same as iff", 0, KQL_LAZY_CASE},
    {"case", 3, KQL_MAX_ARGUMENTS - 1, lazy, "case(if, then, if, then, ..., else)", 0, KQL_LAZY_CASE},
    {"+", 2, 2, arithmetic, "sum; date + span", '+', KQL_EAGER},
    {"-", 2, 2, arithmetic, "difference; date - date is a span", '-', KQL_EAGER},
    {"*", 2, 2, arithmetic, "product", '*', KQL_EAGER},
    {"/", 2, 2, arithmetic, "quotient; of whole numbers a whole number", '/', KQL_EAGER},
    {"%", 2, 2, arithmetic, "remainder", '%', KQL_EAGER},
    {"abs", 1, 1, whole_number, "without sign", 'a', KQL_EAGER},
    {"ago", 1, 1, ago, "ago(span): that long before now", 0, KQL_EAGER},
    {"array_index_of", 2, 2, array_has, "array_index_of(array, value): its place or -1", 'i', KQL_EAGER},
    {"array_length", 1, 1, array_length, "number of items", 0, KQL_EAGER},
    {"bag_keys", 1, 1, bag_keys, "the names of an object's members", 0, KQL_EAGER},
    {"bag_pack", 0, KQL_MAX_ARGUMENTS, pack, "bag_pack(name, value, ...): an object", 0, KQL_EAGER},
    {"bin", 2, 2, bin, "bin(value, step): down to a multiple of step", 0, KQL_EAGER},
    {"ceiling", 1, 1, whole_number, "up to a whole number", 'c', KQL_EAGER},
    {"coalesce", 1, KQL_MAX_ARGUMENTS, coalesce, "the first that is neither null nor empty", 0, KQL_EAGER},
    {"datetime_diff", 3, 3, datetime_diff, "datetime_diff(unit, a, b)", 0, KQL_EAGER},
    {"extract", 3, 4, kql_extract, "extract(regex, group, text)", 0, KQL_EAGER},
    {"floor", 1, 2, whole_number, "down to a whole number", 'f', KQL_EAGER},
    {"gettype", 1, 1, type_name, "the name of a value's type", 0, KQL_EAGER},
    {"indexof", 2, 2, kql_index_of, "indexof(text, part): its place or -1", 0, KQL_EAGER},
    {"isempty", 1, 1, is_empty, "null or an empty text", 0, KQL_EAGER},
    {"isnotempty", 1, 1, is_empty, "neither null nor an empty text", 1, KQL_EAGER},
    {"isnotnull", 1, 1, is_empty, "not null", 3, KQL_EAGER},
    {"isnull", 1, 1, is_empty, "null", 2, KQL_EAGER},
    {"now", 0, 1, now, "now([span])", 0, KQL_EAGER},
    {"pack", 0, KQL_MAX_ARGUMENTS, pack, "the same as bag_pack", 0, KQL_EAGER},
    {"pack_array", 0, KQL_MAX_ARGUMENTS, pack_array, "an array of the arguments", 0, KQL_EAGER},
    {"parse_json", 1, 1, parse_json, "a dynamic value from JSON text", 0, KQL_EAGER},
    {"replace", 3, 3, kql_replace, "replace(regex, with, text)", 1, KQL_EAGER},
    {"replace_regex", 3, 3, kql_replace, "replace_regex(text, regex, with)", 1, KQL_EAGER},
    {"replace_string", 3, 3, kql_replace, "replace_string(text, what, with)", 0, KQL_EAGER},
    {"round", 1, 2, round_function, "round(number, digits)", 0, KQL_EAGER},
    {"set_has_element", 2, 2, array_has, "set_has_element(array, value)", 'b', KQL_EAGER},
    {"split", 2, 3, kql_split, "split(text, separator, [number])", 0, KQL_EAGER},
    {"startofday", 1, 1, start_of, "the day's first moment", 'd', KQL_EAGER},
    {"startofmonth", 1, 1, start_of, "the month's first moment", 'm', KQL_EAGER},
    {"startofweek", 1, 1, start_of, "the first moment of the week, from Sunday", 'w', KQL_EAGER},
    {"startofyear", 1, 1, start_of, "the year's first moment", 'y', KQL_EAGER},
    {"strcat", 1, KQL_MAX_ARGUMENTS, kql_concat, "texts joined", 0, KQL_EAGER},
    {"strcat_delim", 2, KQL_MAX_ARGUMENTS, kql_concat, "strcat_delim(between, text, ...)", 1, KQL_EAGER},
    {"strlen", 1, 1, kql_length, "length in characters", 0, KQL_EAGER},
    {"substring", 2, 3, kql_substring, "substring(text, from, [length])", 0, KQL_EAGER},
    {"tobool", 1, 1, to_bool, "as a bool", 0, KQL_EAGER},
    {"toboolean", 1, 1, to_bool, "as a bool", 0, KQL_EAGER},
    {"todatetime", 1, 1, to_datetime, "as a date", 0, KQL_EAGER},
    {"todouble", 1, 1, to_number, "as a real number", 'd', KQL_EAGER},
    {"todynamic", 1, 1, parse_json, "the same as parse_json", 0, KQL_EAGER},
    {"toint", 1, 1, to_number, "as a whole number", 'i', KQL_EAGER},
    {"tolong", 1, 1, to_number, "as a whole number", 'i', KQL_EAGER},
    {"tolower", 1, 1, kql_change_case, "in lower case (ASCII)", 'l', KQL_EAGER},
    {"toreal", 1, 1, to_number, "as a real number", 'd', KQL_EAGER},
    {"tostring", 1, 1, to_string, "as text", 0, KQL_EAGER},
    {"totimespan", 1, 1, to_timespan, "as a time span", 0, KQL_EAGER},
    {"toupper", 1, 1, kql_change_case, "in upper case (ASCII)", 'u', KQL_EAGER},
    {"trim", 2, 2, kql_trim, "trim(regex, text): both ends", 'b', KQL_EAGER},
    {"trim_end", 2, 2, kql_trim, "trim_end(regex, text)", 'e', KQL_EAGER},
    {"trim_start", 2, 2, kql_trim, "trim_start(regex, text)", 's', KQL_EAGER},
};

const struct kql_function *kql_function_find(struct mln_str name)
{
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++)
        if (mln_str_eq_nocase(name, mln_str_c(functions[i].name)))
            return &functions[i];
    return NULL;
}

bool mln_kql_function_at(size_t i, const char **name, const char **help)
{
    if (i >= sizeof functions / sizeof *functions)
        return false;
    *name = functions[i].name;
    *help = functions[i].help;
    return true;
}
