#include "merlon/command.h"

#include <unistd.h>

const struct mln_option mln_common_options[] = {
    {"json", 'j', NULL, "answer as JSON", NULL, false},
    {"no-color", 0, NULL, "no colour, also on a terminal", NULL, false},
    {"help", 'h', NULL, "this help", NULL, false},
};
const size_t mln_common_options_count = sizeof mln_common_options / sizeof *mln_common_options;

const struct mln_option mln_server_options[] = {
    {"server", 0, "URL", "the server, instead of the one signed in to (or MERLON_SERVER)", NULL, false},
    {"ca", 0, "FILE", "the certificate of the authority to trust (or MERLON_CA)", NULL, false},
    {"subscription", 's', "ID", "the subscription, instead of the first one that may be read", NULL, false},
};
const size_t mln_server_options_count = sizeof mln_server_options / sizeof *mln_server_options;

const struct mln_option *mln_command_option(const struct mln_command *command, size_t i)
{
    if (command && i < command->n_options)
        return &command->options[i];
    i -= command ? command->n_options : 0;
    size_t n_server = command && command->offline ? 0 : mln_server_options_count;
    if (i < n_server)
        return &mln_server_options[i];
    i -= n_server;
    return i < mln_common_options_count ? &mln_common_options[i] : NULL;
}

static const struct mln_option *find_option(const struct mln_command *command, struct mln_str name, char letter)
{
    const struct mln_option *option;
    for (size_t i = 0; (option = mln_command_option(command, i)); i++)
        if (letter ? option->letter == letter : mln_str_eq(name, mln_str_c(option->name)))
            return option;
    return NULL;
}

/* How many of the command's words the line begins with; 0: it is another command. */
static size_t words_match(const struct mln_command *command, int argc, char **argv)
{
    struct mln_str rest = mln_str_c(command->words), word;
    size_t n = 0;
    while (mln_str_cut(&rest, ' ', &word)) {
        if ((int)n + 1 >= argc || !mln_str_eq(mln_str_c(argv[n + 1]), word))
            return 0;
        n++;
    }
    return n;
}

static const struct mln_command *find_command(int argc, char **argv, size_t *n_words)
{
    const struct mln_command *best = NULL;
    *n_words = 0;
    for (size_t i = 0; i < mln_commands_count; i++) {
        size_t n = words_match(mln_commands[i], argc, argv);
        if (n > *n_words) {
            *n_words = n;
            best = mln_commands[i];
        }
    }
    return best;
}

static struct mln_result check_words(const struct mln_option *option, struct mln_str value)
{
    struct mln_str rest = mln_str_c(option->words), word;
    while (mln_str_cut(&rest, ' ', &word))
        if (mln_str_eq_nocase(word, value))
            return MLN_OK;
    return option->words ? mln_fail(MLN_E_INVALID, "--%s must be one of: %s", option->name, option->words) : MLN_OK;
}

static struct mln_result add_option(struct mln_invocation *in, const struct mln_option *option, struct mln_str value)
{
    if (in->n_given == MLN_MAX_OPTIONS)
        return mln_fail(MLN_E_INVALID, "more than %d options", MLN_MAX_OPTIONS);
    if (!option->many && mln_option_given(in, option->name))
        return mln_fail(MLN_E_INVALID, "--%s is given twice", option->name);
    if (option->value)
        MLN_TRY(check_words(option, value));
    in->given[in->n_given].option = option;
    in->given[in->n_given++].value = value;
    return MLN_OK;
}

/* One argument that begins with a dash; *at moves on over a value that stands by itself. */
static struct mln_result parse_option(struct mln_invocation *in, int argc, char **argv, int *at)
{
    struct mln_str text = mln_str_c(argv[*at]), name = {NULL, 0}, value = {NULL, 0};
    bool is_long = mln_str_starts(text, MLN_S("--"));
    if (is_long) {
        value = mln_str_sub(text, 2, text.n);
        mln_str_cut(&value, '=', &name);
    } else if (text.n > 2) {
        value = mln_str_sub(text, 2, text.n);
    }
    const struct mln_option *option = find_option(in->command, name, is_long ? '\0' : text.p[1]);
    if (!option)
        return mln_fail(MLN_E_INVALID, "there is no option %.*s here", MLN_FMT(text));
    if (!option->value && value.p)
        return mln_fail(MLN_E_INVALID, "--%s takes no value", option->name);
    if (option->value && !value.p) {
        if (*at + 1 >= argc)
            return mln_fail(MLN_E_INVALID, "--%s needs a value: %s", option->name, option->value);
        value = mln_str_c(argv[++*at]);
    }
    return add_option(in, option, value);
}

