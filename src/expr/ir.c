#include "expr/ir.h"

enum { PROGRAM_BYTES = 16 << 20, NODES_BYTES = 64 << 20, FOLD_STEPS = 100000, SET_FROM = 8 };

struct mln_result mln_ir_begin(struct mln_ir_builder *b, struct mln_expr_env *env, struct mln_str source)
{
    *b = (struct mln_ir_builder){.env = env, .failed = MLN_OK};
    b->program = calloc(1, sizeof *b->program);
    b->arena = mln_arena_new(NODES_BYTES);
    if (b->program)
        b->program->arena = mln_arena_new(PROGRAM_BYTES);
    if (!b->arena || !b->program || !b->program->arena) {
        mln_ir_drop(b);
        return mln_fail(MLN_E_MEMORY, "no memory for a program");
    }
    b->program->source = mln_str_dup(b->program->arena, source);
    b->fold = mln_run_for_folding(env, b->program->arena);
    if (b->program->source.p)
        return MLN_OK;
    struct mln_result r = mln_arena_failure(b->program->arena);
    mln_ir_drop(b);
    return r;
}

void mln_ir_drop(struct mln_ir_builder *b)
{
    for (size_t i = 0; i < b->regexes.n; i++)
        mln_regex_free(b->regexes.at[i]);
    for (size_t i = 0; i < b->sets.n; i++)
        mln_map_free(b->sets.at[i].strings);
    mln_vec_free(&b->regexes);
    mln_vec_free(&b->sets);
    mln_regex_scratch_done(&b->fold.regex);
    mln_arena_free(b->arena);
    mln_program_free(b->program);
    *b = (struct mln_ir_builder){.failed = MLN_OK};
}

struct mln_ir *mln_ir_fail(struct mln_ir_builder *b, uint32_t at, struct mln_result failed)
{
    if (mln_ok(b->failed)) {
        b->failed = failed;
        b->failed_at = at;
    }
    return NULL;
}

static struct mln_ir *out_of_memory(struct mln_ir_builder *b, uint32_t at, const struct mln_arena *arena)
{
    return mln_ir_fail(b, at, mln_arena_failure(arena));
}

/* A node with room for operands; NULL operands make the result NULL. */
static struct mln_ir *node(struct mln_ir_builder *b, enum mln_ir_kind kind, uint32_t at, struct mln_ir **operands,
                           size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!operands[i])
            return NULL;
    struct mln_ir *ir = mln_arena_alloc(b->arena, sizeof *ir);
    struct mln_ir **copy = ir ? mln_arena_array(b->arena, n, sizeof *copy) : NULL;
    if (!copy)
        return out_of_memory(b, at, b->arena);
    for (size_t i = 0; i < n; i++)
        copy[i] = operands[i];
    *ir = (struct mln_ir){.kind = kind, .type = MLN_VALUE_DYN, .at = at, .operands = copy, .n = n};
    return ir;
}

/* ---- folding ---- */

/* The operands' values in the program's arena, when all are constant and none is an error. */
static const mln_value *constants(struct mln_ir_builder *b, struct mln_ir **operands, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!operands[i] || operands[i]->kind != MLN_IR_CONSTANT || operands[i]->value.kind == MLN_VALUE_ERROR)
            return NULL;
    mln_value *values = mln_arena_array(b->program->arena, n, sizeof *values);
    for (size_t i = 0; values && i < n; i++)
        values[i] = operands[i]->value;
    b->fold.left = FOLD_STEPS;
    b->fold.stopped = MLN_E_OK;
    return values;
}

/* The folded node, or otherwise when the operation failed: then it fails while running, where && or || may absorb it. */
static struct mln_ir *folded(struct mln_ir_builder *b, uint32_t at, mln_value value, struct mln_ir *otherwise)
{
    if (value.kind == MLN_VALUE_ERROR || mln_run_over(&b->fold))
        return otherwise;
    return mln_ir_constant(b, at, value);
}

/* ---- leaves ---- */

struct mln_ir *mln_ir_constant(struct mln_ir_builder *b, uint32_t at, mln_value value)
{
    struct mln_ir *ir = node(b, MLN_IR_CONSTANT, at, NULL, 0);
    if (!ir)
        return NULL;
    ir->value = value;
    ir->type = value.kind == MLN_VALUE_ERROR ? (uint32_t)MLN_VALUE_DYN : mln_value_type_of(value.kind);
    return ir;
}

