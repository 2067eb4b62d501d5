#include "expr/ops.h"

#include "base/bitset.h"
#include "expr/instant.h"

#include <math.h>

const char *mln_op_text(enum mln_operator op)
{
    static const char *const texts[] = {
#define O(name, operands, text) text,
        MLN_OPERATORS(O)
#undef O
    };
    return texts[op];
}

int mln_op_operands(enum mln_operator op)
{
    static const int operands_of[] = {
#define O(name, operands, text) operands,
        MLN_OPERATORS(O)
#undef O
    };
    return operands_of[op];
}

static mln_value overflow(struct mln_expr_run *run, enum mln_operator op)
{
    return mln_run_error(run, "integer overflow in %s", mln_op_text(op));
}

static mln_value arithmetic_i64(struct mln_expr_run *run, enum mln_operator op, int64_t a, int64_t b)
{
    int64_t r = 0;
    bool bad = false;
    if (op == MLN_OP_ADD)
        bad = __builtin_add_overflow(a, b, &r);
    else if (op == MLN_OP_SUBTRACT)
        bad = __builtin_sub_overflow(a, b, &r);
    else if (op == MLN_OP_MULTIPLY)
        bad = __builtin_mul_overflow(a, b, &r);
    else if (b == 0)
        return mln_run_error(run, op == MLN_OP_DIVIDE ? "division by zero" : "modulus by zero");
    else if (a == INT64_MIN && b == -1)
        bad = true;
    else
        r = op == MLN_OP_DIVIDE ? a / b : a % b;
    return bad ? overflow(run, op) : mln_value_int(r);
}

static mln_value arithmetic_u64(struct mln_expr_run *run, enum mln_operator op, uint64_t a, uint64_t b)
{
    uint64_t r = 0;
    bool bad = false;
    if (op == MLN_OP_ADD)
        bad = __builtin_add_overflow(a, b, &r);
    else if (op == MLN_OP_SUBTRACT)
        bad = __builtin_sub_overflow(a, b, &r);
    else if (op == MLN_OP_MULTIPLY)
        bad = __builtin_mul_overflow(a, b, &r);
    else if (b == 0)
        return mln_run_error(run, op == MLN_OP_DIVIDE ? "division by zero" : "modulus by zero");
    else
        r = op == MLN_OP_DIVIDE ? a / b : a % b;
    return bad ? overflow(run, op) : mln_value_uint(r);
}

static mln_value arithmetic_double(enum mln_operator op, double a, double b)
{
    if (op == MLN_OP_ADD)
        return mln_value_double(a + b);
    if (op == MLN_OP_SUBTRACT)
        return mln_value_double(a - b);
    return mln_value_double(op == MLN_OP_MULTIPLY ? a * b : a / b);
}

static mln_value concatenate(struct mln_expr_run *run, const mln_value *a, const mln_value *b)
{
    if ((uint64_t)a->n + b->n > UINT32_MAX)
        return mln_run_error(run, "the text would be too long");
    char *p = mln_run_alloc(run, (size_t)a->n + b->n, 1);
    if (!p)
        return mln_value_null();
    if (a->n)
        memcpy(p, a->string, a->n);
    if (b->n)
        memcpy(p + a->n, b->string, b->n);
    mln_run_charge_bytes(run, (size_t)a->n + b->n);
    return (mln_value){.kind = a->kind, .n = a->n + b->n, .string = p};
}

static mln_value join_lists(struct mln_expr_run *run, const mln_value *a, const mln_value *b)
{
    if (a->n == 0 || b->n == 0)
        return a->n == 0 ? *b : *a;
    if ((uint64_t)a->n + b->n > UINT32_MAX)
        return mln_run_error(run, "the list would be too long");
    mln_run_charge(run, (uint64_t)a->n + b->n);
    mln_value *items = mln_run_alloc(run, (size_t)a->n + b->n, sizeof *items);
    if (!items)
        return mln_value_null();
    memcpy(items, a->items, a->n * sizeof *items);
    memcpy(items + a->n, b->items, b->n * sizeof *items);
    return mln_value_list(items, (size_t)a->n + b->n);
}

