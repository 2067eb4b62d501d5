/* The operators. Each takes its operands in order and gives a value, an error value when it is not defined for them. */
#ifndef MLN_EXPR_OPS_H
#define MLN_EXPR_OPS_H

#include "expr/run.h"

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
    O(INDEX, 2, "_[_]")

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
/* The type of the result for operand types (MLN_VALUE_DYN: unknown); false when the operator is never defined for them. */
bool mln_op_type(enum mln_operator op, const uint32_t *types, bool lenient, uint32_t *result);

/* e.name */
mln_value mln_op_member(struct mln_expr_run *run, const mln_value *object, const mln_value *name);
/* has(e.name) */
mln_value mln_op_has(struct mln_expr_run *run, const mln_value *object, const mln_value *name);

/* {key: value, ...} of n pairs that lie in memory that stays; an error value for a key that is repeated or may be none. */
mln_value mln_op_map(struct mln_expr_run *run, const mln_value *keys_and_values, size_t n);

#endif
