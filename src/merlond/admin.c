/* Commands for the machine's administrator, on the state of a stopped server. */
#include "merlond/commands.h"
#include "merlond/engine.h"
#include "os/file.h"

enum { ARENA_BYTES = 4 << 20 };

/* The password of --password-file, or a new one. */
static struct mln_result choose_password(const struct mln_daemon_options *options, struct mln_buf *out)
{
    if (!options->password_file.n)
        return mln_home_new_password(out);
    MLN_TRY(mln_file_read(options->password_file.p, 0, out));
    size_t end = mln_str_find(mln_buf_str(out), MLN_S("\n"), 0);
    if (end != SIZE_MAX)
        out->n = end;
    return MLN_OK;
}

static struct mln_result set_password(const struct mln_daemon_options *options, struct mln_home *home)
{
    MLN_BUF_CLEANUP struct mln_buf password = MLN_BUF_SECRET(4096);
    MLN_TRY(choose_password(options, &password));
    MLN_TRY(mln_home_set_administrator(home, options->admin, mln_buf_str(&password)));
    printf("user: %.*s\n", MLN_FMT(options->admin));
    if (!options->password_file.n)
        printf("password: %.*s\n", MLN_FMT(mln_buf_str(&password)));
    return MLN_OK;
}

struct mln_result mln_command_init(const struct mln_daemon_options *options)
{
    MLN_HOME_CLEANUP struct mln_home home = {.state = {.lock = -1}};
    bool has;
    MLN_TRY(mln_home_open(options, &mln_system_clock, &home));
    MLN_TRY(mln_home_has_principals(&home, &has));
    if (has)
        return mln_fail(MLN_E_CONFLICT, "%s has its administrator; `merlond reset-password` gives a new password",
                        home.state.directory);
    MLN_TRY(set_password(options, &home));
    printf("tenant: %s\nsubscription: %s\nauthority: %s/ca.pem\n", home.state.tenant_id, home.state.subscription_id,
           home.state.directory);
    return MLN_OK;
}

static struct mln_result open_existing(const struct mln_daemon_options *options, struct mln_home *home)
{
    if (!mln_state_exists(options->state.p))
        return mln_fail(MLN_E_NOT_FOUND, "%s holds no server's state; `merlond init` makes one", options->state.p);
    return mln_home_open(options, &mln_system_clock, home);
}

struct mln_result mln_command_reset_password(const struct mln_daemon_options *options)
{
    MLN_HOME_CLEANUP struct mln_home home = {.state = {.lock = -1}};
    MLN_TRY(open_existing(options, &home));
    return set_password(options, &home);
}

static struct mln_result print_token(const struct mln_daemon_options *options, struct mln_home *home,
                                     struct mln_engine *engine)
{
    MLN_CLEANUP(mln_arena_free) struct mln_arena *arena = mln_arena_new(ARENA_BYTES);
    struct mln_enrolment_token wanted = {.uses = options->uses}, made;
    char secret[MLN_HOSTS_TOKEN_TEXT];
    if (!arena)
        return mln_fail(MLN_E_MEMORY, "no memory for the token");
    wanted.expires_ms = mln_now_ms(home->clock) + (int64_t)options->hours * 3600 * 1000;
    MLN_TRY_STR(arena, wanted.resource_group,
                mln_str_printf(arena, "/subscriptions/%s/resourceGroups/%.*s", home->state.subscription_id,
                               MLN_FMT(options->group)));
    MLN_TRY(mln_hosts_token_create(engine->hosts, &wanted, MLN_S("merlond, on this machine"), arena, secret, &made));
    printf("%s\n", secret);
    explicit_bzero(secret, sizeof secret);
    return MLN_OK;
}

struct mln_result mln_command_token(const struct mln_daemon_options *options)
{
    MLN_HOME_CLEANUP struct mln_home home = {.state = {.lock = -1}};
    struct mln_engine engine;
    MLN_TRY(open_existing(options, &home));
    MLN_TRY(mln_engine_open(options, &home, &engine));
    struct mln_result r = print_token(options, &home, &engine);
    mln_engine_close(&engine);
    return r;
}
