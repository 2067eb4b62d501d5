#include "os/file.h"

#include "os/scratch.h"

#include <dirent.h>

static void read_whole(void **state)
{
    (void)state;
    MLN_BUF_CLEANUP struct mln_buf out = MLN_BUF(64);
    scratch_file("a", "one\ntwo\n");
    assert_ok(mln_file_read(in_scratch("a"), 0, &out));
    assert_str(mln_buf_str(&out), "one\ntwo\n");
    assert_ok(mln_file_read(in_scratch("a"), 0, &out)); /* appends */
    assert_str(mln_buf_str(&out), "one\ntwo\none\ntwo\n");
    scratch_file("empty", "");
    assert_ok(mln_file_read(in_scratch("empty"), 0, &out));
    assert_int_equal(out.n, 16);
}

static void read_up_to_the_limit(void **state)
{
    (void)state;
    MLN_BUF_CLEANUP struct mln_buf just = MLN_BUF(8), less = MLN_BUF(7);
    scratch_file("a", "12345678");
    assert_ok(mln_file_read(in_scratch("a"), 0, &just));
    assert_fails(LIMIT, mln_file_read(in_scratch("a"), 0, &less));
    assert_int_equal(less.n, 0);
    assert_fails(LIMIT, mln_file_read(in_scratch("a"), 0, &just));
    assert_str(mln_buf_str(&just), "12345678");
}

/* A kernel file does not say how long it is: the limit must hold while reading. */
static void read_what_the_kernel_makes_up(void **state)
{
    (void)state;
    MLN_BUF_CLEANUP struct mln_buf out = MLN_BUF(64 * 1024), small = MLN_BUF(16);
    assert_fails(INVALID, mln_file_read("/proc/self/status", 0, &out));
    assert_ok(mln_file_read("/proc/self/status", MLN_FILE_PROC, &out));
    assert_true(mln_str_starts(mln_buf_str(&out), MLN_S("Name:")));
    assert_ok(mln_buf_append(&small, MLN_S("kept")));
    assert_fails(LIMIT, mln_file_read("/proc/self/status", MLN_FILE_PROC, &small));
    assert_str(mln_buf_str(&small), "kept");
    assert_string_equal(small.p, "kept");
}

static void read_only_regular_files(void **state)
{
    (void)state;
    MLN_BUF_CLEANUP struct mln_buf out = MLN_BUF(64);
    assert_int_equal(mkfifo(in_scratch("pipe"), 0600), 0);
    assert_fails(INVALID, mln_file_read(in_scratch("pipe"), MLN_FILE_PROC, &out)); /* and does not wait */
    assert_fails(INVALID, mln_file_read(scratch, 0, &out));
    assert_fails(INVALID, mln_file_read("/dev/null", MLN_FILE_PROC, &out));
    assert_fails(NOT_FOUND, mln_file_read(in_scratch("absent"), 0, &out));
}

static void read_through_links_unless_told(void **state)
{
    (void)state;
    MLN_BUF_CLEANUP struct mln_buf out = MLN_BUF(64);
    scratch_file("a", "x");
    assert_int_equal(symlink("a", in_scratch("link")), 0);
    assert_ok(mln_file_read(in_scratch("link"), 0, &out));
    assert_fails(FORBIDDEN, mln_file_read(in_scratch("link"), MLN_FILE_NOLINK, &out));
    assert_ok(mln_file_read(in_scratch("a"), MLN_FILE_NOLINK, &out));
}

static size_t files_in_scratch(void)
{
    size_t n = 0;
    DIR *directory = opendir(scratch);
    assert_non_null(directory);
    while (readdir(directory))
        n++;
    closedir(directory);
    return n - 2;
}

static void write_replaces(void **state)
{
    (void)state;
    MLN_BUF_CLEANUP struct mln_buf out = MLN_BUF(64);
    struct stat at;
    umask(077); /* the mode is the one stated whatever the umask */
    assert_ok(mln_file_write(in_scratch("a"), MLN_S("old"), 0600));
    assert_ok(mln_file_write(in_scratch("a"), MLN_S("new!"), 0644));
    umask(022);
    assert_ok(mln_file_read(in_scratch("a"), 0, &out));
    assert_str(mln_buf_str(&out), "new!");
    assert_int_equal(stat(in_scratch("a"), &at), 0);
    assert_int_equal(at.st_mode & 07777, 0644);
    assert_int_equal(files_in_scratch(), 1);
    assert_ok(mln_file_write(in_scratch("a"), (struct mln_str){0}, 0600));
    assert_int_equal(stat(in_scratch("a"), &at), 0);
    assert_int_equal(at.st_size, 0);
}

