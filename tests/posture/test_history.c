/* Any history: what memory holds is what the store says, the causes add up, and what is answered later about a moment is what
   was answered at that moment. */
#include "check.h"

#include "estate.h"
#include "random.h"

enum { STEPS = 150, BOXES = 14 };

static struct estate estate;

struct answer {
    int64_t at_ms;
    struct mln_buf findings, score;
};

static void answer_now(struct answer *answer)
{
    mln_buf_clear(&answer->findings);
    mln_buf_clear(&answer->score);
    answer->at_ms = estate.now_ms;
    findings_text(&estate, 0, &answer->findings);
    score_text(&estate, SUB, 0, &answer->score);
}

static void assert_answers_still_hold(struct answer *answers, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct mln_buf findings MLN_BUF_CLEANUP = MLN_BUF(1 << 20), score MLN_BUF_CLEANUP = MLN_BUF(1 << 16);
        findings_text(&estate, answers[i].at_ms, &findings);
        score_text(&estate, SUB, answers[i].at_ms, &score);
        assert_string_equal(findings.p ? findings.p : "", answers[i].findings.n ? answers[i].findings.p : "");
        assert_string_equal(score.p, answers[i].score.p);
    }
}

static void random_step(uint64_t *dice, bool contents)
{
    static const char *const words[] = {"ok", "ok", "bad", "off", "good", NULL};
    static const char *const controls[] = {"secure-management-ports", "encrypt-data-in-transit",
                                           "secure-management-ports, apply-system-updates",
                                           "enable-mfa, encrypt-data-in-transit"};
    char id[256];
    uint32_t number = roll(dice, BOXES);
    snprintf(id, sizeof id, number % 3 ? BOX("b%u") : BOX("b1") "/parts/p%u", number);
    switch (roll(dice, contents ? 14 : 10)) {
    case 0:
    case 1:
        MLN_IGNORE(mln_posture_delete(estate.posture, mln_str_c(id), MLN_S("t")));
        return;
    case 2:
        estate_reopen(&estate);
        return;
    case 10:
    case 11:
    case 12:
        write_rule(&estate, (const char *const[]){"a", "b", "c"}[roll(dice, 3)], controls[roll(dice, 4)],
                   roll(dice, 2) ? "ok" : "good", roll(dice, 5) == 0);
        assert_ok(mln_posture_reload(estate.posture, load_rules(&estate)));
        return;
    case 13:
        write_rule(&estate, "b", controls[roll(dice, 4)], "good", false);
        estate_reopen(&estate);
        return;
    default:
        assert_ok(
            put_box(&estate, id,
                    WORDS(words[roll(dice, 6)], words[roll(dice, 6)], words[roll(dice, 6)], words[roll(dice, 6)])));
    }
}

static void live_a_history(uint64_t dice, bool contents)
{
    struct answer *answers = calloc(STEPS, sizeof *answers);
    size_t n = 0;
    estate_make(&estate);
    for (size_t i = 0; i < STEPS; i++)
        answers[i].findings = answers[i].score = MLN_BUF(1 << 20);
    for (size_t i = 0; i < STEPS; i++) {
        int64_t passed = roll(&dice, 4); /* the clock may stand for a while */
        estate.now_ms += passed;
        if (n == 0 || passed)
            n++;
        random_step(&dice, contents);
        answer_now(&answers[n - 1]); /* of a moment counts what was answered last */
        if (i % 16 == 0)
            assert_memory_is_the_store(&estate);
    }
    assert_memory_is_the_store(&estate);
    assert_changes_add_up(&estate, NULL);
    assert_answers_still_hold(answers, n);
    estate_reopen(&estate);
    assert_memory_is_the_store(&estate);
    assert_answers_still_hold(answers, n);
    for (size_t i = 0; i < STEPS; i++) {
        mln_buf_free(&answers[i].findings);
        mln_buf_free(&answers[i].score);
    }
    free(answers);
    estate_remove(&estate);
}

static void resources_come_change_and_go(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 2; seed++)
        live_a_history(seed * 7919, false);
}

static void and_the_content_changes_meanwhile(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 3; seed++)
        live_a_history(seed * 104729, true);
}

static void before_the_first_change_there_was_nothing(void **state)
{
    (void)state;
    struct mln_buf findings MLN_BUF_CLEANUP = MLN_BUF(1 << 16), score MLN_BUF_CLEANUP = MLN_BUF(1 << 16);
    estate_make(&estate);
    estate.now_ms = 5000;
    assert_ok(put_box(&estate, BOX("One"), WORDS("ok", "ok", "ok", "ok")));
    findings_text(&estate, 4999, &findings);
    score_text(&estate, SUB, 4999, &score);
    assert_int_equal(findings.n, 0);
    assert_string_equal(score.p, "0 of 0 weight 0:\n");
    estate_remove(&estate);
}

static struct mln_result count_change(void *context, struct mln_str key, struct mln_str value, int64_t revision,
                                      bool *stop)
{
    (void)key, (void)value, (void)revision, (void)stop;
    ++*(size_t *)context;
    return MLN_OK;
}

static void score_changes_are_cut_to_their_time(void **state)
{
    (void)state;
    estate_make(&estate);
    for (int64_t t = 1; t <= 5; t++) {
        estate.now_ms = t * 1000;
        assert_ok(put_box(&estate, BOX("One"), WORDS(t % 2 ? "ok" : "bad", NULL, NULL, NULL)));
    }
    static const struct {
        int64_t from_ms, to_ms;
        size_t limit, expected;
    } cases[] = {{0, INT64_MAX, 0, 5}, {2000, 4000, 0, 2}, {2000, 4001, 0, 3},
                 {0, INT64_MAX, 2, 2}, {3000, 3000, 0, 0}, {9000, 10000, 0, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t n = 0;
        assert_ok(mln_posture_score_changes(estate.posture, MLN_S(SUB), cases[i].from_ms, cases[i].to_ms,
                                            cases[i].limit, count_change, &n));
        assert_int_equal(n, cases[i].expected);
    }
    size_t n = 0;
    assert_fails(NOT_FOUND,
                 mln_posture_score_changes(estate.posture, MLN_S(OTHER_SUB), 0, INT64_MAX, 0, count_change, &n));
    estate_remove(&estate);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(resources_come_change_and_go),
        cmocka_unit_test(and_the_content_changes_meanwhile),
        cmocka_unit_test(before_the_first_change_there_was_nothing),
        cmocka_unit_test(score_changes_are_cut_to_their_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
