/*
 * A streaming JSON writer into a buffer. It puts the commas and escapes the strings; nesting mistakes are INTERNAL.
 * Errors are sticky: write everything, then look at mln_json_writer_end once.
 */
#ifndef MLN_JSON_WRITER_H
#define MLN_JSON_WRITER_H

#include "base/buf.h"
#include "json/json.h"

struct mln_json_writer {
    struct mln_buf *out;
    struct mln_result failed; /* the first failure */
    uint8_t depth;
    uint64_t in_object[2], has_items[2]; /* one bit per level, MLN_JSON_MAX_DEPTH of them */
    bool after_name, complete;
    bool pretty; /* may be set before the first value: two spaces a level and a final newline */
    bool sorted; /* may be set: trees with their members in byte order of the names */
};

struct mln_json_writer mln_json_writer(struct mln_buf *out); /* appends to out */
void mln_json_begin_object(struct mln_json_writer *w);
void mln_json_end_object(struct mln_json_writer *w);
void mln_json_begin_array(struct mln_json_writer *w);
void mln_json_end_array(struct mln_json_writer *w);
void mln_json_name(struct mln_json_writer *w, struct mln_str name);
void mln_json_put_str(struct mln_json_writer *w, struct mln_str s); /* bytes that are not UTF-8 become U+FFFD */
void mln_json_put_i64(struct mln_json_writer *w, int64_t i);
void mln_json_put_u64(struct mln_json_writer *w, uint64_t u);
void mln_json_put_real(struct mln_json_writer *w, double d); /* shortest text that reads back; not finite: null */
void mln_json_put_bool(struct mln_json_writer *w, bool b);
void mln_json_put_null(struct mln_json_writer *w);
void mln_json_put_time(struct mln_json_writer *w, int64_t ms);
void mln_json_put_tree(struct mln_json_writer *w, const struct mln_json *json); /* NULL: null */
/* A text that is JSON already (from the store), unchecked. */
void mln_json_put_raw(struct mln_json_writer *w, struct mln_str json);

/* Name and value in one; the string form leaves the member out when s.p is NULL, the time form when ms is 0. */
void mln_json_member_str(struct mln_json_writer *w, const char *name, struct mln_str s);
void mln_json_member_i64(struct mln_json_writer *w, const char *name, int64_t i);
void mln_json_member_bool(struct mln_json_writer *w, const char *name, bool b);
void mln_json_member_real(struct mln_json_writer *w, const char *name, double d);
void mln_json_member_time(struct mln_json_writer *w, const char *name, int64_t ms);
void mln_json_member_tree(struct mln_json_writer *w, const char *name,
                          const struct mln_json *json); /* NULL: left out */

/* The first failure, or INTERNAL when something is still open. */
MLN_RESULT mln_json_writer_end(struct mln_json_writer *w);

/* A whole tree at once; pretty: two spaces a level and a final newline. */
MLN_RESULT mln_json_write(struct mln_buf *out, const struct mln_json *json, bool pretty);

/* The canonical form, for digests: members sorted by the bytes of their names at every level, no blanks. Trees that are
   exactly equal (also in the kind of each number) give the same bytes. */
MLN_RESULT mln_json_write_canonical(struct mln_buf *out, const struct mln_json *json);

#endif
