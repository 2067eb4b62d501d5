/* Time: UTC milliseconds since 1970 inside, RFC 3339 outside. The clock is passed in, so that tests can hold it still. */
#ifndef MLN_BASE_TIME_H
#define MLN_BASE_TIME_H

#include "base/str.h"

struct mln_clock {
    int64_t (*now_ms)(void *context); /* UTC milliseconds; may be called from any thread */
    void *context;
};

static inline int64_t mln_now_ms(const struct mln_clock *clock)
{
    return clock->now_ms(clock->context);
}

/* The machine's clock. */
extern const struct mln_clock mln_system_clock;
/* A clock that stands at *ms until the test moves it. */
struct mln_clock mln_fake_clock(int64_t *ms);

/* Milliseconds that never go back, for deadlines; unrelated to the date. */
int64_t mln_monotonic_ms(void);

enum { MLN_TIME_TEXT = 32 };
/* "2026-11-24T14:05:00.123Z" into out (MLN_TIME_TEXT bytes); without the fraction when it is 0. Returns a slice of out.
   Years outside 0..9999 are clamped. */
struct mln_str mln_time_text(int64_t ms, char out[MLN_TIME_TEXT]);

/* RFC 3339 with T or t, Z, z or an offset, 0 to 9 fraction digits (cut to milliseconds). A leap second counts as the
   next second. SYNTAX with the place otherwise. */
MLN_RESULT mln_time_parse(struct mln_str text, int64_t *ms);

/* ISO 8601 durations of days, hours, minutes and seconds ("PT3H", "P1DT12H", "PT0.5S"); years and months are INVALID. */
MLN_RESULT mln_duration_parse(struct mln_str text, int64_t *ms);

/* Days since 1970-01-01 of a date in the proleptic Gregorian calendar, and back. */
int64_t mln_days_from_civil(int64_t year, int month, int day);
void mln_civil_from_days(int64_t days, int64_t *year, int *month, int *day);

#endif
