/* Disks that are full or broken, and power that goes. */
#include "stores/fault_vfs.h"
#include "stores/sqlite_test.h"

#include <sched.h>
#include <sys/mount.h>

/* Copies the database and its log as they are, as a killed process would leave them. */
static void copy_file(const char *suffix, const char *to)
{
    char from_name[256], to_name[256];
    snprintf(from_name, sizeof from_name, "%s%s", path, suffix);
    snprintf(to_name, sizeof to_name, "%s/killed.db%s", to, suffix);
    MLN_BUF_CLEANUP struct mln_buf content = MLN_BUF(64 << 20);
    FILE *file = fopen(from_name, "rb");
    assert_non_null(file);
    char block[4096];
    for (size_t n; (n = fread(block, 1, sizeof block, file)) > 0;)
        assert_ok(mln_buf_append(&content, (struct mln_str){block, n}));
    fclose(file);
    write_file(to_name, content.p, content.n);
}

static struct mln_store *open_as_if_killed(void)
{
    copy_file("", directory);
    copy_file("-wal", directory);
    char name[256];
    snprintf(name, sizeof name, "%s/killed.db", directory);
    struct mln_store *killed = NULL;
    assert_ok(mln_store_open(&mln_sqlite_ops, name, NULL, &killed));
    return killed;
}

/* Commits b until the step that fails is the sync of the log, which is the last of a commit. */
static struct mln_result commit_with_failing_sync(struct mln_store *store)
{
    struct mln_result r = MLN_OK;
    for (long step = 1; step < 20; step++) {
        faults_fail_at(step);
        r = mln_store_commit(store, putting("b", "2"), NULL);
        if (mln_ok(r) || strstr(mln_error_text(), "(SQLite code 1034)")) /* SQLITE_IOERR_FSYNC */
            break;
    }
    faults_fail_at(0);
    return r;
}

static void a_failed_sync_fails_the_batch_for_good(void **state)
{
    (void)state;
    struct mln_store *store = open_store(NULL);
    put(store, "a", "1");
    assert_fails(IO, commit_with_failing_sync(store));
    assert_error_has("COMMIT: disk I/O error");
    assert_string_equal(value_now(store, "b"), "(absent)");

    /* Its frames lie whole in the log; a process that is killed now must not find them. */
    struct mln_store *killed = open_as_if_killed();
    assert_string_equal(value_now(killed, "a"), "1");
    assert_string_equal(value_now(killed, "b"), "(absent)");
    mln_store_close(killed);

    put(store, "c", "3");
    mln_store_close(store);
    store = open_store(NULL);
    assert_string_equal(value_now(store, "a"), "1");
    assert_string_equal(value_now(store, "b"), "(absent)");
    assert_string_equal(value_now(store, "c"), "3");
    mln_store_close(store);
}

static void a_full_disk_says_so_and_works_again_with_room(void **state)
{
    (void)state;
    struct mln_store *store = open_store(NULL);
    put(store, "a", "1");
    atomic_store(&faults.full, true);
    assert_fails(FULL, mln_store_commit(store, putting("b", "2"), NULL));
    assert_fails(FULL, mln_store_commit(store, putting("c", "3"), NULL));
    assert_string_equal(value_now(store, "a"), "1");
    struct mln_store_stats stats;
    mln_store_stats(store, &stats);
    assert_int_equal(stats.failed, 2);
    atomic_store(&faults.full, false);
    put(store, "c", "4");
    MLN_CLEANUP(mln_store_read_end) struct mln_store_read *read = begin(store);
    assert_string_equal(keys_in(read, (struct mln_store_scan){0}), "a c");
    mln_store_read_end(MLN_TAKE(read));
    mln_store_close(store);
}

static void a_disk_that_cannot_be_read_is_an_error_of_the_reader(void **state)
{
    (void)state;
    struct mln_store *store = open_store(NULL);
    put(store, "a", "1");
    struct mln_store_read *read = begin(store);
    MLN_CLEANUP(mln_arena_free) struct mln_arena *arena = mln_arena_new(1000);
    struct mln_str value;
    uint64_t count;
    atomic_store(&faults.reads_fail, true);
    assert_fails(IO, mln_store_get(read, ANY, MLN_S("a"), arena, &value, NULL));
    assert_error_has("documents: disk I/O error");
    assert_fails(IO, mln_store_scan(read, ANY, &(struct mln_store_scan){0}, join_key, NULL));
    assert_fails(IO, mln_store_count(read, ANY, MLN_S(""), &count));
    char copy[128];
    snprintf(copy, sizeof copy, "%s/copy.db", directory);
    assert_fails(IO, mln_store_backup(store, copy));
    assert_int_equal(access(copy, F_OK), -1); /* no half of one is left */
    atomic_store(&faults.reads_fail, false);
    assert_string_equal(value_in(read, "a"), "1");
    mln_store_read_end(read);
    mln_store_close(store);
}

/* A life of a store. Says what was acknowledged. */
enum { LIFE_PUTS = 6 };

