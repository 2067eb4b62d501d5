/*
 * From tokens to a pipeline of operators: the tabular half of the grammar. Expressions are in parse_expr.c.
 * One table says which word begins which operator and how it is read.
 */
#include "query/parse.h"

struct mln_result kql_unexpected(struct kql_parser *p, const char *wanted)
{
    p->query->error->line = p->token.line;
    p->query->error->position = p->token.position;
    p->query->error->token = p->token.text;
    if (p->token.kind == KQL_END)
        return kql_wrong(p->token.line, p->token.position, "expected %s, found the end of the query", wanted);
    return kql_wrong(p->token.line, p->token.position, "expected %s, found '%.*s'", wanted, MLN_FMT(p->token.text));
}

struct mln_result kql_advance(struct kql_parser *p)
{
    struct mln_result r = kql_lex(&p->lexer, &p->token);
    if (!mln_ok(r)) {
        p->query->error->line = p->lexer.line;
        p->query->error->position = (uint32_t)(p->lexer.at - p->lexer.line_start);
    }
    return r;
}

bool kql_at(const struct kql_parser *p, const char *text)
{
    return (p->token.kind == KQL_PUNCT || p->token.kind == KQL_WORD) &&
           mln_str_eq_nocase(p->token.text, mln_str_c(text));
}

struct mln_result kql_accept(struct kql_parser *p, const char *text, bool *found)
{
    *found = kql_at(p, text);
    return *found ? kql_advance(p) : MLN_OK;
}

struct mln_result kql_want(struct kql_parser *p, const char *text)
{
    if (kql_at(p, text))
        return kql_advance(p);
    char quoted[40];
    snprintf(quoted, sizeof quoted, "'%s'", text);
    return kql_unexpected(p, quoted);
}

struct mln_result kql_want_word(struct kql_parser *p, const char *wanted, struct mln_str *out)
{
    if (p->token.kind == KQL_PUNCT && kql_at(p, "[")) { /* ['a name'] */
        MLN_TRY(kql_advance(p));
        if (p->token.kind != KQL_TEXT)
            return kql_unexpected(p, "a quoted name");
        *out = mln_json_str(&p->token.value, MLN_S(""));
        MLN_TRY(kql_advance(p));
        return kql_want(p, "]");
    }
    if (p->token.kind != KQL_WORD)
        return kql_unexpected(p, wanted);
    *out = p->token.text;
    return kql_advance(p);
}

/* A name for a column whose expression has none: the last name in it, else Column1, as Kusto has it. */
static struct mln_result made_up_name(struct kql_parser *p, const struct kql_expr *e, size_t index, struct mln_str *out)
{
    if (e->kind == KQL_NAME) {
        *out = e->name;
    } else if (e->kind == KQL_MEMBER) {
        struct mln_str parent;
        MLN_TRY(made_up_name(p, e->args[0], index, &parent));
        MLN_TRY_STR(p->query->arena, *out,
                    mln_str_printf(p->query->arena, "%.*s_%.*s", MLN_FMT(parent), MLN_FMT(e->name)));
    } else if (e->kind == KQL_CALL && e->aggregate) {
        struct mln_str of = MLN_S("");
        if (e->n_args && e->args[0]->kind == KQL_NAME)
            of = e->args[0]->name;
        MLN_TRY_STR(p->query->arena, *out, mln_str_printf(p->query->arena, "%.*s_%.*s", MLN_FMT(e->name), MLN_FMT(of)));
    } else if (e->kind == KQL_CALL && e->n_args && e->args[0]->kind != KQL_LITERAL && e->function &&
               (mln_str_eq(e->name, MLN_S("bin")) || mln_str_starts(e->name, MLN_S("to")))) {
        return made_up_name(p, e->args[0], index, out);
    } else {
        MLN_TRY_STR(p->query->arena, *out, mln_str_printf(p->query->arena, "Column%zu", index + 1));
    }
    return MLN_OK;
}

