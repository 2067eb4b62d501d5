/* What the program says of itself, from the tables of commands: version, shell completion, man page. */
#include "merlon/command.h"

static struct mln_result run_version(struct mln_invocation *in, enum mln_exit *exit_code)
{
    (void)exit_code;
    fprintf(in->out, mln_option_given(in, "json") ? "{\"version\": \"%s\"}\n" : "merlon %s\n", MLN_VERSION);
    return MLN_OK;
}

const struct mln_command mln_command_version = {
    .words = "version", .arguments = "", .summary = "The program's version", .offline = true, .run = run_version};

static void bash_words(const struct mln_command *command, FILE *out)
{
    const struct mln_option *option;
    fprintf(out, "    '%s') words='", command->words);
    for (size_t i = 0; (option = mln_command_option(command, i)); i++)
        fprintf(out, "%s--%s", i ? " " : "", option->name);
    fprintf(out, "' ;;\n");
}

static void bash_values(FILE *out)
{
    const struct mln_option *option;
    fprintf(out, "  case \"$prev\" in\n");
    for (size_t c = 0; c < mln_commands_count; c++)
        for (size_t i = 0; i < mln_commands[c]->n_options; i++) {
            option = &mln_commands[c]->options[i];
            if (option->words)
                fprintf(out, "    --%s) COMPREPLY=($(compgen -W '%s' -- \"$cur\")); return ;;\n", option->name, option->words);
        }
    fprintf(out, "    --ca) COMPREPLY=($(compgen -f -- \"$cur\")); return ;;\n  esac\n");
}

static void complete_bash(FILE *out)
{
    fprintf(out, "# bash completion for merlon: eval \"$(merlon completion bash)\"\n"
                 "_merlon() {\n"
                 "  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} words=''\n");
    bash_values(out);
    fprintf(out, "  case \"${COMP_WORDS[1]} ${COMP_WORDS[2]}\" in\n    *) ;;\n  esac\n  case \"${COMP_WORDS[*]:1:2}\" in\n");
    for (size_t i = 0; i < mln_commands_count; i++)
        if (strchr(mln_commands[i]->words, ' '))
            bash_words(mln_commands[i], out);
    fprintf(out, "    *) case \"${COMP_WORDS[1]}\" in\n");
    for (size_t i = 0; i < mln_commands_count; i++)
        if (!strchr(mln_commands[i]->words, ' '))
            bash_words(mln_commands[i], out);
    fprintf(out, "    esac ;;\n  esac\n  if [ \"$COMP_CWORD\" -le 2 ] && [[ $cur != -* ]]; then\n    local all='");
    for (size_t i = 0; i < mln_commands_count; i++)
        fprintf(out, "%s%s", i ? "\n" : "", mln_commands[i]->words);
    fprintf(out, "'\n    local typed=\"${COMP_WORDS[*]:1:COMP_CWORD-1}\"\n"
                 "    words+=\" $(while read -r line; do\n"
                 "      if [ -z \"$typed\" ]; then echo \"${line%%%% *}\"\n"
                 "      elif [[ $line == \"$typed \"* ]]; then echo \"${line#\"$typed \"}\"; fi\n"
                 "    done <<< \"$all\")\"\n  fi\n"
                 "  COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
                 "  [[ ${#COMPREPLY[@]} -gt 0 || $cur == -* ]] || COMPREPLY=($(compgen -f -- \"$cur\"))\n"
                 "}\ncomplete -o filenames -F _merlon merlon\n");
}

static void zsh_text(const char *text, FILE *out)
{
    for (; *text; text++)
        if (*text == '\'')
            fputs("'\\''", out);
        else if (*text == ':' || *text == '[' || *text == ']')
            fprintf(out, "\\%c", *text);
        else
            fputc(*text, out);
}

static void complete_zsh(FILE *out)
{
    const struct mln_option *option;
    fprintf(out, "#compdef merlon\n# zsh completion: merlon completion zsh > a file _merlon in $fpath\n_merlon() {\n"
                 "  local -a commands=(\n");
    for (size_t i = 0; i < mln_commands_count; i++) {
        fprintf(out, "    '");
        zsh_text(mln_commands[i]->words, out);
        fprintf(out, ":");
        zsh_text(mln_commands[i]->summary, out);
        fprintf(out, "'\n");
    }
    fprintf(out, "  )\n  if (( CURRENT == 2 )); then _describe command commands; return; fi\n"
                 "  local key=\"$words[2] $words[3]\"\n  case $key in\n");
    for (size_t pass = 0; pass < 2; pass++)
        for (size_t c = 0; c < mln_commands_count; c++) {
            bool two = strchr(mln_commands[c]->words, ' ') != NULL;
            if (two == (pass == 1))
                continue;
            fprintf(out, "    '%s'%s) _arguments", mln_commands[c]->words, two ? "*" : "' '*");
            for (size_t i = 0; (option = mln_command_option(mln_commands[c], i)); i++) {
                fprintf(out, " '%s--%s%s[", option->many ? "*" : "", option->name, option->value ? "=" : "");
                zsh_text(option->help, out);
                fprintf(out, "]");
                if (option->value)
                    fprintf(out, ":%s:%s%s%s", option->value, option->words ? "(" : "", option->words ? option->words : "",
                            option->words ? ")" : "");
                fprintf(out, "'");
            }
            fprintf(out, " '*:file:_files' ;;\n");
        }
    fprintf(out, "  esac\n}\n_merlon \"$@\"\n");
}

