/*
 * Static types: what is known of a value before a program runs. "list(string)", "map(string, dyn)", "optional_type(int)".
 * Types are immutable; those of the tables of functions and operators are constants of the program text, others live in
 * the arena that they were made in.
 */
#ifndef MLN_EXPR_TYPE_H
#define MLN_EXPR_TYPE_H

#include "expr/value.h"

/* Kinds that no value has, after MLN_VALUE_DYN. */
enum mln_type_kind {
    MLN_TYPE_NUMBER = MLN_VALUE_DYN + 1, /* of a parameter: int, uint or double */
    MLN_TYPE_PARAMETER,                  /* of a signature: A to Z, the same type wherever it stands */
    MLN_TYPE_VARIABLE,                   /* while checking: a type not found out yet (infer.h) */
    MLN_TYPE_NAMED,                      /* a type known by its name only */
    MLN_TYPE_KINDS
};

enum { MLN_TYPE_PARAMETERS_MOST = 3, MLN_TYPE_DEPTH_MOST = 24, MLN_TYPE_LETTERS = 26, MLN_TYPE_TEXT = 160 };

struct mln_type {
    uint32_t kind;    /* enum mln_value_kind, or one of the above; OBJECT is MAP */
    uint32_t n;       /* parameters; a list, map or optional without any is one of whatever items */
    uint32_t index;   /* PARAMETER: 0 for A; VARIABLE: its number */
    uint32_t depth;   /* of the parameters below; bounded, so that walks may recurse */
    const char *name; /* NAMED */
    const struct mln_type *of[MLN_TYPE_PARAMETERS_MOST];
};

/* The types without parameters, by their kind, and A to Z. */
extern const struct mln_type mln_types[MLN_TYPE_NUMBER + 1];
extern const struct mln_type mln_type_letters[MLN_TYPE_LETTERS];

static inline const struct mln_type *mln_type_plain(uint32_t kind)
{
    return &mln_types[mln_value_type_of(kind)];
}

/* The parameter i of a type; anything where it has none. */
static inline const struct mln_type *mln_type_of(const struct mln_type *type, size_t i)
{
    return i < type->n ? type->of[i] : &mln_types[MLN_VALUE_DYN];
}

/* What a function or operator takes and gives. */
enum { MLN_SIGNATURE_ARGS_MOST = 4 };
struct mln_signature {
    uint32_t n;
    const struct mln_type *args[MLN_SIGNATURE_ARGS_MOST];
    const struct mln_type *result;
};

/* A type like another one with other parameters; dyn instead of what would be deeper than MLN_TYPE_DEPTH_MOST. NULL: no
   memory. */
const struct mln_type *mln_type_with(struct mln_arena *arena, const struct mln_type *like,
                                     const struct mln_type *const *of, size_t n);
const struct mln_type *mln_type_list(struct mln_arena *arena, const struct mln_type *item);
const struct mln_type *mln_type_map(struct mln_arena *arena, const struct mln_type *key, const struct mln_type *value);
const struct mln_type *mln_type_optional(struct mln_arena *arena, const struct mln_type *value);

/* "map(string, list(int))". For the type of a signature single capital letters are parameters and other words the names of
   types; otherwise both are INVALID, with a suggestion. */
MLN_RESULT mln_type_parse(struct mln_arena *arena, struct mln_str text, bool of_signature, const struct mln_type **out);

/* Its text, cut where it is very long; into out. */
const char *mln_type_text(const struct mln_type *type, char out[MLN_TYPE_TEXT]);

#endif
