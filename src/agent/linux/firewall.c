/* Section firewall. */
#include "agent/linux/facts.h"
#include "agent/linux/netfilter.h"
#include "agent/linux/text.h"
#include "agent/linux/units.h"

struct state {
    struct mln_filter nft, iptables;
    bool nft_installed, iptables_installed;
    bool ufw_installed, ufw_enabled, firewalld_installed, firewalld_running, firewalld_enabled;
    struct mln_str ufw_incoming, firewalld_zone;
};

static struct mln_result read_ufw(struct mln_facts *f, struct state *s)
{
    struct mln_str conf, defaults;
    static const char *const programs[] = {"/usr/sbin/ufw", NULL};
    s->ufw_installed = mln_facts_any_file(f, programs);
    MLN_TRY(mln_tree_read_if(f->tree, "/etc/ufw/ufw.conf", f->arena, &conf));
    MLN_TRY(mln_tree_read_if(f->tree, "/etc/default/ufw", f->arena, &defaults));
    struct mln_str none = {NULL, 0};
    s->ufw_enabled = s->ufw_installed && mln_text_true(mln_text_ini(conf, none, MLN_S("ENABLED")), false);
    s->ufw_incoming = mln_text_unquote(mln_text_ini(defaults, none, MLN_S("DEFAULT_INPUT_POLICY")));
    if (s->ufw_incoming.p)
        MLN_TRY_STR(f->arena, s->ufw_incoming, mln_str_lower(f->arena, s->ufw_incoming));
    return MLN_OK;
}

static struct mln_result read_firewalld(struct mln_facts *f, struct state *s)
{
    static const char *const programs[] = {"/usr/sbin/firewalld", NULL}, *const processes[] = {"firewalld", NULL};
    struct mln_str conf;
    s->firewalld_installed = mln_facts_any_file(f, programs);
    s->firewalld_running = mln_facts_running(f, processes) != 0;
    s->firewalld_enabled = s->firewalld_installed && mln_unit_is_enabled(f, "firewalld.service");
    MLN_TRY(mln_tree_read_if(f->tree, "/etc/firewalld/firewalld.conf", f->arena, &conf));
    s->firewalld_zone = mln_text_ini(conf, (struct mln_str){NULL, 0}, MLN_S("DefaultZone"));
    return MLN_OK;
}

/* A program that is there but was refused leaves the state of the kernel unknown. */
static struct mln_result refused(struct mln_facts *f, enum mln_program program)
{
    const struct mln_program_output *output = &f->outputs[program];
    return mln_fail(MLN_E_FORBIDDEN, "the kernel's rules cannot be listed: %s",
                    output->error[0] ? output->error : "the program failed");
}

static struct mln_result read_live(struct mln_facts *f, struct state *s)
{
    struct mln_str nft = mln_program_text(f->outputs, MLN_PROGRAM_NFT);
    struct mln_str iptables = mln_program_text(f->outputs, MLN_PROGRAM_IPTABLES);
    if (s->nft_installed && !nft.p)
        return refused(f, MLN_PROGRAM_NFT);
    if (nft.p)
        return mln_filter_parse_nft_json(nft, f->arena, &s->nft);
    if (s->iptables_installed && !iptables.p)
        return refused(f, MLN_PROGRAM_IPTABLES);
    return mln_filter_parse_iptables(iptables, MLN_S("ip"), f->arena, &s->iptables);
}

static struct mln_result read_files(struct mln_facts *f, struct state *s)
{
    static const char *const saved[] = {"/etc/iptables/rules.v4", "/etc/sysconfig/iptables"};
    struct mln_str text;
    MLN_TRY(mln_tree_read_if(f->tree, "/etc/nftables.conf", f->arena, &text));
    if (text.p && mln_unit_is_enabled(f, "nftables.service"))
        MLN_TRY(mln_filter_parse_nft(text, f->arena, &s->nft));
    for (size_t i = 0; i < 2; i++) {
        MLN_TRY(mln_tree_read_if(f->tree, saved[i], f->arena, &text));
        MLN_TRY(mln_filter_parse_iptables(text, MLN_S("ip"), f->arena, &s->iptables));
    }
    return MLN_OK;
}

