/* Functions on lists. */
#include "expr/library.h"
#include "expr/signature.h"

/* ---- sorting ---- */

/* Merges the sorted runs [from, middle) and [middle, to) of numbers of keys in a into b. False: two keys without an order. */
static bool merge(struct mln_expr_run *run, const mln_value *keys, const uint32_t *a, uint32_t *b, size_t from,
                  size_t middle, size_t to)
{
    size_t left = from, right = middle;
    for (size_t i = from; i < to; i++) {
        int order = -1;
        if (left < middle && right < to && !mln_value_order(run, &keys[a[left]], &keys[a[right]], &order))
            return false;
        bool take_left = right >= to || (left < middle && order <= 0);
        b[i] = take_left ? a[left++] : a[right++];
    }
    mln_run_charge(run, to - from);
    return true;
}

/* The items of a list in the order of their keys; equal ones stay in their order. */
static mln_value sorted(struct mln_expr_run *run, const mln_value *list, const mln_value *keys, const char *name)
{
    size_t n = list->n;
    uint32_t *from = mln_run_alloc(run, n, sizeof *from), *to = mln_run_alloc(run, n, sizeof *to);
    mln_value *items = mln_run_alloc(run, n, sizeof *items);
    if (!from || !to || !items)
        return mln_value_null();
    for (size_t i = 0; i < n; i++)
        from[i] = (uint32_t)i;
    for (size_t width = 1; width < n && !mln_run_over(run); width *= 2) {
        for (size_t i = 0; i < n && !mln_run_over(run); i += 2 * width) {
            size_t middle = i + width < n ? i + width : n, end = i + 2 * width < n ? i + 2 * width : n;
            if (!merge(run, keys, from, to, i, middle, end))
                return mln_run_error(run, "%s(): the %s must all be of one type that has an order", name,
                                     keys == list->items ? "items" : "keys");
        }
        uint32_t *swap = from;
        from = to;
        to = swap;
    }
    for (size_t i = 0; i < n && !mln_run_over(run); i++)
        items[i] = list->items[from[i]];
    return mln_value_list(items, n);
}

mln_value mln_fn_sort(struct mln_expr_run *run, const mln_value *args)
{
    return sorted(run, args, args->items, "sort");
}

/* What sortBy() is turned into: the list and the keys of its items. */
static mln_value sort_by(struct mln_expr_run *run, const mln_value *args)
{
    if (args[0].n != args[1].n)
        return mln_run_error(run, "sortBy(): takes a list");
    return sorted(run, &args[0], args[1].items, "sortBy");
}

const struct mln_function mln_function_sort_by = {
    "sortBy", MLN_FUNCTION_GLOBAL, {ARGS(LIST_OF(A), LIST), LIST_OF(A)}, 0, sort_by, "the items in the order of keys"};

/* ---- the rest ---- */

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

static mln_value flatten(struct mln_expr_run *run, const mln_value *list)
{
    uint64_t n = 0;
    for (size_t i = 0; i < list->n; i++)
        n += list->items[i].kind == MLN_JSON_ARRAY ? list->items[i].n : 1;
    if (n > UINT32_MAX)
        return mln_run_error(run, "flatten(): the list would be too long");
    mln_run_charge(run, list->n + n);
    mln_value *items = mln_run_alloc(run, n, sizeof *items);
    if (!items)
        return mln_value_null();
    size_t at = 0;
    for (size_t i = 0; i < list->n; i++) {
        const mln_value *item = &list->items[i];
        if (item->kind != MLN_JSON_ARRAY) {
            items[at++] = *item;
        } else if (item->n) {
            memcpy(items + at, item->items, item->n * sizeof *items);
            at += item->n;
        }
    }
    return mln_value_list(items, n);
}

mln_value mln_fn_flatten(struct mln_expr_run *run, const mln_value *args)
{
    return flatten(run, args);
}

static bool has_lists(const mln_value *list)
{
    for (size_t i = 0; i < list->n; i++)
        if (list->items[i].kind == MLN_JSON_ARRAY)
            return true;
    return false;
}

mln_value mln_fn_flatten_deep(struct mln_expr_run *run, const mln_value *args)
{
    mln_value list = args[0];
    if (args[1].i < 0)
        return mln_run_error(run, "flatten(): the number of levels is negative");
    for (int64_t level = 0; level < args[1].i && has_lists(&list) && !mln_run_over(run); level++)
        list = flatten(run, &list);
    return list;
}

mln_value mln_fn_first(struct mln_expr_run *run, const mln_value *args)
{
    return mln_run_optional(run, args->n ? &args->items[0] : NULL);
}

mln_value mln_fn_last(struct mln_expr_run *run, const mln_value *args)
{
    return mln_run_optional(run, args->n ? &args->items[args->n - 1] : NULL);
}

mln_value mln_fn_range(struct mln_expr_run *run, const mln_value *args)
{
    if (args->i < 0 || args->i > UINT32_MAX)
        return mln_run_error(run, "lists.range(): %lld is out of range", (long long)args->i);
    size_t n = (size_t)args->i;
    mln_run_charge(run, n);
    mln_value *items = mln_run_over(run) ? NULL : mln_run_alloc(run, n, sizeof *items);
    for (size_t i = 0; items && i < n; i++)
        items[i] = mln_value_int((int64_t)i);
    return items ? mln_value_list(items, n) : mln_value_null();
}

/* ---- lists as sets ---- */

static bool has_item(struct mln_expr_run *run, const mln_value *list, const mln_value *item)
{
    for (size_t i = 0; i < list->n && !mln_run_over(run); i++)
        if (mln_value_equal(run, &list->items[i], item))
            return true;
    return false;
}

static bool has_all(struct mln_expr_run *run, const mln_value *list, const mln_value *items)
{
    for (size_t i = 0; i < items->n && !mln_run_over(run); i++)
        if (!has_item(run, list, &items->items[i]))
            return false;
    return true;
}

mln_value mln_fn_set_contains(struct mln_expr_run *run, const mln_value *args)
{
    return mln_value_bool(has_all(run, &args[0], &args[1]));
}

mln_value mln_fn_set_equivalent(struct mln_expr_run *run, const mln_value *args)
{
    return mln_value_bool(has_all(run, &args[0], &args[1]) && has_all(run, &args[1], &args[0]));
}

mln_value mln_fn_set_intersects(struct mln_expr_run *run, const mln_value *args)
{
    for (size_t i = 0; i < args[1].n && !mln_run_over(run); i++)
        if (has_item(run, &args[0], &args[1].items[i]))
            return mln_value_bool(true);
    return mln_value_bool(false);
}