struct mln_ir *mln_ir_slot(struct mln_ir_builder *b, uint32_t at, uint32_t slot)
{
    struct mln_ir *ir = node(b, MLN_IR_SLOT, at, NULL, 0);
    if (ir)
        ir->index = slot;
    return ir;
}

struct mln_result mln_ir_new_local(struct mln_ir_builder *b, uint16_t *local)
{
    if (b->locals >= MLN_PROGRAM_LOCALS_MOST)
        return mln_fail(MLN_E_LIMIT, "more than %d variables in one expression", MLN_PROGRAM_LOCALS_MOST);
    *local = b->locals++;
    return MLN_OK;
}

struct mln_ir *mln_ir_local(struct mln_ir_builder *b, uint32_t at, uint16_t local)
{
    struct mln_ir *ir = node(b, MLN_IR_LOCAL, at, NULL, 0);
    if (ir)
        ir->index = local;
    return ir;
}

/* ---- fields ---- */

static struct mln_ir *no_member(struct mln_ir_builder *b, uint32_t at, uint32_t type, struct mln_str name)
{
    return mln_ir_fail(b, at,
                       mln_fail(MLN_E_INVALID, "a value of type %s has no member '%.*s'", mln_value_type_name(type),
                                MLN_FMT(mln_str_sub(name, 0, 100))));
}

static bool may_have_members(const struct mln_ir_builder *b, uint32_t type)
{
    return b->env->unchecked || type == MLN_VALUE_DYN || type == MLN_VALUE_MAP ||
           (type == MLN_JSON_NULL && b->env->mode == MLN_EXPR_RULES);
}

struct mln_ir *mln_ir_member(struct mln_ir_builder *b, uint32_t at, struct mln_ir *object, struct mln_str name)
{
    if (!object)
        return NULL;
    if (object->kind == MLN_IR_SLOT) {
        uint32_t slot;
        struct mln_result r = mln_expr_env_slot(b->env, object->index, name, &slot);
        return mln_ok(r) ? mln_ir_slot(b, at, slot) : mln_ir_fail(b, at, r);
    }
    if (!may_have_members(b, object->type))
        return no_member(b, at, object->type, name);
    struct mln_ir *ir = node(b, MLN_IR_MEMBER, at, &object, 1);
    if (!ir)
        return NULL;
    ir->value = mln_value_string(name);
    const mln_value *value = constants(b, &object, 1);
    return value ? folded(b, at, mln_op_member(&b->fold, value, &ir->value), ir) : ir;
}

struct mln_ir *mln_ir_has(struct mln_ir_builder *b, uint32_t at, struct mln_ir *object, struct mln_str name)
{
    struct mln_ir *ir;
    if (!object)
        return NULL;
    if (object->kind == MLN_IR_SLOT) {
        ir = mln_ir_member(b, at, object, name);
        if (ir)
            ir->kind = MLN_IR_HAS_SLOT;
    } else if (!may_have_members(b, object->type)) {
        return no_member(b, at, object->type, name);
    } else {
        ir = node(b, MLN_IR_HAS, at, &object, 1);
        if (ir)
            ir->value = mln_value_string(name);
    }
    if (ir)
        ir->type = MLN_JSON_BOOL;
    return ir;
}

/* ---- operators and calls ---- */

static struct mln_ir *in_set(struct mln_ir_builder *b, uint32_t at, struct mln_ir *x, const mln_value *list)
{
    struct mln_constant_set set = {0};
    mln_value *others = mln_arena_array(b->program->arena, list->n, sizeof *others);
    if (!others)
        return out_of_memory(b, at, b->program->arena);
    if (list->n > SET_FROM && !(set.strings = mln_map_new(false)))
        return mln_ir_fail(b, at, mln_fail(MLN_E_MEMORY, "no memory for a set"));
    struct mln_result r = mln_vec_push(NULL, &b->sets, set);
    if (!mln_ok(r)) {
        mln_map_free(set.strings);
        return mln_ir_fail(b, at, r);
    }
    for (size_t i = 0; i < list->n; i++) {
        if (!set.strings || list->items[i].kind != MLN_JSON_STRING) {
            others[set.n_others++] = list->items[i];
            continue;
        }
        r = mln_map_put(set.strings, mln_value_str(list->items[i]), (union mln_map_value){.u = 1});
        if (!mln_ok(r))
            return mln_ir_fail(b, at, r);
    }
    set.others = others;
    b->sets.at[b->sets.n - 1] = set;
    struct mln_ir *ir = node(b, MLN_IR_IN_SET, at, &x, 1);
    if (!ir)
        return NULL;
    ir->index = (uint32_t)(b->sets.n - 1);
    ir->type = MLN_JSON_BOOL;
    return ir;
}

