/*
 * The classic secure score, as pure arithmetic on counts. Source of the rules: docs/score.md.
 *
 * Points are held in nanopoints (1e-9 of a point, int64), rounded half away from zero once per control, so that sums and
 * differences of scores are exact and the causes of a change add up to the change.
 */
#ifndef MLN_SCORE_SCORE_H
#define MLN_SCORE_SCORE_H

#include "model/control.h"

typedef int64_t mln_nanopoints;
#define MLN_NANOPOINTS_A_POINT INT64_C(1000000000)

struct mln_control_counts { /* distinct resources */
    int64_t healthy, unhealthy, not_applicable;
};

struct mln_control_score {
    mln_nanopoints max, current, potential_increase; /* all 0 when the control has neither healthy nor unhealthy */
    bool counted;                                    /* enters the scope's sums */
};

struct mln_scope_score {
    mln_nanopoints max, current;
    double percentage; /* current / max, 0..1; 0 when max is 0 */
    int64_t weight;    /* distinct healthy + unhealthy resources of the scope */
};

/* max_points / (healthy + unhealthy) x healthy. Negative numbers count as 0. */
struct mln_control_score mln_score_control(int32_t max_points, const struct mln_control_counts *counts);
/* max_points / (healthy + unhealthy) x resources: what so many of the control's resources stand for; never more than
   max_points. */
mln_nanopoints mln_score_share(int32_t max_points, const struct mln_control_counts *counts, int64_t resources);
/* Sums over controls; weight is handed through. */
struct mln_scope_score mln_score_scope(const struct mln_control_score *controls, size_t n, int64_t weight);
/* sum(percentage x weight) / sum(weight); 0 without weight. */
double mln_score_over_scopes(const struct mln_scope_score *scopes, size_t n);

/* "3.33" with so many decimals (0 to 9), rounded half away from zero; "0" for zero; a value smaller than the last digit can
   show is "<0.01", or ">-0.01" when negative. Returns a slice of out. */
struct mln_str mln_score_text(mln_nanopoints points, int decimals, char out[32]);

#endif
