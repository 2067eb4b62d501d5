#include "base/queue.h"

#include "base/time.h"

#include <pthread.h>

struct mln_queue {
    pthread_mutex_t lock;
    pthread_cond_t has_item, has_room;
    void **items;
    size_t capacity, first, count;
    uint64_t refused;
    bool closed;
};

struct mln_queue *mln_queue_new(size_t capacity)
{
    struct mln_queue *queue = calloc(1, sizeof *queue);
    void **items = calloc(capacity ? capacity : 1, sizeof *items);
    if (!queue || !items) {
        free(queue);
        free(items);
        return NULL;
    }
    queue->items = items;
    queue->capacity = capacity ? capacity : 1;
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&queue->lock, NULL);
    pthread_cond_init(&queue->has_item, &monotonic);
    pthread_cond_init(&queue->has_room, &monotonic);
    pthread_condattr_destroy(&monotonic);
    return queue;
}

void mln_queue_free(struct mln_queue *queue)
{
    if (!queue)
        return;
    pthread_cond_destroy(&queue->has_item);
    pthread_cond_destroy(&queue->has_room);
    pthread_mutex_destroy(&queue->lock);
    free(queue->items);
    free(queue);
}

/* Waits on the condition; false when the deadline has passed. */
static bool wait_until(struct mln_queue *queue, pthread_cond_t *condition, int64_t deadline_ms)
{
    if (deadline_ms < 0) {
        pthread_cond_wait(condition, &queue->lock);
        return true;
    }
    struct timespec at = {.tv_sec = deadline_ms / 1000, .tv_nsec = deadline_ms % 1000 * 1000000};
    return pthread_cond_timedwait(condition, &queue->lock, &at) == 0 || mln_monotonic_ms() < deadline_ms;
}

struct mln_result mln_queue_push_wait(struct mln_queue *queue, void *item, int64_t deadline_ms)
{
    struct mln_result r = MLN_OK;
    pthread_mutex_lock(&queue->lock);
    while (!queue->closed && queue->count == queue->capacity && deadline_ms != 0)
        if (!wait_until(queue, &queue->has_room, deadline_ms))
            break;
    if (queue->closed) {
        r = mln_fail(MLN_E_CLOSED, "the queue is closed");
    } else if (queue->count == queue->capacity) {
        queue->refused++;
        r = mln_fail(MLN_E_BUSY, "the queue is full (%zu entries)", queue->capacity);
    } else {
        queue->items[(queue->first + queue->count++) % queue->capacity] = item;
        pthread_cond_signal(&queue->has_item);
    }
    pthread_mutex_unlock(&queue->lock);
    return r;
}

struct mln_result mln_queue_push(struct mln_queue *queue, void *item)
{
    return mln_queue_push_wait(queue, item, 0);
}

void *mln_queue_pop(struct mln_queue *queue, int64_t deadline_ms)
{
    void *item = NULL;
    pthread_mutex_lock(&queue->lock);
    while (queue->count == 0 && !queue->closed && deadline_ms != 0)
        if (!wait_until(queue, &queue->has_item, deadline_ms))
            break;
    if (queue->count) {
        item = queue->items[queue->first];
        queue->first = (queue->first + 1) % queue->capacity;
        queue->count--;
        pthread_cond_signal(&queue->has_room);
    }
    pthread_mutex_unlock(&queue->lock);
    return item;
}

void mln_queue_close(struct mln_queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    queue->closed = true;
    pthread_cond_broadcast(&queue->has_item);
    pthread_cond_broadcast(&queue->has_room);
    pthread_mutex_unlock(&queue->lock);
}

size_t mln_queue_length(struct mln_queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    size_t n = queue->count;
    pthread_mutex_unlock(&queue->lock);
    return n;
}

uint64_t mln_queue_refused(struct mln_queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    uint64_t n = queue->refused;
    pthread_mutex_unlock(&queue->lock);
    return n;
}
