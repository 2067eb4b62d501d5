/*
 * Resources now, and what happened to them. Owns the stored form of a resource and of its changes; containers.h has what
 * they lie in. Keys are the ids in lower case, a resource's JSON keeps its owner's spelling.
 *
 * A resource enters, changes and leaves through posture/ alone: what is here for that prepares a change and adds it to the
 * engine's batch, so that resource, assessments and scores are committed together. Must not know rules or scores.
 */
#ifndef MLN_INVENTORY_INVENTORY_H
#define MLN_INVENTORY_INVENTORY_H

#include "inventory/moment.h"
#include "model/arm_id.h"
#include "store/store.h"
#include "json/json.h"

struct mln_resource {
    struct mln_str key;              /* the id in lower case */
    struct mln_str id, type, name;   /* as its owner wrote them */
    const struct mln_json *document; /* whole, with systemData {createdBy, createdAt, lastModifiedBy, lastModifiedAt} */
    int64_t revision;
};

enum {
    MLN_RESOURCE_MAX_BYTES = 8 << 20,        /* of a document as stored */
    MLN_RESOURCE_ARENA_BYTES = 256 << 20,    /* budget that is enough to read and to change the largest one */
    MLN_RESOURCE_MAX_PATCH_BYTES = 16 << 10, /* of a recorded change */
};

/* ---- answers ---- */

/* By id, without case. NOT_FOUND. */
MLN_RESULT mln_resource_get(struct mln_store_read *read, struct mln_str id, struct mln_arena *arena,
                            struct mln_resource *out);

struct mln_resource_query {
    struct mln_str
        scope; /* a subscription, group or resource id: what is at or below it; without case; "": everything */
    struct mln_str type;  /* only this type, without case; p NULL: every type */
    struct mln_str after; /* the key of the last resource of the page before; p NULL: from the start */
    size_t limit;         /* 0: all */
};
/* The resource is valid during the call only. A failure ends the walk and is returned; *stop = true ends it. */
typedef struct mln_result (*mln_resource_visit)(void *context, const struct mln_resource *resource, bool *stop);
/* Visits in the order of the keys. */
MLN_RESULT mln_resource_list(struct mln_store_read *read, const struct mln_resource_query *query,
                             mln_resource_visit visit, void *context);

enum mln_resource_change_kind {
    MLN_RESOURCE_UNCHANGED,
    MLN_RESOURCE_CREATED,
    MLN_RESOURCE_UPDATED,
    MLN_RESOURCE_DELETED
};
extern const char *const mln_resource_change_words[]; /* "unchanged", "created", "updated", "deleted", NULL */

struct mln_resource_event { /* one recorded change */
    struct mln_moment moment;
    struct mln_str key; /* of the resource */
    struct mln_str id, type, actor;
    enum mln_resource_change_kind kind;
    /* UPDATED: the merge patch (RFC 7396) from before to after, members that are null taken as absent; NULL when it was
       larger than MLN_RESOURCE_MAX_PATCH_BYTES, then changed has the dotted paths that differ, the first 64 of them. */
    const struct mln_json *patch;
    const struct mln_json *changed;
};
typedef struct mln_result (*mln_resource_event_visit)(void *context, const struct mln_resource_event *event,
                                                      bool *stop);
/* Visits the changes at or below scope with from_ms <= time < to_ms, newest first, at most limit (0: all). */
MLN_RESULT mln_resource_events(struct mln_store_read *read, struct mln_str scope, int64_t from_ms, int64_t to_ms,
                               size_t limit, mln_resource_event_visit visit, void *context);
/* The moment of the last recorded change; all zero when there is none. */
MLN_RESULT mln_resource_last_moment(struct mln_store_read *read, struct mln_moment *moment);

/* ---- change in, for the engine ---- */

struct mln_resource_change {
    enum mln_resource_change_kind kind;
    struct mln_str key, id, type, name;
    const struct mln_json *document; /* as it will be stored; NULL when deleted */
    int64_t before_revision;         /* 0: created */
    struct mln_str value;            /* the stored JSON; p NULL when deleted */
    struct mln_str event;            /* the stored record; p NULL when there is nothing to record */
};

/* Takes a document's id apart and checks that document can be a resource: an object with an id below a subscription that
   names a resource, and a type; a name, where it has one, is the id's last segment. INVALID. *key is in the arena. */
MLN_RESULT mln_resource_check(const struct mln_json *document, struct mln_arena *arena, struct mln_arm_id *id,
                              struct mln_str *key);
/* What storing document (checked) does to before (NULL: the resource is not there). systemData is the house's: the
   document's own is dropped. A document that differs from before in nothing gives UNCHANGED; one that differs in nothing
   but when it was looked at (properties.facts.collected) is UPDATED without a record. LIMIT: larger than
   MLN_RESOURCE_MAX_BYTES. */
MLN_RESULT mln_resource_prepare(struct mln_arena *arena, const struct mln_resource *before,
                                const struct mln_json *document, int64_t now_ms, struct mln_str actor,
                                struct mln_resource_change *out);
MLN_RESULT mln_resource_prepare_delete(struct mln_arena *arena, const struct mln_resource *before, struct mln_str actor,
                                       struct mln_resource_change *out);
/* Adds the change to the batch, recorded at moment; the batch then fails with PRECONDITION if the resource is no longer
   as it was when the change was prepared. */
MLN_RESULT mln_resource_add(struct mln_store_batch *batch, const struct mln_resource_change *change,
                            struct mln_moment moment);

/* ---- scopes and keys ---- */

/* The key of a scope as a caller gave it: the id in lower case, without a trailing slash; "" stays "". INVALID. */
MLN_RESULT mln_inventory_scope(struct mln_str scope, struct mln_arena *arena, struct mln_str *key);

enum { MLN_KEY_TAIL = '\t' }; /* between an id and what follows it in a key: below '/', and never in an id */

/* Walks, in key order, a collection whose keys are ids, or ids with MLN_KEY_TAIL and more: the entries of scope (a key from
   above) and of what is below it, not those of a neighbour whose name only begins alike. after, p NULL: from the start;
   else the entries whose key is greater. */
MLN_RESULT mln_inventory_scan(struct mln_store_read *read, enum mln_collection c, struct mln_str scope,
                              struct mln_str after, mln_store_visit visit, void *context);

#endif
