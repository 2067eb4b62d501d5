/* Sections files (paths that baselines name) and fileScan (a walk over the local file systems). */
#include "agent/linux/facts.h"
#include "agent/linux/mountinfo.h"
#include "agent/linux/names.h"
#include "agent/linux/text.h"
#include "base/map.h"

enum { MAX_SCAN_ENTRIES = 5000000, MAX_SCAN_DEPTH = 64, MAX_FINDINGS = 200 };

static const char *type_of(mode_t mode)
{
    if (S_ISREG(mode))
        return "file";
    if (S_ISDIR(mode))
        return "directory";
    if (S_ISLNK(mode))
        return "link";
    if (S_ISSOCK(mode))
        return "socket";
    return S_ISFIFO(mode) ? "pipe" : "device";
}

static struct mln_result put_file(struct mln_facts *f, struct mln_json_writer *w, const char *path)
{
    struct stat link, st;
    bool exists = mln_tree_stat(f->tree, path, false, &link);
    mln_json_name(w, mln_str_c(path));
    mln_json_begin_object(w);
    mln_json_member_bool(w, "exists", exists);
    if (exists) {
        if (!S_ISLNK(link.st_mode) || !mln_tree_stat(f->tree, path, true, &st))
            st = link; /* of a link the rights of what it leads to count */
        mln_json_member_str(w, "type", mln_str_c(type_of(link.st_mode)));
        mln_facts_member_octal(w, "mode", st.st_mode & 07777);
        mln_json_member_i64(w, "modeBits", st.st_mode & 07777);
        mln_json_member_str(w, "owner", mln_names_user(f, st.st_uid));
        mln_json_member_str(w, "group", mln_names_group(f, st.st_gid));
        mln_json_member_i64(w, "uid", st.st_uid);
        mln_json_member_i64(w, "gid", st.st_gid);
    }
    mln_json_end_object(w);
    return MLN_OK;
}

struct mln_result mln_collect_files(struct mln_facts *f, struct mln_json_writer *w)
{
    static const char *const paths[] = {"/etc/passwd",
                                        "/etc/passwd-",
                                        "/etc/shadow",
                                        "/etc/shadow-",
                                        "/etc/group",
                                        "/etc/group-",
                                        "/etc/gshadow",
                                        "/etc/gshadow-",
                                        "/etc/shells",
                                        "/etc/security/opasswd",
                                        "/etc/issue",
                                        "/etc/issue.net",
                                        "/etc/motd",
                                        "/etc/crontab",
                                        "/etc/cron.d",
                                        "/etc/cron.hourly",
                                        "/etc/cron.daily",
                                        "/etc/cron.weekly",
                                        "/etc/cron.monthly",
                                        "/etc/sudoers",
                                        "/etc/sudoers.d",
                                        "/etc/ssh/sshd_config",
                                        "/boot/grub/grub.cfg",
                                        "/boot/grub/user.cfg",
                                        "/boot/grub2/grub.cfg",
                                        "/boot/grub2/user.cfg",
                                        "/boot/loader/loader.conf",
                                        "/etc/audit/auditd.conf",
                                        "/etc/audit/rules.d",
                                        "/var/log/audit",
                                        "/tmp",
                                        "/var/tmp",
                                        "/root",
                                        "/run/docker.sock"};
    static const char *const patterns[] = {"/etc/ssh/sshd_config.d/*.conf", "/etc/ssh/ssh_host_*_key",
                                           "/etc/ssh/ssh_host_*_key.pub"};
    struct mln_str *found;
    size_t n;
    mln_json_begin_object(w);
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        MLN_TRY(put_file(f, w, paths[i]));
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        MLN_TRY(mln_tree_glob(f->tree, mln_str_c(patterns[i]), f->arena, &found, &n));
        for (size_t k = 0; k < n; k++)
            MLN_TRY(put_file(f, w, found[k].p));
    }
    mln_json_end_object(w);
    return MLN_OK;
}

/* ---- the walk ---- */

