/* Expressions: or, and, comparison, sum, product, sign, then member, index and call. */
#include "query/parse.h"

struct mln_result kql_new_expr(struct kql_parser *p, enum kql_expr_kind kind, struct kql_expr **out)
{
    struct kql_expr *e;
    MLN_TRY_NEW(p->query->arena, e);
    e->kind = kind;
    e->line = p->token.line;
    e->position = p->token.position;
    *out = e;
    return MLN_OK;
}

static struct mln_result new_call(struct kql_parser *p, struct mln_str name, struct kql_expr *const *args, size_t n,
                                  struct kql_expr **out)
{
    struct kql_expr *e;
    MLN_TRY(kql_new_expr(p, KQL_CALL, &e));
    e->name = name;
    e->function = kql_function_find(name);
    MLN_TRY_ARRAY(p->query->arena, e->args, n);
    for (size_t i = 0; i < n; i++)
        e->args[i] = args[i];
    e->n_args = n;
    if (!e->function)
        return mln_fail(MLN_E_INTERNAL, "no function behind the operator '%.*s'", MLN_FMT(name));
    *out = e;
    return MLN_OK;
}

static struct mln_result parse_arguments(struct kql_parser *p, struct kql_expr *call, const char *close)
{
    MLN_VEC(struct kql_expr *) args = {0};
    for (bool more = !kql_at(p, close); more;) {
        struct kql_expr *arg;
        if (kql_at(p, "*")) {
            MLN_TRY(kql_new_expr(p, KQL_STAR, &arg));
            MLN_TRY(kql_advance(p));
        } else {
            MLN_TRY(kql_parse_expr(p, &arg));
        }
        MLN_TRY(mln_vec_push(p->query->arena, &args, arg));
        MLN_TRY(kql_accept(p, ",", &more));
    }
    call->args = args.at;
    call->n_args = args.n;
    return kql_want(p, close);
}

/* datetime(2026-11-24), timespan(1h), dynamic([1, 2]): their argument is raw text. */
static struct mln_result parse_typed_literal(struct kql_parser *p, struct mln_str type, struct kql_expr *e)
{
    struct mln_str raw;
    int64_t ms;
    MLN_TRY(kql_lex_raw(&p->lexer, &raw));
    e->kind = KQL_LITERAL;
    if (mln_str_eq_nocase(type, MLN_S("dynamic"))) {
        const struct mln_json *tree;
        MLN_TRY(mln_json_parse(p->query->arena, raw, MLN_KQL_MAX_TEXT_BYTES, &tree));
        e->value = *tree;
    } else if (mln_str_eq_nocase(raw, MLN_S("null"))) {
        e->value = kql_null();
    } else if (mln_str_eq_nocase(type, MLN_S("datetime"))) {
        struct mln_str whole = raw.n == 10 ? mln_str_printf(p->query->arena, "%.*sT00:00:00Z", MLN_FMT(raw)) : raw;
        MLN_TRY(mln_time_parse(whole, &ms));
        e->value = kql_date(ms);
    } else {
        struct kql_lexer lexer = {.arena = p->query->arena, .text = raw, .line = e->line};
        struct kql_token token = {0};
        if (mln_ok(kql_lex(&lexer, &token)) && token.kind == KQL_SPAN && lexer.at == raw.n) {
            e->value = token.value;
        } else {
            MLN_TRY(kql_span_parse(raw, &ms));
            e->value = kql_span(ms);
        }
    }
    return kql_advance(p);
}

static bool is_typed_literal(struct mln_str word)
{
    return mln_str_eq_nocase(word, MLN_S("datetime")) || mln_str_eq_nocase(word, MLN_S("timespan")) ||
           mln_str_eq_nocase(word, MLN_S("dynamic")) || mln_str_eq_nocase(word, MLN_S("time"));
}

static struct mln_result parse_call(struct kql_parser *p, struct kql_expr *e)
{
    e->kind = KQL_CALL;
    bool aggregate_allowed = p->in_summarize;
    e->aggregate = aggregate_allowed ? kql_aggregate_find(e->name) : NULL;
    e->function = e->aggregate ? NULL : kql_function_find(e->name);
    if (!e->aggregate && !e->function)
        return kql_wrong(e->line, e->position,
                         kql_aggregate_find(e->name) ? "'%.*s' is an aggregate: it can stand in summarize only"
                                                     : "there is no function '%.*s'",
                         MLN_FMT(e->name));
    if (e->aggregate)
        p->in_summarize = false; /* no aggregate within an aggregate */
    struct mln_result r = parse_arguments(p, e, ")");
    p->in_summarize = aggregate_allowed;
    MLN_TRY(r);
    size_t least = e->aggregate ? e->aggregate->least : e->function->least;
    size_t most = e->aggregate ? e->aggregate->most : e->function->most;
    if (e->n_args < least || e->n_args > most)
        return kql_wrong(e->line, e->position, "'%.*s' takes %zu to %zu arguments, %zu are given", MLN_FMT(e->name),
                         least, most, e->n_args);
    return MLN_OK;
}

