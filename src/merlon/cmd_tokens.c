/* Enrolment tokens: what a machine needs once to join. */
#include "merlon/output.h"
#include "merlon/session.h"

#include "base/time.h"
#include "crypto/digest.h"
#include "json/writer.h"

#define VERSION "2026-01-01"
#define COLLECTION "enrolmentTokens"

enum { HOUR_MS = 3600000 };

static const struct mln_option create_options[] = {
    {.name = "group",
     .letter = 'g',
     .value = "NAME",
     .help = "the resource group that its machines join (the first one)"},
    {.name = "uses",
     .letter = 'n',
     .value = "COUNT",
     .takes = MLN_TAKES_NUMBER,
     .least = 1,
     .most = 10000,
     .otherwise = "1",
     .help = "how many machines may join with it"},
    {.name = "hours",
     .value = "HOURS",
     .takes = MLN_TAKES_NUMBER,
     .least = 1,
     .most = 24 * 365,
     .otherwise = "24",
     .help = "how long it is good for"},
    {.name = "description", .letter = 'd', .value = "TEXT", .help = "a note for people"},
};

/* The scope of --group, or of the subscription's first resource group. */
static struct mln_result group_scope(struct mln_session *session, struct mln_invocation *in, struct mln_str *out)
{
    struct mln_str scope, name = mln_option_value(in, "group"), path;
    struct mln_json groups;
    MLN_TRY(mln_session_subscription(session, &scope));
    if (!name.p) {
        MLN_TRY_STR(in->arena, path,
                    mln_str_printf(in->arena, "%.*s/resourcegroups?api-version=2021-04-01", MLN_FMT(scope)));
        MLN_TRY(mln_session_list(session, path, &groups));
        if (groups.n == 0)
            return mln_fail(MLN_E_NOT_FOUND, "the subscription has no resource group; 'az group create' makes one");
        name = mln_output_text(&groups.items[0], "name");
    }
    MLN_TRY(mln_session_escape(session, name, &name));
    MLN_TRY_STR(in->arena, *out, mln_str_printf(in->arena, "%.*s/resourceGroups/%.*s", MLN_FMT(scope), MLN_FMT(name)));
    return MLN_OK;
}

static struct mln_result run_create(struct mln_invocation *in, enum mln_exit *exit_code)
{
    MLN_CLEANUP(mln_session_close) struct mln_session *session = NULL;
    MLN_BUF_CLEANUP struct mln_buf body = MLN_BUF(1 << 16);
    const struct mln_json *answer;
    struct mln_str scope, path;
    char fingerprint[MLN_SHA256_HEX] = "";
    int64_t hours = mln_option_number(in, "hours", 24);
    (void)exit_code;
    MLN_TRY(mln_session_open(in, &session));
    MLN_TRY(group_scope(session, in, &scope));
    struct mln_json_writer w = mln_json_writer(&body);
    mln_json_begin_object(&w);
    mln_json_name(&w, MLN_S("properties"));
    mln_json_begin_object(&w);
    mln_json_member_i64(&w, "uses", mln_option_number(in, "uses", 1));
    mln_json_member_time(&w, "expiresTime", mln_now_ms(&mln_system_clock) + hours * HOUR_MS);
    mln_json_member_str(&w, "description", mln_option_value(in, "description"));
    mln_json_end_object(&w);
    mln_json_end_object(&w);
    MLN_TRY(mln_json_writer_end(&w));
    MLN_TRY(mln_session_security_path(session, scope, VERSION, &path, COLLECTION));
    MLN_TRY(mln_session_call(session, "POST", path, mln_buf_str(&body), &answer));
    if (mln_option_given(in, "json"))
        return mln_output_json(in, answer);
    MLN_TRY(mln_session_ca_fingerprint(session, fingerprint));
    MLN_TRY(mln_output_say(in,
                           "Shown this once. On the machine that is to join, as root:\n"
                           "  merlon-agent enroll --server %.*s%s%s --token TOKEN\n",
                           MLN_FMT(mln_session_server(session)), *fingerprint ? " --ca-fingerprint " : "",
                           fingerprint));
    return mln_output_printf(in, "%.*s\n", MLN_FMT(mln_output_text(answer, "properties.token")));
}

