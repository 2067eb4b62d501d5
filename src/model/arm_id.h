/* ARM resource ids, taken apart. Slices point into the text that was parsed. */
#ifndef MLN_MODEL_ARM_ID_H
#define MLN_MODEL_ARM_ID_H

#include "base/str.h"

struct mln_arm_id {
    struct mln_str whole;        /* with one leading slash, without a trailing one */
    struct mln_str subscription; /* p NULL at tenant level */
    struct mln_str group;        /* p NULL at subscription level */
    struct mln_str provider;     /* "Microsoft.HybridCompute"; p NULL for a subscription or group itself */
    struct mln_str type_path;    /* "machines/contoso-vm/extensions/x": type and name segments after the provider */
    struct mln_str name;         /* the last segment */
    struct mln_str parent;       /* the id without its last type and name */
};

enum { MLN_ARM_ID_MAX_BYTES = 1600, MLN_ARM_ID_MAX_SEGMENTS = 40 };

/* Parses "[/subscriptions/{s}[/resourceGroups/{g}]][/providers/{ns}/{type}/{name}[/...]]" (fixed words without case; of
   several providers the last one counts, what is before it is the parent). One final slash is taken off. INVALID for
   anything else: an empty segment, ".", "..", a control byte, '%' or '\\', '?', '#', not UTF-8, too long, an odd tail. */
MLN_RESULT mln_arm_id_parse(struct mln_str text, struct mln_arm_id *out);

/* "Microsoft.HybridCompute/machines/extensions": provider and the type segments, as written. INVALID for a subscription
   or group, which has no provider. */
MLN_RESULT mln_arm_id_type(const struct mln_arm_id *id, struct mln_arena *arena, struct mln_str *type);

/* True when id is scope itself or lies below it; without case. A final slash of either does not matter; everything lies
   below "" and "/". */
bool mln_arm_id_below(struct mln_str id, struct mln_str scope);

#endif
