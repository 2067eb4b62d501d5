/*
 * The closed list of programs that the agent runs, with fixed paths and arguments, and what they said.
 *
 * Whoever may run them (the keeper, or the facts command) gathers the outputs that a section lists before the collector
 * runs; the collector only reads the bytes. They are run on the live machine only.
 */
#ifndef MLN_AGENT_LINUX_PROGRAMS_H
#define MLN_AGENT_LINUX_PROGRAMS_H

#include "base/buf.h"

#include <sys/types.h>

/* What rpm.h reads. The line's end is there for dnf 5, which adds none. */
#define MLN_DNF_FORMAT "%{name}\t%{epoch}\t%{version}-%{release}\t%{arch}\n"

/* name, section, root: whether it needs root's rights, deadline in ms, most bytes of output, arguments */
#define MLN_PROGRAMS(P)                                                                                                \
    P(SSHD, sshd, true, 10000, 256 << 10, "/usr/sbin/sshd", "-T")                                                      \
    P(APT, packages, false, 120000, 4 << 20, "/usr/bin/apt-get", "--just-print", "-q", "-o", "Debug::NoLocking=true",  \
      "dist-upgrade")                                                                                                  \
    P(RPM, packages, false, 60000, 8 << 20, "/usr/bin/rpm", "-qa", "--qf",                                             \
      "%{NAME}\\t%{EPOCHNUM}\\t%{VERSION}-%{RELEASE}\\t%{ARCH}\\t%{SOURCERPM}\\n")                                     \
    P(DNF_UPDATES, packages, false, 120000, 4 << 20, "/usr/bin/dnf", "-q", "-C", "repoquery", "--upgrades",            \
      "--latest-limit=1", "--qf", MLN_DNF_FORMAT)                                                                      \
    P(DNF_SECURITY, packages, false, 120000, 4 << 20, "/usr/bin/dnf", "-q", "-C", "repoquery", "--upgrades",           \
      "--security", "--qf", MLN_DNF_FORMAT)                                                                            \
    P(YUM_UPDATES, packages, false, 120000, 4 << 20, "/usr/bin/yum", "-q", "-C", "check-update")                       \
    P(YUM_SECURITY, packages, false, 120000, 4 << 20, "/usr/bin/yum", "-q", "-C", "updateinfo", "list", "security")    \
    P(UNITS, services, false, 15000, 4 << 20, "/usr/bin/systemctl", "show", "*.service", "*.socket",                   \
      "--property=Id,LoadState,ActiveState,SubState,UnitFileState", "--no-pager")                                      \
    P(UNIT_FILES, services, false, 15000, 1 << 20, "/usr/bin/systemctl", "list-unit-files", "--type=service,socket",   \
      "--no-legend", "--no-pager")                                                                                     \
    P(TIMERS, timers, false, 15000, 1 << 20, "/usr/bin/systemctl", "show", "*.timer",                                  \
      "--property=Id,ActiveState,UnitFileState,NextElapseUSecRealtime", "--timestamp=unix", "--no-pager")              \
    P(NFT, firewall, true, 15000, 8 << 20, "/usr/sbin/nft", "-j", "list", "ruleset")                                   \
    P(IPTABLES, firewall, true, 15000, 4 << 20, "/usr/sbin/iptables-save")                                             \
    P(AUDIT_STATUS, audit, true, 10000, 16 << 10, "/usr/sbin/auditctl", "-s")                                          \
    P(AUDIT_RULES, audit, true, 10000, 1 << 20, "/usr/sbin/auditctl", "-l")                                            \
    P(ADDRESSES, network, false, 10000, 1 << 20, "/usr/sbin/ip", "-j", "address")

enum mln_program {
#define P(name, section, root, timeout, bytes, ...) MLN_PROGRAM_##name,
    MLN_PROGRAMS(P)
#undef P
        MLN_PROGRAM_COUNT
};

struct mln_program_output {
    bool ran; /* it was there and came to its end in time */
    int exit_status;
    struct mln_buf text; /* its standard output */
    char error[128];     /* why it did not run, or the first line that it wrote to its standard error */
};

/* Runs the programs that the section (enum mln_section) lists. A program that needs no root's rights runs as uid, gid
   where this process is root and uid is not 0. outputs: MLN_PROGRAM_COUNT of them, zeroed at the start; what was gathered
   for the section before is given back. A program that is not there or fails is no failure. */
void mln_programs_gather(unsigned section, uid_t uid, gid_t gid, struct mln_program_output *outputs);
void mln_programs_free(struct mln_program_output *outputs);

/* What a program said when it ended well; p NULL otherwise. */
struct mln_str mln_program_text(const struct mln_program_output *outputs, enum mln_program program);
/* The same for a program that also ends well with another exit status than 0. */
struct mln_str mln_program_text_or(const struct mln_program_output *outputs, enum mln_program program, int status);

#endif
