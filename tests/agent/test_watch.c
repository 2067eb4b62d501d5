#include "check.h"

#include "agent/watch.h"
#include "os/scratch.h"

#include <fcntl.h>
#include <poll.h>

enum { ONE = 3, TWO = 5 };
#define BIT(section) (UINT64_C(1) << (section))

static struct mln_watch *watch;

static int set_up(void **state)
{
    if (scratch_setup(state) || mkdir(in_scratch("d"), 0755))
        return -1;
    return mln_ok(mln_watch_new(scratch, &watch)) ? 0 : -1;
}

static int tear_down(void **state)
{
    mln_watch_free(MLN_TAKE(watch));
    return scratch_teardown(state);
}

static void depend(unsigned section, const char *path, enum mln_tree_interest interest)
{
    struct mln_tree_seen seen = {mln_str_c(path), interest};
    assert_ok(mln_watch_set(watch, section, &seen, 1));
}

/* What has changed, after something was done: the kernel's word is there at once. */
static mln_section_set changed(void)
{
    if (mln_watch_fd(watch) < 0)
        return mln_watch_poll(watch);
    return mln_watch_read(watch);
}

static void a_file_that_is_written_is_seen(void **state)
{
    (void)state;
    scratch_file("d/a", "1");
    scratch_file("d/b", "1");
    depend(ONE, "/d/a", MLN_TREE_READ);
    depend(TWO, "/d/b", MLN_TREE_READ);
    assert_int_equal(changed(), 0);
    scratch_file("d/a", "2");
    assert_int_equal(changed(), BIT(ONE));
    assert_int_equal(changed(), 0);
    scratch_file("d/c", "1"); /* nobody's */
    assert_int_equal(changed(), 0);
    scratch_file("d/c", "2");
    assert_int_equal(rename(in_scratch("d/c"), in_scratch("d/b")), 0); /* as editors replace a file */
    assert_int_equal(changed(), BIT(TWO));
    assert_int_equal(unlink(in_scratch("d/a")), 0);
    assert_int_equal(changed(), BIT(ONE));
}

static void a_file_that_is_not_there_yet_is_waited_for(void **state)
{
    (void)state;
    depend(ONE, "/d/deep/er/file", MLN_TREE_READ);
    assert_int_equal(mkdir(in_scratch("d/other"), 0755), 0);
    assert_int_equal(changed(), 0);
    assert_int_equal(mkdir(in_scratch("d/deep"), 0755), 0);
    assert_int_equal(changed(), BIT(ONE));
    depend(ONE, "/d/deep/er/file", MLN_TREE_READ); /* as after the look that follows */
    assert_int_equal(mkdir(in_scratch("d/deep/er"), 0755), 0);
    assert_int_equal(changed(), BIT(ONE));
    depend(ONE, "/d/deep/er/file", MLN_TREE_READ);
    scratch_file("d/deep/er/file", "x");
    assert_int_equal(changed(), BIT(ONE));
}

static void any_name_matters_in_a_listed_directory(void **state)
{
    (void)state;
    depend(ONE, "/d", MLN_TREE_LISTED);
    scratch_file("d/new", "");
    assert_int_equal(changed(), BIT(ONE));
    scratch_file("d/new", "content");
    assert_int_equal(changed(), 0); /* what is in it was not asked */
    assert_int_equal(unlink(in_scratch("d/new")), 0);
    assert_int_equal(changed(), BIT(ONE));
}

static void who_only_looks_is_not_told_of_content(void **state)
{
    (void)state;
    scratch_file("d/a", "1");
    depend(ONE, "/d/a", MLN_TREE_LOOKED);
    scratch_file("d/a", "22");
    assert_int_equal(changed(), 0);
    assert_int_equal(chmod(in_scratch("d/a"), 0600), 0);
    assert_int_equal(changed(), BIT(ONE));
}

static void what_a_link_leads_to_is_watched_too(void **state)
{
    (void)state;
    assert_int_equal(mkdir(in_scratch("real"), 0755), 0);
    scratch_file("real/a", "1");
    assert_int_equal(symlink("../real/a", in_scratch("d/link")), 0);
    depend(ONE, "/d/link", MLN_TREE_READ);
    scratch_file("real/a", "2");
    assert_int_equal(changed(), BIT(ONE));
}

static void a_section_can_change_what_it_depends_on(void **state)
{
    (void)state;
    struct mln_watch_stats stats;
    scratch_file("d/a", "1");
    depend(ONE, "/d/a", MLN_TREE_READ);
    depend(TWO, "/d/a", MLN_TREE_READ);
    assert_ok(mln_watch_set(watch, ONE, NULL, 0));
    scratch_file("d/a", "2");
    assert_int_equal(changed(), BIT(TWO));
    assert_ok(mln_watch_set(watch, TWO, NULL, 0));
    mln_watch_stats(watch, &stats);
    assert_int_equal(stats.paths, 0);
    assert_int_equal(stats.directories, 0);
}

static void a_directory_that_goes_away_is_told(void **state)
{
    (void)state;
    scratch_file("d/a", "1");
    depend(ONE, "/d/a", MLN_TREE_READ);
    assert_int_equal(unlink(in_scratch("d/a")), 0);
    assert_int_equal(rmdir(in_scratch("d")), 0);
    assert_int_equal(changed(), BIT(ONE));
    depend(ONE, "/d/a", MLN_TREE_READ);
    assert_int_equal(mkdir(in_scratch("d"), 0755), 0);
    assert_int_equal(changed(), BIT(ONE));
}

static void without_the_kernels_help_files_are_polled(void **state)
{
    (void)state;
    if (mln_watch_fd(watch) >= 0) {
        depend(ONE, "/d/a", MLN_TREE_READ);
        assert_false(mln_watch_needs_polls(watch));
        assert_ok(mln_watch_set(watch, ONE, NULL, 0));
        int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
        assert_true(nothing >= 0 && dup2(nothing, mln_watch_fd(watch)) >= 0); /* no inotify any more */
        close(nothing);
    }
    depend(ONE, "/d/b", MLN_TREE_READ);
    depend(TWO, "/gone/c", MLN_TREE_READ);
    assert_true(mln_watch_needs_polls(watch));
    assert_int_equal(mln_watch_poll(watch), 0);
    scratch_file("d/b", "1");
    assert_int_equal(mln_watch_poll(watch), BIT(ONE));
    assert_int_equal(mln_watch_poll(watch), 0);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(a_file_that_is_written_is_seen),         T(a_file_that_is_not_there_yet_is_waited_for),
        T(any_name_matters_in_a_listed_directory), T(who_only_looks_is_not_told_of_content),
        T(what_a_link_leads_to_is_watched_too),    T(a_section_can_change_what_it_depends_on),
        T(a_directory_that_goes_away_is_told),     T(without_the_kernels_help_files_are_polled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
