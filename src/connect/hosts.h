/*
 * The hosts connector: servers of one's own, as Microsoft.HybridCompute/machines. See docs/agent-protocol.md.
 *
 * It owns the enrolment tokens (collection TOKENS, keys "enrol/..."), the machines' enrolments (MACHINES), the machines'
 * connection status, and how a report becomes a resource. It hands each resource on to posture/. It must not know HTTP:
 * the caller has done TLS, brings bodies as JSON text and turns errors into answers by their code.
 *
 * Thread-safe. What an agent sends is hostile until shown otherwise: sizes, depths, names, rates are limited here.
 */
#ifndef MLN_CONNECT_HOSTS_H
#define MLN_CONNECT_HOSTS_H

#include "base/buf.h"
#include "base/time.h"
#include "posture/posture.h"
#include "store/store.h"
#include "json/writer.h"

struct mln_hosts;

enum {
    MLN_HOSTS_MAX_BODY_BYTES = 8 << 20, /* of facts; the other calls are limited to MLN_HOSTS_MAX_SMALL_BODY_BYTES */
    MLN_HOSTS_MAX_SMALL_BODY_BYTES = 64 << 10,
    MLN_HOSTS_TOKEN_TEXT = 48, /* "mlt_", 43 characters, NUL */
    MLN_HOSTS_MAX_TOKEN_USES = 100000,
};

/* What the connector works with. All of it is borrowed and must outlive it, but the PEM texts are read at open only. */
struct mln_hosts_setup {
    struct mln_store *store;
    struct mln_posture *posture;
    const struct mln_clock *clock;
    struct mln_str ca_certificate; /* PEM, the CA that signs agents; sent to them as caCertificates */
    struct mln_str ca_key;         /* PEM, its private key */
    uint32_t heartbeat_seconds;    /* 0: 30 */
    uint32_t report_seconds;       /* 0: 3600; the longest time between two looks at everything */
    uint32_t certificate_days;     /* 0: 30; renewal is due after two thirds */
    uint32_t requests_a_minute;    /* 0: 60; of one machine, and enrolments from one address */
};

MLN_RESULT mln_hosts_open(const struct mln_hosts_setup *setup, struct mln_hosts **out);
void mln_hosts_close(struct mln_hosts *hosts); /* nobody may be inside */
MLN_DEFINE_CLEANUP(struct mln_hosts, mln_hosts_close)

/* ---- enrolment tokens ---- */

struct mln_enrolment_token {
    struct mln_str id;             /* 32 hex digits, not secret */
    struct mln_str resource_group; /* "/subscriptions/{s}/resourceGroups/{g}", where its machines go */
    struct mln_str description;    /* p NULL: none */
    struct mln_str created_by;
    const struct mln_json *tags; /* object of strings for the new machines; NULL: none */
    int64_t created_ms, expires_ms;
    int64_t uses, used; /* how many machines it may bring in, and has brought in */
    bool revoked;
};

/* Makes a token from wanted (resource_group, description, tags, uses 0: 1, expires_ms 0: in 24 hours; the rest is filled
   in). The secret goes into secret and is kept as a digest only. *made is in the arena. INVALID, NOT_FOUND (no such
   resource group). */
MLN_RESULT mln_hosts_token_create(struct mln_hosts *hosts, const struct mln_enrolment_token *wanted,
                                  struct mln_str actor, struct mln_arena *arena, char secret[MLN_HOSTS_TOKEN_TEXT],
                                  struct mln_enrolment_token *made);
/* Visits all tokens of the resource groups at or below scope (a subscription or group id), oldest id first. */
typedef struct mln_result (*mln_token_visit)(void *context, const struct mln_enrolment_token *token, bool *stop);
MLN_RESULT mln_hosts_tokens(struct mln_hosts *hosts, struct mln_str scope, mln_token_visit visit, void *context);
MLN_RESULT mln_hosts_token_get(struct mln_hosts *hosts, struct mln_str id, struct mln_arena *arena,
                               struct mln_enrolment_token *out);
/* No more machines by this token; those that it brought in stay. NOT_FOUND. */
MLN_RESULT mln_hosts_token_revoke(struct mln_hosts *hosts, struct mln_str id);
/* {"id","resourceGroup","description","createdBy","createdTime","expiresTime","uses","used","revoked","tags"} */
void mln_hosts_token_json(struct mln_json_writer *w, const struct mln_enrolment_token *token);

/* ---- the agent's calls: body is the request's JSON text, answer is appended to as JSON text ---- */

/* POST /agent/v1/enroll. address: the caller's, for the rate and the record. UNAUTHENTICATED: no such token, or expired,
   used up, revoked (one text for all of them). CONFLICT: the machine's name is taken by another machine. TOO_MANY. */
MLN_RESULT mln_hosts_enroll(struct mln_hosts *hosts, struct mln_str address, struct mln_str body,
                            struct mln_buf *answer);

/* Who is calling: looks up the client certificate (DER; the TLS layer has verified that our CA signed it and its dates)
   and counts the call against the machine's rate. machine_id gets the id. UNAUTHENTICATED: unknown, revoked, or a
   certificate that was replaced. TOO_MANY. Call it once per request, before one of the three below. BUSY, here and there:
   two calls of this machine are under way. */
enum { MLN_MACHINE_ID_TEXT = 37 };
MLN_RESULT mln_hosts_identify(struct mln_hosts *hosts, struct mln_str certificate_der,
                              char machine_id[MLN_MACHINE_ID_TEXT]);

/* POST /agent/v1/renew, heartbeat, facts, with the id that identify gave. facts: PRECONDITION when `base` is not what the
   server has (the agent then sends everything), INVALID when `hash` is not the digest of the result. */
MLN_RESULT mln_hosts_renew(struct mln_hosts *hosts, struct mln_str machine_id, struct mln_str body,
                           struct mln_buf *answer);
MLN_RESULT mln_hosts_heartbeat(struct mln_hosts *hosts, struct mln_str machine_id, struct mln_str body,
                               struct mln_buf *answer);
MLN_RESULT mln_hosts_facts(struct mln_hosts *hosts, struct mln_str machine_id, struct mln_str body,
                           struct mln_buf *answer);
/* POST /agent/v1/unenroll: the machine says good-bye; its certificates are refused from here on, its resource stays,
   Disconnected. */
MLN_RESULT mln_hosts_unenroll(struct mln_hosts *hosts, struct mln_str machine_id, struct mln_buf *answer);

/* ---- the operator's side ---- */

/* Refuses the certificates of the machine behind a resource id from now on; the resource stays, Disconnected. Call it
   also when the resource is deleted: a deleted machine must enrol again. NOT_FOUND. */
MLN_RESULT mln_hosts_revoke(struct mln_hosts *hosts, struct mln_str resource_id, struct mln_str actor);

/* Moves machines to Disconnected and Expired when their time has come, and writes down who was heard since the last
   time. *changed (may be NULL): how many changed. Call it every 10 to 60 seconds. */
MLN_RESULT mln_hosts_sweep(struct mln_hosts *hosts, size_t *changed);

struct mln_hosts_stats {
    uint64_t machines, connected;
    uint64_t enrolments, heartbeats, reports, full_reports, refused, limited; /* since the start */
};
void mln_hosts_stats(struct mln_hosts *hosts, struct mln_hosts_stats *stats);

#endif
