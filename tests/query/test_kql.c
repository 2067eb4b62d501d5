/* Runs the cases of cases.json: queries over small tables, with the rows or the error that they must give. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/buf.h"
#include "query/kql.h"
#include "json/writer.h"

enum { TEN_MIB = 10 << 20 };

struct world {
    struct mln_arena *arena;
    const struct mln_json *file, *tables;
    int64_t now_ms;
};

static struct mln_result table_columns(void *context, struct mln_str table, const struct mln_str **names, size_t *n)
{
    struct world *world = context;
    const struct mln_json *rows = mln_json_get_nocase(world->tables, table);
    if (!rows)
        return mln_fail(MLN_E_NOT_FOUND, "no such table");
    struct mln_str *columns;
    MLN_TRY_ARRAY(world->arena, columns, rows->items[0].n);
    for (uint32_t i = 0; i < rows->items[0].n; i++)
        columns[i] = rows->items[0].members[i].name;
    *names = columns;
    *n = rows->items[0].n;
    return MLN_OK;
}

static struct mln_result table_scan(void *context, struct mln_str table, mln_kql_row each, void *each_context)
{
    struct world *world = context;
    const struct mln_json *rows = mln_json_get_nocase(world->tables, table);
    bool stop = false;
    for (uint32_t i = 0; i < rows->n && !stop; i++)
        MLN_TRY(each(each_context, &rows->items[i], &stop));
    return MLN_OK;
}

static struct mln_result run(struct world *world, struct mln_str text, const struct mln_kql_limits *limits,
                             struct mln_kql_result *out)
{
    struct mln_kql_query *query;
    struct mln_kql_tables tables = {table_columns, table_scan, world};
    struct mln_clock clock = mln_fake_clock(&world->now_ms);
    MLN_TRY(mln_kql_parse(world->arena, text, &query, NULL));
    return mln_kql_run(query, &tables, &clock, limits, world->arena, out);
}

static struct mln_kql_limits generous(void)
{
    return (struct mln_kql_limits){
        .max_rows = 10000, .memory_bytes = TEN_MIB, .deadline_ms = mln_monotonic_ms() + 60000};
}

static int setup(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    char path[512];
    struct mln_buf text = MLN_BUF(TEN_MIB);
    snprintf(path, sizeof path, "%s/tests/query/cases.json", getenv("MLN_SOURCE") ? getenv("MLN_SOURCE") : ".");
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_true(mln_ok(mln_buf_reserve(&text, 1 << 20)));
    text.n = fread(text.p, 1, 1 << 20, file);
    fclose(file);
    world->arena = mln_arena_new(200 << 20);
    assert_true(mln_ok(mln_json_parse(world->arena, mln_buf_str(&text), TEN_MIB, &world->file)));
    mln_buf_free(&text);
    world->tables = mln_json_get(world->file, MLN_S("tables"));
    assert_true(
        mln_ok(mln_time_parse(mln_json_str(mln_json_get(world->file, MLN_S("now")), MLN_S("")), &world->now_ms)));
    *state = world;
    return 0;
}

static int teardown(void **state)
{
    struct world *world = *state;
    mln_arena_free(world->arena);
    free(world);
    return 0;
}

static struct mln_json rows_of(struct world *world, const struct mln_kql_result *result)
{
    struct mln_json_array rows = {0};
    for (size_t r = 0; r < result->n_rows; r++) {
        struct mln_json row = {
            .kind = MLN_JSON_ARRAY, .n = (uint32_t)result->n_columns, .items = result->cells + r * result->n_columns};
        assert_true(mln_ok(mln_json_append(world->arena, &rows, row)));
    }
    return mln_json_array_done(&rows);
}

static bool columns_match(const struct mln_kql_result *result, const struct mln_json *wanted)
{
    if (!wanted)
        return true;
    if (wanted->n != result->n_columns)
        return false;
    for (uint32_t i = 0; i < wanted->n; i++)
        if (!mln_str_eq(result->columns[i], mln_json_str(&wanted->items[i], MLN_S(""))))
            return false;
    return true;
}

static bool case_holds(struct world *world, const struct mln_json *one, struct mln_buf *got)
{
    struct mln_kql_result result;
    struct mln_kql_limits limits = generous();
    struct mln_str wanted_error = mln_json_str(mln_json_get(one, MLN_S("error")), (struct mln_str){NULL, 0});
    struct mln_result r = run(world, mln_json_str(mln_json_get(one, MLN_S("query")), MLN_S("")), &limits, &result);
    if (!mln_ok(r)) {
        MLN_IGNORE(mln_buf_append(got, mln_str_c(mln_error_text())));
        return wanted_error.p && mln_str_find(mln_buf_str(got), wanted_error, 0) != SIZE_MAX;
    }
    struct mln_json rows = rows_of(world, &result);
    assert_true(mln_ok(mln_json_write(got, &rows, false)));
    return !wanted_error.p && mln_json_equal(&rows, mln_json_get(one, MLN_S("rows"))) &&
           columns_match(&result, mln_json_get(one, MLN_S("columns")));
}

static void every_case_gives_its_rows_or_its_error(void **state)
{
    struct world *world = *state;
    const struct mln_json *cases = mln_json_get(world->file, MLN_S("cases"));
    size_t wrong = 0;
    for (uint32_t i = 0; i < cases->n; i++) {
        MLN_BUF_CLEANUP struct mln_buf got = MLN_BUF(TEN_MIB);
        if (case_holds(world, &cases->items[i], &got))
            continue;
        struct mln_str query = mln_json_str(mln_json_get(&cases->items[i], MLN_S("query")), MLN_S(""));
        print_message("# query: %.*s\n# got: %.*s\n", MLN_FMT(query), MLN_FMT(mln_buf_str(&got)));
        wrong++;
    }
    assert_int_equal(wrong, 0);
}

static void an_error_has_its_place(void **state)
{
    struct world *world = *state;
    struct mln_kql_query *query;
    struct mln_kql_error error;
    struct mln_result r = mln_kql_parse(world->arena, MLN_S("machines\n| where name ==\n| take 1"), &query, &error);
    assert_int_equal(r.code, MLN_E_INVALID);
    assert_int_equal(error.line, 3);
    assert_int_equal(error.position, 0);
    assert_true(mln_str_eq(error.token, MLN_S("|")));
}

static void limits_hold(void **state)
{
    struct world *world = *state;
    struct mln_kql_result result;
    struct mln_kql_limits limits = generous();
    limits.max_rows = 3;
    assert_int_equal(run(world, MLN_S("machines | sort by name"), &limits, &result).code, MLN_E_LIMIT);
    assert_true(mln_ok(run(world, MLN_S("machines | count"), &limits, &result))); /* what is only counted is not held */
    limits = generous();
    limits.memory_bytes = 2048;
    assert_int_equal(run(world, MLN_S("machines | summarize make_list(note) by name"), &limits, &result).code,
                     MLN_E_LIMIT);
    limits = generous();
    limits.deadline_ms = 0;
    struct mln_str big =
        MLN_S("machines | join kind=inner (machines) on location | join kind=inner (machines) on location "
              "| join kind=inner (machines) on location | join kind=inner (machines) on location "
              "| join kind=inner (machines) on location | join kind=inner (machines) on location | count");
    assert_int_equal(run(world, big, &limits, &result).code, MLN_E_TIMEOUT);
}

