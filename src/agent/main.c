/* merlon-agent: its commands and options as tables. */
#include "agent/commands.h"

#include "base/log.h"
#include "cli/help.h"

#include <sys/prctl.h>

static const struct mln_option options[] = {
#define O(text, stands_for, what, member, commands, default_text, doc)                                                 \
    {.name = text,                                                                                                     \
     .value = stands_for,                                                                                              \
     .takes = MLN_TAKES_##what,                                                                                        \
     .kinds = commands,                                                                                                \
     .otherwise = default_text,                                                                                        \
     .help = doc},
    MLN_AGENT_OPTIONS(O)
#undef O
#define F(text, member, commands, doc) {.name = text, .kinds = commands, .help = doc},
        MLN_AGENT_FLAGS(F)
#undef F
};

#define C(text, bit, doc)                                                                                              \
    static const struct mln_command text##_command = {                                                                 \
        .words = #text, .summary = doc, .kind = bit, .run = mln_command_##text};
MLN_AGENT_COMMANDS(C)
#undef C

static const struct mln_command *const commands[] = {
#define C(text, bit, doc) &text##_command,
    MLN_AGENT_COMMANDS(C)
#undef C
        & mln_command_completion,
    &mln_command_man,
    &mln_command_version,
};

/* What was given, else the default; NULL: neither. */
static const char *value_of(const struct mln_invocation *in, const char *name, const char *otherwise)
{
    struct mln_str value = mln_option_value(in, name);
    return value.p ? value.p : otherwise;
}

static struct mln_result prepare(struct mln_invocation *in)
{
    struct mln_agent_options *out = in->context;
#define O(name, value, takes, member, commands, otherwise, doc) out->member = value_of(in, name, otherwise);
    MLN_AGENT_OPTIONS(O)
#undef O
#define F(name, member, commands, doc) out->member = mln_option_given(in, name);
    MLN_AGENT_FLAGS(F)
#undef F
    mln_log_setup("merlon-agent", out->verbose ? MLN_LOG_DEBUG : MLN_LOG_INFO, out->json);
    return MLN_OK;
}

static const struct mln_man_section sections[] = {
    {"EXIT STATUS",
     "0 done; 1 failed; 2 wrong command line; 3 not enrolled, or not there; 4 refused by the server, or the "
     "server is not to be trusted; 5 no answer in time."},
    {"SIGNALS", "SIGHUP looks at everything now. SIGTERM and SIGINT end the service."},
    {"ENVIRONMENT", "MERLON_ENROLMENT_TOKEN stands for --token, so that the token is in no process list."},
    {"FILES", "/var/lib/merlon-agent: key, certificate and state."},
    {"SEE ALSO", "merlon(1), merlond(8)"},
};

static const struct mln_cli agent = {
    .name = "merlon-agent",
    .section = '8',
    .summary = "tells a Merlon server how this machine is configured",
    .description =
        "Collects facts about the machine and reports what has changed. It changes nothing, takes no orders to run, "
        "and listens on no port.",
    .commands = commands,
    .n_commands = sizeof commands / sizeof *commands,
    MLN_OPTIONS(options),
    .sections = sections,
    .n_sections = sizeof sections / sizeof *sections,
    .arena_bytes = 1 << 20,
    .prepare = prepare};

int main(int argc, char **argv)
{
    struct mln_agent_options given;
    prctl(PR_SET_NAME, "merlon-agent"); /* the link is started by another path */
    return mln_cli_main(&agent, argc, argv, &given);
}
