#include "json/json.h"

#include "base/vec.h"
#include "json/members.h"
#include "json/parse.h"

const struct mln_json mln_json_null = {.kind = MLN_JSON_NULL};

const struct mln_json *mln_json_get(const struct mln_json *object, struct mln_str name)
{
    if (!mln_json_is(object, MLN_JSON_OBJECT))
        return NULL;
    for (size_t i = 0; i < object->n; i++)
        if (mln_str_eq(object->members[i].name, name))
            return &object->members[i].value;
    return NULL;
}

const struct mln_json *mln_json_get_nocase(const struct mln_json *object, struct mln_str name)
{
    const struct mln_json *exact = mln_json_get(object, name);
    if (exact || !mln_json_is(object, MLN_JSON_OBJECT))
        return exact;
    for (size_t i = 0; i < object->n; i++)
        if (mln_str_eq_nocase(object->members[i].name, name))
            return &object->members[i].value;
    return NULL;
}

const struct mln_json *mln_json_path(const struct mln_json *root, const char *dotted)
{
    struct mln_str rest = mln_str_c(dotted), step;
    while (root && mln_str_cut(&rest, '.', &step))
        root = mln_json_get(root, step);
    return root;
}

struct mln_str mln_json_str(const struct mln_json *json, struct mln_str otherwise)
{
    return mln_json_is(json, MLN_JSON_STRING) ? (struct mln_str){json->string, json->n} : otherwise;
}

bool mln_json_bool(const struct mln_json *json, bool otherwise)
{
    return mln_json_is(json, MLN_JSON_BOOL) ? json->boolean : otherwise;
}

int64_t mln_json_i64(const struct mln_json *json, int64_t otherwise)
{
    return mln_json_is(json, MLN_JSON_INT) ? json->i : otherwise;
}

const char *mln_json_kind_name(const struct mln_json *json)
{
    static const char *const names[] = {
        [MLN_JSON_NULL] = "null",    [MLN_JSON_BOOL] = "boolean",  [MLN_JSON_INT] = "integer",
        [MLN_JSON_UINT] = "integer", [MLN_JSON_REAL] = "real",     [MLN_JSON_STRING] = "string",
        [MLN_JSON_ARRAY] = "array",  [MLN_JSON_OBJECT] = "object",
    };
    return json ? names[json->kind] : "missing";
}

static bool is_number(const struct mln_json *json)
{
    return json->kind == MLN_JSON_INT || json->kind == MLN_JSON_UINT || json->kind == MLN_JSON_REAL;
}

/* Exactly: no integer is rounded to meet a real. */
static bool same_number(const struct mln_json *a, const struct mln_json *b)
{
    if (a->kind == b->kind)
        return a->kind == MLN_JSON_REAL ? a->real == b->real : a->u == b->u;
    if (a->kind == MLN_JSON_REAL || b->kind != MLN_JSON_REAL) {
        const struct mln_json *swap = a;
        a = b;
        b = swap;
    }
    if (b->kind != MLN_JSON_REAL)
        return false; /* a UINT is above every INT */
    if (a->kind == MLN_JSON_INT)
        return b->real >= -0x1p63 && b->real < 0x1p63 && (int64_t)b->real == a->i &&
               (double)(int64_t)b->real == b->real;
    return b->real >= 0x1p63 && b->real < 0x1p64 && (uint64_t)b->real == a->u;
}

/* exact: numbers must also be of the same kind (1 and 1.0 differ), so that both are written alike. */
static bool same(const struct mln_json *a, const struct mln_json *b, bool exact)
{
    if (is_number(a) && is_number(b))
        return exact ? a->kind == b->kind && a->u == b->u : same_number(a, b);
    if (a->kind != b->kind || (a->kind >= MLN_JSON_STRING && a->n != b->n))
        return false;
    if (a->kind == MLN_JSON_BOOL)
        return a->boolean == b->boolean;
    if (a->kind == MLN_JSON_STRING)
        return a->n == 0 || memcmp(a->string, b->string, a->n) == 0;
    if (a->kind == MLN_JSON_ARRAY) {
        for (size_t i = 0; i < a->n; i++)
            if (!same(&a->items[i], &b->items[i], exact))
                return false;
    }
    if (a->kind == MLN_JSON_OBJECT) {
        struct mln_json_index in_b MLN_JSON_INDEX_CLEANUP = mln_json_index(b);
        for (size_t i = 0; i < a->n; i++) {
            const struct mln_json_member *other = mln_json_index_find(&in_b, &a->members[i]);
            if (!other || !same(&a->members[i].value, &other->value, exact))
                return false;
        }
    }
    return true;
}

bool mln_json_equal(const struct mln_json *a, const struct mln_json *b)
{
    return a == b || (a && b && same(a, b, false));
}