/* name = expression, or an expression alone. */
static struct mln_result parse_named(struct kql_parser *p, size_t index, struct kql_named *out)
{
    struct kql_expr *e;
    bool assigned = false;
    MLN_TRY(kql_parse_expr(p, &e));
    *out = (struct kql_named){.expr = e};
    if (e->kind == KQL_NAME)
        MLN_TRY(kql_accept(p, "=", &assigned));
    if (!assigned)
        return made_up_name(p, e, index, &out->name);
    out->name = e->name;
    out->by_hand = true;
    return kql_parse_expr(p, &out->expr);
}

static struct mln_result parse_named_list(struct kql_parser *p, kql_named_list *out)
{
    for (bool more = true; more;) {
        struct kql_named named;
        MLN_TRY(parse_named(p, out->n, &named));
        MLN_TRY(mln_vec_push(p->query->arena, out, named));
        if (out->n > MLN_KQL_MAX_COLUMNS)
            return mln_fail(MLN_E_LIMIT, "more than %d columns", MLN_KQL_MAX_COLUMNS);
        MLN_TRY(kql_accept(p, ",", &more));
    }
    return MLN_OK;
}

static struct mln_result parse_where(struct kql_parser *p, struct kql_stage *s)
{
    return kql_parse_expr(p, &s->predicate);
}

static struct mln_result parse_columns(struct kql_parser *p, struct kql_stage *s)
{
    return parse_named_list(p, &s->columns);
}

static struct mln_result parse_take(struct kql_parser *p, struct kql_stage *s)
{
    return kql_parse_expr(p, &s->predicate);
}

static struct mln_result parse_nothing(struct kql_parser *p, struct kql_stage *s)
{
    (void)p, (void)s;
    return MLN_OK;
}

static struct mln_result parse_distinct(struct kql_parser *p, struct kql_stage *s)
{
    MLN_TRY(kql_accept(p, "*", &s->star));
    return s->star ? MLN_OK : parse_named_list(p, &s->columns);
}

static struct mln_result parse_order_list(struct kql_parser *p, struct kql_stage *s)
{
    for (bool more = true; more;) {
        struct kql_order order = {0};
        bool found;
        MLN_TRY(kql_parse_expr(p, &order.expr));
        MLN_TRY(kql_accept(p, "asc", &order.ascending));
        if (!order.ascending)
            MLN_TRY(kql_accept(p, "desc", &found));
        order.nulls_first = order.ascending;
        MLN_TRY(kql_accept(p, "nulls", &found));
        if (found) {
            MLN_TRY(kql_accept(p, "first", &order.nulls_first));
            if (!order.nulls_first)
                MLN_TRY(kql_want(p, "last"));
        }
        MLN_TRY(mln_vec_push(p->query->arena, &s->order, order));
        MLN_TRY(kql_accept(p, ",", &more));
    }
    return MLN_OK;
}

static struct mln_result parse_sort(struct kql_parser *p, struct kql_stage *s)
{
    MLN_TRY(kql_want(p, "by"));
    return parse_order_list(p, s);
}

static struct mln_result parse_top(struct kql_parser *p, struct kql_stage *s)
{
    MLN_TRY(kql_parse_expr(p, &s->predicate));
    return parse_sort(p, s);
}

static struct mln_result parse_summarize(struct kql_parser *p, struct kql_stage *s)
{
    p->in_summarize = true;
    if (!kql_at(p, "by"))
        MLN_TRY(parse_named_list(p, &s->columns));
    p->in_summarize = false;
    bool by;
    MLN_TRY(kql_accept(p, "by", &by));
    return by ? parse_named_list(p, &s->by) : MLN_OK;
}

