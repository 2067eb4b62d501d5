/* Section sshd. */
#include "agent/linux/dpkg.h"
#include "agent/linux/facts.h"
#include "agent/linux/sshd_config.h"

static void put_effective(struct mln_json_writer *w, const struct mln_sshd_config *config)
{
    mln_json_name(w, MLN_S("effective"));
    mln_json_begin_object(w);
    for (size_t i = 0; i < config->options.n; i++) {
        const struct mln_sshd_option *option = &config->options.at[i];
        mln_json_name(w, option->keyword);
        if (!option->list) {
            mln_json_put_str(w, option->values.n ? option->values.at[0] : MLN_S(""));
            continue;
        }
        mln_json_begin_array(w);
        for (size_t k = 0; k < option->values.n; k++)
            mln_json_put_str(w, option->values.at[k]);
        mln_json_end_array(w);
    }
    mln_json_end_object(w);
}

struct mln_result mln_collect_sshd(struct mln_facts *f, struct mln_json_writer *w)
{
    static const char *const programs[] = {"/usr/sbin/sshd", "/usr/local/sbin/sshd", NULL};
    static const char *const processes[] = {"sshd", NULL};
    struct mln_sshd_config files = {0}, said = {0}, *config = &files;
    struct mln_str text = mln_program_text(f->outputs, MLN_PROGRAM_SSHD);
    bool installed = mln_facts_any_file(f, programs);
    if (installed) { /* the files are read in any case: their Match blocks count, and changes of them are watched */
        struct mln_result r = mln_sshd_read(f->tree, "/etc/ssh/sshd_config", f->arena, &files);
        if (r.code != MLN_E_NOT_FOUND)
            MLN_TRY(r);
        if (text.p && text.n) {
            MLN_TRY(mln_sshd_parse_effective(text, f->arena, &said));
            config = &said;
        }
        int version = mln_sshd_version(mln_dpkg_version_of(f->tree, "openssh-server", f->arena));
        MLN_TRY(mln_sshd_add_defaults(config, version, f->arena));
    }
    mln_json_begin_object(w);
    mln_json_member_bool(w, "installed", installed);
    mln_facts_member_running(f, w, processes);
    if (installed) {
        put_effective(w, config);
        mln_json_member_str(w, "source", config == &said ? MLN_S("sshd -T") : MLN_S("files"));
        mln_facts_member_strings(w, "matches", files.matches.at, files.matches.n);
    }
    mln_json_end_object(w);
    return MLN_OK;
}
