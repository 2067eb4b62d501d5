/* Static types: their texts, how they are found out, and what the checker says of those that cannot fit. */
#include "eval.h"

#include "expr/env.h"
#include "expr/infer.h"

/* ---- texts ---- */

static void texts_go_there_and_back(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "dyn",   "int", "list", "list(dyn)", "map(string, list(int))", "optional_type(google.protobuf.Timestamp)",
        "net.IP"};
    MLN_CLEANUP(mln_arena_free) struct mln_arena *arena = mln_arena_new(1 << 16);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        const struct mln_type *type;
        char text[MLN_TYPE_TEXT];
        assert_ok(mln_type_parse(arena, mln_str_c(texts[i]), false, &type));
        assert_string_equal(mln_type_text(type, text), texts[i]);
    }
    const struct mln_type *type;
    char text[MLN_TYPE_TEXT];
    assert_ok(mln_type_parse(arena, MLN_S(" pair( A,list( B ) ) "), true, &type));
    assert_string_equal(mln_type_text(type, text), "pair(A, list(B))");
}

static void what_is_no_type_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"strin", "'strin' is not a type (did you mean 'string'?)"},
        {"", "'' is not a type"},
        {"A", "'A' is not a type"},
        {"list(int", "'list(int' is not a type"},
        {"list(int, int)", "is not a type: list(item), map(key, value)"},
        {"int(int)", "is not a type"},
        {"map(int)", "is not a type"},
        {"int int", "found 'int' behind a type"},
        {"map(int, int, int, int)", "at most 3 parameters"},
    };
    MLN_CLEANUP(mln_arena_free) struct mln_arena *arena = mln_arena_new(1 << 16);
    const struct mln_type *type;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_fails(INVALID, mln_type_parse(arena, mln_str_c(cases[i].text), false, &type));
        assert_error_has(cases[i].message);
    }
    MLN_BUF_CLEANUP struct mln_buf deep = MLN_BUF(1000);
    for (int i = 0; i < 40; i++)
        assert_ok(mln_buf_append(&deep, MLN_S("list(")));
    assert_fails(LIMIT, mln_type_parse(arena, mln_buf_str(&deep), false, &type));
}

static void a_long_text_is_cut(void **state)
{
    (void)state;
    MLN_CLEANUP(mln_arena_free) struct mln_arena *arena = mln_arena_new(1 << 16);
    const struct mln_type *type = &mln_types[MLN_VALUE_TIMESTAMP];
    char text[MLN_TYPE_TEXT];
    for (int i = 0; i < 20; i++)
        type = mln_type_optional(arena, type);
    mln_type_text(type, text);
    assert_int_equal(strlen(text), MLN_TYPE_TEXT - 1);
    assert_string_equal(text + strlen(text) - 3, "...");
}

/* ---- inference ---- */

static const struct mln_type *parsed(struct mln_inference *in, struct mln_instance *instance, const char *text)
{
    const struct mln_type *type;
    assert_ok(mln_type_parse(in->arena, mln_str_c(text), true, &type));
    return mln_infer_instance(in, instance, type);
}

static void assert_joins(const char *a, const char *b, const char *expected)
{
    char text[MLN_TYPE_TEXT];
    MLN_CLEANUP(mln_arena_free) struct mln_arena *arena = mln_arena_new(1 << 16);
    struct mln_inference in = {.arena = arena};
    struct mln_instance instance = {{NULL}};
    const struct mln_type *x = parsed(&in, &instance, a), *y = parsed(&in, &instance, b);
    const struct mln_type *joined = mln_infer_resolved(&in, mln_infer_join(&in, x, y));
    if (strcmp(mln_type_text(joined, text), expected) != 0)
        fail_msg("%s and %s give %s, not %s", a, b, text, expected);
}

static void joining(void **state)
{
    (void)state;
    assert_joins("int", "int", "int");
    assert_joins("int", "string", "dyn");
    assert_joins("int", "dyn", "dyn");
    assert_joins("list(int)", "list(string)", "dyn");
    assert_joins("list(int)", "list(dyn)", "list(dyn)");
    assert_joins("list(A)", "list(int)", "list(int)");
    assert_joins("list(int)", "list(A)", "list(int)");
    assert_joins("map(A, int)", "map(string, B)", "map(string, int)");
    assert_joins("list(A)", "list(list(A))", "dyn"); /* would hold itself */
    assert_joins("optional_type(int)", "null_type", "optional_type(int)");
    assert_joins("null_type", "optional_type(int)", "optional_type(int)");
    assert_joins("int", "null_type", "dyn");
    assert_joins("pair(int, A)", "pair(A, int)", "pair(int, int)");
    assert_joins("pair(int, string)", "other(int, string)", "dyn");
}

