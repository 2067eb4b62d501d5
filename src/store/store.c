/*
 * The store as the engines see it: writes go to the writer, reads to the back end's moment. Owns the database it
 * opened. What a scan asks for (prefix, after) becomes a plain range of keys here, once for all back ends.
 */
#include "store/store.h"

#include "store/writer.h"

struct mln_store {
    const struct mln_store_ops *ops;
    void *database;
    struct mln_store_writer *writer;
};

struct mln_store_read {
    const struct mln_store_ops *ops;
    void *moment;
};

const char *mln_collection_name(enum mln_collection c)
{
    static const char *const names[] = {
#define C(name, table, keys, values) table,
        MLN_COLLECTIONS(C)
#undef C
    };
    return (unsigned)c < MLN_COLLECTION_COUNT ? names[c] : "unknown collection";
}

static struct mln_store_options with_defaults(const struct mln_store_options *given)
{
    struct mln_store_options options = given ? *given : (struct mln_store_options){0};
    const struct mln_store_options defaults = MLN_STORE_DEFAULTS;
#define DEFAULT(member) options.member = options.member ? options.member : defaults.member
    DEFAULT(queue_batches);
    DEFAULT(queue_bytes);
    DEFAULT(group_batches);
    DEFAULT(group_bytes);
    DEFAULT(readers);
    DEFAULT(reader_wait_ms);
    DEFAULT(log_limit_bytes);
#undef DEFAULT
    return options;
}

struct mln_result mln_store_open(const struct mln_store_ops *ops, const char *rest,
                                 const struct mln_store_options *given, struct mln_store **out)
{
    struct mln_store_options options = with_defaults(given);
    struct mln_store *store = calloc(1, sizeof *store);
    if (!store)
        return mln_fail(MLN_E_MEMORY, "no memory for a store");
    store->ops = ops;
    struct mln_result r = ops->open(rest, &options, &store->database);
    if (mln_ok(r)) {
        r = mln_store_writer_start(ops, store->database, &options, &store->writer);
        if (!mln_ok(r))
            ops->close(store->database);
    }
    if (mln_ok(r))
        *out = store;
    else
        free(store);
    return r;
}

void mln_store_close(struct mln_store *store)
{
    if (!store)
        return;
    mln_store_writer_stop(store->writer);
    store->ops->close(store->database);
    free(store);
}

struct mln_result mln_store_submit(struct mln_store *store, struct mln_store_batch *batch,
                                   struct mln_store_ticket **ticket)
{
    return mln_store_writer_submit(store->writer, batch, ticket);
}

struct mln_result mln_store_commit(struct mln_store *store, struct mln_store_batch *batch, int64_t *revision)
{
    struct mln_store_ticket *ticket;
    MLN_TRY(mln_store_submit(store, batch, &ticket));
    return mln_store_wait(ticket, revision);
}

struct mln_result mln_store_read_begin(struct mln_store *store, struct mln_store_read **out)
{
    struct mln_store_read *read = calloc(1, sizeof *read);
    if (!read)
        return mln_fail(MLN_E_MEMORY, "no memory for a reader");
    read->ops = store->ops;
    struct mln_result r = store->ops->read_begin(store->database, &read->moment);
    if (mln_ok(r))
        *out = read;
    else
        free(read);
    return r;
}

void mln_store_read_end(struct mln_store_read *read)
{
    if (!read)
        return;
    read->ops->read_end(read->moment);
    free(read);
}

static struct mln_result check_collection(enum mln_collection c)
{
    return (unsigned)c < MLN_COLLECTION_COUNT
               ? MLN_OK
               : mln_fail(MLN_E_INTERNAL, "no collection has the number %u", (unsigned)c);
}

