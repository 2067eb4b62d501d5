/* Section cron, and the lines of crontab(5). */
#include "agent/linux/crontab.h"
#include "agent/linux/facts.h"
#include "agent/linux/text.h"

enum { MAX_COMMAND_BYTES = 200 };

/* "NAME = value" sets a variable: the name is no field of a time. */
static bool is_assignment(struct mln_str line)
{
    struct mln_str key, value;
    if (strchr("0123456789*@", line.p[0]) || !mln_text_pair(line, '=', &key, &value))
        return false;
    return mln_str_find(key, MLN_S(" "), 0) == SIZE_MAX && mln_str_find(key, MLN_S("\t"), 0) == SIZE_MAX;
}

bool mln_crontab_next(struct mln_str *rest, bool with_user, uint32_t *number, struct mln_cron_job *out)
{
    struct mln_str line, word;
    while (mln_text_setting(rest, &line, number)) {
        if (is_assignment(line))
            continue;
        struct mln_str left = line;
        bool whole = true;
        *out = (struct mln_cron_job){.line = *number};
        for (int i = 0; i < (line.p[0] == '@' ? 1 : 5); i++)
            whole = whole && mln_text_word(&left, &word);
        out->schedule = mln_str_sub(line, 0, (size_t)(left.p - line.p));
        if (with_user)
            whole = whole && mln_text_word(&left, &out->user);
        out->command = mln_str_trim(left);
        if (whole && out->command.n)
            return true;
    }
    return false;
}

struct table {
    struct mln_facts *f;
    struct mln_json_writer *w;
    size_t n;
};

static struct mln_result put_table(struct table *t, const char *path, bool with_user, struct mln_str owner)
{
    struct mln_str text, command;
    struct mln_cron_job job;
    uint32_t line = 0;
    struct mln_result r = mln_tree_read(t->f->tree, path, t->f->arena, MLN_TREE_MAX_FILE_BYTES, &text);
    if (r.code == MLN_E_NOT_FOUND || r.code == MLN_E_INVALID)
        return MLN_OK;
    MLN_TRY(r);
    while (mln_crontab_next(&text, with_user, &line, &job)) {
        if (!mln_facts_room(t->f, t->n, MLN_FACTS_MAX_LIST))
            continue;
        t->n++;
        MLN_TRY_STR(t->f->arena, command, mln_text_mask(t->f->arena, job.command, MAX_COMMAND_BYTES));
        mln_json_begin_object(t->w);
        mln_json_member_str(t->w, "file", mln_str_c(path));
        mln_json_member_i64(t->w, "line", job.line);
        mln_json_member_str(t->w, "user", job.user.p ? job.user : owner);
        mln_json_member_str(t->w, "schedule", job.schedule);
        mln_json_member_str(t->w, "command", command);
        mln_json_end_object(t->w);
    }
    return MLN_OK;
}

static struct mln_result put_jobs(struct mln_facts *f, struct mln_json_writer *w)
{
    static const char *const own[] = {"/var/spool/cron/crontabs", "/var/spool/cron"};
    struct table t = {.f = f, .w = w};
    struct mln_str *names, path;
    size_t n;
    mln_json_name(w, MLN_S("jobs"));
    mln_json_begin_array(w);
    MLN_TRY(put_table(&t, "/etc/crontab", true, MLN_S("root")));
    MLN_TRY(mln_tree_list(f->tree, "/etc/cron.d", f->arena, &names, &n));
    for (size_t i = 0; i < n; i++) {
        if (names[i].p[0] == '.' || mln_str_find(names[i], MLN_S("."), 0) != SIZE_MAX)
            continue; /* cron passes names with dots over */
        MLN_TRY_STR(f->arena, path, mln_str_printf(f->arena, "/etc/cron.d/%s", names[i].p));
        MLN_TRY(put_table(&t, path.p, true, MLN_S("root")));
    }
    for (size_t d = 0; d < 2; d++) {
        MLN_TRY(mln_tree_list(f->tree, own[d], f->arena, &names, &n));
        for (size_t i = 0; i < n; i++) {
            MLN_TRY_STR(f->arena, path, mln_str_printf(f->arena, "%s/%s", own[d], names[i].p));
            MLN_TRY(put_table(&t, path.p, false, names[i]));
        }
    }
    mln_json_end_array(w);
    return MLN_OK;
}

struct mln_result mln_collect_cron(struct mln_facts *f, struct mln_json_writer *w)
{
    static const char *const programs[] = {"/usr/sbin/cron", "/usr/sbin/crond", NULL};
    mln_json_begin_object(w);
    mln_json_member_bool(w, "installed", mln_facts_any_file(f, programs));
    mln_facts_member_mode(f, w, "allow", "/etc/cron.allow");
    mln_facts_member_mode(f, w, "deny", "/etc/cron.deny");
    mln_facts_member_mode(f, w, "atAllow", "/etc/at.allow");
    mln_facts_member_mode(f, w, "atDeny", "/etc/at.deny");
    MLN_TRY(put_jobs(f, w));
    mln_json_end_object(w);
    return MLN_OK;
}
