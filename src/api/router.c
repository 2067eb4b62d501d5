#include "api/router.h"

#include "base/map.h"
#include "base/vec.h"

enum { ROUTER_BUDGET_BYTES = 8 << 20, ANY_SCOPE = 15 };

struct compiled {
    const struct mln_route *route;
    uint8_t scopes; /* of enum mln_scope_kind */
    struct mln_str provider, type;
    struct mln_str names[MLN_MAX_CAPTURES];
    size_t n_names;
};

struct node;
struct child {
    struct mln_str word; /* lower case */
    struct node *node;
};
struct node {
    MLN_VEC(struct child) children;
    struct node *capture, *rest;
    MLN_VEC(uint32_t) ends; /* indices into the router's routes */
};

struct mln_router {
    struct mln_arena *arena;
    MLN_VEC(struct compiled) routes;
    struct mln_map *providers; /* lower-case name -> struct node */
    struct node any_provider, no_provider;
};

/* ---- compiling ---- */

struct pattern { /* being read */
    struct mln_router *router;
    struct compiled *compiled;
    struct node *node;
    struct mln_str rest;
    struct mln_buf *type;
    const char *whole;
    bool in_tail; /* after a provider */
};

static bool take(struct mln_str *rest, const char *word)
{
    struct mln_str w = mln_str_c(word);
    if (!mln_str_starts(*rest, w))
        return false;
    *rest = mln_str_sub(*rest, w.n, rest->n);
    return true;
}

static struct mln_result add_name(struct pattern *p, struct mln_str name)
{
    if (p->compiled->n_names == MLN_MAX_CAPTURES)
        return mln_fail(MLN_E_INTERNAL, "route %s has more than %d captures", p->whole, MLN_MAX_CAPTURES);
    p->compiled->names[p->compiled->n_names++] = name;
    return MLN_OK;
}

static struct mln_result step_literal(struct pattern *p, struct mln_str word)
{
    for (size_t i = 0; i < p->node->children.n; i++)
        if (mln_str_eq_nocase(p->node->children.at[i].word, word)) {
            p->node = p->node->children.at[i].node;
            return MLN_OK;
        }
    struct node *node;
    MLN_TRY_NEW(p->router->arena, node);
    MLN_TRY_STR(p->router->arena, word, mln_str_lower(p->router->arena, word));
    MLN_TRY(mln_vec_push(p->router->arena, &p->node->children, {word, node}));
    p->node = node;
    return MLN_OK;
}

static struct mln_result step_into(struct pattern *p, struct node **slot)
{
    if (!*slot)
        MLN_TRY_NEW(p->router->arena, *slot);
    p->node = *slot;
    return MLN_OK;
}

static struct mln_result step_segment(struct pattern *p, struct mln_str segment)
{
    bool capture = segment.n > 2 && segment.p[0] == '{' && segment.p[segment.n - 1] == '}';
    if (!segment.n || (!capture && mln_str_find(segment, MLN_S("{"), 0) != SIZE_MAX))
        return mln_fail(MLN_E_INTERNAL, "route %s: bad segment", p->whole);
    if (!capture) {
        if (p->in_tail)
            MLN_TRY(mln_buf_printf(p->type, "%s%.*s", p->type->n ? "/" : "", MLN_FMT(segment)));
        return step_literal(p, segment);
    }
    struct mln_str name = mln_str_sub(segment, 1, segment.n - 1);
    bool rest = name.p[name.n - 1] == '*';
    if (rest && p->rest.p)
        return mln_fail(MLN_E_INTERNAL, "route %s: a rest stands at the end", p->whole);
    MLN_TRY(add_name(p, rest ? mln_str_sub(name, 0, name.n - 1) : name));
    return step_into(p, rest ? &p->node->rest : &p->node->capture);
}