const struct mln_command mln_command_token_create = {.words = "token create",
                                                     .summary = "A token with which a machine joins; printed once",
                                                     .kind = MLN_ONLINE | MLN_IN_SUBSCRIPTION,
                                                     MLN_OPTIONS(create_options),
                                                     .run = run_create};

static struct mln_result read_tokens(struct mln_session *session, struct mln_json *list)
{
    struct mln_str scope, path;
    MLN_TRY(mln_session_subscription(session, &scope));
    MLN_TRY(mln_session_security_path(session, scope, VERSION, &path, COLLECTION));
    return mln_session_list(session, path, list);
}

static const char *state_of(const struct mln_json *p, int64_t now_ms)
{
    int64_t expires_ms = 0;
    MLN_IGNORE(mln_time_parse(mln_output_text(p, "expiresTime"), &expires_ms));
    if (mln_json_bool(mln_json_get(p, MLN_S("revoked")), false))
        return "revoked";
    if (expires_ms < now_ms)
        return "expired";
    bool used_up = mln_json_i64(mln_json_get(p, MLN_S("used")), 0) >= mln_json_i64(mln_json_get(p, MLN_S("uses")), 0);
    return used_up ? "used up" : "good";
}

static struct mln_result run_list(struct mln_invocation *in, enum mln_exit *exit_code)
{
    static const char *const heads[] = {"Id", "State", ">Used", ">Uses", "Expires", "Made by", "Description", NULL};
    MLN_CLEANUP(mln_session_close) struct mln_session *session = NULL;
    struct mln_json list;
    struct mln_table table;
    int64_t now_ms = mln_now_ms(&mln_system_clock);
    (void)exit_code;
    MLN_TRY(mln_session_open(in, &session));
    MLN_TRY(read_tokens(session, &list));
    if (mln_option_given(in, "json"))
        return mln_output_json(in, &list);
    mln_table_begin(&table, in, heads);
    for (uint32_t i = 0; i < list.n; i++) {
        const struct mln_json *p = mln_json_get(&list.items[i], MLN_S("properties"));
        MLN_TRY(mln_table_cell(&table, mln_output_text(&list.items[i], "name")));
        MLN_TRY(mln_table_cell(&table, mln_str_c(state_of(p, now_ms))));
        MLN_TRY(mln_table_number(&table, mln_json_i64(mln_json_get(p, MLN_S("used")), 0)));
        MLN_TRY(mln_table_number(&table, mln_json_i64(mln_json_get(p, MLN_S("uses")), 0)));
        MLN_TRY(mln_table_cell(&table, mln_output_text(p, "expiresTime")));
        MLN_TRY(mln_table_cell(&table, mln_output_text(p, "createdBy")));
        MLN_TRY(mln_table_cell(&table, mln_output_text(p, "description")));
    }
    return mln_table_end(&table);
}

const struct mln_command mln_command_tokens = {.words = "tokens",
                                               .summary = "The enrolment tokens there are",
                                               .kind = MLN_ONLINE | MLN_IN_SUBSCRIPTION,
                                               .run = run_list};

static struct mln_result run_revoke(struct mln_invocation *in, enum mln_exit *exit_code)
{
    MLN_CLEANUP(mln_session_close) struct mln_session *session = NULL;
    const struct mln_json *answer;
    struct mln_json list;
    (void)exit_code;
    MLN_TRY(mln_session_open(in, &session));
    MLN_TRY(read_tokens(session, &list));
    for (uint32_t i = 0; i < list.n; i++) {
        struct mln_str path;
        if (!mln_str_eq(mln_output_text(&list.items[i], "name"), in->arguments[0]))
            continue;
        MLN_TRY(mln_session_id_path(session, mln_output_text(&list.items[i], "id"), VERSION, &path));
        MLN_TRY(mln_session_call(session, "DELETE", path, (struct mln_str){NULL, 0}, &answer));
        return mln_output_done(in, "revoked", in->arguments[0], "Revoked ", "; machines that joined with it stay.");
    }
    return mln_fail(MLN_E_NOT_FOUND, "there is no token '%.*s'; 'merlon tokens' lists them", MLN_FMT(in->arguments[0]));
}

const struct mln_command mln_command_token_revoke = {.words = "token revoke",
                                                     .arguments = "ID",
                                                     .summary = "No more machines with this token",
                                                     .kind = MLN_ONLINE | MLN_IN_SUBSCRIPTION,
                                                     .least = 1,
                                                     .most = 1,
                                                     .run = run_revoke};
