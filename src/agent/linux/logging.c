/* Sections logging and time. */
#include "agent/linux/facts.h"
#include "agent/linux/names.h"
#include "agent/linux/text.h"
#include "agent/linux/units.h"

enum { MAX_LOG_FILES = 500 };

/* ---- journald ---- */

static struct mln_result read_journald(struct mln_facts *f, struct mln_str texts[16], size_t *n)
{
    static const char *const patterns[] = {"/usr/lib/systemd/journald.conf.d/*.conf", "/etc/systemd/journald.conf",
                                           "/run/systemd/journald.conf.d/*.conf",
                                           "/etc/systemd/journald.conf.d/*.conf"};
    *n = 0;
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        struct mln_str *paths;
        size_t found;
        MLN_TRY(mln_tree_glob(f->tree, mln_str_c(patterns[i]), f->arena, &paths, &found));
        for (size_t k = 0; k < found && *n < 16; k++)
            MLN_TRY(mln_tree_read_if(f->tree, paths[k].p, f->arena, &texts[(*n)++]));
    }
    return MLN_OK;
}

static struct mln_result put_journald(struct mln_facts *f, struct mln_json_writer *w)
{
    static const char *const programs[] = {"/usr/lib/systemd/systemd-journald", "/lib/systemd/systemd-journald", NULL};
    static const char *const processes[] = {"systemd-journald", NULL};
    static const struct {
        const char *key, *member;
    } settings[] = {{"Storage", "storage"},
                    {"Compress", "compress"},
                    {"ForwardToSyslog", "forwardToSyslog"},
                    {"SystemMaxUse", "systemMaxUse"},
                    {"SystemKeepFree", "systemKeepFree"},
                    {"MaxFileSec", "maxFileSec"},
                    {"MaxRetentionSec", "maxRetentionSec"},
                    {"Seal", "seal"}};
    struct mln_str texts[16], storage = MLN_S("auto");
    size_t n;
    MLN_TRY(read_journald(f, texts, &n));
    mln_json_name(w, MLN_S("journald"));
    mln_json_begin_object(w);
    mln_json_member_bool(w, "installed", mln_facts_any_file(f, programs));
    mln_facts_member_running(f, w, processes);
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        struct mln_str value = {NULL, 0};
        for (size_t k = 0; k < n; k++) {
            struct mln_str said = mln_text_ini(texts[k], MLN_S("Journal"), mln_str_c(settings[i].key));
            value = said.p ? said : value;
        }
        if (i == 0 && value.n)
            storage = value;
        mln_json_member_str(w, settings[i].member, i == 0 ? storage : value);
    }
    mln_json_member_bool(
        w, "persistent",
        mln_str_eq_nocase(storage, MLN_S("persistent")) ||
            (mln_str_eq_nocase(storage, MLN_S("auto")) && mln_tree_exists(f->tree, "/var/log/journal")));
    mln_json_end_object(w);
    return MLN_OK;
}

/* ---- rsyslog ---- */

struct rsyslog {
    struct mln_str mode; /* of new files */
    MLN_VEC(struct mln_str) remote;
    bool listens;
};

/* The value in name="value" of an action or input in rsyslog's own language; p NULL when it is not there. */
static struct mln_str parameter(struct mln_str line, const char *name)
{
    size_t at = mln_str_find(line, mln_str_c(name), 0);
    if (at == SIZE_MAX)
        return (struct mln_str){NULL, 0};
    struct mln_str rest = mln_str_trim(mln_str_sub(line, at + strlen(name), line.n));
    if (!rest.n || rest.p[0] != '=')
        return (struct mln_str){NULL, 0};
    rest = mln_str_trim(mln_str_sub(rest, 1, rest.n));
    if (!rest.n || rest.p[0] != '"')
        return (struct mln_str){NULL, 0};
    return mln_str_sub(rest, 1, mln_str_find(rest, MLN_S("\""), 1));
}

