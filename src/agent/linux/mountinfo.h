/* What is mounted (/proc/self/mountinfo) and what should be (/etc/fstab). */
#ifndef MLN_AGENT_LINUX_MOUNTINFO_H
#define MLN_AGENT_LINUX_MOUNTINFO_H

#include "agent/linux/tree.h"

struct mln_mount {
    struct mln_str source, target, type; /* octal escapes resolved */
    struct mln_str options;              /* separated by commas: of the mount, then of the file system */
};
struct mln_mounts {
    MLN_VEC(struct mln_mount) list; /* of several on one target the one on top, which is the last */
};
MLN_RESULT mln_mountinfo_parse(struct mln_str text, struct mln_arena *arena, struct mln_mounts *out);
MLN_RESULT mln_fstab_parse(struct mln_str text, struct mln_arena *arena, struct mln_mounts *out);
/* The mounts of the live machine. */
MLN_RESULT mln_mounts_now(struct mln_tree *tree, struct mln_arena *arena, struct mln_mounts *out);
const struct mln_mount *mln_mounts_find(const struct mln_mounts *mounts, const char *target);

#endif
