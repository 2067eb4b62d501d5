/* What the kernel shows as tables: sockets, mounts, packet filters; and systemd's units. */
#include "check.h"

#include "agent/linux/mountinfo.h"
#include "agent/linux/netfilter.h"
#include "agent/linux/procnet.h"
#include "agent/linux/units.h"
#include "arena.h"

/* ---- sockets ---- */

static const char tcp[] =
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
    "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 4711 1 f 100 0\n"
    "   1: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4712 1 f 100 0\n"
    "   2: 0100007F:0016 0100007F:D431 01 00000000:00000000 00:00000000 00000000     0        0 4713 1 f 20 4\n"
    "   3: ZZZZZZZZ:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4714 1 f 20 4\n"
    "   4: 00000000:0016\n";
static const char tcp6[] =
    "   0: 00000000000000000000000000000000:0016 00000000000000000000000000000000:0000 0A 0:0 00:0 0 0 0 1 1 f\n"
    "   1: 00000000000000000000000001000000:0CEA 00000000000000000000000000000000:0000 0A 0:0 00:0 0 0 0 2 1 f\n"
    "   2: 0000000000000000FFFF00000100007F:0050 00000000000000000000000000000000:0000 0A 0:0 00:0 0 0 0 3 1 f\n";

static struct mln_sockets sockets_of(const char *text, bool udp)
{
    struct mln_sockets out = {0};
    size_t left_out = 0;
    assert_ok(mln_procnet_read(mln_str_c(text), udp, arena, 100, &out, &left_out));
    assert_int_equal(left_out, 0);
    return out;
}

static void assert_socket(const struct mln_socket *socket, const char *address, int port, bool loopback)
{
    char text[MLN_ADDRESS_TEXT];
    assert_str(mln_socket_address(socket, text), address);
    assert_int_equal(socket->port, port);
    assert_int_equal(mln_socket_is_loopback(socket), loopback);
}

static void listening_sockets_are_read(void **state)
{
    (void)state;
    struct mln_sockets s = sockets_of(tcp, false);
    assert_int_equal(s.list.n, 2);
    assert_socket(&s.list.at[0], "127.0.0.1", 8080, true);
    assert_int_equal(s.list.at[0].uid, 1000);
    assert_int_equal(s.list.at[0].inode, 4711);
    assert_socket(&s.list.at[1], "0.0.0.0", 22, false);
    s = sockets_of(tcp6, false);
    assert_int_equal(s.list.n, 3);
    assert_socket(&s.list.at[0], "::", 22, false);
    assert_int_equal(s.list.at[0].family, 6);
    assert_socket(&s.list.at[1], "::1", 3306, true);
    assert_socket(&s.list.at[2], "127.0.0.1", 80, true);
    assert_int_equal(s.list.at[2].family, 4);
    assert_int_equal(sockets_of(tcp, true).list.n, 0); /* of UDP other states count */
}

static void sockets_are_ordered_and_bounded(void **state)
{
    (void)state;
    struct mln_sockets s = sockets_of(tcp, false), few = {0};
    size_t left_out = 0;
    assert_true(mln_socket_order(&s.list.at[0], &s.list.at[1]) > 0);
    assert_true(mln_socket_order(&s.list.at[1], &s.list.at[0]) < 0);
    assert_int_equal(mln_socket_order(&s.list.at[0], &s.list.at[0]), 0);
    assert_ok(mln_procnet_read(mln_str_c(tcp6), false, arena, 1, &few, &left_out));
    assert_int_equal(few.list.n, 1);
    assert_int_equal(left_out, 2);
}

/* ---- mounts ---- */

static void mounts_are_read(void **state)
{
    (void)state;
    struct mln_mounts m = {0};
    assert_ok(
        mln_mountinfo_parse(MLN_S("36 35 98:0 / / rw,noatime shared:1 master:2 - ext4 /dev/sda1 rw,errors=continue\n"
                                  "37 36 0:5 / /a\\040b ro - tmpfs tmp\\134fs rw\n"
                                  "38 36 0:6 / / rw - overlay overlay rw,lowerdir=/x\n"
                                  "broken line\n39 36 0:7 / /c rw master:1\n"),
                            arena, &m));
    assert_int_equal(m.list.n, 2);
    assert_str(mln_mounts_find(&m, "/")->type, "overlay"); /* the one on top */
    assert_str(mln_mounts_find(&m, "/a b")->source, "tmp\\fs");
    assert_str(mln_mounts_find(&m, "/a b")->options, "ro,rw");
    assert_null(mln_mounts_find(&m, "/c"));
}

