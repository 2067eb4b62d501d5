/* What text.c finds in a text, for mln_json_parse and its tests. Private to the room. */
#ifndef MLN_JSON_TEXT_H
#define MLN_JSON_TEXT_H

#include "base/buf.h"
#include "json/json.h"

struct mln_json_fault {
    enum mln_code code; /* SYNTAX, or LIMIT for what is nested too deeply */
    const char *reason; /* NULL: none, but for the range of numbers */
    size_t offset;
    size_t large_number_at; /* the first number that may be beyond a double, SIZE_MAX for none */
};

/* The first place where a text departs from RFC 8259, is not UTF-8, or is nested deeper than MLN_JSON_MAX_DEPTH. */
struct mln_json_fault mln_json_find_fault(struct mln_str text);

/* Appends the text with "e0" after each integer beyond 64 bits. A text that is no JSON gives some text that is none. */
MLN_RESULT mln_json_widen_integers(struct mln_str text, struct mln_buf *out);

#endif
