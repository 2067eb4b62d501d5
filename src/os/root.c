#include "os/root.h"

#include "base/vec.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>

enum {
    NAME_MAX_BYTES = 256,
    RETRIES = 8,
    WALK_DEPTH_MOST = 128,
    WALK_NAMES_MOST = 200 * 1000, /* of one directory; more are cut */
    WALK_NAMES_BYTES = WALK_NAMES_MOST * (NAME_MAX_BYTES + 32),
    WALK_PATH_BYTES = 64 * 1024,
};

static struct mln_result fail_path(int error, const char *path)
{
    if (error == ENOTDIR)
        return mln_fail(MLN_E_NOT_FOUND, "%s: a part of it is not a directory", path);
    if (error == ELOOP || error == EXDEV)
        return mln_fail(MLN_E_FORBIDDEN, "%s: a link that is not followed", path);
    return mln_fail_errno(error, "opening %s", path);
}

static int open_in_root(int root, const char *path, int flags)
{
    struct open_how how = {.flags = (unsigned)flags, .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
    int fd = -1;
    /* EAGAIN: somebody moved a directory while ".." was being looked up. */
    for (int i = 0; i < RETRIES; i++) {
        fd = (int)syscall(SYS_openat2, root, path, &how, sizeof how);
        if (fd >= 0 || errno != EAGAIN)
            break;
    }
    return fd;
}

const char *mln_root_fence_word(enum mln_root_fence fence)
{
    static const char *const words[] = {"kernel", "walk", "none"};
    return words[fence];
}

struct mln_result mln_root_open_with(const char *path, enum mln_root_fence fence, struct mln_root *out)
{
    *out = (struct mln_root){.fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC), .fence = fence};
    return out->fd < 0 ? fail_path(errno, path) : MLN_OK;
}

struct mln_result mln_root_open(const char *path, struct mln_root *out)
{
    MLN_TRY(mln_root_open_with(path, MLN_ROOT_NONE, out));
    struct stat top, here;
    if (!stat("/", &top) && !fstat(out->fd, &here) && top.st_dev == here.st_dev && top.st_ino == here.st_ino)
        return MLN_OK;
    int probe = open_in_root(out->fd, ".", O_PATH | O_CLOEXEC);
    out->fence = probe < 0 ? MLN_ROOT_WALK : MLN_ROOT_KERNEL;
    if (probe >= 0)
        close(probe);
    return MLN_OK;
}

void mln_root_close(struct mln_root *root)
{
    if (root->fd >= 0)
        close(root->fd);
    root->fd = -1;
}

