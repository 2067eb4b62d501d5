/* All commands, one line each, in the order of help. */
#include "merlon/command.h"

#define COMMANDS(C)                                                                                 \
    C(completion)                                                                                   \
    C(man)                                                                                          \
    C(policy_functions)                                                                             \
    C(policy_test)                                                                                  \
    C(version)

#define C(name) extern const struct mln_command mln_command_##name;
COMMANDS(C)
#undef C

const struct mln_command *const mln_commands[] = {
#define C(name) &mln_command_##name,
    COMMANDS(C)
#undef C
};
const size_t mln_commands_count = sizeof mln_commands / sizeof *mln_commands;
