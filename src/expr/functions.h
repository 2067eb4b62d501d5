/*
 * The functions that programs may call: one table, function_table.c. A new function is a line there and its
 * implementation; the checker, the dispatch, the reference page and `merlon policy functions` follow from the line.
 */
#ifndef MLN_EXPR_FUNCTIONS_H
#define MLN_EXPR_FUNCTIONS_H

#include "expr/run.h"
#include "expr/type.h"

enum mln_function_style {
    MLN_FUNCTION_GLOBAL,  /* size(x), math.abs(x) */
    MLN_FUNCTION_RECEIVER /* x.size() */
};

enum {
    MLN_FUNCTION_CLOCK = 1,   /* reads the clock: never folded */
    MLN_FUNCTION_PATTERN = 2, /* the second argument is a pattern, compiled beforehand when it is constant */
    MLN_FUNCTION_MANY = 4,    /* one or more arguments of its one type; the implementation gets them as a list */
    MLN_FUNCTION_LAZY = 8,    /* the second argument counts only where the first, an optional, has no value */
    MLN_FUNCTION_FALSE_IF_ABSENT = 16, /* in rules, with a null argument that no line takes: false */
    MLN_FUNCTION_ZERO_IF_ABSENT = 32,  /* the same: 0 */
    MLN_FUNCTION_FORMAT = 64,          /* the first argument is a format for the list that is the second */
};

typedef mln_value (*mln_function_run)(struct mln_expr_run *run, const mln_value *args);

struct mln_function {
    const char *name; /* several lines may share name and style; they stand together */
    enum mln_function_style style;
    struct mln_signature takes; /* the receiver first */
    unsigned flags;
    mln_function_run run; /* charges the run for its work beyond the call itself; NULL: declared only, cannot be run */
    const char *doc;
};

extern const struct mln_function mln_functions[];
extern const size_t mln_n_functions;
/* What macros are turned into, and nobody can write. */
extern const struct mln_function mln_function_sort_by;

/* The lines of that name and style, and their number; NULL when there is none. */
const struct mln_function *mln_functions_named(struct mln_str name, enum mln_function_style style, size_t *n);

/* Calls the line whose types fit; an error value when none does. args must not hold errors. */
mln_value mln_function_call(struct mln_expr_run *run, const struct mln_function *rows, size_t n_rows,
                            const mln_value *args, size_t n_args);

/* Whether a line takes so many arguments, and the type of argument i then. */
bool mln_function_takes(const struct mln_function *row, size_t n);
static inline const struct mln_type *mln_function_argument(const struct mln_function *row, size_t i)
{
    return row->takes.args[row->flags & MLN_FUNCTION_MANY ? 0 : i];
}

/* "string.contains(string) -> bool" into out. */
struct mln_str mln_function_signature(const struct mln_function *row, char out[128]);

#endif
