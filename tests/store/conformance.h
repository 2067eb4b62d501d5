/*
 * What every back end of a store must do, as one suite that a test runs over the back end's table of functions: it
 * calls conformance_run from main.
 */
#ifndef MLN_TESTS_STORE_CONFORMANCE_H
#define MLN_TESTS_STORE_CONFORMANCE_H

#include "store/store_test.h"

#include <pthread.h>
#include <stdatomic.h>

struct conformance_backend {
    const struct mln_store_ops *ops;
    const char *(*make_place)(void); /* a new, empty place; the text stays valid until remove_place */
    void (*remove_place)(void);
};

static const struct conformance_backend *backend;
static const char *place;
static struct mln_store *store;

static void reopen(void)
{
    mln_store_close(MLN_TAKE(store));
    assert_ok(mln_store_open(backend->ops, place, NULL, &store));
}

static int open_empty(void **state)
{
    (void)state;
    place = backend->make_place();
    assert_ok(mln_store_open(backend->ops, place, NULL, &store));
    return 0;
}

static int close_and_remove(void **state)
{
    (void)state;
    mln_store_close(MLN_TAKE(store));
    backend->remove_place();
    return 0;
}

static void put_all(const char *const *keys, size_t count)
{
    struct mln_store_batch *batch = new_batch();
    for (size_t i = 0; i < count; i++)
        assert_ok(mln_store_put(batch, ANY, mln_str_c(keys[i]), mln_str_c(keys[i])));
    assert_ok(mln_store_commit(store, batch, NULL));
}
#define PUT_ALL(...)                                                                                                   \
    put_all((const char *const[]){__VA_ARGS__}, sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

static uint64_t count_of(struct mln_store_read *read, struct mln_str prefix)
{
    uint64_t count = 99;
    assert_ok(mln_store_count(read, ANY, prefix, &count));
    return count;
}

/* ---- one entry ---- */

static void what_was_put_is_there(void **state)
{
    (void)state;
    assert_string_equal(value_now(store, "a"), "(absent)");
    int64_t revision = put(store, "a", "one"), read_revision = 0;
    assert_true(revision > 0);
    MLN_CLEANUP(mln_arena_free) struct mln_arena *arena = mln_arena_new(1000);
    MLN_CLEANUP(mln_store_read_end) struct mln_store_read *read = begin(store);
    struct mln_str value;
    assert_ok(mln_store_get(read, ANY, MLN_S("a"), arena, &value, &read_revision));
    assert_str(value, "one");
    assert_int_equal(read_revision, revision);
    assert_ok(mln_store_get(read, ANY, MLN_S("a"), NULL, NULL, &read_revision));
    assert_int_equal(read_revision, revision);
    assert_fails(NOT_FOUND, mln_store_get(read, ANY, MLN_S("b"), NULL, NULL, &read_revision));
    assert_fails(NOT_FOUND, mln_store_get(read, ANY, MLN_S(""), arena, &value, NULL));
}

static void collections_are_apart(void **state)
{
    (void)state;
    struct mln_store_batch *batch = new_batch();
    for (unsigned c = 0; c < MLN_COLLECTION_COUNT; c++)
        assert_ok(mln_store_put(batch, (enum mln_collection)c, MLN_S("key"),
                                mln_str_c(mln_collection_name((enum mln_collection)c))));
    assert_ok(mln_store_commit(store, batch, NULL));
    MLN_CLEANUP(mln_arena_free) struct mln_arena *arena = mln_arena_new(10000);
    MLN_CLEANUP(mln_store_read_end) struct mln_store_read *read = begin(store);
    for (unsigned c = 0; c < MLN_COLLECTION_COUNT; c++) {
        struct mln_str value;
        assert_ok(mln_store_get(read, (enum mln_collection)c, MLN_S("key"), arena, &value, NULL));
        assert_str(value, mln_collection_name((enum mln_collection)c));
    }
    struct mln_str value;
    assert_fails(INTERNAL, mln_store_get(read, MLN_COLLECTION_COUNT, MLN_S("key"), arena, &value, NULL));
}

static void each_batch_has_a_larger_revision(void **state)
{
    (void)state;
    int64_t last = 0;
    for (int i = 0; i < 10; i++) {
        int64_t revision = put(store, "a", "x");
        assert_true(revision > last);
        last = revision;
    }
    reopen();
    assert_true(put(store, "a", "x") > last);
    assert_ok(mln_store_commit(store, new_batch(), &last)); /* an empty batch is a batch */
}

static void what_was_committed_outlives_closing(void **state)
{
    (void)state;
    int64_t revision = put(store, "a", "one"), read_revision;
    reopen();
    MLN_CLEANUP(mln_store_read_end) struct mln_store_read *read = begin(store);
    assert_string_equal(value_in(read, "a"), "one");
    assert_ok(mln_store_get(read, ANY, MLN_S("a"), NULL, NULL, &read_revision));
    assert_int_equal(read_revision, revision);
}

static void keys_and_values_are_any_bytes(void **state)
{
    (void)state;
    static const char bytes[] = {'\0', 'a', '\0', (char)0xff, '\'', '"', ';', '%', '\n', (char)0x80};
    struct mln_str keys[] = {{bytes, 1}, {bytes, 2}, {bytes, 3}, {bytes, 10}, {bytes + 3, 1}, {bytes + 9, 1}};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        struct mln_store_batch *batch = new_batch();
        assert_ok(mln_store_put(batch, ANY, keys[i], keys[i]));
        assert_ok(mln_store_commit(store, batch, NULL));
    }
    MLN_CLEANUP(mln_arena_free) struct mln_arena *arena = mln_arena_new(10000);
    MLN_CLEANUP(mln_store_read_end) struct mln_store_read *read = begin(store);
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        struct mln_str value;
        assert_ok(mln_store_get(read, ANY, keys[i], arena, &value, NULL));
        assert_true(mln_str_eq(value, keys[i]));
    }
    assert_int_equal(count_of(read, (struct mln_str){bytes, 1}), 4);
    assert_int_equal(count_of(read, (struct mln_str){bytes + 3, 1}), 1);
}

