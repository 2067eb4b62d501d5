/*
 * The store beside its limits: commits beside a bare write and fdatasync, and beside SQLite committing each change
 * alone; gets and scans beside SQLite's own statements on the same file.
 */
#include "bench.h"
#include "stores/stores.h"

#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <unistd.h>

enum { VALUE_BYTES = 1000, ENTRIES = 20000, MOST_THREADS = 64, COMMITTERS = 3 };

static char directory[256], path[300];
static char value_bytes[VALUE_BYTES];
static const struct mln_str value = {value_bytes, VALUE_BYTES};

static void make_directory(void)
{
    const char *tmp = getenv("TMPDIR");
    snprintf(directory, sizeof directory, "%.200s/merlon-bench-XXXXXX", tmp ? tmp : "/var/tmp");
    if (!mkdtemp(directory))
        bench_need(mln_fail(MLN_E_IO, "cannot make %s", directory));
    memset(value_bytes, 'v', sizeof value_bytes);
}

static void set_path(const char *name)
{
    snprintf(path, sizeof path, "%s/%s", directory, name);
}

static void remove_files(void)
{
    static const char *const suffixes[] = {"", "-wal", "-shm", ".lock"};
    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
        char name[320];
        snprintf(name, sizeof name, "%s%s", path, suffixes[i]);
        unlink(name);
    }
}

static void key_of(uint64_t number, char out[MLN_STORE_NUMBER_KEY + 1])
{
    /* Spread over the keys there are, as names are. */
    mln_store_number_key((int64_t)(number * 7919 % ENTRIES), out);
}

/* ---- peers ---- */

static void need_sqlite(int code)
{
    if (code != SQLITE_OK && code != SQLITE_ROW && code != SQLITE_DONE)
        bench_need(mln_fail(MLN_E_INTERNAL, "SQLite: %s", sqlite3_errstr(code)));
}

static double bare_syncs(void)
{
    set_path("bare");
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    char page[4096] = "";
    for (int i = 0; i < 1024 && fd >= 0; i++) /* as the log is when it begins anew: blocks that are there */
        if (write(fd, page, sizeof page) != (ssize_t)sizeof page)
            fd = -1;
    if (fd < 0 || fdatasync(fd) != 0)
        bench_need(mln_fail(MLN_E_IO, "cannot write %s", path));
    double begin = bench_seconds(), now = begin;
    uint64_t n = 0;
    for (; now < begin + BENCH_MS / 1000.0; n++, now = bench_seconds())
        if (pwrite(fd, page, sizeof page, (off_t)(n % 1024 * sizeof page)) != (ssize_t)sizeof page || fdatasync(fd))
            bench_need(mln_fail(MLN_E_IO, "cannot write %s", path));
    close(fd);
    remove_files();
    return (double)n / (now - begin);
}

static sqlite3_stmt *prepare(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *statement;
    need_sqlite(sqlite3_prepare_v2(db, sql, -1, &statement, NULL));
    return statement;
}

static double plain_commits(void)
{
    set_path("plain.db");
    sqlite3 *db;
    need_sqlite(sqlite3_open(path, &db));
    need_sqlite(sqlite3_exec(db,
                             "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
                             "CREATE TABLE t (key BLOB PRIMARY KEY, value BLOB)",
                             NULL, NULL, NULL));
    sqlite3_stmt *insert = prepare(db, "INSERT OR REPLACE INTO t VALUES (?1, ?2)");
    double begin = bench_seconds(), now = begin;
    uint64_t n = 0;
    for (; now < begin + BENCH_MS / 1000.0; n++, now = bench_seconds()) {
        char key[MLN_STORE_NUMBER_KEY + 1];
        key_of(n, key);
        need_sqlite(sqlite3_bind_blob(insert, 1, key, MLN_STORE_NUMBER_KEY, SQLITE_STATIC));
        need_sqlite(sqlite3_bind_blob(insert, 2, value.p, VALUE_BYTES, SQLITE_STATIC));
        need_sqlite(sqlite3_step(insert));
        need_sqlite(sqlite3_reset(insert));
    }
    sqlite3_finalize(insert);
    sqlite3_close(db);
    remove_files();
    return (double)n / (now - begin);
}