/* One part of a walked path: neither ".." nor a link, which could lead out. */
static struct mln_result open_part(int directory, struct mln_str part, int flags, const char *path, int *out)
{
    char name[NAME_MAX_BYTES];
    if (mln_str_eq(part, MLN_S("..")))
        return mln_fail(MLN_E_UNSUPPORTED, "%s: \"..\" is not followed without openat2", path);
    if (part.n >= sizeof name)
        return mln_fail(MLN_E_NOT_FOUND, "%s: a name too long", path);
    memcpy(name, part.p, part.n);
    name[part.n] = '\0';
    MLN_FD_CLEANUP int look = openat(directory, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    struct stat at;
    if (look < 0 || fstat(look, &at))
        return fail_path(errno, path);
    bool itself = (flags & (O_PATH | O_NOFOLLOW)) == (O_PATH | O_NOFOLLOW); /* the link is what is asked for */
    if (S_ISLNK(at.st_mode) && !itself)
        return mln_fail(MLN_E_UNSUPPORTED, "%s: a link is not followed without openat2", path);
    *out = openat(directory, name, flags | O_NOFOLLOW);
    return *out < 0 ? fail_path(errno, path) : MLN_OK;
}

static struct mln_result open_walking(int root, const char *path, int flags, int *out)
{
    MLN_FD_CLEANUP int at = fcntl(root, F_DUPFD_CLOEXEC, 0);
    struct mln_str rest = mln_str_c(path), part, last = MLN_S(".");
    bool any = false;
    if (at < 0)
        return fail_path(errno, path);
    while (mln_str_cut(&rest, '/', &part)) {
        if (!part.n || mln_str_eq(part, MLN_S(".")))
            continue;
        if (any) {
            int next = -1;
            MLN_TRY(open_part(at, last, O_PATH | O_DIRECTORY | O_CLOEXEC, path, &next));
            close(at);
            at = next;
        }
        last = part;
        any = true;
    }
    return open_part(at, last, flags, path, out);
}

struct mln_result mln_root_open_path(const struct mln_root *root, const char *path, int open_flags, int *fd)
{
    const char *relative = path + strspn(path, "/");
    int flags = (open_flags & ~O_CREAT) | O_CLOEXEC;
    if (!*relative)
        relative = ".";
    *fd = -1;
    if (root->fence == MLN_ROOT_WALK)
        return open_walking(root->fd, relative, flags, fd);
    *fd = root->fence == MLN_ROOT_KERNEL ? open_in_root(root->fd, relative, flags) : openat(root->fd, relative, flags);
    return *fd < 0 ? fail_path(errno, path) : MLN_OK;
}

static int nolink_of(unsigned flags)
{
    return flags & MLN_FILE_NOLINK ? O_NOFOLLOW : 0;
}

struct mln_result mln_root_read(const struct mln_root *root, const char *path, unsigned flags, struct mln_buf *out)
{
    MLN_FD_CLEANUP int fd = -1;
    MLN_TRY(mln_root_open_path(root, path, O_RDONLY | O_NOCTTY | O_NONBLOCK | nolink_of(flags), &fd));
    return mln_file_read_fd(fd, path, flags, out);
}

struct mln_result mln_root_stat(const struct mln_root *root, const char *path, unsigned flags, struct stat *out)
{
    MLN_FD_CLEANUP int fd = -1;
    MLN_TRY(mln_root_open_path(root, path, O_PATH | nolink_of(flags), &fd));
    return fstat(fd, out) ? fail_path(errno, path) : MLN_OK;
}

static void close_directory(DIR *directory)
{
    closedir(directory);
}
MLN_DEFINE_CLEANUP(DIR, close_directory)

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The names in the directory fd, which is taken over. */
static struct mln_result list(int fd, const char *path, struct mln_arena *arena, size_t max, struct mln_dir_names *out)
{
    MLN_VEC(const char *) names = {0};
    *out = (struct mln_dir_names){0};
    MLN_CLEANUP(close_directory) DIR *directory = fdopendir(fd);
    if (!directory) {
        int error = errno;
        close(fd);
        return fail_path(error, path);
    }
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(directory);
        if (!entry && errno)
            return mln_fail_errno(errno, "listing %s", path);
        if (!entry)
            break;
        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
            continue;
        if (names.n == max) {
            out->cut = true;
            break;
        }
        const char *name = mln_str_z(arena, mln_str_c(entry->d_name));
        if (!name)
            return mln_arena_failure(arena);
        MLN_TRY(mln_vec_push(arena, &names, name));
    }
    if (names.n)
        qsort(names.at, names.n, sizeof *names.at, by_bytes);
    out->at = names.at;
    out->n = names.n;
    return MLN_OK;
}

struct mln_result mln_root_list(const struct mln_root *root, const char *path, struct mln_arena *arena, size_t max,
                                struct mln_dir_names *out)
{
    int fd;
    MLN_TRY(mln_root_open_path(root, path, O_RDONLY | O_DIRECTORY, &fd));
    return list(fd, path, arena, max, out);
}

/* Where a walk is: its directories from the start down, each open, with its names and the next of them. */
struct level {
    int fd;
    struct mln_arena *arena;
    struct mln_dir_names names;
    size_t next;
    size_t path_bytes; /* of the path that leads here */
};

struct walker {
    struct mln_walk *walk;
    dev_t device;
    struct level levels[WALK_DEPTH_MOST];
    size_t depth;
    struct mln_buf path;
};

