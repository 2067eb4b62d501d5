/* A small program for the tests: commands of one and of two words, options of every kind. */
#ifndef MLN_TESTS_CLI_TABLES_H
#define MLN_TESTS_CLI_TABLES_H

#include "check.h"
#include "cli/help.h"

enum { LOCAL = 1, REMOTE = 2 };

static enum mln_code outcome;      /* what running fruit fails with; OK: it succeeds */
static enum mln_exit outcome_exit; /* and what it leaves with otherwise */

static struct mln_result run_fruit(struct mln_invocation *in, enum mln_exit *exit_code)
{
    *exit_code = outcome_exit;
    fprintf(in->out, "%zu fruits\n", in->n_arguments);
    return outcome == MLN_E_OK ? MLN_OK : mln_fail(outcome, "it \033[31mfailed");
}

static struct mln_result run_misused(struct mln_invocation *in, enum mln_exit *exit_code)
{
    (void)exit_code;
    return mln_misuse(in, "%s and %s do not go together", "apples", "pears");
}

static const struct mln_option fruit_options[] = {
    {.name = "colour", .letter = 'c', .value = "WORD", .words = "red green", .help = "only this colour"},
    {.name = "count",
     .letter = 'n',
     .value = "N",
     .takes = MLN_TAKES_NUMBER,
     .least = 1,
     .most = 10,
     .otherwise = "3",
     .help = "how many"},
    {.name = "since", .value = "TIME", .takes = MLN_TAKES_TIME, .help = "picked after this"},
    {.name = "from", .value = "FILE", .takes = MLN_TAKES_FILE, .many = true, .help = "lists of them"},
    {.name = "in", .value = "DIR", .takes = MLN_TAKES_DIRECTORY, .help = "where they lie"},
    {.name = "ripe", .letter = 'r', .help = "'ripe' ones only: no [green]"},
    {.name = "sweet", .letter = 's', .help = "sweet ones only"},
};
static const struct mln_command fruit = {.words = "fruit",
                                         .arguments = "FILE...",
                                         .summary = "Counts fruit",
                                         .details = "Example:\n  .fruit \\ -n 3",
                                         .most = MLN_ANY_NUMBER,
                                         .kind = LOCAL,
                                         MLN_OPTIONS(fruit_options),
                                         .run = run_fruit};
static const struct mln_command tree_show = {.words = "tree show",
                                             .arguments = "NAME",
                                             .summary = "One tree",
                                             .least = 1,
                                             .most = 2,
                                             .kind = REMOTE,
                                             .run = run_fruit};
static const struct mln_command tree_grow = {.words = "tree grow",
                                             .arguments = "oak|elm",
                                             .choices = "oak elm",
                                             .summary = "A new tree",
                                             .most = 1,
                                             .kind = REMOTE,
                                             .run = run_fruit};
static const struct mln_command misused = {.words = "misused", .summary = "Never right", .run = run_misused};
static const struct mln_command secret = {.words = "secret", .run = run_fruit};

static const struct mln_command *const commands[] = {
    &fruit, &tree_show, &tree_grow, &misused, &secret, &mln_command_completion, &mln_command_man, &mln_command_version};
static const struct mln_option shared_options[] = {
    {.name = "server", .value = "URL", .kinds = REMOTE, .help = "which server"},
    {.name = "json", .letter = 'j', .kinds = LOCAL | REMOTE | MLN_KIND_VERSION, .help = "answer as JSON"},
};
static const struct mln_man_section sections[] = {{"FILES", "/etc/orchard"}};
static const struct mln_cli orchard = {.name = "orchard",
                                       .section = '8',
                                       .summary = "a program for tests",
                                       .description = "Does nothing.",
                                       .closing = "That is all.",
                                       .commands = commands,
                                       .n_commands = sizeof commands / sizeof *commands,
                                       MLN_OPTIONS(shared_options),
                                       .sections = sections,
                                       .n_sections = 1,
                                       .arena_bytes = 1 << 20};

#endif
