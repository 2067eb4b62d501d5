/* Frames from a process that may have been taken over: a report takes them or refuses them, and can still be written. */
#include "agent/report.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mln_str rest = {(const char *)data, size};
    struct mln_buf out MLN_BUF_CLEANUP = MLN_BUF((size_t)16 << 20);
    struct mln_report *report MLN_CLEANUP(mln_report_free) = NULL;
    struct mln_frame frame;
    bool whole = true, changed = false;
    if (!mln_ok(mln_report_new(&report)))
        return 0;
    while (whole && mln_ok(mln_frame_take(&rest, &frame, &whole)) && whole)
        if (!mln_ok(mln_report_frame(report, &frame, &changed)))
            break;
    if (!mln_ok(mln_report_write(report, 0, MLN_SECTION_COUNT, &out)) || !out.n)
        abort();
    return 0;
}