static void deep_nesting_and_long_texts_are_refused(void **state)
{
    struct world *world = *state;
    struct mln_kql_query *query;
    MLN_BUF_CLEANUP struct mln_buf text = MLN_BUF(1 << 20);
    assert_true(mln_ok(mln_buf_append(&text, MLN_S("machines | where "))));
    for (int i = 0; i < 1000; i++)
        assert_true(mln_ok(mln_buf_append(&text, MLN_S("("))));
    assert_int_equal(mln_kql_parse(world->arena, mln_buf_str(&text), &query, NULL).code, MLN_E_LIMIT);
    while (text.n <= MLN_KQL_MAX_TEXT_BYTES)
        assert_true(mln_ok(mln_buf_append(&text, MLN_S("          "))));
    assert_int_equal(mln_kql_parse(world->arena, mln_buf_str(&text), &query, NULL).code, MLN_E_LIMIT);
    assert_int_equal(mln_kql_parse(world->arena, MLN_S("machines | where name == '\xff'"), &query, NULL).code,
                     MLN_E_INVALID);
}

static void types_follow_the_values(void **state)
{
    struct world *world = *state;
    struct mln_kql_result result;
    struct mln_kql_limits limits = generous();
    static const char *const wanted[] = {"string", "long", "datetime", "timespan", "dynamic", "bool", "double"};
    assert_true(
        mln_ok(run(world, MLN_S("machines | project name, cores, todatetime(seen), 1h, ports, cores > 2, cores * 1.5"),
                   &limits, &result)));
    assert_int_equal(result.n_columns, 7);
    for (size_t i = 0; i < result.n_columns; i++)
        assert_string_equal(result.types[i], wanted[i]);
    struct mln_json object;
    assert_true(mln_ok(mln_kql_row_object(&result, 0, world->arena, &object)));
    assert_true(mln_str_eq(mln_json_str(mln_json_get(&object, MLN_S("name")), MLN_S("")), MLN_S("web-1")));
}

typedef bool (*listing)(size_t i, const char **name, const char **help);

static void the_page_lists_every_operator_and_function(void **state)
{
    (void)state;
    static const listing lists[] = {mln_kql_function_at, mln_kql_aggregate_at, mln_kql_operator_at};
    char path[512], row[512];
    MLN_BUF_CLEANUP struct mln_buf page = MLN_BUF(1 << 20);
    snprintf(path, sizeof path, "%s/docs/kql.md", getenv("MLN_SOURCE") ? getenv("MLN_SOURCE") : ".");
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_true(mln_ok(mln_buf_reserve(&page, 1 << 18)));
    page.n = fread(page.p, 1, 1 << 18, file);
    fclose(file);
    for (size_t l = 0; l < 3; l++) {
        const char *name, *help;
        size_t n = 0;
        for (; lists[l](n, &name, &help); n++) {
            snprintf(row, sizeof row, "| `%s` | ", name);
            if (mln_str_find(mln_buf_str(&page), mln_str_c(row), 0) == SIZE_MAX)
                fail_msg("docs/kql.md has no line for %s", name);
        }
        assert_true(n > 15);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_case_gives_its_rows_or_its_error),
        cmocka_unit_test(an_error_has_its_place),
        cmocka_unit_test(limits_hold),
        cmocka_unit_test(deep_nesting_and_long_texts_are_refused),
        cmocka_unit_test(types_follow_the_values),
        cmocka_unit_test(the_page_lists_every_operator_and_function),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
