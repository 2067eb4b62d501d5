/*
 * Patterns of matches(): the syntax of RE2, as CEL has it, run by PCRE2 with its JIT compiler. What RE2 does not know
 * (back references, look-around, recursion, atomic groups) is refused, so that a pattern means the same in any engine of
 * linear time. Matching has limits on steps and depth.
 */
#ifndef MLN_EXPR_REGEX_H
#define MLN_EXPR_REGEX_H

#include "base/str.h"

struct mln_regex; /* immutable, for any number of threads */

enum { MLN_REGEX_MAX_BYTES = 4096 };

/* SYNTAX with the place in the pattern; LIMIT when it is too long. */
MLN_RESULT mln_regex_compile(struct mln_str pattern, struct mln_regex **out);
void mln_regex_free(struct mln_regex *regex);
MLN_DEFINE_CLEANUP(struct mln_regex, mln_regex_free)

/* What one thread needs for matching, and the last pattern that was made while running. Zero to start. */
struct mln_regex_scratch {
    void *match_data, *context, *stack;
    struct mln_regex *last;
    char *last_pattern;
    size_t last_pattern_n;
};
void mln_regex_scratch_done(struct mln_regex_scratch *scratch);

/* Whether the pattern occurs in text, which must be valid UTF-8. LIMIT when that takes too many steps, MEMORY. */
MLN_RESULT mln_regex_find(const struct mln_regex *regex, struct mln_regex_scratch *scratch, struct mln_str text,
                          bool *found);
/* As above for a pattern known only now; the last one is kept. */
MLN_RESULT mln_regex_find_pattern(struct mln_str pattern, struct mln_regex_scratch *scratch, struct mln_str text,
                                  bool *found);

#endif
