/* The small readers of line formats: crontab, apt.conf, sources, units, masks; what is masked stays within its length. */
#include "agent/linux/apt.h"
#include "agent/linux/crontab.h"
#include "agent/linux/text.h"
#include "agent/linux/units.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mln_arena *arena MLN_CLEANUP(mln_arena_free) = mln_arena_new((size_t)64 << 20);
    struct mln_str text = {(const char *)data, size}, rest = text;
    struct mln_cron_job job;
    struct mln_update update;
    struct mln_apt_sources sources = {0};
    struct mln_units units = {0};
    uint32_t line = 0;
    while (mln_crontab_next(&rest, size & 1, &line, &job))
        if (!job.command.n || !job.schedule.n || mln_text_mask(arena, job.command, 50).n > 50)
            abort();
    mln_apt_update_line(text, &update);
    mln_apt_setting(text, MLN_S("APT::Periodic::Unattended-Upgrade"));
    mln_text_ini(text, MLN_S("a"), MLN_S("b"));
    struct mln_result r = mln_apt_read_sources(text, size & 1, arena, &sources);
    if (mln_ok(r))
        r = mln_units_parse_show(text, arena, &units);
    if (mln_ok(r))
        r = mln_units_parse_files(text, arena, &units);
    if (!mln_ok(r) && r.code != MLN_E_LIMIT)
        abort();
    return 0;
}
