/*
 * When which section is looked at: by its period, when a file of it changed, and not too often. A pure table over a
 * monotonic clock in milliseconds, so that tests can move the time.
 *
 * A change is followed at once (SETTLE_MS, so that a file is written whole), but a section whose files change all the time
 * is looked at only so often that looking takes a hundredth of the time. DEAR sections wait until the changes have ended
 * for a while (at most LONGEST_WAIT_MS), WALK sections follow their period alone.
 */
#ifndef MLN_AGENT_SCHEDULE_H
#define MLN_AGENT_SCHEDULE_H

#include "agent/linux/facts.h"
#include "agent/watch.h"

enum {
    MLN_SCHEDULE_SETTLE_MS = 20,
    MLN_SCHEDULE_QUIET_MS = 3000,
    MLN_SCHEDULE_LONGEST_WAIT_MS = 30000,
    MLN_SCHEDULE_LEAST_GAP_MS = 300,
    MLN_SCHEDULE_FIRST_WALK_MS = 60000, /* the first walk over the disks waits until the machine has started */
};

struct mln_schedule {
    struct {
        int64_t due_ms;                      /* by the period */
        int64_t changed_ms, first_change_ms; /* the last and the first change since the last look; 0: none */
        int64_t rest_until_ms;               /* no look for a change before */
        int64_t started_ms;                  /* of the look that goes on; 0: none */
    } sections[MLN_SECTION_COUNT];
};

/* Everything is due now, walks a minute later. */
void mln_schedule_start(struct mln_schedule *schedule, int64_t now_ms);
/* Everything is due now. */
void mln_schedule_all(struct mln_schedule *schedule, int64_t now_ms);
void mln_schedule_changed(struct mln_schedule *schedule, mln_section_set sections, int64_t now_ms);
/* The sections to look at now, all of one need, none that is being looked at; cheap or not; marked as begun. With those that
   are due go others whose time has nearly come: one process then does for all. */
mln_section_set mln_schedule_take(struct mln_schedule *schedule, bool cheap, int64_t now_ms);
/* The look at a section is over, and took took_ms of work. Its next one is due after its period. */
void mln_schedule_done(struct mln_schedule *schedule, enum mln_section section, int64_t now_ms, int64_t took_ms);
/* When to ask next; INT64_MAX: nothing is due by itself. */
int64_t mln_schedule_next_ms(const struct mln_schedule *schedule);

#endif
