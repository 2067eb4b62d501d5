/*
 * What a store's back end gives: struct mln_store_ops. A back end stores ordered bytes and applies groups of batches;
 * all that is the same for every back end (the queue, the writer thread, tickets, limits, what a scan means as a range
 * of keys) is done in store/ and not again.
 *
 * Only store/ and stores/ include this header. tests/store/conformance.h says in tests what a back end must do.
 */
#ifndef MLN_STORE_OPS_H
#define MLN_STORE_OPS_H

#include "store/store.h"

/* Ceilings; 0 stands for the default in MLN_STORE_DEFAULTS. */
struct mln_store_options {
    size_t queue_batches;     /* batches that may wait for the writer */
    size_t queue_bytes;       /* and their size together */
    size_t group_batches;     /* batches in one commit */
    size_t group_bytes;       /* a commit takes no further batch from this size on */
    size_t readers;           /* moments open at once */
    int64_t reader_wait_ms;   /* how long a reader waits for another to end */
    uint64_t log_limit_bytes; /* moments are revoked when the log is longer; beyond twice this, writes are refused */
};
#define MLN_STORE_DEFAULTS                                                                                             \
    ((struct mln_store_options){.queue_batches = 4096,                                                                 \
                                .queue_bytes = (size_t)256 << 20,                                                      \
                                .group_batches = 256,                                                                  \
                                .group_bytes = (size_t)8 << 20,                                                        \
                                .readers = 16,                                                                         \
                                .reader_wait_ms = 10000,                                                               \
                                .log_limit_bytes = (uint64_t)256 << 20})

enum mln_store_change_kind { MLN_CHANGE_PUT, MLN_CHANGE_DELETE, MLN_CHANGE_DELETE_RANGE };

struct mln_store_change {
    enum mln_store_change_kind kind;
    enum mln_collection collection;
    struct mln_str key;   /* DELETE_RANGE: the first key */
    struct mln_str value; /* DELETE_RANGE: the key after the last; p NULL: no end */
};

struct mln_store_expectation {
    enum mln_collection collection;
    struct mln_str key;
    int64_t revision; /* 0: absent */
};

/* One batch of a group, and what became of it. */
struct mln_store_work {
    const struct mln_store_expectation *expectations;
    size_t expectation_count;
    const struct mln_store_change *changes;
    size_t change_count;
    struct mln_result result; /* MLN_OK on entry; a failure is set with mln_store_work_fail */
    int64_t revision;         /* set where the result is MLN_OK */
    char text[256];           /* of the failure */
};
/* Records the failure, with this thread's error text, as the batch's own. */
void mln_store_work_fail(struct mln_store_work *work, struct mln_result failure);

/* The keys from <= key < to. to.p NULL: no upper end. */
struct mln_store_range {
    struct mln_str from, to;
};

struct mln_store_ops {
    const char *scheme; /* the location is "scheme:rest" */
    MLN_RESULT (*open)(const char *rest, const struct mln_store_options *options, void **database);
    void (*close)(void *database);

    /* By the writer thread alone. Applies the batches in order, in one durable commit: each whole or not at all, and
       one that fails (its result set) does not touch the others. A failure returned means that none was applied. */
    MLN_RESULT (*apply)(void *database, struct mln_store_work *work, size_t count);
    /* By the writer thread, after a while without batches: housekeeping. True: call again after a further while. */
    bool (*idle)(void *database);

    /* From any thread. A moment is used by one thread at a time. */
    MLN_RESULT (*read_begin)(void *database, void **moment);
    void (*read_end)(void *moment);
    /* value is NULL when only the revision is wanted. */
    MLN_RESULT(*get)
    (void *moment, enum mln_collection c, struct mln_str key, struct mln_arena *arena, struct mln_str *value,
     int64_t *revision);
    /* limit 0: all. visit may call get, scan and count on the same moment. */
    MLN_RESULT(*scan)
    (void *moment, enum mln_collection c, struct mln_store_range range, bool backwards, size_t limit,
     mln_store_visit visit, void *context);
    MLN_RESULT (*count)(void *moment, enum mln_collection c, struct mln_store_range range, uint64_t *count);

    /* Fills size_bytes, log_bytes, log_failures, readers and revoked. */
    void (*stats)(void *database, struct mln_store_stats *stats);
    MLN_RESULT (*backup)(void *database, const char *path);
};

/* Opens the back end's database and starts its writer. options may be NULL. */
MLN_RESULT mln_store_open(const struct mln_store_ops *ops, const char *rest, const struct mln_store_options *options,
                          struct mln_store **store);

#endif
