/* Items that more than one group of routes answers with: a list handler or a writer that Resource Graph calls as well. */
#ifndef MLN_API_ITEMS_H
#define MLN_API_ITEMS_H

#include "api/route.h"

#define MLN_ASSESSMENT_TYPE "Microsoft.Security/assessments"

/* The members of an assessment's properties. */
void mln_put_assessment_properties(const struct mln_request *request, struct mln_json_writer *w,
                                   const struct mln_assessment *assessment, bool with_metadata, bool with_links);

/* The lists of a subscription's plans, scores and controls. */
MLN_RESULT mln_list_pricings(struct mln_request *request, struct mln_reply *reply);
MLN_RESULT mln_list_scores(struct mln_request *request, struct mln_reply *reply);
MLN_RESULT mln_list_controls(struct mln_request *request, struct mln_reply *reply);

#endif
