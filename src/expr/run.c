/* Running programs: the stack machine, slots of the current document, limits. */
#include "expr/run.h"

#include "expr/code.h"
#include "expr/result.h"

#include <stdarg.h>

const struct mln_expr_limits mln_expr_default_limits = {.arena_bytes = 8 << 20, .cost = 10000000};

enum { SLOT_FOUND = 1, SLOT_ABSENT, SLOT_NOT_A_MAP };

/* ---- life ---- */

struct mln_expr_run *mln_expr_run_new(const struct mln_expr_env *env, const struct mln_clock *clock,
                                      const struct mln_expr_limits *limits)
{
    struct mln_expr_run *run = calloc(1, sizeof *run);
    if (!run)
        return NULL;
    run->env = env;
    run->lenient = env->mode == MLN_EXPR_RULES;
    run->clock = *clock;
    run->limits = limits ? *limits : mln_expr_default_limits;
    run->generation = 1;
    run->document = &mln_json_null;
    run->arena = mln_arena_new(run->limits.arena_bytes);
    run->results = mln_arena_new(run->limits.arena_bytes);
    if (run->arena && run->results)
        return run;
    mln_expr_run_free(run);
    return NULL;
}

void mln_expr_run_free(struct mln_expr_run *run)
{
    if (!run)
        return;
    mln_run_done_folding(run);
    mln_arena_free(run->arena);
    mln_arena_free(run->results);
    free(run->slots);
    free(run->stack);
    free(run);
}

void mln_expr_run_document(struct mln_expr_run *run, const struct mln_json *document)
{
    run->document = document ? document : &mln_json_null;
    mln_arena_reset(run->results);
    if (++run->generation == 0) { /* wrapped: no old slot may look new */
        memset(run->slots, 0, run->n_slots * sizeof *run->slots);
        run->generation = 1;
    }
}

void mln_run_done_folding(struct mln_expr_run *run)
{
    mln_regex_scratch_done(&run->regex);
    mln_zones_done(&run->zones);
}

struct mln_expr_run mln_run_for_folding(const struct mln_expr_env *env, struct mln_arena *arena)
{
    return (struct mln_expr_run){.env = env,
                                 .lenient = env->mode == MLN_EXPR_RULES,
                                 .clock = mln_system_clock,
                                 .arena = arena,
                                 .document = &mln_json_null};
}

void *mln_run_alloc(struct mln_expr_run *run, size_t count, size_t item_bytes)
{
    void *p = mln_arena_array(run->arena, count, item_bytes);
    if (!p) {
        run->left = 0;
        run->stopped = mln_arena_failure(run->arena).code;
    }
    return p;
}

mln_value mln_run_string(struct mln_expr_run *run, struct mln_str s)
{
    char *p = mln_run_alloc(run, s.n, 1);
    if (!p)
        return mln_value_null();
    if (s.n)
        memcpy(p, s.p, s.n);
    return mln_value_string((struct mln_str){p, s.n});
}

mln_value mln_run_error(struct mln_expr_run *run, const char *format, ...)
{
    char text[256];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    size_t size = n < 0 ? 0 : (size_t)n < sizeof text ? (size_t)n : sizeof text - 1;
    char *copy = mln_run_alloc(run, size + 1, 1);
    if (!copy)
        return mln_value_error("out of memory");
    memcpy(copy, text, size);
    return mln_value_error(copy);
}

mln_value mln_run_optional(struct mln_expr_run *run, const mln_value *value)
{
    mln_value *copy = value ? mln_run_alloc(run, 1, sizeof *copy) : NULL;
    if (copy)
        *copy = *value;
    return mln_value_optional(copy);
}

mln_value mln_run_no_overload(struct mln_expr_run *run, const char *name, const mln_value *args, size_t n)
{
    char types[160] = "";
    size_t used = 0;
    for (size_t i = 0; i < n && used < sizeof types; i++)
        used += (size_t)snprintf(types + used, sizeof types - used, "%s%s", i ? ", " : "",
                                 mln_value_type_name(args[i].kind));
    return mln_run_error(run, "no such overload: %s(%s)", name, types);
}