static struct mln_result run_completion(struct mln_invocation *in, enum mln_exit *exit_code)
{
    (void)exit_code;
    if (mln_str_eq(in->arguments[0], MLN_S("bash")))
        complete_bash(in->out);
    else if (mln_str_eq(in->arguments[0], MLN_S("zsh")))
        complete_zsh(in->out);
    else
        return mln_fail(MLN_E_INVALID, "completion is there for bash and zsh");
    return MLN_OK;
}

const struct mln_command mln_command_completion = {.words = "completion",
                                                   .arguments = "bash|zsh",
                                                   .summary = "Shell completion, to be evaluated by the shell",
                                                   .details = "Example:\n  eval \"$(merlon completion bash)\"",
                                                   .least = 1,
                                                   .most = 1,
                                                   .offline = true,
                                                   .run = run_completion};

/* Text for roff: dashes that are dashes, no line that begins like a request. */
static void roff(const char *text, FILE *out)
{
    bool start = true;
    for (; *text; text++) {
        if (start && (*text == '.' || *text == '\''))
            fputs("\\&", out);
        if (*text == '-' || *text == '\\')
            fprintf(out, *text == '-' ? "\\-" : "\\e");
        else
            fputc(*text, out);
        start = *text == '\n';
    }
}

static void man_command(const struct mln_command *command, FILE *out)
{
    const struct mln_option *option;
    fprintf(out, ".SS merlon ");
    roff(command->words, out);
    fprintf(out, " ");
    roff(command->arguments, out);
    fprintf(out, "\n");
    roff(command->summary, out);
    fprintf(out, ".\n");
    for (size_t i = 0; (option = mln_command_option(command, i)) && option != &mln_server_options[0] &&
                       option != &mln_common_options[0];
         i++) {
        fprintf(out, ".TP\n.B \\-\\-");
        roff(option->name, out);
        fprintf(out, "%s%s\n", option->value ? " " : "", option->value ? option->value : "");
        roff(option->help, out);
        fprintf(out, "%s%s\n", option->words ? ": " : "", option->words ? option->words : "");
    }
    if (command->details) {
        fprintf(out, ".PP\n.nf\n");
        roff(command->details, out);
        fprintf(out, "\n.fi\n");
    }
}

static struct mln_result run_man(struct mln_invocation *in, enum mln_exit *exit_code)
{
    (void)exit_code;
    fprintf(in->out, ".TH MERLON 1 \"\" \"merlon %s\" \"User Commands\"\n.SH NAME\nmerlon \\- security posture of servers and "
                     "clouds\n.SH SYNOPSIS\n.B merlon\n.I COMMAND\n[options]\n.SH DESCRIPTION\nTalks to a Merlon server over "
                     "its REST API, and judges files without one.\n.SH OPTIONS OF EVERY COMMAND\n",
            MLN_VERSION);
    for (size_t i = 0; i < mln_common_options_count + mln_server_options_count; i++) {
        const struct mln_option *option = i < mln_common_options_count ? &mln_common_options[i]
                                                                       : &mln_server_options[i - mln_common_options_count];
        fprintf(in->out, ".TP\n.B \\-\\-");
        roff(option->name, in->out);
        fprintf(in->out, "%s%s\n", option->value ? " " : "", option->value ? option->value : "");
        roff(option->help, in->out);
        fprintf(in->out, "\n");
    }
    fprintf(in->out, ".SH COMMANDS\n");
    for (size_t i = 0; i < mln_commands_count; i++)
        man_command(mln_commands[i], in->out);
    fprintf(in->out, ".SH EXIT STATUS\n0 done; 1 failed, or what was checked does not hold; 2 wrong command line; 3 not found; "
                     "4 not signed in or not allowed; 5 the server is out of reach or not to be trusted.\n");
    return MLN_OK;
}

const struct mln_command mln_command_man = {.words = "man",
                                            .arguments = "",
                                            .summary = "The manual page, as roff",
                                            .details = "Example:\n  merlon man | man -l -",
                                            .offline = true,
                                            .run = run_man};
