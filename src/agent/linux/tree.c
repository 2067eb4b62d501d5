#include "agent/linux/tree.h"

#include "agent/linux/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

enum { LINE_BYTES = 4096 };

static void find_out_whether_live(struct mln_tree *tree)
{
    struct stat here, top;
    tree->live = fstat(tree->root.fd, &here) == 0 && stat("/", &top) == 0 && here.st_dev == top.st_dev &&
                 here.st_ino == top.st_ino;
}

struct mln_result mln_tree_open(const char *directory, struct mln_tree *out)
{
    *out = (struct mln_tree){0};
    MLN_TRY(mln_root_open(directory, &out->root));
    find_out_whether_live(out);
    return MLN_OK;
}

struct mln_result mln_tree_open_walked(const char *directory, struct mln_tree *out)
{
    MLN_TRY(mln_tree_open(directory, out));
    if (out->root.fence != MLN_ROOT_KERNEL)
        return MLN_OK;
    mln_tree_close(out);
    MLN_TRY(mln_root_open_with(directory, MLN_ROOT_WALK, &out->root));
    find_out_whether_live(out);
    return MLN_OK;
}

void mln_tree_close(struct mln_tree *tree)
{
    mln_root_close(&tree->root);
}

void mln_tree_record(struct mln_tree *tree, struct mln_arena *arena)
{
    tree->record_in = arena;
    tree->seen.n = tree->seen.cap = 0;
    tree->seen.at = NULL;
}

/* Remembers a path. One that finds no room is not watched, and only that. */
static void record(struct mln_tree *tree, const char *path, enum mln_tree_interest interest)
{
    if (!tree->record_in || tree->seen.n >= MLN_TREE_MAX_SEEN || strncmp(path, "/proc/", 6) == 0 ||
        strncmp(path, "/sys/", 5) == 0)
        return;
    struct mln_str name = mln_str_c(path);
    for (size_t i = tree->seen.n; i > 0 && i + 4 > tree->seen.n; i--)
        if (mln_str_eq(tree->seen.at[i - 1].path, name) && tree->seen.at[i - 1].interest == interest)
            return;
    struct mln_str copy = mln_str_dup(tree->record_in, name);
    if (copy.p)
        MLN_IGNORE(mln_vec_push(tree->record_in, &tree->seen, {copy, interest}));
}

struct mln_result mln_tree_fd(struct mln_tree *tree, const char *path, int flags, int *fd)
{
    record(tree, path, flags & O_DIRECTORY ? MLN_TREE_LISTED : MLN_TREE_READ);
    *fd = -1;
    MLN_TRY(mln_root_open_path(&tree->root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC | flags, fd));
    struct stat st;
    if (!(flags & O_DIRECTORY) && (fstat(*fd, &st) != 0 || !S_ISREG(st.st_mode))) {
        close(*fd);
        *fd = -1;
        return mln_fail(MLN_E_INVALID, "%s is not a regular file", path);
    }
    return MLN_OK;
}

static struct mln_result read_all(int fd, const char *path, struct mln_arena *arena, size_t max_bytes,
                                  struct mln_str *text)
{
    struct stat st;
    /* Files of /proc have no size; the others are read in one go unless they grow meanwhile. */
    size_t cap = fstat(fd, &st) == 0 && st.st_size > 0 ? (size_t)st.st_size + 1 : LINE_BYTES;
    if (cap > max_bytes + 1)
        cap = max_bytes + 1;
    char *p = mln_arena_alloc(arena, cap);
    size_t n = 0;
    while (p) {
        ssize_t got = read(fd, p + n, cap - n);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return mln_fail_errno(errno, "%s", path);
        n += (size_t)got;
        if (got == 0)
            break;
        if (n > max_bytes)
            return mln_fail(MLN_E_LIMIT, "%s is longer than %zu bytes", path, max_bytes);
        if (n == cap) {
            cap = cap * 2 > max_bytes + 1 ? max_bytes + 1 : cap * 2;
            char *more = mln_arena_alloc(arena, cap);
            if (more)
                memcpy(more, p, n);
            p = more;
        }
    }
    if (!p)
        return mln_arena_failure(arena);
    *text = (struct mln_str){p, n};
    return MLN_OK;
}

struct mln_result mln_tree_read(struct mln_tree *tree, const char *path, struct mln_arena *arena, size_t max_bytes,
                                struct mln_str *text)
{
    int fd;
    *text = (struct mln_str){NULL, 0};
    MLN_TRY(mln_tree_fd(tree, path, 0, &fd));
    struct mln_result r = read_all(fd, path, arena, max_bytes, text);
    close(fd);
    return r;
}

struct mln_result mln_tree_read_if(struct mln_tree *tree, const char *path, struct mln_arena *arena,
                                   struct mln_str *text)
{
    struct mln_result r = mln_tree_read(tree, path, arena, MLN_TREE_MAX_FILE_BYTES, text);
    return r.code == MLN_E_NOT_FOUND ? MLN_OK : r;
}

struct mln_str mln_tree_line(struct mln_tree *tree, const char *path, struct mln_arena *arena)
{
    char line[LINE_BYTES];
    int fd;
    if (!mln_ok(mln_tree_fd(tree, path, 0, &fd)))
        return (struct mln_str){NULL, 0};
    ssize_t got = read(fd, line, sizeof line);
    close(fd);
    if (got < 0)
        return (struct mln_str){NULL, 0};
    struct mln_str text = {line, (size_t)got}, first = {line, 0};
    mln_str_cut(&text, '\n', &first);
    return mln_str_dup(arena, mln_str_trim(first));
}

