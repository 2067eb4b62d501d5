/* Account names for numeric ids, from the tree's own passwd and group files. */
#ifndef MLN_AGENT_LINUX_NAMES_H
#define MLN_AGENT_LINUX_NAMES_H

#include "agent/linux/facts.h"

/* The name of a user or group id, or its number as text where no line has it; in the arena of f. */
struct mln_str mln_names_user(struct mln_facts *f, uint32_t uid);
struct mln_str mln_names_group(struct mln_facts *f, uint32_t gid);
bool mln_names_has_user(struct mln_facts *f, uint32_t uid);
bool mln_names_has_group(struct mln_facts *f, uint32_t gid);

#endif
