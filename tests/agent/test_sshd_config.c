#include "check.h"

#include "agent/linux/sshd_config.h"
#include "arena.h"
#include "os/process.h"
#include "os/scratch.h"

static struct mln_sshd_config parse(const char *text)
{
    struct mln_sshd_config out;
    assert_ok(mln_sshd_parse(mln_str_c(text), arena, &out));
    return out;
}

/* All values of a keyword, joined; "(absent)" without any mention. */
static struct mln_str values(const struct mln_sshd_config *config, const char *keyword)
{
    const struct mln_sshd_option *option = mln_sshd_find(config, keyword);
    return option ? joined(option->values.at, option->values.n) : MLN_S("(absent)");
}

static void the_first_mention_counts(void **state)
{
    (void)state;
    struct mln_sshd_config c =
        parse("PermitRootLogin no\nPERMITROOTLOGIN yes\n  X11Forwarding=yes\nMaxAuthTries \"4\"\n"
              "Banner /etc/issue.net # text\n");
    assert_str(values(&c, "permitrootlogin"), "no");
    assert_str(values(&c, "x11forwarding"), "yes");
    assert_str(values(&c, "maxauthtries"), "4");
    assert_str(values(&c, "banner"), "/etc/issue.net");
    assert_str(values(&c, "usepam"), "(absent)");
}

static void lists_gather_or_are_cut(void **state)
{
    (void)state;
    struct mln_sshd_config c = parse("AllowUsers anna ben\nAllowUsers carl@10.*\nPort 22\nPort 2222\n"
                                     "Ciphers aes128-ctr,aes256-ctr\nCiphers 3des-cbc\nAcceptEnv LANG LC_*\n");
    assert_str(values(&c, "allowusers"), "anna|ben|carl@10.*");
    assert_str(values(&c, "port"), "22|2222");
    assert_str(values(&c, "ciphers"), "aes128-ctr|aes256-ctr");
    assert_str(values(&c, "acceptenv"), "LANG|LC_*");
}

static void match_blocks_are_left_aside(void **state)
{
    (void)state;
    struct mln_sshd_config c = parse("PasswordAuthentication no\nMatch User anna Address 10.0.0.0/8\n"
                                     "  PasswordAuthentication yes\n  PermitRootLogin yes\nMatch all\nPermitTTY no\n");
    assert_str(values(&c, "passwordauthentication"), "no");
    assert_str(values(&c, "permitrootlogin"), "(absent)");
    assert_str(values(&c, "permittty"), "no");
    assert_str(joined(c.matches.at, c.matches.n), "User anna Address 10.0.0.0/8");
}

static void values_have_one_form(void **state)
{
    (void)state;
    struct mln_sshd_config c = parse("PermitRootLogin without-password\nLoginGraceTime 1m30s\nClientAliveInterval 5m\n"
                                     "LogLevel verbose\nUsePAM YES\nChallengeResponseAuthentication no\n"
                                     "Subsystem sftp /usr/lib/sftp-server -f AUTH\n");
    assert_str(values(&c, "permitrootlogin"), "prohibit-password");
    assert_str(values(&c, "logingracetime"), "90");
    assert_str(values(&c, "clientaliveinterval"), "300");
    assert_str(values(&c, "loglevel"), "VERBOSE");
    assert_str(values(&c, "usepam"), "yes");
    assert_str(values(&c, "kbdinteractiveauthentication"), "no");
    assert_str(values(&c, "subsystem"), "sftp /usr/lib/sftp-server -f AUTH");
}

static void times_that_are_none_stay_as_they_are(void **state)
{
    (void)state;
    struct mln_sshd_config c = parse("LoginGraceTime 5x\nClientAliveInterval m\n");
    assert_str(values(&c, "logingracetime"), "5x");
    assert_str(values(&c, "clientaliveinterval"), "m");
}

