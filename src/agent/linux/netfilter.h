/* Packet filter rules in three forms (nft's JSON, nft's own language, iptables-save), reduced to chains. */
#ifndef MLN_AGENT_LINUX_NETFILTER_H
#define MLN_AGENT_LINUX_NETFILTER_H

#include "base/str.h"
#include "base/vec.h"

enum { MLN_FILTER_MAX_CHAINS = 1000 };

struct mln_filter_chain {
    struct mln_str family, table, name;
    struct mln_str hook;   /* "input", "forward", "output", ...; p NULL: reached by a jump only */
    struct mln_str type;   /* "filter", "nat", ...; p NULL: unknown */
    struct mln_str policy; /* "accept", "drop"; p NULL where there is none */
    struct mln_str last; /* the verdict of a last rule without a condition: "drop", "reject", "accept"; p NULL: none */
    uint32_t rules;
    bool accepts_loopback; /* a rule accepts what comes in on lo */
};
struct mln_filter {
    MLN_VEC(struct mln_filter_chain) chains;
    size_t rules, left_out;
};

/* `nft -j list ruleset`. SYNTAX. */
MLN_RESULT mln_filter_parse_nft_json(struct mln_str text, struct mln_arena *arena, struct mln_filter *out);
/* A file in nft's language, such as /etc/nftables.conf: tables, base chains, and how many rules they have. */
MLN_RESULT mln_filter_parse_nft(struct mln_str text, struct mln_arena *arena, struct mln_filter *out);
/* `iptables-save`, or a file that it made. */
MLN_RESULT mln_filter_parse_iptables(struct mln_str text, struct mln_str family, struct mln_arena *arena,
                                     struct mln_filter *out);

/* What happens to packets of a hook that no rule speaks of: "drop", "reject" or "accept". */
struct mln_str mln_filter_policy(const struct mln_filter *filter, const char *hook);
/* True when a chain on the hook accepts lo, itself or by a chain of its table. */
bool mln_filter_accepts_loopback(const struct mln_filter *filter);

#endif
