#include "check.h"

#include "api/peers.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

static bool is_shut(int fd)
{
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    char byte;
    return poll(&ready, 1, 0) == 1 && read(fd, &byte, 1) == 0;
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
    assert_ok(mln_peers_new(&peers));
    struct mln_peer *a = mln_peers_add(peers, late[0], -1), *b = mln_peers_add(peers, early[0], 3600000),
                    *c = mln_peers_add(peers, open[0], -1);
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

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_only_what_is_over_its_deadline_is_shut)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
