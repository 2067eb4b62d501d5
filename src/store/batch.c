/*
 * Collecting a batch: owns the copies of keys and values, and checks every limit, so that what reaches a back end is
 * within bounds. It does not know the writer.
 */
#include "store/batch.h"

struct mln_store_batch *mln_store_batch_new(void)
{
    struct mln_store_batch *batch = calloc(1, sizeof *batch);
    if (!batch)
        return NULL;
    /* The arena rounds sizes up; the limit that callers see is kept in batch->bytes. */
    batch->arena = mln_arena_new((size_t)MLN_STORE_MAX_BATCH_BYTES * 2);
    if (!batch->arena) {
        free(batch);
        return NULL;
    }
    return batch;
}

void mln_store_batch_free(struct mln_store_batch *batch)
{
    if (!batch)
        return;
    mln_arena_free(batch->arena);
    mln_vec_free(&batch->changes);
    mln_vec_free(&batch->expectations);
    free(batch);
}

static struct mln_result check_collection(enum mln_collection c)
{
    if ((unsigned)c >= MLN_COLLECTION_COUNT)
        return mln_fail(MLN_E_INTERNAL, "no collection has the number %u", (unsigned)c);
    return MLN_OK;
}

static struct mln_result check_key(enum mln_collection c, struct mln_str key)
{
    MLN_TRY(check_collection(c));
    if (key.n == 0)
        return mln_fail(MLN_E_INVALID, "%s: the key is empty", mln_collection_name(c));
    if (key.n > MLN_STORE_MAX_KEY_BYTES)
        return mln_fail(MLN_E_LIMIT, "%s: a key of %zu bytes is longer than %d", mln_collection_name(c), key.n,
                        MLN_STORE_MAX_KEY_BYTES);
    return MLN_OK;
}

/* A bound need not be a key: it may be empty, or a key with one byte more. */
static struct mln_result check_bound(enum mln_collection c, struct mln_str bound)
{
    MLN_TRY(check_collection(c));
    if (bound.n > MLN_STORE_MAX_KEY_BYTES + 1)
        return mln_fail(MLN_E_LIMIT, "%s: the bound of a range has %zu bytes", mln_collection_name(c), bound.n);
    return MLN_OK;
}

/* Adds to the size of the batch, or fails and leaves it. */
static struct mln_result take_room(struct mln_store_batch *batch, size_t bytes)
{
    if (bytes > MLN_STORE_MAX_BATCH_BYTES - batch->bytes)
        return mln_fail(MLN_E_LIMIT, "the batch would be larger than %d bytes", MLN_STORE_MAX_BATCH_BYTES);
    batch->bytes += bytes;
    return MLN_OK;
}

static struct mln_result copy_change(struct mln_store_batch *batch, struct mln_store_change change)
{
    MLN_TRY_STR(batch->arena, change.key, mln_str_dup(batch->arena, change.key));
    if (change.value.p)
        MLN_TRY_STR(batch->arena, change.value, mln_str_dup(batch->arena, change.value));
    return mln_vec_push(NULL, &batch->changes, change);
}

static struct mln_result add_change(struct mln_store_batch *batch, struct mln_store_change change)
{
    size_t bytes = sizeof change + change.key.n + change.value.n;
    MLN_TRY(take_room(batch, bytes));
    struct mln_result r = copy_change(batch, change);
    if (!mln_ok(r))
        batch->bytes -= bytes;
    return r;
}

struct mln_result mln_store_put(struct mln_store_batch *batch, enum mln_collection c, struct mln_str key,
                                struct mln_str value)
{
    MLN_TRY(check_key(c, key));
    if (value.n > MLN_STORE_MAX_VALUE_BYTES)
        return mln_fail(MLN_E_LIMIT, "%s: a value of %zu bytes is larger than %d", mln_collection_name(c), value.n,
                        MLN_STORE_MAX_VALUE_BYTES);
    struct mln_str present = value.n ? value : MLN_S("");
    return add_change(batch, (struct mln_store_change){MLN_CHANGE_PUT, c, key, present});
}

struct mln_result mln_store_delete(struct mln_store_batch *batch, enum mln_collection c, struct mln_str key)
{
    MLN_TRY(check_key(c, key));
    return add_change(batch, (struct mln_store_change){MLN_CHANGE_DELETE, c, key, {0}});
}

struct mln_result mln_store_delete_range(struct mln_store_batch *batch, enum mln_collection c, struct mln_str from,
                                         struct mln_str to)
{
    MLN_TRY(check_bound(c, from));
    MLN_TRY(check_bound(c, to));
    return add_change(batch, (struct mln_store_change){MLN_CHANGE_DELETE_RANGE, c, from, to});
}

struct mln_result mln_store_expect(struct mln_store_batch *batch, enum mln_collection c, struct mln_str key,
                                   int64_t revision)
{
    MLN_TRY(check_key(c, key));
    if (revision < 0)
        return mln_fail(MLN_E_INVALID, "%s: a revision is not negative", mln_collection_name(c));
    struct mln_store_expectation expectation = {c, {0}, revision};
    MLN_TRY(take_room(batch, sizeof expectation + key.n));
    expectation.key = mln_str_dup(batch->arena, key);
    struct mln_result r =
        expectation.key.p ? mln_vec_push(NULL, &batch->expectations, expectation) : mln_arena_failure(batch->arena);
    if (!mln_ok(r))
        batch->bytes -= sizeof expectation + key.n;
    return r;
}

size_t mln_store_batch_length(const struct mln_store_batch *batch)
{
    return batch->changes.n + batch->expectations.n;
}
