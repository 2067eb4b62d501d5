/* Section packages: what is installed, by dpkg or rpm, and which updates wait. */
#include "agent/linux/apt.h"
#include "agent/linux/dpkg.h"
#include "agent/linux/facts.h"
#include "agent/linux/rpm.h"
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
    bool security_known;     /* updates are told apart at all */
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

static struct package *find(struct packages *p, struct mln_str name, struct mln_str arch)
{
    union mln_map_value *at = mln_map_get(p->by_name, name);
    if (at && arch.n && !mln_str_eq(p->list.at[at->u - 1].arch, arch)) {
        struct mln_str second = mln_str_printf(p->f->arena, "%.*s:%.*s", MLN_FMT(name), MLN_FMT(arch));
        at = second.p ? mln_map_get(p->by_name, second) : NULL;
    }
    return at ? &p->list.at[at->u - 1] : NULL;
}

static struct mln_result add_rpm(struct packages *p, const struct mln_rpm_package *said)
{
    struct mln_str version;
    MLN_TRY_STR(p->f->arena, version, mln_rpm_version(p->f->arena, said));
    struct package *same = find(p, said->name, said->arch);
    if (!same)
        return add(p, said->name, version, said->arch, said->source);
    if (mln_rpm_version_cmp(version, same->version) > 0) /* kernels stay beside each other: the newest counts */
        same->version = version;
    return MLN_OK;
}

static struct mln_result read_rpm(struct packages *p, struct mln_str text)
{
    struct mln_str line;
    struct mln_rpm_package said;
    while (mln_text_line(&text, &line, NULL))
        if (mln_rpm_installed_line(line, &said))
            MLN_TRY(add_rpm(p, &said));
    return MLN_OK;
}

/* ---- updates ---- */

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

/* A package may change its arch from one version to the next (to noarch), so the name alone will do. */
static struct package *find_rpm(struct packages *p, const struct mln_rpm_package *said)
{
    struct package *package = find(p, said->name, said->arch);
    return package ? package : find(p, said->name, MLN_S(""));
}

static struct mln_result see_rpm_update(struct packages *p, const struct mln_rpm_package *said)
{
    struct package *package = find_rpm(p, said);
    if (package)
        MLN_TRY_STR(p->f->arena, package->candidate, mln_rpm_version(p->f->arena, said));
    return MLN_OK;
}

static void see_rpm_security(struct packages *p, const struct mln_rpm_package *said)
{
    struct package *package = find_rpm(p, said);
    if (package)
        package->security = true;
}

static struct mln_result read_dnf_says(struct packages *p, struct mln_str updates, struct mln_str security)
{
    struct mln_str line;
    struct mln_rpm_package said;
    while (mln_text_line(&updates, &line, NULL))
        if (mln_dnf_update_line(line, &said))
            MLN_TRY(see_rpm_update(p, &said));
    while (mln_text_line(&security, &line, NULL))
        if (mln_dnf_update_line(line, &said))
            see_rpm_security(p, &said);
    return MLN_OK;
}

static struct mln_result read_yum_says(struct packages *p, struct mln_str updates, struct mln_str security)
{
    struct mln_str line;
    struct mln_rpm_package said;
    while (mln_yum_next_update(&updates, &said))
        MLN_TRY(see_rpm_update(p, &said));
    while (mln_text_line(&security, &line, NULL))
        if (mln_yum_security_line(line, &said))
            see_rpm_security(p, &said);
    return MLN_OK;
}

/* Whether a repository says at all which updates are for security: CentOS's own did not. */
static struct mln_result any_advisories(struct mln_facts *f, bool *any)
{
    static const char *const patterns[] = {"/var/cache/dnf/*/repodata/*updateinfo*",
                                           "/var/cache/libdnf5/*/repodata/*updateinfo*",
                                           "/var/cache/yum/*/*/*/*updateinfo*"};
    struct mln_str *paths;
    size_t n = 0;
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns && n == 0; i++)
        MLN_TRY(mln_tree_glob(f->tree, mln_str_c(patterns[i]), f->arena, &paths, &n));
    *any = n > 0;
    return MLN_OK;
}

/* What dnf, or where that is not there yum, would install. *known tells whether one of them answered. */
static struct mln_result read_rpm_updates(struct packages *p, bool *known)
{
    enum { YUM_HAS_UPDATES = 100 };
    const struct mln_program_output *outputs = p->f->outputs;
    struct mln_str updates = mln_program_text(outputs, MLN_PROGRAM_DNF_UPDATES),
                   security = mln_program_text(outputs, MLN_PROGRAM_DNF_SECURITY);
    bool advisories;
    *known = true;
    if (updates.p) {
        MLN_TRY(read_dnf_says(p, updates, security));
    } else {
        updates = mln_program_text_or(outputs, MLN_PROGRAM_YUM_UPDATES, YUM_HAS_UPDATES);
        security = mln_program_text(outputs, MLN_PROGRAM_YUM_SECURITY);
        *known = updates.p != NULL;
        MLN_TRY(read_yum_says(p, updates, security));
    }
    MLN_TRY(any_advisories(p->f, &advisories));
    p->security_known = security.p && advisories;
    return MLN_OK;
}

