/*
 * Time zones by name, "Europe/Paris", from the system's database in /usr/share/zoneinfo, in the format of RFC 8536 (TZif).
 * Nothing global is touched: no TZ variable, no tzset. A zone is immutable.
 */
#ifndef MLN_EXPR_ZONE_H
#define MLN_EXPR_ZONE_H

#include "base/str.h"

struct mln_zone;

/* The zone of that name; NOT_FOUND when there is none (or no database), INVALID for what is no name, CORRUPT. */
MLN_RESULT mln_zone_open(struct mln_str name, struct mln_zone **out);
/* The zone that a TZif file describes; CORRUPT when it does not. */
MLN_RESULT mln_zone_read(struct mln_str file, struct mln_zone **out);
void mln_zone_free(struct mln_zone *zone);
MLN_DEFINE_CLEANUP(struct mln_zone, mln_zone_free)

/* Seconds east of UTC at a time, in seconds since 1970. */
int32_t mln_zone_offset(const struct mln_zone *zone, int64_t seconds);

/* The zones that one run has used last, so that a macro over many times opens its zone once. Zero to start. */
enum { MLN_ZONES_KEPT = 4, MLN_ZONE_NAME_MOST = 64 };
struct mln_zones {
    struct {
        char name[MLN_ZONE_NAME_MOST];
        size_t n;
        struct mln_zone *zone;
    } kept[MLN_ZONES_KEPT];
    size_t next; /* to be replaced */
};
/* The zone of that name, owned by the zones, valid until the next use; *opened tells whether a file had to be read. */
MLN_RESULT mln_zones_get(struct mln_zones *zones, struct mln_str name, const struct mln_zone **out, bool *opened);
void mln_zones_done(struct mln_zones *zones);

#endif
