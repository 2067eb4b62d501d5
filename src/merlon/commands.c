/* All commands, one line each, in the order of help. */
#include "merlon/command.h"

#define COMMANDS(C)                                                                                 \
    C(login)                                                                                        \
    C(logout)                                                                                       \
    C(status)                                                                                       \
    C(score)                                                                                        \
    C(recommendations)                                                                              \
    C(recommendation_show)                                                                          \
    C(resources)                                                                                    \
    C(resource_show)                                                                                \
    C(query)                                                                                        \
    C(machines)                                                                                     \
    C(machine_show)                                                                                 \
    C(machine_remove)                                                                               \
    C(tokens)                                                                                       \
    C(token_create)                                                                                 \
    C(token_revoke)                                                                                 \
    C(policies)                                                                                     \
    C(policy_show)                                                                                  \
    C(policy_test)                                                                                  \
    C(policy_functions)                                                                             \
    C(assess)                                                                                       \
    C(log_list)                                                                                     \
    C(log_verify)                                                                                   \
    C(completion)                                                                                   \
    C(man)                                                                                          \
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
