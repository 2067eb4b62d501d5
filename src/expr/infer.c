#include "expr/infer.h"

enum { STEPS_MOST = 1 << 20, DEPTH_MOST = 256 };

static const struct mln_type *const dyn = &mln_types[MLN_VALUE_DYN];

static const struct mln_type *or_dyn(struct mln_inference *in, const struct mln_type *made)
{
    in->out_of_memory |= !made;
    return made ? made : dyn;
}

const struct mln_type *mln_infer_variable(struct mln_inference *in)
{
    struct mln_type *made = mln_arena_alloc(in->arena, sizeof *made);
    if (!made || !mln_ok(mln_vec_push(in->arena, &in->bindings, NULL)))
        return or_dyn(in, NULL);
    *made = (struct mln_type){.kind = MLN_TYPE_VARIABLE, .index = (uint32_t)in->bindings.n - 1};
    return made;
}

const struct mln_type *mln_infer_instance(struct mln_inference *in, struct mln_instance *instance,
                                          const struct mln_type *type)
{
    const struct mln_type *of[MLN_TYPE_PARAMETERS_MOST];
    if (type->kind == MLN_TYPE_PARAMETER) {
        const struct mln_type **letter = &instance->letters[type->index % MLN_TYPE_LETTERS];
        if (!*letter)
            *letter = mln_infer_variable(in);
        return *letter;
    }
    if (type->n == 0)
        return type;
    for (size_t i = 0; i < type->n; i++)
        of[i] = mln_infer_instance(in, instance, type->of[i]);
    return or_dyn(in, mln_type_with(in->arena, type, of, type->n));
}

/* ---- binding ---- */

static bool bind(struct mln_inference *in, uint32_t variable, const struct mln_type *type)
{
    if (!mln_ok(mln_vec_push(in->arena, &in->trail, {variable, in->bindings.at[variable]}))) {
        in->out_of_memory = true;
        return true;
    }
    in->bindings.at[variable] = type;
    return true;
}

static void take_back(struct mln_inference *in, size_t steps)
{
    while (in->trail.n > steps) {
        const struct mln_inference_step *last = &in->trail.at[--in->trail.n];
        in->bindings.at[last->variable] = last->before;
    }
}

/* Where null may stand for a value, as the checkers of CEL have always had it. */
static bool is_nullable(uint32_t kind)
{
    return kind == MLN_JSON_NULL || kind == MLN_VALUE_TIMESTAMP || kind == MLN_VALUE_DURATION ||
           kind == MLN_VALUE_OPTIONAL || kind == MLN_TYPE_NAMED;
}

static bool same_head(const struct mln_type *a, const struct mln_type *b)
{
    return a->kind == b->kind && (a->kind != MLN_TYPE_NAMED || strcmp(a->name, b->name) == 0) &&
           (a->kind != MLN_TYPE_VARIABLE || a->index == b->index);
}

/* Whether the first type says no more than the second. */
static bool is_as_general(const struct mln_type *a, const struct mln_type *b)
{
    if (a->kind == MLN_VALUE_DYN || a->kind == MLN_TYPE_VARIABLE)
        return true;
    if (b->kind == MLN_VALUE_DYN || b->kind == MLN_TYPE_VARIABLE)
        return false;
    if (b->kind == MLN_JSON_NULL && is_nullable(a->kind))
        return true;
    if (!same_head(a, b))
        return false;
    for (size_t i = 0; i < a->n || i < b->n; i++)
        if (!is_as_general(mln_type_of(a, i), mln_type_of(b, i)))
            return false;
    return true;
}

static const struct mln_type *most_general(const struct mln_type *a, const struct mln_type *b)
{
    return is_as_general(a, b) ? a : b;
}

/* Whether a type speaks of a variable, directly or through what variables are bound to. */
static bool mentions(struct mln_inference *in, const struct mln_type *type, uint32_t variable)
{
    if (++in->steps > STEPS_MOST)
        return true;
    if (type->kind == MLN_TYPE_VARIABLE) {
        const struct mln_type *bound = in->bindings.at[type->index];
        return type->index == variable || (bound && mentions(in, bound, variable));
    }
    for (size_t i = 0; i < type->n; i++)
        if (mentions(in, type->of[i], variable))
            return true;
    return false;
}

