#include "os/process.h"

#include "base/time.h"
#include "os/file.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

enum {
    FIRST_SPARE_FD = 64,  /* above every descriptor that a child is given */
    FALLBACK_FDS = 65536, /* closed one by one where the kernel has no close_range */
    LOOK_EVERY_MS = 50,   /* at a child's end, where the kernel has no pidfd */
    READ_BYTES = 16 * 1024,
    READS_A_ROUND = 64, /* together what the largest pipe of an unprivileged program holds */
    ERROR_TEXT_BYTES = 200,
    PROGRAM_PATH_BYTES = 4096,
};

static const char *const system_directories[] = {"/usr/sbin", "/usr/bin", "/sbin", "/bin"};
static const char *const default_environment[] = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", "HOME=/", NULL};

struct mln_result mln_process_find(const char *name, struct mln_arena *arena, const char **path)
{
    *path = NULL;
    if (!*name || strchr(name, '/'))
        return mln_fail(MLN_E_INVALID, "\"%s\" is not the name of a program", name);
    for (size_t i = 0; i < sizeof system_directories / sizeof *system_directories; i++) {
        struct mln_str full;
        struct stat at;
        MLN_TRY_STR(arena, full, mln_str_printf(arena, "%s/%s", system_directories[i], name));
        if (stat(full.p, &at) || !S_ISREG(at.st_mode) || access(full.p, X_OK))
            continue;
        *path = mln_str_z(arena, full);
        return *path ? MLN_OK : mln_arena_failure(arena);
    }
    return mln_fail(MLN_E_NOT_FOUND, "no program \"%s\" in the system's directories", name);
}

/* All that the child needs, made ready before the fork: afterwards only async-signal-safe calls are allowed. */
struct launch {
    const struct mln_process *process;
    const char *path;
    int fds[4];      /* what becomes 0, 1, 2 and 3; -1: none */
    int failure;     /* the child writes its errno here when it cannot go on */
    pid_t dies_with; /* 0: it may outlive us */
};

static int limit(int resource, uint64_t most)
{
    struct rlimit value = {most, most};
    return most ? setrlimit((__rlimit_resource_t)resource, &value) : 0;
}

static int child_limits(const struct mln_process_limits *limits)
{
    static const struct rlimit none = {0, 0};
    return setrlimit(RLIMIT_CORE, &none) || limit(RLIMIT_CPU, limits->cpu_seconds) ||
           limit(RLIMIT_AS, limits->memory_bytes) || limit(RLIMIT_FSIZE, limits->file_bytes) ||
           limit(RLIMIT_NOFILE, limits->open_files);
}

/* Moves the child's descriptors to their places and closes all others but the one that reports failures. */
static int child_descriptors(struct launch *launch)
{
    int last = -1;
    for (int i = 0; i < 4; i++) {
        if (launch->fds[i] < 0)
            continue;
        if (dup2(launch->fds[i], i) < 0) /* all of them lie above: see spare() */
            return -1;
        last = i;
    }
    if (dup2(launch->failure, last + 1) < 0 || fcntl(last + 1, F_SETFD, FD_CLOEXEC))
        return -1;
    launch->failure = last + 1;
    if (syscall(SYS_close_range, (unsigned)last + 2, ~0u, 0)) {
        for (int fd = last + 2; fd < FALLBACK_FDS; fd++)
            close(fd);
    }
    return 0;
}

