/* The rule set that a request works with: pinned when the handler begins, given back when it leaves. */
#ifndef MLN_API_PINNED_H
#define MLN_API_PINNED_H

#include "api/route.h"

struct mln_pinned_rules {
    const struct mln_ruleset *set;
    struct mln_snapshot_pin *pin;
    struct mln_posture *posture;
};

static inline struct mln_pinned_rules mln_pin_rules(const struct mln_request *request)
{
    struct mln_pinned_rules pinned = {.posture = request->api->posture};
    pinned.pin = mln_posture_rules(pinned.posture, &pinned.set);
    return pinned;
}
static inline void mln_unpin_rules(struct mln_pinned_rules *pinned)
{
    mln_posture_unpin(pinned->posture, pinned->pin);
}
#define MLN_PINNED __attribute__((cleanup(mln_unpin_rules)))

/* The moment that ?$asOf= asks for; 0: now. INVALID for what is no time. */
MLN_RESULT mln_request_as_of(const struct mln_request *request, int64_t *at_ms);

#endif