static void write_a_name_in_the_working_directory(void **state)
{
    (void)state;
    char before[4096];
    assert_non_null(getcwd(before, sizeof before));
    assert_int_equal(chdir(scratch), 0);
    assert_ok(mln_file_write("a", MLN_S("x"), 0600));
    assert_int_equal(chdir(before), 0);
    assert_int_equal(access(in_scratch("a"), R_OK), 0);
}

static void write_does_not_go_through_a_link(void **state)
{
    (void)state;
    struct stat at;
    MLN_BUF_CLEANUP struct mln_buf out = MLN_BUF(64);
    scratch_file("target", "precious");
    assert_int_equal(symlink("target", in_scratch("a")), 0);
    assert_ok(mln_file_write(in_scratch("a"), MLN_S("new"), 0600));
    assert_int_equal(lstat(in_scratch("a"), &at), 0);
    assert_true(S_ISREG(at.st_mode));
    assert_ok(mln_file_read(in_scratch("target"), 0, &out));
    assert_str(mln_buf_str(&out), "precious");
}

static void failed_writes_leave_nothing(void **state)
{
    (void)state;
    assert_fails(NOT_FOUND, mln_file_write(in_scratch("no/such/directory"), MLN_S("x"), 0600));
    assert_int_equal(mkdir(in_scratch("d"), 0700), 0);
    assert_fails(IO, mln_file_write(in_scratch("d"), MLN_S("x"), 0600));
    assert_int_equal(files_in_scratch(), 1);
}

static void create_does_not_replace(void **state)
{
    (void)state;
    MLN_BUF_CLEANUP struct mln_buf out = MLN_BUF(64);
    assert_ok(mln_file_create(in_scratch("key"), MLN_S("first"), 0600));
    assert_fails(CONFLICT, mln_file_create(in_scratch("key"), MLN_S("second"), 0600));
    assert_ok(mln_file_read(in_scratch("key"), 0, &out));
    assert_str(mln_buf_str(&out), "first");
    assert_int_equal(files_in_scratch(), 1);
}

static void ensure_a_directory(void **state)
{
    (void)state;
    struct stat at;
    assert_ok(mln_dir_ensure(in_scratch("a/b/c"), 0700));
    assert_int_equal(stat(in_scratch("a/b/c"), &at), 0);
    assert_int_equal(at.st_mode & 07777, 0700);
    assert_int_equal(stat(in_scratch("a/b"), &at), 0);
    assert_int_equal(at.st_mode & 07777, 0755);
    assert_ok(mln_dir_ensure(in_scratch("a/b/c"), 0750)); /* there already: the mode is set */
    assert_int_equal(stat(in_scratch("a/b/c"), &at), 0);
    assert_int_equal(at.st_mode & 07777, 0750);
}

static void ensure_refuses_what_is_no_directory_of_ours(void **state)
{
    (void)state;
    scratch_file("file", "");
    assert_fails(CONFLICT, mln_dir_ensure(in_scratch("file"), 0700));
    assert_int_equal(mkdir(in_scratch("d"), 0700), 0);
    assert_int_equal(symlink("d", in_scratch("link")), 0);
    assert_fails(CONFLICT, mln_dir_ensure(in_scratch("link"), 0700));
    if (geteuid() == 0) {
        assert_int_equal(chown(in_scratch("d"), 12345, 12345), 0);
        assert_fails(CONFLICT, mln_dir_ensure(in_scratch("d"), 0700));
        assert_error_has("12345");
    }
}

static void one_instance(void **state)
{
    (void)state;
    int first = -1, second = -1;
    char pid[32];
    MLN_BUF_CLEANUP struct mln_buf out = MLN_BUF(64);
    assert_ok(mln_file_lock(in_scratch("lock"), &first));
    assert_fails(CONFLICT, mln_file_lock(in_scratch("lock"), &second));
    assert_int_equal(second, -1);
    assert_ok(mln_file_read(in_scratch("lock"), 0, &out));
    snprintf(pid, sizeof pid, "%ld\n", (long)getpid());
    assert_str(mln_buf_str(&out), pid);
    close(first);
    assert_ok(mln_file_lock(in_scratch("lock"), &second));
    close(second);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_scratch(read_whole),
        with_scratch(read_up_to_the_limit),
        with_scratch(read_what_the_kernel_makes_up),
        with_scratch(read_only_regular_files),
        with_scratch(read_through_links_unless_told),
        with_scratch(write_replaces),
        with_scratch(write_a_name_in_the_working_directory),
        with_scratch(write_does_not_go_through_a_link),
        with_scratch(failed_writes_leave_nothing),
        with_scratch(create_does_not_replace),
        with_scratch(ensure_a_directory),
        with_scratch(ensure_refuses_what_is_no_directory_of_ours),
        with_scratch(one_instance),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
