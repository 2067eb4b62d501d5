/* Sections mounts, fstab and encryption. */
#include "agent/linux/facts.h"
#include "agent/linux/mountinfo.h"
#include "agent/linux/text.h"

/* "\040" is a blank, and so on. */
static struct mln_str unescape(struct mln_arena *arena, struct mln_str s)
{
    char *out = mln_arena_alloc(arena, s.n + 1);
    size_t n = 0;
    for (size_t i = 0; out && i < s.n; i++) {
        uint32_t code;
        if (s.p[i] == '\\' && i + 3 < s.n && mln_text_octal(mln_str_sub(s, i + 1, i + 4), &code) && code < 256) {
            out[n++] = (char)code;
            i += 3;
        } else {
            out[n++] = s.p[i];
        }
    }
    return (struct mln_str){out, n};
}

static struct mln_result add(struct mln_mounts *out, struct mln_arena *arena, struct mln_mount mount)
{
    MLN_TRY_STR(arena, mount.source, unescape(arena, mount.source));
    MLN_TRY_STR(arena, mount.target, unescape(arena, mount.target));
    for (size_t i = 0; i < out->list.n; i++) {
        if (mln_str_eq(out->list.at[i].target, mount.target)) {
            out->list.at[i] = mount;
            return MLN_OK;
        }
    }
    return out->list.n < MLN_FACTS_MAX_LIST ? mln_vec_push(arena, &out->list, mount) : MLN_OK;
}

/* "36 35 98:0 /root /target rw,noatime master:1 - ext4 /dev/sda1 rw,errors=continue" */
struct mln_result mln_mountinfo_parse(struct mln_str text, struct mln_arena *arena, struct mln_mounts *out)
{
    struct mln_str line, words[6], word, super;
    while (mln_text_line(&text, &line, NULL)) {
        struct mln_mount mount = {0};
        size_t n = 0;
        while (n < 6 && mln_text_word(&line, &words[n]))
            n++;
        while (n == 6 && mln_text_word(&line, &word) && !mln_str_eq(word, MLN_S("-")))
            ;
        if (n < 6 || !mln_text_word(&line, &mount.type) || !mln_text_word(&line, &mount.source))
            continue;
        mount.target = words[4];
        mount.options = words[5];
        if (mln_text_word(&line, &super))
            MLN_TRY_STR(arena, mount.options,
                        mln_str_printf(arena, "%.*s,%.*s", MLN_FMT(mount.options), MLN_FMT(super)));
        MLN_TRY(add(out, arena, mount));
    }
    return MLN_OK;
}

struct mln_result mln_fstab_parse(struct mln_str text, struct mln_arena *arena, struct mln_mounts *out)
{
    struct mln_str line;
    while (mln_text_setting(&text, &line, NULL)) {
        struct mln_mount mount = {0};
        if (!mln_text_word(&line, &mount.source) || !mln_text_word(&line, &mount.target) ||
            !mln_text_word(&line, &mount.type))
            continue;
        if (!mln_text_word(&line, &mount.options))
            mount.options = MLN_S("defaults");
        if (mln_str_eq(mount.target, MLN_S("none")) || mln_str_eq(mount.target, MLN_S("swap"))) /* it has no place */
            mount.target = mount.source;
        MLN_TRY(add(out, arena, mount));
    }
    return MLN_OK;
}

struct mln_result mln_mounts_now(struct mln_tree *tree, struct mln_arena *arena, struct mln_mounts *out)
{
    struct mln_str text;
    MLN_TRY(mln_tree_read(tree, "/proc/self/mountinfo", arena, 8 << 20, &text));
    return mln_mountinfo_parse(text, arena, out);
}

const struct mln_mount *mln_mounts_find(const struct mln_mounts *mounts, const char *target)
{
    for (size_t i = 0; i < mounts->list.n; i++)
        if (mln_str_eq(mounts->list.at[i].target, mln_str_c(target)))
            return &mounts->list.at[i];
    return NULL;
}

