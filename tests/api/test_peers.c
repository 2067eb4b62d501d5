#include "check.h"

#include "api/peers.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

static bool is_shut(int fd)
{
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    char byte;
    return poll(&ready, 1, 0) == 1 && read(fd, &byte, 1) == 0;
}

static const struct sockaddr *from(const char *text)
{
    static union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } address;
    memset(&address, 0, sizeof address);
    if (inet_pton(AF_INET, text, &address.v4.sin_addr) == 1)
        address.any.sa_family = AF_INET;
    else if (inet_pton(AF_INET6, text, &address.v6.sin6_addr) == 1)
        address.any.sa_family = AF_INET6;
    return &address.any;
}

/* A deadline in the past stands for one that has come: nothing here waits. */
static void test_only_what_is_over_its_deadline_is_shut(void **state)
{
    (void)state;
    struct mln_peers *peers;
    int late[2], early[2], open[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, late), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, early), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, open), 0);
    assert_ok(mln_peers_new(100, &peers));
    struct mln_peer *a = mln_peers_add(peers, late[0], from("192.0.2.1"), -1),
                    *b = mln_peers_add(peers, early[0], from("192.0.2.1"), 3600000),
                    *c = mln_peers_add(peers, open[0], from("192.0.2.1"), -1);
    mln_peers_allow(peers, c, 0);
    assert_int_equal(mln_peers_count(peers), 3);
    assert_int_equal(mln_peers_reap(peers), 1);
    assert_true(is_shut(late[1]));
    assert_false(is_shut(early[1]));
    assert_false(is_shut(open[1]));
    assert_int_equal(mln_peers_reap(peers), 0);
    mln_peers_remove(peers, b);
    mln_peers_allow(peers, c, -1);
    assert_int_equal(mln_peers_reap(peers), 1);
    mln_peers_remove(peers, a);
    mln_peers_remove(peers, c);
    assert_int_equal(mln_peers_count(peers), 0);
    mln_peers_free(peers);
    for (int i = 0; i < 2; i++) {
        close(late[i]);
        close(early[i]);
        close(open[i]);
    }
}

static void test_a_network_has_so_much_room(void **state)
{
    (void)state;
    struct mln_peers *peers;
    assert_ok(mln_peers_new(2, &peers));
    struct mln_peer *a = mln_peers_add(peers, -1, from("2001:db8:0:1::1"), 0),
                    *b = mln_peers_add(peers, -1, from("2001:db8:0:1::2"), 0);
    assert_false(mln_peers_admit(peers, from("2001:db8:0:1:ffff::3")));
    assert_true(mln_peers_admit(peers, from("2001:db8:0:2::1")));
    mln_peers_remove(peers, a);
    assert_true(mln_peers_admit(peers, from("2001:db8:0:1:ffff::3")));
    mln_peers_remove(peers, b);
    a = mln_peers_add(peers, -1, from("192.0.2.1"), 0);
    b = mln_peers_add(peers, -1, from("::ffff:192.0.2.1"), 0);
    assert_false(mln_peers_admit(peers, from("192.0.2.1")));
    assert_true(mln_peers_admit(peers, from("192.0.2.2")));
    mln_peers_remove(peers, a);
    mln_peers_remove(peers, b);
    mln_peers_free(peers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_only_what_is_over_its_deadline_is_shut),
                                       cmocka_unit_test(test_a_network_has_so_much_room)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
