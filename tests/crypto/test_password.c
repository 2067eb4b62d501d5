#include "check.h"

#include "crypto/password.h"

/* Made by another implementation (Python's hashlib.scrypt): "correct horse", ln=10, r=8, p=1. */
#define FOREIGN "$scrypt$ln=10,r=8,p=1$AAECAwQFBgcICQoLDA0ODw$nfkj3u1fRTHCea+fVr03sWV770kp5wLOLoEakziKhqE"

static void a_secret_is_known_again(void **state)
{
    (void)state;
    MLN_BUF_CLEANUP struct mln_buf text = MLN_BUF(MLN_PASSWORD_TEXT_MAX_BYTES),
                                   other = MLN_BUF(MLN_PASSWORD_TEXT_MAX_BYTES);
    assert_ok(mln_password_hash(MLN_S("correct horse"), &text));
    assert_true(mln_str_starts(mln_buf_str(&text), MLN_S("$scrypt$ln=15,r=8,p=1$")));
    assert_ok(mln_password_verify(MLN_S("correct horse"), mln_buf_str(&text)));
    assert_fails(UNAUTHENTICATED, mln_password_verify(MLN_S("correct horsE"), mln_buf_str(&text)));
    assert_fails(UNAUTHENTICATED, mln_password_verify(MLN_S("correct hors"), mln_buf_str(&text)));
    assert_false(mln_password_is_outdated(mln_buf_str(&text)));
    assert_ok(mln_password_hash(MLN_S("correct horse"), &other));
    assert_false(mln_str_eq(mln_buf_str(&text), mln_buf_str(&other))); /* another salt */
}

static void a_hash_of_another_program(void **state)
{
    (void)state;
    assert_ok(mln_password_verify(MLN_S("correct horse"), MLN_S(FOREIGN)));
    assert_true(mln_password_is_outdated(MLN_S(FOREIGN)));
}

static void a_user_who_does_not_exist(void **state)
{
    (void)state;
    assert_fails(UNAUTHENTICATED, mln_password_verify(MLN_S("anything"), MLN_S("")));
}

static void secrets_of_a_bad_size(void **state)
{
    (void)state;
    MLN_BUF_CLEANUP struct mln_buf text = MLN_BUF(MLN_PASSWORD_TEXT_MAX_BYTES), tiny = MLN_BUF(20);
    char longest[MLN_PASSWORD_MAX_BYTES + 1];
    memset(longest, 'x', sizeof longest);
    assert_fails(INVALID, mln_password_hash(MLN_S(""), &text));
    assert_fails(LIMIT, mln_password_hash((struct mln_str){longest, sizeof longest}, &text));
    assert_fails(UNAUTHENTICATED, mln_password_verify(MLN_S(""), MLN_S(FOREIGN)));
    assert_fails(UNAUTHENTICATED, mln_password_verify((struct mln_str){longest, sizeof longest}, MLN_S(FOREIGN)));
    assert_ok(mln_password_hash((struct mln_str){longest, sizeof longest - 1}, &text));
    assert_ok(mln_password_verify((struct mln_str){longest, sizeof longest - 1}, mln_buf_str(&text)));
    assert_fails(LIMIT, mln_password_hash(MLN_S("x"), &tiny));
}

static void texts_that_are_not_ours(void **state)
{
    (void)state;
    const char *const wrong[] = {
        "plain",
        "$",
        "$scrypt$",
        "$argon2id$ln=10,r=8,p=1$AAECAwQFBgcICQoLDA0ODw$AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
        "scrypt$ln=10,r=8,p=1$AAECAwQFBgcICQoLDA0ODw$AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
        "$scrypt$ln=10,r=8$AAECAwQFBgcICQoLDA0ODw$AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
        "$scrypt$r=8,ln=10,p=1$AAECAwQFBgcICQoLDA0ODw$AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
        "$scrypt$ln=10,r=8,p=1,x=1$AAECAwQFBgcICQoLDA0ODw$AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
        "$scrypt$ln=10,r=8,p=1$AAECAwQFBgcICQoLDA0O$AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
        "$scrypt$ln=10,r=8,p=1$AAECAwQFBgcICQoLDA0ODw$AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHg",
        "$scrypt$ln=10,r=8,p=1$AAECAwQFBgcICQoLDA0ODw==$AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
        "$scrypt$ln=10,r=8,p=1$AAECAwQFBgcICQoLDA0ODw$AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8$",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_fails(CORRUPT, mln_password_verify(MLN_S("x"), mln_str_c(wrong[i])));
        assert_true(mln_password_is_outdated(mln_str_c(wrong[i])));
    }
}

static void absurd_parameters_cost_nothing(void **state)
{
    (void)state;
    const char *const absurd[] = {"ln=1,r=8,p=1",   "ln=18,r=8,p=1",  "ln=63,r=8,p=1",
                                  "ln=64,r=8,p=1",  "ln=17,r=16,p=1", "ln=10,r=0,p=1",
                                  "ln=10,r=8,p=0",  "ln=16,r=8,p=5",  "ln=10,r=33,p=1",
                                  "ln=10,r=8,p=17", "ln=-1,r=8,p=1",  "ln=15,r=99999999999999999999,p=1"};
    for (size_t i = 0; i < sizeof absurd / sizeof *absurd; i++) {
        char text[256];
        snprintf(text, sizeof text, "$scrypt$%s$AAECAwQFBgcICQoLDA0ODw$AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
                 absurd[i]);
        assert_fails(CORRUPT, mln_password_verify(MLN_S("x"), mln_str_c(text)));
    }
    assert_fails(UNAUTHENTICATED,
                 mln_password_verify(MLN_S("x"), MLN_S("$scrypt$ln=16,r=8,p=2$AAECAwQFBgcICQoLDA0ODw$"
                                                       "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_secret_is_known_again),   cmocka_unit_test(a_hash_of_another_program),
        cmocka_unit_test(a_user_who_does_not_exist), cmocka_unit_test(secrets_of_a_bad_size),
        cmocka_unit_test(texts_that_are_not_ours),   cmocka_unit_test(absurd_parameters_cost_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
