/* What a back end must do between threads. Part of conformance.h; run under the thread sanitizer too. */
#ifndef MLN_TESTS_STORE_CONFORMANCE_THREADS_H
#define MLN_TESTS_STORE_CONFORMANCE_THREADS_H

enum { THREADS = 4, ROUNDS = 50, KEYS = 8 };

/* cmocka's assertions are for the main thread: a thread counts what went wrong. */
static atomic_int wrong;

static void run_threads(void *(*run)(void *number), int count)
{
    static int numbers[2 * THREADS] = {0, 1, 2, 3, 4, 5, 6, 7};
    pthread_t threads[2 * THREADS];
    atomic_store(&wrong, 0);
    for (int i = 0; i < count; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, run, &numbers[i]), 0);
    for (int i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(atomic_load(&wrong), 0);
}

/* Reads the counter and its revision; absent is 0 of revision 0. */
static struct mln_result read_counter(uint32_t *counter, int64_t *revision)
{
    MLN_CLEANUP(mln_arena_free) struct mln_arena *arena = mln_arena_new(1000);
    MLN_CLEANUP(mln_store_read_end) struct mln_store_read *read = NULL;
    MLN_TRY(mln_store_read_begin(store, &read));
    struct mln_str value;
    *counter = 0;
    *revision = 0;
    struct mln_result r = mln_store_get(read, ANY, MLN_S("counter"), arena, &value, revision);
    if (mln_ok(r))
        memcpy(counter, value.p, sizeof *counter);
    return r.code == MLN_E_NOT_FOUND ? MLN_OK : r;
}

static struct mln_result raise_counter(void)
{
    uint32_t counter;
    int64_t revision;
    MLN_TRY(read_counter(&counter, &revision));
    counter++;
    struct mln_store_batch *batch = mln_store_batch_new();
    if (!batch)
        return mln_fail(MLN_E_MEMORY, "no batch");
    struct mln_result r = mln_store_expect(batch, ANY, MLN_S("counter"), revision);
    if (mln_ok(r))
        r = mln_store_put(batch, ANY, MLN_S("counter"), (struct mln_str){(const char *)&counter, sizeof counter});
    if (mln_ok(r))
        return mln_store_commit(store, batch, NULL);
    mln_store_batch_free(batch);
    return r;
}

static void *raise_often(void *number)
{
    (void)number;
    for (int i = 0; i < ROUNDS;) {
        struct mln_result r = raise_counter();
        if (mln_ok(r))
            i++;
        else if (r.code != MLN_E_PRECONDITION)
            return atomic_fetch_add(&wrong, 1), NULL;
    }
    return NULL;
}

static void no_update_is_lost_between_threads(void **state)
{
    (void)state;
    run_threads(raise_often, THREADS);
    uint32_t counter;
    int64_t revision;
    assert_ok(read_counter(&counter, &revision));
    assert_int_equal(counter, THREADS * ROUNDS);
}

/* Writes the same text under all keys, in one batch. */
static struct mln_result write_all_keys(const char *text)
{
    struct mln_store_batch *batch = mln_store_batch_new();
    if (!batch)
        return mln_fail(MLN_E_MEMORY, "no batch");
    struct mln_result r = MLN_OK;
    for (int i = 0; i < KEYS && mln_ok(r); i++)
        r = mln_store_put(batch, ANY, (struct mln_str){&"01234567"[i], 1}, mln_str_c(text));
    if (mln_ok(r))
        return mln_store_commit(store, batch, NULL);
    mln_store_batch_free(batch);
    return r;
}

struct all_alike {
    char text[32];
    int64_t revision;
    int seen;
    bool differ;
};

static struct mln_result compare_with_first(void *context, struct mln_str key, struct mln_str value, int64_t revision,
                                            bool *stop)
{
    (void)key, (void)stop;
    struct all_alike *alike = context;
    if (alike->seen++ == 0) {
        snprintf(alike->text, sizeof alike->text, "%.*s", MLN_FMT(value));
        alike->revision = revision;
    }
    alike->differ |= !mln_str_eq(value, mln_str_c(alike->text)) || revision != alike->revision;
    return MLN_OK;
}

static struct mln_result check_all_keys(int64_t *revision)
{
    MLN_CLEANUP(mln_store_read_end) struct mln_store_read *read = NULL;
    MLN_TRY(mln_store_read_begin(store, &read));
    for (int i = 0; i < 2; i++) {
        struct all_alike alike = {.seen = 0};
        MLN_TRY(mln_store_scan(read, ANY, &(struct mln_store_scan){.backwards = i}, compare_with_first, &alike));
        if (alike.differ || (alike.seen != 0 && alike.seen != KEYS) || alike.revision < *revision)
            return mln_fail(MLN_E_INTERNAL, "half a batch, or an older one than before");
        *revision = alike.revision;
    }
    return MLN_OK;
}

/* Even numbers write, odd ones read. */
static void *write_or_check(void *number)
{
    int self = *(int *)number;
    int64_t revision = 0;
    for (int i = 0; i < ROUNDS; i++) {
        char text[32];
        snprintf(text, sizeof text, "%d %d", self, i);
        if (!mln_ok(self % 2 ? check_all_keys(&revision) : write_all_keys(text)))
            atomic_fetch_add(&wrong, 1);
    }
    return NULL;
}

static void readers_never_see_half_a_batch(void **state)
{
    (void)state;
    run_threads(write_or_check, 2 * THREADS);
}

static struct mln_store_ticket *outliving[THREADS];

static void *wait_for_ticket(void *number)
{
    if (!mln_ok(mln_store_wait(outliving[*(int *)number], NULL)))
        atomic_fetch_add(&wrong, 1);
    return NULL;
}

static void waiters_may_outlive_the_store(void **state)
{
    (void)state;
    for (int i = 0; i < THREADS; i++)
        assert_ok(mln_store_submit(store, putting("a", "x"), &outliving[i]));
    mln_store_close(MLN_TAKE(store));
    run_threads(wait_for_ticket, THREADS);
}

#endif
