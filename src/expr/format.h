/* The texts of string.format(): "%s of %d is %.2f". */
#ifndef MLN_EXPR_FORMAT_H
#define MLN_EXPR_FORMAT_H

#include "expr/run.h"

/* One clause: s, d, f, e, x, X, o or b. */
struct mln_format_clause {
    char letter;
    int precision; /* of f and e */
};

/* Moves *at behind the next clause of a format; what stands before it is in *plain, with %% still double. False at the
   end, or with *wrong where the format is no format. */
bool mln_format_next(struct mln_str format, size_t *at, struct mln_str *plain, struct mln_format_clause *clause,
                     const char **wrong);

/* What a clause takes, "integers and bools", when a value of that kind is not among it; NULL when it is. */
const char *mln_format_refuses(char letter, uint32_t kind);

/* The text; an error value when the format and its arguments do not belong together. */
mln_value mln_format(struct mln_expr_run *run, struct mln_str format, const mln_value *args, size_t n);

#endif
