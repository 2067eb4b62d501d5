/*
 * Values while a program runs. A value is a JSON node: what the document holds is used where it lies, without a copy, and
 * kinds above those of JSON exist only inside this room. 16 bytes; what a value points at belongs to the document, the
 * program or the run.
 */
#ifndef MLN_EXPR_VALUE_H
#define MLN_EXPR_VALUE_H

#include "json/json.h"

typedef struct mln_json mln_value;

struct mln_expr_run;

/* Beside enum mln_json_kind: INT, UINT and REAL are CEL's int, uint and double, ARRAY a list, OBJECT a map of the
   document. */
enum mln_value_kind {
    MLN_VALUE_BYTES = MLN_JSON_OBJECT + 1, /* string, n */
    MLN_VALUE_MAP,                         /* n pairs: items[2 i] the key, items[2 i + 1] the value */
    MLN_VALUE_TIMESTAMP,                   /* i: seconds since 1970, n: nanoseconds of the second */
    MLN_VALUE_DURATION,                    /* i: nanoseconds */
    MLN_VALUE_TYPE,                        /* i: enum mln_value_kind or mln_json_kind of its values */
    MLN_VALUE_OPTIONAL,                    /* n 0: none; n 1: items, the value in it */
    MLN_VALUE_IP,                          /* n: 4 or 6; string: 16 bytes (address.h) */
    MLN_VALUE_CIDR,                        /* n: 4 or 6, and 256 times the bits of the prefix; string: 16 bytes */
    MLN_VALUE_ERROR, /* string: the text, NUL-terminated; n: its place in the source + 1, 0 unknown */
    MLN_VALUE_KINDS,
    MLN_VALUE_DYN = MLN_VALUE_KINDS /* a static type only: not known before the program runs */
};

static inline mln_value mln_value_null(void)
{
    return (mln_value){.kind = MLN_JSON_NULL};
}
static inline mln_value mln_value_bool(bool b)
{
    return (mln_value){.kind = MLN_JSON_BOOL, .boolean = b};
}
static inline mln_value mln_value_int(int64_t i)
{
    return (mln_value){.kind = MLN_JSON_INT, .i = i};
}
static inline mln_value mln_value_uint(uint64_t u)
{
    return (mln_value){.kind = MLN_JSON_UINT, .u = u};
}
static inline mln_value mln_value_double(double d)
{
    return (mln_value){.kind = MLN_JSON_REAL, .real = d};
}
static inline mln_value mln_value_string(struct mln_str s)
{
    return (mln_value){.kind = MLN_JSON_STRING, .n = (uint32_t)s.n, .string = s.p};
}
static inline mln_value mln_value_bytes(struct mln_str s)
{
    return (mln_value){.kind = MLN_VALUE_BYTES, .n = (uint32_t)s.n, .string = s.p};
}
static inline mln_value mln_value_list(const mln_value *items, size_t n)
{
    return (mln_value){.kind = MLN_JSON_ARRAY, .n = (uint32_t)n, .items = items};
}
static inline mln_value mln_value_map(const mln_value *pairs, size_t n)
{
    return (mln_value){.kind = MLN_VALUE_MAP, .n = (uint32_t)n, .items = pairs};
}
static inline mln_value mln_value_type(uint32_t kind)
{
    return (mln_value){.kind = MLN_VALUE_TYPE, .i = kind};
}
/* value: NULL for none, otherwise memory that stays. */
static inline mln_value mln_value_optional(const mln_value *value)
{
    return (mln_value){.kind = MLN_VALUE_OPTIONAL, .n = value != NULL, .items = value};
}
static inline mln_value mln_value_error(const char *text)
{
    return (mln_value){.kind = MLN_VALUE_ERROR, .string = text};
}

/* Of a string or bytes. */
static inline struct mln_str mln_value_str(mln_value v)
{
    return (struct mln_str){v.string, v.n};
}
static inline bool mln_value_is_number(uint32_t kind)
{
    return kind == MLN_JSON_INT || kind == MLN_JSON_UINT || kind == MLN_JSON_REAL;
}
static inline bool mln_value_is_map(uint32_t kind)
{
    return kind == MLN_JSON_OBJECT || kind == MLN_VALUE_MAP;
}
/* OBJECT and MAP are one type. */
static inline uint32_t mln_value_type_of(uint32_t kind)
{
    return kind == MLN_JSON_OBJECT ? MLN_VALUE_MAP : kind;
}

/* "int", "list", "google.protobuf.Timestamp": the name that type() gives; "dyn" for MLN_VALUE_DYN. */
const char *mln_value_type_name(uint32_t kind);
/* The type of that name; false when there is none. */
bool mln_value_type_named(struct mln_str name, uint32_t *kind);

/* Equality as CEL has it: numbers by value over all kinds, lists and maps by content, other different types are unequal.
   Charges the run for what it looks at. */
bool mln_value_equal(struct mln_expr_run *run, const mln_value *a, const mln_value *b);

/* <0, 0, >0 into *order for two numbers, or two bools, strings, bytes, timestamps or durations. False when they have no
   order: different types, or a NaN (then *order is 2). */
bool mln_value_order(struct mln_expr_run *run, const mln_value *a, const mln_value *b, int *order);

/* The value of a key of a map of either kind; NULL when it is not there. Charges the run. */
const mln_value *mln_value_lookup(struct mln_expr_run *run, const mln_value *map, const mln_value *key);

/* The key and value of pair i of a map of either kind. */
mln_value mln_value_map_key(const mln_value *map, size_t i);
const mln_value *mln_value_map_value(const mln_value *map, size_t i);

#endif
