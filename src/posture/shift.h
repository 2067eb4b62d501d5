/*
 * Two catalogs in one numbering, and what a resource that goes from one view to another moves: control by control, in the
 * fixed order of the rules' ids. This is where the causes of a score change come from: each step changes the counts of one
 * control because of one rule, and all steps together lead from the one view to the other. Pure.
 *
 * The shift of a catalog to itself serves a changed resource; the shift to another serves changed content.
 */
#ifndef MLN_POSTURE_SHIFT_H
#define MLN_POSTURE_SHIFT_H

#include "posture/catalog.h"
#include "score/score.h"

enum { MLN_NONE = UINT32_MAX };

struct mln_shift_control {
    struct mln_str id;
    uint32_t from, to; /* its number in the catalogs; MLN_NONE where it is not there */
};
struct mln_shift_rule {
    uint32_t from, to;
    bool changed;             /* another version, other controls, or only in one of the catalogs */
    const uint32_t *controls; /* of the shift, ascending: those that it counts in before or after */
    uint32_t n_controls, first_pair;
};

/* Immutable. It points into the catalogs, which must outlive it. */
struct mln_shift {
    const struct mln_catalog *from, *to;
    const struct mln_shift_control *controls;
    const struct mln_shift_rule *rules;          /* by id */
    const uint32_t *from_controls, *to_controls; /* catalog's number -> shift's number */
    const uint32_t *from_rules, *to_rules;
    uint32_t n_controls, n_rules, n_pairs;
    struct mln_arena *arena;
};

MLN_RESULT mln_shift_new(const struct mln_catalog *from, const struct mln_catalog *to, struct mln_shift **out);
void mln_shift_free(struct mln_shift *shift);
MLN_DEFINE_CLEANUP(struct mln_shift, mln_shift_free)

/* A resource in one control, while a view is taken apart rule by rule. Members: rules of the control for its type. */
struct mln_tally {
    uint32_t members, healthy, unhealthy;
};
/* What the resource is in the control: enum mln_status, or MLN_NOT_ASSESSED when the control has no rule for it. */
static inline unsigned mln_tally_status(const struct mln_tally *tally)
{
    return tally->members == 0 ? (unsigned)MLN_NOT_ASSESSED
           : tally->unhealthy  ? (unsigned)MLN_UNHEALTHY
           : tally->healthy    ? (unsigned)MLN_HEALTHY
                               : (unsigned)MLN_NOT_APPLICABLE;
}
/* Adds (1) or takes out (-1) one member with a status. */
void mln_tally_change(struct mln_tally *tally, unsigned status, int change);

/* One step: because of rule (MLN_NONE: because the resource came or went), a resource is `after` in control instead of
   `before` (enum mln_status or MLN_NOT_ASSESSED). Numbers are the shift's, pair is that of rule and control. from, to: the
   rule's status on the resource. */
struct mln_step {
    uint32_t rule, control, pair;
    unsigned before, after;
    unsigned from, to;
};
typedef void (*mln_step_visit)(void *context, const struct mln_step *step);
/* Visits the steps from one view to another. NULL for a view: the resource is not there. tallies: scratch of
   shift->n_controls. Steps that change nothing in a control are left out. */
void mln_shift_walk(const struct mln_shift *shift, const struct mln_view *from, const struct mln_view *to,
                    struct mln_tally *tallies, mln_step_visit visit, void *context);

/* Moves one resource between the counts of a control, times sign (1 or -1). */
void mln_counts_move(struct mln_control_counts *counts, unsigned before, unsigned after, int64_t sign);

#endif
