/*
 * The inside of the posture engine, shared by its files; private to the room.
 *
 * posture.c  opening and closing, the rule set in force      table.c   resources and scopes in memory, claims, the gate
 * apply.c    one resource in, changed or out                  commit.c  the queue, group commit, score changes
 * reload.c   another rule set                                 stored.c  reading a resource with its assessments
 * query.c    answers of now        history.c  answers of then whatif.c  answers of what could be
 *
 * How a change travels: its caller claims the resource (one caller at a time a resource), reads what is stored, assesses and
 * prepares outside the lock, and queues the prepared work. One caller leads: it takes what is queued, works out the scores on
 * copies of the counts, commits all as one batch outside the lock, and only then, under the lock, makes memory follow. A
 * batch that fails is dropped with its copies, so memory never knew of it.
 */
#ifndef MLN_POSTURE_ENGINE_H
#define MLN_POSTURE_ENGINE_H

#include "base/map.h"
#include "base/vec.h"
#include "inventory/inventory.h"
#include "posture/counts.h"
#include "posture/posture.h"
#include "posture/row.h"
#include "json/writer.h"

#include <pthread.h>

/* A rule set with its catalog. rules is NULL for the catalog of content that is no longer there, known from the store. */
struct mln_content {
    struct mln_ruleset *rules;
    struct mln_catalog *catalog;
};
void mln_content_free(void *content);
MLN_DEFINE_CLEANUP(struct mln_content, mln_content_free)
/* Owns rules from here on, also on failure. */
MLN_RESULT mln_content_new(struct mln_ruleset *rules, struct mln_content **out);

/* The content in force, held until unpin, with since when it is and whether rows of earlier content may be in the store. Begin
   reading from the store before: rows may be behind this content then, never ahead of it. */
struct mln_pinned {
    const struct mln_content *content;
    struct mln_snapshot_pin *pin;
    int64_t since_ms;
    bool behind;
};
void mln_content_pin(struct mln_posture *p, struct mln_pinned *out);
void mln_content_unpin(struct mln_posture *p, struct mln_pinned *pinned);

/* ---- table.c: what is in memory ---- */

/* A resource. The words of statuses and next are heap memory of their own, NULL when its type has no rules. */
struct mln_entry {
    uint64_t *statuses;   /* by the content in force */
    uint64_t *next;       /* by the content that is being prepared */
    int64_t evaluated_ms; /* may be later than the stored time */
    uint32_t scope, type, next_type;
    uint16_t n_id;
    bool present;    /* false: only claimed, to be created */
    bool claimed;    /* a caller is at work on it */
    bool next_known; /* next is up to date */
    char id[];       /* the key, n_id bytes */
};
static inline struct mln_str mln_entry_key(const struct mln_entry *entry)
{
    return (struct mln_str){entry->id, entry->n_id};
}
static inline struct mln_view mln_entry_view(const struct mln_entry *entry)
{
    return (struct mln_view){entry->type, entry->statuses};
}
static inline struct mln_view mln_entry_next(const struct mln_entry *entry)
{
    return (struct mln_view){entry->next_type, entry->next};
}

/* A subscription. */
struct mln_scope {
    struct mln_counts *now;
    struct mln_counts *next;          /* while content is being prepared */
    struct mln_control_counts *moved; /* then: what each pair of rule and control will move, by the shift's pairs */
    char id[64];                      /* lower case */
};

struct mln_posture {
    struct mln_store *store;
    struct mln_clock clock;
    pthread_mutex_t reloading; /* one reload at a time; taken before lock */

    pthread_mutex_t lock; /* guards all below */
    pthread_cond_t changed;
    struct mln_snapshot *contents; /* the content in force, for readers; it owns now, where now has rules */
    struct mln_content *now, *next;
    struct mln_shift *same, *shift; /* from now to now; from now to next */

    struct mln_map *entries;  /* key -> struct mln_entry * */
    struct mln_map *scope_of; /* subscription id -> number in scopes */
    MLN_VEC(struct mln_scope *) scopes;
    struct mln_tally *tallies; /* scratch for counting: enough for now, next and shift */