bool mln_tree_stat(struct mln_tree *tree, const char *path, bool follow, struct stat *st)
{
    record(tree, path, MLN_TREE_LOOKED);
    int fd;
    if (!mln_ok(mln_root_open_path(&tree->root, path, O_PATH | O_CLOEXEC | (follow ? 0 : O_NOFOLLOW), &fd)))
        return false;
    bool good = fstat(fd, st) == 0;
    close(fd);
    return good;
}

bool mln_tree_exists(struct mln_tree *tree, const char *path)
{
    struct stat st;
    return mln_tree_stat(tree, path, true, &st);
}

struct mln_str mln_tree_link(struct mln_tree *tree, const char *path, struct mln_arena *arena)
{
    char target[PATH_MAX];
    record(tree, path, MLN_TREE_LOOKED);
    int fd;
    if (!mln_ok(mln_root_open_path(&tree->root, path, O_PATH | O_CLOEXEC | O_NOFOLLOW, &fd)))
        return (struct mln_str){NULL, 0};
    ssize_t n = readlinkat(fd, "", target, sizeof target);
    close(fd);
    if (n < 0)
        return (struct mln_str){NULL, 0};
    return mln_str_dup(arena, (struct mln_str){target, (size_t)n});
}

static int by_bytes(const void *a, const void *b)
{
    const struct mln_str *x = a, *y = b;
    return mln_str_cmp(*x, *y);
}

struct mln_result mln_tree_list(struct mln_tree *tree, const char *path, struct mln_arena *arena,
                                struct mln_str **names, size_t *n)
{
    int fd;
    *n = 0;
    *names = NULL;
    struct mln_result r = mln_tree_fd(tree, path, O_DIRECTORY, &fd);
    if (r.code == MLN_E_NOT_FOUND)
        return MLN_OK;
    MLN_TRY(r);
    DIR *dir = fdopendir(fd);
    if (!dir) {
        close(fd);
        return mln_fail_errno(errno, "%s", path);
    }
    MLN_VEC(struct mln_str) list = {0};
    struct dirent *entry;
    while (mln_ok(r) && (entry = readdir(dir))) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        struct mln_str name = mln_str_dup(arena, mln_str_c(entry->d_name));
        if (list.n == MLN_TREE_MAX_NAMES)
            r = mln_fail(MLN_E_LIMIT, "%s has more than %d entries", path, MLN_TREE_MAX_NAMES);
        else
            r = name.p ? mln_vec_push(arena, &list, name) : mln_arena_failure(arena);
    }
    closedir(dir);
    MLN_TRY(r);
    if (list.n)
        qsort(list.at, list.n, sizeof *list.at, by_bytes);
    *names = list.at;
    *n = list.n;
    return MLN_OK;
}

struct glob {
    struct mln_tree *tree;
    struct mln_arena *arena;
    MLN_VEC(struct mln_str) found;
};

/* Adds what matches rest (components without leading slash) below base. */
static struct mln_result expand(struct glob *g, struct mln_str base, struct mln_str rest, int depth)
{
    while (rest.n && rest.p[0] == '/')
        rest = mln_str_sub(rest, 1, rest.n);
    if (depth > 32)
        return mln_fail(MLN_E_LIMIT, "pattern too deep");
    if (!rest.n) {
        if (g->found.n < MLN_TREE_MAX_GLOB && mln_tree_exists(g->tree, base.p))
            return mln_vec_push(g->arena, &g->found, base);
        return MLN_OK;
    }
    struct mln_str component = rest, tail = rest, path;
    mln_str_cut(&tail, '/', &component);
    if (!tail.p)
        tail = MLN_S("");
    bool wild = false;
    for (size_t i = 0; i < component.n; i++)
        wild |= strchr("*?[", component.p[i]) != NULL;
    if (!wild) {
        MLN_TRY_STR(g->arena, path, mln_str_printf(g->arena, "%.*s/%.*s", MLN_FMT(base), MLN_FMT(component)));
        return expand(g, path, tail, depth + 1);
    }
    struct mln_str *names;
    size_t n;
    MLN_TRY(mln_tree_list(g->tree, base.n ? base.p : "/", g->arena, &names, &n));
    for (size_t i = 0; i < n; i++) {
        if ((names[i].p[0] == '.' && component.p[0] != '.') || !mln_text_glob(component, names[i]))
            continue;
        MLN_TRY_STR(g->arena, path, mln_str_printf(g->arena, "%.*s/%.*s", MLN_FMT(base), MLN_FMT(names[i])));
        MLN_TRY(expand(g, path, tail, depth + 1));
    }
    return MLN_OK;
}

struct mln_result mln_tree_glob(struct mln_tree *tree, struct mln_str pattern, struct mln_arena *arena,
                                struct mln_str **paths, size_t *n)
{
    struct glob g = {.tree = tree, .arena = arena};
    *paths = NULL;
    *n = 0;
    MLN_TRY(expand(&g, MLN_S(""), pattern, 0));
    *paths = g.found.at;
    *n = g.found.n;
    return MLN_OK;
}
