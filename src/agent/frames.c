#include "agent/frames.h"

#include "agent/linux/facts.h"

/* Head: kind, section, two bytes of 0, length (4 bytes, in the machine's order). */
struct mln_result mln_frame_put(struct mln_buf *out, enum mln_frame_kind kind, unsigned section, struct mln_str body)
{
    if (body.n > MLN_FRAME_MAX_BYTES)
        return mln_fail(MLN_E_LIMIT, "a frame of %zu bytes", body.n);
    MLN_TRY(mln_buf_reserve(out, MLN_FRAME_HEAD_BYTES + body.n));
    char head[MLN_FRAME_HEAD_BYTES] = {(char)kind, (char)section};
    uint32_t n = (uint32_t)body.n;
    memcpy(head + 4, &n, sizeof n);
    MLN_TRY(mln_buf_append(out, (struct mln_str){head, sizeof head}));
    return mln_buf_append(out, body);
}

struct mln_result mln_frame_take(struct mln_str *rest, struct mln_frame *out, bool *whole)
{
    *whole = false;
    if (rest->n < MLN_FRAME_HEAD_BYTES)
        return MLN_OK;
    uint32_t n;
    unsigned kind = (unsigned char)rest->p[0], section = (unsigned char)rest->p[1];
    memcpy(&n, rest->p + 4, sizeof n);
    if (kind >= MLN_FRAME_KINDS || section >= MLN_SECTION_COUNT || n > MLN_FRAME_MAX_BYTES)
        return mln_fail(MLN_E_CORRUPT, "a frame of kind %u for section %u with %u bytes", kind, section, n);
    if (rest->n - MLN_FRAME_HEAD_BYTES < n)
        return MLN_OK;
    *out = (struct mln_frame){(enum mln_frame_kind)kind, section,
                              mln_str_sub(*rest, MLN_FRAME_HEAD_BYTES, MLN_FRAME_HEAD_BYTES + n)};
    *rest = mln_str_sub(*rest, MLN_FRAME_HEAD_BYTES + n, rest->n);
    *whole = true;
    return MLN_OK;
}
