#include "check.h"
#include "store/batch.h"

static struct mln_store_batch *batch;

static int a_batch(void **state)
{
    (void)state;
    batch = mln_store_batch_new();
    return batch ? 0 : -1;
}

static int no_batch(void **state)
{
    (void)state;
    mln_store_batch_free(batch);
    return 0;
}

static void it_copies_what_it_is_given(void **state)
{
    (void)state;
    char key[] = "key", value[] = "value";
    assert_ok(mln_store_put(batch, MLN_COLLECTION_META, mln_str_c(key), mln_str_c(value)));
    assert_ok(mln_store_expect(batch, MLN_COLLECTION_META, mln_str_c(key), 7));
    memset(key, 'x', sizeof key - 1);
    memset(value, 'x', sizeof value - 1);
    assert_true(mln_str_eq(batch->changes.at[0].key, MLN_S("key")));
    assert_true(mln_str_eq(batch->changes.at[0].value, MLN_S("value")));
    assert_true(mln_str_eq(batch->expectations.at[0].key, MLN_S("key")));
    assert_int_equal(batch->expectations.at[0].revision, 7);
    assert_int_equal(mln_store_batch_length(batch), 2);
}

static void it_keeps_changes_in_order(void **state)
{
    (void)state;
    assert_ok(mln_store_put(batch, MLN_COLLECTION_META, MLN_S("a"), MLN_S("1")));
    assert_ok(mln_store_delete(batch, MLN_COLLECTION_TOKENS, MLN_S("b")));
    assert_ok(mln_store_delete_range(batch, MLN_COLLECTION_MACHINES, MLN_S("c"), MLN_S("d")));
    assert_int_equal(batch->changes.at[0].kind, MLN_CHANGE_PUT);
    assert_int_equal(batch->changes.at[1].kind, MLN_CHANGE_DELETE);
    assert_int_equal(batch->changes.at[1].collection, MLN_COLLECTION_TOKENS);
    assert_int_equal(batch->changes.at[2].kind, MLN_CHANGE_DELETE_RANGE);
    assert_true(mln_str_eq(batch->changes.at[2].value, MLN_S("d")));
}

static void a_range_without_an_end_stays_so(void **state)
{
    (void)state;
    assert_ok(mln_store_delete_range(batch, MLN_COLLECTION_META, (struct mln_str){0}, (struct mln_str){0}));
    assert_null(batch->changes.at[0].value.p);
    assert_ok(mln_store_delete_range(batch, MLN_COLLECTION_META, MLN_S("a"), MLN_S("")));
    assert_non_null(batch->changes.at[1].value.p);
}

static void an_empty_value_is_a_value(void **state)
{
    (void)state;
    assert_ok(mln_store_put(batch, MLN_COLLECTION_META, MLN_S("a"), (struct mln_str){0}));
    assert_non_null(batch->changes.at[0].value.p);
    assert_int_equal(batch->changes.at[0].value.n, 0);
}

static void keys_have_limits(void **state)
{
    (void)state;
    static char bytes[MLN_STORE_MAX_KEY_BYTES + 2];
    struct mln_str largest = {bytes, MLN_STORE_MAX_KEY_BYTES}, too_long = {bytes, MLN_STORE_MAX_KEY_BYTES + 1};
    assert_ok(mln_store_put(batch, MLN_COLLECTION_META, largest, MLN_S("")));
    assert_fails(LIMIT, mln_store_put(batch, MLN_COLLECTION_META, too_long, MLN_S("")));
    assert_fails(LIMIT, mln_store_delete(batch, MLN_COLLECTION_META, too_long));
    assert_fails(LIMIT, mln_store_expect(batch, MLN_COLLECTION_META, too_long, 0));
    assert_fails(INVALID, mln_store_put(batch, MLN_COLLECTION_META, MLN_S(""), MLN_S("")));
    assert_fails(INVALID, mln_store_delete(batch, MLN_COLLECTION_META, MLN_S("")));
    assert_fails(INVALID, mln_store_expect(batch, MLN_COLLECTION_META, MLN_S("a"), -1));
    assert_ok(mln_store_delete_range(batch, MLN_COLLECTION_META, largest, too_long));
    assert_fails(LIMIT, mln_store_delete_range(batch, MLN_COLLECTION_META, largest,
                                               (struct mln_str){bytes, MLN_STORE_MAX_KEY_BYTES + 2}));
    assert_int_equal(mln_store_batch_length(batch), 2);
}

