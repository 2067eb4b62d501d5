#include "random_tree.h"

static struct mln_arena *arena;

static int set_up(void **state)
{
    (void)state;
    arena = mln_arena_new(256 << 20);
    return arena ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    mln_arena_free(arena);
    return 0;
}

static void members_are_found(void **state)
{
    (void)state;
    const struct mln_json *json =
        check_json(arena, "{\"Name\":1,\"name\":2,\"properties\":{\"status\":{\"code\":\"Healthy\"}}}");
    assert_int_equal(mln_json_get(json, MLN_S("name"))->i, 2);
    assert_null(mln_json_get(json, MLN_S("NAME")));
    assert_int_equal(mln_json_get_nocase(json, MLN_S("name"))->i, 2); /* exact before alike */
    assert_int_equal(mln_json_get_nocase(json, MLN_S("NAME"))->i, 1);
    assert_null(mln_json_get_nocase(json, MLN_S("nam")));
    assert_null(mln_json_get(NULL, MLN_S("name")));
    assert_null(mln_json_get(&json->members[0].value, MLN_S("name")));
    assert_null(mln_json_get_nocase(&json->members[0].value, MLN_S("name")));
}

static void paths_are_walked(void **state)
{
    (void)state;
    const struct mln_json *json = check_json(arena, "{\"a\":{\"b\":{\"c\":\"x\"}},\"\":5}");
    assert_str(mln_json_str(mln_json_path(json, "a.b.c"), MLN_S("")), "x");
    assert_null(mln_json_path(json, "a.b.c.d"));
    assert_null(mln_json_path(json, "a.x.c"));
    assert_int_equal(mln_json_path(json, "")->i, 5);
    assert_null(mln_json_path(NULL, "a"));
}

static void reading_has_defaults(void **state)
{
    (void)state;
    const struct mln_json *json = check_json(arena, "[\"s\",true,7,7.5,null]");
    assert_str(mln_json_str(&json->items[0], MLN_S("d")), "s");
    assert_str(mln_json_str(&json->items[1], MLN_S("d")), "d");
    assert_str(mln_json_str(NULL, MLN_S("d")), "d");
    assert_true(mln_json_bool(&json->items[1], false));
    assert_true(mln_json_bool(&json->items[4], true));
    assert_false(mln_json_bool(NULL, false));
    assert_int_equal(mln_json_i64(&json->items[2], 1), 7);
    assert_int_equal(mln_json_i64(&json->items[3], 1), 1);
    assert_int_equal(mln_json_i64(NULL, 1), 1);
}

static void equality_is_by_value(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b;
        bool equal;
    } cases[] = {
        {"null", "null", true},
        {"null", "false", false},
        {"true", "false", false},
        {"1", "1.0", true},
        {"-1", "-1.0", true},
        {"0", "-0.0", true},
        {"1", "1.5", false},
        {"9007199254740993", "9007199254740992.0", false}, /* 2^53 + 1 does not round to meet it */
        {"9223372036854775807", "9223372036854775808.0", false},
        {"9223372036854775808", "9223372036854775808.0", true},
        {"9223372036854775809", "9223372036854775808.0", false},
        {"-9223372036854775808", "-9223372036854775808.0", true},
        {"18446744073709551615", "18446744073709551616", false},
        {"9223372036854775808", "-1", false},
        {"1", "\"1\"", false},
        {"\"\"", "\"\"", true},
        {"\"a\"", "\"b\"", false},
        {"\"a\"", "\"ab\"", false},
        {"[1,2]", "[1,2.0]", true},
        {"[1,2]", "[2,1]", false},
        {"[]", "{}", false},
        {"{\"a\":1,\"b\":2}", "{\"b\":2,\"a\":1}", true},
        {"{\"a\":1,\"b\":2}", "{\"a\":1}", false},
        {"{\"a\":1}", "{\"A\":1}", false},
        {"{\"a\":1,\"b\":null}", "{\"a\":1,\"c\":null}", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct mln_json *a = check_json(arena, cases[i].a), *b = check_json(arena, cases[i].b);
        if (mln_json_equal(a, b) != cases[i].equal || mln_json_equal(b, a) != cases[i].equal)
            fail_msg("%s and %s", cases[i].a, cases[i].b);
    }
    assert_true(mln_json_equal(NULL, NULL));
    assert_false(mln_json_equal(NULL, &mln_json_null));
}

