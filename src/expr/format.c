#include "expr/format.h"

#include "base/buf.h"
#include "expr/address.h"
#include "expr/instant.h"

#include <inttypes.h>
#include <math.h>

enum { PRECISION = 6, PRECISION_MOST = 100, TEXT_MOST = 16 << 20 };

/* ---- the format ---- */

/* ".3" behind a percent sign. */
static bool read_precision(struct mln_str format, size_t *at, int *precision, const char **wrong)
{
    *precision = PRECISION;
    if (*at >= format.n || format.p[*at] != '.')
        return true;
    size_t digits = 0;
    *precision = 0;
    for (++*at; *at < format.n && format.p[*at] >= '0' && format.p[*at] <= '9' && digits < 4; ++*at, digits++)
        *precision = *precision * 10 + (format.p[*at] - '0');
    if (digits > 0 && *precision <= PRECISION_MOST)
        return true;
    *wrong = "a precision is '.' and a number up to 100";
    return false;
}

bool mln_format_next(struct mln_str format, size_t *at, struct mln_str *plain, struct mln_format_clause *clause,
                     const char **wrong)
{
    size_t start = *at, i = start;
    *wrong = NULL;
    while (i < format.n && (format.p[i] != '%' || (i + 1 < format.n && format.p[i + 1] == '%')))
        i += format.p[i] == '%' ? 2 : 1;
    *plain = mln_str_sub(format, start, i);
    *at = i;
    if (i >= format.n)
        return false;
    ++*at;
    if (!read_precision(format, at, &clause->precision, wrong))
        return false;
    clause->letter = *at < format.n ? format.p[*at] : '\0';
    if (!clause->letter || !strchr("sdfexXob", clause->letter)) {
        *wrong = "'%' is followed by s, d, f, e, x, X, o, b or another '%'";
        return false;
    }
    ++*at;
    return true;
}

const char *mln_format_refuses(char letter, uint32_t kind)
{
    bool is_integer = kind == MLN_JSON_INT || kind == MLN_JSON_UINT;
    switch (letter) {
    case 's':
        return kind == MLN_VALUE_OPTIONAL ? "values that have a text" : NULL;
    case 'd':
    case 'f':
    case 'e':
        return mln_value_is_number(kind) ? NULL : "numbers";
    case 'b':
        return is_integer || kind == MLN_JSON_BOOL ? NULL : "integers and bools";
    case 'o':
        return is_integer ? NULL : "integers";
    default:
        return is_integer || kind == MLN_JSON_STRING || kind == MLN_VALUE_BYTES ? NULL : "integers, strings and bytes";
    }
}

/* ---- the values ---- */

static MLN_RESULT put_value(struct mln_expr_run *run, struct mln_buf *out, const mln_value *v);

/* In decimal notation, with the fewest digits that read back; zeros where those are not enough. */
static struct mln_result put_double(struct mln_buf *out, double d)
{
    char text[40], digits[24];
    int most = 0;
    if (isnan(d))
        return mln_buf_append(out, MLN_S("NaN"));
    if (isinf(d))
        return mln_buf_append(out, d < 0 ? MLN_S("-Infinity") : MLN_S("Infinity"));
    do /* "1.25e+02" */
        snprintf(text, sizeof text, "%.*e", most, fabs(d));
    while (strtod(text, NULL) != fabs(d) && ++most < 17);
    long point = strtol(strchr(text, 'e') + 1, NULL, 10) + 1, n = 0;
    for (const char *c = text; *c != 'e'; c++)
        if (*c != '.')
            digits[n++] = *c;
    if (signbit(d))
        MLN_TRY(mln_buf_byte(out, '-'));
    if (point <= 0)
        MLN_TRY(mln_buf_append(out, MLN_S("0.")));
    for (long i = point < 0 ? point : 0; i < n || i < point; i++) {
        if (i == point && point > 0)
            MLN_TRY(mln_buf_byte(out, '.'));
        MLN_TRY(mln_buf_byte(out, i >= 0 && i < n ? digits[i] : '0'));
    }
    return MLN_OK;
}

static struct mln_result put_bytes(struct mln_buf *out, struct mln_str bytes)
{
    if (!mln_str_is_utf8(bytes))
        return mln_fail(MLN_E_INVALID, "the bytes are not UTF-8");
    return mln_buf_append(out, bytes);
}