static struct mln_result parse_mv_expand(struct kql_parser *p, struct kql_stage *s)
{
    for (bool more = true; more;) {
        struct kql_named named;
        MLN_TRY(parse_named(p, s->columns.n, &named));
        MLN_TRY(mln_vec_push(p->query->arena, &s->columns, named));
        bool to;
        MLN_TRY(kql_accept(p, "to", &to));
        if (to) {
            struct mln_str ignored; /* values are dynamic anyway */
            MLN_TRY(kql_want(p, "typeof"));
            MLN_TRY(kql_want(p, "("));
            MLN_TRY(kql_want_word(p, "a type", &ignored));
            MLN_TRY(kql_want(p, ")"));
        }
        MLN_TRY(kql_accept(p, ",", &more));
    }
    return MLN_OK;
}

/* parse expression with "text" name "text" name:type ... ; literal parts and columns alternate. */
static struct mln_result parse_parse(struct kql_parser *p, struct kql_stage *s)
{
    MLN_TRY(kql_parse_expr(p, &s->predicate));
    MLN_TRY(kql_want(p, "with"));
    while (p->token.kind == KQL_TEXT || p->token.kind == KQL_WORD || kql_at(p, "*")) {
        struct kql_named part = {0};
        if (p->token.kind == KQL_TEXT) {
            MLN_TRY(kql_new_expr(p, KQL_LITERAL, &part.expr));
            part.expr->value = p->token.value;
            MLN_TRY(kql_advance(p));
        } else if (kql_at(p, "*")) {
            MLN_TRY(kql_advance(p));
        } else {
            bool typed;
            MLN_TRY(kql_want_word(p, "a column", &part.name));
            MLN_TRY(kql_accept(p, ":", &typed));
            if (typed) {
                struct mln_str type;
                MLN_TRY(kql_new_expr(p, KQL_NAME, &part.expr));
                MLN_TRY(kql_want_word(p, "a type", &type));
                part.expr->name = type;
            }
        }
        MLN_TRY(mln_vec_push(p->query->arena, &s->columns, part));
    }
    return s->columns.n ? MLN_OK : kql_unexpected(p, "a text or a column");
}

static struct mln_result parse_join_key(struct kql_parser *p, struct kql_stage *s)
{
    struct mln_str left, right;
    if (!kql_at(p, "$left")) {
        MLN_TRY(kql_want_word(p, "a column", &left));
        right = left;
    } else {
        MLN_TRY(kql_advance(p));
        MLN_TRY(kql_want(p, "."));
        MLN_TRY(kql_want_word(p, "a column", &left));
        MLN_TRY(kql_want(p, "=="));
        MLN_TRY(kql_want(p, "$right"));
        MLN_TRY(kql_want(p, "."));
        MLN_TRY(kql_want_word(p, "a column", &right));
    }
    MLN_TRY(mln_vec_push(p->query->arena, &s->left_keys, left));
    return mln_vec_push(p->query->arena, &s->right_keys, right);
}

static struct mln_result parse_join(struct kql_parser *p, struct kql_stage *s)
{
    static const char *const kinds[] = {"innerunique", "inner",    "leftouter", "rightouter",
                                        "fullouter",   "leftanti", "leftsemi",  NULL};
    bool found;
    MLN_TRY(kql_accept(p, "kind", &found));
    if (found) {
        struct mln_str word;
        MLN_TRY(kql_want(p, "="));
        struct kql_token at = p->token;
        MLN_TRY(kql_want_word(p, "a kind of join", &word));
        int kind = mln_word_index(kinds, mln_str_eq_nocase(word, MLN_S("anti")) ? MLN_S("leftanti") : word);
        if (kind < 0) {
            p->token = at;
            return kql_unexpected(p, "innerunique, inner, leftouter, rightouter, fullouter, leftanti or leftsemi");
        }
        s->join = (enum kql_join_kind)kind;
    }
    struct kql_pipeline *other;
    MLN_TRY(kql_parse_pipeline(p, true, &other));
    MLN_TRY(mln_vec_push(p->query->arena, &s->others, other));
    MLN_TRY(kql_want(p, "on"));
    for (bool more = true; more;) {
        MLN_TRY(parse_join_key(p, s));
        MLN_TRY(kql_accept(p, ",", &more));
    }
    return MLN_OK;
}

