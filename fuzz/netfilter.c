/* Packet filters in three languages: there is always a policy, and counts are within the limit. */
#include "agent/linux/netfilter.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(struct mln_result r, const struct mln_filter *filter)
{
    if (!mln_ok(r) && r.code != MLN_E_LIMIT && r.code != MLN_E_SYNTAX)
        abort();
    if (filter->chains.n > MLN_FILTER_MAX_CHAINS || !mln_filter_policy(filter, "input").p)
        abort();
    mln_filter_accepts_loopback(filter);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mln_arena *arena MLN_CLEANUP(mln_arena_free) = mln_arena_new((size_t)64 << 20);
    struct mln_str text = {(const char *)data, size};
    struct mln_filter json = {0}, nft = {0}, iptables = {0};
    check(mln_filter_parse_nft_json(text, arena, &json), &json);
    check(mln_filter_parse_nft(text, arena, &nft), &nft);
    check(mln_filter_parse_iptables(text, MLN_S("ip"), arena, &iptables), &iptables);
    return 0;
}
