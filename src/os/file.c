#include "os/file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/file.h>
#include <sys/vfs.h>

enum { READ_STEP_BYTES = 64 * 1024, PATH_MAX_BYTES = 4096 };

/* File systems whose files are made up by the kernel when they are read. */
static bool is_kernel_file(int fd)
{
    static const unsigned long magics[] = {PROC_SUPER_MAGIC,    SYSFS_MAGIC,      DEBUGFS_MAGIC,
                                           TRACEFS_MAGIC,       SECURITYFS_MAGIC, CGROUP_SUPER_MAGIC,
                                           CGROUP2_SUPER_MAGIC, BPF_FS_MAGIC,     EFIVARFS_MAGIC};
    struct statfs fs;
    if (fstatfs(fd, &fs))
        return true;
    for (size_t i = 0; i < sizeof magics / sizeof *magics; i++)
        if ((unsigned long)fs.f_type == magics[i])
            return true;
    return false;
}

/* Reads on until the end of the file; the caller takes back what was appended when this fails. */
static struct mln_result read_to_end(int fd, const char *path, struct mln_buf *out)
{
    for (;;) {
        char one;
        size_t room = out->max_bytes - out->n;
        if (room > READ_STEP_BYTES)
            room = READ_STEP_BYTES;
        if (room)
            MLN_TRY(mln_buf_reserve(out, room));
        ssize_t n = room ? read(fd, out->p + out->n, room) : read(fd, &one, 1);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return mln_fail_errno(errno, "reading %s", path);
        if (n > 0 && !room)
            return mln_fail(MLN_E_LIMIT, "%s is larger than the limit of %zu bytes", path, out->max_bytes);
        if (room) {
            out->n += (size_t)n;
            out->p[out->n] = '\0';
        }
        if (n == 0)
            return MLN_OK;
    }
}

struct mln_result mln_file_read_fd(int fd, const char *path, unsigned flags, struct mln_buf *out)
{
    struct stat at;
    if (fstat(fd, &at))
        return mln_fail_errno(errno, "looking at %s", path);
    if (!S_ISREG(at.st_mode))
        return mln_fail(MLN_E_INVALID, "%s is not a regular file", path);
    if (!(flags & MLN_FILE_PROC)) {
        if (is_kernel_file(fd))
            return mln_fail(MLN_E_INVALID, "%s is not a file on a disk", path);
        if ((uint64_t)at.st_size > out->max_bytes - out->n)
            return mln_fail(MLN_E_LIMIT, "%s is larger than the limit of %zu bytes", path, out->max_bytes);
    }
    size_t before = out->n;
    struct mln_result r = read_to_end(fd, path, out);
    if (!mln_ok(r)) {
        if (out->secret && out->p)
            explicit_bzero(out->p + before, out->n - before);
        out->n = before;
        if (out->p)
            out->p[before] = '\0';
    }
    return r;
}

struct mln_result mln_file_read(const char *path, unsigned flags, struct mln_buf *out)
{
    /* O_NONBLOCK: opening a pipe that nobody writes to must not wait. */
    int nolink = flags & MLN_FILE_NOLINK ? O_NOFOLLOW : 0;
    MLN_FD_CLEANUP int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | nolink);
    if (fd < 0 && errno == ELOOP)
        return mln_fail(MLN_E_FORBIDDEN, "%s: a link that is not followed", path);
    if (fd < 0)
        return mln_fail_errno(errno, "opening %s", path);
    return mln_file_read_fd(fd, path, flags, out);
}

static struct mln_result write_all(int fd, const char *path, struct mln_str content)
{
    while (content.n) {
        ssize_t n = write(fd, content.p, content.n);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return mln_fail_errno(errno, "writing %s", path);
        content.p += n;
        content.n -= (size_t)n;
    }
    return MLN_OK;
}

/* The directory that path is in, as a path. */
static struct mln_result directory_of(const char *path, char out[PATH_MAX_BYTES])
{
    const char *slash = strrchr(path, '/');
    size_t n = slash ? (size_t)(slash - path) : 0;
    if (n >= PATH_MAX_BYTES)
        return mln_fail(MLN_E_LIMIT, "path too long");
    memcpy(out, path, n);
    if (!n)
        out[n++] = slash ? '/' : '.';
    out[n] = '\0';
    return MLN_OK;
}

