/*
 * Files: read whole with a ceiling, written so that a reader sees the old or the new content and never half of one, and
 * locked for a program's one instance. Looking through directories is in root.h.
 *
 * Paths are NUL-terminated. Every descriptor is close-on-exec.
 */
#ifndef MLN_OS_FILE_H
#define MLN_OS_FILE_H

#include "base/buf.h"

#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

/* Closes a descriptor that leaves scope; -1 is none. */
static inline void mln_fd_close_cleanup_(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}
#define MLN_FD_CLEANUP __attribute__((cleanup(mln_fd_close_cleanup_)))

enum mln_file_flags {
    MLN_FILE_PROC = 1,   /* files that the kernel makes up (proc, sysfs, ...) are wanted too */
    MLN_FILE_NOLINK = 2, /* the last part of the path itself, where it is a symbolic link: reading one is refused */
};

/* Appends the content of a regular file to out; the limit is out's ceiling (LIMIT beyond it, nothing appended). INVALID
   for what is not a regular file, or is a kernel file without MLN_FILE_PROC. */
MLN_RESULT mln_file_read(const char *path, unsigned flags, struct mln_buf *out);
/* The same from a descriptor, which stays the caller's; path is for texts. */
MLN_RESULT mln_file_read_fd(int fd, const char *path, unsigned flags, struct mln_buf *out);

/* Replaces or creates path with content and exactly this mode: temporary file beside it, fsync, rename, fsync of the
   directory. On failure path is as it was. FULL when the disk is. */
MLN_RESULT mln_file_write(const char *path, struct mln_str content, mode_t mode);
/* The same, but CONFLICT when path exists: for keys that must not be overwritten. */
MLN_RESULT mln_file_create(const char *path, struct mln_str content, mode_t mode);

/* Makes a directory (and its parents, 0755) unless it is there, and gives it this mode. CONFLICT when something else is
   there, or when the directory belongs to another user than this process's. */
MLN_RESULT mln_dir_ensure(const char *path, mode_t mode);

/* Takes the lock of a program's one instance; it is held until *fd is closed or the process ends. The file then holds the
   process id. CONFLICT when another process has it. */
MLN_RESULT mln_file_lock(const char *path, int *fd);

#endif
