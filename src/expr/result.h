/* What a program gives, for the outside. */
#ifndef MLN_EXPR_RESULT_H
#define MLN_EXPR_RESULT_H

#include "expr/program.h"
#include "expr/value.h"

/* As JSON in the arena: times and durations as text, bytes as base64, types by name, keys of maps as text, NaN and
   infinities as text. Copied: nothing points into the run. */
MLN_RESULT mln_value_to_json(struct mln_arena *arena, const mln_value *v, const struct mln_json **out);

/* The value itself, valid until the run's next program. */
MLN_RESULT mln_program_raw(const struct mln_program *program, struct mln_expr_run *run, mln_value *out);

#endif
