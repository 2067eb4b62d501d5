/*
 * What rpm, dnf and yum print, and their repositories' files, as text. It runs nothing and knows no facts; packages.c puts
 * together what it reads. All slices point into the text that was given.
 */
#ifndef MLN_AGENT_LINUX_RPM_H
#define MLN_AGENT_LINUX_RPM_H

#include "base/str.h"
#include "base/vec.h"

struct mln_rpm_package {
    struct mln_str name, epoch, version, arch; /* the version with the release: "3.0.7-1.el9" */
    struct mln_str source;                     /* the name of the source package; p NULL where it was not asked for */
};

/* A line of `rpm -qa` with the query format of programs.h: name, epoch, version-release, arch and source rpm between
   tabs. False for any other line, and for keys, which rpm keeps as packages. */
bool mln_rpm_installed_line(struct mln_str line, struct mln_rpm_package *out);

/* A line of `dnf repoquery` with the query format of programs.h: name, epoch, version-release and arch between tabs. False
   for any other line: dnf 4 puts an empty one after each of ours. */
bool mln_dnf_update_line(struct mln_str line, struct mln_rpm_package *out);

/* The next update in what `yum check-update` says: "NAME.ARCH [EPOCH:]VERSION-RELEASE REPOSITORY", which yum breaks into
   several lines where a name is long. False at the end, which is also where the packages begin that others replace. */
bool mln_yum_next_update(struct mln_str *rest, struct mln_rpm_package *out);

/* A line of `yum updateinfo list security`: "ADVISORY SEVERITY/Sec. NAME-VERSION-RELEASE.ARCH"; name and arch are filled.
   False for any other line. */
bool mln_yum_security_line(struct mln_str line, struct mln_rpm_package *out);

/* "2:1.0-1.el9", without the epoch where that is 0. p NULL: no memory. */
struct mln_str mln_rpm_version(struct mln_arena *arena, const struct mln_rpm_package *package);

/* The enabled repositories of a *.repo file whose packages need no valid signature, appended as "ID (path)".
   otherwise: whether one that does not say is checked. */
struct mln_rpm_repositories {
    MLN_VEC(struct mln_str) unsigned_ids;
};
MLN_RESULT mln_rpm_read_repositories(struct mln_str text, struct mln_str path, bool otherwise, struct mln_arena *arena,
                                     struct mln_rpm_repositories *out);

#endif
