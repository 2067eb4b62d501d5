/* The program merlon: its commands, and what kinds of commands there are. */
#ifndef MLN_MERLON_COMMANDS_H
#define MLN_MERLON_COMMANDS_H

#include "cli/command.h"

enum {
    MLN_OFFLINE = 1,         /* needs no server */
    MLN_ONLINE = 2,          /* talks to a server */
    MLN_IN_SUBSCRIPTION = 4, /* and looks at one subscription there */
};

extern const struct mln_cli mln_merlon;

#endif
