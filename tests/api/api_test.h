/*
 * An API without sockets, for tests of handlers and of the pipeline: a store in a new directory, the rules of content/, a
 * subscription with the group "default", an owner and a reader, a clock that stands still.
 *
 *     call("GET", S "/providers/Microsoft.Security/pricings?api-version=2022-03-01", NULL);
 *     assert_int_equal(reply.status, 200);
 */
#ifndef MLN_TESTS_API_TEST_H
#define MLN_TESTS_API_TEST_H

#include "check.h"
#include "place.h"

#include "access/signin.h"
#include "api/handle.h"
#include "api/operations.h"
#include "api/router.h"
#include "inventory/containers.h"

#define TENANT "11111111-2222-4333-8444-555555555555"
#define SUBSCRIPTION "00000000-0000-4000-8000-00000000000a"
#define S "/subscriptions/" SUBSCRIPTION
#define G S "/resourceGroups/default"
#define OWNER "aaaaaaaa-0000-4000-8000-000000000001"
#define READER "bbbbbbbb-0000-4000-8000-000000000002"
#define BASE "https://merlon.example:8443"

static struct place place;
static int64_t now_ms;
static struct mln_clock test_clock;
static struct mln_api api;
static struct mln_principals *principals;
static struct mln_tokens *tokens;
static struct mln_router *router;
static struct mln_operations *operations;
static const struct mln_str served[] = {{"merlon.example", 14}, {"127.0.0.1", 9}, {"::1", 3}};

/* The last call. */
static struct mln_arena *call_arena;
static struct mln_request request;
static struct mln_reply reply;

static void add_principal(const char *id, const char *name, const char *role)
{
    char assignment[256];
    struct mln_principal principal = {
        .id = mln_str_c(id), .kind = MLN_PRINCIPAL_USER, .name = mln_str_c(name), .generation = 1};
    snprintf(assignment, sizeof assignment, "/providers/Microsoft.Authorization/roleAssignments/%s", id);
    struct mln_role_assignment given = {.id = mln_str_c(assignment),
                                        .name = mln_str_c(id),
                                        .scope = MLN_S(""),
                                        .principal_id = mln_str_c(id),
                                        .principal_type = MLN_S("User"),
                                        .role = mln_role_find(mln_str_c(role)),
                                        .created_ms = now_ms};
    struct mln_store_batch *batch = mln_store_batch_new();
    assert_ok(mln_principal_put(principals, batch, &principal));
    assert_ok(mln_rbac_put(api.rbac, batch, &given));
    assert_ok(mln_store_commit(place.store, batch, NULL));
    assert_ok(mln_principals_refresh(principals));
    assert_ok(mln_rbac_refresh(api.rbac));
}

static void open_signin(void)
{
    MLN_CLEANUP(mln_key_free) struct mln_key *key = NULL;
    struct mln_jwt_keys *keys;
    struct mln_signin *signin;
    assert_ok(mln_principals_open(place.store, &principals));
    assert_ok(mln_tokens_new(&test_clock, mln_str_c(TENANT), &tokens));
    assert_ok(mln_key_generate(&key));
    assert_ok(mln_jwt_keys_new(&keys));
    assert_ok(mln_jwt_keys_add(keys, key));
    assert_ok(mln_tokens_use_keys(tokens, keys));
    struct mln_signin_setup setup = {
        .store = place.store, .clock = &test_clock, .principals = principals, .tokens = tokens};
    assert_ok(mln_signin_open(&setup, &signin));
    api.signin = signin;
}

