/* CEL as the rules use it: values of a document, absent fields, messages, limits. The language itself is covered by the
   conformance suite. */
#include "eval.h"

#include "expr/functions.h"

static void fields_of_the_document(void **state)
{
    static const struct row rows[] = {
        {"facts.sshd.effective.permitrootlogin", "\"no\""},
        {"facts.sshd.effective.permitrootlogin == 'no'", "true"},
        {"'no' == facts.sshd.effective.permitrootlogin", "true"},
        {"facts.services['ssh.service'].active", "\"active\""},
        {"facts.services[\"ssh\" + \".service\"].active", "\"active\""},
        {"22 in facts.sshd.effective.port", "true"},
        {"facts.sshd.effective.port[1]", "2222"},
        {"facts.listeners.exists(l, l.port == 22 && !l.loopback)", "true"},
        {"facts.listeners.filter(l, !l.loopback).map(l, l.port)", "[22]"},
        {"facts.users.filter(u, facts.users[u].uid == 0)", "[\"root\"]"},
        {"facts.users.exists(name, user, name == 'bo' && user.uid > 999)", "true"},
        {"facts.big", "18446744073709551615"},
        {"facts.ratio", "0.5"},
        {"facts.text.size()", "5"},
        {"resource.id", "\"/subscriptions/s\""},
        {"resource.properties.facts.users.root", "{\"uid\":0}"},
        {"has(facts.users.root)", "true"},
        {"has(facts.users.eve)", "false"},
        {"has(facts.nothing.at.all)", "false"},
        {"has(facts.kernel.secureBoot)", "true"},
        {"cel.bind(e, facts.sshd.effective, e.permitrootlogin + e.ciphers[0])", "\"noaes256-ctr\""},
    };
    CHECK(*state, rows);
}

static void absent_is_null(void **state)
{
    static const struct row rows[] = {
        {"facts.nothing", "null"},
        {"facts.nothing.below.it", "null"},
        {"facts.nothing['x'][0]", "null"},
        {"facts.sshd.effective.port[7]", "null"},
        {"facts.nothing == null", "true"},
        {"facts.kernel.secureBoot == null", "true"},
        {"facts.nothing == 'no'", "false"},
        {"facts.nothing != 'no'", "true"},
        {"facts.nothing < 5", "false"},
        {"facts.nothing >= 5", "false"},
        {"5 > facts.nothing", "false"},
        {"size(facts.nothing)", "0"},
        {"facts.nothing.size()", "0"},
        {"'x' in facts.nothing", "false"},
        {"facts.nothing.all(x, x.y)", "true"},
        {"facts.nothing.exists(x, x.y)", "false"},
        {"facts.nothing.map(x, x)", "[]"},
        {"facts.nothing.startsWith('a')", "false"},
        {"facts.nothing.matches('a')", "false"},
        {"'abc'.contains(facts.nothing)", "false"},
        {"'is ' + facts.nothing", "\"is null\""},
        {"facts.nothing && true", "INVALID: 1:7: found null_type, '&&' takes bools"},
        {"facts.nothing && false", "false"},
        {"facts.nothing + 1", "INVALID: 1:15: no such overload: _+_(null_type, int)"},
        {"facts.text.nothing", "INVALID: 1:12: a value of type string has no member 'nothing'"},
    };
    CHECK(*state, rows);
}

static void absent_is_an_error_where_the_mode_is_strict(void **state)
{
    struct eval *b = *state;
    struct eval strict = *b;
    const struct mln_json *json;
    strict.env = mln_expr_env_new(MLN_EXPR_STRICT);
    assert_ok(mln_expr_env_variable(strict.env, MLN_S("facts"), MLN_S("properties.facts")));
    strict.run = mln_expr_run_new(strict.env, &b->clock, NULL);
    assert_ok(mln_json_parse(b->arena, mln_str_c(eval_document), sizeof eval_document, &json));
    mln_expr_run_document(strict.run, json);
    static const struct row rows[] = {
        {"facts.nothing", "INVALID: 1:7: no such key: 'nothing'"},
        {"facts.nothing.more", "INVALID: 1:15: no such key: 'nothing'"},
        {"has(facts.nothing)", "false"},
        {"has(facts.nothing.more)", "INVALID: 1:1: no such key: 'nothing'"},
        {"facts.nothing || true", "true"},
        {"facts.kernel.secureBoot < 1", "INVALID: 1:25: no such overload: _<_(null_type, int)"},
    };
    CHECK(&strict, rows);
    mln_expr_run_free(strict.run);
    mln_expr_env_free(strict.env);
}