/* ---- slots ---- */

static const mln_value *member_of_slot(struct mln_expr_run *run, const mln_value *object,
                                       const struct mln_expr_slot *slot)
{
    if (object->kind == MLN_VALUE_MAP) {
        mln_value name = mln_value_string(slot->name);
        return mln_value_lookup(run, object, &name);
    }
    mln_run_charge(run, object->n / 16);
    const struct mln_json_member *m = object->members;
    for (uint32_t i = 0; i < object->n; i++)
        if (m[i].key == slot->key && (slot->key != MLN_JSON_KEY_OTHER || mln_str_eq(m[i].name, slot->name)))
            return &m[i].value;
    return NULL;
}

static const struct mln_run_slot *look_up(struct mln_expr_run *run, uint32_t index)
{
    struct mln_run_slot *state = &run->slots[index];
    if (state->generation == run->generation)
        return state;
    state->generation = run->generation;
    if (index == 0) {
        state->kind = SLOT_FOUND;
        state->value = run->document;
        return state;
    }
    const struct mln_expr_slot *slot = &run->env->slots.at[index];
    const struct mln_run_slot *parent = look_up(run, slot->parent);
    state->value = NULL;
    if (parent->kind != SLOT_FOUND) {
        state->kind = parent->kind;
    } else if (mln_value_is_map(parent->value->kind)) {
        state->value = member_of_slot(run, parent->value, slot);
        state->kind = state->value ? SLOT_FOUND : SLOT_ABSENT;
    } else {
        state->kind = run->lenient && parent->value->kind == MLN_JSON_NULL ? SLOT_ABSENT : SLOT_NOT_A_MAP;
    }
    return state;
}

/* Why a slot has no value: the first step of its path that is not there. */
static mln_value slot_failure(struct mln_expr_run *run, uint32_t index)
{
    const struct mln_expr_slot *slots = run->env->slots.at;
    while (look_up(run, slots[index].parent)->kind != SLOT_FOUND)
        index = slots[index].parent;
    const struct mln_str name = mln_str_sub(slots[index].name, 0, 100);
    if (look_up(run, index)->kind == SLOT_ABSENT)
        return mln_run_error(run, "no such key: '%.*s'", MLN_FMT(name));
    return mln_run_error(run, "a value of type %s has no member '%.*s'",
                         mln_value_type_name(look_up(run, slots[index].parent)->value->kind), MLN_FMT(name));
}

static mln_value slot_value(struct mln_expr_run *run, uint32_t index)
{
    const struct mln_run_slot *state = look_up(run, index);
    if (state->kind == SLOT_FOUND)
        return *state->value;
    return state->kind == SLOT_ABSENT && run->lenient ? mln_value_null() : slot_failure(run, index);
}

static mln_value has_slot(struct mln_expr_run *run, uint32_t index)
{
    const struct mln_run_slot *state = look_up(run, index);
    if (state->kind == SLOT_FOUND)
        return mln_value_bool(true);
    bool parent_there = look_up(run, run->env->slots.at[index].parent)->kind == SLOT_FOUND;
    return state->kind == SLOT_ABSENT && (run->lenient || parent_there) ? mln_value_bool(false)
                                                                        : slot_failure(run, index);
}

/* ---- loops ---- */

struct frame {
    mln_value range;
    size_t at; /* the item whose body runs */
    enum mln_loop_kind kind;
    struct mln_loop_locals locals;
    uint32_t body, end; /* places in the code */
    mln_value
        result; /* ALL, EXISTS: the answer or first error so far; EXISTS_ONE: bool; an error ends MAP and FILTER */
    mln_value *items; /* MAP, FILTER */
    size_t n, cap;
};

/* The index in a list, the key in a map. */
static mln_value key_of_item(const struct frame *f)
{
    return f->range.kind == MLN_JSON_ARRAY ? mln_value_int((int64_t)f->at) : mln_value_map_key(&f->range, f->at);
}