/* Why the updates are not known. */
static const char *no_updates(const struct mln_facts *f, bool by_dpkg)
{
    if (by_dpkg)
        return "apt's lists are compressed and apt-get cannot be asked";
    if (!mln_tree_exists(f->tree, "/usr/bin/dnf"))
        return "neither dnf nor yum answers";
    const char *error = f->outputs[MLN_PROGRAM_DNF_UPDATES].error;
    return error[0] ? error : "dnf does not answer";
}

/* Looks at every place that rpm's database has had, so that a change of it is seen wherever it is. */
static bool has_rpm_database(struct mln_facts *f)
{
    static const char *const files[] = {"/var/lib/rpm/rpmdb.sqlite",          "/var/lib/rpm/rpmdb.sqlite-wal",
                                        "/var/lib/rpm/Packages.db",           "/var/lib/rpm/Packages",
                                        "/usr/lib/sysimage/rpm/rpmdb.sqlite", "/usr/lib/sysimage/rpm/rpmdb.sqlite-wal",
                                        "/usr/lib/sysimage/rpm/Packages.db"};
    bool any = false;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        any |= mln_tree_exists(f->tree, files[i]);
    return any;
}

static struct mln_result no_packages(const struct mln_facts *f, bool rpm)
{
    if (!rpm)
        return mln_fail(MLN_E_NOT_FOUND, "neither a dpkg database nor an rpm that answers");
    if (!f->tree->live)
        return mln_fail(MLN_E_UNSUPPORTED, "only rpm can read its database, and no program is run for a tree");
    return mln_fail(MLN_E_NOT_FOUND, "rpm tells no packages: %s", f->outputs[MLN_PROGRAM_RPM].error);
}

/* ---- settings ---- */

static struct mln_result unattended_upgrades(struct mln_facts *f, bool *on)
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
    return MLN_OK;
}

/* dnf-automatic, and yum-cron before it: a timer or a service that starts it, and a setting that lets it install. */
static struct mln_result dnf_automatic(struct mln_facts *f, bool *on)
{
    static const struct {
        const char *enabled, *config; /* config NULL: the unit itself says that it installs */
    } ways[] = {
        {"/etc/systemd/system/timers.target.wants/dnf-automatic-install.timer", NULL},
        {"/etc/systemd/system/timers.target.wants/dnf-automatic.timer", "/etc/dnf/automatic.conf"},
        {"/etc/systemd/system/timers.target.wants/dnf5-automatic.timer", "/etc/dnf/automatic.conf"},
        {"/etc/systemd/system/multi-user.target.wants/yum-cron.service", "/etc/yum/yum-cron.conf"},
    };
    struct mln_str text;
    *on = false;
    for (size_t i = 0; i < sizeof ways / sizeof *ways && !*on; i++) {
        if (!mln_tree_exists(f->tree, ways[i].enabled))
            continue;
        *on = !ways[i].config;
        if (*on)
            break;
        MLN_TRY(mln_tree_read_if(f->tree, ways[i].config, f->arena, &text));
        *on = mln_text_true(mln_text_ini(text, MLN_S("commands"), MLN_S("apply_updates")), false);
    }
    return MLN_OK;
}

/* Whether dnf checks the packages of a repository that does not say so itself. */
static struct mln_result checked_by_default(struct mln_facts *f, bool *checked)
{
    static const char *const configs[] = {"/etc/yum.conf", "/etc/dnf/dnf.conf"};
    struct mln_str text, said;
    *checked = mln_tree_exists(f->tree, "/usr/bin/dnf5"); /* dnf 4 and yum do not, unless they are told to */
    for (size_t i = 0; i < sizeof configs / sizeof *configs; i++) {
        MLN_TRY(mln_tree_read_if(f->tree, configs[i], f->arena, &text));
        said = mln_text_ini(text, MLN_S("main"), MLN_S("gpgcheck"));
        if (said.p)
            *checked = mln_text_true(said, false);
    }
    return MLN_OK;
}

