/* What a path may hold when a store is opened there, and who may read what lies there afterwards. */
#include "stores/sqlite_test.h"

#include <sqlite3.h>
#include <sys/wait.h>

static void assert_mode(const char *suffix, unsigned mode)
{
    char name[128];
    snprintf(name, sizeof name, "%s%s", path, suffix);
    struct stat at;
    assert_int_equal(stat(name, &at), 0);
    assert_int_equal(at.st_mode & 07777, mode);
}

/* Runs SQL in the database as another program. */
static void run_sql(const char *sql)
{
    sqlite3 *db;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static void a_store_has_a_location(void **state)
{
    (void)state;
    char location[128];
    struct mln_store *store = NULL;
    snprintf(location, sizeof location, "sqlite:%s", path);
    assert_ok(mln_stores_open(location, NULL, &store));
    put(store, "a", "1");
    mln_store_close(MLN_TAKE(store));
    assert_fails(INVALID, mln_stores_open(path, NULL, &store));
    assert_fails(INVALID, mln_stores_open("sqlite:", NULL, &store));
    assert_fails(INVALID, mln_stores_open("", NULL, &store));
    assert_fails(UNSUPPORTED, mln_stores_open("papyrus:/x", NULL, &store));
    assert_error_has("papyrus");
    assert_null(store);
}

static void files_are_for_their_owner(void **state)
{
    (void)state;
    char below[128];
    snprintf(below, sizeof below, "%s/new/store.db", directory);
    struct mln_store *store = NULL;
    assert_ok(mln_store_open(&mln_sqlite_ops, below, NULL, &store));
    snprintf(path, sizeof path, "%s/new/store.db", directory);
    put(store, "a", "1");
    assert_mode("", 0600);
    assert_mode("-wal", 0600);
    assert_mode("-shm", 0600);
    mln_store_close(store);
    *strrchr(below, '/') = '\0';
    struct stat at;
    assert_int_equal(stat(below, &at), 0);
    assert_int_equal(at.st_mode & 07777, 0700);

    assert_int_equal(chmod(path, 0644), 0);
    mln_store_close(open_store(NULL));
    assert_mode("", 0600);
    unlink(path);
    char lock[128];
    snprintf(lock, sizeof lock, "%s.lock", path);
    unlink(lock);
    rmdir(below);
}

static void a_directory_that_others_write_is_refused(void **state)
{
    (void)state;
    struct mln_store *store = NULL;
    assert_int_equal(chmod(directory, 0770), 0);
    assert_fails(FORBIDDEN, try_open(NULL, &store));
    assert_error_has("0770");
    assert_int_equal(chmod(directory, 0755), 0);
    mln_store_close(open_store(NULL));
}

static void one_process_at_a_time(void **state)
{
    (void)state;
    struct mln_store *first = open_store(NULL), *second = NULL;
    assert_fails(CONFLICT, try_open(NULL, &second));
    put(first, "a", "1");
    mln_store_close(first);
    mln_store_close(open_store(NULL));
}

static void what_is_no_file_is_refused(void **state)
{
    (void)state;
    struct mln_store *store = NULL;
    assert_fails(INVALID, mln_store_open(&mln_sqlite_ops, "/tmp/", NULL, &store));
    assert_fails(INVALID, mln_store_open(&mln_sqlite_ops, "..", NULL, &store));
    assert_int_equal(symlink("/etc/hostname", path), 0);
    assert_fails(INVALID, try_open(NULL, &store));
    unlink(path);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_fails(INVALID, try_open(NULL, &store));
    rmdir(path);
    char longest[5000];
    memset(longest, 'a', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    assert_false(mln_ok(mln_store_open(&mln_sqlite_ops, longest, NULL, &store)));
}

static void another_programs_database_is_left_alone(void **state)
{
    (void)state;
    struct mln_store *store = NULL;
    run_sql("CREATE TABLE recipes (name TEXT)");
    assert_fails(INVALID, try_open(NULL, &store));
    assert_error_has("another program");
    run_sql("INSERT INTO recipes VALUES ('soup')");
}

static void a_newer_store_is_refused(void **state)
{
    (void)state;
    struct mln_store *store = open_store(NULL);
    put(store, "a", "1");
    mln_store_close(MLN_TAKE(store));
    run_sql("PRAGMA user_version = 99");
    assert_fails(UNSUPPORTED, try_open(NULL, &store));
    assert_error_has("newer Merlon (version 99");
    run_sql("PRAGMA user_version = 0");
    assert_fails(CORRUPT, try_open(NULL, &store));
    run_sql("PRAGMA user_version = 1");
    store = open_store(NULL);
    assert_string_equal(value_now(store, "a"), "1");
    mln_store_close(store);
}

/* As a database of an earlier version that did not have the collection yet. */
static void a_new_collection_is_added(void **state)
{
    (void)state;
    struct mln_store *store = open_store(NULL);
    put(store, "a", "1");
    mln_store_close(store);
    run_sql("DROP TABLE machines");
    store = open_store(NULL);
    struct mln_store_batch *batch = new_batch();
    assert_ok(mln_store_put(batch, MLN_COLLECTION_MACHINES, MLN_S("m"), MLN_S("1")));
    assert_ok(mln_store_commit(store, batch, NULL));
    assert_string_equal(value_now(store, "a"), "1");
    mln_store_close(store);
}

static void write_bytes(off_t offset, const char *bytes, size_t n)
{
    FILE *file = fopen(path, offset ? "r+b" : "wb");
    assert_non_null(file);
    assert_int_equal(fseek(file, offset, SEEK_SET), 0);
    assert_int_equal(fwrite(bytes, 1, n, file), n);
    assert_int_equal(fclose(file), 0);
}

static void what_is_no_database_is_corrupt(void **state)
{
    (void)state;
    static char text[8192];
    memset(text, 'x', sizeof text);
    write_bytes(0, text, sizeof text);
    struct mln_store *store = NULL;
    assert_fails(CORRUPT, try_open(NULL, &store));
    assert_error_has(path);
}

/* Fills every page but the first with nonsense. */
static void spoil_pages(void)
{
    struct stat at;
    static char nonsense[4096];
    memset(nonsense, 0xa5, sizeof nonsense);
    assert_int_equal(stat(path, &at), 0);
    for (off_t offset = 8192; offset < at.st_size; offset += 4096)
        write_bytes(offset, nonsense, sizeof nonsense);
}

static void a_damaged_page_is_found_when_it_is_read(void **state)
{
    (void)state;
    struct mln_store *store = open_store(NULL);
    put(store, "secret-key", "secret-value");
    mln_store_close(MLN_TAKE(store));
    spoil_pages();
    struct mln_result r = try_open(NULL, &store); /* the damage may show now or later */
    if (mln_ok(r)) {
        struct mln_store_read *read = NULL;
        r = mln_store_read_begin(store, &read);
        if (mln_ok(r)) {
            r = mln_store_scan(read, ANY, &(struct mln_store_scan){0}, join_key, NULL);
            mln_store_read_end(read);
        }
        mln_store_close(store);
    }
    assert_int_equal(r.code, MLN_E_CORRUPT);
    assert_null(strstr(mln_error_text(), "secret"));
}

/* After a crash the database is looked through; a clean one is not. */
static void damage_is_looked_for_after_a_crash(void **state)
{
    (void)state;
    pid_t child = fork();
    if (child == 0) {
        struct mln_store *store = NULL;
        char value[4000] = "";
        struct mln_store_batch *batch = mln_store_batch_new();
        for (int i = 0; batch && i < 100; i++) {
            value[0] = (char)('0' + i % 10);
            char key[16];
            snprintf(key, sizeof key, "%d", i);
            MLN_IGNORE(mln_store_put(batch, ANY, mln_str_c(key), (struct mln_str){value, sizeof value}));
        }
        if (!batch || !mln_ok(try_open(NULL, &store)) || !mln_ok(mln_store_commit(store, batch, NULL)))
            _exit(1);
        _exit(0); /* without closing */
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    struct stat at;
    char wal[128];
    snprintf(wal, sizeof wal, "%s-wal", path);
    assert_int_equal(stat(wal, &at), 0);
    assert_true(at.st_size > 0);

    /* The log is moved by another program, which leaves an empty one behind; then a leaf page is spoilt. */
    run_sql("PRAGMA wal_checkpoint(TRUNCATE)");
    spoil_pages();
    FILE *left = fopen(wal, "wb");
    assert_non_null(left);
    assert_int_equal(fwrite("cut off", 1, 7, left), 7);
    assert_int_equal(fclose(left), 0);
    struct mln_store *store = NULL;
    assert_fails(CORRUPT, try_open(NULL, &store));
    assert_null(store);
}

/* As a user who may not write there. Root may always, so a root test becomes somebody else. */
static void a_directory_that_cannot_be_written_says_so(void **state)
{
    (void)state;
    mln_store_close(open_store(NULL));
    assert_int_equal(chmod(directory, 0555), 0);
    assert_int_equal(chmod(path, 0444), 0);
    pid_t child = fork();
    if (child == 0) {
        struct mln_store *store = NULL;
        if (getuid() == 0 && setresuid(65534, 65534, 65534) != 0)
            _exit(2);
        _exit(try_open(NULL, &store).code == MLN_E_FORBIDDEN ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(chmod(directory, 0700), 0);
}

int main(void)
{
#define IN_DIRECTORY(test) cmocka_unit_test_setup_teardown(test, a_directory, no_directory)
    const struct CMUnitTest tests[] = {
        IN_DIRECTORY(a_store_has_a_location),
        IN_DIRECTORY(files_are_for_their_owner),
        IN_DIRECTORY(a_directory_that_others_write_is_refused),
        IN_DIRECTORY(one_process_at_a_time),
        IN_DIRECTORY(what_is_no_file_is_refused),
        IN_DIRECTORY(another_programs_database_is_left_alone),
        IN_DIRECTORY(a_newer_store_is_refused),
        IN_DIRECTORY(a_new_collection_is_added),
        IN_DIRECTORY(what_is_no_database_is_corrupt),
        IN_DIRECTORY(a_damaged_page_is_found_when_it_is_read),
        IN_DIRECTORY(damage_is_looked_for_after_a_crash),
        IN_DIRECTORY(a_directory_that_cannot_be_written_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
