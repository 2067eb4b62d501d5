/* The parser's state and helpers, shared by parse.c (operators) and parse_expr.c (expressions). */
#ifndef MLN_QUERY_PARSE_H
#define MLN_QUERY_PARSE_H

#include "query/ast.h"

#include "base/fields.h"

struct kql_parser {
    struct mln_kql_query *query;
    struct kql_lexer lexer;
    struct kql_token token; /* the one to look at */
    uint32_t depth, stages;
    bool in_summarize; /* aggregates are allowed here */
};

/* A failure "expected WANTED, found ...", with the place put into the query's error. */
struct mln_result kql_unexpected(struct kql_parser *p, const char *wanted);
MLN_RESULT kql_advance(struct kql_parser *p);
bool kql_at(const struct kql_parser *p, const char *text); /* the token is this word or mark, without case */
MLN_RESULT kql_accept(struct kql_parser *p, const char *text, bool *found);
MLN_RESULT kql_want(struct kql_parser *p, const char *text);
MLN_RESULT kql_want_word(struct kql_parser *p, const char *wanted, struct mln_str *out);
MLN_RESULT kql_new_expr(struct kql_parser *p, enum kql_expr_kind kind, struct kql_expr **out);
MLN_RESULT kql_parse_expr(struct kql_parser *p, struct kql_expr **out);
/* bare: a table name or a parenthesis only, without operators behind it. */
MLN_RESULT kql_parse_pipeline(struct kql_parser *p, bool bare, struct kql_pipeline **out);

#endif