static void the_largest_key_and_value_fit(void **state)
{
    (void)state;
    char *bytes = malloc(MLN_STORE_MAX_VALUE_BYTES);
    assert_non_null(bytes);
    for (size_t i = 0; i < MLN_STORE_MAX_VALUE_BYTES; i++)
        bytes[i] = (char)(i * 2654435761u >> 24);
    memset(bytes, 0xff, MLN_STORE_MAX_KEY_BYTES); /* the largest of all keys, too */
    struct mln_str key = {bytes, MLN_STORE_MAX_KEY_BYTES}, value = {bytes, MLN_STORE_MAX_VALUE_BYTES}, got;
    struct mln_store_batch *batch = new_batch();
    assert_ok(mln_store_put(batch, ANY, key, value));
    assert_ok(mln_store_commit(store, batch, NULL));
    reopen();
    MLN_CLEANUP(mln_arena_free) struct mln_arena *arena = mln_arena_new(MLN_STORE_MAX_VALUE_BYTES + 100);
    MLN_CLEANUP(mln_store_read_end) struct mln_store_read *read = begin(store);
    assert_ok(mln_store_get(read, ANY, key, arena, &got, NULL));
    assert_true(mln_str_eq(got, value));
    /* A second time it is too much for the arena's budget. */
    assert_fails(LIMIT, mln_store_get(read, ANY, key, arena, &got, NULL));
    assert_int_equal(count_of(read, key), 1);
    MLN_BUF_CLEANUP struct mln_buf joined = MLN_BUF(MLN_STORE_MAX_KEY_BYTES);
    assert_ok(mln_store_scan(read, ANY, &(struct mln_store_scan){.backwards = true}, join_key, &joined));
    assert_true(mln_str_eq(mln_buf_str(&joined), key));
    joined.n = 0;
    assert_ok(mln_store_scan(read, ANY, &(struct mln_store_scan){.after = key}, join_key, &joined));
    assert_int_equal(joined.n, 0);
    free(bytes);
}

