/*
 * Commands as tables: what a program's commands are called, what they take, what they do. Parsing, help, shell completion
 * and man pages all come from these tables, for every program of Merlon alike.
 *
 * It owns the taking apart of a command line and the way out (messages, exit status). It knows no command and no server.
 */
#ifndef MLN_CLI_COMMAND_H
#define MLN_CLI_COMMAND_H

#include "base/str.h"

#include <stdio.h>

/* What a program leaves with. */
enum mln_exit {
    MLN_EXIT_OK = 0,
    MLN_EXIT_FAILED = 1, /* it did not work, or what was checked does not hold */
    MLN_EXIT_USAGE = 2,  /* the command line is wrong */
    MLN_EXIT_NOT_FOUND = 3,
    MLN_EXIT_DENIED = 4,      /* not signed in, or not allowed */
    MLN_EXIT_UNREACHABLE = 5, /* the server cannot be reached or trusted */
};

enum mln_takes { MLN_TAKES_TEXT, MLN_TAKES_FILE, MLN_TAKES_DIRECTORY, MLN_TAKES_NUMBER, MLN_TAKES_TIME };

struct mln_option {
    const char *name;      /* "what-if", written --what-if */
    char letter;           /* 'w', written -w; 0: none */
    const char *value;     /* what stands for its value in help, "FILE"; NULL: a switch */
    enum mln_takes takes;  /* what the value is: checked, and completed by the shell */
    int64_t least, most;   /* NUMBER: the range */
    const char *words;     /* the only values, by blanks; NULL: any */
    const char *otherwise; /* the default, for help; NULL: none */
    const char *help;
    bool many;      /* each value counts; of other options the last one does */
    unsigned kinds; /* shared options: which commands take it, by their kind; 0: all */
};

struct mln_invocation;

struct mln_command {
    const char *words;     /* "policy test": one or two words */
    const char *arguments; /* "DIR", "[ID...]"; NULL: none. FILE and DIR in it are completed by the shell */
    const char *choices;   /* the only values of its arguments, by blanks; NULL: any */
    const char *summary;   /* one line; NULL: not shown in help */
    const char *details;   /* more for help and man page, with examples; NULL: none */
    uint8_t least, most;   /* arguments; most MLN_ANY_NUMBER: no end */
    const struct mln_option *options;
    size_t n_options;
    unsigned kind; /* bits that the program gives meaning to: chooses the shared options */
    MLN_RESULT (*run)(struct mln_invocation *invocation, enum mln_exit *exit_code);
};
enum {
    MLN_ANY_NUMBER = 255,
    MLN_KIND_VERSION = 1 << 30, /* the kind of the command version, for a shared --json */
};
#define MLN_OPTIONS(array) .options = (array), .n_options = sizeof(array) / sizeof *(array)

struct mln_man_section { /* of the man page */
    const char *title, *text;
};

struct mln_cli {
    const char *name;                          /* "merlon" */
    char section;                              /* of the manual: '1', '8' */
    const char *summary;                       /* "security posture of servers and clouds" */
    const char *description;                   /* a paragraph for the man page */
    const char *closing;                       /* ends the help of the whole program; NULL: nothing */
    const struct mln_command *const *commands; /* in the order of help */
    size_t n_commands;
    const struct mln_option *options; /* shared ones, after each command's own */
    size_t n_options;
    const struct mln_man_section *sections;
    size_t n_sections;
    size_t arena_bytes;
    /* More of taking the command line apart, before run: a failure is one of the command line. NULL: nothing. */
    MLN_RESULT (*prepare)(struct mln_invocation *invocation);
};

struct mln_given {
    const struct mln_option *option;
    struct mln_str value;
};

struct mln_invocation { /* a command line, taken apart */
    const struct mln_cli *cli;
    const struct mln_command *command; /* NULL only while help is asked for */
    struct mln_arena *arena;           /* for the whole run */
    struct mln_str *arguments;
    size_t n_arguments;
    struct mln_given *given;
    size_t n_given;
    FILE *out, *err;
    bool color;                /* standard output is a terminal that wants colour; the program's prepare sets it */
    void *context;             /* the program's own */
    enum mln_exit failed_with; /* set by who knows better than the failure's code what to leave with */
};

/* The way of every program: takes argv apart, shows help or runs the command, says on standard error what failed, and gives
   the exit status. context is handed on in the invocation. */
int mln_cli_main(const struct mln_cli *cli, int argc, char **argv, void *context);

/* Takes argv apart into out, whose cli, arena, out and err are set. INVALID with a text for the user. *help: help was
   asked for, about out->command or, where that is NULL, about the commands that begin with the word *about (p NULL: all). */
MLN_RESULT mln_command_parse(int argc, char **argv, struct mln_invocation *out, bool *help, struct mln_str *about);

bool mln_option_given(const struct mln_invocation *invocation, const char *name);
/* The value, the last one where it was given often; p NULL when it was not given. */
struct mln_str mln_option_value(const struct mln_invocation *invocation, const char *name);
/* The value of a NUMBER, otherwise when it was not given. */
int64_t mln_option_number(const struct mln_invocation *invocation, const char *name, int64_t otherwise);
/* The value of a TIME in UTC milliseconds, otherwise when it was not given. */
int64_t mln_option_time(const struct mln_invocation *invocation, const char *name, int64_t otherwise);

/* A failure of the command line that only the command itself can see: INVALID, and the status for it. */
MLN_RESULT mln_misuse(struct mln_invocation *invocation, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The i-th option of a command: its own, then the shared ones that it takes, then --help; NULL past the end. */
const struct mln_option *mln_command_option(const struct mln_cli *cli, const struct mln_command *command, size_t i);

/* Replaces what a terminal would take for an order by blanks, in place: control bytes, C1 controls, and bytes that are not
   UTF-8 (those by '?'). */
void mln_clean(char *text, size_t n);

#endif
