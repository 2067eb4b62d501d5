/*
 * What the engines need of a database. A back end in stores/ gives it, as a table of functions (store/ops.h); what
 * opens one by its location is stores/stores.h.
 *
 * The model: a fixed list of collections; each is an ordered map from key bytes to a value with the revision (commit
 * number) that wrote it. A batch of changes is applied whole or not at all and is durable once its ticket is done:
 * a crash at any instruction or a power cut keeps it. Readers see one consistent moment. One writer thread groups the
 * batches that wait, in the order of submission, into one commit.
 */
#ifndef MLN_STORE_STORE_H
#define MLN_STORE_STORE_H

#include "base/buf.h"
#include "base/str.h"

/* name, what its keys are, what its values are. Order is part of the format: append only. */
#define MLN_COLLECTIONS(C)                                                                                             \
    C(META, "meta", "name", "small facts about this store: its id, the content version last applied")                  \
    C(SUBSCRIPTIONS, "subscriptions", "subscription id", "JSON")                                                       \
    C(RESOURCE_GROUPS, "resource_groups", "lower-case resource group id", "ARM JSON")                                  \
    C(RESOURCES, "resources", "lower-case resource id", "the resource's JSON")                                         \
    C(RESOURCE_CHANGES, "resource_changes", "time, resource id", "what changed, JSON")                                 \
    C(ASSESSMENTS, "assessments", "lower-case resource id", "all its assessments, JSON")                               \
    C(ASSESSMENT_CHANGES, "assessment_changes", "resource id, time", "statuses before and after, JSON")                \
    C(SCORE_CHANGES, "score_changes", "scope, time", "score before and after with causes, JSON")                       \
    C(DOCUMENTS, "documents", "lower-case ARM id", "settings, pricings, contacts, ... as ARM JSON")                    \
    C(PRINCIPALS, "principals", "principal id", "users and service principals, secrets hashed, JSON")                  \
    C(ROLE_ASSIGNMENTS, "role_assignments", "lower-case id", "ARM JSON")                                               \
    C(ACTIVITY, "activity", "sequence number", "one activity log entry with its hash, JSON")                           \
    C(TOKENS, "tokens", "token id", "enrolment tokens (hashed), device codes, refresh tokens, JSON")                   \
    C(MACHINES, "machines", "machine id", "enrolment, certificate, last heartbeat, JSON")

enum mln_collection {
#define C(name, table, keys, values) MLN_COLLECTION_##name,
    MLN_COLLECTIONS(C)
#undef C
        MLN_COLLECTION_COUNT
};
/* Its name in the list, for tables and texts. */
const char *mln_collection_name(enum mln_collection c);

enum {
    MLN_STORE_MAX_KEY_BYTES = 2048,
    MLN_STORE_MAX_VALUE_BYTES = 16 << 20,
    MLN_STORE_MAX_BATCH_BYTES = 64 << 20,
};

struct mln_store;        /* one open database */
struct mln_store_read;   /* one reader's moment; one thread at a time */
struct mln_store_batch;  /* changes being collected; one thread at a time */
struct mln_store_ticket; /* a batch on its way to the disk */

/* A batch copies the keys and values that it is given. NULL: no memory. A call that fails leaves the batch as it was.
   INVALID for an empty key; LIMIT for a key, value or batch beyond the sizes above. */
struct mln_store_batch *mln_store_batch_new(void);
void mln_store_batch_free(struct mln_store_batch *batch);
MLN_DEFINE_CLEANUP(struct mln_store_batch, mln_store_batch_free)
MLN_RESULT mln_store_put(struct mln_store_batch *batch, enum mln_collection c, struct mln_str key,
                         struct mln_str value);
/* That the key is absent is fine. */
MLN_RESULT mln_store_delete(struct mln_store_batch *batch, enum mln_collection c, struct mln_str key);
/* Deletes the keys from <= key < to; to.p NULL: all from there on. */
MLN_RESULT mln_store_delete_range(struct mln_store_batch *batch, enum mln_collection c, struct mln_str from,
                                  struct mln_str to);
/* The batch fails with PRECONDITION unless the key has this revision when it is applied; 0: unless it is absent. All
   expectations of a batch are looked at before its first change is made. */