static void errors_are_absorbed_where_the_other_side_decides(void **state)
{
    static const struct row rows[] = {
        {"1 / facts.users.root.uid == 1 || true", "true"},
        {"true || 1 / facts.users.root.uid == 1", "true"},
        {"1 / facts.users.root.uid == 1 && false", "false"},
        {"1 / facts.users.root.uid == 1 || false", "INVALID: 1:3: division by zero"},
        {"[0, 1].exists(x, 1 / x == 1)", "true"},
        {"[0, 2].exists(x, 1 / x == 1)", "INVALID: 1:20: division by zero"},
        {"[0, 2].all(x, 1 / x == 1)", "false"},
        {"[0, 1].exists_one(x, 1 / x == 1)", "INVALID: 1:24: division by zero"},
        {"[0, 1].map(x, 1 / x)", "INVALID: 1:17: division by zero"},
        {"[0, 1].map(x, 1 / x == 1, x)", "INVALID: 1:17: division by zero"},
        {"(1 / facts.users.root.uid == 1) ? 1 : 2", "INVALID: 1:4: division by zero"},
    };
    CHECK(*state, rows);
}

static void texts(void **state)
{
    static const struct row rows[] = {
        {"'A-b'.lowerAscii() + 'A-b'.upperAscii()", "\"a-bA-B\""},
        {"'a,b,,c'.split(',')", "[\"a\",\"b\",\"\",\"c\"]"},
        {"'a,b,c'.split(',', 2)", "[\"a\",\"b,c\"]"},
        {"'na\xC3\xAF'.split('')", "[\"n\",\"a\",\"\xC3\xAF\"]"},
        {"''.split(',')", "[\"\"]"},
        {"'a'.split(',', 0)", "[]"},
        {"['a', 'b'].join()", "\"ab\""},
        {"['a', 'b'].join(', ')", "\"a, b\""},
        {"[].join(', ')", "\"\""},
        {"['a', 1].join(', ')", "INVALID: 1:10: join(): item 1 is of type int, all must be strings"},
        {"'aXbX'.replace('X', '--')", "\"a--b--\""},
        {"'aXbX'.replace('X', '', 1)", "\"abX\""},
        {"'ab'.replace('', '-')", "\"-a-b-\""},
        {"' \\t x \\n'.trim()", "\"x\""},
        {"'na\xC3\xAFve'.indexOf('ve')", "3"},
        {"'banana'.indexOf('an', 2)", "3"},
        {"'banana'.lastIndexOf('an')", "3"},
        {"'banana'.lastIndexOf('an', 2)", "1"},
        {"'banana'.indexOf('x')", "-1"},
        {"'na\xC3\xAFve'.substring(2, 4)", "\"\xC3\xAFv\""},
        {"'abc'.substring(1)", "\"bc\""},
        {"'abc'.substring(2, 1)", "INVALID: 1:7: substring(): index 1 is out of range"},
        {"'abc'.substring(4)", "INVALID: 1:7: substring(): index 4 is out of range"},
        {"'abc'.charAt(1) + 'abc'.charAt(3)", "\"b\""},
        {"'na\xC3\xAF'.reverse()", "\"\xC3\xAF"
                                   "an\""},
        {"facts.text.matches('^n.*e$')", "true"},
        {"facts.text.matches('^n.*e' + '$')", "true"},
        {"'a\\n'.matches('a$')", "false"},
        {"'x'.matches(facts.text)", "false"},
    };
    CHECK(*state, rows);
}

