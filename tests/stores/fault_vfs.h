/*
 * A file system for SQLite between it and the real one, that fails when a test says so and remembers what has reached
 * the disk. It is the default one from faults_install on.
 *
 *   - faults_fail_at: the n-th write, sync or truncation from now on fails, once; a write leaves its first half behind
 *   - faults_no_memory_at: the n-th allocation of SQLite from now on fails, once
 *   - faults.full: files cannot grow
 *   - faults.reads_fail: nothing can be read
 *   - faults_record, faults_cut_power: what the disk could hold if the power went now: all that was synced, and of the
 *     rest any part
 */
#ifndef MLN_TESTS_STORES_FAULT_VFS_H
#define MLN_TESTS_STORES_FAULT_VFS_H

#include "base/vec.h"
#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <unistd.h>

/* One write, or a truncation (bytes NULL) to offset, that no sync has followed yet. */
struct fault_step {
    size_t offset, n;
    char *bytes;
};

/* A file and what is certain to be on the disk of it. */
struct fault_image {
    char name[256];
    char *bytes;
    size_t n;
    MLN_VEC(struct fault_step) pending;
};

enum { FAULT_IMAGES = 8 };

static struct {
    sqlite3_vfs *real, shim;
    sqlite3_mem_methods memory;
    atomic_long steps_to_failure; /* 0: none is coming */
    atomic_long allocations_to_failure;
    atomic_bool failed; /* one of the two came */
    atomic_bool full, reads_fail;
    atomic_bool recording; /* files opened in the recorded directory have an image */
    const char *recorded;
    pthread_mutex_t lock; /* over the images */
    struct fault_image images[FAULT_IMAGES];
} faults = {.lock = PTHREAD_MUTEX_INITIALIZER};

struct fault_file {
    sqlite3_file base;
    struct fault_image *image; /* NULL: not one to remember */
    sqlite3_file *real;
};

static sqlite3_file *real_of(sqlite3_file *file)
{
    return ((struct fault_file *)file)->real;
}

/* ---- images ---- */

static void image_apply(struct fault_image *image, const struct fault_step *step, size_t n)
{
    size_t end = step->offset + n;
    if (end > image->n) {
        image->bytes = realloc(image->bytes, end);
        if (!image->bytes)
            abort();
        memset(image->bytes + image->n, 0, end - image->n);
        image->n = end;
    }
    if (step->bytes)
        memcpy(image->bytes + step->offset, step->bytes, n);
    else
        image->n = step->offset;
}

static void image_forget_pending(struct fault_image *image)
{
    for (size_t i = 0; i < image->pending.n; i++)
        free(image->pending.at[i].bytes);
    mln_vec_free(&image->pending);
}

static void image_note(sqlite3_file *file, struct fault_step step)
{
    struct fault_image *image = ((struct fault_file *)file)->image;
    if (!image)
        return;
    pthread_mutex_lock(&faults.lock);
    if (step.bytes) {
        char *copy = malloc(step.n ? step.n : 1);
        if (!copy)
            abort();
        memcpy(copy, step.bytes, step.n);
        step.bytes = copy;
    }
    if (!mln_ok(mln_vec_push(NULL, &image->pending, step)))
        abort();
    pthread_mutex_unlock(&faults.lock);
}

static void image_sync(sqlite3_file *file)
{
    struct fault_image *image = ((struct fault_file *)file)->image;
    if (!image)
        return;
    pthread_mutex_lock(&faults.lock);
    for (size_t i = 0; i < image->pending.n; i++)
        image_apply(image, &image->pending.at[i], image->pending.at[i].n);
    image_forget_pending(image);
    pthread_mutex_unlock(&faults.lock);
}

static struct fault_image *image_named(const char *name)
{
    const char *slash = name ? strrchr(name, '/') : NULL;
    if (!atomic_load(&faults.recording) || !slash || strlen(name) >= sizeof faults.images[0].name)
        return NULL;
    struct mln_str its_directory = {name, (size_t)(slash - name)};
    if (!mln_str_eq(its_directory, mln_str_c(faults.recorded)))
        return NULL;
    pthread_mutex_lock(&faults.lock);
    struct fault_image *image = NULL;
    for (int i = 0; i < FAULT_IMAGES && !image; i++)
        if (!faults.images[i].name[0] || strcmp(faults.images[i].name, name) == 0)
            image = &faults.images[i];
    if (image)
        snprintf(image->name, sizeof image->name, "%s", name);
    pthread_mutex_unlock(&faults.lock);
    return image;
}