static struct mln_result put_list(struct mln_expr_run *run, struct mln_buf *out, const mln_value *list)
{
    MLN_TRY(mln_buf_byte(out, '['));
    for (size_t i = 0; i < list->n && !mln_run_over(run); i++) {
        if (i)
            MLN_TRY(mln_buf_append(out, MLN_S(", ")));
        MLN_TRY(put_value(run, out, &list->items[i]));
    }
    return mln_buf_byte(out, ']');
}

struct entry {
    struct mln_str key;
    const mln_value *value;
};

static int by_key(const void *a, const void *b)
{
    return mln_str_cmp(((const struct entry *)a)->key, ((const struct entry *)b)->key);
}

static struct mln_result key_text(struct mln_expr_run *run, const mln_value *key, struct mln_str *text)
{
    MLN_BUF_CLEANUP struct mln_buf out = MLN_BUF(TEXT_MOST);
    MLN_TRY(put_value(run, &out, key));
    *text = mln_value_str(mln_run_string(run, mln_buf_str(&out)));
    return MLN_OK;
}

/* In the order of the keys' texts. */
static struct mln_result put_map(struct mln_expr_run *run, struct mln_buf *out, const mln_value *map)
{
    struct entry *entries = mln_run_alloc(run, map->n, sizeof *entries);
    for (size_t i = 0; entries && i < map->n && !mln_run_over(run); i++) {
        mln_value key = mln_value_map_key(map, i);
        entries[i].value = mln_value_map_value(map, i);
        MLN_TRY(key_text(run, &key, &entries[i].key));
    }
    if (mln_run_over(run))
        return MLN_OK;
    qsort(entries, map->n, sizeof *entries, by_key);
    MLN_TRY(mln_buf_byte(out, '{'));
    for (size_t i = 0; i < map->n && !mln_run_over(run); i++) {
        MLN_TRY(mln_buf_append(out, i ? MLN_S(", ") : MLN_S("")));
        MLN_TRY(mln_buf_append(out, entries[i].key));
        MLN_TRY(mln_buf_append(out, MLN_S(": ")));
        MLN_TRY(put_value(run, out, entries[i].value));
    }
    return mln_buf_byte(out, '}');
}

static struct mln_result put_container(struct mln_expr_run *run, struct mln_buf *out, const mln_value *v)
{
    if (!mln_run_enter(run))
        return MLN_OK;
    struct mln_result r = v->kind == MLN_JSON_ARRAY ? put_list(run, out, v) : put_map(run, out, v);
    mln_run_leave(run);
    return r;
}

static struct mln_result put_address(struct mln_buf *out, const mln_value *v)
{
    char text[MLN_ADDRESS_TEXT];
    struct mln_address a = mln_address_of(v);
    return mln_buf_append(out, v->kind == MLN_VALUE_IP ? mln_address_text(&a, text) : mln_network_text(&a, text));
}

static struct mln_result put_value(struct mln_expr_run *run, struct mln_buf *out, const mln_value *v)
{
    char text[MLN_INSTANT_TEXT];
    mln_run_charge(run, 1);
    switch (v->kind) {
    case MLN_JSON_NULL:
        return mln_buf_append(out, MLN_S("null"));
    case MLN_JSON_BOOL:
        return mln_buf_append(out, v->boolean ? MLN_S("true") : MLN_S("false"));
    case MLN_JSON_INT:
        return mln_buf_printf(out, "%" PRId64, v->i);
    case MLN_JSON_UINT:
        return mln_buf_printf(out, "%" PRIu64, v->u);
    case MLN_JSON_REAL:
        return put_double(out, v->real);
    case MLN_JSON_STRING:
        mln_run_charge_bytes(run, v->n);
        return mln_buf_append(out, mln_value_str(*v));
    case MLN_VALUE_BYTES:
        mln_run_charge_bytes(run, v->n);
        return put_bytes(out, mln_value_str(*v));
    case MLN_VALUE_TIMESTAMP:
        return mln_buf_append(out, mln_timestamp_text(v, text));
    case MLN_VALUE_DURATION:
        return mln_buf_append(out, mln_duration_text(v->i, text));
    case MLN_VALUE_TYPE:
        return mln_buf_append(out, mln_str_c(mln_value_type_name((uint32_t)v->i)));
    case MLN_JSON_ARRAY:
    case MLN_JSON_OBJECT:
    case MLN_VALUE_MAP:
        return put_container(run, out, v);
    case MLN_VALUE_IP:
    case MLN_VALUE_CIDR:
        return put_address(out, v);
    default:
        return mln_fail(MLN_E_INVALID, "found %s, which has no text", mln_value_type_name(v->kind));
    }
}

