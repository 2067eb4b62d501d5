/* For tests that handle JSON: reading a text that must be good, and comparing a tree with the text it must be. */
#ifndef MLN_TESTS_CHECK_JSON_H
#define MLN_TESTS_CHECK_JSON_H

#include "check.h"

#include "json/writer.h"

static inline const struct mln_json *check_json(struct mln_arena *arena, const char *text)
{
    const struct mln_json *json = NULL;
    struct mln_result r = mln_json_parse(arena, mln_str_c(text), SIZE_MAX, &json);
    if (!mln_ok(r))
        fail_msg("%s: %s", text, mln_error_text());
    return json;
}

/* The tree, written without blanks, is exactly text. */
static inline void assert_json_text(const struct mln_json *json, const char *text)
{
    struct mln_buf out MLN_BUF_CLEANUP = MLN_BUF(64 << 20);
    assert_ok(mln_json_write(&out, json, false));
    assert_str(mln_buf_str(&out), text);
}

#endif