/* The cases of RFC 7396, appendix A. */
static void merge_patch_as_the_rfc_says(void **state)
{
    (void)state;
    static const struct {
        const char *target, *patch, *result;
    } cases[] = {
        {"{\"a\":\"b\"}", "{\"a\":\"c\"}", "{\"a\":\"c\"}"},
        {"{\"a\":\"b\"}", "{\"b\":\"c\"}", "{\"a\":\"b\",\"b\":\"c\"}"},
        {"{\"a\":\"b\"}", "{\"a\":null}", "{}"},
        {"{\"a\":\"b\",\"b\":\"c\"}", "{\"a\":null}", "{\"b\":\"c\"}"},
        {"{\"a\":[\"b\"]}", "{\"a\":\"c\"}", "{\"a\":\"c\"}"},
        {"{\"a\":\"c\"}", "{\"a\":[\"b\"]}", "{\"a\":[\"b\"]}"},
        {"{\"a\":{\"b\":\"c\"}}", "{\"a\":{\"b\":\"d\",\"c\":null}}", "{\"a\":{\"b\":\"d\"}}"},
        {"{\"a\":[{\"b\":\"c\"}]}", "{\"a\":[1]}", "{\"a\":[1]}"},
        {"[\"a\",\"b\"]", "[\"c\",\"d\"]", "[\"c\",\"d\"]"},
        {"{\"a\":\"b\"}", "[\"c\"]", "[\"c\"]"},
        {"{\"a\":\"foo\"}", "null", "null"},
        {"{\"a\":\"foo\"}", "\"bar\"", "\"bar\""},
        {"{\"e\":null}", "{\"a\":1}", "{\"e\":null,\"a\":1}"},
        {"[1,2]", "{\"a\":\"b\",\"c\":null}", "{\"a\":\"b\"}"},
        {"{}", "{\"a\":{\"bb\":{\"ccc\":null}}}", "{\"a\":{\"bb\":{}}}"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct mln_json *out;
        assert_ok(
            mln_json_merge_patch(arena, check_json(arena, cases[i].target), check_json(arena, cases[i].patch), &out));
        assert_json_text(out, cases[i].result);
    }
}

static void a_patch_of_nothing_makes_the_document(void **state)
{
    (void)state;
    const struct mln_json *out;
    assert_ok(mln_json_merge_patch(arena, NULL, check_json(arena, "{\"a\":1,\"b\":null}"), &out));
    assert_json_text(out, "{\"a\":1}");
}

static const struct mln_json *diff(const char *from, const char *to)
{
    const struct mln_json *patch;
    assert_ok(mln_json_diff(arena, check_json(arena, from), check_json(arena, to), &patch));
    return patch;
}

static void a_difference_is_as_small_as_it_can_be(void **state)
{
    (void)state;
    assert_null(diff("{\"a\":[1,{\"b\":null}]}", "{\"a\":[1,{\"b\":null}]}"));
    assert_null(diff("{\"a\":1,\"b\":2}", "{\"b\":2,\"a\":1}"));
    assert_null(diff("null", "null"));
    assert_json_text(diff("{\"a\":1,\"b\":{\"c\":1,\"d\":2}}", "{\"a\":1,\"b\":{\"c\":1,\"d\":3}}"),
                     "{\"b\":{\"d\":3}}");
    assert_json_text(diff("{\"a\":1,\"b\":2}", "{\"b\":2,\"c\":3}"), "{\"a\":null,\"c\":3}");
    assert_json_text(diff("{\"a\":[1,2]}", "{\"a\":[1,null]}"), "{\"a\":[1,null]}");
    assert_json_text(diff("{\"a\":1}", "{\"a\":{}}"), "{\"a\":{}}");
    assert_json_text(diff("[1]", "{\"a\":1}"), "{\"a\":1}");
    assert_json_text(diff("{\"a\":1}", "null"), "null");
    assert_json_text(diff("{\"a\":1}", "{\"a\":1.0}"), "{\"a\":1.0}"); /* written differently */
    assert_json_text(diff("{\"a\":0.0}", "{\"a\":-0.0}"), "{\"a\":-0.0}");
}

static void a_null_that_stays_is_no_difference(void **state)
{
    (void)state;
    assert_json_text(diff("{\"a\":{\"n\":null,\"b\":1}}", "{\"a\":{\"n\":null,\"b\":2}}"), "{\"a\":{\"b\":2}}");
}

static void a_new_null_cannot_be_said(void **state)
{
    (void)state;
    static const char *const cases[][3] = {
        {"{\"a\":1}", "{\"a\":null}", "a: "},
        {"{}", "{\"a\":{\"b\":{\"c\":null}}}", "a: b: c: "},
        {"{\"a\":{\"b\":1}}", "{\"a\":{\"b\":null}}", "a: b: "},
        {"[]", "{\"a\":null}", "a: "},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct mln_json *patch;
        assert_fails(INVALID,
                     mln_json_diff(arena, check_json(arena, cases[i][0]), check_json(arena, cases[i][1]), &patch));
        assert_error_has(cases[i][2]);
    }
}

static void applying_a_difference_gives_the_other(void **state)
{
    (void)state;
    uint64_t chance = 1396;
    for (int i = 0; i < 3000; i++) {
        mln_arena_reset(arena);
        struct mln_json from = random_tree(&chance, arena, 4, true), to = random_tree(&chance, arena, 4, false);
        const struct mln_json *patch, *got;
        assert_ok(mln_json_diff(arena, &from, &to, &patch));
        if (!patch) {
            assert_true(mln_json_equal(&from, &to));
            continue;
        }
        assert_ok(mln_json_merge_patch(arena, &from, patch, &got));
        struct mln_buf left MLN_BUF_CLEANUP = MLN_BUF(1 << 24), right MLN_BUF_CLEANUP = MLN_BUF(1 << 24);
        assert_ok(mln_json_write_canonical(&left, got));
        assert_ok(mln_json_write_canonical(&right, &to));
        assert_str(mln_buf_str(&left), right.p);
    }
}

static void builders_build(void **state)
{
    (void)state;
    struct mln_json_object object = {0};
    struct mln_json_array array = {0};
    assert_json_text(&(struct mln_json){.kind = MLN_JSON_OBJECT}, "{}");
    assert_ok(mln_json_append(arena, &array, mln_json_of_i64(-3)));
    assert_ok(mln_json_append(arena, &array, mln_json_of_real(2)));
    assert_ok(mln_json_append(arena, &array, mln_json_null));
    assert_ok(mln_json_add(arena, &object, MLN_S("list"), mln_json_array_done(&array)));
    assert_ok(mln_json_add(arena, &object, MLN_S("text"), mln_json_of_str((struct mln_str){NULL, 0})));
    assert_ok(mln_json_add(arena, &object, MLN_S("on"), mln_json_of_bool(true)));
    struct mln_json done = mln_json_object_done(&object);
    assert_json_text(&done, "{\"list\":[-3,2.0,null],\"text\":\"\",\"on\":true}");
    assert_int_equal(done.members[2].key, mln_json_key(MLN_S("on")));
}

static void building_fails_with_the_budget(void **state)
{
    (void)state;
    struct mln_arena *small MLN_CLEANUP(mln_arena_free) = mln_arena_new(64);
    struct mln_json_object object = {0};
    struct mln_json_array array = {0};
    const struct mln_json *out, *large = check_json(arena, "{\"a\":1,\"b\":2,\"c\":3}");
    assert_fails(LIMIT, mln_json_add(small, &object, MLN_S("a"), mln_json_null));
    assert_fails(LIMIT, mln_json_append(small, &array, mln_json_null));
    assert_fails(LIMIT, mln_json_merge_patch(small, large, large, &out));
    assert_fails(LIMIT, mln_json_diff(small, large, check_json(arena, "{}"), &out));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_are_found),
        cmocka_unit_test(paths_are_walked),
        cmocka_unit_test(reading_has_defaults),
        cmocka_unit_test(equality_is_by_value),
        cmocka_unit_test(merge_patch_as_the_rfc_says),
        cmocka_unit_test(a_patch_of_nothing_makes_the_document),
        cmocka_unit_test(a_difference_is_as_small_as_it_can_be),
        cmocka_unit_test(a_null_that_stays_is_no_difference),
        cmocka_unit_test(a_new_null_cannot_be_said),
        cmocka_unit_test(applying_a_difference_gives_the_other),
        cmocka_unit_test(builders_build),
        cmocka_unit_test(building_fails_with_the_budget),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
