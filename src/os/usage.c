#include "os/usage.h"

#include "os/file.h"

#include <errno.h>
#include <sys/resource.h>

/* The number behind "Name:" in /proc/self/status. */
static bool status_number(struct mln_str status, struct mln_str name, uint64_t *out)
{
    struct mln_str line;
    while (mln_str_cut(&status, '\n', &line)) {
        if (!mln_str_starts(line, name))
            continue;
        struct mln_str value = mln_str_trim(mln_str_sub(line, name.n, line.n)), number;
        mln_str_cut(&value, ' ', &number);
        return mln_ok(mln_str_to_u64(number, out));
    }
    return false;
}

static int64_t milliseconds(struct timeval time)
{
    return (int64_t)time.tv_sec * 1000 + time.tv_usec / 1000;
}

struct mln_result mln_usage(struct mln_usage *out)
{
    *out = (struct mln_usage){0};
    MLN_BUF_CLEANUP struct mln_buf status = MLN_BUF(64 * 1024);
    struct rusage spent;
    uint64_t resident_kib, peak_kib, threads;
    MLN_TRY(mln_file_read("/proc/self/status", MLN_FILE_PROC, &status));
    if (!status_number(mln_buf_str(&status), MLN_S("VmRSS:"), &resident_kib) ||
        !status_number(mln_buf_str(&status), MLN_S("VmHWM:"), &peak_kib) ||
        !status_number(mln_buf_str(&status), MLN_S("Threads:"), &threads))
        return mln_fail(MLN_E_UNSUPPORTED, "/proc/self/status does not say how much memory is used");
    if (getrusage(RUSAGE_SELF, &spent))
        return mln_fail_errno(errno, "reading the processor time");
    *out = (struct mln_usage){
        .resident_bytes = resident_kib * 1024,
        .peak_resident_bytes = peak_kib * 1024,
        .user_ms = milliseconds(spent.ru_utime),
        .system_ms = milliseconds(spent.ru_stime),
        .threads = (uint32_t)threads,
    };
    return MLN_OK;
}
