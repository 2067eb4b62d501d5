/*
 * The parser of CEL: recursive descent over the grammar of the language definition
 * (https://github.com/google/cel-spec/blob/master/doc/langdef.md), with macros expanded as they are met.
 * Nesting and height are bounded. The first failure stops it; every function gives NULL from then on.
 */
#include "base/vec.h"
#include "expr/cel_ast.h"
#include "expr/cel_lex.h"

typedef struct mln_cel_node node;
typedef MLN_VEC(node *) node_list;

struct parser {
    struct mln_cel_lexer lexer;
    struct mln_arena *nodes;
    struct mln_cel_token token; /* the next one */
    uint32_t nesting;
    struct mln_result failed;
    uint32_t failed_at;
};

static node *parse_expression(struct parser *p);

/* ---- failures and memory ---- */

static node *fail(struct parser *p, uint32_t at, struct mln_result failed)
{
    if (mln_ok(p->failed)) {
        p->failed = failed;
        p->failed_at = at;
    }
    return NULL;
}

static node *unexpected(struct parser *p, const char *expected)
{
    if (!mln_ok(p->failed))
        return NULL;
    if (p->token.kind == MLN_T_END)
        return fail(p, p->token.at, mln_fail(MLN_E_SYNTAX, "found the end of the expression, expected %s", expected));
    return fail(
        p, p->token.at,
        mln_fail(MLN_E_SYNTAX, "found '%.*s', expected %s", MLN_FMT(mln_str_sub(p->token.text, 0, 40)), expected));
}

static void next(struct parser *p)
{
    if (!mln_ok(p->failed))
        return;
    struct mln_result r = mln_cel_lex(&p->lexer, &p->token);
    if (!mln_ok(r)) {
        fail(p, (uint32_t)p->lexer.at, r);
        p->token = (struct mln_cel_token){.kind = MLN_T_END, .at = (uint32_t)p->lexer.at};
    }
}

static bool at_sign(const struct parser *p, const char *sign)
{
    return p->token.kind == MLN_T_SIGN && mln_str_eq(p->token.text, mln_str_c(sign));
}

static bool take(struct parser *p, const char *sign)
{
    if (!at_sign(p, sign))
        return false;
    next(p);
    return true;
}

static bool expect(struct parser *p, const char *sign)
{
    char text[8];
    snprintf(text, sizeof text, "'%s'", sign);
    if (take(p, sign))
        return mln_ok(p->failed);
    unexpected(p, text);
    return false;
}

/* A node over n operands and a target; NULL when one of them is, or when the tree becomes too high. */
static node *make(struct parser *p, enum mln_cel_kind kind, uint32_t at, node *target, node *const *args, size_t n)
{
    if (!mln_ok(p->failed))
        return NULL;
    uint32_t height = target ? target->height : 0;
    for (size_t i = 0; i < n; i++) {
        if (!args[i])
            return NULL;
        height = args[i]->height > height ? args[i]->height : height;
    }
    if (height >= MLN_CEL_HEIGHT_MOST)
        return fail(p, at, mln_fail(MLN_E_LIMIT, "more than %d operations in a row", MLN_CEL_HEIGHT_MOST));
    node *made = mln_arena_alloc(p->nodes, sizeof *made);
    node **copy = made ? mln_arena_array(p->nodes, n, sizeof *copy) : NULL;
    if (!copy)
        return fail(p, at, mln_arena_failure(p->nodes));
    if (n)
        memcpy(copy, args, n * sizeof *copy);
    *made = (node){.kind = kind, .at = at, .height = height + 1, .target = target, .args = copy, .n = n};
    return made;
}

static node *literal(struct parser *p, uint32_t at, mln_value value)
{
    node *made = make(p, MLN_CEL_LITERAL, at, NULL, NULL, 0);
    if (made)
        made->literal = value;
    return made;
}

static node *operation(struct parser *p, uint32_t at, enum mln_operator op, node *x, node *y)
{
    node *args[] = {x, y};
    if (!x)
        return NULL;
    node *made = make(p, MLN_CEL_OPERATOR, at, NULL, args, (size_t)mln_op_operands(op));
    if (made)
        made->op = op;
    return made;
}

static bool push(struct parser *p, node_list *list, node *item)
{
    if (!item)
        return false;
    struct mln_result r = mln_vec_push(p->nodes, list, item);
    if (!mln_ok(r))
        fail(p, item->at, r);
    return mln_ok(r);
}

/* ---- macros ---- */

struct macro {
    const char *name;
    size_t args;
    size_t variables;
    enum mln_loop_kind loop;
    bool condition; /* a condition before the body */
};