static void write_file(const char *name, const char *bytes, size_t n)
{
    FILE *file = fopen(name, "wb");
    if (!file || fwrite(bytes ? bytes : "", 1, n, file) != n || fclose(file) != 0)
        abort();
}

/* Writes what could be on the disk into the directory to, under the same names. */
static inline void faults_cut_power(const char *to, uint64_t *chance)
{
    pthread_mutex_lock(&faults.lock);
    for (int i = 0; i < FAULT_IMAGES && faults.images[i].name[0]; i++) {
        const struct fault_image *image = &faults.images[i];
        struct fault_image torn = {.bytes = malloc(image->n + 1), .n = image->n};
        if (!torn.bytes)
            abort();
        memcpy(torn.bytes, image->bytes ? image->bytes : "", image->n);
        for (size_t s = 0; s < image->pending.n; s++) {
            const struct fault_step *step = &image->pending.at[s];
            size_t luck = check_below(chance, 4); /* not at all, a part of it, whole, whole */
            size_t part = step->bytes && luck == 1 ? check_below(chance, step->n + 1) & ~(size_t)511 : step->n;
            if (luck > 0)
                image_apply(&torn, step, part);
        }
        char name[512];
        snprintf(name, sizeof name, "%s/%s", to, strrchr(image->name, '/') + 1);
        write_file(name, torn.bytes, torn.n);
        free(torn.bytes);
    }
    pthread_mutex_unlock(&faults.lock);
}

/* From here on, what is written to files in the directory is remembered. */
static inline void faults_record(const char *recorded)
{
    faults.recorded = recorded;
    atomic_store(&faults.recording, true);
}

static inline void faults_stop_recording(void)
{
    atomic_store(&faults.recording, false);
    pthread_mutex_lock(&faults.lock);
    for (int i = 0; i < FAULT_IMAGES; i++) {
        image_forget_pending(&faults.images[i]);
        free(faults.images[i].bytes);
        faults.images[i] = (struct fault_image){.name = ""};
    }
    pthread_mutex_unlock(&faults.lock);
}

/* ---- files ---- */

/* True when the countdown ends with this. */
static bool is_last(atomic_long *countdown)
{
    if (atomic_load(countdown) <= 0 || atomic_fetch_sub(countdown, 1) != 1)
        return false;
    atomic_store(&faults.failed, true);
    return true;
}

static bool is_failing(void)
{
    return is_last(&faults.steps_to_failure);
}

static int fault_close(sqlite3_file *file)
{
    return real_of(file)->pMethods ? real_of(file)->pMethods->xClose(real_of(file)) : SQLITE_OK;
}

static int fault_read(sqlite3_file *file, void *to, int n, sqlite3_int64 offset)
{
    if (atomic_load(&faults.reads_fail)) {
        errno = EIO;
        return SQLITE_IOERR_READ;
    }
    return real_of(file)->pMethods->xRead(real_of(file), to, n, offset);
}

static int fault_write(sqlite3_file *file, const void *from, int n, sqlite3_int64 offset)
{
    if (is_failing()) {
        real_of(file)->pMethods->xWrite(real_of(file), from, n / 2, offset);
        errno = EIO;
        return SQLITE_IOERR_WRITE;
    }
    sqlite3_int64 size = 0;
    if (atomic_load(&faults.full) && real_of(file)->pMethods->xFileSize(real_of(file), &size) == SQLITE_OK &&
        offset + n > size)
        return SQLITE_FULL;
    int code = real_of(file)->pMethods->xWrite(real_of(file), from, n, offset);
    if (code == SQLITE_OK) {
        char *bytes = (char *)(uintptr_t)from; /* copied, not changed */
        image_note(file, (struct fault_step){(size_t)offset, (size_t)n, bytes});
    }
    return code;
}

static int fault_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    if (is_failing()) {
        errno = EIO;
        return SQLITE_IOERR_TRUNCATE;
    }
    image_note(file, (struct fault_step){(size_t)size, 0, NULL});
    return real_of(file)->pMethods->xTruncate(real_of(file), size);
}

/* The real file is not synced: tests do not lose power, and it takes time. */
static int fault_sync(sqlite3_file *file, int flags)
{
    (void)flags;
    if (is_failing()) {
        errno = EIO;
        return SQLITE_IOERR_FSYNC;
    }
    image_sync(file);
    return SQLITE_OK;
}

