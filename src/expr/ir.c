/* Nodes, constants, fields, lists and maps, logic and control; operators and calls are in ir_call.c. */
#include "expr/ir.h"

#include "base/bitset.h"

enum { PROGRAM_BYTES = 16 << 20, NODES_BYTES = 64 << 20, FOLD_STEPS = 100000 };

struct mln_result mln_ir_begin(struct mln_ir_builder *b, struct mln_expr_env *env, struct mln_str source)
{
    *b = (struct mln_ir_builder){.env = env, .failed = MLN_OK};
    b->program = calloc(1, sizeof *b->program);
    b->arena = b->types.arena = mln_arena_new(NODES_BYTES);
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
    mln_run_done_folding(&b->fold);
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

static struct mln_ir *out_of_memory(struct mln_ir_builder *b, uint32_t at)
{
    return mln_ir_fail(b, at, mln_arena_failure(b->arena));
}

struct mln_ir *mln_ir_node(struct mln_ir_builder *b, enum mln_ir_kind kind, uint32_t at, struct mln_ir **operands,
                           size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!operands[i])
            return NULL;
    struct mln_ir *ir = mln_arena_alloc(b->arena, sizeof *ir);
    struct mln_ir **copy = ir ? mln_arena_array(b->arena, n, sizeof(struct mln_ir *)) : NULL;
    if (!copy || b->types.out_of_memory)
        return out_of_memory(b, at);
    for (size_t i = 0; i < n; i++)
        copy[i] = operands[i];
    *ir = (struct mln_ir){.kind = kind, .type = &mln_types[MLN_VALUE_DYN], .at = at, .operands = copy, .n = n};
    return ir;
}

const char *mln_ir_type_text(struct mln_ir_builder *b, const struct mln_ir *ir, char out[MLN_TYPE_TEXT])
{
    return mln_type_text(mln_infer_resolved(&b->types, ir->type), out);
}

/* The type, or NULL with the failure noted when there was no memory to make it. */
static bool set_type(struct mln_ir_builder *b, struct mln_ir *ir, const struct mln_type *type)
{
    if (!type)
        out_of_memory(b, ir->at);
    ir->type = type;
    return type != NULL;
}

/* ---- folding ---- */

mln_value *mln_ir_constants(struct mln_ir_builder *b, struct mln_ir **operands, size_t n)
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

struct mln_ir *mln_ir_folded(struct mln_ir_builder *b, mln_value value, struct mln_ir *otherwise)
{
    if (value.kind == MLN_VALUE_ERROR || mln_run_over(&b->fold))
        return otherwise;
    struct mln_ir *ir = mln_ir_constant(b, otherwise->at, value);
    if (!ir)
        return NULL;
    ir->type = otherwise->type; /* what is declared, not what the value is: dyn(1) may be compared with anything */
    ir->operands = otherwise->operands; /* their places and types, for messages */
    ir->n = otherwise->n;
    ir->optional = otherwise->optional;
    return ir;
}

/* ---- leaves ---- */

struct mln_ir *mln_ir_constant(struct mln_ir_builder *b, uint32_t at, mln_value value)
{
    struct mln_ir *ir = mln_ir_node(b, MLN_IR_CONSTANT, at, NULL, 0);
    if (!ir)
        return NULL;
    ir->value = value;
    ir->type = mln_type_plain(value.kind);
    return ir;
}

struct mln_ir *mln_ir_slot(struct mln_ir_builder *b, uint32_t at, uint32_t slot, const struct mln_type *type)
{
    struct mln_ir *ir = mln_ir_node(b, MLN_IR_SLOT, at, NULL, 0);
    if (!ir)
        return NULL;
    ir->index = slot;
    ir->type = type;
    return ir;
}

struct mln_result mln_ir_new_local(struct mln_ir_builder *b, const struct mln_type *type, uint16_t *local)
{
    if (b->locals >= MLN_PROGRAM_LOCALS_MOST)
        return mln_fail(MLN_E_LIMIT, "more than %d variables in one expression", MLN_PROGRAM_LOCALS_MOST);
    b->local_types[b->locals] = type;
    *local = b->locals++;
    return MLN_OK;
}

struct mln_ir *mln_ir_local(struct mln_ir_builder *b, uint32_t at, uint16_t local)
{
    struct mln_ir *ir = mln_ir_node(b, MLN_IR_LOCAL, at, NULL, 0);
    if (!ir)
        return NULL;
    ir->index = local;
    ir->type = b->local_types[local];
    return ir;
}

/* ---- fields ---- */

static bool may_have_members(const struct mln_ir_builder *b, const struct mln_type *type)
{
    return b->env->unchecked || type->kind == MLN_VALUE_DYN || type->kind == MLN_VALUE_MAP ||
           (type->kind == MLN_JSON_NULL && b->env->mode == MLN_EXPR_RULES);
}

