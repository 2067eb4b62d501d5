/* Finding and reading the files, and making the immutable set of what was read. */
#include "content/ruleset.h"

#include "content/loader.h"
#include "crypto/digest.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    SET_BYTES = 512 << 20,
    FILE_BYTES = 32 << 20,
    FILES_MOST = 50000,
    DIRECTORIES_DEEP = 16,
    VERSION_HEX = 16,
    PATH_MOST = 4096
};

/* ---- files ---- */

static struct mln_result path_of(struct mln_str directory, struct mln_str relative, char out[PATH_MOST])
{
    int n = snprintf(out, PATH_MOST, "%.*s%s%.*s", MLN_FMT(directory), directory.n ? "/" : "", MLN_FMT(relative));
    return n < 0 || n >= PATH_MOST ? mln_fail(MLN_E_LIMIT, "a file's path is longer than %d bytes", PATH_MOST) : MLN_OK;
}

static MLN_RESULT read_whole(int fd, struct mln_buf *out)
{
    for (;;) {
        MLN_TRY(mln_buf_reserve(out, 16384));
        ssize_t n = read(fd, out->p + out->n, 16384);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return mln_fail_errno(errno, "cannot read");
        if (n == 0)
            return MLN_OK;
        out->n += (size_t)n;
    }
}

static struct mln_result read_file(const char *path, struct mln_buf *out)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return mln_fail_errno(errno, "cannot open");
    struct mln_result r = read_whole(fd, out);
    close(fd);
    return r;
}

static struct mln_result version_of(struct mln_arena *arena, struct mln_str data, struct mln_str *version)
{
    char hex[MLN_SHA256_HEX];
    MLN_TRY(mln_sha256_hex(data, hex));
    MLN_TRY_STR(arena, *version, mln_str_dup(arena, (struct mln_str){hex, VERSION_HEX}));
    return MLN_OK;
}

typedef void (*read_root)(struct mln_loader *l, const struct mln_yaml *root);

/* Reads a file's text with what reads its root. What is wrong with it is noted; fails only for memory. */
static struct mln_result load_text(struct mln_loader *l, struct mln_str name, struct mln_str text, read_root reader)
{
    struct mln_yaml *root;
    struct mln_yaml_error place = {0, 0};
    mln_arena_reset(l->scratch);
    l->file = name;
    l->file_errors = 0;
    l->text = text;
    struct mln_result r = mln_yaml_parse(l->scratch, l->text, &root, &place);
    if (r.code == MLN_E_MEMORY)
        return r;
    if (!mln_ok(r)) {
        mln_loader_error_at(l, place, mln_error_text());
        return l->failed;
    }
    MLN_TRY(version_of(l->arena, l->text, &l->version));
    reader(l, root);
    return l->failed;
}

static struct mln_result load_file(struct mln_loader *l, struct mln_str directory, struct mln_str relative,
                                   read_root reader)
{
    char path[PATH_MOST];
    MLN_BUF_CLEANUP struct mln_buf text = MLN_BUF(2 * MLN_YAML_MAX_BYTES);
    MLN_TRY(path_of(directory, relative, path));
    struct mln_result r = read_file(path, &text);
    if (mln_ok(r))
        return load_text(l, relative, mln_buf_str(&text), reader);
    if (r.code == MLN_E_MEMORY)
        return r;
    l->file = relative;
    mln_loader_error_at(l, (struct mln_yaml_error){0, 0}, mln_error_text());
    return l->failed;
}

/* ---- directories ---- */

struct files {
    MLN_VEC(struct mln_str) at; /* relative to the directory */
};