static void lists(void **state)
{
    static const struct row rows[] = {
        {"[3, 1, 2].sort()", "[1,2,3]"},
        {"['b', 'a', 'c', 'a'].sort()", "[\"a\",\"a\",\"b\",\"c\"]"},
        {"[].sort()", "[]"},
        {"[1, 'a'].sort()", "INVALID: 1:10: sort(): the items must all be of one type that has an order"},
        {"[1, 1.0, 2, 1u].distinct()", "[1,2]"},
        {"[1, 2, 3].reverse()", "[3,2,1]"},
        {"[1, 2, 3].slice(1, 3)", "[2,3]"},
        {"[1, 2, 3].slice(2, 4)", "INVALID: 1:11: slice(): [2, 4) is not inside of the list's 3 items"},
        {"[1, [2, 3], []].flatten()", "[1,2,3]"},
        {"[1, 2].map(x, x > 1, x * 10)", "[20]"},
        {"['a', 'b'].transformList(i, v, string(i) + v)", "[\"0a\",\"1b\"]"},
        {"facts.users.root.uid in [0, 1]", "true"},
        {"facts.text in ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'na\xC3\xAFve']", "true"},
        {"facts.ratio in ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 0.5]", "true"},
        {"facts.text in ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i']", "false"},
    };
    CHECK(*state, rows);
}

static void numbers(void **state)
{
    static const struct row rows[] = {
        {"math.greatest(1, 2.5, 2u)", "2.5"},
        {"math.greatest([1, 3, 2])", "3"},
        {"math.least(facts.users.bo.uid, 5)", "5"},
        {"math.least([])", "INVALID: 1:6: math.least(): the list is empty"},
        {"math.least([1, 'a'])", "INVALID: 1:6: math.least(): item 1 is of type string, all must be numbers"},
        {"math.greatest('a', 1)",
         "INVALID: 1:6: found math.greatest(string, int), expected math.greatest(number, ...) -> "
         "number, math.greatest(list(number)) -> number"},
        {"math.greatest()", "INVALID: 1:6: found math.greatest(), expected math.greatest(number, ...) -> number, "
                            "math.greatest(list(number)) -> number"},
        {"math.abs(-3) + math.sign(-9)", "2"},
        {"[math.ceil(1.2), math.floor(1.8), math.round(2.5), math.trunc(-1.5), math.sqrt(16)]",
         "[2.0,1.0,3.0,-1.0,4.0]"},
        {"math.bitOr(math.bitShiftLeft(1, 4), 1)", "17"},
        {"math.bitAnd(math.bitNot(0u), 255u)", "255"},
        {"strings.quote('a\"b\\n')", "\"\\\"a\\\\\\\"b\\\\n\\\"\""},
        {"dyn(1) == 'a'", "false"},
        {"facts.users.transformMap(name, user, user.uid)", "{\"root\":0,\"bo\":1000}"},
        {"['a', 'b'].transformMap(i, v, i > 0, v)", "{\"1\":\"b\"}"},
    };
    CHECK(*state, rows);
}

static void times(void **state)
{
    static const struct row rows[] = {
        {"now()", "\"2026-11-24T14:05:04.123Z\""},
        {"now() - timestamp('2026-11-24T13:05:04Z')", "\"3600.123s\""},
        {"now() - timestamp('2026-11-20T00:00:00Z') > duration('96h')", "true"},
        {"timestamp('2026-11-24T23:30:00Z').getDate('+05:30')", "25"},
        {"timestamp('2026-11-24T23:30:00Z').getHours('Mars/Olympus')",
         "INVALID: 1:35: there is no time zone 'Mars/Olympus' in /usr/share/zoneinfo/"},
        {"duration('-1h30m')", "\"-5400s\""},
        {"duration('1.5ms')", "\"0.0015s\""},
        {"duration('1 h')", "INVALID: 1:1: duration(): '1 h' is not a duration in range such as 1h30m or 2.5s"},
        {"timestamp('yesterday')", "INVALID: 1:1: timestamp(): 'yesterday' is not an RFC 3339 time in range"},
        {"timestamp('1969-12-31T23:59:59.5Z')", "\"1969-12-31T23:59:59.5Z\""},
    };
    CHECK(*state, rows);
}

