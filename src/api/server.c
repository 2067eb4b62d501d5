#include "api/server.h"

#include "api/exchange.h"
#include "base/log.h"
#include "os/thread.h"

#include <arpa/inet.h>
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    LEAST_WORKERS = 8,
    CONNECTIONS = 4096,
    PER_ADDRESS = 256,
    CONNECTION_BYTES = 32 << 10, /* request line and headers */
    RECEIVE_MS = 20000,
    IDLE_MS = 75000,
    BACKLOG = 512,
};

/* TLS 1.2 and 1.3, authenticated encryption with forward secrecy only. */
static const char priorities[] = "SECURE128:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-RSA:-AES-128-CBC:-AES-256-CBC:"
                                 "-AES-128-CCM:-AES-256-CCM:%SERVER_PRECEDENCE";

/* ---- threads ---- */

static void work(void *context)
{
    struct mln_server *server = context;
    struct mln_exchange *x;
    while ((x = mln_queue_pop(server->work, -1)))
        mln_exchange_work(x);
}

static void reap(void *context)
{
    struct mln_server *server = context;
    while (!atomic_load(&server->stopping)) {
        usleep(250000);
        size_t n = mln_peers_reap(server->peers);
        atomic_fetch_add(&server->reaped, n);
        if (n)
            mln_log(INFO, "closed %zu connections that were too slow", n);
    }
}

static struct mln_result start_threads(struct mln_server *server, unsigned workers)
{
    unsigned wanted = workers ? workers : 2 * mln_cpu_count();
    if (!workers && wanted < LEAST_WORKERS)
        wanted = LEAST_WORKERS;
    server->workers = calloc(wanted, sizeof *server->workers);
    if (!server->workers)
        return mln_fail(MLN_E_MEMORY, "no memory for workers");
    for (; server->n_workers < wanted; server->n_workers++)
        MLN_TRY(mln_thread_start("api-worker", work, server, &server->workers[server->n_workers]));
    return mln_thread_start("api-reaper", reap, server, &server->reaper);
}

/* ---- libmicrohttpd ---- */

static enum MHD_Result admit(void *context, const struct sockaddr *from, socklen_t size)
{
    (void)size;
    struct mln_server *server = context;
    return mln_peers_admit(server->peers, from) ? MHD_YES : MHD_NO;
}

static void on_connection(void *context, struct MHD_Connection *connection, void **peer,
                          enum MHD_ConnectionNotificationCode code)
{
    struct mln_server *server = context;
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
        int fd = info ? info->connect_fd : -1;
        info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
        *peer = info && fd >= 0 ? mln_peers_add(server->peers, fd, info->client_addr, server->receive_ms) : NULL;
    } else if (*peer) {
        mln_peers_remove(server->peers, *peer);
        *peer = NULL;
    }
}

static void log_library(void *context, const char *format, va_list args) __attribute__((format(printf, 2, 0)));
static void log_library(void *context, const char *format, va_list args)
{
    (void)context;
    char text[512];
    vsnprintf(text, sizeof text, format, args);
    mln_log(DEBUG, "http: %s", text);
}

static struct mln_result listen_on(const struct mln_server_setup *setup, int *out, uint16_t *port)
{
    char address[64];
    struct sockaddr_storage any = {0};
    struct sockaddr_in *v4 = (void *)&any;
    struct sockaddr_in6 *v6 = (void *)&any;
    socklen_t size = sizeof *v4;
    snprintf(address, sizeof address, "%.*s", MLN_FMT(setup->address));
    if (inet_pton(AF_INET, address, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons(setup->port);
    } else if (inet_pton(AF_INET6, address, &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons(setup->port);
        size = sizeof *v6;
    } else {
        return mln_fail(MLN_E_INVALID, "'%s' is not an IPv4 or IPv6 address", address);
    }
    int fd = socket(any.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), on = 1;
    if (fd < 0)
        return mln_fail_errno(errno, "socket");
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) || bind(fd, (struct sockaddr *)&any, size) ||
        listen(fd, BACKLOG) || getsockname(fd, (struct sockaddr *)&any, &size)) {
        struct mln_result r = errno == EADDRINUSE
                                  ? mln_fail(MLN_E_CONFLICT, "port %u of %s is in use", setup->port, address)
                                  : mln_fail_errno(errno, "listening on port %u of %s", setup->port, address);
        close(fd);
        return r;
    }
    *port = ntohs(any.ss_family == AF_INET ? v4->sin_port : v6->sin6_port);
    *out = fd;
    return MLN_OK;
}