static const struct macro macros[] = {
    {"all", 2, 1, MLN_LOOP_ALL, false},
    {"all", 3, 2, MLN_LOOP_ALL, false},
    {"exists", 2, 1, MLN_LOOP_EXISTS, false},
    {"exists", 3, 2, MLN_LOOP_EXISTS, false},
    {"exists_one", 2, 1, MLN_LOOP_EXISTS_ONE, false},
    {"exists_one", 3, 2, MLN_LOOP_EXISTS_ONE, false},
    {"existsOne", 2, 1, MLN_LOOP_EXISTS_ONE, false},
    {"existsOne", 3, 2, MLN_LOOP_EXISTS_ONE, false},
    {"map", 2, 1, MLN_LOOP_MAP, false},
    {"map", 3, 1, MLN_LOOP_MAP, true},
    {"filter", 2, 1, MLN_LOOP_FILTER, false},
    {"transformList", 3, 2, MLN_LOOP_MAP, false},
    {"transformList", 4, 2, MLN_LOOP_MAP, true},
    {"transformMap", 3, 2, MLN_LOOP_TRANSFORM_MAP, false},
    {"transformMap", 4, 2, MLN_LOOP_TRANSFORM_MAP, true},
};

static bool take_variable(struct parser *p, const node *arg, struct mln_str *name)
{
    if (arg->kind != MLN_CEL_NAME || arg->absolute) {
        fail(p, arg->at, mln_fail(MLN_E_SYNTAX, "a macro's variable must be a plain name"));
        return false;
    }
    *name = arg->name;
    return true;
}

static node *expand_loop(struct parser *p, uint32_t at, const struct macro *macro, node *target, node_list *args)
{
    node *body[2] = {args->at[args->n - 1], macro->condition ? args->at[args->n - 2] : NULL};
    node *made = make(p, MLN_CEL_LOOP, at, target, body, macro->condition ? 2 : 1);
    if (!made)
        return NULL;
    made->loop = macro->loop;
    made->n_variables = macro->variables;
    for (size_t i = 0; i < macro->variables; i++)
        if (!take_variable(p, args->at[i], &made->variables[i]))
            return NULL;
    if (macro->variables == 2 && mln_str_eq(made->variables[0], made->variables[1]))
        return fail(p, args->at[1]->at, mln_fail(MLN_E_INVALID, "both variables have the same name"));
    return made;
}

static node *expand_has(struct parser *p, uint32_t at, node_list *args)
{
    const node *arg = args->at[0];
    if (arg->kind != MLN_CEL_SELECT)
        return fail(p, arg->at, mln_fail(MLN_E_SYNTAX, "has() takes a field such as a.b"));
    node *made = make(p, MLN_CEL_HAS, at, arg->target, NULL, 0);
    if (made)
        made->name = arg->name;
    return made;
}

static node *expand_bind(struct parser *p, uint32_t at, node_list *args)
{
    node *made = make(p, MLN_CEL_LET, at, NULL, args->at + 1, 2);
    if (!made || !take_variable(p, args->at[0], &made->variables[0]))
        return NULL;
    made->n_variables = 1;
    return made;
}

/* A call, or what the macro of that name makes of it. */
static node *make_call(struct parser *p, uint32_t at, node *target, struct mln_str name, node_list *args)
{
    if (!mln_ok(p->failed))
        return NULL;
    if (!target && args->n == 1 && mln_str_eq(name, MLN_S("has")))
        return expand_has(p, at, args);
    if (target && target->kind == MLN_CEL_NAME && mln_str_eq(target->name, MLN_S("cel")) && args->n == 3 &&
        mln_str_eq(name, MLN_S("bind")))
        return expand_bind(p, at, args);
    for (size_t i = 0; target && i < sizeof macros / sizeof macros[0]; i++)
        if (args->n == macros[i].args && mln_str_eq(name, mln_str_c(macros[i].name)))
            return expand_loop(p, at, &macros[i], target, args);
    node *made = make(p, MLN_CEL_CALL, at, target, args->at, args->n);
    if (made)
        made->name = name;
    return made;
}

/* ---- primary expressions ---- */