static struct mln_result read_rsyslog_line(struct mln_facts *f, struct mln_str line, struct rsyslog *out)
{
    struct mln_str word, selector, rest = line;
    if (!mln_text_word(&rest, &word))
        return MLN_OK;
    if (mln_str_eq_nocase(word, MLN_S("$FileCreateMode")))
        mln_text_word(&rest, &out->mode);
    if (mln_str_starts(line, MLN_S("module(")) && parameter(line, "fileCreateMode").p)
        out->mode = parameter(line, "fileCreateMode");
    out->listens |= mln_str_starts_nocase(word, MLN_S("$InputTCPServerRun")) ||
                    mln_str_starts_nocase(word, MLN_S("$UDPServerRun")) ||
                    (mln_str_starts(line, MLN_S("input(")) && (mln_str_find(line, MLN_S("imtcp"), 0) != SIZE_MAX ||
                                                               mln_str_find(line, MLN_S("imudp"), 0) != SIZE_MAX));
    struct mln_str target = {NULL, 0};
    if (mln_str_find(line, MLN_S("omfwd"), 0) != SIZE_MAX || mln_str_find(line, MLN_S("omrelp"), 0) != SIZE_MAX) {
        target = parameter(line, "target");
    } else {
        rest = line; /* "*.* @@host:514" */
        if (mln_text_word(&rest, &selector) && mln_text_word(&rest, &word) && word.p[0] == '@')
            target = mln_str_sub(word, mln_str_starts(word, MLN_S("@@")) ? 2 : 1, word.n);
    }
    if (!target.p || !mln_facts_room(f, out->remote.n, 100))
        return MLN_OK;
    return mln_vec_push(f->arena, &out->remote, target);
}

static struct mln_result put_rsyslog(struct mln_facts *f, struct mln_json_writer *w)
{
    static const char *const programs[] = {"/usr/sbin/rsyslogd", "/sbin/rsyslogd", NULL}, *const processes[] = {
                                                                                              "rsyslogd", NULL};
    struct rsyslog r = {.mode = MLN_S("0644")};
    struct mln_str *paths, text, line;
    size_t n;
    bool installed = mln_facts_any_file(f, programs);
    MLN_TRY(mln_tree_glob(f->tree, MLN_S("/etc/rsyslog.d/*.conf"), f->arena, &paths, &n));
    for (size_t i = 0; i <= n; i++) {
        MLN_TRY(mln_tree_read_if(f->tree, i ? paths[i - 1].p : "/etc/rsyslog.conf", f->arena, &text));
        while (mln_text_setting(&text, &line, NULL))
            MLN_TRY(read_rsyslog_line(f, line, &r));
    }
    mln_json_name(w, MLN_S("rsyslog"));
    mln_json_begin_object(w);
    mln_json_member_bool(w, "installed", installed);
    mln_facts_member_running(f, w, processes);
    if (installed)
        mln_json_member_str(w, "fileCreateMode", r.mode);
    mln_facts_member_strings(w, "remote", r.remote.at, r.remote.n);
    mln_json_member_bool(w, "listens", r.listens);
    mln_json_end_object(w);
    return MLN_OK;
}

/* ---- files ---- */

static struct mln_result put_log_files(struct mln_facts *f, struct mln_json_writer *w)
{
    static const char *const patterns[] = {"/var/log/*", "/var/log/*/*"};
    size_t shown = 0;
    mln_json_name(w, MLN_S("logFiles"));
    mln_json_begin_array(w);
    for (size_t p = 0; p < 2; p++) {
        struct mln_str *paths;
        size_t n;
        struct mln_result r = mln_tree_glob(f->tree, mln_str_c(patterns[p]), f->arena, &paths, &n);
        if (r.code != MLN_E_FORBIDDEN)
            MLN_TRY(r);
        for (size_t i = 0; mln_ok(r) && i < n; i++) {
            struct stat st;
            if (!mln_tree_stat(f->tree, paths[i].p, false, &st) || !S_ISREG(st.st_mode) ||
                !mln_facts_room(f, shown, MAX_LOG_FILES))
                continue;
            shown++;
            mln_json_begin_object(w);
            mln_json_member_str(w, "path", paths[i]);
            mln_facts_member_octal(w, "mode", st.st_mode & 07777);
            mln_json_member_str(w, "owner", mln_names_user(f, st.st_uid));
            mln_json_member_str(w, "group", mln_names_group(f, st.st_gid));
            mln_json_end_object(w);
        }
    }
    mln_json_end_array(w);
    return MLN_OK;
}

struct mln_result mln_collect_logging(struct mln_facts *f, struct mln_json_writer *w)
{
    mln_json_begin_object(w);
    MLN_TRY(put_journald(f, w));
    MLN_TRY(put_rsyslog(f, w));
    MLN_TRY(put_log_files(f, w));
    mln_json_end_object(w);
    return MLN_OK;
}

/* ---- time ---- */

