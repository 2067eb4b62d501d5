/* Section sysctl: the settings in force, from /proc/sys; of a tree that is not live, what its files would set. */
#include "agent/linux/facts.h"
#include "agent/linux/text.h"

enum { MAX_SETTINGS = 4000, MAX_DEPTH = 6, MAX_VALUE_BYTES = 512 };

static const char *const tops[] = {"kernel", "net/core", "net/ipv4", "net/ipv6", "fs", "vm", "dev", NULL};

/* Blanks and line ends folded to one blank each. */
static struct mln_str fold(struct mln_arena *arena, struct mln_str value)
{
    char *out = mln_arena_alloc(arena, value.n + 1);
    size_t n = 0;
    for (size_t i = 0; out && i < value.n; i++) {
        bool blank = strchr(" \t\r\n", value.p[i]) && value.p[i];
        if (!blank)
            out[n++] = value.p[i];
        else if (n && out[n - 1] != ' ')
            out[n++] = ' ';
    }
    return mln_str_trim((struct mln_str){out, n});
}

/* One interface's, or one file system's own settings: there may be thousands, and `all` and `default` tell. */
static bool is_particular(const char *directory, const char *name)
{
    size_t n = strlen(directory);
    bool per_interface =
        (n > 5 && strcmp(directory + n - 5, "/conf") == 0) || (n > 6 && strcmp(directory + n - 6, "/neigh") == 0);
    return per_interface && strcmp(name, "all") != 0 && strcmp(name, "default") != 0;
}

/* Values that change by themselves all the time, or are random, are no settings. */
static bool is_noise(const char *path)
{
    static const char *const noise[] = {"kernel/random/",
                                        "kernel/ns_last_pid",
                                        "fs/dentry-state",
                                        "fs/file-nr",
                                        "fs/inode-nr",
                                        "fs/inode-state",
                                        "fs/aio-nr",
                                        "kernel/pty/nr",
                                        "net/ipv4/tcp_fastopen_key",
                                        "fs/binfmt_misc/",
                                        "kernel/tainted",
                                        "net/ipv6/conf/all/stable_secret",
                                        "net/ipv6/conf/default/stable_secret",
                                        "fs/mqueue/",
                                        "vm/stat_refresh",
                                        "kernel/perf_event_max_sample_rate",
                                        "kernel/perf_cpu_time_max_percent",
                                        NULL};
    for (size_t i = 0; noise[i]; i++)
        if (strncmp(path, noise[i], strlen(noise[i])) == 0)
            return true;
    return false;
}

struct walk {
    struct mln_facts *f;
    struct mln_json_writer *w;
    size_t n;
};

static struct mln_result put_live(struct walk *walk, const char *path)
{
    struct mln_facts *f = walk->f;
    struct mln_str text, name, full;
    if (is_noise(path) || !mln_facts_room(f, walk->n, MAX_SETTINGS))
        return MLN_OK;
    MLN_TRY_STR(f->arena, full, mln_str_printf(f->arena, "/proc/sys/%s", path));
    if (!mln_ok(mln_tree_read(f->tree, full.p, f->arena, MAX_VALUE_BYTES, &text)))
        return MLN_OK; /* write-only, or another user's: not readable is not set */
    MLN_TRY_STR(f->arena, name, mln_str_dup(f->arena, mln_str_c(path)));
    for (size_t i = 0; i < name.n; i++) /* a dot in an interface's name is written as a slash */
        ((char *)(uintptr_t)name.p)[i] = path[i] == '/' ? '.' : path[i] == '.' ? '/' : path[i];
    MLN_TRY_STR(f->arena, text, fold(f->arena, text));
    mln_json_name(walk->w, name);
    mln_json_put_str(walk->w, text);
    walk->n++;
    return MLN_OK;
}

static struct mln_result walk_live(struct walk *walk, const char *path, int depth)
{
    struct mln_facts *f = walk->f;
    struct mln_str *names, directory;
    size_t n;
    MLN_TRY_STR(f->arena, directory, mln_str_printf(f->arena, "/proc/sys/%s", path));
    if (!mln_ok(mln_tree_list(f->tree, directory.p, f->arena, &names, &n)))
        return MLN_OK;
    for (size_t i = 0; i < n; i++) {
        struct stat st;
        struct mln_str below, full;
        if (is_particular(path, names[i].p))
            continue;
        MLN_TRY_STR(f->arena, below, mln_str_printf(f->arena, "%s/%s", path, names[i].p));
        MLN_TRY_STR(f->arena, full, mln_str_printf(f->arena, "/proc/sys/%s", below.p));
        if (!mln_tree_stat(f->tree, full.p, false, &st))
            continue;
        if (S_ISDIR(st.st_mode) && depth < MAX_DEPTH)
            MLN_TRY(walk_live(walk, below.p, depth + 1));
        else if (S_ISREG(st.st_mode) && st.st_mode & 0444)
            MLN_TRY(put_live(walk, below.p));
    }
    return MLN_OK;
}

/* ---- from files ---- */

struct setting {
    struct mln_str name, value;
};
struct settings {
    struct mln_arena *arena;
    MLN_VEC(struct setting) list; /* in the order of first mention */
};

