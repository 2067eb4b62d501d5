/* The writer thread, over a back end that tells what it was asked to do, and waits or fails as a test wants. */
#include "store/store_test.h"

#include <semaphore.h>

/* The back end. A batch is known by the key of its first change. */
static struct {
    sem_t entered, may_go; /* an apply has begun; it may go on */
    bool gated;
    enum mln_code poison; /* what a group fails with that has a batch named "poison" */
    char log[4096];       /* "[a][b c]": the groups */
    int64_t revision;
    sem_t idle;
    int idle_wanted;
    bool closed;
} fake;

static void log_group(const struct mln_store_work *work, size_t count)
{
    size_t n = strlen(fake.log);
    for (size_t i = 0; i < count; i++)
        n += (size_t)snprintf(fake.log + n, sizeof fake.log - n, "%s%.*s", i ? " " : "[",
                              MLN_FMT(work[i].changes[0].key));
    snprintf(fake.log + n, sizeof fake.log - n, "]");
}

static struct mln_result fake_apply(void *database, struct mln_store_work *work, size_t count)
{
    assert_ptr_equal(database, &fake);
    sem_post(&fake.entered);
    if (fake.gated)
        sem_wait(&fake.may_go);
    log_group(work, count);
    for (size_t i = 0; i < count; i++)
        if (mln_str_eq(work[i].changes[0].key, MLN_S("poison")))
            return mln_fail(fake.poison, "poisoned");
    for (size_t i = 0; i < count; i++)
        if (work[i].expectation_count)
            mln_store_work_fail(&work[i], mln_fail(MLN_E_PRECONDITION, "not as expected"));
        else
            work[i].revision = ++fake.revision;
    return MLN_OK;
}

static bool fake_idle(void *database)
{
    (void)database;
    sem_post(&fake.idle);
    return --fake.idle_wanted > 0;
}

static struct mln_result fake_open(const char *rest, const struct mln_store_options *options, void **database)
{
    if (strcmp(rest, "fails") == 0)
        return mln_fail(MLN_E_IO, "no such disk");
    assert_true(options->readers > 0 && options->log_limit_bytes > 0 && options->reader_wait_ms > 0);
    *database = &fake;
    return MLN_OK;
}

static void fake_close(void *database)
{
    (void)database;
    fake.closed = true;
}

static void fake_stats(void *database, struct mln_store_stats *stats)
{
    (void)database;
    stats->size_bytes = 42;
}

static const struct mln_store_ops fake_ops = {
    .scheme = "fake",
    .open = fake_open,
    .close = fake_close,
    .apply = fake_apply,
    .idle = fake_idle,
    .stats = fake_stats,
};

static int a_back_end(void **state)
{
    (void)state;
    memset(&fake, 0, sizeof fake);
    sem_init(&fake.entered, 0, 0);
    sem_init(&fake.may_go, 0, 0);
    sem_init(&fake.idle, 0, 0);
    return 0;
}

static struct mln_store *store_with(struct mln_store_options options)
{
    struct mln_store *store = NULL;
    assert_ok(mln_store_open(&fake_ops, "", &options, &store));
    return store;
}

static struct mln_store_ticket *submit(struct mln_store *store, const char *name)
{
    struct mln_store_ticket *ticket = NULL;
    assert_ok(mln_store_submit(store, putting(name, ""), &ticket));
    return ticket;
}

/* Submits and waits until the writer is at the gate with it: what is submitted next queues up behind. */
static struct mln_store_ticket *hold_writer(struct mln_store *store, const char *name)
{
    fake.gated = true;
    struct mln_store_ticket *ticket = submit(store, name);
    sem_wait(&fake.entered);
    return ticket;
}

static void release_writer(void)
{
    for (int i = 0; i < 64; i++)
        sem_post(&fake.may_go);
}

