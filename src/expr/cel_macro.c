/* The macros: calls that are turned into other nodes as they are parsed. */
#include "expr/cel_parser.h"

typedef struct mln_cel_node node;
typedef struct mln_cel_nodes node_list;
typedef struct mln_cel_parser parser;

struct macro {
    const char *name;
    size_t args;
    enum mln_cel_kind kind;
    size_t variables;
    enum mln_loop_kind loop;
    bool condition; /* a condition before the body */
};

#define LOOP(name, args, variables, kind, condition)                                                                   \
    {                                                                                                                  \
        name, args, MLN_CEL_LOOP, variables, MLN_LOOP_##kind, condition                                                \
    }
#define ONE_VARIABLE(name, args, kind)                                                                                 \
    {                                                                                                                  \
        name, args, kind, 1, MLN_LOOP_ALL, false                                                                       \
    }

static const struct macro macros[] = {
    LOOP("all", 2, 1, ALL, false),
    LOOP("all", 3, 2, ALL, false),
    LOOP("exists", 2, 1, EXISTS, false),
    LOOP("exists", 3, 2, EXISTS, false),
    LOOP("exists_one", 2, 1, EXISTS_ONE, false),
    LOOP("exists_one", 3, 2, EXISTS_ONE, false),
    LOOP("existsOne", 2, 1, EXISTS_ONE, false),
    LOOP("existsOne", 3, 2, EXISTS_ONE, false),
    LOOP("map", 2, 1, MAP, false),
    LOOP("map", 3, 1, MAP, true),
    LOOP("filter", 2, 1, FILTER, false),
    LOOP("transformList", 3, 2, MAP, false),
    LOOP("transformList", 4, 2, MAP, true),
    LOOP("transformMap", 3, 2, TRANSFORM_MAP, false),
    LOOP("transformMap", 4, 2, TRANSFORM_MAP, true),
    LOOP("transformMapEntry", 3, 2, TRANSFORM_ENTRIES, false),
    LOOP("transformMapEntry", 4, 2, TRANSFORM_ENTRIES, true),
    ONE_VARIABLE("optMap", 2, MLN_CEL_OPT_MAP),
    ONE_VARIABLE("optFlatMap", 2, MLN_CEL_OPT_MAP),
    ONE_VARIABLE("sortBy", 2, MLN_CEL_SORT_BY),
};

static bool take_variable(parser *p, const node *arg, struct mln_str *name)
{
    if (arg->kind != MLN_CEL_NAME || arg->absolute) {
        mln_cel_fail(p, arg->at, mln_fail(MLN_E_SYNTAX, "a macro's variable must be a plain name"));
        return false;
    }
    *name = arg->name;
    return true;
}

static node *expand_method(parser *p, uint32_t at, const struct macro *macro, node *target, const node_list *args)
{
    node *body[2] = {args->at[args->n - 1], macro->condition ? args->at[args->n - 2] : NULL};
    node *made = mln_cel_make(p, macro->kind, at, target, body, macro->condition ? 2 : 1);
    if (!made)
        return NULL;
    made->loop = macro->loop;
    made->is_optional = strcmp(macro->name, "optFlatMap") == 0;
    made->n_variables = macro->variables;
    for (size_t i = 0; i < macro->variables; i++)
        if (!take_variable(p, args->at[i], &made->variables[i]))
            return NULL;
    if (macro->variables == 2 && mln_str_eq(made->variables[0], made->variables[1]))
        return mln_cel_fail(p, args->at[1]->at, mln_fail(MLN_E_INVALID, "both variables have the same name"));
    return made;
}

static node *expand_has(parser *p, uint32_t at, const node_list *args)
{
    const node *arg = args->at[0];
    if (arg->kind != MLN_CEL_SELECT || arg->is_optional)
        return mln_cel_fail(p, arg->at, mln_fail(MLN_E_SYNTAX, "has() takes a field such as a.b"));
    node *made = mln_cel_make(p, MLN_CEL_HAS, at, arg->target, NULL, 0);
    if (made)
        made->name = arg->name;
    return made;
}

/* ---- cel.bind, and cel.block with the names of its parts ---- */

