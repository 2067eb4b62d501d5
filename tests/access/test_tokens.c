#include "access_test.h"

#include "json/json.h"

static struct mln_str access_token(const struct mln_principal *principal)
{
    MLN_BUF_CLEANUP struct mln_buf out = MLN_BUF(MLN_JWT_MAX_BYTES);
    assert_ok(mln_tokens_access(w.tokens, principal, mln_str_c(CLIENT), &out));
    return mln_str_dup(w.arena, mln_buf_str(&out));
}

static struct mln_result verify(struct mln_str token, struct mln_caller *caller, bool *expired)
{
    return mln_tokens_verify(w.tokens, w.principals, token, w.arena, caller, expired);
}

static void test_a_token_names_its_principal_for_an_hour(void **state)
{
    (void)state;
    struct mln_principal alice = world_add_alice(&w);
    struct mln_str token = access_token(&alice);
    struct mln_caller caller;
    bool expired;
    assert_ok(verify(token, &caller, &expired));
    assert_str(caller.id, ALICE);
    assert_str(caller.how, "bearer");
    w.now_ms += 60 * MINUTE_MS - 1000;
    assert_ok(verify(token, &caller, &expired));
    w.now_ms += 1000;
    assert_fails(UNAUTHENTICATED, verify(token, &caller, &expired));
    assert_true(expired);
}

static void test_no_altered_token_passes(void **state)
{
    (void)state;
    struct mln_principal alice = world_add_alice(&w);
    struct mln_str token = access_token(&alice);
    struct mln_caller caller;
    bool expired;
    char *bad = mln_arena_alloc(w.arena, token.n + 1);
    for (size_t i = 0; i < token.n; i++) {
        memcpy(bad, token.p, token.n);
        bad[i] = bad[i] == 'A' ? 'B' : 'A';
        struct mln_result r = verify((struct mln_str){bad, token.n}, &caller, &expired);
        if (mln_ok(r))
            fail_msg("byte %zu could be changed", i);
        assert_false(expired);
    }
    for (size_t n = 0; n < token.n; n += 7)
        assert_fails(UNAUTHENTICATED, verify(mln_str_sub(token, 0, n), &caller, &expired));
}

static void test_other_tokens_of_the_same_keys_do_not_pass(void **state)
{
    (void)state;
    struct mln_principal alice = world_add_alice(&w);
    MLN_BUF_CLEANUP struct mln_buf id = MLN_BUF(MLN_JWT_MAX_BYTES);
    struct mln_caller caller;
    bool expired;
    assert_ok(mln_tokens_id(w.tokens, &alice, mln_str_c(CLIENT), MLN_S("https://h/adfs"), MLN_S("n"), &id));
    assert_fails(UNAUTHENTICATED, verify(mln_buf_str(&id), &caller, &expired));
    assert_error_has("another audience");
    mln_buf_clear(&id); /* a client may call itself as it likes */
    assert_ok(mln_tokens_id(w.tokens, &alice, MLN_S("urn:merlon:" TENANT), MLN_S("https://h/adfs"), MLN_S("n"), &id));
    assert_fails(UNAUTHENTICATED, verify(mln_buf_str(&id), &caller, &expired));
    assert_error_has("another audience");
}

static void test_id_tokens_say_what_clients_read(void **state)
{
    (void)state;
    struct mln_principal alice = world_add_alice(&w);
    MLN_BUF_CLEANUP struct mln_buf id = MLN_BUF(MLN_JWT_MAX_BYTES);
    struct mln_jwt jwt;
    const struct mln_json *claims;
    assert_ok(mln_tokens_id(w.tokens, &alice, mln_str_c(CLIENT), MLN_S("https://h/adfs"), MLN_S("n1"), &id));
    assert_ok(mln_jwt_decode(mln_buf_str(&id), w.arena, &jwt));
    assert_ok(mln_json_parse(w.arena, jwt.payload, 4096, &claims));
    static const char *const expected[][2] = {
        {"iss", "https://h/adfs"},       {"aud", CLIENT}, {"tid", TENANT}, {"sub", ALICE}, {"upn", "alice"},
        {"preferred_username", "alice"}, {"nonce", "n1"}};
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
        assert_str(mln_json_str(mln_json_get(claims, mln_str_c(expected[i][0])), MLN_S("")), expected[i][1]);
    assert_int_equal(mln_json_i64(mln_json_get(claims, MLN_S("exp")), 0), w.now_ms / 1000 + 3600);
}

