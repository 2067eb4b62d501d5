/* What names mean: variables, types, constants, functions, messages, each looked for below the container first. */
#include "base/suggest.h"
#include "expr/cel_lowering.h"

typedef struct mln_cel_node node;
typedef struct mln_lowering lowering;

enum { NAME_MOST = 256, FULL_NAME_MOST = 512 };

const struct mln_scope *mln_cel_local(const lowering *l, struct mln_str name)
{
    for (size_t i = l->scopes.n; i-- > 0;)
        if (mln_str_eq(l->scopes.at[i].name, name))
            return &l->scopes.at[i];
    return NULL;
}

/* An error of the run where the checker is off, of the compilation otherwise. */
static struct mln_ir *unknown(lowering *l, uint32_t at, struct mln_result failed)
{
    if (!l->b->env->unchecked)
        return mln_ir_fail(l->b, at, failed);
    const char *text = mln_str_z(l->b->program->arena, mln_str_c(mln_error_text()));
    if (!text)
        return mln_ir_fail(l->b, at, mln_arena_failure(l->b->program->arena));
    return mln_ir_constant(l->b, at, mln_value_error(text));
}

/* ---- full names ---- */

/* What a name may mean, one after the other: for "c" in the container "a.b" it is "a.b.c", "a.c" and "c". */
struct full_name {
    struct mln_str name, container;
    bool over;
    char text[FULL_NAME_MOST];
};

static struct full_name full_names(const lowering *l, struct mln_str name, bool absolute)
{
    return (struct full_name){.name = name, .container = absolute ? MLN_S("") : l->b->env->container};
}

static bool next_full_name(struct full_name *f, struct mln_str *out)
{
    if (f->over)
        return false;
    if (f->container.n == 0) {
        f->over = true;
        *out = f->name;
        return true;
    }
    int n = snprintf(f->text, sizeof f->text, "%.*s.%.*s", MLN_FMT(f->container), MLN_FMT(f->name));
    *out = (struct mln_str){f->text, n > 0 && (size_t)n < sizeof f->text ? (size_t)n : 0};
    while (f->container.n && f->container.p[f->container.n - 1] != '.')
        f->container.n--;
    f->container.n -= f->container.n > 0;
    return true;
}

/* "a.b.c" written as one text; false when n is more than names and dots, or too long. */
static bool dotted(const node *n, char *out, size_t size, size_t *used, const node **root)
{
    if (n->kind == MLN_CEL_NAME) {
        *root = n;
        *used = 0;
    } else if (n->kind != MLN_CEL_SELECT || n->is_optional || !dotted(n->target, out, size, used, root)) {
        return false;
    }
    int written = snprintf(out + *used, size - *used, "%s%.*s", *used ? "." : "", MLN_FMT(n->name));
    *used += written > 0 ? (size_t)written : 0;
    return *used < size;
}

/* ---- variables, types, constants ---- */

static struct mln_ir *variable(lowering *l, uint32_t at, struct mln_str name, bool absolute)
{
    struct full_name names = full_names(l, name, absolute);
    for (struct mln_str full; next_full_name(&names, &full);) {
        const struct mln_expr_variable *v = mln_expr_env_find(l->b->env, full);
        if (v)
            return mln_ir_slot(l->b, at, v->slot, v->type);
    }
    return NULL;
}

struct mln_ir *mln_cel_whole_name(lowering *l, const node *n)
{
    char text[NAME_MOST];
    size_t used;
    const node *root;
    uint32_t type;
    mln_value value;
    if (!dotted(n, text, sizeof text, &used, &root) || (!root->absolute && mln_cel_local(l, root->name)))
        return NULL;
    struct mln_str name = {text, used};
    struct mln_ir *ir = variable(l, n->at, name, root->absolute);
    if (ir || !mln_ok(l->b->failed))
        return ir;
    struct full_name names = full_names(l, name, root->absolute);
    for (struct mln_str full; next_full_name(&names, &full);) {
        if (mln_value_type_named(full, &type))
            return mln_ir_constant(l->b, n->at, mln_value_type(type));
        if (mln_message_constant(full, &value))
            return mln_ir_constant(l->b, n->at, value);
    }
    return NULL;
}

struct mln_ir *mln_cel_unknown_name(lowering *l, const node *n)
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

/* ---- functions ---- */

