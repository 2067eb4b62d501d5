#include "os/notify.h"

#include "os/file.h"

#include <errno.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

struct mln_result mln_notify(struct mln_str state)
{
    const char *path = getenv("NOTIFY_SOCKET");
    if (!path || !*path)
        return MLN_OK;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t n = strlen(path);
    if ((path[0] != '/' && path[0] != '@') || n >= sizeof address.sun_path)
        return mln_fail(MLN_E_INVALID, "NOTIFY_SOCKET is not the path of a socket");
    memcpy(address.sun_path, path, n);
    if (path[0] == '@')
        address.sun_path[0] = '\0'; /* an abstract name: as long as it is, without a NUL behind it */
    socklen_t address_bytes = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
    MLN_FD_CLEANUP int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return mln_fail_errno(errno, "making a socket");
    if (sendto(fd, state.p, state.n, MSG_NOSIGNAL, (struct sockaddr *)&address, address_bytes) < 0)
        return mln_fail_errno(errno, "telling the service manager");
    return MLN_OK;
}

int64_t mln_notify_watchdog_ms(void)
{
    const char *usec_text = getenv("WATCHDOG_USEC"), *pid_text = getenv("WATCHDOG_PID");
    uint64_t usec, pid;
    if (!usec_text || !mln_ok(mln_str_to_u64(mln_str_c(usec_text), &usec)))
        return 0;
    if (pid_text && (!mln_ok(mln_str_to_u64(mln_str_c(pid_text), &pid)) || pid != (uint64_t)getpid()))
        return 0;
    return (int64_t)(usec / 2000 < INT32_MAX ? usec / 2000 : INT32_MAX);
}