MLN_RESULT mln_store_expect(struct mln_store_batch *batch, enum mln_collection c, struct mln_str key, int64_t revision);
size_t mln_store_batch_length(const struct mln_store_batch *batch); /* changes and expectations */

/* Hands a batch to the writer (owned from here on, also on failure) and returns at once. BUSY: too many wait. CLOSED:
   the store is being closed. Every ticket must be waited for, once, from any thread; it outlives the store. */
MLN_RESULT mln_store_submit(struct mln_store *store, struct mln_store_batch *batch, struct mln_store_ticket **ticket);
/* Waits until the batch is durable or has failed (PRECONDITION, FULL, IO, BUSY, CORRUPT), and frees the ticket.
   *revision (may be NULL) is the batch's own commit number, larger than all before. A failed batch changed nothing;
   batches after it are tried on their own. */
MLN_RESULT mln_store_wait(struct mln_store_ticket *ticket, int64_t *revision);
/* submit and wait. */
MLN_RESULT mln_store_commit(struct mln_store *store, struct mln_store_batch *batch, int64_t *revision);

/* A moment to read from: what was durable when it began, until its end. Readers do not block the writer. The number of
   moments open at once is bounded (waits a little for one to end, then BUSY), and so is how long one may be held while
   others write: when the log of the changes behind it grows beyond its limit, every call on it fails with BUSY. */
MLN_RESULT mln_store_read_begin(struct mln_store *store, struct mln_store_read **read);
void mln_store_read_end(struct mln_store_read *read);
MLN_DEFINE_CLEANUP(struct mln_store_read, mln_store_read_end)

/* The value, copied into the arena; NOT_FOUND. value and revision may be NULL. */
MLN_RESULT mln_store_get(struct mln_store_read *read, enum mln_collection c, struct mln_str key,
                         struct mln_arena *arena, struct mln_str *value, int64_t *revision);

/* Calls visit for the entries whose key starts with prefix, in key order (or backwards), those after `after`
   (exclusive, in walking order; p NULL: from the start), at most limit (0: all). The slices are valid during the call
   only. A failure from visit ends the scan and is returned; *stop = true ends it with success. visit may read from the
   same moment. */
struct mln_store_scan {
    struct mln_str prefix, after;
    size_t limit;
    bool backwards;
};
typedef struct mln_result (*mln_store_visit)(void *context, struct mln_str key, struct mln_str value, int64_t revision,
                                             bool *stop);
MLN_RESULT mln_store_scan(struct mln_store_read *read, enum mln_collection c, const struct mln_store_scan *scan,
                          mln_store_visit visit, void *context);
/* Number of entries whose key starts with prefix. */
MLN_RESULT mln_store_count(struct mln_store_read *read, enum mln_collection c, struct mln_str prefix, uint64_t *count);

struct mln_store_stats {
    uint64_t batches, commits, failed, waiting; /* waiting: submitted, not yet durable */
    uint64_t waiting_bytes;
    uint64_t size_bytes;       /* on disk, all files */
    uint64_t log_bytes;        /* of that: written, not yet moved to its place */
    uint64_t log_failures;     /* times that moving it failed: the disk is full or broken */
    uint64_t readers, revoked; /* moments open now; moments ended because they were held too long */
};
void mln_store_stats(struct mln_store *store, struct mln_store_stats *stats);

/* Writes one consistent copy of the store into a new file (mode 0600; CONFLICT when path exists), without stopping the
   writer. The copy is a complete store. BUSY as for a moment that is held too long. */
MLN_RESULT mln_store_backup(struct mln_store *store, const char *path);

/* Finishes what was submitted, then closes. No other call may run or come after, but mln_store_wait; the moments must
   have ended. */
void mln_store_close(struct mln_store *store);
MLN_DEFINE_CLEANUP(struct mln_store, mln_store_close)

/* Keys that order by number or time: 16 lower-case hex digits, big-endian, of a non-negative value. */
enum { MLN_STORE_NUMBER_KEY = 16 };
void mln_store_number_key(int64_t value, char out[MLN_STORE_NUMBER_KEY + 1]);

#endif