static void test_a_password_change_ends_tokens(void **state)
{
    (void)state;
    struct mln_principal alice = world_add_alice(&w);
    struct mln_str token = access_token(&alice);
    struct mln_caller caller;
    bool expired;
    assert_ok(mln_signin_set_password(w.signin, &alice, MLN_S("another long password"), w.arena));
    world_put(&w, &alice);
    assert_fails(UNAUTHENTICATED, verify(token, &caller, &expired));
    assert_error_has("revoked");
}

static void test_keys_change_while_tokens_live(void **state)
{
    (void)state;
    struct mln_principal alice = world_add_alice(&w);
    struct mln_caller caller;
    bool expired;
    struct mln_key *old, *new;
    struct mln_jwt_keys *one, *both, *last;
    assert_ok(mln_key_generate(&old));
    assert_ok(mln_key_generate(&new));
    assert_ok(mln_jwt_keys_new(&one));
    assert_ok(mln_jwt_keys_add(one, old));
    assert_ok(mln_jwt_keys_new(&both));
    assert_ok(mln_jwt_keys_add(both, new));
    assert_ok(mln_jwt_keys_add(both, old));
    assert_ok(mln_jwt_keys_new(&last));
    assert_ok(mln_jwt_keys_add(last, new));
    mln_key_free(old);
    mln_key_free(new);
    assert_ok(mln_tokens_use_keys(w.tokens, one));
    struct mln_str first = access_token(&alice);
    assert_ok(mln_tokens_use_keys(w.tokens, both));
    struct mln_str second = access_token(&alice);
    assert_ok(verify(first, &caller, &expired));
    assert_ok(verify(second, &caller, &expired));
    assert_ok(mln_tokens_use_keys(w.tokens, last));
    assert_fails(UNAUTHENTICATED, verify(first, &caller, &expired));
    assert_ok(verify(second, &caller, &expired));
    MLN_BUF_CLEANUP struct mln_buf jwks = MLN_BUF(8192);
    assert_ok(mln_tokens_jwks(w.tokens, &jwks));
    assert_true(mln_str_starts(mln_buf_str(&jwks), MLN_S("{\"keys\":[{")));
}

static void test_another_tenant_is_another_audience(void **state)
{
    (void)state;
    struct mln_principal alice = world_add_alice(&w);
    MLN_CLEANUP(mln_tokens_free) struct mln_tokens *other = NULL;
    struct mln_key *key;
    struct mln_jwt_keys *here, *there;
    assert_ok(mln_tokens_new(&w.clock, MLN_S("99999999-2222-4333-8444-555555555555"), &other));
    assert_ok(mln_key_generate(&key));
    assert_ok(mln_jwt_keys_new(&here));
    assert_ok(mln_jwt_keys_add(here, key));
    assert_ok(mln_jwt_keys_new(&there));
    assert_ok(mln_jwt_keys_add(there, key));
    mln_key_free(key);
    assert_ok(mln_tokens_use_keys(w.tokens, here));
    assert_ok(mln_tokens_use_keys(other, there));
    struct mln_caller caller;
    bool expired;
    assert_fails(UNAUTHENTICATED,
                 mln_tokens_verify(other, w.principals, access_token(&alice), w.arena, &caller, &expired));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_world(test_a_token_names_its_principal_for_an_hour),
        in_world(test_no_altered_token_passes),
        in_world(test_other_tokens_of_the_same_keys_do_not_pass),
        in_world(test_id_tokens_say_what_clients_read),
        in_world(test_a_password_change_ends_tokens),
        in_world(test_keys_change_while_tokens_live),
        in_world(test_another_tenant_is_another_audience),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
