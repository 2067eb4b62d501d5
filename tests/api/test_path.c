#include "check.h"

#include "api/path.h"

static struct mln_arena *arena;

static int setup(void **state)
{
    (void)state;
    arena = mln_arena_new(1 << 20);
    return 0;
}
static int teardown(void **state)
{
    (void)state;
    mln_arena_free(arena);
    return 0;
}
#define with_arena(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

static struct mln_request located(const char *path)
{
    struct mln_request request = {.arena = arena};
    assert_ok(mln_path_split(arena, mln_str_c(path), request.segments, &request.n_segments));
    assert_ok(mln_request_locate(&request));
    return request;
}

static void test_decoding(void **state)
{
    (void)state;
    struct mln_str out;
    assert_ok(mln_percent_decode(arena, MLN_S("a%20b+c%2Fd"), false, &out));
    assert_str(out, "a b+c/d");
    assert_ok(mln_percent_decode(arena, MLN_S("a+b%2b%C3%A4"), true, &out));
    assert_str(out, "a b+\xc3\xa4");
    assert_ok(mln_percent_decode(arena, MLN_S("line%0Abreak"), true, &out));
    static const char *const bad[] = {"%", "%2", "%zz", "a%4", "%00", "%1f", "\x01", "%ff", "%C3", "%ED%A0%80", "%7f"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_fails(SYNTAX, mln_percent_decode(arena, mln_str_c(bad[i]), false, &out));
        assert_fails(SYNTAX, mln_percent_decode(arena, mln_str_c(bad[i]), true, &out));
    }
}

static void test_encoding_reads_back(void **state)
{
    (void)state;
    MLN_BUF_CLEANUP struct mln_buf text = MLN_BUF(1024);
    struct mln_str out, plain = MLN_S("AZaz09-._~ /?&=%+\xc3\xa4");
    assert_ok(mln_percent_encode(&text, plain));
    assert_str(mln_buf_str(&text), "AZaz09-._~%20%2F%3F%26%3D%25%2B%C3%A4");
    assert_ok(mln_percent_decode(arena, mln_buf_str(&text), true, &out));
    assert_true(mln_str_eq(out, plain));
}

static void test_splitting(void **state)
{
    (void)state;
    struct mln_str s[MLN_MAX_SEGMENTS];
    size_t n;
    assert_ok(mln_path_split(arena, MLN_S("/"), s, &n));
    assert_int_equal(n, 0);
    assert_ok(mln_path_split(arena, MLN_S("///subscriptions/a%2Fb/"), s, &n));
    assert_int_equal(n, 2);
    assert_str(s[0], "subscriptions");
    assert_str(s[1], "a/b");
}

