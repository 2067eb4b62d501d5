#include "expr/zone.h"

#include "base/buf.h"
#include "base/time.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static const char database[] = "/usr/share/zoneinfo/";
enum { FILE_MOST = 64 << 10, TRANSITIONS_MOST = 4096, TYPES_MOST = 256, OFFSET_MOST = 26 * 3600, DAY = 86400 };

/* When a rule of the footer changes the clock: "M3.5.0/2", "J60", "59". */
struct change {
    char kind; /* M, J or 0 for a day of the year from 0 */
    int month, week, day;
    int32_t second; /* of local time, may be negative or beyond the day */
};

/* What holds after the last transition: "CET-1CEST,M3.5.0,M10.5.0/3". */
struct rule {
    bool known, has_summer;
    int32_t standard, summer; /* seconds east of UTC */
    struct change begin, end; /* of summer time */
};

struct mln_zone {
    int64_t *times; /* ascending: from here on the offset of the same place holds */
    int32_t *offsets;
    size_t n;
    int32_t first; /* before the first transition */
    struct rule rule;
};

void mln_zone_free(struct mln_zone *zone)
{
    if (!zone)
        return;
    free(zone->times);
    free(zone->offsets);
    free(zone);
}

static struct mln_result corrupt(const char *what)
{
    return mln_fail(MLN_E_CORRUPT, "not a TZif file: %s", what);
}

/* ---- the footer ---- */

static bool at_letter(struct mln_str s, size_t at)
{
    return at < s.n && ((s.p[at] >= 'A' && s.p[at] <= 'Z') || (s.p[at] >= 'a' && s.p[at] <= 'z'));
}

static bool skip_zone_name(struct mln_str s, size_t *at)
{
    size_t start = *at;
    if (*at < s.n && s.p[*at] == '<') {
        size_t close = mln_str_find(s, MLN_S(">"), *at);
        *at = close == SIZE_MAX ? s.n : close + 1;
        return close != SIZE_MAX;
    }
    while (at_letter(s, *at))
        ++*at;
    return *at > start;
}

static bool read_number(struct mln_str s, size_t *at, int most, int *out)
{
    size_t start = *at;
    for (*out = 0; *at < s.n && *at < start + 4 && s.p[*at] >= '0' && s.p[*at] <= '9'; ++*at)
        *out = *out * 10 + (s.p[*at] - '0');
    return *at > start && *out <= most;
}

static bool take(struct mln_str s, size_t *at, char sign)
{
    bool there = *at < s.n && s.p[*at] == sign;
    *at += there;
    return there;
}

/* "[+-]hh[:mm[:ss]]" in seconds. */
static bool read_clock(struct mln_str s, size_t *at, int hours_most, int32_t *out)
{
    int hours, minutes = 0, seconds = 0;
    bool negative = take(s, at, '-');
    if (!negative)
        take(s, at, '+');
    if (!read_number(s, at, hours_most, &hours) || (take(s, at, ':') && !read_number(s, at, 59, &minutes)) ||
        (take(s, at, ':') && !read_number(s, at, 59, &seconds)))
        return false;
    *out = (hours * 60 + minutes) * 60 + seconds;
    *out = negative ? -*out : *out;
    return true;
}

static bool read_change(struct mln_str s, size_t *at, struct change *c)
{
    *c = (struct change){.second = 2 * 3600};
    if (!take(s, at, ','))
        return false;
    if (take(s, at, 'M')) {
        c->kind = 'M';
        if (!read_number(s, at, 12, &c->month) || c->month < 1 || !take(s, at, '.') ||
            !read_number(s, at, 5, &c->week) || c->week < 1 || !take(s, at, '.') || !read_number(s, at, 6, &c->day))
            return false;
    } else {
        c->kind = take(s, at, 'J') ? 'J' : '0';
        if (!read_number(s, at, 365, &c->day) || (c->kind == 'J' && c->day < 1))
            return false;
    }
    return !take(s, at, '/') || read_clock(s, at, 167, &c->second);
}

/* In the footer offsets count westwards. */
static bool read_rule(struct mln_str s, struct rule *rule)
{
    size_t at = 0;
    int32_t west;
    *rule = (struct rule){.known = true};
    if (!skip_zone_name(s, &at) || !read_clock(s, &at, 24, &west))
        return false;
    rule->standard = -west;
    if (at == s.n)
        return true;
    rule->has_summer = true;
    rule->summer = rule->standard + 3600;
    if (!skip_zone_name(s, &at))
        return false;
    if (at < s.n && s.p[at] != ',') {
        if (!read_clock(s, &at, 24, &west))
            return false;
        rule->summer = -west;
    }
    return read_change(s, &at, &rule->begin) && read_change(s, &at, &rule->end) && at == s.n;
}

/* ---- the file ---- */

static uint64_t big_endian(const char *p, size_t bytes)
{
    uint64_t value = 0;
    for (size_t i = 0; i < bytes; i++)
        value = value << 8 | (unsigned char)p[i];
    return value;
}

