/* A database file of hostile bytes: opened, read whole and written to, it may be refused, but nothing worse. */
#include "base/buf.h"
#include "stores/stores.h"

#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct mln_result add_up(void *context, struct mln_str key, struct mln_str value, int64_t revision, bool *stop)
{
    (void)revision, (void)stop;
    /* Touches every byte, for the sanitizer. */
    uint64_t *sum = context;
    for (size_t i = 0; i < key.n; i++)
        *sum += (unsigned char)key.p[i];
    for (size_t i = 0; i < value.n; i++)
        *sum += (unsigned char)value.p[i];
    return MLN_OK;
}

static void read_all(struct mln_store *store)
{
    MLN_CLEANUP(mln_store_read_end) struct mln_store_read *read = NULL;
    if (!mln_ok(mln_store_read_begin(store, &read)))
        return;
    uint64_t sum = 0, count;
    for (unsigned c = 0; c < MLN_COLLECTION_COUNT; c++) {
        struct mln_store_scan scan = {.backwards = c % 2, .limit = 10000};
        MLN_IGNORE(mln_store_scan(read, (enum mln_collection)c, &scan, add_up, &sum));
        MLN_IGNORE(mln_store_count(read, (enum mln_collection)c, MLN_S("k"), &count));
    }
}

static void write_some(struct mln_store *store)
{
    struct mln_store_batch *batch = mln_store_batch_new();
    if (!batch)
        return;
    MLN_IGNORE(mln_store_delete_range(batch, MLN_COLLECTION_RESOURCES, MLN_S(""), MLN_S("k5")));
    for (unsigned c = 0; c < MLN_COLLECTION_COUNT; c++)
        MLN_IGNORE(mln_store_put(batch, (enum mln_collection)c, MLN_S("new"), MLN_S("value")));
    MLN_IGNORE(mln_store_commit(store, batch, NULL));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* Memory, where the machine has it as files: the disk is not what is tested. */
    char directory[] = "/dev/shm/merlon-fuzz-XXXXXX", elsewhere[] = "/tmp/merlon-fuzz-XXXXXX";
    const char *made = mkdtemp(directory) ? directory : mkdtemp(elsewhere);
    if (!made)
        return 0;
    static const char *const suffixes[] = {"", "-wal", "-shm", "-journal", ".lock"};
    char names[sizeof suffixes / sizeof suffixes[0]][64], location[80];
    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++)
        snprintf(names[i], sizeof names[i], "%s/db%s", made, suffixes[i]);
    FILE *file = fopen(names[0], "wb");
    if (file) {
        fwrite(data, 1, size, file);
        fclose(file);
    }
    snprintf(location, sizeof location, "sqlite:%s", names[0]);
    struct mln_store *store = NULL;
    if (mln_ok(mln_stores_open(location, NULL, &store))) {
        read_all(store);
        write_some(store);
        read_all(store);
        mln_store_close(store);
    }
    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++)
        unlink(names[i]);
    rmdir(made);
    return 0;
}
