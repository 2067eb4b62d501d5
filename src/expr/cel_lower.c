/*
 * From parsed CEL to nodes of a program: finds out what each name means, and which function a call means.
 * Walks recurse; the parser has bounded the tree's height.
 */
#include "base/suggest.h"
#include "expr/cel_ast.h"
#include "expr/ir.h"

typedef struct mln_cel_node node;

struct scope {
    struct mln_str name;
    uint16_t local;
};

struct lowering {
    struct mln_ir_builder *b;
    MLN_VEC(struct scope) scopes; /* of macros' variables, the innermost last */
};

static struct mln_ir *lower(struct lowering *l, const node *n);

/* ---- names ---- */

static const struct scope *find_local(const struct lowering *l, struct mln_str name)
{
    for (size_t i = l->scopes.n; i-- > 0;)
        if (mln_str_eq(l->scopes.at[i].name, name))
            return &l->scopes.at[i];
    return NULL;
}

/* An error of the run where the checker is off, of the compilation otherwise. */
static struct mln_ir *unknown(struct lowering *l, uint32_t at, struct mln_result failed)
{
    if (!l->b->env->unchecked)
        return mln_ir_fail(l->b, at, failed);
    const char *text = mln_str_z(l->b->program->arena, mln_str_c(mln_error_text()));
    if (!text)
        return mln_ir_fail(l->b, at, mln_arena_failure(l->b->program->arena));
    return mln_ir_constant(l->b, at, mln_value_error(text));
}

static struct mln_ir *unknown_name(struct lowering *l, const node *n)
{
    struct mln_suggestion near = {.word = n->name};
    char text[MLN_SUGGEST_TEXT];
    for (size_t i = 0; i < l->scopes.n; i++)
        mln_suggest(&near, l->scopes.at[i].name);
    for (size_t i = 0; i < l->b->env->variables.n; i++)
        mln_suggest(&near, l->b->env->variables.at[i].name);
    return unknown(l, n->at,
                   mln_fail(MLN_E_INVALID, "unknown name '%.*s'%s", MLN_FMT(mln_str_sub(n->name, 0, 100)),
                            mln_suggest_text(&near, text)));
}

/* A variable by its name, first below the container and its parents. */
static const struct mln_expr_variable *find_variable(const struct lowering *l, struct mln_str name, bool absolute)
{
    struct mln_str container = absolute ? MLN_S("") : l->b->env->container;
    while (container.n) {
        char full[512];
        int n = snprintf(full, sizeof full, "%.*s.%.*s", MLN_FMT(container), MLN_FMT(name));
        const struct mln_expr_variable *v =
            n > 0 && (size_t)n < sizeof full ? mln_expr_env_find(l->b->env, (struct mln_str){full, (size_t)n}) : NULL;
        if (v)
            return v;
        while (container.n && container.p[container.n - 1] != '.')
            container.n--;
        container.n -= container.n > 0;
    }
    return mln_expr_env_find(l->b->env, name);
}

/* "a.b.c" written as one text; false when n is more than names and dots, or too long. */
static bool dotted(const node *n, char *out, size_t size, size_t *used, const node **root)
{
    if (n->kind == MLN_CEL_NAME) {
        *root = n;
        *used = 0;
    } else if (n->kind != MLN_CEL_SELECT || !dotted(n->target, out, size, used, root)) {
        return false;
    }
    int written = snprintf(out + *used, size - *used, "%s%.*s", *used ? "." : "", MLN_FMT(n->name));
    *used += written > 0 ? (size_t)written : 0;
    return *used < size;
}

enum { DOTTED_MOST = 256 };

/* What a chain of names means as a whole: a variable or a type with dots in its name. NULL without a failure: nothing. */
static struct mln_ir *whole_name(struct lowering *l, const node *n)
{
    char text[DOTTED_MOST];
    size_t used;
    const node *root;
    uint32_t type;
    if (!dotted(n, text, sizeof text, &used, &root) || (!root->absolute && find_local(l, root->name)))
        return NULL;
    struct mln_str name = {text, used};
    const struct mln_expr_variable *v = find_variable(l, name, root->absolute);
    if (v)
        return mln_ir_slot(l->b, n->at, v->slot);
    if (mln_value_type_named(name, &type))
        return mln_ir_constant(l->b, n->at, mln_value_type(type));
    return NULL;
}