static struct mln_result start_daemon(struct mln_server *server, const struct mln_server_setup *setup, int fd)
{
    MLN_CLEANUP(mln_arena_free) struct mln_arena *arena = mln_arena_new(1 << 20);
    if (!arena)
        return mln_fail(MLN_E_MEMORY, "no memory for the server");
    const char *certificate = mln_str_z(arena, setup->certificate), *key = mln_str_z(arena, setup->key);
    const char *authority = mln_str_z(arena, setup->client_authority);
    if (!certificate || !key || !authority)
        return mln_arena_failure(arena);
    unsigned processors = mln_cpu_count(), pool = processors < 2 ? 2 : processors > 8 ? 8 : processors;
    unsigned connections = setup->max_connections ? setup->max_connections : CONNECTIONS;
    server->daemon = MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_TLS | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG, 0, admit, server,
        mln_exchange_step, server, MHD_OPTION_EXTERNAL_LOGGER, log_library, NULL, MHD_OPTION_LISTEN_SOCKET, fd,
        MHD_OPTION_HTTPS_MEM_CERT, certificate, MHD_OPTION_HTTPS_MEM_KEY, key, MHD_OPTION_HTTPS_MEM_TRUST, authority,
        MHD_OPTION_HTTPS_PRIORITIES, priorities, MHD_OPTION_THREAD_POOL_SIZE, pool, MHD_OPTION_CONNECTION_LIMIT,
        connections, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_BYTES, MHD_OPTION_CONNECTION_TIMEOUT,
        (unsigned)(server->idle_ms / 1000), MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_URI_LOG_CALLBACK,
        mln_exchange_new, server, MHD_OPTION_NOTIFY_COMPLETED, mln_exchange_done, server, MHD_OPTION_NOTIFY_CONNECTION,
        on_connection, server, MHD_OPTION_END);
    explicit_bzero((void *)(uintptr_t)key, setup->key.n);
    return server->daemon ? MLN_OK : mln_fail(MLN_E_IO, "the HTTPS server does not start; is the certificate good?");
}

static void free_server(struct mln_server *server)
{
    mln_queue_free(server->work);
    mln_peers_free(server->peers);
    free(server->workers);
    free(server);
}

static void stop_threads(struct mln_server *server)
{
    atomic_store(&server->stopping, true);
    if (server->work)
        mln_queue_close(server->work);
    for (unsigned i = 0; i < server->n_workers; i++)
        mln_thread_join(server->workers[i]);
    mln_thread_join(server->reaper);
}

struct mln_result mln_server_start(const struct mln_server_setup *setup, struct mln_server **out)
{
    struct mln_server *server = calloc(1, sizeof *server);
    if (!server)
        return mln_fail(MLN_E_MEMORY, "no memory for the server");
    int fd = -1;
    server->api = setup->api;
    server->receive_ms = setup->receive_ms ? setup->receive_ms : RECEIVE_MS;
    server->idle_ms = setup->idle_ms ? setup->idle_ms : IDLE_MS;
    unsigned per_address = setup->max_per_address ? setup->max_per_address : PER_ADDRESS;
    server->work = mln_queue_new(MLN_WAITING_REQUESTS);
    struct mln_result r =
        server->work ? mln_peers_new(per_address, &server->peers) : mln_fail(MLN_E_MEMORY, "no memory for the server");
    if (mln_ok(r))
        r = listen_on(setup, &fd, &server->port);
    if (mln_ok(r))
        r = start_threads(server, setup->workers);
    if (mln_ok(r))
        r = start_daemon(server, setup, fd);
    if (mln_ok(r)) {
        *out = server;
        return MLN_OK;
    }
    if (fd >= 0)
        close(fd);
    stop_threads(server);
    free_server(server);
    return r;
}

uint16_t mln_server_port(const struct mln_server *server)
{
    return server->port;
}

void mln_server_stop(struct mln_server *server, int64_t grace_ms)
{
    if (!server)
        return;
    MHD_socket listening = MHD_quiesce_daemon(server->daemon);
    atomic_store(&server->draining, true);
    int64_t end = mln_monotonic_ms() + grace_ms;
    while (atomic_load(&server->running) && mln_monotonic_ms() < end)
        usleep(10000);
    stop_threads(server); /* what waits in the queue is still worked on: each suspended connection must be resumed */
    MHD_stop_daemon(server->daemon);
    if (listening != MHD_INVALID_SOCKET)
        close(listening);
    free_server(server);
}

void mln_server_stats(struct mln_server *server, struct mln_server_stats *out)
{
    *out = (struct mln_server_stats){
        .requests = atomic_load(&server->requests),
        .refused_busy = atomic_load(&server->refused_busy),
        .reaped = atomic_load(&server->reaped),
        .connections = mln_peers_count(server->peers),
        .waiting = mln_queue_length(server->work),
    };
}
