/* Sections boot and mandatoryAccess. */
#include "agent/linux/facts.h"
#include "agent/linux/text.h"

static const char *const grub_configs[] = {"/boot/grub/grub.cfg", "/boot/grub2/grub.cfg",
                                           "/boot/efi/EFI/debian/grub.cfg", NULL};

static const char *first_that_exists(struct mln_facts *f, const char *const *paths)
{
    for (; *paths; paths++)
        if (mln_tree_exists(f->tree, *paths))
            return *paths;
    return NULL;
}

/* A password guards the menu when superusers are named and one has a hash; RHEL keeps the hash beside. */
static struct mln_result grub_password(struct mln_facts *f, const char *config, bool *set)
{
    static const char *const user_files[] = {"/boot/grub2/user.cfg", "/boot/grub/user.cfg"};
    struct mln_str text, line;
    bool superusers = false, password = false;
    MLN_TRY(mln_tree_read_if(f->tree, config, f->arena, &text));
    while (mln_text_setting(&text, &line, NULL)) {
        superusers |= mln_str_starts(line, MLN_S("set superusers"));
        password |= mln_str_starts(line, MLN_S("password_pbkdf2 ")) || mln_str_starts(line, MLN_S("password "));
    }
    for (size_t i = 0; i < 2; i++) {
        MLN_TRY(mln_tree_read_if(f->tree, user_files[i], f->arena, &text));
        password |= superusers && mln_str_find(text, MLN_S("GRUB2_PASSWORD=grub.pbkdf2"), 0) != SIZE_MAX;
    }
    *set = superusers && password;
    return MLN_OK;
}

static struct mln_result put_parameters(struct mln_facts *f, struct mln_json_writer *w)
{
    static const char *const keys[] = {"GRUB_CMDLINE_LINUX", "GRUB_CMDLINE_LINUX_DEFAULT"};
    struct mln_str text, word, masked;
    mln_json_name(w, MLN_S("kernelParameters"));
    mln_json_begin_array(w);
    MLN_TRY(mln_tree_read_if(f->tree, f->tree->live ? "/proc/cmdline" : "/etc/default/grub", f->arena, &text));
    for (size_t i = 0; i < (f->tree->live ? 1 : 2); i++) {
        struct mln_str words =
            f->tree->live ? mln_str_trim(text)
                          : mln_text_unquote(mln_text_ini(text, (struct mln_str){NULL, 0}, mln_str_c(keys[i])));
        while (mln_text_word(&words, &word)) {
            MLN_TRY_STR(f->arena, masked, mln_text_mask(f->arena, word, 256));
            mln_json_put_str(w, masked);
        }
    }
    mln_json_end_array(w);
    return MLN_OK;
}

/* "* hard core 0" in limits.conf or below limits.d. */
static struct mln_result cores_limited(struct mln_facts *f, bool *limited)
{
    struct mln_str *paths, text, line, who, kind, item, value;
    size_t n;
    *limited = false;
    MLN_TRY(mln_tree_glob(f->tree, MLN_S("/etc/security/limits.d/*.conf"), f->arena, &paths, &n));
    for (size_t i = 0; i <= n; i++) { /* the main file first: what comes later counts */
        MLN_TRY(mln_tree_read_if(f->tree, i ? paths[i - 1].p : "/etc/security/limits.conf", f->arena, &text));
        while (mln_text_setting(&text, &line, NULL)) {
            if (mln_text_word(&line, &who) && mln_text_word(&line, &kind) && mln_text_word(&line, &item) &&
                mln_text_word(&line, &value) && mln_str_eq(who, MLN_S("*")) && mln_str_eq(item, MLN_S("core")) &&
                (mln_str_eq(kind, MLN_S("hard")) || mln_str_eq(kind, MLN_S("-"))))
                *limited = mln_str_eq(value, MLN_S("0"));
        }
    }
    return MLN_OK;
}

static struct mln_result put_core_dumps(struct mln_facts *f, struct mln_json_writer *w)
{
    static const char *const patterns[] = {"/usr/lib/systemd/coredump.conf.d/*.conf", "/etc/systemd/coredump.conf",
                                           "/run/systemd/coredump.conf.d/*.conf",
                                           "/etc/systemd/coredump.conf.d/*.conf"};
    struct mln_str storage = {NULL, 0}, size = {NULL, 0}, *paths, text;
    size_t n;
    bool limited;
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        MLN_TRY(mln_tree_glob(f->tree, mln_str_c(patterns[i]), f->arena, &paths, &n));
        for (size_t k = 0; k < n; k++) {
            MLN_TRY(mln_tree_read_if(f->tree, paths[k].p, f->arena, &text));
            struct mln_str said = mln_text_ini(text, MLN_S("Coredump"), MLN_S("Storage"));
            storage = said.p ? said : storage;
            said = mln_text_ini(text, MLN_S("Coredump"), MLN_S("ProcessSizeMax"));
            size = said.p ? said : size;
        }
    }
    MLN_TRY(cores_limited(f, &limited));
    mln_json_name(w, MLN_S("coreDumps"));
    mln_json_begin_object(w);
    mln_json_member_bool(w, "limited", limited);
    mln_json_member_str(w, "storage", storage);
    mln_json_member_str(w, "processSizeMax", size);
    mln_json_end_object(w);
    return MLN_OK;
}

