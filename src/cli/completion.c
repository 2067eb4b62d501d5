#include "cli/help.h"

/* Whether the arguments of a command are files, as compgen says it; "": they are not. */
static const char *argument_files(const struct mln_command *command)
{
    const char *arguments = command->arguments ? command->arguments : "";
    return strstr(arguments, "FILE") ? "-f" : strstr(arguments, "DIR") ? "-d" : "";
}

static const char *value_files(const struct mln_option *option)
{
    return option->takes == MLN_TAKES_FILE ? "-f" : option->takes == MLN_TAKES_DIRECTORY ? "-d" : "";
}

/* The words that may follow: first words where first is NULL, else second words after it. Each word once. */
static void put_words(const struct mln_cli *cli, const struct mln_str *first, FILE *out)
{
    struct mln_str before = {NULL, 0};
    for (size_t i = 0; i < cli->n_commands; i++) {
        struct mln_str rest = mln_str_c(cli->commands[i]->words), head;
        mln_str_cut(&rest, ' ', &head);
        bool again = !first && before.p && mln_str_eq(before, head);
        if (!cli->commands[i]->summary || again || (first && (!mln_str_eq(head, *first) || !rest.p)))
            continue;
        before = head;
        struct mln_str word = first ? rest : head;
        fprintf(out, "%.*s ", MLN_FMT(word));
    }
}

static void bash_command(const struct mln_cli *cli, const struct mln_command *command, FILE *out)
{
    const struct mln_option *option;
    struct mln_str first = mln_str_c(command->words);
    fprintf(out, "    '%s') words='%s ", command->words, command->choices ? command->choices : "");
    if (!strchr(command->words, ' '))
        put_words(cli, &first, out);
    fprintf(out, "' options='");
    for (size_t i = 0; (option = mln_command_option(cli, command, i)); i++)
        fprintf(out, "%s--%s", i ? " " : "", option->name);
    fprintf(out, "' files='%s' ;;\n", argument_files(command));
}

static void bash_values(const struct mln_cli *cli, const struct mln_command *command, FILE *out)
{
    const struct mln_option *option;
    for (size_t i = 0; (option = mln_command_option(cli, command, i)); i++) {
        if (!option->value)
            continue;
        fprintf(out, "    '%s --%s'", command->words, option->name);
        if (option->letter)
            fprintf(out, " | '%s -%c'", command->words, option->letter);
        fprintf(out, ") ");
        if (option->words)
            fprintf(out, "words='%s' ", option->words);
        if (*value_files(option))
            fprintf(out, "files='%s' ", value_files(option));
        fprintf(out, ";;\n");
    }
}

/* First words that are no command of their own, such as "policy". */
static void bash_groups(const struct mln_cli *cli, FILE *out)
{
    for (size_t i = 0; i < cli->n_commands; i++) {
        struct mln_str rest = mln_str_c(cli->commands[i]->words), head;
        mln_str_cut(&rest, ' ', &head);
        bool listed = !cli->commands[i]->summary || !rest.p;
        for (size_t j = 0; j < cli->n_commands && !listed; j++) {
            struct mln_str other = mln_str_c(cli->commands[j]->words), other_head;
            mln_str_cut(&other, ' ', &other_head);
            listed = mln_str_eq(other_head, head) && (j < i || !other.p);
        }
        if (listed)
            continue;
        fprintf(out, "    '%.*s') words='", MLN_FMT(head));
        put_words(cli, &head, out);
        fprintf(out, "' options='--help' ;;\n");
    }
}

static void bash_two_words(const struct mln_cli *cli, FILE *out)
{
    size_t n = 0;
    for (size_t i = 0; i < cli->n_commands; i++)
        if (cli->commands[i]->summary && strchr(cli->commands[i]->words, ' '))
            fprintf(out, "%s'%s'",
                    n++ ? " | " : "  if ((COMP_CWORD > 2)); then case \"$command ${COMP_WORDS[2]}\" in\n    ",
                    cli->commands[i]->words);
    if (n)
        fprintf(out, ") command+=\" ${COMP_WORDS[2]}\" ;;\n  esac; fi\n");
}

