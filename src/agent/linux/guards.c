/* Sections integrity and endpointProtection: which programs watch over the machine. */
#include "agent/linux/crontab.h"
#include "agent/linux/facts.h"
#include "agent/linux/text.h"
#include "agent/linux/units.h"

/* AIDE runs by itself: a daily script, a timer, or a line in root's or the system's table. */
static struct mln_result aide_scheduled(struct mln_facts *f, bool *scheduled)
{
    static const char *const scripts[] = {"/etc/cron.daily/aide", "/etc/cron.daily/dailyaidecheck", NULL};
    static const char *const timers[] = {"dailyaidecheck.timer", "aidecheck.timer"};
    static const struct {
        const char *pattern;
        bool with_user;
    } tables[] = {{"/etc/crontab", true},
                  {"/etc/cron.d/*", true},
                  {"/var/spool/cron/crontabs/root", false},
                  {"/var/spool/cron/root", false}};
    struct mln_cron_job job;
    struct mln_str text, *paths;
    size_t n;
    *scheduled = mln_facts_any_file(f, scripts);
    for (size_t i = 0; i < 2; i++)
        *scheduled |= mln_unit_is_enabled(f, timers[i]);
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        MLN_TRY(mln_tree_glob(f->tree, mln_str_c(tables[i].pattern), f->arena, &paths, &n));
        for (size_t k = 0; k < n; k++) {
            uint32_t line = 0;
            struct mln_result r = mln_tree_read_if(f->tree, paths[k].p, f->arena, &text);
            if (r.code != MLN_E_INVALID) /* a directory below cron.d */
                MLN_TRY(r);
            while (mln_ok(r) && mln_crontab_next(&text, tables[i].with_user, &line, &job))
                *scheduled |= mln_str_find(job.command, MLN_S("aide"), 0) != SIZE_MAX;
        }
    }
    return MLN_OK;
}

/* The tools of the audit system are themselves watched when AIDE's configuration names them. */
static struct mln_result audit_tools(struct mln_facts *f, bool *watched)
{
    static const char *const patterns[] = {"/etc/aide/aide.conf", "/etc/aide.conf", "/etc/aide/aide.conf.d/*"};
    struct mln_str *paths, text, line;
    size_t n;
    *watched = false;
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        MLN_TRY(mln_tree_glob(f->tree, mln_str_c(patterns[i]), f->arena, &paths, &n));
        for (size_t k = 0; k < n; k++) {
            struct mln_result r = mln_tree_read_if(f->tree, paths[k].p, f->arena, &text);
            if (r.code != MLN_E_INVALID)
                MLN_TRY(r);
            while (mln_ok(r) && mln_text_setting(&text, &line, NULL))
                *watched |= mln_str_find(line, MLN_S("/sbin/auditctl"), 0) != SIZE_MAX;
        }
    }
    return MLN_OK;
}

struct mln_result mln_collect_integrity(struct mln_facts *f, struct mln_json_writer *w)
{
    static const char *const programs[] = {"/usr/bin/aide", "/usr/sbin/aide", NULL};
    bool scheduled, tools;
    MLN_TRY(aide_scheduled(f, &scheduled));
    MLN_TRY(audit_tools(f, &tools));
    bool installed = mln_facts_any_file(f, programs);
    mln_json_begin_object(w);
    mln_json_name(w, MLN_S("aide"));
    mln_json_begin_object(w);
    mln_json_member_bool(w, "installed", installed);
    mln_json_member_bool(w, "scheduled", installed && scheduled);
    mln_json_end_object(w);
    mln_json_member_bool(w, "auditTools", installed && tools);
    mln_json_end_object(w);
    return MLN_OK;
}

struct mln_result mln_collect_endpointProtection(struct mln_facts *f, struct mln_json_writer *w)
{
    static const struct {
        const char *name;
        const char *files[3], *processes[3];
    } products[] = {
        {"Microsoft Defender for Endpoint", {"/opt/microsoft/mdatp/sbin/wdavdaemon", NULL}, {"wdavdaemon", NULL}},
        {"ClamAV", {"/usr/sbin/clamd", "/usr/bin/clamscan", NULL}, {"clamd", NULL}},
        {"CrowdStrike Falcon", {"/opt/CrowdStrike/falcond", NULL}, {"falcond", "falcon-sensor", NULL}},
        {"SentinelOne", {"/opt/sentinelone/bin/sentinelctl", NULL}, {"s1-agent", NULL}},
        {"Sophos",
         {"/opt/sophos-spl/base/bin/sophos_watchdog", "/opt/sophos-av/bin/savdstatus", NULL},
         {"sophos_watchdog", "savd", NULL}},
        {"Trend Micro Deep Security", {"/opt/ds_agent/ds_agent", NULL}, {"ds_agent", NULL}},
        {"ESET", {"/opt/eset/eea/sbin/startd", "/opt/eset/efs/sbin/startd", NULL}, {"startd", NULL}},
        {"Trellix",
         {"/opt/McAfee/ens/tp/bin/mfetpcli", "/opt/isec/ens/threatprevention/bin/isecav", NULL},
         {"mfetpd", "isectpd", NULL}},
        {"Bitdefender", {"/opt/bitdefender-security-tools/bin/bdsecd", NULL}, {"bdsecd", NULL}},
        {"Carbon Black", {"/opt/carbonblack/psc/bin/cbagentd", NULL}, {"cbagentd", NULL}},
        {"Cortex XDR", {"/opt/traps/bin/pmd", NULL}, {"pmd", NULL}},
        {"Elastic Endpoint", {"/opt/Elastic/Endpoint/elastic-endpoint", NULL}, {"elastic-endpoint", NULL}},
        {"Wazuh", {"/var/ossec/bin/wazuh-agentd", NULL}, {"wazuh-agentd", NULL}},
        {"Falco", {"/usr/bin/falco", NULL}, {"falco", NULL}},
        {"osquery", {"/opt/osquery/bin/osqueryd", "/usr/bin/osqueryd", NULL}, {"osqueryd", NULL}},
    };
    mln_json_begin_object(w);
    mln_json_name(w, MLN_S("products"));
    mln_json_begin_array(w);
    for (size_t i = 0; i < sizeof products / sizeof *products; i++) {
        if (!mln_facts_any_file(f, products[i].files))
            continue;
        mln_json_begin_object(w);
        mln_json_member_str(w, "name", mln_str_c(products[i].name));
        mln_json_member_bool(w, "installed", true);
        mln_facts_member_running(f, w, products[i].processes);
        mln_json_end_object(w);
    }
    mln_json_end_array(w);
    mln_json_end_object(w);
    return MLN_OK;
}