/* The type of a member, of what is in an optional where it is one. NULL: such values have no members, noted as a failure,
   or no memory. */
static const struct mln_type *member_type(struct mln_ir_builder *b, uint32_t at, const struct mln_ir *object,
                                          struct mln_str name)
{
    char text[MLN_TYPE_TEXT];
    const struct mln_type *type = mln_infer_known(&b->types, object->type), *inner = type;
    if (type->kind == MLN_VALUE_OPTIONAL)
        inner = mln_infer_known(&b->types, mln_type_of(type, 0));
    if (!may_have_members(b, inner)) {
        mln_ir_fail(b, at,
                    mln_fail(MLN_E_INVALID, "a value of type %s has no member '%.*s'",
                             mln_ir_type_text(b, object, text), MLN_FMT(mln_str_sub(name, 0, 100))));
        return NULL;
    }
    const struct mln_type *value = inner->kind == MLN_VALUE_MAP ? mln_type_of(inner, 1) : &mln_types[MLN_VALUE_DYN];
    return type->kind == MLN_VALUE_OPTIONAL ? mln_type_optional(b->arena, value) : value;
}

struct mln_ir *mln_ir_member(struct mln_ir_builder *b, uint32_t at, struct mln_ir *object, struct mln_str name)
{
    const struct mln_type *type = object ? member_type(b, at, object, name) : NULL;
    if (!type)
        return object ? out_of_memory(b, at) : NULL;
    if (object->kind == MLN_IR_SLOT) {
        uint32_t slot;
        struct mln_result r = mln_expr_env_slot(b->env, object->index, name, &slot);
        return mln_ok(r) ? mln_ir_slot(b, at, slot, type) : mln_ir_fail(b, at, r);
    }
    struct mln_ir *ir = mln_ir_node(b, MLN_IR_MEMBER, at, &object, 1);
    if (!ir)
        return NULL;
    ir->value = mln_value_string(name);
    ir->type = type;
    const mln_value *value = mln_ir_constants(b, &object, 1);
    return value ? mln_ir_folded(b, mln_op_member(&b->fold, value, &ir->value), ir) : ir;
}

struct mln_ir *mln_ir_has(struct mln_ir_builder *b, uint32_t at, struct mln_ir *object, struct mln_str name)
{
    struct mln_ir *ir;
    if (!object || !member_type(b, at, object, name))
        return object ? out_of_memory(b, at) : NULL;
    if (object->kind == MLN_IR_SLOT) {
        ir = mln_ir_member(b, at, object, name);
        if (ir)
            ir->kind = MLN_IR_HAS_SLOT;
    } else {
        ir = mln_ir_node(b, MLN_IR_HAS, at, &object, 1);
        if (ir)
            ir->value = mln_value_string(name);
    }
    if (ir)
        ir->type = &mln_types[MLN_JSON_BOOL];
    return ir;
}

/* ---- lists and maps ---- */

/* The type of an item, which is that of what an optional holds where the item is one. */
static const struct mln_type *item_type(struct mln_ir_builder *b, const struct mln_ir *item, bool optional)
{
    char text[MLN_TYPE_TEXT];
    if (!optional)
        return item->type;
    const struct mln_type *type = mln_infer_known(&b->types, item->type);
    if (type->kind != MLN_VALUE_OPTIONAL && type->kind != MLN_VALUE_DYN && !b->env->unchecked)
        mln_ir_fail(
            b, item->at,
            mln_fail(MLN_E_INVALID, "found %s behind '?', expected an optional", mln_ir_type_text(b, item, text)));
    return type->kind == MLN_VALUE_OPTIONAL ? mln_type_of(type, 0) : &mln_types[MLN_VALUE_DYN];
}

static const struct mln_type *join(struct mln_ir_builder *b, const struct mln_type *so_far, const struct mln_type *type)
{
    return so_far ? mln_infer_join(&b->types, so_far, type) : type;
}

static bool is_optional(const uint64_t *optional, size_t i)
{
    return optional && mln_bitset_has(optional, i);
}

struct mln_ir *mln_ir_list(struct mln_ir_builder *b, uint32_t at, struct mln_ir **items, size_t n,
                           const uint64_t *optional)
{
    struct mln_ir *ir = mln_ir_node(b, MLN_IR_LIST, at, items, n);
    const struct mln_type *type = NULL;
    for (size_t i = 0; ir && i < n; i++)
        type = join(b, type, item_type(b, items[i], is_optional(optional, i)));
    if (!ir || !set_type(b, ir, mln_type_list(b->arena, type ? type : mln_infer_variable(&b->types))))
        return NULL;
    ir->optional = optional;
    mln_value *values = mln_ir_constants(b, items, n);
    return values ? mln_ir_folded(b, mln_op_list(&b->fold, values, n, optional), ir) : ir;
}

