/* "did you mean": the candidate nearest to a mistyped word. */
#ifndef MLN_BASE_SUGGEST_H
#define MLN_BASE_SUGGEST_H

#include "base/str.h"

struct mln_suggestion { /* start with {.word = ...} */
    struct mln_str word;
    struct mln_str best; /* p NULL while nothing is near enough */
    size_t distance;
};

/* Edits between two words: insertions, deletions, replacements, swaps of neighbours (optimal string alignment), without
   ASCII case; SIZE_MAX for words of more than 64 bytes. */
size_t mln_str_distance(struct mln_str a, struct mln_str b);

/* Keeps candidate when it is nearer than the best so far, and near enough: a third of the word's length. */
void mln_suggest(struct mln_suggestion *suggestion, struct mln_str candidate);

/* " (did you mean 'x'?)" or "" into out. */
enum { MLN_SUGGEST_TEXT = 128 };
const char *mln_suggest_text(const struct mln_suggestion *suggestion, char out[MLN_SUGGEST_TEXT]);

#endif