static void set_item(const struct frame *f, mln_value *locals)
{
    bool is_list = f->range.kind == MLN_JSON_ARRAY;
    if (f->locals.second != MLN_NO_LOCAL) {
        locals[f->locals.first] = key_of_item(f);
        locals[f->locals.second] = is_list ? f->range.items[f->at] : *mln_value_map_value(&f->range, f->at);
    } else {
        locals[f->locals.first] = is_list ? f->range.items[f->at] : mln_value_map_key(&f->range, f->at);
    }
}

/* True when there is a first item. */
static bool loop_begin(struct mln_expr_run *run, struct frame *f, mln_value range, mln_value *locals)
{
    f->range = range;
    f->result = mln_value_bool(f->kind == MLN_LOOP_ALL);
    if (range.kind == MLN_VALUE_ERROR)
        f->result = range;
    else if (range.kind == MLN_JSON_NULL && run->lenient)
        f->range.n = 0;
    else if (range.kind != MLN_JSON_ARRAY && !mln_value_is_map(range.kind))
        f->result = mln_run_error(run, "a value of type %s has no items to visit", mln_value_type_name(range.kind));
    if (f->result.kind == MLN_VALUE_ERROR || f->range.n == 0)
        return false;
    set_item(f, locals);
    return true;
}

static bool append(struct mln_expr_run *run, struct frame *f, mln_value item)
{
    if (f->n == f->cap) {
        size_t cap = f->cap ? 2 * f->cap : 8;
        mln_value *items = mln_run_alloc(run, cap, sizeof *items);
        if (!items)
            return false;
        if (f->n)
            memcpy(items, f->items, f->n * sizeof *items);
        f->items = items;
        f->cap = cap;
    }
    f->items[f->n++] = item;
    return true;
}

/* The entries of a map; false: the loop need not go on. */
static bool append_entries(struct mln_expr_run *run, struct frame *f, const mln_value *map)
{
    if (!mln_value_is_map(map->kind)) {
        f->result = mln_run_error(run, "found %s, expected a map for each item", mln_value_type_name(map->kind));
        return false;
    }
    mln_run_charge(run, map->n);
    for (size_t i = 0; i < map->n; i++)
        if (!append(run, f, mln_value_map_key(map, i)) || !append(run, f, *mln_value_map_value(map, i)))
            return false;
    return true;
}

/* Takes in what the body gave for the current item. True: the loop need not go on. */
static bool gather(struct mln_expr_run *run, struct frame *f, mln_value v)
{
    bool wants_bool =
        f->kind != MLN_LOOP_MAP && f->kind != MLN_LOOP_TRANSFORM_MAP && f->kind != MLN_LOOP_TRANSFORM_ENTRIES;
    if (wants_bool && v.kind != MLN_JSON_BOOL && v.kind != MLN_VALUE_ERROR)
        v = mln_run_error(run, "found %s, expected a bool for each item", mln_value_type_name(v.kind));
    bool absorbs = f->kind == MLN_LOOP_ALL || f->kind == MLN_LOOP_EXISTS;
    if (v.kind == MLN_VALUE_ERROR) {
        if (f->result.kind != MLN_VALUE_ERROR)
            f->result = v;
        return !absorbs;
    }
    switch (f->kind) {
    case MLN_LOOP_ALL:
    case MLN_LOOP_EXISTS:
        if (v.boolean == (f->kind == MLN_LOOP_ALL))
            return false;
        f->result = v;
        return true;
    case MLN_LOOP_EXISTS_ONE:
        f->n += v.boolean;
        f->result = mln_value_bool(f->n == 1);
        return false; /* a later error counts even after a second hit */
    case MLN_LOOP_MAP:
        return !append(run, f, v);
    case MLN_LOOP_TRANSFORM_MAP:
        return !append(run, f, key_of_item(f)) || !append(run, f, v);
    case MLN_LOOP_TRANSFORM_ENTRIES:
        return !append_entries(run, f, &v);
    case MLN_LOOP_FILTER:
        if (!v.boolean)
            return false;
        return !append(run, f,
                       f->range.kind == MLN_JSON_ARRAY ? f->range.items[f->at] : mln_value_map_key(&f->range, f->at));
    }
    return true;
}

