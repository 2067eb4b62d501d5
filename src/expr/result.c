#include "expr/result.h"

#include "base/base64.h"
#include "expr/address.h"
#include "expr/instant.h"

#include <math.h>

static MLN_RESULT convert(struct mln_arena *arena, const mln_value *v, mln_value *out);

static struct mln_result text(struct mln_arena *arena, struct mln_str s, mln_value *out)
{
    MLN_TRY_STR(arena, s, mln_str_dup(arena, s));
    *out = mln_value_string(s);
    return MLN_OK;
}

static struct mln_result base64(struct mln_arena *arena, struct mln_str bytes, mln_value *out)
{
    char *p;
    size_t n = mln_base64_chars(MLN_BASE64, bytes.n);
    MLN_TRY_ARRAY(arena, p, n);
    mln_base64_write(MLN_BASE64, bytes, p);
    *out = mln_value_string((struct mln_str){p, n});
    return MLN_OK;
}

static struct mln_result address(struct mln_arena *arena, const mln_value *v, mln_value *out)
{
    char buffer[MLN_ADDRESS_TEXT];
    struct mln_address a = mln_address_of(v);
    return text(arena, v->kind == MLN_VALUE_IP ? mln_address_text(&a, buffer) : mln_network_text(&a, buffer), out);
}

static struct mln_result key_text(struct mln_arena *arena, const mln_value *key, struct mln_str *out)
{
    if (key->kind == MLN_JSON_STRING)
        MLN_TRY_STR(arena, *out, mln_str_dup(arena, mln_value_str(*key)));
    else if (key->kind == MLN_JSON_BOOL)
        *out = key->boolean ? MLN_S("true") : MLN_S("false");
    else if (key->kind == MLN_JSON_UINT)
        MLN_TRY_STR(arena, *out, mln_str_printf(arena, "%llu", (unsigned long long)key->u));
    else
        MLN_TRY_STR(arena, *out, mln_str_printf(arena, "%lld", (long long)key->i));
    return MLN_OK;
}

static struct mln_result list(struct mln_arena *arena, const mln_value *v, mln_value *out)
{
    mln_value *items;
    MLN_TRY_ARRAY(arena, items, v->n);
    for (size_t i = 0; i < v->n; i++)
        MLN_TRY(convert(arena, &v->items[i], &items[i]));
    *out = mln_value_list(items, v->n);
    return MLN_OK;
}

static struct mln_result map(struct mln_arena *arena, const mln_value *v, mln_value *out)
{
    struct mln_json_object object = {0};
    for (size_t i = 0; i < v->n; i++) {
        mln_value key = mln_value_map_key(v, i), value;
        struct mln_str name;
        MLN_TRY(key_text(arena, &key, &name));
        MLN_TRY(convert(arena, mln_value_map_value(v, i), &value));
        MLN_TRY(mln_json_add(arena, &object, name, value));
    }
    *out = mln_json_object_done(&object);
    return MLN_OK;
}

static struct mln_result convert(struct mln_arena *arena, const mln_value *v, mln_value *out)
{
    char buffer[MLN_INSTANT_TEXT];
    *out = *v;
    switch (v->kind) {
    case MLN_JSON_REAL:
        if (isfinite(v->real))
            return MLN_OK;
        *out = mln_value_string(isnan(v->real) ? MLN_S("NaN") : v->real < 0 ? MLN_S("-Infinity") : MLN_S("Infinity"));
        return MLN_OK;
    case MLN_JSON_UINT:
        if (v->u <= INT64_MAX)
            *out = mln_json_of_i64((int64_t)v->u);
        return MLN_OK;
    case MLN_JSON_STRING:
        return text(arena, mln_value_str(*v), out);
    case MLN_JSON_ARRAY:
        return list(arena, v, out);
    case MLN_JSON_OBJECT:
    case MLN_VALUE_MAP:
        return map(arena, v, out);
    case MLN_VALUE_OPTIONAL:
        *out = mln_value_null();
        return v->n ? convert(arena, v->items, out) : MLN_OK;
    case MLN_VALUE_IP:
    case MLN_VALUE_CIDR:
        return address(arena, v, out);
    case MLN_VALUE_BYTES:
        return base64(arena, mln_value_str(*v), out);
    case MLN_VALUE_TIMESTAMP:
        return text(arena, mln_timestamp_text(v, buffer), out);
    case MLN_VALUE_DURATION:
        return text(arena, mln_duration_text(v->i, buffer), out);
    case MLN_VALUE_TYPE:
        *out = mln_value_string(mln_str_c(mln_value_type_name((uint32_t)v->i)));
        return MLN_OK;
    default:
        return MLN_OK;
    }
}

struct mln_result mln_value_to_json(struct mln_arena *arena, const mln_value *v, const struct mln_json **out)
{
    struct mln_json *copy;
    MLN_TRY_NEW(arena, copy);
    MLN_TRY(convert(arena, v, copy));
    *out = copy;
    return MLN_OK;
}
