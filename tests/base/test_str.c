#include "check.h"

static struct mln_arena *arena;

static int set_up(void **state)
{
    (void)state;
    arena = mln_arena_new(1 << 16);
    return arena ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    mln_arena_free(arena);
    return 0;
}

static void slices_of_text(void **state)
{
    (void)state;
    assert_int_equal(MLN_S("a\0b").n, 3);
    assert_int_equal(mln_str_c("abc").n, 3);
    assert_null(mln_str_c(NULL).p);
    assert_int_equal(mln_str_c(NULL).n, 0);
}

static void copies_are_their_own(void **state)
{
    (void)state;
    char text[] = "Mixed";
    struct mln_str copy = mln_str_dup(arena, mln_str_c(text));
    const char *z = mln_str_z(arena, mln_str_sub(mln_str_c(text), 0, 3));
    text[0] = 'X';
    assert_str(copy, "Mixed");
    assert_string_equal(z, "Mix");
    assert_str(mln_str_lower(arena, MLN_S("ABC xyz 09 [\\]^_`{|}~@")), "abc xyz 09 [\\]^_`{|}~@");
    assert_str(mln_str_lower(arena, MLN_S("\xC3\x84")), "\xC3\x84"); /* only ASCII */
    assert_str(mln_str_printf(arena, "%d-%s", 7, "x"), "7-x");
    static char long_text[10000]; /* nothing of a text is left out, however long */
    memset(long_text, 'y', sizeof long_text);
    struct mln_str whole = {long_text, sizeof long_text};
    assert_true(mln_str_eq(mln_str_printf(arena, "%.*s", MLN_FMT(whole)), whole));
    assert_non_null(mln_str_dup(arena, (struct mln_str){NULL, 0}).p);
}

static struct mln_result try_copy(struct mln_arena *in, struct mln_str s)
{
    struct mln_str copy;
    MLN_TRY_STR(in, copy, mln_str_dup(in, s));
    return MLN_OK;
}

static void copies_fail_with_the_budget(void **state)
{
    (void)state;
    struct mln_arena *small MLN_CLEANUP(mln_arena_free) = mln_arena_new(8);
    assert_null(mln_str_dup(small, MLN_S("longer than eight")).p);
    assert_null(mln_str_z(small, MLN_S("longer than eight")));
    assert_null(mln_str_lower(small, MLN_S("longer than eight")).p);
    assert_null(mln_str_printf(small, "%s", "longer than eight").p);
    assert_fails(LIMIT, try_copy(small, MLN_S("longer than eight")));
    assert_fails(LIMIT, try_copy(arena, (struct mln_str){"", SIZE_MAX}));
}

static void equality_and_order(void **state)
{
    (void)state;
    assert_true(mln_str_eq(MLN_S(""), (struct mln_str){NULL, 0}));
    assert_false(mln_str_eq(MLN_S("a"), MLN_S("a\0")));
    assert_false(mln_str_eq(MLN_S("a"), MLN_S("A")));
    assert_true(mln_str_eq_nocase(MLN_S("aZ[{"), MLN_S("Az[{")));
    assert_false(mln_str_eq_nocase(MLN_S("["), MLN_S("{"))); /* a bit apart like letters, but none */
    assert_true(mln_str_cmp(MLN_S("a"), MLN_S("b")) < 0);
    assert_true(mln_str_cmp(MLN_S("ab"), MLN_S("a")) > 0);
    assert_true(mln_str_cmp(MLN_S("\x7f"), MLN_S("\x80")) < 0);
    assert_int_equal(mln_str_cmp(MLN_S("ab"), MLN_S("ab")), 0);
    assert_true(mln_str_cmp_nocase(MLN_S("A"), MLN_S("b")) < 0);
    assert_true(mln_str_cmp_nocase(MLN_S("B"), MLN_S("a")) > 0);
    assert_int_equal(mln_str_cmp_nocase(MLN_S("aB"), MLN_S("Ab")), 0);
}

