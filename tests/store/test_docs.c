/* docs/store.md lists the collections as store.h does. */
#include "check.h"
#include "store/store.h"

static void the_collections_are_documented_in_order(void **state)
{
    (void)state;
    MLN_BUF_CLEANUP struct mln_buf expected = MLN_BUF(1 << 16), doc = MLN_BUF(1 << 20);
#define C(name, table, keys, values) assert_ok(mln_buf_printf(&expected, "| `%s` | %s | %s |\n", table, keys, values));
    MLN_COLLECTIONS(C)
#undef C
    check_fixture("../docs/store.md", &doc);
    if (mln_str_find(mln_buf_str(&doc), mln_buf_str(&expected), 0) == SIZE_MAX)
        fail_msg("the table of docs/store.md should be:\n%s", expected.p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_collections_are_documented_in_order)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
