#include "cli/command.h"

#include "base/suggest.h"
#include "base/time.h"
#include "cli/help.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>

const struct mln_option mln_help_option = {.name = "help", .letter = 'h', .help = "this help"};

const struct mln_option *mln_command_option(const struct mln_cli *cli, const struct mln_command *command, size_t i)
{
    if (i < command->n_options)
        return &command->options[i];
    i -= command->n_options;
    for (size_t s = 0; s < cli->n_options; s++)
        if ((!cli->options[s].kinds || cli->options[s].kinds & command->kind) && i-- == 0)
            return &cli->options[s];
    return i == 0 ? &mln_help_option : NULL;
}

static const struct mln_option *find_option(const struct mln_invocation *in, struct mln_str name, char letter)
{
    const struct mln_option *option;
    for (size_t i = 0; (option = mln_command_option(in->cli, in->command, i)); i++)
        if (letter ? option->letter == letter : mln_str_eq(name, mln_str_c(option->name)))
            return option;
    return NULL;
}

/* ---- which command ---- */

/* How many of the command's words the line begins with; 0: it is another command. */
static size_t words_match(const struct mln_command *command, int argc, char **argv)
{
    struct mln_str rest = mln_str_c(command->words), word;
    size_t n = 0;
    while (mln_str_cut(&rest, ' ', &word)) {
        if ((int)n >= argc || !mln_str_eq(mln_str_c(argv[n]), word))
            return 0;
        n++;
    }
    return n;
}

static const struct mln_command *find_command(const struct mln_cli *cli, int argc, char **argv, size_t *n_words)
{
    const struct mln_command *best = NULL;
    *n_words = 0;
    for (size_t i = 0; i < cli->n_commands; i++) {
        size_t n = words_match(cli->commands[i], argc, argv);
        if (n > *n_words) {
            *n_words = n;
            best = cli->commands[i];
        }
    }
    return best;
}

static bool begins_command(const struct mln_cli *cli, struct mln_str word)
{
    for (size_t i = 0; i < cli->n_commands; i++) {
        struct mln_str words = mln_str_c(cli->commands[i]->words), first;
        mln_str_cut(&words, ' ', &first);
        if (cli->commands[i]->summary && words.p && mln_str_eq(first, word))
            return true;
    }
    return false;
}

/* The command nearest to what was typed, among those of one word or of two. */
static struct mln_suggestion nearest(const struct mln_cli *cli, struct mln_str typed, bool two)
{
    struct mln_suggestion near = {.word = typed};
    for (size_t i = 0; i < cli->n_commands; i++)
        if (cli->commands[i]->summary && (strchr(cli->commands[i]->words, ' ') != NULL) == two)
            mln_suggest(&near, mln_str_c(cli->commands[i]->words));
    return near;
}

static struct mln_result unknown_command(const struct mln_cli *cli, int argc, char **argv)
{
    char hint[MLN_SUGGEST_TEXT], typed[MLN_SUGGEST_TEXT];
    if (argc == 0 || argv[0][0] == '-')
        return mln_fail(MLN_E_INVALID, "a command is expected first; '%s --help' lists them", cli->name);
    bool two = argc > 1 && argv[1][0] != '-', begins = begins_command(cli, mln_str_c(argv[0]));
    if (begins && !two)
        return mln_fail(MLN_E_INVALID, "'%s' needs a second word; '%s %s --help' lists them", argv[0], cli->name,
                        argv[0]);
    snprintf(typed, sizeof typed, "%.60s%s%.60s", argv[0], two ? " " : "", two ? argv[1] : "");
    struct mln_suggestion near = nearest(cli, mln_str_c(typed), two);
    if (two && !begins && !near.best.p) {
        snprintf(typed, sizeof typed, "%.60s", argv[0]);
        near = nearest(cli, mln_str_c(typed), false);
    }
    return mln_fail(MLN_E_INVALID, "there is no command '%s'%s; '%s --help' lists them", typed,
                    mln_suggest_text(&near, hint), cli->name);
}

