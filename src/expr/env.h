/* The inside of an environment: variables, and the numbered field paths of all programs compiled in it. */
#ifndef MLN_EXPR_ENV_H
#define MLN_EXPR_ENV_H

#include "base/vec.h"
#include "expr/program.h"
#include "expr/type.h"

struct mln_function;

/* A field path: a name below another path. Slot 0 is the document. */
struct mln_expr_slot {
    uint32_t parent;
    uint32_t key; /* mln_json_key of the name */
    struct mln_str name;
};

struct mln_expr_variable {
    struct mln_str name; /* may have dots */
    uint32_t slot;
    const struct mln_type *type;
};

struct mln_expr_env {
    enum mln_expr_mode mode;
    bool unchecked;           /* unknown names and wrong types are errors of the run, as CEL without its checker */
    struct mln_str container; /* names are looked up below it first */
    struct mln_arena *arena;
    MLN_VEC(struct mln_expr_slot) slots;
    MLN_VEC(struct mln_expr_variable) variables;
    MLN_VEC(struct mln_function) functions; /* beside those of the table */
};

/* One more line of a function beside those of the table. The lines of one name follow one another; what they point at must
   live as long as the environment, which must have all its functions before anything is compiled in it. */
MLN_RESULT mln_expr_env_function(struct mln_expr_env *env, const struct mln_function *line);

/* For conformance runs: where names are looked up. */
MLN_RESULT mln_expr_env_container(struct mln_expr_env *env, struct mln_str container);

/* The slot of a name below another slot, made when it is new. */
MLN_RESULT mln_expr_env_slot(struct mln_expr_env *env, uint32_t parent, struct mln_str name, uint32_t *slot);

/* The variable of exactly this name, or NULL. */
const struct mln_expr_variable *mln_expr_env_find(const struct mln_expr_env *env, struct mln_str name);

#endif
