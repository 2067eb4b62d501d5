#include "os/shutdown.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

static volatile sig_atomic_t requested;

static void on_signal(int signal_number)
{
    if (requested && signal_number == SIGINT)
        _exit(128 + SIGINT); /* somebody at the terminal does not want to wait */
    requested = 1;
}

struct mln_result mln_ignore_pipe_signal(void)
{
    struct sigaction action = {.sa_handler = SIG_IGN};
    if (sigaction(SIGPIPE, &action, NULL))
        return mln_fail_errno(errno, "ignoring SIGPIPE");
    return MLN_OK;
}

struct mln_result mln_shutdown_catch(void)
{
    static const int signals[] = {SIGTERM, SIGINT, SIGHUP};
    struct sigaction action = {.sa_handler = on_signal}; /* no SA_RESTART: a sleeping call is to return */
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        if (sigaction(signals[i], &action, NULL))
            return mln_fail_errno(errno, "catching signal %d", signals[i]);
    return MLN_OK;
}

bool mln_shutdown_requested(void)
{
    return requested;
}