static struct mln_result parse_union(struct kql_parser *p, struct kql_stage *s)
{
    bool found;
    MLN_TRY(kql_accept(p, "kind", &found));
    if (found) { /* outer is what there is; inner is refused rather than treated alike */
        MLN_TRY(kql_want(p, "="));
        MLN_TRY(kql_want(p, "outer"));
    }
    for (bool more = true; more;) {
        struct kql_pipeline *other;
        MLN_TRY(kql_parse_pipeline(p, true, &other));
        MLN_TRY(mln_vec_push(p->query->arena, &s->others, other));
        MLN_TRY(kql_accept(p, ",", &more));
    }
    return MLN_OK;
}

static const struct {
    const char *word;
    enum kql_stage_kind kind;
    struct mln_result (*parse)(struct kql_parser *p, struct kql_stage *s);
    const char *help;
} operators[] = {
    {"where", KQL_WHERE, parse_where, "where predicate: keeps the rows for which it is true"},
    {"filter", KQL_WHERE, parse_where, "the same as where"},
    {"extend", KQL_EXTEND, parse_columns, "extend name = expression, ...: adds or replaces columns"},
    {"project", KQL_PROJECT, parse_columns, "project name = expression, ...: these columns only, in this order"},
    {"project-away", KQL_PROJECT_AWAY, parse_columns, "project-away name, ...: without these columns"},
    {"project-keep", KQL_PROJECT_KEEP, parse_columns, "project-keep name, ...: these columns, in the order they have"},
    {"project-rename", KQL_PROJECT_RENAME, parse_columns, "project-rename new = old, ...: other names for columns"},
    {"project-reorder", KQL_PROJECT_REORDER, parse_columns, "project-reorder name, ...: these columns first"},
    {"take", KQL_TAKE, parse_take, "take n: at most n rows"},
    {"limit", KQL_TAKE, parse_take, "the same as take"},
    {"mv-expand", KQL_MV_EXPAND, parse_mv_expand, "mv-expand name = array: a row for each item"},
    {"mvexpand", KQL_MV_EXPAND, parse_mv_expand, "the same as mv-expand"},
    {"parse", KQL_PARSE, parse_parse,
     "parse text with \"literal\" name \"literal\" name:type: columns cut from a text"},
    {"summarize", KQL_SUMMARIZE, parse_summarize, "summarize name = aggregate(...), ... by name = expression, ..."},
    {"distinct", KQL_DISTINCT, parse_distinct, "distinct name, ... (or *): each combination once"},
    {"sort", KQL_SORT, parse_sort, "sort by expression [asc|desc] [nulls first|last], ...; descending unless stated"},
    {"order", KQL_SORT, parse_sort, "the same as sort"},
    {"top", KQL_TOP, parse_top, "top n by expression [asc|desc]: the first n of the sorted rows"},
    {"count", KQL_COUNT, parse_nothing, "count: one row with the number of rows"},
    {"join", KQL_JOIN, parse_join, "join kind=... (query) on name, $left.a == $right.b"},
    {"union", KQL_UNION, parse_union, "union query, ...: the rows of all, columns by name"},
};

bool mln_kql_operator_at(size_t i, const char **name, const char **help)
{
    if (i >= sizeof operators / sizeof *operators)
        return false;
    *name = operators[i].word;
    *help = operators[i].help;
    return true;
}

static struct mln_result parse_stage(struct kql_parser *p, struct kql_pipeline *pipeline)
{
    for (size_t i = 0; i < sizeof operators / sizeof *operators; i++) {
        if (!kql_at(p, operators[i].word))
            continue;
        if (++p->stages > MLN_KQL_MAX_STAGES)
            return mln_fail(MLN_E_LIMIT, "more than %d operators", MLN_KQL_MAX_STAGES);
        struct kql_stage stage = {.kind = operators[i].kind, .line = p->token.line, .position = p->token.position};
        MLN_TRY(kql_advance(p));
        MLN_TRY(operators[i].parse(p, &stage));
        return mln_vec_push(p->query->arena, &pipeline->stages, stage);
    }
    return kql_unexpected(p, "an operator (where, project, summarize, ...)");
}

