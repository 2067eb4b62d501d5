#include "check.h"

#include "api/path.h"
#include "api/router.h"

static struct mln_result nothing(struct mln_request *request, struct mln_reply *reply)
{
    (void)request, (void)reply;
    return MLN_OK;
}

#define ROUTE(method, pattern)                                                                                         \
    {                                                                                                                  \
        MLN_##method, pattern, nothing, "x/read", "2020-01-01", 0, 0                                                   \
    }

static const struct mln_route routes[] = {
    ROUTE(GET, "/"),
    ROUTE(GET, "/adfs/{tenant}/keys"),
    ROUTE(GET, "/adfs/own/keys"),
    ROUTE(GET, "/ui/{path*}"),
    ROUTE(GET, "/ui/session"),
    ROUTE(GET, "{S}"),
    ROUTE(GET, "{G}"),
    ROUTE(PUT, "{G}"),
    ROUTE(GET, "{S}{P}/pricings"),
    ROUTE(GET, "{S}{P}/pricings/{plan}"),
    ROUTE(PUT, "{S}{P}/pricings/{plan}"),
    ROUTE(GET, "{R}{P}/pricings/{plan}"),
    ROUTE(GET, "{X}{P}/assessments/{key}"),
    ROUTE(POST, "{G}{P}{L}/alerts/{name}/dismiss"),
    ROUTE(GET, "{P}/operations"),
    ROUTE(GET, "{S}/providers/{namespace}"),
    ROUTE(GET, "{X}/providers/Microsoft.Authorization/roleAssignments/{name}"),
    ROUTE(GET, "{G}/providers/{namespace}/{path*}"),
    ROUTE(DELETE, "{G}/providers/{namespace}/{path*}"),
};
static const struct mln_route_table table = MLN_ROUTE_TABLE("test", routes);
static const struct mln_route_table *const tables[] = {&table};

static struct mln_router *router;
static struct mln_arena *arena;
static struct mln_request request;
static uint32_t allowed;

static int setup(void **state)
{
    (void)state;
    arena = mln_arena_new(1 << 20);
    assert_ok(mln_router_new(tables, 1, &router));
    return 0;
}
static int teardown(void **state)
{
    (void)state;
    mln_router_free(router);
    mln_arena_free(arena);
    return 0;
}
#define with_router(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

static enum mln_route_outcome find(enum mln_method method, const char *path)
{
    request = (struct mln_request){.arena = arena, .method = method};
    assert_ok(mln_path_split(arena, mln_str_c(path), request.segments, &request.n_segments));
    assert_ok(mln_request_locate(&request));
    return mln_router_find(router, &request, &allowed);
}

static void expect(enum mln_method method, const char *path, const char *pattern)
{
    if (find(method, path) != MLN_ROUTE_FOUND)
        fail_msg("%s is not found", path);
    assert_string_equal(request.route->pattern, pattern);
}

#define S "/subscriptions/s"
#define G S "/resourceGroups/g"
#define M "/providers/Microsoft.Security"

static void test_paths_find_their_routes(void **state)
{
    (void)state;
    expect(MLN_GET, "/", "/");
    expect(MLN_GET, "/adfs/contoso/keys", "/adfs/{tenant}/keys");
    expect(MLN_GET, "/ADFS/own/KEYS", "/adfs/own/keys");
    expect(MLN_GET, S, "{S}");
    expect(MLN_GET, "/SUBSCRIPTIONS/s/RESOURCEGROUPS/g", "{G}");
    expect(MLN_PUT, G, "{G}");
    expect(MLN_GET, "//subscriptions/s/providers/microsoft.security/PRICINGS", "{S}{P}/pricings");
    expect(MLN_PUT, S M "/pricings/VirtualMachines", "{S}{P}/pricings/{plan}");
    expect(MLN_GET, M "/operations", "{P}/operations");
    expect(MLN_POST, G M "/locations/l/alerts/a/dismiss", "{G}{P}{L}/alerts/{name}/dismiss");
    expect(MLN_GET, S "/providers/Microsoft.Security", "{S}/providers/{namespace}");
    expect(MLN_GET, S "/providers/Contoso.Any", "{S}/providers/{namespace}");
}

static void test_the_scope_decides(void **state)
{
    (void)state;
    expect(MLN_GET, G "/providers/A.B/t/n" M "/pricings/p", "{R}{P}/pricings/{plan}");
    static const char *const scopes[] = {S, G, G "/providers/A.B/t/n", G "/providers/A.B/t/n/u/m"};
    for (size_t i = 0; i < sizeof scopes / sizeof *scopes; i++) {
        char path[256];
        snprintf(path, sizeof path, "%s" M "/assessments/k", scopes[i]);
        expect(MLN_GET, path, "{X}{P}/assessments/{key}");
        assert_str(request.scope, scopes[i]);
    }
    assert_int_equal(find(MLN_GET, M "/assessments/k"), MLN_ROUTE_UNKNOWN);
    assert_int_equal(find(MLN_GET, S M "/operations"), MLN_ROUTE_UNKNOWN);
}