static bool is_directory(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static struct mln_result add_file(struct mln_loader *l, struct files *files, struct mln_str relative)
{
    struct mln_str copy;
    if (files->at.n >= FILES_MOST)
        return mln_fail(MLN_E_LIMIT, "more than %d files", FILES_MOST);
    MLN_TRY_STR(l->arena, copy, mln_str_dup(l->arena, relative));
    return mln_vec_push(NULL, &files->at, copy);
}

static MLN_RESULT find_files(struct mln_loader *l, struct mln_str directory, struct mln_str relative, int depth,
                             struct files *files);

/* One entry of a directory: looked into, added or left out. */
static struct mln_result find_entry(struct mln_loader *l, struct mln_str directory, struct mln_str relative,
                                    const char *entry, int depth, struct files *files)
{
    char path[PATH_MOST], child[PATH_MOST];
    struct mln_str name = mln_str_c(entry);
    if (name.p[0] == '.')
        return MLN_OK;
    MLN_TRY(path_of(relative, name, child));
    MLN_TRY(path_of(directory, mln_str_c(child), path));
    if (is_directory(path))
        return depth < DIRECTORIES_DEEP ? find_files(l, directory, mln_str_c(child), depth + 1, files)
                                        : mln_fail(MLN_E_LIMIT, "%.500s: directories nest too deeply", path);
    bool is_root_controls = relative.n == 0 && mln_str_eq(name, MLN_S("controls.yaml"));
    bool is_content = mln_str_ends(name, MLN_S(".yaml")) && !is_root_controls;
    return is_content ? add_file(l, files, mln_str_c(child)) : MLN_OK;
}

/* Adds the *.yaml files below directory/relative, without those whose name begins with a dot. */
static struct mln_result find_files(struct mln_loader *l, struct mln_str directory, struct mln_str relative, int depth,
                                    struct files *files)
{
    char path[PATH_MOST];
    MLN_TRY(path_of(directory, relative, path));
    DIR *dir = opendir(path);
    if (!dir)
        return mln_fail_errno(errno, "%s", path);
    struct mln_result r = MLN_OK;
    for (struct dirent *entry; mln_ok(r) && (entry = readdir(dir));)
        r = find_entry(l, directory, relative, entry->d_name, depth, files);
    closedir(dir);
    return r;
}

static int by_path(const void *a, const void *b)
{
    return mln_str_cmp(*(const struct mln_str *)a, *(const struct mln_str *)b);
}

/* ---- the set ---- */

static int by_id(const void *a, const void *b)
{
    return mln_str_cmp(((const struct mln_rule *)a)->id, ((const struct mln_rule *)b)->id);
}

static struct mln_result make_types(struct mln_loader *l, struct mln_ruleset *set)
{
    struct mln_rule_type *types;
    MLN_TRY_ARRAY(l->arena, types, l->types.n);
    for (size_t t = 0; t < l->types.n; t++) {
        uint32_t *rules;
        MLN_TRY_ARRAY(l->arena, rules, l->rules.n);
        types[t] = (struct mln_rule_type){
            .resource_type = l->types.at[t].resource_type, .env = l->types.at[t].env, .rules = rules};
        for (size_t i = 0; i < l->rules.n; i++)
            if (mln_str_eq_nocase(l->rules.at[i].resource_type, types[t].resource_type))
                rules[types[t].n_rules++] = (uint32_t)i;
    }
    set->types = types;
    set->n_types = l->types.n;
    return MLN_OK;
}

/* Over the rules by id and the controls: which file a rule stands in does not matter. */
static struct mln_result make_version(struct mln_loader *l, struct mln_ruleset *set)
{
    MLN_BUF_CLEANUP struct mln_buf all = MLN_BUF(64 << 20);
    for (size_t i = 0; i < l->rules.n; i++)
        MLN_TRY(mln_buf_printf(&all, "%.*s %.*s\n", MLN_FMT(l->rules.at[i].id), MLN_FMT(l->rules.at[i].version)));
    for (size_t i = 0; i < l->controls.n; i++)
        MLN_TRY(mln_buf_printf(&all, "%.*s %.*s %d\n", MLN_FMT(l->controls.at[i].id), MLN_FMT(l->controls.at[i].slug),
                               l->controls.at[i].max_points));
    return version_of(l->arena, mln_buf_str(&all), &set->version);
}

static struct mln_result finish(struct mln_loader *l, struct mln_ruleset *set)
{
    if (l->rules.n)
        qsort(l->rules.at, l->rules.n, sizeof l->rules.at[0], by_id);
    MLN_TRY(make_types(l, set));
    MLN_TRY(make_version(l, set));
    set->controls = l->controls.at;
    set->n_controls = l->controls.n;
    set->rules = l->rules.at;
    set->n_rules = l->rules.n;
    set->errors = l->errors.at;
    set->n_errors = l->errors.n;
    set->arena_ = MLN_TAKE(l->arena);
    return MLN_OK;
}

static void drop_rules(const struct mln_rule *rules, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        mln_program_free(rules[i].applies);
        mln_program_free(rules[i].healthy);
        mln_program_free(rules[i].found);
    }
}

static void loader_done(struct mln_loader *l)
{
    if (l->arena) { /* not handed over */
        drop_rules(l->rules.at, l->rules.n);
        for (size_t i = 0; i < l->types.n; i++)
            mln_expr_env_free(l->types.at[i].env);
    }
    mln_map_free(l->ids);
    mln_map_free(l->keys);
    mln_arena_free(l->scratch);
    mln_arena_free(l->arena);
}