/* Where to go on. */
static uint32_t advance(struct mln_expr_run *run, struct frame *f, mln_value *locals)
{
    mln_run_charge(run, 1);
    if (++f->at >= f->range.n)
        return f->end;
    set_item(f, locals);
    return f->body;
}

static mln_value loop_result(struct mln_expr_run *run, const struct frame *f)
{
    if (f->result.kind == MLN_VALUE_ERROR)
        return f->result;
    if (f->kind == MLN_LOOP_TRANSFORM_MAP)
        return mln_value_map(f->items, f->n / 2); /* of the keys of one map: none is repeated */
    if (f->kind == MLN_LOOP_TRANSFORM_ENTRIES)
        return mln_op_map(run, f->items, f->n / 2, NULL);
    return f->kind == MLN_LOOP_MAP || f->kind == MLN_LOOP_FILTER ? mln_value_list(f->items, f->n) : f->result;
}

/* ---- instructions ---- */

static mln_value placed(mln_value v, uint32_t at)
{
    if (v.kind == MLN_VALUE_ERROR && v.n == 0)
        v.n = at + 1;
    return v;
}

/* The first error of n operands, or NULL. */
static const mln_value *first_error(const mln_value *operands, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (operands[i].kind == MLN_VALUE_ERROR)
            return &operands[i];
    return NULL;
}

static mln_value combine(struct mln_expr_run *run, const mln_value *v, bool decides)
{
    for (int i = 0; i < 2; i++)
        if (v[i].kind == MLN_JSON_BOOL && v[i].boolean == decides)
            return v[i];
    for (int i = 0; i < 2; i++)
        if (v[i].kind != MLN_JSON_BOOL)
            return v[i].kind == MLN_VALUE_ERROR ? v[i]
                                                : mln_run_error(run, "found %s, '%s' takes bools",
                                                                mln_value_type_name(v[i].kind), decides ? "||" : "&&");
    return mln_value_bool(!decides);
}

static mln_value in_set(struct mln_expr_run *run, const struct mln_constant_set *set, const mln_value *x)
{
    if (set->strings && x->kind == MLN_JSON_STRING) {
        mln_run_charge_bytes(run, x->n);
        return mln_value_bool(mln_map_get(set->strings, mln_value_str(*x)) != NULL);
    }
    for (size_t i = 0; i < set->n_others; i++)
        if (mln_value_equal(run, x, &set->others[i]))
            return mln_value_bool(true);
    return mln_value_bool(false);
}

static mln_value match(struct mln_expr_run *run, const struct mln_regex *regex, const mln_value *text)
{
    bool found;
    if (text->kind == MLN_JSON_NULL && run->lenient)
        return mln_value_bool(false);
    if (text->kind != MLN_JSON_STRING)
        return mln_run_no_overload(run, "matches", text, 1);
    mln_run_charge_bytes(run, text->n);
    if (!mln_ok(mln_regex_find(regex, &run->regex, mln_value_str(*text), &found)))
        return mln_run_error(run, "matches(): %s", mln_error_text());
    return mln_value_bool(found);
}

/* A list or map of what lies on the stack. */
static mln_value gathered(struct mln_expr_run *run, const mln_value *operands, size_t n, const uint64_t *optional,
                          bool is_map)
{
    mln_value *items = mln_run_alloc(run, n, sizeof *items);
    if (!items)
        return mln_value_null();
    if (n)
        memcpy(items, operands, n * sizeof *items);
    mln_run_charge(run, n);
    return is_map ? mln_op_map(run, items, n / 2, optional) : mln_op_list(run, items, n, optional);
}

static mln_value branch_failure(struct mln_expr_run *run, mln_value test)
{
    return test.kind == MLN_VALUE_ERROR
               ? test
               : mln_run_error(run, "found %s before '?', expected a bool", mln_value_type_name(test.kind));
}