static void leave(struct walker *walker)
{
    struct level *level = &walker->levels[--walker->depth];
    close(level->fd);
    mln_arena_free(level->arena);
}

/* Goes into a directory whose descriptor is taken over; one that cannot be listed is counted. */
static struct mln_result enter(struct walker *walker, int fd)
{
    struct level *level = &walker->levels[walker->depth];
    *level = (struct level){.fd = fd, .arena = mln_arena_new(WALK_NAMES_BYTES), .path_bytes = walker->path.n};
    if (!level->arena) {
        close(fd);
        return mln_fail(MLN_E_MEMORY, "no memory for a directory");
    }
    walker->depth++;
    int listing = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct mln_result r = listing < 0 ? mln_fail_errno(errno, "listing %s", walker->path.p ? walker->path.p : ".")
                                      : list(listing, "a directory", level->arena, WALK_NAMES_MOST, &level->names);
    if (r.code == MLN_E_MEMORY || r.code == MLN_E_LIMIT)
        return r;
    if (!mln_ok(r))
        walker->walk->unreadable++;
    walker->walk->cut |= level->names.cut;
    return MLN_OK;
}

/* Goes into the directory name, seen as at, where the walk's bounds let it. */
static struct mln_result descend(struct walker *walker, const struct level *level, const char *name,
                                 const struct stat *at)
{
    if (at->st_dev != walker->device)
        return MLN_OK;
    if (walker->depth >= walker->walk->max_depth || walker->depth == WALK_DEPTH_MOST) {
        walker->walk->cut = true;
        return MLN_OK;
    }
    int fd = openat(level->fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    struct stat opened;
    if (fd < 0 || fstat(fd, &opened) || opened.st_dev != at->st_dev || opened.st_ino != at->st_ino) {
        if (fd >= 0)
            close(fd);
        walker->walk->unreadable++;
        return MLN_OK;
    }
    return enter(walker, fd);
}

/* Visits the next name of the deepest directory, or leaves it when there is none. */
static struct mln_result step(struct walker *walker, bool *stop)
{
    struct level *level = &walker->levels[walker->depth - 1];
    struct mln_walk *walk = walker->walk;
    walker->path.n = level->path_bytes;
    if (level->next == level->names.n) {
        leave(walker);
        return MLN_OK;
    }
    if (walk->entries == walk->max_entries) {
        walk->cut = *stop = true;
        return MLN_OK;
    }
    const char *name = level->names.at[level->next++];
    struct stat at;
    if (fstatat(level->fd, name, &at, AT_SYMLINK_NOFOLLOW)) {
        walk->unreadable++;
        return MLN_OK;
    }
    MLN_TRY(mln_buf_printf(&walker->path, "%s%s", walker->path.n ? "/" : "", name));
    walk->entries++;
    enum mln_walk_step say = walk->visit(walk->context, walker->path.p, &at);
    *stop = say == MLN_WALK_STOP;
    if (say == MLN_WALK_ON && S_ISDIR(at.st_mode))
        return descend(walker, level, name, &at);
    return MLN_OK;
}

struct mln_result mln_root_walk(const struct mln_root *root, const char *path, struct mln_walk *walk)
{
    walk->entries = walk->unreadable = 0;
    walk->cut = false;
    int fd;
    struct stat start;
    MLN_TRY(mln_root_open_path(root, path, O_RDONLY | O_DIRECTORY, &fd));
    struct walker *walker = calloc(1, sizeof *walker);
    if (!walker || fstat(fd, &start)) {
        close(fd);
        free(walker);
        return mln_fail(MLN_E_MEMORY, "no memory for a walk");
    }
    walker->walk = walk;
    walker->device = start.st_dev;
    walker->path = MLN_BUF(WALK_PATH_BYTES);
    bool stop = false;
    struct mln_result r = enter(walker, fd);
    while (mln_ok(r) && walker->depth && !stop)
        r = step(walker, &stop);
    while (walker->depth)
        leave(walker);
    mln_buf_free(&walker->path);
    free(walker);
    return r;
}