static void bindings_are_taken_back_where_not_all_fits(void **state)
{
    (void)state;
    MLN_CLEANUP(mln_arena_free) struct mln_arena *arena = mln_arena_new(1 << 16);
    struct mln_inference in = {.arena = arena};
    const struct mln_type *a = mln_infer_variable(&in);
    const struct mln_type *expected[] = {a, a},
                          *found[] = {mln_type_plain(MLN_JSON_INT), mln_type_plain(MLN_JSON_STRING)};
    assert_false(mln_infer_all_fit(&in, expected, found, 2));
    assert_int_equal(mln_infer_known(&in, a)->kind, MLN_VALUE_DYN);
    assert_true(mln_infer_all_fit(&in, expected, found, 1));
    assert_int_equal(mln_infer_known(&in, a)->kind, MLN_JSON_INT);
}

/* Joins are the same whichever side comes first, and everything fits dyn: for random types without variables. */
static void joining_has_no_order(void **state)
{
    (void)state;
    static const char *const leaves[] = {"int", "string", "dyn", "null_type", "google.protobuf.Duration"};
    char texts[200][80], left[MLN_TYPE_TEXT], right[MLN_TYPE_TEXT];
    srandom(7);
    for (size_t i = 0; i < 200; i++) {
        static const char *const heads[] = {"list(", "map(int, ", "optional_type("};
        const char *inner = i < 5 ? leaves[i] : texts[(size_t)random() % i];
        bool plain = i < 5 || strlen(inner) > 40;
        snprintf(texts[i], sizeof texts[i], "%s%.60s%s", plain ? "" : heads[random() % 3], inner, plain ? "" : ")");
    }
    for (size_t i = 0; i < 2000; i++) {
        MLN_CLEANUP(mln_arena_free) struct mln_arena *arena = mln_arena_new(1 << 20);
        struct mln_inference in = {.arena = arena};
        struct mln_instance instance = {{NULL}};
        const struct mln_type *a = parsed(&in, &instance, texts[(size_t)random() % 200]);
        const struct mln_type *b = parsed(&in, &instance, texts[(size_t)random() % 200]);
        mln_type_text(mln_infer_join(&in, a, b), left);
        mln_type_text(mln_infer_join(&in, b, a), right);
        if (strcmp(left, right) != 0)
            fail_msg("%s and %s", left, right);
        assert_true(mln_infer_fits(&in, &mln_types[MLN_VALUE_DYN], a));
        assert_true(mln_infer_fits(&in, a, &mln_types[MLN_VALUE_DYN]));
    }
}

/* ---- the checker ---- */

static void assert_type(struct eval *b, const char *source, const char *expected)
{
    MLN_CLEANUP(mln_program_free) struct mln_program *program = NULL;
    assert_ok(mln_cel_compile(b->env, mln_str_c(source), &program, NULL));
    if (strcmp(mln_program_type(program), expected) != 0)
        fail_msg("%s\n  is %s\n  expected %s", source, mln_program_type(program), expected);
}

static void types_of_programs(void **state)
{
    assert_type(*state, "facts.x", "dyn");
    assert_type(*state, "facts.x == 1 && true", "bool");
    assert_type(*state, "[1, 2].map(i, string(i))", "list(string)");
    assert_type(*state, "[[], ['a']]", "list(list(string))");
    assert_type(*state, "[1, 'a']", "list(dyn)");
    assert_type(*state, "{'a': [1.5]}", "map(string, list(double))");
    assert_type(*state, "{'a': 1}.transformMap(k, v, [k])", "map(string, list(string))");
    assert_type(*state, "{'a': 1}.filter(k, true)", "list(string)");
    assert_type(*state, "facts.x.filter(k, true)", "list(dyn)");
    assert_type(*state, "optional.of([1])[0]", "optional_type(int)");
    assert_type(*state, "facts.?x", "optional_type(dyn)");
    assert_type(*state, "cel.bind(x, 'a', [x])[0]", "string");
    assert_type(*state, "facts.a ? 1 : 'x'", "dyn");
    assert_type(*state, "'a'.split(',')[0].size()", "int");
    assert_type(*state, "now() - now()", "google.protobuf.Duration");
    assert_type(*state, "math.greatest(1, 2)", "dyn");
    assert_type(*state, "dyn(1)", "dyn");
    assert_type(*state, "['b', 'a'].sortBy(s, s)", "list(string)");
}

