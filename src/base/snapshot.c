#include "base/snapshot.h"

#include <pthread.h>

struct mln_snapshot_pin {
    void *value;
    size_t holders; /* the place itself counts as one while the value is current */
};

struct mln_snapshot {
    pthread_mutex_t lock;
    struct mln_snapshot_pin *current;
    void (*destroy)(void *value);
};

struct mln_snapshot *mln_snapshot_new(void (*destroy)(void *value))
{
    struct mln_snapshot *snapshot = calloc(1, sizeof *snapshot);
    if (!snapshot)
        return NULL;
    snapshot->destroy = destroy;
    pthread_mutex_init(&snapshot->lock, NULL);
    return snapshot;
}

void mln_snapshot_free(struct mln_snapshot *snapshot)
{
    if (!snapshot)
        return;
    mln_snapshot_unpin(snapshot, snapshot->current);
    pthread_mutex_destroy(&snapshot->lock);
    free(snapshot);
}

struct mln_result mln_snapshot_prepare(struct mln_snapshot *snapshot, void *value, struct mln_snapshot_pin **pin)
{
    *pin = calloc(1, sizeof **pin);
    if (!*pin) {
        snapshot->destroy(value);
        return mln_fail(MLN_E_MEMORY, "no memory for a snapshot");
    }
    **pin = (struct mln_snapshot_pin){value, 1};
    return MLN_OK;
}

void mln_snapshot_place(struct mln_snapshot *snapshot, struct mln_snapshot_pin *pin)
{
    pthread_mutex_lock(&snapshot->lock);
    struct mln_snapshot_pin *old = snapshot->current;
    snapshot->current = pin;
    pthread_mutex_unlock(&snapshot->lock);
    mln_snapshot_unpin(snapshot, old);
}

struct mln_result mln_snapshot_publish(struct mln_snapshot *snapshot, void *value)
{
    struct mln_snapshot_pin *pin;
    MLN_TRY(mln_snapshot_prepare(snapshot, value, &pin));
    mln_snapshot_place(snapshot, pin);
    return MLN_OK;
}

struct mln_snapshot_pin *mln_snapshot_pin(struct mln_snapshot *snapshot, void **value)
{
    pthread_mutex_lock(&snapshot->lock);
    struct mln_snapshot_pin *pin = snapshot->current;
    if (pin)
        pin->holders++;
    pthread_mutex_unlock(&snapshot->lock);
    *value = pin ? pin->value : NULL;
    return pin;
}

void mln_snapshot_unpin(struct mln_snapshot *snapshot, struct mln_snapshot_pin *pin)
{
    if (!pin)
        return;
    pthread_mutex_lock(&snapshot->lock);
    size_t left = --pin->holders;
    pthread_mutex_unlock(&snapshot->lock);
    if (left)
        return;
    snapshot->destroy(pin->value);
    free(pin);
}
