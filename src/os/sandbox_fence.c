/* Paths: landlock, by its raw system calls, since distributions lack a library for it. The rest of os/sandbox.h is in
   sandbox.c and sandbox_calls.c. */
#include "os/sandbox.h"

#include "os/file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/syscall.h>

/* Rights that are younger than the headers of some distributions: linux/landlock.h of 6.2 and 6.10. */
#ifndef LANDLOCK_ACCESS_FS_REFER
#define LANDLOCK_ACCESS_FS_REFER (1ULL << 13)
#endif
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ULL << 14)
#endif
#ifndef LANDLOCK_ACCESS_FS_IOCTL_DEV
#define LANDLOCK_ACCESS_FS_IOCTL_DEV (1ULL << 15)
#endif

static const uint64_t read_rights =
    LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
/* What a right can mean for a single file; the others are about directories. */
static const uint64_t file_rights = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE |
                                    LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_TRUNCATE |
                                    LANDLOCK_ACCESS_FS_IOCTL_DEV;
enum { ABI_REFER = 2, ABI_TRUNCATE = 3, ABI_IOCTL = 5 };

/* All that a landlock of this version can fence. */
static uint64_t rights_of(int abi)
{
    uint64_t rights = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1; /* the first version's, one bit each up to this one */
    if (abi >= ABI_REFER)
        rights |= LANDLOCK_ACCESS_FS_REFER;
    if (abi >= ABI_TRUNCATE)
        rights |= LANDLOCK_ACCESS_FS_TRUNCATE;
    if (abi >= ABI_IOCTL)
        rights |= LANDLOCK_ACCESS_FS_IOCTL_DEV;
    return rights;
}

static struct mln_result allow(int ruleset, const char *path, uint64_t rights)
{
    MLN_FD_CLEANUP int fd = open(path, O_PATH | O_CLOEXEC);
    struct stat at;
    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
        return MLN_OK;
    if (fd < 0 || fstat(fd, &at))
        return mln_fail_errno(errno, "opening %s", path);
    struct landlock_path_beneath_attr rule = {
        .allowed_access = S_ISDIR(at.st_mode) ? rights : rights & file_rights,
        .parent_fd = fd,
    };
    if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0))
        return mln_fail_errno(errno, "fencing %s", path);
    return MLN_OK;
}

static struct mln_result allow_all(int ruleset, const char *const *paths, uint64_t rights)
{
    for (; paths && *paths; paths++)
        MLN_TRY(allow(ruleset, *paths, rights));
    return MLN_OK;
}

struct mln_result mln_sandbox_fence(const struct mln_sandbox_paths *paths, enum mln_sandbox_reach *reach)
{
    *reach = MLN_SANDBOX_NONE;
    int abi = (int)syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    if (abi < 0 && (errno == ENOSYS || errno == EOPNOTSUPP))
        return mln_sandbox_no_new_privileges();
    if (abi < 1)
        return mln_fail_errno(errno, "asking for landlock");
    struct landlock_ruleset_attr all = {.handled_access_fs = rights_of(abi)};
    MLN_FD_CLEANUP int ruleset = (int)syscall(SYS_landlock_create_ruleset, &all, sizeof all.handled_access_fs, 0);
    if (ruleset < 0)
        return mln_fail_errno(errno, "making a fence");
    MLN_TRY(allow_all(ruleset, paths->read, read_rights));
    MLN_TRY(allow_all(ruleset, paths->write, all.handled_access_fs));
    MLN_TRY(mln_sandbox_no_new_privileges());
    if (syscall(SYS_landlock_restrict_self, ruleset, 0))
        return mln_fail_errno(errno, "closing the fence");
    *reach = abi >= ABI_IOCTL ? MLN_SANDBOX_FULL : MLN_SANDBOX_PARTLY;
    return MLN_OK;
}

const char *mln_sandbox_reach_word(enum mln_sandbox_reach reach)
{
    static const char *const words[] = {"none", "partly", "full"};
    return words[reach];
}