struct mln_result mln_store_get(struct mln_store_read *read, enum mln_collection c, struct mln_str key,
                                struct mln_arena *arena, struct mln_str *value, int64_t *revision)
{
    MLN_TRY(check_collection(c));
    if (key.n == 0 || key.n > MLN_STORE_MAX_KEY_BYTES)
        return mln_fail(MLN_E_NOT_FOUND, "%s: no key has %zu bytes", mln_collection_name(c), key.n);
    struct mln_str got;
    int64_t its_revision;
    MLN_TRY(read->ops->get(read->moment, c, key, arena, value ? &got : NULL, &its_revision));
    if (value)
        *value = got;
    if (revision)
        *revision = its_revision;
    return MLN_OK;
}

/* The least key that is larger than every key with the prefix: the prefix up to its last byte that can be raised,
   raised. p NULL when there is none. The bytes go into out. */
static struct mln_str end_of_prefix(struct mln_str prefix, char *out)
{
    size_t n = prefix.n;
    while (n > 0 && (unsigned char)prefix.p[n - 1] == 0xff)
        n--;
    if (n == 0)
        return (struct mln_str){0};
    memcpy(out, prefix.p, n);
    out[n - 1] = (char)((unsigned char)out[n - 1] + 1);
    return (struct mln_str){out, n};
}

struct range_bytes {
    char from[MLN_STORE_MAX_KEY_BYTES + 1], to[MLN_STORE_MAX_KEY_BYTES + 1];
};

/* Prefix and after within bounds. The range points into bytes or the scan. */
static struct mln_store_range range_of(const struct mln_store_scan *scan, struct range_bytes *bytes)
{
    struct mln_store_range range = {scan->prefix, end_of_prefix(scan->prefix, bytes->to)};
    if (!scan->after.p)
        return range;
    if (scan->backwards) {
        if (!range.to.p || mln_str_cmp(scan->after, range.to) < 0)
            range.to = scan->after;
    } else if (mln_str_cmp(scan->after, range.from) >= 0) {
        /* The next key in byte order is the same with a NUL behind it. */
        memcpy(bytes->from, scan->after.p, scan->after.n);
        bytes->from[scan->after.n] = '\0';
        range.from = (struct mln_str){bytes->from, scan->after.n + 1};
    }
    return range;
}

struct mln_result mln_store_scan(struct mln_store_read *read, enum mln_collection c, const struct mln_store_scan *scan,
                                 mln_store_visit visit, void *context)
{
    MLN_TRY(check_collection(c));
    if (scan->after.n > MLN_STORE_MAX_KEY_BYTES)
        return mln_fail(MLN_E_LIMIT, "%s: no key has %zu bytes", mln_collection_name(c), scan->after.n);
    if (scan->prefix.n > MLN_STORE_MAX_KEY_BYTES)
        return MLN_OK;
    struct range_bytes bytes;
    return read->ops->scan(read->moment, c, range_of(scan, &bytes), scan->backwards, scan->limit, visit, context);
}

struct mln_result mln_store_count(struct mln_store_read *read, enum mln_collection c, struct mln_str prefix,
                                  uint64_t *count)
{
    MLN_TRY(check_collection(c));
    *count = 0;
    if (prefix.n > MLN_STORE_MAX_KEY_BYTES)
        return MLN_OK;
    struct range_bytes bytes;
    return read->ops->count(read->moment, c, range_of(&(struct mln_store_scan){.prefix = prefix}, &bytes), count);
}

void mln_store_stats(struct mln_store *store, struct mln_store_stats *stats)
{
    *stats = (struct mln_store_stats){0};
    mln_store_writer_stats(store->writer, stats);
    store->ops->stats(store->database, stats);
}

struct mln_result mln_store_backup(struct mln_store *store, const char *path)
{
    return store->ops->backup(store->database, path);
}

void mln_store_number_key(int64_t value, char out[MLN_STORE_NUMBER_KEY + 1])
{
    snprintf(out, MLN_STORE_NUMBER_KEY + 1, "%016llx", (unsigned long long)(value < 0 ? 0 : value));
}
