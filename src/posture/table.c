/* What the engine has in memory: entries, scopes, and the counts that follow from the entries' statuses. */
#include "posture/engine.h"

struct mln_result mln_table_open(struct mln_posture *p)
{
    p->entries = mln_map_new(false);
    p->scope_of = mln_map_new(false);
    if (!p->entries || !p->scope_of)
        return mln_fail(MLN_E_MEMORY, "no memory for the table of resources");
    return MLN_OK;
}

static void entry_free(struct mln_entry *entry)
{
    free(entry->statuses);
    free(entry->next);
    free(entry);
}

static void scope_free(struct mln_scope *scope)
{
    mln_counts_free(scope->now);
    mln_counts_free(scope->next);
    free(scope->moved);
    free(scope);
}

void mln_table_close(struct mln_posture *p)
{
    size_t at = 0;
    struct mln_str key;
    union mln_map_value value;
    while (p->entries && mln_map_next(p->entries, &at, &key, &value))
        entry_free(value.p);
    for (size_t i = 0; i < p->scopes.n; i++)
        scope_free(p->scopes.at[i]);
    mln_vec_free(&p->scopes);
    mln_map_free(p->entries);
    mln_map_free(p->scope_of);
    free(p->tallies);
}

/* ---- scopes ---- */

size_t mln_scope_find(const struct mln_posture *p, struct mln_str subscription)
{
    const union mln_map_value *found = mln_map_get(p->scope_of, subscription);
    return found ? (size_t)found->u : SIZE_MAX;
}

static struct mln_result scope_prepare_next(const struct mln_posture *p, struct mln_scope *scope)
{
    scope->next = mln_counts_new(p->next->catalog);
    scope->moved = calloc((size_t)p->shift->n_pairs + 1, sizeof *scope->moved);
    return scope->next && scope->moved ? MLN_OK : mln_fail(MLN_E_MEMORY, "no memory for the counts of a subscription");
}

static struct mln_result scope_make(struct mln_posture *p, struct mln_str subscription, size_t *number)
{
    *number = mln_scope_find(p, subscription);
    if (*number != SIZE_MAX)
        return MLN_OK;
    struct mln_scope *scope = calloc(1, sizeof *scope);
    if (!scope || subscription.n >= sizeof scope->id) {
        free(scope);
        return mln_fail(MLN_E_MEMORY, "no memory for the subscription '%.*s'", MLN_FMT(subscription));
    }
    memcpy(scope->id, subscription.p, subscription.n);
    struct mln_result r = MLN_OK;
    scope->now = mln_counts_new(p->now->catalog);
    if (!scope->now)
        r = mln_fail(MLN_E_MEMORY, "no memory for the counts of a subscription");
    else if (p->next)
        r = scope_prepare_next(p, scope);
    if (mln_ok(r))
        r = mln_map_put(p->scope_of, mln_str_c(scope->id), (union mln_map_value){.u = p->scopes.n});
    if (mln_ok(r)) {
        *number = p->scopes.n;
        r = mln_vec_push(NULL, &p->scopes, scope);
        if (mln_ok(r))
            return r;
        mln_map_remove(p->scope_of, mln_str_c(scope->id));
    }
    scope_free(scope);
    return r;
}

/* ---- entries and claims ---- */

static struct mln_result entry_make(struct mln_posture *p, struct mln_str key, size_t scope, struct mln_entry **out)
{
    struct mln_entry *entry = calloc(1, sizeof *entry + key.n);
    if (!entry || key.n > UINT16_MAX) {
        free(entry);
        return mln_fail(MLN_E_MEMORY, "no memory for one more resource");
    }
    entry->scope = (uint32_t)scope;
    entry->type = entry->next_type = MLN_NO_TYPE;
    entry->n_id = (uint16_t)key.n;
    memcpy(entry->id, key.p, key.n);
    struct mln_result r = mln_map_put(p->entries, mln_entry_key(entry), (union mln_map_value){.p = entry});
    if (!mln_ok(r)) {
        free(entry);
        return r;
    }
    *out = entry;
    return MLN_OK;
}

struct mln_result mln_entry_add(struct mln_posture *p, struct mln_str key, struct mln_str subscription,
                                struct mln_entry **out)
{
    size_t scope;
    MLN_TRY(scope_make(p, subscription, &scope));
    return entry_make(p, key, scope, out);
}

/* The entry once it is nobody's and the gate is open; NULL: there is none. */
static struct mln_entry *wait_for_turn(struct mln_posture *p, struct mln_str key)
{
    for (;;) {
        while (p->gate_closed) {
            p->gate_waiters++;
            pthread_cond_wait(&p->changed, &p->lock);
            p->gate_waiters--;
            if (!p->gate_waiters)
                pthread_cond_broadcast(&p->changed); /* somebody may want to close it again */
        }
        const union mln_map_value *found = mln_map_get(p->entries, key);
        struct mln_entry *entry = found ? found->p : NULL;
        if (!entry || !entry->claimed)
            return entry;
        pthread_cond_wait(&p->changed, &p->lock);
    }
}

