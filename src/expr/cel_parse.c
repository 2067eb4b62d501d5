/*
 * The parser of CEL: recursive descent over the grammar of the language definition
 * (https://github.com/google/cel-spec/blob/master/doc/langdef.md), with macros expanded as they are met.
 * Nesting and height are bounded. The first failure stops it; every function gives NULL from then on.
 */
#include "base/bitset.h"
#include "expr/cel_parser.h"

typedef struct mln_cel_node node;
typedef struct mln_cel_nodes node_list;
typedef struct mln_cel_parser parser;

static node *parse_expression(parser *p);

/* ---- failures and memory ---- */

node *mln_cel_fail(parser *p, uint32_t at, struct mln_result failed)
{
    if (mln_ok(p->failed)) {
        p->failed = failed;
        p->failed_at = at;
    }
    return NULL;
}

static node *unexpected(parser *p, const char *expected)
{
    if (!mln_ok(p->failed))
        return NULL;
    if (p->token.kind == MLN_T_END)
        return mln_cel_fail(p, p->token.at,
                            mln_fail(MLN_E_SYNTAX, "found the end of the expression, expected %s", expected));
    return mln_cel_fail(
        p, p->token.at,
        mln_fail(MLN_E_SYNTAX, "found '%.*s', expected %s", MLN_FMT(mln_str_sub(p->token.text, 0, 40)), expected));
}

static void next(parser *p)
{
    if (!mln_ok(p->failed))
        return;
    struct mln_result r = mln_cel_lex(&p->lexer, &p->token);
    if (!mln_ok(r)) {
        mln_cel_fail(p, (uint32_t)p->lexer.at, r);
        p->token = (struct mln_cel_token){.kind = MLN_T_END, .at = (uint32_t)p->lexer.at};
    }
}

static bool at_sign(const parser *p, const char *sign)
{
    return p->token.kind == MLN_T_SIGN && mln_str_eq(p->token.text, mln_str_c(sign));
}

static bool take(parser *p, const char *sign)
{
    if (!at_sign(p, sign))
        return false;
    next(p);
    return true;
}

static bool expect(parser *p, const char *sign)
{
    char text[8];
    snprintf(text, sizeof text, "'%s'", sign);
    if (take(p, sign))
        return mln_ok(p->failed);
    unexpected(p, text);
    return false;
}

node *mln_cel_make(parser *p, enum mln_cel_kind kind, uint32_t at, node *target, node *const *args, size_t n)
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
        return mln_cel_fail(p, at, mln_fail(MLN_E_LIMIT, "more than %d operations in a row", MLN_CEL_HEIGHT_MOST));
    node *made = mln_arena_alloc(p->nodes, sizeof *made);
    node **copy = made ? mln_arena_array(p->nodes, n, sizeof *copy) : NULL;
    if (!copy)
        return mln_cel_fail(p, at, mln_arena_failure(p->nodes));
    if (n)
        memcpy(copy, args, n * sizeof *copy);
    *made = (node){.kind = kind, .at = at, .height = height + 1, .target = target, .args = copy, .n = n};
    return made;
}

static node *literal(parser *p, uint32_t at, mln_value value)
{
    node *made = mln_cel_make(p, MLN_CEL_LITERAL, at, NULL, NULL, 0);
    if (made)
        made->literal = value;
    return made;
}

static node *operation(parser *p, uint32_t at, enum mln_operator op, node *x, node *y)
{
    node *args[] = {x, y};
    if (!x)
        return NULL;
    node *made = mln_cel_make(p, MLN_CEL_OPERATOR, at, NULL, args, (size_t)mln_op_operands(op));
    if (made)
        made->op = op;
    return made;
}

