/*
 * The files of one machine: everything below a root directory, "/" on the machine itself or a tree to be judged.
 *
 * Every path is taken from that root, and symbolic links are followed inside it only (an absolute link starts at the root
 * again), so that a tree from elsewhere cannot lead the reader out. Only regular files are read, without ever waiting on a
 * pipe or device. The paths that were asked for can be recorded, so that changes of them can be watched.
 */
#ifndef MLN_AGENT_LINUX_TREE_H
#define MLN_AGENT_LINUX_TREE_H

#include "base/vec.h"
#include "os/root.h"

/* What was asked about a path: its content, the names in it, or what stat says. */
enum mln_tree_interest { MLN_TREE_READ, MLN_TREE_LISTED, MLN_TREE_LOOKED };
struct mln_tree_seen { /* in memory of the arena given to mln_tree_record */
    struct mln_str path;
    enum mln_tree_interest interest;
};

struct mln_tree {
    struct mln_root root;
    bool live; /* the root is "/": the running kernel can be asked too */
    struct mln_arena *record_in;
    MLN_VEC(struct mln_tree_seen) seen;
};

enum {
    MLN_TREE_MAX_FILE_BYTES = 4 << 20,
    MLN_TREE_MAX_NAMES = 100000,
    MLN_TREE_MAX_SEEN = 8192,
    MLN_TREE_MAX_GLOB = 512,
};

/* NOT_FOUND, FORBIDDEN, UNSUPPORTED (a kernel that cannot confine lookups, and a root other than "/"). */
MLN_RESULT mln_tree_open(const char *directory, struct mln_tree *out);
/* The same for a process that may not call openat2: below another root than "/" links are then refused (UNSUPPORTED). */
MLN_RESULT mln_tree_open_walked(const char *directory, struct mln_tree *out);
void mln_tree_close(struct mln_tree *tree);
/* From here on remember what is asked for; arena NULL: no more. */
void mln_tree_record(struct mln_tree *tree, struct mln_arena *arena);

/* The content of a regular file, in the arena. NOT_FOUND, FORBIDDEN, INVALID (no regular file), LIMIT (longer). */
MLN_RESULT mln_tree_read(struct mln_tree *tree, const char *path, struct mln_arena *arena, size_t max_bytes,
                         struct mln_str *text);
/* As mln_tree_read with MLN_TREE_MAX_FILE_BYTES; a file that is not there is the empty text with p NULL. */
MLN_RESULT mln_tree_read_if(struct mln_tree *tree, const char *path, struct mln_arena *arena, struct mln_str *text);
/* The first line of a small file, trimmed, or p NULL when it cannot be read: for /proc, /sys and the like. */
struct mln_str mln_tree_line(struct mln_tree *tree, const char *path, struct mln_arena *arena);
/* An open regular file for streaming, or a directory with O_DIRECTORY in flags. */
MLN_RESULT mln_tree_fd(struct mln_tree *tree, const char *path, int flags, int *fd);
/* False when it is not there or cannot be looked at. */
bool mln_tree_stat(struct mln_tree *tree, const char *path, bool follow, struct stat *st);
bool mln_tree_exists(struct mln_tree *tree, const char *path);
/* What a symbolic link says; p NULL when it is none. */
struct mln_str mln_tree_link(struct mln_tree *tree, const char *path, struct mln_arena *arena);
/* The names in a directory sorted by bytes; a directory that is not there has none. FORBIDDEN, LIMIT. */
MLN_RESULT mln_tree_list(struct mln_tree *tree, const char *path, struct mln_arena *arena, struct mln_str **names,
                         size_t *n);
/* The paths that match a pattern with shell wildcards in any component, sorted; at most MLN_TREE_MAX_GLOB. */
MLN_RESULT mln_tree_glob(struct mln_tree *tree, struct mln_str pattern, struct mln_arena *arena, struct mln_str **paths,
                         size_t *n);

#endif
