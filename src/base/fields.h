/*
 * Field lists: a struct described once, as a table, so that its JSON form, defaults, help and docs come from one place.
 *
 * A noun writes an X-macro whose lines are F(c type, name, KIND, NEED, "doc"), expands it into the struct, and again into
 * a table with MLN_FIELD. What walks a table lives where its format lives: json/fields for JSON, merlon for options.
 */
#ifndef MLN_BASE_FIELDS_H
#define MLN_BASE_FIELDS_H

#include "base/str.h"

enum mln_field_kind {
    MLN_FIELD_STR,  /* struct mln_str; absent while p is NULL */
    MLN_FIELD_BOOL, /* bool */
    MLN_FIELD_I64,  /* int64_t */
    MLN_FIELD_U32,  /* uint32_t */
    MLN_FIELD_F64,  /* double */
    MLN_FIELD_TIME, /* int64_t, UTC milliseconds; absent while 0; RFC 3339 outside */
    MLN_FIELD_ENUM, /* int, through the field's words */
};

enum mln_field_need { MLN_FIELD_OPTIONAL, MLN_FIELD_REQUIRED };

struct mln_field {
    const char *name; /* as in JSON */
    enum mln_field_kind kind;
    enum mln_field_need need;
    size_t offset;
    const char *const *words; /* ENUM: NULL-terminated, the value is the index; matched without case */
    const char *doc;
};

#define MLN_FIELD(structure, member, json_name, KIND, NEED, enum_words, text)                                          \
    {                                                                                                                  \
        json_name, MLN_FIELD_##KIND, MLN_FIELD_##NEED, offsetof(structure, member), enum_words, text                   \
    }

/* The index of a word in a NULL-terminated list, without ASCII case; -1 when it is not there. */
int mln_word_index(const char *const *words, struct mln_str word);

#endif
