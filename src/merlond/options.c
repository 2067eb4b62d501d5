#include "merlond/options.h"

#include "os/file.h"

#include <yaml.h>

enum option_kind { TEXT, SWITCH, NUMBER, LIST };

static const struct option {
    const char *name, *value, *otherwise, *help;
    enum option_kind kind;
    unsigned commands;
    size_t offset;
} options[] = {
#define O(member, name, kind, value, otherwise, commands, help)                                     \
    {name, value, otherwise, help, kind, commands, offsetof(struct mln_daemon_options, member)},
    MLN_DAEMON_OPTIONS(O)
#undef O
};
enum { OPTIONS = sizeof options / sizeof *options, CONFIG_BYTES = 256 << 10 };

static const struct {
    const char *word, *help;
    enum mln_daemon_command command;
} commands[] = {
    {"run", "serve, until SIGTERM; makes the state directory at the first start", MLN_RUN},
    {"init", "make the state directory and its administrator, and print the password; the server must be stopped", MLN_INIT},
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
                                  const yaml_node_t *node)
{
    if (node->type != YAML_SCALAR_NODE)
        return mln_fail(MLN_E_INVALID, "line %zu: %s takes a single value", node->start_mark.line + 1, option->name);
    struct mln_str value;
    MLN_TRY_STR(arena, value,
                mln_str_dup(arena, (struct mln_str){(const char *)node->data.scalar.value, node->data.scalar.length}));
    return mln_fail_at(set(out, option, value), "line %zu", node->start_mark.line + 1);
}

static struct mln_result set_pair(struct mln_daemon_options *out, struct mln_arena *arena, yaml_document_t *document,
                                  const yaml_node_pair_t *pair)
{
    const yaml_node_t *key = yaml_document_get_node(document, pair->key);
    const yaml_node_t *value = yaml_document_get_node(document, pair->value);
    struct mln_str name = key->type == YAML_SCALAR_NODE
                              ? (struct mln_str){(const char *)key->data.scalar.value, key->data.scalar.length}
                              : MLN_S("");
    const struct option *option = find(name);
    if (!option || mln_str_eq(name, MLN_S("config")))
        return mln_fail(MLN_E_INVALID, "line %zu: there is no option '%.*s'", key->start_mark.line + 1, MLN_FMT(name));
    if (option->kind != LIST || value->type != YAML_SEQUENCE_NODE)
        return set_node(out, option, arena, value);
    for (const yaml_node_item_t *item = value->data.sequence.items.start; item < value->data.sequence.items.top; item++)
        MLN_TRY(set_node(out, option, arena, yaml_document_get_node(document, *item)));
    return MLN_OK;
}

static struct mln_result set_document(struct mln_daemon_options *out, struct mln_arena *arena, yaml_document_t *document)
{
    const yaml_node_t *root = yaml_document_get_root_node(document);
    if (!root)
        return MLN_OK;
    if (root->type != YAML_MAPPING_NODE)
        return mln_fail(MLN_E_INVALID, "a mapping of option names to values is expected");
    for (const yaml_node_pair_t *pair = root->data.mapping.pairs.start; pair < root->data.mapping.pairs.top; pair++)
        MLN_TRY(set_pair(out, arena, document, pair));
    return MLN_OK;
}

static struct mln_result read_config(struct mln_daemon_options *out, struct mln_arena *arena, const char *path)
{
    MLN_BUF_CLEANUP struct mln_buf text = MLN_BUF(CONFIG_BYTES);
    yaml_parser_t parser;
    yaml_document_t document;
    MLN_TRY(mln_file_read(path, 0, &text));
    if (!yaml_parser_initialize(&parser))
        return mln_fail(MLN_E_MEMORY, "no memory to read %s", path);
    yaml_parser_set_input_string(&parser, (const unsigned char *)text.p, text.n);
    struct mln_result r = MLN_OK;
    if (yaml_parser_load(&parser, &document)) {
        r = set_document(out, arena, &document);
        yaml_document_delete(&document);
    } else {
        r = mln_fail(MLN_E_SYNTAX, "line %zu: %s", parser.problem_mark.line + 1,
                     parser.problem ? parser.problem : "not YAML");
    }
    yaml_parser_delete(&parser);
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
    return only_config && option->offset != offsetof(struct mln_daemon_options, config) ? MLN_OK : set(out, option, value);
}

static struct mln_result take_all(int argc, char **argv, bool only_config, struct mln_daemon_options *out)
{
    for (int i = 1; i < argc; i++)
        MLN_TRY(take(argc, argv, &i, only_config, out));
    return MLN_OK;
}

struct mln_result mln_daemon_options_parse(int argc, char **argv, struct mln_arena *arena, struct mln_daemon_options *out,
                                           bool *help)
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
