#include "check.h"

#include <errno.h>

static void a_failure_has_a_code_and_a_text(void **state)
{
    (void)state;
    struct mln_result r = mln_fail(MLN_E_INVALID, "port %d", 70000);
    assert_int_equal(r.code, MLN_E_INVALID);
    assert_false(mln_ok(r));
    assert_true(mln_ok(MLN_OK));
    assert_string_equal(mln_error_text(), "port 70000");
}

static void a_place_goes_before_the_text(void **state)
{
    (void)state;
    struct mln_result r = mln_fail_at(mln_fail(MLN_E_SYNTAX, "colon expected"), "%s:%d", "rules.yaml", 7);
    assert_int_equal(r.code, MLN_E_SYNTAX);
    assert_string_equal(mln_error_text(), "rules.yaml:7: colon expected");
}

static void a_text_may_be_made_from_the_current_one(void **state)
{
    (void)state;
    MLN_IGNORE(mln_fail(MLN_E_IO, "disk"));
    MLN_IGNORE(mln_fail(MLN_E_IO, "%s again: %s", mln_error_text(), mln_error_text()));
    assert_string_equal(mln_error_text(), "disk again: disk");
}

static void a_long_text_is_cut(void **state)
{
    (void)state;
    MLN_IGNORE(mln_fail(MLN_E_IO, "%0600d", 1));
    assert_int_equal(strlen(mln_error_text()), 511);
    MLN_IGNORE(mln_fail_at((struct mln_result){MLN_E_IO}, "%0600d", 2));
    assert_int_equal(strlen(mln_error_text()), 511);
}

static void system_errors_get_a_code(void **state)
{
    (void)state;
    static const struct {
        int error;
        enum mln_code code;
    } cases[] = {{ENOSPC, MLN_E_FULL},      {EDQUOT, MLN_E_FULL},     {ENOENT, MLN_E_NOT_FOUND}, {ENOMEM, MLN_E_MEMORY},
                 {EACCES, MLN_E_FORBIDDEN}, {EPERM, MLN_E_FORBIDDEN}, {EIO, MLN_E_IO},           {123456, MLN_E_IO}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(mln_fail_errno(cases[i].error, "open %s", "f").code, cases[i].code);
    assert_string_equal(mln_error_text(), "open f: unknown error");
    MLN_IGNORE(mln_fail_errno(ENOENT, "open %s", "f"));
    assert_string_equal(mln_error_text(), "open f: No such file or directory");
}

static void each_code_has_its_words(void **state)
{
    (void)state;
    assert_string_equal(mln_code_name(MLN_E_NOT_FOUND), "NOT_FOUND");
    assert_string_equal(mln_code_word(MLN_E_NOT_FOUND), "ResourceNotFound");
    assert_int_equal(mln_code_http(MLN_E_NOT_FOUND), 404);
    for (unsigned code = 0; code < MLN_E_COUNT; code++) {
        assert_true(mln_code_http((enum mln_code)code) >= 200 && mln_code_http((enum mln_code)code) < 600);
        assert_true(mln_code_doc((enum mln_code)code)[0] != '\0');
    }
    assert_string_equal(mln_code_name(MLN_E_COUNT), "INTERNAL"); /* outside the list */
}

static struct mln_result half(int n, int *out)
{
    if (n % 2)
        return mln_fail(MLN_E_INVALID, "%d is odd", n);
    *out = n / 2;
    return MLN_OK;
}

static struct mln_result quarter(int n, int *out)
{
    MLN_TRY(half(n, &n));
    MLN_TRY(half(n, &n));
    *out = n;
    return MLN_OK;
}

static void a_failure_is_handed_on(void **state)
{
    (void)state;
    int out = -1;
    assert_ok(quarter(12, &out));
    assert_int_equal(out, 3);
    assert_fails(INVALID, quarter(6, &out));
    assert_error_has("3 is odd");
    assert_int_equal(out, 3);
}

static int destroyed;
struct thing;
static void thing_free(struct thing *thing)
{
    (void)thing;
    destroyed++;
}
MLN_DEFINE_CLEANUP(struct thing, thing_free)

static void cleanup_runs_once_and_not_for_what_was_taken(void **state)
{
    (void)state;
    static char memory;
    struct thing *kept = NULL;
    {
        struct thing *a MLN_CLEANUP(thing_free) = (struct thing *)&memory;
        struct thing *b MLN_CLEANUP(thing_free) = (struct thing *)&memory;
        struct thing *none MLN_CLEANUP(thing_free) = NULL;
        kept = MLN_TAKE(b);
        assert_null(b);
        assert_non_null(a);
        assert_null(none);
    }
    assert_int_equal(destroyed, 1);
    assert_ptr_equal(kept, &memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_failure_has_a_code_and_a_text),
        cmocka_unit_test(a_place_goes_before_the_text),
        cmocka_unit_test(a_text_may_be_made_from_the_current_one),
        cmocka_unit_test(a_long_text_is_cut),
        cmocka_unit_test(system_errors_get_a_code),
        cmocka_unit_test(each_code_has_its_words),
        cmocka_unit_test(a_failure_is_handed_on),
        cmocka_unit_test(cleanup_runs_once_and_not_for_what_was_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
