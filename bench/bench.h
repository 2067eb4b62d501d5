/* The clock of the benches and the form of their lines (bench/README.md). */
#ifndef MLN_BENCH_BENCH_H
#define MLN_BENCH_BENCH_H

#include "base/result.h"

#include <stdint.h>

/* What is compared is measured in turn, several times over, and the medians are printed: a machine has its moods, and
   so they fall on both sides. */
enum { BENCH_ROUNDS = 5, BENCH_MS = 300 };

static inline int bench_order(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Sorts them. */
static inline double bench_median(double values[BENCH_ROUNDS])
{
    qsort(values, BENCH_ROUNDS, sizeof values[0], bench_order);
    return values[BENCH_ROUNDS / 2];
}

static inline double bench_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static inline void bench_print(const char *name, double value, const char *unit)
{
    printf("bench: %s %.0f %s\n", name, value, unit);
}

static inline void bench_compare(const char *name, double value, const char *unit, const char *peer, double peer_value)
{
    printf("bench: %s %.0f %s (ratio %.2f to %s)\n", name, value, unit, value / peer_value, peer);
}

/* Ends the bench where something fails: a number measured on errors is worse than none. */
static inline void bench_need(struct mln_result r)
{
    if (mln_ok(r))
        return;
    fprintf(stderr, "%s: %s\n", mln_code_name(r.code), mln_error_text());
    exit(1);
}

#endif