static struct mln_result unknown_command(int argc, char **argv)
{
    int at = 1;
    while (at < argc && argv[at][0] == '-')
        at++;
    if (at >= argc)
        return mln_fail(MLN_E_INVALID, "which command? 'merlon --help' lists them");
    return mln_fail(MLN_E_INVALID, "there is no command '%.60s'; 'merlon --help' lists them", argv[at]);
}

struct mln_result mln_command_parse(int argc, char **argv, struct mln_invocation *out, bool *help)
{
    size_t n_words;
    bool only_arguments = false;
    out->command = find_command(argc, argv, &n_words);
    *help = false;
    for (int i = 1; i < argc; i++)
        *help |= strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0;
    if (argc > 1 && strcmp(argv[1], "help") == 0) {
        *help = true;
        out->command = find_command(argc - 1, argv + 1, &n_words);
    }
    if (*help)
        return MLN_OK;
    if (!out->command)
        return unknown_command(argc, argv);
    for (int at = (int)n_words + 1; at < argc; at++) {
        if (!only_arguments && strcmp(argv[at], "--") == 0) {
            only_arguments = true;
        } else if (!only_arguments && argv[at][0] == '-' && argv[at][1]) {
            MLN_TRY(parse_option(out, argc, argv, &at));
        } else if (out->n_arguments == MLN_MAX_ARGUMENTS || out->n_arguments == out->command->most) {
            return mln_fail(MLN_E_INVALID, "'%.60s' is one argument too many", argv[at]);
        } else {
            out->arguments[out->n_arguments++] = mln_str_c(argv[at]);
        }
    }
    if (out->n_arguments < out->command->least)
        return mln_fail(MLN_E_INVALID, "something is missing: merlon %s %s", out->command->words, out->command->arguments);
    const char *no_color = getenv("NO_COLOR");
    out->color = isatty(fileno(out->out)) && !mln_option_given(out, "no-color") && !(no_color && *no_color);
    return MLN_OK;
}

bool mln_option_given(const struct mln_invocation *invocation, const char *name)
{
    for (size_t i = 0; i < invocation->n_given; i++)
        if (strcmp(invocation->given[i].option->name, name) == 0)
            return true;
    return false;
}

struct mln_str mln_option_value(const struct mln_invocation *invocation, const char *name)
{
    for (size_t i = invocation->n_given; i-- > 0;)
        if (strcmp(invocation->given[i].option->name, name) == 0)
            return invocation->given[i].value;
    return (struct mln_str){NULL, 0};
}

struct mln_result mln_option_number(const struct mln_invocation *invocation, const char *name, int64_t otherwise,
                                    int64_t least, int64_t most, int64_t *out)
{
    struct mln_str text = mln_option_value(invocation, name);
    *out = otherwise;
    if (!text.p)
        return MLN_OK;
    if (!mln_ok(mln_str_to_i64(text, out)) || *out < least || *out > most)
        return mln_fail(MLN_E_INVALID, "--%s must be a whole number from %lld to %lld", name, (long long)least,
                        (long long)most);
    return MLN_OK;
}

/* ---- help ---- */

static void help_option(const struct mln_option *option, FILE *out)
{
    char left[64];
    snprintf(left, sizeof left, "%c%c%s--%s%s%s", option->letter ? '-' : ' ', option->letter ? option->letter : ' ',
             option->letter ? ", " : "  ", option->name, option->value ? " " : "", option->value ? option->value : "");
    fprintf(out, "  %-28s %s%s%s%s\n", left, option->help, option->words ? ": " : "", option->words ? option->words : "",
            option->many ? " (may be repeated)" : "");
}

void mln_help_command(const struct mln_command *command, FILE *out)
{
    const struct mln_option *option;
    fprintf(out, "%s\n\nUsage: merlon %s%s%s [options]\n\nOptions:\n", command->summary, command->words,
            *command->arguments ? " " : "", command->arguments);
    for (size_t i = 0; (option = mln_command_option(command, i)); i++)
        help_option(option, out);
    if (command->details)
        fprintf(out, "\n%s\n", command->details);
}

void mln_help_all(FILE *out)
{
    fprintf(out, "merlon %s: security posture of servers and clouds\n\nUsage: merlon COMMAND [options]\n\nCommands:\n",
            MLN_VERSION);
    for (size_t i = 0; i < mln_commands_count; i++) {
        char left[64];
        snprintf(left, sizeof left, "%s %s", mln_commands[i]->words, mln_commands[i]->arguments);
        fprintf(out, "  %-30s %s\n", left, mln_commands[i]->summary);
    }
    fprintf(out, "\n'merlon COMMAND --help' tells more. Exit status: 0 done, 1 failed or found wanting, 2 wrong command line,\n"
                 "3 not found, 4 not signed in or not allowed, 5 server out of reach.\n");
}