/* Whether a value of that type may be a key of a map. */
static bool may_be_key(uint32_t kind)
{
    return kind == MLN_VALUE_DYN || kind == MLN_JSON_BOOL || kind == MLN_JSON_INT || kind == MLN_JSON_UINT ||
           kind == MLN_JSON_STRING;
}

static const struct mln_type *key_type(struct mln_ir_builder *b, const struct mln_ir *key)
{
    char text[MLN_TYPE_TEXT];
    const struct mln_type *type = mln_infer_known(&b->types, key->type);
    if (may_be_key(type->kind))
        return type;
    if (!b->env->unchecked)
        mln_ir_fail(b, key->at,
                    mln_fail(MLN_E_INVALID, "a key of a map must be bool, int, uint or string, not %s",
                             mln_ir_type_text(b, key, text)));
    return &mln_types[MLN_VALUE_DYN];
}

struct mln_ir *mln_ir_map(struct mln_ir_builder *b, uint32_t at, struct mln_ir **keys_and_values, size_t n,
                          const uint64_t *optional)
{
    struct mln_ir *ir = mln_ir_node(b, MLN_IR_MAP, at, keys_and_values, 2 * n);
    const struct mln_type *key = NULL, *value = NULL;
    for (size_t i = 0; ir && i < n; i++) {
        key = join(b, key, key_type(b, keys_and_values[2 * i]));
        value = join(b, value, item_type(b, keys_and_values[2 * i + 1], is_optional(optional, i)));
    }
    if (!ir || !mln_ok(b->failed) ||
        !set_type(b, ir,
                  mln_type_map(b->arena, key ? key : mln_infer_variable(&b->types),
                               value ? value : mln_infer_variable(&b->types))))
        return NULL;
    ir->optional = optional;
    mln_value *values = mln_ir_constants(b, keys_and_values, 2 * n);
    return values ? mln_ir_folded(b, mln_op_map(&b->fold, values, n, optional), ir) : ir;
}

/* ---- logic and control ---- */

static bool may_be_bool(const struct mln_ir_builder *b, const struct mln_ir *x)
{
    uint32_t kind = mln_ir_kind_of(b, x);
    return b->env->unchecked || kind == MLN_JSON_BOOL || kind == MLN_VALUE_DYN;
}