static void an_empty_value_is_not_absence(void **state)
{
    (void)state;
    put(store, "a", "");
    assert_string_equal(value_now(store, "a"), "");
}

/* ---- scans ---- */

static void keys_come_in_byte_order(void **state)
{
    (void)state;
    PUT_ALL("b", "a", "B", "ab", "a/b", "aa", "\xff", "\x01", "a\xc3\xa9");
    MLN_CLEANUP(mln_store_read_end) struct mln_store_read *read = begin(store);
    assert_string_equal(keys_in(read, (struct mln_store_scan){0}), "\x01 B a a/b aa ab a\xc3\xa9 b \xff");
    assert_string_equal(keys_in(read, (struct mln_store_scan){.backwards = true}),
                        "\xff b a\xc3\xa9 ab aa a/b a B \x01");
}

static void a_prefix_narrows(void **state)
{
    (void)state;
    PUT_ALL("a", "a/1", "a/2", "a/2/x", "a0", "b", "\xff", "\xff\xff", "\xff\xff\x01");
    MLN_CLEANUP(mln_store_read_end) struct mln_store_read *read = begin(store);
    assert_string_equal(keys_in(read, (struct mln_store_scan){.prefix = MLN_S("a/")}), "a/1 a/2 a/2/x");
    assert_string_equal(keys_in(read, (struct mln_store_scan){.prefix = MLN_S("a/"), .backwards = true}),
                        "a/2/x a/2 a/1");
    assert_string_equal(keys_in(read, (struct mln_store_scan){.prefix = MLN_S("\xff\xff")}), "\xff\xff \xff\xff\x01");
    assert_string_equal(keys_in(read, (struct mln_store_scan){.prefix = MLN_S("c")}), "");
    assert_int_equal(count_of(read, MLN_S("a/")), 3);
    assert_int_equal(count_of(read, MLN_S("")), 9);
    assert_int_equal(count_of(read, MLN_S("\xff")), 3);
}

static void after_is_where_a_page_goes_on(void **state)
{
    (void)state;
    PUT_ALL("a/1", "a/2", "a/3", "b/1");
    MLN_CLEANUP(mln_store_read_end) struct mln_store_read *read = begin(store);
    struct mln_store_scan scan = {.prefix = MLN_S("a/"), .after = MLN_S("a/1")};
    assert_string_equal(keys_in(read, scan), "a/2 a/3");
    scan.after = MLN_S("a/1x"); /* need not be there */
    assert_string_equal(keys_in(read, scan), "a/2 a/3");
    scan.after = MLN_S("a/3");
    assert_string_equal(keys_in(read, scan), "");
    scan.after = MLN_S("b/1"); /* outside of the prefix */
    assert_string_equal(keys_in(read, scan), "");
    scan.after = MLN_S("A");
    assert_string_equal(keys_in(read, scan), "a/1 a/2 a/3");
    scan.backwards = true;
    assert_string_equal(keys_in(read, scan), "");
    scan.after = MLN_S("a/3");
    assert_string_equal(keys_in(read, scan), "a/2 a/1");
    scan.after = MLN_S("z");
    assert_string_equal(keys_in(read, scan), "a/3 a/2 a/1");
    static const char too_long[MLN_STORE_MAX_KEY_BYTES + 1];
    scan.after = (struct mln_str){too_long, sizeof too_long};
    assert_fails(LIMIT, mln_store_scan(read, ANY, &scan, join_key, NULL));
    scan = (struct mln_store_scan){.prefix = {too_long, sizeof too_long}};
    assert_string_equal(keys_in(read, scan), "");
    assert_int_equal(count_of(read, scan.prefix), 0);
}

static void a_limit_ends_a_page(void **state)
{
    (void)state;
    PUT_ALL("a", "b", "c", "d");
    MLN_CLEANUP(mln_store_read_end) struct mln_store_read *read = begin(store);
    assert_string_equal(keys_in(read, (struct mln_store_scan){.limit = 2}), "a b");
    assert_string_equal(keys_in(read, (struct mln_store_scan){.limit = 2, .after = MLN_S("b")}), "c d");
    assert_string_equal(keys_in(read, (struct mln_store_scan){.limit = 3, .backwards = true}), "d c b");
    assert_string_equal(keys_in(read, (struct mln_store_scan){.limit = SIZE_MAX}), "a b c d");
}

