/* A back end that is the embedded one, but fails commits when told to. Include after estate.h. */
#ifndef MLN_TESTS_POSTURE_FAULTY_H
#define MLN_TESTS_POSTURE_FAULTY_H

#include "stores/backends.h"

#include <stdatomic.h>

static atomic_int faulty_pass;  /* so many commits succeed yet; negative: all */
static atomic_int faulty_every; /* every so many-th commit fails; 0: none */
static atomic_int faulty_seen, faulty_failed;

static struct mln_result faulty_apply(void *database, struct mln_store_work *work, size_t count)
{
    int every = atomic_load(&faulty_every), seen = atomic_fetch_add(&faulty_seen, 1);
    int pass = atomic_load(&faulty_pass);
    if (pass > 0)
        atomic_fetch_sub(&faulty_pass, 1);
    if (pass == 0 || (every && seen % every == every - 1)) {
        atomic_fetch_add(&faulty_failed, 1);
        return mln_fail(MLN_E_FULL, "the disk is full, as the test wants it");
    }
    return mln_sqlite_ops.apply(database, work, count);
}

/* Reopens the estate's store and engine on the faulty back end, which does not fail yet. */
static inline void estate_make_faulty(struct estate *estate)
{
    static struct mln_store_ops ops;
    char path[128];
    ops = mln_sqlite_ops;
    ops.apply = faulty_apply;
    atomic_store(&faulty_pass, -1);
    atomic_store(&faulty_every, 0);
    atomic_store(&faulty_failed, 0);
    mln_posture_close(MLN_TAKE(estate->posture));
    mln_store_close(MLN_TAKE(estate->place.store));
    snprintf(path, sizeof path, "%s/store.db", estate->place.directory);
    assert_ok(mln_store_open(&ops, path, NULL, &estate->place.store));
    estate_open(estate);
}

#endif