static node *let(parser *p, uint32_t at, struct mln_str name, node *value, node *body)
{
    node *args[] = {value, body};
    node *made = mln_cel_make(p, MLN_CEL_LET, at, NULL, args, 2);
    if (!made)
        return NULL;
    made->variables[0] = name;
    made->n_variables = 1;
    return made;
}

static node *expand_bind(parser *p, uint32_t at, const node_list *args)
{
    struct mln_str name;
    return take_variable(p, args->at[0], &name) ? let(p, at, name, args->at[1], args->at[2]) : NULL;
}

static struct mln_str made_name(parser *p, const char *prefix, const node_list *numbers)
{
    struct mln_str name = mln_str_c(prefix);
    for (size_t i = 0; i < numbers->n && name.p; i++)
        name = mln_str_printf(p->nodes, "%.*s:%lld", MLN_FMT(name), (long long)numbers->at[i]->literal.i);
    return name;
}

/* cel.index(2) names the third part of a block, cel.iterVar(0, 1) and cel.accuVar(0, 1) variables of its macros. */
static node *expand_made_name(parser *p, uint32_t at, const char *prefix, const node_list *numbers)
{
    for (size_t i = 0; i < numbers->n; i++)
        if (numbers->at[i]->kind != MLN_CEL_LITERAL || numbers->at[i]->literal.kind != MLN_JSON_INT ||
            numbers->at[i]->literal.i < 0)
            return mln_cel_fail(p, numbers->at[i]->at, mln_fail(MLN_E_SYNTAX, "this must be a number such as 0"));
    node *made = mln_cel_make(p, MLN_CEL_NAME, at, NULL, NULL, 0);
    if (!made)
        return NULL;
    made->name = made_name(p, prefix, numbers);
    return made->name.p ? made : mln_cel_fail(p, at, mln_arena_failure(p->nodes));
}

/* cel.block([a, b, c], e): each part may use those before it. */
static node *expand_block(parser *p, uint32_t at, const node_list *args)
{
    const node *parts = args->at[0];
    node *made = args->at[1];
    if (parts->kind != MLN_CEL_LIST || parts->optional)
        return mln_cel_fail(p, parts->at, mln_fail(MLN_E_SYNTAX, "cel.block() takes a list of its parts first"));
    for (size_t i = parts->n; made && i-- > 0;) {
        struct mln_str name = mln_str_printf(p->nodes, "@index:%zu", i);
        made = name.p ? let(p, at, name, parts->args[i], made) : mln_cel_fail(p, at, mln_arena_failure(p->nodes));
    }
    return made;
}

/* NULL without a failure: cel.name() is no macro. */
static node *expand_cel(parser *p, uint32_t at, struct mln_str name, const node_list *args)
{
    if (args->n == 3 && mln_str_eq(name, MLN_S("bind")))
        return expand_bind(p, at, args);
    if (args->n == 2 && mln_str_eq(name, MLN_S("block")))
        return expand_block(p, at, args);
    if (args->n == 1 && mln_str_eq(name, MLN_S("index")))
        return expand_made_name(p, at, "@index", args);
    if (args->n == 2 && mln_str_eq(name, MLN_S("iterVar")))
        return expand_made_name(p, at, "@it", args);
    if (args->n == 2 && mln_str_eq(name, MLN_S("accuVar")))
        return expand_made_name(p, at, "@ac", args);
    return NULL;
}

struct mln_cel_node *mln_cel_call(struct mln_cel_parser *p, uint32_t at, struct mln_cel_node *target,
                                  struct mln_str name, const struct mln_cel_nodes *args)
{
    if (!mln_ok(p->failed))
        return NULL;
    if (!target && args->n == 1 && mln_str_eq(name, MLN_S("has")))
        return expand_has(p, at, args);
    if (target && target->kind == MLN_CEL_NAME && mln_str_eq(target->name, MLN_S("cel"))) {
        node *made = expand_cel(p, at, name, args);
        if (made || !mln_ok(p->failed))
            return made;
    }
    for (size_t i = 0; target && i < sizeof macros / sizeof macros[0]; i++)
        if (args->n == macros[i].args && mln_str_eq(name, mln_str_c(macros[i].name)))
            return expand_method(p, at, &macros[i], target, args);
    node *made = mln_cel_make(p, MLN_CEL_CALL, at, target, args->at, args->n);
    if (made)
        made->name = name;
    return made;
}