static struct mln_store_batch *life_batch(int i)
{
    char value[16], *filler = calloc(1, 9000);
    assert_non_null(filler);
    snprintf(value, sizeof value, "%d", i);
    struct mln_store_batch *batch = putting("first", value);
    assert_ok(mln_store_put(batch, ANY, MLN_S("filler"), (struct mln_str){filler, 9000}));
    assert_ok(mln_store_put(batch, MLN_COLLECTION_META, MLN_S("last"), mln_str_c(value)));
    free(filler);
    return batch;
}

static void live(int *acknowledged)
{
    *acknowledged = -1;
    struct mln_store *store = NULL;
    if (!mln_ok(try_open(NULL, &store)))
        return;
    for (int i = 0; i < LIFE_PUTS; i++)
        if (mln_ok(mln_store_commit(store, life_batch(i), NULL)))
            *acknowledged = i;
    mln_store_close(store);
}

static const char *meta_value(struct mln_store *store)
{
    static char text[16];
    MLN_CLEANUP(mln_arena_free) struct mln_arena *arena = mln_arena_new(1000);
    MLN_CLEANUP(mln_store_read_end) struct mln_store_read *read = begin(store);
    struct mln_str value = MLN_S("(absent)");
    MLN_IGNORE(mln_store_get(read, MLN_COLLECTION_META, MLN_S("last"), arena, &value, NULL));
    snprintf(text, sizeof text, "%.*s", MLN_FMT(value));
    return text;
}

/* The last acknowledged batch is there, and whole. */
static void check_life(int acknowledged)
{
    struct mln_store *store = open_store(NULL);
    char expected[16] = "(absent)";
    if (acknowledged >= 0)
        snprintf(expected, sizeof expected, "%d", acknowledged);
    assert_string_equal(value_now(store, "first"), expected);
    assert_string_equal(meta_value(store), expected);
    put(store, "first", "again");
    mln_store_close(store);
}

/* Lives with the fault at a later and later point, until one has come to its end without meeting it. Returns how often
   it was met. */
static int live_with(void (*fault_at)(long point), long stride)
{
    int met = -1;
    bool failed = true;
    for (long point = 1; failed; point += stride, met++) {
        int acknowledged;
        fault_at(point);
        live(&acknowledged);
        failed = atomic_load(&faults.failed);
        fault_at(0);
        check_life(acknowledged);
        remove_directory();
        make_directory();
    }
    return met;
}

/* Every single write, sync and truncation in a store's life fails once, from making the file to closing. */
static void whichever_step_fails_nothing_acknowledged_is_lost(void **state)
{
    (void)state;
    assert_true(live_with(faults_fail_at, 1) > 50);
}

/* One allocation in many, for the sake of time; the stride is no multiple of any loop's. */
static void whenever_memory_ends_nothing_acknowledged_is_lost(void **state)
{
    (void)state;
    assert_true(live_with(faults_no_memory_at, 29) > 20);
}

/* ---- power cuts ---- */

enum { CUT_THREADS = 3, CUTS = 25, CUT_KEYS = 3 };

static struct mln_store *cut_store;
static atomic_int cut_acknowledged[CUT_THREADS];
static atomic_bool cut_stop, cut_wrong;

static struct mln_result commit_round(int thread, int round)
{
    struct mln_store_batch *batch = mln_store_batch_new();
    if (!batch)
        return mln_fail(MLN_E_MEMORY, "no batch");
    char value[600] = "";
    snprintf(value, sizeof value, "%d", round);
    for (int k = 0; k < CUT_KEYS; k++) {
        char key[32];
        snprintf(key, sizeof key, "%d/%d/%d", thread, round % 50, k);
        MLN_IGNORE(mln_store_put(batch, ANY, mln_str_c(key), (struct mln_str){value, sizeof value}));
    }
    return mln_store_commit(cut_store, batch, NULL);
}

static void *commit_until_stopped(void *number)
{
    int self = *(int *)number;
    for (int round = 1; !atomic_load(&cut_stop); round++) {
        if (!mln_ok(commit_round(self, round)))
            atomic_store(&cut_wrong, true);
        atomic_store(&cut_acknowledged[self], round);
    }
    return NULL;
}

/* Every round that a thread was told is durable is there or was overwritten by a later one, and none is there in part.
 */
static void check_after_cut(const char *name, const int *acknowledged)
{
    struct mln_store *store = NULL;
    assert_ok(mln_store_open(&mln_sqlite_ops, name, NULL, &store));
    struct mln_store_read *read = begin(store);
    for (int thread = 0; thread < CUT_THREADS; thread++)
        for (int slot = 0; slot < 50 && slot <= acknowledged[thread]; slot++) {
            int rounds[CUT_KEYS];
            for (int k = 0; k < CUT_KEYS; k++) {
                char key[32];
                snprintf(key, sizeof key, "%d/%d/%d", thread, slot, k);
                rounds[k] = (int)strtol(value_in(read, key), NULL, 10);
            }
            int newest = acknowledged[thread] - (acknowledged[thread] - slot + 50) % 50;
            assert_true(rounds[0] >= newest);
            assert_int_equal(rounds[0], rounds[1]);
            assert_int_equal(rounds[0], rounds[2]);
        }
    mln_store_read_end(read);
    mln_store_close(store);
}

