#include "expr/value.h"

#include "expr/address.h"
#include "expr/run.h"

#include <math.h>

static const char *const type_names[] = {
    [MLN_JSON_NULL] = "null_type",
    [MLN_JSON_BOOL] = "bool",
    [MLN_JSON_INT] = "int",
    [MLN_JSON_UINT] = "uint",
    [MLN_JSON_REAL] = "double",
    [MLN_JSON_STRING] = "string",
    [MLN_JSON_ARRAY] = "list",
    [MLN_JSON_OBJECT] = "map",
    [MLN_VALUE_BYTES] = "bytes",
    [MLN_VALUE_MAP] = "map",
    [MLN_VALUE_TIMESTAMP] = "google.protobuf.Timestamp",
    [MLN_VALUE_DURATION] = "google.protobuf.Duration",
    [MLN_VALUE_TYPE] = "type",
    [MLN_VALUE_OPTIONAL] = "optional_type",
    [MLN_VALUE_IP] = "net.IP",
    [MLN_VALUE_CIDR] = "net.CIDR",
    [MLN_VALUE_ERROR] = "error",
    [MLN_VALUE_DYN] = "dyn",
};

const char *mln_value_type_name(uint32_t kind)
{
    return kind <= MLN_VALUE_DYN ? type_names[kind] : "dyn";
}

bool mln_value_type_named(struct mln_str name, uint32_t *kind)
{
    for (uint32_t i = 0; i < MLN_VALUE_ERROR; i++)
        if (i != MLN_JSON_OBJECT && mln_str_eq(name, mln_str_c(type_names[i]))) {
            *kind = i;
            return true;
        }
    return false;
}

static int order_of(bool less, bool greater)
{
    return less ? -1 : greater;
}

static int order_i64_u64(int64_t i, uint64_t u)
{
    if (i < 0)
        return -1;
    return order_of((uint64_t)i<u, (uint64_t)i> u);
}

static double as_double(const mln_value *v)
{
    return v->kind == MLN_JSON_REAL ? v->real : v->kind == MLN_JSON_INT ? (double)v->i : (double)v->u;
}

/* 2: not ordered, one of them is NaN. Against a double the other one is made a double too, as the specification's test
   suite has it: 2^63 - 1 equals 2^63 as a double. */
static int order_numbers(const mln_value *a, const mln_value *b)
{
    if (a->kind == MLN_JSON_REAL || b->kind == MLN_JSON_REAL) {
        double x = as_double(a), y = as_double(b);
        return isnan(x) || isnan(y) ? 2 : order_of(x<y, x> y);
    }
    if (a->kind != b->kind)
        return a->kind == MLN_JSON_INT ? order_i64_u64(a->i, b->u) : -order_i64_u64(b->i, a->u);
    return a->kind == MLN_JSON_INT ? order_of(a->i<b->i, a->i> b->i) : order_of(a->u<b->u, a->u> b->u);
}

bool mln_value_order(struct mln_expr_run *run, const mln_value *a, const mln_value *b, int *order)
{
    if (mln_value_is_number(a->kind) && mln_value_is_number(b->kind)) {
        *order = order_numbers(a, b);
        return *order != 2;
    }
    if (a->kind != b->kind)
        return false;
    switch (a->kind) {
    case MLN_JSON_BOOL:
        *order = order_of(a->boolean<b->boolean, a->boolean> b->boolean);
        return true;
    case MLN_JSON_STRING:
    case MLN_VALUE_BYTES:
        mln_run_charge_bytes(run, a->n < b->n ? a->n : b->n);
        *order = mln_str_cmp(mln_value_str(*a), mln_value_str(*b));
        return true;
    case MLN_VALUE_TIMESTAMP:
        *order = a->i != b->i ? order_of(a->i < b->i, true) : order_of(a->n<b->n, a->n> b->n);
        return true;
    case MLN_VALUE_DURATION:
        *order = order_of(a->i<b->i, a->i> b->i);
        return true;
    default:
        return false;
    }
}

