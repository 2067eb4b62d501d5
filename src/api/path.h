/*
 * Taking a request target apart: path segments, query strings and forms. Everything here reads hostile bytes.
 */
#ifndef MLN_API_PATH_H
#define MLN_API_PATH_H

#include "api/route.h"

/* Percent-decodes into the arena ('+' is a blank in forms and queries). SYNTAX for a bad escape, a control byte, or what
   is not UTF-8 once decoded. */
MLN_RESULT mln_percent_decode(struct mln_arena *arena, struct mln_str text, bool form, struct mln_str *out);

/* Splits a path on '/', then decodes each segment. Leading slashes are collapsed, one trailing slash is dropped. SYNTAX for
   an empty segment, ".", "..", a bad escape; LIMIT for more than MLN_MAX_SEGMENTS. "/" has no segments. */
MLN_RESULT mln_path_split(struct mln_arena *arena, struct mln_str path, struct mln_str segments[MLN_MAX_SEGMENTS],
                          size_t *n);

/* "a=1&b=2" with decoding; a name without '=' has the empty value. LIMIT for more than max pairs. */
MLN_RESULT mln_form_parse(struct mln_arena *arena, struct mln_str text, struct mln_pair *pairs, size_t max, size_t *n);
/* The value of the first pair of this name (exact), p NULL when there is none. */
struct mln_str mln_pair_find(const struct mln_pair *pairs, size_t n, const char *name);

/* Appends text so that it can stand in a query or path segment: all but letters, digits and -._~ escaped. */
MLN_RESULT mln_percent_encode(struct mln_buf *out, struct mln_str text);

/* A name as it stands in an ARM id: '/', '\\' and '%' escaped, so that it cannot pass for a longer path. In the arena; p
   NULL when that has no room. */
struct mln_str mln_path_segment(struct mln_arena *arena, struct mln_str name);

/* Fills id, scope, subscription, group, provider and the place of the route's tail from request->segments. Segments
   stand in id as mln_path_segment has them. */
MLN_RESULT mln_request_locate(struct mln_request *request);

#endif
