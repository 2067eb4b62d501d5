/* From nodes to code: one pass, each node leaves one value on the stack. */
#include "base/bitset.h"
#include "expr/ir.h"

struct assembler {
    struct mln_ir_builder *b;
    MLN_VEC(struct mln_instruction) code;
    MLN_VEC(mln_value) constants;
    MLN_VEC(struct mln_call) calls;
    MLN_VEC(const uint64_t *) optionals;
    MLN_VEC(struct mln_loop_locals) loops;
    MLN_VEC(uint32_t) slots; /* read by the program */
    uint32_t stack, stack_most;
    uint32_t loop_depth, loop_depth_most;
};

static MLN_RESULT emit(struct assembler *a, const struct mln_ir *ir);

/* Adds an instruction; effect: by how much the stack grows. */
static struct mln_result put(struct assembler *a, struct mln_instruction instruction, int effect)
{
    if (a->code.n >= MLN_PROGRAM_CODE_MOST)
        return mln_fail(MLN_E_LIMIT, "the expression is too large");
    a->stack += (uint32_t)effect;
    if (a->stack > a->stack_most)
        a->stack_most = a->stack;
    return mln_vec_push(a->b->arena, &a->code, instruction);
}

static struct mln_result constant(struct assembler *a, mln_value value, uint32_t *index)
{
    *index = (uint32_t)a->constants.n;
    return mln_vec_push(a->b->program->arena, &a->constants, value);
}

static struct mln_result reads_slot(struct assembler *a, uint32_t slot)
{
    for (size_t i = 0; i < a->slots.n; i++)
        if (a->slots.at[i] == slot)
            return MLN_OK;
    return mln_vec_push(a->b->arena, &a->slots, slot);
}

static struct mln_result emit_operands(struct assembler *a, const struct mln_ir *ir)
{
    for (size_t i = 0; i < ir->n; i++)
        MLN_TRY(emit(a, ir->operands[i]));
    return MLN_OK;
}

static struct mln_result emit_named(struct assembler *a, const struct mln_ir *ir, uint16_t code)
{
    uint32_t name;
    struct mln_str copy;
    MLN_TRY_STR(a->b->program->arena, copy, mln_str_dup(a->b->program->arena, mln_value_str(ir->value)));
    MLN_TRY(constant(a, mln_value_string(copy), &name));
    MLN_TRY(emit_operands(a, ir));
    return put(a, (struct mln_instruction){.code = code, .b = name, .at = ir->at}, 0);
}

static bool is_plain_constant(const struct mln_ir *ir)
{
    return ir->kind == MLN_IR_CONSTANT && ir->value.kind != MLN_VALUE_ERROR;
}

/* x == constant, the commonest test of all, in one or two instructions. */
static struct mln_result emit_equals(struct assembler *a, const struct mln_ir *x, const struct mln_ir *c, uint32_t at)
{
    uint32_t index;
    MLN_TRY(constant(a, c->value, &index));
    if (x->kind == MLN_IR_SLOT) {
        MLN_TRY(reads_slot(a, x->index));
        return put(a, (struct mln_instruction){.code = MLN_I_SLOT_IS, .b = x->index, .c = index, .at = at}, 1);
    }
    MLN_TRY(emit(a, x));
    return put(a, (struct mln_instruction){.code = MLN_I_EQUALS, .b = index, .at = at}, 0);
}

static struct mln_result emit_operator(struct assembler *a, const struct mln_ir *ir)
{
    if (ir->index == MLN_OP_EQUAL && is_plain_constant(ir->operands[1]))
        return emit_equals(a, ir->operands[0], ir->operands[1], ir->at);
    if (ir->index == MLN_OP_EQUAL && is_plain_constant(ir->operands[0]))
        return emit_equals(a, ir->operands[1], ir->operands[0], ir->at);
    MLN_TRY(emit_operands(a, ir));
    return put(
        a,
        (struct mln_instruction){.code = MLN_I_OPERATOR, .a = (uint16_t)ir->index, .b = (uint32_t)ir->n, .at = ir->at},
        1 - (int)ir->n);
}

/* x; jump when it decides; y; combine; ... */
static struct mln_result emit_logic(struct assembler *a, const struct mln_ir *ir)
{
    bool is_and = ir->kind == MLN_IR_AND;
    MLN_VEC(size_t) jumps = {0};
    for (size_t i = 0; i < ir->n; i++) {
        MLN_TRY(emit(a, ir->operands[i]));
        if (i > 0)
            MLN_TRY(put(a, (struct mln_instruction){.code = is_and ? MLN_I_AND : MLN_I_OR, .at = ir->at}, -1));
        if (i + 1 < ir->n) {
            MLN_TRY(mln_vec_push(a->b->arena, &jumps, a->code.n));
            MLN_TRY(put(
                a, (struct mln_instruction){.code = is_and ? MLN_I_JUMP_IF_FALSE : MLN_I_JUMP_IF_TRUE, .at = ir->at},
                0));
        }
    }
    for (size_t i = 0; i < jumps.n; i++)
        a->code.at[jumps.at[i]].b = (uint32_t)a->code.n;
    return MLN_OK;
}

