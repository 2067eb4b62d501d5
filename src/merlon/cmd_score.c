/* The secure score: by control, with its causes, as of a past moment, after fixes, and the way to a wished one. */
#include "merlon/output.h"
#include "merlon/session.h"

#include "json/writer.h"

#define OWN_VERSION "2026-11-01"
#define VERSION "2020-01-01"

static const struct mln_option score_options[] = {
    {.name = "explain", .letter = 'e', .help = "the last changes of the score, with their causes"},
    {.name = "what-if",
     .letter = 'w',
     .value = "RULE[@RESOURCE]",
     .help = "the score if this were fixed, everywhere or on one resource",
     .many = true},
    {.name = "plan",
     .letter = 'p',
     .value = "PERCENT",
     .takes = MLN_TAKES_NUMBER,
     .most = 100,
     .help = "the shortest list of fixes found that reaches this score"},
    {.name = "as-of",
     .value = "TIME",
     .takes = MLN_TAKES_TIME,
     .help = "as it was at this time (2026-11-24T14:05:00Z)"},
    {.name = "limit",
     .letter = 'n',
     .value = "COUNT",
     .takes = MLN_TAKES_NUMBER,
     .least = 1,
     .most = 1000,
     .otherwise = "10",
     .help = "with --explain: how many changes"},
};

struct score_view {
    struct mln_invocation *in;
    struct mln_session *session;
    struct mln_str scope;
};

static struct mln_result put_controls(struct score_view *v, const struct mln_json *controls)
{
    static const char *const heads[] = {"Control",    ">Points", ">Max",     ">Healthy",
                                        ">Unhealthy", ">N/A",    ">To gain", NULL};
    struct mln_table table;
    mln_table_begin(&table, v->in, heads);
    for (uint32_t i = 0; i < controls->n; i++) {
        const struct mln_json *p = mln_json_get(&controls->items[i], MLN_S("properties"));
        bool counted = mln_json_bool(mln_json_get(p, MLN_S("counted")), false);
        double gain = mln_output_number(mln_json_get(p, MLN_S("potentialIncrease")), 0);
        struct mln_str text;
        MLN_TRY(mln_table_cell(&table, mln_output_text(p, "displayName")));
        MLN_TRY(mln_output_points(v->in, mln_output_number(mln_json_path(p, "score.current"), 0), &text));
        MLN_TRY(mln_table_cell(&table, counted ? text : MLN_S("-")));
        MLN_TRY(mln_table_number(&table, mln_json_i64(mln_json_path(p, "score.max"), 0)));
        MLN_TRY(mln_table_number(&table, mln_json_i64(mln_json_get(p, MLN_S("healthyResourceCount")), 0)));
        MLN_TRY(mln_table_number(&table, mln_json_i64(mln_json_get(p, MLN_S("unhealthyResourceCount")), 0)));
        MLN_TRY(mln_table_number(&table, mln_json_i64(mln_json_get(p, MLN_S("notApplicableResourceCount")), 0)));
        MLN_TRY(mln_output_points(v->in, gain, &text));
        MLN_TRY(mln_table_cell(&table, gain > 0 ? text : MLN_S("")));
    }
    return mln_table_end(&table);
}

static void put_headline(const struct score_view *v, const char *label, const struct mln_json *score)
{
    fprintf(v->in->out, "%s%.1f %%  (%.2f of %lld points)\n", label,
            100 * mln_output_number(mln_json_get(score, MLN_S("percentage")), 0),
            mln_output_number(mln_json_get(score, MLN_S("current")), 0),
            (long long)mln_json_i64(mln_json_get(score, MLN_S("max")), 0));
}

/* The controls; suffix: a query of the call, such as "?$asOf=...". */
static struct mln_result read_controls(struct score_view *v, struct mln_str suffix, struct mln_json *out)
{
    struct mln_str path;
    MLN_TRY(
        mln_session_security_path(v->session, v->scope, VERSION, &path, "secureScoreControls%.*s", MLN_FMT(suffix)));
    return mln_session_list(v->session, path, out);
}

