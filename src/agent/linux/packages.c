/* Section packages: what is installed, by dpkg or rpm, and which updates wait. */
#include "agent/linux/apt.h"
#include "agent/linux/dpkg.h"
#include "agent/linux/facts.h"
#include "agent/linux/text.h"
#include "agent/linux/version.h"
#include "base/map.h"

struct package {
    struct mln_str name, version, arch, source;
    struct mln_str candidate; /* p NULL: nothing newer seen */
    bool security;
};

struct packages {
    struct mln_facts *f;
    MLN_VEC(struct package) list;
    struct mln_map *by_name; /* name, or name:arch for the second of a name, to index + 1 */
    bool security_list;      /* the list that is being read is one of security fixes */
};

static struct mln_result add(struct packages *p, struct mln_str name, struct mln_str version, struct mln_str arch,
                             struct mln_str source)
{
    struct mln_arena *arena = p->f->arena;
    struct package package = {0};
    if (!mln_facts_room(p->f, p->list.n, MLN_FACTS_MAX_PACKAGES))
        return MLN_OK;
    MLN_TRY_STR(arena, package.name, mln_str_dup(arena, name));
    if (mln_map_get(p->by_name, package.name))
        MLN_TRY_STR(arena, package.name, mln_str_printf(arena, "%.*s:%.*s", MLN_FMT(name), MLN_FMT(arch)));
    MLN_TRY_STR(arena, package.version, mln_str_dup(arena, version));
    MLN_TRY_STR(arena, package.arch, mln_str_dup(arena, arch));
    MLN_TRY_STR(arena, package.source, mln_str_dup(arena, source));
    MLN_TRY(mln_vec_push(arena, &p->list, package));
    return mln_map_put(p->by_name, package.name, (union mln_map_value){.u = p->list.n});
}

static struct mln_result add_dpkg(void *context, const struct mln_dpkg_package *package)
{
    if (!mln_dpkg_is_installed(package))
        return MLN_OK;
    return add(context, mln_str_c(package->name), mln_str_c(package->version), mln_str_c(package->arch),
               mln_str_c(package->source));
}

/* Also the form of images without a package manager: one file per package in status.d. */
static struct mln_result read_dpkg(struct packages *p)
{
    struct mln_str *paths;
    size_t n;
    struct mln_result r = mln_dpkg_read(p->f->tree, "/var/lib/dpkg/status", add_dpkg, p);
    if (r.code != MLN_E_NOT_FOUND)
        MLN_TRY(r);
    MLN_TRY(mln_tree_glob(p->f->tree, MLN_S("/var/lib/dpkg/status.d/*"), p->f->arena, &paths, &n));
    for (size_t i = 0; i < n; i++)
        if (!mln_str_ends(paths[i], MLN_S(".md5sums")))
            MLN_TRY(mln_dpkg_read(p->f->tree, paths[i].p, add_dpkg, p));
    return MLN_OK;
}

static struct mln_result read_rpm(struct packages *p, struct mln_str text)
{
    struct mln_str line, fields[5], version;
    while (mln_text_line(&text, &line, NULL)) {
        size_t n = 0;
        while (n < 5 && mln_str_cut(&line, '\t', &fields[n]))
            n++;
        if (n < 5 || mln_str_eq(fields[0], MLN_S("gpg-pubkey")))
            continue;
        MLN_TRY_STR(p->f->arena, version,
                    mln_str_eq(fields[1], MLN_S("0"))
                        ? mln_str_dup(p->f->arena, fields[2])
                        : mln_str_printf(p->f->arena, "%.*s:%.*s", MLN_FMT(fields[1]), MLN_FMT(fields[2])));
        MLN_TRY(add(p, fields[0], version, fields[3], fields[4]));
    }
    return MLN_OK;
}

/* ---- updates ---- */

static struct package *find(struct packages *p, struct mln_str name, struct mln_str arch)
{
    union mln_map_value *at = mln_map_get(p->by_name, name);
    if (at && arch.n && !mln_str_eq(p->list.at[at->u - 1].arch, arch)) {
        struct mln_str second = mln_str_printf(p->f->arena, "%.*s:%.*s", MLN_FMT(name), MLN_FMT(arch));
        at = second.p ? mln_map_get(p->by_name, second) : NULL;
    }
    return at ? &p->list.at[at->u - 1] : NULL;
}