static void remove_all(const char *there)
{
    static const char *const suffixes[] = {"", "-wal", "-shm", ".lock"};
    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
        char name[256];
        snprintf(name, sizeof name, "%s/store.db%s", there, suffixes[i]);
        unlink(name);
    }
}

static void power_cuts_lose_nothing_acknowledged(void **state)
{
    (void)state;
    char there[96], name[128];
    snprintf(there, sizeof there, "%s/cut", directory);
    snprintf(name, sizeof name, "%s/store.db", there);
    assert_int_equal(mkdir(there, 0700), 0);
    faults_record(directory);
    cut_store = open_store(NULL);
    static int numbers[CUT_THREADS] = {0, 1, 2};
    pthread_t threads[CUT_THREADS];
    for (int i = 0; i < CUT_THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, commit_until_stopped, &numbers[i]), 0);
    uint64_t chance = 4711;
    for (int i = 0; i < CUTS; i++) {
        usleep((useconds_t)check_below(&chance, 20000));
        int acknowledged[CUT_THREADS];
        for (int t = 0; t < CUT_THREADS; t++)
            acknowledged[t] = atomic_load(&cut_acknowledged[t]);
        faults_cut_power(there, &chance);
        check_after_cut(name, acknowledged);
        remove_all(there);
    }
    atomic_store(&cut_stop, true);
    for (int i = 0; i < CUT_THREADS; i++)
        pthread_join(threads[i], NULL);
    mln_store_close(cut_store);
    faults_stop_recording();
    rmdir(there);
    assert_false(atomic_load(&cut_wrong));
}

/* ---- a real full disk ---- */

/* Mounts a small file system on the directory, seen by this process alone. False: not allowed to. */
static bool mount_small(const char *options)
{
    return unshare(CLONE_NEWNS) == 0 && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
           mount("none", directory, "tmpfs", MS_NOSUID | MS_NODEV, options) == 0;
}

static int fill(struct mln_store *store)
{
    static char large[64 << 10];
    for (int i = 0;; i++) {
        char key[16];
        snprintf(key, sizeof key, "%04d", i);
        struct mln_store_batch *batch = new_batch();
        assert_ok(mln_store_put(batch, ANY, mln_str_c(key), (struct mln_str){large, sizeof large}));
        struct mln_result r = mln_store_commit(store, batch, NULL);
        if (!mln_ok(r)) {
            assert_int_equal(r.code, MLN_E_FULL);
            return i;
        }
    }
}

static void check_filled(struct mln_store *store, int expected)
{
    MLN_CLEANUP(mln_store_read_end) struct mln_store_read *read = begin(store);
    uint64_t count = 0;
    assert_ok(mln_store_count(read, ANY, MLN_S("0"), &count));
    assert_int_equal(count, expected);
}

static void a_small_disk_fills_up_and_is_made_larger(void **state)
{
    (void)state;
    if (!mount_small("size=3m,mode=0700"))
        skip();
    struct mln_store *store = open_store(NULL);
    int filled = fill(store);
    assert_true(filled > 5);
    check_filled(store, filled);
    mln_store_close(store); /* with no room to tidy up in */
    store = open_store(NULL);
    check_filled(store, filled);
    int more = fill(store);
    assert_int_equal(mount("none", directory, "tmpfs", MS_REMOUNT | MS_NOSUID | MS_NODEV, "size=16m"), 0);
    put(store, "room", "again");
    check_filled(store, more > filled ? more : filled);
    mln_store_close(store);
    store = open_store(NULL);
    assert_string_equal(value_now(store, "room"), "again");
    mln_store_close(store);
    remove_all(directory);
    assert_int_equal(umount(directory), 0);
}

static int a_directory_on_a_good_disk(void **state)
{
    faults_fail_at(0);
    faults_no_memory_at(0);
    atomic_store(&faults.full, false);
    atomic_store(&faults.reads_fail, false);
    return a_directory(state);
}

int main(void)
{
    faults_install();
#define IN_DIRECTORY(test) cmocka_unit_test_setup_teardown(test, a_directory_on_a_good_disk, no_directory)
    const struct CMUnitTest tests[] = {
        IN_DIRECTORY(a_failed_sync_fails_the_batch_for_good),
        IN_DIRECTORY(a_full_disk_says_so_and_works_again_with_room),
        IN_DIRECTORY(a_disk_that_cannot_be_read_is_an_error_of_the_reader),
        IN_DIRECTORY(whichever_step_fails_nothing_acknowledged_is_lost),
        IN_DIRECTORY(whenever_memory_ends_nothing_acknowledged_is_lost),
        IN_DIRECTORY(power_cuts_lose_nothing_acknowledged),
        IN_DIRECTORY(a_small_disk_fills_up_and_is_made_larger),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
