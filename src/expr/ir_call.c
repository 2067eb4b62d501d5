/* Operators and calls: which of their lines fit, what they give, and what can be made ready beforehand. */
#include "expr/format.h"
#include "expr/ir.h"

enum { ARGUMENTS_MOST = 16, SET_FROM = 8 };

/* ---- choosing among lines ---- */

/* The lines of one operator or function that fit its operands. */
struct choice {
    size_t fitting;
    const struct mln_type *type; /* what they give; where they differ, what can still be said of it */
};

/* The list of whatever for list(int) and list(string), dyn for list(int) and int. */
static const struct mln_type *common(const struct mln_type *a, const struct mln_type *b)
{
    char a_text[MLN_TYPE_TEXT], b_text[MLN_TYPE_TEXT];
    if (a->kind != b->kind || a->kind == MLN_TYPE_NAMED)
        return &mln_types[MLN_VALUE_DYN];
    return strcmp(mln_type_text(a, a_text), mln_type_text(b, b_text)) == 0 ? a : mln_type_plain(a->kind);
}

/* Looks at one more line: what it expects of each operand, and gives. */
static void consider(struct mln_ir_builder *b, struct choice *choice, const struct mln_type *const *expected,
                     const struct mln_type *const *found, size_t n, const struct mln_type *result)
{
    const struct mln_type *wanted[ARGUMENTS_MOST];
    struct mln_instance instance = {{NULL}};
    for (size_t i = 0; i < n; i++)
        wanted[i] = mln_infer_instance(&b->types, &instance, expected[i]);
    if (!mln_infer_all_fit(&b->types, wanted, found, n))
        return;
    result = mln_infer_instance(&b->types, &instance, result);
    if (choice->fitting++ == 0)
        choice->type = result;
    else
        choice->type = common(mln_infer_resolved(&b->types, choice->type), mln_infer_resolved(&b->types, result));
}

/* ---- operators ---- */

static struct mln_ir *in_set(struct mln_ir_builder *b, uint32_t at, struct mln_ir *x, const mln_value *list)
{
    struct mln_constant_set set = {0};
    mln_value *others = mln_arena_array(b->program->arena, list->n, sizeof *others);
    if (!others)
        return mln_ir_fail(b, at, mln_arena_failure(b->program->arena));
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
    struct mln_ir *ir = mln_ir_node(b, MLN_IR_IN_SET, at, &x, 1);
    if (!ir)
        return NULL;
    ir->index = (uint32_t)(b->sets.n - 1);
    ir->type = &mln_types[MLN_JSON_BOOL];
    return ir;
}

static struct mln_ir *wrong_operands(struct mln_ir_builder *b, uint32_t at, enum mln_operator op, struct mln_ir **v)
{
    char symbol[16], first[MLN_TYPE_TEXT], second[MLN_TYPE_TEXT];
    int operands = mln_op_operands(op);
    snprintf(symbol, sizeof symbol, "%s", mln_op_text(op));
    for (char *c = symbol; *c; c++)
        *c = *c == '_' ? ' ' : *c;
    struct mln_str name = mln_str_trim(mln_str_c(symbol));
    mln_ir_type_text(b, v[0], first);
    if (operands == 1)
        return mln_ir_fail(b, at, mln_fail(MLN_E_INVALID, "'%.*s' is not defined for %s", MLN_FMT(name), first));
    return mln_ir_fail(b, at,
                       mln_fail(MLN_E_INVALID, "'%.*s' is not defined for %s and %s", MLN_FMT(name), first,
                                mln_ir_type_text(b, v[1], second)));
}

/* What the operator gives; NULL: it is never defined for such operands. */
static const struct mln_type *operator_type(struct mln_ir_builder *b, enum mln_operator op, struct mln_ir **operands)
{
    size_t n = (size_t)mln_op_operands(op);
    const struct mln_type *found[] = {operands[0]->type, n == 2 ? operands[1]->type : NULL};
    struct choice choice = {0, NULL};
    for (size_t i = 0; i < mln_n_op_lines; i++) {
        const struct mln_op_line *line = &mln_op_lines[i];
        if (line->op == op && (!line->in_rules || b->env->mode == MLN_EXPR_RULES))
            consider(b, &choice, line->takes.args, found, n, line->takes.result);
    }
    return choice.type;
}

