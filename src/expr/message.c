#include "expr/message.h"

#include "expr/instant.h"
#include "expr/signature.h"

#include <math.h>

#define PROTO "google.protobuf."

static mln_value as_it_is(struct mln_expr_run *run, const mln_value *args)
{
    (void)run;
    return *args;
}

static mln_value null_of(struct mln_expr_run *run, const mln_value *args)
{
    (void)run, (void)args;
    return mln_value_null();
}

static mln_value float_of(struct mln_expr_run *run, const mln_value *args)
{
    (void)run;
    return mln_value_double(isfinite(args->real) ? (double)(float)args->real : args->real);
}

static mln_value int32_of(struct mln_expr_run *run, const mln_value *args)
{
    return args->i < INT32_MIN || args->i > INT32_MAX ? mln_run_error(run, "Int32Value: out of range") : *args;
}

static mln_value uint32_of(struct mln_expr_run *run, const mln_value *args)
{
    return args->u > UINT32_MAX ? mln_run_error(run, "UInt32Value: out of range") : *args;
}

static mln_value timestamp_of(struct mln_expr_run *run, const mln_value *args)
{
    if (args[1].i < 0 || args[1].i > 999999999)
        return mln_run_error(run, "Timestamp: nanos out of range");
    return mln_timestamp_value(run, args[0].i, (uint32_t)args[1].i);
}

static mln_value duration_of(struct mln_expr_run *run, const mln_value *args)
{
    int64_t total;
    if (__builtin_mul_overflow(args[0].i, INT64_C(1000000000), &total) ||
        __builtin_add_overflow(total, args[1].i, &total))
        return mln_run_error(run, "Duration: out of range");
    return mln_duration_value(total);
}

#define MESSAGE(name, args, result, function, fields, empty)                                                           \
    {                                                                                                                  \
        {PROTO name, MLN_FUNCTION_GLOBAL, {args, result}, 0, function, "a message"}, fields, empty                     \
    }
#define FIELDS(...)                                                                                                    \
    {                                                                                                                  \
        __VA_ARGS__                                                                                                    \
    }
#define EMPTY(...)                                                                                                     \
    {                                                                                                                  \
        __VA_ARGS__                                                                                                    \
    }

const struct mln_message mln_messages[] = {
    MESSAGE("BoolValue", ARGS(BOOL), BOOL, as_it_is, FIELDS("value"), EMPTY(.kind = MLN_JSON_BOOL)),
    MESSAGE("BytesValue", ARGS(BYTES), BYTES, as_it_is, FIELDS("value"), EMPTY(.kind = MLN_VALUE_BYTES)),
    MESSAGE("DoubleValue", ARGS(DOUBLE), DOUBLE, as_it_is, FIELDS("value"), EMPTY(.kind = MLN_JSON_REAL)),
    MESSAGE("FloatValue", ARGS(DOUBLE), DOUBLE, float_of, FIELDS("value"), EMPTY(.kind = MLN_JSON_REAL)),
    MESSAGE("Int32Value", ARGS(INT), INT, int32_of, FIELDS("value"), EMPTY(.kind = MLN_JSON_INT)),
    MESSAGE("Int64Value", ARGS(INT), INT, as_it_is, FIELDS("value"), EMPTY(.kind = MLN_JSON_INT)),
    MESSAGE("StringValue", ARGS(STRING), STRING, as_it_is, FIELDS("value"), EMPTY(.kind = MLN_JSON_STRING)),
    MESSAGE("UInt32Value", ARGS(UINT), UINT, uint32_of, FIELDS("value"), EMPTY(.kind = MLN_JSON_UINT)),
    MESSAGE("UInt64Value", ARGS(UINT), UINT, as_it_is, FIELDS("value"), EMPTY(.kind = MLN_JSON_UINT)),
    MESSAGE("Value", ARGS(INT), ANY, null_of, FIELDS("null_value"), EMPTY(.kind = MLN_JSON_NULL)),
    MESSAGE("Value", ARGS(DOUBLE), ANY, as_it_is, FIELDS("number_value"), EMPTY(.kind = MLN_JSON_NULL)),
    MESSAGE("Value", ARGS(STRING), ANY, as_it_is, FIELDS("string_value"), EMPTY(.kind = MLN_JSON_NULL)),
    MESSAGE("Value", ARGS(BOOL), ANY, as_it_is, FIELDS("bool_value"), EMPTY(.kind = MLN_JSON_NULL)),
    MESSAGE("Value", ARGS(MAP_OF(STRING, ANY)), ANY, as_it_is, FIELDS("struct_value"), EMPTY(.kind = MLN_JSON_NULL)),
    MESSAGE("Value", ARGS(LIST), ANY, as_it_is, FIELDS("list_value"), EMPTY(.kind = MLN_JSON_NULL)),
    MESSAGE("Struct", ARGS(MAP_OF(STRING, ANY)), MAP_OF(STRING, ANY), as_it_is, FIELDS("fields"),
            EMPTY(.kind = MLN_VALUE_MAP)),
    MESSAGE("ListValue", ARGS(LIST), LIST, as_it_is, FIELDS("values"), EMPTY(.kind = MLN_JSON_ARRAY)),
    MESSAGE("Timestamp", ARGS(INT, INT), TIME, timestamp_of, FIELDS("seconds", "nanos"),
            EMPTY(.kind = MLN_VALUE_TIMESTAMP)),
    MESSAGE("Duration", ARGS(INT, INT), DURATION, duration_of, FIELDS("seconds", "nanos"),
            EMPTY(.kind = MLN_VALUE_DURATION)),
};
const size_t mln_n_messages = sizeof mln_messages / sizeof mln_messages[0];

bool mln_message_constant(struct mln_str name, mln_value *value)
{
    *value = mln_value_int(0);
    return mln_str_eq(name, MLN_S(PROTO "NullValue.NULL_VALUE"));
}