static struct mln_result parse_word(struct kql_parser *p, struct kql_expr *e)
{
    e->name = p->token.text;
    struct kql_lexer before = p->lexer;
    MLN_TRY(kql_advance(p));
    if (kql_at(p, "(")) {
        if (is_typed_literal(e->name)) {
            p->lexer = before;
            struct kql_token parenthesis;
            MLN_TRY(kql_lex(&p->lexer, &parenthesis));
            return parse_typed_literal(p, e->name, e);
        }
        MLN_TRY(kql_advance(p));
        return parse_call(p, e);
    }
    bool yes = mln_str_eq_nocase(e->name, MLN_S("true")), no = mln_str_eq_nocase(e->name, MLN_S("false"));
    if (yes || no || mln_str_eq_nocase(e->name, MLN_S("null"))) {
        e->kind = KQL_LITERAL;
        e->value = yes || no ? mln_json_of_bool(yes) : kql_null();
    }
    return MLN_OK;
}

static struct mln_result parse_primary(struct kql_parser *p, struct kql_expr **out)
{
    struct kql_expr *e;
    MLN_TRY(kql_new_expr(p, KQL_NAME, &e));
    *out = e;
    bool open;
    if (p->token.kind == KQL_WORD)
        return parse_word(p, e);
    if (kql_at(p, "["))
        return kql_want_word(p, "a name", &e->name);
    if (p->token.kind == KQL_NUMBER || p->token.kind == KQL_TEXT || p->token.kind == KQL_SPAN) {
        e->kind = KQL_LITERAL;
        e->value = p->token.value;
        return kql_advance(p);
    }
    MLN_TRY(kql_accept(p, "(", &open));
    if (!open)
        return kql_unexpected(p, "an expression");
    MLN_TRY(kql_parse_expr(p, out));
    return kql_want(p, ")");
}

static struct mln_result parse_postfix(struct kql_parser *p, struct kql_expr **out)
{
    MLN_TRY(parse_primary(p, out));
    for (uint32_t links = 0; kql_at(p, ".") || kql_at(p, "["); links++) {
        struct kql_expr *e;
        if (links == MLN_KQL_MAX_DEPTH)
            return mln_fail(MLN_E_LIMIT, "a path of more than %d steps", MLN_KQL_MAX_DEPTH);
        bool dot = kql_at(p, ".");
        MLN_TRY(kql_new_expr(p, dot ? KQL_MEMBER : KQL_INDEX, &e));
        MLN_TRY(kql_advance(p));
        MLN_TRY_ARRAY(p->query->arena, e->args, 2);
        e->args[0] = *out;
        e->n_args = 1;
        if (dot) {
            MLN_TRY(kql_want_word(p, "a member's name", &e->name));
        } else {
            MLN_TRY(kql_parse_expr(p, &e->args[1]));
            e->n_args = 2;
            MLN_TRY(kql_want(p, "]"));
        }
        *out = e;
    }
    return MLN_OK;
}

static struct mln_result parse_sign(struct kql_parser *p, struct kql_expr **out)
{
    bool minus, plus;
    MLN_TRY(kql_accept(p, "-", &minus));
    MLN_TRY(kql_accept(p, "+", &plus));
    MLN_TRY(parse_postfix(p, out));
    if (!minus)
        return MLN_OK;
    struct kql_expr *zero;
    MLN_TRY(kql_new_expr(p, KQL_LITERAL, &zero));
    zero->value = mln_json_of_i64(0);
    if ((*out)->kind == KQL_LITERAL && (*out)->value.kind == KQL_TIMESPAN)
        zero->value = kql_span(0);
    return new_call(p, MLN_S("-"), (struct kql_expr *[]){zero, *out}, 2, out);
}

typedef struct mln_result (*level)(struct kql_parser *p, struct kql_expr **out);

/* Operands of the next level, joined by any of the marks, from the left. */
static struct mln_result parse_chain(struct kql_parser *p, level next, const char *const *marks, struct kql_expr **out)
{
    MLN_TRY(next(p, out));
    for (uint32_t links = 0;; links++) {
        size_t i = 0;
        while (marks[i] && !kql_at(p, marks[i]))
            i++;
        if (!marks[i])
            return MLN_OK;
        if (links == MLN_KQL_MAX_COLUMNS)
            return mln_fail(MLN_E_LIMIT, "an expression of more than %d parts", MLN_KQL_MAX_COLUMNS);
        struct kql_expr *right;
        MLN_TRY(kql_advance(p));
        MLN_TRY(next(p, &right));
        MLN_TRY(new_call(p, mln_str_c(marks[i]), (struct kql_expr *[]){*out, right}, 2, out));
    }
}