struct time_service {
    const char *name;
    const char *programs[4], *processes[3], *files[6], *unit;
};
static const struct time_service time_services[] = {
    {"chrony",
     {"/usr/sbin/chronyd", NULL},
     {"chronyd", NULL},
     {"/etc/chrony/chrony.conf", "/etc/chrony.conf", "/etc/chrony/conf.d/*.conf", "/etc/chrony/sources.d/*.sources",
      NULL},
     "chrony.service"},
    {"ntp",
     {"/usr/sbin/ntpd", NULL},
     {"ntpd", NULL},
     {"/etc/ntpsec/ntp.conf", "/etc/ntp.conf", NULL},
     "ntpsec.service"},
    {"systemd-timesyncd",
     {"/usr/lib/systemd/systemd-timesyncd", "/lib/systemd/systemd-timesyncd", NULL},
     {"systemd-timesyn", NULL},
     {"/etc/systemd/timesyncd.conf", "/etc/systemd/timesyncd.conf.d/*.conf", NULL},
     "systemd-timesyncd.service"},
};

/* The servers that a file names: "server", "pool" or "peer" lines, or timesyncd's NTP= and FallbackNTP=. */
static void put_servers_of(struct mln_facts *f, struct mln_json_writer *w, struct mln_str text, bool ini)
{
    static const char *const keys[] = {"NTP", "FallbackNTP"};
    struct mln_str line, word, name;
    size_t n = 0;
    for (size_t i = 0; ini && i < 2; i++) {
        struct mln_str value = mln_text_ini(text, MLN_S("Time"), mln_str_c(keys[i]));
        while (mln_text_word(&value, &name) && mln_facts_room(f, n++, 100))
            mln_json_put_str(w, name);
    }
    while (!ini && mln_text_setting(&text, &line, NULL)) {
        if (line.p[0] != '!' && line.p[0] != '%' && mln_text_word(&line, &word) && mln_text_word(&line, &name) &&
            (mln_str_eq_nocase(word, MLN_S("server")) || mln_str_eq_nocase(word, MLN_S("pool")) ||
             mln_str_eq_nocase(word, MLN_S("peer"))) &&
            mln_facts_room(f, n++, 100))
            mln_json_put_str(w, name);
    }
}

static struct mln_result put_servers(struct mln_facts *f, struct mln_json_writer *w, const struct time_service *service)
{
    mln_json_name(w, MLN_S("servers"));
    mln_json_begin_array(w);
    for (size_t i = 0; service && service->files[i]; i++) {
        struct mln_str *paths, text;
        size_t n;
        MLN_TRY(mln_tree_glob(f->tree, mln_str_c(service->files[i]), f->arena, &paths, &n));
        for (size_t k = 0; k < n; k++) {
            MLN_TRY(mln_tree_read_if(f->tree, paths[k].p, f->arena, &text));
            put_servers_of(f, w, text, strstr(service->files[i], "timesyncd") != NULL);
        }
    }
    mln_json_end_array(w);
    return MLN_OK;
}

/* The one that runs, else the one that is enabled, else the one that is there. */
static const struct time_service *choose_service(struct mln_facts *f, bool *running)
{
    const struct time_service *enabled = NULL, *installed = NULL;
    for (size_t i = 0; i < sizeof time_services / sizeof *time_services; i++) {
        const struct time_service *service = &time_services[i];
        if (!mln_facts_any_file(f, service->programs))
            continue;
        if (mln_facts_running(f, service->processes)) {
            *running = true;
            return service;
        }
        if (!enabled && mln_unit_is_enabled(f, service->unit))
            enabled = service;
        if (!installed)
            installed = service;
    }
    return enabled ? enabled : installed;
}

static void put_timezone(struct mln_facts *f, struct mln_json_writer *w)
{
    struct mln_str link = mln_tree_link(f->tree, "/etc/localtime", f->arena);
    size_t at = mln_str_find(link, MLN_S("zoneinfo/"), 0);
    if (at != SIZE_MAX)
        mln_json_member_str(w, "timezone", mln_str_sub(link, at + strlen("zoneinfo/"), link.n));
    else
        mln_json_member_str(w, "timezone", mln_tree_line(f->tree, "/etc/timezone", f->arena));
}

struct mln_result mln_collect_time(struct mln_facts *f, struct mln_json_writer *w)
{
    bool running = false;
    const struct time_service *service = choose_service(f, &running);
    mln_json_begin_object(w);
    mln_json_member_str(w, "service", service ? mln_str_c(service->name) : MLN_S("none"));
    if (f->tree->live)
        mln_json_member_bool(w, "running", running);
    MLN_TRY(put_servers(f, w, service));
    if (f->clock_state != MLN_CLOCK_UNKNOWN)
        mln_json_member_bool(w, "synchronised", f->clock_state == MLN_CLOCK_SYNCHRONISED);
    put_timezone(f, w);
    mln_json_end_object(w);
    return MLN_OK;
}
