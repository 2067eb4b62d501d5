/* The texts are what rpm 4.18 and dnf 4.14 printed for a few packages that were made for it. */
#include "check.h"

#include "agent/linux/rpm.h"
#include "agent/linux/text.h"
#include "agent/linux/version.h"
#include "arena.h"
#include "os/process.h"

#include <unistd.h>

#define LONG_NAME "a-very-long-package-name-that-fills-more-than-a-column-of-text"

/* "name|version|arch|source" of every line that reader accepts, one a line. */
static struct mln_str all(struct mln_str text, bool (*reader)(struct mln_str line, struct mln_rpm_package *out))
{
    struct mln_str line, seen = MLN_S("");
    struct mln_rpm_package p;
    while (mln_text_line(&text, &line, NULL))
        if (reader(line, &p))
            seen = mln_str_printf(arena, "%.*s%.*s|%.*s|%.*s|%.*s\n", MLN_FMT(seen), MLN_FMT(p.name),
                                  MLN_FMT(mln_rpm_version(arena, &p)), MLN_FMT(p.arch), MLN_FMT(p.source));
    return seen;
}

static void installed_packages_have_epoch_and_source(void **state)
{
    (void)state;
    assert_str(all(MLN_S("gamma\t0\t1.0^git1-3.el9\tnoarch\tgamma-1.0^git1-3.el9.src.rpm\n"
                         "beta-tools\t2\t1.0~rc1-1.el9\tnoarch\tbeta-1.0~rc1-1.el9.src.rpm\n"
                         "gpg-pubkey\t0\t3228467c-613798eb\t(none)\t(none)\n"
                         "handmade\t0\t1-1\tx86_64\t(none)\n"),
                   mln_rpm_installed_line),
               "gamma|1.0^git1-3.el9|noarch|gamma\n"
               "beta-tools|2:1.0~rc1-1.el9|noarch|beta\n"
               "handmade|1-1|x86_64|handmade\n");
}

static void updates_of_dnf_are_read_whether_or_not_lines_are_doubled(void **state)
{
    (void)state;
    assert_str(all(MLN_S(LONG_NAME "\t0\t1.0.1-1.el9\tnoarch\n\nbeta\t2\t1.0-1.el9\tnoarch\n"
                                   "gamma\t0\t1.0^git2-3.el9\tnoarch\n\n"),
                   mln_dnf_update_line),
               LONG_NAME "|1.0.1-1.el9|noarch|\nbeta|2:1.0-1.el9|noarch|\ngamma|1.0^git2-3.el9|noarch|\n");
}

static void other_lines_are_no_packages(void **state)
{
    (void)state;
    static const char *const lines[] = {"",
                                        "\t\t\t",
                                        "a\t0\t1-1",
                                        "a\t0\t1-1\tnoarch\tb\tc",
                                        "a\t\t1-1\tnoarch",
                                        "a\t0\t1-1\tnoarch\t",
                                        "Not root, Subscription Management repositories not updated"};
    struct mln_rpm_package p;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        assert_false(mln_dnf_update_line(mln_str_c(lines[i]), &p));
        assert_false(mln_rpm_installed_line(mln_str_c(lines[i]), &p));
    }
}

static void updates_of_yum_are_read_to_the_obsoleted_ones(void **state)
{
    (void)state;
    struct mln_str seen = MLN_S(""),
                   text = MLN_S("Security: kernel-3.10.0-1160.el7.x86_64 is an installed security update\n\n" LONG_NAME
                                ".noarch 1.0.1-1.el9    updates\n" LONG_NAME ".i686\n"
                                "                            1.0.1-2.el9    updates\n"
                                "beta.noarch                     2:1.0-1.el9    updates\n"
                                "gamma.noarch                    1.0^git2-3.el9 updates\n"
                                "no.version                      here           updates\n"
                                "Obsoleting Packages\n"
                                "newthing.noarch                 2-1            updates\n"
                                "    old.noarch                  1-1            @System\n");
    struct mln_rpm_package p;
    while (mln_yum_next_update(&text, &p))
        seen = mln_str_printf(arena, "%.*s%.*s|%.*s|%.*s\n", MLN_FMT(seen), MLN_FMT(p.name),
                              MLN_FMT(mln_rpm_version(arena, &p)), MLN_FMT(p.arch));
    assert_str(seen, LONG_NAME "|1.0.1-1.el9|noarch\n" LONG_NAME "|1.0.1-2.el9|i686\n"
                               "beta|2:1.0-1.el9|noarch\ngamma|1.0^git2-3.el9|noarch\n");
    assert_int_equal(text.n, 0);
}

static void security_advisories_of_yum_name_packages(void **state)
{
    (void)state;
    assert_str(all(MLN_S("TEST-2026:0002 bugfix         alpha-1.1-1.el9.noarch\n"
                         "TEST-2026:0001 Important/Sec. beta-tools-2:1.0-1.el9.noarch\n"
                         "TEST-2026:0003 Important/Sec. beta.noarch\n"
                         "TEST-2026:0004 Important/Sec.\nupdateinfo list done\n"),
                   mln_yum_security_line),
               "beta-tools||noarch|\n");
}

