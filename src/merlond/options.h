/*
 * The options of merlond: one line each. The struct, the command line, the configuration file, defaults, help and manual all
 * come from this list. Later ones win: default, file (--config), command line.
 */
#ifndef MLN_MERLOND_OPTIONS_H
#define MLN_MERLOND_OPTIONS_H

#include "cli/command.h"

enum mln_daemon_command { MLN_RUN = 1, MLN_INIT = 2, MLN_RESET_PASSWORD = 4, MLN_TOKEN = 8 };

#define MLN_EVERY_COMMAND (MLN_RUN | MLN_INIT | MLN_RESET_PASSWORD | MLN_TOKEN)

/* member, name, KIND (TEXT, PATH, DIRECTORY, SWITCH, NUMBER, LIST: may be given often), what stands for the value, default,
   commands, help */
#define MLN_DAEMON_OPTIONS(O)                                                                                          \
    O(state, "state", DIRECTORY, "DIR", "/var/lib/merlon", MLN_EVERY_COMMAND,                                          \
      "where keys, certificates and the database are kept")                                                            \
    O(config, "config", PATH, "FILE", "", MLN_EVERY_COMMAND,                                                           \
      "YAML or JSON file with options, such as: listen: 0.0.0.0:8443")                                                 \
    O(listen, "listen", TEXT, "ADDR:PORT", "127.0.0.1:8443", MLN_RUN, "where to listen; port 0: any that is free")     \
    O(content, "content", DIRECTORY, "DIR", MLN_CONTENT_DIRECTORY, MLN_RUN | MLN_TOKEN, "the rules and standards")     \
    O(names, "name", LIST, "HOST", "", MLN_RUN,                                                                        \
      "a further name or address by which the server is reached, for its certificate")                                 \
    O(user, "user", TEXT, "ACCOUNT", "", MLN_EVERY_COMMAND, "become this user when started as root")                   \
    O(tenant_name, "tenant-name", TEXT, "NAME", "Merlon", MLN_RUN, "what the tenant is called")                        \
    O(workers, "workers", NUMBER, "N", "0", MLN_RUN, "threads that work on requests; 0: by the number of processors")  \
    O(max_connections, "max-connections", NUMBER, "N", "4096", MLN_RUN, "connections at once")                         \
    O(max_per_address, "max-per-address", NUMBER, "N", "256", MLN_RUN,                                                 \
      "connections at once from one address (or a /64 of IPv6)")                                                       \
    O(receive_seconds, "receive-seconds", NUMBER, "N", "20", MLN_RUN,                                                  \
      "how long a client may take to send a request's headers, and again for its body")                                \
    O(heartbeat_seconds, "heartbeat-seconds", NUMBER, "N", "30", MLN_RUN, "how often machines call")                   \
    O(report_seconds, "report-seconds", NUMBER, "N", "3600", MLN_RUN, "how often machines look at everything anew")    \
    O(log_json, "log-json", SWITCH, "", "", MLN_RUN, "write the log as JSON lines")                                    \
    O(debug, "debug", SWITCH, "", "", MLN_RUN, "log every request")                                                    \
    O(admin, "admin", TEXT, "NAME", "admin", MLN_INIT | MLN_RUN | MLN_RESET_PASSWORD, "the administrator's name")      \
    O(password_file, "password-file", PATH, "FILE", "", MLN_INIT | MLN_RESET_PASSWORD,                                 \
      "take the password from the first line of this file instead of making one")                                      \
    O(group, "group", TEXT, "NAME", "default", MLN_TOKEN, "the resource group for the new machine")                    \
    O(uses, "uses", NUMBER, "N", "1", MLN_TOKEN, "how many machines may use the token")                                \
    O(hours, "hours", NUMBER, "N", "24", MLN_TOKEN, "how long the token is good")

enum { MLN_MAX_NAMES = 32 };
struct mln_daemon_list {
    struct mln_str at[MLN_MAX_NAMES];
    size_t n;
};

struct mln_daemon_options {
    enum mln_daemon_command command;
#define MLN_OPTION_TYPE_TEXT struct mln_str
#define MLN_OPTION_TYPE_PATH struct mln_str
#define MLN_OPTION_TYPE_DIRECTORY struct mln_str
#define MLN_OPTION_TYPE_SWITCH bool
#define MLN_OPTION_TYPE_NUMBER uint32_t
#define MLN_OPTION_TYPE_LIST struct mln_daemon_list
#define O(member, name, kind, value, otherwise, commands, help) MLN_OPTION_TYPE_##kind member;
    MLN_DAEMON_OPTIONS(O)
#undef O
};

/* As the command line knows them. */
enum {
#define O(member, name, kind, value, otherwise, commands, help) +1
    MLN_DAEMON_OPTIONS_COUNT = MLN_DAEMON_OPTIONS(O)
#undef O
};
extern const struct mln_option mln_daemon_options[MLN_DAEMON_OPTIONS_COUNT];

/* The options of a command line that was taken apart, reading the configuration file if one is named. INVALID, SYNTAX or
   the failure to read it, with a text for the user. Texts live in the invocation's arena or in argv. */
MLN_RESULT mln_daemon_options_take(const struct mln_invocation *invocation, struct mln_daemon_options *out);

#endif
