/* Judging one resource by the rules of its type: a pure function of resource, rule set and clock. */
#ifndef MLN_POSTURE_ASSESS_H
#define MLN_POSTURE_ASSESS_H

#include "content/ruleset.h"

struct mln_finding { /* one rule on one resource */
    uint32_t rule;   /* index in the rule set */
    enum mln_status status;
    enum mln_cause cause;
    struct mln_str text; /* what was found, or why it is not applicable; p NULL when there is nothing to say */
};

/* Judges document (the whole resource: id, type, properties, ...) by the rules of its type, in the set's order.
   *findings is in the arena; none when no rule is for this type. A rule that fails on this resource yields a finding with
   MLN_CAUSE_RULE_FAILED and the error's text. LIMIT when the arena is used up. run must come from the type's env; NULL
   makes one for this call. */
MLN_RESULT mln_assess(const struct mln_ruleset *set, const struct mln_json *document, struct mln_expr_run *run,
                      const struct mln_clock *clock, struct mln_arena *arena, struct mln_finding **findings, size_t *n);

/* One rule alone, whatever the document's type: `needs`, then `applies`, then `healthy`. run must come from the env of the
   rule's type and have the document. Sets everything of *out but the rule's index. */
MLN_RESULT mln_assess_rule(const struct mln_rule *rule, const struct mln_json *document, struct mln_expr_run *run,
                           struct mln_arena *arena, struct mln_finding *out);

#endif
