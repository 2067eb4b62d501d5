/*
 * The stanzas of dpkg's status file and of apt's Packages lists, read as a stream: bytes in, one call per stanza out. A
 * field that is longer than its place is cut; all other fields are passed over without being kept.
 */
#ifndef MLN_AGENT_LINUX_DPKG_H
#define MLN_AGENT_LINUX_DPKG_H

#include "agent/linux/tree.h"

struct mln_dpkg_package {
    char name[128], version[128], arch[32];
    char source[128]; /* without a version in parentheses; the name where there is no such field */
    char status[64];  /* "install ok installed"; "" in a Packages list */
};

/* Whether the package is on the machine, and not just its configuration left over. */
bool mln_dpkg_is_installed(const struct mln_dpkg_package *package);

typedef struct mln_result (*mln_dpkg_visit)(void *context, const struct mln_dpkg_package *package);

struct mln_dpkg_stream {
    mln_dpkg_visit visit;
    void *context;
    struct mln_dpkg_package package;
    char line[256];
    size_t n; /* bytes of the line that are kept */
    bool cut; /* the line is longer than that */
};

/* Takes the next piece of the text. A failure of visit is returned at once. */
MLN_RESULT mln_dpkg_feed(struct mln_dpkg_stream *stream, struct mln_str piece);
/* The end of the text: a last stanza without an empty line after it. */
MLN_RESULT mln_dpkg_end(struct mln_dpkg_stream *stream);

/* Streams a file of the tree through. NOT_FOUND. */
MLN_RESULT mln_dpkg_read(struct mln_tree *tree, const char *path, mln_dpkg_visit visit, void *context);

/* The version of an installed package by /var/lib/dpkg/status, in the arena; p NULL: not installed, or no dpkg here. */
struct mln_str mln_dpkg_version_of(struct mln_tree *tree, const char *name, struct mln_arena *arena);

#endif
