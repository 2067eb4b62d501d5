#include "agent/collector.h"

#include "agent/report.h"
#include "base/log.h"
#include "os/sandbox.h"

#include <errno.h>
#include <linux/capability.h>
#include <sys/resource.h>
#include <unistd.h>

/* Longer than any look takes; what goes on beyond is stuck. */
enum { CPU_SECONDS = 300 };

static struct mln_result write_all(int fd, struct mln_str bytes)
{
    while (bytes.n) {
        ssize_t n = write(fd, bytes.p, bytes.n);
        if (n < 0 && errno != EINTR)
            return mln_fail_errno(errno, "the collector's pipe");
        if (n > 0)
            bytes = mln_str_sub(bytes, (size_t)n, bytes.n);
    }
    return MLN_OK;
}

struct mln_result mln_collector_give_up_rights(const struct mln_collector_setup *setup)
{
    static const int capabilities[] = {CAP_DAC_READ_SEARCH, CAP_SYS_PTRACE};
    static const char *const everything[] = {"/", NULL};
    enum mln_sandbox_reach reach;
    size_t n = setup->need == MLN_NEED_NOTHING ? 0 : setup->need == MLN_NEED_READ_ALL ? 1 : 2;
    if (setup->privileged)
        MLN_TRY(mln_sandbox_drop_to(setup->uid, setup->gid, capabilities, n));
    if (setup->need != MLN_NEED_TRACE) /* behind a fence nobody may look into the processes before it */
        MLN_TRY(mln_sandbox_fence(&(struct mln_sandbox_paths){.read = everything}, &reach));
    return mln_sandbox_calls(MLN_SANDBOX_READER);
}

static struct mln_result collect(const struct mln_collector_setup *setup, struct mln_facts *f)
{
    for (enum mln_section i = 0; i < MLN_SECTION_COUNT; i++) {
        MLN_BUF_CLEANUP struct mln_buf frames = MLN_BUF(2 * MLN_FRAME_MAX_BYTES);
        if (!(setup->sections >> i & 1))
            continue;
        MLN_TRY(mln_report_collect(f, i, mln_sections[i].cost != MLN_COST_WALK, &frames));
        MLN_TRY(write_all(setup->pipe, mln_buf_str(&frames)));
    }
    return MLN_OK;
}

static struct mln_result run(const struct mln_collector_setup *setup, struct mln_tree *tree,
                             struct mln_program_output *outputs, struct mln_arena *arena)
{
    struct mln_facts f = {.tree = tree, .arena = arena, .clock = &mln_system_clock, .outputs = outputs};
    struct rlimit cpu = {CPU_SECONDS, CPU_SECONDS};
    setrlimit(RLIMIT_CPU, &cpu);
    setpriority(PRIO_PROCESS, 0, 10);
    mln_facts_ask_clock(&f);
    for (enum mln_section i = 0; tree->live && i < MLN_SECTION_COUNT; i++)
        if (setup->sections >> i & 1)
            mln_programs_gather(i, setup->uid, setup->gid, outputs);
    MLN_TRY(mln_collector_give_up_rights(setup));
    return collect(setup, &f);
}

int mln_collector_main(const struct mln_collector_setup *setup)
{
    struct mln_program_output outputs[MLN_PROGRAM_COUNT] = {0};
    struct mln_tree tree;
    MLN_CLEANUP(mln_arena_free) struct mln_arena *arena = mln_arena_new(MLN_FACTS_ARENA_BYTES);
    struct mln_result r =
        arena ? mln_tree_open_walked(setup->root, &tree) : mln_fail(MLN_E_MEMORY, "no memory to collect in");
    if (mln_ok(r)) {
        r = run(setup, &tree, outputs, arena);
        mln_programs_free(outputs);
        mln_tree_close(&tree);
    }
    if (!mln_ok(r))
        mln_log(ERROR, "collector: %s", mln_error_text());
    return mln_ok(r) ? 0 : 1;
}
