/*
 * What the files of the hosts connector share: the table of machines in memory and the stored form of a machine.
 *
 * A machine stays in the table until the connector is closed. Whoever changes one, or commits something about it, holds its
 * turn from reading to the durable end, so that no older state overwrites a newer one.
 */
#ifndef MLN_CONNECT_HOSTS_STATE_H
#define MLN_CONNECT_HOSTS_STATE_H

#include "base/map.h"
#include "connect/hosts.h"
#include "connect/machine.h"
#include "crypto/ca.h"

#include <pthread.h>

enum {
    MLN_HOSTS_MAX_NAME_BYTES = 64,
    MLN_HOSTS_VERSION_TEXT = 32,
    MLN_HOSTS_RATE_PLACES = 1024, /* addresses whose enrolments are counted at once */
    MLN_HOSTS_REPEAT_MS = 10 * 60 * 1000,
    MLN_HOSTS_CALLS_AT_ONCE = 2, /* of one machine: the one whose turn it is, and one that waits */
};

enum mln_machine_status { MLN_MACHINE_CONNECTED, MLN_MACHINE_DISCONNECTED, MLN_MACHINE_EXPIRED };
extern const char *const mln_machine_status_words[]; /* "Connected", "Disconnected", "Expired", NULL */

struct mln_rate { /* requests within the minute that began at since_ms */
    int64_t since_ms;
    uint32_t count;
};

struct mln_host_state {               /* what may change of a machine, as its record has it */
    char vm_id[MLN_SHA256_HEX];       /* digest of the machine's own id, as the agent says it */
    char token_id[33];                /* what it came in by */
    char certificate[MLN_SHA256_HEX]; /* digest of the certificate in force; "": none */
    char previous[MLN_SHA256_HEX];    /* of the one before, until the new one is first used; "": none */
    char agent_version[MLN_HOSTS_VERSION_TEXT];
    bool revoked;
    enum mln_machine_status status;
    int64_t enrolled_ms, status_changed_ms, heard_ms;
    int64_t spool_held, spool_dropped;
};

struct mln_host { /* one machine */
    pthread_mutex_t turn;
    char id[MLN_MACHINE_ID_TEXT];
    char *resource_id, *resource_key; /* as written; in lower case */
    struct mln_host_state now;
    int64_t revision, heard_stored_ms; /* of its record in the store; the time of life that is in it */
    struct mln_rate rate;
    unsigned calls;                  /* that are inside; of the lock of the table */
    char facts_hash[MLN_SHA256_HEX]; /* of the facts in the resource at facts_revision; "": not computed */
    int64_t facts_revision;
};

struct mln_hosts {
    struct mln_store *store;
    struct mln_posture *posture;
    const struct mln_clock *clock;
    struct mln_ca *ca;
    char *ca_pem;
    uint32_t heartbeat_seconds, report_seconds, certificate_days, requests_a_minute;
    pthread_mutex_t enrolling;           /* one enrolment at a time: a token's uses are counted exactly */
    pthread_mutex_t lock;                /* of what follows */
    struct mln_map *by_id, *by_resource; /* to struct mln_host */
    struct mln_rate rates[MLN_HOSTS_RATE_PLACES];
    struct mln_hosts_stats stats;
    int64_t quiet_from_ms; /* silence before this moment was ours, not the machines' */
    int64_t swept_ms;
};

struct mln_host *mln_hosts_find(struct mln_hosts *hosts, struct mln_str machine_id);            /* NULL: none */
struct mln_host *mln_hosts_find_resource(struct mln_hosts *hosts, struct mln_str resource_key); /* NULL: none */
/* Puts a machine into the table, which owns it from here on (on failure it is the caller's still). */
MLN_RESULT mln_hosts_insert(struct mln_hosts *hosts, struct mln_host *host);

MLN_RESULT mln_host_new(struct mln_str id, struct mln_str resource_id, struct mln_host **out);
void mln_host_free(struct mln_host *host);
MLN_DEFINE_CLEANUP(struct mln_host, mln_host_free)
/* Adds the machine's record to a batch, expecting the revision that it has. */
MLN_RESULT mln_host_store(const struct mln_host *host, struct mln_store_batch *batch);
/* Takes the machine's turn; the machine must be in the table, or nobody else's. */
void mln_host_take_turn(struct mln_host *host);
void mln_host_end_turn(struct mln_host *host);
MLN_DEFINE_CLEANUP(struct mln_host, mln_host_end_turn)
/* The same for a call of the machine itself. BUSY when MLN_HOSTS_CALLS_AT_ONCE are inside: a machine that calls and calls
   keeps no more threads of the server than that. */
MLN_RESULT mln_host_enter(struct mln_hosts *hosts, struct mln_host *host);
void mln_host_leave(struct mln_hosts *hosts, struct mln_host *host);

/* Copies text into an array of n bytes, cut, without what is not printable ASCII. */
void mln_host_copy(char *place, size_t n, struct mln_str text);

/* True when one more request is within the limit of this minute. */
bool mln_rate_allows(struct mln_rate *rate, int64_t now_ms, uint32_t limit);

/* Composes the machine's resource as it should be now: facts is the new value, NULL keeps what is there; the first time
   tags are those given, afterwards whatever the resource has. *revision: of the resource that was read, 0 when there is
   none yet. */
MLN_RESULT mln_host_compose(struct mln_hosts *hosts, const struct mln_host *host, const struct mln_json *facts,
                            const struct mln_json *tags, struct mln_arena *arena, struct mln_json *document,
                            int64_t *revision);
/* Writes resource and record in one commit; the turn is held. before: the state to go back to when it fails. A revoked
   machine whose resource is gone gets no new one. with (owned, may be NULL) goes into the same commit. */
MLN_RESULT mln_host_commit(struct mln_hosts *hosts, struct mln_host *host, const struct mln_host_state *before,
                           struct mln_str actor, const struct mln_json *tags, struct mln_store_batch *with);
/* Writes the record alone, likewise. */
MLN_RESULT mln_host_commit_record(struct mln_hosts *hosts, struct mln_host *host, const struct mln_host_state *before);
/* The machine was heard now; *returned is set when it had been away. */
void mln_host_heard(struct mln_hosts *hosts, struct mln_host *host, bool *returned);

/* A certificate for the request, valid from now on; PEM into pem and its digest into digest. */
MLN_RESULT mln_hosts_issue(struct mln_hosts *hosts, const struct mln_csr *csr, struct mln_str machine_id,
                           struct mln_buf *pem, char digest[MLN_SHA256_HEX]);
/* The members certificate, caCertificates and renewAfter of an answer. */
void mln_hosts_put_certificate(const struct mln_hosts *hosts, struct mln_json_writer *w, struct mln_str pem,
                               int64_t issued_ms);

/* Deletes the remembered answers of enrolments that are older than ten minutes. */
MLN_RESULT mln_hosts_forget_answers(struct mln_hosts *hosts);

void mln_hosts_count(struct mln_hosts *hosts, uint64_t *counter);

#endif
