#include "os/root.h"

#include "os/scratch.h"

#include <errno.h>
#include <fcntl.h>

/* A small machine below scratch/root, with links of all kinds, and a secret beside it. */
static void make_machine(void)
{
    assert_ok(mln_dir_ensure(in_scratch("root/etc/deep/er"), 0755));
    assert_ok(mln_dir_ensure(in_scratch("root/usr/lib"), 0755));
    scratch_file("secret", "secret");
    scratch_file("root/usr/lib/os-release", "NAME=test\n");
    scratch_file("root/etc/hostname", "inside\n");
    scratch_file("root/etc/deep/er/file", "x");
    assert_int_equal(symlink("../usr/lib/os-release", in_scratch("root/etc/os-release")), 0);
    assert_int_equal(symlink("/etc/hostname", in_scratch("root/etc/absolute")), 0);
    assert_int_equal(symlink("../../secret", in_scratch("root/etc/escape")), 0);
    assert_int_equal(symlink("/usr", in_scratch("root/etc/user")), 0);
    assert_int_equal(symlink("loop", in_scratch("root/etc/loop")), 0);
}

static struct mln_root open_machine(enum mln_root_fence fence)
{
    struct mln_root root;
    make_machine();
    assert_ok(mln_root_open_with(in_scratch("root"), fence, &root));
    return root;
}

/* True where the kernel can keep a root; the tests of that are skipped where it cannot (before Linux 5.6). */
static bool kernel_keeps_roots(void)
{
    struct mln_root root;
    assert_ok(mln_root_open(scratch, &root));
    enum mln_root_fence fence = root.fence;
    mln_root_close(&root);
    return fence == MLN_ROOT_KERNEL;
}

static void check_reads(const struct mln_root *root, const char *path, const char *expected)
{
    MLN_BUF_CLEANUP struct mln_buf out = MLN_BUF(64);
    assert_ok(mln_root_read(root, path, 0, &out));
    assert_str(mln_buf_str(&out), expected);
}

static void the_kernel_keeps_links_inside(void **state)
{
    (void)state;
    if (!kernel_keeps_roots())
        check_skip("no openat2");
    struct mln_root root = open_machine(MLN_ROOT_KERNEL);
    MLN_BUF_CLEANUP struct mln_buf out = MLN_BUF(64);
    check_reads(&root, "/etc/hostname", "inside\n");
    check_reads(&root, "etc//./hostname", "inside\n");
    check_reads(&root, "/etc/os-release", "NAME=test\n");
    check_reads(&root, "/etc/absolute", "inside\n");
    check_reads(&root, "/etc/user/lib/os-release", "NAME=test\n");
    check_reads(&root, "/../../../etc/hostname", "inside\n");
    assert_fails(NOT_FOUND, mln_root_read(&root, "/etc/escape", 0, &out));
    assert_fails(NOT_FOUND, mln_root_read(&root, "/../secret", 0, &out));
    assert_fails(FORBIDDEN, mln_root_read(&root, "/etc/loop", 0, &out));
    assert_fails(FORBIDDEN, mln_root_read(&root, "/etc/absolute", MLN_FILE_NOLINK, &out));
    assert_fails(NOT_FOUND, mln_root_read(&root, "/etc/hostname/x", 0, &out));
    assert_fails(INVALID, mln_root_read(&root, "/etc", 0, &out));
    mln_root_close(&root);
    assert_int_equal(root.fd, -1);
}

static void without_the_kernel_links_are_refused(void **state)
{
    (void)state;
    struct mln_root root = open_machine(MLN_ROOT_WALK);
    MLN_BUF_CLEANUP struct mln_buf out = MLN_BUF(64);
    check_reads(&root, "/etc/hostname", "inside\n");
    check_reads(&root, "etc//./hostname", "inside\n");
    check_reads(&root, "/etc/deep/er/file", "x");
    const char *const refused[] = {"/etc/os-release", "/etc/absolute",        "/etc/escape", "/etc/user/lib/os-release",
                                   "/../secret",      "/etc/../etc/hostname", "/etc/loop"};
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        assert_fails(UNSUPPORTED, mln_root_read(&root, refused[i], 0, &out));
    assert_fails(NOT_FOUND, mln_root_read(&root, "/etc/absent", 0, &out));
    assert_fails(NOT_FOUND, mln_root_read(&root, "/etc/hostname/x", 0, &out));
    assert_int_equal(out.n, 0);
    mln_root_close(&root);
}