static void test_captures_have_names(void **state)
{
    (void)state;
    expect(MLN_POST, G M "/locations/Local/alerts/a%2Fb/dismiss", "{G}{P}{L}/alerts/{name}/dismiss");
    assert_str(mln_request_capture(&request, "location"), "Local");
    assert_str(mln_request_capture(&request, "name"), "a/b");
    assert_null(mln_request_capture(&request, "other").p);
    expect(MLN_GET, G, "{G}");
    assert_str(mln_request_capture(&request, "group"), "g");
    expect(MLN_GET, G "/providers/A.B/t/n%2Fx/u", "{G}/providers/{namespace}/{path*}");
    assert_str(mln_request_capture(&request, "namespace"), "A.B");
    assert_str(mln_request_capture(&request, "path"), "t/n%2Fx/u");
    expect(MLN_GET, "/ui/a/b.js", "/ui/{path*}");
    assert_str(mln_request_capture(&request, "path"), "a/b.js");
}

static void test_literals_go_before_captures_and_rests(void **state)
{
    (void)state;
    expect(MLN_GET, "/ui/session", "/ui/session");
    expect(MLN_GET, "/ui/session/x", "/ui/{path*}");
    expect(MLN_GET, G M "/assessments/k", "{X}{P}/assessments/{key}");
    expect(MLN_GET, G "/providers/Microsoft.Authorization/roleAssignments/a",
           "{X}/providers/Microsoft.Authorization/roleAssignments/{name}");
    expect(MLN_GET, G M "/unknown/x", "{G}/providers/{namespace}/{path*}");
}

static void test_other_methods_are_told(void **state)
{
    (void)state;
    assert_int_equal(find(MLN_DELETE, S M "/pricings/p"), MLN_ROUTE_OTHER_METHOD);
    assert_int_equal(allowed, MLN_GET | MLN_PUT);
    assert_int_equal(find(MLN_DELETE, G M "/assessments/k"), MLN_ROUTE_OTHER_METHOD); /* not the rest of any provider */
    assert_int_equal(allowed, MLN_GET);
    assert_int_equal(find(MLN_POST, "/nothing"), MLN_ROUTE_UNKNOWN);
    assert_int_equal(allowed, 0);
    assert_int_equal(find(MLN_GET, "/ui"), MLN_ROUTE_UNKNOWN);
    assert_int_equal(find(MLN_GET, S M "/pricings/p/q"), MLN_ROUTE_UNKNOWN);
}

static void test_providers_with_routes_of_their_own(void **state)
{
    (void)state;
    assert_true(mln_router_owns(router, MLN_S("MICROSOFT.security")));
    assert_false(mln_router_owns(router, MLN_S("Contoso.Any")));
}

static struct mln_result see(void *context, const struct mln_route *route, struct mln_str provider, struct mln_str type)
{
    int *n = context;
    ++*n;
    if (!strcmp(route->pattern, "{G}{P}{L}/alerts/{name}/dismiss")) {
        assert_str(provider, "Microsoft.Security");
        assert_str(type, "locations/alerts/dismiss");
    }
    if (!strcmp(route->pattern, "{G}"))
        assert_null(provider.p);
    return MLN_OK;
}

static void test_a_visit_sees_every_route(void **state)
{
    (void)state;
    int n = 0;
    assert_ok(mln_router_visit(router, see, &n));
    assert_int_equal(n, table.n);
}

static void test_bad_patterns_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "{S}x{P}/a", "{S}{P}a", "/a//b", "/a/x{b}", "/{a*}/b", "{S}{P}/a/{b", "/{a}/{b}/{c}/{d}/{e}/{f}/{g}/{h}/{i}"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const struct mln_route route[] = {{MLN_GET, bad[i], nothing, NULL, NULL, 0, 0}};
        const struct mln_route_table one = MLN_ROUTE_TABLE("bad", route), *list[] = {&one};
        struct mln_router *out;
        if (mln_ok(mln_router_new(list, 1, &out)))
            fail_msg("%s was accepted", bad[i]);
    }
}

static void test_two_routes_for_one_path_are_refused(void **state)
{
    (void)state;
    const struct mln_route two[] = {ROUTE(GET, "{X}{P}/a/{b}"), ROUTE(GET, "{G}{P}/A/{c}")};
    const struct mln_route_table one = MLN_ROUTE_TABLE("two", two), *list[] = {&one};
    struct mln_router *out;
    assert_fails(INTERNAL, mln_router_new(list, 1, &out));
    assert_error_has("are the same");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_router(test_paths_find_their_routes),
        with_router(test_the_scope_decides),
        with_router(test_captures_have_names),
        with_router(test_literals_go_before_captures_and_rests),
        with_router(test_other_methods_are_told),
        with_router(test_providers_with_routes_of_their_own),
        with_router(test_a_visit_sees_every_route),
        cmocka_unit_test(test_bad_patterns_are_refused),
        cmocka_unit_test(test_two_routes_for_one_path_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