static struct mln_result emit_condition(struct assembler *a, const struct mln_ir *ir)
{
    MLN_TRY(emit(a, ir->operands[0]));
    size_t branch = a->code.n;
    MLN_TRY(put(a, (struct mln_instruction){.code = MLN_I_BRANCH, .at = ir->operands[0]->at}, -1));
    MLN_TRY(emit(a, ir->operands[1]));
    size_t jump = a->code.n;
    MLN_TRY(put(a, (struct mln_instruction){.code = MLN_I_JUMP, .at = ir->at}, -1));
    a->code.at[branch].b = (uint32_t)a->code.n;
    MLN_TRY(emit(a, ir->operands[2]));
    a->code.at[branch].c = a->code.at[jump].b = (uint32_t)a->code.n;
    return MLN_OK;
}

static struct mln_result emit_loop(struct assembler *a, const struct mln_ir *ir)
{
    MLN_TRY(emit(a, ir->operands[0]));
    if (++a->loop_depth > MLN_PROGRAM_LOOPS_MOST)
        return mln_fail(MLN_E_LIMIT, "more than %d macros inside of one another", MLN_PROGRAM_LOOPS_MOST);
    if (a->loop_depth > a->loop_depth_most)
        a->loop_depth_most = a->loop_depth;
    size_t loop = a->code.n;
    MLN_TRY(put(
        a,
        (struct mln_instruction){.code = MLN_I_LOOP, .a = (uint16_t)ir->index, .c = (uint32_t)a->loops.n, .at = ir->at},
        -1));
    MLN_TRY(mln_vec_push(a->b->program->arena, &a->loops, ir->locals));
    if (ir->n == 3) {
        MLN_TRY(emit(a, ir->operands[2]));
        MLN_TRY(put(a, (struct mln_instruction){.code = MLN_I_LOOP_IF, .at = ir->operands[2]->at}, -1));
    }
    MLN_TRY(emit(a, ir->operands[1]));
    MLN_TRY(put(a, (struct mln_instruction){.code = MLN_I_LOOP_NEXT, .at = ir->operands[1]->at}, -1));
    a->code.at[loop].b = (uint32_t)a->code.n;
    a->loop_depth--;
    return put(a, (struct mln_instruction){.code = MLN_I_LOOP_END, .at = ir->at}, 1);
}

static struct mln_result emit_slot(struct assembler *a, const struct mln_ir *ir)
{
    MLN_TRY(reads_slot(a, ir->index));
    uint16_t code = ir->kind == MLN_IR_SLOT ? MLN_I_SLOT : MLN_I_HAS_SLOT;
    return put(a, (struct mln_instruction){.code = code, .b = ir->index, .at = ir->at}, 1);
}

static struct mln_result emit_call(struct assembler *a, const struct mln_ir *ir)
{
    MLN_TRY(emit_operands(a, ir));
    MLN_TRY(mln_vec_push(a->b->program->arena, &a->calls, {ir->rows, ir->n_rows}));
    return put(
        a,
        (struct mln_instruction){.code = MLN_I_CALL, .a = (uint16_t)ir->n, .b = (uint32_t)a->calls.n - 1, .at = ir->at},
        1 - (int)ir->n);
}

/* A list or a map. */
static struct mln_result emit_collection(struct assembler *a, const struct mln_ir *ir)
{
    bool is_map = ir->kind == MLN_IR_MAP;
    struct mln_instruction in = {.code = is_map ? MLN_I_MAP : MLN_I_LIST, .at = ir->at};
    in.b = (uint32_t)(is_map ? ir->n / 2 : ir->n);
    MLN_TRY(emit_operands(a, ir));
    if (ir->optional) {
        uint64_t *set;
        size_t words = mln_bitset_words(in.b);
        MLN_TRY_ARRAY(a->b->program->arena, set, words);
        memcpy(set, ir->optional, words * sizeof *set);
        MLN_TRY(mln_vec_push(a->b->program->arena, &a->optionals, set));
        in.c = (uint32_t)a->optionals.n - 1;
    }
    return put(a, in, 1 - (int)ir->n);
}

static struct mln_result emit(struct assembler *a, const struct mln_ir *ir)
{
    struct mln_instruction in = {.b = ir->index, .at = ir->at};
    switch (ir->kind) {
    case MLN_IR_CONSTANT:
        in.code = MLN_I_CONSTANT;
        MLN_TRY(constant(a, ir->value, &in.b));
        return put(a, in, 1);
    case MLN_IR_SLOT:
    case MLN_IR_HAS_SLOT:
        return emit_slot(a, ir);
    case MLN_IR_LOCAL:
        in.code = MLN_I_LOCAL;
        return put(a, in, 1);
    case MLN_IR_MEMBER:
        return emit_named(a, ir, MLN_I_MEMBER);
    case MLN_IR_HAS:
        return emit_named(a, ir, MLN_I_HAS);
    case MLN_IR_OPERATOR:
        return emit_operator(a, ir);
    case MLN_IR_IN_SET:
    case MLN_IR_MATCHES:
        in.code = ir->kind == MLN_IR_IN_SET ? MLN_I_IN_SET : MLN_I_MATCHES;
        MLN_TRY(emit_operands(a, ir));
        return put(a, in, 0);
    case MLN_IR_CALL:
        return emit_call(a, ir);
    case MLN_IR_LIST:
    case MLN_IR_MAP:
        return emit_collection(a, ir);
    case MLN_IR_AND:
    case MLN_IR_OR:
        return emit_logic(a, ir);
    case MLN_IR_CONDITION:
        return emit_condition(a, ir);
    case MLN_IR_LOOP:
        return emit_loop(a, ir);
    case MLN_IR_LET:
        MLN_TRY(emit(a, ir->operands[0]));
        in.code = MLN_I_SET_LOCAL;
        MLN_TRY(put(a, in, -1));
        return emit(a, ir->operands[1]);
    }
    return mln_fail(MLN_E_INTERNAL, "unknown node");
}

