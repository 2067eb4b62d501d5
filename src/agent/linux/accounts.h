/* passwd(5), shadow(5), group(5) and gshadow(5), line by line. Slices point into the text; the password fields stay here. */
#ifndef MLN_AGENT_LINUX_ACCOUNTS_H
#define MLN_AGENT_LINUX_ACCOUNTS_H

#include "base/fields.h"

struct mln_passwd {
    struct mln_str name, password, gecos, home, shell;
    uint32_t uid, gid;
};
struct mln_shadow {
    struct mln_str name, hash;
    int64_t last_change, min, max, warn, inactive, expire; /* days; -1: empty or no number */
};
struct mln_group {
    struct mln_str name, password, members; /* members: separated by commas */
    uint32_t gid;
};

/* The next well-formed line; others are skipped. "+" and "-" lines (NIS) are not entries. False at the end. */
bool mln_passwd_next(struct mln_str *rest, struct mln_passwd *out);
bool mln_shadow_next(struct mln_str *rest, struct mln_shadow *out);
bool mln_group_next(struct mln_str *rest, struct mln_group *out); /* of gshadow lines only name and members are set */
bool mln_gshadow_next(struct mln_str *rest, struct mln_group *out);

/* The algorithm of a crypt(5) hash: "yescrypt", "sha512", "md5", "des", ...; "" for what is no hash, "unknown". */
const char *mln_password_algorithm(struct mln_str hash);
/* Begins with '!' or '*'. */
bool mln_password_locked(struct mln_str hash);
/* A shell that lets somebody sign in: neither nologin nor false nor a program like sync. "" is /bin/sh. */
bool mln_shell_is_login(struct mln_str shell);

#endif
