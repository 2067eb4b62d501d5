/*
 * What the counts need to know of a rule set: which rules a resource type has, and which controls each rule counts in. A
 * catalog outlives its rule set: its text is kept in the store, so that after an update of the content the engine still
 * knows what its counts were counts of.
 */
#ifndef MLN_POSTURE_CATALOG_H
#define MLN_POSTURE_CATALOG_H

#include "base/buf.h"
#include "content/ruleset.h"

enum { MLN_NO_TYPE = UINT32_MAX, MLN_RULE_MAX_CONTROLS = 32 };

struct mln_catalog_control {
    struct mln_str id; /* GUID */
    int32_t max_points;
};
struct mln_catalog_rule {
    struct mln_str id, key, version;
    const uint32_t *controls; /* those that it counts in, ascending; none when it is in preview */
    uint32_t n_controls;
    uint32_t first_pair; /* (rule, its k-th control) has the number first_pair + k in the catalog */
};
struct mln_catalog_type {
    struct mln_str name;
    const uint32_t *rules; /* ascending, and so by id */
    uint32_t n_rules;
};

/* Immutable. */
struct mln_catalog {
    struct mln_str version; /* of the rule set */
    const struct mln_catalog_control *controls;
    const struct mln_catalog_rule *rules; /* by id, numbered as in the rule set */
    const struct mln_catalog_type *types;
    uint32_t n_controls, n_rules, n_types, n_pairs;
    struct mln_arena *arena; /* owns all of it */
};

/* Copies what it needs from set. LIMIT: more rules or controls than fit, or a rule in more than MLN_RULE_MAX_CONTROLS. */
MLN_RESULT mln_catalog_of(const struct mln_ruleset *set, struct mln_catalog **out);
void mln_catalog_free(struct mln_catalog *catalog);
MLN_DEFINE_CLEANUP(struct mln_catalog, mln_catalog_free)

/* The catalog as JSON text, appended to out, and back. CORRUPT for a text that was not written so. */
MLN_RESULT mln_catalog_write(const struct mln_catalog *catalog, struct mln_buf *out);
MLN_RESULT mln_catalog_read(struct mln_str text, struct mln_catalog **out);

/* Orders numbers (uint32_t), for qsort and bsearch. */
int mln_by_number(const void *a, const void *b);

/* The number of a resource type, without case; MLN_NO_TYPE when there is no rule for it. */
uint32_t mln_catalog_type(const struct mln_catalog *catalog, struct mln_str name);

/* ---- the statuses of one resource: two bits a rule of its type, in the type's order ---- */

enum { MLN_NOT_ASSESSED = 3 }; /* beside the values of enum mln_status: nothing is known of this rule here */

static inline size_t mln_statuses_words(uint32_t n_rules)
{
    return (n_rules + 31) / 32;
}
static inline unsigned mln_statuses_get(const uint64_t *statuses, uint32_t rule)
{
    return (unsigned)(statuses[rule / 32] >> rule % 32 * 2 & 3);
}
static inline void mln_statuses_set(uint64_t *statuses, uint32_t rule, unsigned status)
{
    uint64_t *word = &statuses[rule / 32];
    *word = (*word & ~(UINT64_C(3) << rule % 32 * 2)) | (uint64_t)status << rule % 32 * 2;
}

/* One resource as a catalog sees it. statuses NULL: it is not there, or has no rules. */
struct mln_view {
    uint32_t type;
    const uint64_t *statuses;
};

#endif