/* ---- options ---- */

static bool is_word_of(const char *words, struct mln_str value)
{
    struct mln_str rest = mln_str_c(words), word;
    while (mln_str_cut(&rest, ' ', &word))
        if (mln_str_eq_nocase(word, value))
            return true;
    return false;
}

static struct mln_result check_value(const struct mln_option *option, struct mln_str value)
{
    int64_t number;
    if (option->words && !is_word_of(option->words, value))
        return mln_fail(MLN_E_INVALID, "--%s must be one of: %s", option->name, option->words);
    if (option->takes == MLN_TAKES_NUMBER &&
        (!mln_ok(mln_str_to_i64(value, &number)) || number < option->least || number > option->most))
        return mln_fail(MLN_E_INVALID, "--%s takes a whole number from %lld to %lld", option->name,
                        (long long)option->least, (long long)option->most);
    if (option->takes == MLN_TAKES_TIME && !mln_ok(mln_time_parse(value, &number)))
        return mln_fail(MLN_E_INVALID, "--%s takes a time such as 2026-11-24T14:05:00Z", option->name);
    if (!value.n && option->takes != MLN_TAKES_TEXT)
        return mln_fail(MLN_E_INVALID, "--%s needs a value: %s", option->name, option->value);
    return MLN_OK;
}

static struct mln_result add_option(struct mln_invocation *in, const struct mln_option *option, struct mln_str value)
{
    if (option->value)
        MLN_TRY(check_value(option, value));
    in->given[in->n_given++] = (struct mln_given){option, value};
    return MLN_OK;
}

static struct mln_result unknown_option(const struct mln_invocation *in, struct mln_str name)
{
    struct mln_suggestion near = {.word = name};
    const struct mln_option *option;
    char hint[MLN_SUGGEST_TEXT];
    for (size_t i = 0; i < in->cli->n_options; i++)
        if (mln_str_eq(name, mln_str_c(in->cli->options[i].name)))
            return mln_fail(MLN_E_INVALID, "'%s %s' takes no --%s", in->cli->name, in->command->words,
                            in->cli->options[i].name);
    for (size_t i = 0; (option = mln_command_option(in->cli, in->command, i)); i++)
        mln_suggest(&near, mln_str_c(option->name));
    return mln_fail(MLN_E_INVALID, "there is no option --%.*s%s; '%s %s --help' lists them",
                    MLN_FMT(mln_str_sub(name, 0, 60)), mln_suggest_text(&near, hint), in->cli->name,
                    in->command->words);
}

/* The value of an option that needs one: what is attached to it, or the next word; *at moves on over that. */
static struct mln_result take_value(const struct mln_option *option, struct mln_str attached, int argc, char **argv,
                                    int *at, struct mln_str *out)
{
    *out = attached;
    if (attached.p)
        return MLN_OK;
    if (*at + 1 >= argc)
        return mln_fail(MLN_E_INVALID, "--%s needs a value: %s", option->name, option->value);
    *out = mln_str_c(argv[++*at]);
    return MLN_OK;
}

/* --name, --name=value, --name value. */
static struct mln_result parse_long(struct mln_invocation *in, int argc, char **argv, int *at)
{
    struct mln_str value = mln_str_c(argv[*at] + 2), name;
    mln_str_cut(&value, '=', &name);
    const struct mln_option *option = find_option(in, name, 0);
    if (!option)
        return unknown_option(in, name);
    if (!option->value && value.p)
        return mln_fail(MLN_E_INVALID, "--%s takes no value", option->name);
    if (option->value)
        MLN_TRY(take_value(option, value, argc, argv, at, &value));
    return add_option(in, option, value);
}