struct mln_ir *mln_ir_operator(struct mln_ir_builder *b, uint32_t at, enum mln_operator op, struct mln_ir *x,
                               struct mln_ir *y)
{
    struct mln_ir *operands[] = {x, y};
    size_t n = (size_t)mln_op_operands(op);
    if (!x || (n == 2 && !y))
        return NULL;
    const struct mln_type *type = operator_type(b, op, operands);
    if (!type && !b->env->unchecked)
        return wrong_operands(b, at, op, operands);
    if (op == MLN_OP_INDEX && y->kind == MLN_IR_CONSTANT && y->value.kind == MLN_JSON_STRING && x->kind == MLN_IR_SLOT)
        return mln_ir_member(b, at, x, mln_value_str(y->value));
    const mln_value *values = mln_ir_constants(b, operands, n);
    if (op == MLN_OP_IN && !values && y->kind == MLN_IR_CONSTANT && y->value.kind == MLN_JSON_ARRAY)
        return in_set(b, at, x, &y->value);
    struct mln_ir *ir = mln_ir_node(b, MLN_IR_OPERATOR, at, operands, n);
    if (!ir)
        return NULL;
    ir->index = op;
    ir->type = type ? type : &mln_types[MLN_VALUE_DYN];
    return values ? mln_ir_folded(b, mln_op(&b->fold, op, values), ir) : ir;
}

struct mln_ir *mln_ir_optional_index(struct mln_ir_builder *b, uint32_t at, struct mln_ir *x, struct mln_ir *index)
{
    if (!x || !index)
        return NULL;
    if (x->kind != MLN_IR_SLOT || index->kind != MLN_IR_CONSTANT || index->value.kind != MLN_JSON_STRING)
        return mln_ir_operator(b, at, MLN_OP_OPTIONAL_INDEX, x, index);
    struct mln_str name = mln_value_str(index->value); /* of the document: its slot says whether it is there */
    struct mln_ir *there = mln_ir_has(b, at, x, name), *value = mln_ir_member(b, at, x, name);
    return mln_ir_condition(b, at, there, mln_ir_call_named(b, at, "optional.of", MLN_FUNCTION_GLOBAL, &value, 1),
                            mln_ir_call_named(b, at, "optional.none", MLN_FUNCTION_GLOBAL, NULL, 0));
}

/* ---- calls ---- */