/* Of times with durations and each other. False: not such a pair. */
static bool arithmetic_time(struct mln_expr_run *run, enum mln_operator op, const mln_value *a, const mln_value *b,
                            mln_value *out)
{
    bool add = op == MLN_OP_ADD;
    if (!add && op != MLN_OP_SUBTRACT)
        return false;
    if (a->kind == MLN_VALUE_DURATION && b->kind == MLN_VALUE_DURATION) {
        int64_t sum;
        bool bad = add ? __builtin_add_overflow(a->i, b->i, &sum) : __builtin_sub_overflow(a->i, b->i, &sum);
        *out = bad ? mln_run_error(run, "duration out of range") : mln_duration_value(sum);
    } else if (a->kind == MLN_VALUE_TIMESTAMP && b->kind == MLN_VALUE_DURATION) {
        *out = mln_timestamp_shift(run, a, b->i, !add);
    } else if (add && a->kind == MLN_VALUE_DURATION && b->kind == MLN_VALUE_TIMESTAMP) {
        *out = mln_timestamp_shift(run, b, a->i, false);
    } else if (!add && a->kind == MLN_VALUE_TIMESTAMP && b->kind == MLN_VALUE_TIMESTAMP) {
        *out = mln_timestamp_difference(run, a, b);
    } else {
        return false;
    }
    return true;
}

/* In rules, a text can be put together from what may be absent. */
static bool add_null_to_text(struct mln_expr_run *run, const mln_value *a, const mln_value *b, mln_value *out)
{
    const mln_value null_text = mln_value_string(MLN_S("null"));
    if (!run->lenient)
        return false;
    if (a->kind == MLN_JSON_STRING && b->kind == MLN_JSON_NULL)
        *out = concatenate(run, a, &null_text);
    else if (a->kind == MLN_JSON_NULL && b->kind == MLN_JSON_STRING)
        *out = concatenate(run, &null_text, b);
    else
        return false;
    return true;
}

static mln_value arithmetic(struct mln_expr_run *run, enum mln_operator op, const mln_value *v)
{
    mln_value out;
    if (v[0].kind == v[1].kind) {
        if (v[0].kind == MLN_JSON_INT)
            return arithmetic_i64(run, op, v[0].i, v[1].i);
        if (v[0].kind == MLN_JSON_UINT)
            return arithmetic_u64(run, op, v[0].u, v[1].u);
        if (v[0].kind == MLN_JSON_REAL && op != MLN_OP_MODULO)
            return arithmetic_double(op, v[0].real, v[1].real);
        if (op == MLN_OP_ADD && (v[0].kind == MLN_JSON_STRING || v[0].kind == MLN_VALUE_BYTES))
            return concatenate(run, &v[0], &v[1]);
        if (op == MLN_OP_ADD && v[0].kind == MLN_JSON_ARRAY)
            return join_lists(run, &v[0], &v[1]);
    }
    if (arithmetic_time(run, op, &v[0], &v[1], &out))
        return out;
    if (op == MLN_OP_ADD && add_null_to_text(run, &v[0], &v[1], &out))
        return out;
    return mln_run_no_overload(run, mln_op_text(op), v, 2);
}

static mln_value compare(struct mln_expr_run *run, enum mln_operator op, const mln_value *v)
{
    int order = 0;
    if (!mln_value_order(run, &v[0], &v[1], &order)) {
        if (order == 2 || (run->lenient && (v[0].kind == MLN_JSON_NULL || v[1].kind == MLN_JSON_NULL)))
            return mln_value_bool(false);
        return mln_run_no_overload(run, mln_op_text(op), v, 2);
    }
    if (op == MLN_OP_LESS)
        return mln_value_bool(order < 0);
    if (op == MLN_OP_LESS_EQUAL)
        return mln_value_bool(order <= 0);
    return mln_value_bool(op == MLN_OP_GREATER ? order > 0 : order >= 0);
}

static mln_value is_in(struct mln_expr_run *run, const mln_value *v)
{
    if (v[1].kind == MLN_JSON_ARRAY) {
        for (size_t i = 0; i < v[1].n && !mln_run_over(run); i++)
            if (mln_value_equal(run, &v[0], &v[1].items[i]))
                return mln_value_bool(true);
        return mln_value_bool(false);
    }
    if (mln_value_is_map(v[1].kind))
        return mln_value_bool(mln_value_lookup(run, &v[1], &v[0]) != NULL);
    if (run->lenient && v[1].kind == MLN_JSON_NULL)
        return mln_value_bool(false);
    return mln_run_no_overload(run, mln_op_text(MLN_OP_IN), v, 2);
}

