/* Recommendations by what they gain, and one of them with its findings and its fix. */
#include "merlon/output.h"
#include "merlon/session.h"

#include "model/control.h"

#define VERSION "2026-11-01"

static const struct mln_option list_options[] = {
    {.name = "all", .letter = 'a', .help = "also those that every resource passes"},
    {.name = "severity", .value = "LEVEL", .help = "only this severity and above", .words = "Low Medium High Critical"},
};

static struct mln_result read_list(struct mln_session *session, struct mln_str scope, struct mln_json *list)
{
    struct mln_str path;
    MLN_TRY(mln_session_security_path(session, scope, VERSION, &path, "recommendations"));
    return mln_session_list(session, path, list);
}

static bool wanted(const struct mln_invocation *in, const struct mln_json *properties)
{
    struct mln_str least = mln_option_value(in, "severity");
    if (least.p && mln_word_index(mln_severity_words, mln_output_text(properties, "severity")) <
                       mln_word_index(mln_severity_words, least))
        return false;
    return mln_option_given(in, "all") ||
           mln_json_i64(mln_json_get(properties, MLN_S("unhealthyResourceCount")), 0) > 0;
}

/* What a fix gains by itself; in parentheses what it gains together with the rest of its controls; "" for nothing. */
static struct mln_result put_gain(struct mln_invocation *in, struct mln_table *table, const struct mln_json *p)
{
    double alone = mln_output_number(mln_json_get(p, MLN_S("potentialIncrease")), 0);
    double together = mln_output_number(mln_json_get(p, MLN_S("potentialShare")), 0);
    struct mln_str points;
    MLN_TRY(mln_output_points(in, alone > 0 ? alone : together, &points));
    if (alone <= 0)
        MLN_TRY_STR(in->arena, points,
                    together > 0 ? mln_str_printf(in->arena, "(%.*s)", MLN_FMT(points))
                                 : mln_str_dup(in->arena, MLN_S("")));
    return mln_table_cell(table, points);
}

static struct mln_result put_row(struct mln_invocation *in, struct mln_table *table, const struct mln_json *p)
{
    int64_t bad = mln_json_i64(mln_json_get(p, MLN_S("unhealthyResourceCount")), 0);
    int64_t good = mln_json_i64(mln_json_get(p, MLN_S("healthyResourceCount")), 0);
    struct mln_str failing;
    MLN_TRY(mln_table_cell(table, mln_output_text(p, "severity")));
    MLN_TRY(put_gain(in, table, p));
    MLN_TRY_STR(in->arena, failing, mln_str_printf(in->arena, "%lld of %lld", (long long)bad, (long long)(bad + good)));
    MLN_TRY(mln_table_cell(table, failing));
    MLN_TRY(mln_table_cell(table, mln_output_text(p, "ruleId")));
    return mln_table_cell(table, mln_output_text(p, "displayName"));
}

static struct mln_result run_list(struct mln_invocation *in, enum mln_exit *exit_code)
{
    static const char *const heads[] = {"Severity", ">To gain", ">Failing", "Rule", "Recommendation", NULL};
    MLN_CLEANUP(mln_session_close) struct mln_session *session = NULL;
    struct mln_json list;
    struct mln_json_array chosen = {0};
    struct mln_str scope;
    struct mln_table table;
    (void)exit_code;
    MLN_TRY(mln_session_open(in, &session));
    MLN_TRY(mln_session_subscription(session, &scope));
    MLN_TRY(read_list(session, scope, &list));
    mln_table_begin(&table, in, heads);
    for (uint32_t i = 0; i < list.n; i++) {
        const struct mln_json *p = mln_json_get(&list.items[i], MLN_S("properties"));
        if (!wanted(in, p))
            continue;
        MLN_TRY(mln_json_append(in->arena, &chosen, list.items[i]));
        MLN_TRY(put_row(in, &table, p));
    }
    struct mln_json json = mln_json_array_done(&chosen);
    return mln_option_given(in, "json") ? mln_output_json(in, &json) : mln_table_end(&table);
}

const struct mln_command mln_command_recommendations = {
    .words = "recommendations",
    .summary = "What to fix, by what it gains",
    .details = "Points in parentheses are gained only together with the other recommendations of the same control.",
    .kind = MLN_ONLINE | MLN_IN_SUBSCRIPTION,
    MLN_OPTIONS(list_options),
    .run = run_list};

/* ---- one of them ---- */

