#include "base/log.h"
#include "merlond/commands.h"
#include "os/file.h"
#include "os/sandbox.h"
#include "os/shutdown.h"

#include <linux/capability.h>
#include <unistd.h>

enum { EXIT_USAGE = 2, ARENA_BYTES = 1 << 20 };

/* Becomes the user of --user, who is given the state directory if it is new. */
static struct mln_result become_user(const struct mln_daemon_options *options)
{
    if (geteuid() != 0)
        return MLN_OK;
    if (!options->user.n) {
        if (options->command == MLN_RUN)
            mln_log(WARNING, "running as root; --user ACCOUNT gives that up");
        return MLN_OK;
    }
    static const int capabilities[] = {CAP_NET_BIND_SERVICE};
    bool low_port = options->command == MLN_RUN;
    uid_t uid;
    gid_t gid;
    MLN_TRY(mln_sandbox_account(options->user.p, &uid, &gid));
    if (access(options->state.p, F_OK)) {
        MLN_TRY(mln_dir_ensure(options->state.p, 0700));
        if (chown(options->state.p, uid, gid))
            return mln_fail(MLN_E_IO, "%s cannot be given to %s", options->state.p, options->user.p);
    }
    return mln_sandbox_drop_to(uid, gid, capabilities, low_port ? 1 : 0);
}

static struct mln_result run(const struct mln_daemon_options *options)
{
    MLN_TRY(mln_sandbox_no_dumps());
    MLN_TRY(mln_ignore_pipe_signal());
    MLN_TRY(become_user(options));
    switch (options->command) {
    case MLN_RUN:
        return mln_command_run(options);
    case MLN_INIT:
        return mln_command_init(options);
    case MLN_RESET_PASSWORD:
        return mln_command_reset_password(options);
    case MLN_TOKEN:
        return mln_command_token(options);
    }
    return mln_fail(MLN_E_INTERNAL, "no such command");
}

int main(int argc, char **argv)
{
    MLN_CLEANUP(mln_arena_free) struct mln_arena *arena = mln_arena_new(ARENA_BYTES);
    struct mln_daemon_options options;
    bool help;
    if (!arena)
        return EXIT_FAILURE;
    if (argc == 2 && !strcmp(argv[1], "--version")) {
        puts("merlond " MLN_VERSION);
        return EXIT_SUCCESS;
    }
    if (!mln_ok(mln_daemon_options_parse(argc - 1, argv + 1, arena, &options, &help))) {
        fprintf(stderr, "merlond: %s\n", mln_error_text());
        return EXIT_USAGE;
    }
    if (help) {
        mln_daemon_help(stdout);
        return EXIT_SUCCESS;
    }
    mln_log_setup("merlond", options.debug ? MLN_LOG_DEBUG : MLN_LOG_INFO, options.log_json);
    umask(077);
    if (mln_ok(run(&options)))
        return EXIT_SUCCESS;
    fprintf(stderr, "merlond: %s\n", mln_error_text());
    return EXIT_FAILURE;
}
