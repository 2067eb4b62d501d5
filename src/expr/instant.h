/*
 * Timestamps (0001-01-01 to 9999-12-31, to the nanosecond) and durations (int64 nanoseconds) of CEL: their texts, their
 * arithmetic and the parts of a date in a time zone.
 */
#ifndef MLN_EXPR_INSTANT_H
#define MLN_EXPR_INSTANT_H

#include "expr/run.h"

static inline mln_value mln_duration_value(int64_t nanoseconds)
{
    return (mln_value){.kind = MLN_VALUE_DURATION, .i = nanoseconds};
}
/* Each an error value when the result is out of range. */
mln_value mln_timestamp_value(struct mln_expr_run *run, int64_t seconds, uint32_t nanoseconds);
mln_value mln_timestamp_shift(struct mln_expr_run *run, const mln_value *t, int64_t nanoseconds, bool back);
mln_value mln_timestamp_difference(struct mln_expr_run *run, const mln_value *a, const mln_value *b);

/* RFC 3339 with up to 9 digits of fraction; an error value otherwise. */
mln_value mln_timestamp_parse(struct mln_expr_run *run, struct mln_str text);
/* "1h30m", "-1.5s", "100ms", "5us", "7ns": Go's form, as CEL has it. */
mln_value mln_duration_of_text(struct mln_expr_run *run, struct mln_str text);

enum { MLN_INSTANT_TEXT = 48 };
struct mln_str mln_timestamp_text(const mln_value *t, char out[MLN_INSTANT_TEXT]);
struct mln_str mln_duration_text(int64_t nanoseconds, char out[MLN_INSTANT_TEXT]); /* "1000000s", "-1.5s" */

struct mln_date {
    int64_t year, month, day, hour, minute, second; /* month and day from 1 */
    int64_t day_of_week;                            /* 0: Sunday */
    int64_t day_of_year;                            /* from 0 */
};
/* In UTC shifted by seconds. */
void mln_timestamp_date(const mln_value *t, int32_t offset_seconds, struct mln_date *out);
/* The offset of "UTC", "Z", "", "+05:30", "-08:00", "02:00"; false for anything else. */
bool mln_fixed_zone(struct mln_str zone, int32_t *offset_seconds);

#endif