static struct mln_ir *wrong_arguments(struct mln_ir_builder *b, uint32_t at, const struct mln_function *rows,
                                      size_t n_rows, struct mln_ir **args, size_t n)
{
    char expected[300] = "", found[160] = "", signature[128], text[MLN_TYPE_TEXT];
    size_t e = 0, f = 0, first = rows->style == MLN_FUNCTION_RECEIVER;
    for (size_t i = 0; i < n_rows && e < sizeof expected; i++)
        e += (size_t)snprintf(expected + e, sizeof expected - e, "%s%.*s", i ? ", " : "",
                              MLN_FMT(mln_function_signature(&rows[i], signature)));
    for (size_t i = first; i < n && f < sizeof found; i++)
        f += (size_t)snprintf(found + f, sizeof found - f, "%s%s", i > first ? ", " : "",
                              mln_ir_type_text(b, args[i], text));
    return mln_ir_fail(b, at,
                       mln_fail(MLN_E_INVALID, "found %s%s%s(%s), expected %s",
                                first ? mln_ir_type_text(b, args[0], text) : "", first ? "." : "", rows->name, found,
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
    struct mln_ir *ir = mln_ir_node(b, MLN_IR_MATCHES, at, &text, 1);
    if (!ir)
        return NULL;
    ir->index = (uint32_t)(b->regexes.n - 1);
    ir->type = &mln_types[MLN_JSON_BOOL];
    return ir;
}

/* optional.or(other), optional.orValue(value): the other side counts only where the first has no value, so that an error
   of it does not matter otherwise. */
static struct mln_ir *lazy(struct mln_ir_builder *b, uint32_t at, struct mln_ir **args, const struct mln_type *type,
                           bool as_optional)
{
    uint16_t local;
    struct mln_result r = mln_ir_new_local(b, args[0]->type, &local);
    if (!mln_ok(r))
        return mln_ir_fail(b, at, r);
    struct mln_ir *tested = mln_ir_local(b, at, local), *kept = mln_ir_local(b, at, local);
    struct mln_ir *there = mln_ir_call_named(b, at, "hasValue", MLN_FUNCTION_RECEIVER, &tested, 1);
    if (!as_optional)
        kept = mln_ir_call_named(b, at, "value", MLN_FUNCTION_RECEIVER, &kept, 1);
    struct mln_ir *sides[] = {there, kept, args[1]};
    struct mln_ir *choice = mln_ir_node(b, MLN_IR_CONDITION, at, sides, 3);
    if (choice)
        choice->type = type;
    return mln_ir_let(b, at, local, args[0], choice);
}

/* Holds a format that is known against the types of the items written for it. False: a failure was noted. */
static bool format_fits(struct mln_ir_builder *b, uint32_t at, struct mln_ir **args)
{
    const struct mln_ir *format = args[0], *list = args[1];
    struct mln_format_clause clause;
    struct mln_str plain;
    const char *wrong;
    size_t place = 0, used = 0;
    char text[MLN_TYPE_TEXT];
    if (format->kind != MLN_IR_CONSTANT || format->value.kind != MLN_JSON_STRING || list->optional ||
        (list->kind != MLN_IR_LIST && (list->kind != MLN_IR_CONSTANT || list->n != list->value.n)))
        return true;
    while (mln_format_next(mln_value_str(format->value), &place, &plain, &clause, &wrong)) {
        if (used == list->n) {
            mln_ir_fail(b, at, mln_fail(MLN_E_INVALID, "the list has %zu items, the format takes more", list->n));
            return false;
        }
        const struct mln_ir *item = list->operands[used++];
        uint32_t kind = mln_ir_kind_of(b, item);
        const char *expected = kind == MLN_VALUE_DYN ? NULL : mln_format_refuses(clause.letter, kind);
        if (expected) {
            mln_ir_fail(b, item->at,
                        mln_fail(MLN_E_INVALID, "found %s, %%%c takes %s", mln_ir_type_text(b, item, text),
                                 clause.letter, expected));
            return false;
        }
    }
    if (wrong)
        mln_ir_fail(b, format->at, mln_fail(MLN_E_INVALID, "%s", wrong));
    else if (used < list->n)
        mln_ir_fail(b, list->operands[used]->at,
                    mln_fail(MLN_E_INVALID, "the list has %zu items, the format takes %zu", list->n, used));
    return mln_ok(b->failed);
}

/* What the lines that fit give; NULL: none does. */
static const struct mln_type *call_type(struct mln_ir_builder *b, const struct mln_function *rows, size_t n_rows,
                                        struct mln_ir **args, size_t n)
{
    struct choice choice = {0, NULL};
    for (size_t i = 0; i < n_rows; i++) {
        const struct mln_type *expected[ARGUMENTS_MOST], *found[ARGUMENTS_MOST];
        bool null_fits = b->env->mode == MLN_EXPR_RULES &&
                         rows[i].flags & (MLN_FUNCTION_FALSE_IF_ABSENT | MLN_FUNCTION_ZERO_IF_ABSENT);
        if (!mln_function_takes(&rows[i], n))
            continue;
        for (size_t j = 0; j < n; j++) {
            bool absent = null_fits && mln_ir_kind_of(b, args[j]) == MLN_JSON_NULL;
            expected[j] = mln_function_argument(&rows[i], j);
            found[j] = absent ? &mln_types[MLN_VALUE_DYN] : args[j]->type;
        }
        consider(b, &choice, expected, found, n, rows[i].takes.result);
    }
    return choice.type;
}

struct mln_ir *mln_ir_call(struct mln_ir_builder *b, uint32_t at, const struct mln_function *rows, size_t n_rows,
                           struct mln_ir **args, size_t n)
{
    if (n > ARGUMENTS_MOST)
        return mln_ir_fail(b, at, mln_fail(MLN_E_LIMIT, "a call may have %d arguments", ARGUMENTS_MOST));
    struct mln_ir *ir = mln_ir_node(b, MLN_IR_CALL, at, args, n);
    if (!ir)
        return NULL;
    const struct mln_type *type = call_type(b, rows, n_rows, args, n);
    if (!type && !b->env->unchecked)
        return wrong_arguments(b, at, rows, n_rows, args, n);
    if (type && rows->flags & MLN_FUNCTION_PATTERN && args[1]->kind == MLN_IR_CONSTANT &&
        args[1]->value.kind == MLN_JSON_STRING && args[0]->kind != MLN_IR_CONSTANT)
        return matches(b, at, args[0], &args[1]->value);
    if (rows->flags & MLN_FUNCTION_FORMAT && !b->env->unchecked && !format_fits(b, at, args))
        return NULL;
    if (type && rows->flags & MLN_FUNCTION_LAZY)
        return lazy(b, at, args, type, rows->takes.result->kind == MLN_VALUE_OPTIONAL);
    ir->rows = rows;
    ir->n_rows = n_rows;
    ir->type = type ? type : &mln_types[MLN_VALUE_DYN];
    const mln_value *values = rows->flags & MLN_FUNCTION_CLOCK ? NULL : mln_ir_constants(b, args, n);
    return values ? mln_ir_folded(b, mln_function_call(&b->fold, rows, n_rows, values, n), ir) : ir;
}

struct mln_ir *mln_ir_call_named(struct mln_ir_builder *b, uint32_t at, const char *name, enum mln_function_style style,
                                 struct mln_ir **args, size_t n)
{
    size_t n_rows;
    const struct mln_function *rows = mln_functions_named(mln_str_c(name), style, &n_rows);
    if (!rows)
        return mln_ir_fail(b, at, mln_fail(MLN_E_INTERNAL, "there is no function '%s'", name));
    return mln_ir_call(b, at, rows, n_rows, args, n);
}
