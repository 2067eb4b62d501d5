/* The commands facts and resource: collecting here and now, for people and for `merlon assess`. */
#include "agent/commands.h"

#include "agent/report.h"
#include "connect/machine.h"
#include "os/process.h"

#include <stdio.h>
#include <sys/utsname.h>
#include <unistd.h>

enum { MAX_DOCUMENT_BYTES = 32 << 20, MAX_TREE_BYTES = 256 << 20 };

static struct mln_result take_frames(struct mln_report *report, const struct mln_buf *frames)
{
    struct mln_frame frame;
    bool changed = false, whole = true;
    for (struct mln_str rest = mln_buf_str(frames); rest.n && whole;) {
        MLN_TRY(mln_frame_take(&rest, &frame, &whole));
        MLN_TRY(mln_report_frame(report, &frame, &changed));
    }
    return MLN_OK;
}

static struct mln_result collect_one(struct mln_facts *f, enum mln_section section, struct mln_program_output *outputs,
                                     struct mln_report *report)
{
    MLN_BUF_CLEANUP struct mln_buf frames = MLN_BUF(2 * MLN_FRAME_MAX_BYTES);
    if (f->tree->live)
        mln_programs_gather(section, geteuid(), getegid(), outputs);
    MLN_TRY(mln_report_collect(f, section, false, &frames));
    return take_frames(report, &frames);
}

static struct mln_result collect(const char *root, enum mln_section only, struct mln_report *report)
{
    struct mln_program_output outputs[MLN_PROGRAM_COUNT] = {0};
    struct mln_tree tree;
    MLN_CLEANUP(mln_arena_free) struct mln_arena *arena = mln_arena_new(MLN_FACTS_ARENA_BYTES);
    if (!arena)
        return mln_fail(MLN_E_MEMORY, "no memory to collect in");
    MLN_TRY(mln_tree_open(root ? root : "/", &tree));
    struct mln_facts f = {.tree = &tree, .arena = arena, .clock = &mln_system_clock, .outputs = outputs};
    MLN_BUF_CLEANUP struct mln_buf about = MLN_BUF(4096);
    mln_facts_ask_clock(&f);
    struct mln_result r = mln_report_about(&about);
    if (mln_ok(r))
        r = take_frames(report, &about);
    for (enum mln_section i = 0; i < MLN_SECTION_COUNT && mln_ok(r); i++)
        if (only == MLN_SECTION_COUNT || only == i)
            r = collect_one(&f, i, outputs, report);
    mln_programs_free(outputs);
    mln_tree_close(&tree);
    return r;
}

static struct mln_result print(const struct mln_json *json, bool pretty)
{
    MLN_BUF_CLEANUP struct mln_buf out = MLN_BUF(2 * MAX_DOCUMENT_BYTES);
    MLN_TRY(mln_json_write(&out, json, pretty));
    if (!pretty)
        MLN_TRY(mln_buf_byte(&out, '\n'));
    if (fwrite(out.p, 1, out.n, stdout) != out.n || fflush(stdout) != 0)
        return mln_fail(MLN_E_IO, "standard output cannot be written");
    return MLN_OK;
}

/* Collects and parses the document, in the arena. */
static struct mln_result facts_tree(const struct mln_agent_options *options, enum mln_section only,
                                    struct mln_arena *arena, const struct mln_json **out)
{
    MLN_CLEANUP(mln_report_free) struct mln_report *report = NULL;
    MLN_BUF_CLEANUP struct mln_buf text = MLN_BUF(MAX_DOCUMENT_BYTES);
    MLN_TRY(mln_report_new(&report));
    MLN_TRY(collect(options->root, only, report));
    MLN_TRY(mln_report_write(report, mln_now_ms(&mln_system_clock), only, &text));
    return mln_json_parse(arena, mln_buf_str(&text), MAX_DOCUMENT_BYTES, out);
}

struct mln_result mln_command_facts(struct mln_invocation *in, enum mln_exit *exit_code)
{
    const struct mln_agent_options *options = in->context;
    MLN_CLEANUP(mln_arena_free) struct mln_arena *arena = mln_arena_new(MAX_TREE_BYTES);
    const struct mln_json *facts;
    enum mln_section only = MLN_SECTION_COUNT;
    (void)exit_code;
    if (!arena)
        return mln_fail(MLN_E_MEMORY, "no memory for the facts");
    if (options->section) {
        only = mln_section_find(mln_str_c(options->section));
        if (only == MLN_SECTION_COUNT)
            return mln_fail(MLN_E_NOT_FOUND, "no section \"%s\"", options->section);
    }
    MLN_TRY(facts_tree(options, only, arena, &facts));
    return print(facts, options->pretty);
}

/* The machine in a subscription that stands for none: all zeros. */
struct mln_result mln_command_resource(struct mln_invocation *in, enum mln_exit *exit_code)
{
    const struct mln_agent_options *options = in->context;
    MLN_CLEANUP(mln_arena_free) struct mln_arena *arena = mln_arena_new(MAX_TREE_BYTES);
    struct mln_machine machine = {.status = MLN_S("Connected"), .agent_version = MLN_S(MLN_VERSION)};
    struct mln_json document;
    struct utsname host = {0};
    (void)exit_code;
    if (!arena)
        return mln_fail(MLN_E_MEMORY, "no memory for the resource");
    MLN_TRY(facts_tree(options, MLN_SECTION_COUNT, arena, &machine.facts));
    struct mln_str name = mln_str_c(options->name);
    if (!name.p)
        name = mln_json_str(mln_json_path(machine.facts, "network.hostname"), (struct mln_str){NULL, 0});
    if (!name.n && uname(&host) == 0)
        name = mln_str_c(host.nodename);
    MLN_TRY_STR(arena, machine.id,
                mln_str_printf(arena,
                               "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/local/providers/"
                               "Microsoft.HybridCompute/machines/%.*s",
                               MLN_FMT(name)));
    MLN_TRY(mln_machine_document(&machine, arena, &document));
    return print(&document, options->pretty);
}
