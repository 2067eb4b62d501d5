/* System calls: seccomp profiles through libseccomp. The rest of os/sandbox.h is in sandbox.c and sandbox_fence.c. */
#include "os/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>

/* What of a call is meant: all of it, or only where argument & mask == value. */
struct call {
    const char *name; /* "": the end of the list */
    bool conditional;
    unsigned argument;
    uint64_t mask, value;
};

/* Laid out by hand: clang-format would give each call a line of its own. */
/* clang-format off */

#define ALL(name) {name, false, 0, 0, 0}
#define WHERE(name, argument, mask, value) {name, true, argument, mask, value}
#define END {"", false, 0, 0, 0}

/* To run at all: memory without new code, time, signals, waiting, and what is open already. */
static const struct call run[] = {
    ALL("read"), ALL("readv"), ALL("pread64"), ALL("preadv"), ALL("preadv2"), ALL("write"), ALL("writev"),
    ALL("pwrite64"), ALL("pwritev"), ALL("pwritev2"), ALL("close"), ALL("close_range"), ALL("lseek"), ALL("fstat"),
    WHERE("newfstatat", 3, AT_EMPTY_PATH, AT_EMPTY_PATH), /* how newer C libraries say fstat */
    ALL("dup"), ALL("dup2"), ALL("dup3"), ALL("fcntl"), ALL("pipe"), ALL("pipe2"), ALL("eventfd2"), ALL("memfd_create"),
    ALL("ftruncate"),
    ALL("munmap"), ALL("mremap"), ALL("madvise"), ALL("brk"), ALL("membarrier"),
    WHERE("mmap", 2, PROT_EXEC, 0), WHERE("mprotect", 2, PROT_EXEC, 0),
    ALL("futex"), ALL("futex_waitv"), ALL("set_robust_list"), ALL("get_robust_list"), ALL("rseq"),
    ALL("rt_sigaction"), ALL("rt_sigprocmask"), ALL("rt_sigreturn"), ALL("rt_sigtimedwait"), ALL("rt_sigpending"),
    ALL("rt_sigsuspend"), ALL("sigaltstack"), ALL("signalfd4"), ALL("tgkill"), ALL("restart_syscall"),
    ALL("exit"), ALL("exit_group"),
    ALL("clock_gettime"), ALL("clock_getres"), ALL("clock_nanosleep"), ALL("nanosleep"), ALL("gettimeofday"), ALL("time"),
    ALL("timerfd_create"), ALL("timerfd_settime"), ALL("timerfd_gettime"), ALL("getrusage"), ALL("times"),
    ALL("poll"), ALL("ppoll"), ALL("select"), ALL("pselect6"), ALL("epoll_create1"), ALL("epoll_ctl"),
    ALL("epoll_wait"), ALL("epoll_pwait"), ALL("epoll_pwait2"),
    ALL("recvmsg"), ALL("recvfrom"), ALL("recvmmsg"), ALL("sendmsg"), ALL("sendto"), ALL("sendmmsg"), ALL("shutdown"),
    ALL("getpid"), ALL("gettid"), ALL("getppid"), ALL("getuid"), ALL("geteuid"), ALL("getgid"), ALL("getegid"),
    ALL("getrandom"), ALL("uname"), ALL("sysinfo"), ALL("sched_yield"), ALL("sched_getaffinity"), ALL("getcpu"),
    ALL("getrlimit"), WHERE("prlimit64", 2, UINT64_MAX, 0), /* asking, not setting */
    END,
};

/* Files, for reading. openat2 is not here: its flags lie in memory, where a filter cannot look. */
static const struct call read_files[] = {
    WHERE("open", 1, O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY),
    WHERE("openat", 2, O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY),
    ALL("stat"), ALL("lstat"), ALL("newfstatat"), ALL("statx"), ALL("access"), ALL("faccessat"), ALL("faccessat2"),
    ALL("readlink"), ALL("readlinkat"), ALL("getdents64"), ALL("statfs"), ALL("fstatfs"), ALL("getcwd"),
    ALL("getxattr"), ALL("lgetxattr"), ALL("fgetxattr"), ALL("listxattr"), ALL("llistxattr"), ALL("flistxattr"),
    ALL("fadvise64"), ALL("flock"),
    END,
};

/* Files of one's own. */
static const struct call write_files[] = {
    ALL("open"), ALL("openat"), ALL("openat2"), ALL("mkdir"), ALL("mkdirat"), ALL("rename"), ALL("renameat"),
    ALL("renameat2"), ALL("unlink"), ALL("unlinkat"), ALL("rmdir"), ALL("link"), ALL("linkat"), ALL("chmod"),
    ALL("fchmod"), ALL("fchmodat"), ALL("truncate"), ALL("fsync"), ALL("fdatasync"), ALL("sync_file_range"),
    ALL("fallocate"), ALL("msync"), ALL("utimensat"), ALL("umask"), ALL("sendfile"), ALL("copy_file_range"),
    END,
};

/* Threads, and libraries that are loaded late (name service modules): code may be mapped, processes are not made. */
static const struct call threads[] = {
    WHERE("clone", 0, CLONE_THREAD, CLONE_THREAD),
    ALL("set_tid_address"), ALL("sched_setaffinity"), ALL("sched_getparam"), ALL("sched_getscheduler"),
    WHERE("prctl", 0, UINT64_MAX, PR_SET_NAME), WHERE("prctl", 0, UINT64_MAX, PR_GET_NAME),
    ALL("mmap"), ALL("mprotect"),
    END,
};