static bool is_reserved(struct mln_str name)
{
    static const char *const words[] = {"as",        "break",  "const",  "continue", "else", "for",
                                        "function",  "if",     "import", "let",      "loop", "package",
                                        "namespace", "return", "var",    "void",     "while"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (mln_str_eq(name, mln_str_c(words[i])))
            return true;
    return false;
}

/* Expressions up to the closing sign; a comma may stand before it where the grammar has it. */
static bool parse_list(struct parser *p, const char *close, bool final_comma, node_list *out)
{
    while (!at_sign(p, close)) {
        if (!push(p, out, parse_expression(p)))
            return false;
        if (!take(p, ","))
            break;
        if (at_sign(p, close) && !final_comma) {
            unexpected(p, "an argument");
            return false;
        }
    }
    return expect(p, close);
}

static node *parse_map(struct parser *p, uint32_t at)
{
    node_list entries = {0};
    while (!at_sign(p, "}")) {
        if (!push(p, &entries, parse_expression(p)) || !expect(p, ":") || !push(p, &entries, parse_expression(p)))
            return NULL;
        if (!take(p, ","))
            break;
    }
    return expect(p, "}") ? make(p, MLN_CEL_MAP, at, NULL, entries.at, entries.n) : NULL;
}

static node *parse_name(struct parser *p, uint32_t at, bool absolute)
{
    struct mln_str name = p->token.text;
    if (p->token.kind != MLN_T_NAME)
        return unexpected(p, "a name after '.'");
    next(p);
    if (!absolute && (mln_str_eq(name, MLN_S("true")) || mln_str_eq(name, MLN_S("false"))))
        return literal(p, at, mln_value_bool(name.n == 4));
    if (!absolute && mln_str_eq(name, MLN_S("null")))
        return literal(p, at, mln_value_null());
    if (is_reserved(name))
        return fail(p, at, mln_fail(MLN_E_SYNTAX, "'%.*s' is a reserved word", MLN_FMT(name)));
    if (mln_str_eq(name, MLN_S("in")))
        return fail(p, at, mln_fail(MLN_E_SYNTAX, "found 'in', expected a value before it"));
    if (take(p, "(")) {
        node_list args = {0};
        return parse_list(p, ")", false, &args) ? make_call(p, at, NULL, name, &args) : NULL;
    }
    node *made = make(p, MLN_CEL_NAME, at, NULL, NULL, 0);
    if (!made)
        return NULL;
    made->name = name;
    made->absolute = absolute;
    return made;
}

static node *parse_primary(struct parser *p)
{
    uint32_t at = p->token.at;
    struct mln_cel_token token = p->token;
    node_list items = {0};
    if (token.kind == MLN_T_VALUE || token.kind == MLN_T_INT) {
        next(p);
        if (token.kind == MLN_T_INT && token.value.u > INT64_MAX)
            return fail(p, at, mln_fail(MLN_E_SYNTAX, "the number is too large for an int (a uint ends in u)"));
        return literal(p, at, token.kind == MLN_T_INT ? mln_value_int((int64_t)token.value.u) : token.value);
    }
    if (token.kind == MLN_T_NAME)
        return parse_name(p, at, false);
    if (take(p, "."))
        return parse_name(p, at, true);
    if (take(p, "(")) {
        node *inner = parse_expression(p);
        return inner && expect(p, ")") ? inner : NULL;
    }
    if (take(p, "["))
        return parse_list(p, "]", true, &items) ? make(p, MLN_CEL_LIST, at, NULL, items.at, items.n) : NULL;
    if (take(p, "{"))
        return parse_map(p, at);
    return unexpected(p, "a value");
}

/* ---- members, unary and binary operators ---- */

static bool names_a_type(const node *n)
{
    while (n->kind == MLN_CEL_SELECT)
        n = n->target;
    return n->kind == MLN_CEL_NAME;
}

static node *parse_selector(struct parser *p, node *target)
{
    uint32_t at = p->token.at;
    struct mln_str name = p->token.text;
    bool quoted = p->token.kind == MLN_T_QUOTED;
    if (p->token.kind != MLN_T_NAME && !quoted)
        return unexpected(p, "a member's name after '.'");
    next(p);
    if (!quoted && take(p, "(")) {
        node_list args = {0};
        return parse_list(p, ")", false, &args) ? make_call(p, at, target, name, &args) : NULL;
    }
    node *made = make(p, MLN_CEL_SELECT, at, target, NULL, 0);
    if (made)
        made->name = name;
    return made;
}

static node *parse_member(struct parser *p)
{
    node *n = parse_primary(p);
    while (n) {
        uint32_t at = p->token.at;
        if (take(p, ".")) {
            n = parse_selector(p, n);
        } else if (take(p, "[")) {
            node *index = parse_expression(p);
            n = index && expect(p, "]") ? operation(p, at, MLN_OP_INDEX, n, index) : NULL;
        } else if (at_sign(p, "{") && names_a_type(n)) {
            return fail(p, at,
                        mln_fail(MLN_E_UNSUPPORTED, "messages (Type{field: value}) are not supported; a map is "
                                                    "written {'field': value}"));
        } else {
            return n;
        }
    }
    return NULL;
}

/* "!!x", "--x"; the last minus before a number belongs to the number. */
static node *parse_unary(struct parser *p)
{
    enum { SIGNS_MOST = 256 };
    uint32_t places[SIGNS_MOST];
    size_t n = 0;
    const char *sign = at_sign(p, "!") ? "!" : at_sign(p, "-") ? "-" : NULL;
    for (; sign && at_sign(p, sign); next(p)) {
        if (n == SIGNS_MOST)
            return fail(p, p->token.at, mln_fail(MLN_E_LIMIT, "more than %d signs in a row", SIGNS_MOST));
        places[n++] = p->token.at;
    }
    node *x;
    bool negative = sign && *sign == '-';
    if (negative && p->token.kind == MLN_T_INT && p->token.value.u == (uint64_t)INT64_MAX + 1) {
        next(p);
        x = literal(p, places[--n], mln_value_int(INT64_MIN));
    } else {
        x = parse_member(p);
    }
    while (x && n-- > 0)
        x = operation(p, places[n], negative ? MLN_OP_NEGATE : MLN_OP_NOT, x, NULL);
    return x;
}

struct binary {
    const char *sign;
    int level;
    enum mln_operator op;
};

static const struct binary *binary_at(const struct parser *p, int level)
{
    static const struct binary operators[] = {
        {"<", 0, MLN_OP_LESS},     {"<=", 0, MLN_OP_LESS_EQUAL},
        {">", 0, MLN_OP_GREATER},  {">=", 0, MLN_OP_GREATER_EQUAL},
        {"==", 0, MLN_OP_EQUAL},   {"!=", 0, MLN_OP_NOT_EQUAL},
        {"in", 0, MLN_OP_IN},      {"+", 1, MLN_OP_ADD},
        {"-", 1, MLN_OP_SUBTRACT}, {"*", 2, MLN_OP_MULTIPLY},
        {"/", 2, MLN_OP_DIVIDE},   {"%", 2, MLN_OP_MODULO},
    };
    if (p->token.kind != MLN_T_SIGN && p->token.kind != MLN_T_NAME)
        return NULL;
    for (size_t i = 0; i < sizeof operators / sizeof operators[0]; i++)
        if (operators[i].level == level && mln_str_eq(p->token.text, mln_str_c(operators[i].sign)))
            return &operators[i];
    return NULL;
}

/* Level 0: relations, 1: sums, 2: products. All lean to the left. */
static node *parse_binary(struct parser *p, int level)
{
    node *x = level == 2 ? parse_unary(p) : parse_binary(p, level + 1);
    for (const struct binary *b; x && (b = binary_at(p, level));) {
        uint32_t at = p->token.at;
        next(p);
        node *y = level == 2 ? parse_unary(p) : parse_binary(p, level + 1);
        x = y ? operation(p, at, b->op, x, y) : NULL;
    }
    return x;
}

/* Terms joined by && or by ||, as one node. */
static node *parse_logic(struct parser *p, bool is_or)
{
    node_list terms = {0};
    uint32_t at = p->token.at;
    const char *sign = is_or ? "||" : "&&";
    do {
        if (terms.n == 1)
            at = terms.at[0]->at;
        if (!push(p, &terms, is_or ? parse_logic(p, false) : parse_binary(p, 0)))
            return NULL;
    } while (take(p, sign));
    return terms.n == 1 ? terms.at[0] : make(p, is_or ? MLN_CEL_OR : MLN_CEL_AND, at, NULL, terms.at, terms.n);
}

static node *parse_condition(struct parser *p)
{
    node *test = parse_logic(p, true);
    uint32_t at = p->token.at;
    if (!test || !take(p, "?"))
        return test;
    node *yes = parse_logic(p, true);
    if (!yes || !expect(p, ":"))
        return NULL;
    node *args[] = {test, yes, parse_expression(p)};
    return make(p, MLN_CEL_CONDITION, at, NULL, args, 3);
}

static node *parse_expression(struct parser *p)
{
    if (p->nesting >= MLN_CEL_NESTING_MOST)
        return fail(p, p->token.at, mln_fail(MLN_E_LIMIT, "nested deeper than %d levels", MLN_CEL_NESTING_MOST));
    p->nesting++;
    node *n = parse_condition(p);
    p->nesting--;
    return n;
}

struct mln_result mln_cel_parse(struct mln_str source, struct mln_arena *nodes, struct mln_arena *literals,
                                struct mln_cel_node **out, uint32_t *at)
{
    struct parser p = {.lexer = {source, literals, 0}, .nodes = nodes, .failed = MLN_OK};
    *out = NULL;
    *at = 0;
    if (source.n > MLN_CEL_SOURCE_MOST)
        return mln_fail(MLN_E_LIMIT, "an expression may have %d bytes, this one has %zu", MLN_CEL_SOURCE_MOST,
                        source.n);
    if (!mln_str_is_utf8(source))
        return mln_fail(MLN_E_SYNTAX, "the expression is not UTF-8");
    next(&p);
    node *n = parse_expression(&p);
    if (n && p.token.kind != MLN_T_END)
        unexpected(&p, "an operator or the end");
    *at = p.failed_at;
    *out = n;
    return p.failed;
}
