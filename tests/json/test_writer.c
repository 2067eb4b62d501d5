#include "random_tree.h"

static struct mln_buf out;
static struct mln_json_writer w;

static int set_up(void **state)
{
    (void)state;
    out = MLN_BUF(1 << 20);
    w = mln_json_writer(&out);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    mln_buf_free(&out);
    return 0;
}

static void everything_once(void **state)
{
    (void)state;
    mln_json_begin_object(&w);
    mln_json_member_str(&w, "s", MLN_S("x"));
    mln_json_member_str(&w, "left out", (struct mln_str){NULL, 0});
    mln_json_member_i64(&w, "i", INT64_MIN);
    mln_json_member_bool(&w, "b", false);
    mln_json_member_real(&w, "r", 0.5);
    mln_json_member_time(&w, "t", 1000);
    mln_json_member_time(&w, "left out", 0);
    mln_json_member_tree(&w, "j", &mln_json_null);
    mln_json_member_tree(&w, "left out", NULL);
    mln_json_name(&w, MLN_S("a"));
    mln_json_begin_array(&w);
    mln_json_put_u64(&w, UINT64_MAX);
    mln_json_put_raw(&w, MLN_S("{\"raw\":1}"));
    mln_json_put_tree(&w, NULL);
    mln_json_begin_object(&w);
    mln_json_end_object(&w);
    mln_json_end_array(&w);
    mln_json_end_object(&w);
    assert_ok(mln_json_writer_end(&w));
    assert_str(mln_buf_str(&out),
               "{\"s\":\"x\",\"i\":-9223372036854775808,\"b\":false,\"r\":0.5,\"t\":\"1970-01-01T00:00:01Z\","
               "\"j\":null,\"a\":[18446744073709551615,{\"raw\":1},null,{}]}");
}

static void it_appends(void **state)
{
    (void)state;
    assert_ok(mln_buf_append(&out, MLN_S("head ")));
    mln_json_put_bool(&w, true);
    assert_ok(mln_json_writer_end(&w));
    assert_str(mln_buf_str(&out), "head true");
}

static void text_is_escaped(void **state)
{
    (void)state;
    mln_json_put_str(&w, MLN_S("\"\\/\b\f\n\r\t\x01\x1f\x7f\0 \xC3\xA9"));
    assert_ok(mln_json_writer_end(&w));
    assert_str(mln_buf_str(&out), "\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\x7f\\u0000 \xC3\xA9\"");
}

static void bytes_that_are_not_utf8_are_replaced(void **state)
{
    (void)state;
    mln_json_put_str(&w, MLN_S("a\xFFz\xE2\x82\n\xED\xA0\x80"));
    assert_ok(mln_json_writer_end(&w));
#define BAD "\xEF\xBF\xBD"
    assert_str(mln_buf_str(&out), "\"a" BAD "z" BAD BAD "\\n" BAD BAD BAD "\"");
}