static bool lists_equal(struct mln_expr_run *run, const mln_value *a, const mln_value *b)
{
    if (a->n != b->n)
        return false;
    for (size_t i = 0; i < a->n && !mln_run_over(run); i++)
        if (!mln_value_equal(run, &a->items[i], &b->items[i]))
            return false;
    return true;
}

static bool maps_equal(struct mln_expr_run *run, const mln_value *a, const mln_value *b)
{
    if (a->n != b->n)
        return false;
    for (size_t i = 0; i < a->n && !mln_run_over(run); i++) {
        mln_value key = mln_value_map_key(a, i);
        const mln_value *other = mln_value_lookup(run, b, &key);
        if (!other || !mln_value_equal(run, mln_value_map_value(a, i), other))
            return false;
    }
    return true;
}

static bool containers_equal(struct mln_expr_run *run, const mln_value *a, const mln_value *b)
{
    if (!mln_run_enter(run))
        return false;
    bool equal = a->kind == MLN_JSON_ARRAY ? lists_equal(run, a, b)
                 : a->kind == MLN_VALUE_OPTIONAL
                     ? a->n == b->n && (a->n == 0 || mln_value_equal(run, a->items, b->items))
                     : maps_equal(run, a, b);
    mln_run_leave(run);
    return equal;
}

bool mln_value_equal(struct mln_expr_run *run, const mln_value *a, const mln_value *b)
{
    mln_run_charge(run, 1);
    if (mln_value_is_number(a->kind) && mln_value_is_number(b->kind))
        return order_numbers(a, b) == 0;
    if (mln_value_type_of(a->kind) != mln_value_type_of(b->kind))
        return false;
    switch (a->kind) {
    case MLN_JSON_NULL:
        return true;
    case MLN_JSON_BOOL:
        return a->boolean == b->boolean;
    case MLN_JSON_STRING:
    case MLN_VALUE_BYTES:
        mln_run_charge_bytes(run, a->n == b->n ? a->n : 0);
        return mln_str_eq(mln_value_str(*a), mln_value_str(*b));
    case MLN_JSON_ARRAY:
    case MLN_JSON_OBJECT:
    case MLN_VALUE_MAP:
    case MLN_VALUE_OPTIONAL:
        return containers_equal(run, a, b);
    case MLN_VALUE_TIMESTAMP:
        return a->i == b->i && a->n == b->n;
    case MLN_VALUE_IP:
    case MLN_VALUE_CIDR:
        return a->n == b->n && memcmp(a->string, b->string, MLN_ADDRESS_BYTES) == 0;
    default: /* durations, types */
        return a->i == b->i;
    }
}

static const mln_value *object_lookup(const mln_value *object, struct mln_str name)
{
    uint32_t n = object->n;
    const struct mln_json_member *m = object->members;
    for (uint32_t i = 0; i < n; i++)
        if (m[i].name.n == name.n && memcmp(m[i].name.p, name.p, name.n) == 0)
            return &m[i].value;
    return NULL;
}

const mln_value *mln_value_lookup(struct mln_expr_run *run, const mln_value *map, const mln_value *key)
{
    mln_run_charge(run, 1 + map->n / 16);
    if (map->kind == MLN_JSON_OBJECT)
        return key->kind == MLN_JSON_STRING && map->n ? object_lookup(map, mln_value_str(*key)) : NULL;
    for (size_t i = 0; i < map->n && !mln_run_over(run); i++)
        if (mln_value_equal(run, &map->items[2 * i], key))
            return &map->items[2 * i + 1];
    return NULL;
}

mln_value mln_value_map_key(const mln_value *map, size_t i)
{
    return map->kind == MLN_JSON_OBJECT ? mln_value_string(map->members[i].name) : map->items[2 * i];
}

const mln_value *mln_value_map_value(const mln_value *map, size_t i)
{
    return map->kind == MLN_JSON_OBJECT ? &map->members[i].value : &map->items[2 * i + 1];
}