static bool push(parser *p, node_list *list, node *item)
{
    if (!item)
        return false;
    struct mln_result r = mln_vec_push(p->nodes, list, item);
    if (!mln_ok(r))
        mln_cel_fail(p, item->at, r);
    return mln_ok(r);
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

/* Arguments up to the closing parenthesis. */
static bool parse_arguments(parser *p, node_list *out)
{
    while (!at_sign(p, ")")) {
        if (!push(p, out, parse_expression(p)))
            return false;
        if (!take(p, ","))
            break;
        if (at_sign(p, ")")) {
            unexpected(p, "an argument");
            return false;
        }
    }
    return expect(p, ")");
}

/* The entries of a list, map or message as they are read. */
struct entries {
    node_list nodes; /* keys and values of a map, values otherwise */
    MLN_VEC(struct mln_str) fields;
    MLN_VEC(bool) optional; /* an entry each */
};

/* A '?' before an entry. */
static bool take_optional(parser *p, struct entries *e)
{
    struct mln_result r = mln_vec_push(p->nodes, &e->optional, take(p, "?"));
    if (!mln_ok(r))
        mln_cel_fail(p, p->token.at, r);
    return mln_ok(r);
}

static node *make_entries(parser *p, enum mln_cel_kind kind, uint32_t at, const struct entries *e)
{
    node *made = mln_cel_make(p, kind, at, NULL, e->nodes.at, e->nodes.n);
    uint64_t *set = NULL;
    for (size_t i = 0; made && i < e->optional.n; i++) {
        if (!e->optional.at[i])
            continue;
        if (!set && !(set = mln_arena_array(p->nodes, mln_bitset_words(e->optional.n), sizeof *set)))
            return mln_cel_fail(p, at, mln_arena_failure(p->nodes));
        mln_bitset_add(set, i);
    }
    if (made) {
        made->optional = set;
        made->fields = e->fields.at;
    }
    return made;
}

static node *parse_list_literal(parser *p, uint32_t at)
{
    struct entries e = {0};
    while (!at_sign(p, "]")) {
        if (!take_optional(p, &e) || !push(p, &e.nodes, parse_expression(p)))
            return NULL;
        if (!take(p, ","))
            break;
    }
    return expect(p, "]") ? make_entries(p, MLN_CEL_LIST, at, &e) : NULL;
}

static node *parse_map(parser *p, uint32_t at)
{
    struct entries e = {0};
    while (!at_sign(p, "}")) {
        if (!take_optional(p, &e) || !push(p, &e.nodes, parse_expression(p)) || !expect(p, ":") ||
            !push(p, &e.nodes, parse_expression(p)))
            return NULL;
        if (!take(p, ","))
            break;
    }
    return expect(p, "}") ? make_entries(p, MLN_CEL_MAP, at, &e) : NULL;
}

/* "field: value, ...}" behind the name of a message type. */
static node *parse_message(parser *p, uint32_t at, struct mln_str name)
{
    struct entries e = {0};
    while (!at_sign(p, "}")) {
        if (!take_optional(p, &e))
            return NULL;
        struct mln_str field = p->token.text;
        if (p->token.kind != MLN_T_NAME && p->token.kind != MLN_T_QUOTED)
            return unexpected(p, "the name of a field");
        struct mln_result r = mln_vec_push(p->nodes, &e.fields, field);
        if (!mln_ok(r))
            return mln_cel_fail(p, p->token.at, r);
        next(p);
        if (!expect(p, ":") || !push(p, &e.nodes, parse_expression(p)))
            return NULL;
        if (!take(p, ","))
            break;
    }
    node *made = expect(p, "}") ? make_entries(p, MLN_CEL_MESSAGE, at, &e) : NULL;
    if (made)
        made->name = name;
    return made;
}

static node *parse_name(parser *p, uint32_t at, bool absolute)
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
        return mln_cel_fail(p, at, mln_fail(MLN_E_SYNTAX, "'%.*s' is a reserved word", MLN_FMT(name)));
    if (mln_str_eq(name, MLN_S("in")))
        return mln_cel_fail(p, at, mln_fail(MLN_E_SYNTAX, "found 'in', expected a value before it"));
    if (take(p, "(")) {
        node_list args = {0};
        return parse_arguments(p, &args) ? mln_cel_call(p, at, NULL, name, &args) : NULL;
    }
    node *made = mln_cel_make(p, MLN_CEL_NAME, at, NULL, NULL, 0);
    if (!made)
        return NULL;
    made->name = name;
    made->absolute = absolute;
    return made;
}

