/*
 * Finding out types: unification with subtyping only towards dyn, as the checkers of CEL do it (cel-spec, "Type checking";
 * the rules of joining follow the conformance suite). A type variable stands for what is not known yet, "[]" is a
 * list(variable), and is bound by its uses.
 *
 * What cannot be decided, because the types grow out of bounds, counts as dyn: the checker may miss a mistake, never
 * invent one.
 */
#ifndef MLN_EXPR_INFER_H
#define MLN_EXPR_INFER_H

#include "base/vec.h"
#include "expr/type.h"

struct mln_inference_step {
    uint32_t variable;
    const struct mln_type *before;
};

struct mln_inference {
    struct mln_arena *arena;
    MLN_VEC(const struct mln_type *) bindings; /* by variable; NULL: open */
    MLN_VEC(struct mln_inference_step) trail;  /* to take bindings back */
    uint32_t steps, depth;
    bool out_of_memory; /* once true, results are dyn */
};

/* A new variable. */
const struct mln_type *mln_infer_variable(struct mln_inference *inference);

/* The parameters A to Z of one use of a signature, each a variable once it was met. */
struct mln_instance {
    const struct mln_type *letters[MLN_TYPE_LETTERS];
};
const struct mln_type *mln_infer_instance(struct mln_inference *inference, struct mln_instance *instance,
                                          const struct mln_type *type);

/* Whether values of the type found may stand where the other is expected; binds variables when so. */
bool mln_infer_fits(struct mln_inference *inference, const struct mln_type *expected, const struct mln_type *found);
/* The same for n pairs at once: all or nothing. */
bool mln_infer_all_fit(struct mln_inference *inference, const struct mln_type *const *expected,
                       const struct mln_type *const *found, size_t n);

/* The type of things that have one of two types: of the items of a list, of the sides of a condition. */
const struct mln_type *mln_infer_join(struct mln_inference *inference, const struct mln_type *a,
                                      const struct mln_type *b);

/* The type behind variables; an open one is dyn. Its parameters may still be variables. */
const struct mln_type *mln_infer_known(const struct mln_inference *inference, const struct mln_type *type);
/* Without any variable, at any depth. */
const struct mln_type *mln_infer_resolved(struct mln_inference *inference, const struct mln_type *type);

#endif