/* ---- commits ---- */

static struct mln_store *store;
static atomic_uint_fast64_t committed;
static atomic_bool stop;

static struct mln_store_batch *batch_of(uint64_t number)
{
    struct mln_store_batch *batch = mln_store_batch_new();
    if (!batch)
        bench_need(mln_fail(MLN_E_MEMORY, "no batch"));
    char key[MLN_STORE_NUMBER_KEY + 1];
    key_of(number, key);
    bench_need(mln_store_put(batch, MLN_COLLECTION_RESOURCES, mln_str_c(key), value));
    return batch;
}

static void *commit_until_stopped(void *unused)
{
    (void)unused;
    while (!atomic_load(&stop)) {
        uint64_t number = atomic_fetch_add(&committed, 1);
        bench_need(mln_store_commit(store, batch_of(number), NULL));
    }
    return NULL;
}

static double store_commits(int count)
{
    pthread_t threads[MOST_THREADS];
    atomic_store(&committed, 0);
    atomic_store(&stop, false);
    double begin = bench_seconds();
    for (int i = 0; i < count; i++)
        if (pthread_create(&threads[i], NULL, commit_until_stopped, NULL) != 0)
            bench_need(mln_fail(MLN_E_IO, "cannot start a thread"));
    usleep(BENCH_MS * 1000);
    atomic_store(&stop, true);
    for (int i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
    return (double)atomic_load(&committed) / (bench_seconds() - begin);
}

/* ---- reads ---- */

static void fill(void)
{
    struct mln_store_ticket *tickets[ENTRIES / 1000];
    for (uint64_t group = 0; group < ENTRIES / 1000; group++) {
        struct mln_store_batch *batch = batch_of(group * 1000);
        for (uint64_t i = 1; i < 1000; i++) {
            char key[MLN_STORE_NUMBER_KEY + 1];
            key_of(group * 1000 + i, key);
            bench_need(mln_store_put(batch, MLN_COLLECTION_RESOURCES, mln_str_c(key), value));
        }
        bench_need(mln_store_submit(store, batch, &tickets[group]));
    }
    for (size_t group = 0; group < ENTRIES / 1000; group++)
        bench_need(mln_store_wait(tickets[group], NULL));
}

static double store_gets(void)
{
    struct mln_store_read *read;
    bench_need(mln_store_read_begin(store, &read));
    struct mln_arena *arena = mln_arena_new(VALUE_BYTES * 2);
    double begin = bench_seconds(), now = begin;
    uint64_t n = 0;
    for (; now < begin + BENCH_MS / 1000.0; n++, now = bench_seconds()) {
        char key[MLN_STORE_NUMBER_KEY + 1];
        struct mln_str got;
        key_of(n, key);
        mln_arena_reset(arena);
        bench_need(mln_store_get(read, MLN_COLLECTION_RESOURCES, mln_str_c(key), arena, &got, NULL));
    }
    mln_arena_free(arena);
    mln_store_read_end(read);
    return (double)n / (now - begin);
}

static struct mln_result count_bytes(void *context, struct mln_str key, struct mln_str got, int64_t revision, bool *end)
{
    (void)revision, (void)end;
    *(uint64_t *)context += key.n + got.n;
    return MLN_OK;
}

static double store_scans(void)
{
    struct mln_store_read *read;
    bench_need(mln_store_read_begin(store, &read));
    double begin = bench_seconds(), now = begin;
    uint64_t n = 0, bytes = 0;
    for (; now < begin + BENCH_MS / 1000.0; n += ENTRIES, now = bench_seconds())
        bench_need(mln_store_scan(read, MLN_COLLECTION_RESOURCES, &(struct mln_store_scan){0}, count_bytes, &bytes));
    mln_store_read_end(read);
    if (bytes != n * (VALUE_BYTES + MLN_STORE_NUMBER_KEY))
        bench_need(mln_fail(MLN_E_INTERNAL, "the scans gave %llu bytes", (unsigned long long)bytes));
    return (double)n / (now - begin);
}

/* SQLite alone, on the closed store's file. */
static void plain_reads(double *get_rate, double *row_rate)
{
    sqlite3 *db;
    need_sqlite(sqlite3_open(path, &db));
    need_sqlite(sqlite3_exec(db, "BEGIN", NULL, NULL, NULL));
    sqlite3_stmt *get = prepare(db, "SELECT value FROM resources WHERE key = ?1");
    double begin = bench_seconds(), now = begin;
    uint64_t n = 0;
    for (; now < begin + BENCH_MS / 1000.0; n++, now = bench_seconds()) {
        char key[MLN_STORE_NUMBER_KEY + 1];
        key_of(n, key);
        need_sqlite(sqlite3_bind_blob(get, 1, key, MLN_STORE_NUMBER_KEY, SQLITE_STATIC));
        if (sqlite3_step(get) != SQLITE_ROW || !sqlite3_column_blob(get, 0))
            bench_need(mln_fail(MLN_E_INTERNAL, "a key is missing"));
        need_sqlite(sqlite3_reset(get));
    }
    *get_rate = (double)n / (now - begin);
    sqlite3_finalize(get);
    sqlite3_stmt *scan = prepare(db, "SELECT key, revision, value FROM resources ORDER BY key");
    begin = now = bench_seconds();
    for (n = 0; now < begin + BENCH_MS / 1000.0; now = bench_seconds()) {
        for (; sqlite3_step(scan) == SQLITE_ROW; n++)
            if (!sqlite3_column_blob(scan, 0) || !sqlite3_column_blob(scan, 2))
                bench_need(mln_fail(MLN_E_INTERNAL, "a row is empty"));
        need_sqlite(sqlite3_reset(scan));
    }
    *row_rate = (double)n / (now - begin);
    sqlite3_finalize(scan);
    sqlite3_close(db);
}

static void open_store(void)
{
    char location[320];
    set_path("store.db");
    snprintf(location, sizeof location, "sqlite:%s", path);
    bench_need(mln_stores_open(location, NULL, &store));
}

static void compare_commits(void)
{
    static const int threads[COMMITTERS] = {1, 8, 64};
    double bare[BENCH_ROUNDS], plain[BENCH_ROUNDS], ours[COMMITTERS][BENCH_ROUNDS];
    for (int round = 0; round < BENCH_ROUNDS; round++) {
        bare[round] = bare_syncs();
        plain[round] = plain_commits();
        open_store();
        for (size_t i = 0; i < COMMITTERS; i++)
            ours[i][round] = store_commits(threads[i]);
        mln_store_close(store);
        remove_files();
    }
    bench_print("fdatasync", bench_median(bare), "/s");
    bench_compare("sqlite_commit", bench_median(plain), "/s", "fdatasync", bench_median(bare));
    for (size_t i = 0; i < COMMITTERS; i++) {
        char name[32];
        snprintf(name, sizeof name, "commit_%d", threads[i]);
        bench_compare(name, bench_median(ours[i]), "/s", "fdatasync", bench_median(bare));
        bench_compare(name, bench_median(ours[i]), "/s", "sqlite_commit", bench_median(plain));
    }
}

static void compare_reads(void)
{
    double get[BENCH_ROUNDS], row[BENCH_ROUNDS], plain_get[BENCH_ROUNDS], plain_row[BENCH_ROUNDS];
    open_store();
    fill();
    mln_store_close(store); /* so that both read a database without a log */
    for (int round = 0; round < BENCH_ROUNDS; round++) {
        open_store();
        get[round] = store_gets();
        row[round] = store_scans();
        mln_store_close(store);
        plain_reads(&plain_get[round], &plain_row[round]);
    }
    remove_files();
    bench_print("sqlite_get", bench_median(plain_get), "/s");
    bench_compare("get", bench_median(get), "/s", "sqlite_get", bench_median(plain_get));
    bench_print("sqlite_scan_row", bench_median(plain_row), "/s");
    bench_compare("scan_row", bench_median(row), "/s", "sqlite_scan_row", bench_median(plain_row));
}

int main(void)
{
    make_directory();
    compare_commits();
    compare_reads();
    rmdir(directory);
    return 0;
}
