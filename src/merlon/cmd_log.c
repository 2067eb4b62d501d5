/* The activity log: who did what, and whether anybody has tampered with the record. */
#include "merlon/output.h"
#include "merlon/session.h"

#include "base/time.h"

enum { MINUTE_MS = 60000, DAY_MS = 86400000, DEFAULT_DAYS = 7 };

static const struct mln_option list_options[] = {
    {.name = "from", .value = "TIME", .takes = MLN_TAKES_TIME, .help = "entries from this time on (7 days ago)"},
    {.name = "to", .value = "TIME", .takes = MLN_TAKES_TIME, .help = "entries before this time (now)"},
};

static struct mln_result read_entries(struct mln_session *session, struct mln_invocation *in, struct mln_json *list)
{
    char from[MLN_TIME_TEXT], to[MLN_TIME_TEXT];
    struct mln_str scope, filter, path;
    int64_t now = mln_now_ms(&mln_system_clock);
    mln_time_text(mln_option_time(in, "from", now - (int64_t)DEFAULT_DAYS * DAY_MS), from);
    mln_time_text(mln_option_time(in, "to", now + MINUTE_MS), to); /* the server's clock may be a little ahead */
    MLN_TRY(mln_session_subscription(session, &scope));
    MLN_TRY_STR(in->arena, filter,
                mln_str_printf(in->arena, "eventTimestamp ge '%s' and eventTimestamp le '%s'", from, to));
    MLN_TRY(mln_session_escape(session, filter, &filter));
    MLN_TRY_STR(in->arena, path,
                mln_str_printf(in->arena,
                               "%.*s/providers/Microsoft.Insights/eventtypes/management/values?api-version=2015-04-01"
                               "&$filter=%.*s",
                               MLN_FMT(scope), MLN_FMT(filter)));
    return mln_session_list(session, path, list);
}

static struct mln_result run_list(struct mln_invocation *in, enum mln_exit *exit_code)
{
    static const char *const heads[] = {"Time", "Who", "Status", "Action", "On", NULL};
    static const char *const members[] = {"eventTimestamp", "caller", "status.value", "operationName.value",
                                          "resourceId"};
    MLN_CLEANUP(mln_session_close) struct mln_session *session = NULL;
    struct mln_json list;
    (void)exit_code;
    MLN_TRY(mln_session_open(in, &session));
    MLN_TRY(read_entries(session, in, &list));
    return mln_output_list(in, &list, heads, members);
}

const struct mln_command mln_command_log_list = {.words = "log list",
                                                 .summary = "Who did what, newest first",
                                                 .kind = MLN_ONLINE | MLN_IN_SUBSCRIPTION,
                                                 MLN_OPTIONS(list_options),
                                                 .run = run_list};

static struct mln_result run_verify(struct mln_invocation *in, enum mln_exit *exit_code)
{
    MLN_CLEANUP(mln_session_close) struct mln_session *session = NULL;
    const struct mln_json *answer;
    MLN_TRY(mln_session_open(in, &session));
    MLN_TRY(mln_session_get(
        session, MLN_S("/providers/Microsoft.Security/activityLogVerifications/default?api-version=2026-01-01"),
        &answer));
    const struct mln_json *p = mln_json_get(answer, MLN_S("properties"));
    bool intact = mln_json_bool(mln_json_get(p, MLN_S("intact")), false);
    *exit_code = intact ? MLN_EXIT_OK : MLN_EXIT_FAILED;
    if (mln_option_given(in, "json"))
        return mln_output_json(in, p);
    long long checked = (long long)mln_json_i64(mln_json_get(p, MLN_S("entriesChecked")), 0);
    if (intact)
        return mln_output_printf(in, "The activity log is intact: %lld entr%s, the last one has the hash\n%.*s\n",
                                 checked, checked == 1 ? "y" : "ies", MLN_FMT(mln_output_text(p, "headHash")));
    return mln_output_printf(in,
                             "The activity log has been tampered with: entry %lld does not fit (%lld before it do).\n",
                             (long long)mln_json_i64(mln_json_get(p, MLN_S("firstBrokenEntry")), 0), checked);
}

const struct mln_command mln_command_log_verify = {
    .words = "log verify",
    .kind = MLN_ONLINE,
    .summary = "Check that the activity log has not been tampered with",
    .details = "Exit status 1 says that it has. Note the hash down elsewhere: a "
               "log that was cut off\nat its end shows by a hash that is no "
               "longer found.",
    .run = run_verify};