static const struct mln_json *find(const struct mln_json *list, struct mln_str name)
{
    for (uint32_t i = 0; i < list->n; i++)
        if (mln_str_eq_nocase(mln_output_text(&list->items[i], "name"), name) ||
            mln_str_eq_nocase(mln_output_text(&list->items[i], "properties.ruleId"), name))
            return &list->items[i];
    return NULL;
}

static struct mln_result read_findings(struct mln_session *session, struct mln_str scope, struct mln_str key,
                                       struct mln_json *out)
{
    struct mln_str path;
    struct mln_json all;
    struct mln_json_array mine = {0};
    struct mln_arena *arena = mln_session_arena(session);
    MLN_TRY(mln_session_security_path(session, scope, "2021-06-01", &path, "assessments"));
    MLN_TRY(mln_session_list(session, path, &all));
    for (uint32_t i = 0; i < all.n; i++)
        if (mln_str_eq_nocase(mln_output_text(&all.items[i], "name"), key))
            MLN_TRY(mln_json_append(arena, &mine, all.items[i]));
    *out = mln_json_array_done(&mine);
    return MLN_OK;
}

static struct mln_result put_findings(struct mln_invocation *in, const struct mln_json *findings)
{
    static const char *const heads[] = {"Status", "Since", "Resource", "Found", NULL};
    struct mln_table table;
    mln_table_begin(&table, in, heads);
    for (uint32_t i = 0; i < findings->n; i++) {
        const struct mln_json *p = mln_json_get(&findings->items[i], MLN_S("properties"));
        MLN_TRY(mln_table_cell(&table, mln_output_text(p, "status.code")));
        MLN_TRY(mln_table_cell(&table, mln_output_text(p, "status.statusChangeDate")));
        MLN_TRY(mln_table_cell(&table, mln_output_name(mln_output_text(p, "resourceDetails.id"))));
        MLN_TRY(mln_table_cell(&table, mln_output_text(p, "status.description")));
    }
    return mln_table_end(&table);
}

static struct mln_result put_prose(struct mln_invocation *in, const struct mln_json *p)
{
    const struct mln_json *commands = mln_json_get(p, MLN_S("remediationCommands"));
    MLN_TRY(mln_output_printf(in, "%.*s\n%.*s, rule %.*s\n\n%.*s\n\nHow to fix it: %.*s\n",
                              MLN_FMT(mln_output_text(p, "displayName")), MLN_FMT(mln_output_text(p, "severity")),
                              MLN_FMT(mln_output_text(p, "ruleId")),
                              MLN_FMT(mln_str_trim(mln_output_text(p, "description"))),
                              MLN_FMT(mln_str_trim(mln_output_text(p, "remediationDescription")))));
    for (uint32_t i = 0; mln_json_is(commands, MLN_JSON_ARRAY) && i < commands->n; i++)
        MLN_TRY(mln_output_printf(in, "    %.*s\n", MLN_FMT(mln_json_str(&commands->items[i], MLN_S("")))));
    fputc('\n', in->out);
    return MLN_OK;
}

static struct mln_result run_show(struct mln_invocation *in, enum mln_exit *exit_code)
{
    MLN_CLEANUP(mln_session_close) struct mln_session *session = NULL;
    struct mln_json list, findings;
    struct mln_str scope;
    (void)exit_code;
    MLN_TRY(mln_session_open(in, &session));
    MLN_TRY(mln_session_subscription(session, &scope));
    MLN_TRY(read_list(session, scope, &list));
    const struct mln_json *item = find(&list, in->arguments[0]);
    if (!item)
        return mln_fail(MLN_E_NOT_FOUND, "there is no recommendation '%.*s'; 'merlon recommendations --all' lists them",
                        MLN_FMT(in->arguments[0]));
    MLN_TRY(read_findings(session, scope, mln_output_text(item, "name"), &findings));
    if (mln_option_given(in, "json")) {
        struct mln_json_object object = {0};
        MLN_TRY(mln_json_add(in->arena, &object, MLN_S("recommendation"), *item));
        MLN_TRY(mln_json_add(in->arena, &object, MLN_S("assessments"), findings));
        struct mln_json json = mln_json_object_done(&object);
        return mln_output_json(in, &json);
    }
    MLN_TRY(put_prose(in, mln_json_get(item, MLN_S("properties"))));
    return put_findings(in, &findings);
}

const struct mln_command mln_command_recommendation_show = {.words = "recommendation show",
                                                            .arguments = "RULE",
                                                            .summary = "One recommendation: why, where, how to fix it",
                                                            .kind = MLN_ONLINE | MLN_IN_SUBSCRIPTION,
                                                            .least = 1,
                                                            .most = 1,
                                                            .run = run_show};
