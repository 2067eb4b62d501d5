/* The parsed form of a CEL text: what the parser makes and cel_lower.c turns into nodes of a program. */
#ifndef MLN_EXPR_CEL_AST_H
#define MLN_EXPR_CEL_AST_H

#include "expr/code.h"
#include "expr/ops.h"

enum mln_cel_kind {
    MLN_CEL_LITERAL,   /* literal */
    MLN_CEL_NAME,      /* name, absolute */
    MLN_CEL_SELECT,    /* target.name, target.?name where is_optional */
    MLN_CEL_HAS,       /* has(target.name) */
    MLN_CEL_CALL,      /* [target.]name(args) */
    MLN_CEL_OPERATOR,  /* op, args */
    MLN_CEL_AND,       /* args */
    MLN_CEL_OR,        /* args */
    MLN_CEL_CONDITION, /* args[0] ? args[1] : args[2] */
    MLN_CEL_LIST,      /* args, optional */
    MLN_CEL_MAP,       /* args: key, value, ...; optional */
    MLN_CEL_MESSAGE,   /* name { fields: args } */
    MLN_CEL_LOOP,      /* loop, target, variables, args: body[, condition] */
    MLN_CEL_LET,       /* variables[0], args: value, body */
    MLN_CEL_OPT_MAP,   /* target.optMap(variables[0], args[0]), optFlatMap where is_optional: the body is an optional */
    MLN_CEL_SORT_BY,   /* target.sortBy(variables[0], args[0]) */
};

struct mln_cel_node {
    enum mln_cel_kind kind;
    uint32_t at;     /* byte offset in the source */
    uint32_t height; /* of the tree below; bounded, so that walks may recurse */
    mln_value literal;
    struct mln_str name;
    bool absolute; /* written with a leading dot */
    bool is_optional;
    enum mln_operator op;
    enum mln_loop_kind loop;
    struct mln_str variables[2];
    size_t n_variables;
    struct mln_cel_node *target; /* NULL: none */
    struct mln_cel_node **args;
    size_t n;
    const uint64_t *optional;     /* the args (pairs of a map) written with '?'; NULL: none */
    const struct mln_str *fields; /* a name for each of args */
};

enum {
    MLN_CEL_SOURCE_MOST = 64 << 10,
    MLN_CEL_NESTING_MOST = 96, /* parentheses, brackets, arguments, branches of ?: */
    MLN_CEL_HEIGHT_MOST = 512, /* of the tree: operators in a row count as well */
};

/* Parses source (which must live as long as the nodes) into memory of the arenas: nodes for the compilation, literals for
   the program. SYNTAX, INVALID, UNSUPPORTED or LIMIT with the place in *at. */
MLN_RESULT mln_cel_parse(struct mln_str source, struct mln_arena *nodes, struct mln_arena *literals,
                         struct mln_cel_node **out, uint32_t *at);

#endif
