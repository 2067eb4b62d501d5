/*
 * JSON documents as trees in an arena. A tree is immutable once built; object keys are interned in the document's key
 * table, so that a compiled path finds a member by comparing numbers. simdjson does the parsing (parse.cc, the only C++
 * file of the tree) and its result is copied once; nothing points into the input afterwards.
 *
 * Limits of a parse: input size, depth, and the arena's budget. Duplicate member names: the last one wins. Numbers:
 * integers that fit int64 are INT, up to uint64 UINT, all else REAL (finite).
 */
#ifndef MLN_JSON_JSON_H
#define MLN_JSON_JSON_H

#include "base/str.h"

enum mln_json_kind {
    MLN_JSON_NULL,
    MLN_JSON_BOOL,
    MLN_JSON_INT,
    MLN_JSON_UINT, /* only for values above INT64_MAX */
    MLN_JSON_REAL,
    MLN_JSON_STRING,
    MLN_JSON_ARRAY,
    MLN_JSON_OBJECT,
};

struct mln_json;
struct mln_json_member;

/* 16 bytes. Strings are valid UTF-8 and may hold NUL. */
struct mln_json {
    uint32_t kind; /* enum mln_json_kind */
    uint32_t n;    /* string bytes, array items or object members */
    union {
        bool boolean;
        int64_t i;
        uint64_t u;
        double real;
        const char *string;
        const struct mln_json *items;
        const struct mln_json_member *members; /* in the order of the text */
    };
};

struct mln_json_member {
    struct mln_str name;
    uint32_t key;      /* mln_json_key of the name */
    uint32_t key_fold; /* mln_json_key of the name in ASCII lower case */
    struct mln_json value;
};

enum { MLN_JSON_MAX_DEPTH = 128 };

/* The number of a member name, the same for the same bytes for the life of the process. The table is global, locked, and
   bounded: names beyond 1 million distinct ones or 64 MiB in all, and names longer than 256 bytes, share the number
   MLN_JSON_KEY_OTHER and are compared by their bytes. */
uint32_t mln_json_key(struct mln_str name);
enum { MLN_JSON_KEY_OTHER = 0 };

/* Parses one document; trailing white space only. *out is in the arena. SYNTAX with byte offset (not UTF-8, trailing
   text, bad escape, number out of range), LIMIT (larger than max_bytes, deeper than MLN_JSON_MAX_DEPTH, arena budget). */
MLN_RESULT mln_json_parse(struct mln_arena *arena, struct mln_str text, size_t max_bytes, const struct mln_json **out);

/* A member's value by exact name, then by name without case (ARM documents are case-insensitive). NULL when absent or
   when object is NULL or no object. */
const struct mln_json *mln_json_get(const struct mln_json *object, struct mln_str name);
const struct mln_json *mln_json_get_nocase(const struct mln_json *object, struct mln_str name);
/* Walks a dotted path of exact names ("properties.status.code"); NULL when a step is absent. */
const struct mln_json *mln_json_path(const struct mln_json *root, const char *dotted);

/* Reading with a default: the value when json is of the kind, otherwise the default. NULL is allowed for json. */
struct mln_str mln_json_str(const struct mln_json *json, struct mln_str otherwise);
bool mln_json_bool(const struct mln_json *json, bool otherwise);
int64_t mln_json_i64(const struct mln_json *json, int64_t otherwise);
static inline bool mln_json_is(const struct mln_json *json, enum mln_json_kind kind)
{
    return json && json->kind == (uint32_t)kind;
}
/* "null", "boolean", "integer", "real", "string", "array", "object", and "missing" for NULL. */
const char *mln_json_kind_name(const struct mln_json *json);

/* Same kind and content; objects without regard to order; INT, UINT and REAL by numeric value. */
bool mln_json_equal(const struct mln_json *a, const struct mln_json *b);

/* RFC 7396. The result shares subtrees with both; all must live as long. */
MLN_RESULT mln_json_merge_patch(struct mln_arena *arena, const struct mln_json *target, const struct mln_json *patch,
                                const struct mln_json **out);
/* A merge patch that turns from into exactly to (1 and 1.0 differ here); *out NULL when nothing differs. A member that
   would have to become null cannot be expressed and is INVALID, with its path. The patch shares subtrees with to. */
MLN_RESULT mln_json_diff(struct mln_arena *arena, const struct mln_json *from, const struct mln_json *to,
                         const struct mln_json **out);

/* Builders for trees made in code; children are copied shallowly into the arena. The names of one object must differ. */
struct mln_json mln_json_of_str(struct mln_str s); /* shares the bytes */
struct mln_json mln_json_of_i64(int64_t i);
struct mln_json mln_json_of_bool(bool b);
struct mln_json mln_json_of_real(double d);
extern const struct mln_json mln_json_null;

struct mln_json_object { /* an object being built; zero to start */
    struct mln_json_member *at;
    size_t n, cap;
};
struct mln_json_array {
    struct mln_json *at;
    size_t n, cap;
};
MLN_RESULT mln_json_add(struct mln_arena *arena, struct mln_json_object *object, struct mln_str name,
                        struct mln_json value);
MLN_RESULT mln_json_append(struct mln_arena *arena, struct mln_json_array *array, struct mln_json value);
struct mln_json mln_json_object_done(const struct mln_json_object *object);
struct mln_json mln_json_array_done(const struct mln_json_array *array);

#endif
