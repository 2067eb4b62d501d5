/* `merlond run`: puts the parts together, serves, and takes them apart in order. */
#include "api/operations.h"
#include "api/router.h"
#include "api/server.h"
#include "base/log.h"
#include "merlond/commands.h"
#include "merlond/engine.h"
#include "os/file.h"
#include "os/loop.h"
#include "os/notify.h"
#include "os/sandbox.h"

#include <errno.h>
#include <ifaddrs.h>
#include <malloc.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
    HOSTS_SWEEP_MS = 15000,
    SIGNIN_SWEEP_MS = 300000,
    KEYS_MS = 3600000,
    GRACE_MS = 10000,
    NAMES = MLN_MAX_NAMES + 8,
};

struct daemon {
    const struct mln_daemon_options *options;
    struct mln_home home;
    struct mln_engine engine;
    struct mln_operations *operations;
    struct mln_router *router;
    struct mln_server *server;
    struct mln_loop *loop;
    struct mln_api api;
    struct mln_arena *arena; /* for what lives as long as the daemon */
    struct mln_str names[NAMES], address, port;
    size_t n_names;
    const struct mln_cert *authority;
};

/* ---- names and address ---- */

static struct mln_result add_name(struct daemon *d, struct mln_str name)
{
    for (size_t i = 0; i < d->n_names; i++)
        if (mln_str_eq_nocase(d->names[i], name))
            return MLN_OK;
    if (d->n_names == NAMES)
        return mln_fail(MLN_E_LIMIT, "more than %d names", NAMES);
    d->names[d->n_names++] = name;
    return MLN_OK;
}

/* "127.0.0.1:8443", "[::1]:8443". */
static struct mln_result split_address(struct mln_str listen, struct mln_str *address, struct mln_str *port)
{
    size_t colon = listen.n;
    while (colon > 0 && listen.p[colon - 1] != ':')
        colon--;
    if (colon < 2)
        return mln_fail(MLN_E_INVALID, "listen is ADDR:PORT");
    *port = mln_str_sub(listen, colon, listen.n);
    *address = mln_str_sub(listen, 0, colon - 1);
    if (address->n > 2 && address->p[0] == '[' && address->p[address->n - 1] == ']')
        *address = mln_str_sub(*address, 1, address->n - 1);
    return MLN_OK;
}

static bool is_wildcard(struct mln_str address)
{
    return mln_str_eq(address, MLN_S("0.0.0.0")) || mln_str_eq(address, MLN_S("::"));
}

/* Where it listens on every address, the certificate names those that the machine has. */
static struct mln_result add_interfaces(struct daemon *d)
{
    struct ifaddrs *all = NULL;
    struct mln_result r = MLN_OK;
    if (getifaddrs(&all))
        return mln_fail_errno(errno, "the machine's addresses");
    for (const struct ifaddrs *one = all; one && mln_ok(r) && d->n_names < NAMES / 2; one = one->ifa_next) {
        char text[NI_MAXHOST];
        int family = one->ifa_addr ? one->ifa_addr->sa_family : AF_UNSPEC;
        socklen_t size = family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
        if ((family != AF_INET && family != AF_INET6) ||
            getnameinfo(one->ifa_addr, size, text, sizeof text, NULL, 0, NI_NUMERICHOST) || strchr(text, '%'))
            continue;
        struct mln_str name = mln_str_dup(d->arena, mln_str_c(text));
        r = name.p ? add_name(d, name) : mln_arena_failure(d->arena);
    }
    freeifaddrs(all);
    return r;
}

static struct mln_result collect_names(struct daemon *d)
{
    char host[256] = "localhost";
    struct mln_str name;
    MLN_TRY(split_address(d->options->listen, &d->address, &d->port));
    gethostname(host, sizeof host - 1);
    MLN_TRY_STR(d->arena, name, mln_str_lower(d->arena, mln_str_c(host)));
    MLN_TRY(add_name(d, name));
    MLN_TRY(add_name(d, MLN_S("localhost")));
    MLN_TRY(add_name(d, MLN_S("127.0.0.1")));
    MLN_TRY(add_name(d, MLN_S("::1")));
    MLN_TRY(is_wildcard(d->address) ? add_interfaces(d) : add_name(d, d->address));
    for (size_t i = 0; i < d->options->names.n; i++)
        MLN_TRY(add_name(d, d->options->names.at[i]));
    return MLN_OK;
}

static struct mln_result make_base_url(struct daemon *d, uint16_t port)
{
    struct mln_str host = is_wildcard(d->address) ? d->names[0] : d->address;
    bool v6 = mln_str_find(host, MLN_S(":"), 0) != SIZE_MAX;
    MLN_TRY_STR(d->arena, d->api.base_url,
                mln_str_printf(d->arena, "https://%s%.*s%s:%u", v6 ? "[" : "", MLN_FMT(host), v6 ? "]" : "", port));
    return MLN_OK;
}