/* Options without those that come twice, and without values that may be secret. */
static void put_options(struct mln_json_writer *w, struct mln_str options)
{
    struct mln_str option, seen = options, earlier;
    mln_json_name(w, MLN_S("options"));
    mln_json_begin_array(w);
    while (mln_str_cut(&options, ',', &option)) {
        bool again = false;
        for (struct mln_str before = mln_str_sub(seen, 0, (size_t)(option.p - seen.p));
             !again && before.n && mln_str_cut(&before, ',', &earlier);)
            again = mln_str_eq(earlier, option);
        if (again || !option.n)
            continue;
        if (mln_str_starts(option, MLN_S("password=")) || mln_str_starts(option, MLN_S("pass=")))
            option = MLN_S("password=***");
        mln_json_put_str(w, option);
    }
    mln_json_end_array(w);
}

static void put_mounts(struct mln_json_writer *w, const struct mln_mounts *mounts)
{
    mln_json_begin_object(w);
    for (size_t i = 0; i < mounts->list.n; i++) {
        const struct mln_mount *mount = &mounts->list.at[i];
        mln_json_name(w, mount->target);
        mln_json_begin_object(w);
        mln_json_member_str(w, "source", mount->source);
        mln_json_member_str(w, "type", mount->type);
        put_options(w, mount->options);
        mln_json_member_bool(w, "separate", true);
        mln_json_end_object(w);
    }
    mln_json_end_object(w);
}

struct mln_result mln_collect_mounts(struct mln_facts *f, struct mln_json_writer *w)
{
    struct mln_mounts mounts = {0};
    MLN_TRY(mln_facts_need_live(f));
    MLN_TRY(mln_mounts_now(f->tree, f->arena, &mounts));
    put_mounts(w, &mounts);
    return MLN_OK;
}

struct mln_result mln_collect_fstab(struct mln_facts *f, struct mln_json_writer *w)
{
    struct mln_mounts mounts = {0};
    struct mln_str text;
    MLN_TRY(mln_tree_read_if(f->tree, "/etc/fstab", f->arena, &text));
    MLN_TRY(mln_fstab_parse(text, f->arena, &mounts));
    put_mounts(w, &mounts);
    return MLN_OK;
}

/* ---- encryption ---- */

enum trinary { NO, YES, UNKNOWN };

static void put_trinary(struct mln_json_writer *w, const char *name, enum trinary value)
{
    if (value != UNKNOWN)
        mln_json_member_bool(w, name, value == YES);
}

/* Whether a block device, or one that it lies on, is a dm-crypt mapping. name as in /sys/class/block. */
static enum trinary is_encrypted(struct mln_facts *f, struct mln_str name, int depth)
{
    struct mln_str *slaves, path = mln_str_printf(f->arena, "/sys/class/block/%.*s/dm/uuid", MLN_FMT(name)), uuid;
    size_t n;
    if (!path.p || depth > 8)
        return UNKNOWN;
    uuid = mln_tree_line(f->tree, path.p, f->arena);
    if (mln_str_starts(uuid, MLN_S("CRYPT-")))
        return YES;
    path = mln_str_printf(f->arena, "/sys/class/block/%.*s", MLN_FMT(name));
    if (!path.p || !mln_tree_exists(f->tree, path.p))
        return UNKNOWN;
    path = mln_str_printf(f->arena, "/sys/class/block/%.*s/slaves", MLN_FMT(name));
    if (!path.p || !mln_ok(mln_tree_list(f->tree, path.p, f->arena, &slaves, &n)))
        return UNKNOWN;
    enum trinary all = n ? YES : NO; /* all that it lies on must be encrypted */
    for (size_t i = 0; i < n && all == YES; i++)
        all = is_encrypted(f, slaves[i], depth + 1);
    return all;
}

/* The kernel's name of a device path: the end of the link for /dev/mapper/x. */
static struct mln_str kernel_name(struct mln_facts *f, struct mln_str device)
{
    const char *path = mln_str_z(f->arena, device);
    struct mln_str link = path ? mln_tree_link(f->tree, path, f->arena) : device, name = link.p ? link : device, part;
    for (struct mln_str rest = name; mln_str_cut(&rest, '/', &part);)
        name = part;
    return name;
}