static node *parse_primary(parser *p)
{
    uint32_t at = p->token.at;
    struct mln_cel_token token = p->token;
    if (token.kind == MLN_T_VALUE || token.kind == MLN_T_INT) {
        next(p);
        if (token.kind == MLN_T_INT && token.value.u > INT64_MAX)
            return mln_cel_fail(p, at, mln_fail(MLN_E_SYNTAX, "the number is too large for an int (a uint ends in u)"));
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
        return parse_list_literal(p, at);
    if (take(p, "{"))
        return parse_map(p, at);
    return unexpected(p, "a value");
}

/* ---- members, unary and binary operators ---- */

/* "a.b.C" of a chain of names, in memory of the nodes; p NULL: it is no such chain (without a failure), or no memory. */
static struct mln_str type_name(parser *p, const node *n)
{
    struct mln_str name = {NULL, 0};
    if (n->kind == MLN_CEL_NAME) {
        name = n->absolute ? mln_str_printf(p->nodes, ".%.*s", MLN_FMT(n->name)) : n->name;
    } else if (n->kind == MLN_CEL_SELECT && !n->is_optional) {
        struct mln_str before = type_name(p, n->target);
        if (!before.p)
            return before;
        name = mln_str_printf(p->nodes, "%.*s.%.*s", MLN_FMT(before), MLN_FMT(n->name));
    } else {
        return name;
    }
    if (!name.p)
        mln_cel_fail(p, n->at, mln_arena_failure(p->nodes));
    return name;
}

static node *parse_selector(parser *p, node *target)
{
    bool optional = take(p, "?");
    uint32_t at = p->token.at;
    struct mln_str name = p->token.text;
    bool quoted = p->token.kind == MLN_T_QUOTED;
    if (p->token.kind != MLN_T_NAME && !quoted)
        return unexpected(p, "a member's name after '.'");
    next(p);
    if (!quoted && !optional && take(p, "(")) {
        node_list args = {0};
        return parse_arguments(p, &args) ? mln_cel_call(p, at, target, name, &args) : NULL;
    }
    node *made = mln_cel_make(p, MLN_CEL_SELECT, at, target, NULL, 0);
    if (!made)
        return NULL;
    made->name = name;
    made->is_optional = optional;
    return made;
}

static node *parse_index(parser *p, uint32_t at, node *target)
{
    enum mln_operator op = take(p, "?") ? MLN_OP_OPTIONAL_INDEX : MLN_OP_INDEX;
    node *index = parse_expression(p);
    return index && expect(p, "]") ? operation(p, at, op, target, index) : NULL;
}

static node *parse_member(parser *p)
{
    node *n = parse_primary(p);
    while (n) {
        uint32_t at = p->token.at;
        if (take(p, ".")) {
            n = parse_selector(p, n);
        } else if (take(p, "[")) {
            n = parse_index(p, at, n);
        } else if (at_sign(p, "{")) {
            struct mln_str name = type_name(p, n);
            if (!name.p)
                return mln_ok(p->failed) ? n : NULL;
            next(p);
            n = parse_message(p, at, name);
        } else {
            return n;
        }
    }
    return NULL;
}

/* "!!x", "--x"; the last minus before a number belongs to the number. */
static node *parse_unary(parser *p)
{
    enum { SIGNS_MOST = 256 };
    uint32_t places[SIGNS_MOST];
    size_t n = 0;
    const char *sign = at_sign(p, "!") ? "!" : at_sign(p, "-") ? "-" : NULL;
    for (; sign && at_sign(p, sign); next(p)) {
        if (n == SIGNS_MOST)
            return mln_cel_fail(p, p->token.at, mln_fail(MLN_E_LIMIT, "more than %d signs in a row", SIGNS_MOST));
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

static const struct binary *binary_at(const parser *p, int level)
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
static node *parse_binary(parser *p, int level)
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
static node *parse_logic(parser *p, bool is_or)
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
    return terms.n == 1 ? terms.at[0] : mln_cel_make(p, is_or ? MLN_CEL_OR : MLN_CEL_AND, at, NULL, terms.at, terms.n);
}

static node *parse_condition(parser *p)
{
    node *test = parse_logic(p, true);
    uint32_t at = p->token.at;
    if (!test || !take(p, "?"))
        return test;
    node *yes = parse_logic(p, true);
    if (!yes || !expect(p, ":"))
        return NULL;
    node *args[] = {test, yes, parse_expression(p)};
    return mln_cel_make(p, MLN_CEL_CONDITION, at, NULL, args, 3);
}

static node *parse_expression(parser *p)
{
    if (p->nesting >= MLN_CEL_NESTING_MOST)
        return mln_cel_fail(p, p->token.at,
                            mln_fail(MLN_E_LIMIT, "nested deeper than %d levels", MLN_CEL_NESTING_MOST));
    p->nesting++;
    node *n = parse_condition(p);
    p->nesting--;
    return n;
}

struct mln_result mln_cel_parse(struct mln_str source, struct mln_arena *nodes, struct mln_arena *literals,
                                struct mln_cel_node **out, uint32_t *at)
{
    parser p = {.lexer = {source, literals, 0}, .nodes = nodes, .failed = MLN_OK};
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