static void fstab_is_read(void **state)
{
    (void)state;
    struct mln_mounts m = {0};
    assert_ok(mln_fstab_parse(MLN_S("# <file system>\nUUID=1 / ext4 errors=remount-ro 0 1\n/dev/sdb none swap sw 0 0\n"
                                    "tmpfs /tmp tmpfs\nonly two\n"),
                              arena, &m));
    assert_int_equal(m.list.n, 3);
    assert_str(mln_mounts_find(&m, "/")->source, "UUID=1");
    assert_str(mln_mounts_find(&m, "/dev/sdb")->type, "swap");
    assert_str(mln_mounts_find(&m, "/tmp")->options, "defaults");
}

/* ---- packet filters ---- */

static void nft_json_becomes_chains(void **state)
{
    (void)state;
    struct mln_filter f = {0};
    assert_ok(mln_filter_parse_nft_json(
        MLN_S("{\"nftables\":[{\"metainfo\":{}},{\"table\":{\"family\":\"inet\",\"name\":\"filter\"}},"
              "{\"chain\":{\"family\":\"inet\",\"table\":\"filter\",\"name\":\"input\",\"type\":\"filter\",\"hook\":"
              "\"input\","
              "\"prio\":0,\"policy\":\"drop\"}},"
              "{\"chain\":{\"family\":\"inet\",\"table\":\"filter\",\"name\":\"output\",\"type\":\"filter\",\"hook\":"
              "\"output\","
              "\"policy\":\"accept\"}},"
              "{\"chain\":{\"family\":\"ip\",\"table\":\"nat\",\"name\":\"pre\",\"type\":\"nat\",\"hook\":"
              "\"prerouting\"}},"
              "{\"rule\":{\"family\":\"inet\",\"table\":\"filter\",\"chain\":\"input\",\"expr\":[{\"match\":{\"op\":\"="
              "=\","
              "\"left\":{\"meta\":{\"key\":\"iifname\"}},\"right\":\"lo\"}},{\"accept\":null}]}},"
              "{\"rule\":{\"family\":\"inet\",\"table\":\"filter\",\"chain\":\"gone\",\"expr\":[]}}]}"),
        arena, &f));
    assert_int_equal(f.chains.n, 3);
    assert_int_equal(f.rules, 2);
    assert_str(mln_filter_policy(&f, "input"), "drop");
    assert_str(mln_filter_policy(&f, "output"), "accept");
    assert_str(mln_filter_policy(&f, "forward"), "accept");
    assert_true(mln_filter_accepts_loopback(&f));
    assert_fails(SYNTAX, mln_filter_parse_nft_json(MLN_S("{"), arena, &f));
    f = (struct mln_filter){0};
    assert_ok(mln_filter_parse_nft_json(MLN_S("[]"), arena, &f));
    assert_false(mln_filter_accepts_loopback(&f));
}

static void a_last_rule_is_as_good_as_a_policy(void **state)
{
    (void)state;
    struct mln_filter f = {0};
    assert_ok(mln_filter_parse_nft_json(
        MLN_S(
            "{\"nftables\":[{\"chain\":{\"family\":\"ip\",\"table\":\"f\",\"name\":\"in\",\"type\":\"filter\","
            "\"hook\":\"input\",\"policy\":\"accept\"}},{\"rule\":{\"family\":\"ip\",\"table\":\"f\",\"chain\":\"in\","
            "\"expr\":[{\"counter\":{}},{\"reject\":{}}]}}]}"),
        arena, &f));
    assert_str(mln_filter_policy(&f, "input"), "reject");
}

