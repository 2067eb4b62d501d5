#include "agent/watch.h"

#include <errno.h>
#include <limits.h>
#include <sys/inotify.h>
#include <unistd.h>

enum {
    NAMES_CHANGE = IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ATTRIB,
    CONTENT_CHANGES = IN_CLOSE_WRITE | IN_MODIFY,
    GONE = IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT | IN_IGNORED,
    EVENT_BYTES = 16 << 10,
};

struct entry {                      /* one path that a section depends on */
    size_t directory;               /* index */
    char *name;                     /* in that directory; "": any */
    char *path;                     /* whole, for polling */
    mln_section_set content, names; /* who reads it, who only looks at it */
    struct stat last;               /* as it was at the last poll */
    bool exists;
};
struct directory {
    char *path;
    int wd; /* -1: not watched, its entries are polled */
    size_t users;
};

struct mln_watch {
    int fd;
    char *root;
    MLN_VEC(struct entry) entries;
    MLN_VEC(struct directory) directories;
};

struct mln_result mln_watch_new(const char *root, struct mln_watch **out)
{
    struct mln_watch *watch = calloc(1, sizeof *watch);
    if (!watch || !(watch->root = strdup(root))) {
        free(watch);
        return mln_fail(MLN_E_MEMORY, "no memory for watches");
    }
    watch->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    *out = watch;
    return MLN_OK;
}

void mln_watch_free(struct mln_watch *watch)
{
    if (!watch)
        return;
    for (size_t i = 0; i < watch->entries.n; i++) {
        free(watch->entries.at[i].name);
        free(watch->entries.at[i].path);
    }
    for (size_t i = 0; i < watch->directories.n; i++)
        free(watch->directories.at[i].path);
    mln_vec_free(&watch->entries);
    mln_vec_free(&watch->directories);
    if (watch->fd >= 0)
        close(watch->fd);
    free(watch->root);
    free(watch);
}

int mln_watch_fd(const struct mln_watch *watch)
{
    return watch->fd;
}

/* ---- setting ---- */

static int add_kernel_watch(const struct mln_watch *watch, const char *path)
{
    if (watch->fd < 0)
        return -1;
    return inotify_add_watch(watch->fd, path,
                             NAMES_CHANGE | CONTENT_CHANGES | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR);
}

static struct mln_result directory_of(struct mln_watch *watch, const char *path, size_t *out)
{
    size_t vacant = SIZE_MAX;
    for (size_t i = 0; i < watch->directories.n; i++) {
        if (watch->directories.at[i].path && strcmp(watch->directories.at[i].path, path) == 0) {
            *out = i;
            return MLN_OK;
        }
        if (!watch->directories.at[i].path)
            vacant = i;
    }
    if (vacant == SIZE_MAX) {
        if (watch->directories.n == MLN_WATCH_MAX_DIRECTORIES)
            return mln_fail(MLN_E_LIMIT, "more than %d directories to watch", MLN_WATCH_MAX_DIRECTORIES);
        MLN_TRY(mln_vec_push(NULL, &watch->directories, {.wd = -1}));
        vacant = watch->directories.n - 1;
    }
    char *copy = strdup(path);
    if (!copy)
        return mln_fail(MLN_E_MEMORY, "no memory for watches");
    watch->directories.at[vacant] = (struct directory){.path = copy, .wd = add_kernel_watch(watch, path)};
    *out = vacant;
    return MLN_OK;
}

static void look(struct entry *entry)
{
    memset(&entry->last, 0, sizeof entry->last);
    entry->exists = stat(entry->path, &entry->last) == 0;
}

static struct mln_result add_entry(struct mln_watch *watch, const char *directory, const char *name, const char *path,
                                   mln_section_set content, mln_section_set names)
{
    size_t place;
    MLN_TRY(directory_of(watch, directory, &place));
    for (size_t i = 0; i < watch->entries.n; i++) {
        struct entry *entry = &watch->entries.at[i];
        if (entry->directory == place && strcmp(entry->name, name) == 0 && strcmp(entry->path, path) == 0) {
            entry->content |= content;
            entry->names |= names;
            return MLN_OK;
        }
    }
    if (watch->entries.n == MLN_WATCH_MAX_PATHS)
        return mln_fail(MLN_E_LIMIT, "more than %d paths to watch", MLN_WATCH_MAX_PATHS);
    struct entry entry = {
        .directory = place, .name = strdup(name), .path = strdup(path), .content = content, .names = names};
    if (!entry.name || !entry.path) {
        free(entry.name);
        free(entry.path);
        return mln_fail(MLN_E_MEMORY, "no memory for watches");
    }
    look(&entry);
    watch->directories.at[place].users++;
    return mln_vec_push(NULL, &watch->entries, entry);
}

/* Adds a path by its directory and name; where that directory is not there, by the nearest one above. */
static struct mln_result add_path(struct mln_watch *watch, const char *path, enum mln_tree_interest interest,
                                  mln_section_set bit)
{
    char directory[PATH_MAX], name[NAME_MAX + 1];
    struct stat st;
    mln_section_set content = interest == MLN_TREE_READ ? bit : 0;
    int n = snprintf(directory, sizeof directory, "%s", path);
    if (n <= 0 || (size_t)n >= sizeof directory)
        return MLN_OK;
    if (interest == MLN_TREE_LISTED && stat(path, &st) == 0 && S_ISDIR(st.st_mode))
        MLN_TRY(add_entry(watch, path, "", path, 0, bit));
    for (char *slash = strrchr(directory, '/'); slash; slash = strrchr(directory, '/')) {
        snprintf(name, sizeof name, "%s", slash + 1);
        if (slash == directory)
            slash++; /* the root keeps its slash */
        *slash = 0;
        if (stat(directory, &st) == 0 && S_ISDIR(st.st_mode))
            return name[0] ? add_entry(watch, directory, name, path, content, bit) : MLN_OK;
        if (strcmp(directory, "/") == 0)
            break;
    }
    return MLN_OK;
}