static void results_as_json(void **state)
{
    static const struct row rows[] = {
        {"b'\\x00\\xff'", "\"AP8=\""},
        {"b'a'", "\"YQ==\""},
        {"b'abc'", "\"YWJj\""},
        {"type(1)", "\"int\""},
        {"1u", "1"},
        {"0.0 / 0.0", "\"NaN\""},
        {"-1.0 / 0.0", "\"-Infinity\""},
        {"{1: 'a', true: 'b', 'c': [{'d': now()}]}",
         "{\"1\":\"a\",\"true\":\"b\",\"c\":[{\"d\":\"2026-11-24T14:05:04.123Z\"}]}"},
    };
    CHECK(*state, rows);
}

static void messages_name_the_place_and_what_was_expected(void **state)
{
    static const struct row rows[] = {
        {"", "SYNTAX: 1:1: found the end of the expression, expected a value"},
        {"fact.sshd", "INVALID: 1:1: unknown name 'fact' (did you mean 'facts'?)"},
        {"facts.x.startWith('a')", "INVALID: 1:9: unknown function 'startWith' (did you mean 'startsWith'?)"},
        {"facts.x.now()", "INVALID: 1:9: 'now' is called as a function: f(x)"},
        {"lowerAscii('a')", "INVALID: 1:1: 'lowerAscii' is called as a method: x.f()"},
        {"facts.x.contains()", "INVALID: 1:9: found dyn.contains(), expected string.contains(string) -> bool"},
        {"'a'.contains(1)", "INVALID: 1:5: found string.contains(int), expected string.contains(string) -> bool"},
        {"1 + 'a'", "INVALID: 1:3: '+' is not defined for int and string"},
        {"1 == 'a'", "INVALID: 1:3: '==' is not defined for int and string"},
        {"!1", "INVALID: 1:1: '!' is not defined for int"},
        {"facts.x = 1", "SYNTAX: 1:9: '=' is not an operator, expected '=='"},
        {"facts.x & 1", "SYNTAX: 1:9: '&' is not an operator, expected '&&'"},
        {"facts.x ==", "SYNTAX: 1:11: found the end of the expression, expected a value"},
        {"(1", "SYNTAX: 1:3: found the end of the expression, expected ')'"},
        {"1 2", "SYNTAX: 1:3: found '2', expected an operator or the end"},
        {"'abc", "SYNTAX: 1:1: the closing quote is missing on this line"},
        {"'\xC3\xAF' +\n  facts.x.\n  7", "SYNTAX: 3:3: found '7', expected a member's name after '.'"},
        {"'\xC3\xAF' + $", "SYNTAX: 1:7: this character has no place in an expression"},
        {"'\\q'", "SYNTAX: 1:2: unknown escape (in a raw text r'...' a backslash stands for itself)"},
        {"'\\uD800'", "SYNTAX: 1:2: this escape is no Unicode character"},
        {"9223372036854775808", "SYNTAX: 1:1: the number is too large for an int (a uint ends in u)"},
        {"if", "SYNTAX: 1:1: 'if' is a reserved word"},
        {"Point{x: 1}",
         "UNSUPPORTED: 1:6: messages (Type{field: value}) are not supported; a map is written {'field': value}"},
        {"[1].all(1, true)", "SYNTAX: 1:9: a macro's variable must be a plain name"},
        {"[1].exists(x, x, x)", "INVALID: 1:15: both variables have the same name"},
        {"has(facts)", "SYNTAX: 1:5: has() takes a field such as a.b"},
        {"1.all(x, true)", "INVALID: 1:3: found int, only the items of a list or map can be visited"},
        {"1 && true", "INVALID: 1:1: found int, '&&' takes bools"},
        {"1 ? 2 : 3", "INVALID: 1:1: found int before '?', expected a bool"},
        {"'a'.matches('(')", "INVALID: 1:5: matches(): pattern, character 2: missing closing parenthesis"},
        {"facts.text.matches('(')", "SYNTAX: 1:12: pattern, character 2: missing closing parenthesis"},
        {"facts.text.matches('(?=a)')", "SYNTAX: 1:12: pattern, character 1: this kind of group is not in RE2's syntax "
                                        "(no look-around, recursion, atomic "
                                        "groups)"},
        {"facts.text.matches('[\\\\h]')", "SYNTAX: 1:12: pattern, character 2: this escape is not in RE2's syntax (no "
                                          "back references, no \\R, \\K, \\G, \\h, "
                                          "\\v)"},
        {"{'a': 1, 'a': 2}", "INVALID: 1:1: a key of a map is repeated"},
        {"{1.5: 1}", "INVALID: 1:2: a key of a map must be bool, int, uint or string, not double"},
    };
    CHECK(*state, rows);
}

