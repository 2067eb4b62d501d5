/* Forms and query strings: what is read must come back the same from its encoded form. */
#include "api/path.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    MLN_CLEANUP(mln_arena_free) struct mln_arena *arena = mln_arena_new(1 << 22);
    MLN_BUF_CLEANUP struct mln_buf text = MLN_BUF(1 << 22);
    struct mln_pair pairs[MLN_MAX_QUERY], again[MLN_MAX_QUERY];
    size_t n, m;
    if (!mln_ok(mln_form_parse(arena, (struct mln_str){(const char *)data, size}, pairs, MLN_MAX_QUERY, &n)))
        return 0;
    for (size_t i = 0; i < n; i++)
        if (!mln_ok(mln_percent_encode(&text, pairs[i].name)) || !mln_ok(mln_buf_byte(&text, '=')) ||
            !mln_ok(mln_percent_encode(&text, pairs[i].value)) || !mln_ok(mln_buf_byte(&text, '&')))
            return 0;
    if (!mln_ok(mln_form_parse(arena, mln_buf_str(&text), again, MLN_MAX_QUERY, &m)) || n != m)
        abort();
    for (size_t i = 0; i < n; i++)
        if (!mln_str_eq(pairs[i].name, again[i].name) || !mln_str_eq(pairs[i].value, again[i].value))
            abort();
    return 0;
}
