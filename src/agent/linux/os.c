/* Sections os, kernel, modules, hardware and cloud. */
#include "agent/linux/facts.h"
#include "agent/linux/text.h"
#include "agent/linux/version.h"

#include <sys/utsname.h>

/* A value of os-release: shell quoting, without expansions. */
static struct mln_str shell_value(struct mln_arena *arena, struct mln_str value)
{
    value = mln_text_unquote(value);
    char *out = mln_arena_alloc(arena, value.n + 1);
    size_t n = 0;
    for (size_t i = 0; out && i < value.n; i++) {
        if (value.p[i] == '\\' && i + 1 < value.n)
            i++;
        out[n++] = value.p[i];
    }
    return (struct mln_str){out, n};
}

struct mln_result mln_collect_os(struct mln_facts *f, struct mln_json_writer *w)
{
    static const struct {
        const char *key, *member;
    } members[] = {{"ID", "id"},     {"VERSION_ID", "versionId"},   {"VERSION_CODENAME", "codename"},
                   {"NAME", "name"}, {"PRETTY_NAME", "prettyName"}, {"VARIANT_ID", "variantId"}};
    struct mln_str text, line, key, value, like = {NULL, 0}, word;
    MLN_TRY(mln_tree_read_if(f->tree, "/etc/os-release", f->arena, &text));
    if (!text.p)
        MLN_TRY(mln_tree_read(f->tree, "/usr/lib/os-release", f->arena, MLN_TREE_MAX_FILE_BYTES, &text));
    mln_json_begin_object(w);
    while (mln_text_setting(&text, &line, NULL)) {
        if (!mln_text_pair(line, '=', &key, &value))
            continue;
        MLN_TRY_STR(f->arena, value, shell_value(f->arena, value));
        if (mln_str_eq(key, MLN_S("ID_LIKE")))
            like = value;
        for (size_t i = 0; i < sizeof members / sizeof *members; i++)
            if (mln_str_eq(key, mln_str_c(members[i].key)))
                mln_json_member_str(w, members[i].member, value);
    }
    mln_json_name(w, MLN_S("idLike"));
    mln_json_begin_array(w);
    while (mln_text_word(&like, &word))
        mln_json_put_str(w, word);
    mln_json_end_array(w);
    mln_json_end_object(w);
    return MLN_OK;
}

/* ---- kernel ---- */

/* The word that is in brackets: "none [integrity] confidentiality". */
static struct mln_str chosen(struct mln_str words)
{
    size_t from = mln_str_find(words, MLN_S("["), 0), to = mln_str_find(words, MLN_S("]"), 0);
    if (from == SIZE_MAX || to == SIZE_MAX || to < from)
        return (struct mln_str){NULL, 0};
    return mln_str_sub(words, from + 1, to);
}

static void put_secure_boot(struct mln_facts *f, struct mln_json_writer *w)
{
    struct mln_str value;
    if (!mln_tree_exists(f->tree, "/sys/firmware/efi")) {
        mln_json_member_bool(w, "secureBoot", false);
        return;
    }
    /* four bytes of attributes, then one byte */
    struct mln_result r = mln_tree_read(
        f->tree, "/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c", f->arena, 64, &value);
    if (mln_ok(r) && value.n == 5)
        mln_json_member_bool(w, "secureBoot", value.p[4] == 1);
}

/* Compares the running kernel with the images in /boot of the same flavour; null when it is not one of them. */
static void put_running_newest(struct mln_facts *f, struct mln_json_writer *w, struct mln_str release)
{
    struct mln_str *names, kind = mln_kernel_flavour(release);
    size_t n;
    bool known = false, newest = true;
    if (mln_ok(mln_tree_list(f->tree, "/boot", f->arena, &names, &n))) {
        for (size_t i = 0; i < n; i++) {
            if (!mln_str_starts(names[i], MLN_S("vmlinuz-")))
                continue;
            struct mln_str image = mln_str_sub(names[i], 8, names[i].n);
            known |= mln_str_eq(image, release);
            if (mln_str_eq(mln_kernel_flavour(image), kind) && mln_deb_version_cmp(image, release) > 0)
                newest = false;
        }
    }
    if (known)
        mln_json_member_bool(w, "runningNewest", newest);
}

