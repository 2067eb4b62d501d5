/* Recommendations by what they gain, and one of them with its findings and its fix. */
#include "merlon/output.h"
#include "merlon/session.h"

#define VERSION "2026-11-01"

static const struct mln_option list_options[] = {
    {"all", 'a', NULL, "also those that every resource passes", NULL, false},
    {"severity", 0, "LEVEL", "only this severity", "Low Medium High Critical", false},
};

static struct mln_result read_list(struct mln_session *session, struct mln_str scope, struct mln_json *list)
{
    struct mln_str path = mln_session_security_path(session, scope, VERSION, "recommendations");
    return path.p ? mln_session_list(session, path, list) : mln_fail(MLN_E_LIMIT, "no room for a path");
}

static bool wanted(const struct mln_invocation *in, const struct mln_json *properties)
{
    struct mln_str severity = mln_option_value(in, "severity");
    if (severity.p && !mln_str_eq_nocase(severity, mln_output_text(properties, "severity")))
        return false;
    return mln_option_given(in, "all") || mln_json_i64(mln_json_get(properties, MLN_S("unhealthyResourceCount")), 0) > 0;
}

static struct mln_result put_row(struct mln_invocation *in, struct mln_table *table, const struct mln_json *p)
{
    int64_t bad = mln_json_i64(mln_json_get(p, MLN_S("unhealthyResourceCount")), 0);
    int64_t good = mln_json_i64(mln_json_get(p, MLN_S("healthyResourceCount")), 0);
    double gain = mln_output_number(mln_json_get(p, MLN_S("potentialIncrease")), 0);
    struct mln_str points;
    MLN_TRY(mln_output_points(in, gain, &points));
    MLN_TRY(mln_table_cell(table, mln_output_text(p, "severity")));
    MLN_TRY(mln_table_cell(table, gain > 0 ? points : MLN_S("")));
    MLN_TRY(mln_table_cellf(table, "%lld of %lld", (long long)bad, (long long)(bad + good)));
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
    .arguments = "",
    .summary = "What to fix, by what it gains",
    .options = list_options,
    .n_options = sizeof list_options / sizeof *list_options,
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

static struct mln_result read_findings(struct mln_session *session, struct mln_str scope, struct mln_str key, struct mln_json *out)
{
    struct mln_str path = mln_session_security_path(session, scope, "2021-06-01", "assessments");
    struct mln_json all;
    struct mln_json_array mine = {0};
    struct mln_arena *arena = mln_session_arena(session);
    if (!path.p)
        return mln_fail(MLN_E_LIMIT, "no room for a path");
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
        struct mln_str id = mln_output_text(p, "resourceDetails.id");
        size_t slash = id.n;
        while (slash > 0 && id.p[slash - 1] != '/')
            slash--;
        MLN_TRY(mln_table_cell(&table, mln_output_text(p, "status.code")));
        MLN_TRY(mln_table_cell(&table, mln_output_text(p, "status.statusChangeDate")));
        MLN_TRY(mln_table_cell(&table, mln_str_sub(id, slash, id.n)));
        MLN_TRY(mln_table_cell(&table, mln_output_text(p, "status.description")));
    }
    return mln_table_end(&table);
}

static struct mln_result put_prose(struct mln_invocation *in, const struct mln_json *p)
{
    struct mln_str text;
    MLN_TRY(mln_output_clean(in, mln_output_text(p, "displayName"), &text));
    fprintf(in->out, "%.*s\n", MLN_FMT(text));
    fprintf(in->out, "%.*s, rule %.*s\n\n", MLN_FMT(mln_output_text(p, "severity")), MLN_FMT(mln_output_text(p, "ruleId")));
    MLN_TRY(mln_output_clean(in, mln_output_text(p, "description"), &text));
    fprintf(in->out, "%.*s\n\nHow to fix it: ", MLN_FMT(mln_str_trim(text)));
    MLN_TRY(mln_output_clean(in, mln_output_text(p, "remediationDescription"), &text));
    fprintf(in->out, "%.*s\n", MLN_FMT(mln_str_trim(text)));
    const struct mln_json *commands = mln_json_get(p, MLN_S("remediationCommands"));
    for (uint32_t i = 0; mln_json_is(commands, MLN_JSON_ARRAY) && i < commands->n; i++) {
        MLN_TRY(mln_output_clean(in, mln_json_str(&commands->items[i], MLN_S("")), &text));
        fprintf(in->out, "    %.*s\n", MLN_FMT(text));
    }
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
                                                            .least = 1,
                                                            .most = 1,
                                                            .run = run_show};