/* Submits all names behind a first, "a", lets the writer go and gives the groups it made. */
static const char *groups_of(struct mln_store_options options, const char *const *names, size_t count)
{
    struct mln_store_ticket *tickets[16], *first;
    struct mln_store *store = store_with(options);
    first = hold_writer(store, "a");
    for (size_t i = 0; i < count; i++)
        tickets[i] = submit(store, names[i]);
    release_writer();
    assert_ok(mln_store_wait(first, NULL));
    for (size_t i = 0; i < count; i++)
        assert_ok(mln_store_wait(tickets[i], NULL));
    mln_store_close(store);
    return fake.log;
}

static const char *const waiting[] = {"b", "c", "d"};

static void what_waits_goes_into_one_commit_in_order(void **state)
{
    (void)state;
    assert_string_equal(groups_of((struct mln_store_options){0}, waiting, 3), "[a][b c d]");
}

static void a_group_has_a_limit_of_batches(void **state)
{
    (void)state;
    assert_string_equal(groups_of((struct mln_store_options){.group_batches = 2}, waiting, 3), "[a][b c][d]");
}

static void a_group_has_a_limit_of_bytes(void **state)
{
    (void)state;
    assert_string_equal(groups_of((struct mln_store_options){.group_bytes = 1}, waiting, 3), "[a][b][c][d]");
}

static void revisions_and_counts_come_back(void **state)
{
    (void)state;
    struct mln_store *store = store_with((struct mln_store_options){0});
    assert_int_equal(put(store, "a", ""), 1);
    assert_int_equal(put(store, "b", ""), 2);
    struct mln_store_stats stats;
    mln_store_stats(store, &stats);
    assert_int_equal(stats.batches, 2);
    assert_int_equal(stats.commits, 2);
    assert_int_equal(stats.failed, 0);
    assert_int_equal(stats.waiting, 0);
    assert_int_equal(stats.waiting_bytes, 0);
    assert_int_equal(stats.size_bytes, 42);
    mln_store_close(store);
    assert_true(fake.closed);
}

static void one_failed_expectation_hurts_nobody_else(void **state)
{
    (void)state;
    struct mln_store *store = store_with((struct mln_store_options){0});
    struct mln_store_ticket *first = hold_writer(store, "a"), *second, *third;
    struct mln_store_batch *batch = putting("b", "");
    assert_ok(mln_store_expect(batch, ANY, MLN_S("b"), 5));
    assert_ok(mln_store_submit(store, batch, &second));
    third = submit(store, "c");
    release_writer();
    assert_ok(mln_store_wait(first, NULL));
    int64_t revision = -1;
    assert_fails(PRECONDITION, mln_store_wait(second, &revision));
    assert_string_equal(mln_error_text(), "not as expected");
    assert_int_equal(revision, -1);
    assert_ok(mln_store_wait(third, &revision));
    assert_int_equal(revision, 2);
    assert_string_equal(fake.log, "[a][b c]");
    mln_store_close(store);
}

static void submit_three_with_poison(struct mln_store *store, struct mln_store_ticket **tickets)
{
    struct mln_store_ticket *first = hold_writer(store, "a");
    tickets[0] = submit(store, "b");
    tickets[1] = submit(store, "poison");
    tickets[2] = submit(store, "c");
    release_writer();
    assert_ok(mln_store_wait(first, NULL));
}

static void batches_of_a_failed_group_are_tried_alone(void **state)
{
    (void)state;
    struct mln_store *store = store_with((struct mln_store_options){0});
    struct mln_store_ticket *tickets[3];
    fake.poison = MLN_E_FULL;
    submit_three_with_poison(store, tickets);
    assert_ok(mln_store_wait(tickets[0], NULL));
    assert_fails(FULL, mln_store_wait(tickets[1], NULL));
    assert_string_equal(mln_error_text(), "poisoned");
    assert_ok(mln_store_wait(tickets[2], NULL));
    assert_string_equal(fake.log, "[a][b poison c][b][poison][c]");
    struct mln_store_stats stats;
    mln_store_stats(store, &stats);
    assert_int_equal(stats.commits, 3);
    assert_int_equal(stats.failed, 1);
    mln_store_close(store);
}