struct visits {
    int seen, stop_at, fail_at;
    struct mln_store_read *read; /* also scans and gets inside, where set */
};

static struct mln_result visit_some(void *context, struct mln_str key, struct mln_str value, int64_t revision,
                                    bool *stop)
{
    struct visits *visits = context;
    assert_true(revision > 0);
    assert_true(mln_str_eq(key, value));
    visits->seen++;
    if (visits->read) {
        assert_string_equal(keys_in(visits->read, (struct mln_store_scan){0}), "a b c");
        assert_string_equal(value_in(visits->read, "b"), "b");
        assert_int_equal(count_of(visits->read, MLN_S("")), 3);
    }
    *stop = visits->seen == visits->stop_at;
    return visits->seen == visits->fail_at ? mln_fail(MLN_E_FORBIDDEN, "enough") : MLN_OK;
}

static void a_visit_can_end_the_scan(void **state)
{
    (void)state;
    PUT_ALL("a", "b", "c");
    MLN_CLEANUP(mln_store_read_end) struct mln_store_read *read = begin(store);
    struct visits stops = {.stop_at = 2}, fails = {.fail_at = 2};
    assert_ok(mln_store_scan(read, ANY, &(struct mln_store_scan){0}, visit_some, &stops));
    assert_int_equal(stops.seen, 2);
    assert_fails(FORBIDDEN, mln_store_scan(read, ANY, &(struct mln_store_scan){0}, visit_some, &fails));
    assert_int_equal(fails.seen, 2);
    assert_string_equal(keys_in(read, (struct mln_store_scan){0}), "a b c");
}

static void a_visit_may_read(void **state)
{
    (void)state;
    PUT_ALL("a", "b", "c");
    MLN_CLEANUP(mln_store_read_end) struct mln_store_read *read = begin(store);
    struct visits visits = {.read = read};
    assert_ok(mln_store_scan(read, ANY, &(struct mln_store_scan){0}, visit_some, &visits));
    assert_int_equal(visits.seen, 3);
}

/* ---- batches ---- */

static void changes_of_a_batch_apply_in_order(void **state)
{
    (void)state;
    PUT_ALL("a", "b", "c");
    struct mln_store_batch *batch = new_batch();
    assert_ok(mln_store_put(batch, ANY, MLN_S("d"), MLN_S("1")));
    assert_ok(mln_store_delete_range(batch, ANY, MLN_S("b"), MLN_S("e")));
    assert_ok(mln_store_put(batch, ANY, MLN_S("c"), MLN_S("2")));
    assert_ok(mln_store_put(batch, ANY, MLN_S("c"), MLN_S("3")));
    assert_ok(mln_store_delete(batch, ANY, MLN_S("a")));
    assert_ok(mln_store_delete(batch, ANY, MLN_S("never there")));
    assert_ok(mln_store_commit(store, batch, NULL));
    MLN_CLEANUP(mln_store_read_end) struct mln_store_read *read = begin(store);
    assert_string_equal(keys_in(read, (struct mln_store_scan){0}), "c");
    assert_string_equal(value_in(read, "c"), "3");
}

static void a_range_is_deleted_from_and_up_to(void **state)
{
    (void)state;
    PUT_ALL("a", "b", "bb", "c", "d", "e");
    struct mln_store_batch *batch = new_batch();
    assert_ok(mln_store_delete_range(batch, ANY, MLN_S("b"), MLN_S("c")));
    assert_ok(mln_store_delete_range(batch, ANY, MLN_S("d"), MLN_S("d")));
    assert_ok(mln_store_delete_range(batch, ANY, MLN_S("z"), MLN_S("a")));
    assert_ok(mln_store_delete_range(batch, ANY, MLN_S("a"), MLN_S("")));
    assert_ok(mln_store_commit(store, batch, NULL));
    struct mln_store_read *read = begin(store);
    assert_string_equal(keys_in(read, (struct mln_store_scan){0}), "a c d e");
    mln_store_read_end(read);
    batch = new_batch();
    assert_ok(mln_store_delete_range(batch, ANY, MLN_S("d"), (struct mln_str){0}));
    assert_ok(mln_store_commit(store, batch, NULL));
    read = begin(store);
    assert_string_equal(keys_in(read, (struct mln_store_scan){0}), "a c");
    mln_store_read_end(read);
}