/* An instruction that takes n operands and leaves one value. */
static mln_value apply(struct mln_expr_run *run, const struct mln_program *p, const struct mln_instruction *in,
                       const mln_value *v)
{
    switch (in->code) {
    case MLN_I_MEMBER:
        return mln_op_member(run, v, &p->constants[in->b]);
    case MLN_I_HAS:
        return mln_op_has(run, v, &p->constants[in->b]);
    case MLN_I_OPERATOR:
        return mln_op(run, (enum mln_operator)in->a, v);
    case MLN_I_EQUALS:
        return mln_value_bool(mln_value_equal(run, v, &p->constants[in->b]));
    case MLN_I_IN_SET:
        return in_set(run, &p->sets[in->b], v);
    case MLN_I_MATCHES:
        return match(run, p->regexes[in->b], v);
    case MLN_I_CALL:
        return mln_function_call(run, p->calls[in->b].rows, p->calls[in->b].n_rows, v, in->a);
    case MLN_I_LIST:
        return gathered(run, v, in->b, p->optionals[in->c], false);
    default:
        return gathered(run, v, 2 * (size_t)in->b, p->optionals[in->c], true);
    }
}

static size_t operands_of(const struct mln_instruction *in)
{
    switch (in->code) {
    case MLN_I_OPERATOR:
    case MLN_I_LIST:
        return in->b;
    case MLN_I_MAP:
        return 2 * (size_t)in->b;
    case MLN_I_CALL:
        return in->a;
    default:
        return 1;
    }
}

static mln_value slot_is(struct mln_expr_run *run, uint32_t slot, const mln_value *constant)
{
    mln_value v = slot_value(run, slot);
    return v.kind == MLN_VALUE_ERROR ? v : mln_value_bool(mln_value_equal(run, &v, constant));
}

/* Where a loop goes on when the condition of the current item is not true. */
static uint32_t leave_out(struct mln_expr_run *run, struct frame *f, mln_value test, uint32_t at, mln_value *locals)
{
    if (test.kind == MLN_JSON_BOOL)
        return advance(run, f, locals);
    f->result = placed(branch_failure(run, test), at);
    return f->end;
}

/* top: one above the last operand. Errors get their place where they first appear. */
static mln_value execute(struct mln_expr_run *run, const struct mln_program *p)
{
    struct frame frames[MLN_PROGRAM_LOOPS_MOST + 1], *frame = frames; /* the first stands for "in no loop" */
    mln_value *locals = run->stack, *top = locals + p->locals;
    uint32_t pc = 0;
    while (!mln_run_over(run)) {
        const struct mln_instruction *in = &p->code[pc++];
        run->left--;
        switch (in->code) {
        case MLN_I_CONSTANT:
            *top++ = placed(p->constants[in->b], in->at);
            break;
        case MLN_I_SLOT:
            *top++ = placed(slot_value(run, in->b), in->at);
            break;
        case MLN_I_HAS_SLOT:
            *top++ = placed(has_slot(run, in->b), in->at);
            break;
        case MLN_I_SLOT_IS:
            *top++ = placed(slot_is(run, in->b, &p->constants[in->c]), in->at);
            break;
        case MLN_I_LOCAL:
            *top++ = locals[in->b];
            break;
        case MLN_I_SET_LOCAL:
            locals[in->b] = *--top;
            break;
        case MLN_I_AND:
        case MLN_I_OR:
            top--;
            top[-1] = placed(combine(run, top - 1, in->code == MLN_I_OR), in->at);
            break;
        case MLN_I_JUMP:
            pc = in->b;
            break;
        case MLN_I_JUMP_IF_FALSE:
        case MLN_I_JUMP_IF_TRUE:
            if (top[-1].kind == MLN_JSON_BOOL && top[-1].boolean == (in->code == MLN_I_JUMP_IF_TRUE))
                pc = in->b;
            break;
        case MLN_I_BRANCH:
            top--;
            if (top->kind == MLN_JSON_BOOL) {
                pc = top->boolean ? pc : in->b;
            } else {
                *top = placed(branch_failure(run, *top), in->at);
                top++;
                pc = in->c;
            }
            break;
        case MLN_I_LOOP:
            *++frame =
                (struct frame){.kind = (enum mln_loop_kind)in->a, .locals = p->loops[in->c], .body = pc, .end = in->b};
            if (!loop_begin(run, frame, *--top, locals))
                pc = in->b;
            break;
        case MLN_I_LOOP_IF:
            top--;
            if (top->kind != MLN_JSON_BOOL || !top->boolean)
                pc = leave_out(run, frame, *top, in->at, locals);
            break;
        case MLN_I_LOOP_NEXT:
            pc = gather(run, frame, *--top) ? frame->end : advance(run, frame, locals);
            break;
        case MLN_I_LOOP_END:
            *top++ = placed(loop_result(run, frame--), in->at);
            break;
        case MLN_I_END:
            return top[-1];
        default: {
            size_t n = operands_of(in);
            top -= n;
            const mln_value *error = first_error(top, n);
            *top = error ? *error : placed(apply(run, p, in, top), in->at);
            top++;
        }
        }
    }
    return mln_value_error("stopped");
}

