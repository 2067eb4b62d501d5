#include "access/limiter.h"

#include <pthread.h>

enum { SLOTS = 4096, WAYS = 8 };

struct slot {
    uint64_t
        hash; /* of the name; 0: free. Two names with one hash share their failures: rare, and only ever stricter */
    int64_t first_ms, last_ms;
    uint32_t failures;
};

struct mln_limiter {
    const struct mln_clock *clock;
    uint32_t most;
    int64_t window_ms;
    pthread_mutex_t lock;
    struct slot slots[SLOTS];
};

struct mln_result mln_limiter_new(const struct mln_clock *clock, uint32_t failures, int64_t window_ms,
                                  struct mln_limiter **out)
{
    struct mln_limiter *limiter = calloc(1, sizeof *limiter);
    if (!limiter)
        return mln_fail(MLN_E_MEMORY, "no memory for a limiter");
    limiter->clock = clock;
    limiter->most = failures;
    limiter->window_ms = window_ms;
    pthread_mutex_init(&limiter->lock, NULL);
    *out = limiter;
    return MLN_OK;
}

void mln_limiter_free(struct mln_limiter *limiter)
{
    if (!limiter)
        return;
    pthread_mutex_destroy(&limiter->lock);
    free(limiter);
}

/* The name's slot, or the one of its ways to give up for it (free, or resting longest). */
static struct slot *find(struct mln_limiter *limiter, struct mln_str name, uint64_t *hash)
{
    *hash = mln_str_hash_nocase(name) | 1;
    struct slot *ways = &limiter->slots[(*hash >> 1) % (SLOTS / WAYS) * WAYS], *oldest = ways;
    for (size_t i = 0; i < WAYS; i++) {
        if (ways[i].hash == *hash)
            return &ways[i];
        if (ways[i].last_ms < oldest->last_ms)
            oldest = &ways[i];
    }
    return oldest;
}

struct mln_result mln_limiter_check(struct mln_limiter *limiter, struct mln_str name, int64_t *retry_ms)
{
    uint64_t hash;
    pthread_mutex_lock(&limiter->lock);
    const struct slot *slot = find(limiter, name, &hash);
    int64_t left = slot->last_ms + limiter->window_ms - mln_now_ms(limiter->clock);
    bool refused = slot->hash == hash && slot->failures >= limiter->most && left > 0;
    pthread_mutex_unlock(&limiter->lock);
    if (retry_ms)
        *retry_ms = refused ? left : 0;
    if (!refused)
        return MLN_OK;
    return mln_fail(MLN_E_TOO_MANY, "Too many attempts; try again in %lld seconds.", (long long)((left + 999) / 1000));
}

void mln_limiter_failed(struct mln_limiter *limiter, struct mln_str name)
{
    uint64_t hash;
    pthread_mutex_lock(&limiter->lock);
    int64_t now = mln_now_ms(limiter->clock);
    struct slot *slot = find(limiter, name, &hash);
    if (slot->hash != hash || now - slot->first_ms > limiter->window_ms)
        *slot = (struct slot){.hash = hash, .first_ms = now};
    slot->last_ms = now;
    slot->failures++;
    pthread_mutex_unlock(&limiter->lock);
}

void mln_limiter_succeeded(struct mln_limiter *limiter, struct mln_str name)
{
    uint64_t hash;
    pthread_mutex_lock(&limiter->lock);
    struct slot *slot = find(limiter, name, &hash);
    if (slot->hash == hash)
        *slot = (struct slot){0};
    pthread_mutex_unlock(&limiter->lock);
}