    size_t claims;       /* entries that are claimed */
    size_t gate_waiters; /* claims that wait for the gate */
    bool gate_closed;    /* nobody may claim */

    struct mln_work *first, *last; /* the queue */
    bool leading;                  /* somebody commits */
    struct mln_moment moment;      /* of the last commit */
    struct mln_moment since;       /* when the content in force came into force */
    bool behind;                   /* rows of earlier content may be in the store */
};

/* The entry of a key, made where there is none, claimed for the caller; waits for its turn. The subscription's scope exists
   afterwards. */
MLN_RESULT mln_entry_claim(struct mln_posture *p, struct mln_str key, struct mln_str subscription,
                           struct mln_entry **out);
/* Gives the claim back; an entry that is not present is gone then. */
void mln_entry_release(struct mln_posture *p, struct mln_entry *entry);
/* As claim, under the lock, for the start when nobody else is there: an entry that is present, not claimed. */
MLN_RESULT mln_entry_add(struct mln_posture *p, struct mln_str key, struct mln_str subscription,
                         struct mln_entry **out);
/* Stops new claims and waits until all are given back; opens again. Lock not held. */
void mln_gate_close(struct mln_posture *p);
void mln_gate_open(struct mln_posture *p);

/* Replaces the entry's statuses by the content in force or in preparation, and corrects the counts. Takes the words. Lock
   held; cannot fail. */
void mln_entry_set(struct mln_posture *p, struct mln_entry *entry, uint32_t type, uint64_t *statuses);
void mln_entry_set_next(struct mln_posture *p, struct mln_entry *entry, uint32_t type, uint64_t *statuses);
/* Takes the entry's contribution out of all counts: the resource is gone. */
void mln_entry_clear(struct mln_posture *p, struct mln_entry *entry);

/* Prepares the scopes for next (p->next and p->shift are set), or drops what was prepared and the entries' next. */
MLN_RESULT mln_table_prepare_next(struct mln_posture *p);
void mln_table_drop_next(struct mln_posture *p);
/* Makes next what is in force, in all scopes and entries. */
void mln_table_switch(struct mln_posture *p);

/* Number of a subscription's scope, by lower-case id; SIZE_MAX: nothing was ever in it. Lock held. */
size_t mln_scope_find(const struct mln_posture *p, struct mln_str subscription);
MLN_RESULT mln_table_open(struct mln_posture *p);
void mln_table_close(struct mln_posture *p);

/* ---- stored.c: a resource as it is in the store ---- */

struct mln_stored {
    struct mln_resource resource;
    struct mln_row row;           /* by the content asked for, brought up to date where the store is behind */
    bool behind;                  /* it was: record has to be stored at p->since before anything else */
    struct mln_row_record record; /* what the content in force changed */
};
/* Resource and row by key, as of read. content: in force at or after read began. since_ms: since when. NOT_FOUND. */
MLN_RESULT mln_stored_read(struct mln_store_read *read, const struct mln_content *content,
                           const struct mln_clock *clock, int64_t since_ms, struct mln_str key, struct mln_arena *arena,
                           struct mln_stored *out);
/* The row alone, from its stored text; reads and assesses the resource where the row is behind. */
MLN_RESULT mln_stored_row(struct mln_store_read *read, const struct mln_content *content, const struct mln_clock *clock,
                          int64_t since_ms, struct mln_str key, struct mln_str text, struct mln_arena *arena,
                          struct mln_stored *out);
/* The words of a type's statuses from findings or from a row, heap memory (*out NULL when the type has no rules). */
MLN_RESULT mln_statuses_of_findings(const struct mln_catalog *catalog, uint32_t type,
                                    const struct mln_finding *findings, size_t n, uint64_t **out);
MLN_RESULT mln_statuses_of_row(const struct mln_catalog *catalog, uint32_t type, const struct mln_row *row,
                               uint64_t **out);