static void what_is_not_set_has_its_default(void **state)
{
    (void)state;
    struct mln_sshd_config c = parse("");
    assert_ok(mln_sshd_add_defaults(&c, 902, arena));
    assert_str(values(&c, "permitrootlogin"), "prohibit-password");
    assert_str(values(&c, "listenaddress"), "[::]:22|0.0.0.0:22");
    assert_str(values(&c, "allowusers"), "");
    assert_true(mln_sshd_find(&c, "allowusers")->list);
    assert_int_equal(mln_sshd_find(&c, "hostkey")->values.n, 3);
    c = parse(
        "Port 2200\nListenAddress 10.0.0.1\nListenAddress ::1\nListenAddress [::2]:99\nListenAddress 10.0.0.2:80\n");
    assert_ok(mln_sshd_add_defaults(&c, 902, arena));
    assert_str(values(&c, "listenaddress"), "10.0.0.1:2200|[::1]:2200|[::2]:99|10.0.0.2:80");
    assert_str(values(&c, "port"), "2200");
}

static void lists_change_the_default_by_their_sign(void **state)
{
    (void)state;
    struct mln_sshd_config c = parse("MACs -hmac-sha1*,umac-64*\nCiphers +3des-cbc\n"
                                     "KexAlgorithms ^diffie-hellman-group18-sha512,new\n");
    assert_ok(mln_sshd_add_defaults(&c, 902, arena));
    assert_str(values(&c, "macs"),
               "umac-128-etm@openssh.com|hmac-sha2-256-etm@openssh.com|hmac-sha2-512-etm@openssh.com|"
               "umac-128@openssh.com|hmac-sha2-256|hmac-sha2-512");
    assert_true(mln_str_ends(values(&c, "ciphers"), MLN_S("aes256-gcm@openssh.com|3des-cbc")));
    assert_true(mln_str_starts(values(&c, "kexalgorithms"), MLN_S("diffie-hellman-group18-sha512|new|sntrup761")));
    assert_int_equal(mln_str_find(values(&c, "kexalgorithms"), MLN_S("|diffie-hellman-group18-sha512"), 0), SIZE_MAX);
}

static void defaults_follow_the_version(void **state)
{
    (void)state;
    static const struct {
        const char *package;
        int version;
    } versions[] = {
        {"1:9.2p1-2+deb12u3", 902}, {"8.0p1-19.el8", 800}, {"1:10.0p1-1", 1000}, {"", 0}, {"x", 0}, {"9", 0}};
    for (size_t i = 0; i < sizeof versions / sizeof *versions; i++)
        assert_int_equal(mln_sshd_version(mln_str_c(versions[i].package)), versions[i].version);
    struct mln_sshd_config old = parse(""), new = parse("");
    assert_ok(mln_sshd_add_defaults(&old, 800, arena));
    assert_ok(mln_sshd_add_defaults(&new, 1000, arena));
    assert_int_equal(mln_str_find(values(&old, "kexalgorithms"), MLN_S("sntrup"), 0), SIZE_MAX);
    assert_true(mln_str_starts(values(&new, "kexalgorithms"), MLN_S("mlkem768")));
}

static int set_up(void **state)
{
    return arena_setup(state) || scratch_setup(state) ? -1 : 0;
}

static int tear_down(void **state)
{
    arena_teardown(state);
    return scratch_teardown(state);
}

static void includes_are_followed_where_they_stand(void **state)
{
    (void)state;
    struct mln_sshd_config c;
    struct mln_tree tree;
    assert_int_equal(mkdir(in_scratch("etc"), 0755), 0);
    assert_int_equal(mkdir(in_scratch("etc/ssh"), 0755), 0);
    assert_int_equal(mkdir(in_scratch("etc/ssh/d"), 0755), 0);
    scratch_file("etc/ssh/sshd_config", "Include /etc/ssh/d/*.conf relative\nPermitRootLogin yes\nInclude loop\n");
    scratch_file("etc/ssh/d/20.conf", "PermitRootLogin no\nMaxSessions 3\n");
    scratch_file("etc/ssh/d/10.conf", "MaxSessions 2\nMatch User x\nPermitTTY no\n");
    scratch_file("etc/ssh/d/10.conf~", "MaxSessions 1\n");
    scratch_file("etc/ssh/relative", "UseDNS yes\n");
    assert_ok(mln_tree_open(scratch, &tree));
    assert_ok(mln_sshd_read(&tree, "/etc/ssh/sshd_config", arena, &c));
    assert_str(values(&c, "permitrootlogin"), "no"); /* a Match ends with its file */
    assert_str(values(&c, "maxsessions"), "2");
    assert_str(values(&c, "permittty"), "(absent)");
    assert_str(values(&c, "usedns"), "yes");
    scratch_file("etc/ssh/loop", "Include loop\n");
    assert_fails(LIMIT, mln_sshd_read(&tree, "/etc/ssh/sshd_config", arena, &c));
    assert_fails(NOT_FOUND, mln_sshd_read(&tree, "/etc/ssh/none", arena, &c));
    mln_tree_close(&tree);
}