void mln_completion_bash(const struct mln_cli *cli, FILE *out)
{
    fprintf(out,
            "# bash completion: eval \"$(%s completion bash)\"\n_%s() {\n"
            "  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} command=${COMP_WORDS[1]} words='' "
            "options='' files=''\n"
            "  if [[ $cur == '=' ]]; then cur=''; elif [[ $prev == '=' ]]; then prev=${COMP_WORDS[COMP_CWORD-2]}; fi\n",
            cli->name, cli->name);
    bash_two_words(cli, out);
    fprintf(out, "  if ((COMP_CWORD == 1)); then words='");
    put_words(cli, NULL, out);
    fprintf(out, "help' options='--help --version'\n  else case \"$command $prev\" in\n");
    for (size_t i = 0; i < cli->n_commands; i++)
        if (cli->commands[i]->summary)
            bash_values(cli, cli->commands[i], out);
    fprintf(out, "    *) case \"$command\" in\n");
    for (size_t i = 0; i < cli->n_commands; i++)
        if (cli->commands[i]->summary)
            bash_command(cli, cli->commands[i], out);
    bash_groups(cli, out);
    fprintf(out, "    'help') words='");
    put_words(cli, NULL, out);
    fprintf(out,
            "' ;;\n    esac ;;\n  esac; fi\n"
            "  if [[ $cur == -* || -z ${words// /}$files ]]; then words+=\" $options\"; fi\n"
            "  mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$cur\")\n"
            "  if [[ -n $files && $cur != -* ]]; then\n"
            "    compopt -o filenames 2>/dev/null\n"
            "    mapfile -t -O \"${#COMPREPLY[@]}\" COMPREPLY < <(compgen \"$files\" -- \"$cur\")\n"
            "  fi\n}\ncomplete -F _%s %s\n",
            cli->name, cli->name);
}

/* ---- zsh ---- */

/* Text inside of single quotes, for _describe and _arguments. */
static void zsh_text(const char *text, FILE *out)
{
    for (; text && *text; text++)
        if (*text == '\'')
            fputs("'\\''", out);
        else if (strchr(":[]()", *text))
            fprintf(out, "\\%c", *text);
        else
            fputc(*text, out);
}

static void zsh_option(const struct mln_option *option, FILE *out)
{
    fprintf(out, " '%s--%s%s[", option->many ? "*" : "", option->name, option->value ? "=" : "");
    zsh_text(option->help, out);
    fputc(']', out);
    if (option->value) {
        fputc(':', out);
        zsh_text(option->value, out);
        fputc(':', out);
        if (option->words)
            fprintf(out, "(%s)", option->words);
        else if (option->takes == MLN_TAKES_FILE || option->takes == MLN_TAKES_DIRECTORY)
            fputs(option->takes == MLN_TAKES_FILE ? "_files" : "_files -/", out);
    }
    fputc('\'', out);
}

static void zsh_command(const struct mln_cli *cli, const struct mln_command *command, FILE *out)
{
    const struct mln_option *option;
    fprintf(out, "    '%s'*) _arguments", command->words);
    for (size_t i = 0; (option = mln_command_option(cli, command, i)); i++)
        zsh_option(option, out);
    if (command->choices)
        fprintf(out, " '*:choice:(%s)'", command->choices);
    else if (*argument_files(command))
        fputs(" '*:file:_files'", out);
    fputs(" ;;\n", out);
}

void mln_completion_zsh(const struct mln_cli *cli, FILE *out)
{
    fprintf(out, "#compdef %s\n# zsh completion: %s completion zsh > a file _%s in $fpath\nlocal -a commands=(\n",
            cli->name, cli->name, cli->name);
    for (size_t i = 0; i < cli->n_commands; i++) {
        if (!cli->commands[i]->summary)
            continue;
        fprintf(out, "  '");
        zsh_text(cli->commands[i]->words, out);
        fputc(':', out);
        zsh_text(cli->commands[i]->summary, out);
        fputs("'\n", out);
    }
    fprintf(out,
            ")\nif (( CURRENT == 2 )); then\n  _describe command commands\nelse\n  case \"$words[2] $words[3] \" in\n");
    for (int two = 1; two >= 0; two--)
        for (size_t i = 0; i < cli->n_commands; i++)
            if (cli->commands[i]->summary && (strchr(cli->commands[i]->words, ' ') != NULL) == two)
                zsh_command(cli, cli->commands[i], out);
    fprintf(out, "  esac\nfi\n");
}

static struct mln_result run(struct mln_invocation *in, enum mln_exit *exit_code)
{
    (void)exit_code;
    if (mln_str_eq_nocase(in->arguments[0], MLN_S("bash")))
        mln_completion_bash(in->cli, in->out);
    else
        mln_completion_zsh(in->cli, in->out);
    return MLN_OK;
}

const struct mln_command mln_command_completion = {
    .words = "completion",
    .arguments = "bash|zsh",
    .choices = "bash zsh",
    .summary = "Shell completion, to be evaluated by the shell",
    .details = "For bash: eval \"$(PROGRAM completion bash)\"; for zsh: a file _PROGRAM in $fpath.",
    .least = 1,
    .most = 1,
    .run = run};