static void beginnings_ends_and_finds(void **state)
{
    (void)state;
    struct mln_str s = MLN_S("/Subscriptions/one");
    assert_true(mln_str_starts(s, MLN_S("/Sub")) && mln_str_starts(s, MLN_S("")) && mln_str_starts(s, s));
    assert_false(mln_str_starts(s, MLN_S("/sub")));
    assert_true(mln_str_starts_nocase(s, MLN_S("/sUB")));
    assert_false(mln_str_starts_nocase(MLN_S("/s"), s));
    assert_true(mln_str_ends(s, MLN_S("one")) && mln_str_ends(s, MLN_S("")));
    assert_false(mln_str_ends(s, MLN_S("two")) || mln_str_ends(MLN_S("e"), MLN_S("one")));
    assert_int_equal(mln_str_find(MLN_S("abcabc"), MLN_S("bc"), 0), 1);
    assert_int_equal(mln_str_find(MLN_S("abcabc"), MLN_S("bc"), 2), 4);
    assert_true(mln_str_find(MLN_S("abcabc"), MLN_S("bc"), 5) == SIZE_MAX);
    assert_int_equal(mln_str_find(MLN_S("abc"), MLN_S(""), 3), 3);
    assert_true(mln_str_find(MLN_S("abc"), MLN_S(""), 4) == SIZE_MAX);
    assert_true(mln_str_find((struct mln_str){NULL, 0}, MLN_S("x"), 0) == SIZE_MAX);
}

static void parts_are_clamped(void **state)
{
    (void)state;
    assert_str(mln_str_sub(MLN_S("abcdef"), 2, 4), "cd");
    assert_str(mln_str_sub(MLN_S("abcdef"), 4, 99), "ef");
    assert_str(mln_str_sub(MLN_S("abcdef"), 5, 2), "");
    assert_str(mln_str_sub(MLN_S("abcdef"), SIZE_MAX, SIZE_MAX), "");
    assert_str(mln_str_sub((struct mln_str){NULL, 0}, 0, 3), "");
    assert_str(mln_str_trim(MLN_S(" \t\r\n a b \n")), "a b");
    assert_str(mln_str_trim(MLN_S(" \n ")), "");
}

static void cutting_gives_each_part_once(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int parts;
    } cases[] = {{"", 1}, {",", 2}, {"a", 1}, {"a,b", 2}, {",a,", 3}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mln_str rest = mln_str_c(cases[i].text), part;
        int parts = 0;
        while (mln_str_cut(&rest, ',', &part))
            parts++;
        assert_int_equal(parts, cases[i].parts);
        assert_null(part.p);
    }
    struct mln_str rest = MLN_S("a,,c"), part;
    assert_true(mln_str_cut(&rest, ',', &part));
    assert_str(part, "a");
    assert_true(mln_str_cut(&rest, ',', &part));
    assert_str(part, "");
    assert_str(rest, "c");
    rest = (struct mln_str){NULL, 0};
    assert_false(mln_str_cut(&rest, ',', &part));
}

static void whole_numbers(void **state)
{
    (void)state;
    uint64_t u;
    int64_t i;
    assert_ok(mln_str_to_u64(MLN_S("18446744073709551615"), &u));
    assert_true(u == UINT64_MAX);
    assert_ok(mln_str_to_u64(MLN_S("007"), &u));
    assert_int_equal(u, 7);
    assert_ok(mln_str_to_i64(MLN_S("9223372036854775807"), &i));
    assert_true(i == INT64_MAX);
    assert_ok(mln_str_to_i64(MLN_S("-9223372036854775808"), &i));
    assert_true(i == INT64_MIN);
    static const char *const unsigned_bad[] = {"",   "-1", "+1", "18446744073709551616", "99999999999999999999",
                                               "1 ", "0x1"};
    for (size_t n = 0; n < sizeof unsigned_bad / sizeof unsigned_bad[0]; n++)
        assert_fails(INVALID, mln_str_to_u64(mln_str_c(unsigned_bad[n]), &u));
    static const char *const signed_bad[] = {"", "-", "--1", "9223372036854775808", "-9223372036854775809", "1.0"};
    for (size_t n = 0; n < sizeof signed_bad / sizeof signed_bad[0]; n++)
        assert_fails(INVALID, mln_str_to_i64(mln_str_c(signed_bad[n]), &i));
    assert_int_equal(u, 7); /* a failure leaves the value */
}