/* What apt itself would install. */
static struct mln_result read_apt_says(struct packages *p, struct mln_str text)
{
    struct mln_str line;
    struct mln_update update;
    while (mln_text_line(&text, &line, NULL)) {
        if (!mln_apt_update_line(line, &update))
            continue;
        struct package *package = find(p, update.name, MLN_S(""));
        if (!package)
            continue;
        MLN_TRY_STR(p->f->arena, package->candidate, mln_str_dup(p->f->arena, update.candidate));
        package->security = update.security;
    }
    return MLN_OK;
}

/* One entry of a Packages list: the newest version that is newer than what is installed becomes the candidate. */
static struct mln_result see_candidate(void *context, const struct mln_dpkg_package *listed)
{
    struct packages *p = context;
    struct mln_str arch = mln_str_c(listed->arch), version = mln_str_c(listed->version);
    struct package *package = find(p, mln_str_c(listed->name), arch);
    if (!package || !version.n || mln_deb_version_cmp(version, package->version) <= 0)
        return MLN_OK;
    package->security |= p->security_list;
    if (package->candidate.p && mln_deb_version_cmp(version, package->candidate) <= 0)
        return MLN_OK;
    MLN_TRY_STR(p->f->arena, package->candidate, mln_str_dup(p->f->arena, version));
    return MLN_OK;
}

/* Where apt cannot be asked, its lists are compared, if they are there as plain text. *known tells. */
static struct mln_result read_lists(struct packages *p, bool *known)
{
    struct mln_str *names, path;
    size_t n, plain = 0, packed = 0;
    MLN_TRY(mln_tree_list(p->f->tree, "/var/lib/apt/lists", p->f->arena, &names, &n));
    for (size_t i = 0; i < n; i++) {
        size_t at = mln_str_find(names[i], MLN_S("_Packages"), 0);
        if (at == SIZE_MAX)
            continue;
        if (at + strlen("_Packages") != names[i].n) {
            packed++;
            continue;
        }
        plain++;
        p->security_list = mln_str_find(names[i], MLN_S("-security"), 0) != SIZE_MAX;
        MLN_TRY_STR(p->f->arena, path, mln_str_printf(p->f->arena, "/var/lib/apt/lists/%s", names[i].p));
        MLN_TRY(mln_dpkg_read(p->f->tree, path.p, see_candidate, p));
    }
    *known = plain > 0 && packed == 0;
    return MLN_OK;
}

/* ---- settings ---- */

static struct mln_result automatic_updates(struct mln_facts *f, bool *on)
{
    static const char *const unattended[] = {"/usr/bin/unattended-upgrade", "/usr/bin/unattended-upgrades", NULL};
    struct mln_str *paths, text, value = {NULL, 0};
    size_t n;
    MLN_TRY(mln_tree_glob(f->tree, MLN_S("/etc/apt/apt.conf.d/*"), f->arena, &paths, &n));
    for (size_t i = 0; i <= n; i++) { /* apt.conf itself comes last */
        MLN_TRY(mln_tree_read_if(f->tree, i < n ? paths[i].p : "/etc/apt/apt.conf", f->arena, &text));
        struct mln_str said = mln_apt_setting(text, MLN_S("APT::Periodic::Unattended-Upgrade"));
        if (said.p)
            value = said;
    }
    *on = value.p && mln_text_i64(value, 1) > 0 && mln_facts_any_file(f, unattended);
    if (*on)
        return MLN_OK;
    MLN_TRY(mln_tree_read_if(f->tree, "/etc/dnf/automatic.conf", f->arena, &text));
    value = mln_text_ini(text, MLN_S("commands"), MLN_S("apply_updates"));
    *on = mln_text_true(value, false) &&
          mln_tree_exists(f->tree, "/etc/systemd/system/timers.target.wants/dnf-automatic.timer");
    return MLN_OK;
}

static struct mln_result unsigned_repositories(struct mln_facts *f, struct mln_json_writer *w)
{
    static const struct {
        const char *pattern;
        bool deb822;
    } lists[] = {{"/etc/apt/sources.list", false},
                 {"/etc/apt/sources.list.d/*.list", false},
                 {"/etc/apt/sources.list.d/*.sources", true}};
    struct mln_apt_sources sources = {0};
    struct mln_str *paths, text;
    size_t n;
    for (size_t l = 0; l < sizeof lists / sizeof *lists; l++) {
        MLN_TRY(mln_tree_glob(f->tree, mln_str_c(lists[l].pattern), f->arena, &paths, &n));
        for (size_t i = 0; i < n; i++) {
            MLN_TRY(mln_tree_read_if(f->tree, paths[i].p, f->arena, &text));
            MLN_TRY(mln_apt_read_sources(text, lists[l].deb822, f->arena, &sources));
        }
    }
    MLN_TRY(mln_tree_glob(f->tree, MLN_S("/etc/yum.repos.d/*.repo"), f->arena, &paths, &n));
    for (size_t i = 0; i < n; i++) {
        MLN_TRY(mln_tree_read_if(f->tree, paths[i].p, f->arena, &text));
        struct mln_str check = mln_text_ini(text, (struct mln_str){NULL, 0}, MLN_S("gpgcheck"));
        if (check.p && !mln_text_true(check, true))
            MLN_TRY(mln_vec_push(f->arena, &sources.unsigned_uris, paths[i]));
    }
    mln_facts_member_strings(w, "repositoriesUnsigned", sources.unsigned_uris.at, sources.unsigned_uris.n);
    return MLN_OK;
}

