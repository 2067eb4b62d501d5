#include "access_test.h"

enum { ENTRIES = 5 };

static void append(const char *action)
{
    struct mln_activity_entry entry = {.caller_id = mln_str_c(ALICE),
                                       .caller_name = MLN_S("alice"),
                                       .address = mln_str_c(HERE),
                                       .action = mln_str_c(action),
                                       .scope = MLN_S("/subscriptions/s"),
                                       .status = MLN_S("Succeeded"),
                                       .http_status = 200,
                                       .client_command = MLN_S("security pricing create")};
    assert_ok(mln_activity_commit(w.activity, NULL, &entry, NULL));
    w.now_ms += MINUTE_MS;
}

static void append_some(void)
{
    char action[16];
    for (int i = 1; i <= ENTRIES; i++) {
        snprintf(action, sizeof action, "x/%d", i);
        append(action);
    }
}

struct seen {
    int64_t sequences[16];
    size_t n, most;
};

static struct mln_result see(void *context, const struct mln_activity_entry *entry, bool *stop)
{
    struct seen *seen = context;
    char action[16];
    snprintf(action, sizeof action, "x/%d", (int)entry->sequence);
    assert_str(entry->action, action);
    assert_str(entry->caller_name, "alice");
    seen->sequences[seen->n++] = entry->sequence;
    *stop = seen->n == seen->most;
    return MLN_OK;
}

static void test_entries_are_listed_newest_first(void **state)
{
    (void)state;
    int64_t start = w.now_ms;
    append_some();
    struct seen all = {.most = 16}, some = {.most = 2}, rest = {.most = 16}, window = {.most = 16};
    assert_ok(mln_activity_list(w.activity, 0, INT64_MAX, INT64_MAX, see, &all));
    assert_int_equal(all.n, ENTRIES);
    assert_int_equal(all.sequences[0], ENTRIES);
    assert_ok(mln_activity_list(w.activity, 0, INT64_MAX, INT64_MAX, see, &some));
    assert_ok(mln_activity_list(w.activity, 0, INT64_MAX, some.sequences[1], see, &rest));
    assert_int_equal(rest.n, ENTRIES - 2);
    assert_int_equal(rest.sequences[0], ENTRIES - 2);
    assert_ok(mln_activity_list(w.activity, start + MINUTE_MS, start + 3 * MINUTE_MS, INT64_MAX, see, &window));
    assert_int_equal(window.n, 2);
    assert_int_equal(window.sequences[0], 3);
}

static void test_an_intact_chain_is_verified_also_after_a_restart(void **state)
{
    (void)state;
    int64_t entries, broken;
    char before[MLN_SHA256_HEX], after[MLN_SHA256_HEX];
    assert_ok(mln_activity_verify(w.activity, &entries, &broken));
    assert_int_equal(entries, 0);
    append_some();
    assert_int_equal(mln_activity_head(w.activity, before), ENTRIES);
    world_close_parts(&w);
    world_open_parts(&w);
    assert_int_equal(mln_activity_head(w.activity, after), ENTRIES);
    assert_string_equal(before, after);
    append("x/6");
    assert_ok(mln_activity_verify(w.activity, &entries, &broken));
    assert_int_equal(entries, ENTRIES + 1);
    assert_int_equal(broken, 0);
}

static struct mln_str stored(int64_t sequence)
{
    char key[MLN_STORE_NUMBER_KEY + 1];
    struct mln_store_read *read;
    struct mln_str value;
    mln_store_number_key(sequence, key);
    assert_ok(mln_store_read_begin(w.place.store, &read));
    assert_ok(mln_store_get(read, MLN_COLLECTION_ACTIVITY, mln_str_c(key), w.arena, &value, NULL));
    mln_store_read_end(read);
    return value;
}