static struct mln_ir *logic(struct mln_ir_builder *b, enum mln_ir_kind kind, uint32_t at, struct mln_ir **terms,
                            size_t n)
{
    char text[MLN_TYPE_TEXT];
    struct mln_ir *ir = mln_ir_node(b, kind, at, terms, n);
    if (!ir)
        return NULL;
    for (size_t i = 0; i < n; i++)
        if (!may_be_bool(b, terms[i]))
            return mln_ir_fail(b, terms[i]->at,
                               mln_fail(MLN_E_INVALID, "found %s, '%s' takes bools",
                                        mln_ir_type_text(b, terms[i], text), kind == MLN_IR_AND ? "&&" : "||"));
    ir->type = &mln_types[MLN_JSON_BOOL];
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

/* CEL has both sides of one type. Rules may mix them: what such a condition gives is looked at when it is used. */
static bool sides_agree(struct mln_ir_builder *b, uint32_t at, const struct mln_ir *yes, const struct mln_ir *no)
{
    char yes_text[MLN_TYPE_TEXT], no_text[MLN_TYPE_TEXT];
    if (b->env->mode == MLN_EXPR_RULES || b->env->unchecked || mln_infer_fits(&b->types, yes->type, no->type))
        return true;
    mln_ir_fail(b, at,
                mln_fail(MLN_E_INVALID, "the sides of '?:' are %s and %s, expected one type",
                         mln_ir_type_text(b, yes, yes_text), mln_ir_type_text(b, no, no_text)));
    return false;
}

struct mln_ir *mln_ir_condition(struct mln_ir_builder *b, uint32_t at, struct mln_ir *test, struct mln_ir *yes,
                                struct mln_ir *no)
{
    char text[MLN_TYPE_TEXT];
    struct mln_ir *operands[] = {test, yes, no};
    struct mln_ir *ir = mln_ir_node(b, MLN_IR_CONDITION, at, operands, 3);
    if (!ir)
        return NULL;
    if (!may_be_bool(b, test))
        return mln_ir_fail(
            b, test->at,
            mln_fail(MLN_E_INVALID, "found %s before '?', expected a bool", mln_ir_type_text(b, test, text)));
    if (!sides_agree(b, at, yes, no))
        return NULL;
    ir->type = mln_infer_join(&b->types, yes->type, no->type);
    if (test->kind != MLN_IR_CONSTANT || test->value.kind != MLN_JSON_BOOL)
        return ir;
    struct mln_ir *taken = test->value.boolean ? yes : no;
    taken->type = ir->type;
    return taken;
}

bool mln_ir_loop_types(struct mln_ir_builder *b, uint32_t at, const struct mln_ir *range, size_t variables,
                       const struct mln_type *types[2])
{
    char text[MLN_TYPE_TEXT];
    const struct mln_type *type = mln_infer_known(&b->types, range->type);
    bool lenient_null = type->kind == MLN_JSON_NULL && b->env->mode == MLN_EXPR_RULES;
    types[0] = types[1] = &mln_types[MLN_VALUE_DYN];
    if (type->kind == MLN_JSON_ARRAY) {
        types[0] = variables == 2 ? &mln_types[MLN_JSON_INT] : mln_type_of(type, 0);
        types[1] = mln_type_of(type, 0);
    } else if (type->kind == MLN_VALUE_MAP) {
        types[0] = mln_type_of(type, 0);
        types[1] = mln_type_of(type, 1);
    } else if (type->kind != MLN_VALUE_DYN && !lenient_null && !b->env->unchecked) {
        mln_ir_fail(b, at,
                    mln_fail(MLN_E_INVALID, "found %s, only the items of a list or map can be visited",
                             mln_ir_type_text(b, range, text)));
        return false;
    }
    return true;
}

/* What a loop gives, by what its body gives for each item. */
static const struct mln_type *loop_type(struct mln_ir_builder *b, enum mln_loop_kind kind, const struct mln_ir *range,
                                        const struct mln_ir *body)
{
    const struct mln_type *items[2], *made = mln_infer_known(&b->types, body->type);
    switch (kind) {
    case MLN_LOOP_MAP:
        return mln_type_list(b->arena, body->type);
    case MLN_LOOP_FILTER:
        return mln_ir_loop_types(b, body->at, range, 1, items) ? mln_type_list(b->arena, items[0]) : NULL;
    case MLN_LOOP_TRANSFORM_MAP:
        return mln_ir_loop_types(b, body->at, range, 2, items) ? mln_type_map(b->arena, items[0], body->type) : NULL;
    case MLN_LOOP_TRANSFORM_ENTRIES:
        return made->kind == MLN_VALUE_MAP ? made : &mln_types[MLN_VALUE_MAP];
    default:
        return &mln_types[MLN_JSON_BOOL];
    }
}

/* What the body or condition gives for each item must be what the loop gathers. */
static bool fits_loop(struct mln_ir_builder *b, enum mln_loop_kind kind, const struct mln_ir *condition,
                      const struct mln_ir *body)
{
    char text[MLN_TYPE_TEXT];
    bool makes_items = kind == MLN_LOOP_MAP || kind == MLN_LOOP_TRANSFORM_MAP || kind == MLN_LOOP_TRANSFORM_ENTRIES;
    const struct mln_ir *test = condition ? condition : makes_items ? NULL : body;
    if (test && !may_be_bool(b, test))
        mln_ir_fail(
            b, test->at,
            mln_fail(MLN_E_INVALID, "found %s, expected a bool for each item", mln_ir_type_text(b, test, text)));
    uint32_t made = mln_ir_kind_of(b, body);
    if (kind == MLN_LOOP_TRANSFORM_ENTRIES && made != MLN_VALUE_MAP && made != MLN_VALUE_DYN && !b->env->unchecked)
        mln_ir_fail(b, body->at,
                    mln_fail(MLN_E_INVALID, "found %s, expected a map for each item", mln_ir_type_text(b, body, text)));
    return mln_ok(b->failed);
}

struct mln_ir *mln_ir_loop(struct mln_ir_builder *b, uint32_t at, enum mln_loop_kind kind,
                           struct mln_loop_locals locals, struct mln_ir *range, struct mln_ir *condition,
                           struct mln_ir *body)
{
    struct mln_ir *operands[] = {range, body, condition};
    struct mln_ir *ir = mln_ir_node(b, MLN_IR_LOOP, at, operands, condition ? 3 : 2);
    if (!ir || !fits_loop(b, kind, condition, body) || !set_type(b, ir, loop_type(b, kind, range, body)))
        return NULL;
    ir->index = kind;
    ir->locals = locals;
    return ir;
}

struct mln_ir *mln_ir_let(struct mln_ir_builder *b, uint32_t at, uint16_t local, struct mln_ir *value,
                          struct mln_ir *body)
{
    struct mln_ir *operands[] = {value, body};
    struct mln_ir *ir = mln_ir_node(b, MLN_IR_LET, at, operands, 2);
    if (!ir)
        return NULL;
    ir->index = local;
    ir->type = body->type;
    return ir;
}