/* The scope at the front: {S} {G} {R} {X} or nothing. Without a provider, {S} and {G} are ordinary segments. */
static struct mln_result read_scope(struct pattern *p, bool provider)
{
    bool subscription = take(&p->rest, "{S}"), group = !subscription && take(&p->rest, "{G}");
    if (!provider) {
        p->compiled->scopes = ANY_SCOPE;
        if (subscription || group) {
            MLN_TRY(step_literal(p, MLN_S("subscriptions")));
            MLN_TRY(step_segment(p, MLN_S("{subscription}")));
        }
        if (group) {
            MLN_TRY(step_literal(p, MLN_S("resourcegroups")));
            MLN_TRY(step_segment(p, MLN_S("{group}")));
        }
        return MLN_OK;
    }
    if (subscription)
        p->compiled->scopes = MLN_SCOPE_SUBSCRIPTION;
    else if (group)
        p->compiled->scopes = MLN_SCOPE_GROUP;
    else if (take(&p->rest, "{R}"))
        p->compiled->scopes = MLN_SCOPE_RESOURCE;
    else if (take(&p->rest, "{X}"))
        p->compiled->scopes = MLN_SCOPE_SUBSCRIPTION | MLN_SCOPE_GROUP | MLN_SCOPE_RESOURCE;
    else
        p->compiled->scopes = MLN_SCOPE_TENANT;
    return MLN_OK;
}

static struct mln_result provider_root(struct pattern *p, struct mln_str name)
{
    if (name.n && name.p[0] == '{') {
        p->compiled->provider = MLN_S("*");
        p->node = &p->router->any_provider;
        return MLN_OK;
    }
    MLN_TRY_STR(p->router->arena, p->compiled->provider, mln_str_dup(p->router->arena, name));
    union mln_map_value *known = mln_map_get(p->router->providers, name);
    if (known) {
        p->node = known->p;
        return MLN_OK;
    }
    MLN_TRY_NEW(p->router->arena, p->node);
    return mln_map_put(p->router->providers, p->compiled->provider, (union mln_map_value){.p = p->node});
}

static struct mln_result read_provider(struct pattern *p)
{
    struct mln_str name;
    if (take(&p->rest, "{P}")) {
        name = MLN_S("Microsoft.Security");
    } else {
        if (!take(&p->rest, "/providers/"))
            return mln_fail(MLN_E_INTERNAL, "route %s: something stands between scope and provider", p->whole);
        size_t end = mln_str_find(p->rest, MLN_S("/"), 0);
        size_t location = mln_str_find(p->rest, MLN_S("{L}"), 0);
        if (location < end)
            end = location;
        name = mln_str_sub(p->rest, 0, end);
        p->rest = mln_str_sub(p->rest, end, p->rest.n);
    }
    p->in_tail = true;
    return provider_root(p, name);
}

static bool has_provider(struct mln_str pattern)
{
    size_t at = mln_str_find(pattern, MLN_S("/providers/"), 0);
    return mln_str_find(pattern, MLN_S("{P}"), 0) != SIZE_MAX || at != SIZE_MAX;
}

static struct mln_result add_end(struct pattern *p, uint32_t index)
{
    const struct compiled *added = p->compiled;
    for (size_t i = 0; i < p->node->ends.n; i++) {
        const struct compiled *other = &p->router->routes.at[p->node->ends.at[i]];
        if (other->route->method == added->route->method && (other->scopes & added->scopes))
            return mln_fail(MLN_E_INTERNAL, "routes %s and %s are the same", other->route->pattern, p->whole);
    }
    return mln_vec_push(p->router->arena, &p->node->ends, index);
}

static struct mln_result compile(struct mln_router *router, const struct mln_route *route)
{
    MLN_BUF_CLEANUP struct mln_buf type = MLN_BUF(512);
    struct compiled compiled = {.route = route};
    struct pattern p = {.router = router,
                        .compiled = &compiled,
                        .node = &router->no_provider,
                        .type = &type,
                        .rest = mln_str_c(route->pattern),
                        .whole = route->pattern};
    bool provider = has_provider(p.rest);
    MLN_TRY(read_scope(&p, provider));
    if (provider)
        MLN_TRY(read_provider(&p));
    if (take(&p.rest, "{L}")) {
        MLN_TRY(step_segment(&p, MLN_S("locations")));
        MLN_TRY(step_segment(&p, MLN_S("{location}")));
    }
    if (p.rest.n && !take(&p.rest, "/"))
        return mln_fail(MLN_E_INTERNAL, "route %s: '/' expected", p.whole);
    struct mln_str segment;
    while (p.rest.n) {
        mln_str_cut(&p.rest, '/', &segment);
        MLN_TRY(step_segment(&p, segment));
    }
    MLN_TRY_STR(router->arena, compiled.type, mln_str_dup(router->arena, mln_buf_str(&type)));
    MLN_TRY(add_end(&p, (uint32_t)router->routes.n));
    return mln_vec_push(router->arena, &router->routes, compiled);
}

