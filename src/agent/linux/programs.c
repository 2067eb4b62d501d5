#include "agent/linux/programs.h"

#include "agent/linux/facts.h"
#include "os/process.h"

#include <sys/stat.h>
#include <unistd.h>

#define P(name, section, root, timeout, bytes, ...) static const char *const argv_##name[] = {__VA_ARGS__, NULL};
MLN_PROGRAMS(P)
#undef P

static const struct {
    const char *const *argv;
    unsigned section;
    bool root;
    int64_t timeout_ms;
    size_t max_bytes;
} programs[MLN_PROGRAM_COUNT] = {
#define P(name, section, root, timeout, bytes, ...) {argv_##name, MLN_SECTION_##section, root, timeout, bytes},
    MLN_PROGRAMS(P)
#undef P
};

/* An rpm machine may have dpkg's programs too; its database is empty then. */
static bool has_dpkg(void)
{
    struct stat st;
    return stat("/var/lib/dpkg/status", &st) == 0 && st.st_size > 0;
}

/* systemctl speaks only to systemd, and waits long for it where it is not there. On a Debian that has rpm and dnf too, they
   would tell nothing, slowly; where dnf is, yum is another name for it. */
static bool is_pointless(enum mln_program program)
{
    switch (program) {
    case MLN_PROGRAM_UNITS:
    case MLN_PROGRAM_UNIT_FILES:
    case MLN_PROGRAM_TIMERS:
        return access("/run/systemd/system", F_OK) != 0;
    case MLN_PROGRAM_RPM:
    case MLN_PROGRAM_DNF_UPDATES:
    case MLN_PROGRAM_DNF_SECURITY:
        return has_dpkg();
    case MLN_PROGRAM_YUM_UPDATES:
    case MLN_PROGRAM_YUM_SECURITY:
        return has_dpkg() || access("/usr/bin/dnf", X_OK) == 0;
    default:
        return false;
    }
}

static void run(enum mln_program program, uid_t uid, gid_t gid, struct mln_program_output *out)
{
    struct mln_process process = {.argv = programs[program].argv};
    if (!programs[program].root && geteuid() == 0 && uid != 0) {
        process.drop = true;
        process.uid = uid;
        process.gid = gid;
    }
    MLN_BUF_CLEANUP struct mln_buf errors = MLN_BUF(4096);
    struct mln_process_end end = {0};
    out->text = MLN_BUF(programs[program].max_bytes);
    struct mln_result r = mln_process_run(&process, MLN_S(""), programs[program].timeout_ms, &out->text, &errors, &end);
    if (!mln_ok(r)) {
        snprintf(out->error, sizeof out->error, "%.120s", mln_error_text());
        return;
    }
    struct mln_str rest = mln_buf_str(&errors), line = {NULL, 0};
    if (end.timed_out)
        line = MLN_S("took too long");
    else if (end.output_cut)
        line = MLN_S("said more than expected");
    else
        mln_str_cut(&rest, '\n', &line);
    snprintf(out->error, sizeof out->error, "%.*s", (int)(line.n > 120 ? 120 : line.n), line.p ? line.p : "");
    out->ran = !end.timed_out && !end.output_cut && !end.signal;
    out->exit_status = end.exit_status;
}

void mln_programs_gather(unsigned section, uid_t uid, gid_t gid, struct mln_program_output *outputs)
{
    for (enum mln_program i = 0; i < MLN_PROGRAM_COUNT; i++) {
        if (programs[i].section != section)
            continue;
        mln_buf_free(&outputs[i].text);
        outputs[i] = (struct mln_program_output){0};
        if (access(programs[i].argv[0], X_OK) != 0 || is_pointless(i))
            snprintf(outputs[i].error, sizeof outputs[i].error, "%s is not there", programs[i].argv[0]);
        else
            run(i, uid, gid, &outputs[i]);
    }
}

void mln_programs_free(struct mln_program_output *outputs)
{
    for (size_t i = 0; i < MLN_PROGRAM_COUNT; i++) {
        mln_buf_free(&outputs[i].text);
        outputs[i] = (struct mln_program_output){0};
    }
}

struct mln_str mln_program_text(const struct mln_program_output *outputs, enum mln_program program)
{
    return mln_program_text_or(outputs, program, 0);
}

struct mln_str mln_program_text_or(const struct mln_program_output *outputs, enum mln_program program, int status)
{
    if (!outputs || !outputs[program].ran ||
        (outputs[program].exit_status != 0 && outputs[program].exit_status != status))
        return (struct mln_str){NULL, 0};
    struct mln_str text = mln_buf_str(&outputs[program].text);
    return text.p ? text : MLN_S("");
}
