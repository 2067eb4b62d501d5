#include "cli/help.h"

#include <sys/ioctl.h>
#include <unistd.h>

enum { LEFT = 28, LEAST_WIDTH = 60, MOST_WIDTH = 110, USUAL_WIDTH = 100 };

static size_t width_of(FILE *out)
{
    struct winsize size;
    int fd = fileno(out);
    if (fd < 0 || !isatty(fd) || ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
        return USUAL_WIDTH;
    return size.ws_col < LEAST_WIDTH ? LEAST_WIDTH : size.ws_col > MOST_WIDTH ? MOST_WIDTH : size.ws_col;
}

/* Text in the right column, its lines broken between words. The cursor stands at column at. */
static void put_right(FILE *out, const char *text, size_t column, size_t at)
{
    struct mln_str rest = mln_str_c(text), word;
    size_t width = width_of(out);
    if (at + 1 > column) {
        fputc('\n', out);
        at = 0;
    }
    fprintf(out, "%*s", (int)(column - at), "");
    for (at = column; mln_str_cut(&rest, ' ', &word); at += word.n) {
        bool first = at == column;
        if (!first && at + 1 + word.n > width) {
            fprintf(out, "\n%*s", (int)column, "");
            at = column;
        } else if (!first) {
            fputc(' ', out);
            at++;
        }
        fprintf(out, "%.*s", (int)word.n, word.p);
    }
    fputc('\n', out);
}

/* The help of an option with all that the table says of its value. */
static void describe(const struct mln_option *option, char *out, size_t size)
{
    bool otherwise = option->otherwise && *option->otherwise;
    snprintf(out, size, "%s%s%s%s%s%s%s", option->help, option->words ? ": " : "", option->words ? option->words : "",
             otherwise ? " [" : "", otherwise ? option->otherwise : "", otherwise ? "]" : "",
             option->many ? " (may be repeated)" : "");
}

static void help_option(const struct mln_option *option, FILE *out)
{
    char left[64], right[512];
    int n = snprintf(left, sizeof left, "  %c%c%c --%s%s%s", option->letter ? '-' : ' ',
                     option->letter ? option->letter : ' ', option->letter ? ',' : ' ', option->name,
                     option->value ? " " : "", option->value ? option->value : "");
    describe(option, right, sizeof right);
    fputs(left, out);
    put_right(out, right, LEFT + 2, (size_t)n);
}

static void help_command(const struct mln_cli *cli, const struct mln_command *command, FILE *out)
{
    const struct mln_option *option;
    fprintf(out, "%s\n\nUsage: %s %s%s%s [options]\n\nOptions:\n", command->summary, cli->name, command->words,
            command->arguments ? " " : "", command->arguments ? command->arguments : "");
    for (size_t i = 0; (option = mln_command_option(cli, command, i)); i++)
        help_option(option, out);
    if (command->details)
        fprintf(out, "\n%s\n", command->details);
}

void mln_help(const struct mln_cli *cli, const struct mln_command *command, struct mln_str about, FILE *out)
{
    if (command) {
        help_command(cli, command, out);
        return;
    }
    fprintf(out, "%s %s: %s\n\nUsage: %s COMMAND [options]\n\nCommands:\n", cli->name, MLN_VERSION, cli->summary,
            cli->name);
    for (size_t i = 0; i < cli->n_commands; i++) {
        const struct mln_command *one = cli->commands[i];
        struct mln_str rest = mln_str_c(one->words), first;
        char left[64];
        mln_str_cut(&rest, ' ', &first);
        if (!one->summary || (about.p && !mln_str_eq(first, about)))
            continue;
        int n = snprintf(left, sizeof left, "  %s %s", one->words, one->arguments ? one->arguments : "");
        fputs(left, out);
        put_right(out, one->summary, LEFT, (size_t)n);
    }
    fprintf(out, "\n'%s COMMAND --help' tells more.%s%s\n", cli->name, cli->closing ? "\n" : "",
            cli->closing ? cli->closing : "");
}

static struct mln_result run_version(struct mln_invocation *in, enum mln_exit *exit_code)
{
    (void)exit_code;
    if (mln_option_given(in, "json")) /* where the program has that option */
        fprintf(in->out, "{\"version\": \"%s\"}\n", MLN_VERSION);
    else
        fprintf(in->out, "%s %s\n", in->cli->name, MLN_VERSION);
    return MLN_OK;
}

const struct mln_command mln_command_version = {
    .words = "version", .summary = "The program's version", .kind = MLN_KIND_VERSION, .run = run_version};

/* ---- man page ---- */

/* Text for roff: dashes that are dashes, no line that begins like a request. */
static void roff(const char *text, FILE *out)
{
    bool start = true;
    for (; text && *text; text++) {
        if (start && (*text == '.' || *text == '\''))
            fputs("\\&", out);
        if (*text == '-' || *text == '\\')
            fputs(*text == '-' ? "\\-" : "\\e", out);
        else
            fputc(*text, out);
        start = *text == '\n';
    }
}

static void man_option(const struct mln_option *option, FILE *out)
{
    char text[512];
    describe(option, text, sizeof text);
    fputs(".TP\n.B ", out);
    if (option->letter)
        fprintf(out, "\\-%c, ", option->letter);
    fputs("\\-\\-", out);
    roff(option->name, out);
    fputs(option->value ? " " : "", out);
    roff(option->value, out);
    fputc('\n', out);
    roff(text, out);
    fputc('\n', out);
}

static void man_command(const struct mln_cli *cli, const struct mln_command *command, FILE *out)
{
    fputs(".SS ", out);
    roff(cli->name, out);
    fputc(' ', out);
    roff(command->words, out);
    fputs(command->arguments ? " " : "", out);
    roff(command->arguments, out);
    fputc('\n', out);
    roff(command->summary, out);
    fputs(".\n", out);
    for (size_t i = 0; i < command->n_options; i++)
        man_option(&command->options[i], out);
    if (command->details) {
        fputs(".PP\n.nf\n", out);
        roff(command->details, out);
        fputs("\n.fi\n", out);
    }
}

static void man_takers(const struct mln_cli *cli, const struct mln_option *option, FILE *out)
{
    fputs(".br\nCommands: ", out);
    for (size_t c = 0, n = 0; c < cli->n_commands; c++)
        if (cli->commands[c]->summary && option->kinds & cli->commands[c]->kind) {
            fputs(n++ ? ", " : "", out);
            roff(cli->commands[c]->words, out);
        }
    fputs(".\n", out);
}

/* Whether an option's kinds leave out one of the commands that are shown. */
static bool is_for_some(const struct mln_cli *cli, const struct mln_option *option)
{
    for (size_t c = 0; option->kinds && c < cli->n_commands; c++)
        if (cli->commands[c]->summary && !(option->kinds & cli->commands[c]->kind))
            return true;
    return false;
}

void mln_man(const struct mln_cli *cli, FILE *out)
{
    fputs(".TH ", out);
    for (const char *p = cli->name; *p; p++)
        fputc(*p >= 'a' && *p <= 'z' ? *p - 32 : *p, out);
    fprintf(out, " %c \"\" \"%s %s\" \"%s\"\n.SH NAME\n", cli->section, cli->name, MLN_VERSION,
            cli->section == '8' ? "System Administration" : "User Commands");
    roff(cli->name, out);
    fputs(" \\- ", out);
    roff(cli->summary, out);
    fputs("\n.SH SYNOPSIS\n.B ", out);
    roff(cli->name, out);
    fputs("\n.I COMMAND\n[options]\n.SH DESCRIPTION\n", out);
    roff(cli->description, out);
    fputs("\n.SH COMMANDS\n", out);
    for (size_t i = 0; i < cli->n_commands; i++)
        if (cli->commands[i]->summary)
            man_command(cli, cli->commands[i], out);
    fputs(".SH OPTIONS\n", out);
    for (size_t i = 0; i < cli->n_options; i++) {
        man_option(&cli->options[i], out);
        if (is_for_some(cli, &cli->options[i]))
            man_takers(cli, &cli->options[i], out);
    }
    man_option(&mln_help_option, out);
    for (size_t i = 0; i < cli->n_sections; i++) {
        fprintf(out, ".SH %s\n", cli->sections[i].title);
        roff(cli->sections[i].text, out);
        fputc('\n', out);
    }
}

static struct mln_result run_man(struct mln_invocation *in, enum mln_exit *exit_code)
{
    (void)exit_code;
    mln_man(in->cli, in->out);
    return MLN_OK;
}

const struct mln_command mln_command_man = {
    .words = "man", .summary = "The manual page, as roff (man -l - reads it)", .run = run_man};