static void the_place_of_an_error_is_handed_out(void **state)
{
    struct eval *b = *state;
    struct mln_program *program;
    struct mln_expr_error error;
    assert_fails(INVALID, mln_cel_compile(b->env, MLN_S("true &&\n  '\xC3\xAF' == fcts"), &program, &error));
    assert_int_equal(error.line, 2);
    assert_int_equal(error.column, 10);
    assert_null(program);
}

static void a_predicate_is_a_bool(void **state)
{
    struct eval *b = *state;
    MLN_CLEANUP(mln_program_free) struct mln_program *yes = NULL;
    MLN_CLEANUP(mln_program_free) struct mln_program *none = NULL;
    MLN_CLEANUP(mln_program_free) struct mln_program *number = NULL;
    bool out = false;
    assert_ok(mln_cel_compile(b->env, MLN_S("facts.sshd.installed"), &yes, NULL));
    assert_ok(mln_cel_compile(b->env, MLN_S("facts.sshd.running"), &none, NULL));
    assert_ok(mln_cel_compile(b->env, MLN_S("facts.users.bo.uid"), &number, NULL));
    assert_ok(mln_program_test(yes, b->run, &out));
    assert_true(out);
    assert_fails(INVALID, mln_program_test(none, b->run, &out));
    assert_error_has("null (a field is absent)");
    assert_fails(INVALID, mln_program_test(number, b->run, &out));
    assert_error_has("the result is int, not true or false");
}

static void one_run_serves_many_documents(void **state)
{
    struct eval *b = *state;
    MLN_CLEANUP(mln_program_free) struct mln_program *program = NULL;
    assert_ok(mln_cel_compile(b->env, MLN_S("facts.n == 1"), &program, NULL));
    const char *texts_of[] = {"{\"properties\":{\"facts\":{\"n\":1}}}", "{\"properties\":{\"facts\":{\"n\":2}}}", "[]",
                              "{}"};
    for (size_t i = 0; i < 4; i++) {
        const struct mln_json *json;
        bool out;
        assert_ok(mln_json_parse(b->arena, mln_str_c(texts_of[i]), 100, &json));
        mln_expr_run_document(b->run, json);
        if (i == 2) {
            assert_fails(INVALID, mln_program_test(program, b->run, &out));
            continue;
        }
        assert_ok(mln_program_test(program, b->run, &out));
        assert_int_equal(out, i == 0);
    }
}

static void a_value_lives_until_the_next_document(void **state)
{
    struct eval *b = *state;
    MLN_CLEANUP(mln_program_free) struct mln_program *first = NULL;
    MLN_CLEANUP(mln_program_free) struct mln_program *second = NULL;
    const struct mln_json *one, *two;
    assert_ok(mln_cel_compile(b->env, MLN_S("'a' + facts.text"), &first, NULL));
    assert_ok(mln_cel_compile(b->env, MLN_S("'b' + facts.text"), &second, NULL));
    assert_ok(mln_program_value(first, b->run, &one));
    assert_ok(mln_program_value(second, b->run, &two));
    assert_str(mln_json_str(one, MLN_S("")), "ana\xC3\xAFve");
    assert_str(mln_json_str(two, MLN_S("")), "bna\xC3\xAFve");
}

