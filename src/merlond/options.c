#include "merlond/options.h"

#include "content/yaml.h"
#include "os/file.h"

enum option_kind { TEXT, SWITCH, NUMBER, LIST };

static const struct option {
    const char *name, *value, *otherwise, *help;
    enum option_kind kind;
    unsigned commands;
    size_t offset;
} options[] = {
#define O(member, name, kind, value, otherwise, commands, help)                                                        \
    {name, value, otherwise, help, kind, commands, offsetof(struct mln_daemon_options, member)},
    MLN_DAEMON_OPTIONS(O)
#undef O
};
enum { OPTIONS = sizeof options / sizeof *options, CONFIG_BYTES = 64 << 10, CONFIG_ARENA_BYTES = 16 << 20 };

static const struct {
    const char *word, *help;
    enum mln_daemon_command command;
} commands[] = {
    {"run", "serve, until SIGTERM; makes the state directory at the first start", MLN_RUN},
    {"init", "make the state directory and its administrator, and print the password; the server must be stopped",
     MLN_INIT},
    {"reset-password", "give an administrator a new password, and print it; the server must be stopped",
     MLN_RESET_PASSWORD},
    {"token", "make a token by which a machine enrols, and print it; the server must be stopped", MLN_TOKEN},
};
enum { COMMANDS = sizeof commands / sizeof *commands };

void mln_daemon_help(FILE *out)
{
    fprintf(out, "merlond " MLN_VERSION ": the server of Merlon\n\nusage: merlond COMMAND [OPTION...]\n\n");
    for (size_t i = 0; i < COMMANDS; i++)
        fprintf(out, "  %-16s %s\n", commands[i].word, commands[i].help);
    fprintf(out, "\noptions:\n");
    for (size_t i = 0; i < OPTIONS; i++) {
        char left[64];
        snprintf(left, sizeof left, "--%s %s", options[i].name, options[i].value);
        fprintf(out, "  %-24s %s", left, options[i].help);
        if (*options[i].otherwise)
            fprintf(out, " [%s]", options[i].otherwise);
        fputs("\n", out);
        if (options[i].commands != MLN_EVERY_COMMAND) {
            fprintf(out, "  %-24s (", "");
            for (size_t c = 0, n = 0; c < COMMANDS; c++)
                if (options[i].commands & commands[c].command)
                    fprintf(out, "%s%s", n++ ? ", " : "", commands[c].word);
            fputs(")\n", out);
        }
    }
    fprintf(out, "\nSIGHUP loads the rules anew. SIGTERM ends the server after the running requests.\n");
}

static const struct option *find(struct mln_str name)
{
    for (size_t i = 0; i < OPTIONS; i++)
        if (mln_str_eq(name, mln_str_c(options[i].name)))
            return &options[i];
    return NULL;
}

static struct mln_result set(struct mln_daemon_options *out, const struct option *option, struct mln_str value)
{
    void *at = (char *)out + option->offset;
    uint64_t number = 0;
    struct mln_daemon_list *list = at;
    switch (option->kind) {
    case TEXT:
        *(struct mln_str *)at = value;
        break;
    case SWITCH:
        if (!mln_str_eq(value, MLN_S("true")) && !mln_str_eq(value, MLN_S("false")))
            return mln_fail(MLN_E_INVALID, "%s is true or false", option->name);
        *(bool *)at = mln_str_eq(value, MLN_S("true"));
        break;
    case NUMBER:
        if (!mln_ok(mln_str_to_u64(value, &number)) || number > UINT32_MAX / 1000)
            return mln_fail(MLN_E_INVALID, "%s takes a whole number", option->name);
        *(uint32_t *)at = (uint32_t)number;
        break;
    case LIST:
        if (list->n == MLN_MAX_NAMES)
            return mln_fail(MLN_E_LIMIT, "%s was given more than %d times", option->name, MLN_MAX_NAMES);
        list->at[list->n++] = value;
        break;
    }
    return MLN_OK;
}

/* ---- the configuration file: one mapping of option names to scalars or lists of them; JSON is YAML ---- */

static struct mln_result set_node(struct mln_daemon_options *out, const struct option *option, struct mln_arena *arena,
                                  const struct mln_yaml *node)
{
    struct mln_str value;
    if (node->kind != MLN_YAML_SCALAR)
        return mln_fail(MLN_E_INVALID, "line %u: %s takes a single value", node->line, option->name);
    MLN_TRY_STR(arena, value, mln_str_dup(arena, node->text));
    struct mln_result r = set(out, option, value);
    return mln_ok(r) ? r : mln_fail_at(r, "line %u", node->line);
}