struct mln_result mln_collect_kernel(struct mln_facts *f, struct mln_json_writer *w)
{
    struct utsname name;
    struct mln_str stat, line, command;
    MLN_TRY(mln_facts_need_live(f));
    if (uname(&name) != 0)
        return mln_fail(MLN_E_IO, "uname failed");
    mln_json_begin_object(w);
    mln_json_member_str(w, "release", mln_str_c(name.release));
    mln_json_member_str(w, "version", mln_str_c(name.version));
    mln_json_member_str(w, "machine", mln_str_c(name.machine));
    MLN_TRY_STR(f->arena, command, mln_text_mask(f->arena, mln_tree_line(f->tree, "/proc/cmdline", f->arena), 4096));
    mln_json_member_str(w, "commandLine", command);
    MLN_TRY(mln_tree_read_if(f->tree, "/proc/stat", f->arena, &stat));
    while (mln_text_line(&stat, &line, NULL))
        if (mln_str_starts(line, MLN_S("btime ")))
            mln_json_member_time(w, "bootTime", mln_text_i64(mln_str_sub(line, 6, line.n), 0) * 1000);
    struct mln_str lockdown = chosen(mln_tree_line(f->tree, "/sys/kernel/security/lockdown", f->arena));
    if (lockdown.p)
        mln_json_member_str(w, "lockdown", lockdown);
    put_secure_boot(f, w);
    mln_json_member_i64(w, "taint", mln_text_i64(mln_tree_line(f->tree, "/proc/sys/kernel/tainted", f->arena), 0));
    put_running_newest(f, w, mln_str_c(name.release));
    mln_json_end_object(w);
    return MLN_OK;
}

/* ---- modules ---- */

static const char *const module_names[] = {"cramfs", "freevxfs",    "hfs",           "hfsplus", "jffs2", "squashfs",
                                           "udf",    "usb-storage", "firewire-core", "dccp",    "sctp",  "rds",
                                           "tipc",   NULL};

/* The same module name, '-' and '_' being one character to the kernel. */
static bool same_module(struct mln_str a, const char *b)
{
    size_t n = strlen(b);
    if (a.n != n)
        return false;
    for (size_t i = 0; i < n; i++)
        if ((a.p[i] == '-' ? '_' : a.p[i]) != (b[i] == '-' ? '_' : b[i]))
            return false;
    return true;
}

/* "kernel/fs/cramfs/cramfs.ko.xz: ..." is cramfs. */
static struct mln_str module_of_path(struct mln_str path)
{
    path = mln_str_sub(path, 0, mln_str_find(path, MLN_S(":"), 0));
    size_t slash = 0;
    for (size_t i = 0; i < path.n; i++)
        if (path.p[i] == '/')
            slash = i + 1;
    path = mln_str_sub(path, slash, path.n);
    return mln_str_sub(path, 0, mln_str_find(path, MLN_S(".ko"), 0));
}

struct module_state {
    bool loaded, available, blocked, built_in;
};
enum { MODULES = sizeof module_names / sizeof *module_names - 1 };

static void find_loaded(struct mln_str proc_modules, struct module_state *states)
{
    struct mln_str line, word;
    while (mln_text_line(&proc_modules, &line, NULL))
        if (mln_text_word(&line, &word))
            for (size_t i = 0; i < MODULES; i++)
                states[i].loaded |= same_module(word, module_names[i]);
}

/* What works without having been loaded is part of the kernel: it has a directory in /sys/module, or its file system or
   protocol is registered. */
