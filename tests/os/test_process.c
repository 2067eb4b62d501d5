#include "os/process.h"

#include "os/scratch.h"

#include "base/time.h"

#include <signal.h>
#include <sys/socket.h>

enum { LONG_MS = 60 * 1000 }; /* for what ends by itself */

struct ran {
    struct mln_buf out, err;
    struct mln_process_end end;
};

static struct mln_result run(const struct mln_process *process, const char *input, int64_t timeout_ms, struct ran *ran)
{
    return mln_process_run(process, mln_str_c(input), timeout_ms, &ran->out, &ran->err, &ran->end);
}

/* Runs a shell script: the shell is a program like any other here. */
static struct ran run_script(const char *script, const char *input, int64_t timeout_ms)
{
    struct ran ran = {.out = MLN_BUF(4096), .err = MLN_BUF(4096)};
    const char *const argv[] = {"sh", "-c", script, NULL};
    assert_ok(run(&(struct mln_process){.argv = argv}, input, timeout_ms, &ran));
    return ran;
}

static void done(struct ran *ran)
{
    mln_buf_free(&ran->out);
    mln_buf_free(&ran->err);
}

static void output_error_and_status(void **state)
{
    (void)state;
    struct ran ran = run_script("echo out; echo err >&2; exit 7", "", LONG_MS);
    assert_str(mln_buf_str(&ran.out), "out\n");
    assert_str(mln_buf_str(&ran.err), "err\n");
    assert_int_equal(ran.end.exit_status, 7);
    assert_int_equal(ran.end.signal, 0);
    assert_false(ran.end.timed_out || ran.end.output_cut || ran.end.error_cut);
    done(&ran);
}

static void arguments_are_not_words_of_a_shell(void **state)
{
    (void)state;
    struct ran ran = {.out = MLN_BUF(4096), .err = MLN_BUF(4096)};
    const char *const argv[] = {"echo", "a b", "$HOME;`id`", "*", NULL};
    assert_ok(run(&(struct mln_process){.argv = argv}, "", LONG_MS, &ran));
    assert_str(mln_buf_str(&ran.out), "a b $HOME;`id` *\n");
    done(&ran);
}

static void input_is_given(void **state)
{
    (void)state;
    struct ran ran = run_script("tr a-z A-Z", "hello\n", LONG_MS);
    assert_str(mln_buf_str(&ran.out), "HELLO\n");
    done(&ran);
    ran = run_script("cat; echo end", NULL, LONG_MS);
    assert_str(mln_buf_str(&ran.out), "end\n");
    done(&ran);
    /* More than a pipe holds, to a program that does not read it: neither waits for the other. */
    MLN_BUF_CLEANUP struct mln_buf large = MLN_BUF(1 << 20);
    while (large.n < large.max_bytes)
        assert_ok(mln_buf_byte(&large, 'x'));
    ran = run_script("echo done", large.p, LONG_MS);
    assert_str(mln_buf_str(&ran.out), "done\n");
    done(&ran);
}

static void the_environment_is_the_stated_one(void **state)
{
    (void)state;
    setenv("MERLON_TEST_SECRET", "x", 1);
    struct ran ran = run_script("env | grep -v ^PWD= | grep -v ^_= | grep -v ^SHLVL= | sort", "", LONG_MS);
    assert_str(mln_buf_str(&ran.out), "HOME=/\nLC_ALL=C\nPATH=/usr/sbin:/usr/bin:/sbin:/bin\n");
    done(&ran);
    ran = (struct ran){.out = MLN_BUF(4096), .err = MLN_BUF(4096)};
    const char *const argv[] = {"/usr/bin/env", NULL}, *const env[] = {"A=1", "B=2", NULL};
    assert_ok(run(&(struct mln_process){.argv = argv, .env = env}, "", LONG_MS, &ran));
    assert_str(mln_buf_str(&ran.out), "A=1\nB=2\n");
    done(&ran);
}

