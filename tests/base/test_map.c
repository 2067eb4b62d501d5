#include "check.h"

#include "base/bitset.h"
#include "base/map.h"

static union mln_map_value number(uint64_t u)
{
    return (union mln_map_value){.u = u};
}

static void put_get_replace_remove(void **state)
{
    (void)state;
    struct mln_map *map MLN_CLEANUP(mln_map_free) = mln_map_new(false);
    assert_null(mln_map_get(map, MLN_S("a")));
    assert_ok(mln_map_put(map, MLN_S("a"), number(1)));
    assert_ok(mln_map_put(map, MLN_S("A"), number(2)));
    assert_ok(mln_map_put(map, MLN_S("a"), number(3)));
    assert_int_equal(mln_map_count(map), 2);
    assert_int_equal(mln_map_get(map, MLN_S("a"))->u, 3);
    assert_int_equal(mln_map_get(map, MLN_S("A"))->u, 2);
    assert_true(mln_map_remove(map, MLN_S("a")));
    assert_false(mln_map_remove(map, MLN_S("a")));
    assert_null(mln_map_get(map, MLN_S("a")));
    assert_int_equal(mln_map_count(map), 1);
}

static void the_empty_key_is_a_key(void **state)
{
    (void)state;
    struct mln_map *map MLN_CLEANUP(mln_map_free) = mln_map_new(false);
    assert_ok(mln_map_put(map, (struct mln_str){NULL, 0}, number(7)));
    assert_int_equal(mln_map_get(map, MLN_S(""))->u, 7);
    assert_true(mln_map_remove(map, (struct mln_str){NULL, 0}));
    assert_null(mln_map_get(map, (struct mln_str){NULL, 0}));
}

static void without_case(void **state)
{
    (void)state;
    struct mln_map *map MLN_CLEANUP(mln_map_free) = mln_map_new(true);
    assert_ok(mln_map_put(map, MLN_S("/Subscriptions/A"), number(1)));
    assert_ok(mln_map_put(map, MLN_S("/subscriptions/a"), number(2)));
    assert_int_equal(mln_map_count(map), 1);
    assert_int_equal(mln_map_get(map, MLN_S("/SUBSCRIPTIONS/A"))->u, 2);
    struct mln_str key;
    union mln_map_value value;
    size_t at = 0;
    assert_true(mln_map_next(map, &at, &key, &value));
    assert_str(key, "/Subscriptions/A"); /* the first spelling stays */
}

/* Puts and removes at random against a plain table. */
static void it_behaves_as_a_table(void **state)
{
    (void)state;
    enum { KEYS = 300, STEPS = 20000 };
    static char names[KEYS][8];
    static uint64_t expected[KEYS]; /* 0: absent */
    struct mln_map *map MLN_CLEANUP(mln_map_free) = mln_map_new(false);
    uint64_t chance = 42;
    size_t present = 0;
    for (size_t i = 0; i < KEYS; i++)
        snprintf(names[i], sizeof names[i], "k%zu", i);
    for (uint64_t step = 1; step <= STEPS; step++) {
        size_t i = check_below(&chance, KEYS);
        struct mln_str key = mln_str_c(names[i]);
        if (check_below(&chance, 2)) {
            assert_ok(mln_map_put(map, key, number(step)));
            present += expected[i] == 0;
            expected[i] = step;
        } else {
            assert_int_equal(mln_map_remove(map, key), expected[i] != 0);
            present -= expected[i] != 0;
            expected[i] = 0;
        }
        assert_int_equal(mln_map_count(map), present);
        size_t other = check_below(&chance, KEYS);
        const union mln_map_value *got = mln_map_get(map, mln_str_c(names[other]));
        assert_int_equal(got ? got->u : 0, expected[other]);
    }
    struct mln_str key;
    union mln_map_value value;
    size_t walked = 0;
    for (size_t at = 0; mln_map_next(map, &at, &key, &value); walked++)
        assert_int_equal(value.u, expected[strtoul(key.p + 1, NULL, 10)]);
    assert_int_equal(walked, present);
}

static void a_set_of_small_numbers(void **state)
{
    (void)state;
    uint64_t set[3] = {0};
    assert_int_equal(mln_bitset_words(0), 0);
    assert_int_equal(mln_bitset_words(64), 1);
    assert_int_equal(mln_bitset_words(129), 3);
    static const size_t members[] = {0, 1, 63, 64, 127, 128, 191};
    for (size_t i = 0; i < 7; i++)
        mln_bitset_add(set, members[i]);
    mln_bitset_add(set, 2);
    mln_bitset_remove(set, 2);
    mln_bitset_remove(set, 2);
    assert_int_equal(mln_bitset_count(set, 3), 7);
    assert_true(mln_bitset_has(set, 63));
    assert_false(mln_bitset_has(set, 62));
    size_t seen = 0;
    for (size_t b = mln_bitset_next(set, 3, 0); b != SIZE_MAX; b = mln_bitset_next(set, 3, b + 1))
        assert_int_equal(b, members[seen++]);
    assert_int_equal(seen, 7);
    assert_true(mln_bitset_next(set, 3, 192) == SIZE_MAX);
    assert_true(mln_bitset_next(set, 0, 0) == SIZE_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(put_get_replace_remove), cmocka_unit_test(the_empty_key_is_a_key),
        cmocka_unit_test(without_case),           cmocka_unit_test(it_behaves_as_a_table),
        cmocka_unit_test(a_set_of_small_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
