#include "check_json.h"

#include "json/text.h"

#include <pthread.h>

static struct mln_arena *arena;

static int set_up(void **state)
{
    (void)state;
    arena = mln_arena_new(64 << 20);
    return arena ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    mln_arena_free(arena);
    return 0;
}

static struct mln_result parse(struct mln_str text)
{
    const struct mln_json *json;
    return mln_json_parse(arena, text, SIZE_MAX, &json);
}

static void each_kind(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum mln_json_kind kind;
        const char *name;
    } cases[] = {
        {"null", MLN_JSON_NULL, "null"},          {"true", MLN_JSON_BOOL, "boolean"},
        {"-1", MLN_JSON_INT, "integer"},          {"0.5", MLN_JSON_REAL, "real"},
        {"\"x\"", MLN_JSON_STRING, "string"},     {"[]", MLN_JSON_ARRAY, "array"},
        {"{}", MLN_JSON_OBJECT, "object"},        {"9223372036854775808", MLN_JSON_UINT, "integer"},
        {" \t\r\n7\n ", MLN_JSON_INT, "integer"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct mln_json *json = check_json(arena, cases[i].text);
        assert_true(mln_json_is(json, cases[i].kind));
        assert_string_equal(mln_json_kind_name(json), cases[i].name);
    }
    assert_string_equal(mln_json_kind_name(NULL), "missing");
    assert_false(mln_json_is(NULL, MLN_JSON_NULL));
}

static void numbers_keep_what_they_can(void **state)
{
    (void)state;
    assert_true(check_json(arena, "9223372036854775807")->i == INT64_MAX);
    assert_true(check_json(arena, "-9223372036854775808")->i == INT64_MIN);
    assert_true(check_json(arena, "18446744073709551615")->u == UINT64_MAX);
    assert_int_equal(check_json(arena, "-0")->i, 0);
    assert_true(check_json(arena, "1e2")->real == 100);
    assert_true(check_json(arena, "5e-324")->real == 0x1p-1074);
    assert_true(check_json(arena, "1e-400")->real == 0);
    assert_true(check_json(arena, "0.1")->real == 0.1);
}

static void integers_beyond_64_bits_become_reals(void **state)
{
    (void)state;
    const struct mln_json *json = check_json(
        arena, "[18446744073709551616, -9223372036854775809, 1e3, 123456789012345678901234567890, 3,"
               " \"99999999999999999999\\\"99999999999999999999\", 18446744073709551615, 0.99999999999999999999]");
    assert_true(json->items[0].kind == MLN_JSON_REAL && json->items[0].real == 0x1p64);
    assert_true(json->items[1].kind == MLN_JSON_REAL && json->items[1].real == -0x1p63);
    assert_true(json->items[3].kind == MLN_JSON_REAL && json->items[3].real == 123456789012345678901234567890.0);
    assert_int_equal(json->items[4].i, 3);
    assert_str(mln_json_str(&json->items[5], MLN_S("")), "99999999999999999999\"99999999999999999999");
    assert_true(json->items[6].kind == MLN_JSON_UINT);
    assert_true(json->items[7].real == 1.0);
}

static void strings_are_unescaped(void **state)
{
    (void)state;
    const struct mln_json *json = check_json(arena, "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\uD83D\\ude00\xC3\xA9\"");
    assert_str(mln_json_str(json, MLN_S("")), "\"\\/\b\f\n\r\t\xC3\xA9\xF0\x9F\x98\x80\xC3\xA9");
    json = check_json(arena, "\"a\\u0000b\"");
    assert_int_equal(json->n, 3);
    assert_memory_equal(json->string, "a\0b", 3);
}

static void nothing_points_into_the_input(void **state)
{
    (void)state;
    char text[] = "{\"name\":[\"value\"]}";
    const struct mln_json *json = check_json(arena, text);
    memset(text, 'x', sizeof text - 1);
    assert_json_text(json, "{\"name\":[\"value\"]}");
}