struct finding {
    struct mln_str path;
    uint32_t mode, uid;
    bool package;
};
struct findings {
    MLN_VEC(struct finding) list;
    bool cut;
};
struct scan {
    struct mln_facts *f;
    const char *top; /* where the file system is mounted, "" for the root */
    struct findings world_writable, unowned, suid, sticky_missing;
    struct mln_result failed;
};

static void add_finding(struct scan *s, struct findings *to, const char *path, const struct stat *st)
{
    if (to->list.n == MAX_FINDINGS) {
        to->cut = true;
        s->f->left_out++;
        return;
    }
    struct mln_str full = mln_str_printf(s->f->arena, "%s/%s", s->top, path);
    s->failed = full.p ? mln_vec_push(s->f->arena, &to->list, {full, st->st_mode & 07777, st->st_uid, false})
                       : mln_arena_failure(s->f->arena);
}

/* What container engines keep belongs to other machines, so to say. */
static bool is_foreign(const char *path)
{
    static const char *const trees[] = {"var/lib/docker/",
                                        "var/lib/containers/",
                                        "var/lib/containerd/",
                                        "var/lib/lxc/",
                                        "var/lib/lxd/",
                                        "var/lib/machines/",
                                        "snap/",
                                        NULL};
    for (size_t i = 0; trees[i]; i++)
        if (strncmp(path, trees[i], strlen(trees[i])) == 0)
            return true;
    return false;
}

static enum mln_walk_step see(void *context, const char *path, const struct stat *st)
{
    struct scan *s = context;
    if (!s->top[0] && is_foreign(path))
        return MLN_WALK_SKIP;
    bool link = S_ISLNK(st->st_mode), writable = (st->st_mode & S_IWOTH) != 0;
    if (!mln_names_has_user(s->f, st->st_uid) || !mln_names_has_group(s->f, st->st_gid))
        add_finding(s, &s->unowned, path, st);
    if (S_ISREG(st->st_mode) && writable)
        add_finding(s, &s->world_writable, path, st);
    if (S_ISREG(st->st_mode) && st->st_mode & (S_ISUID | S_ISGID) && st->st_mode & 0111)
        add_finding(s, &s->suid, path, st);
    if (S_ISDIR(st->st_mode) && writable && !link && !(st->st_mode & S_ISVTX))
        add_finding(s, &s->sticky_missing, path, st);
    return mln_ok(s->failed) ? MLN_WALK_ON : MLN_WALK_STOP;
}

static bool is_local(struct mln_str type)
{
    static const char *const types[] = {"ext2", "ext3", "ext4",     "xfs",      "btrfs", "f2fs",
                                        "jfs",  "zfs",  "bcachefs", "reiserfs", "tmpfs", NULL};
    for (size_t i = 0; types[i]; i++)
        if (mln_str_eq(type, mln_str_c(types[i])))
            return true;
    return false;
}

static struct mln_result walk_one(struct scan *s, const char *top, bool *cut)
{
    s->top = strcmp(top, "/") == 0 ? "" : top;
    struct mln_walk walk = {.max_entries = MAX_SCAN_ENTRIES, .max_depth = MAX_SCAN_DEPTH, .visit = see, .context = s};
    struct mln_result r = mln_root_walk(&s->f->tree->root, top, &walk);
    *cut |= walk.cut;
    MLN_TRY(s->failed);
    return strcmp(top, "/") == 0 ? r : MLN_OK; /* a mount that went away meanwhile is none */
}