static void a_broken_disk_fails_the_whole_group_at_once(void **state)
{
    (void)state;
    struct mln_store *store = store_with((struct mln_store_options){0});
    struct mln_store_ticket *tickets[3];
    fake.poison = MLN_E_IO;
    submit_three_with_poison(store, tickets);
    for (int i = 0; i < 3; i++)
        assert_fails(IO, mln_store_wait(tickets[i], NULL));
    assert_string_equal(fake.log, "[a][b poison c]");
    assert_int_equal(put(store, "d", ""), 2);
    mln_store_close(store);
}

static void a_full_queue_says_busy(void **state)
{
    (void)state;
    struct mln_store *store = store_with((struct mln_store_options){.queue_batches = 1});
    struct mln_store_ticket *first = hold_writer(store, "a"), *second = submit(store, "b"), *third = NULL;
    assert_fails(BUSY, mln_store_submit(store, putting("c", ""), &third));
    assert_null(third);
    struct mln_store_stats stats;
    mln_store_stats(store, &stats);
    assert_int_equal(stats.waiting, 2);
    assert_int_equal(stats.batches, 2);
    release_writer();
    assert_ok(mln_store_wait(first, NULL));
    assert_ok(mln_store_wait(second, NULL));
    put(store, "c", "");
    mln_store_close(store);
}

static void too_many_bytes_waiting_say_busy(void **state)
{
    (void)state;
    struct mln_store *store = store_with((struct mln_store_options){.queue_bytes = 100});
    /* Alone, a batch is let in whatever its size. */
    char large[200];
    memset(large, 'x', sizeof large - 1);
    large[sizeof large - 1] = '\0';
    struct mln_store_ticket *first = hold_writer(store, large), *second = NULL;
    assert_fails(BUSY, mln_store_submit(store, putting("b", ""), &second));
    release_writer();
    assert_ok(mln_store_wait(first, NULL));
    put(store, "b", "");
    mln_store_close(store);
}

static void closing_finishes_what_was_submitted(void **state)
{
    (void)state;
    struct mln_store *store = store_with((struct mln_store_options){.group_batches = 2});
    struct mln_store_ticket *tickets[9];
    tickets[0] = hold_writer(store, "a");
    for (int i = 1; i < 9; i++)
        tickets[i] = submit(store, "b");
    release_writer();
    mln_store_close(store);
    assert_true(fake.closed);
    for (int i = 0; i < 9; i++) {
        int64_t revision = 0;
        assert_ok(mln_store_wait(tickets[i], &revision));
        assert_int_equal(revision, i + 1);
    }
}

static void housekeeping_goes_on_while_it_is_wanted(void **state)
{
    (void)state;
    fake.idle_wanted = 2;
    struct mln_store *store = store_with((struct mln_store_options){0});
    sem_wait(&fake.idle);
    sem_wait(&fake.idle);
    mln_store_close(store);
    assert_int_equal(fake.idle_wanted, 0);
}

static void a_back_end_that_does_not_open_is_told(void **state)
{
    (void)state;
    struct mln_store *store = NULL;
    assert_fails(IO, mln_store_open(&fake_ops, "fails", NULL, &store));
    assert_string_equal(mln_error_text(), "no such disk");
    assert_null(store);
}

int main(void)
{
#define WITH_BACK_END(test) cmocka_unit_test_setup(test, a_back_end)
    const struct CMUnitTest tests[] = {
        WITH_BACK_END(what_waits_goes_into_one_commit_in_order),
        WITH_BACK_END(a_group_has_a_limit_of_batches),
        WITH_BACK_END(a_group_has_a_limit_of_bytes),
        WITH_BACK_END(revisions_and_counts_come_back),
        WITH_BACK_END(one_failed_expectation_hurts_nobody_else),
        WITH_BACK_END(batches_of_a_failed_group_are_tried_alone),
        WITH_BACK_END(a_broken_disk_fails_the_whole_group_at_once),
        WITH_BACK_END(a_full_queue_says_busy),
        WITH_BACK_END(too_many_bytes_waiting_say_busy),
        WITH_BACK_END(closing_finishes_what_was_submitted),
        WITH_BACK_END(housekeeping_goes_on_while_it_is_wanted),
        WITH_BACK_END(a_back_end_that_does_not_open_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