static struct mln_result find_built_in(struct mln_facts *f, struct module_state *states)
{
    static const char *const registers[] = {"/proc/filesystems", "/proc/net/protocols"};
    struct mln_str text, line, word;
    bool present[MODULES] = {false};
    for (size_t i = 0; i < MODULES; i++) {
        char path[64];
        snprintf(path, sizeof path, "/sys/module/%s", module_names[i]);
        for (char *c = path + 12; *c; c++)
            *c = *c == '-' ? '_' : *c;
        present[i] = mln_tree_exists(f->tree, path);
    }
    for (size_t r = 0; r < 2; r++) {
        MLN_TRY(mln_tree_read_if(f->tree, registers[r], f->arena, &text));
        while (mln_text_line(&text, &line, NULL))
            while (mln_text_word(&line, &word))
                for (size_t i = 0; i < MODULES; i++)
                    present[i] |= mln_str_eq_nocase(word, mln_str_c(module_names[i])) ||
                                  (mln_str_eq(word, MLN_S("vxfs")) && strcmp(module_names[i], "freevxfs") == 0);
    }
    for (size_t i = 0; i < MODULES; i++) {
        states[i].built_in |= present[i] && !states[i].loaded;
        states[i].loaded |= present[i];
    }
    return MLN_OK;
}

static struct mln_result find_available(struct mln_facts *f, struct module_state *states)
{
    static const char *const lists[] = {"modules.dep", "modules.builtin"};
    struct mln_str *releases, text, line;
    struct utsname name;
    size_t n;
    MLN_TRY(mln_tree_list(f->tree, "/lib/modules", f->arena, &releases, &n));
    for (size_t r = 0; r < n; r++) {
        if (f->tree->live && (uname(&name) != 0 || !mln_str_eq(releases[r], mln_str_c(name.release))))
            continue; /* another kernel's modules cannot be loaded into this one */
        for (size_t l = 0; l < 2; l++) {
            struct mln_str path;
            MLN_TRY_STR(f->arena, path, mln_str_printf(f->arena, "/lib/modules/%s/%s", releases[r].p, lists[l]));
            MLN_TRY(mln_tree_read_if(f->tree, path.p, f->arena, &text));
            while (mln_text_line(&text, &line, NULL))
                for (size_t i = 0; i < MODULES; i++)
                    if (same_module(module_of_path(line), module_names[i]))
                        *(l ? &states[i].built_in : &states[i].available) = true;
        }
    }
    for (size_t i = 0; i < MODULES; i++)
        states[i].available |= states[i].loaded || states[i].built_in;
    return MLN_OK;
}

static void read_modprobe(struct mln_str text, struct module_state *states)
{
    struct mln_str line, verb, module, program;
    while (mln_text_setting(&text, &line, NULL)) {
        if (!mln_text_word(&line, &verb) || !mln_text_word(&line, &module))
            continue;
        bool forbids = mln_str_eq(verb, MLN_S("blacklist")) ||
                       (mln_str_eq(verb, MLN_S("install")) && mln_text_word(&line, &program) &&
                        (mln_str_ends(program, MLN_S("/false")) || mln_str_ends(program, MLN_S("/true"))));
        for (size_t i = 0; forbids && i < MODULES; i++)
            states[i].blocked |= same_module(module, module_names[i]);
    }
}

struct mln_result mln_collect_modules(struct mln_facts *f, struct mln_json_writer *w)
{
    static const char *const patterns[] = {"/etc/modprobe.d/*.conf", "/run/modprobe.d/*.conf",
                                           "/usr/local/lib/modprobe.d/*.conf", "/usr/lib/modprobe.d/*.conf",
                                           "/lib/modprobe.d/*.conf"};
    struct module_state states[MODULES] = {0};
    struct mln_str text, *paths;
    size_t n;
    if (f->tree->live) {
        MLN_TRY(mln_tree_read_if(f->tree, "/proc/modules", f->arena, &text));
        find_loaded(text, states);
        MLN_TRY(find_built_in(f, states));
    }
    MLN_TRY(find_available(f, states));
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        MLN_TRY(mln_tree_glob(f->tree, mln_str_c(patterns[i]), f->arena, &paths, &n));
        for (size_t k = 0; k < n; k++) {
            MLN_TRY(mln_tree_read_if(f->tree, paths[k].p, f->arena, &text));
            read_modprobe(text, states);
        }
    }
    mln_json_begin_object(w);
    for (size_t i = 0; i < MODULES; i++) {
        mln_json_name(w, mln_str_c(module_names[i]));
        mln_json_begin_object(w);
        if (f->tree->live)
            mln_json_member_bool(w, "loaded", states[i].loaded);
        mln_json_member_bool(w, "available", states[i].available);
        mln_json_member_bool(w, "blocked", states[i].blocked);
        mln_json_member_bool(w, "builtIn", states[i].built_in);
        mln_json_end_object(w);
    }
    mln_json_end_object(w);
    return MLN_OK;
}

