/*
 * The newest facts: each section's JSON as it came from its collector, put together to one document when it is needed.
 */
#ifndef MLN_AGENT_REPORT_H
#define MLN_AGENT_REPORT_H

#include "agent/frames.h"
#include "agent/linux/facts.h"

struct mln_report;

MLN_RESULT mln_report_new(struct mln_report **out);
void mln_report_free(struct mln_report *report);
MLN_DEFINE_CLEANUP(struct mln_report, mln_report_free)

/* Takes one frame in. A value or reason replaces what the section had, its notes and count included. *changed is set, never
   cleared, when it says something new. Watches and END are passed over. */
MLN_RESULT mln_report_frame(struct mln_report *report, const struct mln_frame *frame, bool *changed);
/* Every section has a value or a reason, but for those that walk over the disks: they take long and are added later. */
bool mln_report_is_ready(const struct mln_report *report);

/* The document `facts` (docs/facts.md). Sections without a value stand in errors. only: one section's value alone, or
   MLN_SECTION_COUNT. */
MLN_RESULT mln_report_write(const struct mln_report *report, int64_t collected_ms, enum mln_section only,
                            struct mln_buf *out);

/* Collects one section of f's tree and appends what it says as frames, watches included when with_watches. The programs
   of the section have been gathered before. */
MLN_RESULT mln_report_collect(struct mln_facts *f, enum mln_section section, bool with_watches, struct mln_buf *frames);

/* Appends the frame that says who collects: version, user, whether it is root, whether in a container. */
MLN_RESULT mln_report_about(struct mln_buf *frames);

#endif
