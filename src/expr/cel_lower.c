/*
 * From parsed CEL to nodes of a program: finds out what each name means, and which function a call means.
 * Walks recurse; the parser has bounded the tree's height. Names are in cel_names.c.
 */
#include "expr/cel_lowering.h"
#include "expr/message.h"

typedef struct mln_cel_node node;
typedef struct mln_lowering lowering;

static struct mln_ir *lower(lowering *l, const node *n);

static struct mln_ir *lower_name(lowering *l, const node *n)
{
    const struct mln_scope *scope = n->absolute ? NULL : mln_cel_local(l, n->name);
    if (scope)
        return mln_ir_local(l->b, n->at, scope->local);
    struct mln_ir *ir = mln_cel_whole_name(l, n);
    return ir || !mln_ok(l->b->failed) ? ir : mln_cel_unknown_name(l, n);
}

static struct mln_ir *lower_select(lowering *l, const node *n)
{
    struct mln_ir *ir = n->is_optional ? NULL : mln_cel_whole_name(l, n);
    if (ir || !mln_ok(l->b->failed))
        return ir;
    struct mln_ir *target = lower(l, n->target);
    if (!n->is_optional)
        return mln_ir_member(l->b, n->at, target, n->name);
    return mln_ir_optional_index(l->b, n->at, target, mln_ir_constant(l->b, n->at, mln_value_string(n->name)));
}

/* ---- calls ---- */

static struct mln_ir *lower_call(lowering *l, const node *n)
{
    size_t n_rows, first = 0;
    const struct mln_function *rows = n->target ? mln_cel_dotted_function(l, n, &n_rows) : NULL;
    bool receiver = n->target && !rows;
    if (!rows)
        rows = mln_cel_function(l, n->name, receiver ? MLN_FUNCTION_RECEIVER : MLN_FUNCTION_GLOBAL, &n_rows);
    if (!rows)
        return mln_cel_unknown_function(l, n, receiver);
    struct mln_ir **args = mln_arena_array(l->b->arena, n->n + 1, sizeof(struct mln_ir *));
    if (!args)
        return mln_ir_fail(l->b, n->at, mln_arena_failure(l->b->arena));
    if (receiver)
        args[first++] = lower(l, n->target);
    for (size_t i = 0; i < n->n; i++)
        args[first + i] = lower(l, n->args[i]);
    return mln_ir_call(l->b, n->at, rows, n_rows, args, first + n->n);
}

/* The value of a field of a message, the int 0 when it is not written. */
static struct mln_ir *field_value(lowering *l, const node *n, const char *field)
{
    for (size_t i = 0; i < n->n; i++)
        if (mln_str_eq(n->fields[i], mln_str_c(field)))
            return lower(l, n->args[i]);
    return mln_ir_constant(l->b, n->at, mln_value_int(0));
}

static struct mln_ir *lower_message(lowering *l, const node *n)
{
    struct mln_ir *args[MLN_MESSAGE_FIELDS_MOST];
    const struct mln_message *message = mln_cel_message(l, n);
    if (!message)
        return NULL;
    if (n->n == 0) {
        struct mln_ir *ir = mln_ir_constant(l->b, n->at, message->empty);
        if (ir)
            ir->type = message->make.takes.result;
        return ir;
    }
    for (size_t i = 0; i < message->make.takes.n; i++)
        args[i] = field_value(l, n, message->fields[i]);
    return mln_ir_call(l->b, n->at, &message->make, 1, args, message->make.takes.n);
}

/* ---- macros ---- */

static bool open_scope(lowering *l, const node *n, const struct mln_type *const *types, uint16_t *locals)
{
    for (size_t i = 0; i < n->n_variables; i++) {
        struct mln_result r = mln_ir_new_local(l->b, types[i], &locals[i]);
        if (mln_ok(r))
            r = mln_vec_push(l->b->arena, &l->scopes, {n->variables[i], locals[i]});
        if (!mln_ok(r)) {
            mln_ir_fail(l->b, n->at, r);
            return false;
        }
    }
    return true;
}

static struct mln_ir *loop_over(lowering *l, const node *n, struct mln_ir *range)
{
    const struct mln_type *types[2];
    uint16_t locals[2] = {0, MLN_NO_LOCAL};
    if (!range || !mln_ir_loop_types(l->b, n->at, range, n->n_variables, types) || !open_scope(l, n, types, locals))
        return NULL;
    struct mln_ir *condition = n->n == 2 ? lower(l, n->args[1]) : NULL;
    struct mln_ir *body = lower(l, n->args[0]);
    l->scopes.n -= n->n_variables;
    if (n->n == 2 && !condition)
        return NULL;
    return mln_ir_loop(l->b, n->at, n->loop, (struct mln_loop_locals){locals[0], locals[1]}, range, condition, body);
}