static void assert_paths(struct eval *b, const char *source, const char *expected)
{
    MLN_CLEANUP(mln_program_free) struct mln_program *program = NULL;
    MLN_BUF_CLEANUP struct mln_buf all = MLN_BUF(1000);
    const struct mln_str *paths;
    assert_ok(mln_cel_compile(b->env, mln_str_c(source), &program, NULL));
    size_t n = mln_program_paths(program, &paths);
    for (size_t i = 0; i < n; i++)
        assert_ok(mln_buf_printf(&all, "%s%.*s", i ? " " : "", MLN_FMT(paths[i])));
    assert_str(mln_buf_str(&all), expected);
}

static void the_paths_that_a_program_reads(void **state)
{
    assert_paths(*state, "1 == 1", "");
    assert_paths(*state, "facts.sshd.effective.permitrootlogin == 'no' && has(facts.users.root)",
                 "properties.facts.sshd.effective.permitrootlogin properties.facts.users.root");
    assert_paths(*state, "facts.services['ssh.service'].active == facts.services['x'].active",
                 "properties.facts.services properties.facts.services.x.active");
    assert_paths(*state, "facts.listeners.all(l, l.port == facts.big)",
                 "properties.facts.listeners properties.facts.big");
}

static struct mln_result compile_and_test(struct eval *b, const char *source, const struct mln_expr_limits *limits)
{
    MLN_CLEANUP(mln_program_free) struct mln_program *program = NULL;
    MLN_CLEANUP(mln_expr_run_free) struct mln_expr_run *run = mln_expr_run_new(b->env, &b->clock, limits);
    bool out;
    MLN_TRY(mln_cel_compile(b->env, mln_str_c(source), &program, NULL));
    return mln_program_test(program, run, &out);
}

static void what_costs_too_much_is_stopped(void **state)
{
    const struct mln_expr_limits few_steps = {.arena_bytes = 1 << 20, .cost = 1000};
    const struct mln_expr_limits few_bytes = {.arena_bytes = 1024, .cost = 1000000};
    const char *loops = "[1,2,3,4,5,6,7,8,9,10].all(a, [1,2,3,4,5,6,7,8,9,10].all(b, [1,2,3,4,5,6,7,8,9,10].all(c, "
                        "a + b + c > 0)))";
    assert_fails(LIMIT, compile_and_test(*state, loops, &few_steps));
    assert_error_has("more than 1000 steps");
    assert_ok(compile_and_test(*state, loops, &few_bytes));
    const char *doubles = "[0].map(x, 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa' + string(x))"
                          ".map(s, s + s + s + s + s + s + s + s + s + s + s + s).size() == 1";
    assert_fails(LIMIT, compile_and_test(*state, doubles, &few_bytes));
    assert_error_has("more than 1024 bytes");
}

