#include "check.h"

#include "base/queue.h"
#include "base/time.h"

#include <pthread.h>

static int items[8];

static void first_in_first_out(void **state)
{
    (void)state;
    struct mln_queue *queue MLN_CLEANUP(mln_queue_free) = mln_queue_new(3);
    for (int round = 0; round < 5; round++) { /* more often than there are slots */
        assert_ok(mln_queue_push(queue, &items[0]));
        assert_ok(mln_queue_push(queue, &items[1]));
        assert_int_equal(mln_queue_length(queue), 2);
        assert_ptr_equal(mln_queue_pop(queue, 0), &items[0]);
        assert_ptr_equal(mln_queue_pop(queue, 0), &items[1]);
        assert_null(mln_queue_pop(queue, 0));
    }
}

static void a_full_queue_refuses_and_counts(void **state)
{
    (void)state;
    struct mln_queue *queue MLN_CLEANUP(mln_queue_free) = mln_queue_new(0); /* at least one */
    assert_ok(mln_queue_push(queue, &items[0]));
    assert_fails(BUSY, mln_queue_push(queue, &items[1]));
    assert_fails(BUSY, mln_queue_push_wait(queue, &items[1], mln_monotonic_ms() + 1));
    assert_int_equal(mln_queue_refused(queue), 2);
    assert_ptr_equal(mln_queue_pop(queue, 0), &items[0]);
    assert_ok(mln_queue_push(queue, &items[1]));
}

static void a_closed_queue_gives_what_it_has(void **state)
{
    (void)state;
    struct mln_queue *queue MLN_CLEANUP(mln_queue_free) = mln_queue_new(4);
    assert_ok(mln_queue_push(queue, &items[0]));
    mln_queue_close(queue);
    assert_fails(CLOSED, mln_queue_push(queue, &items[1]));
    assert_fails(CLOSED, mln_queue_push_wait(queue, &items[1], -1));
    assert_ptr_equal(mln_queue_pop(queue, -1), &items[0]);
    assert_null(mln_queue_pop(queue, -1));
    assert_int_equal(mln_queue_refused(queue), 0);
}

static void a_deadline_ends_the_wait(void **state)
{
    (void)state;
    struct mln_queue *queue MLN_CLEANUP(mln_queue_free) = mln_queue_new(1);
    int64_t deadline = mln_monotonic_ms() + 20;
    assert_null(mln_queue_pop(queue, deadline));
    assert_true(mln_monotonic_ms() >= deadline);
}

enum { PRODUCERS = 3, CONSUMERS = 3, EACH = 5000 };

struct crowd {
    struct mln_queue *queue;
    char numbers[PRODUCERS * EACH]; /* an item is the address of its number's cell */
    int seen[PRODUCERS * EACH];
};

struct member {
    struct crowd *crowd;
    size_t index;
    bool good;
};

static void *produce(void *context)
{
    struct member *self = context;
    self->good = true;
    for (size_t i = 0; i < EACH && self->good; i++)
        self->good = mln_ok(mln_queue_push_wait(self->crowd->queue, &self->crowd->numbers[self->index * EACH + i], -1));
    return NULL;
}

static void *consume(void *context)
{
    struct member *self = context;
    size_t last[PRODUCERS] = {0};
    self->good = true;
    for (char *item; (item = mln_queue_pop(self->crowd->queue, -1));) {
        size_t number = (size_t)(item - self->crowd->numbers);
        __atomic_fetch_add(&self->crowd->seen[number], 1, __ATOMIC_RELAXED);
        if (number + 1 <= last[number / EACH])
            self->good = false; /* one producer's items must not overtake each other */
        last[number / EACH] = number + 1;
    }
    return NULL;
}

static void each_item_arrives_once_in_its_producers_order(void **state)
{
    (void)state;
    struct mln_queue *queue MLN_CLEANUP(mln_queue_free) = mln_queue_new(16);
    static struct crowd crowd;
    crowd.queue = queue;
    struct member members[PRODUCERS + CONSUMERS];
    pthread_t threads[PRODUCERS + CONSUMERS];
    for (size_t i = 0; i < PRODUCERS + CONSUMERS; i++) {
        members[i] = (struct member){.crowd = &crowd, .index = i};
        assert_int_equal(pthread_create(&threads[i], NULL, i < PRODUCERS ? produce : consume, &members[i]), 0);
    }
    for (size_t i = 0; i < PRODUCERS; i++)
        pthread_join(threads[i], NULL);
    mln_queue_close(queue);
    for (size_t i = PRODUCERS; i < PRODUCERS + CONSUMERS; i++)
        pthread_join(threads[i], NULL);
    for (size_t i = 0; i < PRODUCERS + CONSUMERS; i++)
        assert_true(members[i].good);
    for (size_t i = 0; i < PRODUCERS * EACH; i++)
        assert_int_equal(crowd.seen[i], 1);
}

static void *push_for_ever(void *context)
{
    struct member *self = context;
    self->good = mln_queue_push_wait(self->crowd->queue, &items[1], -1).code == MLN_E_CLOSED;
    return NULL;
}

static void closing_wakes_who_waits_for_room(void **state)
{
    (void)state;
    struct mln_queue *queue MLN_CLEANUP(mln_queue_free) = mln_queue_new(1);
    struct crowd *crowd = calloc(1, sizeof *crowd);
    assert_non_null(crowd);
    crowd->queue = queue;
    struct member self = {.crowd = crowd};
    pthread_t thread;
    assert_ok(mln_queue_push(queue, &items[0]));
    assert_int_equal(pthread_create(&thread, NULL, push_for_ever, &self), 0);
    mln_queue_close(queue);
    pthread_join(thread, NULL);
    assert_true(self.good);
    free(crowd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_in_first_out),
        cmocka_unit_test(a_full_queue_refuses_and_counts),
        cmocka_unit_test(a_closed_queue_gives_what_it_has),
        cmocka_unit_test(a_deadline_ends_the_wait),
        cmocka_unit_test(each_item_arrives_once_in_its_producers_order),
        cmocka_unit_test(closing_wakes_who_waits_for_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