enum { HEADER = 44, COUNTS_AT = 20 };

struct block { /* of a file: where its data are, and how many of each */
    size_t at, time_bytes;
    size_t ut, standard, leaps, times, types, letters;
};

static size_t block_bytes(const struct block *b)
{
    return b->times * (b->time_bytes + 1) + b->types * 6 + b->letters + b->leaps * (b->time_bytes + 4) + b->standard +
           b->ut;
}

/* Reads the header at b->at and moves b->at to the data, which are all inside of the file. */
static struct mln_result read_header(struct mln_str file, struct block *b, char *version)
{
    if (file.n - b->at < HEADER || memcmp(file.p + b->at, "TZif", 4) != 0)
        return corrupt("no header");
    const char *counts = file.p + b->at + COUNTS_AT;
    *version = file.p[b->at + 4];
    size_t *const into[] = {&b->ut, &b->standard, &b->leaps, &b->times, &b->types, &b->letters};
    for (size_t i = 0; i < 6; i++) {
        *into[i] = (size_t)big_endian(counts + 4 * i, 4);
        if (*into[i] > FILE_MOST)
            return corrupt("more than fits the file");
    }
    b->at += HEADER;
    if (block_bytes(b) > file.n - b->at)
        return corrupt("cut off");
    if (b->types == 0 || b->types > TYPES_MOST || b->times > TRANSITIONS_MOST)
        return corrupt("too many or no entries");
    return MLN_OK;
}

static struct mln_result offset_of_type(const char *types, const struct block *b, size_t type, int32_t *out)
{
    if (type >= b->types)
        return corrupt("no such type");
    *out = (int32_t)big_endian(types + 6 * type, 4);
    return *out > OFFSET_MOST || *out < -OFFSET_MOST ? corrupt("an offset of more than a day") : MLN_OK;
}

static struct mln_result read_block(struct mln_str file, const struct block *b, struct mln_zone *zone)
{
    const char *times = file.p + b->at, *indices = times + b->times * b->time_bytes, *types = indices + b->times;
    zone->times = calloc(b->times + 1, sizeof *zone->times);
    zone->offsets = calloc(b->times + 1, sizeof *zone->offsets);
    if (!zone->times || !zone->offsets)
        return mln_fail(MLN_E_MEMORY, "no memory for a time zone");
    MLN_TRY(offset_of_type(types, b, 0, &zone->first));
    for (zone->n = 0; zone->n < b->times; zone->n++) {
        uint64_t time = big_endian(times + zone->n * b->time_bytes, b->time_bytes);
        zone->times[zone->n] = b->time_bytes == 4 ? (int32_t)time : (int64_t)time;
        if (zone->n && zone->times[zone->n] <= zone->times[zone->n - 1])
            return corrupt("its times do not ascend");
        MLN_TRY(offset_of_type(types, b, (unsigned char)indices[zone->n], &zone->offsets[zone->n]));
    }
    return MLN_OK;
}

static struct mln_result read_footer(struct mln_str file, size_t at, struct mln_zone *zone)
{
    struct mln_str rest = mln_str_sub(file, at, file.n), rule;
    if (rest.n == 0 || rest.p[0] != '\n')
        return corrupt("no footer");
    rest = mln_str_sub(rest, 1, rest.n);
    size_t end = mln_str_find(rest, MLN_S("\n"), 0);
    if (end == SIZE_MAX)
        return corrupt("no footer");
    rule = mln_str_sub(rest, 0, end);
    if (rule.n && !read_rule(rule, &zone->rule))
        return corrupt("the rule of its footer");
    return MLN_OK;
}

struct mln_result mln_zone_read(struct mln_str file, struct mln_zone **out)
{
    struct block b = {.time_bytes = 4};
    char version;
    *out = NULL;
    MLN_CLEANUP(mln_zone_free) struct mln_zone *zone = calloc(1, sizeof *zone);
    if (!zone)
        return mln_fail(MLN_E_MEMORY, "no memory for a time zone");
    MLN_TRY(read_header(file, &b, &version));
    if (version >= '2') { /* the same again in 64 bits, and what comes after */
        b.at += block_bytes(&b);
        b.time_bytes = 8;
        MLN_TRY(read_header(file, &b, &version));
        MLN_TRY(read_footer(file, b.at + block_bytes(&b), zone));
    }
    MLN_TRY(read_block(file, &b, zone));
    *out = MLN_TAKE(zone);
    return MLN_OK;
}

/* ---- opening ---- */

/* "Area/Place": what cannot lead out of the database. */
static bool is_name(struct mln_str name)
{
    if (name.n == 0 || name.n >= MLN_ZONE_NAME_MOST)
        return false;
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        bool begins = i == 0 || name.p[i - 1] == '/';
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        bool sign = (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '+' || c == '/';
        if (begins ? !letter : !letter && !sign)
            return false;
    }
    return name.p[name.n - 1] != '/';
}

