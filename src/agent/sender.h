/*
 * The agent's side of docs/agent-protocol.md: beats, reports of differences, renewal of the certificate. It owns key,
 * certificate, the connection and the facts last acknowledged (on disk). Each call is one exchange; when to make which,
 * and how long to wait after a failure, is the link's.
 */
#ifndef MLN_AGENT_SENDER_H
#define MLN_AGENT_SENDER_H

#include "agent/report.h"
#include "agent/state.h"

struct mln_sender;

/* NOT_FOUND: not enrolled. */
MLN_RESULT mln_sender_open(const char *state_directory, const struct mln_clock *clock, struct mln_sender **out);
void mln_sender_close(struct mln_sender *sender);
MLN_DEFINE_CLEANUP(struct mln_sender, mln_sender_close)

struct mln_orders { /* what the server asks for */
    uint32_t heartbeat_seconds, report_seconds;
    bool want_full;
};
/* All fail with UNAUTHENTICATED (the server refuses this machine, or is not to be trusted), TOO_MANY, BUSY, TIMEOUT, IO. */
MLN_RESULT mln_sender_beat(struct mln_sender *sender, struct mln_orders *orders);

/* Sends what differs from the facts last acknowledged; everything when there are none, when the server has others, or when
   full is set. Without a difference nothing is sent, unless due. *sent may be NULL. */
MLN_RESULT mln_sender_report(struct mln_sender *sender, const struct mln_report *report, bool full, bool due,
                             bool *sent);

/* Gets a new certificate for a new key when two thirds of the old one's life are over. *renewed may be NULL. */
MLN_RESULT mln_sender_renew_if_due(struct mln_sender *sender, bool *renewed);

MLN_RESULT mln_sender_unenroll(struct mln_sender *sender);

/* How long the server asked to be left alone in its last answer; -1: it did not. */
int64_t mln_sender_retry_after_ms(const struct mln_sender *sender);
const struct mln_agent_config *mln_sender_config(const struct mln_sender *sender);
/* When the certificate ends; UTC milliseconds. */
int64_t mln_sender_certificate_end(const struct mln_sender *sender);

/* ---- enrolment ---- */

struct mln_enrolment {
    struct mln_str server, token, ca_file, ca_fingerprint, proxy, name; /* p NULL: not given */
};
/* Makes a key, brings it and the token to the server, and writes the state directory (which exists). CONFLICT: enrolled
   already. A call that failed can be made again with the same token: it uses the same key. */
MLN_RESULT mln_sender_enroll(const char *state_directory, const struct mln_enrolment *enrolment,
                             struct mln_agent_config *made, struct mln_arena *arena);

#endif
