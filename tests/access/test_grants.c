#include "access_test.h"

static struct mln_grants grants(void)
{
    return (struct mln_grants){.store = w.place.store, .clock = &w.clock};
}

static struct mln_str key_of(enum mln_grant_kind kind, const char *secret)
{
    struct mln_str key;
    assert_ok(mln_grant_key(kind, mln_str_c(secret), w.arena, &key));
    return key;
}

static struct mln_result add(enum mln_grant_kind kind, struct mln_str key)
{
    struct mln_grants g = grants();
    struct mln_grant grant = {.principal_id = mln_str_c(ALICE), .client_id = mln_str_c(CLIENT), .generation = 4};
    MLN_CLEANUP(mln_store_batch_free) struct mln_store_batch *batch = mln_store_batch_new();
    MLN_TRY(mln_grant_add(&g, batch, kind, key, &grant));
    return mln_store_commit(w.place.store, MLN_TAKE(batch), NULL);
}

static struct mln_result find(struct mln_str key, struct mln_grant *out)
{
    struct mln_grants g = grants();
    return mln_grant_find(&g, key, w.arena, out);
}

static void test_keys_do_not_hold_the_secret(void **state)
{
    (void)state;
    struct mln_str code = key_of(MLN_GRANT_CODE, "secret-text"), refresh = key_of(MLN_GRANT_REFRESH, "fam.secret-text");
    assert_true(mln_str_starts(code, MLN_S("code/")));
    assert_true(mln_str_starts(refresh, MLN_S("refresh/fam/")));
    assert_int_equal(mln_str_find(code, MLN_S("secret"), 0), SIZE_MAX);
    assert_int_equal(mln_str_find(refresh, MLN_S("secret"), 0), SIZE_MAX);
    struct mln_str key;
    assert_fails(NOT_FOUND, mln_grant_key(MLN_GRANT_REFRESH, MLN_S("a/b.c"), w.arena, &key));
}

static void test_a_grant_is_found_until_it_expires(void **state)
{
    (void)state;
    struct mln_str key = key_of(MLN_GRANT_CODE, "one");
    struct mln_grant found;
    assert_ok(add(MLN_GRANT_CODE, key));
    assert_ok(find(key, &found));
    assert_str(found.principal_id, ALICE);
    assert_int_equal(found.generation, 4);
    assert_int_equal(found.state, MLN_GRANT_OPEN);
    w.now_ms += 5 * MINUTE_MS;
    assert_fails(NOT_FOUND, find(key, &found));
}

static void test_a_grant_exists_once(void **state)
{
    (void)state;
    struct mln_str key = key_of(MLN_GRANT_ASSERTION, "one");
    assert_ok(add(MLN_GRANT_ASSERTION, key));
    assert_fails(PRECONDITION, add(MLN_GRANT_ASSERTION, key));
}

static void test_of_two_who_take_it_one_gets_it(void **state)
{
    (void)state;
    struct mln_str key = key_of(MLN_GRANT_CODE, "one");
    struct mln_grant first, second;
    assert_ok(add(MLN_GRANT_CODE, key));
    assert_ok(find(key, &first));
    assert_ok(find(key, &second));
    struct mln_store_batch *a = mln_store_batch_new(), *b = mln_store_batch_new();
    assert_ok(mln_grant_remove(a, &first));
    second.state = MLN_GRANT_USED;
    assert_ok(mln_grant_replace(b, &second));
    assert_ok(mln_store_commit(w.place.store, a, NULL));
    assert_fails(PRECONDITION, mln_store_commit(w.place.store, b, NULL));
}

static void test_a_family_ends_together(void **state)
{
    (void)state;
    struct mln_grant found;
    static const char *const family[] = {"fam.1", "fam.2", "fam.3"};
    for (size_t i = 0; i < 3; i++)
        assert_ok(add(MLN_GRANT_REFRESH, key_of(MLN_GRANT_REFRESH, family[i])));
    assert_ok(add(MLN_GRANT_REFRESH, key_of(MLN_GRANT_REFRESH, "fam2.1")));
    struct mln_store_batch *batch = mln_store_batch_new();
    assert_ok(mln_grant_remove_family(batch, key_of(MLN_GRANT_REFRESH, "fam.2")));
    assert_ok(mln_store_commit(w.place.store, batch, NULL));
    for (size_t i = 0; i < 3; i++)
        assert_fails(NOT_FOUND, find(key_of(MLN_GRANT_REFRESH, family[i]), &found));
    assert_ok(find(key_of(MLN_GRANT_REFRESH, "fam2.1"), &found));
}

static void test_sweeping_takes_what_has_expired(void **state)
{
    (void)state;
    struct mln_grants g = grants();
    struct mln_grant found;
    size_t removed;
    assert_ok(add(MLN_GRANT_CODE, key_of(MLN_GRANT_CODE, "old")));
    assert_ok(add(MLN_GRANT_SESSION, key_of(MLN_GRANT_SESSION, "old")));
    w.now_ms += 6 * MINUTE_MS;
    assert_ok(add(MLN_GRANT_CODE, key_of(MLN_GRANT_CODE, "new")));
    assert_ok(mln_grants_sweep(&g, &removed));
    assert_int_equal(removed, 1);
    assert_ok(find(key_of(MLN_GRANT_CODE, "new"), &found));
    assert_ok(find(key_of(MLN_GRANT_SESSION, "old"), &found));
    assert_ok(mln_grants_sweep(&g, &removed));
    assert_int_equal(removed, 0);
}

static void test_few_sign_ins_are_under_way_at_once(void **state)
{
    (void)state;
    struct mln_grants g = grants();
    struct mln_store_batch *batch = mln_store_batch_new();
    struct mln_grant grant = {.client_id = mln_str_c(CLIENT)};
    char key[32];
    for (int i = 0; i < 1000; i++) {
        snprintf(key, sizeof key, "code/%d", i);
        assert_ok(mln_grant_add(&g, batch, MLN_GRANT_CODE, mln_str_c(key), &grant));
    }
    assert_ok(mln_store_commit(w.place.store, batch, NULL));
    assert_fails(TOO_MANY, add(MLN_GRANT_CODE, MLN_S("code/more")));
    assert_ok(add(MLN_GRANT_SESSION, MLN_S("session/one")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_world(test_keys_do_not_hold_the_secret),
        in_world(test_a_grant_is_found_until_it_expires),
        in_world(test_a_grant_exists_once),
        in_world(test_of_two_who_take_it_one_gets_it),
        in_world(test_a_family_ends_together),
        in_world(test_sweeping_takes_what_has_expired),
        in_world(test_few_sign_ins_are_under_way_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
