/* The order of Debian version numbers (deb-version(7)): epoch, upstream version, revision; digits by value, '~' before
   everything. */
#ifndef MLN_AGENT_LINUX_VERSION_H
#define MLN_AGENT_LINUX_VERSION_H

#include "base/str.h"

/* <0, 0, >0 */
int mln_deb_version_cmp(struct mln_str a, struct mln_str b);

#endif