static void a_root_says_how_it_is_kept(void **state)
{
    (void)state;
    struct mln_root root;
    assert_ok(mln_root_open("/", &root));
    assert_int_equal(root.fence, MLN_ROOT_NONE);
    MLN_BUF_CLEANUP struct mln_buf out = MLN_BUF(64 * 1024);
    assert_ok(mln_root_read(&root, "/proc/self/status", MLN_FILE_PROC, &out));
    mln_root_close(&root);
    assert_string_equal(mln_root_fence_word(MLN_ROOT_KERNEL), "kernel");
    assert_string_equal(mln_root_fence_word(MLN_ROOT_WALK), "walk");
    assert_string_equal(mln_root_fence_word(MLN_ROOT_NONE), "none");
    assert_fails(NOT_FOUND, mln_root_open(in_scratch("absent"), &root));
    scratch_file("file", "");
    assert_fails(NOT_FOUND, mln_root_open(in_scratch("file"), &root));
}

static void stat_below_a_root(void **state)
{
    (void)state;
    const enum mln_root_fence fences[] = {MLN_ROOT_WALK, MLN_ROOT_KERNEL};
    make_machine();
    for (size_t i = 0; i < (kernel_keeps_roots() ? 2 : 1); i++) {
        struct mln_root root;
        struct stat at;
        assert_ok(mln_root_open_with(in_scratch("root"), fences[i], &root));
        assert_ok(mln_root_stat(&root, "/etc/hostname", 0, &at));
        assert_int_equal(at.st_size, 7);
        assert_ok(mln_root_stat(&root, "/etc/loop", MLN_FILE_NOLINK, &at));
        assert_true(S_ISLNK(at.st_mode));
        assert_ok(mln_root_stat(&root, "/", 0, &at));
        assert_true(S_ISDIR(at.st_mode));
        assert_fails(NOT_FOUND, mln_root_stat(&root, "/absent", 0, &at));
        mln_root_close(&root);
    }
}

static void opening_never_creates(void **state)
{
    (void)state;
    struct mln_root root = open_machine(MLN_ROOT_WALK);
    int fd;
    assert_fails(NOT_FOUND, mln_root_open_path(&root, "/new", O_RDWR | O_CREAT, &fd));
    assert_int_equal(fd, -1);
    assert_ok(mln_root_open_path(&root, "/etc/hostname", O_RDONLY, &fd));
    assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    close(fd);
    mln_root_close(&root);
}

static void list_names(void **state)
{
    (void)state;
    struct mln_root root = open_machine(MLN_ROOT_WALK);
    MLN_CLEANUP(mln_arena_free) struct mln_arena *arena = mln_arena_new(4096);
    MLN_CLEANUP(mln_arena_free) struct mln_arena *tiny = mln_arena_new(8);
    struct mln_dir_names names;
    assert_ok(mln_root_list(&root, "/etc", arena, 100, &names));
    const char *const expected[] = {"absolute", "deep", "escape", "hostname", "loop", "os-release", "user"};
    assert_int_equal(names.n, 7);
    assert_false(names.cut);
    for (size_t i = 0; i < names.n; i++)
        assert_string_equal(names.at[i], expected[i]);
    assert_ok(mln_root_list(&root, "/etc", arena, 7, &names));
    assert_false(names.cut);
    assert_ok(mln_root_list(&root, "/etc", arena, 3, &names));
    assert_int_equal(names.n, 3);
    assert_true(names.cut);
    assert_ok(mln_root_list(&root, "/etc/deep/er", arena, 0, &names));
    assert_int_equal(names.n, 0);
    assert_true(names.cut);
    assert_fails(LIMIT, mln_root_list(&root, "/etc", tiny, 100, &names));
    assert_fails(NOT_FOUND, mln_root_list(&root, "/etc/hostname", arena, 100, &names));
    mln_root_close(&root);
}

struct seen {
    struct mln_buf text; /* the paths, each with a newline */
    const char *skip, *stop;
};

static enum mln_walk_step see(void *context, const char *path, const struct stat *at)
{
    struct seen *seen = context;
    assert_ok(mln_buf_printf(&seen->text, "%s%s\n", path, S_ISDIR(at->st_mode) ? "/" : ""));
    if (seen->stop && !strcmp(path, seen->stop))
        return MLN_WALK_STOP;
    return seen->skip && !strcmp(path, seen->skip) ? MLN_WALK_SKIP : MLN_WALK_ON;
}

static void check_walk(const char *path, struct mln_walk *walk, struct seen seen, const char *expected)
{
    struct mln_root root;
    seen.text = MLN_BUF(4096);
    assert_ok(mln_root_open_with(in_scratch("root"), MLN_ROOT_WALK, &root));
    walk->visit = see;
    walk->context = &seen;
    assert_ok(mln_root_walk(&root, path, walk));
    assert_str(mln_buf_str(&seen.text), expected);
    mln_buf_free(&seen.text);
    mln_root_close(&root);
}