struct mln_result mln_entry_claim(struct mln_posture *p, struct mln_str key, struct mln_str subscription,
                                  struct mln_entry **out)
{
    pthread_mutex_lock(&p->lock);
    struct mln_result r = MLN_OK;
    *out = wait_for_turn(p, key);
    if (!*out)
        r = mln_entry_add(p, key, subscription, out);
    if (mln_ok(r)) {
        (*out)->claimed = true;
        p->claims++;
    }
    pthread_mutex_unlock(&p->lock);
    return r;
}

void mln_entry_release(struct mln_posture *p, struct mln_entry *entry)
{
    pthread_mutex_lock(&p->lock);
    entry->claimed = false;
    p->claims--;
    if (!entry->present) {
        mln_map_remove(p->entries, mln_entry_key(entry));
        entry_free(entry);
    }
    pthread_cond_broadcast(&p->changed);
    pthread_mutex_unlock(&p->lock);
}

void mln_gate_close(struct mln_posture *p)
{
    pthread_mutex_lock(&p->lock);
    /* Those whom the gate held up before go first, so that closing it again and again starves nobody. */
    while (p->gate_closed || p->gate_waiters)
        pthread_cond_wait(&p->changed, &p->lock);
    p->gate_closed = true;
    while (p->claims)
        pthread_cond_wait(&p->changed, &p->lock);
    pthread_mutex_unlock(&p->lock);
}

void mln_gate_open(struct mln_posture *p)
{
    pthread_mutex_lock(&p->lock);
    p->gate_closed = false;
    pthread_cond_broadcast(&p->changed);
    pthread_mutex_unlock(&p->lock);
}

/* ---- statuses and counts ---- */

struct moving {
    struct mln_control_counts *moved;
    int64_t sign;
};

static void add_moved(void *context, const struct mln_step *step)
{
    const struct moving *m = context;
    mln_counts_move(&m->moved[step->pair], step->before, step->after, m->sign);
}

/* Adds the entry to all counts that it has a part in, or takes it out. */
static void contribute(struct mln_posture *p, const struct mln_entry *entry, int64_t sign)
{
    struct mln_scope *scope = p->scopes.at[entry->scope];
    struct mln_view now = mln_entry_view(entry), next = mln_entry_next(entry);
    if (!entry->present)
        return;
    mln_counts_add(scope->now, p->now->catalog, &now, p->tallies, sign);
    if (!p->next || !entry->next_known)
        return;
    struct moving moving = {scope->moved, sign};
    mln_counts_add(scope->next, p->next->catalog, &next, p->tallies, sign);
    mln_shift_walk(p->shift, &now, &next, p->tallies, add_moved, &moving);
}

void mln_entry_set(struct mln_posture *p, struct mln_entry *entry, uint32_t type, uint64_t *statuses)
{
    contribute(p, entry, -1);
    free(entry->statuses);
    entry->statuses = statuses;
    entry->type = type;
    entry->present = true;
    contribute(p, entry, 1);
}

void mln_entry_set_next(struct mln_posture *p, struct mln_entry *entry, uint32_t type, uint64_t *statuses)
{
    contribute(p, entry, -1);
    free(entry->next);
    entry->next = statuses;
    entry->next_type = type;
    entry->next_known = true;
    contribute(p, entry, 1);
}

void mln_entry_clear(struct mln_posture *p, struct mln_entry *entry)
{
    contribute(p, entry, -1);
    entry->present = false;
}

/* ---- another content ---- */

static uint32_t most(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

struct mln_result mln_table_prepare_next(struct mln_posture *p)
{
    uint32_t n = most(p->now->catalog->n_controls, 1);
    if (p->next)
        n = most(n, most(p->next->catalog->n_controls, p->shift->n_controls));
    struct mln_tally *tallies = calloc(n, sizeof *tallies);
    if (!tallies)
        return mln_fail(MLN_E_MEMORY, "no memory to count with");
    free(p->tallies);
    p->tallies = tallies;
    for (size_t i = 0; p->next && i < p->scopes.n; i++)
        MLN_TRY(scope_prepare_next(p, p->scopes.at[i]));
    return MLN_OK;
}

void mln_table_drop_next(struct mln_posture *p)
{
    size_t at = 0;
    struct mln_str key;
    union mln_map_value value;
    for (size_t i = 0; i < p->scopes.n; i++) {
        struct mln_scope *scope = p->scopes.at[i];
        mln_counts_free(MLN_TAKE(scope->next));
        free(MLN_TAKE(scope->moved));
    }
    while (mln_map_next(p->entries, &at, &key, &value)) {
        struct mln_entry *entry = value.p;
        free(MLN_TAKE(entry->next));
        entry->next_known = false;
        entry->next_type = MLN_NO_TYPE;
    }
}

void mln_table_switch(struct mln_posture *p)
{
    size_t at = 0;
    struct mln_str key;
    union mln_map_value value;
    for (size_t i = 0; i < p->scopes.n; i++) {
        struct mln_scope *scope = p->scopes.at[i];
        mln_counts_free(scope->now);
        scope->now = MLN_TAKE(scope->next);
    }
    while (mln_map_next(p->entries, &at, &key, &value)) {
        struct mln_entry *entry = value.p;
        free(entry->statuses);
        entry->statuses = MLN_TAKE(entry->next);
        entry->type = entry->next_type;
    }
    mln_table_drop_next(p);
}