/* content/controls.yaml as it was when this was built (tools/embed), for rules that come without one. */
extern const char mln_controls_yaml[];

static struct mln_result load_own_controls(struct mln_loader *l)
{
    return load_text(l, MLN_S("controls.yaml"), mln_str_c(mln_controls_yaml), mln_loader_controls);
}

static struct mln_result load_directory(struct mln_loader *l, struct mln_str directory, struct files *files)
{
    char path[PATH_MOST];
    MLN_TRY(path_of(directory, MLN_S("controls.yaml"), path));
    if (access(path, F_OK) == 0)
        MLN_TRY(load_file(l, directory, MLN_S("controls.yaml"), mln_loader_controls));
    else
        MLN_TRY(load_own_controls(l));
    /* Beside the policies, a content directory holds what other loaders read. */
    MLN_TRY(path_of(directory, MLN_S("policies"), path));
    MLN_TRY(find_files(l, directory, is_directory(path) ? MLN_S("policies") : MLN_S(""), 0, files));
    if (files->at.n)
        qsort(files->at.at, files->at.n, sizeof files->at.at[0], by_path);
    for (size_t i = 0; i < files->at.n; i++)
        MLN_TRY(load_file(l, directory, files->at.at[i], mln_loader_rule));
    return MLN_OK;
}

static struct mln_result begin(struct mln_loader *l)
{
    *l = (struct mln_loader){.failed = MLN_OK};
    l->arena = mln_arena_new(SET_BYTES);
    l->scratch = mln_arena_new(FILE_BYTES);
    l->ids = mln_map_new(false);
    l->keys = mln_map_new(true);
    return l->arena && l->scratch && l->ids && l->keys ? MLN_OK : mln_fail(MLN_E_MEMORY, "no memory for the rules");
}

/* Makes the set of what was loaded, when r says that loading went well. Ends the loader. */
static struct mln_result end(struct mln_loader *l, struct mln_result r, struct mln_ruleset **out)
{
    struct mln_ruleset *set = calloc(1, sizeof *set);
    if (mln_ok(r))
        r = set ? finish(l, set) : mln_fail(MLN_E_MEMORY, "no memory for the rules");
    loader_done(l);
    if (mln_ok(r))
        *out = set;
    else
        free(set);
    return r;
}

struct mln_result mln_ruleset_load(struct mln_str directory, struct mln_ruleset **out)
{
    struct mln_loader l;
    struct files files = {0};
    *out = NULL;
    if (directory.n == 0 || directory.n > 2000)
        return mln_fail(MLN_E_INVALID, "the directory's name is empty or too long");
    struct mln_result r = begin(&l);
    if (mln_ok(r))
        r = load_directory(&l, directory, &files);
    mln_vec_free(&files.at);
    return end(&l, r, out);
}

struct mln_result mln_ruleset_parse(struct mln_str name, struct mln_str text, struct mln_ruleset **out)
{
    struct mln_loader l;
    *out = NULL;
    struct mln_result r = begin(&l);
    struct mln_str copy = mln_ok(r) ? mln_str_dup(l.arena, name) : (struct mln_str){NULL, 0};
    if (mln_ok(r) && !copy.p)
        r = mln_arena_failure(l.arena);
    if (mln_ok(r))
        r = load_own_controls(&l);
    if (mln_ok(r))
        r = load_text(&l, copy, text, mln_loader_rule);
    return end(&l, r, out);
}

void mln_ruleset_free(struct mln_ruleset *set)
{
    if (!set)
        return;
    drop_rules(set->rules, set->n_rules);
    for (size_t i = 0; i < set->n_types; i++)
        mln_expr_env_free((struct mln_expr_env *)(uintptr_t)set->types[i].env);
    mln_arena_free(set->arena_);
    free(set);
}

const struct mln_rule *mln_ruleset_by_id(const struct mln_ruleset *set, struct mln_str id)
{
    const struct mln_rule wanted = {.id = id};
    return set->n_rules ? bsearch(&wanted, set->rules, set->n_rules, sizeof set->rules[0], by_id) : NULL;
}

const struct mln_rule *mln_ruleset_by_key(const struct mln_ruleset *set, struct mln_str key)
{
    for (size_t i = 0; i < set->n_rules; i++)
        if (mln_str_eq_nocase(set->rules[i].key, key))
            return &set->rules[i];
    return NULL;
}

const struct mln_rule_type *mln_ruleset_type(const struct mln_ruleset *set, struct mln_str resource_type)
{
    for (size_t i = 0; i < set->n_types; i++)
        if (mln_str_eq_nocase(set->types[i].resource_type, resource_type))
            return &set->types[i];
    return NULL;
}
