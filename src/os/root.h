/*
 * Looking at a machine's files: paths opened beneath a root without leaving it, directories listed and walked with
 * bounds. Nothing here changes a file.
 */
#ifndef MLN_OS_ROOT_H
#define MLN_OS_ROOT_H

#include "os/file.h"

/*
 * A root: a directory that stands for "/". A path is looked up below it, "/" and ".." and links included, by the kernel
 * (openat2, RESOLVE_IN_ROOT, without the magic links of /proc). On a kernel without openat2 the path is walked part by
 * part and a link or ".." is refused with UNSUPPORTED: safe, but less is found. A root of "/" needs no fence.
 */
enum mln_root_fence { MLN_ROOT_KERNEL, MLN_ROOT_WALK, MLN_ROOT_NONE };
struct mln_root {
    int fd;
    enum mln_root_fence fence; /* which way it is kept, for status and reports */
};
MLN_RESULT mln_root_open(const char *path, struct mln_root *out);
/* As above, with the fence chosen by the caller: for tests, and to see what an older kernel would find. */
MLN_RESULT mln_root_open_with(const char *path, enum mln_root_fence fence, struct mln_root *out);
void mln_root_close(struct mln_root *root);
const char *mln_root_fence_word(enum mln_root_fence fence);
/* Opens path below the root; open_flags as open(2) has them, without O_CREAT. NOT_FOUND, FORBIDDEN, UNSUPPORTED. */
MLN_RESULT mln_root_open_path(const struct mln_root *root, const char *path, int open_flags, int *fd);
/* mln_file_read and stat(2) below the root; flags are those of file.h. */
MLN_RESULT mln_root_read(const struct mln_root *root, const char *path, unsigned flags, struct mln_buf *out);
MLN_RESULT mln_root_stat(const struct mln_root *root, const char *path, unsigned flags, struct stat *out);

/* The names in a directory (without "." and ".."), sorted by bytes, in the arena; at most max of them (no
   matter which), and cut tells that there were more. */
struct mln_dir_names {
    const char **at;
    size_t n;
    bool cut;
};
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
    bool cut; /* a bound kept something out: one of these, or 200,000 names in one directory, or 128 levels */
};
MLN_RESULT mln_root_walk(const struct mln_root *root, const char *path, struct mln_walk *walk);

#endif