/* When the lists were last brought up to date: apt's own stamp, else when their directory last changed. */
static void put_checked_at(struct mln_facts *f, struct mln_json_writer *w)
{
    static const char *const stamps[] = {"/var/lib/apt/periodic/update-success-stamp", "/var/lib/apt/lists",
                                         "/var/cache/dnf"};
    struct stat st;
    for (size_t i = 0; i < sizeof stamps / sizeof *stamps; i++) {
        if (mln_tree_stat(f->tree, stamps[i], true, &st)) {
            mln_json_member_time(w, "updatesCheckedAt", (int64_t)st.st_mtim.tv_sec * 1000);
            return;
        }
    }
}

static void put_packages(struct mln_json_writer *w, const struct packages *p)
{
    mln_json_name(w, MLN_S("installed"));
    mln_json_begin_object(w);
    for (size_t i = 0; i < p->list.n; i++) {
        const struct package *package = &p->list.at[i];
        mln_json_name(w, package->name);
        mln_json_begin_object(w);
        mln_json_member_str(w, "version", package->version);
        mln_json_member_str(w, "arch", package->arch);
        mln_json_member_str(w, "source", package->source);
        mln_json_end_object(w);
    }
    mln_json_end_object(w);
    mln_json_name(w, MLN_S("updates"));
    mln_json_begin_object(w);
    for (size_t i = 0; i < p->list.n; i++) {
        const struct package *package = &p->list.at[i];
        if (!package->candidate.p)
            continue;
        mln_json_name(w, package->name);
        mln_json_begin_object(w);
        mln_json_member_str(w, "current", package->version);
        mln_json_member_str(w, "candidate", package->candidate);
        mln_json_member_bool(w, "security", package->security);
        mln_json_end_object(w);
    }
    mln_json_end_object(w);
}

static struct mln_result collect(struct packages *p, struct mln_json_writer *w)
{
    struct mln_facts *f = p->f;
    bool known = false, automatic;
    struct mln_str apt = mln_program_text(f->outputs, MLN_PROGRAM_APT),
                   rpm = mln_program_text(f->outputs, MLN_PROGRAM_RPM);
    MLN_TRY(read_dpkg(p));
    bool by_dpkg = p->list.n > 0;
    if (by_dpkg && apt.p) {
        MLN_TRY(read_apt_says(p, apt));
        known = true;
    } else if (by_dpkg) {
        MLN_TRY(read_lists(p, &known));
    } else if (rpm.p) {
        MLN_TRY(read_rpm(p, rpm));
    } else {
        return mln_fail(MLN_E_NOT_FOUND, "neither a dpkg database nor an rpm that answers");
    }
    if (!known)
        mln_facts_note(f, "packages.updates",
                       by_dpkg ? "apt's lists are compressed and apt-get cannot be asked"
                               : "not known for rpm systems");
    MLN_TRY(automatic_updates(f, &automatic));
    mln_json_begin_object(w);
    mln_json_member_str(w, "manager", by_dpkg ? MLN_S("dpkg") : MLN_S("rpm"));
    put_packages(w, p);
    mln_json_member_bool(w, "updatesKnown", known);
    put_checked_at(f, w);
    mln_json_member_bool(w, "automaticUpdates", automatic);
    MLN_TRY(unsigned_repositories(f, w));
    mln_json_end_object(w);
    return MLN_OK;
}

struct mln_result mln_collect_packages(struct mln_facts *f, struct mln_json_writer *w)
{
    MLN_CLEANUP(mln_map_free) struct mln_map *by_name = mln_map_new(false);
    if (!by_name)
        return mln_fail(MLN_E_MEMORY, "no memory for the packages");
    struct packages p = {.f = f, .by_name = by_name};
    return collect(&p, w);
}
