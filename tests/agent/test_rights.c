/* What the agent's processes can still do once they have given their rights up. Children try it: it cannot be undone. */
#include "check.h"

#include "agent/collector.h"
#include "agent/frames.h"
#include "agent/link.h"
#include "agent/state.h"
#include "os/sandbox.h"
#include "os/scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>

enum { NOBODY = 65534 };

/* Each attempt has a number, so that the exit status tells which one went wrong; 0: all as it should be. */
static bool can_read(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    char byte;
    bool good = fd >= 0 && read(fd, &byte, 1) >= 0;
    if (fd >= 0)
        close(fd);
    return good;
}

static bool can_write(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

static bool can_run(void)
{
    pid_t pid = fork();
    if (pid == 0) {
        execl("/bin/true", "true", NULL);
        _exit(99);
    }
    int status = 0;
    return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

static bool can_listen(void)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    bool good = fd >= 0 && listen(fd, 1) == 0;
    if (fd >= 0)
        close(fd);
    return good;
}

static bool can_open_socket(void)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

/* ---- the link ---- */

static int link_body(void)
{
    static const int none[] = {0};
    const char *own = in_scratch("own");
    if (!mln_ok(mln_sandbox_drop_to(NOBODY, NOBODY, none, 0)) || !mln_ok(mln_link_give_up_rights(scratch)))
        return 1;
    if (can_read("/etc/shadow") || can_read("/etc/passwd") || can_read("/proc/1/cmdline"))
        return 2;
    if (!can_read("/etc/hosts") || !can_write(own) || !can_read(own))
        return 3;
    if (can_write("/tmp/merlon-test-of-the-link") || can_write("/etc/merlon-test"))
        return 4;
    if (can_run() || can_listen() || !can_open_socket())
        return 5;
    if (setuid(0) == 0 || kill(1, 0) == 0)
        return 6;
    return 0;
}

static void the_link_reaches_the_network_and_its_own_files_alone(void **state)
{
    (void)state;
    if (geteuid() != 0 || SCRATCH_SANITIZED)
        check_skip("needs root and no sanitizer");
    assert_int_equal(chown(scratch, NOBODY, NOBODY), 0);
    assert_int_equal(in_child(link_body), 0);
}

/* ---- collectors ---- */

static int collector_body(enum mln_need need)
{
    struct mln_collector_setup setup = {.need = need, .privileged = true, .uid = NOBODY, .gid = NOBODY};
    if (!mln_ok(mln_collector_give_up_rights(&setup)))
        return 1;
    if (can_read("/etc/shadow") != (need != MLN_NEED_NOTHING) || !can_read("/etc/passwd"))
        return 2;
    if (can_write(in_scratch("own")) || can_write("/tmp/merlon-test-of-a-collector"))
        return 3;
    if (can_run() || can_open_socket())
        return 4;
    char path[64], target[64]; /* another user's descriptors: those of the test, which is root */
    snprintf(path, sizeof path, "/proc/%d/fd/1", getppid());
    if ((readlink(path, target, sizeof target) > 0) != (need == MLN_NEED_TRACE))
        return 5;
    return setuid(0) == 0 ? 6 : 0;
}

static int collector_for_nothing(void)
{
    return collector_body(MLN_NEED_NOTHING);
}

static int collector_for_reading(void)
{
    return collector_body(MLN_NEED_READ_ALL);
}

static int collector_for_tracing(void)
{
    return collector_body(MLN_NEED_TRACE);
}

static void a_collector_reads_what_its_need_allows_and_no_more(void **state)
{
    (void)state;
    if (geteuid() != 0 || SCRATCH_SANITIZED)
        check_skip("needs root and no sanitizer");
    assert_int_equal(in_child(collector_for_nothing), 0);
    assert_int_equal(in_child(collector_for_reading), 0);
    assert_int_equal(in_child(collector_for_tracing), 0);
}

static int pipe_ends[2];

static int collector_life(void)
{
    return mln_collector_main(
        &(struct mln_collector_setup){.root = scratch,
                                      .sections = UINT64_C(1) << MLN_SECTION_os | UINT64_C(1) << MLN_SECTION_listeners,
                                      .privileged = false,
                                      .pipe = pipe_ends[1]});
}

/* The whole life of one, as whoever runs the tests. */
static void a_collector_says_what_it_found_as_frames(void **state)
{
    (void)state;
    MLN_BUF_CLEANUP struct mln_buf said = MLN_BUF(1 << 20);
    struct mln_frame frame;
    bool whole = true, value = false, reason = false, watch = false;
    int ends = 0;
    if (SCRATCH_SANITIZED)
        check_skip("a sanitizer needs calls that a collector has not");
    assert_int_equal(mkdir(in_scratch("etc"), 0755), 0);
    scratch_file("etc/os-release", "ID=debian\n");
    assert_int_equal(pipe(pipe_ends), 0);
    assert_int_equal(in_child(collector_life), 0);
    close(pipe_ends[1]);
    for (ssize_t n = 1; n > 0;) {
        assert_ok(mln_buf_reserve(&said, 4096));
        n = read(pipe_ends[0], said.p + said.n, 4096);
        said.n += n > 0 ? (size_t)n : 0;
    }
    close(pipe_ends[0]);
    for (struct mln_str rest = mln_buf_str(&said); rest.n;) {
        assert_ok(mln_frame_take(&rest, &frame, &whole));
        assert_true(whole);
        value |= frame.kind == MLN_FRAME_VALUE && frame.section == MLN_SECTION_os;
        reason |= frame.kind == MLN_FRAME_REASON && frame.section == MLN_SECTION_listeners;
        watch |= frame.kind == MLN_FRAME_WATCH_READ && mln_str_eq(frame.body, MLN_S("/etc/os-release"));
        ends += frame.kind == MLN_FRAME_END;
    }
    assert_true(value && reason && watch);
    assert_int_equal(ends, 2);
}

/* ---- the state directory ---- */

static void the_state_is_whole_and_private(void **state)
{
    (void)state;
    MLN_CLEANUP(mln_arena_free) struct mln_arena *arena = mln_arena_new(1 << 20);
    MLN_CLEANUP(mln_key_free) struct mln_key *key = NULL, *read_key = NULL;
    MLN_CLEANUP(mln_ca_free) struct mln_ca *ca = NULL;
    MLN_CLEANUP(mln_cert_free) struct mln_cert *cert = NULL;
    struct mln_agent_config config = {.server = MLN_S("https://h:1"),
                                      .name = MLN_S("web"),
                                      .machine_id = MLN_S("m"),
                                      .resource_id = MLN_S("/r"),
                                      .heartbeat_seconds = 7},
                            read = {0};
    struct stat st;
    char one[MLN_SHA256_HEX], other[MLN_SHA256_HEX];
    assert_fails(NOT_FOUND, mln_state_config(scratch, arena, &read));
    assert_ok(mln_state_put_config(scratch, &config));
    assert_ok(mln_state_config(scratch, arena, &read));
    assert_str(read.server, "https://h:1");
    assert_int_equal(read.heartbeat_seconds, 7);
    assert_null(read.proxy.p);
    assert_ok(mln_ca_create(MLN_S("x"), (struct mln_validity){0, 86400000}, &ca));
    assert_ok(mln_key_generate(&key));
    assert_ok(mln_state_put_identity(scratch, key, mln_ca_cert(ca)));
    assert_ok(mln_state_identity(scratch, &read_key, &cert));
    assert_int_equal(stat(in_scratch(MLN_STATE_IDENTITY), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_ok(mln_state_machine_digest(scratch, one));
    assert_ok(mln_state_machine_digest(scratch, other));
    assert_string_equal(one, other);
    assert_ok(mln_state_remove(scratch, MLN_STATE_IDENTITY));
    assert_ok(mln_state_remove(scratch, MLN_STATE_IDENTITY));
    assert_ok(mln_state_write(scratch, MLN_STATE_CONFIG, MLN_S("{\"server\":\"x\",\"colour\":1}")));
    assert_fails(INVALID, mln_state_config(scratch, arena, &read));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_scratch(the_link_reaches_the_network_and_its_own_files_alone),
        with_scratch(a_collector_reads_what_its_need_allows_and_no_more),
        with_scratch(a_collector_says_what_it_found_as_frames),
        with_scratch(the_state_is_whole_and_private),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
