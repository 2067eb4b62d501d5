/* Functions on lists. */
#include "expr/library.h"

/* Merges the sorted runs [from, middle) and [middle, to) of a into b. False: two items without an order. */
static bool merge(struct mln_expr_run *run, const mln_value *a, mln_value *b, size_t from, size_t middle, size_t to)
{
    size_t left = from, right = middle;
    for (size_t i = from; i < to; i++) {
        int order = -1;
        if (left < middle && right < to && !mln_value_order(run, &a[left], &a[right], &order))
            return false;
        bool take_left = right >= to || (left < middle && order <= 0);
        b[i] = take_left ? a[left++] : a[right++];
    }
    mln_run_charge(run, to - from);
    return true;
}

mln_value mln_fn_sort(struct mln_expr_run *run, const mln_value *args)
{
    size_t n = args->n;
    mln_value *from = mln_run_alloc(run, n, sizeof *from), *to = mln_run_alloc(run, n, sizeof *to);
    if (!from || !to)
        return mln_value_null();
    if (n)
        memcpy(from, args->items, n * sizeof *from);
    for (size_t width = 1; width < n && !mln_run_over(run); width *= 2) {
        for (size_t i = 0; i < n; i += 2 * width) {
            size_t middle = i + width < n ? i + width : n, end = i + 2 * width < n ? i + 2 * width : n;
            if (!merge(run, from, to, i, middle, end))
                return mln_run_error(run, "sort(): the items must all be of one type that has an order");
        }
        mln_value *swap = from;
        from = to;
        to = swap;
    }
    return mln_value_list(from, n);
}

mln_value mln_fn_distinct(struct mln_expr_run *run, const mln_value *args)
{
    mln_value *items = mln_run_alloc(run, args->n, sizeof *items);
    if (!items)
        return mln_value_null();
    size_t n = 0;
    for (size_t i = 0; i < args->n && !mln_run_over(run); i++) {
        bool seen = false;
        for (size_t j = 0; j < n && !seen; j++)
            seen = mln_value_equal(run, &items[j], &args->items[i]);
        if (!seen)
            items[n++] = args->items[i];
    }
    return mln_value_list(items, n);
}

mln_value mln_fn_reverse_list(struct mln_expr_run *run, const mln_value *args)
{
    mln_value *items = mln_run_alloc(run, args->n, sizeof *items);
    if (!items)
        return mln_value_null();
    mln_run_charge(run, args->n);
    for (size_t i = 0; i < args->n; i++)
        items[i] = args->items[args->n - 1 - i];
    return mln_value_list(items, args->n);
}

mln_value mln_fn_slice(struct mln_expr_run *run, const mln_value *args)
{
    int64_t from = args[1].i, to = args[2].i;
    if (from < 0 || from > to || to > args->n)
        return mln_run_error(run, "slice(): [%lld, %lld) is not inside of the list's %u items", (long long)from,
                             (long long)to, args->n);
    return mln_value_list(args->n ? args->items + from : NULL, (size_t)(to - from));
}

mln_value mln_fn_flatten(struct mln_expr_run *run, const mln_value *args)
{
    uint64_t n = 0;
    for (size_t i = 0; i < args->n; i++)
        n += args->items[i].kind == MLN_JSON_ARRAY ? args->items[i].n : 1;
    if (n > UINT32_MAX)
        return mln_run_error(run, "flatten(): the list would be too long");
    mln_run_charge(run, args->n + n);
    mln_value *items = mln_run_alloc(run, n, sizeof *items);
    if (!items)
        return mln_value_null();
    size_t at = 0;
    for (size_t i = 0; i < args->n; i++) {
        const mln_value *item = &args->items[i];
        if (item->kind != MLN_JSON_ARRAY) {
            items[at++] = *item;
        } else if (item->n) {
            memcpy(items + at, item->items, item->n * sizeof *items);
            at += item->n;
        }
    }
    return mln_value_list(items, n);
}