static struct mln_result commit_if(const char *key, int64_t revision, const char *value)
{
    struct mln_store_batch *batch = putting(key, value);
    assert_ok(mln_store_put(batch, ANY, MLN_S("other"), mln_str_c(value)));
    assert_ok(mln_store_expect(batch, ANY, mln_str_c(key), revision));
    return mln_store_commit(store, batch, NULL);
}

static void an_expectation_guards_the_whole_batch(void **state)
{
    (void)state;
    assert_ok(commit_if("a", 0, "first"));
    assert_fails(PRECONDITION, commit_if("a", 0, "second"));
    assert_string_equal(value_now(store, "a"), "first");
    assert_string_equal(value_now(store, "other"), "first");
    int64_t revision = put(store, "a", "third");
    assert_fails(PRECONDITION, commit_if("a", revision - 1, "fourth"));
    assert_fails(PRECONDITION, commit_if("b", revision, "fourth"));
    assert_ok(commit_if("a", revision, "fifth"));
    assert_string_equal(value_now(store, "a"), "fifth");
    assert_string_equal(value_now(store, "b"), "(absent)");
}

/* Waiting together, so that a back end that groups them has them in one commit. */
static void batches_of_a_group_see_the_ones_before(void **state)
{
    (void)state;
    enum { COUNT = 40 };
    struct mln_store_ticket *tickets[COUNT];
    for (int i = 0; i < COUNT; i++) {
        struct mln_store_batch *batch = putting("a", "x");
        assert_ok(mln_store_expect(batch, ANY, MLN_S("a"), 0));
        assert_ok(mln_store_submit(store, batch, &tickets[i]));
    }
    int64_t revision = 0;
    assert_ok(mln_store_wait(tickets[0], &revision));
    for (int i = 1; i < COUNT; i++)
        assert_fails(PRECONDITION, mln_store_wait(tickets[i], NULL));
    assert_ok(commit_if("a", revision, "y"));
}

static void submitted_first_is_applied_first(void **state)
{
    (void)state;
    enum { COUNT = 200 };
    struct mln_store_ticket *tickets[COUNT];
    char text[16];
    for (int i = 0; i < COUNT; i++) {
        snprintf(text, sizeof text, "%d", i);
        assert_ok(mln_store_submit(store, putting("a", text), &tickets[i]));
    }
    int64_t last = 0, revision = 0;
    for (int i = 0; i < COUNT; i++) {
        assert_ok(mln_store_wait(tickets[i], &revision));
        assert_true(revision > last);
        last = revision;
    }
    assert_string_equal(value_now(store, "a"), "199");
}

static void closing_keeps_what_was_submitted(void **state)
{
    (void)state;
    enum { COUNT = 100 };
    struct mln_store_ticket *tickets[COUNT];
    char key[16];
    for (int i = 0; i < COUNT; i++) {
        snprintf(key, sizeof key, "%03d", i);
        assert_ok(mln_store_submit(store, putting(key, "x"), &tickets[i]));
    }
    reopen();
    for (int i = 0; i < COUNT; i++)
        assert_ok(mln_store_wait(tickets[i], NULL));
    MLN_CLEANUP(mln_store_read_end) struct mln_store_read *read = begin(store);
    assert_int_equal(count_of(read, MLN_S("")), COUNT);
}

/* ---- moments ---- */

