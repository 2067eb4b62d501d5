/* The write-ahead log stays short, whatever readers do. */
#include "stores/sqlite_test.h"

/* Writes about this much more into the log. */
static struct mln_result write_more(struct mln_store *store, size_t bytes)
{
    static int times; /* SQLite does not write again what is there already */
    char *filler = malloc(bytes);
    assert_non_null(filler);
    memset(filler, ++times, bytes);
    struct mln_store_batch *batch = new_batch();
    assert_ok(mln_store_put(batch, ANY, MLN_S("filler"), (struct mln_str){filler, bytes}));
    free(filler);
    return mln_store_commit(store, batch, NULL);
}

enum { MIB = 1 << 20 };

static uint64_t log_bytes(struct mln_store *store)
{
    struct mln_store_stats stats;
    mln_store_stats(store, &stats);
    return stats.log_bytes;
}

static void it_begins_anew_when_nobody_reads(void **state)
{
    (void)state;
    struct mln_store *store = open_store(NULL);
    for (int i = 0; i < 20; i++)
        assert_ok(write_more(store, 2 * MIB));
    assert_true(log_bytes(store) < 16 * MIB);
    struct mln_store_stats stats;
    mln_store_stats(store, &stats);
    assert_int_equal(stats.log_failures, 0);
    assert_int_equal(stats.revoked, 0);
    mln_store_close(store);
}

static void it_is_emptied_when_nothing_is_written(void **state)
{
    (void)state;
    struct mln_store *store = open_store(NULL);
    struct mln_store_read *read = begin(store);
    put(store, "a", "1");
    assert_true(log_bytes(store) > 0);
    usleep(1500000); /* a reader is in the way of the first attempt */
    mln_store_read_end(read);
    while (log_bytes(store) > 0)
        usleep(10000);
    assert_string_equal(value_now(store, "a"), "1");
    mln_store_close(store);
}

static void who_holds_a_moment_too_long_loses_it(void **state)
{
    (void)state;
    struct mln_store *store = open_store(&(struct mln_store_options){.log_limit_bytes = 6 * MIB});
    put(store, "a", "1");
    struct mln_store_read *read = begin(store);
    assert_ok(write_more(store, 5 * MIB));
    assert_string_equal(value_in(read, "a"), "1"); /* below the limit nothing happens */
    for (int i = 0; i < 4; i++)
        assert_ok(write_more(store, 5 * MIB));
    struct mln_str value;
    uint64_t count;
    assert_fails(BUSY, mln_store_get(read, ANY, MLN_S("a"), NULL, &value, NULL));
    assert_error_has("held so long");
    assert_fails(BUSY, mln_store_scan(read, ANY, &(struct mln_store_scan){0}, join_key, NULL));
    assert_fails(BUSY, mln_store_count(read, ANY, MLN_S(""), &count));
    mln_store_read_end(read);
    struct mln_store_stats stats;
    mln_store_stats(store, &stats);
    assert_int_equal(stats.revoked, 1);
    assert_int_equal(stats.readers, 0);
    assert_true(stats.log_bytes < 12 * MIB);
    assert_string_equal(value_now(store, "a"), "1"); /* the reader's place can be used again */
    mln_store_close(store);
}

struct slow_visit {
    struct mln_store *store;
    int seen, committed;
    bool refused;
};

/* Writes so much during one visit that the log reaches its second limit. */
static struct mln_result visit_slowly(void *context, struct mln_str key, struct mln_str value, int64_t revision,
                                      bool *stop)
{
    (void)key, (void)value, (void)revision, (void)stop;
    struct slow_visit *slow = context;
    slow->seen++;
    for (int i = 0; i < 10 && !slow->refused; i++) {
        struct mln_result r = write_more(slow->store, 5 * MIB);
        slow->committed += mln_ok(r);
        slow->refused = r.code == MLN_E_BUSY;
    }
    return MLN_OK;
}

static void who_is_inside_a_scan_cannot_make_it_grow_for_ever(void **state)
{
    (void)state;
    struct mln_store *store = open_store(&(struct mln_store_options){.log_limit_bytes = 6 * MIB});
    put(store, "a", "1");
    put(store, "b", "1");
    struct mln_store_read *read = begin(store);
    struct slow_visit slow = {.store = store};
    assert_fails(BUSY, mln_store_scan(read, ANY, &(struct mln_store_scan){0}, visit_slowly, &slow));
    assert_int_equal(slow.seen, 1);
    assert_true(slow.refused);
    assert_true(slow.committed >= 2 && slow.committed < 5);
    assert_true(log_bytes(store) < 20 * MIB);
    /* The scan has ended its moment on the way out: writing goes on, though the reader is still there. */
    assert_ok(write_more(store, 5 * MIB));
    mln_store_read_end(read);
    mln_store_close(store);
}

int main(void)
{
#define IN_DIRECTORY(test) cmocka_unit_test_setup_teardown(test, a_directory, no_directory)
    const struct CMUnitTest tests[] = {
        IN_DIRECTORY(it_begins_anew_when_nobody_reads),
        IN_DIRECTORY(it_is_emptied_when_nothing_is_written),
        IN_DIRECTORY(who_holds_a_moment_too_long_loses_it),
        IN_DIRECTORY(who_is_inside_a_scan_cannot_make_it_grow_for_ever),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
