/* sudoers(5): whatever is not understood is listed; lines stay within the text, lists within their limits. */
#include "agent/linux/sudoers.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mln_arena *arena MLN_CLEANUP(mln_arena_free) = mln_arena_new((size_t)64 << 20);
    struct mln_str text = {(const char *)data, size};
    struct mln_sudoers out;
    uint32_t lines = 1;
    for (size_t i = 0; i < size; i++)
        lines += data[i] == '\n';
    struct mln_result r = mln_sudoers_parse(text, arena, &out);
    if (!mln_ok(r)) {
        if (r.code != MLN_E_LIMIT)
            abort();
        return 0;
    }
    if (out.rules.n > MLN_SUDOERS_MAX_RULES)
        abort();
    for (size_t i = 0; i < out.rules.n; i++)
        if (!out.rules.at[i].commands.items.n || out.rules.at[i].commands.items.n > MLN_SUDOERS_MAX_ITEMS ||
            !out.rules.at[i].line || out.rules.at[i].line > lines)
            abort();
    for (size_t i = 0; i < out.unparsed.n; i++)
        if (!out.unparsed.at[i].line || out.unparsed.at[i].line > lines)
            abort();
    return 0;
}
