/* A process that is killed at any moment: what it was told is durable is there afterwards, and no batch is there in
 * part. */
#include "stores/sqlite_test.h"

#include <errno.h>
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

static void commit_and_tell(int thread, int number)
{
    struct mln_store_batch *batch = mln_store_batch_new();
    if (!batch)
        _exit(1);
    char text[32];
    snprintf(text, sizeof text, "%d", number);
    for (int k = 0; k < KEYS; k++) {
        char key[32];
        snprintf(key, sizeof key, "%d/%06d/%d", thread, number, k);
        if (!mln_ok(mln_store_put(batch, ANY, mln_str_c(key), mln_str_c(text))))
            _exit(1);
    }
    struct acknowledged told = {thread, number};
    if (!mln_ok(mln_store_commit(child_store, batch, NULL)) ||
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
            snprintf(key, sizeof key, "%d/%06d/%d", thread, number, k);
            snprintf(text, sizeof text, "%d", number);
            there += strcmp(value_in(read, key), text) == 0;
        }
        assert_true(there == 0 || there == KEYS);
        if (there == 0) {
            assert_true(number > last);
            return number - 1;
        }
    }
}

static void killed_at_any_moment(void **state)
{
    (void)state;
    uint64_t chance = 1234567;
    int next = 1, last[THREADS] = {0};
    for (int round = 0; round < ROUNDS; round++) {
        run_and_kill(next, (useconds_t)check_below(&chance, LONGEST_US), last);
        struct mln_store *store = open_store(NULL);
        struct mln_store_read *read = begin(store);
        int largest = 0;
        for (int thread = 0; thread < THREADS; thread++) {
            int there = check_thread(read, thread, last[thread]);
            largest = there > largest ? there : largest;
        }
        mln_store_read_end(read);
        /* Every thread goes on from the same number: the slower ones get the numbers between. */
        for (int thread = 0; thread < THREADS; thread++)
            for (int number = last[thread] + 1; number <= largest; number++) {
                struct mln_store_batch *batch = new_batch();
                char key[32], text[32];
                snprintf(text, sizeof text, "%d", number);
                for (int k = 0; k < KEYS; k++) {
                    snprintf(key, sizeof key, "%d/%06d/%d", thread, number, k);
                    assert_ok(mln_store_put(batch, ANY, mln_str_c(key), mln_str_c(text)));
                }
                assert_ok(mln_store_commit(store, batch, NULL));
            }
        mln_store_close(store);
        for (int thread = 0; thread < THREADS; thread++)
            last[thread] = largest;
        next = largest + 1;
    }
    assert_true(next > ROUNDS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(killed_at_any_moment, a_directory, no_directory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