static struct mln_result set(struct settings *s, struct mln_str name, struct mln_str value)
{
    for (size_t i = 0; i < s->list.n; i++) {
        if (mln_str_eq(s->list.at[i].name, name)) {
            s->list.at[i].value = value;
            return MLN_OK;
        }
    }
    return mln_vec_push(s->arena, &s->list, {name, value});
}

/* "net/ipv4/ip_forward" and "net.ipv4.ip_forward" are one name: the first separator tells which one is meant. */
static struct mln_str dotted(struct mln_arena *arena, struct mln_str name)
{
    struct mln_str out = mln_str_dup(arena, name);
    size_t slash = mln_str_find(name, MLN_S("/"), 0), dot = mln_str_find(name, MLN_S("."), 0);
    if (slash < dot)
        for (size_t i = 0; i < out.n; i++)
            ((char *)(uintptr_t)out.p)[i] = name.p[i] == '/' ? '.' : name.p[i] == '.' ? '/' : name.p[i];
    return out;
}

static struct mln_result read_settings(struct settings *s, struct mln_str text)
{
    static const char *const every[] = {"all", "default"};
    struct mln_str line, key, value, name;
    while (mln_text_setting(&text, &line, NULL) && s->list.n < MAX_SETTINGS) {
        if (line.p[0] == '-')
            line = mln_str_sub(line, 1, line.n);
        if (!mln_text_pair(line, '=', &key, &value))
            continue;
        MLN_TRY_STR(s->arena, name, dotted(s->arena, key));
        MLN_TRY_STR(s->arena, value, fold(s->arena, value));
        size_t star = mln_str_find(name, MLN_S(".*."), 0);
        if (star == SIZE_MAX) {
            MLN_TRY(set(s, name, value));
            continue;
        }
        for (size_t i = 0; i < 2; i++) {
            struct mln_str expanded;
            MLN_TRY_STR(s->arena, expanded,
                        mln_str_printf(s->arena, "%.*s.%s.%.*s", (int)star, name.p, every[i],
                                       MLN_FMT(mln_str_sub(name, star + 3, name.n))));
            MLN_TRY(set(s, expanded, value));
        }
    }
    return MLN_OK;
}

struct drop_in {
    struct mln_str name, path;
};

static int by_drop_in(const void *a, const void *b)
{
    const struct drop_in *x = a, *y = b;
    return mln_str_cmp(x->name, y->name);
}

/* The files of sysctl.d in the order in which systemd applies them: sorted by name; of the same name in several
   directories the first directory's counts (sysctl.d(5)). */
static struct mln_result put_from_files(struct mln_facts *f, struct mln_json_writer *w)
{
    static const char *const directories[] = {"/etc/sysctl.d", "/run/sysctl.d", "/usr/local/lib/sysctl.d",
                                              "/usr/lib/sysctl.d", "/lib/sysctl.d"};
    MLN_VEC(struct drop_in) files = {0};
    struct settings s = {.arena = f->arena};
    struct mln_str *names, text;
    size_t n;
    for (size_t d = 0; d < sizeof directories / sizeof *directories; d++) {
        MLN_TRY(mln_tree_list(f->tree, directories[d], f->arena, &names, &n));
        for (size_t i = 0; i < n; i++) {
            struct drop_in file = {.name = names[i]};
            bool hidden = !mln_str_ends(names[i], MLN_S(".conf"));
            for (size_t k = 0; k < files.n && !hidden; k++)
                hidden = mln_str_eq(files.at[k].name, names[i]);
            if (hidden)
                continue;
            MLN_TRY_STR(f->arena, file.path, mln_str_printf(f->arena, "%s/%s", directories[d], names[i].p));
            MLN_TRY(mln_vec_push(f->arena, &files, file));
        }
    }
    if (files.n)
        qsort(files.at, files.n, sizeof *files.at, by_drop_in);
    for (size_t i = 0; i < files.n; i++) {
        MLN_TRY(mln_tree_read_if(f->tree, files.at[i].path.p, f->arena, &text));
        MLN_TRY(read_settings(&s, text));
    }
    if (!mln_tree_exists(f->tree, "/etc/sysctl.d/99-sysctl.conf")) { /* otherwise that is a link to it */
        MLN_TRY(mln_tree_read_if(f->tree, "/etc/sysctl.conf", f->arena, &text));
        MLN_TRY(read_settings(&s, text));
    }
    for (size_t i = 0; i < s.list.n; i++) {
        mln_json_name(w, s.list.at[i].name);
        mln_json_put_str(w, s.list.at[i].value);
    }
    return MLN_OK;
}

struct mln_result mln_collect_sysctl(struct mln_facts *f, struct mln_json_writer *w)
{
    mln_json_begin_object(w);
    if (f->tree->live) {
        struct walk walk = {.f = f, .w = w};
        for (size_t i = 0; tops[i]; i++)
            MLN_TRY(walk_live(&walk, tops[i], 0));
    } else {
        MLN_TRY(put_from_files(f, w));
    }
    mln_json_end_object(w);
    return MLN_OK;
}
