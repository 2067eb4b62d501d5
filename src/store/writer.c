#include "store/writer.h"

#include "base/queue.h"
#include "base/time.h"
#include "os/thread.h"
#include "store/batch.h"

#include <pthread.h>
#include <stdatomic.h>

enum { IDLE_MS = 1000 };

/* Held by the writer until it is done, and by whoever waits; the last of the two frees it. */
struct mln_store_ticket {
    atomic_int holders;
    pthread_mutex_t lock; /* over all below, once the ticket is in the queue */
    pthread_cond_t is_done;
    bool done;
    struct mln_store_batch *batch; /* until done */
    struct mln_result result;
    int64_t revision;
    char text[sizeof(((struct mln_store_work *)0)->text)];
};

struct mln_store_writer {
    const struct mln_store_ops *ops;
    void *database;
    struct mln_store_options options;
    struct mln_queue *queue;
    struct mln_thread *thread;
    atomic_bool stopping;
    struct mln_store_ticket **group; /* options.group_batches of each; the thread's */
    struct mln_store_work *work;
    atomic_uint_fast64_t batches, commits, failed, waiting, waiting_bytes;
};

static void drop_ticket(struct mln_store_ticket *ticket)
{
    if (atomic_fetch_sub(&ticket->holders, 1) > 1)
        return;
    mln_store_batch_free(ticket->batch);
    pthread_cond_destroy(&ticket->is_done);
    pthread_mutex_destroy(&ticket->lock);
    free(ticket);
}

static struct mln_store_ticket *new_ticket(struct mln_store_batch *batch)
{
    struct mln_store_ticket *ticket = calloc(1, sizeof *ticket);
    if (!ticket)
        return NULL;
    pthread_mutex_init(&ticket->lock, NULL);
    pthread_cond_init(&ticket->is_done, NULL);
    atomic_init(&ticket->holders, 2);
    ticket->batch = batch;
    return ticket;
}

static void finish_ticket(struct mln_store_writer *writer, struct mln_store_ticket *ticket,
                          const struct mln_store_work *work)
{
    atomic_fetch_sub(&writer->waiting_bytes, ticket->batch->bytes);
    atomic_fetch_sub(&writer->waiting, 1);
    if (!mln_ok(work->result))
        atomic_fetch_add(&writer->failed, 1);
    mln_store_batch_free(MLN_TAKE(ticket->batch));

    pthread_mutex_lock(&ticket->lock);
    ticket->result = work->result;
    ticket->revision = work->revision;
    memcpy(ticket->text, work->text, sizeof ticket->text);
    ticket->done = true;
    pthread_cond_signal(&ticket->is_done);
    pthread_mutex_unlock(&ticket->lock);
    drop_ticket(ticket);
}

struct mln_result mln_store_wait(struct mln_store_ticket *ticket, int64_t *revision)
{
    pthread_mutex_lock(&ticket->lock);
    while (!ticket->done)
        pthread_cond_wait(&ticket->is_done, &ticket->lock);
    pthread_mutex_unlock(&ticket->lock);
    struct mln_result r = MLN_OK;
    if (!mln_ok(ticket->result))
        r = mln_fail(ticket->result.code, "%s", ticket->text);
    else if (revision)
        *revision = ticket->revision;
    drop_ticket(ticket);
    return r;
}

void mln_store_work_fail(struct mln_store_work *work, struct mln_result failure)
{
    work->result = failure;
    snprintf(work->text, sizeof work->text, "%s", mln_error_text());
}

static struct mln_store_work work_of(const struct mln_store_batch *batch)
{
    return (struct mln_store_work){
        .expectations = batch->expectations.at,
        .expectation_count = batch->expectations.n,
        .changes = batch->changes.at,
        .change_count = batch->changes.n,
    };
}

/* Takes what else waits, up to the limits of a group. Returns the size of the group. */
static size_t gather(struct mln_store_writer *writer, struct mln_store_ticket *first)
{
    size_t count = 0, bytes = 0;
    for (struct mln_store_ticket *ticket = first; ticket; ticket = mln_queue_pop(writer->queue, 0)) {
        writer->group[count++] = ticket;
        bytes += ticket->batch->bytes;
        if (count == writer->options.group_batches || bytes >= writer->options.group_bytes)
            break;
    }
    return count;
}

static struct mln_result apply(struct mln_store_writer *writer, size_t first, size_t count)
{
    for (size_t i = first; i < first + count; i++)
        writer->work[i] = work_of(writer->group[i]->batch);
    struct mln_result r = writer->ops->apply(writer->database, &writer->work[first], count);
    if (mln_ok(r)) {
        atomic_fetch_add(&writer->commits, 1);
        return r;
    }
    for (size_t i = first; i < first + count; i++)
        mln_store_work_fail(&writer->work[i], r);
    return r;
}

