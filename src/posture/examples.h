/* Judging the examples that rules carry, and the report of `merlon policy test`. */
#ifndef MLN_POSTURE_EXAMPLES_H
#define MLN_POSTURE_EXAMPLES_H

#include "base/buf.h"
#include "posture/assess.h"

/* The moment at which examples are judged: 2026-01-01T00:00:00Z, so that rules that look at the time have examples. */
#define MLN_EXAMPLES_AT_MS INT64_C(1767225600000)

struct mln_example_failure {
    const struct mln_rule *rule;
    const struct mln_rule_example *example;
    struct mln_finding got; /* a rule that fails on an example fails it, whatever was expected */
};

struct mln_examples {
    size_t run;
    struct mln_example_failure *failures; /* in the arena */
    size_t n_failures;
};

/* Judges every example of every rule of the set by its rule. */
MLN_RESULT mln_examples_run(const struct mln_ruleset *set, struct mln_arena *arena, struct mln_examples *out);

/* Loads a directory and judges its examples. Appends the report: a line for each error ("FILE:LINE:COLUMN: text"), for
   each failed example, and a summary; or one JSON object {"passed", "rules", "examples", "version", "errors": [{"file",
   "line", "column", "text"}], "failures": [{"file", "line", "rule", "example", "expected", "got", "cause", "text"}]}.
   *passed: no error and no failure. Fails as mln_ruleset_load does. */
MLN_RESULT mln_policy_test(struct mln_str directory, bool json, struct mln_buf *out, bool *passed);

#endif
