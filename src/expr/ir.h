/*
 * Building programs. A front end (CEL, Azure Policy) makes nodes bottom up; constants are folded and types checked on the
 * way; mln_ir_assemble turns the last one into a program. The nodes know nothing of any front end's syntax.
 *
 * Each function gives NULL after a failure, which stays in the builder with its place; operands may be NULL then.
 */
#ifndef MLN_EXPR_IR_H
#define MLN_EXPR_IR_H

#include "base/map.h"
#include "base/vec.h"
#include "expr/code.h"

enum mln_ir_kind {
    MLN_IR_CONSTANT,
    MLN_IR_SLOT,
    MLN_IR_LOCAL,
    MLN_IR_MEMBER,
    MLN_IR_HAS,
    MLN_IR_HAS_SLOT,
    MLN_IR_OPERATOR,
    MLN_IR_IN_SET,
    MLN_IR_CALL,
    MLN_IR_MATCHES,
    MLN_IR_LIST,
    MLN_IR_MAP,
    MLN_IR_AND,
    MLN_IR_OR,
    MLN_IR_CONDITION,
    MLN_IR_LOOP,
    MLN_IR_LET,
};

struct mln_ir {
    enum mln_ir_kind kind;
    uint32_t type;   /* static: a value kind, or MLN_VALUE_DYN */
    uint32_t at;     /* place in the source */
    uint32_t index;  /* slot, local, operator, regex, set or loop kind */
    mln_value value; /* constant; the name of a member */
    const struct mln_function *rows;
    size_t n_rows;
    struct mln_ir **operands;
    size_t n;
    struct mln_loop_locals locals;
};

struct mln_ir_builder {
    struct mln_expr_env *env;
    struct mln_arena *arena;     /* nodes; dropped after assembling */
    struct mln_program *program; /* gets constants, regexes and sets */
    struct mln_expr_run fold;
    MLN_VEC(struct mln_regex *) regexes;
    MLN_VEC(struct mln_constant_set) sets;
    uint16_t locals;
    struct mln_result failed;
    uint32_t failed_at;
};

/* A builder for one program of that source. Ends in mln_ir_assemble or mln_ir_drop. */
MLN_RESULT mln_ir_begin(struct mln_ir_builder *b, struct mln_expr_env *env, struct mln_str source);
void mln_ir_drop(struct mln_ir_builder *b);
/* The program, or the first failure. Ends the builder in any case. */
MLN_RESULT mln_ir_assemble(struct mln_ir_builder *b, const struct mln_ir *result, struct mln_program **out);

/* Notes a failure (the first one counts) and gives NULL. */
struct mln_ir *mln_ir_fail(struct mln_ir_builder *b, uint32_t at, struct mln_result failed);

struct mln_ir *mln_ir_constant(struct mln_ir_builder *b, uint32_t at, mln_value value);
struct mln_ir *mln_ir_slot(struct mln_ir_builder *b, uint32_t at, uint32_t slot);
/* A new local variable; its number in *local. */
MLN_RESULT mln_ir_new_local(struct mln_ir_builder *b, uint16_t *local);
struct mln_ir *mln_ir_local(struct mln_ir_builder *b, uint32_t at, uint16_t local);
struct mln_ir *mln_ir_member(struct mln_ir_builder *b, uint32_t at, struct mln_ir *object, struct mln_str name);
struct mln_ir *mln_ir_has(struct mln_ir_builder *b, uint32_t at, struct mln_ir *object, struct mln_str name);
struct mln_ir *mln_ir_operator(struct mln_ir_builder *b, uint32_t at, enum mln_operator op, struct mln_ir *x,
                               struct mln_ir *y);
/* rows, n_rows: the lines of one name and style. */
struct mln_ir *mln_ir_call(struct mln_ir_builder *b, uint32_t at, const struct mln_function *rows, size_t n_rows,
                           struct mln_ir **args, size_t n);
struct mln_ir *mln_ir_list(struct mln_ir_builder *b, uint32_t at, struct mln_ir **items, size_t n);
struct mln_ir *mln_ir_map(struct mln_ir_builder *b, uint32_t at, struct mln_ir **keys_and_values, size_t n);
struct mln_ir *mln_ir_and(struct mln_ir_builder *b, uint32_t at, struct mln_ir **terms, size_t n);
struct mln_ir *mln_ir_or(struct mln_ir_builder *b, uint32_t at, struct mln_ir **terms, size_t n);
struct mln_ir *mln_ir_condition(struct mln_ir_builder *b, uint32_t at, struct mln_ir *test, struct mln_ir *yes,
                                struct mln_ir *no);
/* condition: NULL, or which items count (MLN_LOOP_MAP and TRANSFORM_MAP only). */
struct mln_ir *mln_ir_loop(struct mln_ir_builder *b, uint32_t at, enum mln_loop_kind kind,
                           struct mln_loop_locals locals, struct mln_ir *range, struct mln_ir *condition,
                           struct mln_ir *body);
struct mln_ir *mln_ir_let(struct mln_ir_builder *b, uint32_t at, uint16_t local, struct mln_ir *value,
                          struct mln_ir *body);

#endif