/* ---- the clauses ---- */

/* The size and sign of an integer or bool. */
static uint64_t size_of(const mln_value *v, bool *negative)
{
    *negative = v->kind == MLN_JSON_INT && v->i < 0;
    if (v->kind == MLN_JSON_BOOL)
        return v->boolean;
    return *negative ? 0 - v->u : v->u;
}

static struct mln_result put_in_base(struct mln_buf *out, const mln_value *v, unsigned bits, bool capitals)
{
    const char *digits = capitals ? "0123456789ABCDEF" : "0123456789abcdef";
    char text[65];
    size_t n = sizeof text;
    bool negative;
    uint64_t size = size_of(v, &negative);
    do
        text[--n] = digits[size & ((1u << bits) - 1)];
    while ((size >>= bits) != 0);
    if (negative)
        text[--n] = '-';
    return mln_buf_append(out, (struct mln_str){text + n, sizeof text - n});
}

static struct mln_result put_hex(struct mln_expr_run *run, struct mln_buf *out, const mln_value *v, bool capitals)
{
    if (v->kind != MLN_JSON_STRING && v->kind != MLN_VALUE_BYTES)
        return put_in_base(out, v, 4, capitals);
    mln_run_charge_bytes(run, v->n);
    for (size_t i = 0; i < v->n; i++)
        MLN_TRY(mln_buf_printf(out, capitals ? "%02X" : "%02x", (unsigned char)v->string[i]));
    return MLN_OK;
}

static struct mln_result put_real(struct mln_buf *out, const mln_value *v, char letter, int precision)
{
    double d = v->kind == MLN_JSON_REAL ? v->real : v->kind == MLN_JSON_INT ? (double)v->i : (double)v->u;
    if (!isfinite(d))
        return put_double(out, d);
    return letter == 'f' ? mln_buf_printf(out, "%.*f", precision, d) : mln_buf_printf(out, "%.*e", precision, d);
}

static struct mln_result put_clause(struct mln_expr_run *run, struct mln_buf *out, struct mln_format_clause clause,
                                    const mln_value *v)
{
    const char *expected = mln_format_refuses(clause.letter, v->kind);
    if (expected)
        return mln_fail(MLN_E_INVALID, "found %s, %%%c takes %s", mln_value_type_name(v->kind), clause.letter,
                        expected);
    switch (clause.letter) {
    case 'f':
    case 'e':
        return put_real(out, v, clause.letter, clause.precision);
    case 'x':
    case 'X':
        return put_hex(run, out, v, clause.letter == 'X');
    case 'o':
        return put_in_base(out, v, 3, false);
    case 'b':
        return put_in_base(out, v, 1, false);
    default:
        return put_value(run, out, v);
    }
}

static struct mln_result put_plain(struct mln_buf *out, struct mln_str plain)
{
    for (size_t at = 0; at < plain.n;) {
        size_t percent = mln_str_find(plain, MLN_S("%%"), at), end = percent == SIZE_MAX ? plain.n : percent + 1;
        MLN_TRY(mln_buf_append(out, mln_str_sub(plain, at, end)));
        at = percent == SIZE_MAX ? plain.n : percent + 2;
    }
    return MLN_OK;
}

static struct mln_result fill_in(struct mln_expr_run *run, struct mln_buf *out, struct mln_str format,
                                 const mln_value *args, size_t n)
{
    struct mln_str plain;
    struct mln_format_clause clause;
    const char *wrong;
    size_t at = 0, used = 0;
    while (mln_format_next(format, &at, &plain, &clause, &wrong)) {
        MLN_TRY(put_plain(out, plain));
        if (used >= n)
            return mln_fail(MLN_E_INVALID, "the list has %zu items, the format takes more", n);
        if (mln_run_over(run))
            return MLN_OK;
        MLN_TRY(put_clause(run, out, clause, &args[used++]));
    }
    return wrong ? mln_fail(MLN_E_INVALID, "%s", wrong) : put_plain(out, plain);
}

mln_value mln_format(struct mln_expr_run *run, struct mln_str format, const mln_value *args, size_t n)
{
    MLN_BUF_CLEANUP struct mln_buf out = MLN_BUF(TEXT_MOST);
    mln_run_charge_bytes(run, format.n);
    if (!mln_ok(fill_in(run, &out, format, args, n)))
        return mln_run_error(run, "format(): %s", mln_error_text());
    mln_run_charge_bytes(run, out.n);
    return mln_run_string(run, mln_buf_str(&out));
}