/* Another user's rights in place of ours. The raw calls: glibc's would ask all threads, which a child has not. */
static int child_user(const struct mln_process *process)
{
    if (!process->drop)
        return 0;
    return syscall(SYS_setgroups, 0, NULL) || syscall(SYS_setresgid, process->gid, process->gid, process->gid) ||
           syscall(SYS_setresuid, process->uid, process->uid, process->uid) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

static void child_signals(void)
{
    sigset_t none;
    sigemptyset(&none);
    /* By system call: signal() refuses the two that the C library keeps for itself, which a parent may have left ignored. */
    const struct {
        void *handler;
        unsigned long flags;
        void *restorer;
        uint64_t mask;
    } by_default = {0};
    for (int i = 1; i < NSIG; i++)
        syscall(SYS_rt_sigaction, i, &by_default, NULL, sizeof by_default.mask);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static _Noreturn void child_main(struct launch *launch)
{
    const struct mln_process *process = launch->process;
    const char *const *environment = process->env ? process->env : default_environment;
    setpgid(0, 0);
    child_signals();
    if (!child_descriptors(launch) && !chdir(process->directory ? process->directory : "/") &&
        !child_limits(&process->limits) && !child_user(process)) {
        /* After the change of user, which clears it; and our parent may have gone before that. */
        if (launch->dies_with && (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) || getppid() != launch->dies_with))
            _exit(127);
        execve(launch->path, (char *const *)(uintptr_t)process->argv, (char *const *)(uintptr_t)environment);
    }
    int error = errno;
    ssize_t written = write(launch->failure, &error, sizeof error);
    (void)written;
    _exit(127);
}

/* Waits for the word of the child: nothing when it has become the program, an errno when it could not. */
static struct mln_result await_exec(int report, pid_t pid, const char *path)
{
    int error = 0;
    ssize_t n;
    do
        n = read(report, &error, sizeof error);
    while (n < 0 && errno == EINTR);
    if (n == 0)
        return MLN_OK;
    waitpid(pid, NULL, 0);
    if (error == ENOENT || error == ENOTDIR)
        return mln_fail(MLN_E_NOT_FOUND, "no program %s", path);
    return mln_fail_errno(n == sizeof error ? error : EIO, "starting %s", path);
}

/* Replaces *fd by a copy that is above every descriptor that a child is given, so that no dup2 tramples on another. */
static struct mln_result spare(int *fd)
{
    int copy = fcntl(*fd, F_DUPFD_CLOEXEC, FIRST_SPARE_FD);
    if (copy < 0)
        return mln_fail_errno(errno, "copying a descriptor");
    close(*fd);
    *fd = copy;
    return MLN_OK;
}

static struct mln_result launch_child(struct launch *launch, pid_t *out)
{
    MLN_CLEANUP(mln_arena_free) struct mln_arena *arena = mln_arena_new(4 * PROGRAM_PATH_BYTES);
    if (!arena)
        return mln_fail(MLN_E_MEMORY, "no memory for a process");
    launch->path = launch->process->program ? launch->process->program : launch->process->argv[0];
    if (!strchr(launch->path, '/'))
        MLN_TRY(mln_process_find(launch->path, arena, &launch->path));
    int report[2];
    if (pipe2(report, O_CLOEXEC))
        return mln_fail_errno(errno, "making a pipe");
    MLN_FD_CLEANUP int read_end = report[0];
    MLN_FD_CLEANUP int write_end = report[1];
    MLN_TRY(spare(&write_end));
    launch->failure = write_end;
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* no handler of ours may run in the child */
    pid_t pid = fork();
    if (pid == 0)
        child_main(launch);
    int error = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (pid < 0)
        return mln_fail_errno(error, "starting %s", launch->path);
    close(write_end);
    write_end = -1;
    MLN_TRY(await_exec(read_end, pid, launch->path));
    *out = pid;
    return MLN_OK;
}

static void end_of(int status, struct mln_process_end *end)
{
    end->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    end->exit_status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Whether the child has ended; it stays to be collected, so that its number, and its group's, are not given to others.
 */
static bool has_ended(pid_t pid)
{
    siginfo_t info = {0};
    return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == pid;
}

static void kill_group_and_collect(pid_t pid, struct mln_process_end *end)
{
    int status = 0;
    pid_t got;
    kill(-pid, SIGKILL);
    do
        got = waitpid(pid, &status, 0);
    while (got < 0 && errno == EINTR);
    end_of(status, end);
}

/* One of a program's outputs on its way into a buffer. */
struct stream {
    int read_end, write_end;
    struct mln_buf *into; /* NULL: to /dev/null */
    bool open, cut;
};

/* The whole input as a file in memory: nothing to be fed while the program runs. */
static struct mln_result make_input(struct mln_str input, int *fd)
{
    *fd = input.n ? memfd_create("input", MFD_CLOEXEC) : open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (*fd < 0)
        return mln_fail_errno(errno, "making a program's input");
    for (size_t done = 0; done < input.n;) {
        ssize_t n = pwrite(*fd, input.p + done, input.n - done, (off_t)done);
        if (n < 0 && errno != EINTR)
            return mln_fail_errno(errno, "making a program's input");
        done += n > 0 ? (size_t)n : 0;
    }
    return spare(fd);
}

static struct mln_result make_stream(struct stream *stream)
{
    if (!stream->into) {
        stream->write_end = open("/dev/null", O_WRONLY | O_CLOEXEC);
        if (stream->write_end < 0)
            return mln_fail_errno(errno, "opening /dev/null");
        return spare(&stream->write_end);
    }
    int ends[2];
    if (pipe2(ends, O_CLOEXEC))
        return mln_fail_errno(errno, "making a pipe");
    stream->read_end = ends[0];
    stream->write_end = ends[1];
    stream->open = true;
    if (fcntl(ends[0], F_SETFL, O_NONBLOCK))
        return mln_fail_errno(errno, "making a pipe");
    return spare(&stream->write_end);
}

/* Takes what has been written so far; what is over the ceiling is dropped. Not endlessly: some programs never pause. */
static struct mln_result drain(struct stream *stream)
{
    char block[READ_BYTES];
    for (int i = 0; i < READS_A_ROUND && stream->open; i++) {
        ssize_t n = read(stream->read_end, block, sizeof block);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            return MLN_OK;
        if (n < 0)
            return mln_fail_errno(errno, "reading a program's output");
        stream->open = n > 0;
        size_t room = stream->into->max_bytes - stream->into->n, take = (size_t)n < room ? (size_t)n : room;
        stream->cut |= take < (size_t)n;
        MLN_TRY(mln_buf_append(stream->into, (struct mln_str){block, take}));
    }
    return MLN_OK;
}

/* Reads both outputs until the program has ended or its time is over. */
static struct mln_result attend(pid_t pid, struct stream streams[2], int64_t deadline_ms, struct mln_process_end *end)
{
    MLN_FD_CLEANUP int watch = (int)syscall(SYS_pidfd_open, pid, 0);
    for (;;) {
        bool ended = has_ended(pid); /* before draining: what it wrote before its end is then there */
        MLN_TRY(drain(&streams[0]));
        MLN_TRY(drain(&streams[1]));
        int64_t left = deadline_ms - mln_monotonic_ms();
        if (ended)
            return MLN_OK;
        if (left <= 0) {
            end->timed_out = true;
            return MLN_OK;
        }
        struct pollfd wait[3] = {
            {.fd = streams[0].open ? streams[0].read_end : -1, .events = POLLIN},
            {.fd = streams[1].open ? streams[1].read_end : -1, .events = POLLIN},
            {.fd = watch, .events = POLLIN},
        };
        int64_t most = watch < 0 ? LOOK_EVERY_MS : 60 * 1000;
        if (poll(wait, 3, (int)(left < most ? left : most)) < 0 && errno != EINTR)
            return mln_fail_errno(errno, "waiting for a program");
    }
}

struct mln_result mln_process_run(const struct mln_process *process, struct mln_str input, int64_t timeout_ms,
                                  struct mln_buf *out, struct mln_buf *err, struct mln_process_end *end)
{
    *end = (struct mln_process_end){.exit_status = -1};
    struct stream streams[2] = {{.read_end = -1, .write_end = -1, .into = out},
                                {.read_end = -1, .write_end = -1, .into = err}};
    MLN_FD_CLEANUP int in = -1;
    pid_t pid = 0;
    struct mln_result r = make_input(input, &in);
    for (int i = 0; mln_ok(r) && i < 2; i++)
        r = make_stream(&streams[i]);
    if (mln_ok(r)) {
        struct launch launch = {.process = process, .fds = {in, streams[0].write_end, streams[1].write_end, -1}};
        r = launch_child(&launch, &pid);
    }
    for (int i = 0; i < 2; i++)
        if (streams[i].write_end >= 0)
            close(streams[i].write_end);
    if (mln_ok(r)) {
        r = attend(pid, streams, mln_monotonic_ms() + timeout_ms, end);
        kill_group_and_collect(pid, end);
        end->output_cut = streams[0].cut;
        end->error_cut = streams[1].cut;
    }
    for (int i = 0; i < 2; i++)
        if (streams[i].read_end >= 0)
            close(streams[i].read_end);
    return r;
}

struct mln_result mln_process_output(const char *const *argv, int64_t timeout_ms, struct mln_buf *out)
{
    MLN_BUF_CLEANUP struct mln_buf err = MLN_BUF(ERROR_TEXT_BYTES);
    struct mln_process process = {.argv = argv};
    struct mln_process_end end;
    size_t before = out->n;
    MLN_TRY(mln_process_run(&process, (struct mln_str){0}, timeout_ms, out, &err, &end));
    if (end.timed_out)
        return mln_fail(MLN_E_TIMEOUT, "%s did not end within %lld ms", argv[0], (long long)timeout_ms);
    if (end.signal)
        return mln_fail(MLN_E_IO, "%s was ended by signal %d", argv[0], end.signal);
    if (end.exit_status) {
        struct mln_str rest = mln_buf_str(&err), line = {0};
        mln_str_cut(&rest, '\n', &line);
        return mln_fail(MLN_E_IO, "%s exited with %d: %.*s", argv[0], end.exit_status, MLN_FMT(line));
    }
    if (end.output_cut)
        return mln_fail(MLN_E_LIMIT, "%s wrote more than %zu bytes", argv[0], out->max_bytes - before);
    return MLN_OK;
}

struct mln_result mln_child_start(const struct mln_process *process, struct mln_child *out)
{
    *out = (struct mln_child){.socket = -1};
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
        return mln_fail_errno(errno, "making a socket");
    MLN_FD_CLEANUP int ours = ends[0];
    MLN_FD_CLEANUP int theirs = ends[1];
    MLN_FD_CLEANUP int in = open("/dev/null", O_RDONLY | O_CLOEXEC);
    MLN_FD_CLEANUP int output = dup(STDOUT_FILENO);
    MLN_FD_CLEANUP int error = dup(STDERR_FILENO);
    if (in < 0 || output < 0 || error < 0)
        return mln_fail_errno(errno, "preparing a child's descriptors");
    MLN_TRY(spare(&theirs));
    MLN_TRY(spare(&in));
    MLN_TRY(spare(&output));
    MLN_TRY(spare(&error));
    struct launch launch = {.process = process, .fds = {in, output, error, theirs}, .dies_with = getpid()};
    MLN_TRY(launch_child(&launch, &out->pid));
    out->socket = ours;
    ours = -1;
    return MLN_OK;
}

struct mln_result mln_child_wait(struct mln_child *child, int64_t wait_ms, struct mln_process_end *end)
{
    *end = (struct mln_process_end){.exit_status = -1};
    if (child->pid <= 0)
        return mln_fail(MLN_E_NOT_FOUND, "there is no child");
    int64_t deadline = mln_monotonic_ms() + wait_ms;
    MLN_FD_CLEANUP int watch = (int)syscall(SYS_pidfd_open, child->pid, 0);
    while (!has_ended(child->pid)) {
        int64_t left = deadline - mln_monotonic_ms();
        if (left <= 0)
            return mln_fail(MLN_E_TIMEOUT, "the child runs on");
        int64_t most = watch < 0 ? LOOK_EVERY_MS : 60 * 1000;
        if (poll(&(struct pollfd){.fd = watch, .events = POLLIN}, 1, (int)(left < most ? left : most)) < 0 &&
            errno != EINTR)
            return mln_fail_errno(errno, "waiting for a child");
    }
    kill_group_and_collect(child->pid, end);
    child->pid = 0;
    return MLN_OK;
}

void mln_child_stop(struct mln_child *child, int64_t grace_ms)
{
    struct mln_process_end end;
    if (child->socket >= 0)
        close(child->socket);
    child->socket = -1;
    if (child->pid <= 0)
        return;
    kill(child->pid, SIGTERM);
    if (!mln_ok(mln_child_wait(child, grace_ms, &end)))
        kill_group_and_collect(child->pid, &end);
    child->pid = 0;
}
