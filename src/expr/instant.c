#include "expr/instant.h"

enum { NS = 1000000000 };
static const int64_t first_second = -62135596800, last_second = 253402300799;

mln_value mln_timestamp_value(struct mln_expr_run *run, int64_t seconds, uint32_t nanoseconds)
{
    if (seconds < first_second || seconds > last_second)
        return mln_run_error(run, "timestamp out of range: it must be in the years 1 to 9999");
    return (mln_value){.kind = MLN_VALUE_TIMESTAMP, .n = nanoseconds, .i = seconds};
}

mln_value mln_timestamp_shift(struct mln_expr_run *run, const mln_value *t, int64_t nanoseconds, bool back)
{
    __int128 total = (__int128)t->i * NS + t->n + (back ? -(__int128)nanoseconds : nanoseconds);
    int64_t seconds = (int64_t)(total / NS);
    int64_t rest = (int64_t)(total % NS);
    if (rest < 0)
        seconds--, rest += NS;
    return mln_timestamp_value(run, seconds, (uint32_t)rest);
}

mln_value mln_timestamp_difference(struct mln_expr_run *run, const mln_value *a, const mln_value *b)
{
    __int128 d = ((__int128)a->i - b->i) * NS + (int64_t)a->n - (int64_t)b->n;
    if (d > INT64_MAX || d < INT64_MIN)
        return mln_run_error(run, "duration out of range");
    return mln_duration_value((int64_t)d);
}

/* The digits of a second's fraction, taken out of an RFC 3339 text: mln_time_parse reads milliseconds. */
static uint32_t nanoseconds_of(struct mln_str text)
{
    size_t at = mln_str_find(text, MLN_S("."), 0);
    uint32_t value = 0, scale = NS / 10;
    for (size_t i = at + 1; at != SIZE_MAX && i < text.n && text.p[i] >= '0' && text.p[i] <= '9'; i++, scale /= 10)
        value += (uint32_t)(text.p[i] - '0') * scale;
    return value;
}

mln_value mln_timestamp_parse(struct mln_expr_run *run, struct mln_str text)
{
    int64_t ms;
    if (!mln_ok(mln_time_parse(text, &ms)))
        return mln_run_error(run, "timestamp(): '%.*s' is not an RFC 3339 time in range",
                             MLN_FMT(mln_str_sub(text, 0, 60)));
    int64_t seconds = ms / 1000 - (ms % 1000 < 0);
    return mln_timestamp_value(run, seconds, nanoseconds_of(text));
}

static bool unit_of(struct mln_str text, size_t *at, int64_t *ns)
{
    static const struct {
        struct mln_str name;
        int64_t ns;
    } units[] = {{MLN_S("ns"), 1},
                 {MLN_S("us"), 1000},
                 {MLN_S("\xC2\xB5s"), 1000},
                 {MLN_S("ms"), 1000000},
                 {MLN_S("s"), NS},
                 {MLN_S("m"), 60 * (int64_t)NS},
                 {MLN_S("h"), 3600 * (int64_t)NS}};
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (mln_str_starts(mln_str_sub(text, *at, text.n), units[i].name)) {
            *at += units[i].name.n;
            *ns = units[i].ns;
            return true;
        }
    return false;
}

/* One "<number>[.<fraction>]<unit>". False when it is none or too large. */
static bool duration_part(struct mln_str text, size_t *at, __int128 *total)
{
    int64_t whole = 0, unit, fraction = 0, scale = 1;
    int digits = 0;
    for (; *at < text.n && text.p[*at] >= '0' && text.p[*at] <= '9'; ++*at, digits++)
        if (__builtin_mul_overflow(whole, INT64_C(10), &whole) ||
            __builtin_add_overflow(whole, (int64_t)(text.p[*at] - '0'), &whole))
            return false;
    if (*at < text.n && text.p[*at] == '.')
        for (++*at; *at < text.n && text.p[*at] >= '0' && text.p[*at] <= '9'; ++*at, digits++)
            if (scale < INT64_C(1000000000000))
                fraction = fraction * 10 + (text.p[*at] - '0'), scale *= 10;
    if (digits == 0 || !unit_of(text, at, &unit))
        return false;
    *total += (__int128)whole * unit + (__int128)fraction * unit / scale;
    return *total <= (__int128)INT64_MAX + 1;
}

