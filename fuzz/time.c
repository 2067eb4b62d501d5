/* A time that is accepted must be written and read back as the same moment; durations must only not crash. */
#include "base/time.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mln_str text = {(const char *)data, size};
    int64_t ms, again;
    char out[MLN_TIME_TEXT];
    if (mln_ok(mln_duration_parse(text, &ms)) && ms < 0)
        abort();
    if (!mln_ok(mln_time_parse(text, &ms)))
        return 0;
    const int64_t first = mln_days_from_civil(0, 1, 1) * 86400000, end = mln_days_from_civil(10000, 1, 1) * 86400000;
    if (ms < first || ms >= end)
        return 0; /* an offset or leap second at the edge; written clamped */
    if (!mln_ok(mln_time_parse(mln_time_text(ms, out), &again)) || again != ms)
        abort();
    return 0;
}
