/*
 * The newest facts: each section's JSON as it came from its collector, put together to one document when it is needed.
 */
#ifndef MLN_AGENT_REPORT_H
#define MLN_AGENT_REPORT_H

#include "agent/frames.h"
#include "agent/linux/facts.h"

struct mln_report;

/* What the document says about the agent itself. */
struct mln_agent_info {
    char user[64];
    bool root, containerised;
};
void mln_agent_info(struct mln_agent_info *out);

MLN_RESULT mln_report_new(struct mln_report **out);
void mln_report_free(struct mln_report *report);
MLN_DEFINE_CLEANUP(struct mln_report, mln_report_free)

/* Takes one frame in. A value or reason replaces what the section had, its notes and count included. *changed is set, never
   cleared, when it says something new. Watches and END are passed over. */
MLN_RESULT mln_report_frame(struct mln_report *report, const struct mln_frame *frame, bool *changed);
/* Every section has a value or a reason. */
bool mln_report_is_complete(const struct mln_report *report);

/* The document `facts` (docs/facts.md). Sections without a value stand in errors. only: one section's value alone, or
   MLN_SECTION_COUNT. */
MLN_RESULT mln_report_write(const struct mln_report *report, const struct mln_agent_info *agent, int64_t collected_ms,
                            enum mln_section only, struct mln_buf *out);

/* Collects one section of f's tree and appends what it says as frames, watches included when with_watches. The programs
   of the section have been gathered before. */
MLN_RESULT mln_report_collect(struct mln_facts *f, enum mln_section section, bool with_watches, struct mln_buf *frames);

#endif
