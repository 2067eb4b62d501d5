#include "check.h"

#include "base/snapshot.h"

#include <pthread.h>

struct value {
    int64_t a, b; /* a reader must always see b == -a */
};

static int alive;

static struct value *make(int64_t a)
{
    struct value *value = malloc(sizeof *value);
    assert_non_null(value);
    *value = (struct value){a, -a};
    __atomic_fetch_add(&alive, 1, __ATOMIC_RELAXED);
    return value;
}

static void destroy(void *p)
{
    memset(p, 0x5A, sizeof(struct value));
    free(p);
    __atomic_fetch_sub(&alive, 1, __ATOMIC_RELAXED);
}

static void before_the_first_there_is_nothing(void **state)
{
    (void)state;
    struct mln_snapshot *place = mln_snapshot_new(destroy);
    void *value = place;
    assert_null(mln_snapshot_pin(place, &value));
    assert_null(value);
    mln_snapshot_unpin(place, NULL);
    mln_snapshot_free(place);
    mln_snapshot_free(NULL);
}

static void a_pinned_value_outlives_its_time(void **state)
{
    (void)state;
    struct mln_snapshot *place = mln_snapshot_new(destroy);
    void *old, *new;
    assert_ok(mln_snapshot_publish(place, make(1)));
    struct mln_snapshot_pin *first = mln_snapshot_pin(place, &old);
    struct mln_snapshot_pin *again = mln_snapshot_pin(place, &old);
    assert_ok(mln_snapshot_publish(place, make(2)));
    assert_int_equal(alive, 2);
    assert_int_equal(((struct value *)old)->a, 1);
    struct mln_snapshot_pin *second = mln_snapshot_pin(place, &new);
    assert_int_equal(((struct value *)new)->a, 2);
    mln_snapshot_unpin(place, first);
    assert_int_equal(alive, 2);
    mln_snapshot_unpin(place, again);
    assert_int_equal(alive, 1);
    mln_snapshot_unpin(place, second);
    assert_int_equal(alive, 1); /* still the current one */
    mln_snapshot_free(place);
    assert_int_equal(alive, 0);
}

static void a_prepared_value_is_current_once_it_is_placed(void **state)
{
    (void)state;
    struct mln_snapshot *place = mln_snapshot_new(destroy);
    struct mln_snapshot_pin *prepared, *dropped;
    void *value;
    assert_ok(mln_snapshot_publish(place, make(1)));
    assert_ok(mln_snapshot_prepare(place, make(2), &prepared));
    assert_ok(mln_snapshot_prepare(place, make(3), &dropped));
    struct mln_snapshot_pin *first = mln_snapshot_pin(place, &value);
    assert_int_equal(((struct value *)value)->a, 1);
    mln_snapshot_unpin(place, first);
    mln_snapshot_place(place, prepared);
    mln_snapshot_unpin(place, dropped);
    assert_int_equal(alive, 1);
    struct mln_snapshot_pin *second = mln_snapshot_pin(place, &value);
    assert_int_equal(((struct value *)value)->a, 2);
    mln_snapshot_unpin(place, second);
    mln_snapshot_free(place);
    assert_int_equal(alive, 0);
}

enum { READERS = 3, PUBLICATIONS = 3000 };

static int stop;

static void *read_on(void *context)
{
    struct mln_snapshot *place = context;
    int64_t newest = 0;
    while (!__atomic_load_n(&stop, __ATOMIC_ACQUIRE)) {
        void *p;
        struct mln_snapshot_pin *pin = mln_snapshot_pin(place, &p);
        const struct value *value = p;
        if (value->b != -value->a || value->a < newest)
            return place; /* torn, or older than what was there before */
        newest = value->a;
        mln_snapshot_unpin(place, pin);
    }
    return NULL;
}

static void readers_see_whole_values_and_none_leaks(void **state)
{
    (void)state;
    struct mln_snapshot *place = mln_snapshot_new(destroy);
    pthread_t readers[READERS];
    assert_ok(mln_snapshot_publish(place, make(1)));
    for (size_t i = 0; i < READERS; i++)
        assert_int_equal(pthread_create(&readers[i], NULL, read_on, place), 0);
    for (int64_t i = 2; i <= PUBLICATIONS; i++)
        assert_ok(mln_snapshot_publish(place, make(i)));
    __atomic_store_n(&stop, 1, __ATOMIC_RELEASE);
    for (size_t i = 0; i < READERS; i++) {
        void *bad;
        pthread_join(readers[i], &bad);
        assert_null(bad);
    }
    assert_int_equal(alive, 1);
    mln_snapshot_free(place);
    assert_int_equal(alive, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(before_the_first_there_is_nothing),
        cmocka_unit_test(a_pinned_value_outlives_its_time),
        cmocka_unit_test(a_prepared_value_is_current_once_it_is_placed),
        cmocka_unit_test(readers_see_whole_values_and_none_leaks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
