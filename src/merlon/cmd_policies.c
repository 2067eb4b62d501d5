/* The rules that the server works with. */
#include "merlon/output.h"
#include "merlon/session.h"

#define VERSION "2021-06-01"

static struct mln_result read_all(struct mln_session *session, struct mln_json *list)
{
    struct mln_str scope, path;
    MLN_TRY(mln_session_subscription(session, &scope));
    MLN_TRY(mln_session_security_path(session, scope, VERSION, &path, "assessmentMetadata"));
    return mln_session_list(session, path, list);
}

static struct mln_result run_list(struct mln_invocation *in, enum mln_exit *exit_code)
{
    static const char *const heads[] = {"Severity", "Kind", "Rule", "Title", NULL};
    MLN_CLEANUP(mln_session_close) struct mln_session *session = NULL;
    struct mln_json list;
    struct mln_table table;
    (void)exit_code;
    MLN_TRY(mln_session_open(in, &session));
    MLN_TRY(read_all(session, &list));
    if (mln_option_given(in, "json"))
        return mln_output_json(in, &list);
    mln_table_begin(&table, in, heads);
    for (uint32_t i = 0; i < list.n; i++) {
        const struct mln_json *item = &list.items[i];
        struct mln_str rule = mln_output_text(item, "properties.ruleId");
        MLN_TRY(mln_table_cell(&table, mln_output_text(item, "properties.severity")));
        MLN_TRY(mln_table_cell(&table, mln_output_text(item, "properties.assessmentType")));
        MLN_TRY(mln_table_cell(&table, rule.n ? rule : mln_output_text(item, "name")));
        MLN_TRY(mln_table_cell(&table, mln_output_text(item, "properties.displayName")));
    }
    return mln_table_end(&table);
}

const struct mln_command mln_command_policies = {.words = "policies",
                                                 .summary = "The rules that the server works with",
                                                 .kind = MLN_ONLINE | MLN_IN_SUBSCRIPTION,
                                                 .run = run_list};

static struct mln_result run_show(struct mln_invocation *in, enum mln_exit *exit_code)
{
    MLN_CLEANUP(mln_session_close) struct mln_session *session = NULL;
    struct mln_json list;
    (void)exit_code;
    MLN_TRY(mln_session_open(in, &session));
    MLN_TRY(read_all(session, &list));
    for (uint32_t i = 0; i < list.n; i++)
        if (mln_str_eq_nocase(mln_output_text(&list.items[i], "name"), in->arguments[0]) ||
            mln_str_eq_nocase(mln_output_text(&list.items[i], "properties.ruleId"), in->arguments[0]))
            return mln_output_json(in, &list.items[i]);
    return mln_fail(MLN_E_NOT_FOUND, "there is no rule '%.*s'; 'merlon policies' lists them",
                    MLN_FMT(in->arguments[0]));
}

const struct mln_command mln_command_policy_show = {.words = "policy show",
                                                    .arguments = "RULE",
                                                    .summary = "One rule, as JSON",
                                                    .kind = MLN_ONLINE | MLN_IN_SUBSCRIPTION,
                                                    .least = 1,
                                                    .most = 1,
                                                    .run = run_show};
