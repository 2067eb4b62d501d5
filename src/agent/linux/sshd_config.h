/*
 * sshd_config(5): what holds for everybody, with includes followed, Match blocks left aside (except "Match all") and the
 * defaults of the version filled in; or the same as `sshd -T` says it. Both give the same form: keywords in lower case,
 * times in seconds, permitrootlogin's old word "without-password" as "prohibit-password".
 */
#ifndef MLN_AGENT_LINUX_SSHD_CONFIG_H
#define MLN_AGENT_LINUX_SSHD_CONFIG_H

#include "agent/linux/tree.h"

enum { MLN_SSHD_MAX_OPTIONS = 400, MLN_SSHD_MAX_VALUES = 256, MLN_SSHD_MAX_FILES = 64 };

struct mln_sshd_option {
    struct mln_str keyword;
    MLN_VEC(struct mln_str) values; /* one, unless it is a list */
    bool list;
};
struct mln_sshd_config {
    MLN_VEC(struct mln_sshd_option) options;
    MLN_VEC(struct mln_str) matches; /* the criteria of the Match blocks */
};

/* Reads the file and what it includes. NOT_FOUND when the file is not there, LIMIT. */
MLN_RESULT mln_sshd_read(struct mln_tree *tree, const char *path, struct mln_arena *arena, struct mln_sshd_config *out);
/* One text, its includes passed over. */
MLN_RESULT mln_sshd_parse(struct mln_str text, struct mln_arena *arena, struct mln_sshd_config *out);
/* The output of `sshd -T`. */
MLN_RESULT mln_sshd_parse_effective(struct mln_str text, struct mln_arena *arena, struct mln_sshd_config *out);

/* Fills in what is not set, and applies "+", "-" and "^" of algorithm lists. version: OpenSSH's times 100 (9.2 is 902);
   0: not known, taken as a recent one. */
MLN_RESULT mln_sshd_add_defaults(struct mln_sshd_config *config, int version, struct mln_arena *arena);
/* 902 of "1:9.2p1-2+deb12u3"; 0 for what is no such version. */
int mln_sshd_version(struct mln_str package_version);

const struct mln_sshd_option *mln_sshd_find(const struct mln_sshd_config *config, const char *keyword);

#endif
