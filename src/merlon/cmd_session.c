/* Signing in and out, and the state of things at a glance. */
#include "merlon/output.h"
#include "merlon/session.h"

static const struct mln_option login_options[] = {
    {.name = "user", .letter = 'u', .value = "NAME", .help = "a user's name; the password is asked for"},
    {.name = "service-principal", .value = "ID", .help = "a service principal's client id; the secret is asked for"},
    {.name = "device-code", .help = "sign in with a browser on any machine"},
    {.name = "secret-file",
     .value = "FILE",
     .takes = MLN_TAKES_FILE,
     .help = "the password or secret, first line of a file; - is standard input"},
    {.name = "ca-fingerprint",
     .value = "SHA256",
     .help = "trust the authority with this fingerprint, and keep its certificate"},
};

static struct mln_result run_login(struct mln_invocation *in, enum mln_exit *exit_code)
{
    struct mln_str name;
    const struct mln_login login = {.user = mln_option_value(in, "user"),
                                    .service_principal = mln_option_value(in, "service-principal"),
                                    .device_code = mln_option_given(in, "device-code"),
                                    .secret_file = mln_option_value(in, "secret-file"),
                                    .ca_sha256 = mln_option_value(in, "ca-fingerprint")};
    (void)exit_code;
    if ((login.user.p != NULL) + (login.service_principal.p != NULL) + login.device_code != 1)
        return mln_misuse(in, "how? one of --user, --service-principal and --device-code");
    MLN_TRY(mln_session_login(in, &login, &name));
    return mln_output_done(in, "signedIn", name, "Signed in: ", "");
}

const struct mln_command mln_command_login = {
    .words = "login",
    .summary = "Sign in to a server",
    .kind = MLN_ONLINE,
    .details = "Examples:\n  merlon login --server https://localhost:8443 --ca var/ca.pem --user admin\n"
               "  merlon login --server https://merlon.example --service-principal ID --secret-file secret.txt",
    MLN_OPTIONS(login_options),
    .run = run_login};

static struct mln_result run_logout(struct mln_invocation *in, enum mln_exit *exit_code)
{
    struct mln_str name;
    (void)exit_code;
    MLN_TRY(mln_session_logout(in, &name));
    return mln_output_done(in, "signedOut", name, "Signed out: ", "");
}

const struct mln_command mln_command_logout = {
    .words = "logout", .summary = "Forget the sign-in", .kind = MLN_OFFLINE, .run = run_logout};

static double share_of(const struct mln_json *score)
{
    return 100 * mln_output_number(mln_json_path(score, "properties.score.percentage"), 0);
}

static struct mln_result run_status(struct mln_invocation *in, enum mln_exit *exit_code)
{
    MLN_CLEANUP(mln_session_close) struct mln_session *session = NULL;
    const struct mln_json *score;
    struct mln_json machines;
    struct mln_str scope, path;
    int64_t connected = 0;
    (void)exit_code;
    MLN_TRY(mln_session_open(in, &session));
    MLN_TRY(mln_session_subscription(session, &scope));
    MLN_TRY(mln_session_security_path(session, scope, "2020-01-01", &path, "secureScores/ascScore"));
    MLN_TRY(mln_session_get(session, path, &score));
    MLN_TRY_STR(in->arena, path,
                mln_str_printf(in->arena,
                               "%.*s/resources?api-version=2021-04-01&$filter=resourceType%%20eq%%20'Microsoft."
                               "HybridCompute%%2Fmachines'&$expand=properties",
                               MLN_FMT(scope)));
    MLN_TRY(mln_session_list(session, path, &machines));
    for (uint32_t i = 0; i < machines.n; i++)
        connected += mln_str_eq(mln_output_text(&machines.items[i], "properties.status"), MLN_S("Connected"));
    if (mln_option_given(in, "json")) {
        struct mln_json_object object = {0};
        MLN_TRY(mln_json_add(in->arena, &object, MLN_S("server"), mln_json_of_str(mln_session_server(session))));
        MLN_TRY(mln_json_add(in->arena, &object, MLN_S("user"), mln_json_of_str(mln_session_user(session))));
        MLN_TRY(mln_json_add(in->arena, &object, MLN_S("subscription"), mln_json_of_str(scope)));
        MLN_TRY(mln_json_add(in->arena, &object, MLN_S("secureScore"), *score));
        MLN_TRY(mln_json_add(in->arena, &object, MLN_S("machines"), mln_json_of_i64(machines.n)));
        MLN_TRY(mln_json_add(in->arena, &object, MLN_S("machinesConnected"), mln_json_of_i64(connected)));
        struct mln_json json = mln_json_object_done(&object);
        return mln_output_json(in, &json);
    }
    return mln_output_printf(
        in,
        "Server        %.*s\nSigned in as  %.*s\nSubscription  %.*s\n"
        "Secure score  %.1f %% (%.2f of %lld points)\nMachines      %u enrolled, %lld connected\n",
        MLN_FMT(mln_session_server(session)), MLN_FMT(mln_session_user(session)), MLN_FMT(mln_output_name(scope)),
        share_of(score), mln_output_number(mln_json_path(score, "properties.score.current"), 0),
        (long long)mln_json_i64(mln_json_path(score, "properties.score.max"), 0), machines.n, (long long)connected);
}

const struct mln_command mln_command_status = {.words = "status",
                                               .summary = "The server, the score and the machines at a glance",
                                               .kind = MLN_ONLINE | MLN_IN_SUBSCRIPTION,
                                               .run = run_status};