static bool list_index(const mln_value *key, int64_t *index)
{
    if (key->kind == MLN_JSON_INT)
        *index = key->i;
    else if (key->kind == MLN_JSON_UINT)
        *index = key->u > INT64_MAX ? -1 : (int64_t)key->u;
    else if (key->kind == MLN_JSON_REAL && key->real >= 0 && key->real < 0x1p32 && floor(key->real) == key->real)
        *index = (int64_t)key->real;
    else
        return false;
    return true;
}

static mln_value no_such_key(struct mln_expr_run *run, const mln_value *key)
{
    if (run->lenient)
        return mln_value_null();
    if (key->kind == MLN_JSON_STRING)
        return mln_run_error(run, "no such key: '%.*s'", MLN_FMT(mln_str_sub(mln_value_str(*key), 0, 100)));
    return mln_run_error(run, "no such key");
}

/* The item of a list at an index or the value of a key of a map; NULL: it has none. *fits false: the operands are no such
   pair. */
static const mln_value *find_element(struct mln_expr_run *run, const mln_value *v, bool *fits)
{
    int64_t at;
    *fits = true;
    if (v[0].kind == MLN_JSON_ARRAY && list_index(&v[1], &at))
        return at >= 0 && at < v[0].n ? &v[0].items[at] : NULL;
    if (mln_value_is_map(v[0].kind))
        return mln_value_lookup(run, &v[0], &v[1]);
    *fits = run->lenient && v[0].kind == MLN_JSON_NULL;
    return NULL;
}

static mln_value element(struct mln_expr_run *run, const mln_value *v)
{
    bool fits;
    if (v[0].kind == MLN_VALUE_OPTIONAL)
        return mln_op(run, MLN_OP_OPTIONAL_INDEX, v);
    const mln_value *found = find_element(run, v, &fits);
    if (found)
        return *found;
    if (!fits)
        return mln_run_no_overload(run, mln_op_text(MLN_OP_INDEX), v, 2);
    int64_t at;
    if (run->lenient || v[0].kind != MLN_JSON_ARRAY || !list_index(&v[1], &at))
        return no_such_key(run, &v[1]);
    return mln_run_error(run, "index %lld is outside of the list's %u items", (long long)at, v[0].n);
}

/* The same, of the value of an optional where it is one; an optional. */
static mln_value optional_element(struct mln_expr_run *run, const mln_value *v)
{
    bool fits;
    if (v[0].kind == MLN_VALUE_OPTIONAL && v[0].n == 0)
        return v[0];
    const mln_value inner[] = {v[0].kind == MLN_VALUE_OPTIONAL ? *v[0].items : v[0], v[1]};
    const mln_value *found = find_element(run, inner, &fits);
    return fits ? mln_run_optional(run, found) : mln_run_no_overload(run, mln_op_text(MLN_OP_OPTIONAL_INDEX), v, 2);
}

static mln_value negate(struct mln_expr_run *run, const mln_value *v)
{
    if (v->kind == MLN_JSON_INT)
        return v->i == INT64_MIN ? overflow(run, MLN_OP_NEGATE) : mln_value_int(-v->i);
    if (v->kind == MLN_JSON_REAL)
        return mln_value_double(-v->real);
    return mln_run_no_overload(run, mln_op_text(MLN_OP_NEGATE), v, 1);
}

mln_value mln_op(struct mln_expr_run *run, enum mln_operator op, const mln_value *v)
{
    switch (op) {
    case MLN_OP_NOT:
        return v->kind == MLN_JSON_BOOL ? mln_value_bool(!v->boolean) : mln_run_no_overload(run, mln_op_text(op), v, 1);
    case MLN_OP_NEGATE:
        return negate(run, v);
    case MLN_OP_ADD:
    case MLN_OP_SUBTRACT:
    case MLN_OP_MULTIPLY:
    case MLN_OP_DIVIDE:
    case MLN_OP_MODULO:
        return arithmetic(run, op, v);
    case MLN_OP_EQUAL:
        return mln_value_bool(mln_value_equal(run, &v[0], &v[1]));
    case MLN_OP_NOT_EQUAL:
        return mln_value_bool(!mln_value_equal(run, &v[0], &v[1]));
    case MLN_OP_LESS:
    case MLN_OP_LESS_EQUAL:
    case MLN_OP_GREATER:
    case MLN_OP_GREATER_EQUAL:
        return compare(run, op, v);
    case MLN_OP_IN:
        return is_in(run, v);
    case MLN_OP_INDEX:
        return element(run, v);
    case MLN_OP_OPTIONAL_INDEX:
        return optional_element(run, v);
    case MLN_OPERATOR_COUNT:
        break;
    }
    return mln_value_error("unknown operator");
}

