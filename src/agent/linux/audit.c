/* Section audit: the kernel's audit rules and auditd's settings. */
#include "agent/linux/facts.h"
#include "agent/linux/text.h"

struct audit {
    bool from_kernel, enabled, immutable;
    int64_t backlog_limit; /* -1: not known */
    MLN_VEC(struct mln_str) rules;
};

static struct mln_result add_rule(struct mln_facts *f, struct audit *a, struct mln_str line)
{
    if (!mln_facts_room(f, a->rules.n, MLN_FACTS_MAX_LIST))
        return MLN_OK;
    return mln_vec_push(f->arena, &a->rules, line);
}

/* "enabled 2", "backlog_limit 8192", ... */
static void read_status(struct mln_str text, struct audit *a)
{
    struct mln_str line, key, value;
    while (mln_text_line(&text, &line, NULL)) {
        if (!mln_text_word(&line, &key) || !mln_text_word(&line, &value))
            continue;
        if (mln_str_eq(key, MLN_S("enabled"))) {
            a->enabled = !mln_str_eq(value, MLN_S("0"));
            a->immutable = mln_str_eq(value, MLN_S("2"));
        } else if (mln_str_eq(key, MLN_S("backlog_limit"))) {
            a->backlog_limit = mln_text_i64(value, -1);
        }
    }
}

/* The lines of a rules file: rules stay, the settings -e and -b are taken. */
static struct mln_result read_rules(struct mln_facts *f, struct mln_str text, struct audit *a)
{
    struct mln_str line, rest, word, value;
    while (mln_text_setting(&text, &line, NULL)) {
        rest = line;
        if (!mln_text_word(&rest, &word) || word.n < 2 || word.p[0] != '-')
            continue;
        if (mln_str_eq(word, MLN_S("-e")) && mln_text_word(&rest, &value)) {
            a->enabled = !mln_str_eq(value, MLN_S("0"));
            a->immutable = mln_str_eq(value, MLN_S("2"));
        } else if (mln_str_eq(word, MLN_S("-b")) && mln_text_word(&rest, &value)) {
            a->backlog_limit = mln_text_i64(value, -1);
        } else if (strchr("wWaA", word.p[1]) && word.n == 2) {
            MLN_TRY(add_rule(f, a, line));
        }
    }
    return MLN_OK;
}

static struct mln_result read_files(struct mln_facts *f, bool installed, struct audit *a)
{
    struct mln_str *paths, text;
    size_t n;
    MLN_TRY(mln_tree_glob(f->tree, MLN_S("/etc/audit/rules.d/*.rules"), f->arena, &paths, &n));
    a->enabled = installed; /* auditd switches it on unless a rule file says otherwise */
    for (size_t i = 0; i < n; i++) {
        MLN_TRY(mln_tree_read_if(f->tree, paths[i].p, f->arena, &text));
        MLN_TRY(read_rules(f, text, a));
    }
    if (!n) {
        MLN_TRY(mln_tree_read_if(f->tree, "/etc/audit/audit.rules", f->arena, &text));
        MLN_TRY(read_rules(f, text, a));
    }
    return MLN_OK;
}

static struct mln_result put_config(struct mln_facts *f, struct mln_json_writer *w)
{
    struct mln_str text, line, key, value;
    MLN_TRY(mln_tree_read_if(f->tree, "/etc/audit/auditd.conf", f->arena, &text));
    mln_json_name(w, MLN_S("config"));
    mln_json_begin_object(w);
    while (mln_text_setting(&text, &line, NULL)) {
        if (!mln_text_pair(line, '=', &key, &value))
            continue;
        mln_json_name(w, key);
        mln_json_put_str(w, value);
    }
    mln_json_end_object(w);
    return MLN_OK;
}

/* Whether processes are audited from the first one on: audit=1 on the kernel's command line. */
static struct mln_result boot_parameter(struct mln_facts *f, bool *on)
{
    struct mln_str line, word;
    MLN_TRY(mln_tree_read_if(f->tree, f->tree->live ? "/proc/cmdline" : "/etc/default/grub", f->arena, &line));
    *on = false;
    while (line.n && mln_text_line(&line, &word, NULL)) {
        if (word.n && word.p[0] == '#')
            continue;
        for (size_t at = 0; (at = mln_str_find(word, MLN_S("audit=1"), at)) != SIZE_MAX; at += 7)
            *on |= at == 0 || strchr(" \t\"'=", word.p[at - 1]);
    }
    return MLN_OK;
}

struct mln_result mln_collect_audit(struct mln_facts *f, struct mln_json_writer *w)
{
    static const char *const programs[] = {"/usr/sbin/auditd", "/sbin/auditd", NULL}, *const processes[] = {"auditd",
                                                                                                            NULL};
    struct audit a = {.backlog_limit = -1}, files = {.backlog_limit = -1};
    struct mln_str status = mln_program_text(f->outputs, MLN_PROGRAM_AUDIT_STATUS);
    struct mln_str listed = mln_program_text(f->outputs, MLN_PROGRAM_AUDIT_RULES);
    bool installed = mln_facts_any_file(f, programs), boot;
    MLN_TRY(read_files(f, installed, &files)); /* also where the kernel answers: so that changes of them are seen */
    if (status.p && listed.p) {
        a.from_kernel = true;
        read_status(status, &a);
        MLN_TRY(read_rules(f, listed, &a));
    } else {
        a = files;
    }
    MLN_TRY(boot_parameter(f, &boot));
    mln_json_begin_object(w);
    mln_json_member_bool(w, "installed", installed);
    mln_facts_member_running(f, w, processes);
    mln_json_member_str(w, "source", a.from_kernel ? MLN_S("kernel") : MLN_S("files"));
    mln_json_member_bool(w, "enabled", a.enabled);
    mln_json_member_bool(w, "immutable", a.immutable);
    mln_facts_member_number(w, "backlogLimit", a.backlog_limit, -1);
    mln_facts_member_strings(w, "rules", a.rules.at, a.rules.n);
    MLN_TRY(put_config(f, w));
    mln_json_member_bool(w, "bootParameter", boot);
    mln_json_end_object(w);
    return MLN_OK;
}
