#include "api_test.h"

#define V "?api-version=2021-04-01"

/* ---- the table of all routes ---- */

static struct mln_result check_route(void *context, const struct mln_route *route, struct mln_str provider,
                                     struct mln_str type)
{
    (void)context, (void)provider, (void)type;
    bool guarded = !(route->flags & (MLN_ROUTE_PUBLIC | MLN_ROUTE_MACHINE | MLN_ROUTE_UNRECORDED));
    if (guarded && route->method != MLN_GET && !route->action)
        fail_msg("%s: a write that asks for no right", route->pattern);
    if (route->action && !strchr(route->action, '/'))
        fail_msg("%s: '%s' is no action", route->pattern, route->action);
    if (route->max_body_bytes > MLN_API_MAX_BODY_BYTES)
        fail_msg("%s: takes more than any body may have", route->pattern);
    if (route->method == MLN_GET && route->action && !mln_str_ends(mln_str_c(route->action), MLN_S("/read")))
        fail_msg("%s: reading asks for %s", route->pattern, route->action);
    return MLN_OK;
}

static void test_every_write_asks_for_a_right(void **state)
{
    (void)state;
    assert_ok(mln_router_visit(router, check_route, NULL));
}

/* ---- the order of checks ---- */

static void test_strangers_learn_nothing(void **state)
{
    (void)state;
    static const char *const paths[] = {S V, S "/none" V, S "/providers/Microsoft.Security/none" V,
                                        "/subscriptions/x" V, S};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        call_as(NULL, "GET", paths[i], NULL);
        assert_error(401, "InvalidAuthenticationToken");
        assert_non_null(strstr(reply_header("WWW-Authenticate"), "authorization_uri=\"" BASE "/adfs\""));
    }
    call_as(NULL, "GET", "/healthz", NULL);
    assert_int_equal(reply.status, 200);
}

static void test_the_version_comes_before_the_rights(void **state)
{
    (void)state;
    call_as(READER, "PUT", G, "{}");
    assert_error(400, "MissingApiVersionParameter");
    call_as(READER, "PUT", G V, "{}");
    assert_error(403, "AuthorizationFailed");
}

static void test_scopes_must_exist(void **state)
{
    (void)state;
    call("GET", "/subscriptions/x/locations" V, NULL);
    assert_error(404, "SubscriptionNotFound");
    call("GET", S "/resourceGroups/none/providers/Contoso.Any/things/x" V, NULL);
    assert_error(404, "ResourceGroupNotFound");
}

static void test_methods(void **state)
{
    (void)state;
    call("POST", S V, NULL);
    assert_error(405, "MethodNotAllowed");
    assert_string_equal(reply_header("Allow"), "GET, HEAD");
    call("HEAD", S V, NULL);
    assert_int_equal(reply.status, 204);
    call("get", S V, NULL);
    assert_error(501, "NotImplemented");
}

static void test_bodies_are_parsed_before_the_handler(void **state)
{
    (void)state;
    call("PUT", G V, "{\"location\":");
    assert_error(400, "InvalidRequestContent");
    call("PUT", G V, "");
    assert_error(400, "InvalidRequestContent");
    call("PUT", G V, "{\"location\":\"local\"}");
    assert_int_equal(reply.status, 200);
}

/* ---- addresses that clients go on with ---- */

static const char *base_of(const char *host)
{
    static char text[512];
    const struct mln_pair headers[] = {{MLN_S("host"), mln_str_c(host)}};
    call_with("GET", "/healthz", NULL, headers, 1);
    snprintf(text, sizeof text, "%.*s", MLN_FMT(request.base_url));
    return text;
}

static void test_the_host_header_is_used_when_it_is_ours(void **state)
{
    (void)state;
    assert_string_equal(base_of("127.0.0.1:9000"), "https://127.0.0.1:9000");
    assert_string_equal(base_of("MERLON.example"), "https://merlon.example");
    assert_string_equal(base_of("[::1]:8443"), "https://[::1]:8443");
    static const char *const foreign[] = {"evil.example", "merlon.example.evil", "", ":", "[",
                                          "[::1",         "127.0.0.1@evil"};
    for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++)
        assert_string_equal(base_of(foreign[i]), BASE);
}

