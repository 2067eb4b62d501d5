/*
 * What resources lie in: subscriptions and resource groups. Owns their rules (names, uniqueness, emptiness) and their stored
 * form. It does not see to it that no resource enters a container while that is being deleted: the engine through which
 * resources enter does (mln_posture_delete_group, mln_posture_delete_subscription).
 */
#ifndef MLN_INVENTORY_CONTAINERS_H
#define MLN_INVENTORY_CONTAINERS_H

#include "base/time.h"
#include "store/store.h"
#include "json/json.h"

struct mln_subscription {
    struct mln_str id;           /* GUID in lower case */
    struct mln_str display_name; /* 1 to 128 bytes */
    int64_t created_ms;
    int64_t revision;
};

/* Makes a subscription. INVALID: id is no GUID, or the name is empty, too long or not UTF-8. CONFLICT: it exists. */
MLN_RESULT mln_subscription_create(struct mln_store *store, const struct mln_clock *clock, struct mln_str id,
                                   struct mln_str display_name);
/* As create, but nothing happens when it exists: the default subscription at the first start. */
MLN_RESULT mln_subscription_ensure(struct mln_store *store, const struct mln_clock *clock, struct mln_str id,
                                   struct mln_str display_name);
/* By GUID, without case. NOT_FOUND. */
MLN_RESULT mln_subscription_get(struct mln_store_read *read, struct mln_str id, struct mln_arena *arena,
                                struct mln_subscription *out);
/* All, by id. */
MLN_RESULT mln_subscription_list(struct mln_store_read *read, struct mln_arena *arena, struct mln_subscription **out,
                                 size_t *n);
/* NOT_FOUND; CONFLICT while it has a resource group or a resource. See the head of this file. */
MLN_RESULT mln_subscription_delete(struct mln_store *store, struct mln_str id);

struct mln_group {
    struct mln_str id; /* "/subscriptions/{s}/resourceGroups/{g}", the name as its owner wrote it first */
    struct mln_str subscription, name, location;
    const struct mln_json *tags; /* object of strings, never NULL */
    int64_t created_ms, modified_ms;
    int64_t revision;
};

enum { MLN_GROUP_MAX_NAME_BYTES = 90, MLN_GROUP_MAX_TAGS = 50 };

/* Creates or updates. tags: an object of strings, NULL for none. NOT_FOUND: no such subscription. INVALID: a name (1 to 90
   of letters, digits, "_-.()", not ending in a dot; ASCII), location or tag that cannot be. CONFLICT: it exists in another
   location. *created may be NULL; *out (may be NULL) is in the arena. */
MLN_RESULT mln_group_put(struct mln_store *store, const struct mln_clock *clock, struct mln_str subscription,
                         struct mln_str name, struct mln_str location, const struct mln_json *tags,
                         struct mln_arena *arena, bool *created, struct mln_group *out);
/* By subscription and name, without case. NOT_FOUND. */
MLN_RESULT mln_group_get(struct mln_store_read *read, struct mln_str subscription, struct mln_str name,
                         struct mln_arena *arena, struct mln_group *out);
/* Of one subscription, by name in lower case, those after the name `after` (p NULL: from the start), at most limit (0:
   all). */
MLN_RESULT mln_group_list(struct mln_store_read *read, struct mln_str subscription, struct mln_str after, size_t limit,
                          struct mln_arena *arena, struct mln_group **out, size_t *n);
/* NOT_FOUND; CONFLICT while a resource is in it. See the head of this file. */
MLN_RESULT mln_group_delete(struct mln_store *store, struct mln_str subscription, struct mln_str name);

#endif
