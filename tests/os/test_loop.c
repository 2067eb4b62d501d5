/* The event loop, and threads: what wakes the one from the other. */
#include "os/loop.h"

#include "check.h"

#include "base/time.h"
#include "os/thread.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

enum { LONG_MS = 60 * 1000 }; /* never waited for */

struct fixture {
    struct mln_loop *loop;
    int pipe[2];
    struct mln_loop_source *source, *other;
    int calls, other_calls;
    unsigned events;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    assert_ok(mln_loop_new(&f->loop));
    assert_int_equal(pipe2(f->pipe, O_CLOEXEC | O_NONBLOCK), 0);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    mln_loop_free(f->loop);
    close(f->pipe[0]);
    close(f->pipe[1]);
    free(f);
    return 0;
}

static void count_ready(void *context, int fd, unsigned events)
{
    struct fixture *f = context;
    char byte;
    f->calls++;
    f->events = events;
    if (events & MLN_LOOP_READ)
        assert_true(read(fd, &byte, 1) >= 0);
}

static void count(void *context)
{
    ((struct fixture *)context)->calls++;
}

static void count_other(void *context)
{
    ((struct fixture *)context)->other_calls++;
}

static void put(struct fixture *f)
{
    assert_int_equal(write(f->pipe[1], "x", 1), 1);
}

static void a_descriptor_is_ready(void **state)
{
    struct fixture *f = *state;
    assert_ok(mln_loop_add_fd(f->loop, f->pipe[0], MLN_LOOP_READ, count_ready, f, &f->source));
    assert_ok(mln_loop_once(f->loop, 0));
    assert_int_equal(f->calls, 0);
    put(f);
    put(f);
    assert_ok(mln_loop_once(f->loop, LONG_MS));
    assert_ok(mln_loop_once(f->loop, LONG_MS)); /* the second byte is still there */
    assert_int_equal(f->calls, 2);
    assert_int_equal(f->events, MLN_LOOP_READ);
    close(f->pipe[1]);
    f->pipe[1] = dup(f->pipe[0]);
    assert_ok(mln_loop_once(f->loop, LONG_MS));
    assert_true(f->events & MLN_LOOP_HANGUP);
}

static void what_is_waited_for_changes(void **state)
{
    struct fixture *f = *state;
    assert_ok(mln_loop_add_fd(f->loop, f->pipe[1], 0, count_ready, f, &f->source));
    assert_ok(mln_loop_once(f->loop, 0));
    assert_int_equal(f->calls, 0);
    assert_ok(mln_loop_change_fd(f->source, MLN_LOOP_WRITE));
    assert_ok(mln_loop_once(f->loop, LONG_MS));
    assert_int_equal(f->calls, 1);
    assert_int_equal(f->events, MLN_LOOP_WRITE);
    mln_loop_remove(f->source);
    mln_loop_remove(NULL);
    assert_ok(mln_loop_once(f->loop, 0));
    assert_int_equal(f->calls, 1);
}

static void a_descriptor_that_is_none(void **state)
{
    struct fixture *f = *state;
    assert_fails(IO, mln_loop_add_fd(f->loop, 9999, MLN_LOOP_READ, count_ready, f, &f->source));
    assert_null(f->source);
    assert_ok(mln_loop_once(f->loop, 0));
}

static void remove_both(void *context, int fd, unsigned events)
{
    (void)fd, (void)events;
    struct fixture *f = context;
    f->calls++;
    mln_loop_remove(f->source);
    mln_loop_remove(f->other);
    mln_loop_remove(f->other); /* twice does no harm within the round */
}

static void a_callback_removes_itself_and_another(void **state)
{
    struct fixture *f = *state;
    int copy = dup(f->pipe[0]);
    assert_ok(mln_loop_add_fd(f->loop, f->pipe[0], MLN_LOOP_READ, remove_both, f, &f->source));
    assert_ok(mln_loop_add_fd(f->loop, copy, MLN_LOOP_READ, remove_both, f, &f->other));
    put(f); /* both are ready in the same round; one call is all */
    assert_ok(mln_loop_once(f->loop, LONG_MS));
    assert_ok(mln_loop_once(f->loop, 0));
    assert_int_equal(f->calls, 1);
    close(copy);
}

static void a_timer_fires_once(void **state)
{
    struct fixture *f = *state;
    int64_t before = mln_monotonic_ms();
    assert_ok(mln_loop_add_timer(f->loop, 20, 0, count, f, &f->source));
    while (!f->calls)
        assert_ok(mln_loop_once(f->loop, LONG_MS));
    assert_true(mln_monotonic_ms() - before >= 20);
    assert_ok(mln_loop_once(f->loop, 5));
    assert_int_equal(f->calls, 1);
    mln_loop_set_timer(f->source, 0, 0); /* and once more */
    assert_ok(mln_loop_once(f->loop, LONG_MS));
    assert_int_equal(f->calls, 2);
    mln_loop_set_timer(f->source, 0, 0);
    mln_loop_set_timer(f->source, -1, 0); /* stopped */
    assert_ok(mln_loop_once(f->loop, 0));
    assert_int_equal(f->calls, 2);
}

