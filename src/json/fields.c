#include "json/fields.h"

#include "base/time.h"

#include <inttypes.h>

static struct mln_result wrong(const struct mln_field *field, const char *expected, const struct mln_json *json)
{
    return mln_fail(MLN_E_INVALID, "%s: must be %s, is %s", field->name, expected, mln_json_kind_name(json));
}

static struct mln_result read_word(const struct mln_field *field, const struct mln_json *json, int *out)
{
    int index = mln_word_index(field->words, mln_json_str(json, MLN_S("")));
    if (index < 0) {
        char words[256];
        size_t n = 0;
        words[0] = '\0';
        for (size_t i = 0; field->words[i] && n < sizeof words; i++)
            n += (size_t)snprintf(words + n, sizeof words - n, "%s%s", i ? ", " : "", field->words[i]);
        return mln_fail(MLN_E_INVALID, "%s: must be one of %s", field->name, words);
    }
    *out = index;
    return MLN_OK;
}

static struct mln_result read_real(const struct mln_field *field, const struct mln_json *json, double *out)
{
    if (json->kind == MLN_JSON_REAL)
        *out = json->real;
    else if (json->kind == MLN_JSON_INT)
        *out = (double)json->i;
    else if (json->kind == MLN_JSON_UINT)
        *out = (double)json->u;
    else
        return wrong(field, "a number", json);
    return MLN_OK;
}

static struct mln_result read_u32(const struct mln_field *field, const struct mln_json *json, uint32_t *out)
{
    int64_t value = mln_json_i64(json, -1);
    if (value < 0 || value > UINT32_MAX)
        return mln_fail(MLN_E_INVALID, "%s: must be a whole number from 0 to %" PRIu32, field->name, UINT32_MAX);
    *out = (uint32_t)value;
    return MLN_OK;
}

static struct mln_result read_time(const struct mln_field *field, const struct mln_json *json, int64_t *out)
{
    struct mln_result r = mln_time_parse(mln_json_str(json, MLN_S("")), out);
    return mln_ok(r) ? r : mln_fail_at((struct mln_result){MLN_E_INVALID}, "%s", field->name);
}

static struct mln_result read_field(const struct mln_field *field, const struct mln_json *json, void *at)
{
    switch (field->kind) {
    case MLN_FIELD_STR:
        if (json->kind != MLN_JSON_STRING)
            return wrong(field, "a string", json);
        *(struct mln_str *)at = mln_json_str(json, MLN_S(""));
        return MLN_OK;
    case MLN_FIELD_BOOL:
        if (json->kind != MLN_JSON_BOOL)
            return wrong(field, "true or false", json);
        *(bool *)at = json->boolean;
        return MLN_OK;
    case MLN_FIELD_I64:
        if (json->kind != MLN_JSON_INT)
            return wrong(field, "a whole number of 64 bits", json);
        *(int64_t *)at = json->i;
        return MLN_OK;
    case MLN_FIELD_U32:
        return read_u32(field, json, at);
    case MLN_FIELD_F64:
        return read_real(field, json, at);
    case MLN_FIELD_TIME:
        return json->kind == MLN_JSON_STRING ? read_time(field, json, at) : wrong(field, "a time as a string", json);
    case MLN_FIELD_ENUM:
        return json->kind == MLN_JSON_STRING ? read_word(field, json, at) : wrong(field, "a string", json);
    }
    return mln_fail(MLN_E_INTERNAL, "%s: unknown kind of field", field->name);
}

static struct mln_result refuse_unknown(const struct mln_json *json, const struct mln_field *fields, size_t n)
{
    for (size_t m = 0; m < json->n; m++) {
        bool known = false;
        for (size_t i = 0; i < n && !known; i++)
            known = mln_str_eq_nocase(mln_str_c(fields[i].name), json->members[m].name);
        if (!known)
            return mln_fail(MLN_E_INVALID, "%.*s: no such member", MLN_FMT(mln_str_sub(json->members[m].name, 0, 80)));
    }
    return MLN_OK;
}

struct mln_result mln_json_read_fields(const struct mln_json *json, const struct mln_field *fields, size_t n,
                                       enum mln_json_unknown unknown, void *out)
{
    if (!mln_json_is(json, MLN_JSON_OBJECT))
        return mln_fail(MLN_E_INVALID, "must be an object, is %s", mln_json_kind_name(json));
    if (unknown == MLN_JSON_UNKNOWN_REFUSED)
        MLN_TRY(refuse_unknown(json, fields, n));
    for (size_t i = 0; i < n; i++) {
        const struct mln_json *value = mln_json_get_nocase(json, mln_str_c(fields[i].name));
        if (value && (value->kind != MLN_JSON_NULL || fields[i].need == MLN_FIELD_REQUIRED))
            MLN_TRY(read_field(&fields[i], value, (char *)out + fields[i].offset));
        else if (fields[i].need == MLN_FIELD_REQUIRED)
            return mln_fail(MLN_E_INVALID, "%s: is required", fields[i].name);
    }
    return MLN_OK;
}

static void put_field(struct mln_json_writer *w, const struct mln_field *field, const void *at)
{
    switch (field->kind) {
    case MLN_FIELD_STR:
        mln_json_member_str(w, field->name, *(const struct mln_str *)at);
        break;
    case MLN_FIELD_BOOL:
        mln_json_member_bool(w, field->name, *(const bool *)at);
        break;
    case MLN_FIELD_I64:
        mln_json_member_i64(w, field->name, *(const int64_t *)at);
        break;
    case MLN_FIELD_U32:
        mln_json_member_i64(w, field->name, *(const uint32_t *)at);
        break;
    case MLN_FIELD_F64:
        mln_json_member_real(w, field->name, *(const double *)at);
        break;
    case MLN_FIELD_TIME:
        mln_json_member_time(w, field->name, *(const int64_t *)at);
        break;
    case MLN_FIELD_ENUM:
        mln_json_member_str(w, field->name, mln_str_c(field->words[*(const int *)at]));
        break;
    }
}

void mln_json_put_fields(struct mln_json_writer *w, const struct mln_field *fields, size_t n, const void *from)
{
    for (size_t i = 0; i < n; i++)
        put_field(w, &fields[i], (const char *)from + fields[i].offset);
}