static struct mln_result read_all(int fd, struct mln_buf *out)
{
    struct stat status;
    if (fstat(fd, &status) != 0)
        return mln_fail_errno(errno, "cannot read a time zone");
    if (!S_ISREG(status.st_mode) || status.st_size > FILE_MOST)
        return corrupt("no plain file, or too large");
    MLN_TRY(mln_buf_reserve(out, FILE_MOST));
    for (ssize_t n; out->n < FILE_MOST; out->n += (size_t)n) {
        n = read(fd, out->p + out->n, FILE_MOST - out->n);
        if (n == 0)
            break;
        if (n < 0)
            return mln_fail_errno(errno, "cannot read a time zone");
    }
    return MLN_OK;
}

struct mln_result mln_zone_open(struct mln_str name, struct mln_zone **out)
{
    char path[sizeof database + MLN_ZONE_NAME_MOST];
    *out = NULL;
    struct mln_str shown = mln_str_sub(name, 0, 60);
    if (!is_name(name))
        return mln_fail(MLN_E_INVALID, "'%.*s' is not a time zone such as Europe/Paris, UTC or +05:30", MLN_FMT(shown));
    snprintf(path, sizeof path, "%s%.*s", database, MLN_FMT(name));
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0)
        return mln_fail(MLN_E_NOT_FOUND, "there is no time zone '%.*s' in %s", MLN_FMT(shown), database);
    MLN_BUF_CLEANUP struct mln_buf file = MLN_BUF(FILE_MOST);
    struct mln_result r = read_all(fd, &file);
    close(fd);
    MLN_TRY(r);
    return mln_zone_read(mln_buf_str(&file), out);
}

/* ---- offsets ---- */

static bool is_leap(int64_t year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

/* The day since 1970 on which a change falls in a year. */
static int64_t day_of_change(const struct change *c, int64_t year)
{
    int64_t first = mln_days_from_civil(year, 1, 1);
    if (c->kind == '0')
        return first + c->day;
    if (c->kind == 'J')
        return first + c->day - 1 + (is_leap(year) && c->day >= 60); /* J60 is always the first of March */
    first = mln_days_from_civil(year, c->month, 1);
    int64_t after = c->month == 12 ? mln_days_from_civil(year + 1, 1, 1) : mln_days_from_civil(year, c->month + 1, 1);
    int64_t weekday = ((first + 4) % 7 + 7) % 7;
    int64_t day = first + (c->day - weekday + 7) % 7 + 7 * (c->week - 1);
    return day >= after ? day - 7 : day;
}

static int32_t offset_by_rule(const struct rule *rule, int64_t seconds)
{
    if (!rule->has_summer)
        return rule->standard;
    int64_t local = seconds + rule->standard, year;
    int64_t day = local / DAY - (local % DAY < 0);
    int month, day_of_month;
    mln_civil_from_days(day, &year, &month, &day_of_month);
    int64_t begin = day_of_change(&rule->begin, year) * DAY + rule->begin.second - rule->standard;
    int64_t end = day_of_change(&rule->end, year) * DAY + rule->end.second - rule->summer;
    bool summer = begin < end ? seconds >= begin && seconds < end : seconds >= begin || seconds < end;
    return summer ? rule->summer : rule->standard;
}

int32_t mln_zone_offset(const struct mln_zone *zone, int64_t seconds)
{
    size_t from = 0, to = zone->n; /* the transitions at or before that time are those before `from` */
    while (from < to) {
        size_t middle = (from + to) / 2;
        if (zone->times[middle] <= seconds)
            from = middle + 1;
        else
            to = middle;
    }
    if (from == zone->n && zone->rule.known)
        return offset_by_rule(&zone->rule, seconds);
    return from == 0 ? zone->first : zone->offsets[from - 1];
}

/* ---- the zones of a run ---- */

struct mln_result mln_zones_get(struct mln_zones *zones, struct mln_str name, const struct mln_zone **out, bool *opened)
{
    *opened = false;
    for (size_t i = 0; i < MLN_ZONES_KEPT; i++)
        if (zones->kept[i].zone && mln_str_eq(name, (struct mln_str){zones->kept[i].name, zones->kept[i].n})) {
            *out = zones->kept[i].zone;
            return MLN_OK;
        }
    struct mln_zone *zone;
    *opened = true;
    MLN_TRY(mln_zone_open(name, &zone));
    size_t i = zones->next++ % MLN_ZONES_KEPT;
    mln_zone_free(zones->kept[i].zone);
    memcpy(zones->kept[i].name, name.p, name.n);
    zones->kept[i].n = name.n;
    *out = zones->kept[i].zone = zone;
    return MLN_OK;
}

void mln_zones_done(struct mln_zones *zones)
{
    for (size_t i = 0; i < MLN_ZONES_KEPT; i++)
        mln_zone_free(zones->kept[i].zone);
    *zones = (struct mln_zones){0};
}
