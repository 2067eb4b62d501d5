/*
 * The counts behind one scope's score: distinct resources by status, per control and per rule. A resource is added or taken
 * out as a whole; what is counted follows from its statuses alone, so that counts kept by difference and counts made anew
 * are the same numbers.
 */
#ifndef MLN_POSTURE_COUNTS_H
#define MLN_POSTURE_COUNTS_H

#include "posture/shift.h"

/* Arrays by the numbers of one catalog. */
struct mln_counts {
    struct mln_control_counts *controls;
    struct mln_control_counts *rules;
    int64_t *sole;  /* a pair of rule and control: resources on which, in this control, this rule alone is unhealthy */
    int64_t weight; /* resources that are healthy or unhealthy in any control */
};

/* All zero. Heap memory, one block. NULL: no memory. */
struct mln_counts *mln_counts_new(const struct mln_catalog *catalog);
struct mln_counts *mln_counts_clone(const struct mln_catalog *catalog, const struct mln_counts *from);
void mln_counts_free(struct mln_counts *counts);
MLN_DEFINE_CLEANUP(struct mln_counts, mln_counts_free)
bool mln_counts_equal(const struct mln_catalog *catalog, const struct mln_counts *a, const struct mln_counts *b);

/* Counts times resources with this view (negative: takes them out). tallies: scratch of catalog->n_controls. */
void mln_counts_add(struct mln_counts *counts, const struct mln_catalog *catalog, const struct mln_view *view,
                    struct mln_tally *tallies, int64_t times);
/* True when the view is healthy or unhealthy in a control, and so has weight. */
bool mln_view_counts(const struct mln_catalog *catalog, const struct mln_view *view, struct mln_tally *tallies);

/* The score of these counts. */
struct mln_scope_score mln_counts_score(const struct mln_catalog *catalog, const struct mln_control_counts *controls,
                                        int64_t weight);

/* What a rule gains when every resource passes it and nothing else changes, and its share of its controls' potential
   (docs/score.md). */
mln_nanopoints mln_counts_increase(const struct mln_counts *counts, const struct mln_catalog *catalog, uint32_t rule);
mln_nanopoints mln_counts_share(const struct mln_counts *counts, const struct mln_catalog *catalog, uint32_t rule);

#endif