/* After a rename: the new name is on the disk only when its directory is. */
static struct mln_result sync_directory(const char *path)
{
    char directory[PATH_MAX_BYTES];
    MLN_TRY(directory_of(path, directory));
    MLN_FD_CLEANUP int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fsync(fd))
        return mln_fail_errno(errno, "writing the directory %s", directory);
    return MLN_OK;
}

/* Fills a new file of its own name and puts it in place of path, or beside nothing when it must be new. */
static struct mln_result fill_and_place(int fd, const char *temporary, const char *path, struct mln_str content,
                                        mode_t mode, bool must_be_new)
{
    MLN_TRY(write_all(fd, path, content));
    if (fchmod(fd, mode) || fsync(fd))
        return mln_fail_errno(errno, "writing %s", path);
    if (must_be_new ? link(temporary, path) : rename(temporary, path)) {
        if (errno == EEXIST)
            return mln_fail(MLN_E_CONFLICT, "%s exists already", path);
        return mln_fail_errno(errno, "putting %s in place", path);
    }
    return MLN_OK;
}

static struct mln_result write_file(const char *path, struct mln_str content, mode_t mode, bool must_be_new)
{
    char temporary[PATH_MAX_BYTES];
    if (snprintf(temporary, sizeof temporary, "%s.XXXXXX", path) >= (int)sizeof temporary)
        return mln_fail(MLN_E_LIMIT, "path too long");
    MLN_FD_CLEANUP int fd = mkostemp(temporary, O_CLOEXEC);
    if (fd < 0)
        return mln_fail_errno(errno, "making a file beside %s", path);
    struct mln_result r = fill_and_place(fd, temporary, path, content, mode, must_be_new);
    if (!mln_ok(r) || must_be_new)
        unlink(temporary);
    MLN_TRY(r);
    return sync_directory(path);
}

struct mln_result mln_file_write(const char *path, struct mln_str content, mode_t mode)
{
    return write_file(path, content, mode, false);
}

struct mln_result mln_file_create(const char *path, struct mln_str content, mode_t mode)
{
    return write_file(path, content, mode, true);
}

static struct mln_result make_parents(const char *path)
{
    char part[PATH_MAX_BYTES];
    size_t n = strlen(path);
    if (n >= sizeof part)
        return mln_fail(MLN_E_LIMIT, "path too long");
    memcpy(part, path, n + 1);
    for (char *slash = strchr(part + 1, '/'); n && slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(part, 0755) && errno != EEXIST)
            return mln_fail_errno(errno, "making the directory %s", part);
        *slash = '/';
    }
    return MLN_OK;
}

struct mln_result mln_dir_ensure(const char *path, mode_t mode)
{
    MLN_TRY(make_parents(path));
    if (mkdir(path, mode) && errno != EEXIST)
        return mln_fail_errno(errno, "making the directory %s", path);
    MLN_FD_CLEANUP int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 && (errno == ENOTDIR || errno == ELOOP))
        return mln_fail(MLN_E_CONFLICT, "%s is not a directory", path);
    struct stat at;
    if (fd < 0 || fstat(fd, &at))
        return mln_fail_errno(errno, "opening the directory %s", path);
    if (at.st_uid != geteuid())
        return mln_fail(MLN_E_CONFLICT, "the directory %s belongs to user %u", path, (unsigned)at.st_uid);
    if ((at.st_mode & 07777) != mode && fchmod(fd, mode))
        return mln_fail_errno(errno, "setting the mode of %s", path);
    return MLN_OK;
}

struct mln_result mln_file_lock(const char *path, int *out)
{
    *out = -1;
    char pid[32];
    int n = snprintf(pid, sizeof pid, "%ld\n", (long)getpid());
    MLN_FD_CLEANUP int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (fd < 0)
        return mln_fail_errno(errno, "opening the lock %s", path);
    if (flock(fd, LOCK_EX | LOCK_NB)) {
        if (errno == EWOULDBLOCK)
            return mln_fail(MLN_E_CONFLICT, "another process holds the lock %s", path);
        return mln_fail_errno(errno, "locking %s", path);
    }
    if (ftruncate(fd, 0))
        return mln_fail_errno(errno, "writing the lock %s", path);
    MLN_TRY(write_all(fd, path, (struct mln_str){pid, (size_t)n}));
    *out = fd;
    fd = -1;
    return MLN_OK;
}
