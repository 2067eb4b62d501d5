/* What the tests of stores share: one-line puts, gets and scans. */
#ifndef MLN_TESTS_STORE_STORE_TEST_H
#define MLN_TESTS_STORE_STORE_TEST_H

#include "check.h"
#include "store/ops.h"

/* The collection that tests use when it does not matter which. */
#define ANY MLN_COLLECTION_DOCUMENTS

static inline struct mln_store_batch *new_batch(void)
{
    struct mln_store_batch *batch = mln_store_batch_new();
    assert_non_null(batch);
    return batch;
}

/* A batch that puts one entry. */
static inline struct mln_store_batch *putting(const char *key, const char *value)
{
    struct mln_store_batch *batch = new_batch();
    assert_ok(mln_store_put(batch, ANY, mln_str_c(key), mln_str_c(value)));
    return batch;
}

/* Commits one entry; its revision. */
static inline int64_t put(struct mln_store *store, const char *key, const char *value)
{
    int64_t revision = 0;
    assert_ok(mln_store_commit(store, putting(key, value), &revision));
    return revision;
}

static inline struct mln_store_read *begin(struct mln_store *store)
{
    struct mln_store_read *read = NULL;
    assert_ok(mln_store_read_begin(store, &read));
    return read;
}

/* The text of a value in this moment, "(absent)" where there is none. In memory that the next call reuses. */
static inline const char *value_in(struct mln_store_read *read, const char *key)
{
    static _Thread_local char text[256];
    MLN_CLEANUP(mln_arena_free) struct mln_arena *arena = mln_arena_new((size_t)32 << 20);
    struct mln_str value = {0};
    struct mln_result r = mln_store_get(read, ANY, mln_str_c(key), arena, &value, NULL);
    if (r.code == MLN_E_NOT_FOUND)
        value = MLN_S("(absent)");
    else
        assert_ok(r);
    snprintf(text, sizeof text, "%.*s", MLN_FMT(value));
    return text;
}

/* The same in a moment of its own. */
static inline const char *value_now(struct mln_store *store, const char *key)
{
    MLN_CLEANUP(mln_store_read_end) struct mln_store_read *read = begin(store);
    return value_in(read, key);
}

static inline struct mln_result join_key(void *context, struct mln_str key, struct mln_str value, int64_t revision,
                                         bool *stop)
{
    (void)value, (void)revision, (void)stop;
    struct mln_buf *joined = context;
    if (joined->n)
        MLN_TRY(mln_buf_byte(joined, ' '));
    return mln_buf_append(joined, key);
}

/* The keys that a scan gives, with blanks between. In memory that the next call reuses. */
static inline const char *keys_in(struct mln_store_read *read, struct mln_store_scan scan)
{
    static _Thread_local char text[1024];
    MLN_BUF_CLEANUP struct mln_buf joined = MLN_BUF(sizeof text - 1);
    assert_ok(mln_store_scan(read, ANY, &scan, join_key, &joined));
    snprintf(text, sizeof text, "%s", joined.p ? joined.p : "");
    return text;
}

#endif
