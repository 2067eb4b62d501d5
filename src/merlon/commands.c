/* All commands of merlon, one line each, in the order of help; and the options that they share. */
#include "merlon/commands.h"

#include "cli/help.h"
#include "merlon/output.h"

#include <signal.h>
#include <sys/resource.h>

#define COMMANDS(C)                                                                                                    \
    C(login)                                                                                                           \
    C(logout)                                                                                                          \
    C(status)                                                                                                          \
    C(score)                                                                                                           \
    C(recommendations)                                                                                                 \
    C(recommendation_show)                                                                                             \
    C(resources)                                                                                                       \
    C(resource_show)                                                                                                   \
    C(query)                                                                                                           \
    C(machines)                                                                                                        \
    C(machine_show)                                                                                                    \
    C(machine_remove)                                                                                                  \
    C(tokens)                                                                                                          \
    C(token_create)                                                                                                    \
    C(token_revoke)                                                                                                    \
    C(policies)                                                                                                        \
    C(policy_show)                                                                                                     \
    C(policy_test)                                                                                                     \
    C(policy_functions)                                                                                                \
    C(assess)                                                                                                          \
    C(log_list)                                                                                                        \
    C(log_verify)                                                                                                      \
    C(completion)                                                                                                      \
    C(man)                                                                                                             \
    C(version)

#define C(name) extern const struct mln_command mln_command_##name;
COMMANDS(C)
#undef C

static const struct mln_command *const commands[] = {
#define C(name) &mln_command_##name,
    COMMANDS(C)
#undef C
};

static const struct mln_option shared[] = {
    {.name = "server",
     .value = "URL",
     .kinds = MLN_ONLINE,
     .help = "the server, instead of the one signed in to (or MERLON_SERVER)"},
    {.name = "ca",
     .value = "FILE",
     .takes = MLN_TAKES_FILE,
     .kinds = MLN_ONLINE,
     .help = "the certificate of the authority to trust (or MERLON_CA)"},
    {.name = "subscription",
     .letter = 's',
     .value = "ID",
     .kinds = MLN_IN_SUBSCRIPTION,
     .help = "the subscription, instead of the first one that may be read"},
    {.name = "json", .letter = 'j', .kinds = MLN_ONLINE | MLN_OFFLINE | MLN_KIND_VERSION, .help = "answer as JSON"},
    {.name = "no-color", .kinds = MLN_ONLINE | MLN_OFFLINE, .help = "no colour, also on a terminal"},
};

static const struct mln_man_section sections[] = {
    {"EXIT STATUS",
     "0 done; 1 failed, or what was checked does not hold; 2 wrong command line; 3 not found; 4 not signed in "
     "or not allowed; 5 the server is out of reach or not to be trusted."},
    {"ENVIRONMENT",
     "MERLON_SERVER and MERLON_CA stand for --server and --ca, MERLON_CONTENT for --rules. MERLON_CONFIG_DIR is "
     "where the sign-in is kept. NO_COLOR, where set, means no colour."},
    {"FILES",
     "~/.config/merlon/session.json: server, trusted authority and tokens of the sign-in, for its owner's eyes only."},
    {"SEE ALSO", "merlond(8), merlon-agent(8)"},
};

static struct mln_result prepare(struct mln_invocation *in)
{
    static const struct rlimit no_core = {0, 0}; /* tokens are in memory */
    signal(SIGPIPE, SIG_DFL);
    setrlimit(RLIMIT_CORE, &no_core);
    mln_output_setup(in);
    return MLN_OK;
}

const struct mln_cli mln_merlon = {
    .name = "merlon",
    .section = '1',
    .summary = "security posture of servers and clouds",
    .description = "Talks to a Merlon server over its REST API, and judges files without one.",
    .closing = "Exit status: 0 done, 1 failed or found wanting, 2 wrong command line, 3 not found,\n"
               "4 not signed in or not allowed, 5 server out of reach or not to be trusted.",
    .commands = commands,
    .n_commands = sizeof commands / sizeof *commands,
    MLN_OPTIONS(shared),
    .sections = sections,
    .n_sections = sizeof sections / sizeof *sections,
    .arena_bytes = 1 << 30,
    .prepare = prepare};
