/* Each test gives up rights in a forked child, which then tries what must be refused and says by its exit status what
   was not: 0 is all well, any other number is the line of the first surprise. */
#include "os/sandbox.h"

#include "os/scratch.h"

#include "os/file.h"
#include "os/root.h"
#include "os/thread.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <netinet/in.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>

/* An exit status has 8 bits: the line, cut, but never 0. */
#define MUST(condition)                                                                                                \
    do {                                                                                                               \
        if (!(condition))                                                                                              \
            return (__LINE__ & 0xff) | 1;                                                                              \
    } while (0)
#define REFUSED(call) (errno = 0, (call) < 0 && errno == EPERM)

static int parser(void)
{
    int zero = open("/dev/zero", O_RDONLY);
    MUST(mln_ok(mln_sandbox_calls(MLN_SANDBOX_PARSER)));
    char byte = 'x';
    MUST(read(zero, &byte, 1) == 1 && byte == 0);
    void *memory = malloc(1 << 24); /* large enough for a mapping of its own */
    MUST(memory);
    free(memory);
    MUST(getpid() > 0);
    MUST(REFUSED(open("/etc/passwd", O_RDONLY)));
    MUST(REFUSED(socket(AF_INET, SOCK_STREAM, 0)));
    MUST(REFUSED(fork()));
    char *const argv[] = {(char[]){"/bin/true"}, NULL};
    MUST(REFUSED(execve(argv[0], argv, NULL)));
    MUST(REFUSED(ptrace(PTRACE_TRACEME, 0, NULL, NULL)));
    MUST(REFUSED(kill(getppid(), 0)));
    MUST(mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED);
    struct rlimit files = {10, 10};
    MUST(REFUSED(setrlimit(RLIMIT_NOFILE, &files)));
    MUST(getrlimit(RLIMIT_NOFILE, &files) == 0);
    return 0;
}

static int reader(void)
{
    struct mln_buf out = MLN_BUF(1 << 20);
    struct stat at;
    MUST(mln_ok(mln_sandbox_calls(MLN_SANDBOX_READER)));
    MUST(mln_ok(mln_file_read("/etc/passwd", 0, &out)));
    MUST(stat("/etc", &at) == 0);
    MUST(REFUSED(open("/etc/passwd", O_RDWR)));
    MUST(REFUSED(open("/etc/passwd", O_RDONLY | O_TRUNC)));
    MUST(REFUSED(open(in_scratch("new"), O_RDONLY | O_CREAT, 0600)));
    MUST(REFUSED(unlink(in_scratch("absent"))));
    MUST(REFUSED(socket(AF_UNIX, SOCK_STREAM, 0)));
    MUST(REFUSED(fork()));
    /* The kernel's lookup below a root is not in this profile: its fence says so, and reading works on. */
    struct mln_root root;
    MUST(mln_ok(mln_root_open(scratch, &root)));
    MUST(root.fence == MLN_ROOT_WALK);
    return 0;
}

static void thread_sets(void *context)
{
    *(int *)context = 1;
}

static int link_process(void)
{
    struct mln_buf out = MLN_BUF(1 << 20);
    MUST(mln_ok(mln_sandbox_calls(MLN_SANDBOX_LINK)));
    MUST(mln_ok(mln_file_write(in_scratch("state"), MLN_S("x"), 0600)));
    MUST(mln_ok(mln_file_read(in_scratch("state"), 0, &out)));
    int tcp = socket(AF_INET, SOCK_STREAM, 0);
    MUST(tcp >= 0);
    MUST(REFUSED(listen(tcp, 1)));
    MUST(REFUSED(socket(AF_PACKET, SOCK_RAW, 0)));
    struct mln_thread *thread;
    int ran = 0;
    MUST(mln_ok(mln_thread_start("t", thread_sets, &ran, &thread)));
    mln_thread_join(thread);
    MUST(ran == 1);
    MUST(REFUSED(fork()));
    char *const argv[] = {(char[]){"/bin/true"}, NULL};
    MUST(REFUSED(execve(argv[0], argv, NULL)));
    MUST(REFUSED(setuid(0)));
    return 0;
}

static int server(void)
{
    MUST(mln_ok(mln_sandbox_calls(MLN_SANDBOX_SERVER)));
    int tcp = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    MUST(bind(tcp, (struct sockaddr *)&any, sizeof any) == 0 && listen(tcp, 1) == 0);
    MUST(REFUSED(fork()));
    MUST(REFUSED(mount("none", "/mnt", "tmpfs", 0, NULL)));
    return 0;
}