/* -n, -n5, -n 5, and switches together: -aj. */
static struct mln_result parse_short(struct mln_invocation *in, int argc, char **argv, int *at)
{
    for (const char *p = argv[*at] + 1; *p; p++) {
        const struct mln_option *option = find_option(in, (struct mln_str){NULL, 0}, *p);
        struct mln_str value = p[1] ? mln_str_c(p + 1) : (struct mln_str){NULL, 0};
        if (!option)
            return mln_fail(MLN_E_INVALID, "there is no option -%c; '%s %s --help' lists them", *p, in->cli->name,
                            in->command->words);
        if (option->value) {
            MLN_TRY(take_value(option, value, argc, argv, at, &value));
            return add_option(in, option, value);
        }
        MLN_TRY(add_option(in, option, (struct mln_str){NULL, 0}));
    }
    return MLN_OK;
}

/* ---- the whole line ---- */

static struct mln_result add_argument(struct mln_invocation *in, const char *text)
{
    const struct mln_command *command = in->command;
    if (command->most != MLN_ANY_NUMBER && in->n_arguments == command->most)
        return mln_fail(MLN_E_INVALID, "'%.60s' is one argument too many for '%s %s'", text, in->cli->name,
                        command->words);
    if (command->choices && !is_word_of(command->choices, mln_str_c(text)))
        return mln_fail(MLN_E_INVALID, "'%.60s' is none of: %s", text, command->choices);
    in->arguments[in->n_arguments++] = mln_str_c(text);
    return MLN_OK;
}

static struct mln_result parse_words(struct mln_invocation *in, int argc, char **argv)
{
    bool only_arguments = false;
    for (int at = 0; at < argc; at++) {
        bool dashed = !only_arguments && argv[at][0] == '-' && argv[at][1];
        if (dashed && strcmp(argv[at], "--") == 0)
            only_arguments = true;
        else if (dashed)
            MLN_TRY(argv[at][1] == '-' ? parse_long(in, argc, argv, &at) : parse_short(in, argc, argv, &at));
        else
            MLN_TRY(add_argument(in, argv[at]));
    }
    return MLN_OK;
}