struct mln_result kql_parse_pipeline(struct kql_parser *p, bool bare, struct kql_pipeline **out)
{
    struct kql_pipeline *pipeline;
    bool inner;
    if (++p->depth > MLN_KQL_MAX_DEPTH)
        return mln_fail(MLN_E_LIMIT, "nested more than %d deep", MLN_KQL_MAX_DEPTH);
    MLN_TRY_NEW(p->query->arena, pipeline);
    pipeline->line = p->token.line;
    pipeline->position = p->token.position;
    MLN_TRY(kql_accept(p, "(", &inner));
    if (inner) {
        MLN_TRY(kql_parse_pipeline(p, false, &pipeline->inner));
        MLN_TRY(kql_want(p, ")"));
    } else if (kql_at(p, "union")) {
        MLN_TRY(parse_stage(p, pipeline));
    } else {
        MLN_TRY(kql_want_word(p, "a table", &pipeline->table));
    }
    for (bool more = !bare; more;) {
        MLN_TRY(kql_accept(p, "|", &more));
        if (more)
            MLN_TRY(parse_stage(p, pipeline));
    }
    p->depth--;
    *out = pipeline;
    return MLN_OK;
}

/* True when what stands here is a query of rows: a parenthesis or a name with a pipe behind it. */
static bool is_tabular(const struct kql_parser *p)
{
    struct kql_parser look = *p;
    struct kql_token first = look.token;
    if (first.kind == KQL_WORD && mln_ok(kql_lex(&look.lexer, &look.token)))
        return kql_at(&look, "|") || kql_at(&look, "union");
    return false;
}

static struct mln_result parse_let(struct kql_parser *p)
{
    struct kql_let let = {0};
    MLN_TRY(kql_want_word(p, "a name", &let.name));
    MLN_TRY(kql_want(p, "="));
    if (is_tabular(p))
        MLN_TRY(kql_parse_pipeline(p, false, &let.tabular));
    else
        MLN_TRY(kql_parse_expr(p, &let.scalar));
    MLN_TRY(kql_want(p, ";"));
    return mln_vec_push(p->query->arena, &p->query->lets, let);
}

struct mln_result mln_kql_parse(struct mln_arena *arena, struct mln_str text, struct mln_kql_query **out,
                                struct mln_kql_error *error)
{
    struct mln_kql_error unused;
    struct mln_kql_query *query;
    if (text.n > MLN_KQL_MAX_TEXT_BYTES)
        return mln_fail(MLN_E_LIMIT, "a query of more than %d bytes", MLN_KQL_MAX_TEXT_BYTES);
    MLN_TRY_NEW(arena, query);
    query->arena = arena;
    query->error = error ? error : &unused;
    *query->error = (struct mln_kql_error){.line = 1};
    struct kql_parser p = {.query = query, .lexer = {.arena = arena, .text = text, .line = 1}};
    if (!mln_str_is_utf8(text))
        return kql_wrong(1, 0, "the query is not UTF-8");
    MLN_TRY(kql_advance(&p));
    for (bool let = true; let;) {
        MLN_TRY(kql_accept(&p, "let", &let));
        if (let)
            MLN_TRY(parse_let(&p));
    }
    bool semicolon;
    MLN_TRY(kql_parse_pipeline(&p, false, &query->main));
    MLN_TRY(kql_accept(&p, ";", &semicolon));
    if (p.token.kind != KQL_END)
        return kql_unexpected(&p, "'|' or the end of the query");
    query->error = NULL;
    *out = query;
    return MLN_OK;
}