static int collector(void)
{
    MUST(mln_ok(mln_sandbox_calls(MLN_SANDBOX_COLLECTOR)));
    pid_t pid = fork();
    MUST(pid >= 0);
    if (pid == 0) {
        char *const argv[] = {(char[]){"/bin/true"}, NULL};
        execve(argv[0], argv, NULL);
        _exit(127);
    }
    int status = -1;
    MUST(waitpid(pid, &status, 0) == pid && status == 0);
    MUST(REFUSED(mount("none", "/mnt", "tmpfs", 0, NULL)));
    MUST(REFUSED(setuid(0)));
    MUST(REFUSED(ptrace(PTRACE_TRACEME, 0, NULL, NULL)));
    int tcp = socket(AF_INET, SOCK_STREAM, 0);
    MUST(tcp >= 0 && REFUSED(listen(tcp, 1)));
    return 0;
}

static void check_profile(int (*body)(void))
{
    if (SCRATCH_SANITIZED)
        check_skip("built with a sanitizer, which calls what these profiles refuse");
    assert_int_equal(in_child(body), 0);
}

static void a_parser(void **state)
{
    (void)state;
    check_profile(parser);
}

static void a_reader(void **state)
{
    (void)state;
    check_profile(reader);
}

static void a_link(void **state)
{
    (void)state;
    check_profile(link_process);
}

static void a_server(void **state)
{
    (void)state;
    check_profile(server);
}

static void a_collector(void **state)
{
    (void)state;
    check_profile(collector);
}

static void profiles_are_described(void **state)
{
    (void)state;
    for (int i = 0; i < MLN_SANDBOX_PROFILE_COUNT; i++)
        assert_true(strlen(mln_sandbox_profile_doc((enum mln_sandbox_profile)i)) > 10);
}

static enum mln_sandbox_reach reached;