static void commit_group(struct mln_store_writer *writer, size_t count)
{
    struct mln_result r = apply(writer, 0, count);
    /* One batch may be too large for the disk, or touch a damaged page: its neighbours get a commit of their own. A
       disk that cannot write is not asked again for each. */
    if (!mln_ok(r) && count > 1 && r.code != MLN_E_IO)
        for (size_t i = 0; i < count; i++)
            MLN_IGNORE(apply(writer, i, 1));
    for (size_t i = 0; i < count; i++)
        finish_ticket(writer, writer->group[i], &writer->work[i]);
}

static void run(void *context)
{
    struct mln_store_writer *writer = context;
    bool housekeeping = true; /* wanted once nothing has come for a while */
    for (;;) {
        struct mln_store_ticket *first = mln_queue_pop(writer->queue, housekeeping ? mln_monotonic_ms() + IDLE_MS : -1);
        /* The queue is closed when this waits, or soon will be: NULL means that nothing can come any more. */
        if (!first && atomic_load(&writer->stopping) && !(first = mln_queue_pop(writer->queue, -1)))
            return;
        if (first)
            commit_group(writer, gather(writer, first));
        housekeeping = first || writer->ops->idle(writer->database);
    }
}

static void free_writer(struct mln_store_writer *writer)
{
    mln_queue_free(writer->queue);
    free(writer->group);
    free(writer->work);
    free(writer);
}

struct mln_result mln_store_writer_start(const struct mln_store_ops *ops, void *database,
                                         const struct mln_store_options *options, struct mln_store_writer **out)
{
    struct mln_store_writer *writer = calloc(1, sizeof *writer);
    if (!writer)
        return mln_fail(MLN_E_MEMORY, "no memory for the store's writer");
    writer->ops = ops;
    writer->database = database;
    writer->options = *options;
    writer->queue = mln_queue_new(options->queue_batches);
    writer->group = calloc(options->group_batches, sizeof(struct mln_store_ticket *));
    writer->work = calloc(options->group_batches, sizeof *writer->work);
    struct mln_result r = writer->queue && writer->group && writer->work
                              ? mln_thread_start("store writer", run, writer, &writer->thread)
                              : mln_fail(MLN_E_MEMORY, "no memory for the queue of the store's writer");
    if (mln_ok(r))
        *out = writer;
    else
        free_writer(writer);
    return r;
}

void mln_store_writer_stop(struct mln_store_writer *writer)
{
    if (!writer)
        return;
    atomic_store(&writer->stopping, true);
    mln_queue_close(writer->queue);
    mln_thread_join(writer->thread);
    free_writer(writer);
}

/* Counts the batch as waiting. A batch alone is always let in, however large. */
static struct mln_result enter(struct mln_store_writer *writer, size_t bytes)
{
    size_t before = atomic_fetch_add(&writer->waiting_bytes, bytes);
    if (before && before + bytes > writer->options.queue_bytes) {
        atomic_fetch_sub(&writer->waiting_bytes, bytes);
        return mln_fail(MLN_E_BUSY, "%zu bytes wait to be written already", before);
    }
    atomic_fetch_add(&writer->waiting, 1);
    return MLN_OK;
}

struct mln_result mln_store_writer_submit(struct mln_store_writer *writer, struct mln_store_batch *batch,
                                          struct mln_store_ticket **out)
{
    MLN_CLEANUP(mln_store_batch_free) struct mln_store_batch *owned = batch;
    size_t bytes = batch->bytes;
    struct mln_store_ticket *ticket = new_ticket(batch);
    if (!ticket)
        return mln_fail(MLN_E_MEMORY, "no memory for a ticket");
    owned = NULL; /* the ticket's now */
    struct mln_result r = enter(writer, bytes);
    if (mln_ok(r)) {
        r = mln_queue_push(writer->queue, ticket);
        if (!mln_ok(r)) {
            atomic_fetch_sub(&writer->waiting, 1);
            atomic_fetch_sub(&writer->waiting_bytes, bytes);
        }
    }
    if (mln_ok(r)) {
        atomic_fetch_add(&writer->batches, 1);
        *out = ticket;
    } else {
        atomic_store(&ticket->holders, 1);
        drop_ticket(ticket);
        r = mln_fail_at(r, "store");
    }
    return r;
}

void mln_store_writer_stats(struct mln_store_writer *writer, struct mln_store_stats *stats)
{
    stats->batches = atomic_load(&writer->batches);
    stats->commits = atomic_load(&writer->commits);
    stats->failed = atomic_load(&writer->failed);
    stats->waiting = atomic_load(&writer->waiting);
    stats->waiting_bytes = atomic_load(&writer->waiting_bytes);
}
