/*
 * What a section of the facts is collected with, and the table of all sections. See docs/facts.md for their shapes.
 *
 * A collector reads below a tree and writes one JSON value. It asks the running kernel only when the tree is live, starts
 * no program (what programs say has been gathered before, see programs.h), and changes nothing. A section that cannot be
 * collected fails, and the failure's text becomes its reason in facts.errors. What is not known is left out, never null:
 * a merge patch could not carry that.
 */
#ifndef MLN_AGENT_LINUX_FACTS_H
#define MLN_AGENT_LINUX_FACTS_H

#include "agent/linux/programs.h"
#include "agent/linux/tree.h"
#include "base/time.h"
#include "json/writer.h"

enum {
    MLN_FACTS_MAX_LIST = 2000,
    MLN_FACTS_MAX_LISTENERS = 2000,
    MLN_FACTS_MAX_PACKAGES = 20000,
    MLN_FACTS_ARENA_BYTES = 96 << 20,
    MLN_FACTS_MAX_SECTION_BYTES = 6 << 20,
    MLN_FACTS_MAX_NOTES = 16,
};

struct mln_note { /* something that a section is without: "listeners.process", why */
    struct mln_str member, reason;
};

/* Whether the kernel's clock is kept by a time service. */
enum mln_clock_state { MLN_CLOCK_UNKNOWN, MLN_CLOCK_FREE, MLN_CLOCK_SYNCHRONISED };

struct mln_names; /* ids and names of accounts, names.h */

struct mln_facts {
    struct mln_tree *tree;
    struct mln_arena *arena;
    const struct mln_clock *clock;
    const struct mln_program_output *outputs; /* MLN_PROGRAM_COUNT of them */
    struct mln_note notes[MLN_FACTS_MAX_NOTES];
    size_t n_notes;
    size_t left_out;         /* list entries of the section at hand that found no room */
    struct mln_names *names; /* loaded when first asked for */
    enum mln_clock_state clock_state;
};

typedef struct mln_result (*mln_collector)(struct mln_facts *f, struct mln_json_writer *w);

/* What a section needs beyond an ordinary user's rights. */
enum mln_need { MLN_NEED_NOTHING, MLN_NEED_READ_ALL, MLN_NEED_TRACE };
/* How dear a look is: CHEAP at once when a file of it changes, DEAR when the changes have ended, WALK by the clock only. */
enum mln_cost { MLN_COST_CHEAP, MLN_COST_DEAR, MLN_COST_WALK };

/* section, collector's name, needs, cost, seconds between two looks without a change */
#define MLN_SECTIONS(S)                                                                                                \
    S(os, NOTHING, CHEAP, 3600)                                                                                        \
    S(kernel, READ_ALL, CHEAP, 300)                                                                                    \
    S(sysctl, READ_ALL, CHEAP, 30)                                                                                     \
    S(modules, NOTHING, CHEAP, 60)                                                                                     \
    S(packages, READ_ALL, DEAR, 3600)                                                                                  \
    S(listeners, TRACE, CHEAP, 15)                                                                                     \
    S(users, READ_ALL, CHEAP, 600)                                                                                     \
    S(groups, NOTHING, CHEAP, 3600)                                                                                    \
    S(accounts, READ_ALL, CHEAP, 3600)                                                                                 \
    S(sudo, READ_ALL, CHEAP, 3600)                                                                                     \
    S(passwordPolicy, READ_ALL, CHEAP, 3600)                                                                           \
    S(sshd, READ_ALL, CHEAP, 300)                                                                                      \
    S(services, NOTHING, CHEAP, 60)                                                                                    \
    S(timers, NOTHING, CHEAP, 600)                                                                                     \
    S(cron, READ_ALL, CHEAP, 3600)                                                                                     \
    S(mounts, NOTHING, CHEAP, 30)                                                                                      \
    S(fstab, NOTHING, CHEAP, 3600)                                                                                     \
    S(files, READ_ALL, CHEAP, 300)                                                                                     \
    S(fileScan, READ_ALL, WALK, 86400)                                                                                 \
    S(firewall, READ_ALL, CHEAP, 60)                                                                                   \
    S(audit, READ_ALL, CHEAP, 120)                                                                                     \
    S(boot, READ_ALL, CHEAP, 3600)                                                                                     \
    S(mandatoryAccess, READ_ALL, CHEAP, 300)                                                                           \
    S(logging, READ_ALL, CHEAP, 600)                                                                                   \
    S(time, NOTHING, CHEAP, 60)                                                                                        \
    S(shell, READ_ALL, CHEAP, 3600)                                                                                    \
    S(banners, NOTHING, CHEAP, 3600)                                                                                   \
    S(network, NOTHING, CHEAP, 60)                                                                                     \
    S(integrity, READ_ALL, CHEAP, 3600)                                                                                \
    S(endpointProtection, NOTHING, CHEAP, 300)                                                                         \
    S(encryption, READ_ALL, CHEAP, 600)                                                                                \
    S(hardware, NOTHING, CHEAP, 86400)                                                                                 \
    S(cloud, NOTHING, CHEAP, 86400)