static struct mln_ir *wrong_operands(struct mln_ir_builder *b, uint32_t at, enum mln_operator op, const uint32_t *types)
{
    char symbol[16];
    int operands = mln_op_operands(op);
    snprintf(symbol, sizeof symbol, "%s", mln_op_text(op));
    for (char *c = symbol; *c; c++)
        *c = *c == '_' ? ' ' : *c;
    struct mln_str name = mln_str_trim(mln_str_c(symbol));
    if (operands == 1)
        return mln_ir_fail(
            b, at,
            mln_fail(MLN_E_INVALID, "'%.*s' is not defined for %s", MLN_FMT(name), mln_value_type_name(types[0])));
    return mln_ir_fail(b, at,
                       mln_fail(MLN_E_INVALID, "'%.*s' is not defined for %s and %s", MLN_FMT(name),
                                mln_value_type_name(types[0]), mln_value_type_name(types[1])));
}

struct mln_ir *mln_ir_operator(struct mln_ir_builder *b, uint32_t at, enum mln_operator op, struct mln_ir *x,
                               struct mln_ir *y)
{
    struct mln_ir *operands[] = {x, y};
    size_t n = (size_t)mln_op_operands(op);
    if (!x || (n == 2 && !y))
        return NULL;
    uint32_t types[] = {x->type, n == 2 ? y->type : (uint32_t)MLN_VALUE_DYN}, type = MLN_VALUE_DYN;
    if (!mln_op_type(op, types, b->env->mode == MLN_EXPR_RULES, &type)) {
        if (!b->env->unchecked)
            return wrong_operands(b, at, op, types);
        type = MLN_VALUE_DYN;
    }
    if (op == MLN_OP_INDEX && y->kind == MLN_IR_CONSTANT && y->value.kind == MLN_JSON_STRING && x->kind == MLN_IR_SLOT)
        return mln_ir_member(b, at, x, mln_value_str(y->value));
    const mln_value *values = constants(b, operands, n);
    struct mln_ir *ir = NULL;
    if (op == MLN_OP_IN && !values && y->kind == MLN_IR_CONSTANT && y->value.kind == MLN_JSON_ARRAY)
        return in_set(b, at, x, &y->value);
    ir = node(b, MLN_IR_OPERATOR, at, operands, n);
    if (!ir)
        return NULL;
    ir->index = op;
    ir->type = type;
    return values ? folded(b, at, mln_op(&b->fold, op, values), ir) : ir;
}

static struct mln_ir *wrong_arguments(struct mln_ir_builder *b, uint32_t at, const struct mln_function *rows,
                                      size_t n_rows, const uint32_t *types, size_t n)
{
    char expected[300] = "", found[100] = "", signature[128];
    size_t e = 0, f = 0, first = rows->style == MLN_FUNCTION_RECEIVER;
    for (size_t i = 0; i < n_rows && e < sizeof expected; i++)
        e += (size_t)snprintf(expected + e, sizeof expected - e, "%s%.*s", i ? ", " : "",
                              MLN_FMT(mln_function_signature(&rows[i], signature)));
    for (size_t i = first; i < n && f < sizeof found; i++)
        f +=
            (size_t)snprintf(found + f, sizeof found - f, "%s%s", i > first ? ", " : "", mln_value_type_name(types[i]));
    return mln_ir_fail(b, at,
                       mln_fail(MLN_E_INVALID, "found %s%s%s(%s), expected %s",
                                first ? mln_value_type_name(types[0]) : "", first ? "." : "", rows->name, found,
                                expected));
}