mln_value mln_duration_of_text(struct mln_expr_run *run, struct mln_str text)
{
    size_t at = 0;
    bool negative = text.n && text.p[0] == '-';
    if (text.n && (text.p[0] == '-' || text.p[0] == '+'))
        at++;
    __int128 total = 0;
    bool good = at < text.n;
    if (mln_str_eq(mln_str_sub(text, at, text.n), MLN_S("0")))
        at = text.n;
    while (good && at < text.n)
        good = duration_part(text, &at, &total);
    if (!good || (!negative && total > INT64_MAX))
        return mln_run_error(run, "duration(): '%.*s' is not a duration in range such as 1h30m or 2.5s",
                             MLN_FMT(mln_str_sub(text, 0, 60)));
    return mln_duration_value((int64_t)(negative ? -total : total));
}

/* ".5" for half a second: without trailing zeros, nothing for none. */
static int fraction_text(char *out, size_t size, uint32_t nanoseconds)
{
    if (nanoseconds == 0)
        return 0;
    int n = snprintf(out, size, ".%09u", nanoseconds % NS);
    while (n > 0 && out[n - 1] == '0')
        n--;
    return n;
}

struct mln_str mln_timestamp_text(const mln_value *t, char out[MLN_INSTANT_TEXT])
{
    char seconds[MLN_TIME_TEXT];
    struct mln_str text = mln_time_text(t->i * 1000, seconds);
    int n = snprintf(out, MLN_INSTANT_TEXT, "%.*s", (int)text.n - 1, text.p);
    n += fraction_text(out + n, (size_t)(MLN_INSTANT_TEXT - n), t->n);
    out[n++] = 'Z';
    return (struct mln_str){out, (size_t)n};
}

struct mln_str mln_duration_text(int64_t nanoseconds, char out[MLN_INSTANT_TEXT])
{
    uint64_t size = nanoseconds < 0 ? 0 - (uint64_t)nanoseconds : (uint64_t)nanoseconds;
    int n = snprintf(out, MLN_INSTANT_TEXT, "%s%llu", nanoseconds < 0 ? "-" : "", (unsigned long long)(size / NS));
    n += fraction_text(out + n, (size_t)(MLN_INSTANT_TEXT - n), (uint32_t)(size % NS));
    out[n++] = 's';
    return (struct mln_str){out, (size_t)n};
}

void mln_timestamp_date(const mln_value *t, int32_t offset_seconds, struct mln_date *out)
{
    int64_t seconds = t->i + offset_seconds;
    int64_t days = seconds / 86400, in_day = seconds % 86400;
    if (in_day < 0)
        days--, in_day += 86400;
    int month, day;
    mln_civil_from_days(days, &out->year, &month, &day);
    out->month = month;
    out->day = day;
    out->hour = in_day / 3600;
    out->minute = in_day / 60 % 60;
    out->second = in_day % 60;
    out->day_of_week = ((days + 4) % 7 + 7) % 7; /* 1970-01-01 was a Thursday */
    out->day_of_year = days - mln_days_from_civil(out->year, 1, 1);
}

static bool two_digits(struct mln_str s, size_t at, int most, int *value)
{
    if (at + 2 > s.n || s.p[at] < '0' || s.p[at] > '9' || s.p[at + 1] < '0' || s.p[at + 1] > '9')
        return false;
    *value = (s.p[at] - '0') * 10 + (s.p[at + 1] - '0');
    return *value <= most;
}

bool mln_fixed_zone(struct mln_str zone, int32_t *offset_seconds)
{
    *offset_seconds = 0;
    if (zone.n == 0 || mln_str_eq(zone, MLN_S("UTC")) || mln_str_eq(zone, MLN_S("Z")))
        return true;
    bool sign = zone.p[0] == '+' || zone.p[0] == '-';
    struct mln_str rest = mln_str_sub(zone, sign, zone.n);
    int hours, minutes;
    if (rest.n != 5 || rest.p[2] != ':' || !two_digits(rest, 0, 23, &hours) || !two_digits(rest, 3, 59, &minutes))
        return false;
    *offset_seconds = (hours * 60 + minutes) * (zone.p[0] == '-' ? -60 : 60);
    return true;
}
