/*
 * The parser and the scan that finds faults must agree on what JSON is; what is read must come back from both written
 * forms as it was.
 */
#include "json/text.h"
#include "json/writer.h"

enum { BUDGET_BYTES = 64 << 20, LARGEST_BYTES = 1 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_refusal(struct mln_str text)
{
    struct mln_json_fault fault = mln_json_find_fault(text);
    if (!fault.reason && fault.large_number_at == SIZE_MAX && text.n > 0)
        abort();
    if (fault.offset > text.n)
        abort();
}

static void check_round_trip(struct mln_arena *arena, const struct mln_json *json, int form)
{
    struct mln_buf out MLN_BUF_CLEANUP = MLN_BUF(256 << 20);
    const struct mln_json *again;
    if (!mln_ok(form == 2 ? mln_json_write_canonical(&out, json) : mln_json_write(&out, json, form == 1)))
        abort();
    if (!mln_ok(mln_json_parse(arena, mln_buf_str(&out), SIZE_MAX, &again)) || !mln_json_equal(json, again))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mln_str text = {(const char *)data, size};
    struct mln_arena *arena MLN_CLEANUP(mln_arena_free) = mln_arena_new(BUDGET_BYTES);
    const struct mln_json *json, *nothing;
    struct mln_result r = mln_json_parse(arena, text, LARGEST_BYTES, &json);
    if (!mln_ok(r)) {
        if (r.code == MLN_E_SYNTAX)
            check_refusal(text);
        else if (r.code != MLN_E_LIMIT)
            abort();
        return 0;
    }
    if (mln_json_find_fault(text).reason)
        abort();
    for (int form = 0; form < 3; form++)
        check_round_trip(arena, json, form);
    if (!mln_ok(mln_json_diff(arena, json, json, &nothing)) || nothing)
        abort();
    return 0;
}