static struct mln_result now_or_then(struct score_view *v)
{
    const struct mln_json *score;
    struct mln_json controls;
    struct mln_str path, when = mln_option_value(v->in, "as-of"), suffix = MLN_S("");
    if (when.p) {
        MLN_TRY(mln_session_escape(v->session, when, &when));
        MLN_TRY_STR(v->in->arena, suffix, mln_str_printf(v->in->arena, "?$asOf=%.*s", MLN_FMT(when)));
    }
    MLN_TRY(
        mln_session_security_path(v->session, v->scope, VERSION, &path, "secureScores/ascScore%.*s", MLN_FMT(suffix)));
    MLN_TRY(mln_session_get(v->session, path, &score));
    MLN_TRY(read_controls(v, suffix, &controls));
    if (mln_option_given(v->in, "json")) {
        struct mln_json_object object = {0};
        MLN_TRY(mln_json_add(v->in->arena, &object, MLN_S("secureScore"), *score));
        MLN_TRY(mln_json_add(v->in->arena, &object, MLN_S("controls"), controls));
        struct mln_json json = mln_json_object_done(&object);
        return mln_output_json(v->in, &json);
    }
    put_headline(v, "Secure score  ", mln_json_path(score, "properties.score"));
    fputc('\n', v->in->out);
    return put_controls(v, &controls);
}

/* The name of a control, by its id. */
static struct mln_str control_name(const struct mln_json *controls, struct mln_str id)
{
    for (uint32_t i = 0; i < controls->n; i++)
        if (mln_str_eq_nocase(mln_output_text(&controls->items[i], "name"), id))
            return mln_output_text(&controls->items[i], "properties.displayName");
    return id;
}

static struct mln_result put_cause(const struct score_view *v, const struct mln_json *cause,
                                   const struct mln_json *controls)
{
    struct mln_str points, from = mln_output_text(cause, "from"), to = mln_output_text(cause, "to");
    struct mln_str resource = mln_output_name(mln_output_text(cause, "resourceId"));
    struct mln_str rule = mln_output_text(cause, "ruleId");
    struct mln_str control = control_name(controls, mln_output_text(cause, "control"));
    bool moved = from.n || to.n;
    MLN_TRY(mln_output_points(v->in, mln_output_number(mln_json_get(cause, MLN_S("points")), 0), &points));
    return mln_output_printf(v->in, "    %8.*s  %.*s  %.*s%s%.*s%s%.*s%s%.*s%s%.*s\n", MLN_FMT(points),
                             MLN_FMT(mln_output_text(cause, "kind")), MLN_FMT(control), resource.n ? "  " : "",
                             MLN_FMT(resource), rule.n ? "  " : "", MLN_FMT(rule), moved ? ": " : "", MLN_FMT(from),
                             moved ? " -> " : "", MLN_FMT(to));
}

static struct mln_result explain(struct score_view *v)
{
    struct mln_json changes, controls;
    struct mln_str path;
    MLN_TRY(mln_session_security_path(v->session, v->scope, OWN_VERSION, &path,
                                      "secureScores/ascScore/changes?$top=%lld",
                                      (long long)mln_option_number(v->in, "limit", 10)));
    MLN_TRY(mln_session_list(v->session, path, &changes));
    if (mln_option_given(v->in, "json"))
        return mln_output_json(v->in, &changes);
    MLN_TRY(read_controls(v, MLN_S(""), &controls));
    for (uint32_t i = 0; i < changes.n; i++) {
        const struct mln_json *change = &changes.items[i], *causes = mln_json_get(change, MLN_S("causes"));
        double before = mln_output_number(mln_json_path(change, "before.current"), 0);
        double after = mln_output_number(mln_json_path(change, "after.current"), 0);
        MLN_TRY(mln_output_printf(v->in, "%.*s  %.2f -> %.2f points (%+.2f)\n",
                                  MLN_FMT(mln_output_text(change, "time")), before, after, after - before));
        for (uint32_t c = 0; mln_json_is(causes, MLN_JSON_ARRAY) && c < causes->n; c++)
            MLN_TRY(put_cause(v, &causes->items[c], &controls));
    }
    if (changes.n == 0)
        fprintf(v->in->out, "The score has not changed yet.\n");
    return MLN_OK;
}

static struct mln_result post(struct score_view *v, const char *action, const struct mln_json *body,
                              const struct mln_json **answer)
{
    struct mln_str path;
    MLN_BUF_CLEANUP struct mln_buf text = MLN_BUF(1 << 20);
    MLN_TRY(mln_json_write(&text, body, false));
    MLN_TRY(mln_session_security_path(v->session, v->scope, OWN_VERSION, &path, "secureScores/ascScore/%s", action));
    return mln_session_call(v->session, "POST", path, mln_buf_str(&text), answer);
}

