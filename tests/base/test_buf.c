#include "check.h"

#include "base/buf.h"

static void appends_add_up(void **state)
{
    (void)state;
    struct mln_buf buf MLN_BUF_CLEANUP = MLN_BUF(1000);
    assert_str(mln_buf_str(&buf), "");
    assert_ok(mln_buf_append(&buf, MLN_S("one")));
    assert_ok(mln_buf_byte(&buf, ' '));
    assert_ok(mln_buf_printf(&buf, "%s %d", "two", 3));
    assert_ok(mln_buf_append(&buf, (struct mln_str){NULL, 0}));
    assert_str(mln_buf_str(&buf), "one two 3");
    assert_string_equal(buf.p, "one two 3");
}

static void it_holds_nul_bytes(void **state)
{
    (void)state;
    struct mln_buf buf MLN_BUF_CLEANUP = MLN_BUF(1000);
    assert_ok(mln_buf_append(&buf, MLN_S("a\0b")));
    assert_int_equal(buf.n, 3);
    assert_memory_equal(buf.p, "a\0b", 4);
}

static void over_the_ceiling_nothing_changes(void **state)
{
    (void)state;
    struct mln_buf buf MLN_BUF_CLEANUP = MLN_BUF(10);
    assert_ok(mln_buf_append(&buf, MLN_S("0123456789")));
    assert_fails(LIMIT, mln_buf_byte(&buf, 'x'));
    assert_error_has("10 bytes");
    assert_fails(LIMIT, mln_buf_printf(&buf, "%d", 1));
    assert_fails(LIMIT, mln_buf_reserve(&buf, SIZE_MAX));
    assert_str(mln_buf_str(&buf), "0123456789");
    mln_buf_clear(&buf);
    assert_fails(LIMIT, mln_buf_append(&buf, MLN_S("0123456789a")));
    assert_str(mln_buf_str(&buf), "");
}

static void room_beyond_what_can_be_counted_is_refused(void **state)
{
    (void)state;
    struct mln_buf buf MLN_BUF_CLEANUP = MLN_BUF(SIZE_MAX);
    assert_fails(MEMORY, mln_buf_reserve(&buf, SIZE_MAX));
    assert_fails(MEMORY, mln_buf_reserve(&buf, SIZE_MAX - 1));
    assert_fails(MEMORY, mln_buf_reserve(&buf, SIZE_MAX / 2));
    assert_ok(mln_buf_append(&buf, MLN_S("still usable")));
}

static void reserved_room_is_written_by_the_caller(void **state)
{
    (void)state;
    struct mln_buf buf MLN_BUF_CLEANUP = MLN_BUF(100);
    assert_ok(mln_buf_append(&buf, MLN_S("ab")));
    assert_ok(mln_buf_reserve(&buf, 98));
    memset(buf.p + buf.n, 'c', 98);
    buf.n += 98;
    assert_int_equal(buf.n, 100);
    assert_memory_equal(buf.p, "abc", 3);
}

static void clear_keeps_and_free_returns_the_memory(void **state)
{
    (void)state;
    struct mln_buf buf = MLN_BUF(100);
    assert_ok(mln_buf_append(&buf, MLN_S("text")));
    mln_buf_clear(&buf);
    assert_non_null(buf.p);
    assert_str(mln_buf_str(&buf), "");
    mln_buf_free(&buf);
    assert_null(buf.p);
    assert_ok(mln_buf_append(&buf, MLN_S("again")));
    assert_str(mln_buf_str(&buf), "again");
    mln_buf_free(&buf);
}

static void a_secret_is_wiped_when_cleared(void **state)
{
    (void)state;
    struct mln_buf buf MLN_BUF_CLEANUP = MLN_BUF_SECRET(100);
    assert_ok(mln_buf_append(&buf, MLN_S("hunter2")));
    mln_buf_clear(&buf);
    for (size_t i = 0; i < buf.cap; i++)
        assert_int_equal(buf.p[i], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(appends_add_up),
        cmocka_unit_test(it_holds_nul_bytes),
        cmocka_unit_test(over_the_ceiling_nothing_changes),
        cmocka_unit_test(room_beyond_what_can_be_counted_is_refused),
        cmocka_unit_test(reserved_room_is_written_by_the_caller),
        cmocka_unit_test(clear_keeps_and_free_returns_the_memory),
        cmocka_unit_test(a_secret_is_wiped_when_cleared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
