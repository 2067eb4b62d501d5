#include "agent/schedule.h"

static bool is_cheap(enum mln_section section)
{
    return mln_sections[section].cost == MLN_COST_CHEAP;
}

void mln_schedule_start(struct mln_schedule *schedule, int64_t now_ms)
{
    *schedule = (struct mln_schedule){0};
    for (enum mln_section i = 0; i < MLN_SECTION_COUNT; i++)
        schedule->sections[i].due_ms =
            now_ms + (mln_sections[i].cost == MLN_COST_WALK ? MLN_SCHEDULE_FIRST_WALK_MS : 0);
}

void mln_schedule_all(struct mln_schedule *schedule, int64_t now_ms)
{
    for (enum mln_section i = 0; i < MLN_SECTION_COUNT; i++)
        schedule->sections[i].due_ms = now_ms;
}

void mln_schedule_changed(struct mln_schedule *schedule, mln_section_set sections, int64_t now_ms)
{
    for (enum mln_section i = 0; i < MLN_SECTION_COUNT; i++) {
        if (!(sections >> i & 1) || mln_sections[i].cost == MLN_COST_WALK)
            continue;
        schedule->sections[i].changed_ms = now_ms;
        if (!schedule->sections[i].first_change_ms)
            schedule->sections[i].first_change_ms = now_ms;
    }
}

/* When the section is to be looked at, by period or change. */
static int64_t when(const struct mln_schedule *schedule, enum mln_section section)
{
    int64_t due = schedule->sections[section].due_ms, changed = schedule->sections[section].changed_ms;
    if (!changed)
        return due;
    bool cheap = is_cheap(section); /* changes that never end are not waited for for ever */
    int64_t at = changed + (cheap ? MLN_SCHEDULE_SETTLE_MS : MLN_SCHEDULE_QUIET_MS);
    int64_t latest = schedule->sections[section].first_change_ms +
                     (cheap ? MLN_SCHEDULE_LEAST_GAP_MS : MLN_SCHEDULE_LONGEST_WAIT_MS);
    at = at < latest ? at : latest;
    if (at < schedule->sections[section].rest_until_ms)
        at = schedule->sections[section].rest_until_ms;
    return at < due ? at : due;
}

static int64_t period_ms(enum mln_section section)
{
    return (int64_t)mln_sections[section].period_seconds * 1000;
}

mln_section_set mln_schedule_take(struct mln_schedule *schedule, bool cheap, int64_t now_ms)
{
    mln_section_set taken = 0;
    enum mln_section first = 0;
    while (first < MLN_SECTION_COUNT &&
           (is_cheap(first) != cheap || schedule->sections[first].started_ms || when(schedule, first) > now_ms))
        first++;
    for (enum mln_section i = first; i < MLN_SECTION_COUNT; i++) {
        int64_t early = i == first || !cheap ? 0 : period_ms(i) / 4;
        if (is_cheap(i) != cheap || schedule->sections[i].started_ms ||
            mln_sections[i].need != mln_sections[first].need || when(schedule, i) - early > now_ms)
            continue;
        taken |= UINT64_C(1) << i;
        schedule->sections[i].started_ms = now_ms;
        schedule->sections[i].changed_ms = schedule->sections[i].first_change_ms = 0;
    }
    return taken;
}

void mln_schedule_done(struct mln_schedule *schedule, enum mln_section section, int64_t now_ms, int64_t took_ms)
{
    int64_t rest = took_ms * 100 > MLN_SCHEDULE_LEAST_GAP_MS ? took_ms * 100 : MLN_SCHEDULE_LEAST_GAP_MS;
    rest = rest < MLN_SCHEDULE_LONGEST_WAIT_MS ? rest : MLN_SCHEDULE_LONGEST_WAIT_MS;
    schedule->sections[section].started_ms = 0;
    schedule->sections[section].due_ms = now_ms + period_ms(section);
    schedule->sections[section].rest_until_ms = now_ms + rest;
}

int64_t mln_schedule_next_ms(const struct mln_schedule *schedule)
{
    int64_t next = INT64_MAX;
    for (enum mln_section i = 0; i < MLN_SECTION_COUNT; i++)
        if (!schedule->sections[i].started_ms && when(schedule, i) < next)
            next = when(schedule, i);
    return next;
}
