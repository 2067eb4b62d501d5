/*
 * What a collector says, as frames of bytes: from the collector's pipe through the keeper's socket to the link. Both ends
 * are the same program on the same machine; the reader still trusts no length.
 */
#ifndef MLN_AGENT_FRAMES_H
#define MLN_AGENT_FRAMES_H

#include "base/buf.h"

/* kind, what the body is */
#define MLN_FRAMES(F)                                                                                                  \
    F(VALUE, "the section's JSON value")                                                                               \
    F(REASON, "why the section could not be collected")                                                                \
    F(LEFT_OUT, "how many list entries found no room, in decimal")                                                     \
    F(NOTE, "a member that is missing, a NUL, and why")                                                                \
    F(WATCH_READ, "a path whose content was read")                                                                     \
    F(WATCH_LISTED, "a path whose names were listed")                                                                  \
    F(WATCH_LOOKED, "a path that stat was asked about")                                                                \
    F(END, "nothing: the section is complete")                                                                         \
    F(ABOUT, "not of a section: the member agent of the facts, JSON")

enum mln_frame_kind {
#define F(name, doc) MLN_FRAME_##name,
    MLN_FRAMES(F)
#undef F
        MLN_FRAME_KINDS
};

enum { MLN_FRAME_HEAD_BYTES = 8, MLN_FRAME_MAX_BYTES = 8 << 20 };

struct mln_frame {
    enum mln_frame_kind kind;
    unsigned section; /* enum mln_section */
    struct mln_str body;
};

MLN_RESULT mln_frame_put(struct mln_buf *out, enum mln_frame_kind kind, unsigned section, struct mln_str body);

/* Takes the first whole frame out of *rest; *whole is false when it is not there yet. CORRUPT for a frame that cannot
   be. */
MLN_RESULT mln_frame_take(struct mln_str *rest, struct mln_frame *out, bool *whole);

#endif
