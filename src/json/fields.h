/*
 * Structs to and from JSON objects, by the field tables of base/fields.h. Errors name the member; the caller puts its
 * own place before it with mln_fail_at.
 */
#ifndef MLN_JSON_FIELDS_H
#define MLN_JSON_FIELDS_H

#include "base/fields.h"
#include "json/writer.h"

enum mln_json_unknown {
    MLN_JSON_UNKNOWN_IGNORED, /* an API's body: newer clients send more */
    MLN_JSON_UNKNOWN_REFUSED, /* a configuration: a misspelt option must not pass */
};

/* Fills out from an object's members, found by exact name, then without case. A member that is absent, or null where it
   is optional, leaves the struct's value as it was: put the defaults there first. Strings share the tree's bytes. INVALID
   when json is no object, a required member is absent, a value has the wrong kind or does not fit; out may then be
   partly filled. */
MLN_RESULT mln_json_read_fields(const struct mln_json *json, const struct mln_field *fields, size_t n,
                                enum mln_json_unknown unknown, void *out);

/* Writes the struct's members into the object that w is in; absent values (see enum mln_field_kind) are left out. */
void mln_json_put_fields(struct mln_json_writer *w, const struct mln_field *fields, size_t n, const void *from);

#endif