static struct mln_result parse_product(struct kql_parser *p, struct kql_expr **out)
{
    static const char *const marks[] = {"*", "/", "%", NULL};
    return parse_chain(p, parse_sign, marks, out);
}

static struct mln_result parse_sum(struct kql_parser *p, struct kql_expr **out)
{
    static const char *const marks[] = {"+", "-", NULL};
    return parse_chain(p, parse_product, marks, out);
}

/* left in (a, b, c), and has_any: the list becomes the arguments behind left. */
static struct mln_result parse_in(struct kql_parser *p, struct mln_str name, struct kql_expr **out)
{
    struct kql_expr *call, *list;
    MLN_TRY(kql_new_expr(p, KQL_CALL, &list));
    MLN_TRY(kql_want(p, "("));
    MLN_TRY(parse_arguments(p, list, ")"));
    MLN_TRY(kql_new_expr(p, KQL_CALL, &call));
    call->name = name;
    call->function = kql_function_find(name);
    MLN_TRY_ARRAY(p->query->arena, call->args, list->n_args + 1);
    call->args[0] = *out;
    for (size_t i = 0; i < list->n_args; i++)
        call->args[i + 1] = list->args[i];
    call->n_args = list->n_args + 1;
    *out = call;
    return MLN_OK;
}

static struct mln_result parse_between(struct kql_parser *p, struct mln_str name, struct kql_expr **out)
{
    struct kql_expr *low, *high;
    MLN_TRY(kql_want(p, "("));
    MLN_TRY(parse_sum(p, &low));
    MLN_TRY(kql_want(p, ".."));
    MLN_TRY(parse_sum(p, &high));
    MLN_TRY(kql_want(p, ")"));
    return new_call(p, name, (struct kql_expr *[]){*out, low, high}, 3, out);
}

static struct mln_result parse_comparison(struct kql_parser *p, struct kql_expr **out)
{
    static const char *const marks[] = {"==",
                                        "=~",
                                        "!=",
                                        "!~",
                                        "<=",
                                        ">=",
                                        "<>",
                                        "<",
                                        ">",
                                        "contains",
                                        "!contains",
                                        "contains_cs",
                                        "!contains_cs",
                                        "has",
                                        "!has",
                                        "has_cs",
                                        "!has_cs",
                                        "startswith",
                                        "!startswith",
                                        "startswith_cs",
                                        "!startswith_cs",
                                        "endswith",
                                        "!endswith",
                                        "endswith_cs",
                                        "!endswith_cs",
                                        "hasprefix",
                                        "hassuffix",
                                        NULL};
    static const char *const lists[] = {"in", "in~", "!in", "!in~", "has_any", "has_all", NULL};
    MLN_TRY(parse_sum(p, out));
    for (size_t i = 0; marks[i]; i++) {
        if (!kql_at(p, marks[i]))
            continue;
        struct kql_expr *right;
        MLN_TRY(kql_advance(p));
        MLN_TRY(parse_sum(p, &right));
        return new_call(p, mln_str_c(marks[i]), (struct kql_expr *[]){*out, right}, 2, out);
    }
    for (size_t i = 0; lists[i]; i++) {
        if (!kql_at(p, lists[i]))
            continue;
        MLN_TRY(kql_advance(p));
        return parse_in(p, mln_str_c(lists[i]), out);
    }
    bool between = kql_at(p, "between");
    if (between || kql_at(p, "!between")) {
        MLN_TRY(kql_advance(p));
        return parse_between(p, between ? MLN_S("between") : MLN_S("!between"), out);
    }
    if (kql_at(p, "matches")) {
        struct kql_expr *right;
        MLN_TRY(kql_advance(p));
        MLN_TRY(kql_want(p, "regex"));
        MLN_TRY(parse_sum(p, &right));
        return new_call(p, MLN_S("matches regex"), (struct kql_expr *[]){*out, right}, 2, out);
    }
    return MLN_OK;
}

static struct mln_result parse_and(struct kql_parser *p, struct kql_expr **out)
{
    static const char *const marks[] = {"and", NULL};
    return parse_chain(p, parse_comparison, marks, out);
}

struct mln_result kql_parse_expr(struct kql_parser *p, struct kql_expr **out)
{
    static const char *const marks[] = {"or", NULL};
    if (++p->depth > MLN_KQL_MAX_DEPTH)
        return mln_fail(MLN_E_LIMIT, "nested more than %d deep", MLN_KQL_MAX_DEPTH);
    MLN_TRY(parse_chain(p, parse_and, marks, out));
    p->depth--;
    return MLN_OK;
}
