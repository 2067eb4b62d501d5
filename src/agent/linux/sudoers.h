/*
 * sudoers(5): who may run what as whom. Includes are followed below the tree, aliases of users and commands are written
 * out. Whatever is not understood is listed by file and line, never guessed.
 */
#ifndef MLN_AGENT_LINUX_SUDOERS_H
#define MLN_AGENT_LINUX_SUDOERS_H

#include "agent/linux/tree.h"

enum { MLN_SUDOERS_MAX_RULES = 2000, MLN_SUDOERS_MAX_FILES = 256, MLN_SUDOERS_MAX_ITEMS = 256 };

struct mln_sudo_list {
    MLN_VEC(struct mln_str) items;
};
struct mln_sudo_rule {
    struct mln_str who, hosts, run_as; /* lists joined with ", "; run_as p NULL: root */
    struct mln_sudo_list commands;
    bool nopasswd, noauthenticate; /* by the NOPASSWD tag; by Defaults !authenticate for this user or all */
    struct mln_str file;
    uint32_t line;
};
struct mln_sudo_default {
    struct mln_str scope;       /* "@host", ":user", "!command", ">runas"; p NULL: global */
    struct mln_str name, value; /* value p NULL: a flag */
    bool negated;
};
struct mln_sudo_place {
    struct mln_str file;
    uint32_t line;
};
struct mln_sudoers {
    MLN_VEC(struct mln_sudo_rule) rules;
    MLN_VEC(struct mln_sudo_default) defaults;
    MLN_VEC(struct mln_sudo_place) unparsed;
    size_t left_out; /* rules beyond the limit */
};

/* Reads the file and what it includes. NOT_FOUND when the file is not there. */
MLN_RESULT mln_sudoers_read(struct mln_tree *tree, const char *path, struct mln_arena *arena, struct mln_sudoers *out);
/* One text, its includes passed over. */
MLN_RESULT mln_sudoers_parse(struct mln_str text, struct mln_arena *arena, struct mln_sudoers *out);

#endif
