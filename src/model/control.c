#include "model/control.h"

const char *const mln_severity_words[] = {"Low", "Medium", "High", "Critical", NULL};
const char *const mln_status_words[] = {"Healthy", "Unhealthy", "NotApplicable", NULL};
const char *const mln_cause_words[] = {"", "OffByRule", "DataNotCollected", "EvaluationFailed", "Exempt", NULL};
