/*
 * The commands of merlon-agent, and its options: one line each. The struct, the command line, help and manual all come from
 * these lists.
 */
#ifndef MLN_AGENT_COMMANDS_H
#define MLN_AGENT_COMMANDS_H

#include "agent/state.h"
#include "cli/command.h"

enum {
    MLN_ENROLL = 1,
    MLN_RUN = 2,
    MLN_STATUS = 4,
    MLN_FACTS = 8,
    MLN_RESOURCE = 16,
    MLN_UNENROLL = 32,
    MLN_LINK = 64,
    MLN_OF_SERVICE = MLN_ENROLL | MLN_RUN | MLN_STATUS | MLN_UNENROLL | MLN_LINK,
};

/* option, its value's name, what that is (MLN_TAKES_...), which member, which commands, default, what it does */
#define MLN_AGENT_OPTIONS(O)                                                                                           \
    O("server", "URL", TEXT, server, MLN_ENROLL, NULL, "the server, https://host[:port]")                              \
    O("token", "TOKEN", TEXT, token, MLN_ENROLL, NULL, "the enrolment token (or in MERLON_ENROLMENT_TOKEN)")           \
    O("ca", "FILE", FILE, ca_file, MLN_ENROLL, NULL, "the authority of the server's certificate, PEM")                 \
    O("ca-fingerprint", "HEX", TEXT, ca_fingerprint, MLN_ENROLL, NULL, "SHA-256 of that authority's certificate")      \
    O("proxy", "URL", TEXT, proxy, MLN_ENROLL, NULL, "reach the server through this HTTP proxy")                       \
    O("name", "NAME", TEXT, name, MLN_ENROLL | MLN_RESOURCE, NULL, "the machine's name; otherwise the host's")         \
    O("root", "DIR", DIRECTORY, root, MLN_RUN | MLN_FACTS | MLN_RESOURCE, "/",                                         \
      "the machine's files, or a tree to be judged")                                                                   \
    O("section", "NAME", TEXT, section, MLN_FACTS, NULL, "only this section")                                          \
    O("state", "DIR", DIRECTORY, state, MLN_OF_SERVICE, MLN_AGENT_STATE_DIRECTORY,                                     \
      "where key, certificate and state are")                                                                          \
    O("user", "NAME", TEXT, user, MLN_ENROLL | MLN_RUN, NULL,                                                          \
      "the unprivileged account; otherwise merlon-agent, or nobody where that is not there")

/* option, which member, which commands, what it does */
#define MLN_AGENT_FLAGS(F)                                                                                             \
    F("pretty", pretty, MLN_FACTS | MLN_RESOURCE, "with line breaks")                                                  \
    F("verbose", verbose, MLN_RUN, "log more")                                                                         \
    F("json", json, MLN_RUN | MLN_STATUS, "log, or answer, as JSON")

struct mln_agent_options {
#define O(name, value, takes, member, commands, otherwise, doc) const char *member;
    MLN_AGENT_OPTIONS(O)
#undef O
#define F(name, member, commands, doc) bool member;
    MLN_AGENT_FLAGS(F)
#undef F
};

/* name, kind, what it does; NULL is not shown */
#define MLN_AGENT_COMMANDS(C)                                                                                          \
    C(enroll, MLN_ENROLL, "Bring this machine to a server: --server and --token, --ca or --ca-fingerprint")            \
    C(run, MLN_RUN, "The service: collect, beat, report, until it is stopped")                                         \
    C(status, MLN_STATUS, "How the service fares")                                                                     \
    C(facts, MLN_FACTS, "Print what the agent would report")                                                           \
    C(resource, MLN_RESOURCE, "Print the machine as a resource, for 'merlon assess'")                                  \
    C(unenroll, MLN_UNENROLL, "Say good-bye to the server and forget it")                                              \
    C(link, MLN_LINK, NULL)

/* The invocation's context is a struct mln_agent_options. */
#define C(name, kind, doc) MLN_RESULT mln_command_##name(struct mln_invocation *invocation, enum mln_exit *exit_code);
MLN_AGENT_COMMANDS(C)
#undef C

#endif
