/*
 * The activity log: one entry for each write operation, chained by hash so that a changed, removed or inserted entry is
 * found. Collection ACTIVITY, key: sequence number. An entry's hash is SHA-256 over the previous entry's hash and the
 * entry's own JSON text. The newest hash is kept apart from the log, so that taking entries off the end shows too; whoever
 * may write both can only be found out by a copy of a hash that was kept elsewhere (mln_activity_head).
 */
#ifndef MLN_ACCESS_ACTIVITY_H
#define MLN_ACCESS_ACTIVITY_H

#include "access/caller.h"
#include "base/fields.h"
#include "base/time.h"
#include "crypto/digest.h"
#include "store/store.h"

/* sequence and time are given by the log. */
#define MLN_ACTIVITY_FIELDS(F)                                                                                         \
    F(int64_t, sequence, "sequence", I64, REQUIRED, "place in the log, from 1, without gaps")                          \
    F(int64_t, time_ms, "time", TIME, REQUIRED, "when; never before the entry in front of it")                         \
    F(struct mln_str, caller_id, "callerId", STR, OPTIONAL, "the principal's id")                                      \
    F(struct mln_str, caller_name, "callerName", STR, OPTIONAL, "its name at that time")                               \
    F(struct mln_str, address, "address", STR, OPTIONAL, "where the request came from")                                \
    F(struct mln_str, action, "action", STR, OPTIONAL, "Microsoft.Security/pricings/write")                            \
    F(struct mln_str, scope, "scope", STR, OPTIONAL, "the id that it was done to")                                     \
    F(struct mln_str, status, "status", STR, OPTIONAL, "Started, Succeeded, Failed")                                   \
    F(int64_t, http_status, "httpStatus", I64, OPTIONAL, "status code of the answer")                                  \
    F(struct mln_str, correlation_id, "correlationId", STR, OPTIONAL, "x-ms-correlation-request-id")                   \
    F(struct mln_str, client_command, "clientCommand", STR, OPTIONAL, "the client's CommandName header")

struct mln_activity_entry {
#define F(ctype, member, json, kind, need, doc) ctype member;
    MLN_ACTIVITY_FIELDS(F)
#undef F
};

struct mln_activity;
MLN_RESULT mln_activity_open(struct mln_store *store, const struct mln_clock *clock, struct mln_activity **out);
void mln_activity_close(struct mln_activity *activity);
MLN_DEFINE_CLEANUP(struct mln_activity, mln_activity_close)

/* Appends the entry and commits it together with the changes in batch (NULL: alone). The batch is owned from here on,
   also on failure. One append at a time: the chain has an order. */
MLN_RESULT mln_activity_commit(struct mln_activity *activity, struct mln_store_batch *batch,
                               const struct mln_activity_entry *entry, int64_t *revision);

typedef struct mln_result (*mln_activity_visit)(void *context, const struct mln_activity_entry *entry, bool *stop);
/* Entries with from_ms <= time < to_ms, newest first, starting below before (sequence; INT64_MAX: the newest). */
MLN_RESULT mln_activity_list(struct mln_activity *activity, int64_t from_ms, int64_t to_ms, int64_t before,
                             mln_activity_visit visit, void *context);

/* The newest entry's number (0: none) and hash in hex. */
int64_t mln_activity_head(struct mln_activity *activity, char hash[MLN_SHA256_HEX]);

/* Walks the whole chain. MLN_OK with *entries checked, or CORRUPT with *first_broken, the sequence number of the first
   entry that does not fit (its text altered, missing, or put in). */
MLN_RESULT mln_activity_verify(struct mln_activity *activity, int64_t *entries, int64_t *first_broken);

#endif