static struct mln_ir *lower_name(struct lowering *l, const node *n)
{
    const struct scope *scope = n->absolute ? NULL : find_local(l, n->name);
    if (scope)
        return mln_ir_local(l->b, n->at, scope->local);
    struct mln_ir *ir = whole_name(l, n);
    return ir || !mln_ok(l->b->failed) ? ir : unknown_name(l, n);
}

static struct mln_ir *lower_select(struct lowering *l, const node *n)
{
    struct mln_ir *ir = whole_name(l, n);
    if (ir || !mln_ok(l->b->failed))
        return ir;
    return mln_ir_member(l->b, n->at, lower(l, n->target), n->name);
}

/* ---- calls ---- */

static struct mln_ir *unknown_function(struct lowering *l, const node *n, bool receiver)
{
    struct mln_suggestion near = {.word = n->name};
    char text[MLN_SUGGEST_TEXT];
    bool other_style = false;
    for (size_t i = 0; i < mln_n_functions; i++) {
        struct mln_str name = mln_str_c(mln_functions[i].name);
        other_style |= mln_str_eq(name, n->name);
        if ((mln_functions[i].style == MLN_FUNCTION_RECEIVER) == receiver)
            mln_suggest(&near, name);
    }
    if (other_style)
        return unknown(l, n->at,
                       mln_fail(MLN_E_INVALID, "'%.*s' is called as %s", MLN_FMT(mln_str_sub(n->name, 0, 100)),
                                receiver ? "a function: f(x)" : "a method: x.f()"));
    return unknown(l, n->at,
                   mln_fail(MLN_E_INVALID, "unknown function '%.*s'%s", MLN_FMT(mln_str_sub(n->name, 0, 100)),
                            mln_suggest_text(&near, text)));
}

/* The lines of a function with dots in its name, "math.abs", of a call n whose target looks like a name. */
static const struct mln_function *dotted_function(const struct lowering *l, const node *n, size_t *n_rows)
{
    char text[DOTTED_MOST];
    size_t used;
    const node *root;
    *n_rows = 0;
    if (!dotted(n->target, text, sizeof text, &used, &root) || (!root->absolute && find_local(l, root->name)))
        return NULL;
    int more = snprintf(text + used, sizeof text - used, ".%.*s", MLN_FMT(n->name));
    if (more < 0 || used + (size_t)more >= sizeof text)
        return NULL;
    return mln_functions_named((struct mln_str){text, used + (size_t)more}, MLN_FUNCTION_GLOBAL, n_rows);
}

static struct mln_ir *lower_call(struct lowering *l, const node *n)
{
    size_t n_rows, first = 0;
    const struct mln_function *rows = n->target ? dotted_function(l, n, &n_rows) : NULL;
    bool receiver = n->target && !rows;
    if (!rows)
        rows = mln_functions_named(n->name, receiver ? MLN_FUNCTION_RECEIVER : MLN_FUNCTION_GLOBAL, &n_rows);
    if (!rows)
        return unknown_function(l, n, receiver);
    struct mln_ir **args = mln_arena_array(l->b->arena, n->n + 1, sizeof *args);
    if (!args)
        return mln_ir_fail(l->b, n->at, mln_arena_failure(l->b->arena));
    if (receiver)
        args[first++] = lower(l, n->target);
    for (size_t i = 0; i < n->n; i++)
        args[first + i] = lower(l, n->args[i]);
    return mln_ir_call(l->b, n->at, rows, n_rows, args, first + n->n);
}

/* ---- macros ---- */

static bool open_scope(struct lowering *l, const node *n, uint16_t *locals)
{
    for (size_t i = 0; i < n->n_variables; i++) {
        struct mln_result r = mln_ir_new_local(l->b, &locals[i]);
        if (mln_ok(r))
            r = mln_vec_push(l->b->arena, &l->scopes, {n->variables[i], locals[i]});
        if (!mln_ok(r)) {
            mln_ir_fail(l->b, n->at, r);
            return false;
        }
    }
    return true;
}

