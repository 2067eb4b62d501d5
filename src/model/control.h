/* The nouns of the secure score: severities, statuses, controls. */
#ifndef MLN_MODEL_CONTROL_H
#define MLN_MODEL_CONTROL_H

#include "base/fields.h"

enum mln_severity { MLN_SEVERITY_LOW, MLN_SEVERITY_MEDIUM, MLN_SEVERITY_HIGH, MLN_SEVERITY_CRITICAL };
extern const char *const mln_severity_words[]; /* "Low", "Medium", "High", "Critical", NULL */

enum mln_status { MLN_HEALTHY, MLN_UNHEALTHY, MLN_NOT_APPLICABLE };
extern const char *const mln_status_words[]; /* "Healthy", "Unhealthy", "NotApplicable", NULL */

/* Why an assessment is not applicable, as the API's status.cause. */
enum mln_cause {
    MLN_CAUSE_NONE,
    MLN_CAUSE_OFF_BY_RULE,   /* the rule's `applies` is false for this resource */
    MLN_CAUSE_NOT_COLLECTED, /* data that the rule reads is not there */
    MLN_CAUSE_RULE_FAILED,   /* the rule ended in an error on this resource */
    MLN_CAUSE_EXEMPT,
};
extern const char
    *const mln_cause_words[]; /* "", "OffByRule", "DataNotCollected", "EvaluationFailed", "Exempt", NULL */

struct mln_control {
    struct mln_str id;    /* GUID, the name of the control in the API */
    struct mln_str slug;  /* "secure-management-ports", what rules write */
    struct mln_str title; /* "Secure management ports" */
    struct mln_str description;
    int32_t max_points;
};

#endif