static void what_can_never_fit_is_found_early(void **state)
{
    static const struct row rows[] = {
        {"[1] + ['a']", "INVALID: 1:5: '+' is not defined for list(int) and list(string)"},
        {"['a'].join() + 1", "INVALID: 1:14: '+' is not defined for string and int"},
        {"[1].join()", "INVALID: 1:5: found list(int).join(), expected list(string).join() -> string, "
                       "list(string).join(string) -> string"},
        {"1 in ['a']", "INVALID: 1:3: 'in' is not defined for int and list(string)"},
        {"{'a': 1}['a'] == 'x'", "INVALID: 1:15: '==' is not defined for int and string"},
        {"{'a': 1}.a.b", "INVALID: 1:12: a value of type int has no member 'b'"},
        {"'a'.split(',').all(p, p > 1)", "INVALID: 1:25: '>' is not defined for string and int"},
        {"[1].map(x, x.y)", "INVALID: 1:14: a value of type int has no member 'y'"},
        {"{'a': 1}.all(k, v, v == 'x')", "INVALID: 1:22: '==' is not defined for int and string"},
        {"cel.bind(n, 1, n.startsWith('a'))",
         "INVALID: 1:18: found int.startsWith(string), expected string.startsWith(string) -> bool"},
        {"optional.of(1).orValue('a')",
         "INVALID: 1:16: found optional_type(int).orValue(string), expected optional_type(A).orValue(A) -> A"},
        {"optional.of(1).or('a')", "INVALID: 1:16: found optional_type(int).or(string), expected "
                                   "optional_type(A).or(optional_type(A)) -> optional_type(A)"},
        {"[1, 2].exists(x, x)", "INVALID: 1:18: found int, expected a bool for each item"},
        {"[1, 2].filter(x, x + 1)", "INVALID: 1:20: found int, expected a bool for each item"},
        {"[1][true]", "INVALID: 1:4: '[ ]' is not defined for list(int) and bool"},
        {"{'a': 1}[1]", "INVALID: 1:9: '[ ]' is not defined for map(string, int) and int"},
        {"-'a'", "INVALID: 1:1: '-' is not defined for string"},
        {"timestamp('x').getHours(1)",
         "INVALID: 1:16: found google.protobuf.Timestamp.getHours(int), expected "
         "google.protobuf.Timestamp.getHours() -> int, google.protobuf.Timestamp.getHours(string) -> int, "
         "google.protobuf.Duration.getHours() -> int"},
        {"facts.list.all(fact, fcat.x)", "INVALID: 1:22: unknown name 'fcat' (did you mean 'fact'?)"},
        {"maths.abs(1)", "INVALID: 1:7: unknown function 'maths.abs' (did you mean 'math.abs'?)"},
        {"strings.quot('a')", "INVALID: 1:9: unknown function 'strings.quot' (did you mean 'strings.quote'?)"},
    };
    CHECK(*state, rows);
}

static void what_is_not_known_is_left_alone(void **state)
{
    static const struct row rows[] = {
        {"facts.sshd.effective.port + facts.sshd.effective.port", "[22,2222,22,2222]"},
        {"[facts.ratio, 'a'].map(x, type(x) == string)", "[false,true]"},
        {"[].map(x, x.y.z + 1)", "[]"},
        {"facts.text in [1, 'na\xC3\xAFve']", "true"},
        {"dyn('a') == 1", "false"},
        {"[1, 'a'].exists(x, x == 'a')", "true"},
        {"{'a': 1, 'b': 'x'}.b == 'x'", "true"},
        {"[1] == [1.0]", "INVALID: 1:5: '==' is not defined for list(int) and list(double)"},
        {"[1] == [dyn(1.0)]", "true"},
        {"1 == 1.0 && 1u < 2", "true"},
        {"{1: 'a'}[1.0]", "\"a\""},
        {"1u in [1, 2]", "true"},
        {"(facts.ratio > 0.0 ? 'yes' : 1) == 'yes'", "true"},
    };
    CHECK(*state, rows);
}

