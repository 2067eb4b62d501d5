/*
 * YAML as content is written in: one document of mappings, sequences and scalars, read by libyaml into a tree that knows
 * where each node stands. Refused: aliases, anchors, tags, several documents, repeated keys, keys that are no scalars.
 */
#ifndef MLN_CONTENT_YAML_H
#define MLN_CONTENT_YAML_H

#include "json/json.h"

enum mln_yaml_kind { MLN_YAML_SCALAR, MLN_YAML_SEQUENCE, MLN_YAML_MAPPING };
enum mln_yaml_style { MLN_YAML_PLAIN, MLN_YAML_QUOTED, MLN_YAML_DOUBLE_QUOTED, MLN_YAML_BLOCK };

struct mln_yaml {
    enum mln_yaml_kind kind;
    enum mln_yaml_style style;    /* of a scalar */
    uint32_t line, column;        /* from 1, column in code points */
    struct mln_str text;          /* of a scalar, NUL-terminated */
    const struct mln_yaml *items; /* of a sequence; of a mapping: key, value, key, value, ... */
    size_t n;                     /* items of a sequence, pairs of a mapping */
};

enum { MLN_YAML_MAX_BYTES = 256 << 10, MLN_YAML_MAX_DEPTH = 64 };

struct mln_yaml_error {
    uint32_t line, column;
};

/* The tree in the arena. SYNTAX, LIMIT, UNSUPPORTED (what is refused) with the place in *error; an empty text is an empty
   plain scalar. */
MLN_RESULT mln_yaml_parse(struct mln_arena *arena, struct mln_str text, struct mln_yaml **out,
                          struct mln_yaml_error *error);

/* The value of a key of a mapping, or NULL. */
const struct mln_yaml *mln_yaml_get(const struct mln_yaml *mapping, struct mln_str key);

/* As JSON, copied into the arena; plain scalars by YAML 1.2's core schema (null, true, 12, 0x1F, 1.5), all others as texts. */
MLN_RESULT mln_yaml_to_json(struct mln_arena *arena, const struct mln_yaml *yaml, struct mln_json *out);

/* Where character offset (in bytes) of a scalar's text stands in the file, as nearly as folding and escapes allow. */
struct mln_yaml_error mln_yaml_place(const struct mln_yaml *scalar, struct mln_str file, size_t offset);

#endif
