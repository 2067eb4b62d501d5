/*
 * Two documents, the first a target and a state, the second a patch and another state (the input is an array of both):
 * a patch that was made must lead exactly to the state it was made for, and a merge must do nothing when repeated.
 */
#include "json/writer.h"

enum { BUDGET_BYTES = 64 << 20, LARGEST_BYTES = 1 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_same_text(const struct mln_json *a, const struct mln_json *b)
{
    struct mln_buf left MLN_BUF_CLEANUP = MLN_BUF(256 << 20), right MLN_BUF_CLEANUP = MLN_BUF(256 << 20);
    if (!mln_ok(mln_json_write_canonical(&left, a)) || !mln_ok(mln_json_write_canonical(&right, b)) ||
        !mln_str_eq(mln_buf_str(&left), mln_buf_str(&right)))
        abort();
}

static void check_diff(struct mln_arena *arena, const struct mln_json *from, const struct mln_json *to)
{
    const struct mln_json *patch, *got;
    struct mln_result r = mln_json_diff(arena, from, to, &patch);
    if (r.code == MLN_E_INVALID || r.code == MLN_E_LIMIT)
        return; /* a null to set, or the budget */
    if (!mln_ok(r))
        abort();
    if (!patch) {
        check_same_text(from, to);
        return;
    }
    if (!mln_ok(mln_json_merge_patch(arena, from, patch, &got)))
        abort();
    check_same_text(got, to);
}

static void check_merge(struct mln_arena *arena, const struct mln_json *target, const struct mln_json *patch)
{
    const struct mln_json *once, *twice;
    if (!mln_ok(mln_json_merge_patch(arena, target, patch, &once)) ||
        !mln_ok(mln_json_merge_patch(arena, once, patch, &twice)))
        return;
    check_same_text(once, twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mln_str text = {(const char *)data, size};
    struct mln_arena *arena MLN_CLEANUP(mln_arena_free) = mln_arena_new(BUDGET_BYTES);
    const struct mln_json *pair;
    if (!mln_ok(mln_json_parse(arena, text, LARGEST_BYTES, &pair)) || !mln_json_is(pair, MLN_JSON_ARRAY) ||
        pair->n != 2)
        return 0;
    check_merge(arena, &pair->items[0], &pair->items[1]);
    check_diff(arena, &pair->items[0], &pair->items[1]);
    check_diff(arena, &pair->items[1], &pair->items[0]);
    return 0;
}