/* ---- the first administrator ---- */

static struct mln_result ensure_administrator(struct daemon *d)
{
    MLN_BUF_CLEANUP struct mln_buf password = MLN_BUF_SECRET(64);
    bool has;
    MLN_TRY(mln_home_has_principals(&d->home, &has));
    if (has)
        return MLN_OK;
    const char *path = mln_state_path(&d->home.state, d->arena, "initial-password");
    if (!path)
        return mln_arena_failure(d->arena);
    MLN_TRY(mln_home_new_password(&password));
    size_t n = password.n;
    MLN_TRY(mln_buf_byte(&password, '\n'));
    MLN_TRY(mln_file_write(path, mln_buf_str(&password), 0600)); /* first: a user whose password nobody knows is none */
    MLN_TRY(mln_home_set_administrator(&d->home, d->options->admin, mln_str_sub(mln_buf_str(&password), 0, n)));
    mln_log(INFO, "user '%.*s' was made; its password is in %s", MLN_FMT(d->options->admin), path);
    return MLN_OK;
}

/* ---- what happens by the clock and by signals ---- */

static void sweep_hosts(void *context)
{
    struct daemon *d = context;
    size_t changed = 0;
    if (!mln_ok(mln_hosts_sweep(d->engine.hosts, &changed)))
        mln_log(ERROR, "machines: %s", mln_error_text());
    else if (changed)
        mln_log(INFO, "%zu machines changed their connection status", changed);
}

static void sweep_signin(void *context)
{
    struct daemon *d = context;
    if (!mln_ok(mln_signin_sweep(d->home.signin, NULL)))
        mln_log(ERROR, "sign-in: %s", mln_error_text());
    /* Each change publishes itself; one that had no memory to do so is made good here. */
    if (!mln_ok(mln_principals_refresh(d->home.principals)) || !mln_ok(mln_rbac_refresh(d->home.rbac)))
        mln_log(ERROR, "principals and roles: %s", mln_error_text());
}

static void renew_keys(void *context)
{
    struct daemon *d = context;
    struct mln_jwt_keys *keys;
    struct mln_result r = mln_state_signing_keys(&d->home.state, d->home.clock, &keys);
    if (mln_ok(r))
        r = mln_tokens_use_keys(d->home.tokens, keys);
    if (!mln_ok(r))
        mln_log(ERROR, "signing keys: %s", mln_error_text());
}

static void tell_watchdog(void *context)
{
    (void)context;
    MLN_IGNORE(mln_notify(MLN_S("WATCHDOG=1")));
}

static void on_reload(void *context, int signal_number)
{
    (void)signal_number;
    struct daemon *d = context;
    mln_log(INFO, "loading the rules anew");
    if (!mln_ok(mln_engine_reload(d->options, &d->engine)))
        mln_log(ERROR, "the rules stay as they were: %s", mln_error_text());
}

static void on_stop(void *context, int signal_number)
{
    (void)signal_number;
    struct daemon *d = context;
    mln_loop_stop(d->loop);
}

static struct mln_result start_loop(struct daemon *d)
{
    int64_t watchdog_ms = mln_notify_watchdog_ms();
    MLN_TRY(mln_loop_new(&d->loop));
    MLN_TRY(mln_loop_add_signal(d->loop, SIGTERM, on_stop, d, NULL));
    MLN_TRY(mln_loop_add_signal(d->loop, SIGINT, on_stop, d, NULL));
    MLN_TRY(mln_loop_add_signal(d->loop, SIGHUP, on_reload, d, NULL));
    MLN_TRY(mln_loop_add_timer(d->loop, HOSTS_SWEEP_MS, HOSTS_SWEEP_MS, sweep_hosts, d, NULL));
    MLN_TRY(mln_loop_add_timer(d->loop, SIGNIN_SWEEP_MS, SIGNIN_SWEEP_MS, sweep_signin, d, NULL));
    MLN_TRY(mln_loop_add_timer(d->loop, KEYS_MS, KEYS_MS, renew_keys, d, NULL));
    return watchdog_ms ? mln_loop_add_timer(d->loop, watchdog_ms, watchdog_ms, tell_watchdog, d, NULL) : MLN_OK;
}

/* ---- starting ---- */

enum { LARGE_BLOCK_BYTES = 512 << 10 };

/* What a large request took goes back to the system with it. Left alone, the C library moves this limit up with the first
   large block that is freed, and each thread keeps the most it ever had. */
static void give_memory_back(void)
{
    mallopt(M_MMAP_THRESHOLD, LARGE_BLOCK_BYTES);
}

