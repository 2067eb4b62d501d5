#include "score/score.h"

static int64_t at_least_zero(int64_t count)
{
    return count > 0 ? count : 0;
}

/* a / b rounded half away from zero, for a >= 0 and b > 0. */
static int64_t divide_rounded(__int128 a, __int128 b)
{
    return (int64_t)((a * 2 + b) / (b * 2));
}

struct mln_control_score mln_score_control(int32_t max_points, const struct mln_control_counts *counts)
{
    __int128 healthy = at_least_zero(counts->healthy);
    __int128 assessed = healthy + at_least_zero(counts->unhealthy);
    if (assessed == 0)
        return (struct mln_control_score){0};
    mln_nanopoints max = at_least_zero(max_points) * MLN_NANOPOINTS_A_POINT;
    mln_nanopoints current = divide_rounded(max * healthy, assessed);
    /* By difference, not by a rounding of its own: current and potential always make up the maximum. */
    return (struct mln_control_score){max, current, max - current, true};
}

mln_nanopoints mln_score_share(int32_t max_points, const struct mln_control_counts *counts, int64_t resources)
{
    __int128 assessed = (__int128)at_least_zero(counts->healthy) + at_least_zero(counts->unhealthy);
    if (assessed == 0)
        return 0;
    __int128 part = at_least_zero(resources) < assessed ? at_least_zero(resources) : assessed;
    return divide_rounded(at_least_zero(max_points) * MLN_NANOPOINTS_A_POINT * part, assessed);
}

struct mln_scope_score mln_score_scope(const struct mln_control_score *controls, size_t n, int64_t weight)
{
    struct mln_scope_score scope = {.weight = weight};
    for (size_t i = 0; i < n; i++) {
        if (!controls[i].counted)
            continue;
        scope.max += controls[i].max;
        scope.current += controls[i].current;
    }
    scope.percentage = scope.max > 0 ? (double)scope.current / (double)scope.max : 0;
    return scope;
}

double mln_score_over_scopes(const struct mln_scope_score *scopes, size_t n)
{
    double weighted = 0, weights = 0;
    for (size_t i = 0; i < n; i++) {
        double weight = (double)at_least_zero(scopes[i].weight);
        weighted += scopes[i].percentage * weight;
        weights += weight;
    }
    return weights > 0 ? weighted / weights : 0;
}

struct mln_str mln_score_text(mln_nanopoints points, int decimals, char out[32])
{
    decimals = decimals < 0 ? 0 : decimals > 9 ? 9 : decimals;
    uint64_t step = 1; /* nanopoints that the last shown digit stands for */
    for (int i = decimals; i < 9; i++)
        step *= 10;
    bool negative = points < 0;
    uint64_t size = negative ? 0 - (uint64_t)points : (uint64_t)points;
    uint64_t steps = size / step + (size % step * 2 >= step && step > 1);
    bool tiny = size > 0 && size < step;
    if (tiny)
        steps = 1;
    uint64_t a_point = (uint64_t)MLN_NANOPOINTS_A_POINT / step;
    const char *sign = tiny ? negative ? ">-" : "<" : negative ? "-" : "";
    int n;
    if (size == 0)
        n = snprintf(out, 32, "0");
    else if (decimals == 0)
        n = snprintf(out, 32, "%s%llu", sign, (unsigned long long)steps);
    else
        n = snprintf(out, 32, "%s%llu.%0*llu", sign, (unsigned long long)(steps / a_point), decimals,
                     (unsigned long long)(steps % a_point));
    return (struct mln_str){out, (size_t)n};
}