void mln_router_free(struct mln_router *router)
{
    if (!router)
        return;
    mln_map_free(router->providers);
    mln_arena_free(router->arena);
    free(router);
}

struct mln_result mln_router_new(const struct mln_route_table *const *tables, size_t n, struct mln_router **out)
{
    MLN_CLEANUP(mln_router_free) struct mln_router *router = calloc(1, sizeof *router);
    if (router) {
        router->arena = mln_arena_new(ROUTER_BUDGET_BYTES);
        router->providers = mln_map_new(true);
    }
    if (!router || !router->arena || !router->providers)
        return mln_fail(MLN_E_MEMORY, "no memory for the router");
    for (size_t t = 0; t < n; t++)
        for (size_t i = 0; i < tables[t]->n; i++)
            MLN_TRY(compile(router, &tables[t]->routes[i]));
    *out = MLN_TAKE(router);
    return MLN_OK;
}

/* ---- finding ---- */

struct search {
    const struct mln_router *router;
    struct mln_request *request;
    uint32_t allowed;
    size_t depth; /* captures taken on the way down */
};

/* The slice of request->id from segment i to its end. */
static struct mln_str rest_of_id(const struct mln_request *request, size_t segment)
{
    struct mln_str id = request->id;
    size_t at = 0;
    for (size_t slashes = 0; at < id.n; at++)
        if (id.p[at] == '/' && slashes++ == segment)
            break;
    return mln_str_sub(id, at + 1, id.n);
}

static bool ends_here(struct search *s, const struct node *node)
{
    struct mln_request *request = s->request;
    for (size_t i = 0; i < node->ends.n; i++) {
        const struct compiled *compiled = &s->router->routes.at[node->ends.at[i]];
        if (!(compiled->scopes & request->scope_kind))
            continue;
        s->allowed |= compiled->route->method;
        if (compiled->route->method == request->method) {
            request->route = compiled->route;
            request->capture_names = compiled->names;
            request->n_captures = compiled->n_names;
            return true;
        }
    }
    return false;
}

/* Depth-first; each node of the trie is looked at once at most, so the work is bounded by the trie. */
static bool descend(struct search *s, const struct node *node, size_t at)
{
    struct mln_request *request = s->request;
    if (at == request->n_segments)
        return ends_here(s, node);
    struct mln_str segment = request->segments[at];
    for (size_t i = 0; i < node->children.n; i++)
        if (mln_str_eq_nocase(node->children.at[i].word, segment)) {
            if (descend(s, node->children.at[i].node, at + 1))
                return true;
            break;
        }
    if (s->depth == MLN_MAX_CAPTURES)
        return false;
    if (node->capture) {
        request->captures[s->depth++] = segment;
        if (descend(s, node->capture, at + 1))
            return true;
        s->depth--;
    }
    if (node->rest) {
        request->captures[s->depth] = rest_of_id(request, at);
        return ends_here(s, node->rest);
    }
    return false;
}

static bool find_from(struct search *s, const struct node *root)
{
    s->depth = 0;
    return root && descend(s, root, s->request->tail);
}

enum mln_route_outcome mln_router_find(const struct mln_router *router, struct mln_request *request, uint32_t *allowed)
{
    struct search s = {.router = router, .request = request};
    bool found;
    if (request->tail) {
        union mln_map_value *known = mln_map_get(router->providers, request->provider);
        found = (known && find_from(&s, known->p)) || (!s.allowed && find_from(&s, &router->any_provider));
    } else {
        found = find_from(&s, &router->no_provider);
    }
    *allowed = s.allowed;
    return found ? MLN_ROUTE_FOUND : s.allowed ? MLN_ROUTE_OTHER_METHOD : MLN_ROUTE_UNKNOWN;
}

bool mln_router_owns(const struct mln_router *router, struct mln_str provider)
{
    return mln_map_get(router->providers, provider) != NULL;
}

struct mln_result mln_router_visit(const struct mln_router *router, mln_route_visit visit, void *context)
{
    for (size_t i = 0; i < router->routes.n; i++) {
        const struct compiled *compiled = &router->routes.at[i];
        MLN_TRY(visit(context, compiled->route, compiled->provider, compiled->type));
    }
    return MLN_OK;
}