static void put_nftables(struct mln_json_writer *w, const struct state *s)
{
    mln_json_name(w, MLN_S("nftables"));
    mln_json_begin_object(w);
    mln_json_member_bool(w, "installed", s->nft_installed);
    mln_json_name(w, MLN_S("tables"));
    mln_json_begin_array(w);
    for (size_t i = 0; i < s->nft.chains.n; i++) {
        const struct mln_filter_chain *chain = &s->nft.chains.at[i];
        bool said = false;
        for (size_t k = 0; k < i && !said; k++)
            said = mln_str_eq(s->nft.chains.at[k].table, chain->table);
        if (!said)
            mln_json_put_str(w, chain->table);
    }
    mln_json_end_array(w);
    mln_json_name(w, MLN_S("chains"));
    mln_json_begin_array(w);
    for (size_t i = 0; i < s->nft.chains.n; i++) {
        const struct mln_filter_chain *chain = &s->nft.chains.at[i];
        mln_json_begin_object(w);
        mln_json_member_str(w, "family", chain->family);
        mln_json_member_str(w, "table", chain->table);
        mln_json_member_str(w, "name", chain->name);
        mln_json_member_str(w, "hook", chain->hook);
        mln_json_member_str(w, "policy", chain->policy);
        mln_json_member_i64(w, "rules", chain->rules);
        mln_json_end_object(w);
    }
    mln_json_end_array(w);
    mln_json_end_object(w);
}

static void put_managers(struct mln_json_writer *w, const struct mln_facts *f, const struct state *s)
{
    mln_json_name(w, MLN_S("ufw"));
    mln_json_begin_object(w);
    mln_json_member_bool(w, "installed", s->ufw_installed);
    mln_json_member_bool(w, "enabled", s->ufw_enabled);
    mln_json_member_str(w, "defaultIncoming", s->ufw_incoming);
    mln_json_end_object(w);
    mln_json_name(w, MLN_S("firewalld"));
    mln_json_begin_object(w);
    mln_json_member_bool(w, "installed", s->firewalld_installed);
    if (f->tree->live)
        mln_json_member_bool(w, "running", s->firewalld_running);
    mln_json_member_bool(w, "enabled", s->firewalld_enabled);
    mln_json_member_str(w, "defaultZone", s->firewalld_zone);
    mln_json_end_object(w);
    put_nftables(w, s);
    mln_json_name(w, MLN_S("iptables"));
    mln_json_begin_object(w);
    mln_json_member_bool(w, "installed", s->iptables_installed);
    mln_json_member_i64(w, "rules", (int64_t)s->iptables.rules);
    mln_json_end_object(w);
}

static bool refuses_anything(const struct mln_filter *filter)
{
    return filter->rules > 0 || !mln_str_eq(mln_filter_policy(filter, "input"), MLN_S("accept"));
}

struct mln_result mln_collect_firewall(struct mln_facts *f, struct mln_json_writer *w)
{
    static const char *const nft[] = {"/usr/sbin/nft", "/sbin/nft", NULL};
    static const char *const iptables[] = {"/usr/sbin/iptables", "/sbin/iptables", NULL};
    struct state s = {.nft_installed = mln_facts_any_file(f, nft),
                      .iptables_installed = mln_facts_any_file(f, iptables)};
    MLN_TRY(read_ufw(f, &s));
    MLN_TRY(read_firewalld(f, &s));
    MLN_TRY(f->tree->live ? read_live(f, &s) : read_files(f, &s));
    f->left_out += s.nft.left_out + s.iptables.left_out;
    bool by_nft = refuses_anything(&s.nft), by_iptables = refuses_anything(&s.iptables);
    const struct mln_filter *filter = by_nft || !by_iptables ? &s.nft : &s.iptables;
    bool firewalld = f->tree->live ? s.firewalld_running : s.firewalld_enabled;
    struct mln_str backend = firewalld       ? MLN_S("firewalld")
                             : s.ufw_enabled ? MLN_S("ufw")
                             : by_nft        ? MLN_S("nftables")
                             : by_iptables   ? MLN_S("iptables")
                                             : MLN_S("none");
    struct mln_str input = mln_filter_policy(filter, "input");
    if (!f->tree->live && s.ufw_enabled && s.ufw_incoming.p)
        input = s.ufw_incoming;
    mln_json_begin_object(w);
    mln_json_member_str(w, "backend", backend);
    mln_json_member_bool(w, "active", by_nft || by_iptables || (!f->tree->live && (firewalld || s.ufw_enabled)));
    mln_json_member_str(w, "inputPolicy", input);
    mln_json_member_str(w, "forwardPolicy", mln_filter_policy(filter, "forward"));
    mln_json_member_str(w, "outputPolicy", mln_filter_policy(filter, "output"));
    mln_json_member_bool(w, "loopbackAllowed",
                         mln_filter_accepts_loopback(filter) || mln_str_eq(input, MLN_S("accept")) ||
                             (s.ufw_enabled && !f->tree->live));
    mln_json_member_i64(w, "ruleCount", (int64_t)(s.nft.rules + s.iptables.rules));
    put_managers(w, f, &s);
    mln_json_end_object(w);
    return MLN_OK;
}
