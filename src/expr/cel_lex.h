/* The tokens of CEL. */
#ifndef MLN_EXPR_CEL_LEX_H
#define MLN_EXPR_CEL_LEX_H

#include "expr/value.h"

enum mln_cel_token_kind {
    MLN_T_END,
    MLN_T_NAME,   /* text */
    MLN_T_QUOTED, /* `text`: a member name only */
    MLN_T_INT,    /* value.u: the size; the sign is an operator */
    MLN_T_VALUE,  /* value: any other literal */
    MLN_T_SIGN,   /* text: one of ( ) [ ] { } . , ? : + - * / % ! < > <= >= == != && || */
};

struct mln_cel_token {
    enum mln_cel_token_kind kind;
    uint32_t at;
    struct mln_str text; /* as written */
    mln_value value;
};

struct mln_cel_lexer {
    struct mln_str source;
    struct mln_arena *literals; /* decoded texts */
    size_t at;
};

/* The next token; at the end, END again and again. SYNTAX with lexer->at where it is wrong. */
MLN_RESULT mln_cel_lex(struct mln_cel_lexer *lexer, struct mln_cel_token *token);

#endif
