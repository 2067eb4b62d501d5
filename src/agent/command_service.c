/* The commands of the service: enroll, run, status, unenroll; and link, which the keeper starts. */
#include "agent/commands.h"

#include "agent/keeper.h"
#include "agent/link.h"
#include "agent/sender.h"
#include "base/log.h"
#include "os/file.h"
#include "os/process.h"
#include "os/sandbox.h"

#include <errno.h>
#include <stdio.h>
#include <sys/utsname.h>
#include <unistd.h>

/* ---- enroll ---- */

/* The directory belongs to the account under which the link runs, once it is enrolled. */
static struct mln_result hand_over(const struct mln_agent_options *options)
{
    uid_t uid;
    gid_t gid;
    if (geteuid() != 0)
        return MLN_OK;
    if (options->user)
        MLN_TRY(mln_sandbox_account(options->user, &uid, &gid));
    else if (!mln_ok(mln_sandbox_account(MLN_AGENT_USER, &uid, &gid)))
        MLN_TRY(mln_sandbox_account("nobody", &uid, &gid));
    return mln_state_give_to(options->state, uid, gid);
}

static struct mln_result make_state_directory(const char *directory)
{
    struct stat st;
    if (stat(directory, &st) == 0 && S_ISDIR(st.st_mode) && geteuid() == 0 && st.st_uid != 0 &&
        lchown(directory, 0, 0) != 0) /* from an enrolment before this one */
        return mln_fail_errno(errno, "%s", directory);
    return mln_dir_ensure(directory, 0700);
}

struct mln_result mln_command_enroll(struct mln_invocation *in, enum mln_exit *exit_code)
{
    const struct mln_agent_options *options = in->context;
    (void)exit_code;
    MLN_CLEANUP(mln_arena_free) struct mln_arena *arena = mln_arena_new(4 << 20);
    struct mln_agent_config made;
    struct utsname host = {0};
    const char *token = options->token ? options->token : getenv("MERLON_ENROLMENT_TOKEN");
    if (!arena)
        return mln_fail(MLN_E_MEMORY, "no memory for an enrolment");
    if (!options->server || !token)
        return mln_misuse(in, "enroll needs --server and --token");
    if (options->ca_file && options->ca_fingerprint)
        return mln_misuse(in, "--ca and --ca-fingerprint: one of them");
    if (!options->name && uname(&host) != 0)
        return mln_fail_errno(errno, "the host's name");
    struct mln_str server = mln_str_c(options->server);
    while (server.n && server.p[server.n - 1] == '/')
        server.n--;
    if (!mln_str_starts_nocase(server, MLN_S("https://")))
        return mln_misuse(in, "--server: https://host[:port]");
    struct mln_enrolment enrolment = {.server = server,
                                      .token = mln_str_c(token),
                                      .ca_file = mln_str_c(options->ca_file),
                                      .ca_fingerprint = mln_str_c(options->ca_fingerprint),
                                      .proxy = mln_str_c(options->proxy),
                                      .name = mln_str_c(options->name ? options->name : host.nodename)};
    MLN_TRY(make_state_directory(options->state));
    struct mln_result r = mln_sender_enroll(options->state, &enrolment, &made, arena);
    if (r.code == MLN_E_CONFLICT || mln_ok(r)) {
        struct mln_result given = hand_over(options);
        if (mln_ok(r))
            MLN_TRY(given);
    }
    MLN_TRY(r);
    printf("enrolled as %.*s\n", MLN_FMT(made.resource_id));
    return MLN_OK;
}

/* ---- unenroll ---- */

static struct mln_result forget(const char *directory)
{
    static const char *const names[] = {MLN_STATE_CONFIG, MLN_STATE_IDENTITY, MLN_STATE_PENDING,
                                        MLN_STATE_CA,     MLN_STATE_ACKED,    MLN_STATE_STATUS};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        MLN_TRY(mln_state_remove(directory, names[i]));
    return MLN_OK;
}

/* A server that refuses the machine anyway has nothing to be told. */
struct mln_result mln_command_unenroll(struct mln_invocation *in, enum mln_exit *exit_code)
{
    const struct mln_agent_options *options = in->context;
    (void)exit_code;
    MLN_CLEANUP(mln_sender_close) struct mln_sender *sender = NULL;
    MLN_TRY(mln_sender_open(options->state, &mln_system_clock, &sender));
    struct mln_result r = mln_sender_unenroll(sender);
    if (r.code != MLN_E_UNAUTHENTICATED)
        MLN_TRY(r);
    return forget(options->state);
}

/* ---- status ---- */

struct mln_result mln_command_status(struct mln_invocation *in, enum mln_exit *exit_code)
{
    const struct mln_agent_options *options = in->context;
    (void)exit_code;
    MLN_BUF_CLEANUP struct mln_buf text = MLN_BUF(64 << 10);
    MLN_CLEANUP(mln_arena_free) struct mln_arena *arena = mln_arena_new(1 << 20);
    static const char *const shown[] = {"server", "resourceId", "lastContact", "problem", "certificateEnds", "written"};
    struct mln_agent_config config;
    const struct mln_json *json;
    if (!arena)
        return mln_fail(MLN_E_MEMORY, "no memory for the status");
    MLN_TRY(mln_state_config(options->state, arena, &config));
    struct mln_result r = mln_state_read(options->state, MLN_STATE_STATUS, &text);
    if (r.code == MLN_E_NOT_FOUND) {
        printf("enrolled as %.*s, has not run yet\n", MLN_FMT(config.resource_id));
        return MLN_OK;
    }
    MLN_TRY(r);
    if (options->json) {
        printf("%s", text.p);
        return MLN_OK;
    }
    MLN_TRY(mln_json_parse(arena, mln_buf_str(&text), text.n, &json));
    printf("%-16s %s\n", "connected", mln_json_bool(mln_json_get(json, MLN_S("connected")), false) ? "yes" : "no");
    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++) {
        struct mln_str value = mln_json_str(mln_json_get(json, mln_str_c(shown[i])), (struct mln_str){NULL, 0});
        if (value.p)
            printf("%-16s %.*s\n", shown[i], MLN_FMT(value));
    }
    return MLN_OK;
}

/* ---- the service ---- */

struct mln_result mln_command_run(struct mln_invocation *in, enum mln_exit *exit_code)
{
    const struct mln_agent_options *options = in->context;
    (void)exit_code;
    return mln_keeper_run(
        &(struct mln_keeper_setup){.root = options->root, .state_directory = options->state, .user = options->user});
}

struct mln_result mln_command_link(struct mln_invocation *in, enum mln_exit *exit_code)
{
    const struct mln_agent_options *options = in->context;
    *exit_code = mln_link_main(options->state, MLN_CHILD_SOCKET) == 0 ? MLN_EXIT_OK : MLN_EXIT_FAILED;
    return MLN_OK;
}