/* Puts a value (p NULL: nothing) where an entry stands, behind the log's back. */
static void tamper(int64_t sequence, struct mln_str value)
{
    char key[MLN_STORE_NUMBER_KEY + 1];
    struct mln_store_batch *batch = mln_store_batch_new();
    mln_store_number_key(sequence, key);
    assert_ok(value.p ? mln_store_put(batch, MLN_COLLECTION_ACTIVITY, mln_str_c(key), value)
                      : mln_store_delete(batch, MLN_COLLECTION_ACTIVITY, mln_str_c(key)));
    assert_ok(mln_store_commit(w.place.store, batch, NULL));
}

static void expect_broken(int64_t first)
{
    int64_t entries, broken;
    assert_fails(CORRUPT, mln_activity_verify(w.activity, &entries, &broken));
    assert_int_equal(broken, first);
    assert_int_equal(entries, first - 1);
}

static void test_every_changed_byte_is_found(void **state)
{
    (void)state;
    append_some();
    struct mln_str good = stored(3);
    for (size_t i = 0; i < good.n; i++) {
        char *bad = mln_arena_alloc(w.arena, good.n);
        memcpy(bad, good.p, good.n);
        bad[i] ^= 1;
        tamper(3, (struct mln_str){bad, good.n});
        expect_broken(3);
    }
    tamper(3, good);
    int64_t entries, broken;
    assert_ok(mln_activity_verify(w.activity, &entries, &broken));
}

static void test_a_removed_entry_is_found_wherever_it_stood(void **state)
{
    (void)state;
    append_some();
    for (int64_t i = 1; i <= ENTRIES; i++) {
        struct mln_str good = stored(i);
        tamper(i, (struct mln_str){0});
        expect_broken(i);
        tamper(i, good);
    }
}

static void test_an_entry_put_in_or_moved_is_found(void **state)
{
    (void)state;
    append_some();
    tamper(ENTRIES + 1, stored(ENTRIES));
    expect_broken(ENTRIES + 1);
    tamper(ENTRIES + 1, (struct mln_str){0});
    struct mln_str second = stored(2), fourth = stored(4);
    tamper(2, fourth);
    tamper(4, second);
    expect_broken(2);
}

static void test_the_change_and_its_entry_are_one_commit(void **state)
{
    (void)state;
    struct mln_activity_entry entry = {.action = MLN_S("x/1"), .caller_name = MLN_S("alice")};
    struct mln_store_batch *batch = mln_store_batch_new();
    assert_ok(mln_store_put(batch, MLN_COLLECTION_DOCUMENTS, MLN_S("a"), MLN_S("{}")));
    assert_ok(mln_store_expect(batch, MLN_COLLECTION_DOCUMENTS, MLN_S("b"), 77));
    assert_fails(PRECONDITION, mln_activity_commit(w.activity, batch, &entry, NULL));
    char hash[MLN_SHA256_HEX];
    assert_int_equal(mln_activity_head(w.activity, hash), 0);
    append("x/1");
    int64_t entries, broken;
    assert_ok(mln_activity_verify(w.activity, &entries, &broken));
    assert_int_equal(entries, 1);
}

static void test_time_does_not_go_back_and_texts_are_cut(void **state)
{
    (void)state;
    static char huge[100000];
    memset(huge, 'x', sizeof huge);
    append("x/1");
    w.now_ms -= 100 * MINUTE_MS;
    struct mln_activity_entry entry = {
        .action = MLN_S("x/2"), .caller_name = MLN_S("alice"), .client_command = {huge, sizeof huge}};
    assert_ok(mln_activity_commit(w.activity, NULL, &entry, NULL));
    struct seen seen = {.most = 16};
    assert_ok(mln_activity_list(w.activity, w.now_ms + MINUTE_MS, INT64_MAX, INT64_MAX, see, &seen));
    assert_int_equal(seen.n, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_world(test_entries_are_listed_newest_first),
        in_world(test_an_intact_chain_is_verified_also_after_a_restart),
        in_world(test_every_changed_byte_is_found),
        in_world(test_a_removed_entry_is_found_wherever_it_stood),
        in_world(test_an_entry_put_in_or_moved_is_found),
        in_world(test_the_change_and_its_entry_are_one_commit),
        in_world(test_time_does_not_go_back_and_texts_are_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
