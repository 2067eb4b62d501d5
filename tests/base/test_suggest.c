#include "check.h"

#include "base/suggest.h"

static void distances_count_edits(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b;
        size_t distance;
    } cases[] = {
        {"", "", 0},      {"", "abc", 3},     {"abc", "abc", 0}, {"abc", "ABC", 0},       {"abc", "abd", 1},
        {"abc", "ab", 1}, {"abc", "xabc", 1}, {"ab", "ba", 1},   {"status", "statsu", 1}, {"kitten", "sitting", 3},
        {"ca", "abc", 3}, /* optimal string alignment: no edit inside a swap */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mln_str a = mln_str_c(cases[i].a), b = mln_str_c(cases[i].b);
        assert_int_equal(mln_str_distance(a, b), cases[i].distance);
        assert_int_equal(mln_str_distance(b, a), cases[i].distance);
    }
}

static void long_words_have_no_distance(void **state)
{
    (void)state;
    char word[65];
    memset(word, 'a', sizeof word);
    assert_int_equal(mln_str_distance((struct mln_str){word, 64}, MLN_S("b")), 64);
    assert_true(mln_str_distance((struct mln_str){word, 65}, MLN_S("b")) == SIZE_MAX);
    struct mln_suggestion suggestion = {.word = {word, 65}};
    mln_suggest(&suggestion, (struct mln_str){word, 65});
    assert_null(suggestion.best.p);
}

static const char *suggest(const char *word, char out[MLN_SUGGEST_TEXT])
{
    static const char *const candidates[] = {"assess", "status", "state", "policy"};
    struct mln_suggestion suggestion = {.word = mln_str_c(word)};
    for (size_t i = 0; i < sizeof candidates / sizeof candidates[0]; i++)
        mln_suggest(&suggestion, mln_str_c(candidates[i]));
    return mln_suggest_text(&suggestion, out);
}

static void the_nearest_is_suggested_if_it_is_near(void **state)
{
    (void)state;
    char out[MLN_SUGGEST_TEXT];
    assert_string_equal(suggest("polcy", out), " (did you mean 'policy'?)");
    assert_string_equal(suggest("statu", out), " (did you mean 'status'?)"); /* the first of two that are as near */
    assert_string_equal(suggest("stats", out), " (did you mean 'status'?)");
    assert_string_equal(suggest("frobnicate", out), "");
    assert_string_equal(suggest("", out), "");
}

static void a_long_suggestion_is_cut(void **state)
{
    (void)state;
    char out[MLN_SUGGEST_TEXT], word[201];
    memset(word, 'a', 200);
    word[200] = '\0';
    struct mln_suggestion suggestion = {.word = MLN_S("a"), .best = mln_str_c(word)};
    assert_int_equal(strlen(mln_suggest_text(&suggestion, out)), 100 + strlen(" (did you mean ''?)"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(distances_count_edits),
        cmocka_unit_test(long_words_have_no_distance),
        cmocka_unit_test(the_nearest_is_suggested_if_it_is_near),
        cmocka_unit_test(a_long_suggestion_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