static bool fits(struct mln_inference *in, const struct mln_type *expected, const struct mln_type *found);

/* Makes a variable stand for a type, or for the more general one of it and what it stood for. *known: it stood for
   something. */
static bool fits_variable(struct mln_inference *in, const struct mln_type *type, uint32_t variable, bool *known)
{
    const struct mln_type *bound = in->bindings.at[variable];
    *known = bound != NULL;
    if (!bound)
        return !mentions(in, type, variable) && bind(in, variable, type);
    if (same_head(type, bound) && type->n == 0 && bound->n == 0)
        return true;
    if (!fits(in, type, bound))
        return false;
    const struct mln_type *general = most_general(type, bound);
    return mentions(in, general, variable) || bind(in, variable, general);
}

static bool fits_inside(struct mln_inference *in, const struct mln_type *expected, const struct mln_type *found)
{
    bool known = false;
    if (found->kind == MLN_TYPE_VARIABLE) {
        if (same_head(expected, found) || fits_variable(in, expected, found->index, &known))
            return true;
        if (known)
            return false;
    }
    if (expected->kind == MLN_TYPE_VARIABLE)
        return fits_variable(in, found, expected->index, &known);
    if (expected->kind == MLN_VALUE_DYN || found->kind == MLN_VALUE_DYN)
        return true;
    if (expected->kind == MLN_TYPE_NUMBER || found->kind == MLN_TYPE_NUMBER)
        return expected->kind == found->kind || mln_value_is_number(expected->kind) || mln_value_is_number(found->kind);
    if (found->kind == MLN_JSON_NULL)
        return is_nullable(expected->kind);
    if (!same_head(expected, found))
        return false;
    for (size_t i = 0; i < expected->n && i < found->n; i++)
        if (!fits(in, expected->of[i], found->of[i]))
            return false;
    return true;
}

static bool fits(struct mln_inference *in, const struct mln_type *expected, const struct mln_type *found)
{
    if (++in->steps > STEPS_MOST || in->depth >= DEPTH_MOST)
        return true;
    in->depth++;
    bool answer = fits_inside(in, expected, found);
    in->depth--;
    return answer;
}

bool mln_infer_all_fit(struct mln_inference *in, const struct mln_type *const *expected,
                       const struct mln_type *const *found, size_t n)
{
    size_t steps = in->trail.n;
    for (size_t i = 0; i < n; i++)
        if (!fits(in, expected[i], found[i])) {
            take_back(in, steps);
            return false;
        }
    return true;
}

bool mln_infer_fits(struct mln_inference *in, const struct mln_type *expected, const struct mln_type *found)
{
    return mln_infer_all_fit(in, &expected, &found, 1);
}

const struct mln_type *mln_infer_join(struct mln_inference *in, const struct mln_type *a, const struct mln_type *b)
{
    return mln_infer_fits(in, a, b) || mln_infer_fits(in, b, a) ? most_general(a, b) : dyn;
}

/* ---- reading the outcome ---- */

const struct mln_type *mln_infer_known(const struct mln_inference *in, const struct mln_type *type)
{
    for (size_t i = 0; type && type->kind == MLN_TYPE_VARIABLE && i <= in->bindings.n; i++)
        type = in->bindings.at[type->index];
    return type && type->kind != MLN_TYPE_VARIABLE && type->kind != MLN_TYPE_NUMBER ? type : dyn;
}

const struct mln_type *mln_infer_resolved(struct mln_inference *in, const struct mln_type *type)
{
    const struct mln_type *of[MLN_TYPE_PARAMETERS_MOST];
    type = mln_infer_known(in, type);
    if (type->n == 0)
        return type;
    if (++in->steps > STEPS_MOST || in->depth >= MLN_TYPE_DEPTH_MOST)
        return dyn;
    in->depth++;
    for (size_t i = 0; i < type->n; i++)
        of[i] = mln_infer_resolved(in, type->of[i]);
    in->depth--;
    return or_dyn(in, mln_type_with(in->arena, type, of, type->n));
}
