/* Section listeners: which sockets wait for strangers, and whose they are. */
#include "agent/linux/facts.h"
#include "agent/linux/names.h"
#include "agent/linux/procnet.h"
#include "agent/linux/text.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

struct owner { /* the process that holds a socket */
    int64_t pid;
    struct mln_str process, path, service;
};

/* The unit behind a process: the last part of its control group that names one. */
static struct mln_str unit_of(struct mln_str cgroup)
{
    struct mln_str line, part, unit = {NULL, 0};
    while (mln_text_line(&cgroup, &line, NULL)) {
        while (mln_str_cut(&line, '/', &part))
            if (mln_str_ends(part, MLN_S(".service")) || mln_str_ends(part, MLN_S(".socket")))
                unit = part;
        if (unit.p)
            break;
    }
    return unit;
}

static struct mln_result describe(struct mln_facts *f, int64_t pid, struct owner *owner)
{
    char path[64];
    struct mln_str cgroup;
    owner->pid = pid;
    snprintf(path, sizeof path, "/proc/%lld/comm", (long long)pid);
    owner->process = mln_tree_line(f->tree, path, f->arena);
    snprintf(path, sizeof path, "/proc/%lld/exe", (long long)pid);
    char target[PATH_MAX];
    ssize_t n = readlink(path, target, sizeof target);
    if (n > 0)
        MLN_TRY_STR(f->arena, owner->path, mln_str_dup(f->arena, (struct mln_str){target, (size_t)n}));
    snprintf(path, sizeof path, "/proc/%lld/cgroup", (long long)pid);
    if (mln_ok(mln_tree_read(f->tree, path, f->arena, 64 << 10, &cgroup)))
        owner->service = unit_of(cgroup);
    return MLN_OK;
}

/* The socket's number in a link "socket:[12345]"; 0 when it is none. */
static uint64_t inode_of(int dir, const char *name)
{
    char target[64];
    uint64_t inode = 0;
    ssize_t n = readlinkat(dir, name, target, sizeof target);
    struct mln_str link = {target, n > 0 ? (size_t)n : 0};
    if (!mln_str_starts(link, MLN_S("socket:[")) || !mln_ok(mln_str_to_u64(mln_str_sub(link, 8, link.n - 1), &inode)))
        return 0;
    return inode;
}

/* Looks through one process's descriptors. False when they cannot be looked at. */
static bool scan_process(struct mln_facts *f, int64_t pid, const struct mln_sockets *sockets, struct owner *owners,
                         struct mln_result *r)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%lld/fd", (long long)pid);
    DIR *dir = opendir(path);
    if (!dir)
        return false;
    struct dirent *entry;
    while (mln_ok(*r) && (entry = readdir(dir))) {
        uint64_t inode = isdigit((unsigned char)entry->d_name[0]) ? inode_of(dirfd(dir), entry->d_name) : 0;
        for (size_t i = 0; inode && i < sockets->list.n; i++)
            if (sockets->list.at[i].inode == inode && !owners[i].pid)
                *r = describe(f, pid, &owners[i]);
    }
    closedir(dir);
    return true;
}

static int by_pid(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* Of several processes that share a socket, the one with the lowest id is its owner. */
static struct mln_result find_owners(struct mln_facts *f, const struct mln_sockets *sockets, struct owner *owners)
{
    struct mln_str *names;
    size_t n, n_pids = 0, closed = 0;
    int64_t *pids;
    MLN_TRY(mln_tree_list(f->tree, "/proc", f->arena, &names, &n));
    MLN_TRY_ARRAY(f->arena, pids, n);
    for (size_t i = 0; i < n; i++)
        if (mln_ok(mln_str_to_i64(names[i], &pids[n_pids])))
            n_pids++;
    if (n_pids)
        qsort(pids, n_pids, sizeof *pids, by_pid);
    struct mln_result r = MLN_OK;
    for (size_t i = 0; i < n_pids && mln_ok(r); i++)
        closed += !scan_process(f, pids[i], sockets, owners, &r);
    for (size_t i = 0; closed && i < sockets->list.n; i++) {
        if (!owners[i].pid) {
            mln_facts_note(f, "listeners.process", "other users' processes may not be looked into");
            break;
        }
    }
    return r;
}

static void put_listener(struct mln_facts *f, struct mln_json_writer *w, const struct mln_socket *socket,
                         const struct owner *owner)
{
    char address[MLN_ADDRESS_TEXT];
    mln_json_begin_object(w);
    mln_json_member_str(w, "protocol", socket->udp ? MLN_S("udp") : MLN_S("tcp"));
    mln_json_member_i64(w, "family", socket->family);
    mln_json_member_str(w, "address", mln_socket_address(socket, address));
    mln_json_member_i64(w, "port", socket->port);
    mln_json_member_bool(w, "loopback", mln_socket_is_loopback(socket));
    mln_facts_member_number(w, "pid", owner->pid, 0);
    mln_json_member_str(w, "process", owner->process);
    mln_json_member_str(w, "path", owner->path);
    mln_json_member_str(w, "user", mln_names_user(f, socket->uid));
    mln_json_member_str(w, "service", owner->service);
    mln_json_end_object(w);
}

struct mln_result mln_collect_listeners(struct mln_facts *f, struct mln_json_writer *w)
{
    static const struct {
        const char *path;
        bool udp;
    } files[] = {
        {"/proc/net/tcp", false}, {"/proc/net/tcp6", false}, {"/proc/net/udp", true}, {"/proc/net/udp6", true}};
    struct mln_sockets sockets = {0};
    struct mln_str text;
    struct owner *owners;
    MLN_TRY(mln_facts_need_live(f));
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        struct mln_result r = mln_tree_read(f->tree, files[i].path, f->arena, 32 << 20, &text);
        if (r.code == MLN_E_NOT_FOUND && i > 0) /* a kernel without IPv6 */
            continue;
        MLN_TRY(r);
        MLN_TRY(mln_procnet_read(text, files[i].udp, f->arena, MLN_FACTS_MAX_LISTENERS, &sockets, &f->left_out));
    }
    if (sockets.list.n)
        qsort(sockets.list.at, sockets.list.n, sizeof *sockets.list.at, mln_socket_order);
    MLN_TRY_ARRAY(f->arena, owners, sockets.list.n);
    MLN_TRY(find_owners(f, &sockets, owners));
    mln_json_begin_array(w);
    for (size_t i = 0; i < sockets.list.n; i++)
        put_listener(f, w, &sockets.list.at[i], &owners[i]);
    mln_json_end_array(w);
    return MLN_OK;
}