static struct mln_ir *lower_loop(struct lowering *l, const node *n)
{
    struct mln_ir *range = lower(l, n->target);
    uint16_t locals[2] = {0, MLN_NO_LOCAL};
    if (!range || !open_scope(l, n, locals))
        return NULL;
    struct mln_ir *condition = n->n == 2 ? lower(l, n->args[1]) : NULL;
    struct mln_ir *body = lower(l, n->args[0]);
    l->scopes.n -= n->n_variables;
    if (n->n == 2 && !condition)
        return NULL;
    return mln_ir_loop(l->b, n->at, n->loop, (struct mln_loop_locals){locals[0], locals[1]}, range, condition, body);
}

static struct mln_ir *lower_let(struct lowering *l, const node *n)
{
    struct mln_ir *value = lower(l, n->args[0]);
    uint16_t local[2];
    if (!value || !open_scope(l, n, local))
        return NULL;
    struct mln_ir *body = lower(l, n->args[1]);
    l->scopes.n--;
    return mln_ir_let(l->b, n->at, local[0], value, body);
}

/* ---- the rest ---- */

static struct mln_ir *lower_many(struct lowering *l, const node *n)
{
    struct mln_ir **items = mln_arena_array(l->b->arena, n->n, sizeof *items);
    if (!items)
        return mln_ir_fail(l->b, n->at, mln_arena_failure(l->b->arena));
    for (size_t i = 0; i < n->n; i++)
        items[i] = lower(l, n->args[i]);
    if (n->kind == MLN_CEL_AND)
        return mln_ir_and(l->b, n->at, items, n->n);
    if (n->kind == MLN_CEL_OR)
        return mln_ir_or(l->b, n->at, items, n->n);
    if (n->kind == MLN_CEL_LIST)
        return mln_ir_list(l->b, n->at, items, n->n);
    if (n->kind == MLN_CEL_CONDITION)
        return mln_ir_condition(l->b, n->at, items[0], items[1], items[2]);
    if (n->kind == MLN_CEL_MAP)
        return mln_ir_map(l->b, n->at, items, n->n / 2);
    return mln_ir_operator(l->b, n->at, n->op, items[0], n->n == 2 ? items[1] : NULL);
}

static struct mln_ir *lower(struct lowering *l, const node *n)
{
    if (!mln_ok(l->b->failed))
        return NULL;
    switch (n->kind) {
    case MLN_CEL_LITERAL:
        return mln_ir_constant(l->b, n->at, n->literal);
    case MLN_CEL_NAME:
        return lower_name(l, n);
    case MLN_CEL_SELECT:
        return lower_select(l, n);
    case MLN_CEL_HAS:
        return mln_ir_has(l->b, n->at, lower(l, n->target), n->name);
    case MLN_CEL_CALL:
        return lower_call(l, n);
    case MLN_CEL_LOOP:
        return lower_loop(l, n);
    case MLN_CEL_LET:
        return lower_let(l, n);
    case MLN_CEL_OPERATOR:
    case MLN_CEL_AND:
    case MLN_CEL_OR:
    case MLN_CEL_CONDITION:
    case MLN_CEL_LIST:
    case MLN_CEL_MAP:
        return lower_many(l, n);
    }
    return mln_ir_fail(l->b, n->at, mln_fail(MLN_E_INTERNAL, "unknown expression"));
}

static struct mln_result compile(struct mln_ir_builder *b, struct mln_program **out, uint32_t *at)
{
    struct mln_cel_node *root;
    struct lowering l = {.b = b};
    struct mln_result r = mln_cel_parse(b->program->source, b->arena, b->program->arena, &root, at);
    if (!mln_ok(r)) {
        mln_ir_drop(b);
        return r;
    }
    const struct mln_ir *result = lower(&l, root);
    *at = mln_ok(b->failed) ? 0 : b->failed_at;
    return mln_ir_assemble(b, result, out);
}

struct mln_result mln_cel_compile(struct mln_expr_env *env, struct mln_str source, struct mln_program **out,
                                  struct mln_expr_error *error)
{
    struct mln_ir_builder b;
    struct mln_expr_error place;
    uint32_t at;
    *out = NULL;
    MLN_TRY(mln_ir_begin(&b, env, source));
    struct mln_result r = compile(&b, out, &at);
    if (mln_ok(r))
        return r;
    mln_source_position(source, at, &place.line, &place.column);
    if (error)
        *error = place;
    return mln_fail_at(r, "%u:%u", place.line, place.column);
}
