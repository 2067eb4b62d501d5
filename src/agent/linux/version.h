/* The order of version numbers: Debian's (deb-version(7)) and rpm's (rpm-version(7)); and the kind of a kernel. */
#ifndef MLN_AGENT_LINUX_VERSION_H
#define MLN_AGENT_LINUX_VERSION_H

#include "base/str.h"

/* Epoch, upstream version, revision; digits by value, '~' before everything. <0, 0, >0 */
int mln_deb_version_cmp(struct mln_str a, struct mln_str b);

/* Epoch, version, release; numbers above letters, '~' before the end, '^' after the end and before everything else.
   <0, 0, >0 */
int mln_rpm_version_cmp(struct mln_str a, struct mln_str b);

/* What a kernel's release ends with after its version: "-cloud-amd64" of "6.1.0-18-cloud-amd64", "+debug" of
   "5.14.0-362.8.1.el9_3.x86_64+debug"; else empty. Only kernels of one flavour follow each other. */
struct mln_str mln_kernel_flavour(struct mln_str release);

#endif