static void a_collection_must_exist(void **state)
{
    (void)state;
    assert_fails(INTERNAL, mln_store_put(batch, MLN_COLLECTION_COUNT, MLN_S("a"), MLN_S("")));
    assert_fails(INTERNAL, mln_store_delete_range(batch, (enum mln_collection) - 1, MLN_S("a"), MLN_S("")));
    assert_string_equal(mln_collection_name(MLN_COLLECTION_COUNT), "unknown collection");
    assert_string_equal(mln_collection_name(MLN_COLLECTION_ROLE_ASSIGNMENTS), "role_assignments");
}

static void a_batch_has_a_ceiling(void **state)
{
    (void)state;
    char *bytes = calloc(1, MLN_STORE_MAX_VALUE_BYTES + 1);
    assert_non_null(bytes);
    struct mln_str largest = {bytes, MLN_STORE_MAX_VALUE_BYTES};
    assert_fails(LIMIT, mln_store_put(batch, MLN_COLLECTION_META, MLN_S("a"),
                                      (struct mln_str){bytes, MLN_STORE_MAX_VALUE_BYTES + 1}));
    for (int i = 0; i < 3; i++)
        assert_ok(mln_store_put(batch, MLN_COLLECTION_META, MLN_S("a"), largest));
    assert_fails(LIMIT, mln_store_put(batch, MLN_COLLECTION_META, MLN_S("a"), largest));
    /* It goes on with what fits. */
    assert_ok(mln_store_put(batch, MLN_COLLECTION_META, MLN_S("a"), MLN_S("small")));
    assert_int_equal(mln_store_batch_length(batch), 4);
    free(bytes);
}

static void many_small_changes_count_too(void **state)
{
    (void)state;
    struct mln_result r = MLN_OK;
    size_t n = 0;
    while (mln_ok(r) && n < MLN_STORE_MAX_BATCH_BYTES)
        if (mln_ok(r = mln_store_delete(batch, MLN_COLLECTION_META, MLN_S("k"))))
            n++;
    assert_fails(LIMIT, r);
    assert_int_equal(n, MLN_STORE_MAX_BATCH_BYTES / (sizeof(struct mln_store_change) + 1));
}

static void number_keys_order_like_numbers(void **state)
{
    (void)state;
    static const int64_t numbers[] = {0, 1, 9, 10, 15, 16, 255, 256, 1764000000000, INT64_MAX - 1, INT64_MAX};
    char last[MLN_STORE_NUMBER_KEY + 1] = "", key[MLN_STORE_NUMBER_KEY + 1];
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        mln_store_number_key(numbers[i], key);
        assert_int_equal(strlen(key), MLN_STORE_NUMBER_KEY);
        assert_true(strcmp(last, key) < 0);
        memcpy(last, key, sizeof last);
    }
    mln_store_number_key(255, key);
    assert_string_equal(key, "00000000000000ff");
    mln_store_number_key(-1, key);
    assert_string_equal(key, "0000000000000000");
}

int main(void)
{
#define WITH_A_BATCH(test) cmocka_unit_test_setup_teardown(test, a_batch, no_batch)
    const struct CMUnitTest tests[] = {
        WITH_A_BATCH(it_copies_what_it_is_given),
        WITH_A_BATCH(it_keeps_changes_in_order),
        WITH_A_BATCH(a_range_without_an_end_stays_so),
        WITH_A_BATCH(an_empty_value_is_a_value),
        WITH_A_BATCH(keys_have_limits),
        WITH_A_BATCH(a_collection_must_exist),
        WITH_A_BATCH(a_batch_has_a_ceiling),
        WITH_A_BATCH(many_small_changes_count_too),
        cmocka_unit_test(number_keys_order_like_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
