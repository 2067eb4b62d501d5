#include "check.h"

#include "crypto/random.h"

static void bytes_differ(void **state)
{
    (void)state;
    unsigned char a[32] = {0}, b[32] = {0};
    assert_ok(mln_random_bytes(a, sizeof a));
    assert_ok(mln_random_bytes(b, sizeof b));
    assert_memory_not_equal(a, b, sizeof a);
    assert_ok(mln_random_bytes(a, 0));
}

static void tokens(void **state)
{
    (void)state;
    MLN_BUF_CLEANUP struct mln_buf token = MLN_BUF_SECRET(64);
    assert_ok(mln_buf_append(&token, MLN_S("mlt_")));
    assert_ok(mln_random_token(32, &token));
    assert_int_equal(token.n, 4 + 43);
    for (size_t i = 0; i < token.n; i++)
        assert_non_null(strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", token.p[i]));
    assert_fails(LIMIT, mln_random_token(65, &token));
    assert_fails(LIMIT, mln_random_token(32, &token));
}

static void random_uuids(void **state)
{
    (void)state;
    struct mln_uuid uuid, other;
    char text[MLN_UUID_TEXT];
    for (int i = 0; i < 100; i++) {
        assert_ok(mln_uuid_random(&uuid));
        mln_uuid_text(&uuid, text);
        assert_int_equal(text[14], '4');
        assert_non_null(strchr("89ab", text[19]));
    }
    assert_ok(mln_uuid_random(&other));
    assert_memory_not_equal(uuid.bytes, other.bytes, sizeof uuid.bytes);
}

/* RFC 9562, appendix A.4. */
static void named_uuids(void **state)
{
    (void)state;
    struct mln_uuid dns, uuid, again;
    char text[MLN_UUID_TEXT];
    assert_ok(mln_uuid_parse(MLN_S("6ba7b810-9dad-11d1-80b4-00c04fd430c8"), &dns));
    assert_ok(mln_uuid_from_name(&dns, MLN_S("www.example.com"), &uuid));
    assert_str(mln_uuid_text(&uuid, text), "2ed6657d-e927-568b-95e1-2665a8aea6a2");
    assert_ok(mln_uuid_from_name(&mln_uuid_space_url, MLN_S("www.example.com"), &again));
    assert_memory_not_equal(uuid.bytes, again.bytes, sizeof uuid.bytes);
    assert_ok(mln_uuid_from_name(&dns, (struct mln_str){0}, &again));
    assert_str(mln_uuid_text(&mln_uuid_space_url, text), "6ba7b811-9dad-11d1-80b4-00c04fd430c8");
}

static void uuids_are_read_strictly(void **state)
{
    (void)state;
    struct mln_uuid uuid;
    char text[MLN_UUID_TEXT];
    assert_ok(mln_uuid_parse(MLN_S("2ED6657D-E927-568B-95E1-2665A8AEA6A2"), &uuid));
    assert_str(mln_uuid_text(&uuid, text), "2ed6657d-e927-568b-95e1-2665a8aea6a2");
    const char *const wrong[] = {
        "",
        "2ed6657de927568b95e12665a8aea6a2",
        "2ed6657d-e927-568b-95e1-2665a8aea6a",
        "2ed6657d-e927-568b-95e1-2665a8aea6a22",
        "{2ed6657d-e927-568b-95e1-2665a8aea6a}",
        "2ed6657d-e927-568b-95e12665-a8aea6a2",
        "2ed6657d--927-568b-95e1-2665a8aea6a2",
        "-ed6657d-e927-568b-95e1-2665a8aea6a2",
        "2ed6657d-e927-568b-95e1-2665a8aea6a-",
        "2ed6657d-e927-568b-95e1-2665a8aea6ag",
        "2ed6657d0e927-568b-95e1-2665a8aea6a2",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_fails(SYNTAX, mln_uuid_parse(mln_str_c(wrong[i]), &uuid));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_differ),
        cmocka_unit_test(tokens),
        cmocka_unit_test(random_uuids),
        cmocka_unit_test(named_uuids),
        cmocka_unit_test(uuids_are_read_strictly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