const struct mln_function *mln_cel_function(const lowering *l, struct mln_str name, enum mln_function_style style,
                                            size_t *n_rows)
{
    const struct mln_function *first = NULL;
    *n_rows = 0;
    for (size_t i = 0; i < l->b->env->functions.n; i++) {
        const struct mln_function *f = &l->b->env->functions.at[i];
        if (f->style == style && mln_str_eq(mln_str_c(f->name), name)) {
            first = first ? first : f;
            ++*n_rows;
        }
    }
    return first ? first : mln_functions_named(name, style, n_rows);
}

const struct mln_function *mln_cel_dotted_function(const lowering *l, const node *n, size_t *n_rows)
{
    char text[NAME_MOST];
    size_t used;
    const node *root;
    *n_rows = 0;
    if (!dotted(n->target, text, sizeof text, &used, &root) || (!root->absolute && mln_cel_local(l, root->name)))
        return NULL;
    int more = snprintf(text + used, sizeof text - used, ".%.*s", MLN_FMT(n->name));
    if (more < 0 || used + (size_t)more >= sizeof text)
        return NULL;
    struct full_name names = full_names(l, (struct mln_str){text, used + (size_t)more}, root->absolute);
    const struct mln_function *found = NULL;
    for (struct mln_str full; !found && next_full_name(&names, &full);)
        found = mln_cel_function(l, full, MLN_FUNCTION_GLOBAL, n_rows);
    return found;
}

/* "maths.abs", where "maths" is nothing that has methods: most likely meant as the name of a function. */
static bool looks_like_dotted_function(const lowering *l, const node *n, char *text, size_t size, struct mln_str *name)
{
    size_t used;
    const node *root;
    if (!n->target || !dotted(n->target, text, size, &used, &root) || mln_cel_local(l, root->name) ||
        mln_expr_env_find(l->b->env, root->name))
        return false;
    int more = snprintf(text + used, size - used, ".%.*s", MLN_FMT(n->name));
    *name = (struct mln_str){text, used + (size_t)(more > 0 ? more : 0)};
    return more > 0 && name->n < size;
}

struct mln_ir *mln_cel_unknown_function(lowering *l, const node *n, bool receiver)
{
    char text[MLN_SUGGEST_TEXT], full[NAME_MOST];
    struct mln_str word = n->name;
    bool other_style = false, whole = looks_like_dotted_function(l, n, full, sizeof full, &word);
    struct mln_suggestion near = {.word = word};
    for (size_t i = 0; i < mln_n_functions; i++) {
        struct mln_str name = mln_str_c(mln_functions[i].name);
        other_style |= !whole && mln_str_eq(name, word);
        if ((mln_functions[i].style == MLN_FUNCTION_RECEIVER) == (receiver && !whole))
            mln_suggest(&near, name);
    }
    word = mln_str_sub(word, 0, 100);
    if (other_style)
        return unknown(l, n->at,
                       mln_fail(MLN_E_INVALID, "'%.*s' is called as %s", MLN_FMT(word),
                                receiver ? "a function: f(x)" : "a method: x.f()"));
    return unknown(l, n->at,
                   mln_fail(MLN_E_INVALID, "unknown function '%.*s'%s", MLN_FMT(word), mln_suggest_text(&near, text)));
}

/* ---- messages ---- */

static bool has_field(const struct mln_message *message, struct mln_str field)
{
    for (size_t i = 0; i < message->make.takes.n; i++)
        if (mln_str_eq(mln_str_c(message->fields[i]), field))
            return true;
    return false;
}

static bool has_fields(const struct mln_message *message, const node *n)
{
    for (size_t i = 0; i < n->n; i++) {
        if (!has_field(message, n->fields[i]))
            return false;
        for (size_t j = 0; j < i; j++)
            if (mln_str_eq(n->fields[i], n->fields[j]))
                return false;
    }
    return !n->optional;
}

const struct mln_message *mln_cel_message(lowering *l, const node *n)
{
    bool absolute = n->name.p[0] == '.', known = false;
    struct full_name names = full_names(l, mln_str_sub(n->name, absolute, n->name.n), absolute);
    for (struct mln_str full; next_full_name(&names, &full);)
        for (size_t i = 0; i < mln_n_messages; i++) {
            if (!mln_str_eq(mln_str_c(mln_messages[i].make.name), full))
                continue;
            known = true;
            if (has_fields(&mln_messages[i], n))
                return &mln_messages[i];
        }
    struct mln_str name = mln_str_sub(n->name, 0, 100);
    mln_ir_fail(l->b, n->at,
                known ? mln_fail(MLN_E_INVALID, "%.*s has no such fields", MLN_FMT(name))
                      : mln_fail(MLN_E_UNSUPPORTED,
                                 "messages (Type{field: value}) are not supported; a map is written {'field': value}"));
    return NULL;
}
