/* merlon, the command line. Finds the command, runs it, turns a failure into one line and an exit status. */
#include "merlon/command.h"

#include "base/log.h"

#include <signal.h>

enum { ARENA_BYTES = 1 << 30 };

static enum mln_exit exit_for(enum mln_code code)
{
    switch (code) {
    case MLN_E_OK:
        return MLN_EXIT_OK;
    case MLN_E_NOT_FOUND:
        return MLN_EXIT_NOT_FOUND;
    case MLN_E_UNAUTHENTICATED:
    case MLN_E_FORBIDDEN:
        return MLN_EXIT_DENIED;
    case MLN_E_TIMEOUT:
    case MLN_E_CLOSED:
    case MLN_E_BUSY:
        return MLN_EXIT_UNREACHABLE;
    default:
        return MLN_EXIT_FAILED;
    }
}

int main(int argc, char **argv)
{
    MLN_CLEANUP(mln_arena_free) struct mln_arena *arena = mln_arena_new(ARENA_BYTES);
    struct mln_invocation invocation = {.arena = arena, .out = stdout, .err = stderr};
    enum mln_exit exit_code = MLN_EXIT_OK;
    bool help;
    signal(SIGPIPE, SIG_DFL);
    mln_log_setup("merlon", MLN_LOG_WARNING, false);
    if (!arena) {
        fprintf(stderr, "merlon: no memory\n");
        return MLN_EXIT_FAILED;
    }
    if (!mln_ok(mln_command_parse(argc, argv, &invocation, &help))) {
        fprintf(stderr, "merlon: %s\n", mln_error_text());
        return MLN_EXIT_USAGE;
    }
    if (help) {
        if (invocation.command)
            mln_help_command(invocation.command, stdout);
        else
            mln_help_all(stdout);
        return MLN_EXIT_OK;
    }
    struct mln_result r = invocation.command->run(&invocation, &exit_code);
    if (!mln_ok(r)) {
        fprintf(stderr, "merlon: %s\n", mln_error_text());
        exit_code = exit_for(r.code);
    }
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fprintf(stderr, "merlon: the output could not be written\n");
        exit_code = MLN_EXIT_FAILED;
    }
    return (int)exit_code;
}
