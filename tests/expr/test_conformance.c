/*
 * Runs the CEL conformance suite of cel-spec where its data are present: $MLN_SHARED/cel-spec/testdata.tar.zst, or
 * ../shared/data/ beside the checkout. tests/expr/cel_spec.py turns it into JSON lines. Each case passes, or stands with
 * the reason in tests/expr/cel_known.txt; a case there that passes fails the test, so that the list stays true.
 *
 * A failure to compile counts as an error result: this checker finds some errors earlier than the suite has them.
 */
#include "check.h"

#include "base/map.h"
#include "expr/code.h"
#include "expr/env.h"
#include "expr/result.h"

#include <inttypes.h>
#include <math.h>
#include <unistd.h>

enum { CASES_BYTES = 16 << 20, TREE_BYTES = 8 << 20 };

/* ---- values of the suite ---- */

static mln_value read_value(struct mln_arena *arena, const struct mln_json *json);

static const char *z(struct mln_arena *arena, const struct mln_json *json)
{
    return mln_str_z(arena, mln_json_str(json, MLN_S("")));
}

static mln_value read_items(struct mln_arena *arena, const struct mln_json *list, bool pairs)
{
    size_t width = pairs ? 2 : 1;
    mln_value *items = mln_arena_array(arena, list->n * width, sizeof *items);
    assert_non_null(items);
    for (size_t i = 0; i < list->n; i++)
        for (size_t j = 0; j < width; j++)
            items[i * width + j] = read_value(arena, pairs ? &list->items[i].items[j] : &list->items[i]);
    return pairs ? mln_value_map(items, list->n) : mln_value_list(items, list->n);
}

static mln_value read_hex(struct mln_arena *arena, struct mln_str hex)
{
    char *bytes = mln_arena_alloc(arena, hex.n / 2 + 1);
    assert_non_null(bytes);
    for (size_t i = 0; i < hex.n / 2; i++) {
        char digits[3] = {hex.p[2 * i], hex.p[2 * i + 1], '\0'};
        bytes[i] = (char)strtoul(digits, NULL, 16);
    }
    return mln_value_bytes((struct mln_str){bytes, hex.n / 2});
}

static mln_value read_instant(struct mln_arena *arena, const struct mln_json *parts, bool duration)
{
    int64_t seconds = strtoll(z(arena, &parts->items[0]), NULL, 10), ns = strtoll(z(arena, &parts->items[1]), NULL, 10);
    if (duration)
        return (mln_value){.kind = MLN_VALUE_DURATION, .i = seconds * 1000000000 + ns};
    return (mln_value){.kind = MLN_VALUE_TIMESTAMP, .n = (uint32_t)ns, .i = seconds};
}

static mln_value read_value(struct mln_arena *arena, const struct mln_json *json)
{
    struct mln_str kind = json->members[0].name;
    const struct mln_json *v = &json->members[0].value;
    uint32_t type = 0;
    if (mln_str_eq(kind, MLN_S("null")))
        return mln_value_null();
    if (mln_str_eq(kind, MLN_S("bool")))
        return mln_value_bool(v->boolean);
    if (mln_str_eq(kind, MLN_S("int")))
        return mln_value_int(strtoll(z(arena, v), NULL, 0));
    if (mln_str_eq(kind, MLN_S("uint")))
        return mln_value_uint(strtoull(z(arena, v), NULL, 0));
    if (mln_str_eq(kind, MLN_S("double")))
        return mln_value_double(strtod(z(arena, v), NULL));
    if (mln_str_eq(kind, MLN_S("string")))
        return mln_value_string(mln_json_str(v, MLN_S("")));
    if (mln_str_eq(kind, MLN_S("bytes")))
        return read_hex(arena, mln_json_str(v, MLN_S("")));
    if (mln_str_eq(kind, MLN_S("list")) || mln_str_eq(kind, MLN_S("map")))
        return read_items(arena, v, mln_str_eq(kind, MLN_S("map")));
    if (mln_str_eq(kind, MLN_S("timestamp")) || mln_str_eq(kind, MLN_S("duration")))
        return read_instant(arena, v, mln_str_eq(kind, MLN_S("duration")));
    if (mln_str_eq(kind, MLN_S("type")) && mln_value_type_named(mln_json_str(v, MLN_S("")), &type))
        return mln_value_type(type);
    return mln_value_error("a value this test cannot read");
}

