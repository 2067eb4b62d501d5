/* The inside of lowering, for its two files: what names mean in cel_names.c, everything else in cel_lower.c. */
#ifndef MLN_EXPR_CEL_LOWERING_H
#define MLN_EXPR_CEL_LOWERING_H

#include "expr/cel_ast.h"
#include "expr/ir.h"
#include "expr/message.h"

struct mln_scope {
    struct mln_str name;
    uint16_t local;
};

struct mln_lowering {
    struct mln_ir_builder *b;
    MLN_VEC(struct mln_scope) scopes; /* of macros' variables, the innermost last */
};

/* A macro's variable; NULL: there is none of that name. */
const struct mln_scope *mln_cel_local(const struct mln_lowering *l, struct mln_str name);

/* What a chain of names means as a whole: a variable, a type or a constant with dots in its name. NULL without a failure:
   nothing. */
struct mln_ir *mln_cel_whole_name(struct mln_lowering *l, const struct mln_cel_node *n);
/* The failure for a name that means nothing; an error value where the checker is off. */
struct mln_ir *mln_cel_unknown_name(struct mln_lowering *l, const struct mln_cel_node *n);

/* The lines of a function of the environment or the table, and their number; NULL: there is none. */
const struct mln_function *mln_cel_function(const struct mln_lowering *l, struct mln_str name,
                                            enum mln_function_style style, size_t *n_rows);
/* Those of a function with dots in its name, "math.abs", of a call n whose target looks like a name. */
const struct mln_function *mln_cel_dotted_function(const struct mln_lowering *l, const struct mln_cel_node *n,
                                                   size_t *n_rows);
struct mln_ir *mln_cel_unknown_function(struct mln_lowering *l, const struct mln_cel_node *n, bool receiver);

/* The message with the fields that a node writes; NULL: there is none, noted as a failure. */
const struct mln_message *mln_cel_message(struct mln_lowering *l, const struct mln_cel_node *n);

#endif
