/*
 * What the agent keeps in its state directory (0700): whom it talks to (config.json), its key and certificate (identity.pem,
 * in one file so that both change at once), the authorities it trusts (ca.pem), the facts last acknowledged (acked.json) and
 * how it fares (status.json). Every file is replaced as a whole. Nothing of it leaves the machine but the certificate.
 */
#ifndef MLN_AGENT_STATE_H
#define MLN_AGENT_STATE_H

#include "base/buf.h"
#include "crypto/ca.h"
#include "json/json.h"

#define MLN_AGENT_STATE_DIRECTORY "/var/lib/merlon-agent"
#define MLN_AGENT_USER "merlon-agent"

struct mln_agent_config {
    struct mln_str server;     /* "https://host:port", no final slash */
    struct mln_str proxy;      /* p NULL: none */
    struct mln_str name;       /* the machine's */
    struct mln_str machine_id; /* given by the server */
    struct mln_str resource_id;
    uint32_t heartbeat_seconds, report_seconds;
};

/* The files' names in the directory. */
#define MLN_STATE_CONFIG "config.json"
#define MLN_STATE_IDENTITY "identity.pem"
#define MLN_STATE_PENDING "enrolling.pem"
#define MLN_STATE_CA "ca.pem"
#define MLN_STATE_ACKED "acked.json"
#define MLN_STATE_STATUS "status.json"
#define MLN_STATE_LOCK "agent.lock"

/* A file's content; NOT_FOUND. out decides the limit. */
MLN_RESULT mln_state_read(const char *directory, const char *name, struct mln_buf *out);
MLN_RESULT mln_state_write(const char *directory, const char *name, struct mln_str content);
/* Absent is fine. */
MLN_RESULT mln_state_remove(const char *directory, const char *name);
/* Gives directory and files to an account. */
MLN_RESULT mln_state_give_to(const char *directory, uid_t uid, gid_t gid);

/* NOT_FOUND: not enrolled. Strings in the arena. */
MLN_RESULT mln_state_config(const char *directory, struct mln_arena *arena, struct mln_agent_config *out);
MLN_RESULT mln_state_put_config(const char *directory, const struct mln_agent_config *config);

/* Key and certificate. */
MLN_RESULT mln_state_identity(const char *directory, struct mln_key **key, struct mln_cert **cert);
MLN_RESULT mln_state_put_identity(const char *directory, const struct mln_key *key, const struct mln_cert *cert);

/* The digest of the machine's own id (/etc/machine-id), in hex; of a random one, kept in the directory, where there is
   none. */
MLN_RESULT mln_state_machine_digest(const char *directory, char out[MLN_SHA256_HEX]);

#endif
