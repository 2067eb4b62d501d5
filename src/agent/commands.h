/* The commands of merlon-agent. Each returns an exit status: 0 done, 1 failed (said on standard error), 2 used wrongly. */
#ifndef MLN_AGENT_COMMANDS_H
#define MLN_AGENT_COMMANDS_H

#include <stdbool.h>

/* option, its value's name or NULL, which member, what it does */
#define MLN_AGENT_OPTIONS(O)                                                                                           \
    O("root", "DIR", root, "the machine's files, a tree to be judged (default /)")                                     \
    O("section", "NAME", section, "facts: only this section")                                                          \
    O("name", "NAME", name, "the machine's name (default: the host's)")                                                \
    O("server", "URL", server, "enroll: the server, https://host[:port]")                                              \
    O("token", "TOKEN", token, "enroll: the enrolment token (or in MERLON_ENROLMENT_TOKEN)")                           \
    O("ca", "FILE", ca_file, "enroll: the authority of the server's certificate, PEM")                                 \
    O("ca-fingerprint", "HEX", ca_fingerprint, "enroll: SHA-256 of that authority's certificate")                      \
    O("proxy", "URL", proxy, "enroll: reach the server through this HTTP proxy")                                       \
    O("state", "DIR", state, "where key, certificate and state are (default /var/lib/merlon-agent)")                   \
    O("user", "NAME", user, "run: the unprivileged account (default merlon-agent, else nobody)")

#define MLN_AGENT_FLAGS(F)                                                                                             \
    F("pretty", pretty, "facts, resource: with line breaks")                                                           \
    F("verbose", verbose, "run: log more")                                                                             \
    F("json", json, "run: log as JSON; status: as JSON")

struct mln_agent_options {
#define O(name, value, member, doc) const char *member;
    MLN_AGENT_OPTIONS(O)
#undef O
#define F(name, member, doc) bool member;
    MLN_AGENT_FLAGS(F)
#undef F
};

/* name, what it does; "" is not shown */
#define MLN_AGENT_COMMANDS(C)                                                                                          \
    C(enroll, "bring this machine to a server: --server and --token, --ca or --ca-fingerprint")                        \
    C(run, "the service: collect, beat, report, until it is stopped")                                                  \
    C(status, "how the service fares")                                                                                 \
    C(facts, "print what the agent would report")                                                                      \
    C(resource, "print the machine as a resource, for `merlon assess`")                                                \
    C(unenroll, "say good-bye to the server and forget it")                                                            \
    C(link, "")

#define C(name, doc) int mln_command_##name(const struct mln_agent_options *options);
MLN_AGENT_COMMANDS(C)
#undef C

#endif