static void a_moment_does_not_move(void **state)
{
    (void)state;
    put(store, "a", "before");
    struct mln_store_read *early = begin(store);
    put(store, "a", "after");
    put(store, "b", "after");
    struct mln_store_read *late = begin(store);
    assert_string_equal(value_in(early, "a"), "before");
    assert_string_equal(keys_in(early, (struct mln_store_scan){0}), "a");
    assert_int_equal(count_of(early, MLN_S("")), 1);
    assert_string_equal(value_in(late, "a"), "after");
    assert_string_equal(keys_in(late, (struct mln_store_scan){0}), "a b");
    struct mln_store_stats stats;
    mln_store_stats(store, &stats);
    assert_int_equal(stats.readers, 2);
    mln_store_read_end(early);
    mln_store_read_end(late);
    mln_store_stats(store, &stats);
    assert_int_equal(stats.readers, 0);
    assert_true(stats.size_bytes > 0);
}

static void the_number_of_moments_is_bounded(void **state)
{
    (void)state;
    mln_store_close(MLN_TAKE(store));
    struct mln_store_options options = {.readers = 2, .reader_wait_ms = 20};
    assert_ok(mln_store_open(backend->ops, place, &options, &store));
    struct mln_store_read *first = begin(store), *second = begin(store), *third = NULL;
    assert_fails(BUSY, mln_store_read_begin(store, &third));
    assert_null(third);
    mln_store_read_end(first);
    third = begin(store);
    mln_store_read_end(second);
    mln_store_read_end(third);
}

static void a_backup_is_a_store(void **state)
{
    (void)state;
    int64_t revision = put(store, "a", "one"), read_revision;
    char copy[512];
    snprintf(copy, sizeof copy, "%s.copy", place);
    assert_ok(mln_store_backup(store, copy));
    put(store, "a", "two");
    assert_fails(CONFLICT, mln_store_backup(store, copy));

    struct mln_store *restored = NULL;
    assert_ok(mln_store_open(backend->ops, copy, NULL, &restored));
    struct mln_store_read *read = begin(restored);
    assert_string_equal(value_in(read, "a"), "one");
    assert_ok(mln_store_get(read, ANY, MLN_S("a"), NULL, NULL, &read_revision));
    assert_int_equal(read_revision, revision);
    mln_store_read_end(read);
    assert_true(put(restored, "b", "x") > revision);
    mln_store_close(restored);
}

#include "store/conformance_model.h"
#include "store/conformance_threads.h"

static int conformance_run(const struct conformance_backend *tested)
{
    backend = tested;
#define ON_EMPTY(test) cmocka_unit_test_setup_teardown(test, open_empty, close_and_remove)
    const struct CMUnitTest tests[] = {
        ON_EMPTY(what_was_put_is_there),
        ON_EMPTY(collections_are_apart),
        ON_EMPTY(each_batch_has_a_larger_revision),
        ON_EMPTY(what_was_committed_outlives_closing),
        ON_EMPTY(keys_and_values_are_any_bytes),
        ON_EMPTY(the_largest_key_and_value_fit),
        ON_EMPTY(an_empty_value_is_not_absence),
        ON_EMPTY(keys_come_in_byte_order),
        ON_EMPTY(a_prefix_narrows),
        ON_EMPTY(after_is_where_a_page_goes_on),
        ON_EMPTY(a_limit_ends_a_page),
        ON_EMPTY(a_visit_can_end_the_scan),
        ON_EMPTY(a_visit_may_read),
        ON_EMPTY(changes_of_a_batch_apply_in_order),
        ON_EMPTY(a_range_is_deleted_from_and_up_to),
        ON_EMPTY(an_expectation_guards_the_whole_batch),
        ON_EMPTY(batches_of_a_group_see_the_ones_before),
        ON_EMPTY(submitted_first_is_applied_first),
        ON_EMPTY(closing_keeps_what_was_submitted),
        ON_EMPTY(a_moment_does_not_move),
        ON_EMPTY(the_number_of_moments_is_bounded),
        ON_EMPTY(a_backup_is_a_store),
        ON_EMPTY(it_behaves_like_a_sorted_list),
        ON_EMPTY(no_update_is_lost_between_threads),
        ON_EMPTY(readers_never_see_half_a_batch),
        ON_EMPTY(waiters_may_outlive_the_store),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#endif