/* ---- cloud ---- */

struct mln_result mln_collect_cloud(struct mln_facts *f, struct mln_json_writer *w)
{
    static const struct {
        const char *file, *has, *provider;
    } marks[] = {
        {"chassis_asset_tag", "7783-7084-3265-9085-8269-3286-77", "azure"},
        {"sys_vendor", "Amazon EC2", "aws"},
        {"bios_version", "amazon", "aws"},
        {"product_name", "Google Compute Engine", "gcp"},
        {"sys_vendor", "Alibaba Cloud", "alibaba"},
        {"chassis_asset_tag", "OracleCloud", "oracle"},
        {"sys_vendor", "DigitalOcean", "digitalocean"},
        {"sys_vendor", "Hetzner", "hetzner"},
        {"sys_vendor", "Vultr", "vultr"},
        {"sys_vendor", "Scaleway", "scaleway"},
        {"sys_vendor", "OVH", "ovh"},
        {"product_name", "OpenStack", "openstack"},
    };
    MLN_TRY(mln_facts_need_live(f));
    const char *provider = "none", *source = "dmi";
    for (size_t i = 0; i < sizeof marks / sizeof *marks && strcmp(provider, "none") == 0; i++) {
        char path[64];
        snprintf(path, sizeof path, "/sys/class/dmi/id/%s", marks[i].file);
        struct mln_str value = mln_tree_line(f->tree, path, f->arena);
        if (value.p && mln_str_find(value, mln_str_c(marks[i].has), 0) != SIZE_MAX) {
            provider = marks[i].provider;
            source = marks[i].file;
        }
    }
    mln_json_begin_object(w);
    mln_json_member_str(w, "provider", mln_str_c(provider));
    mln_json_member_str(w, "source", mln_str_c(source));
    mln_json_end_object(w);
    return MLN_OK;
}

/* ---- hardware ---- */

struct mln_result mln_collect_hardware(struct mln_facts *f, struct mln_json_writer *w)
{
    struct mln_str text, line, key, value, cpu = {NULL, 0};
    int64_t processors = 0, memory_kib = 0;
    bool virtual = false;
    MLN_TRY(mln_facts_need_live(f));
    MLN_TRY(mln_tree_read_if(f->tree, "/proc/cpuinfo", f->arena, &text));
    while (mln_text_line(&text, &line, NULL)) {
        if (!mln_text_pair(line, ':', &key, &value))
            continue;
        processors += mln_str_eq(key, MLN_S("processor"));
        if (mln_str_eq(key, MLN_S("model name")))
            cpu = value;
        virtual |= mln_str_eq(key, MLN_S("flags")) && mln_str_find(value, MLN_S(" hypervisor"), 0) != SIZE_MAX;
    }
    MLN_TRY(mln_tree_read_if(f->tree, "/proc/meminfo", f->arena, &text));
    while (mln_text_line(&text, &line, NULL))
        if (mln_text_pair(line, ':', &key, &value) && mln_str_eq(key, MLN_S("MemTotal")) &&
            mln_text_word(&value, &line))
            memory_kib = mln_text_i64(line, 0);
    mln_json_begin_object(w);
    mln_json_member_i64(w, "processors", processors);
    mln_json_member_str(w, "processorModel", cpu);
    mln_json_member_i64(w, "memoryBytes", memory_kib * 1024);
    mln_json_member_bool(w, "virtual", virtual);
    mln_json_member_str(w, "vendor", mln_tree_line(f->tree, "/sys/class/dmi/id/sys_vendor", f->arena));
    mln_json_member_str(w, "model", mln_tree_line(f->tree, "/sys/class/dmi/id/product_name", f->arena));
    mln_json_end_object(w);
    return MLN_OK;
}