static void a_timer_repeats(void **state)
{
    struct fixture *f = *state;
    assert_ok(mln_loop_add_timer(f->loop, 0, 1, count, f, &f->source));
    assert_ok(mln_loop_add_timer(f->loop, 0, 0, count_other, f, NULL)); /* goes by itself after its one time */
    while (f->calls < 5)
        assert_ok(mln_loop_once(f->loop, LONG_MS));
    mln_loop_remove(f->source);
    assert_ok(mln_loop_once(f->loop, 5));
    assert_int_equal(f->calls, 5);
    assert_int_equal(f->other_calls, 1);
}

static void take_signal(void *context, int signal_number)
{
    struct fixture *f = context;
    f->calls++;
    f->events = (unsigned)signal_number;
}

static void signals_come_through_the_loop(void **state)
{
    struct fixture *f = *state;
    assert_ok(mln_loop_add_signal(f->loop, SIGUSR1, take_signal, f, &f->source));
    assert_ok(mln_loop_add_signal(f->loop, SIGUSR2, take_signal, f, &f->other));
    assert_fails(CONFLICT, mln_loop_add_signal(f->loop, SIGUSR1, take_signal, f, NULL));
    assert_fails(INVALID, mln_loop_add_signal(f->loop, 4711, take_signal, f, NULL));
    assert_int_equal(kill(getpid(), SIGUSR2), 0);
    assert_ok(mln_loop_once(f->loop, LONG_MS));
    assert_int_equal(f->calls, 1);
    assert_int_equal(f->events, SIGUSR2);
    mln_loop_remove(f->other);
    assert_int_equal(kill(getpid(), SIGUSR2), 0); /* still blocked: nothing happens */
    assert_ok(mln_loop_once(f->loop, 0));
    assert_int_equal(f->calls, 1);
}

static void before_each_sleep(void **state)
{
    struct fixture *f = *state;
    mln_loop_before_sleep(f->loop, count, f);
    assert_ok(mln_loop_once(f->loop, 0));
    assert_ok(mln_loop_once(f->loop, 0));
    assert_int_equal(f->calls, 2);
    mln_loop_before_sleep(f->loop, NULL, NULL);
    assert_ok(mln_loop_once(f->loop, 0));
    assert_int_equal(f->calls, 2);
}

static void a_wake_is_heard_once(void **state)
{
    struct fixture *f = *state;
    mln_loop_on_wake(f->loop, count, f);
    mln_loop_wake(f->loop);
    mln_loop_wake(f->loop);
    assert_ok(mln_loop_once(f->loop, LONG_MS));
    assert_ok(mln_loop_once(f->loop, 0));
    assert_int_equal(f->calls, 1);
    mln_loop_wake(f->loop);
    assert_ok(mln_loop_once(f->loop, LONG_MS));
    assert_int_equal(f->calls, 2);
}

struct shared {
    struct mln_loop *loop;
    atomic_int wakes;
    char name[16];
    bool blocked;
};

static void wake_from_a_thread(void *context)
{
    struct shared *shared = context;
    sigset_t mask;
    pthread_getname_np(pthread_self(), shared->name, sizeof shared->name);
    shared->blocked = pthread_sigmask(SIG_BLOCK, NULL, &mask) == 0 && sigismember(&mask, SIGTERM) == 1;
    mln_loop_wake(shared->loop);
}

static void stop_on_wake(void *context)
{
    struct shared *shared = context;
    atomic_fetch_add(&shared->wakes, 1);
    mln_loop_stop(shared->loop);
}

static void another_thread_wakes_the_loop(void **state)
{
    struct fixture *f = *state;
    struct shared shared = {.loop = f->loop};
    struct mln_thread *thread = NULL;
    mln_loop_on_wake(f->loop, stop_on_wake, &shared);
    assert_ok(mln_thread_start("a-name-that-is-too-long", wake_from_a_thread, &shared, &thread));
    assert_ok(mln_loop_run(f->loop));
    mln_thread_join(thread);
    mln_thread_join(NULL);
    assert_int_equal(atomic_load(&shared.wakes), 1);
    assert_string_equal(shared.name, "a-name-that-is-");
    assert_true(shared.blocked);
    sigset_t mask;
    assert_int_equal(pthread_sigmask(SIG_BLOCK, NULL, &mask), 0);
    assert_int_equal(sigismember(&mask, SIGTERM), 0); /* the starter's own mask is as before */
}

static void a_stop_before_the_run(void **state)
{
    struct fixture *f = *state;
    mln_loop_stop(f->loop);
    assert_ok(mln_loop_run(f->loop));
}

static void there_is_a_processor(void **state)
{
    (void)state;
    assert_true(mln_cpu_count() >= 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_descriptor_is_ready, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_waited_for_changes, setup, teardown),
        cmocka_unit_test_setup_teardown(a_descriptor_that_is_none, setup, teardown),
        cmocka_unit_test_setup_teardown(a_callback_removes_itself_and_another, setup, teardown),
        cmocka_unit_test_setup_teardown(a_timer_fires_once, setup, teardown),
        cmocka_unit_test_setup_teardown(a_timer_repeats, setup, teardown),
        cmocka_unit_test_setup_teardown(signals_come_through_the_loop, setup, teardown),
        cmocka_unit_test_setup_teardown(before_each_sleep, setup, teardown),
        cmocka_unit_test_setup_teardown(a_wake_is_heard_once, setup, teardown),
        cmocka_unit_test_setup_teardown(another_thread_wakes_the_loop, setup, teardown),
        cmocka_unit_test_setup_teardown(a_stop_before_the_run, setup, teardown),
        cmocka_unit_test(there_is_a_processor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
