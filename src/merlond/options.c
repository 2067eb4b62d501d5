#include "merlond/options.h"

#include "content/yaml.h"
#include "os/file.h"

enum option_kind { TEXT, PATH, DIRECTORY, SWITCH, NUMBER, LIST };

#define TAKES_TEXT MLN_TAKES_TEXT
#define TAKES_PATH MLN_TAKES_FILE
#define TAKES_DIRECTORY MLN_TAKES_DIRECTORY
#define TAKES_SWITCH MLN_TAKES_TEXT
#define TAKES_NUMBER MLN_TAKES_NUMBER
#define TAKES_LIST MLN_TAKES_TEXT

enum {
    CONFIG_BYTES = 64 << 10,
    CONFIG_ARENA_BYTES = 16 << 20,
    MOST = UINT32_MAX / 1000 /* seconds, as milliseconds */
};

const struct mln_option mln_daemon_options[] = {
#define O(member, text, kind, stands_for, default_text, commands, words)                                               \
    {.name = text,                                                                                                     \
     .value = kind == SWITCH ? NULL : stands_for,                                                                      \
     .takes = TAKES_##kind,                                                                                            \
     .most = MOST,                                                                                                     \
     .otherwise = default_text,                                                                                        \
     .help = words,                                                                                                    \
     .many = kind == LIST,                                                                                             \
     .kinds = commands},
    MLN_DAEMON_OPTIONS(O)
#undef O
};

/* And where their values go, in the same order. */
static const struct option {
    const char *name, *otherwise;
    enum option_kind kind;
    size_t offset;
} options[] = {
#define O(member, name, kind, value, otherwise, commands, help)                                                        \
    {name, otherwise, kind, offsetof(struct mln_daemon_options, member)},
    MLN_DAEMON_OPTIONS(O)
#undef O
};

static const struct option *find(struct mln_str name)
{
    for (size_t i = 0; i < MLN_DAEMON_OPTIONS_COUNT; i++)
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
    case PATH:
    case DIRECTORY:
        *(struct mln_str *)at = value;
        break;
    case SWITCH:
        if (!mln_str_eq(value, MLN_S("true")) && !mln_str_eq(value, MLN_S("false")))
            return mln_fail(MLN_E_INVALID, "%s is true or false", option->name);
        *(bool *)at = mln_str_eq(value, MLN_S("true"));
        break;
    case NUMBER:
        if (!mln_ok(mln_str_to_u64(value, &number)) || number > MOST)
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

/* ---- all of them ---- */

struct mln_result mln_daemon_options_take(const struct mln_invocation *in, struct mln_daemon_options *out)
{
    struct mln_str config = mln_option_value(in, "config");
    *out = (struct mln_daemon_options){.command = (enum mln_daemon_command)in->command->kind};
    for (size_t i = 0; i < MLN_DAEMON_OPTIONS_COUNT; i++)
        if (*options[i].otherwise)
            MLN_TRY(set(out, &options[i], mln_str_c(options[i].otherwise)));
    if (config.p)
        MLN_TRY(read_config(out, in->arena, config.p));
    for (size_t i = 0; i < in->n_given; i++) {
        const struct mln_given *given = &in->given[i];
        MLN_TRY(set(out, &options[given->option - mln_daemon_options],
                    given->option->value ? given->value : MLN_S("true")));
    }
    return MLN_OK;
}
