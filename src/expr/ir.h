/*
 * Building programs. A front end (CEL, Azure Policy) makes nodes bottom up; types are found out and checked and constants
 * folded on the way; mln_ir_assemble turns the last one into a program. The nodes know nothing of any front end's syntax.
 *
 * Each function gives NULL after a failure, which stays in the builder with its place; operands may be NULL then.
 */
#ifndef MLN_EXPR_IR_H
#define MLN_EXPR_IR_H

#include "base/map.h"
#include "expr/code.h"
#include "expr/infer.h"

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
    const struct mln_type *type; /* static; may hold variables of the builder's inference */
    uint32_t at;                 /* place in the source */
    uint32_t index;              /* slot, local, operator, regex, set or loop kind */
    mln_value value;             /* constant; the name of a member */
    const struct mln_function *rows;
    size_t n_rows;
    struct mln_ir **operands;
    size_t n;
    const uint64_t *optional; /* list and map: the items or pairs that may be without a value; NULL: none */
    struct mln_loop_locals locals;
};

struct mln_ir_builder {
    struct mln_expr_env *env;
    struct mln_arena *arena;     /* nodes; dropped after assembling */
    struct mln_program *program; /* gets constants, regexes and sets */
    struct mln_inference types;
    struct mln_expr_run fold;
    MLN_VEC(struct mln_regex *) regexes;
    MLN_VEC(struct mln_constant_set) sets;
    const struct mln_type *local_types[MLN_PROGRAM_LOCALS_MOST];
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
/* A variable of the environment, or a field below it. */
struct mln_ir *mln_ir_slot(struct mln_ir_builder *b, uint32_t at, uint32_t slot, const struct mln_type *type);
/* A new local variable; its number in *local. */
MLN_RESULT mln_ir_new_local(struct mln_ir_builder *b, const struct mln_type *type, uint16_t *local);
struct mln_ir *mln_ir_local(struct mln_ir_builder *b, uint32_t at, uint16_t local);
struct mln_ir *mln_ir_member(struct mln_ir_builder *b, uint32_t at, struct mln_ir *object, struct mln_str name);
struct mln_ir *mln_ir_has(struct mln_ir_builder *b, uint32_t at, struct mln_ir *object, struct mln_str name);
struct mln_ir *mln_ir_operator(struct mln_ir_builder *b, uint32_t at, enum mln_operator op, struct mln_ir *x,
                               struct mln_ir *y);
/* The item at an index or the value of a key, as an optional. */
struct mln_ir *mln_ir_optional_index(struct mln_ir_builder *b, uint32_t at, struct mln_ir *x, struct mln_ir *index);
/* rows, n_rows: the lines of one name and style. */
struct mln_ir *mln_ir_call(struct mln_ir_builder *b, uint32_t at, const struct mln_function *rows, size_t n_rows,
                           struct mln_ir **args, size_t n);
/* A function of the table, which must be there, by its name. */
struct mln_ir *mln_ir_call_named(struct mln_ir_builder *b, uint32_t at, const char *name, enum mln_function_style style,
                                 struct mln_ir **args, size_t n);
/* optional: NULL, or the set of items (of pairs) that are optionals, in the builder's arena. */
struct mln_ir *mln_ir_list(struct mln_ir_builder *b, uint32_t at, struct mln_ir **items, size_t n,
                           const uint64_t *optional);
struct mln_ir *mln_ir_map(struct mln_ir_builder *b, uint32_t at, struct mln_ir **keys_and_values, size_t n,
                          const uint64_t *optional);
struct mln_ir *mln_ir_and(struct mln_ir_builder *b, uint32_t at, struct mln_ir **terms, size_t n);
struct mln_ir *mln_ir_or(struct mln_ir_builder *b, uint32_t at, struct mln_ir **terms, size_t n);
struct mln_ir *mln_ir_condition(struct mln_ir_builder *b, uint32_t at, struct mln_ir *test, struct mln_ir *yes,
                                struct mln_ir *no);
/* The types of what a loop over a range visits: its items (keys of a map) for one variable, index or key and value for
   two. False: a failure was noted, there is nothing to visit. */
bool mln_ir_loop_types(struct mln_ir_builder *b, uint32_t at, const struct mln_ir *range, size_t variables,
                       const struct mln_type *types[2]);
/* condition: NULL, or which items count (the loops that make lists and maps only). */
struct mln_ir *mln_ir_loop(struct mln_ir_builder *b, uint32_t at, enum mln_loop_kind kind,
                           struct mln_loop_locals locals, struct mln_ir *range, struct mln_ir *condition,
                           struct mln_ir *body);
struct mln_ir *mln_ir_let(struct mln_ir_builder *b, uint32_t at, uint16_t local, struct mln_ir *value,
                          struct mln_ir *body);

/* ---- for the files of the builder ---- */

/* A node over operands; NULL when one of them is. Its type is dyn. */
struct mln_ir *mln_ir_node(struct mln_ir_builder *b, enum mln_ir_kind kind, uint32_t at, struct mln_ir **operands,
                           size_t n);
/* The operands' values in the program's arena, when all are constant and none is an error; readies the run that folds. */
mln_value *mln_ir_constants(struct mln_ir_builder *b, struct mln_ir **operands, size_t n);
/* The folded node, of the type of otherwise; otherwise itself where the operation failed: then it fails while running,
   where && or || may absorb it. */
struct mln_ir *mln_ir_folded(struct mln_ir_builder *b, mln_value value, struct mln_ir *otherwise);

/* The kind of a node's type, MLN_VALUE_DYN where it is not known, and its text. */
static inline uint32_t mln_ir_kind_of(const struct mln_ir_builder *b, const struct mln_ir *ir)
{
    return mln_infer_known(&b->types, ir->type)->kind;
}
const char *mln_ir_type_text(struct mln_ir_builder *b, const struct mln_ir *ir, char out[MLN_TYPE_TEXT]);

#endif