/* Rows of Unicode's table 3-7 and their neighbours: the text and how many of its bytes are good. */
static void utf8_by_the_table(void **state)
{
    (void)state;
    static const struct {
        struct mln_str text;
        size_t good;
    } cases[] = {
        {MLN_S(""), 0},
        {MLN_S("a\0b"), 3},
        {MLN_S("\xC2\x80"), 2},
        {MLN_S("\xE0\xA0\x80"), 3},
        {MLN_S("\xED\x9F\xBF\xEE\x80\x80"), 6},
        {MLN_S("\xF0\x90\x80\x80"), 4},
        {MLN_S("\xF4\x8F\xBF\xBF"), 4},
        {MLN_S("a\x80"), 1},            /* a tail without a head */
        {MLN_S("ab\xC1\xBF"), 2},       /* overlong, two bytes */
        {MLN_S("\xE0\x9F\xBF"), 0},     /* overlong, three */
        {MLN_S("\xF0\x8F\xBF\xBF"), 0}, /* overlong, four */
        {MLN_S("\xED\xA0\x80"), 0},     /* a surrogate */
        {MLN_S("\xF4\x90\x80\x80"), 0}, /* above U+10FFFF */
        {MLN_S("\xF5\x80\x80\x80"), 0},
        {MLN_S("a\xC3"), 1}, /* ends inside */
        {MLN_S("a\xE2\x82"), 1},
        {MLN_S("a\xF0\x9F\x98"), 1},
        {MLN_S("\xE2\x28\xA1"), 0},
        {MLN_S("\xF0\x9F\x98\x41"), 0},
        {MLN_S("\xFF"), 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(mln_str_utf8_prefix(cases[i].text), cases[i].good);
        assert_int_equal(mln_str_is_utf8(cases[i].text), cases[i].good == cases[i].text.n);
    }
}

/* Under the zero key, as CPython 3.11 hashes bytes with PYTHONHASHSEED=0 (sys.hash_info.algorithm is siphash13); under
   the key 00..0f, the first published vector. */
static void siphash_is_the_published_one(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t hash;
    } cases[] = {
        {"a", 0x407448d2b89b1813},
        {"abcdefg", 0x6db12aae9070f506},
        {"abcdefgh", 0x3f7b849c0b8e35ea},
        {"The quick brown fox jumps over the lazy dog", 0x8df676d3d00c451e},
    };
    const uint64_t zero[2] = {0, 0}, counting[2] = {0x0706050403020100, 0x0f0e0d0c0b0a0908};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_true(mln_siphash13(zero, mln_str_c(cases[i].text)) == cases[i].hash);
    assert_true(mln_siphash13(counting, MLN_S("")) == 0xabac0158050fc4dc);
}

static void hashes_agree_with_equality(void **state)
{
    (void)state;
    assert_true(mln_str_hash(MLN_S("Name")) == mln_str_hash(mln_str_dup(arena, MLN_S("Name"))));
    assert_true(mln_str_hash(MLN_S("Name")) != mln_str_hash(MLN_S("name")));
    assert_true(mln_str_hash_nocase(MLN_S("Name")) == mln_str_hash_nocase(MLN_S("nAME")));
    assert_true(mln_str_hash_nocase(MLN_S("name")) == mln_str_hash(MLN_S("name")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slices_of_text),
        cmocka_unit_test(copies_are_their_own),
        cmocka_unit_test(copies_fail_with_the_budget),
        cmocka_unit_test(equality_and_order),
        cmocka_unit_test(beginnings_ends_and_finds),
        cmocka_unit_test(parts_are_clamped),
        cmocka_unit_test(cutting_gives_each_part_once),
        cmocka_unit_test(whole_numbers),
        cmocka_unit_test(utf8_by_the_table),
        cmocka_unit_test(siphash_is_the_published_one),
        cmocka_unit_test(hashes_agree_with_equality),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
