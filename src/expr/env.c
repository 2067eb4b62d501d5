#include "expr/env.h"

#include "expr/functions.h"

enum { ENV_BYTES = 64 << 20, SLOTS_MOST = 1 << 20 };

struct mln_expr_env *mln_expr_env_new(enum mln_expr_mode mode)
{
    struct mln_expr_env *env = calloc(1, sizeof *env);
    if (!env)
        return NULL;
    env->mode = mode;
    env->arena = mln_arena_new(ENV_BYTES);
    if (!env->arena || !mln_ok(mln_vec_push(env->arena, &env->slots, {0}))) {
        mln_expr_env_free(env);
        return NULL;
    }
    return env;
}

void mln_expr_env_free(struct mln_expr_env *env)
{
    if (!env)
        return;
    mln_arena_free(env->arena);
    free(env);
}

struct mln_result mln_expr_env_container(struct mln_expr_env *env, struct mln_str container)
{
    MLN_TRY_STR(env->arena, env->container, mln_str_dup(env->arena, container));
    return MLN_OK;
}

struct mln_result mln_expr_env_slot(struct mln_expr_env *env, uint32_t parent, struct mln_str name, uint32_t *slot)
{
    uint32_t key = mln_json_key(name);
    for (size_t i = 1; i < env->slots.n; i++) {
        const struct mln_expr_slot *s = &env->slots.at[i];
        if (s->parent == parent && s->key == key && mln_str_eq(s->name, name)) {
            *slot = (uint32_t)i;
            return MLN_OK;
        }
    }
    if (env->slots.n >= SLOTS_MOST)
        return mln_fail(MLN_E_LIMIT, "the rules read more than %d different fields", SLOTS_MOST);
    struct mln_str copy;
    MLN_TRY_STR(env->arena, copy, mln_str_dup(env->arena, name));
    MLN_TRY(mln_vec_push(env->arena, &env->slots, {.parent = parent, .key = key, .name = copy}));
    *slot = (uint32_t)(env->slots.n - 1);
    return MLN_OK;
}

const struct mln_expr_variable *mln_expr_env_find(const struct mln_expr_env *env, struct mln_str name)
{
    for (size_t i = 0; i < env->variables.n; i++)
        if (mln_str_eq(env->variables.at[i].name, name))
            return &env->variables.at[i];
    return NULL;
}

struct mln_result mln_expr_env_variable(struct mln_expr_env *env, struct mln_str name, struct mln_str path)
{
    return mln_expr_env_typed_variable(env, name, path, MLN_S("dyn"));
}

struct mln_result mln_expr_env_typed_variable(struct mln_expr_env *env, struct mln_str name, struct mln_str path,
                                              struct mln_str type)
{
    if (mln_expr_env_find(env, name))
        return mln_fail(MLN_E_CONFLICT, "the variable '%.*s' exists already", MLN_FMT(name));
    struct mln_expr_variable variable = {0};
    struct mln_str step;
    MLN_TRY(mln_type_parse(env->arena, type, false, &variable.type));
    while (path.n && mln_str_cut(&path, '.', &step))
        MLN_TRY(mln_expr_env_slot(env, variable.slot, step, &variable.slot));
    MLN_TRY_STR(env->arena, variable.name, mln_str_dup(env->arena, name));
    return mln_vec_push(env->arena, &env->variables, variable);
}

struct mln_result mln_expr_env_function(struct mln_expr_env *env, const struct mln_function *line)
{
    return mln_vec_push(env->arena, &env->functions, *line);
}
