/* pam.d(5): one service's lines. "@include x" is an entry of all types with the control "include". */
#ifndef MLN_AGENT_LINUX_PAM_H
#define MLN_AGENT_LINUX_PAM_H

#include "base/str.h"
#include "base/vec.h"

enum { MLN_PAM_MAX_ENTRIES = 2000, MLN_PAM_MAX_ARGUMENTS = 32 };

struct mln_pam_entry {
    struct mln_str service, type, control, module; /* type "auth", "account", "password", "session", or "" for @include;
                                                      control as written, "[...]" included; module without directory */
    MLN_VEC(struct mln_str) arguments;
};
struct mln_pam {
    MLN_VEC(struct mln_pam_entry) entries;
    size_t left_out;
};

/* Appends the entries of one file's text. Lines that are none are passed over. */
MLN_RESULT mln_pam_parse(struct mln_str service, struct mln_str text, struct mln_arena *arena, struct mln_pam *out);

/* The value of an argument "name=value", or "" for a bare "name"; p NULL when it is not there. */
struct mln_str mln_pam_argument(const struct mln_pam_entry *entry, const char *name);

#endif