/* As the suite compares: types count, NaN equals NaN, maps without order. */
static bool same(struct mln_expr_run *run, const mln_value *a, const mln_value *b)
{
    if (mln_value_type_of(a->kind) != mln_value_type_of(b->kind))
        return false;
    if (a->kind == MLN_JSON_REAL)
        return (isnan(a->real) && isnan(b->real)) || a->real == b->real;
    if (a->kind == MLN_JSON_ARRAY) {
        bool equal = a->n == b->n;
        for (size_t i = 0; equal && i < a->n; i++)
            equal = same(run, &a->items[i], &b->items[i]);
        return equal;
    }
    run->left = UINT32_MAX; /* comparing costs nothing here */
    return mln_value_equal(run, a, b);
}

/* ---- one case ---- */

static void declare(struct mln_expr_env *env, struct mln_str name, struct mln_str type)
{
    struct mln_expr_variable variable = {0};
    if (mln_expr_env_find(env, name))
        return;
    assert_ok(mln_expr_env_slot(env, 0, name, &variable.slot)); /* one step, dots and all */
    assert_ok(mln_type_parse(env->arena, type, true, &variable.type));
    variable.name = mln_str_dup(env->arena, name);
    assert_ok(mln_vec_push(env->arena, &env->variables, variable));
}

static void declare_function(struct mln_expr_env *env, const struct mln_json *json)
{
    struct mln_function line = {.name = z(env->arena, mln_json_get(json, MLN_S("name"))), .doc = "of the suite"};
    const struct mln_json *takes = mln_json_get(json, MLN_S("takes"));
    if (mln_json_bool(mln_json_get(json, MLN_S("method")), false))
        line.style = MLN_FUNCTION_RECEIVER;
    assert_true(takes->n <= MLN_SIGNATURE_ARGS_MOST);
    line.takes.n = takes->n;
    for (size_t i = 0; i < takes->n; i++)
        assert_ok(mln_type_parse(env->arena, mln_json_str(&takes->items[i], MLN_S("")), true, &line.takes.args[i]));
    assert_ok(mln_type_parse(env->arena, mln_json_str(mln_json_get(json, MLN_S("gives")), MLN_S("")), true,
                             &line.takes.result));
    assert_ok(mln_expr_env_function(env, &line));
}

static struct mln_json document_of(struct mln_arena *arena, const struct mln_json *bindings)
{
    struct mln_json_object object = {0};
    for (size_t i = 0; mln_json_is(bindings, MLN_JSON_OBJECT) && i < bindings->n; i++)
        assert_ok(
            mln_json_add(arena, &object, bindings->members[i].name, read_value(arena, &bindings->members[i].value)));
    return mln_json_object_done(&object);
}

static void declare_all(struct mln_expr_env *env, const struct mln_json *test, const struct mln_json *bindings)
{
    const struct mln_json *variables = mln_json_get(test, MLN_S("variables"));
    const struct mln_json *functions = mln_json_get(test, MLN_S("functions"));
    for (size_t i = 0; i < variables->n; i++)
        declare(env, variables->members[i].name, mln_json_str(&variables->members[i].value, MLN_S("")));
    for (size_t i = 0; bindings && i < bindings->n; i++)
        declare(env, bindings->members[i].name, MLN_S("dyn"));
    for (size_t i = 0; i < functions->n; i++)
        declare_function(env, &functions->items[i]);
}

static bool run_case(struct mln_arena *arena, const struct mln_json *test)
{
    MLN_CLEANUP(mln_expr_env_free) struct mln_expr_env *env = mln_expr_env_new(MLN_EXPR_STRICT);
    MLN_CLEANUP(mln_program_free) struct mln_program *program = NULL;
    const struct mln_json *bindings = mln_json_get(test, MLN_S("bindings")), *type = mln_json_get(test, MLN_S("type"));
    bool wants_error = mln_json_bool(mln_json_get(test, MLN_S("error")), false);
    assert_non_null(env);
    env->unchecked = mln_json_bool(mln_json_get(test, MLN_S("unchecked")), false);
    assert_ok(mln_expr_env_container(env, mln_json_str(mln_json_get(test, MLN_S("container")), MLN_S(""))));
    declare_all(env, test, bindings);
    if (!mln_ok(mln_cel_compile(env, mln_json_str(mln_json_get(test, MLN_S("expr")), MLN_S("")), &program, NULL)))
        return wants_error;
    if (type && !mln_str_eq(mln_json_str(type, MLN_S("")), mln_str_c(mln_program_type(program)))) {
        MLN_IGNORE(mln_fail(MLN_E_INVALID, "the type is %s", mln_program_type(program)));
        return false;
    }
    if (mln_json_get(test, MLN_S("check_only")))
        return true;
    struct mln_json document = document_of(arena, bindings);
    MLN_CLEANUP(mln_expr_run_free) struct mln_expr_run *run = mln_expr_run_new(env, &mln_system_clock, NULL);
    assert_non_null(run);
    mln_expr_run_document(run, &document);
    mln_value got;
    if (!mln_ok(mln_program_raw(program, run, &got)))
        return wants_error;
    if (wants_error)
        return false;
    mln_value expected = read_value(arena, mln_json_get(test, MLN_S("value")));
    return same(run, &expected, &got);
}