static struct mln_result set_pair(struct mln_daemon_options *out, struct mln_arena *arena, const struct mln_yaml *key,
                                  const struct mln_yaml *value)
{
    const struct option *option = find(key->text);
    if (!option || mln_str_eq(key->text, MLN_S("config")))
        return mln_fail(MLN_E_INVALID, "line %u: there is no option '%.*s'", key->line, MLN_FMT(key->text));
    if (option->kind != LIST || value->kind != MLN_YAML_SEQUENCE)
        return set_node(out, option, arena, value);
    for (size_t i = 0; i < value->n; i++)
        MLN_TRY(set_node(out, option, arena, &value->items[i]));
    return MLN_OK;
}

static struct mln_result set_text(struct mln_daemon_options *out, struct mln_arena *arena, struct mln_str text)
{
    MLN_CLEANUP(mln_arena_free) struct mln_arena *scratch = mln_arena_new(CONFIG_ARENA_BYTES);
    struct mln_yaml_error place = {0};
    struct mln_yaml *root;
    if (!scratch)
        return mln_fail(MLN_E_MEMORY, "no memory for a configuration");
    struct mln_result r = mln_yaml_parse(scratch, text, &root, &place);
    if (!mln_ok(r))
        return mln_fail_at(r, "line %u", place.line);
    if (root->kind == MLN_YAML_SCALAR && root->text.n == 0)
        return MLN_OK;
    if (root->kind != MLN_YAML_MAPPING)
        return mln_fail(MLN_E_INVALID, "a mapping of option names to values is expected");
    for (size_t i = 0; i < root->n; i++)
        MLN_TRY(set_pair(out, arena, &root->items[2 * i], &root->items[2 * i + 1]));
    return MLN_OK;
}

static struct mln_result read_config(struct mln_daemon_options *out, struct mln_arena *arena, const char *path)
{
    MLN_BUF_CLEANUP struct mln_buf text = MLN_BUF(CONFIG_BYTES);
    MLN_TRY(mln_file_read(path, 0, &text));
    struct mln_result r = set_text(out, arena, mln_buf_str(&text));
    return mln_ok(r) ? r : mln_fail_at(r, "%s", path);
}

/* ---- the command line ---- */

/* One option at argv[*i]; only_config: looks for --config alone. */
static struct mln_result take(int argc, char **argv, int *i, bool only_config, struct mln_daemon_options *out)
{
    struct mln_str word = mln_str_c(argv[*i]), name;
    if (!mln_str_starts(word, MLN_S("--")))
        return mln_fail(MLN_E_INVALID, "'%.*s' is not an option", MLN_FMT(word));
    struct mln_str value = mln_str_sub(word, 2, word.n);
    mln_str_cut(&value, '=', &name);
    const struct option *option = find(name);
    if (!option)
        return mln_fail(MLN_E_INVALID, "there is no option --%.*s", MLN_FMT(name));
    if (!(option->commands & out->command))
        return mln_fail(MLN_E_INVALID, "--%s is not for this command", option->name);
    if (!value.p && option->kind == SWITCH) {
        value = MLN_S("true");
    } else if (!value.p) {
        if (++*i == argc)
            return mln_fail(MLN_E_INVALID, "--%s needs a value", option->name);
        value = mln_str_c(argv[*i]);
    }
    return only_config && option->offset != offsetof(struct mln_daemon_options, config) ? MLN_OK
                                                                                        : set(out, option, value);
}

static struct mln_result take_all(int argc, char **argv, bool only_config, struct mln_daemon_options *out)
{
    for (int i = 1; i < argc; i++)
        MLN_TRY(take(argc, argv, &i, only_config, out));
    return MLN_OK;
}

struct mln_result mln_daemon_options_parse(int argc, char **argv, struct mln_arena *arena,
                                           struct mln_daemon_options *out, bool *help)
{
    *out = (struct mln_daemon_options){0};
    *help = false;
    for (int i = 0; i < argc; i++)
        *help |= !strcmp(argv[i], "--help") || !strcmp(argv[i], "-h") || (i == 0 && !strcmp(argv[i], "help"));
    if (*help)
        return MLN_OK;
    for (size_t i = 0; argc && i < COMMANDS; i++)
        if (!strcmp(argv[0], commands[i].word))
            out->command = commands[i].command;
    if (!out->command)
        return mln_fail(MLN_E_INVALID, "a command is expected: run, init, reset-password or token (merlond --help)");
    for (size_t i = 0; i < OPTIONS; i++)
        if (*options[i].otherwise)
            MLN_TRY(set(out, &options[i], mln_str_c(options[i].otherwise)));
    MLN_TRY(take_all(argc, argv, true, out));
    if (out->config.n) {
        const char *path = mln_str_z(arena, out->config);
        if (!path)
            return mln_arena_failure(arena);
        MLN_TRY(read_config(out, arena, path));
    }
    return take_all(argc, argv, false, out);
}
