/* Section sudo. */
#include "agent/linux/dpkg.h"
#include "agent/linux/facts.h"
#include "agent/linux/sudoers.h"
#include "agent/linux/text.h"

static void put_rules(struct mln_json_writer *w, const struct mln_sudoers *sudoers)
{
    mln_json_name(w, MLN_S("rules"));
    mln_json_begin_array(w);
    for (size_t i = 0; i < sudoers->rules.n; i++) {
        const struct mln_sudo_rule *rule = &sudoers->rules.at[i];
        mln_json_begin_object(w);
        mln_json_member_str(w, "who", rule->who);
        mln_json_member_str(w, "hosts", rule->hosts);
        mln_json_member_str(w, "runAs", rule->run_as.p ? rule->run_as : MLN_S("root"));
        mln_facts_member_strings(w, "commands", rule->commands.items.at, rule->commands.items.n);
        mln_json_member_bool(w, "nopasswd", rule->nopasswd);
        mln_json_member_bool(w, "noauthenticate", rule->noauthenticate);
        mln_json_member_str(w, "file", rule->file);
        mln_json_member_i64(w, "line", rule->line);
        mln_json_end_object(w);
    }
    mln_json_end_array(w);
}

/* The global defaults; of a name that is set twice the last one counts. */
static void put_defaults(struct mln_json_writer *w, const struct mln_sudoers *sudoers)
{
    mln_json_name(w, MLN_S("defaults"));
    mln_json_begin_object(w);
    for (size_t i = 0; i < sudoers->defaults.n; i++) {
        const struct mln_sudo_default *entry = &sudoers->defaults.at[i];
        bool last = !entry->scope.p;
        for (size_t k = i + 1; k < sudoers->defaults.n && last; k++)
            last = sudoers->defaults.at[k].scope.p || !mln_str_eq(sudoers->defaults.at[k].name, entry->name);
        if (!last)
            continue;
        mln_json_name(w, entry->name);
        if (entry->value.p)
            mln_json_put_str(w, entry->value);
        else
            mln_json_put_bool(w, !entry->negated);
    }
    mln_json_end_object(w);
}

static struct mln_result put_version(struct mln_facts *f, struct mln_json_writer *w)
{
    struct mln_str version = mln_dpkg_version_of(f->tree, "sudo", f->arena);
    if (version.p) { /* "1.9.13p3-1+deb12u1" is sudo's 1.9.13p3 */
        version = mln_str_sub(version, 0, mln_str_find(version, MLN_S("-"), 0));
        mln_json_member_str(w, "version", version);
    }
    return MLN_OK;
}

struct mln_result mln_collect_sudo(struct mln_facts *f, struct mln_json_writer *w)
{
    static const char *const programs[] = {"/usr/bin/sudo", "/bin/sudo", "/usr/local/bin/sudo", NULL};
    struct mln_sudoers sudoers = {0};
    bool installed = mln_facts_any_file(f, programs);
    struct mln_result r = mln_sudoers_read(f->tree, "/etc/sudoers", f->arena, &sudoers);
    if (r.code != MLN_E_NOT_FOUND)
        MLN_TRY(r);
    f->left_out += sudoers.left_out;
    mln_json_begin_object(w);
    mln_json_member_bool(w, "installed", installed);
    MLN_TRY(put_version(f, w));
    put_rules(w, &sudoers);
    put_defaults(w, &sudoers);
    mln_json_name(w, MLN_S("unparsed"));
    mln_json_begin_array(w);
    for (size_t i = 0; i < sudoers.unparsed.n; i++) {
        mln_json_begin_object(w);
        mln_json_member_str(w, "file", sudoers.unparsed.at[i].file);
        mln_json_member_i64(w, "line", sudoers.unparsed.at[i].line);
        mln_json_end_object(w);
    }
    mln_json_end_array(w);
    mln_json_end_object(w);
    return MLN_OK;
}
