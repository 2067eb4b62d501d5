/* What this process uses, for status and benchmarks. */
#ifndef MLN_OS_USAGE_H
#define MLN_OS_USAGE_H

#include "base/result.h"

#include <stdint.h>

struct mln_usage {
    uint64_t resident_bytes, peak_resident_bytes;
    int64_t user_ms, system_ms; /* processor time since the start */
    uint32_t threads;
};
MLN_RESULT mln_usage(struct mln_usage *out);

#endif
