/* sshd_config(5) and what sshd -T prints: defaults can always be added, lists stay within their limits. */
#include "agent/linux/sshd_config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(struct mln_result r, struct mln_sshd_config *config, struct mln_arena *arena)
{
    if (mln_ok(r))
        r = mln_sshd_add_defaults(config, 902, arena);
    if (!mln_ok(r)) {
        if (r.code != MLN_E_LIMIT)
            abort();
        return;
    }
    if (!mln_sshd_find(config, "permitrootlogin") || config->options.n > MLN_SSHD_MAX_OPTIONS)
        abort();
    for (size_t i = 0; i < config->options.n; i++)
        if (!config->options.at[i].list && config->options.at[i].values.n != 1)
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mln_arena *arena MLN_CLEANUP(mln_arena_free) = mln_arena_new((size_t)64 << 20);
    struct mln_str text = {(const char *)data, size};
    struct mln_sshd_config config;
    check(mln_sshd_parse(text, arena, &config), &config, arena);
    check(mln_sshd_parse_effective(text, arena, &config), &config, arena);
    mln_sshd_version(text);
    return 0;
}