static void walk_everything(void **state)
{
    (void)state;
    make_machine();
    struct mln_walk walk = {.max_entries = 100, .max_depth = 10};
    check_walk("/", &walk, (struct seen){0},
               "etc/\netc/absolute\netc/deep/\netc/deep/er/\netc/deep/er/file\netc/escape\netc/hostname\netc/loop\n"
               "etc/os-release\netc/user\nusr/\nusr/lib/\nusr/lib/os-release\n");
    assert_int_equal(walk.entries, 13);
    assert_int_equal(walk.unreadable, 0);
    assert_false(walk.cut);
    check_walk("/etc/deep", &walk, (struct seen){0}, "er/\ner/file\n");
}

static void walk_with_a_will(void **state)
{
    (void)state;
    make_machine();
    struct mln_walk walk = {.max_entries = 100, .max_depth = 10};
    check_walk("/", &walk, (struct seen){.skip = "etc"}, "etc/\nusr/\nusr/lib/\nusr/lib/os-release\n");
    assert_false(walk.cut);
    check_walk("/", &walk, (struct seen){.stop = "etc/deep"}, "etc/\netc/absolute\netc/deep/\n");
    assert_false(walk.cut);
}

static void walk_within_bounds(void **state)
{
    (void)state;
    make_machine();
    struct mln_walk few = {.max_entries = 3, .max_depth = 10}, just = {.max_entries = 13, .max_depth = 4},
                    flat = {.max_entries = 100, .max_depth = 1}, none = {.max_entries = 0, .max_depth = 1};
    check_walk("/", &few, (struct seen){0}, "etc/\netc/absolute\netc/deep/\n");
    assert_true(few.cut);
    check_walk("/", &flat, (struct seen){0}, "etc/\nusr/\n");
    assert_true(flat.cut);
    check_walk("/", &none, (struct seen){0}, "");
    assert_true(none.cut);
    struct seen seen = {.text = MLN_BUF(4096)};
    struct mln_root root;
    assert_ok(mln_root_open(in_scratch("root"), &root));
    just.visit = see;
    just.context = &seen;
    assert_ok(mln_root_walk(&root, "/", &just));
    assert_int_equal(just.entries, 13);
    assert_false(just.cut);
    mln_buf_free(&seen.text);
    mln_root_close(&root);
}

/* /proc is another file system than /: its directory is seen, what is in it is not. */
static enum mln_walk_step see_proc(void *context, const char *path, const struct stat *at)
{
    (void)at;
    bool *inside = context;
    if (!strncmp(path, "proc/", 5))
        *inside = true;
    return strcmp(path, "proc") ? MLN_WALK_SKIP : MLN_WALK_ON;
}

static void walk_stays_on_its_file_system(void **state)
{
    (void)state;
    struct stat top, proc;
    assert_int_equal(stat("/", &top), 0);
    if (stat("/proc", &proc) || top.st_dev == proc.st_dev)
        check_skip("/proc is not mounted");
    struct mln_root root;
    bool inside = false;
    struct mln_walk walk = {.max_entries = 10000, .max_depth = 2, .visit = see_proc, .context = &inside};
    assert_ok(mln_root_open("/", &root));
    assert_ok(mln_root_walk(&root, "/", &walk));
    assert_false(inside);
    mln_root_close(&root);
}

static void walk_past_what_cannot_be_read(void **state)
{
    (void)state;
    make_machine();
    struct mln_walk walk = {.max_entries = 100, .max_depth = 10};
    struct mln_root root;
    assert_ok(mln_root_open(in_scratch("root"), &root));
    assert_fails(NOT_FOUND, mln_root_walk(&root, "/absent", &walk));
    assert_fails(NOT_FOUND, mln_root_walk(&root, "/etc/hostname", &walk));
    mln_root_close(&root);
    if (geteuid() == 0)
        check_skip("root reads all directories");
    assert_int_equal(chmod(in_scratch("root/etc/deep"), 0), 0);
    check_walk("/etc", &walk, (struct seen){0}, "absolute\ndeep/\nescape\nhostname\nloop\nos-release\nuser\n");
    assert_int_equal(walk.unreadable, 1);
    assert_int_equal(chmod(in_scratch("root/etc/deep"), 0755), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_scratch(the_kernel_keeps_links_inside),
        with_scratch(without_the_kernel_links_are_refused),
        with_scratch(a_root_says_how_it_is_kept),
        with_scratch(stat_below_a_root),
        with_scratch(opening_never_creates),
        with_scratch(list_names),
        with_scratch(walk_everything),
        with_scratch(walk_with_a_will),
        with_scratch(walk_within_bounds),
        cmocka_unit_test(walk_stays_on_its_file_system),
        with_scratch(walk_past_what_cannot_be_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