/* The network as a client. Netlink is how the C library finds out which address families are in use. */
static const struct call network[] = {
    WHERE("socket", 0, UINT64_MAX, AF_INET), WHERE("socket", 0, UINT64_MAX, AF_INET6),
    WHERE("socket", 0, UINT64_MAX, AF_UNIX), WHERE("socket", 0, UINT64_MAX, AF_NETLINK),
    ALL("socketpair"), ALL("connect"), ALL("bind"), ALL("getsockopt"), ALL("setsockopt"), ALL("getsockname"),
    ALL("getpeername"), ALL("ioctl"),
    END,
};

static const struct call listening[] = {ALL("listen"), ALL("accept"), ALL("accept4"), END};

/* For processes that run other people's programs: what those do not need to look at a machine. */
static const struct call never[] = {
    ALL("listen"), ALL("accept"), ALL("accept4"),
    ALL("setuid"), ALL("setgid"), ALL("setreuid"), ALL("setregid"), ALL("setresuid"), ALL("setresgid"),
    ALL("setgroups"), ALL("setfsuid"), ALL("setfsgid"), ALL("capset"),
    ALL("unshare"), ALL("setns"), ALL("chroot"), ALL("pivot_root"),
    ALL("mount"), ALL("umount2"), ALL("move_mount"), ALL("open_tree"), ALL("fsopen"), ALL("fsmount"), ALL("fspick"),
    ALL("fsconfig"), ALL("mount_setattr"), ALL("swapon"), ALL("swapoff"), ALL("quotactl"), ALL("quotactl_fd"),
    ALL("acct"), ALL("mknod"), ALL("mknodat"),
    ALL("init_module"), ALL("finit_module"), ALL("delete_module"), ALL("kexec_load"), ALL("kexec_file_load"),
    ALL("reboot"), ALL("bpf"), ALL("perf_event_open"), ALL("userfaultfd"), ALL("io_uring_setup"),
    ALL("ptrace"), ALL("process_vm_readv"), ALL("process_vm_writev"), ALL("pidfd_getfd"), ALL("kcmp"),
    ALL("keyctl"), ALL("add_key"), ALL("request_key"),
    ALL("clock_settime"), ALL("clock_adjtime"), ALL("adjtimex"), ALL("settimeofday"), ALL("sethostname"),
    ALL("setdomainname"), ALL("iopl"), ALL("ioperm"), ALL("vhangup"), ALL("syslog"), ALL("personality"),
    END,
};

/* A profile's lists are what it allows, or, for the one that forbids, what it does not. */
static const struct profile {
    const char *doc;
    bool forbids;
    const struct call *lists[7];
} profiles[] = {
#define DOC(name, text) [MLN_SANDBOX_##name].doc = (text),
    MLN_SANDBOX_PROFILES(DOC)
#undef DOC
    [MLN_SANDBOX_PARSER].lists = {run},
    [MLN_SANDBOX_READER].lists = {run, read_files},
    [MLN_SANDBOX_LINK].lists = {run, read_files, write_files, threads, network},
    [MLN_SANDBOX_SERVER].lists = {run, read_files, write_files, threads, network, listening},
    [MLN_SANDBOX_COLLECTOR].lists = {never},
    [MLN_SANDBOX_COLLECTOR].forbids = true,
};

/* clang-format on */

const char *mln_sandbox_profile_doc(enum mln_sandbox_profile profile)
{
    return profiles[profile].doc;
}

/* A call that this libseccomp or this architecture does not know needs no rule. */
static int add_call(scmp_filter_ctx filter, uint32_t action, const struct call *call)
{
    int number = seccomp_syscall_resolve_name(call->name);
    if (number == __NR_SCMP_ERROR || number < 0)
        return 0;
    struct scmp_arg_cmp comparison = {call->argument, SCMP_CMP_MASKED_EQ, call->mask, call->value};
    return seccomp_rule_add_array(filter, action, number, call->conditional ? 1 : 0, &comparison);
}

static int fill(scmp_filter_ctx filter, const struct profile *profile)
{
    uint32_t action = profile->forbids ? SCMP_ACT_ERRNO(EPERM) : SCMP_ACT_ALLOW;
    int failed = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ERRNO(ENOSYS));
    if (!failed)
        failed = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
    for (const struct call *const *list = profile->lists; !failed && *list; list++)
        for (const struct call *call = *list; !failed && *call->name; call++)
            failed = add_call(filter, action, call);
    /* Its flags lie in memory; the C library falls back to clone, whose flags can be seen. */
    if (!failed && !profile->forbids)
        failed = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
    return failed;
}

struct mln_result mln_sandbox_calls(enum mln_sandbox_profile profile)
{
    const struct profile *chosen = &profiles[profile];
    scmp_filter_ctx filter = seccomp_init(chosen->forbids ? SCMP_ACT_ALLOW : SCMP_ACT_ERRNO(EPERM));
    if (!filter)
        return mln_fail(MLN_E_MEMORY, "no memory for a system call filter");
    int failed = fill(filter, chosen);
    if (!failed)
        failed = seccomp_load(filter);
    seccomp_release(filter);
    if (failed)
        return mln_fail_errno(-failed, "loading the system call filter");
    return MLN_OK;
}