static void test_paths_that_are_refused(void **state)
{
    (void)state;
    struct mln_str s[MLN_MAX_SEGMENTS];
    size_t n;
    static const char *const bad[] = {"",        "x",         "/a//b",   "/a/../b", "/a/..", "/..",  "/./a",
                                      "/%2e%2e", "/a/%2E./b", "/a/.%2e", "/a/%00",  "/a\tb", "/a//", "https://h/a"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_fails(SYNTAX, mln_path_split(arena, mln_str_c(bad[i]), s, &n));
    char deep[2 * MLN_MAX_SEGMENTS + 3];
    for (size_t i = 0; i < sizeof deep - 1; i++)
        deep[i] = i % 2 ? 'a' : '/';
    deep[sizeof deep - 1] = '\0';
    assert_fails(LIMIT, mln_path_split(arena, mln_str_c(deep), s, &n));
    deep[2 * MLN_MAX_SEGMENTS] = '\0';
    assert_ok(mln_path_split(arena, mln_str_c(deep), s, &n));
}

static void test_forms(void **state)
{
    (void)state;
    struct mln_pair pairs[4];
    size_t n;
    assert_ok(mln_form_parse(arena, MLN_S("a=1&b=x%20y&&c&a=2"), pairs, 4, &n));
    assert_int_equal(n, 4);
    assert_str(mln_pair_find(pairs, n, "a"), "1");
    assert_str(mln_pair_find(pairs, n, "b"), "x y");
    assert_str(mln_pair_find(pairs, n, "c"), "");
    assert_null(mln_pair_find(pairs, n, "d").p);
    assert_ok(mln_form_parse(arena, MLN_S("a=b=c"), pairs, 4, &n));
    assert_str(mln_pair_find(pairs, n, "a"), "b=c");
    assert_ok(mln_form_parse(arena, MLN_S(""), pairs, 4, &n));
    assert_int_equal(n, 0);
    assert_fails(LIMIT, mln_form_parse(arena, MLN_S("a&b&c&d&e"), pairs, 4, &n));
    assert_fails(SYNTAX, mln_form_parse(arena, MLN_S("a=%"), pairs, 4, &n));
}

static void test_what_a_path_is_about(void **state)
{
    (void)state;
    static const struct {
        const char *path, *scope, *subscription, *group, *provider;
        int kind, tail;
    } cases[] = {
        {"/", "", NULL, NULL, NULL, MLN_SCOPE_TENANT, 0},
        {"/subscriptions", "", NULL, NULL, NULL, MLN_SCOPE_TENANT, 0},
        {"/Subscriptions/S", "/Subscriptions/S", "S", NULL, NULL, MLN_SCOPE_SUBSCRIPTION, 0},
        {"/subscriptions/s/resourcegroups/G", "/subscriptions/s/resourcegroups/G", "s", "G", NULL, MLN_SCOPE_GROUP, 0},
        {"/providers/Microsoft.Security/operations", "", NULL, NULL, "Microsoft.Security", MLN_SCOPE_TENANT, 2},
        {"/subscriptions/s/providers/Microsoft.Security/pricings/p", "/subscriptions/s", "s", NULL,
         "Microsoft.Security", MLN_SCOPE_SUBSCRIPTION, 4},
        {"/subscriptions/s/resourceGroups/g/providers/A.B/t/n/providers/Microsoft.Security/x",
         "/subscriptions/s/resourceGroups/g/providers/A.B/t/n", "s", "g", "Microsoft.Security", MLN_SCOPE_RESOURCE, 10},
        {"/subscriptions/s/resourceGroups/g/providers/A.B/t/providers/u/providers", /* names, not providers */
         "/subscriptions/s/resourceGroups/g", "s", "g", "A.B", MLN_SCOPE_GROUP, 6},
        {"/subscriptions/s/resourceGroups/providers/providers/A.B/t/n", "/subscriptions/s/resourceGroups/providers",
         "s", "providers", "A.B", MLN_SCOPE_GROUP, 6},
        {"/subscriptions/s/providers/A.B/providers/C.D/t", "/subscriptions/s", "s", NULL, "A.B", MLN_SCOPE_SUBSCRIPTION,
         4},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct mln_request r = located(cases[i].path);
        assert_str(r.scope, cases[i].scope);
        assert_true(mln_str_eq(r.subscription, mln_str_c(cases[i].subscription)));
        assert_true(mln_str_eq(r.group, mln_str_c(cases[i].group)));
        assert_true(mln_str_eq(r.provider, mln_str_c(cases[i].provider)));
        assert_int_equal(r.scope_kind, cases[i].kind);
        assert_int_equal(r.tail, cases[i].tail);
    }
}

static void test_no_name_passes_for_a_longer_path(void **state)
{
    (void)state;
    struct mln_request r = located("//subscriptions/a%2Fb%5Cc%25d/x%20y/");
    assert_str(r.id, "/subscriptions/a%2Fb%5Cc%25d/x y");
    assert_str(r.subscription, "a/b\\c%d");
    assert_str(located("/").id, "/");
    assert_str(mln_path_segment(arena, MLN_S("a/b\\c%d e")), "a%2Fb%5Cc%25d e");
    assert_str(mln_path_segment(arena, MLN_S("")), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_arena(test_decoding),
        with_arena(test_encoding_reads_back),
        with_arena(test_splitting),
        with_arena(test_paths_that_are_refused),
        with_arena(test_forms),
        with_arena(test_what_a_path_is_about),
        with_arena(test_no_name_passes_for_a_longer_path),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