static struct mln_ir *matches(struct mln_ir_builder *b, uint32_t at, struct mln_ir *text, const mln_value *pattern)
{
    struct mln_regex *regex;
    struct mln_result r = mln_regex_compile(mln_value_str(*pattern), &regex);
    if (!mln_ok(r))
        return mln_ir_fail(b, at, r);
    r = mln_vec_push(NULL, &b->regexes, regex);
    if (!mln_ok(r)) {
        mln_regex_free(regex);
        return mln_ir_fail(b, at, r);
    }
    struct mln_ir *ir = node(b, MLN_IR_MATCHES, at, &text, 1);
    if (!ir)
        return NULL;
    ir->index = (uint32_t)(b->regexes.n - 1);
    ir->type = MLN_JSON_BOOL;
    return ir;
}

struct mln_ir *mln_ir_call(struct mln_ir_builder *b, uint32_t at, const struct mln_function *rows, size_t n_rows,
                           struct mln_ir **args, size_t n)
{
    enum { ARGUMENTS_MOST = 16 };
    uint32_t types[ARGUMENTS_MOST], type = MLN_VALUE_DYN;
    if (n > ARGUMENTS_MOST)
        return mln_ir_fail(b, at, mln_fail(MLN_E_LIMIT, "a call may have %d arguments", ARGUMENTS_MOST));
    for (size_t i = 0; i < n; i++) {
        if (!args[i])
            return NULL;
        types[i] = args[i]->type;
    }
    size_t fitting = 0;
    for (size_t i = 0; i < n_rows; i++)
        if (mln_function_fits(&rows[i], types, n, b->env->mode == MLN_EXPR_RULES)) {
            uint32_t result = mln_function_result(&rows[i]);
            type = fitting++ && type != result ? (uint32_t)MLN_VALUE_DYN : result;
        }
    if (!fitting && !b->env->unchecked)
        return wrong_arguments(b, at, rows, n_rows, types, n);
    if (fitting && rows->flags & MLN_FUNCTION_PATTERN && args[1]->kind == MLN_IR_CONSTANT &&
        args[1]->value.kind == MLN_JSON_STRING && args[0]->kind != MLN_IR_CONSTANT)
        return matches(b, at, args[0], &args[1]->value);
    struct mln_ir *ir = node(b, MLN_IR_CALL, at, args, n);
    if (!ir)
        return NULL;
    ir->rows = rows;
    ir->n_rows = n_rows;
    ir->type = type;
    const mln_value *values = rows->flags & MLN_FUNCTION_CLOCK ? NULL : constants(b, args, n);
    if (values)
        ir = folded(b, at, mln_function_call(&b->fold, rows, n_rows, values, n), ir);
    if (ir)
        ir->type = type; /* what the table says, not what the value is: dyn(1) may be compared with anything */
    return ir;
}

/* ---- lists and maps ---- */

struct mln_ir *mln_ir_list(struct mln_ir_builder *b, uint32_t at, struct mln_ir **items, size_t n)
{
    struct mln_ir *ir = node(b, MLN_IR_LIST, at, items, n);
    if (!ir)
        return NULL;
    ir->type = MLN_JSON_ARRAY;
    const mln_value *values = constants(b, items, n);
    return values ? mln_ir_constant(b, at, mln_value_list(values, n)) : ir;
}

struct mln_ir *mln_ir_map(struct mln_ir_builder *b, uint32_t at, struct mln_ir **keys_and_values, size_t n)
{
    struct mln_ir *ir = node(b, MLN_IR_MAP, at, keys_and_values, 2 * n);
    if (!ir)
        return NULL;
    ir->type = MLN_VALUE_MAP;
    const mln_value *values = constants(b, keys_and_values, 2 * n);
    return values ? folded(b, at, mln_op_map(&b->fold, values, n), ir) : ir;
}

/* ---- logic and control ---- */

static bool may_be_bool(const struct mln_ir_builder *b, const struct mln_ir *x)
{
    return b->env->unchecked || x->type == MLN_JSON_BOOL || x->type == MLN_VALUE_DYN;
}

