/*
 * Files and directories: whole files read with a ceiling, written so that a reader sees the old or the new content and
 * never half of one, directories listed and walked with bounds, and paths opened beneath a root without leaving it.
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
    MLN_FILE_PROC = 1,   /* reading: files that the kernel makes up (proc, sysfs, ...) are wanted too */
    MLN_FILE_NOLINK = 2, /* the last part of the path must not be a symbolic link */
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

/*
 * A root: a directory that stands for "/". A path is looked up below it, "/" and ".." and links included, by the kernel
 * (openat2, RESOLVE_IN_ROOT). On a kernel without openat2 the path is walked part by part and a link is refused with
 * UNSUPPORTED: safe, but less is found. A root of "/" needs no fence and follows links always.
 */
enum mln_root_fence { MLN_ROOT_KERNEL, MLN_ROOT_WALK, MLN_ROOT_NONE };
struct mln_root {
    int fd;
    enum mln_root_fence fence; /* which way it is kept, for status and reports */
};
MLN_RESULT mln_root_open(const char *path, struct mln_root *out);
void mln_root_close(struct mln_root *root);
/* open_flags as open(2) has them, without O_CREAT. NOT_FOUND, FORBIDDEN, UNSUPPORTED. */
MLN_RESULT mln_root_open_path(const struct mln_root *root, const char *path, int open_flags, int *fd);
MLN_RESULT mln_root_read(const struct mln_root *root, const char *path, unsigned flags, struct mln_buf *out);
MLN_RESULT mln_root_stat(const struct mln_root *root, const char *path, unsigned flags, struct stat *out);

/* The names in a directory (without "." and ".."), sorted by bytes, in the arena; at most max of them, *cut tells that
   there were more. */
struct mln_dir_names {
    const char **at;
    size_t n;
    bool cut;
};
MLN_RESULT mln_dir_list(const char *path, struct mln_arena *arena, size_t max, struct mln_dir_names *out);
MLN_RESULT mln_root_list(const struct mln_root *root, const char *path, struct mln_arena *arena, size_t max,
                         struct mln_dir_names *out);

/*
 * Walks everything below a directory, parents before children, names in byte order, without following links or entering
 * another file system. visit is told the path relative to the start and what lies there; it may say to skip a directory
 * or to stop. Entries that vanish or cannot be read meanwhile are counted and passed over.
 */
enum mln_walk_step { MLN_WALK_ON, MLN_WALK_SKIP, MLN_WALK_STOP };
struct mln_walk {
    size_t max_entries, max_depth; /* the walk ends, or does not go deeper, beyond these */
    enum mln_walk_step (*visit)(void *context, const char *path, const struct stat *at);
    void *context;
    /* results */
    size_t entries, unreadable;
    bool cut; /* max_entries or max_depth kept something out */
};
MLN_RESULT mln_dir_walk(const struct mln_root *root, const char *path, struct mln_walk *walk);

#endif