static void the_last_of_repeated_members_wins(void **state)
{
    (void)state;
    assert_json_text(check_json(arena, "{\"a\":1,\"b\":2,\"a\":3,\"A\":4,\"a\":5}"), "{\"b\":2,\"A\":4,\"a\":5}");
    struct mln_buf text MLN_BUF_CLEANUP = MLN_BUF(1 << 16);
    assert_ok(mln_buf_byte(&text, '{'));
    for (int i = 0; i < 200; i++)
        assert_ok(mln_buf_printf(&text, "%s\"n%d\":%d", i ? "," : "", i % 50, i));
    assert_ok(mln_buf_byte(&text, '}'));
    const struct mln_json *json = check_json(arena, text.p);
    assert_int_equal(json->n, 50);
    for (size_t i = 0; i < 50; i++)
        assert_int_equal(json->members[i].value.i, 150 + i);
}

/* What must be refused, where and why; offsets count bytes. */
static void faults_are_found_where_they_are(void **state)
{
    (void)state;
    static const struct {
        struct mln_str text;
        const char *error;
    } cases[] = {
        {MLN_S(""), "byte 0: the text is empty"},
        {MLN_S(" \n "), "byte 3: the text ends too early"},
        {MLN_S("[1,2"), "byte 4: the text ends too early"},
        {MLN_S("{\"a\":"), "byte 5: the text ends too early"},
        {MLN_S("\"abc"), "byte 4: the text ends too early"},
        {MLN_S("\"abc\\"), "byte 4: bad escape"},
        {MLN_S("\"\\u12"), "byte 1: bad escape"},
        {MLN_S("nul"), "byte 3: the text ends too early"},
        {MLN_S("nule"), "byte 3: a value is expected"},
        {MLN_S("True"), "byte 0: a value is expected"},
        {MLN_S("NaN"), "byte 0: a value is expected"},
        {MLN_S("[1,]"), "byte 3: a value is expected"},
        {MLN_S("[,1]"), "byte 1: a value is expected"},
        {MLN_S("[1 2]"), "byte 3: ',' or ']' is expected"},
        {MLN_S("[1}"), "byte 2: ',' or ']' is expected"},
        {MLN_S("{\"a\":1]"), "byte 6: ',' or '}' is expected"},
        {MLN_S("{\"a\":1,}"), "byte 7: a string is expected"},
        {MLN_S("{a:1}"), "byte 1: a string is expected"},
        {MLN_S("{'a':1}"), "byte 1: a string is expected"},
        {MLN_S("{\"a\" 1}"), "byte 5: ':' is expected"},
        {MLN_S("{\"a\"}"), "byte 4: ':' is expected"},
        {MLN_S("1 2"), "byte 2: text after the end"},
        {MLN_S("{}}"), "byte 2: text after the end"},
        {MLN_S("[]\0"), "byte 2: text after the end"},
        {MLN_S("01"), "byte 0: a number with a leading zero"},
        {MLN_S("[-01]"), "byte 1: a number with a leading zero"},
        {MLN_S("-"), "byte 1: the text ends too early"},
        {MLN_S("+1"), "byte 0: a value is expected"},
        {MLN_S(".5"), "byte 0: a value is expected"},
        {MLN_S("[1.]"), "byte 3: a digit is expected"},
        {MLN_S("[1e+]"), "byte 4: a digit is expected"},
        {MLN_S("0x10"), "byte 1: text after the end"},
        {MLN_S("[1,1e400]"), "byte 3: number out of range"},
        {MLN_S("[-1e9999999999999999999999]"), "byte 1: number out of range"},
        {MLN_S("[99999999999999999999,1e999]"), "byte 22: number out of range"},
        {MLN_S("[\"a\tb\"]"), "byte 3: control character"},
        {MLN_S("[\"a\0b\"]"), "byte 3: control character"},
        {MLN_S("[\"\\x\"]"), "byte 2: bad escape"},
        {MLN_S("[\"\\u00g0\"]"), "byte 2: bad escape"},
        {MLN_S("\"\\udc00\""), "byte 1: bad escape"},
        {MLN_S("\"\\ud800\""), "byte 1: half of a surrogate pair"},
        {MLN_S("\"\\ud800\\u0041\""), "byte 1: half of a surrogate pair"},
        {MLN_S("\"ab\xFF\""), "byte 3: not UTF-8"},
        {MLN_S("{\"\xC0\xAF\":1}"), "byte 2: not UTF-8"},
        {MLN_S("\"\xED\xA0\x80\""), "byte 1: not UTF-8"},
        {MLN_S("\"ab\xE2\x82"), "byte 3: not UTF-8"},
        {MLN_S("\xEF\xBB\xBF{}"), "byte 0: a value is expected"}, /* a byte order mark */
        {MLN_S("[1] // comment"), "byte 4: text after the end"},
        {MLN_S("[1,\v2]"), "byte 3: a value is expected"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_fails(SYNTAX, parse(cases[i].text));
        assert_error_has(cases[i].error);
    }
}

static void the_fault_scan_accepts_what_the_parser_accepts(void **state)
{
    (void)state;
    static const char *const good[] = {"[]", " { } ",  "[[],{},[{}]]", "{\"\":{\"a\":[1,-0.5e+10,\"\\u00e9\"]}}",
                                       "0",  "-1.5E-3"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_ok(parse(mln_str_c(good[i])));
        assert_null(mln_json_find_fault(mln_str_c(good[i])).reason);
    }
}

static struct mln_str nested(size_t depth, const char *open, const char *middle, const char *close)
{
    static char text[4096];
    size_t n = 0;
    for (size_t i = 0; i < depth; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "%s", open);
    n += (size_t)snprintf(text + n, sizeof text - n, "%s", middle);
    for (size_t i = 0; i < depth; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "%s", close);
    return (struct mln_str){text, n};
}

static void depth_is_bounded(void **state)
{
    (void)state;
    assert_ok(parse(nested(MLN_JSON_MAX_DEPTH, "[", "", "]")));
    assert_ok(parse(nested(MLN_JSON_MAX_DEPTH, "[", "1", "]")));
    assert_ok(parse(nested(MLN_JSON_MAX_DEPTH, "{\"a\":", "1", "}")));
    assert_fails(LIMIT, parse(nested(MLN_JSON_MAX_DEPTH + 1, "[", "", "]")));
    assert_error_has("byte 128: nested too deeply");
    assert_fails(LIMIT, parse(nested(MLN_JSON_MAX_DEPTH + 1, "{\"a\":", "1", "}")));
    assert_fails(LIMIT, parse(nested(MLN_JSON_MAX_DEPTH * 4, "[", "1", "]")));
    assert_fails(LIMIT, parse(nested(MLN_JSON_MAX_DEPTH * 4, "[", "", "")));
}

static void size_and_budget_are_bounded(void **state)
{
    (void)state;
    const struct mln_json *json;
    assert_ok(mln_json_parse(arena, MLN_S("[1,2]"), 5, &json));
    assert_fails(LIMIT, mln_json_parse(arena, MLN_S("[1,2]"), 4, &json));
    assert_error_has("at most 4");
    struct mln_arena *small MLN_CLEANUP(mln_arena_free) = mln_arena_new(240);
    static const char *const large[] = {
        "[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18]", "{\"a\":1,\"b\":2,\"c\":3,\"d\":4,\"e\":5,\"f\":6,\"g\":7}",
        "[[\"a long text\"],[\"a long text\"],[\"a long text\"],[\"a long text\"],[\"a long text\"]]"};
    for (size_t i = 0; i < 3; i++) {
        mln_arena_reset(small);
        assert_fails(LIMIT, mln_json_parse(small, mln_str_c(large[i]), SIZE_MAX, &json));
        assert_error_has("budget");
    }
}

static void a_large_text_is_parsed_too(void **state)
{
    (void)state;
    struct mln_buf text MLN_BUF_CLEANUP = MLN_BUF(8 << 20);
    assert_ok(mln_buf_byte(&text, '['));
    for (int i = 0; i < 200000; i++)
        assert_ok(mln_buf_printf(&text, "%s%d", i ? ",\n" : "", i));
    assert_ok(mln_buf_byte(&text, ']'));
    const struct mln_json *json = check_json(arena, text.p);
    assert_int_equal(json->n, 200000);
    assert_int_equal(json->items[199999].i, 199999);
}

static void names_have_numbers(void **state)
{
    (void)state;
    uint32_t id = mln_json_key(MLN_S("resourceId"));
    assert_int_not_equal(id, MLN_JSON_KEY_OTHER);
    assert_int_equal(mln_json_key(MLN_S("resourceId")), id);
    assert_int_not_equal(mln_json_key(MLN_S("resourceid")), id);
    const struct mln_json *json = check_json(arena, "{\"resourceId\":1,\"\":2}");
    assert_int_equal(json->members[0].key, id);
    assert_int_equal(json->members[0].key_fold, mln_json_key(MLN_S("resourceid")));
    assert_int_equal(json->members[1].key, mln_json_key(MLN_S("")));
    assert_int_not_equal(json->members[1].key, MLN_JSON_KEY_OTHER);
}

static void very_long_names_share_a_number(void **state)
{
    (void)state;
    char name[258], text[1024];
    memset(name, 'N', sizeof name - 1);
    name[257] = '\0';
    assert_int_equal(mln_json_key(mln_str_c(name)), MLN_JSON_KEY_OTHER);
    assert_int_not_equal(mln_json_key(mln_str_sub(mln_str_c(name), 0, 256)), MLN_JSON_KEY_OTHER);
    snprintf(text, sizeof text, "{\"%s\":1,\"%sx\":2,\"%s\":3}", name, name, name);
    const struct mln_json *json = check_json(arena, text);
    assert_int_equal(json->n, 2);
    assert_int_equal(mln_json_get(json, mln_str_c(name))->i, 3);
}

enum { THREADS = 4, NAMES = 3000 };

static void *intern_all(void *context)
{
    uint32_t *keys = context;
    for (uint32_t i = 0; i < NAMES; i++) {
        char name[32];
        int n = snprintf(name, sizeof name, "Thread%u", i);
        keys[i] = mln_json_key((struct mln_str){name, (size_t)n});
    }
    return NULL;
}

static void threads_agree_on_the_numbers(void **state)
{
    (void)state;
    static uint32_t keys[THREADS][NAMES];
    pthread_t threads[THREADS];
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, intern_all, keys[i]), 0);
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (size_t i = 1; i < THREADS; i++)
        assert_memory_equal(keys[i], keys[0], sizeof keys[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind),
        cmocka_unit_test(numbers_keep_what_they_can),
        cmocka_unit_test(integers_beyond_64_bits_become_reals),
        cmocka_unit_test(strings_are_unescaped),
        cmocka_unit_test(nothing_points_into_the_input),
        cmocka_unit_test(the_last_of_repeated_members_wins),
        cmocka_unit_test(faults_are_found_where_they_are),
        cmocka_unit_test(the_fault_scan_accepts_what_the_parser_accepts),
        cmocka_unit_test(depth_is_bounded),
        cmocka_unit_test(size_and_budget_are_bounded),
        cmocka_unit_test(a_large_text_is_parsed_too),
        cmocka_unit_test(names_have_numbers),
        cmocka_unit_test(very_long_names_share_a_number),
        cmocka_unit_test(threads_agree_on_the_numbers),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
