/* pam.d(5): an entry has a known type and a module without directory. */
#include "agent/linux/pam.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mln_arena *arena MLN_CLEANUP(mln_arena_free) = mln_arena_new((size_t)64 << 20);
    struct mln_pam pam = {0};
    struct mln_result r = mln_pam_parse(MLN_S("service"), (struct mln_str){(const char *)data, size}, arena, &pam);
    if (!mln_ok(r) && r.code != MLN_E_LIMIT)
        abort();
    if (pam.entries.n > MLN_PAM_MAX_ENTRIES)
        abort();
    for (size_t i = 0; i < pam.entries.n; i++) {
        const struct mln_pam_entry *entry = &pam.entries.at[i];
        if (entry->arguments.n > MLN_PAM_MAX_ARGUMENTS || mln_str_find(entry->module, MLN_S("/"), 0) != SIZE_MAX ||
            !entry->control.n)
            abort();
        mln_pam_argument(entry, "minlen");
    }
    return 0;
}
