/*
 * The functions that programs may call: one table. A new function is a line there and its implementation; the checker,
 * the dispatch, the reference page and `merlon policy functions` follow from the line.
 */
#ifndef MLN_EXPR_FUNCTIONS_H
#define MLN_EXPR_FUNCTIONS_H

#include "expr/run.h"

enum mln_function_style {
    MLN_FUNCTION_GLOBAL,  /* size(x), math.abs(x) */
    MLN_FUNCTION_RECEIVER /* x.size() */
};

enum {
    MLN_FUNCTION_CLOCK = 1,   /* reads the clock: never folded */
    MLN_FUNCTION_PATTERN = 2, /* the second argument is a pattern, compiled beforehand when it is constant */
};

typedef mln_value (*mln_function_run)(struct mln_expr_run *run, const mln_value *args);

struct mln_function {
    const char *name; /* several lines may share name and style; they stand together */
    enum mln_function_style style;
    /* A letter an argument (the receiver first): b bool, i int, u uint, d double, s string, y bytes, l list, m map,
       T timestamp, D duration, t type, n null, N any number, . anything; "N*" alone: one or more of them, which the
       implementation gets as one list. */
    const char *types;
    char result;    /* a letter */
    char if_absent; /* in rules, with a null argument: f gives false, 0 gives 0; blank: there is no such overload */
    uint8_t flags;
    uint16_t steps; /* cost of a call beside what it charges for its data */
    mln_function_run run;
    const char *doc;
};

extern const struct mln_function mln_functions[];
extern const size_t mln_n_functions;

/* The lines of that name and style, and their number; NULL when there is none. */
const struct mln_function *mln_functions_named(struct mln_str name, enum mln_function_style style, size_t *n);

/* Calls the line whose types fit; an error value when none does. args must not hold errors. */
mln_value mln_function_call(struct mln_expr_run *run, const struct mln_function *rows, size_t n_rows,
                            const mln_value *args, size_t n_args);

/* Whether a line could fit arguments of these static types (MLN_VALUE_DYN: unknown). */
bool mln_function_fits(const struct mln_function *row, const uint32_t *types, size_t n, bool lenient);
uint32_t mln_function_result(const struct mln_function *row); /* a static type */

/* "string.contains(string) -> bool" into out. */
struct mln_str mln_function_signature(const struct mln_function *row, char out[128]);

#endif
