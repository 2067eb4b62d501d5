#include "check.h"

#include "api/operations.h"
#include "api/path.h"
#include "api/route.h"

static struct mln_request request;
static struct mln_reply reply;

static int setup(void **state)
{
    (void)state;
    request = (struct mln_request){.arena = mln_arena_new(1 << 20),
                                   .base_url = MLN_S("https://h:1"),
                                   .target = MLN_S("/subscriptions/s/x"),
                                   .api_version = MLN_S("2022-01-01-preview")};
    reply = (struct mln_reply){.status = 200, .body = MLN_BUF(MLN_MAX_REPLY_BYTES)};
    return 0;
}
static int teardown(void **state)
{
    (void)state;
    mln_buf_free(&reply.body);
    mln_arena_free(request.arena);
    return 0;
}
#define with_reply(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

static void test_errors_have_arms_form(void **state)
{
    (void)state;
    mln_json_begin_object(mln_reply_json(&reply, 200)); /* half an answer is dropped */
    assert_ok(mln_reply_error(&reply, 404, "ResourceGroupNotFound", "Group '%s' is \"gone\".", "g"));
    assert_int_equal(reply.status, 404);
    assert_str(mln_buf_str(&reply.body),
               "{\"error\":{\"code\":\"ResourceGroupNotFound\",\"message\":\"Group 'g' is \\\"gone\\\".\"}}");
    assert_ok(mln_reply_failure(&reply, mln_fail(MLN_E_PRECONDITION, "the version is another one")));
    assert_int_equal(reply.status, 412);
    assert_str(mln_buf_str(&reply.body),
               "{\"error\":{\"code\":\"PreconditionFailed\",\"message\":\"the version is another one\"}}");
}

static void test_what_goes_wrong_inside_stays_inside(void **state)
{
    (void)state;
    assert_ok(mln_reply_failure(&reply, mln_fail(MLN_E_IO, "/secret/path cannot be read")));
    assert_int_equal(reply.status, 500);
    assert_int_equal(mln_str_find(mln_buf_str(&reply.body), MLN_S("secret"), 0), SIZE_MAX);
}

static void test_headers_hold_one_line(void **state)
{
    (void)state;
    assert_fails(INVALID, mln_reply_header(&request, &reply, "Location", MLN_S("/a\r\nSet-Cookie: x")));
    assert_fails(INVALID, mln_reply_header(&request, &reply, "Location", MLN_S("/a\0b")));
    for (int i = 0; i < MLN_MAX_REPLY_HEADERS; i++)
        assert_ok(mln_reply_header(&request, &reply, "X", MLN_S("y")));
    assert_fails(LIMIT, mln_reply_header(&request, &reply, "X", MLN_S("y")));
}

static void test_the_envelope(void **state)
{
    (void)state;
    struct mln_json_writer *w = mln_reply_json(&reply, 201);
    mln_envelope_begin(w, MLN_S("/a/b"), MLN_S("b"), "T/b");
    mln_json_member_str(w, "kind", MLN_S("k"));
    mln_envelope_properties(w);
    mln_json_member_bool(w, "on", true);
    mln_envelope_end(w);
    assert_ok(mln_json_writer_end(w));
    assert_str(mln_buf_str(&reply.body),
               "{\"id\":\"/a/b\",\"name\":\"b\",\"type\":\"T/b\",\"kind\":\"k\",\"properties\":{\"on\":true}}");
}