static mln_value no_member(struct mln_expr_run *run, const mln_value *object, const mln_value *name)
{
    return mln_run_error(run, "a value of type %s has no member '%.*s'", mln_value_type_name(object->kind),
                         MLN_FMT(mln_str_sub(mln_value_str(*name), 0, 100)));
}

mln_value mln_op_member(struct mln_expr_run *run, const mln_value *object, const mln_value *name)
{
    bool is_optional = object->kind == MLN_VALUE_OPTIONAL;
    if (is_optional && object->n == 0)
        return *object;
    const mln_value *inner = is_optional ? object->items : object;
    if (mln_value_is_map(inner->kind)) {
        const mln_value *found = mln_value_lookup(run, inner, name);
        if (is_optional)
            return mln_run_optional(run, found);
        return found ? *found : no_such_key(run, name);
    }
    return run->lenient && inner->kind == MLN_JSON_NULL ? *object : no_member(run, inner, name);
}

mln_value mln_op_has(struct mln_expr_run *run, const mln_value *object, const mln_value *name)
{
    if (object->kind == MLN_VALUE_OPTIONAL) {
        if (object->n == 0)
            return mln_value_bool(false);
        object = object->items;
    }
    if (mln_value_is_map(object->kind))
        return mln_value_bool(mln_value_lookup(run, object, name) != NULL);
    return run->lenient && object->kind == MLN_JSON_NULL ? mln_value_bool(false) : no_member(run, object, name);
}

/* ---- lists and maps ---- */

/* Puts what an optional holds in its own place. False: it holds nothing, or *failed. */
static bool unwrap(struct mln_expr_run *run, mln_value *v, mln_value *failed)
{
    if (v->kind != MLN_VALUE_OPTIONAL) {
        *failed = mln_run_error(run, "found %s behind '?', expected an optional", mln_value_type_name(v->kind));
        return false;
    }
    if (v->n)
        *v = *v->items;
    else
        return false;
    return true;
}

/* Leaves out the optional ones of n groups of cells (the last cell of a group is the value) that have no value. */
static mln_value keep_values(struct mln_expr_run *run, mln_value *cells, size_t width, size_t *n,
                             const uint64_t *optional)
{
    mln_value failed = mln_value_null();
    size_t kept = 0;
    for (size_t i = 0; i < *n; i++) {
        mln_value *group = &cells[i * width];
        if (mln_bitset_has(optional, i) && !unwrap(run, &group[width - 1], &failed)) {
            if (failed.kind == MLN_VALUE_ERROR)
                return failed;
            continue;
        }
        memmove(&cells[kept++ * width], group, width * sizeof *group);
    }
    *n = kept;
    return failed;
}

mln_value mln_op_list(struct mln_expr_run *run, mln_value *items, size_t n, const uint64_t *optional)
{
    mln_value failed = optional ? keep_values(run, items, 1, &n, optional) : mln_value_null();
    return failed.kind == MLN_VALUE_ERROR ? failed : mln_value_list(items, n);
}

mln_value mln_op_map(struct mln_expr_run *run, mln_value *v, size_t n, const uint64_t *optional)
{
    for (size_t i = 0; i < n; i++) {
        uint32_t kind = v[2 * i].kind;
        if (kind != MLN_JSON_BOOL && kind != MLN_JSON_INT && kind != MLN_JSON_UINT && kind != MLN_JSON_STRING)
            return mln_run_error(run, "a key of a map must be bool, int, uint or string, not %s",
                                 mln_value_type_name(kind));
    }
    mln_value failed = optional ? keep_values(run, v, 2, &n, optional) : mln_value_null();
    if (failed.kind == MLN_VALUE_ERROR)
        return failed;
    for (size_t i = 0; i < n && !mln_run_over(run); i++)
        for (size_t j = 0; j < i; j++)
            if (mln_value_equal(run, &v[2 * i], &v[2 * j]))
                return mln_run_error(run, "a key of a map is repeated");
    return mln_value_map(v, n);
}