static enum trinary swap_encrypted(struct mln_facts *f)
{
    struct mln_str text, line, device;
    enum trinary all = UNKNOWN; /* no swap: there is nothing to say */
    if (!mln_ok(mln_tree_read_if(f->tree, "/proc/swaps", f->arena, &text)))
        return UNKNOWN;
    mln_text_line(&text, &line, NULL); /* the heading */
    while (mln_text_line(&text, &line, NULL)) {
        if (!mln_text_word(&line, &device))
            continue;
        bool memory = mln_str_starts(device, MLN_S("/dev/zram")) || mln_str_starts(device, MLN_S("/zram"));
        enum trinary one = memory ? YES : is_encrypted(f, kernel_name(f, device), 0);
        if (all != NO)
            all = one;
    }
    return all;
}

static struct mln_result put_live_encryption(struct mln_facts *f, struct mln_json_writer *w)
{
    struct mln_mounts mounts = {0};
    struct mln_str *names, path;
    size_t n;
    MLN_TRY(mln_mounts_now(f->tree, f->arena, &mounts));
    const struct mln_mount *top = mln_mounts_find(&mounts, "/");
    bool device = top && mln_str_starts(top->source, MLN_S("/dev/"));
    put_trinary(w, "rootEncrypted", device ? is_encrypted(f, kernel_name(f, top->source), 0) : UNKNOWN);
    put_trinary(w, "swapEncrypted", swap_encrypted(f));
    mln_json_name(w, MLN_S("devices"));
    mln_json_begin_array(w);
    MLN_TRY(mln_tree_list(f->tree, "/sys/class/block", f->arena, &names, &n));
    for (size_t i = 0; i < n; i++) {
        if (!mln_str_starts(names[i], MLN_S("dm-")))
            continue;
        MLN_TRY_STR(f->arena, path, mln_str_printf(f->arena, "/sys/class/block/%s/dm/uuid", names[i].p));
        struct mln_str uuid = mln_tree_line(f->tree, path.p, f->arena);
        if (!mln_str_starts(uuid, MLN_S("CRYPT-")))
            continue;
        MLN_TRY_STR(f->arena, path, mln_str_printf(f->arena, "/sys/class/block/%s/dm/name", names[i].p));
        mln_json_begin_object(w);
        mln_json_member_str(w, "name", mln_tree_line(f->tree, path.p, f->arena));
        uuid = mln_str_sub(uuid, strlen("CRYPT-"), uuid.n);
        mln_json_member_str(w, "type", mln_str_sub(uuid, 0, mln_str_find(uuid, MLN_S("-"), 0)));
        mln_json_end_object(w);
    }
    mln_json_end_array(w);
    return MLN_OK;
}

/* What crypttab and fstab say: the root lies on a mapping that crypttab makes. */
static struct mln_result put_planned_encryption(struct mln_facts *f, struct mln_json_writer *w)
{
    struct mln_mounts mounts = {0};
    struct mln_str fstab, crypttab, line, name;
    MLN_TRY(mln_tree_read_if(f->tree, "/etc/fstab", f->arena, &fstab));
    MLN_TRY(mln_fstab_parse(fstab, f->arena, &mounts));
    MLN_TRY(mln_tree_read_if(f->tree, "/etc/crypttab", f->arena, &crypttab));
    const struct mln_mount *top = mln_mounts_find(&mounts, "/");
    enum trinary root = UNKNOWN;
    for (struct mln_str rest = crypttab; top && mln_text_setting(&rest, &line, NULL);)
        if (mln_text_word(&line, &name) && mln_str_starts(top->source, MLN_S("/dev/mapper/")) &&
            mln_str_eq(mln_str_sub(top->source, strlen("/dev/mapper/"), top->source.n), name))
            root = YES;
    put_trinary(w, "rootEncrypted", root);
    put_trinary(w, "swapEncrypted", UNKNOWN);
    mln_json_name(w, MLN_S("devices"));
    mln_json_begin_array(w);
    while (mln_text_setting(&crypttab, &line, NULL)) {
        if (!mln_text_word(&line, &name))
            continue;
        mln_json_begin_object(w);
        mln_json_member_str(w, "name", name);
        mln_json_member_str(w, "type", MLN_S("crypttab"));
        mln_json_end_object(w);
    }
    mln_json_end_array(w);
    return MLN_OK;
}

struct mln_result mln_collect_encryption(struct mln_facts *f, struct mln_json_writer *w)
{
    mln_json_begin_object(w);
    MLN_TRY(f->tree->live ? put_live_encryption(f, w) : put_planned_encryption(f, w));
    mln_json_end_object(w);
    return MLN_OK;
}