static void test_a_page_leads_to_the_next(void **state)
{
    (void)state;
    struct mln_page page;
    request.query[0] = (struct mln_pair){MLN_S("$filter"), MLN_S("a eq 'b'")};
    request.query[1] = (struct mln_pair){MLN_S("$skiptoken"), MLN_S("b2xk")};
    request.query[2] = (struct mln_pair){MLN_S("$top"), MLN_S("5")};
    request.n_query = 3;
    assert_ok(mln_request_page(&request, &page));
    assert_str(page.after, "old");
    assert_int_equal(page.limit, 5);
    mln_json_put_i64(mln_reply_list_begin(&reply), 1);
    assert_ok(mln_reply_list_end(&request, &reply, MLN_S("key/1")));
    assert_str(mln_buf_str(&reply.body), "{\"value\":[1],\"nextLink\":\"https://h:1/subscriptions/s/x?%24filter="
                                         "a%20eq%20%27b%27&%24top=5&%24skipToken=a2V5LzE\"}");
    mln_reply_list_begin(&reply);
    assert_ok(mln_reply_list_end(&request, &reply, (struct mln_str){0}));
    assert_str(mln_buf_str(&reply.body), "{\"value\":[]}");
}

static void test_bad_pages_are_refused(void **state)
{
    (void)state;
    struct mln_page page;
    static const char *const bad[][2] = {
        {"$top", "0"}, {"$top", "-1"}, {"$top", "x"}, {"$top", ""}, {"$skipToken", "!"}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        request.query[0] = (struct mln_pair){mln_str_c(bad[i][0]), mln_str_c(bad[i][1])};
        request.n_query = 1;
        assert_fails(INVALID, mln_request_page(&request, &page));
    }
    request.query[0] = (struct mln_pair){MLN_S("$top"), MLN_S("999999")};
    assert_ok(mln_request_page(&request, &page));
    assert_int_equal(page.limit, 1000);
}

static void test_versions_compare_by_date(void **state)
{
    (void)state;
    assert_true(mln_request_version_from(&request, "2022-01-01"));
    assert_true(mln_request_version_from(&request, "2021-06-01"));
    assert_false(mln_request_version_from(&request, "2022-01-02"));
    request.api_version = MLN_S("");
    assert_false(mln_request_version_from(&request, "2022-01-01"));
}

static void test_a_body_must_be_an_object(void **state)
{
    (void)state;
    const struct mln_json *object;
    assert_fails(SYNTAX, mln_request_object(&request, &object));
    assert_error_has("missing");
    assert_ok(mln_json_parse(request.arena, MLN_S("[1]"), 10, &request.json));
    assert_fails(SYNTAX, mln_request_object(&request, &object));
    assert_ok(mln_json_parse(request.arena, MLN_S("{}"), 10, &request.json));
    assert_ok(mln_request_object(&request, &object));
}

static void test_operations_are_found_by_their_subscription(void **state)
{
    (void)state;
    MLN_CLEANUP(mln_operations_free) struct mln_operations *operations = NULL;
    MLN_BUF_CLEANUP struct mln_buf out = MLN_BUF(1024);
    char id[MLN_UUID_TEXT], first[MLN_UUID_TEXT];
    int status;
    assert_ok(mln_operations_new(&operations));
    assert_ok(mln_operations_add(operations, MLN_S("s"), 200, MLN_S("{}"), first));
    assert_ok(mln_operations_find(operations, MLN_S("S"), mln_str_c(first), &status, &out));
    assert_int_equal(status, 200);
    assert_str(mln_buf_str(&out), "{}");
    assert_fails(NOT_FOUND, mln_operations_find(operations, MLN_S("other"), mln_str_c(first), &status, &out));
    assert_fails(NOT_FOUND, mln_operations_find(operations, MLN_S("s"), MLN_S(""), &status, &out));
    for (int i = 0; i < 1000; i++)
        assert_ok(mln_operations_add(operations, MLN_S("s"), 204, MLN_S(""), id));
    assert_fails(NOT_FOUND, mln_operations_find(operations, MLN_S("s"), mln_str_c(first), &status, &out));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_reply(test_errors_have_arms_form),
        with_reply(test_what_goes_wrong_inside_stays_inside),
        with_reply(test_headers_hold_one_line),
        with_reply(test_the_envelope),
        with_reply(test_a_page_leads_to_the_next),
        with_reply(test_bad_pages_are_refused),
        with_reply(test_versions_compare_by_date),
        with_reply(test_a_body_must_be_an_object),
        with_reply(test_operations_are_found_by_their_subscription),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