static void descriptors_and_signals_are_clean(void **state)
{
    (void)state;
    int leaky = dup(STDOUT_FILENO); /* not close-on-exec */
    assert_true(leaky >= 0);
    signal(SIGPIPE, SIG_IGN);
    struct ran ran = run_script("ls /proc/self/fd | wc -l; grep -E '^Sig(Ign|Blk)' /proc/self/status", "", LONG_MS);
    /* 0, 1, 2, and the one with which ls reads the directory */
    assert_str(mln_buf_str(&ran.out), "4\nSigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
    signal(SIGPIPE, SIG_DFL);
    close(leaky);
    done(&ran);
}

static void the_directory(void **state)
{
    (void)state;
    struct ran ran = run_script("pwd", "", LONG_MS);
    assert_str(mln_buf_str(&ran.out), "/\n");
    done(&ran);
    ran = (struct ran){.out = MLN_BUF(4096), .err = MLN_BUF(4096)};
    const char *const argv[] = {"pwd", NULL};
    assert_ok(run(&(struct mln_process){.argv = argv, .directory = "/usr"}, "", LONG_MS, &ran));
    assert_str(mln_buf_str(&ran.out), "/usr\n");
    assert_fails(NOT_FOUND, run(&(struct mln_process){.argv = argv, .directory = "/absent"}, "", LONG_MS, &ran));
    done(&ran);
}

static void output_has_a_ceiling(void **state)
{
    (void)state;
    struct ran ran = {.out = MLN_BUF(10), .err = MLN_BUF(4)};
    const char *const argv[] = {"sh", "-c", "head -c 1000000 /dev/zero; echo abcd >&2; exit 3", NULL};
    assert_ok(run(&(struct mln_process){.argv = argv}, "", LONG_MS, &ran));
    assert_int_equal(ran.out.n, 10);
    assert_true(ran.end.output_cut);
    assert_true(ran.end.error_cut);
    assert_str(mln_buf_str(&ran.err), "abcd");
    assert_int_equal(ran.end.exit_status, 3); /* it was not stopped by a pipe that nobody reads */
    done(&ran);
}

static void output_may_be_unwanted(void **state)
{
    (void)state;
    struct mln_process_end end;
    const char *const argv[] = {"sh", "-c", "echo out; echo err >&2", NULL};
    assert_ok(mln_process_run(&(struct mln_process){.argv = argv}, (struct mln_str){0}, LONG_MS, NULL, NULL, &end));
    assert_int_equal(end.exit_status, 0);
}

/* Gone, or dead and waiting for whoever has to collect it. */
static bool is_dead(int64_t pid)
{
    char path[64], line[1024] = "";
    snprintf(path, sizeof path, "/proc/%lld/stat", (long long)pid);
    FILE *file = fopen(path, "r");
    if (!file)
        return true;
    bool dead = !fgets(line, sizeof line, file) || strstr(line, ") Z");
    fclose(file);
    return dead;
}

static void the_deadline_ends_the_whole_group(void **state)
{
    (void)state;
    struct ran ran = run_script("sleep 1000 & echo $!; sleep 1000", "", 1000);
    assert_true(ran.end.timed_out);
    assert_int_equal(ran.end.signal, SIGKILL);
    assert_int_equal(ran.end.exit_status, -1);
    int64_t pid, give_up = mln_monotonic_ms() + LONG_MS;
    assert_ok(mln_str_to_i64(mln_str_trim(mln_buf_str(&ran.out)), &pid));
    while (!is_dead(pid) && mln_monotonic_ms() < give_up) /* a kill is carried out a little later than it is sent */
        usleep(1000);
    assert_true(is_dead(pid));
    done(&ran);
}

static void what_is_left_behind_does_not_hold_us_up(void **state)
{
    (void)state;
    struct ran ran = run_script("sleep 1000 & echo started", "", LONG_MS); /* it holds our pipe */
    assert_false(ran.end.timed_out);
    assert_int_equal(ran.end.exit_status, 0);
    assert_str(mln_buf_str(&ran.out), "started\n");
    done(&ran);
}

static void a_signal_is_told(void **state)
{
    (void)state;
    struct ran ran = run_script("kill -TERM $$", "", LONG_MS);
    assert_int_equal(ran.end.signal, SIGTERM);
    assert_int_equal(ran.end.exit_status, -1);
    done(&ran);
}

static void resources_have_limits(void **state)
{
    (void)state;
    struct ran ran = {.out = MLN_BUF(4096), .err = MLN_BUF(4096)};
    const char *const argv[] = {"sh", "-c", "ulimit -t; ulimit -v; ulimit -n; ulimit -c", NULL};
    struct mln_process process = {
        .argv = argv, .limits = {.cpu_seconds = 17, .memory_bytes = 512 << 20, .file_bytes = 4096, .open_files = 40}};
    assert_ok(run(&process, "", LONG_MS, &ran));
    assert_str(mln_buf_str(&ran.out), "17\n524288\n40\n0\n");
    done(&ran);
}

static void another_user(void **state)
{
    (void)state;
    if (geteuid() != 0)
        check_skip("only root becomes another user");
    struct ran ran = {.out = MLN_BUF(4096), .err = MLN_BUF(4096)};
    const char *const argv[] = {"sh", "-c", "id -u; id -g; id -G; grep NoNewPrivs /proc/self/status", NULL};
    assert_ok(run(&(struct mln_process){.argv = argv, .drop = true, .uid = 65534, .gid = 65534}, "", LONG_MS, &ran));
    assert_str(mln_buf_str(&ran.out), "65534\n65534\n65534\nNoNewPrivs:\t1\n");
    done(&ran);
}

static void programs_that_are_not_there(void **state)
{
    (void)state;
    struct ran ran = {.out = MLN_BUF(4096), .err = MLN_BUF(4096)};
    const char *const by_name[] = {"merlon-no-such-program", NULL}, *const by_path[] = {"/usr/bin/absent", NULL},
                      *const directory[] = {"/usr", NULL}, *const script[] = {"/etc/passwd", NULL};
    assert_fails(NOT_FOUND, run(&(struct mln_process){.argv = by_name}, "", LONG_MS, &ran));
    assert_fails(NOT_FOUND, run(&(struct mln_process){.argv = by_path}, "", LONG_MS, &ran));
    assert_fails(FORBIDDEN, run(&(struct mln_process){.argv = directory}, "", LONG_MS, &ran));
    assert_fails(FORBIDDEN, run(&(struct mln_process){.argv = script}, "", LONG_MS, &ran));
    done(&ran);
}

static void programs_are_found(void **state)
{
    (void)state;
    MLN_CLEANUP(mln_arena_free) struct mln_arena *arena = mln_arena_new(4096);
    const char *path;
    assert_ok(mln_process_find("sh", arena, &path));
    assert_true(mln_str_ends(mln_str_c(path), MLN_S("bin/sh")));
    assert_fails(NOT_FOUND, mln_process_find("merlon-no-such-program", arena, &path));
    assert_fails(INVALID, mln_process_find("../bin/sh", arena, &path));
    assert_fails(INVALID, mln_process_find("", arena, &path));
}

static void a_program_under_another_name(void **state)
{
    (void)state;
    struct ran ran = {.out = MLN_BUF(4096), .err = MLN_BUF(4096)};
    const char *const argv[] = {"somebody", "-c", "echo $0", NULL};
    assert_ok(run(&(struct mln_process){.argv = argv, .program = "/bin/sh"}, "", LONG_MS, &ran));
    assert_str(mln_buf_str(&ran.out), "somebody\n");
    done(&ran);
}

static void output_alone(void **state)
{
    (void)state;
    MLN_BUF_CLEANUP struct mln_buf out = MLN_BUF(16), small = MLN_BUF(2);
    const char *const good[] = {"echo", "hi", NULL},
                      *const bad[] = {"sh", "-c", "echo why >&2; echo more >&2; exit 2", NULL},
                      *const slow[] = {"sleep", "1000", NULL}, *const killed[] = {"sh", "-c", "kill -KILL $$", NULL};
    assert_ok(mln_process_output(good, LONG_MS, &out));
    assert_str(mln_buf_str(&out), "hi\n");
    assert_fails(IO, mln_process_output(bad, LONG_MS, &out));
    assert_error_has("sh exited with 2: why");
    assert_fails(TIMEOUT, mln_process_output(slow, 100, &out));
    assert_fails(IO, mln_process_output(killed, LONG_MS, &out));
    assert_fails(LIMIT, mln_process_output(good, LONG_MS, &small));
}

static void a_child_talks(void **state)
{
    (void)state;
    struct mln_child child;
    struct mln_process_end end;
    char answer[16] = "";
    const char *const argv[] = {"sh", "-c", "read line <&3; echo \"got $line\" >&3; exit 5", NULL};
    assert_ok(mln_child_start(&(struct mln_process){.argv = argv}, &child));
    assert_int_equal(write(child.socket, "it\n", 3), 3);
    assert_int_equal(recv(child.socket, answer, 7, MSG_WAITALL), 7);
    assert_string_equal(answer, "got it\n");
    assert_ok(mln_child_wait(&child, LONG_MS, &end));
    assert_int_equal(end.exit_status, 5);
    assert_fails(NOT_FOUND, mln_child_wait(&child, 0, &end));
    mln_child_stop(&child, 0);
    assert_int_equal(child.socket, -1);
}

static void a_child_is_stopped(void **state)
{
    (void)state;
    struct mln_child child;
    struct mln_process_end end;
    const char *const gentle[] = {"sleep", "1000", NULL};
    assert_ok(mln_child_start(&(struct mln_process){.argv = gentle}, &child));
    pid_t pid = child.pid;
    assert_fails(TIMEOUT, mln_child_wait(&child, 0, &end));
    mln_child_stop(&child, LONG_MS);
    mln_child_stop(&child, LONG_MS);
    assert_int_equal(kill(pid, 0), -1);
    const char *const stubborn[] = {"sh", "-c", "trap '' TERM; echo ready >&3; while :; do sleep 1; done", NULL};
    assert_ok(mln_child_start(&(struct mln_process){.argv = stubborn}, &child));
    pid = child.pid;
    char ready[6];
    assert_int_equal(recv(child.socket, ready, 6, MSG_WAITALL), 6);
    mln_child_stop(&child, 50);
    assert_int_equal(kill(pid, 0), -1);
}

static void a_child_that_cannot_start(void **state)
{
    (void)state;
    struct mln_child child;
    const char *const argv[] = {"/usr/bin/absent", NULL};
    assert_fails(NOT_FOUND, mln_child_start(&(struct mln_process){.argv = argv}, &child));
    assert_int_equal(child.socket, -1);
    assert_int_equal(child.pid, 0);
    mln_child_stop(&child, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(output_error_and_status),
        cmocka_unit_test(arguments_are_not_words_of_a_shell),
        cmocka_unit_test(input_is_given),
        cmocka_unit_test(the_environment_is_the_stated_one),
        cmocka_unit_test(descriptors_and_signals_are_clean),
        cmocka_unit_test(the_directory),
        cmocka_unit_test(output_has_a_ceiling),
        cmocka_unit_test(output_may_be_unwanted),
        cmocka_unit_test(the_deadline_ends_the_whole_group),
        cmocka_unit_test(what_is_left_behind_does_not_hold_us_up),
        cmocka_unit_test(a_signal_is_told),
        cmocka_unit_test(resources_have_limits),
        cmocka_unit_test(another_user),
        cmocka_unit_test(programs_that_are_not_there),
        cmocka_unit_test(programs_are_found),
        cmocka_unit_test(a_program_under_another_name),
        cmocka_unit_test(output_alone),
        cmocka_unit_test(a_child_talks),
        cmocka_unit_test(a_child_is_stopped),
        cmocka_unit_test(a_child_that_cannot_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