static int fenced(void)
{
    const char *const read_paths[] = {in_scratch("read"), in_scratch("one-file"), in_scratch("absent"), NULL};
    const char *const write_paths[] = {in_scratch("write"), NULL};
    struct mln_sandbox_paths paths = {.read = read_paths, .write = write_paths};
    enum mln_sandbox_reach reach;
    struct mln_buf out = MLN_BUF(64);
    MUST(mln_ok(mln_sandbox_fence(&paths, &reach)));
    MUST(reach == reached);
    MUST(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
    if (reach == MLN_SANDBOX_NONE)
        return 0;
    MUST(mln_ok(mln_file_read(in_scratch("read/a"), 0, &out)));
    MUST(mln_ok(mln_file_read(in_scratch("one-file"), 0, &out)));
    MUST(mln_ok(mln_file_write(in_scratch("write/new"), MLN_S("x"), 0600)));
    MUST(mln_file_read(in_scratch("outside"), 0, &out).code == MLN_E_FORBIDDEN);
    MUST(mln_file_write(in_scratch("read/a"), MLN_S("x"), 0600).code == MLN_E_FORBIDDEN);
    MUST(mln_file_write(in_scratch("new"), MLN_S("x"), 0600).code == MLN_E_FORBIDDEN);
    MUST(open(in_scratch("read/a"), O_WRONLY) < 0 && errno == EACCES);
    MUST(unlink(in_scratch("read/a")) < 0 && errno == EACCES);
    if (reach == MLN_SANDBOX_FULL)
        MUST(truncate(in_scratch("read/a"), 0) < 0 && errno == EACCES);
    return 0;
}

static int fenced_in_nothing(void)
{
    struct mln_sandbox_paths paths = {0};
    enum mln_sandbox_reach reach;
    struct mln_buf out = MLN_BUF(64);
    MUST(mln_ok(mln_sandbox_fence(&paths, &reach)));
    MUST(mln_file_read(in_scratch("outside"), 0, &out).code == MLN_E_FORBIDDEN);
    return 0;
}

/* Landlock's answer to which version it is, or 0: the same question that the fence asks. */
static int landlock_version(void)
{
    long abi = syscall(444, NULL, 0, 1);
    return abi > 0 ? (int)abi : 0;
}

static void paths_are_fenced(void **state)
{
    (void)state;
    int abi = landlock_version();
    reached = abi == 0 ? MLN_SANDBOX_NONE : abi >= 5 ? MLN_SANDBOX_FULL : MLN_SANDBOX_PARTLY;
    assert_ok(mln_dir_ensure(in_scratch("read"), 0755));
    assert_ok(mln_dir_ensure(in_scratch("write"), 0755));
    scratch_file("read/a", "a");
    scratch_file("one-file", "b");
    scratch_file("outside", "c");
    assert_int_equal(in_child(fenced), 0);
    if (!abi)
        check_skip("no landlock in this kernel");
    assert_int_equal(in_child(fenced_in_nothing), 0);
    assert_string_equal(mln_sandbox_reach_word(MLN_SANDBOX_NONE), "none");
    assert_string_equal(mln_sandbox_reach_word(MLN_SANDBOX_PARTLY), "partly");
    assert_string_equal(mln_sandbox_reach_word(MLN_SANDBOX_FULL), "full");
}

static int no_dumps(void)
{
    struct rlimit core;
    MUST(mln_ok(mln_sandbox_no_dumps()));
    MUST(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0);
    MUST(getrlimit(RLIMIT_CORE, &core) == 0 && core.rlim_cur == 0 && core.rlim_max == 0);
    return 0;
}

static int no_new_privileges(void)
{
    MUST(mln_ok(mln_sandbox_no_new_privileges()));
    MUST(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
    return 0;
}

static void no_core_dumps(void **state)
{
    (void)state;
    assert_int_equal(in_child(no_dumps), 0);
}

static void nothing_gains_rights(void **state)
{
    (void)state;
    assert_int_equal(in_child(no_new_privileges), 0);
}

enum { NOBODY = 65534 };

static int drop_all(void)
{
    MUST(mln_ok(mln_sandbox_drop_to(NOBODY, NOBODY, NULL, 0)));
    MUST(getuid() == NOBODY && geteuid() == NOBODY && getgid() == NOBODY && getegid() == NOBODY);
    MUST(getgroups(0, NULL) == 0);
    MUST(setuid(0) < 0 && setgid(0) < 0);
    MUST(open("/etc/shadow", O_RDONLY) < 0);
    MUST(mln_sandbox_drop_to(NOBODY, NOBODY, NULL, 0).code == MLN_E_FORBIDDEN);
    return 0;
}

static int drop_but_one(void)
{
    const int kept[] = {CAP_DAC_READ_SEARCH};
    MUST(mln_ok(mln_sandbox_drop_to(NOBODY, NOBODY, kept, 1)));
    MUST(geteuid() == NOBODY);
    MUST(open("/etc/shadow", O_RDONLY) >= 0);
    MUST(open("/etc/shadow", O_WRONLY) < 0);
    MUST(chown("/etc/shadow", NOBODY, NOBODY) < 0);
    MUST(setuid(0) < 0);
    MUST(mln_ok(mln_sandbox_keep_capabilities(NULL, 0))); /* and the last one too */
    MUST(open("/etc/shadow", O_RDONLY) < 0);
    MUST(mln_sandbox_keep_capabilities(kept, 1).code == MLN_E_FORBIDDEN);
    return 0;
}

static int stay_root_without_capabilities(void)
{
    const int kept[] = {CAP_DAC_READ_SEARCH}, wrong[] = {9999};
    MUST(mln_sandbox_keep_capabilities(wrong, 1).code == MLN_E_INVALID);
    MUST(mln_ok(mln_sandbox_keep_capabilities(kept, 1)));
    MUST(geteuid() == 0);
    MUST(chown(scratch, NOBODY, NOBODY) < 0);
    return 0;
}

static void becoming_another_user(void **state)
{
    (void)state;
    if (geteuid() != 0)
        check_skip("only root becomes another user");
    assert_int_equal(in_child(drop_all), 0);
    assert_int_equal(in_child(drop_but_one), 0);
    assert_int_equal(in_child(stay_root_without_capabilities), 0);
}

static void accounts_have_numbers(void **state)
{
    (void)state;
    uid_t uid = 1;
    gid_t gid = 1;
    assert_ok(mln_sandbox_account("root", &uid, &gid));
    assert_int_equal(uid, 0);
    assert_int_equal(gid, 0);
    assert_fails(NOT_FOUND, mln_sandbox_account("merlon-no-such-account", &uid, &gid));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_parser),
        with_scratch(a_reader),
        with_scratch(a_link),
        cmocka_unit_test(a_server),
        cmocka_unit_test(a_collector),
        cmocka_unit_test(profiles_are_described),
        with_scratch(paths_are_fenced),
        cmocka_unit_test(no_core_dumps),
        cmocka_unit_test(nothing_gains_rights),
        with_scratch(becoming_another_user),
        cmocka_unit_test(accounts_have_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
