/*
 * Running other programs: no shell, an argument vector, an environment that is stated and not inherited, no descriptor
 * but the stated ones, limits on time, output and resources. Also a long-lived child that talks over a socket.
 */
#ifndef MLN_OS_PROCESS_H
#define MLN_OS_PROCESS_H

#include "base/buf.h"

#include <sys/types.h>

struct mln_process_limits { /* 0: as this process has it */
    uint64_t cpu_seconds, memory_bytes, file_bytes, open_files;
};

struct mln_process {
    const char *const *argv; /* NULL-terminated; argv[0] with a slash, or a name that is looked for in the system's
                                directories (/usr/sbin, /usr/bin, /sbin, /bin), never in PATH */
    const char *program;     /* the file to run, where that is not argv[0]; NULL: it is */
    const char *const *env;  /* NULL-terminated "NAME=value"; NULL: PATH of those directories, LC_ALL=C, HOME=/ */
    const char *directory;   /* NULL: / */
    bool drop;               /* run as uid and gid, no other groups, no new privileges */
    uid_t uid;
    gid_t gid;
    struct mln_process_limits limits;
};

struct mln_process_end {
    int exit_status; /* -1 when a signal ended it */
    int signal;      /* 0 when it exited */
    bool timed_out;  /* the deadline came, its process group was killed */
    bool output_cut; /* it wrote more than out's ceiling; the rest was read and dropped */
    bool error_cut;  /* the same for err */
};

/* Runs a program to its end, at most until timeout_ms from now. input is its standard input; its standard output and
   error are appended up to the ceilings of out and err (NULL: to /dev/null). What it leaves running in its process group
   is killed. OK whatever the exit status; NOT_FOUND when there is no such program, IO when it cannot be started. */
MLN_RESULT mln_process_run(const struct mln_process *process, struct mln_str input, int64_t timeout_ms,
                           struct mln_buf *out, struct mln_buf *err, struct mln_process_end *end);

/* mln_process_run for a command whose output is all that counts: IO with the first line of its standard error (at most
   200 bytes) when it does not exit with 0, TIMEOUT, LIMIT when the output was cut. */
MLN_RESULT mln_process_output(const char *const *argv, int64_t timeout_ms, struct mln_buf *out);

/* The path of a program in the system's directories, in the arena. NOT_FOUND. */
MLN_RESULT mln_process_find(const char *name, struct mln_arena *arena, const char **path);

/* A long-lived child. Its end of a stream socket is descriptor 3; standard input is /dev/null, output and error are this
   process's. It dies with the
   thread that started it (PR_SET_PDEATHSIG): start it from the main one. */
struct mln_child {
    pid_t pid;
    int socket;
};
enum { MLN_CHILD_SOCKET = 3 };
MLN_RESULT mln_child_start(const struct mln_process *process, struct mln_child *out);
/* Whether it has ended; waits at most wait_ms (0: only looks). TIMEOUT while it runs. */
MLN_RESULT mln_child_wait(struct mln_child *child, int64_t wait_ms, struct mln_process_end *end);
/* Closes the socket, asks with SIGTERM, after grace_ms with SIGKILL, and collects the child. Safe to call again. */
void mln_child_stop(struct mln_child *child, int64_t grace_ms);

#endif