static bool is_help(const char *word)
{
    return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

struct mln_result mln_command_parse(int argc, char **argv, struct mln_invocation *out, bool *help,
                                    struct mln_str *about)
{
    size_t n_words;
    argc--, argv++;
    bool help_first = argc > 0 && (is_help(argv[0]) || strcmp(argv[0], "help") == 0);
    if (help_first)
        argc--, argv++;
    *help = help_first;
    *about = (struct mln_str){NULL, 0};
    out->command = find_command(out->cli, argc, argv, &n_words);
    if (argc == 1 && strcmp(argv[0], "--version") == 0) {
        out->command = &mln_command_version;
        n_words = 1;
    }
    if (!out->command) {
        if (argc == 0 && help_first)
            return MLN_OK;
        *help |= argc == 2 && is_help(argv[1]);
        if (!*help || !begins_command(out->cli, mln_str_c(argv[0])))
            return unknown_command(out->cli, argc, argv);
        *about = mln_str_c(argv[0]);
        return MLN_OK;
    }
    MLN_TRY_ARRAY(out->arena, out->arguments, (size_t)argc + 1);
    MLN_TRY_ARRAY(out->arena, out->given, (size_t)argc * 2 + 1);
    for (int i = (int)n_words; i < argc && strcmp(argv[i], "--") != 0; i++)
        *help |= is_help(argv[i]);
    if (*help)
        return MLN_OK;
    MLN_TRY(parse_words(out, argc - (int)n_words, argv + n_words));
    if (out->n_arguments < out->command->least)
        return mln_fail(MLN_E_INVALID, "something is missing: %s %s %s", out->cli->name, out->command->words,
                        out->command->arguments);
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

int64_t mln_option_number(const struct mln_invocation *invocation, const char *name, int64_t otherwise)
{
    int64_t number;
    struct mln_str text = mln_option_value(invocation, name);
    return text.p && mln_ok(mln_str_to_i64(text, &number)) ? number : otherwise;
}

int64_t mln_option_time(const struct mln_invocation *invocation, const char *name, int64_t otherwise)
{
    int64_t ms;
    struct mln_str text = mln_option_value(invocation, name);
    return text.p && mln_ok(mln_time_parse(text, &ms)) ? ms : otherwise;
}

struct mln_result mln_misuse(struct mln_invocation *invocation, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    invocation->failed_with = MLN_EXIT_USAGE;
    return mln_fail(MLN_E_INVALID, "%s", text);
}

/* ---- the way out ---- */

/* Bytes of the UTF-8 sequence that begins here; 0: none does. */
static size_t sequence(const char *text, size_t n)
{
    unsigned char c = (unsigned char)*text;
    size_t length = c < 0x80 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
    return length <= n && mln_str_is_utf8((struct mln_str){text, length}) ? length : 0;
}

void mln_clean(char *text, size_t n)
{
    for (size_t i = 0, length; i < n; i += length ? length : 1) {
        unsigned char c = (unsigned char)text[i];
        length = sequence(text + i, n - i);
        if (length == 0)
            text[i] = '?';
        else if (c < 0x20 || c == 0x7f)
            text[i] = ' ';
        else if (c == 0xC2 && (unsigned char)text[i + 1] < 0xA0)
            text[i] = text[i + 1] = ' ';
    }
}

static enum mln_exit exit_for(enum mln_code code)
{
    switch (code) {
    case MLN_E_OK:
        return MLN_EXIT_OK;
    case MLN_E_NOT_FOUND:
        return MLN_EXIT_NOT_FOUND;
    case MLN_E_UNAUTHENTICATED:
    case MLN_E_FORBIDDEN:
        return MLN_EXIT_DENIED;
    case MLN_E_TIMEOUT:
    case MLN_E_CLOSED:
    case MLN_E_BUSY:
        return MLN_EXIT_UNREACHABLE;
    default:
        return MLN_EXIT_FAILED;
    }
}

/* The failure in one line on standard error. */
static enum mln_exit tell(const struct mln_invocation *in, struct mln_result r)
{
    char text[512];
    snprintf(text, sizeof text, "%s", mln_error_text());
    mln_clean(text, strlen(text));
    fprintf(in->err, "%s: %s\n", in->cli->name, text);
    return in->failed_with ? in->failed_with : exit_for(r.code);
}

static enum mln_exit work(struct mln_invocation *in, int argc, char **argv)
{
    bool help;
    struct mln_str about;
    enum mln_exit exit_code = MLN_EXIT_OK;
    struct mln_result r = mln_command_parse(argc, argv, in, &help, &about);
    if (mln_ok(r) && help) {
        mln_help(in->cli, in->command, about, in->out);
        return MLN_EXIT_OK;
    }
    if (mln_ok(r) && in->cli->prepare)
        r = in->cli->prepare(in);
    if (!mln_ok(r)) {
        in->failed_with = MLN_EXIT_USAGE;
        return tell(in, r);
    }
    r = in->command->run(in, &exit_code);
    return mln_ok(r) ? exit_code : tell(in, r);
}

int mln_cli_main(const struct mln_cli *cli, int argc, char **argv, void *context)
{
    MLN_CLEANUP(mln_arena_free) struct mln_arena *arena = mln_arena_new(cli->arena_bytes);
    struct mln_invocation in = {.cli = cli, .arena = arena, .out = stdout, .err = stderr, .context = context};
    if (!arena) {
        fprintf(stderr, "%s: no memory\n", cli->name);
        return MLN_EXIT_FAILED;
    }
    enum mln_exit exit_code = work(&in, argc, argv);
    if ((fflush(stdout) != 0 || ferror(stdout)) && exit_code == MLN_EXIT_OK) {
        fprintf(stderr, "%s: the output could not be written: %s\n", cli->name, strerror(errno));
        return MLN_EXIT_FAILED;
    }
    return (int)exit_code;
}
