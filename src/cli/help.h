/*
 * What a program says of itself, from its tables: help, shell completion, man page. And the commands for that, which every
 * program lists among its own.
 */
#ifndef MLN_CLI_HELP_H
#define MLN_CLI_HELP_H

#include "cli/command.h"

/* Help about a command; where that is NULL, about the commands that begin with the word about, or (p NULL) about all. */
void mln_help(const struct mln_cli *cli, const struct mln_command *command, struct mln_str about, FILE *out);

/* The whole man page, as roff. */
void mln_man(const struct mln_cli *cli, FILE *out);

void mln_completion_bash(const struct mln_cli *cli, FILE *out);
void mln_completion_zsh(const struct mln_cli *cli, FILE *out);

/* --help, which every command takes. */
extern const struct mln_option mln_help_option;

extern const struct mln_command mln_command_completion, mln_command_man, mln_command_version;

#endif