static void nfts_language_is_read_as_far_as_it_matters(void **state)
{
    (void)state;
    struct mln_filter f = {0};
    assert_ok(
        mln_filter_parse_nft(MLN_S("#!/usr/sbin/nft -f\nflush ruleset\n\ntable inet filter {\n"
                                   "  set ports { type inet_service; elements = { 22, 80 } }\n"
                                   "  chain input {\n    type filter hook input priority 0; policy drop;\n"
                                   "    iif \"lo\" accept comment \"x; y\"\n    iifname lo accept\n"
                                   "    tcp dport { 22, 80 } accept\n    ct state established accept # drop\n  }\n"
                                   "  chain forward { type filter hook forward priority 0; drop; }\n"
                                   "  chain output { type filter hook output priority 0; }\n"
                                   "  chain extra { accept }\n}\n"),
                             arena, &f));
    assert_int_equal(f.chains.n, 4);
    assert_str(f.chains.at[0].family, "inet");
    assert_str(f.chains.at[0].table, "filter");
    assert_int_equal(f.chains.at[0].rules, 4);
    assert_str(mln_filter_policy(&f, "input"), "drop");
    assert_str(mln_filter_policy(&f, "forward"), "drop");
    assert_str(mln_filter_policy(&f, "output"), "accept");
    assert_null(f.chains.at[3].hook.p);
    assert_true(mln_filter_accepts_loopback(&f));
}

static void saved_iptables_are_read(void **state)
{
    (void)state;
    struct mln_filter f = {0};
    assert_ok(mln_filter_parse_iptables(
        MLN_S("# Generated\n*nat\n:PREROUTING ACCEPT [0:0]\nCOMMIT\n*filter\n"
              ":INPUT DROP [1:2]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n:EXTRA - [0:0]\n"
              "-A INPUT -j EXTRA\n-A EXTRA -i lo -j ACCEPT\n"
              "-A FORWARD -j REJECT --reject-with icmp-port-unreachable\n"
              "-A OUTPUT -p tcp -m tcp --dport 25 -j DROP\nCOMMIT\n"),
        MLN_S("ip"), arena, &f));
    assert_int_equal(f.rules, 4);
    assert_str(mln_filter_policy(&f, "input"), "drop");
    assert_str(mln_filter_policy(&f, "forward"), "reject");
    assert_str(mln_filter_policy(&f, "output"), "accept"); /* the drop has a condition */
    assert_true(mln_filter_accepts_loopback(&f));
}

/* ---- units ---- */

static void systemctl_is_understood(void **state)
{
    (void)state;
    struct mln_units u = {0};
    assert_ok(mln_units_parse_show(MLN_S("Id=ssh.service\nLoadState=loaded\nActiveState=active\nSubState=running\n"
                                         "UnitFileState=enabled\n\nId=a.timer\nActiveState=active\nUnitFileState=\n"
                                         "NextElapseUSecRealtime=@1700000000\n\n"),
                                   arena, &u));
    assert_int_equal(u.list.n, 2);
    assert_str(u.list.at[0].name, "a.timer");
    assert_str(u.list.at[0].next, "@1700000000");
    assert_false(u.list.at[0].unit_file);
    assert_str(u.list.at[1].sub, "running");
    assert_true(u.list.at[1].unit_file);
    assert_ok(mln_units_parse_files(
        MLN_S("a.timer static -\nzz.service masked enabled\n\nssh.service disabled enabled\n"), arena, &u));
    assert_int_equal(u.list.n, 3);
    assert_str(u.list.at[0].enabled, "static");
    assert_str(u.list.at[1].enabled, "enabled"); /* what runs counts more than the list */
    assert_str(u.list.at[2].load, "masked");
    assert_str(u.list.at[2].active, "inactive");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_arena(listening_sockets_are_read),
        with_arena(sockets_are_ordered_and_bounded),
        with_arena(mounts_are_read),
        with_arena(fstab_is_read),
        with_arena(nft_json_becomes_chains),
        with_arena(a_last_rule_is_as_good_as_a_policy),
        with_arena(nfts_language_is_read_as_far_as_it_matters),
        with_arena(saved_iptables_are_read),
        with_arena(systemctl_is_understood),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