enum mln_section {
#define S(name, need, cost, period) MLN_SECTION_##name,
    MLN_SECTIONS(S)
#undef S
        MLN_SECTION_COUNT
};

struct mln_section_row {
    const char *name;
    mln_collector collect;
    enum mln_need need;
    enum mln_cost cost;
    uint32_t period_seconds;
};
extern const struct mln_section_row mln_sections[MLN_SECTION_COUNT];

/* The section of a name; MLN_SECTION_COUNT when there is none. */
enum mln_section mln_section_find(struct mln_str name);

#define S(name, need, cost, period)                                                                                    \
    struct mln_result mln_collect_##name(struct mln_facts *f, struct mln_json_writer *w);
MLN_SECTIONS(S)
#undef S

/* Collects one section into out (its JSON value; nothing on failure) with the outputs in f. Forgets the arena's content
   of the section before. The failure's text is the reason. */
MLN_RESULT mln_section_collect(struct mln_facts *f, enum mln_section section, struct mln_buf *out);

/* Asks the kernel about its clock, for the section time: the collector itself may not be allowed to any more. */
void mln_facts_ask_clock(struct mln_facts *f);

/* ---- for the collectors ---- */

/* The failure of a section that only the running machine can tell about, when the tree is not live. */
MLN_RESULT mln_facts_need_live(const struct mln_facts *f);
/* Says that a member of the section is missing, and why ("listeners.process", a reason). */
void mln_facts_note(struct mln_facts *f, const char *member, const char *reason);
/* False, and counted as left out, when a list has max entries already. */
bool mln_facts_room(struct mln_facts *f, size_t n, size_t max);

/* True when a file of one of these paths exists (NULL-terminated). */
bool mln_facts_any_file(struct mln_facts *f, const char *const *paths);
/* The process id of a running program by the name of its executable (comm), 0 when there is none or the tree is not
   live. */
int64_t mln_facts_running(struct mln_facts *f, const char *const *names);
/* The member running, left out when the tree is not live. */
void mln_facts_member_running(struct mln_facts *f, struct mln_json_writer *w, const char *const *names);
/* {exists, mode, owner} of a path under name. */
void mln_facts_member_mode(struct mln_facts *f, struct mln_json_writer *w, const char *name, const char *path);

/* An array of strings under name. */
void mln_facts_member_strings(struct mln_json_writer *w, const char *name, const struct mln_str *at, size_t n);
/* A number, left out when it is the value of absent. */
void mln_facts_member_number(struct mln_json_writer *w, const char *name, int64_t number, int64_t absent);
/* "0640" */
void mln_facts_member_octal(struct mln_json_writer *w, const char *name, uint32_t mode);

#endif
