#include "base/time.h"

static int64_t system_now_ms(void *context)
{
    (void)context;
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

const struct mln_clock mln_system_clock = {system_now_ms, NULL};

static int64_t fake_now_ms(void *context)
{
    return __atomic_load_n((int64_t *)context, __ATOMIC_RELAXED);
}

struct mln_clock mln_fake_clock(int64_t *ms)
{
    return (struct mln_clock){fake_now_ms, ms};
}

int64_t mln_monotonic_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Both directions after Howard Hinnant, "chrono-compatible low-level date algorithms": years begin in March. */
int64_t mln_days_from_civil(int64_t year, int month, int day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

void mln_civil_from_days(int64_t days, int64_t *year, int *month, int *day)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t day_of_era = days - era * 146097;
    int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t m = (5 * day_of_year + 2) / 153;
    *day = (int)(day_of_year - (153 * m + 2) / 5 + 1);
    *month = (int)(m < 10 ? m + 3 : m - 9);
    *year = year_of_era + era * 400 + (*month <= 2);
}

enum { DAY_MS = 86400000 };

struct mln_str mln_time_text(int64_t ms, char out[MLN_TIME_TEXT])
{
    const int64_t first = mln_days_from_civil(0, 1, 1) * DAY_MS, last = mln_days_from_civil(10000, 1, 1) * DAY_MS - 1;
    ms = ms < first ? first : ms > last ? last : ms;
    int64_t days = ms / DAY_MS, in_day = ms % DAY_MS, year;
    if (in_day < 0)
        days--, in_day += DAY_MS;
    int month, day;
    mln_civil_from_days(days, &year, &month, &day);
    int n = snprintf(out, MLN_TIME_TEXT, "%04u-%02u-%02uT%02u:%02u:%02u", (unsigned)year % 10000, (unsigned)month % 100,
                     (unsigned)day % 100, (unsigned)(in_day / 3600000), (unsigned)(in_day / 60000 % 60),
                     (unsigned)(in_day / 1000 % 60));
    if (in_day % 1000)
        n += snprintf(out + n, (size_t)(MLN_TIME_TEXT - n), ".%03u", (unsigned)(in_day % 1000));
    n += snprintf(out + n, (size_t)(MLN_TIME_TEXT - n), "Z");
    return (struct mln_str){out, (size_t)n};
}

/* Exactly count digits at *at; advances. */
static bool digits(struct mln_str s, size_t *at, int count, int *out)
{
    int value = 0;
    for (int i = 0; i < count; i++, ++*at) {
        if (*at >= s.n || s.p[*at] < '0' || s.p[*at] > '9')
            return false;
        value = value * 10 + (s.p[*at] - '0');
    }
    *out = value;
    return true;
}

static bool literal(struct mln_str s, size_t *at, const char *any_of)
{
    if (*at >= s.n || !s.p[*at] || !strchr(any_of, s.p[*at]))
        return false;
    ++*at;
    return true;
}

static bool offset_of(struct mln_str s, size_t *at, int64_t *minutes)
{
    *minutes = 0;
    if (literal(s, at, "Zz"))
        return true;
    bool negative = *at < s.n && s.p[*at] == '-';
    int h, m;
    if (!literal(s, at, "+-") || !digits(s, at, 2, &h) || !literal(s, at, ":") || !digits(s, at, 2, &m) || h > 23 ||
        m > 59)
        return false;
    *minutes = negative ? -(h * 60 + m) : h * 60 + m;
    return true;
}

static int days_in(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return month == 2 && (year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)) ? 29 : days[month - 1];
}

struct mln_result mln_time_parse(struct mln_str text, int64_t *ms)
{
    size_t at = 0;
    int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, fraction_ms = 0;
    int64_t offset = 0;
    bool good = digits(text, &at, 4, &year) && literal(text, &at, "-") && digits(text, &at, 2, &month) &&
                literal(text, &at, "-") && digits(text, &at, 2, &day) && literal(text, &at, "Tt") &&
                digits(text, &at, 2, &hour) && literal(text, &at, ":") && digits(text, &at, 2, &minute) &&
                literal(text, &at, ":") && digits(text, &at, 2, &second);
    if (good && literal(text, &at, ".")) {
        int scale = 100, count = 0, digit;
        for (; count < 9 && digits(text, &at, 1, &digit); count++, scale /= 10)
            fraction_ms += digit * scale;
        good = count > 0;
    }
    good = good && offset_of(text, &at, &offset) && at == text.n;
    good = good && month >= 1 && month <= 12 && day >= 1 && day <= days_in(year, month) && hour <= 23 && minute <= 59 &&
           second <= 60;
    if (!good)
        return mln_fail(MLN_E_SYNTAX, "'%.*s' is not an RFC 3339 time such as 2026-11-24T14:05:00Z",
                        MLN_FMT(mln_str_sub(text, 0, 40)));
    *ms = ((mln_days_from_civil(year, month, day) * 24 + hour) * 60 + minute - offset) * 60000 + second * 1000 +
          fraction_ms;
    return MLN_OK;
}

/* One "<number><unit>" of a duration, in milliseconds of unit_ms. */
static bool duration_part(struct mln_str s, size_t *at, bool in_time, int *stage, int64_t *total)
{
    static const struct {
        char unit;
        bool time;
        int64_t ms;
    } units[] = {{'W', false, 7 * (int64_t)DAY_MS},
                 {'D', false, DAY_MS},
                 {'H', true, 3600000},
                 {'M', true, 60000},
                 {'S', true, 1000}};
    int64_t whole = 0, thousandths = 0;
    int count = 0, digit;
    for (; digits(s, at, 1, &digit); count++)
        if (__builtin_mul_overflow(whole, INT64_C(10), &whole) || __builtin_add_overflow(whole, (int64_t)digit, &whole))
            return false;
    bool fraction = count > 0 && literal(s, at, ".,");
    if (fraction && !digits(s, at, 1, &digit))
        return false;
    thousandths = fraction ? digit * 100 : 0;
    for (int64_t scale = 10; fraction && digits(s, at, 1, &digit); scale /= 10)
        thousandths += digit * scale;
    for (int u = *stage; count > 0 && *at < s.n && u < 5; u++) {
        int64_t part;
        if (s.p[*at] != units[u].unit || units[u].time != in_time)
            continue;
        if ((fraction && u != 4) || __builtin_mul_overflow(whole, units[u].ms, &part) ||
            __builtin_add_overflow(part, thousandths, &part) || __builtin_add_overflow(*total, part, total))
            return false;
        ++*at;
        *stage = u + 1;
        return true;
    }
    return false;
}

struct mln_result mln_duration_parse(struct mln_str text, int64_t *ms)
{
    size_t at = 0;
    int stage = 0;
    int64_t total = 0;
    bool in_time = false, good = literal(text, &at, "P") && at < text.n;
    while (good && at < text.n) {
        if (!in_time && literal(text, &at, "T")) {
            in_time = true;
            good = at < text.n;
            continue;
        }
        good = duration_part(text, &at, in_time, &stage, &total);
    }
    if (!good)
        return mln_fail(MLN_E_INVALID, "'%.*s' is not a duration such as PT3H or P1DT12H",
                        MLN_FMT(mln_str_sub(text, 0, 40)));
    *ms = total;
    return MLN_OK;
}