static struct mln_ir *lower_let(lowering *l, const node *n)
{
    struct mln_ir *value = lower(l, n->args[0]);
    uint16_t local[2];
    if (!value || !open_scope(l, n, &value->type, local))
        return NULL;
    struct mln_ir *body = lower(l, n->args[1]);
    l->scopes.n--;
    return mln_ir_let(l->b, n->at, local[0], value, body);
}

static struct mln_ir *method(lowering *l, const node *n, const char *name, struct mln_ir *receiver)
{
    return mln_ir_call_named(l->b, n->at, name, MLN_FUNCTION_RECEIVER, &receiver, 1);
}

/* x.optMap(v, e): let o = x in o.hasValue() ? optional.of(let v = o.value() in e) : optional.none() */
static struct mln_ir *lower_opt_map(lowering *l, const node *n)
{
    uint16_t whole, inner[2];
    struct mln_ir *optional = lower(l, n->target);
    if (!optional)
        return NULL;
    struct mln_result r = mln_ir_new_local(l->b, optional->type, &whole);
    if (!mln_ok(r))
        return mln_ir_fail(l->b, n->at, r);
    struct mln_ir *there = method(l, n, "hasValue", mln_ir_local(l->b, n->at, whole));
    struct mln_ir *value = method(l, n, "value", mln_ir_local(l->b, n->at, whole));
    if (!there || !value || !open_scope(l, n, &value->type, inner))
        return NULL;
    struct mln_ir *body = lower(l, n->args[0]);
    l->scopes.n--;
    struct mln_ir *made = mln_ir_let(l->b, n->at, inner[0], value, body);
    if (!n->is_optional)
        made = mln_ir_call_named(l->b, n->at, "optional.of", MLN_FUNCTION_GLOBAL, &made, 1);
    struct mln_ir *none = mln_ir_call_named(l->b, n->at, "optional.none", MLN_FUNCTION_GLOBAL, NULL, 0);
    return mln_ir_let(l->b, n->at, whole, optional, mln_ir_condition(l->b, n->at, there, made, none));
}

/* x.sortBy(v, e): let o = x in the items of o in the order of o.map(v, e) */
static struct mln_ir *lower_sort_by(lowering *l, const node *n)
{
    uint16_t whole;
    struct mln_ir *list = lower(l, n->target);
    if (!list)
        return NULL;
    struct mln_result r = mln_ir_new_local(l->b, list->type, &whole);
    if (!mln_ok(r))
        return mln_ir_fail(l->b, n->at, r);
    node keys = *n;
    keys.kind = MLN_CEL_LOOP;
    keys.loop = MLN_LOOP_MAP;
    struct mln_ir *args[] = {mln_ir_local(l->b, n->at, whole), loop_over(l, &keys, mln_ir_local(l->b, n->at, whole))};
    return mln_ir_let(l->b, n->at, whole, list, mln_ir_call(l->b, n->at, &mln_function_sort_by, 1, args, 2));
}

/* ---- the rest ---- */

static struct mln_ir *lower_operator(lowering *l, const node *n, struct mln_ir **operands)
{
    if (n->op == MLN_OP_OPTIONAL_INDEX)
        return mln_ir_optional_index(l->b, n->at, operands[0], operands[1]);
    return mln_ir_operator(l->b, n->at, n->op, operands[0], n->n == 2 ? operands[1] : NULL);
}

static struct mln_ir *lower_many(lowering *l, const node *n)
{
    struct mln_ir **items = mln_arena_array(l->b->arena, n->n, sizeof(struct mln_ir *));
    if (!items)
        return mln_ir_fail(l->b, n->at, mln_arena_failure(l->b->arena));
    for (size_t i = 0; i < n->n; i++)
        items[i] = lower(l, n->args[i]);
    if (n->kind == MLN_CEL_AND)
        return mln_ir_and(l->b, n->at, items, n->n);
    if (n->kind == MLN_CEL_OR)
        return mln_ir_or(l->b, n->at, items, n->n);
    if (n->kind == MLN_CEL_LIST)
        return mln_ir_list(l->b, n->at, items, n->n, n->optional);
    if (n->kind == MLN_CEL_MAP)
        return mln_ir_map(l->b, n->at, items, n->n / 2, n->optional);
    if (n->kind == MLN_CEL_CONDITION)
        return mln_ir_condition(l->b, n->at, items[0], items[1], items[2]);
    return lower_operator(l, n, items);
}

static struct mln_ir *lower(lowering *l, const node *n)
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
    case MLN_CEL_MESSAGE:
        return lower_message(l, n);
    case MLN_CEL_LOOP:
        return loop_over(l, n, lower(l, n->target));
    case MLN_CEL_LET:
        return lower_let(l, n);
    case MLN_CEL_OPT_MAP:
        return lower_opt_map(l, n);
    case MLN_CEL_SORT_BY:
        return lower_sort_by(l, n);
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
    lowering l = {.b = b};
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
