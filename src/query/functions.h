/* What the files of scalar functions share: their form, and the ones that the table of functions.c takes from elsewhere. */
#ifndef MLN_QUERY_FUNCTIONS_H
#define MLN_QUERY_FUNCTIONS_H

#include "query/ast.h"

enum { KQL_MAX_ARGUMENTS = 64 };

#define KQL_FUNCTION(name)                                                                                             \
    struct mln_result name(struct kql_run *run, const struct kql_expr *expr, const struct mln_json *args, size_t n,    \
                           struct mln_json *out)
#define UNUSED_RUN (void)run, (void)expr, (void)n

/* The text of a text; p NULL for any other value. */
static inline struct mln_str kql_text_arg(struct mln_json v)
{
    return v.kind == MLN_JSON_STRING ? (struct mln_str){v.string, v.n} : (struct mln_str){NULL, 0};
}

/* functions_text.c */
KQL_FUNCTION(kql_change_case);
KQL_FUNCTION(kql_concat);
KQL_FUNCTION(kql_split);
KQL_FUNCTION(kql_replace);
KQL_FUNCTION(kql_substring);
KQL_FUNCTION(kql_length);
KQL_FUNCTION(kql_index_of);
KQL_FUNCTION(kql_trim);
KQL_FUNCTION(kql_extract);
KQL_FUNCTION(kql_matches_regex);

#endif
