/*
 * The activity log: one entry for each write operation, chained by hash so that a changed, removed or inserted entry is
 * found. Collection ACTIVITY, key: sequence number. An entry's hash is SHA-256 over the previous entry's hash and the
 * entry's own canonical JSON (without the hash).
 */
#ifndef MLN_ACCESS_ACTIVITY_H
#define MLN_ACCESS_ACTIVITY_H

#include "access/caller.h"
#include "base/time.h"
#include "store/store.h"

struct mln_activity_entry {
    int64_t sequence, time_ms; /* given by the log */
    struct mln_str caller_id, caller_name, address;
    struct mln_str action, scope;   /* "Microsoft.Security/pricings/write", the id that it was done to */
    struct mln_str status;          /* "Succeeded", "Failed" */
    int32_t http_status;
    struct mln_str correlation_id, client_command; /* the client's CommandName header */
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

/* Walks the whole chain. MLN_OK with *entries checked, or CORRUPT with *first_broken, the sequence number of the first
   entry that does not fit (its text altered, missing, or put in). */
MLN_RESULT mln_activity_verify(struct mln_activity *activity, int64_t *entries, int64_t *first_broken);

#endif