static struct mln_ir *logic(struct mln_ir_builder *b, enum mln_ir_kind kind, uint32_t at, struct mln_ir **terms,
                            size_t n)
{
    struct mln_ir *ir = node(b, kind, at, terms, n);
    if (!ir)
        return NULL;
    for (size_t i = 0; i < n; i++)
        if (!may_be_bool(b, terms[i]))
            return mln_ir_fail(b, terms[i]->at,
                               mln_fail(MLN_E_INVALID, "found %s, '%s' takes bools",
                                        mln_value_type_name(terms[i]->type), kind == MLN_IR_AND ? "&&" : "||"));
    ir->type = MLN_JSON_BOOL;
    const mln_value decides = mln_value_bool(kind == MLN_IR_OR);
    for (size_t i = 0; i < n; i++)
        if (terms[i]->kind == MLN_IR_CONSTANT && terms[i]->value.kind == MLN_JSON_BOOL &&
            terms[i]->value.boolean == decides.boolean)
            return mln_ir_constant(b, at, decides);
    return ir;
}

struct mln_ir *mln_ir_and(struct mln_ir_builder *b, uint32_t at, struct mln_ir **terms, size_t n)
{
    return logic(b, MLN_IR_AND, at, terms, n);
}

struct mln_ir *mln_ir_or(struct mln_ir_builder *b, uint32_t at, struct mln_ir **terms, size_t n)
{
    return logic(b, MLN_IR_OR, at, terms, n);
}

struct mln_ir *mln_ir_condition(struct mln_ir_builder *b, uint32_t at, struct mln_ir *test, struct mln_ir *yes,
                                struct mln_ir *no)
{
    struct mln_ir *operands[] = {test, yes, no};
    struct mln_ir *ir = node(b, MLN_IR_CONDITION, at, operands, 3);
    if (!ir)
        return NULL;
    if (!may_be_bool(b, test))
        return mln_ir_fail(
            b, test->at,
            mln_fail(MLN_E_INVALID, "found %s before '?', expected a bool", mln_value_type_name(test->type)));
    if (test->kind == MLN_IR_CONSTANT && test->value.kind == MLN_JSON_BOOL)
        return test->value.boolean ? yes : no;
    ir->type = yes->type == no->type ? yes->type : (uint32_t)MLN_VALUE_DYN;
    return ir;
}

struct mln_ir *mln_ir_loop(struct mln_ir_builder *b, uint32_t at, enum mln_loop_kind kind,
                           struct mln_loop_locals locals, struct mln_ir *range, struct mln_ir *condition,
                           struct mln_ir *body)
{
    struct mln_ir *operands[] = {range, body, condition};
    struct mln_ir *ir = node(b, MLN_IR_LOOP, at, operands, condition ? 3 : 2);
    if (!ir)
        return NULL;
    bool lenient_null = range->type == MLN_JSON_NULL && b->env->mode == MLN_EXPR_RULES;
    if (!b->env->unchecked && !lenient_null && range->type != MLN_VALUE_DYN && range->type != MLN_JSON_ARRAY &&
        range->type != MLN_VALUE_MAP)
        return mln_ir_fail(b, at,
                           mln_fail(MLN_E_INVALID, "found %s, only the items of a list or map can be visited",
                                    mln_value_type_name(range->type)));
    bool makes_items = kind == MLN_LOOP_MAP || kind == MLN_LOOP_TRANSFORM_MAP;
    const struct mln_ir *test = condition ? condition : makes_items ? NULL : body;
    if (test && !may_be_bool(b, test))
        return mln_ir_fail(
            b, test->at,
            mln_fail(MLN_E_INVALID, "found %s, expected a bool for each item", mln_value_type_name(test->type)));
    ir->index = kind;
    ir->locals = locals;
    ir->type = kind == MLN_LOOP_TRANSFORM_MAP                    ? (uint32_t)MLN_VALUE_MAP
               : kind == MLN_LOOP_MAP || kind == MLN_LOOP_FILTER ? (uint32_t)MLN_JSON_ARRAY
                                                                 : (uint32_t)MLN_JSON_BOOL;
    return ir;
}

struct mln_ir *mln_ir_let(struct mln_ir_builder *b, uint32_t at, uint16_t local, struct mln_ir *value,
                          struct mln_ir *body)
{
    struct mln_ir *operands[] = {value, body};
    struct mln_ir *ir = node(b, MLN_IR_LET, at, operands, 2);
    if (!ir)
        return NULL;
    ir->index = local;
    ir->type = body->type;
    return ir;
}