static void forget(struct mln_watch *watch, mln_section_set bit)
{
    size_t kept = 0;
    for (size_t i = 0; i < watch->entries.n; i++) {
        struct entry *entry = &watch->entries.at[i];
        entry->content &= ~bit;
        entry->names &= ~bit;
        if (entry->content | entry->names) {
            watch->entries.at[kept++] = *entry;
            continue;
        }
        watch->directories.at[entry->directory].users--;
        free(entry->name);
        free(entry->path);
    }
    watch->entries.n = kept;
}

static void drop_unused(struct mln_watch *watch)
{
    for (size_t i = 0; i < watch->directories.n; i++) {
        struct directory *directory = &watch->directories.at[i];
        if (!directory->path || directory->users)
            continue;
        if (directory->wd >= 0)
            inotify_rm_watch(watch->fd, directory->wd);
        free(directory->path);
        *directory = (struct directory){.wd = -1};
    }
}

struct mln_result mln_watch_set(struct mln_watch *watch, unsigned section, const struct mln_tree_seen *paths, size_t n)
{
    mln_section_set bit = UINT64_C(1) << section;
    struct mln_result r = MLN_OK;
    forget(watch, bit);
    for (size_t i = 0; i < n && mln_ok(r); i++) {
        char path[PATH_MAX], real[PATH_MAX];
        int length = snprintf(path, sizeof path, "%s%.*s", watch->root, MLN_FMT(paths[i].path));
        if (length <= 0 || (size_t)length >= sizeof path)
            continue;
        r = add_path(watch, path, paths[i].interest, bit);
        if (mln_ok(r) && realpath(path, real) && strcmp(real, path) != 0) /* what a link leads to changes too */
            r = add_path(watch, real, paths[i].interest, bit);
    }
    drop_unused(watch);
    return r.code == MLN_E_LIMIT ? MLN_OK : r;
}

/* ---- what changed ---- */

static struct directory *directory_by_wd(struct mln_watch *watch, int wd, size_t *index)
{
    for (size_t i = 0; i < watch->directories.n; i++) {
        if (watch->directories.at[i].path && watch->directories.at[i].wd == wd) {
            *index = i;
            return &watch->directories.at[i];
        }
    }
    return NULL;
}

static mln_section_set take_event(struct mln_watch *watch, const struct inotify_event *event)
{
    mln_section_set changed = 0;
    size_t index;
    if (event->mask & IN_Q_OVERFLOW)
        return ~UINT64_C(0);
    struct directory *directory = directory_by_wd(watch, event->wd, &index);
    if (!directory)
        return 0;
    const char *name = event->len ? event->name : "";
    for (size_t i = 0; i < watch->entries.n; i++) {
        const struct entry *entry = &watch->entries.at[i];
        if (entry->directory != index)
            continue;
        if (event->mask & GONE)
            changed |= entry->content | entry->names;
        else if (!entry->name[0] || strcmp(entry->name, name) == 0)
            changed |= event->mask & NAMES_CHANGE ? entry->content | entry->names : entry->content;
    }
    if (event->mask & GONE) /* watched anew when its sections have been looked at */
        directory->wd = -1;
    return changed;
}

mln_section_set mln_watch_read(struct mln_watch *watch)
{
    _Alignas(struct inotify_event) char events[EVENT_BYTES];
    mln_section_set changed = 0;
    for (;;) {
        ssize_t n = watch->fd < 0 ? 0 : read(watch->fd, events, sizeof events);
        if (n <= 0)
            return changed;
        for (char *at = events; at < events + n;) {
            const struct inotify_event *event = (const void *)at;
            changed |= take_event(watch, event);
            at += sizeof *event + event->len;
        }
    }
}

static bool is_same(const struct stat *a, const struct stat *b)
{
    return a->st_ino == b->st_ino && a->st_dev == b->st_dev && a->st_size == b->st_size && a->st_mode == b->st_mode &&
           a->st_uid == b->st_uid && a->st_gid == b->st_gid && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
           a->st_mtim.tv_nsec == b->st_mtim.tv_nsec && a->st_ctim.tv_sec == b->st_ctim.tv_sec &&
           a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

mln_section_set mln_watch_poll(struct mln_watch *watch)
{
    mln_section_set changed = 0;
    for (size_t i = 0; i < watch->entries.n; i++) {
        struct entry *entry = &watch->entries.at[i];
        if (watch->directories.at[entry->directory].wd >= 0)
            continue;
        struct stat before = entry->last;
        bool existed = entry->exists;
        look(entry);
        if (existed != entry->exists || (existed && !is_same(&before, &entry->last)))
            changed |= entry->content | entry->names;
    }
    return changed;
}

bool mln_watch_needs_polls(const struct mln_watch *watch)
{
    struct mln_watch_stats stats;
    mln_watch_stats(watch, &stats);
    return stats.polled > 0;
}

void mln_watch_stats(const struct mln_watch *watch, struct mln_watch_stats *out)
{
    *out = (struct mln_watch_stats){.paths = watch->entries.n};
    for (size_t i = 0; i < watch->directories.n; i++)
        out->directories += watch->directories.at[i].path != NULL;
    for (size_t i = 0; i < watch->entries.n; i++)
        out->polled += watch->directories.at[watch->entries.at[i].directory].wd < 0;
}
