/* Where rules come from when no server is asked: --rules DIR, MERLON_CONTENT, ./content, the installed ones. */
#ifndef MLN_MERLON_RULES_H
#define MLN_MERLON_RULES_H

#include "content/ruleset.h"
#include "merlon/commands.h"

/* Loads them; broken files are told on standard error, the others are used. NOT_FOUND: there is no such directory. */
MLN_RESULT mln_rules_load(struct mln_invocation *invocation, struct mln_ruleset **out);

#endif
