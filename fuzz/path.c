/* A request target taken apart and looked for in a table with every kind of pattern. What is found must lie inside what was
   asked for, and the id must keep each name in one segment. */
#include "api/path.h"
#include "api/router.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct mln_result nothing(struct mln_request *request, struct mln_reply *reply)
{
    (void)request, (void)reply;
    return MLN_OK;
}

static const struct mln_route routes[] = {
    {MLN_GET, "/a/{b}/c", nothing, NULL, NULL, 0, 0},
    {MLN_GET, "/a/{b}/{c}/{d}", nothing, NULL, NULL, 0, 0},
    {MLN_GET, "/a/{rest*}", nothing, NULL, NULL, 0, 0},
    {MLN_GET, "{S}", nothing, NULL, NULL, 0, 0},
    {MLN_GET, "{X}{P}/t/{n}", nothing, NULL, NULL, 0, 0},
    {MLN_GET, "{X}{P}{L}/t/{n}/u", nothing, NULL, NULL, 0, 0},
    {MLN_GET, "{G}/providers/{namespace}/{path*}", nothing, NULL, NULL, 0, 0},
};
static const struct mln_route_table table = MLN_ROUTE_TABLE("fuzz", routes), *const tables[] = {&table};

static void check(const struct mln_request *request)
{
    size_t slashes = 0;
    for (size_t i = 0; i < request->id.n; i++)
        slashes += request->id.p[i] == '/';
    if (slashes != (request->n_segments ? request->n_segments : 1) || request->scope.n > request->id.n)
        abort();
    for (size_t i = 0; i < request->n_segments; i++)
        if (!request->segments[i].n || mln_str_eq(request->segments[i], MLN_S("..")))
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct mln_router *router;
    if (!router && !mln_ok(mln_router_new(tables, 1, &router)))
        abort();
    MLN_CLEANUP(mln_arena_free) struct mln_arena *arena = mln_arena_new(1 << 22);
    struct mln_request request = {.arena = arena, .method = MLN_GET};
    uint32_t allowed;
    if (!mln_ok(
            mln_path_split(arena, (struct mln_str){(const char *)data, size}, request.segments, &request.n_segments)) ||
        !mln_ok(mln_request_locate(&request)))
        return 0;
    check(&request);
    if (mln_router_find(router, &request, &allowed) != MLN_ROUTE_FOUND)
        return 0;
    for (size_t i = 0; i < request.n_captures; i++)
        if (!request.captures[i].n)
            abort();
    return 0;
}
