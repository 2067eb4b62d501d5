/* The inside of a run: what one evaluation may use and has used, and the slots of the current document. */
#ifndef MLN_EXPR_RUN_H
#define MLN_EXPR_RUN_H

#include "expr/env.h"
#include "expr/regex.h"
#include "expr/value.h"
#include "expr/zone.h"

struct mln_run_slot {
    uint32_t generation; /* the run's generation when it was looked up */
    uint32_t kind;       /* what stands there: FOUND, ABSENT or NOT_A_MAP */
    const mln_value *value;
};

struct mln_expr_run {
    const struct mln_expr_env *env;
    bool lenient; /* MLN_EXPR_RULES */
    struct mln_clock clock;
    struct mln_expr_limits limits;
    struct mln_arena *arena;   /* values of the current evaluation */
    struct mln_arena *results; /* values handed out, until the next document */
    uint64_t left;             /* steps; 0: over */
    enum mln_code stopped;     /* why left became 0 early: MEMORY or LIMIT; else OK */
    const mln_value *document;
    uint32_t generation;
    struct mln_run_slot *slots;
    size_t n_slots;
    mln_value *stack; /* of the widest program so far, its locals behind */
    size_t stack_cells;
    struct mln_regex_scratch regex;
    struct mln_zones zones;
    uint32_t depth; /* of the lists and maps that are being walked */
};

static inline bool mln_run_over(const struct mln_expr_run *run)
{
    return run->left == 0;
}
static inline void mln_run_charge(struct mln_expr_run *run, uint64_t steps)
{
    run->left = steps < run->left ? run->left - steps : 0;
}
static inline void mln_run_charge_bytes(struct mln_expr_run *run, size_t bytes)
{
    mln_run_charge(run, bytes / 64);
}

/* Around each list or map inside of another one in a walk that recurses. False: too deep, and the run is stopped. */
enum { MLN_RUN_DEPTH_MOST = 1000 };
static inline bool mln_run_enter(struct mln_expr_run *run)
{
    if (run->depth < MLN_RUN_DEPTH_MOST) {
        run->depth++;
        return true;
    }
    run->left = 0;
    return false;
}
static inline void mln_run_leave(struct mln_expr_run *run)
{
    run->depth--;
}

/* Memory of the current evaluation; NULL stops the run. */
void *mln_run_alloc(struct mln_expr_run *run, size_t count, size_t item_bytes);

/* A string with a copy of the bytes. */
mln_value mln_run_string(struct mln_expr_run *run, struct mln_str s);

/* An error as a value: it travels through operators like any other value and is absorbed by && and ||. */
mln_value mln_run_error(struct mln_expr_run *run, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* "no such overload: startsWith(int, string)" */
mln_value mln_run_no_overload(struct mln_expr_run *run, const char *name, const mln_value *args, size_t n);

/* An optional with a copy of a value; NULL: without one. */
mln_value mln_run_optional(struct mln_expr_run *run, const mln_value *value);

/* A run for folding constants while compiling: what it makes lives in arena. */
struct mln_expr_run mln_run_for_folding(const struct mln_expr_env *env, struct mln_arena *arena);
void mln_run_done_folding(struct mln_expr_run *run);

#endif
