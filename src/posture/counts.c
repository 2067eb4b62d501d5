#include "posture/counts.h"

static size_t size_bytes(const struct mln_catalog *catalog)
{
    return sizeof(struct mln_counts) +
           ((size_t)catalog->n_controls + catalog->n_rules) * sizeof(struct mln_control_counts) +
           (size_t)catalog->n_pairs * sizeof(int64_t);
}

struct mln_counts *mln_counts_new(const struct mln_catalog *catalog)
{
    struct mln_counts *counts = calloc(1, size_bytes(catalog));
    if (!counts)
        return NULL;
    counts->controls = (void *)(counts + 1);
    counts->rules = counts->controls + catalog->n_controls;
    counts->sole = (void *)(counts->rules + catalog->n_rules);
    return counts;
}

struct mln_counts *mln_counts_clone(const struct mln_catalog *catalog, const struct mln_counts *from)
{
    struct mln_counts *counts = mln_counts_new(catalog);
    if (!counts)
        return NULL;
    counts->weight = from->weight;
    memcpy(counts + 1, from + 1, size_bytes(catalog) - sizeof *from);
    return counts;
}

void mln_counts_free(struct mln_counts *counts)
{
    free(counts);
}

bool mln_counts_equal(const struct mln_catalog *catalog, const struct mln_counts *a, const struct mln_counts *b)
{
    return a->weight == b->weight && !memcmp(a + 1, b + 1, size_bytes(catalog) - sizeof *a);
}

/* Fills the tallies with the view's rules. */
static void tally(const struct mln_catalog *catalog, const struct mln_view *view, struct mln_tally *tallies)
{
    const struct mln_catalog_type *type = &catalog->types[view->type];
    memset(tallies, 0, catalog->n_controls * sizeof *tallies);
    for (uint32_t i = 0; i < type->n_rules; i++) {
        const struct mln_catalog_rule *rule = &catalog->rules[type->rules[i]];
        for (uint32_t k = 0; k < rule->n_controls; k++)
            mln_tally_change(&tallies[rule->controls[k]], mln_statuses_get(view->statuses, i), 1);
    }
}

static bool tallies_weigh(const struct mln_catalog *catalog, const struct mln_tally *tallies)
{
    for (uint32_t c = 0; c < catalog->n_controls; c++)
        if (tallies[c].healthy || tallies[c].unhealthy)
            return true;
    return false;
}

static bool is_empty(const struct mln_view *view)
{
    return view->type == MLN_NO_TYPE || !view->statuses;
}

bool mln_view_counts(const struct mln_catalog *catalog, const struct mln_view *view, struct mln_tally *tallies)
{
    if (is_empty(view))
        return false;
    tally(catalog, view, tallies);
    return tallies_weigh(catalog, tallies);
}

void mln_counts_add(struct mln_counts *counts, const struct mln_catalog *catalog, const struct mln_view *view,
                    struct mln_tally *tallies, int64_t times)
{
    if (is_empty(view))
        return;
    const struct mln_catalog_type *type = &catalog->types[view->type];
    tally(catalog, view, tallies);
    for (uint32_t i = 0; i < type->n_rules; i++) {
        const struct mln_catalog_rule *rule = &catalog->rules[type->rules[i]];
        unsigned status = mln_statuses_get(view->statuses, i);
        mln_counts_move(&counts->rules[type->rules[i]], MLN_NOT_ASSESSED, status, times);
        for (uint32_t k = 0; status == MLN_UNHEALTHY && k < rule->n_controls; k++)
            if (tallies[rule->controls[k]].unhealthy == 1)
                counts->sole[rule->first_pair + k] += times;
    }
    for (uint32_t c = 0; c < catalog->n_controls; c++)
        mln_counts_move(&counts->controls[c], MLN_NOT_ASSESSED, mln_tally_status(&tallies[c]), times);
    if (tallies_weigh(catalog, tallies))
        counts->weight += times;
}

struct mln_scope_score mln_counts_score(const struct mln_catalog *catalog, const struct mln_control_counts *controls,
                                        int64_t weight)
{
    struct mln_scope_score scope = {.weight = weight};
    for (uint32_t c = 0; c < catalog->n_controls; c++) {
        struct mln_control_score control = mln_score_control(catalog->controls[c].max_points, &controls[c]);
        scope.current += control.current;
        scope.max += control.max;
    }
    scope.percentage = scope.max > 0 ? (double)scope.current / (double)scope.max : 0;
    return scope;
}

mln_nanopoints mln_counts_increase(const struct mln_counts *counts, const struct mln_catalog *catalog, uint32_t rule)
{
    mln_nanopoints increase = 0;
    const struct mln_catalog_rule *r = &catalog->rules[rule];
    for (uint32_t k = 0; k < r->n_controls; k++) {
        struct mln_control_counts now = counts->controls[r->controls[k]], then = now;
        int32_t max = catalog->controls[r->controls[k]].max_points;
        mln_counts_move(&then, MLN_UNHEALTHY, MLN_HEALTHY, counts->sole[r->first_pair + k]);
        increase += mln_score_control(max, &then).current - mln_score_control(max, &now).current;
    }
    return increase;
}

mln_nanopoints mln_counts_share(const struct mln_counts *counts, const struct mln_catalog *catalog, uint32_t rule)
{
    mln_nanopoints share = 0;
    const struct mln_catalog_rule *r = &catalog->rules[rule];
    for (uint32_t k = 0; k < r->n_controls; k++)
        share += mln_score_share(catalog->controls[r->controls[k]].max_points, &counts->controls[r->controls[k]],
                                 counts->rules[rule].unhealthy);
    return share;
}