/* ---- entry ---- */

static struct mln_result prepare(struct mln_expr_run *run, const struct mln_program *p)
{
    size_t cells = (size_t)p->stack_cells + p->locals + 1, slots = run->env->slots.n;
    if (cells > run->stack_cells) {
        mln_value *stack = realloc(run->stack, cells * sizeof *stack);
        if (!stack)
            return mln_fail(MLN_E_MEMORY, "no memory for running an expression");
        run->stack = stack;
        run->stack_cells = cells;
    }
    if (slots > run->n_slots) {
        struct mln_run_slot *more = realloc(run->slots, slots * sizeof *more);
        if (!more)
            return mln_fail(MLN_E_MEMORY, "no memory for running an expression");
        memset(more + run->n_slots, 0, (slots - run->n_slots) * sizeof *more);
        run->slots = more;
        run->n_slots = slots;
    }
    mln_arena_reset(run->arena);
    run->left = run->limits.cost;
    run->stopped = MLN_E_OK;
    return MLN_OK;
}

static struct mln_result run_program(const struct mln_program *program, struct mln_expr_run *run, mln_value *out)
{
    MLN_TRY(prepare(run, program));
    *out = execute(run, program);
    if (mln_run_over(run)) {
        if (run->stopped == MLN_E_MEMORY)
            return mln_fail(MLN_E_MEMORY, "no memory for running an expression");
        return run->stopped == MLN_E_OK
                   ? mln_fail(MLN_E_LIMIT, "the expression takes more than %llu steps",
                              (unsigned long long)run->limits.cost)
                   : mln_fail(MLN_E_LIMIT, "the expression needs more than %zu bytes", run->limits.arena_bytes);
    }
    if (out->kind != MLN_VALUE_ERROR)
        return MLN_OK;
    uint32_t line, column;
    mln_source_position(program->source, out->n ? out->n - 1 : 0, &line, &column);
    return mln_fail(MLN_E_INVALID, "%u:%u: %s", line, column, out->string);
}

struct mln_result mln_program_test(const struct mln_program *program, struct mln_expr_run *run, bool *out)
{
    mln_value v;
    MLN_TRY(run_program(program, run, &v));
    if (v.kind != MLN_JSON_BOOL)
        return mln_fail(MLN_E_INVALID, "the result is %s, not true or false",
                        v.kind == MLN_JSON_NULL ? "null (a field is absent)" : mln_value_type_name(v.kind));
    *out = v.boolean;
    return MLN_OK;
}

struct mln_result mln_program_raw(const struct mln_program *program, struct mln_expr_run *run, mln_value *out)
{
    return run_program(program, run, out);
}

struct mln_result mln_program_value(const struct mln_program *program, struct mln_expr_run *run,
                                    const struct mln_json **out)
{
    mln_value v;
    MLN_TRY(run_program(program, run, &v));
    return mln_value_to_json(run->results, &v, out);
}
