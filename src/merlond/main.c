/* merlond: its commands, and the rights that each gives up before it begins. */
#include "base/log.h"
#include "cli/help.h"
#include "merlond/commands.h"
#include "os/file.h"
#include "os/sandbox.h"
#include "os/shutdown.h"

#include <linux/capability.h>
#include <unistd.h>

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

static struct mln_result prepare(struct mln_invocation *in)
{
    struct mln_daemon_options *options = in->context;
    if (!(in->command->kind & MLN_EVERY_COMMAND))
        return MLN_OK;
    MLN_TRY(mln_daemon_options_take(in, options));
    mln_log_setup("merlond", options->debug ? MLN_LOG_DEBUG : MLN_LOG_INFO, options->log_json);
    return MLN_OK;
}

static struct mln_result run(struct mln_invocation *in, enum mln_exit *exit_code)
{
    const struct mln_daemon_options *options = in->context;
    (void)exit_code;
    umask(077);
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

static const struct mln_command run_command = {
    .words = "run",
    .summary = "Serve until SIGTERM; makes the state directory at the first start",
    .details = "SIGHUP loads the rules anew. SIGTERM ends the server after the running requests.",
    .kind = MLN_RUN,
    .run = run};
static const struct mln_command init_command = {
    .words = "init",
    .summary = "Make the state directory and its administrator, and print the password",
    .details = "The server must be stopped.",
    .kind = MLN_INIT,
    .run = run};
static const struct mln_command reset_password_command = {.words = "reset-password",
                                                          .summary =
                                                              "Give an administrator a new password, and print it",
                                                          .details = "The server must be stopped.",
                                                          .kind = MLN_RESET_PASSWORD,
                                                          .run = run};
static const struct mln_command token_command = {
    .words = "token",
    .summary = "Make a token by which a machine enrols, and print it",
    .details = "The server must be stopped; while it runs, 'merlon token create' does this.",
    .kind = MLN_TOKEN,
    .run = run};

static const struct mln_command *const commands[] = {
    &run_command,     &init_command,       &reset_password_command, &token_command, &mln_command_completion,
    &mln_command_man, &mln_command_version};

static const struct mln_man_section sections[] = {
    {"EXIT STATUS",
     "0 done; 1 failed; 2 wrong command line or configuration; 3 what it needs is not there; 4 not allowed."},
    {"SIGNALS", "SIGHUP loads the rules anew. SIGTERM and SIGINT end the server after the running requests."},
    {"FILES", "/var/lib/merlon: the state directory. /etc/default/merlond: MERLOND_OPTIONS of the installed service."},
    {"SEE ALSO", "merlon(1), merlon-agent(8)"},
};

static const struct mln_cli merlond = {
    .name = "merlond",
    .section = '8',
    .summary = "the server of Merlon",
    .description = "Keeps the inventory, judges it by rules, keeps the score, and answers clients over HTTPS.",
    .closing = "SIGHUP loads the rules anew. SIGTERM ends the server after the running requests.",
    .commands = commands,
    .n_commands = sizeof commands / sizeof *commands,
    .options = mln_daemon_options,
    .n_options = MLN_DAEMON_OPTIONS_COUNT,
    .sections = sections,
    .n_sections = sizeof sections / sizeof *sections,
    .arena_bytes = 1 << 20,
    .prepare = prepare};

int main(int argc, char **argv)
{
    struct mln_daemon_options options;
    return mln_cli_main(&merlond, argc, argv, &options);
}
