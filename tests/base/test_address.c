#include "check.h"

#include "base/address.h"

static void test_an_address_stands_for_its_network(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"192.0.2.1", "192.0.2.1"},
        {"2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"},
        {"2001:DB8:1:2::", "2001:db8:1:2::"},
        {"::1", "::"},
        {"::ffff:192.0.2.1", "::ffff:192.0.2.1"},
        {"not an address", "not an address"},
        {"", ""},
        {"0123456789012345678901234567890123456789012345678901234567890",
         "012345678901234567890123456789012345678901234"},
    };
    char out[MLN_ADDRESS_TEXT];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_str(mln_address_network(mln_str_c(cases[i][0]), out), cases[i][1]);
    assert_str(mln_address_network((struct mln_str){NULL, 0}, out), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_an_address_stands_for_its_network)};
    return cmocka_run_group_tests_name("address", tests, NULL, NULL);
}