static void reals_are_short_and_stay_reals(void **state)
{
    (void)state;
    static const struct {
        double real;
        const char *text;
    } cases[] = {{0, "0.0"},
                 {-0.0, "-0.0"},
                 {1, "1.0"},
                 {0.1, "0.1"},
                 {1e21, "1e+21"},
                 {123456789, "123456789.0"},
                 {1.0 / 3, "0.3333333333333333"},
                 {0x1p-1074, "4.94065645841247e-324"},
                 {1.7976931348623157e308, "1.7976931348623157e+308"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        mln_buf_clear(&out);
        w = mln_json_writer(&out);
        mln_json_put_real(&w, cases[i].real);
        assert_ok(mln_json_writer_end(&w));
        assert_str(mln_buf_str(&out), cases[i].text);
    }
    mln_buf_clear(&out);
    w = mln_json_writer(&out);
    mln_json_begin_array(&w);
    mln_json_put_real(&w, __builtin_nan(""));
    mln_json_put_real(&w, -__builtin_inf());
    mln_json_end_array(&w);
    assert_ok(mln_json_writer_end(&w));
    assert_str(mln_buf_str(&out), "[null,null]");
}

static void pretty_has_lines_and_steps(void **state)
{
    (void)state;
    struct mln_arena *arena MLN_CLEANUP(mln_arena_free) = mln_arena_new(1 << 16);
    assert_ok(mln_json_write(&out, check_json(arena, "{\"a\":[1,{\"b\":2}],\"c\":[],\"d\":{}}"), true));
    assert_str(mln_buf_str(&out),
               "{\n  \"a\": [\n    1,\n    {\n      \"b\": 2\n    }\n  ],\n  \"c\": [],\n  \"d\": {}\n}\n");
}

static void canonical_sorts_by_bytes(void **state)
{
    (void)state;
    struct mln_arena *arena MLN_CLEANUP(mln_arena_free) = mln_arena_new(1 << 16);
    assert_ok(mln_json_write_canonical(
        &out,
        check_json(arena, "{ \"b\" : 1, \"\xC3\xA9\": 2, \"B\": [{\"z\":1,\"a\":2}], \"ba\": 1.0, \"\": null }")));
    assert_str(mln_buf_str(&out), "{\"\":null,\"B\":[{\"a\":2,\"z\":1}],\"b\":1,\"ba\":1.0,\"\xC3\xA9\":2}");
}

static void start(void)
{
    mln_buf_clear(&out);
    w = mln_json_writer(&out);
}

static void misuse_is_an_error_at_the_end(void **state)
{
    (void)state;
    assert_fails(INTERNAL, mln_json_writer_end(&w)); /* nothing written */
    start();
    mln_json_begin_array(&w);
    assert_fails(INTERNAL, mln_json_writer_end(&w)); /* still open */
    start();
    mln_json_begin_array(&w);
    mln_json_end_object(&w);
    assert_fails(INTERNAL, mln_json_writer_end(&w));
    start();
    mln_json_begin_object(&w);
    mln_json_put_null(&w);
    assert_fails(INTERNAL, mln_json_writer_end(&w));
    assert_error_has("without a name");
    start();
    mln_json_begin_object(&w);
    mln_json_name(&w, MLN_S("a"));
    mln_json_end_object(&w);
    assert_fails(INTERNAL, mln_json_writer_end(&w));
    start();
    mln_json_begin_object(&w);
    mln_json_name(&w, MLN_S("a"));
    mln_json_name(&w, MLN_S("b"));
    assert_fails(INTERNAL, mln_json_writer_end(&w));
    start();
    mln_json_name(&w, MLN_S("a"));
    assert_fails(INTERNAL, mln_json_writer_end(&w));
    start();
    mln_json_put_null(&w);
    mln_json_put_null(&w);
    assert_fails(INTERNAL, mln_json_writer_end(&w));
    start();
    mln_json_end_array(&w);
    mln_json_put_null(&w);
    assert_fails(INTERNAL, mln_json_writer_end(&w));
}

static void the_first_failure_stays(void **state)
{
    (void)state;
    mln_buf_free(&out);
    out = MLN_BUF(4);
    mln_json_begin_array(&w);
    mln_json_put_str(&w, MLN_S("longer than the buffer"));
    mln_json_end_object(&w);
    assert_fails(LIMIT, mln_json_writer_end(&w));
}

static void depth_is_bounded(void **state)
{
    (void)state;
    for (int i = 0; i < MLN_JSON_MAX_DEPTH; i++)
        mln_json_begin_array(&w);
    for (int i = 0; i < MLN_JSON_MAX_DEPTH; i++)
        mln_json_end_array(&w);
    assert_ok(mln_json_writer_end(&w));
    start();
    for (int i = 0; i <= MLN_JSON_MAX_DEPTH; i++)
        mln_json_begin_array(&w);
    assert_fails(LIMIT, mln_json_writer_end(&w));
}

static void what_is_written_is_read_back(void **state)
{
    (void)state;
    struct mln_arena *arena MLN_CLEANUP(mln_arena_free) = mln_arena_new(64 << 20);
    uint64_t chance = 8259;
    for (int i = 0; i < 3000; i++) {
        mln_arena_reset(arena);
        struct mln_json json = random_tree(&chance, arena, 5, true);
        for (int pretty = 0; pretty < 2; pretty++) {
            mln_buf_clear(&out);
            assert_ok(mln_json_write(&out, &json, pretty));
            const struct mln_json *again = check_json(arena, out.p), *difference;
            assert_true(mln_json_equal(&json, again));
            assert_ok(mln_json_diff(arena, &json, again, &difference));
            assert_null(difference);
        }
    }
}

static void each_real_is_read_back(void **state)
{
    (void)state;
    struct mln_arena *arena MLN_CLEANUP(mln_arena_free) = mln_arena_new(1 << 16);
    uint64_t chance = 754;
    for (int i = 0; i < 20000; i++) {
        mln_arena_reset(arena);
        struct mln_json json = mln_json_of_real(random_real(&chance));
        mln_buf_clear(&out);
        assert_ok(mln_json_write(&out, &json, false));
        const struct mln_json *again = check_json(arena, out.p);
        assert_true(again->kind == MLN_JSON_REAL && again->u == json.u);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(everything_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(it_appends, set_up, tear_down),
        cmocka_unit_test_setup_teardown(text_is_escaped, set_up, tear_down),
        cmocka_unit_test_setup_teardown(bytes_that_are_not_utf8_are_replaced, set_up, tear_down),
        cmocka_unit_test_setup_teardown(reals_are_short_and_stay_reals, set_up, tear_down),
        cmocka_unit_test_setup_teardown(pretty_has_lines_and_steps, set_up, tear_down),
        cmocka_unit_test_setup_teardown(canonical_sorts_by_bytes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(misuse_is_an_error_at_the_end, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_first_failure_stays, set_up, tear_down),
        cmocka_unit_test_setup_teardown(depth_is_bounded, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_written_is_read_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(each_real_is_read_back, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