/* Our reading of a configuration against sshd's own, on what every version has. */
static void sshd_itself_agrees(void **state)
{
    (void)state;
    static const char *const keywords[] = {"port",
                                           "listenaddress",
                                           "permitrootlogin",
                                           "passwordauthentication",
                                           "pubkeyauthentication",
                                           "maxauthtries",
                                           "logingracetime",
                                           "clientaliveinterval",
                                           "clientalivecountmax",
                                           "loglevel",
                                           "x11forwarding",
                                           "usepam",
                                           "banner",
                                           "allowusers",
                                           "denygroups",
                                           "acceptenv",
                                           "ciphers",
                                           "macs",
                                           "usedns",
                                           "strictmodes",
                                           "permitemptypasswords",
                                           "allowtcpforwarding",
                                           "gatewayports",
                                           "hostbasedauthentication",
                                           "ignorerhosts",
                                           "maxsessions",
                                           "maxstartups",
                                           "permituserenvironment",
                                           "printmotd",
                                           "subsystem",
                                           "authorizedkeysfile",
                                           "syslogfacility"};
    MLN_BUF_CLEANUP struct mln_buf said = MLN_BUF(1 << 20);
    struct mln_sshd_config ours, theirs;
    static const char text[] =
        "Port 2222\nPermitRootLogin without-password\nMACs -*-etm@openssh.com\nCiphers +3des-cbc\n"
        "AllowUsers anna ben\nDenyGroups bad\nLoginGraceTime 1m\nClientAliveInterval 2m\n"
        "X11Forwarding yes\nLogLevel VERBOSE\nAcceptEnv LANG LC_*\nBanner /etc/issue.net\n"
        "Subsystem sftp internal-sftp -l INFO\nMatch User anna\nPasswordAuthentication no\n";
    if (geteuid() != 0 || access("/usr/sbin/sshd", X_OK) != 0 || access("/run/sshd", F_OK) != 0)
        check_skip("no sshd that could be asked");
    scratch_file("sshd_config", text);
    const char *const argv[] = {"/usr/sbin/sshd", "-T", "-f", in_scratch("sshd_config"), NULL};
    if (!mln_ok(mln_process_output(argv, 20000, &said)))
        check_skip("sshd -T does not work here");
    assert_ok(mln_sshd_parse_effective(mln_buf_str(&said), arena, &theirs));
    ours = parse(text);
    assert_ok(mln_sshd_add_defaults(&theirs, 902, arena));
    assert_ok(mln_sshd_add_defaults(&ours, 902, arena));
    for (size_t i = 0; i < sizeof keywords / sizeof *keywords; i++) {
        struct mln_str a = values(&ours, keywords[i]), b = values(&theirs, keywords[i]);
        if (!mln_str_eq(a, b))
            fail_msg("%s: ours %.*s, sshd's %.*s", keywords[i], MLN_FMT(a), MLN_FMT(b));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_arena(the_first_mention_counts),
        with_arena(lists_gather_or_are_cut),
        with_arena(match_blocks_are_left_aside),
        with_arena(values_have_one_form),
        with_arena(times_that_are_none_stay_as_they_are),
        with_arena(what_is_not_set_has_its_default),
        with_arena(lists_change_the_default_by_their_sign),
        with_arena(defaults_follow_the_version),
        cmocka_unit_test_setup_teardown(includes_are_followed_where_they_stand, set_up, tear_down),
        cmocka_unit_test_setup_teardown(sshd_itself_agrees, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
