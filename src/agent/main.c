/* merlon-agent: reads the command line and hands on to a command. */
#include "agent/commands.h"

#include "base/log.h"
#include "base/str.h"

#include <getopt.h>
#include <stdio.h>
#include <sys/prctl.h>

static const struct {
    const char *name;
    int (*run)(const struct mln_agent_options *options);
    const char *doc;
} commands[] = {
#define C(name, doc) {#name, mln_command_##name, doc},
    MLN_AGENT_COMMANDS(C)
#undef C
};

static const struct option long_options[] = {
#define O(name, value, member, doc) {name, required_argument, NULL, 1},
    MLN_AGENT_OPTIONS(O)
#undef O
#define F(name, member, doc) {name, no_argument, NULL, 1},
        MLN_AGENT_FLAGS(F)
#undef F
            {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, 'v'},
    {NULL, 0, NULL, 0},
};

static int usage(FILE *to, int status)
{
    fputs("usage: merlon-agent COMMAND [OPTION...]\n\ncommands:\n", to);
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (commands[i].doc[0])
            fprintf(to, "  %-10s %s\n", commands[i].name, commands[i].doc);
    fputs("\noptions:\n", to);
#define O(name, value, member, doc) fprintf(to, "  --%-22s %s\n", name " " value, doc);
    MLN_AGENT_OPTIONS(O)
#undef O
#define F(name, member, doc) fprintf(to, "  --%-22s %s\n", name, doc);
    MLN_AGENT_FLAGS(F)
#undef F
    return status;
}

static void set_option(struct mln_agent_options *options, const char *name)
{
#define O(option, value, member, doc)                                                                                  \
    if (strcmp(name, option) == 0)                                                                                     \
        options->member = optarg;
    MLN_AGENT_OPTIONS(O)
#undef O
#define F(option, member, doc)                                                                                         \
    if (strcmp(name, option) == 0)                                                                                     \
        options->member = true;
    MLN_AGENT_FLAGS(F)
#undef F
}

int main(int argc, char **argv)
{
    struct mln_agent_options options = {0};
    int which, found;
    prctl(PR_SET_NAME, "merlon-agent"); /* the link is started by another path */
    while ((found = getopt_long(argc, argv, "hv", long_options, &which)) != -1) {
        if (found == 'h')
            return usage(stdout, 0);
        if (found == 'v')
            return puts("merlon-agent " MLN_VERSION) < 0;
        if (found != 1)
            return usage(stderr, 2);
        set_option(&options, long_options[which].name);
    }
    if (optind + 1 != argc)
        return usage(stderr, 2);
    mln_log_setup("merlon-agent", options.verbose ? MLN_LOG_DEBUG : MLN_LOG_INFO, options.json);
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (strcmp(commands[i].name, argv[optind]) == 0)
            return commands[i].run(&options);
    fprintf(stderr, "merlon-agent: no command \"%s\"\n", argv[optind]);
    return usage(stderr, 2);
}