/* ---- the suite and the list of known failures ---- */

static bool find_archive(char *path, size_t size)
{
    const char *shared = getenv("MLN_SHARED"), *source = getenv("MLN_SOURCE");
    if (shared)
        snprintf(path, size, "%s/cel-spec/testdata.tar.zst", shared);
    else
        snprintf(path, size, "%s/../shared/data/cel-spec/testdata.tar.zst", source ? source : ".");
    return access(path, R_OK) == 0;
}

static bool read_cases(const char *archive, struct mln_buf *out)
{
    char command[4096], block[65536];
    const char *source = getenv("MLN_SOURCE");
    snprintf(command, sizeof command, "python3 '%s/tests/expr/cel_spec.py' '%s'", source ? source : ".", archive);
    FILE *pipe = popen(command, "r"); /* both paths come from whoever runs the tests */
    if (!pipe)
        return false;
    for (size_t n; (n = fread(block, 1, sizeof block, pipe)) > 0;)
        assert_ok(mln_buf_append(out, (struct mln_str){block, n}));
    return pclose(pipe) == 0;
}

/* "id<tab>reason" a line; the value is 1, or 2 once the case was met. */
static struct mln_map *read_known(struct mln_buf *text)
{
    struct mln_map *known = mln_map_new(false);
    assert_non_null(known);
    check_fixture("expr/cel_known.txt", text);
    struct mln_str rest = mln_buf_str(text), line;
    while (mln_str_cut(&rest, '\n', &line)) {
        struct mln_str id;
        if (line.n == 0 || line.p[0] == '#')
            continue;
        mln_str_cut(&line, '\t', &id);
        if (line.n == 0)
            fail_msg("cel_known.txt: no reason for %.*s", MLN_FMT(id));
        assert_ok(mln_map_put(known, id, (union mln_map_value){.u = 1}));
    }
    return known;
}

struct tally {
    size_t passed, cases, surprises;
    int64_t left_out;
};

static void judge(struct mln_map *known, struct mln_str id, bool passed, struct tally *tally)
{
    union mln_map_value *listed = mln_map_get(known, id);
    tally->cases++;
    tally->passed += passed;
    if (listed)
        listed->u = 2;
    if (passed == !listed)
        return;
    tally->surprises++;
    print_message("# %s: %.*s\t%s\n", passed ? "passes although listed" : "fails", MLN_FMT(id),
                  passed ? "take it off cel_known.txt" : mln_error_text());
}

static void the_suite_of_cel_spec(void **state)
{
    MLN_BUF_CLEANUP struct mln_buf known_text = MLN_BUF(1 << 20);
    MLN_CLEANUP(mln_map_free) struct mln_map *known = read_known(&known_text);
    struct mln_str rest = mln_buf_str(*state), line;
    struct tally tally = {0};
    while (mln_str_cut(&rest, '\n', &line)) {
        MLN_CLEANUP(mln_arena_free) struct mln_arena *arena = mln_arena_new(TREE_BYTES);
        const struct mln_json *test;
        if (line.n == 0)
            continue;
        assert_ok(mln_json_parse(arena, line, line.n, &test));
        const struct mln_json *id = mln_json_get(test, MLN_S("id"));
        if (id)
            judge(known, mln_json_str(id, MLN_S("")), run_case(arena, test), &tally);
        else
            tally.left_out = mln_json_i64(mln_json_get(test, MLN_S("left_out")), 0);
    }
    print_message("# conformance: cel %zu of %zu (%" PRId64 " need protocol buffers)\n", tally.passed, tally.cases,
                  tally.left_out);
    struct mln_str id;
    union mln_map_value value;
    for (size_t at = 0; mln_map_next(known, &at, &id, &value);)
        if (value.u == 1)
            fail_msg("cel_known.txt: the suite has no case %.*s", MLN_FMT(id));
    assert_int_equal(tally.surprises, 0);
}

int main(void)
{
    char archive[4096];
    MLN_BUF_CLEANUP struct mln_buf cases = MLN_BUF(CASES_BYTES);
    if (!find_archive(archive, sizeof archive)) {
        printf("1..0 # SKIP %s is not there (set MLN_SHARED)\n", archive);
        return 0;
    }
    if (!read_cases(archive, &cases)) {
        printf("1..0 # SKIP reading the suite needs python3 and zstd\n");
        return 0;
    }
    const struct CMUnitTest tests[] = {cmocka_unit_test_prestate(the_suite_of_cel_spec, &cases)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
