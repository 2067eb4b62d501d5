/*
 * Watching the files that sections were made of, so that a section is looked at again when one of them changes.
 *
 * Directories are watched (inotify), not files: a file is replaced, made and removed in its directory, and one that does
 * not exist yet has one too. Of a path whose directory is not there the nearest one above is watched. Where the kernel
 * gives no watch, the files are looked at every two seconds instead. Owns the inotify descriptor; knows no section's sense.
 */
#ifndef MLN_AGENT_WATCH_H
#define MLN_AGENT_WATCH_H

#include "agent/linux/tree.h"

struct mln_watch;

enum { MLN_WATCH_MAX_PATHS = 16384, MLN_WATCH_MAX_DIRECTORIES = 4096, MLN_WATCH_POLL_MS = 2000 };

/* A set of sections, one bit each (enum mln_section has at most 64). */
typedef uint64_t mln_section_set;

/* root is put before every path: "" on the live machine. */
MLN_RESULT mln_watch_new(const char *root, struct mln_watch **out);
void mln_watch_free(struct mln_watch *watch);
MLN_DEFINE_CLEANUP(struct mln_watch, mln_watch_free)

/* Readable when something may have changed; -1 where the kernel has no inotify. */
int mln_watch_fd(const struct mln_watch *watch);

/* From here on the section depends on these paths, and on none of those before. Paths beyond the limits are not watched. */
MLN_RESULT mln_watch_set(struct mln_watch *watch, unsigned section, const struct mln_tree_seen *paths, size_t n);

/* The sections that something has changed for since the last call. */
mln_section_set mln_watch_read(struct mln_watch *watch);
/* The same for the paths that no inotify watch covers; call it every MLN_WATCH_POLL_MS where mln_watch_needs_polls. */
mln_section_set mln_watch_poll(struct mln_watch *watch);
bool mln_watch_needs_polls(const struct mln_watch *watch);

struct mln_watch_stats {
    size_t paths, directories, polled;
};
void mln_watch_stats(const struct mln_watch *watch, struct mln_watch_stats *out);

#endif
