/* Short names for types, for the tables of functions and operators only: {ARGS(LIST_OF(A), INT), A}. */
#ifndef MLN_EXPR_SIGNATURE_H
#define MLN_EXPR_SIGNATURE_H

#include "expr/type.h"

#define ANY (&mln_types[MLN_VALUE_DYN])
#define NULL_TYPE (&mln_types[MLN_JSON_NULL])
#define BOOL (&mln_types[MLN_JSON_BOOL])
#define INT (&mln_types[MLN_JSON_INT])
#define UINT (&mln_types[MLN_JSON_UINT])
#define DOUBLE (&mln_types[MLN_JSON_REAL])
#define NUMBER (&mln_types[MLN_TYPE_NUMBER])
#define STRING (&mln_types[MLN_JSON_STRING])
#define BYTES (&mln_types[MLN_VALUE_BYTES])
#define LIST (&mln_types[MLN_JSON_ARRAY])
#define MAP (&mln_types[MLN_VALUE_MAP])
#define TIME (&mln_types[MLN_VALUE_TIMESTAMP])
#define DURATION (&mln_types[MLN_VALUE_DURATION])
#define TYPE (&mln_types[MLN_VALUE_TYPE])
#define IP (&mln_types[MLN_VALUE_IP])
#define CIDR (&mln_types[MLN_VALUE_CIDR])

#define A (&mln_type_letters[0])
#define B (&mln_type_letters[1])

/* Compound literals outside of functions live as long as the program. */
#define LIST_OF(item) (&(const struct mln_type){.kind = MLN_JSON_ARRAY, .n = 1, .of = {item}})
#define MAP_OF(key, value) (&(const struct mln_type){.kind = MLN_VALUE_MAP, .n = 2, .of = {key, value}})
#define OPTIONAL_OF(item) (&(const struct mln_type){.kind = MLN_VALUE_OPTIONAL, .n = 1, .of = {item}})

#define ARGS(...)                                                                                                      \
    sizeof((const struct mln_type *[]){__VA_ARGS__}) / sizeof(const struct mln_type *),                                \
    {                                                                                                                  \
        __VA_ARGS__                                                                                                    \
    }
#define NO_ARGS                                                                                                        \
    0,                                                                                                                 \
    {                                                                                                                  \
        NULL                                                                                                           \
    }

#endif
