/*
 * Giving up rights: core dumps, user and capabilities, paths (landlock), system calls (seccomp). Each call is for the
 * thread that makes it and its children to come (system calls: for all threads); none can be undone. Call them before
 * starting threads, in the order in which they stand here.
 */
#ifndef MLN_OS_SANDBOX_H
#define MLN_OS_SANDBOX_H

#include "base/result.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* No core file, no ptrace by others of the same user: for a process that holds secrets. */
MLN_RESULT mln_sandbox_no_dumps(void);

/* Becomes uid and gid, without other groups, keeping only these capabilities (CAP_..., permitted and effective; a program
   that it executes has none). Checks afterwards that there is no way back. Needs root. */
MLN_RESULT mln_sandbox_drop_to(uid_t uid, gid_t gid, const int *capabilities, size_t n);
/* Gives up all capabilities but these, staying the same user; a program that root executes has these at most. */
MLN_RESULT mln_sandbox_keep_capabilities(const int *capabilities, size_t n);
/* uid and gid of an account. NOT_FOUND. */
MLN_RESULT mln_sandbox_account(const char *name, uid_t *uid, gid_t *gid);

/* Nothing that is executed from here on gains rights (set-user-id, file capabilities). The two below imply it. */
MLN_RESULT mln_sandbox_no_new_privileges(void);

/* Paths: beneath which of them files may be read (and executed), beneath which also written and made. All else is closed.
   A path that does not exist is left out. */
struct mln_sandbox_paths {
    const char *const *read, *const *write; /* NULL-terminated, or NULL */
};
/* How much of it the kernel can do. */
enum mln_sandbox_reach {
    MLN_SANDBOX_NONE,   /* no landlock in this kernel: nothing is fenced */
    MLN_SANDBOX_PARTLY, /* an older landlock: truncating, moving or device control is not fenced, or moving never works */
    MLN_SANDBOX_FULL,
};
MLN_RESULT mln_sandbox_fence(const struct mln_sandbox_paths *paths, enum mln_sandbox_reach *reach);
const char *mln_sandbox_reach_word(enum mln_sandbox_reach reach);

/* System call profiles: what a process of this kind may still call; another call fails with EPERM. The first four name
   what is allowed; the last one, whose programs are anybody's, names what is not. */
#define MLN_SANDBOX_PROFILES(P)                                                                                        \
    P(PARSER, "reads and writes what is open already; opens no file, no socket, no process")                           \
    P(READER, "a parser that may also open files for reading and list directories")                                    \
    P(LINK, "talks to the network as a client, keeps its own files, runs threads; no program")                         \
    P(SERVER, "a link that also listens")                                                                              \
    P(COLLECTOR, "runs programs; does not listen, change users or namespaces, or alter the kernel")
enum mln_sandbox_profile {
#define P(name, doc) MLN_SANDBOX_##name,
    MLN_SANDBOX_PROFILES(P)
#undef P
        MLN_SANDBOX_PROFILE_COUNT
};
MLN_RESULT mln_sandbox_calls(enum mln_sandbox_profile profile);
const char *mln_sandbox_profile_doc(enum mln_sandbox_profile profile);

#endif