static void repositories_without_signatures_are_found_one_by_one(void **state)
{
    (void)state;
    struct mln_str text = MLN_S("# all\n[signed]\ngpgcheck=1\n[open]\nname=x\ngpgcheck = 0\n[off]\nenabled=0\n"
                                "gpgcheck=0\n[silent]\nbaseurl=http://mirror.example/\n"),
                   path = MLN_S("/etc/yum.repos.d/x.repo");
    struct mln_rpm_repositories strict = {0}, lax = {0}, main_only = {0};
    assert_ok(mln_rpm_read_repositories(text, path, true, arena, &strict));
    assert_str(joined(strict.unsigned_ids.at, strict.unsigned_ids.n), "open (/etc/yum.repos.d/x.repo)");
    assert_ok(mln_rpm_read_repositories(text, path, false, arena, &lax));
    assert_str(joined(lax.unsigned_ids.at, lax.unsigned_ids.n),
               "open (/etc/yum.repos.d/x.repo)|silent (/etc/yum.repos.d/x.repo)");
    assert_ok(mln_rpm_read_repositories(MLN_S("gpgcheck=0\n[main]\ngpgcheck=0\n"), path, false, arena, &main_only));
    assert_int_equal(main_only.unsigned_ids.n, 0);
}

/* ---- the order of versions ---- */

static const char *const ascending[] = {
    "~",          "1.0~rc1-1", "1.0-1~a", "1.0-1", "1.0-1^a", "1.0-1.1", "1.0-2", "1.0-10", "1.0^a-1", "1.0^git1-1",
    "1.0^git2-1", "1.0a-1",    "1.0.1-1", "1.1-1", "1.10-1",  "2-1",     "10-1",  "1:0-1",  "2:0~-1"};
enum { VERSIONS = sizeof ascending / sizeof *ascending };

static int sign(int n)
{
    return (n > 0) - (n < 0);
}

static void versions_are_in_rpms_order(void **state)
{
    (void)state;
    for (int i = 0; i < VERSIONS; i++)
        for (int k = 0; k < VERSIONS; k++)
            if (sign(mln_rpm_version_cmp(mln_str_c(ascending[i]), mln_str_c(ascending[k]))) != sign(i - k))
                fail_msg("%s against %s", ascending[i], ascending[k]);
    assert_int_equal(mln_rpm_version_cmp(MLN_S("1.0-01"), MLN_S("1_00-1")), 0);
    assert_int_equal(mln_rpm_version_cmp(MLN_S("0:1-1"), MLN_S("1-1")), 0);
}

static struct mln_str random_version(uint64_t *chance)
{
    static const char alphabet[] = "0019.~^+ab";
    char text[9];
    size_t n = 1 + check_below(chance, sizeof text - 1);
    for (size_t i = 0; i < n; i++)
        text[i] = alphabet[check_below(chance, sizeof alphabet - 1)];
    return mln_str_dup(arena, (struct mln_str){text, n});
}

static void rpm_itself_agrees(void **state)
{
    enum { PAIRS = 100 };
    (void)state;
    if (access("/usr/bin/rpm", X_OK) != 0)
        check_skip("no rpm that could be asked");
    struct mln_str script = MLN_S("%{lua:"), word, answers;
    struct mln_str pairs[PAIRS][2];
    uint64_t chance = 11;
    for (int i = 0; i < PAIRS; i++) {
        pairs[i][0] = random_version(&chance), pairs[i][1] = random_version(&chance);
        script = mln_str_printf(arena, "%.*s print(rpm.vercmp('%.*s','%.*s')..' ')", MLN_FMT(script),
                                MLN_FMT(pairs[i][0]), MLN_FMT(pairs[i][1]));
    }
    const char *const argv[] = {"/usr/bin/rpm", "--eval",
                                mln_str_z(arena, mln_str_printf(arena, "%.*s}", MLN_FMT(script))), NULL};
    MLN_BUF_CLEANUP struct mln_buf out = MLN_BUF(65536);
    assert_ok(mln_process_output(argv, 10000, &out));
    answers = mln_buf_str(&out);
    for (int i = 0; i < PAIRS; i++) {
        assert_true(mln_text_word(&answers, &word));
        if (mln_text_i64(word, 9) != sign(mln_rpm_version_cmp(pairs[i][0], pairs[i][1])))
            fail_msg("rpm says %.*s of %.*s and %.*s", MLN_FMT(word), MLN_FMT(pairs[i][0]), MLN_FMT(pairs[i][1]));
    }
}

static void kernels_have_flavours(void **state)
{
    (void)state;
    static const struct {
        const char *release, *flavour;
    } cases[] = {
        {"6.1.0-18-amd64", "-amd64"},
        {"6.1.0-18-cloud-amd64", "-cloud-amd64"},
        {"6.12.38+deb13-cloud-amd64", "-cloud-amd64"},
        {"5.15.0-91-generic", "-generic"},
        {"5.14.0-362.8.1.el9_3.x86_64", ""},
        {"5.14.0-362.8.1.el9_3.x86_64+debug", "+debug"},
        {"5.14.0-362.8.1.el9_3.aarch64+64k", "+64k"},
        {"6.1.79-99.164.amzn2023.x86_64", ""},
        {"6.1.0", ""},
        {"", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_str(mln_kernel_flavour(mln_str_c(cases[i].release)), cases[i].flavour);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_arena(installed_packages_have_epoch_and_source),
        with_arena(updates_of_dnf_are_read_whether_or_not_lines_are_doubled),
        with_arena(other_lines_are_no_packages),
        with_arena(updates_of_yum_are_read_to_the_obsoleted_ones),
        with_arena(security_advisories_of_yum_name_packages),
        with_arena(repositories_without_signatures_are_found_one_by_one),
        with_arena(versions_are_in_rpms_order),
        with_arena(rpm_itself_agrees),
        with_arena(kernels_have_flavours),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