/* The dotted path of a slot, ending before the first name that could not be told from a path itself. */
static struct mln_result path_of(struct assembler *a, uint32_t slot, struct mln_str *path)
{
    const struct mln_expr_slot *slots = a->b->env->slots.at;
    MLN_VEC(struct mln_str) names = {0};
    for (uint32_t s = slot; s != 0; s = slots[s].parent)
        MLN_TRY(mln_vec_push(a->b->arena, &names, slots[s].name));
    *path = MLN_S("");
    for (size_t i = names.n; i-- > 0;) {
        if (names.at[i].n == 0 || mln_str_find(names.at[i], MLN_S("."), 0) != SIZE_MAX)
            break;
        MLN_TRY_STR(a->b->program->arena, *path,
                    mln_str_printf(a->b->program->arena, "%.*s%s%.*s", MLN_FMT(*path), path->n ? "." : "",
                                   MLN_FMT(names.at[i])));
    }
    return MLN_OK;
}

static struct mln_result collect_paths(struct assembler *a)
{
    MLN_VEC(struct mln_str) paths = {0};
    for (size_t i = 0; i < a->slots.n; i++) {
        struct mln_str path;
        bool seen = false;
        MLN_TRY(path_of(a, a->slots.at[i], &path));
        for (size_t j = 0; j < paths.n && !seen; j++)
            seen = mln_str_eq(paths.at[j], path);
        if (!seen)
            MLN_TRY(mln_vec_push(a->b->program->arena, &paths, path));
    }
    a->b->program->paths = paths.at;
    a->b->program->n_paths = paths.n;
    return MLN_OK;
}

static struct mln_result finish(struct assembler *a)
{
    struct mln_program *p = a->b->program;
    struct mln_instruction *code;
    MLN_TRY_ARRAY(p->arena, code, a->code.n);
    memcpy(code, a->code.at, a->code.n * sizeof *code);
    p->code = code;
    p->n_code = a->code.n;
    p->constants = a->constants.at;
    p->calls = a->calls.at;
    p->optionals = a->optionals.at;
    p->loops = a->loops.at;
    MLN_TRY_ARRAY(p->arena, p->regexes, a->b->regexes.n);
    MLN_TRY_ARRAY(p->arena, p->sets, a->b->sets.n);
    MLN_TRY(collect_paths(a));
    /* Nothing can fail from here on: the program takes over what the builder owned. */
    for (; p->n_regexes < a->b->regexes.n; p->n_regexes++)
        p->regexes[p->n_regexes] = a->b->regexes.at[p->n_regexes];
    for (; p->n_sets < a->b->sets.n; p->n_sets++)
        p->sets[p->n_sets] = a->b->sets.at[p->n_sets];
    a->b->regexes.n = a->b->sets.n = 0;
    p->stack_cells = a->stack_most;
    p->locals = a->b->locals;
    p->loop_depth = a->loop_depth_most;
    return MLN_OK;
}

static struct mln_result assemble(struct mln_ir_builder *b, const struct mln_ir *result)
{
    if (!mln_ok(b->failed))
        return b->failed;
    if (!result)
        return mln_fail(MLN_E_INTERNAL, "nothing to assemble");
    struct assembler a = {.b = b};
    char type[MLN_TYPE_TEXT];
    b->failed_at = result->at;
    b->program->type = mln_str_z(b->program->arena, mln_str_c(mln_ir_type_text(b, result, type)));
    if (!b->program->type)
        return mln_arena_failure(b->program->arena);
    MLN_TRY(mln_vec_push(b->program->arena, &a.optionals, NULL));
    MLN_TRY(emit(&a, result));
    MLN_TRY(put(&a, (struct mln_instruction){.code = MLN_I_END, .at = result->at}, -1));
    if (a.stack_most > MLN_PROGRAM_STACK_MOST)
        return mln_fail(MLN_E_LIMIT, "the expression is too large");
    return finish(&a);
}

struct mln_result mln_ir_assemble(struct mln_ir_builder *b, const struct mln_ir *result, struct mln_program **out)
{
    struct mln_result r = assemble(b, result);
    *out = mln_ok(r) ? MLN_TAKE(b->program) : NULL;
    mln_ir_drop(b);
    return r;
}
