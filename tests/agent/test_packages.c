#include "check.h"

#include "agent/linux/apt.h"
#include "agent/linux/dpkg.h"
#include "agent/linux/version.h"
#include "arena.h"
#include "os/process.h"
#include "os/scratch.h"

/* ---- stanzas ---- */

static struct mln_result note(void *context, const struct mln_dpkg_package *p)
{
    return mln_buf_printf(context, "%s %s %s %s %s%s\n", p->name, p->version, p->arch, p->source,
                          p->status[0] ? p->status : "-", mln_dpkg_is_installed(p) ? " (installed)" : "");
}

static const char status[] = "Package: bash\nStatus: install ok installed\nArchitecture: amd64\nVersion: 5.2-1\n"
                             "Description: a shell\n with more\n Package: not this\n\n"
                             "Package: old\nStatus: deinstall ok config-files\nVersion: 1\nSource: older (0.9)\n\n\n"
                             "Version: 3\n\n"
                             "Package: last\nStatus: hold ok installed\nVersion: 1:2~rc1\nArchitecture: all";
static const char noted[] = "bash 5.2-1 amd64 bash install ok installed (installed)\n"
                            "old 1  older deinstall ok config-files\n"
                            "last 1:2~rc1 all last hold ok installed (installed)\n";

static void stanzas_become_packages_wherever_the_text_is_cut(void **state)
{
    (void)state;
    for (size_t piece = 1; piece < sizeof status; piece++) {
        MLN_BUF_CLEANUP struct mln_buf seen = MLN_BUF(4096);
        struct mln_dpkg_stream stream = {.visit = note, .context = &seen};
        for (struct mln_str rest = mln_str_c(status); rest.n; rest = mln_str_sub(rest, piece, rest.n))
            assert_ok(mln_dpkg_feed(&stream, mln_str_sub(rest, 0, piece)));
        assert_ok(mln_dpkg_end(&stream));
        assert_str(mln_buf_str(&seen), noted);
    }
}

static void long_fields_and_lines_are_cut(void **state)
{
    (void)state;
    MLN_BUF_CLEANUP struct mln_buf seen = MLN_BUF(4096), text = MLN_BUF(4096);
    struct mln_dpkg_stream stream = {.visit = note, .context = &seen};
    assert_ok(mln_buf_append(&text, MLN_S("Package: ")));
    for (int i = 0; i < 1000; i++)
        assert_ok(mln_buf_byte(&text, 'x'));
    assert_ok(mln_buf_append(&text, MLN_S("\nVersion: 1\n\n")));
    assert_ok(mln_dpkg_feed(&stream, mln_buf_str(&text)));
    assert_true(mln_str_starts(mln_buf_str(&seen), MLN_S("xxx")));
    assert_int_equal(strchr(seen.p, ' ') - seen.p, 127);
}

static struct mln_result refuse(void *context, const struct mln_dpkg_package *package)
{
    (void)context, (void)package;
    return mln_fail(MLN_E_LIMIT, "enough");
}

