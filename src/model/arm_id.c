/*
 * ARM resource ids. The grammar is small and strict on purpose: an id decides which scope a resource belongs to, so two
 * readings of one text must not exist.
 */
#include "model/arm_id.h"

/* The segments of an id, in order. */
struct segments {
    struct mln_str at[MLN_ARM_ID_MAX_SEGMENTS];
    size_t n;
};

static struct mln_result refuse(struct mln_str text, const char *why)
{
    return mln_fail(MLN_E_INVALID, "'%.*s' is not a resource id: %s", MLN_FMT(mln_str_sub(text, 0, 200)), why);
}

static bool has_forbidden_byte(struct mln_str s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c < 0x20 || c == 0x7F || c == '%' || c == '\\' || c == '?' || c == '#')
            return true;
    }
    return false;
}

static struct mln_result split(struct mln_str text, struct segments *out)
{
    struct mln_str rest = mln_str_sub(text, 1, text.n), part;
    out->n = 0;
    while (mln_str_cut(&rest, '/', &part)) {
        if (part.n == 0)
            return refuse(text, "it has an empty segment");
        if (mln_str_eq(part, MLN_S(".")) || mln_str_eq(part, MLN_S("..")))
            return refuse(text, "it has a segment of dots");
        if (out->n == MLN_ARM_ID_MAX_SEGMENTS)
            return refuse(text, "it has too many segments");
        out->at[out->n++] = part;
    }
    return MLN_OK;
}

/* The text from the start of one segment to the end of another. */
static struct mln_str span(struct mln_str first, struct mln_str last)
{
    return (struct mln_str){first.p, (size_t)(last.p + last.n - first.p)};
}

/* The id up to and without segment `before`; p NULL when nothing is left. */
static struct mln_str id_before(struct mln_str whole, const struct segments *s, size_t before)
{
    if (before == 0)
        return (struct mln_str){NULL, 0};
    return span(whole, s->at[before - 1]);
}

/* "providers/{namespace}/{type}/{name}..." from segment at on; several of them follow each other. */
static struct mln_result parse_providers(const struct segments *s, size_t at, struct mln_arm_id *out)
{
    while (at < s->n) {
        if (!mln_str_eq_nocase(s->at[at], MLN_S("providers")))
            return refuse(out->whole, "'providers' is expected after the scope");
        size_t first_type = at + 2, end = first_type;
        while (end < s->n && !mln_str_eq_nocase(s->at[end], MLN_S("providers")))
            end += 2;
        if (end == first_type || end > s->n)
            return refuse(out->whole, "each provider has a namespace and pairs of a type and a name");
        out->provider = s->at[at + 1];
        out->type_path = span(s->at[first_type], s->at[end - 1]);
        out->name = s->at[end - 1];
        out->parent = id_before(out->whole, s, end - first_type > 2 ? end - 2 : at);
        at = end;
    }
    return MLN_OK;
}

struct mln_result mln_arm_id_parse(struct mln_str text, struct mln_arm_id *out)
{
    *out = (struct mln_arm_id){0};
    if (text.n > MLN_ARM_ID_MAX_BYTES)
        return refuse(text, "it is too long");
    if (text.n < 2 || text.p[0] != '/')
        return refuse(text, "it begins with '/subscriptions/' or '/providers/'");
    if (has_forbidden_byte(text) || !mln_str_is_utf8(text))
        return refuse(text, "it has a byte that ids may not have");
    out->whole = mln_str_sub(text, 0, text.p[text.n - 1] == '/' ? text.n - 1 : text.n);

    struct segments s;
    MLN_TRY(split(out->whole, &s));
    size_t at = 0;
    if (mln_str_eq_nocase(s.at[0], MLN_S("subscriptions"))) {
        if (s.n < 2)
            return refuse(text, "the subscription's id is missing");
        out->subscription = out->name = s.at[1];
        at = 2;
        if (at < s.n && mln_str_eq_nocase(s.at[at], MLN_S("resourceGroups"))) {
            if (s.n < 4)
                return refuse(text, "the resource group's name is missing");
            out->group = out->name = s.at[3];
            out->parent = id_before(out->whole, &s, 2);
            at = 4;
        }
    }
    return parse_providers(&s, at, out);
}

struct mln_result mln_arm_id_type(const struct mln_arm_id *id, struct mln_arena *arena, struct mln_str *type)
{
    if (!id->provider.p)
        return mln_fail(MLN_E_INVALID, "'%.*s' is a scope without a resource type",
                        MLN_FMT(mln_str_sub(id->whole, 0, 200)));
    char *p;
    MLN_TRY_ARRAY(arena, p, id->provider.n + 1 + id->type_path.n);
    memcpy(p, id->provider.p, id->provider.n);
    size_t n = id->provider.n;
    struct mln_str rest = id->type_path, part;
    for (bool is_type = true; mln_str_cut(&rest, '/', &part); is_type = !is_type) {
        if (!is_type)
            continue;
        p[n++] = '/';
        memcpy(p + n, part.p, part.n);
        n += part.n;
    }
    *type = (struct mln_str){p, n};
    return MLN_OK;
}

static struct mln_str without_final_slash(struct mln_str s)
{
    return s.n && s.p[s.n - 1] == '/' ? mln_str_sub(s, 0, s.n - 1) : s;
}

bool mln_arm_id_below(struct mln_str id, struct mln_str scope)
{
    id = without_final_slash(id);
    scope = without_final_slash(scope);
    return mln_str_starts_nocase(id, scope) && (id.n == scope.n || id.p[scope.n] == '/');
}
