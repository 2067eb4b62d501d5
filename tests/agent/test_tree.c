#include "check.h"

#include "agent/linux/tree.h"
#include "arena.h"
#include "os/scratch.h"

#include <fcntl.h>

static struct mln_tree tree;

static int set_up(void **state)
{
    if (arena_setup(state) || scratch_setup(state))
        return -1;
    return mln_ok(mln_tree_open(scratch, &tree)) ? 0 : -1;
}

static int tear_down(void **state)
{
    mln_tree_close(&tree);
    arena_teardown(state);
    return scratch_teardown(state);
}

static void make_directory(const char *name)
{
    assert_int_equal(mkdir(in_scratch(name), 0755), 0);
}

static void files_are_read_up_to_a_limit(void **state)
{
    (void)state;
    struct mln_str text;
    scratch_file("a", "hello");
    scratch_file("empty", "");
    assert_ok(mln_tree_read(&tree, "/a", arena, 5, &text));
    assert_str(text, "hello");
    assert_fails(LIMIT, mln_tree_read(&tree, "/a", arena, 4, &text));
    assert_ok(mln_tree_read(&tree, "empty", arena, 4, &text));
    assert_int_equal(text.n, 0);
    assert_non_null(text.p);
    assert_fails(NOT_FOUND, mln_tree_read(&tree, "/b", arena, 5, &text));
    assert_fails(NOT_FOUND, mln_tree_read(&tree, "/a/b", arena, 5, &text));
    assert_ok(mln_tree_read_if(&tree, "/b", arena, &text));
    assert_null(text.p);
}

static void only_regular_files_are_read(void **state)
{
    (void)state;
    struct mln_str text;
    make_directory("d");
    assert_int_equal(mkfifo(in_scratch("pipe"), 0644), 0);
    assert_fails(INVALID, mln_tree_read(&tree, "/d", arena, 5, &text));
    assert_fails(INVALID, mln_tree_read(&tree, "/pipe", arena, 5, &text)); /* and without waiting for a writer */
}

static void links_stay_inside(void **state)
{
    (void)state;
    struct mln_str text;
    make_directory("etc");
    scratch_file("etc/passwd", "inside");
    assert_int_equal(symlink("/etc/passwd", in_scratch("absolute")), 0);
    assert_int_equal(symlink("../../../../etc/passwd", in_scratch("up")), 0);
    assert_int_equal(symlink("loop", in_scratch("loop")), 0);
    assert_ok(mln_tree_read(&tree, "/absolute", arena, 100, &text));
    assert_str(text, "inside");
    assert_ok(mln_tree_read(&tree, "/up", arena, 100, &text));
    assert_str(text, "inside");
    assert_ok(mln_tree_read(&tree, "/../../etc/passwd", arena, 100, &text));
    assert_str(text, "inside");
    assert_false(mln_ok(mln_tree_read(&tree, "/loop", arena, 100, &text)));
    assert_str(mln_tree_link(&tree, "/absolute", arena), "/etc/passwd");
    assert_null(mln_tree_link(&tree, "/etc/passwd", arena).p);
}

static void paths_can_be_looked_at(void **state)
{
    (void)state;
    struct stat st;
    scratch_file("a", "x\ny\n");
    assert_int_equal(symlink("a", in_scratch("l")), 0);
    assert_int_equal(symlink("gone", in_scratch("dead")), 0);
    assert_true(mln_tree_stat(&tree, "/l", false, &st));
    assert_true(S_ISLNK(st.st_mode));
    assert_true(mln_tree_stat(&tree, "/l", true, &st));
    assert_true(S_ISREG(st.st_mode));
    assert_false(mln_tree_stat(&tree, "/dead", true, &st));
    assert_true(mln_tree_stat(&tree, "/dead", false, &st));
    assert_false(mln_tree_exists(&tree, "/dead"));
    assert_str(mln_tree_line(&tree, "/a", arena), "x");
    assert_null(mln_tree_line(&tree, "/gone", arena).p);
}

static void directories_are_listed_in_order(void **state)
{
    (void)state;
    struct mln_str *names;
    size_t n;
    make_directory("d");
    scratch_file("d/b", "");
    scratch_file("d/a", "");
    scratch_file("d/.c", "");
    assert_ok(mln_tree_list(&tree, "/d", arena, &names, &n));
    assert_str(joined(names, n), ".c|a|b");
    assert_ok(mln_tree_list(&tree, "/gone", arena, &names, &n));
    assert_int_equal(n, 0);
}

static struct mln_str globbed(const char *pattern)
{
    struct mln_str *paths;
    size_t n;
    assert_ok(mln_tree_glob(&tree, mln_str_c(pattern), arena, &paths, &n));
    return joined(paths, n);
}

static void patterns_match_in_every_component(void **state)
{
    (void)state;
    make_directory("x1");
    make_directory("x2");
    scratch_file("x1/a.conf", "");
    scratch_file("x1/.hidden.conf", "");
    scratch_file("x2/b.conf", "");
    scratch_file("x2/c", "");
    assert_str(globbed("/x*/*.conf"), "/x1/a.conf|/x2/b.conf");
    assert_str(globbed("x[2]/?"), "/x2/c");
    assert_str(globbed("/x1/a.conf"), "/x1/a.conf");
    assert_str(globbed("/x1/gone"), "");
    assert_str(globbed("/x1/.*"), "/x1/.hidden.conf");
    assert_str(globbed("/gone/*"), "");
}

static void what_was_asked_for_is_remembered(void **state)
{
    (void)state;
    struct mln_str text, *names;
    struct stat st;
    size_t n;
    scratch_file("a", "x");
    mln_tree_record(&tree, arena);
    assert_ok(mln_tree_read_if(&tree, "/a", arena, &text));
    assert_ok(mln_tree_read_if(&tree, "/gone", arena, &text));
    assert_ok(mln_tree_list(&tree, "/", arena, &names, &n));
    mln_tree_stat(&tree, "/a", true, &st);
    mln_tree_stat(&tree, "/proc/1", true, &st); /* the kernel's own files send no word of changes */
    assert_int_equal(tree.seen.n, 4);
    assert_str(tree.seen.at[0].path, "/a");
    assert_int_equal(tree.seen.at[0].interest, MLN_TREE_READ);
    assert_str(tree.seen.at[1].path, "/gone");
    assert_int_equal(tree.seen.at[2].interest, MLN_TREE_LISTED);
    assert_int_equal(tree.seen.at[3].interest, MLN_TREE_LOOKED);
    mln_tree_record(&tree, NULL);
    assert_int_equal(tree.seen.n, 0);
    assert_ok(mln_tree_read_if(&tree, "/a", arena, &text));
    assert_int_equal(tree.seen.n, 0);
}

static void only_the_root_is_live(void **state)
{
    (void)state;
    struct mln_tree live;
    assert_false(tree.live);
    assert_ok(mln_tree_open("/", &live));
    assert_true(live.live);
    mln_tree_close(&live);
    assert_fails(NOT_FOUND, mln_tree_open(in_scratch("gone"), &live));
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(files_are_read_up_to_a_limit),     T(only_regular_files_are_read),     T(links_stay_inside),
        T(paths_can_be_looked_at),           T(directories_are_listed_in_order), T(patterns_match_in_every_component),
        T(what_was_asked_for_is_remembered), T(only_the_root_is_live),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