static void raise_descriptors(void)
{
    struct rlimit limit;
    if (!getrlimit(RLIMIT_NOFILE, &limit)) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static struct mln_result start_server(struct daemon *d)
{
    const struct mln_daemon_options *o = d->options;
    MLN_BUF_CLEANUP struct mln_buf certificate = MLN_BUF(256 << 10), key = MLN_BUF_SECRET(MLN_KEY_PEM_MAX_BYTES);
    uint64_t port;
    MLN_TRY(mln_str_to_u64(d->port, &port));
    if (port > 65535)
        return mln_fail(MLN_E_INVALID, "a port is at most 65535");
    MLN_TRY(mln_state_server_certificate(&d->home.state, d->home.clock, d->names, d->n_names, &certificate, &key));
    struct mln_server_setup setup = {.api = &d->api,
                                     .address = d->address,
                                     .port = (uint16_t)port,
                                     .certificate = mln_buf_str(&certificate),
                                     .key = mln_buf_str(&key),
                                     .client_authority = mln_buf_str(&d->home.state.ca_pem),
                                     .workers = o->workers,
                                     .max_connections = o->max_connections,
                                     .max_per_address = o->max_per_address,
                                     .receive_ms = (int64_t)o->receive_seconds * 1000};
    return mln_server_start(&setup, &d->server);
}

/* What the server needs of the machine from here on: its state, the rules, and what libraries read of the system. */
static struct mln_result fence(const struct mln_daemon_options *options)
{
    const char *const read[] = {options->content.p, "/etc", "/usr", "/lib", "/proc", "/sys", "/dev", NULL};
    const char *const write[] = {options->state.p, "/dev/null", NULL};
    const struct mln_sandbox_paths paths = {read, write};
    enum mln_sandbox_reach reach;
    MLN_TRY(mln_dir_ensure(options->state.p, 0700));
    MLN_TRY(mln_sandbox_fence(&paths, &reach));
#ifdef __SANITIZE_ADDRESS__
    mln_log(WARNING, "system calls are not filtered: the search for leaks traces the process when it ends");
    return MLN_OK;
#endif
    MLN_TRY(mln_sandbox_calls(MLN_SANDBOX_SERVER));
    mln_log(INFO, "system calls are filtered, files are fenced: %s", mln_sandbox_reach_word(reach));
    return MLN_OK;
}

static struct mln_result start(struct daemon *d)
{
    raise_descriptors();
    give_memory_back();
    MLN_TRY(collect_names(d));
    MLN_TRY(fence(d->options)); /* before threads start */
    MLN_TRY(start_loop(d));     /* before threads start: they must have the signals blocked */
    MLN_TRY(mln_home_open(d->options, &mln_system_clock, &d->home));
    MLN_TRY(ensure_administrator(d));
    MLN_TRY(mln_engine_open(d->options, &d->home, &d->engine));
    MLN_TRY(mln_operations_new(&d->operations));
    MLN_TRY(mln_router_new(mln_route_tables, mln_route_tables_count, &d->router));
    d->authority = mln_ca_cert(d->home.state.ca);
    d->api = (struct mln_api){.clock = d->home.clock,
                              .store = d->home.store,
                              .posture = d->engine.posture,
                              .rbac = d->home.rbac,
                              .activity = d->home.activity,
                              .signin = d->home.signin,
                              .hosts = d->engine.hosts,
                              .authorities = &d->authority,
                              .n_authorities = 1,
                              .operations = d->operations,
                              .router = d->router,
                              .tenant_id = mln_str_c(d->home.state.tenant_id),
                              .tenant_name = d->options->tenant_name,
                              .hosts_served = d->names,
                              .n_hosts_served = d->n_names};
    MLN_TRY(start_server(d));
    return make_base_url(d, mln_server_port(d->server));
}

static void stop(struct daemon *d)
{
    if (d->server)
        mln_server_stop(d->server, GRACE_MS);
    mln_router_free(d->router);
    mln_operations_free(d->operations);
    mln_engine_close(&d->engine);
    mln_home_close(&d->home);
    if (d->loop)
        mln_loop_free(d->loop);
    mln_arena_free(d->arena);
}

static struct mln_result serve(struct daemon *d)
{
    MLN_TRY(start(d));
    printf("ready %.*s\n", MLN_FMT(d->api.base_url));
    fflush(stdout);
    MLN_IGNORE(mln_notify(MLN_S("READY=1")));
    MLN_TRY(mln_loop_run(d->loop));
    MLN_IGNORE(mln_notify(MLN_S("STOPPING=1")));
    mln_log(INFO, "stopping");
    return MLN_OK;
}

struct mln_result mln_command_run(const struct mln_daemon_options *options)
{
    struct daemon d = {.options = options, .home = {.state = {.lock = -1}}, .arena = mln_arena_new(1 << 20)};
    struct mln_result r = d.arena ? serve(&d) : mln_fail(MLN_E_MEMORY, "no memory to start");
    char text[512];
    snprintf(text, sizeof text, "%s", mln_error_text()); /* closing may set another */
    stop(&d);
    return mln_ok(r) ? r : mln_fail(r.code, "%s", text);
}
