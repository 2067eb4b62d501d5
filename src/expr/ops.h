/* The operators. Each takes its operands in order and gives a value, an error value when it is not defined for them. */
#ifndef MLN_EXPR_OPS_H
#define MLN_EXPR_OPS_H

#include "expr/run.h"
#include "expr/type.h"

/* name, operands, the name in messages */
#define MLN_OPERATORS(O)                                                                                               \
    O(NOT, 1, "!_")                                                                                                    \
    O(NEGATE, 1, "-_")                                                                                                 \
    O(ADD, 2, "_+_")                                                                                                   \
    O(SUBTRACT, 2, "_-_")                                                                                              \
    O(MULTIPLY, 2, "_*_")                                                                                              \
    O(DIVIDE, 2, "_/_")                                                                                                \
    O(MODULO, 2, "_%_")                                                                                                \
    O(EQUAL, 2, "_==_")                                                                                                \
    O(NOT_EQUAL, 2, "_!=_")                                                                                            \
    O(LESS, 2, "_<_")                                                                                                  \
    O(LESS_EQUAL, 2, "_<=_")                                                                                           \
    O(GREATER, 2, "_>_")                                                                                               \
    O(GREATER_EQUAL, 2, "_>=_")                                                                                        \
    O(IN, 2, "_in_")                                                                                                   \
    O(INDEX, 2, "_[_]")                                                                                                \
    O(OPTIONAL_INDEX, 2, "_[?_]")

enum mln_operator {
#define O(name, operands, text) MLN_OP_##name,
    MLN_OPERATORS(O)
#undef O
        MLN_OPERATOR_COUNT
};

/* The operands must not be errors. */
mln_value mln_op(struct mln_expr_run *run, enum mln_operator op, const mln_value *operands);

const char *mln_op_text(enum mln_operator op);
int mln_op_operands(enum mln_operator op);

/* What types the operators take and give, several lines each. */
struct mln_op_line {
    enum mln_operator op;
    bool in_rules; /* where null stands for what is absent only */
    struct mln_signature takes;
};
extern const struct mln_op_line mln_op_lines[];
extern const size_t mln_n_op_lines;

/* e.name */
mln_value mln_op_member(struct mln_expr_run *run, const mln_value *object, const mln_value *name);
/* has(e.name) */
mln_value mln_op_has(struct mln_expr_run *run, const mln_value *object, const mln_value *name);

/* A list of items and a map {key: value, ...} of n pairs, in memory that stays. optional: NULL, or the set of the items
   (pairs) that are optionals, and left out where they have no value; then the memory is changed. Error values: something
   else than an optional there; a key that is repeated or may be none. */
mln_value mln_op_list(struct mln_expr_run *run, mln_value *items, size_t n, const uint64_t *optional);
mln_value mln_op_map(struct mln_expr_run *run, mln_value *keys_and_values, size_t n, const uint64_t *optional);

#endif