/* RULE or RULE@RESOURCE, where the resource is a whole id. */
static struct mln_result add_fix(struct score_view *v, struct mln_str text, struct mln_json_array *fixes)
{
    struct mln_json_object fix = {0};
    struct mln_str rest = text, rule;
    mln_str_cut(&rest, '@', &rule);
    MLN_TRY(mln_json_add(v->in->arena, &fix, MLN_S("assessmentKey"), mln_json_of_str(rule)));
    if (rest.p)
        MLN_TRY(mln_json_add(v->in->arena, &fix, MLN_S("resourceId"), mln_json_of_str(rest)));
    return mln_json_append(v->in->arena, fixes, mln_json_object_done(&fix));
}

static struct mln_result what_if(struct score_view *v)
{
    struct mln_json_array fixes = {0};
    struct mln_json_object body = {0};
    const struct mln_json *answer;
    for (size_t i = 0; i < v->in->n_given; i++)
        if (strcmp(v->in->given[i].option->name, "what-if") == 0)
            MLN_TRY(add_fix(v, v->in->given[i].value, &fixes));
    MLN_TRY(mln_json_add(v->in->arena, &body, MLN_S("fixes"), mln_json_array_done(&fixes)));
    struct mln_json json = mln_json_object_done(&body);
    MLN_TRY(post(v, "whatIf", &json, &answer));
    if (mln_option_given(v->in, "json"))
        return mln_output_json(v->in, answer);
    put_headline(v, "Now    ", mln_json_path(answer, "before.score"));
    put_headline(v, "After  ", mln_json_path(answer, "after.score"));
    return MLN_OK;
}

static struct mln_result plan(struct score_view *v, int64_t percent)
{
    struct mln_json_object body = {0};
    const struct mln_json *answer;
    MLN_TRY(mln_json_add(v->in->arena, &body, MLN_S("percentage"), mln_json_of_real((double)percent / 100)));
    struct mln_json json = mln_json_object_done(&body);
    MLN_TRY(post(v, "plan", &json, &answer));
    if (mln_option_given(v->in, "json"))
        return mln_output_json(v->in, answer);
    const struct mln_json *fixes = mln_json_get(answer, MLN_S("fixes"));
    for (uint32_t i = 0; mln_json_is(fixes, MLN_JSON_ARRAY) && i < fixes->n; i++)
        MLN_TRY(
            mln_output_printf(v->in, "%2u. %.*s\n", i + 1, MLN_FMT(mln_output_text(&fixes->items[i], "displayName"))));
    put_headline(v, "Then  ", mln_json_path(answer, "after.score"));
    if (100 * mln_output_number(mln_json_path(answer, "after.score.percentage"), 0) < (double)percent)
        fprintf(v->in->out, "No further fix is known: %lld %% is out of reach.\n", (long long)percent);
    return MLN_OK;
}

/* What of the options that each ask for a view of its own was given; NULL: none. Two of them are one too many. */
static struct mln_result choose_view(struct mln_invocation *in, const char **out)
{
    static const char *const views[] = {"explain", "what-if", "plan", "as-of"};
    *out = NULL;
    for (size_t i = 0; i < sizeof views / sizeof *views; i++) {
        if (!mln_option_given(in, views[i]))
            continue;
        if (*out)
            return mln_misuse(in, "--%s and --%s do not go together", *out, views[i]);
        *out = views[i];
    }
    return MLN_OK;
}

static struct mln_result run_score(struct mln_invocation *in, enum mln_exit *exit_code)
{
    MLN_CLEANUP(mln_session_close) struct mln_session *session = NULL;
    struct score_view v = {.in = in};
    const char *view;
    (void)exit_code;
    MLN_TRY(choose_view(in, &view));
    MLN_TRY(mln_session_open(in, &session));
    v.session = session;
    MLN_TRY(mln_session_subscription(session, &v.scope));
    if (!view || strcmp(view, "as-of") == 0)
        return now_or_then(&v);
    if (strcmp(view, "what-if") == 0)
        return what_if(&v);
    return strcmp(view, "plan") == 0 ? plan(&v, mln_option_number(in, "plan", 0)) : explain(&v);
}

const struct mln_command mln_command_score = {
    .words = "score",
    .summary = "The secure score, by control",
    .kind = MLN_ONLINE | MLN_IN_SUBSCRIPTION,
    .details = "Examples:\n  merlon score --explain\n  merlon score --what-if linux-ssh-root-login --what-if "
               "linux-firewall-active\n"
               "  merlon score --plan 80\n  merlon score --as-of 2026-11-01T00:00:00Z\n\n"
               "A RESOURCE is a whole id, as 'merlon resources' shows it.",
    MLN_OPTIONS(score_options),
    .run = run_score};
