/* Timestamps and durations. */
#include "expr/instant.h"
#include "expr/library.h"

mln_value mln_fn_timestamp_of_text(struct mln_expr_run *run, const mln_value *args)
{
    return mln_timestamp_parse(run, mln_value_str(*args));
}

mln_value mln_fn_timestamp_of_int(struct mln_expr_run *run, const mln_value *args)
{
    return mln_timestamp_value(run, args->i, 0);
}

mln_value mln_fn_duration_of_text(struct mln_expr_run *run, const mln_value *args)
{
    return mln_duration_of_text(run, mln_value_str(*args));
}

mln_value mln_fn_now(struct mln_expr_run *run, const mln_value *args)
{
    (void)args;
    int64_t ms = mln_now_ms(&run->clock), rest = ms % 1000;
    return mln_timestamp_value(run, ms / 1000 - (rest < 0), (uint32_t)(rest < 0 ? rest + 1000 : rest) * 1000000);
}

enum { ZONE_STEPS = 1000 }; /* of reading the file of a zone */

/* The date in UTC, or in a zone where one is given. */
static bool date_of(struct mln_expr_run *run, const mln_value *t, const mln_value *zone, struct mln_date *d,
                    mln_value *failed)
{
    const struct mln_zone *named;
    int32_t offset = 0;
    bool opened;
    if (zone && !mln_fixed_zone(mln_value_str(*zone), &offset)) {
        struct mln_result r = mln_zones_get(&run->zones, mln_value_str(*zone), &named, &opened);
        mln_run_charge(run, opened ? ZONE_STEPS : 0);
        if (!mln_ok(r)) {
            *failed = mln_run_error(run, "%s", mln_error_text());
            return false;
        }
        offset = mln_zone_offset(named, t->i);
    }
    mln_timestamp_date(t, offset, d);
    return true;
}

/* A part of a date as two functions: in UTC, and in the zone of the second argument. */
#define DATE_PART(function, expression)                                                                                \
    mln_value mln_fn_##function(struct mln_expr_run *run, const mln_value *args)                                       \
    {                                                                                                                  \
        struct mln_date d;                                                                                             \
        mln_value failed;                                                                                              \
        return date_of(run, args, NULL, &d, &failed) ? mln_value_int(expression) : failed;                             \
    }                                                                                                                  \
    mln_value mln_fn_##function##_in(struct mln_expr_run *run, const mln_value *args)                                  \
    {                                                                                                                  \
        struct mln_date d;                                                                                             \
        mln_value failed;                                                                                              \
        return date_of(run, args, &args[1], &d, &failed) ? mln_value_int(expression) : failed;                         \
    }

DATE_PART(full_year, d.year)
DATE_PART(month, d.month - 1)
DATE_PART(day_of_month, d.day - 1)
DATE_PART(date, d.day)
DATE_PART(day_of_week, d.day_of_week)
DATE_PART(day_of_year, d.day_of_year)
DATE_PART(hours, d.hour)
DATE_PART(minutes, d.minute)
DATE_PART(seconds, d.second)
DATE_PART(milliseconds, args->n / 1000000)

mln_value mln_fn_duration_hours(struct mln_expr_run *run, const mln_value *args)
{
    (void)run;
    return mln_value_int(args->i / INT64_C(3600000000000));
}

mln_value mln_fn_duration_minutes(struct mln_expr_run *run, const mln_value *args)
{
    (void)run;
    return mln_value_int(args->i / INT64_C(60000000000));
}

mln_value mln_fn_duration_seconds(struct mln_expr_run *run, const mln_value *args)
{
    (void)run;
    return mln_value_int(args->i / 1000000000);
}

mln_value mln_fn_duration_milliseconds(struct mln_expr_run *run, const mln_value *args)
{
    (void)run;
    return mln_value_int(args->i / 1000000 % 1000);
}