static void test_a_host_header_cannot_smuggle_anything(void **state)
{
    (void)state;
    static const char *const bad[] = {"127.0.0.1:9000/evil", "127.0.0.1:x@evil.example", "[::1]evil.example",
                                      "127.0.0.1:",          "127.0.0.1:123456",         "127.0.0.1:80\"",
                                      "127.0.0.1:80 x"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_string_equal(base_of(bad[i]), BASE);
}

/* ---- the record ---- */

static struct mln_result take_newest(void *context, const struct mln_activity_entry *entry, bool *stop)
{
    struct mln_activity_entry *out = context;
    *out = *entry;
    out->action = mln_str_dup(call_arena, entry->action);
    out->scope = mln_str_dup(call_arena, entry->scope);
    out->status = mln_str_dup(call_arena, entry->status);
    out->caller_name = mln_str_dup(call_arena, entry->caller_name);
    *stop = true;
    return MLN_OK;
}

static struct mln_activity_entry newest(void)
{
    struct mln_activity_entry entry = {0};
    assert_ok(mln_activity_list(api.activity, 0, INT64_MAX, INT64_MAX, take_newest, &entry));
    return entry;
}

/* What an engine commits has two entries: Started before the change, the outcome after it. */
static void test_writes_are_recorded_whatever_comes_of_them(void **state)
{
    (void)state;
    char hash[MLN_SHA256_HEX];
    call("PUT", G V, "{\"location\":\"local\"}");
    assert_int_equal(mln_activity_head(api.activity, hash), 2);
    struct mln_activity_entry entry = newest();
    assert_str(entry.action, "Microsoft.Resources/subscriptions/resourceGroups/write");
    assert_str(entry.scope, G);
    assert_str(entry.status, "Succeeded");
    assert_str(entry.caller_name, "owner");
    call_as(READER, "DELETE", G V, NULL);
    entry = newest();
    assert_str(entry.status, "Failed");
    assert_int_equal(entry.http_status, 403);
    call("PUT", G V, "[");
    assert_int_equal(newest().http_status, 400);
    call("PUT", G "/providers/Contoso.Any/things/x" V, "{\"properties\":{}}");
    assert_int_equal(reply.status, 201);
    assert_str(newest().action, "Contoso.Any/things/write");
    assert_int_equal(mln_activity_head(api.activity, hash), 6);
    call("GET", G V, NULL);
    call_as(NULL, "DELETE", G V, NULL);
    assert_int_equal(mln_activity_head(api.activity, hash), 6);
}

static void test_a_change_of_ours_and_its_record_are_one_commit(void **state)
{
    (void)state;
    int64_t entries, broken;
    char hash[MLN_SHA256_HEX];
    call("PUT", S "/providers/Microsoft.Authorization/roleAssignments/12345678-0000-4000-8000-000000000001" V,
         "{\"properties\":{\"principalId\":\"" READER
         "\",\"roleDefinitionId\":\"/x/fb1c8493-542b-48eb-b624-b4c8fea62acd\"}}");
    assert_int_equal(reply.status, 201);
    assert_true(request.recorded);
    assert_int_equal(mln_activity_head(api.activity, hash), 1);
    assert_ok(mln_activity_verify(api.activity, &entries, &broken));
}

static void test_answers_carry_their_id(void **state)
{
    (void)state;
    struct mln_reply_header headers[8];
    const struct mln_pair sent[] = {{MLN_S("x-ms-client-request-id"), MLN_S("mine")}};
    call_with("GET", "/healthz", NULL, sent, 1);
    size_t n = mln_api_common_headers(&request, headers);
    assert_true(n >= 4);
    assert_string_equal(headers[0].name, "x-ms-request-id");
    assert_int_equal(strlen(headers[0].value), 36);
    assert_string_equal(headers[2].value, "mine");
    static const char *const not_echoed[] = {"", "a\tb", "a b", "\x01", "\xc3\xa9", "\x7f"};
    for (size_t i = 0; i < sizeof not_echoed / sizeof *not_echoed; i++) {
        const struct mln_pair odd[] = {{MLN_S("x-ms-client-request-id"), mln_str_c(not_echoed[i])}};
        call_with("GET", "/healthz", NULL, odd, 1);
        assert_int_equal(mln_api_common_headers(&request, headers), n - 1);
    }
}

static void test_machines_are_refused_where_none_are_taken(void **state)
{
    (void)state;
    call_as(NULL, "POST", "/agent/v1/heartbeat", "{}");
    assert_error(400, "NotSupported");
    call_as(NULL, "POST", "/agent/v1/enroll", "{}");
    assert_error(400, "NotSupported");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_api(test_every_write_asks_for_a_right),
        with_api(test_strangers_learn_nothing),
        with_api(test_the_version_comes_before_the_rights),
        with_api(test_scopes_must_exist),
        with_api(test_methods),
        with_api(test_bodies_are_parsed_before_the_handler),
        with_api(test_the_host_header_is_used_when_it_is_ours),
        with_api(test_a_host_header_cannot_smuggle_anything),
        with_api(test_writes_are_recorded_whatever_comes_of_them),
        with_api(test_a_change_of_ours_and_its_record_are_one_commit),
        with_api(test_answers_carry_their_id),
        with_api(test_machines_are_refused_where_none_are_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
