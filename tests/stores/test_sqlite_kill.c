/* A process that is killed at any moment: what it was told is durable is there afterwards, and no batch is there in
 * part. */
#include "stores/sqlite_test.h"

#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

enum { ROUNDS = 25, THREADS = 4, KEYS = 3, LONGEST_US = 40000 };

/* What the child tells its parent through the pipe, in one write. */
struct acknowledged {
    int thread, number;
};

static struct mln_store *child_store;
static int child_pipe, child_first;

/* All keys of a number hold its text. */
static void name_of(int thread, int number, int k, char key[32], char text[32])
{
    snprintf(key, 32, "%d/%06d/%d", thread, number, k);
    snprintf(text, 32, "%d", number);
}

static struct mln_result commit_number(struct mln_store *store, int thread, int number)
{
    MLN_CLEANUP(mln_store_batch_free) struct mln_store_batch *batch = mln_store_batch_new();
    if (!batch)
        return mln_fail(MLN_E_MEMORY, "no batch");
    for (int k = 0; k < KEYS; k++) {
        char key[32], text[32];
        name_of(thread, number, k, key, text);
        MLN_TRY(mln_store_put(batch, ANY, mln_str_c(key), mln_str_c(text)));
    }
    return mln_store_commit(store, MLN_TAKE(batch), NULL);
}

static void commit_and_tell(int thread, int number)
{
    struct acknowledged told = {thread, number};
    if (!mln_ok(commit_number(child_store, thread, number)) ||
        write(child_pipe, &told, sizeof told) != (ssize_t)sizeof told)
        _exit(1);
}

static void *commit_for_ever(void *thread)
{
    for (int number = child_first;; number++)
        commit_and_tell(*(int *)thread, number);
    return NULL;
}

static void run_child(int pipe_end, int first)
{
    static int numbers[THREADS] = {0, 1, 2, 3};
    pthread_t threads[THREADS];
    child_pipe = pipe_end;
    child_first = first;
    if (!mln_ok(try_open(NULL, &child_store)))
        _exit(1);
    for (int i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, commit_for_ever, &numbers[i]) != 0)
            _exit(1);
    for (;;)
        pause();
}

/* Runs a child from number first on, kills it after a while, and notes the last number each thread was told. */
static void run_and_kill(int first, useconds_t after_us, int last[THREADS])
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        close(ends[0]);
        run_child(ends[1], first);
    }
    close(ends[1]);
    struct acknowledged told;
    bool waited = false;
    while (read(ends[0], &told, sizeof told) == (ssize_t)sizeof told) {
        last[told.thread] = told.number;
        if (!waited) { /* the store is open and working: from here on any moment will do */
            waited = true;
            usleep(after_us);
            kill(child, SIGKILL);
        }
    }
    close(ends[0]);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
}

/* Returns the largest number that is there. */
static int check_thread(struct mln_store_read *read, int thread, int last)
{
    for (int number = 1;; number++) {
        int there = 0;
        for (int k = 0; k < KEYS; k++) {
            char key[32], text[32];
            name_of(thread, number, k, key, text);
            there += strcmp(value_in(read, key), text) == 0;
        }
        assert_true(there == 0 || there == KEYS);
        if (there == 0) {
            assert_true(number > last);
            return number - 1;
        }
    }
}

/* Checks what every thread was told, and brings all to the same number, from which the next child goes on. */
static int check_and_level(const int last[THREADS])
{
    struct mln_store *store = open_store(NULL);
    struct mln_store_read *read = begin(store);
    int there[THREADS], largest = 0;
    for (int thread = 0; thread < THREADS; thread++) {
        there[thread] = check_thread(read, thread, last[thread]);
        largest = there[thread] > largest ? there[thread] : largest;
    }
    mln_store_read_end(read);
    for (int thread = 0; thread < THREADS; thread++)
        for (int number = there[thread] + 1; number <= largest; number++)
            assert_ok(commit_number(store, thread, number));
    mln_store_close(store);
    return largest;
}

static void killed_at_any_moment(void **state)
{
    (void)state;
    uint64_t chance = 1234567;
    int level = 0;
    for (int round = 0; round < ROUNDS; round++) {
        int last[THREADS];
        for (int thread = 0; thread < THREADS; thread++)
            last[thread] = level;
        run_and_kill(level + 1, (useconds_t)check_below(&chance, LONGEST_US), last);
        level = check_and_level(last);
    }
    assert_true(level >= ROUNDS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(killed_at_any_moment, a_directory, no_directory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
