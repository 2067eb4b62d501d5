#include "check.h"

#include "crypto/digest.h"

static const char abc_sha256[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
static const char empty_sha256[] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

static void sha256_of_a_whole(void **state)
{
    (void)state;
    char hex[MLN_SHA256_HEX];
    assert_ok(mln_sha256_hex(MLN_S("abc"), hex));
    assert_string_equal(hex, abc_sha256);
    assert_ok(mln_sha256_hex((struct mln_str){0}, hex));
    assert_string_equal(hex, empty_sha256);
}

static void sha256_in_pieces_is_the_same(void **state)
{
    (void)state;
    MLN_CLEANUP(mln_sha256_stream_free) struct mln_sha256_stream *stream = NULL;
    struct mln_sha256 whole, pieces;
    assert_ok(mln_sha256(MLN_S("abc"), &whole));
    assert_ok(mln_sha256_stream_new(&stream));
    for (int round = 0; round < 2; round++) { /* finishing starts anew */
        assert_ok(mln_sha256_stream_add(stream, MLN_S("a")));
        assert_ok(mln_sha256_stream_add(stream, (struct mln_str){0}));
        assert_ok(mln_sha256_stream_add(stream, MLN_S("bc")));
        assert_ok(mln_sha256_stream_finish(stream, &pieces));
        assert_memory_equal(whole.bytes, pieces.bytes, sizeof whole.bytes);
    }
    assert_ok(mln_sha256_stream_finish(stream, &pieces));
    char hex[MLN_SHA256_HEX];
    mln_hex_encode(mln_sha256_str(&pieces), hex);
    assert_string_equal(hex, empty_sha256);
}

/* RFC 4231, test cases 1, 2 and 6. */
static void hmac_vectors(void **state)
{
    (void)state;
    char long_key[131], first_key[20], hex[MLN_SHA256_HEX];
    memset(long_key, 0xaa, sizeof long_key);
    memset(first_key, 0x0b, sizeof first_key);
    const struct {
        struct mln_str key, data;
        const char *expected;
    } cases[] = {
        {{first_key, sizeof first_key},
         MLN_S("Hi There"),
         "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
        {MLN_S("Jefe"), MLN_S("what do ya want for nothing?"),
         "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
        {{long_key, sizeof long_key},
         MLN_S("Test Using Larger Than Block-Size Key - Hash Key First"),
         "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct mln_sha256 mac;
        assert_ok(mln_hmac_sha256(cases[i].key, cases[i].data, &mac));
        mln_hex_encode(mln_sha256_str(&mac), hex);
        assert_string_equal(hex, cases[i].expected);
    }
    struct mln_sha256 mac;
    assert_ok(mln_hmac_sha256((struct mln_str){0}, (struct mln_str){0}, &mac));
    mln_hex_encode(mln_sha256_str(&mac), hex);
    assert_string_equal(hex, "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

static void equal_secrets(void **state)
{
    (void)state;
    assert_true(mln_secret_eq(MLN_S("same"), MLN_S("same")));
    assert_true(mln_secret_eq(MLN_S(""), (struct mln_str){0}));
    assert_false(mln_secret_eq(MLN_S("same"), MLN_S("samE")));
    assert_false(mln_secret_eq(MLN_S("same"), MLN_S("same ")));
    assert_false(mln_secret_eq(MLN_S("same"), MLN_S("")));
}

static void hex_goes_there_and_back(void **state)
{
    (void)state;
    char text[513];
    unsigned char all[256], back[256];
    for (size_t i = 0; i < sizeof all; i++)
        all[i] = (unsigned char)i;
    struct mln_str hex = mln_hex_encode((struct mln_str){(char *)all, sizeof all}, text);
    assert_int_equal(hex.n, 512);
    assert_ok(mln_hex_decode(hex, back, sizeof back));
    assert_memory_equal(all, back, sizeof all);
    assert_ok(mln_hex_decode(MLN_S("aBfF"), back, 2));
    assert_int_equal(back[0], 0xab);
    assert_int_equal(back[1], 0xff);
    assert_ok(mln_hex_decode((struct mln_str){0}, back, 0));
}

static void hex_is_strict(void **state)
{
    (void)state;
    unsigned char out[4];
    assert_fails(SYNTAX, mln_hex_decode(MLN_S("abc"), out, 2));
    assert_fails(SYNTAX, mln_hex_decode(MLN_S("abcde"), out, 2));
    assert_fails(SYNTAX, mln_hex_decode(MLN_S("abcd"), out, 1));
    assert_fails(SYNTAX, mln_hex_decode(MLN_S("abcg"), out, 2));
    assert_fails(SYNTAX, mln_hex_decode(MLN_S("0x12"), out, 2));
    assert_fails(SYNTAX, mln_hex_decode(MLN_S("ab:d"), out, 2));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sha256_of_a_whole),
        cmocka_unit_test(sha256_in_pieces_is_the_same),
        cmocka_unit_test(hmac_vectors),
        cmocka_unit_test(equal_secrets),
        cmocka_unit_test(hex_goes_there_and_back),
        cmocka_unit_test(hex_is_strict),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