static void what_is_too_large_is_refused(void **state)
{
    struct eval *b = *state;
    MLN_BUF_CLEANUP struct mln_buf text = MLN_BUF(1 << 20);
    struct mln_program *program;
    for (int i = 0; i < 200; i++)
        assert_ok(mln_buf_byte(&text, '('));
    assert_fails(LIMIT, mln_cel_compile(b->env, mln_buf_str(&text), &program, NULL));
    assert_error_has("nested deeper");
    mln_buf_clear(&text);
    assert_ok(mln_buf_append(&text, MLN_S("facts.n")));
    for (int i = 0; i < 600; i++)
        assert_ok(mln_buf_append(&text, MLN_S("+1")));
    assert_fails(LIMIT, mln_cel_compile(b->env, mln_buf_str(&text), &program, NULL));
    assert_error_has("operations in a row");
    mln_buf_clear(&text);
    for (int i = 0; i < 300; i++)
        assert_ok(mln_buf_byte(&text, '!'));
    assert_fails(LIMIT, mln_cel_compile(b->env, mln_buf_str(&text), &program, NULL));
    mln_buf_clear(&text);
    for (int i = 0; i < 70000; i++)
        assert_ok(mln_buf_byte(&text, ' '));
    assert_fails(LIMIT, mln_cel_compile(b->env, mln_buf_str(&text), &program, NULL));
    mln_buf_clear(&text);
    for (int i = 0; i < 20; i++)
        assert_ok(mln_buf_printf(&text, "[1].all(x%d, ", i));
    assert_ok(mln_buf_append(&text, MLN_S("true")));
    for (int i = 0; i < 20; i++)
        assert_ok(mln_buf_byte(&text, ')'));
    assert_fails(LIMIT, mln_cel_compile(b->env, mln_buf_str(&text), &program, NULL));
    assert_error_has("macros inside of one another");
    assert_fails(SYNTAX, mln_cel_compile(b->env, MLN_S("'\xC0\xAF'"), &program, NULL));
}

static void a_pattern_that_explodes_is_stopped(void **state)
{
    assert_string_equal(eval(*state, "'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!'.matches('(a+)+$')"),
                        "INVALID: 1:57: matches(): matching the pattern takes too many steps");
}

static void variables_have_one_meaning(void **state)
{
    struct eval *b = *state;
    assert_fails(CONFLICT, mln_expr_env_variable(b->env, MLN_S("facts"), MLN_S("x")));
}

static void the_function_table_stands_together(void **state)
{
    (void)state;
    for (size_t i = 0; i < mln_n_functions; i++) {
        const struct mln_function *f = &mln_functions[i];
        char signature[128];
        size_t n;
        const struct mln_function *first = mln_functions_named(mln_str_c(f->name), f->style, &n);
        if (f < first || f >= first + n)
            fail_msg("the lines of %s do not stand together", f->name);
        assert_true(f->doc && *f->doc);
        assert_true(mln_function_signature(f, signature).n < 120);
        assert_true(f->style == MLN_FUNCTION_GLOBAL || f->takes.n > 0);
    }
}

static void the_reference_has_every_function(void **state)
{
    (void)state;
    MLN_BUF_CLEANUP struct mln_buf page = MLN_BUF(1 << 20);
    check_fixture("../docs/cel.md", &page);
    for (size_t i = 0; i < mln_n_functions; i++) {
        char signature[128], line[400];
        snprintf(line, sizeof line, "| `%.*s` | %s |\n", MLN_FMT(mln_function_signature(&mln_functions[i], signature)),
                 mln_functions[i].doc);
        if (mln_str_find(mln_buf_str(&page), mln_str_c(line), 0) == SIZE_MAX)
            fail_msg("docs/cel.md lacks %s", line);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        EVAL_TEST(fields_of_the_document),
        EVAL_TEST(absent_is_null),
        EVAL_TEST(absent_is_an_error_where_the_mode_is_strict),
        EVAL_TEST(errors_are_absorbed_where_the_other_side_decides),
        EVAL_TEST(texts),
        EVAL_TEST(lists),
        EVAL_TEST(numbers),
        EVAL_TEST(times),
        EVAL_TEST(results_as_json),
        EVAL_TEST(messages_name_the_place_and_what_was_expected),
        EVAL_TEST(the_place_of_an_error_is_handed_out),
        EVAL_TEST(a_predicate_is_a_bool),
        EVAL_TEST(one_run_serves_many_documents),
        EVAL_TEST(a_value_lives_until_the_next_document),
        EVAL_TEST(the_paths_that_a_program_reads),
        EVAL_TEST(what_costs_too_much_is_stopped),
        EVAL_TEST(what_is_too_large_is_refused),
        EVAL_TEST(a_pattern_that_explodes_is_stopped),
        EVAL_TEST(variables_have_one_meaning),
        EVAL_TEST(the_function_table_stands_together),
        EVAL_TEST(the_reference_has_every_function),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
