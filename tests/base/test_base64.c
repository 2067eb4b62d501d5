#include "check.h"

#include "base/base64.h"

/* RFC 4648 section 10, and bytes that show the two last digits of each alphabet. */
static void vectors(void **state)
{
    (void)state;
    const struct {
        enum mln_base64_form form;
        struct mln_str bytes;
        const char *text;
    } cases[] = {
        {MLN_BASE64, MLN_S(""), ""},
        {MLN_BASE64, MLN_S("f"), "Zg=="},
        {MLN_BASE64, MLN_S("fo"), "Zm8="},
        {MLN_BASE64, MLN_S("foo"), "Zm9v"},
        {MLN_BASE64, MLN_S("foob"), "Zm9vYg=="},
        {MLN_BASE64, MLN_S("fooba"), "Zm9vYmE="},
        {MLN_BASE64, MLN_S("foobar"), "Zm9vYmFy"},
        {MLN_BASE64, MLN_S("\xfb\xff"), "+/8="},
        {MLN_BASE64_BARE, MLN_S("\xfb\xff"), "+/8"},
        {MLN_BASE64URL, MLN_S("\xfb\xff"), "-_8"},
        {MLN_BASE64URL_PADDED, MLN_S("\xfb\xff"), "-_8="},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        MLN_BUF_CLEANUP struct mln_buf text = MLN_BUF(64), bytes = MLN_BUF(64);
        assert_ok(mln_base64_encode(cases[i].form, cases[i].bytes, &text));
        assert_str(mln_buf_str(&text), cases[i].text);
        assert_ok(mln_base64_decode(cases[i].form, mln_buf_str(&text), &bytes));
        assert_true(mln_str_eq(mln_buf_str(&bytes), cases[i].bytes));
    }
}

static void encoding_and_decoding_append(void **state)
{
    (void)state;
    MLN_BUF_CLEANUP struct mln_buf out = MLN_BUF(64);
    assert_ok(mln_buf_append(&out, MLN_S("t.")));
    assert_ok(mln_base64_encode(MLN_BASE64URL, MLN_S("f"), &out));
    assert_str(mln_buf_str(&out), "t.Zg");
    assert_ok(mln_base64_decode(MLN_BASE64URL, MLN_S("Zm8"), &out));
    assert_str(mln_buf_str(&out), "t.Zgfo");
}

static void other_texts_are_refused(void **state)
{
    (void)state;
    const struct {
        enum mln_base64_form form;
        const char *text;
    } cases[] = {
        {MLN_BASE64, "Zg"},
        {MLN_BASE64, "Zg="},
        {MLN_BASE64, "Zg==="},
        {MLN_BASE64, "===="},
        {MLN_BASE64, "Z==="},
        {MLN_BASE64, "Zm9v===="},
        {MLN_BASE64, "Zg==Zg=="},
        {MLN_BASE64, "Zm 9v==="},
        {MLN_BASE64, "Zm9v\n"},
        {MLN_BASE64, "Zh=="},
        {MLN_BASE64, "Zm9="},
        {MLN_BASE64, "-_8="},
        {MLN_BASE64_BARE, "Zg=="},
        {MLN_BASE64_BARE, "Z"},
        {MLN_BASE64_BARE, "Zh"},
        {MLN_BASE64URL, "+/8"},
        {MLN_BASE64URL, "-_8="},
        {MLN_BASE64URL, "Zm9vY"},
        {MLN_BASE64URL, "Zm.v"},
        {MLN_BASE64URL, "Zm9"},
        {MLN_BASE64URL_PADDED, "-_8"},
        {MLN_BASE64URL_PADDED, "+/8="},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        MLN_BUF_CLEANUP struct mln_buf out = MLN_BUF(64);
        assert_ok(mln_buf_append(&out, MLN_S("before")));
        struct mln_result r = mln_base64_decode(cases[i].form, mln_str_c(cases[i].text), &out);
        if (r.code != MLN_E_SYNTAX)
            fail_msg("form %d took \"%s\"", (int)cases[i].form, cases[i].text);
        assert_str(mln_buf_str(&out), "before");
        assert_int_equal(out.p[out.n], '\0');
    }
}

static void the_ceiling_of_the_buffer_holds(void **state)
{
    (void)state;
    MLN_BUF_CLEANUP struct mln_buf four = MLN_BUF(4), three = MLN_BUF(3);
    assert_ok(mln_base64_encode(MLN_BASE64, MLN_S("foo"), &four));
    assert_fails(LIMIT, mln_base64_encode(MLN_BASE64, MLN_S("foo"), &three));
    assert_ok(mln_base64_encode(MLN_BASE64URL, MLN_S("fo"), &three));
    mln_buf_clear(&three);
    assert_ok(mln_base64_decode(MLN_BASE64, MLN_S("Zm9v"), &three));
    assert_fails(LIMIT, mln_base64_decode(MLN_BASE64, MLN_S("Zm9v"), &three));
}

static void memory_of_the_caller(void **state)
{
    (void)state;
    char text[8], bytes[8];
    size_t n;
    assert_int_equal(mln_base64_chars(MLN_BASE64, 4), sizeof text);
    assert_int_equal(mln_base64_bytes_most(sizeof text), sizeof bytes);
    mln_base64_write(MLN_BASE64, MLN_S("foob"), text);
    assert_memory_equal(text, "Zm9vYg==", sizeof text);
    assert_ok(mln_base64_read(MLN_BASE64, (struct mln_str){text, sizeof text}, bytes, &n));
    assert_str(((struct mln_str){bytes, n}), "foob");
    assert_fails(SYNTAX, mln_base64_read(MLN_BASE64_BARE, MLN_S("Zg=="), bytes, &n));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors),
        cmocka_unit_test(encoding_and_decoding_append),
        cmocka_unit_test(other_texts_are_refused),
        cmocka_unit_test(the_ceiling_of_the_buffer_holds),
        cmocka_unit_test(memory_of_the_caller),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
