/* The inside of the parser, for its two files: the grammar in cel_parse.c, the macros in cel_macro.c. */
#ifndef MLN_EXPR_CEL_PARSER_H
#define MLN_EXPR_CEL_PARSER_H

#include "base/vec.h"
#include "expr/cel_ast.h"
#include "expr/cel_lex.h"

struct mln_cel_nodes {
    struct mln_cel_node **at;
    size_t n, cap;
};

struct mln_cel_parser {
    struct mln_cel_lexer lexer;
    struct mln_arena *nodes;
    struct mln_cel_token token; /* the next one */
    uint32_t nesting;
    struct mln_result failed;
    uint32_t failed_at;
};

/* Notes the first failure; gives NULL. */
struct mln_cel_node *mln_cel_fail(struct mln_cel_parser *p, uint32_t at, struct mln_result failed);

/* A node over n operands and a target; NULL when one of them is, or when the tree becomes too high. */
struct mln_cel_node *mln_cel_make(struct mln_cel_parser *p, enum mln_cel_kind kind, uint32_t at,
                                  struct mln_cel_node *target, struct mln_cel_node *const *args, size_t n);

/* [target.]name(args): a call, or what the macro of that name makes of it. */
struct mln_cel_node *mln_cel_call(struct mln_cel_parser *p, uint32_t at, struct mln_cel_node *target,
                                  struct mln_str name, const struct mln_cel_nodes *args);

#endif
