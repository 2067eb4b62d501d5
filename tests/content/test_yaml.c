#include "check.h"

#include "content/yaml.h"
#include "json/writer.h"

static struct mln_result parse(struct mln_arena *arena, const char *text, struct mln_yaml **out,
                               struct mln_yaml_error *error)
{
    return mln_yaml_parse(arena, mln_str_c(text), out, error);
}

static void scalars_by_the_core_schema(void **state)
{
    (void)state;
    static const struct {
        const char *yaml, *json;
    } rows[] = {
        {"", "null"},
        {"~", "null"},
        {"null", "null"},
        {"'null'", "\"null\""},
        {"true", "true"},
        {"FALSE", "false"},
        {"yes", "\"yes\""},
        {"12", "12"},
        {"-12", "-12"},
        {"+12", "12"},
        {"\"12\"", "\"12\""},
        {"012", "12"},
        {"0x1F", "31"},
        {"0o17", "15"},
        {"0x-1", "\"0x-1\""},
        {"18446744073709551615", "18446744073709551615"},
        {"1.5", "1.5"},
        {".5", "0.5"},
        {"-1e3", "-1000.0"},
        {"1e999", "\"1e999\""},
        {"1.2.3", "\"1.2.3\""},
        {"-", "[null]"},
        {"e", "\"e\""},
        {"5.1.20", "\"5.1.20\""},
        {"{a: 1, b: [x, 'y'], c: {}}", "{\"a\":1,\"b\":[\"x\",\"y\"],\"c\":{}}"},
        {"a: >-\n  one\n  two\nb: |\n  one\n  two\n", "{\"a\":\"one two\",\"b\":\"one\\ntwo\\n\"}"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        MLN_CLEANUP(mln_arena_free) struct mln_arena *arena = mln_arena_new(1 << 20);
        MLN_BUF_CLEANUP struct mln_buf out = MLN_BUF(1000);
        struct mln_yaml *yaml;
        struct mln_yaml_error error;
        struct mln_json json;
        assert_ok(parse(arena, rows[i].yaml, &yaml, &error));
        assert_ok(mln_yaml_to_json(arena, yaml, &json));
        assert_ok(mln_json_write(&out, &json, false));
        if (strcmp(out.p, rows[i].json) != 0)
            fail_msg("%s gives %s, expected %s", rows[i].yaml, out.p, rows[i].json);
    }
}

static void what_is_refused_and_where(void **state)
{
    (void)state;
    static const struct {
        const char *yaml;
        enum mln_code code;
        uint32_t line, column;
        const char *text;
    } rows[] = {
        {"a: &x 1\nb: *x\n", MLN_E_UNSUPPORTED, 1, 4, "anchors"},
        {"a: *x\n", MLN_E_UNSUPPORTED, 1, 4, "aliases"},
        {"a: !!str 1\n", MLN_E_UNSUPPORTED, 1, 4, "tags"},
        {"a: !mine {}\n", MLN_E_UNSUPPORTED, 1, 4, "tags"},
        {"%TAG ! tag:x,2000:\n--- 1\n", MLN_E_UNSUPPORTED, 1, 1, "tags"},
        {"a: 1\n---\nb: 2\n", MLN_E_UNSUPPORTED, 2, 1, "one document"},
        {"a: 1\n\xC3\xAF: 2\na: 3\n", MLN_E_INVALID, 3, 1, "the key 'a' is repeated"},
        {"? [a]\n: 1\n", MLN_E_UNSUPPORTED, 1, 3, "a key must be"},
        {"a: [1, 2\nb: 3\n", MLN_E_SYNTAX, 2, 2, "flow sequence"},
        {"a: 'x\n", MLN_E_SYNTAX, 2, 1, "quoted scalar"},
        {"\xC3", MLN_E_SYNTAX, 1, 1, "UTF-8"},
        {"a:\n\tb: 1\n", MLN_E_SYNTAX, 2, 1, "token"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        MLN_CLEANUP(mln_arena_free) struct mln_arena *arena = mln_arena_new(1 << 20);
        struct mln_yaml *yaml;
        struct mln_yaml_error error;
        struct mln_result r = parse(arena, rows[i].yaml, &yaml, &error);
        if (r.code != rows[i].code || error.line != rows[i].line || error.column != rows[i].column)
            fail_msg("%s: %s at %u:%u: %s", rows[i].yaml, mln_code_name(r.code), error.line, error.column,
                     mln_error_text());
        assert_error_has(rows[i].text);
    }
}

static void limits(void **state)
{
    (void)state;
    MLN_CLEANUP(mln_arena_free) struct mln_arena *arena = mln_arena_new(8 << 20);
    MLN_CLEANUP(mln_arena_free) struct mln_arena *tiny = mln_arena_new(256);
    MLN_BUF_CLEANUP struct mln_buf text = MLN_BUF(1 << 20);
    struct mln_yaml *yaml;
    struct mln_yaml_error error;
    for (int i = 0; i < MLN_YAML_MAX_DEPTH + 1; i++)
        assert_ok(mln_buf_byte(&text, '['));
    assert_fails(LIMIT, mln_yaml_parse(arena, mln_buf_str(&text), &yaml, &error));
    assert_error_has("nested deeper");
    mln_buf_clear(&text);
    for (int i = 0; i <= MLN_YAML_MAX_BYTES; i++)
        assert_ok(mln_buf_byte(&text, '#'));
    assert_fails(LIMIT, mln_yaml_parse(arena, mln_buf_str(&text), &yaml, &error));
    assert_fails(LIMIT, parse(tiny, "[aaaaaaaaaaaaaaaa, bbbbbbbbbbbbbbbbb, ccccccccccccc]", &yaml, &error));
}

static void members_are_found_by_name(void **state)
{
    (void)state;
    MLN_CLEANUP(mln_arena_free) struct mln_arena *arena = mln_arena_new(1 << 20);
    struct mln_yaml *yaml;
    struct mln_yaml_error error;
    assert_ok(parse(arena, "a: 1\nb:\n  - x\n  - y\n", &yaml, &error));
    const struct mln_yaml *b = mln_yaml_get(yaml, MLN_S("b"));
    assert_int_equal(b->kind, MLN_YAML_SEQUENCE);
    assert_int_equal(b->items[1].line, 4);
    assert_int_equal(b->items[1].column, 5);
    assert_null(mln_yaml_get(yaml, MLN_S("c")));
    assert_null(mln_yaml_get(b, MLN_S("x")));
}

/* Each text has a '@' in the scalar named x: its place in the scalar must be found again in the file. */
static void places_inside_of_scalars(void **state)
{
    (void)state;
    static const char *const files[] = {
        "x: a == @\n",
        "x: a ==\n   b &&  @\n",
        "y: 1\nx: 'a == @'\n",
        "x: 'it''s @'\n",
        "x: \"a == \\\"b\\\" @\"\n",
        "x: |\n  a ==\n    b\n  && @\n",
        "x: >-\n\n   a ==\n   b\n\n   && @ c\n",
        "  x:  |2 # comment\n      a @\n",
        "x: \xC3\xAF\xC3\xAF @\n",
        "x:\n  - a @\n",
    };
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        MLN_CLEANUP(mln_arena_free) struct mln_arena *arena = mln_arena_new(1 << 20);
        struct mln_yaml *yaml;
        struct mln_yaml_error error, expected = {1, 1};
        assert_ok(parse(arena, files[i], &yaml, &error));
        const struct mln_yaml *x = mln_yaml_get(yaml, MLN_S("x"));
        if (x->kind == MLN_YAML_SEQUENCE)
            x = &x->items[0];
        size_t at = mln_str_find(x->text, MLN_S("@"), 0);
        assert_true(at != SIZE_MAX);
        for (const char *c = files[i]; *c != '@'; c++) {
            expected.column += ((unsigned char)*c & 0xC0) != 0x80;
            if (*c == '\n')
                expected = (struct mln_yaml_error){expected.line + 1, 1};
        }
        struct mln_yaml_error place = mln_yaml_place(x, mln_str_c(files[i]), at);
        if (place.line != expected.line || place.column != expected.column)
            fail_msg("%s: found %u:%u, expected %u:%u", files[i], place.line, place.column, expected.line,
                     expected.column);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scalars_by_the_core_schema),
        cmocka_unit_test(what_is_refused_and_where),
        cmocka_unit_test(limits),
        cmocka_unit_test(members_are_found_by_name),
        cmocka_unit_test(places_inside_of_scalars),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