static void a_visitor_can_stop_it(void **state)
{
    (void)state;
    struct mln_dpkg_stream stream = {.visit = refuse};
    assert_fails(LIMIT, mln_dpkg_feed(&stream, MLN_S("Package: a\n\nPackage: b\n\n")));
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

static void versions_are_found_in_the_database(void **state)
{
    (void)state;
    struct mln_tree tree;
    assert_ok(mln_tree_open(scratch, &tree));
    assert_null(mln_dpkg_version_of(&tree, "bash", arena).p);
    assert_int_equal(mkdir(in_scratch("var"), 0755) | mkdir(in_scratch("var/lib"), 0755) |
                         mkdir(in_scratch("var/lib/dpkg"), 0755),
                     0);
    scratch_file("var/lib/dpkg/status", status);
    assert_str(mln_dpkg_version_of(&tree, "bash", arena), "5.2-1");
    assert_null(mln_dpkg_version_of(&tree, "old", arena).p);
    mln_tree_close(&tree);
}

/* ---- the order of versions ---- */

static const char *const ascending[] = {"0~~",   "0~~a",  "0~",  "0",    "0+",    "1~rc1-1", "1-1", "1-1+b1",
                                        "1-1.1", "1.0-1", "1.2", "1.10", "1.10a", "1.10b",   "2~",  "2",
                                        "2-0.1", "2a",    "10",  "1:0",  "1:1",   "2:0"};
enum { VERSIONS = sizeof ascending / sizeof *ascending };

static int sign(int n)
{
    return (n > 0) - (n < 0);
}

static void versions_are_in_debians_order(void **state)
{
    (void)state;
    for (int i = 0; i < VERSIONS; i++)
        for (int k = 0; k < VERSIONS; k++)
            if (sign(mln_deb_version_cmp(mln_str_c(ascending[i]), mln_str_c(ascending[k]))) != sign(i - k))
                fail_msg("%s against %s", ascending[i], ascending[k]);
    assert_int_equal(mln_deb_version_cmp(MLN_S("1.0"), MLN_S("1.00")), 0);
    assert_int_equal(mln_deb_version_cmp(MLN_S("0:1"), MLN_S("1")), 0);
    assert_int_equal(mln_deb_version_cmp(MLN_S("1-0"), MLN_S("1")), 0);
}

static struct mln_str random_version(uint64_t *chance)
{
    static const char alphabet[] = "0019.~+-:ab";
    char text[12];
    size_t n = 1 + check_below(chance, sizeof text - 1);
    for (size_t i = 0; i < n; i++)
        text[i] = alphabet[check_below(chance, sizeof alphabet - 1)];
    return mln_str_dup(arena, (struct mln_str){text, n});
}

static void the_order_is_an_order(void **state)
{
    (void)state;
    uint64_t chance = 7;
    for (int i = 0; i < 20000; i++) {
        struct mln_str a = random_version(&chance), b = random_version(&chance), c = random_version(&chance);
        int ab = sign(mln_deb_version_cmp(a, b)), bc = sign(mln_deb_version_cmp(b, c));
        assert_int_equal(mln_deb_version_cmp(a, a), 0);
        assert_int_equal(ab, -sign(mln_deb_version_cmp(b, a)));
        if (ab == bc && ab)
            assert_int_equal(sign(mln_deb_version_cmp(a, c)), ab);
    }
}

static void dpkg_itself_agrees(void **state)
{
    (void)state;
    if (access("/usr/bin/dpkg", X_OK) != 0)
        check_skip("no dpkg that could be asked");
    for (int i = 0; i + 1 < VERSIONS; i++) {
        const char *const argv[] = {"/usr/bin/dpkg", "--compare-versions", ascending[i], "lt", ascending[i + 1], NULL};
        MLN_BUF_CLEANUP struct mln_buf out = MLN_BUF(4096);
        assert_ok(mln_process_output(argv, 10000, &out));
    }
}

/* ---- apt ---- */

static void update_lines_tell_what_would_come(void **state)
{
    (void)state;
    struct mln_update u;
    assert_true(mln_apt_update_line(
        MLN_S("Inst openssl [3.0.11-1~deb12u2] (3.0.15-1~deb12u1 Debian-Security:12/stable-security [amd64])"), &u));
    assert_str(u.name, "openssl");
    assert_str(u.current, "3.0.11-1~deb12u2");
    assert_str(u.candidate, "3.0.15-1~deb12u1");
    assert_true(u.security);
    assert_true(mln_apt_update_line(MLN_S("Inst tzdata [1] (2 Debian:12.8/stable [all]) []"), &u));
    assert_false(u.security);
    assert_true(mln_apt_update_line(
        MLN_S("Inst a [1] (2 Ubuntu:22.04/jammy-updates, Ubuntu:22.04/jammy-security [amd64])"), &u));
    assert_true(u.security);
    static const char *const none[] = {
        "Inst new (1 Debian:12/stable [all])", "Conf a (1)", "Remv a [1]", "Inst", "Inst a [1]", ""};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        assert_false(mln_apt_update_line(mln_str_c(none[i]), &u));
}

static void settings_are_found_in_both_forms(void **state)
{
    (void)state;
    struct mln_str name = MLN_S("APT::Periodic::Unattended-Upgrade");
    static const struct {
        const char *text, *value;
    } cases[] = {
        {"APT::Periodic::Unattended-Upgrade \"1\";", "1"},
        {"APT { Periodic { Unattended-Upgrade \"7\"; }; };", "7"},
        {"apt::periodic { UNATTENDED-upgrade \"2\"; };", "2"},
        {"// APT::Periodic::Unattended-Upgrade \"1\";\nAPT::Periodic::Unattended-Upgrade \"0\";", "0"},
        {"/* APT::Periodic::Unattended-Upgrade \"1\"; */ # x\nAPT::Periodic::Unattended-Upgrade \"3\";", "3"},
        {"APT::Periodic::Unattended-Upgrade \"1\";\nAPT::Periodic::Unattended-Upgrade \"0\";", "0"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_str(mln_apt_setting(mln_str_c(cases[i].text), name), cases[i].value);
    static const char *const none[] = {"",
                                       "APT::Periodic::Unattended \"1\";",
                                       "Periodic { Unattended-Upgrade \"1\"; };",
                                       "APT::Periodic::Unattended-Upgrade-More \"1\";",
                                       "}}}{{{",
                                       "/*",
                                       "\""};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        assert_null(mln_apt_setting(mln_str_c(none[i]), name).p);
}

static void sources_that_are_trusted_blindly_are_found(void **state)
{
    (void)state;
    struct mln_apt_sources s = {0};
    assert_ok(mln_apt_read_sources(MLN_S("deb http://deb.example/debian stable main\n"
                                         "# deb [trusted=yes] http://off.example/ x\n"
                                         "deb [arch=amd64 trusted=yes] http://user:secret@a.example/ x # why\n"
                                         "deb-src [allow-insecure=yes] http://b.example/ x\n"),
                                   false, arena, &s));
    assert_ok(mln_apt_read_sources(MLN_S("Types: deb\nURIs: http://c.example/\nTrusted: yes\n\n"
                                         "Types: deb\nURIs: http://d.example/\nTrusted: no\n\n"
                                         "URIs: http://e.example/\nAllow-Insecure: YES"),
                                   true, arena, &s));
    assert_str(joined(s.unsigned_uris.at, s.unsigned_uris.n),
               "http://***@a.example/|http://b.example/|http://c.example/|http://e.example/");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_arena(stanzas_become_packages_wherever_the_text_is_cut),
        with_arena(long_fields_and_lines_are_cut),
        with_arena(a_visitor_can_stop_it),
        cmocka_unit_test_setup_teardown(versions_are_found_in_the_database, set_up, tear_down),
        with_arena(versions_are_in_debians_order),
        with_arena(the_order_is_an_order),
        with_arena(dpkg_itself_agrees),
        with_arena(update_lines_tell_what_would_come),
        with_arena(settings_are_found_in_both_forms),
        with_arena(sources_that_are_trusted_blindly_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
