/* What a program owes its surroundings: ending when told, telling the service manager, saying what it uses. */
#include "check.h"

#include "os/notify.h"
#include "os/scratch.h"
#include "os/shutdown.h"
#include "os/usage.h"

#include <errno.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>

static int listener(const char *path, socklen_t path_bytes)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    memcpy(address.sun_path, path, path_bytes);
    assert_int_equal(
        bind(fd, (struct sockaddr *)&address, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + path_bytes)), 0);
    return fd;
}

static void check_hears(int fd, const char *expected)
{
    char heard[64];
    ssize_t n = recv(fd, heard, sizeof heard, MSG_DONTWAIT);
    assert_int_equal(n, strlen(expected));
    assert_memory_equal(heard, expected, strlen(expected));
}

static void the_manager_is_told(void **state)
{
    (void)state;
    const char *path = in_scratch("notify");
    int fd = listener(path, (socklen_t)strlen(path));
    setenv("NOTIFY_SOCKET", path, 1);
    assert_ok(mln_notify(MLN_S("READY=1\nSTATUS=serving")));
    check_hears(fd, "READY=1\nSTATUS=serving");
    close(fd);
    char name[64];
    snprintf(name, sizeof name, "@merlon-test-%ld", (long)getpid());
    setenv("NOTIFY_SOCKET", name, 1);
    name[0] = '\0';
    fd = listener(name, (socklen_t)(1 + strlen(name + 1)));
    assert_ok(mln_notify(MLN_S("WATCHDOG=1")));
    check_hears(fd, "WATCHDOG=1");
    close(fd);
    unsetenv("NOTIFY_SOCKET");
}

static void without_a_manager(void **state)
{
    (void)state;
    unsetenv("NOTIFY_SOCKET");
    assert_ok(mln_notify(MLN_S("READY=1")));
    setenv("NOTIFY_SOCKET", "relative", 1);
    assert_fails(INVALID, mln_notify(MLN_S("READY=1")));
    char longest[200];
    memset(longest, 'a', sizeof longest - 1);
    longest[0] = '/';
    longest[sizeof longest - 1] = '\0';
    setenv("NOTIFY_SOCKET", longest, 1);
    assert_fails(INVALID, mln_notify(MLN_S("READY=1")));
    setenv("NOTIFY_SOCKET", "/nobody/listens", 1);
    assert_fails(NOT_FOUND, mln_notify(MLN_S("READY=1")));
    unsetenv("NOTIFY_SOCKET");
}

static void the_watchdog(void **state)
{
    (void)state;
    char pid[32];
    snprintf(pid, sizeof pid, "%ld", (long)getpid());
    unsetenv("WATCHDOG_PID");
    unsetenv("WATCHDOG_USEC");
    assert_int_equal(mln_notify_watchdog_ms(), 0);
    setenv("WATCHDOG_USEC", "30000000", 1);
    assert_int_equal(mln_notify_watchdog_ms(), 15000);
    setenv("WATCHDOG_PID", pid, 1);
    assert_int_equal(mln_notify_watchdog_ms(), 15000);
    setenv("WATCHDOG_PID", "1", 1); /* meant for another process */
    assert_int_equal(mln_notify_watchdog_ms(), 0);
    setenv("WATCHDOG_PID", pid, 1);
    setenv("WATCHDOG_USEC", "soon", 1);
    assert_int_equal(mln_notify_watchdog_ms(), 0);
    setenv("WATCHDOG_USEC", "18446744073709551615", 1);
    assert_int_equal(mln_notify_watchdog_ms(), INT32_MAX);
    unsetenv("WATCHDOG_PID");
    unsetenv("WATCHDOG_USEC");
}

static int ask_to_end(void)
{
    if (!mln_ok(mln_shutdown_catch()) || mln_shutdown_requested())
        return 1;
    raise(SIGTERM);
    if (!mln_shutdown_requested())
        return 2;
    raise(SIGTERM); /* asking again is not pressing */
    raise(SIGINT);  /* this is */
    return 3;
}

static int write_to_nobody(void)
{
    int ends[2];
    if (!mln_ok(mln_ignore_pipe_signal()) || pipe(ends))
        return 1;
    close(ends[0]);
    return write(ends[1], "x", 1) < 0 && errno == EPIPE ? 0 : 2;
}

static void being_told_to_end(void **state)
{
    (void)state;
    assert_int_equal(in_child(ask_to_end), 128 + SIGINT);
}

static void a_closed_pipe_is_an_error(void **state)
{
    (void)state;
    assert_int_equal(in_child(write_to_nobody), 0);
}

static void memory_and_time(void **state)
{
    (void)state;
    struct mln_usage before, after;
    enum { BLOCK_BYTES = 64 << 20 };
    assert_ok(mln_usage(&before));
    assert_true(before.resident_bytes > 0);
    assert_true(before.threads >= 1);
    char *block = malloc(BLOCK_BYTES);
    assert_non_null(block);
    memset(block, 1, BLOCK_BYTES);
    assert_int_equal(block[BLOCK_BYTES - 1], 1);
    assert_ok(mln_usage(&after));
    free(block);
    assert_true(after.peak_resident_bytes >= after.resident_bytes);
    assert_true(after.peak_resident_bytes >= BLOCK_BYTES);
    assert_true(after.user_ms + after.system_ms >= before.user_ms + before.system_ms);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_scratch(the_manager_is_told),
        cmocka_unit_test(without_a_manager),
        cmocka_unit_test(the_watchdog),
        cmocka_unit_test(being_told_to_end),
        cmocka_unit_test(a_closed_pipe_is_an_error),
        cmocka_unit_test(memory_and_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