static void declared_variables(void **state)
{
    struct eval *b = *state;
    struct eval typed = *b;
    const struct mln_json *json;
    typed.env = mln_expr_env_new(MLN_EXPR_STRICT);
    assert_ok(mln_expr_env_typed_variable(typed.env, MLN_S("users"), MLN_S("properties.facts.users"),
                                          MLN_S("map(string, map(string, int))")));
    assert_ok(mln_expr_env_typed_variable(typed.env, MLN_S("text"), MLN_S("properties.facts.text"), MLN_S("string")));
    assert_ok(mln_expr_env_typed_variable(typed.env, MLN_S("wrong"), MLN_S("properties.facts.ratio"), MLN_S("string")));
    assert_fails(INVALID, mln_expr_env_typed_variable(typed.env, MLN_S("x"), MLN_S("x"), MLN_S("sting")));
    assert_error_has("did you mean 'string'?");
    assert_fails(CONFLICT, mln_expr_env_typed_variable(typed.env, MLN_S("text"), MLN_S("x"), MLN_S("string")));
    typed.run = mln_expr_run_new(typed.env, &b->clock, NULL);
    assert_ok(mln_json_parse(b->arena, mln_str_c(eval_document), sizeof eval_document, &json));
    mln_expr_run_document(typed.run, json);
    static const struct row rows[] = {
        {"users.bo.uid + 1", "1001"},
        {"users.bo.uid.x", "INVALID: 1:14: a value of type int has no member 'x'"},
        {"users.bo.uid == 'x'", "INVALID: 1:14: '==' is not defined for int and string"},
        {"text + 1", "INVALID: 1:6: '+' is not defined for string and int"},
        {"text.x", "INVALID: 1:6: a value of type string has no member 'x'"},
        {"users.all(name, user, user.uid >= 0 && name != '')", "true"},
        {"users.all(name, user, user > 0)", "INVALID: 1:28: '>' is not defined for map(string, int) and int"},
        {"wrong.size()", "INVALID: 1:7: no such overload: size(double)"},
        {"true ? 1 : 'a'", "INVALID: 1:6: the sides of '?:' are int and string, expected one type"},
        {"true ? [] : [1]", "[]"},
    };
    CHECK(&typed, rows);
    mln_expr_run_free(typed.run);
    mln_expr_env_free(typed.env);
}

/* Types that grow without bounds, and very many of them: the checker gives up on them, it does not hang. */
static void the_checker_is_bounded(void **state)
{
    struct eval *b = *state;
    MLN_BUF_CLEANUP struct mln_buf text = MLN_BUF(1 << 16);
    MLN_CLEANUP(mln_program_free) struct mln_program *deep = NULL;
    MLN_CLEANUP(mln_program_free) struct mln_program *wide = NULL;
    for (int i = 0; i < 80; i++)
        assert_ok(mln_buf_byte(&text, '['));
    for (int i = 0; i < 80; i++)
        assert_ok(mln_buf_byte(&text, ']'));
    assert_ok(mln_cel_compile(b->env, mln_buf_str(&text), &deep, NULL));
    mln_buf_clear(&text);
    for (int i = 0; i < 20000; i++)
        assert_ok(mln_buf_append(&text, i ? MLN_S(",[]") : MLN_S("[[]")));
    assert_ok(mln_buf_byte(&text, ']'));
    assert_ok(mln_cel_compile(b->env, mln_buf_str(&text), &wide, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_go_there_and_back),
        cmocka_unit_test(what_is_no_type_is_refused),
        cmocka_unit_test(a_long_text_is_cut),
        cmocka_unit_test(joining),
        cmocka_unit_test(bindings_are_taken_back_where_not_all_fits),
        cmocka_unit_test(joining_has_no_order),
        EVAL_TEST(types_of_programs),
        EVAL_TEST(what_can_never_fit_is_found_early),
        EVAL_TEST(what_is_not_known_is_left_alone),
        EVAL_TEST(declared_variables),
        EVAL_TEST(the_checker_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
