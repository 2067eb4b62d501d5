/*
 * Commands as tables: what a command is called, what it takes, what it does. Parsing, help, shell completion and man pages
 * all come from these tables; a new command is one file with one table, and one line in commands.c.
 */
#ifndef MLN_MERLON_COMMAND_H
#define MLN_MERLON_COMMAND_H

#include "base/str.h"

#include <stdio.h>

/* What the program leaves with. */
enum mln_exit {
    MLN_EXIT_OK = 0,
    MLN_EXIT_FAILED = 1,      /* it did not work, or what was checked does not hold */
    MLN_EXIT_USAGE = 2,       /* the command line is wrong */
    MLN_EXIT_NOT_FOUND = 3,
    MLN_EXIT_DENIED = 4,      /* not signed in, or not allowed */
    MLN_EXIT_UNREACHABLE = 5, /* the server cannot be reached or trusted */
};

struct mln_option {
    const char *name;  /* "what-if", written --what-if */
    char letter;       /* 'w', written -w; 0: none */
    const char *value; /* what stands for its value in help, "FILE"; NULL: a switch */
    const char *help;
    const char *words; /* the only values, by blanks, for completion and checking; NULL: any */
    bool many;         /* may be given more than once */
};

enum { MLN_MAX_ARGUMENTS = 64, MLN_MAX_OPTIONS = 64 };

struct mln_command;

struct mln_invocation { /* a command line, taken apart */
    const struct mln_command *command;
    struct mln_arena *arena;
    struct mln_str arguments[MLN_MAX_ARGUMENTS];
    size_t n_arguments;
    struct {
        const struct mln_option *option;
        struct mln_str value;
    } given[MLN_MAX_OPTIONS];
    size_t n_given;
    FILE *out, *err;
    bool color; /* standard output is a terminal that wants colour */
};

struct mln_command {
    const char *words;     /* "policy test": one or two words */
    const char *arguments; /* "DIR", "[ID...]", "" */
    const char *summary;   /* one line */
    const char *details;   /* more for help and man page, with examples; NULL: none */
    uint8_t least, most;   /* arguments; most 255: any number up to MLN_MAX_ARGUMENTS */
    const struct mln_option *options;
    size_t n_options;
    bool offline; /* needs no server: the connection's options are not offered */
    MLN_RESULT (*run)(struct mln_invocation *invocation, enum mln_exit *exit_code);
};
#define MLN_OPTIONS(array) (array), sizeof(array) / sizeof *(array)

extern const struct mln_command *const mln_commands[]; /* commands.c, in the order of help */
extern const size_t mln_commands_count;
/* --json, --help and the like, which every command takes; and those of commands that talk to a server. */
extern const struct mln_option mln_common_options[];
extern const size_t mln_common_options_count;
extern const struct mln_option mln_server_options[];
extern const size_t mln_server_options_count;

/* Takes argv apart. INVALID with a text for the user; *help: help was asked for (out->command NULL: about everything). */
MLN_RESULT mln_command_parse(int argc, char **argv, struct mln_invocation *out, bool *help);

bool mln_option_given(const struct mln_invocation *invocation, const char *name);
/* The value, the last one where it was given often; p NULL when it was not given. */
struct mln_str mln_option_value(const struct mln_invocation *invocation, const char *name);
/* The value as a whole number from least to most, otherwise when it was not given. */
MLN_RESULT mln_option_number(const struct mln_invocation *invocation, const char *name, int64_t otherwise, int64_t least,
                             int64_t most, int64_t *out);

/* The i-th option of a command: its own, then the server's, then the common ones; NULL past the end. */
const struct mln_option *mln_command_option(const struct mln_command *command, size_t i);

void mln_help_all(FILE *out);
void mln_help_command(const struct mln_command *command, FILE *out);

#endif