/* The key combination restarts the machine unless its target is masked. */
static bool ctrl_alt_del(struct mln_facts *f)
{
    struct mln_str link = mln_tree_link(f->tree, "/etc/systemd/system/ctrl-alt-del.target", f->arena);
    return !link.p || !mln_str_eq(link, MLN_S("/dev/null"));
}

struct mln_result mln_collect_boot(struct mln_facts *f, struct mln_json_writer *w)
{
    static const char *const systemd_boot[] = {"/boot/loader/loader.conf", "/efi/loader/loader.conf",
                                               "/boot/efi/loader/loader.conf", NULL};
    static const char *const prelink[] = {"/usr/sbin/prelink", "/usr/bin/prelink", NULL};
    const char *config = first_that_exists(f, grub_configs);
    struct mln_str loader = config ? MLN_S("grub") : MLN_S("none");
    bool password = false;
    if (config)
        MLN_TRY(grub_password(f, config, &password));
    else if ((config = first_that_exists(f, systemd_boot)))
        loader = MLN_S("systemd-boot");
    mln_json_begin_object(w);
    mln_json_member_str(w, "loader", loader);
    mln_json_member_bool(w, "passwordSet", password);
    mln_json_member_str(w, "configFile", mln_str_c(config));
    mln_json_member_bool(w, "uefi", mln_tree_exists(f->tree, f->tree->live ? "/sys/firmware/efi" : "/boot/efi/EFI"));
    MLN_TRY(put_parameters(f, w));
    MLN_TRY(put_core_dumps(f, w));
    mln_json_member_bool(w, "ctrlAltDel", ctrl_alt_del(f));
    mln_json_member_bool(w, "prelink", mln_facts_any_file(f, prelink));
    mln_json_end_object(w);
    return MLN_OK;
}

/* ---- mandatory access control ---- */

/* Profiles by their mode: "/usr/sbin/cupsd (enforce)". */
static struct mln_result put_profiles(struct mln_facts *f, struct mln_json_writer *w)
{
    int64_t enforce = 0, complain = 0, unconfined = 0;
    struct mln_str text, line;
    MLN_TRY(mln_tree_read_if(f->tree, "/sys/kernel/security/apparmor/profiles", f->arena, &text));
    while (mln_text_line(&text, &line, NULL)) {
        enforce += mln_str_ends(line, MLN_S("(enforce)"));
        complain += mln_str_ends(line, MLN_S("(complain)"));
        unconfined += mln_str_ends(line, MLN_S("(unconfined)"));
    }
    mln_json_member_i64(w, "enforce", enforce);
    mln_json_member_i64(w, "complain", complain);
    mln_json_member_i64(w, "unconfined", unconfined);
    return MLN_OK;
}

static struct mln_result put_selinux(struct mln_facts *f, struct mln_json_writer *w)
{
    struct mln_str config, none = {NULL, 0};
    MLN_TRY(mln_tree_read_if(f->tree, "/etc/selinux/config", f->arena, &config));
    struct mln_str mode = mln_text_ini(config, none, MLN_S("SELINUX"));
    struct mln_str enforcing = f->tree->live ? mln_tree_line(f->tree, "/sys/fs/selinux/enforce", f->arena) : none;
    if (enforcing.p)
        mode = mln_str_eq(enforcing, MLN_S("1")) ? MLN_S("enforcing") : MLN_S("permissive");
    else if (f->tree->live || !mode.p)
        mode = MLN_S("disabled");
    mln_json_name(w, MLN_S("selinux"));
    mln_json_begin_object(w);
    mln_json_member_bool(w, "installed", config.p != NULL);
    mln_json_member_str(w, "mode", mode);
    mln_json_member_str(w, "policy", mln_text_ini(config, none, MLN_S("SELINUXTYPE")));
    mln_json_end_object(w);
    return MLN_OK;
}

struct mln_result mln_collect_mandatoryAccess(struct mln_facts *f, struct mln_json_writer *w)
{
    static const char *const parsers[] = {"/usr/sbin/apparmor_parser", "/sbin/apparmor_parser", NULL};
    struct mln_str on = mln_tree_line(f->tree, "/sys/module/apparmor/parameters/enabled", f->arena);
    mln_json_begin_object(w);
    mln_json_name(w, MLN_S("apparmor"));
    mln_json_begin_object(w);
    mln_json_member_bool(w, "installed", mln_facts_any_file(f, parsers));
    if (f->tree->live)
        mln_json_member_bool(w, "enabled", mln_str_eq(on, MLN_S("Y")));
    if (f->tree->live)
        MLN_TRY(put_profiles(f, w));
    mln_json_end_object(w);
    MLN_TRY(put_selinux(f, w));
    mln_json_end_object(w);
    return MLN_OK;
}
