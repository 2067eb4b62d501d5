/* What apt's files say: candidates for an update, settings, and sources that are trusted blindly. */
#ifndef MLN_AGENT_LINUX_APT_H
#define MLN_AGENT_LINUX_APT_H

#include "agent/linux/tree.h"

struct mln_update {
    struct mln_str name, current, candidate;
    bool security; /* from an archive of security fixes */
};

/* One line of `apt-get --just-print dist-upgrade`: "Inst NAME [CURRENT] (CANDIDATE ORIGIN...)". False for any other line,
   and for a package that is not there yet. */
bool mln_apt_update_line(struct mln_str line, struct mln_update *out);

/* The value of a setting such as "APT::Periodic::Unattended-Upgrade" in the text of apt.conf(5), in either of its forms;
   p NULL when it is not set. Includes are not followed; names are compared without case. */
struct mln_str mln_apt_setting(struct mln_str text, struct mln_str name);

/* The sources of a sources.list (one line each, or deb822) that are used without a valid signature; appended to list. */
struct mln_apt_sources {
    MLN_VEC(struct mln_str) unsigned_uris;
};
MLN_RESULT mln_apt_read_sources(struct mln_str text, bool deb822, struct mln_arena *arena, struct mln_apt_sources *out);

#endif
