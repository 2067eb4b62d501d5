/*
 * The posture engine: the one way by which a resource enters, changes or leaves the estate.
 *
 * It owns the current statuses and the counts behind the scores, in memory, and their stored form: resource, assessments,
 * changes and score changes of one call go to the store as one batch. A changed resource is assessed alone; the scores
 * follow by difference. It must not know HTTP, connectors or the wire form of an agent.
 *
 * Thread-safe. A call returns when its batch is durable; a batch that fails (disk full) leaves store and memory as before.
 */
#ifndef MLN_POSTURE_POSTURE_H
#define MLN_POSTURE_POSTURE_H

#include "base/snapshot.h"
#include "posture/assess.h"
#include "score/score.h"
#include "store/store.h"

struct mln_posture;

/* Opens the engine on a store and a rule set (owned from here on), rebuilding its counts from the store, and assessing
   anew what was assessed with other content. */
MLN_RESULT mln_posture_open(struct mln_store *store, const struct mln_clock *clock, struct mln_ruleset *rules,
                            struct mln_posture **out);
void mln_posture_close(struct mln_posture *posture);
MLN_DEFINE_CLEANUP(struct mln_posture, mln_posture_close)

/* The current rule set, pinned. Give it back with unpin. */
struct mln_snapshot_pin *mln_posture_rules(struct mln_posture *posture, const struct mln_ruleset **rules);
void mln_posture_unpin(struct mln_posture *posture, struct mln_snapshot_pin *pin);
/* Replaces the rule set (owned from here on) and assesses every resource anew; score changes get the cause "content". */
MLN_RESULT mln_posture_reload(struct mln_posture *posture, struct mln_ruleset *rules);

/* ---- change in ---- */

enum { MLN_POSTURE_NEW = 0, MLN_POSTURE_ANY = -1 };

/* Creates or replaces a resource. document has id and type; the id decides the place. expect: the revision that must be
   current (MLN_POSTURE_ANY: whatever it is; MLN_POSTURE_NEW: must not exist), else PRECONDITION. NOT_FOUND when its
   subscription or resource group does not exist. *created and *revision may be NULL. actor: who, for the record. */
MLN_RESULT mln_posture_put(struct mln_posture *posture, const struct mln_json *document, int64_t expect,
                           struct mln_str actor, bool *created, int64_t *revision);
/* As put, and commits the changes and expectations of `with` (owned from here on, also on failure) in the same batch: both
   happen or neither does. PRECONDITION also when an expectation of `with` is not met. */
MLN_RESULT mln_posture_put_with(struct mln_posture *posture, const struct mln_json *document, int64_t expect,
                                struct mln_str actor, struct mln_store_batch *with, bool *created, int64_t *revision);
/* NOT_FOUND when it is not there. */
MLN_RESULT mln_posture_delete(struct mln_posture *posture, struct mln_str id, struct mln_str actor);
/* Delete an empty container (inventory/containers.h); here, because no resource may enter it meanwhile. NOT_FOUND; CONFLICT
   while something is in it. */
MLN_RESULT mln_posture_delete_group(struct mln_posture *posture, struct mln_str subscription, struct mln_str name);
MLN_RESULT mln_posture_delete_subscription(struct mln_posture *posture, struct mln_str subscription);

/* ---- answers ---- */

struct mln_assessment {                                       /* a finding as stored */
    struct mln_str resource_id, resource_type, resource_name; /* the id as written by its owner */
    const struct mln_rule *rule;                              /* of the pinned rule set */
    enum mln_status status;
    enum mln_cause cause;
    struct mln_str text;
    int64_t first_evaluated_ms, changed_ms, evaluated_ms;
    struct mln_str content_version;
};
typedef struct mln_result (*mln_assessment_visit)(void *context, const struct mln_assessment *assessment, bool *stop);
struct mln_posture_query {
    struct mln_str scope; /* a subscription, group or resource id: what is at or below it */
    struct mln_str after; /* id of the last resource of the page before; p NULL: from the start */
    int64_t at_ms;        /* as of that moment; 0: now */
};
/* Visits the assessments of the resources that the query names, by resource id, then rule id. rules: a pinned set that
   outlives the call. */
MLN_RESULT mln_posture_assessments(struct mln_posture *posture, const struct mln_ruleset *rules,
                                   const struct mln_posture_query *query, mln_assessment_visit visit, void *context);

struct mln_posture_control {
    const struct mln_control *control; /* of the pinned rule set */
    struct mln_control_counts counts;
    struct mln_control_score score;
};
struct mln_posture_score {
    struct mln_scope_score scope;
    struct mln_posture_control *controls; /* in the arena, all controls of the rule set */
    size_t n_controls;
};
/* The score of a subscription now, or as of at_ms (0: now). NOT_FOUND for an unknown subscription. */
MLN_RESULT mln_posture_score(struct mln_posture *posture, const struct mln_ruleset *rules, struct mln_str subscription,
                             int64_t at_ms, struct mln_arena *arena, struct mln_posture_score *out);

/* One fix for a what-if: the rule becomes Healthy on the resources at or below resource ("" : everywhere in the
   subscription) where it is Unhealthy. */
struct mln_fix {
    struct mln_str rule_key, resource;
};
MLN_RESULT mln_posture_what_if(struct mln_posture *posture, const struct mln_ruleset *rules,
                               struct mln_str subscription, const struct mln_fix *fixes, size_t n_fixes,
                               struct mln_arena *arena, struct mln_posture_score *out);
/* The shortest list of fixes (each: one rule everywhere) found greedily that reaches percentage (0..1), best first. */
MLN_RESULT mln_posture_plan(struct mln_posture *posture, const struct mln_ruleset *rules, struct mln_str subscription,
                            double percentage, struct mln_arena *arena, struct mln_fix **fixes, size_t *n,
                            struct mln_posture_score *reached);

/* One recommendation: a rule with its resources, and what fixing it would add. */
struct mln_recommendation {
    const struct mln_rule *rule;
    int64_t healthy, unhealthy, not_applicable; /* resources */
    mln_nanopoints potential_increase; /* gained when all its unhealthy resources pass it and nothing else changes */
    mln_nanopoints potential_share; /* max / (healthy + unhealthy) x its unhealthy resources, over its controls: above 0
                                          also where other recommendations fail on the same resources */
};
/* Of a subscription, by potential increase, potential share, severity, then unhealthy count. Rules without resources are
   left out. */
MLN_RESULT mln_posture_recommendations(struct mln_posture *posture, const struct mln_ruleset *rules,
                                       struct mln_str subscription, struct mln_arena *arena,
                                       struct mln_recommendation **out, size_t *n);

/* Score changes of a subscription with from_ms <= time < to_ms, newest first, as stored JSON:
   {"time","before":{"current","max","percentage"},"after":{...},"causes":[{"kind":"resourceChanged|resourceAdded|
   resourceRemoved|content","resourceId","ruleKey","ruleId","control","from","to","points"}]}; the points of the causes
   add up to after.current - before.current exactly. */
MLN_RESULT mln_posture_score_changes(struct mln_posture *posture, struct mln_str subscription, int64_t from_ms,
                                     int64_t to_ms, size_t limit, mln_store_visit visit, void *context);

#endif