/* Key of a history entry: a resource's key or a subscription, what separates, a moment. */
MLN_RESULT mln_history_key(struct mln_arena *arena, struct mln_str of, char separator, struct mln_moment moment,
                           struct mln_str *key);

/* ---- commit.c ---- */

/* One resource's prepared change, waiting for its commit. The caller owns it and what it points at. */
struct mln_work {
    struct mln_entry *entry; /* claimed */
    struct mln_resource_change resource;
    struct mln_str row;            /* new ASSESSMENTS value; p NULL: none */
    struct mln_str record;         /* new ASSESSMENT_CHANGES value; p NULL: none */
    struct mln_str earlier_record; /* one for p->since, because the store was behind */
    bool moves;                    /* the statuses below are to be taken over */
    bool removes;                  /* the resource goes */
    uint32_t type, next_type;
    uint64_t *statuses, *next; /* heap; taken over on success */
    bool has_next;
    int64_t evaluated_ms;
    struct mln_store_batch *with; /* the caller's own changes; taken over by the commit, which is then its own */
    /* the outcome */
    bool done;
    struct mln_result result;
    char text[512];
    int64_t revision;
    struct mln_work *later; /* in the queue */
};
/* Commits the work, alone or with others, and makes memory follow. */
MLN_RESULT mln_work_commit(struct mln_posture *p, struct mln_work *work);
void mln_work_free(struct mln_work *work); /* what it owns, not itself: for the cleanup attribute */

/* Writes the parts of a score change that are common to changed resources and changed content. */
struct mln_score_change {
    const char *kind;
    struct mln_str resource_id;
    struct mln_str rule_key, rule_id; /* p NULL: no rule */
    struct mln_str control;
    struct mln_str from, to;
    mln_nanopoints points, max;
};
void mln_score_put_cause(struct mln_json_writer *w, const struct mln_score_change *cause);
/* "before" or "after": {"current","max","percentage","weight"}. */
void mln_score_put_sums(struct mln_json_writer *w, const char *name, const struct mln_scope_score *score);
/* "controls": [[id, max, healthy, unhealthy, notApplicable], ...], those that have any resource. */
void mln_score_put_controls(struct mln_json_writer *w, const struct mln_catalog *catalog,
                            const struct mln_control_counts *controls);

/* ---- query.c, history.c, whatif.c ---- */

/* Fills out for all controls of rules, from counts by catalog. */
MLN_RESULT mln_score_answer(const struct mln_ruleset *rules, const struct mln_catalog *catalog,
                            const struct mln_control_counts *controls, int64_t weight, struct mln_arena *arena,
                            struct mln_posture_score *out);
/* The lower-case id of an existing subscription. NOT_FOUND. */
MLN_RESULT mln_posture_subscription(struct mln_posture *p, struct mln_str subscription, struct mln_arena *arena,
                                    struct mln_str *id);
MLN_RESULT mln_posture_score_then(struct mln_posture *p, const struct mln_ruleset *rules, struct mln_str id,
                                  int64_t at_ms, struct mln_arena *arena, struct mln_posture_score *out);
MLN_RESULT mln_posture_assessments_then(struct mln_posture *p, const struct mln_ruleset *rules,
                                        const struct mln_posture_query *query, mln_assessment_visit visit,
                                        void *context);
/* Visits a row's findings, those whose rule the set has. */
MLN_RESULT mln_row_visit(const struct mln_row *row, const struct mln_ruleset *rules, int64_t evaluated_ms,
                         mln_assessment_visit visit, void *context, bool *stop);

/* ---- reload.c ---- */

/* Judges all resources by content (owned from here on, also on failure) and puts it in force, then catches up. A failure
   before that leaves everything as it was. */
MLN_RESULT mln_posture_switch(struct mln_posture *p, struct mln_content *content);
/* Rewrites the rows of earlier content, a few at a time. */
MLN_RESULT mln_posture_catch_up(struct mln_posture *p);
/* Keys in the collection META. */
#define MLN_META_CATALOG MLN_S("posture/catalog")
#define MLN_META_SINCE MLN_S("posture/since")

#endif