static struct mln_result merge(struct mln_arena *arena, const struct mln_json *target, const struct mln_json *patch,
                               struct mln_json *out)
{
    if (patch->kind != MLN_JSON_OBJECT) {
        *out = *patch;
        return MLN_OK;
    }
    struct mln_json_index old MLN_JSON_INDEX_CLEANUP = mln_json_index(target);
    struct mln_json_index new MLN_JSON_INDEX_CLEANUP = mln_json_index(patch);
    struct mln_json_member *members;
    size_t n = 0;
    MLN_TRY_ARRAY(arena, members, old.n + new.n);
    for (size_t i = 0; i < old.n; i++) {
        const struct mln_json_member *change = mln_json_index_find(&new, &old.members[i]);
        if (change && change->value.kind == MLN_JSON_NULL)
            continue;
        members[n] = old.members[i];
        if (change)
            MLN_TRY(merge(arena, &old.members[i].value, &change->value, &members[n].value));
        n++;
    }
    for (size_t i = 0; i < new.n; i++) {
        if (new.members[i].value.kind == MLN_JSON_NULL || mln_json_index_find(&old, &new.members[i]))
            continue;
        members[n] = new.members[i];
        MLN_TRY(merge(arena, NULL, &new.members[i].value, &members[n].value));
        n++;
    }
    *out = (struct mln_json){.kind = MLN_JSON_OBJECT, .n = (uint32_t)n, .members = members};
    return MLN_OK;
}

struct mln_result mln_json_merge_patch(struct mln_arena *arena, const struct mln_json *target,
                                       const struct mln_json *patch, const struct mln_json **out)
{
    struct mln_json *root;
    MLN_TRY_NEW(arena, root);
    MLN_TRY(merge(arena, target, patch, root));
    *out = root;
    return MLN_OK;
}

/* A value that a patch sets anew: nulls in it would be taken for removals. */
static struct mln_result refuse_nulls(const struct mln_json *value)
{
    if (value->kind == MLN_JSON_NULL)
        return mln_fail(MLN_E_INVALID, "a merge patch cannot set null");
    for (size_t i = 0; value->kind == MLN_JSON_OBJECT && i < value->n; i++) {
        struct mln_result r = refuse_nulls(&value->members[i].value);
        if (!mln_ok(r))
            return mln_fail_at(r, "%.*s", MLN_FMT(value->members[i].name));
    }
    return MLN_OK;
}

static struct mln_result diff(struct mln_arena *arena, const struct mln_json *from, const struct mln_json *to,
                              struct mln_json *patch)
{
    if (from->kind != MLN_JSON_OBJECT || to->kind != MLN_JSON_OBJECT) {
        MLN_TRY(refuse_nulls(to));
        *patch = *to;
        return MLN_OK;
    }
    struct mln_json_index old MLN_JSON_INDEX_CLEANUP = mln_json_index(from);
    struct mln_json_index new MLN_JSON_INDEX_CLEANUP = mln_json_index(to);
    struct mln_json_member *members;
    size_t n = 0;
    MLN_TRY_ARRAY(arena, members, old.n + new.n);
    for (size_t i = 0; i < old.n; i++)
        if (!mln_json_index_find(&new, &old.members[i])) {
            members[n] = old.members[i];
            members[n++].value = mln_json_null;
        }
    for (size_t i = 0; i < new.n; i++) {
        const struct mln_json_member *want = &new.members[i], *have = mln_json_index_find(&old, want);
        if (have && same(&have->value, &want->value, true))
            continue;
        members[n] = *want;
        struct mln_result r =
            have ? diff(arena, &have->value, &want->value, &members[n].value) : refuse_nulls(&want->value);
        if (!mln_ok(r))
            return mln_fail_at(r, "%.*s", MLN_FMT(want->name));
        n++;
    }
    *patch = (struct mln_json){.kind = MLN_JSON_OBJECT, .n = (uint32_t)n, .members = members};
    return MLN_OK;
}

struct mln_result mln_json_diff(struct mln_arena *arena, const struct mln_json *from, const struct mln_json *to,
                                const struct mln_json **out)
{
    *out = NULL;
    if (same(from, to, true))
        return MLN_OK;
    struct mln_json *patch;
    MLN_TRY_NEW(arena, patch);
    if (to->kind == MLN_JSON_NULL) /* as a whole document null is a value */
        *patch = *to;
    else
        MLN_TRY(diff(arena, from, to, patch));
    *out = patch;
    return MLN_OK;
}

struct mln_json mln_json_of_str(struct mln_str s)
{
    return (struct mln_json){.kind = MLN_JSON_STRING, .n = (uint32_t)s.n, .string = s.p ? s.p : ""};
}

struct mln_json mln_json_of_i64(int64_t i)
{
    return (struct mln_json){.kind = MLN_JSON_INT, .i = i};
}

struct mln_json mln_json_of_bool(bool b)
{
    return (struct mln_json){.kind = MLN_JSON_BOOL, .boolean = b};
}

struct mln_json mln_json_of_real(double d)
{
    return (struct mln_json){.kind = MLN_JSON_REAL, .real = d};
}

struct mln_result mln_json_add(struct mln_arena *arena, struct mln_json_object *object, struct mln_str name,
                               struct mln_json value)
{
    struct mln_json_member member = {.value = value};
    if (!mln_json_name_member(arena, &member, name.p, name.n))
        return mln_arena_failure(arena);
    return mln_vec_push(arena, object, member);
}

struct mln_result mln_json_append(struct mln_arena *arena, struct mln_json_array *array, struct mln_json value)
{
    return mln_vec_push(arena, array, value);
}

struct mln_json mln_json_object_done(const struct mln_json_object *object)
{
    return (struct mln_json){.kind = MLN_JSON_OBJECT, .n = (uint32_t)object->n, .members = object->at};
}

struct mln_json mln_json_array_done(const struct mln_json_array *array)
{
    return (struct mln_json){.kind = MLN_JSON_ARRAY, .n = (uint32_t)array->n, .items = array->at};
}
