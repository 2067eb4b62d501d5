/* What the parts of the loader share: the rule set being made, and the file being read. Private to the room. */
#ifndef MLN_CONTENT_LOADER_H
#define MLN_CONTENT_LOADER_H

#include "base/map.h"
#include "base/vec.h"
#include "content/ruleset.h"
#include "content/yaml.h"

/* What rules of a resource type may name, and what they need. */
struct mln_type_variables {
    const char *resource_type; /* NULL: all types */
    const char *name, *path;   /* a variable and the path it stands for */
    bool needs_sections;       /* a rule that reads below the path needs the section that it reads */
};
extern const struct mln_type_variables mln_type_variables[];
extern const size_t mln_n_type_variables;
static inline bool mln_type_has(const struct mln_type_variables *v, struct mln_str type)
{
    return !v->resource_type || mln_str_eq_nocase(type, mln_str_c(v->resource_type));
}

struct mln_loader_type { /* becomes a struct mln_rule_type */
    struct mln_str resource_type;
    struct mln_expr_env *env;
};

struct mln_loader {
    struct mln_arena *arena;   /* the rule set's */
    struct mln_arena *scratch; /* of the current file */
    MLN_VEC(struct mln_control) controls;
    MLN_VEC(struct mln_rule) rules;
    MLN_VEC(struct mln_rule_error) errors;
    MLN_VEC(struct mln_loader_type) types;
    struct mln_map *ids, *keys; /* of rules: index in rules */
    struct mln_str file;        /* the current one, relative */
    struct mln_str text;        /* its content */
    struct mln_str version;     /* of it */
    size_t file_errors;
    struct mln_result failed; /* memory: stops everything */
};

/* Notes an error of the current file. node NULL: the whole file. */
void mln_loader_error(struct mln_loader *l, const struct mln_yaml *node, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void mln_loader_error_at(struct mln_loader *l, struct mln_yaml_error place, const char *text);

/* One member of a mapping that a file may have. */
struct mln_yaml_member {
    const char *name;
    bool required;
    void (*read)(struct mln_loader *l, const struct mln_yaml *value, void *into);
};
/* Reads a mapping by a table that ends with a name of NULL; unknown and missing members are errors. */
void mln_loader_members(struct mln_loader *l, const struct mln_yaml *node, const struct mln_yaml_member *members,
                        void *into);

/* A text, copied into the rule set; p NULL after an error. most: bytes. */
struct mln_str mln_loader_text(struct mln_loader *l, const struct mln_yaml *node, size_t most);
/* A list of texts. */
const struct mln_str *mln_loader_texts(struct mln_loader *l, const struct mln_yaml *node, size_t *n);
/* The index of a word of a list, written exactly so; -1 after an error. */
int mln_loader_word(struct mln_loader *l, const struct mln_yaml *node, const char *const *words);

/* controls.yaml. */
void mln_loader_controls(struct mln_loader *l, const struct mln_yaml *root);

/* One rule file. */
void mln_loader_rule(struct mln_loader *l, const struct mln_yaml *root);
/* "merlon:rule:" and the id as a version 5 UUID of the URL namespace. */
MLN_RESULT mln_loader_key(struct mln_arena *arena, const char *kind, struct mln_str id, struct mln_str *key);

#endif