static struct mln_result unsigned_rpm_repositories(struct mln_facts *f, struct mln_rpm_repositories *out)
{
    static const char *const patterns[] = {"/etc/yum.repos.d/*.repo", "/etc/dnf/dnf.conf", "/etc/yum.conf"};
    struct mln_str *paths, text;
    size_t n;
    bool checked;
    MLN_TRY(checked_by_default(f, &checked));
    for (size_t l = 0; l < sizeof patterns / sizeof *patterns; l++) {
        MLN_TRY(mln_tree_glob(f->tree, mln_str_c(patterns[l]), f->arena, &paths, &n));
        for (size_t i = 0; i < n; i++) {
            MLN_TRY(mln_tree_read_if(f->tree, paths[i].p, f->arena, &text));
            MLN_TRY(mln_rpm_read_repositories(text, paths[i], checked, f->arena, out));
        }
    }
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
    struct mln_rpm_repositories rpm = {0};
    MLN_TRY(unsigned_rpm_repositories(f, &rpm));
    for (size_t i = 0; i < rpm.unsigned_ids.n; i++)
        MLN_TRY(mln_vec_push(f->arena, &sources.unsigned_uris, rpm.unsigned_ids.at[i]));
    mln_facts_member_strings(w, "repositoriesUnsigned", sources.unsigned_uris.at, sources.unsigned_uris.n);
    return MLN_OK;
}

/* When the lists were last brought up to date: apt's own stamp, else when their directory last changed. */
static int64_t apt_checked_at(struct mln_facts *f)
{
    static const char *const stamps[] = {"/var/lib/apt/periodic/update-success-stamp", "/var/lib/apt/lists"};
    struct stat st;
    for (size_t i = 0; i < sizeof stamps / sizeof *stamps; i++)
        if (mln_tree_stat(f->tree, stamps[i], true, &st))
            return st.st_mtim.tv_sec;
    return 0;
}

/* The file of a repository's cache that dnf, dnf 5 and yum touch whenever the repository had nothing newer: the newest of
   all repositories, as one that has been turned off since stays in the cache. */
static struct mln_result rpm_checked_at(struct mln_facts *f, int64_t *seconds)
{
    static const char *const patterns[] = {"/var/cache/dnf/*/repodata/*primary.xml*",
                                           "/var/cache/libdnf5/*/repodata/*primary.xml*",
                                           "/var/cache/yum/*/*/*/cachecookie"};
    struct mln_str *paths;
    struct stat st;
    size_t n;
    *seconds = 0;
    for (size_t l = 0; l < sizeof patterns / sizeof *patterns; l++) {
        MLN_TRY(mln_tree_glob(f->tree, mln_str_c(patterns[l]), f->arena, &paths, &n));
        for (size_t i = 0; i < n; i++)
            if (mln_tree_stat(f->tree, paths[i].p, true, &st) && st.st_mtim.tv_sec > *seconds)
                *seconds = st.st_mtim.tv_sec;
    }
    return MLN_OK;
}

/* ---- together ---- */

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
        if (p->security_known)
            mln_json_member_bool(w, "security", package->security);
        mln_json_end_object(w);
    }
    mln_json_end_object(w);
}

static struct mln_result read_installed_and_updates(struct packages *p, bool *by_dpkg, bool *known)
{
    struct mln_facts *f = p->f;
    struct mln_str apt = mln_program_text(f->outputs, MLN_PROGRAM_APT),
                   rpm = mln_program_text(f->outputs, MLN_PROGRAM_RPM);
    MLN_TRY(read_dpkg(p));
    *by_dpkg = p->security_known = p->list.n > 0;
    if (*by_dpkg && !apt.p)
        return read_lists(p, known);
    if (*by_dpkg) {
        *known = true;
        return read_apt_says(p, apt);
    }
    bool database = has_rpm_database(f);
    MLN_TRY(read_rpm(p, rpm));
    return p->list.n ? read_rpm_updates(p, known) : no_packages(f, database);
}

static struct mln_result collect(struct packages *p, struct mln_json_writer *w)
{
    struct mln_facts *f = p->f;
    bool by_dpkg, known, automatic;
    int64_t checked_at = apt_checked_at(f);
    MLN_TRY(read_installed_and_updates(p, &by_dpkg, &known));
    if (!known)
        mln_facts_note(f, "packages.updates", no_updates(f, by_dpkg));
    else if (!p->security_known)
        mln_facts_note(f, "packages.updates.security", "no repository tells which updates are for security");
    MLN_TRY(by_dpkg ? unattended_upgrades(f, &automatic) : dnf_automatic(f, &automatic));
    if (!by_dpkg)
        MLN_TRY(rpm_checked_at(f, &checked_at));
    mln_json_begin_object(w);
    mln_json_member_str(w, "manager", by_dpkg ? MLN_S("dpkg") : MLN_S("rpm"));
    put_packages(w, p);
    mln_json_member_bool(w, "updatesKnown", known);
    if (checked_at)
        mln_json_member_time(w, "updatesCheckedAt", checked_at * 1000);
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