static int setup_api(void **state)
{
    (void)state;
    char content[4096];
    struct mln_ruleset *rules;
    MLN_CLEANUP(mln_arena_free) struct mln_arena *arena = mln_arena_new(1 << 20);
    now_ms = INT64_C(1790000000000);
    test_clock = mln_fake_clock(&now_ms);
    api = (struct mln_api){.clock = &test_clock,
                           .tenant_id = MLN_S(TENANT),
                           .tenant_name = MLN_S("Test"),
                           .base_url = MLN_S(BASE),
                           .hosts_served = served,
                           .n_hosts_served = 3};
    place_make(&place);
    api.store = place.store;
    assert_ok(mln_subscription_ensure(place.store, &test_clock, MLN_S(SUBSCRIPTION), MLN_S("Test")));
    assert_ok(mln_group_put(place.store, &test_clock, MLN_S(SUBSCRIPTION), MLN_S("default"), MLN_S("local"), NULL,
                            arena, NULL, NULL));
    snprintf(content, sizeof content, "%s/content", getenv("MLN_SOURCE") ? getenv("MLN_SOURCE") : ".");
    assert_ok(mln_ruleset_load(mln_str_c(content), &rules));
    assert_ok(mln_posture_open(place.store, &test_clock, rules, &api.posture));
    assert_ok(mln_rbac_open(place.store, &api.rbac));
    assert_ok(mln_activity_open(place.store, &test_clock, &api.activity));
    assert_ok(mln_operations_new(&operations));
    assert_ok(mln_router_new(mln_route_tables, mln_route_tables_count, &router));
    api.operations = operations;
    api.router = router;
    open_signin();
    add_principal(OWNER, "owner", "Owner");
    add_principal(READER, "reader", "Reader");
    call_arena = NULL;
    return 0;
}

static void forget_call(void)
{
    mln_buf_free(&reply.body);
    mln_arena_free(call_arena);
    call_arena = NULL;
}

static int teardown_api(void **state)
{
    (void)state;
    forget_call();
    mln_signin_close(api.signin);
    mln_tokens_free(tokens);
    mln_principals_close(principals);
    mln_router_free(router);
    mln_operations_free(operations);
    mln_activity_close(api.activity);
    mln_rbac_close(api.rbac);
    mln_posture_close(api.posture);
    place_remove(&place);
    return 0;
}
#define with_api(test) cmocka_unit_test_setup_teardown(test, setup_api, teardown_api)

/* One request with these headers; reply and request are its outcome until the next one. body NULL: none. */
static inline void call_with(const char *method, const char *target, const char *body, const struct mln_pair *headers,
                             size_t n_headers)
{
    struct mln_raw_request raw = {.method = mln_str_c(method),
                                  .target = mln_str_c(target),
                                  .headers = headers,
                                  .n_headers = n_headers,
                                  .address = MLN_S("192.0.2.1")};
    size_t most;
    forget_call();
    call_arena = mln_arena_new(MLN_API_ARENA_BYTES);
    request = (struct mln_request){0};
    if (mln_api_begin(&api, &raw, call_arena, &request, &reply, &most))
        mln_api_finish(&request, mln_str_c(body), &reply);
}

/* As a principal; NULL: as nobody. */
static inline void call_as(const char *principal_id, const char *method, const char *target, const char *body)
{
    MLN_BUF_CLEANUP struct mln_buf header = MLN_BUF(MLN_JWT_MAX_BYTES);
    MLN_CLEANUP(mln_arena_free) struct mln_arena *arena = mln_arena_new(1 << 20);
    struct mln_principal principal;
    if (!principal_id) {
        call_with(method, target, body, NULL, 0);
        return;
    }
    assert_ok(mln_principal_get(principals, mln_str_c(principal_id), arena, &principal));
    assert_ok(mln_buf_append(&header, MLN_S("Bearer ")));
    assert_ok(mln_tokens_access(tokens, &principal, MLN_S("test"), &header));
    const struct mln_pair headers[] = {{MLN_S("authorization"), mln_buf_str(&header)},
                                       {MLN_S("commandname"), MLN_S("test")}};
    call_with(method, target, body, headers, 2);
}

static inline void call(const char *method, const char *target, const char *body)
{
    call_as(OWNER, method, target, body);
}

/* The reply's body as a tree, in the call's arena. */
static inline const struct mln_json *reply_json(void)
{
    const struct mln_json *json;
    assert_ok(mln_json_parse(call_arena, mln_buf_str(&reply.body), reply.body.n, &json));
    return json;
}

#define assert_error(expected_status, code)                                                                            \
    do {                                                                                                               \
        if (reply.status != (expected_status))                                                                         \
            fail_msg("status %d, expected %d: %.*s", reply.status, (expected_status),                                  \
                     MLN_FMT(mln_buf_str(&reply.body)));                                                               \
        assert_str(mln_json_str(mln_json_path(reply_json(), "error.code"), MLN_S("")), code);                          \
    } while (0)

static inline const char *reply_header(const char *name)
{
    for (size_t i = 0; i < reply.n_headers; i++)
        if (!strcmp(reply.headers[i].name, name))
            return reply.headers[i].value;
    return NULL;
}

#endif