/* Marks the programs that a package brought, by the file lists of dpkg. */
static struct mln_result mark_packaged(struct mln_facts *f, struct findings *suid)
{
    MLN_CLEANUP(mln_map_free) struct mln_map *wanted = mln_map_new(false);
    struct mln_str *lists, text, line;
    size_t n;
    if (!wanted)
        return mln_fail(MLN_E_MEMORY, "no memory for the programs found");
    for (size_t i = 0; i < suid->list.n; i++) {
        struct mln_str path = suid->list.at[i].path;
        MLN_TRY(mln_map_put(wanted, path, (union mln_map_value){.p = &suid->list.at[i]}));
        if (mln_str_starts(path, MLN_S("/usr/"))) /* lists from before /bin and /usr/bin became one */
            MLN_TRY(mln_map_put(wanted, mln_str_sub(path, 4, path.n), (union mln_map_value){.p = &suid->list.at[i]}));
    }
    MLN_CLEANUP(mln_arena_free) struct mln_arena *scratch = mln_arena_new(16 << 20);
    if (!scratch)
        return mln_fail(MLN_E_MEMORY, "no memory for the file lists");
    MLN_TRY(mln_tree_list(f->tree, "/var/lib/dpkg/info", f->arena, &lists, &n));
    for (size_t i = 0; i < n && suid->list.n; i++) {
        if (!mln_str_ends(lists[i], MLN_S(".list")))
            continue;
        mln_arena_reset(scratch);
        struct mln_str path;
        MLN_TRY_STR(scratch, path, mln_str_printf(scratch, "/var/lib/dpkg/info/%s", lists[i].p));
        if (!mln_ok(mln_tree_read(f->tree, path.p, scratch, 8 << 20, &text)))
            continue;
        while (mln_text_line(&text, &line, NULL)) {
            union mln_map_value *at = mln_map_get(wanted, line);
            if (at)
                ((struct finding *)at->p)->package = true;
        }
    }
    return MLN_OK;
}

static void put_paths(struct mln_json_writer *w, const char *name, const struct findings *findings)
{
    mln_json_name(w, mln_str_c(name));
    mln_json_begin_array(w);
    for (size_t i = 0; i < findings->list.n; i++)
        mln_json_put_str(w, findings->list.at[i].path);
    mln_json_end_array(w);
}

static void put_suid(struct mln_facts *f, struct mln_json_writer *w, const struct findings *suid, bool by_dpkg)
{
    mln_json_name(w, MLN_S("suid"));
    mln_json_begin_array(w);
    for (size_t i = 0; i < suid->list.n; i++) {
        const struct finding *at = &suid->list.at[i];
        mln_json_begin_object(w);
        mln_json_member_str(w, "path", at->path);
        mln_facts_member_octal(w, "mode", at->mode);
        mln_json_member_str(w, "owner", mln_names_user(f, at->uid));
        if (by_dpkg)
            mln_json_member_bool(w, "package", at->package);
        mln_json_end_object(w);
    }
    mln_json_end_array(w);
}

struct mln_result mln_collect_fileScan(struct mln_facts *f, struct mln_json_writer *w)
{
    struct scan s = {.f = f, .failed = MLN_OK};
    struct mln_mounts mounts = {0};
    bool cut = false;
    MLN_TRY(walk_one(&s, "/", &cut));
    if (f->tree->live) {
        MLN_TRY(mln_mounts_now(f->tree, f->arena, &mounts));
        for (size_t i = 0; i < mounts.list.n; i++) {
            const struct mln_mount *mount = &mounts.list.at[i];
            const char *target = mln_str_z(f->arena, mount->target);
            if (target && target[1] && is_local(mount->type) && !is_foreign(target + 1))
                MLN_TRY(walk_one(&s, target, &cut));
        }
    }
    bool by_dpkg = mln_tree_exists(f->tree, "/var/lib/dpkg/info");
    MLN_TRY(mark_packaged(f, &s.suid));
    mln_json_begin_object(w);
    put_paths(w, "worldWritable", &s.world_writable);
    put_paths(w, "unowned", &s.unowned);
    put_suid(f, w, &s.suid, by_dpkg);
    put_paths(w, "stickyMissing", &s.sticky_missing);
    mln_json_member_bool(w, "truncated",
                         cut || s.world_writable.cut || s.unowned.cut || s.suid.cut || s.sticky_missing.cut);
    mln_json_end_object(w);
    return MLN_OK;
}