static int fault_file_size(sqlite3_file *file, sqlite3_int64 *size)
{
    return real_of(file)->pMethods->xFileSize(real_of(file), size);
}

static int fault_lock(sqlite3_file *file, int level)
{
    return real_of(file)->pMethods->xLock(real_of(file), level);
}

static int fault_unlock(sqlite3_file *file, int level)
{
    return real_of(file)->pMethods->xUnlock(real_of(file), level);
}

static int fault_check_lock(sqlite3_file *file, int *held)
{
    return real_of(file)->pMethods->xCheckReservedLock(real_of(file), held);
}

static int fault_control(sqlite3_file *file, int operation, void *argument)
{
    return real_of(file)->pMethods->xFileControl(real_of(file), operation, argument);
}

static int fault_sector_size(sqlite3_file *file)
{
    return real_of(file)->pMethods->xSectorSize(real_of(file));
}

static int fault_characteristics(sqlite3_file *file)
{
    return real_of(file)->pMethods->xDeviceCharacteristics(real_of(file));
}

static int fault_shm_map(sqlite3_file *file, int page, int size, int extend, void volatile **out)
{
    return real_of(file)->pMethods->xShmMap(real_of(file), page, size, extend, out);
}

static int fault_shm_lock(sqlite3_file *file, int offset, int n, int flags)
{
    return real_of(file)->pMethods->xShmLock(real_of(file), offset, n, flags);
}

static void fault_shm_barrier(sqlite3_file *file)
{
    real_of(file)->pMethods->xShmBarrier(real_of(file));
}

static int fault_shm_unmap(sqlite3_file *file, int remove)
{
    return real_of(file)->pMethods->xShmUnmap(real_of(file), remove);
}

static const sqlite3_io_methods fault_methods = {
    .iVersion = 2, /* no memory maps */
    .xClose = fault_close,
    .xRead = fault_read,
    .xWrite = fault_write,
    .xTruncate = fault_truncate,
    .xSync = fault_sync,
    .xFileSize = fault_file_size,
    .xLock = fault_lock,
    .xUnlock = fault_unlock,
    .xCheckReservedLock = fault_check_lock,
    .xFileControl = fault_control,
    .xSectorSize = fault_sector_size,
    .xDeviceCharacteristics = fault_characteristics,
    .xShmMap = fault_shm_map,
    .xShmLock = fault_shm_lock,
    .xShmBarrier = fault_shm_barrier,
    .xShmUnmap = fault_shm_unmap,
};

static int fault_open(sqlite3_vfs *shim, const char *name, sqlite3_file *file, int flags, int *out_flags)
{
    (void)shim;
    struct fault_file *ours = (struct fault_file *)file;
    ours->real = (sqlite3_file *)(ours + 1);
    ours->image = flags & (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL) ? image_named(name) : NULL;
    int code = faults.real->xOpen(faults.real, name, ours->real, flags, out_flags);
    ours->base.pMethods = code == SQLITE_OK || ours->real->pMethods ? &fault_methods : NULL;
    return code;
}

static void *fault_malloc(int bytes)
{
    return is_last(&faults.allocations_to_failure) ? NULL : faults.memory.xMalloc(bytes);
}

static void *fault_realloc(void *block, int bytes)
{
    return is_last(&faults.allocations_to_failure) ? NULL : faults.memory.xRealloc(block, bytes);
}

/* Once, before the first store is opened. */
static inline void faults_install(void)
{
    sqlite3_config(SQLITE_CONFIG_GETMALLOC, &faults.memory);
    sqlite3_mem_methods memory = faults.memory;
    memory.xMalloc = fault_malloc;
    memory.xRealloc = fault_realloc;
    sqlite3_config(SQLITE_CONFIG_MALLOC, &memory);
    faults.real = sqlite3_vfs_find(NULL);
    faults.shim = *faults.real;
    faults.shim.zName = "faults";
    faults.shim.pNext = NULL;
    faults.shim.szOsFile = (int)sizeof(struct fault_file) + faults.real->szOsFile;
    faults.shim.xOpen = fault_open;
    sqlite3_vfs_register(&faults.shim, 1);
}

static inline void faults_fail_at(long step)
{
    atomic_store(&faults.failed, false);
    atomic_store(&faults.steps_to_failure, step);
}

static inline void faults_no_memory_at(long allocation)
{
    atomic_store(&faults.failed, false);
    atomic_store(&faults.allocations_to_failure, allocation);
}

#endif
