/*
 * Secure scores, their controls and definitions, as Azure has them; and what Merlon adds to a score: as of a past moment
 * ($asOf), its changes with causes, what-if, a plan, recommendations. All figures come from posture/.
 */
#include "api/documents.h"
#include "api/items.h"
#include "api/pinned.h"

struct mln_result mln_request_as_of(const struct mln_request *request, int64_t *at_ms)
{
    struct mln_str text = mln_request_query(request, "$asOf");
    *at_ms = 0;
    if (!text.p)
        return MLN_OK;
    MLN_TRY(mln_time_parse(text, at_ms));
    if (*at_ms > request->now_ms || *at_ms <= 0)
        return mln_fail(MLN_E_INVALID, "$asOf must be a moment in the past");
    return MLN_OK;
}

static double points(mln_nanopoints n)
{
    return (double)n / MLN_NANOPOINTS_A_POINT;
}

static double share(mln_nanopoints part, mln_nanopoints whole)
{
    return whole ? (double)part / (double)whole : 0;
}

static void put_score(struct mln_json_writer *w, mln_nanopoints max, mln_nanopoints current)
{
    mln_json_name(w, MLN_S("score"));
    mln_json_begin_object(w);
    mln_json_member_i64(w, "max", max / MLN_NANOPOINTS_A_POINT);
    mln_json_member_real(w, "current", points(current));
    mln_json_member_real(w, "percentage", share(current, max));
    mln_json_end_object(w);
}

static struct mln_result read_score(struct mln_request *request, const struct mln_ruleset *rules,
                                    struct mln_posture_score *out)
{
    int64_t at_ms;
    MLN_TRY(mln_request_as_of(request, &at_ms));
    return mln_posture_score(request->api->posture, rules, request->subscription, at_ms, request->arena, out);
}

/* ---- secureScores ---- */

#define SCORE_NAME "ascScore"

static struct mln_result put_secure_score(struct mln_request *request, struct mln_json_writer *w,
                                          const struct mln_posture_score *score)
{
    struct mln_str id;
    MLN_TRY_STR(request->arena, id, mln_security_id(request, request->scope, "secureScores", MLN_S(SCORE_NAME)));
    mln_envelope_begin(w, id, MLN_S(SCORE_NAME), "Microsoft.Security/secureScores");
    mln_envelope_properties(w);
    mln_json_member_str(w, "displayName", MLN_S("ASC score"));
    put_score(w, score->scope.max, score->scope.current);
    mln_json_member_i64(w, "weight", score->scope.weight);
    mln_envelope_end(w);
    return MLN_OK;
}

struct mln_result mln_list_scores(struct mln_request *request, struct mln_reply *reply)
{
    MLN_PINNED struct mln_pinned_rules rules = mln_pin_rules(request);
    struct mln_posture_score score;
    MLN_TRY(read_score(request, rules.set, &score));
    MLN_TRY(put_secure_score(request, mln_reply_list_begin(reply), &score));
    return mln_reply_list_end(request, reply, (struct mln_str){NULL, 0});
}

/* There is one initiative, and with it one score a subscription. */
static struct mln_result check_score_name(const struct mln_request *request)
{
    struct mln_str name = mln_request_capture(request, "score");
    if (mln_str_eq_nocase(name, MLN_S(SCORE_NAME)))
        return MLN_OK;
    return mln_fail(MLN_E_NOT_FOUND, "There is no secure score '%.*s'; the one there is is called " SCORE_NAME ".",
                    MLN_FMT(mln_str_sub(name, 0, 60)));
}

static struct mln_result get_score(struct mln_request *request, struct mln_reply *reply)
{
    MLN_PINNED struct mln_pinned_rules rules = mln_pin_rules(request);
    struct mln_posture_score score;
    MLN_TRY(check_score_name(request));
    MLN_TRY(read_score(request, rules.set, &score));
    return put_secure_score(request, mln_reply_json(reply, 200), &score);
}

/* ---- secureScoreControlDefinitions ---- */

static bool rule_in_control(const struct mln_rule *rule, size_t control)
{
    for (size_t i = 0; i < rule->n_controls; i++)
        if (rule->controls[i] == control)
            return true;
    return false;
}

static struct mln_result put_definition(struct mln_request *request, struct mln_json_writer *w,
                                        const struct mln_ruleset *rules, const struct mln_control *control)
{
    struct mln_str id;
    size_t index = (size_t)(control - rules->controls);
    MLN_TRY_STR(request->arena, id, mln_security_id(request, MLN_S(""), "secureScoreControlDefinitions", control->id));
    mln_envelope_begin(w, id, control->id, "Microsoft.Security/secureScoreControlDefinitions");
    mln_envelope_properties(w);
    mln_json_member_str(w, "displayName", control->title);
    mln_json_member_str(w, "description", control->description);
    mln_json_member_i64(w, "maxScore", control->max_points);
    mln_json_name(w, MLN_S("source"));
    mln_json_begin_object(w);
    mln_json_member_str(w, "sourceType", MLN_S("BuiltIn"));
    mln_json_end_object(w);
    mln_json_name(w, MLN_S("assessmentDefinitions"));
    mln_json_begin_array(w);
    for (size_t i = 0; i < rules->n_rules; i++) {
        if (!rule_in_control(&rules->rules[i], index))
            continue;
        MLN_TRY_STR(request->arena, id,
                    mln_security_id(request, request->scope, "assessmentMetadata", rules->rules[i].key));
        mln_json_begin_object(w);
        mln_json_member_str(w, "id", id);
        mln_json_end_object(w);
    }
    mln_json_end_array(w);
    mln_envelope_end(w);
    return MLN_OK;
}

static struct mln_result list_definitions(struct mln_request *request, struct mln_reply *reply)
{
    MLN_PINNED struct mln_pinned_rules rules = mln_pin_rules(request);
    struct mln_json_writer *w = mln_reply_list_begin(reply);
    for (size_t i = 0; i < rules.set->n_controls; i++)
        MLN_TRY(put_definition(request, w, rules.set, &rules.set->controls[i]));
    return mln_reply_list_end(request, reply, (struct mln_str){NULL, 0});
}

/* ---- secureScoreControls ---- */

static struct mln_result put_control(struct mln_request *request, struct mln_json_writer *w,
                                     const struct mln_ruleset *rules, const struct mln_posture_control *c,
                                     bool with_definition)
{
    struct mln_str id;
    MLN_TRY_STR(
        request->arena, id,
        mln_security_id(request, request->scope, "secureScores/" SCORE_NAME "/secureScoreControls", c->control->id));
    mln_envelope_begin(w, id, c->control->id, "Microsoft.Security/secureScores/secureScoreControls");
    mln_envelope_properties(w);
    mln_json_member_str(w, "displayName", c->control->title);
    put_score(w, c->control->max_points * MLN_NANOPOINTS_A_POINT, c->score.current);
    mln_json_member_i64(w, "healthyResourceCount", c->counts.healthy);
    mln_json_member_i64(w, "unhealthyResourceCount", c->counts.unhealthy);
    mln_json_member_i64(w, "notApplicableResourceCount", c->counts.not_applicable);
    mln_json_member_i64(w, "weight", c->counts.healthy + c->counts.unhealthy);
    mln_json_member_real(w, "potentialIncrease", points(c->score.potential_increase));
    mln_json_member_bool(w, "counted", c->score.counted);
    if (with_definition) {
        mln_json_name(w, MLN_S("definition"));
        MLN_TRY(put_definition(request, w, rules, c->control));
    }
    mln_envelope_end(w);
    return MLN_OK;
}

struct mln_result mln_list_controls(struct mln_request *request, struct mln_reply *reply)
{
    MLN_PINNED struct mln_pinned_rules rules = mln_pin_rules(request);
    struct mln_posture_score score;
    bool expand = mln_str_eq_nocase(mln_request_query(request, "$expand"), MLN_S("definition"));
    if (mln_request_capture(request, "score").p)
        MLN_TRY(check_score_name(request));
    MLN_TRY(read_score(request, rules.set, &score));
    struct mln_json_writer *w = mln_reply_list_begin(reply);
    for (size_t i = 0; i < score.n_controls; i++)
        MLN_TRY(put_control(request, w, rules.set, &score.controls[i], expand));
    return mln_reply_list_end(request, reply, (struct mln_str){NULL, 0});
}

/* ---- what Merlon adds ---- */

static struct mln_result put_change(void *context, struct mln_str key, struct mln_str value, int64_t revision,
                                    bool *stop)
{
    struct mln_json_writer *w = context;
    (void)key, (void)revision, (void)stop;
    mln_json_put_raw(w, value);
    return MLN_OK;
}

static struct mln_result read_time(const struct mln_request *request, const char *name, int64_t otherwise, int64_t *out)
{
    struct mln_str text = mln_request_query(request, name);
    *out = otherwise;
    return text.p ? mln_time_parse(text, out) : MLN_OK;
}

static struct mln_result list_changes(struct mln_request *request, struct mln_reply *reply)
{
    int64_t from, to;
    struct mln_page page;
    MLN_TRY(check_score_name(request));
    MLN_TRY(read_time(request, "from", 0, &from));
    MLN_TRY(read_time(request, "to", INT64_MAX, &to));
    MLN_TRY(mln_request_page(request, &page));
    MLN_TRY(mln_posture_score_changes(request->api->posture, request->subscription, from, to, page.limit, put_change,
                                      mln_reply_list_begin(reply)));
    return mln_reply_list_end(request, reply, (struct mln_str){NULL, 0});
}

static struct mln_result put_outcome(struct mln_request *request, struct mln_json_writer *w,
                                     const struct mln_ruleset *rules, const char *name,
                                     const struct mln_posture_score *score)
{
    mln_json_name(w, mln_str_c(name));
    mln_json_begin_object(w);
    put_score(w, score->scope.max, score->scope.current);
    mln_json_name(w, MLN_S("controls"));
    mln_json_begin_array(w);
    for (size_t i = 0; i < score->n_controls; i++)
        MLN_TRY(put_control(request, w, rules, &score->controls[i], false));
    mln_json_end_array(w);
    mln_json_end_object(w);
    return MLN_OK;
}

enum { MAX_FIXES = 1000 };

static struct mln_result read_fixes(struct mln_request *request, const struct mln_ruleset *rules, struct mln_fix **out,
                                    size_t *n)
{
    const struct mln_json *body;
    MLN_TRY(mln_request_object(request, &body));
    const struct mln_json *list = mln_json_get_nocase(body, MLN_S("fixes"));
    if (!mln_json_is(list, MLN_JSON_ARRAY) || list->n > MAX_FIXES)
        return mln_fail(MLN_E_INVALID, "'fixes' must be a list of at most %d {assessmentKey, resourceId}", MAX_FIXES);
    MLN_TRY_ARRAY(request->arena, *out, list->n);
    for (uint32_t i = 0; i < list->n; i++) {
        struct mln_fix *fix = &(*out)[i];
        MLN_TRY(mln_member_text(&list->items[i], "assessmentKey", true, &fix->rule_key));
        MLN_TRY(mln_member_text(&list->items[i], "resourceId", false, &fix->resource));
        const struct mln_rule *rule = mln_ruleset_by_key(rules, fix->rule_key);
        if (!rule)
            rule = mln_ruleset_by_id(rules, fix->rule_key);
        if (!rule)
            return mln_fail(MLN_E_NOT_FOUND, "there is no recommendation '%.*s'",
                            MLN_FMT(mln_str_sub(fix->rule_key, 0, 80)));
        fix->rule_key = rule->key;
        if (!fix->resource.p)
            fix->resource = MLN_S("");
    }
    *n = list->n;
    return MLN_OK;
}

static struct mln_result what_if(struct mln_request *request, struct mln_reply *reply)
{
    MLN_PINNED struct mln_pinned_rules rules = mln_pin_rules(request);
    struct mln_posture_score before, after;
    struct mln_fix *fixes;
    size_t n;
    MLN_TRY(check_score_name(request));
    MLN_TRY(read_fixes(request, rules.set, &fixes, &n));
    MLN_TRY(mln_posture_score(request->api->posture, rules.set, request->subscription, 0, request->arena, &before));
    MLN_TRY(
        mln_posture_what_if(request->api->posture, rules.set, request->subscription, fixes, n, request->arena, &after));
    struct mln_json_writer *w = mln_reply_json(reply, 200);
    mln_json_begin_object(w);
    MLN_TRY(put_outcome(request, w, rules.set, "before", &before));
    MLN_TRY(put_outcome(request, w, rules.set, "after", &after));
    mln_json_end_object(w);
    return MLN_OK;
}

static struct mln_result plan(struct mln_request *request, struct mln_reply *reply)
{
    MLN_PINNED struct mln_pinned_rules rules = mln_pin_rules(request);
    const struct mln_json *body;
    struct mln_posture_score reached;
    struct mln_fix *fixes;
    size_t n;
    MLN_TRY(check_score_name(request));
    MLN_TRY(mln_request_object(request, &body));
    const struct mln_json *wished = mln_json_get_nocase(body, MLN_S("percentage"));
    double percentage = mln_json_is(wished, MLN_JSON_REAL) ? wished->real : (double)mln_json_i64(wished, -1);
    if (percentage < 0 || percentage > 1)
        return mln_fail(MLN_E_INVALID, "'percentage' must be a number from 0 to 1");
    MLN_TRY(mln_posture_plan(request->api->posture, rules.set, request->subscription, percentage, request->arena,
                             &fixes, &n, &reached));
    struct mln_json_writer *w = mln_reply_json(reply, 200);
    mln_json_begin_object(w);
    mln_json_name(w, MLN_S("fixes"));
    mln_json_begin_array(w);
    for (size_t i = 0; i < n; i++) {
        const struct mln_rule *rule = mln_ruleset_by_key(rules.set, fixes[i].rule_key);
        mln_json_begin_object(w);
        mln_json_member_str(w, "assessmentKey", fixes[i].rule_key);
        if (rule)
            mln_json_member_str(w, "displayName", rule->title);
        mln_json_end_object(w);
    }
    mln_json_end_array(w);
    MLN_TRY(put_outcome(request, w, rules.set, "after", &reached));
    mln_json_end_object(w);
    return MLN_OK;
}

static struct mln_result put_recommendation(struct mln_request *request, struct mln_json_writer *w,
                                            const struct mln_ruleset *rules, const struct mln_recommendation *r)
{
    struct mln_str id;
    MLN_TRY_STR(request->arena, id, mln_security_id(request, request->scope, "recommendations", r->rule->key));
    mln_envelope_begin(w, id, r->rule->key, "Microsoft.Security/recommendations");
    mln_envelope_properties(w);
    mln_json_member_str(w, "displayName", r->rule->title);
    mln_json_member_str(w, "ruleId", r->rule->id);
    mln_json_member_str(w, "severity", mln_str_c(mln_severity_words[r->rule->severity]));
    mln_json_member_bool(w, "preview", r->rule->preview);
    mln_json_name(w, MLN_S("controls"));
    mln_json_begin_array(w);
    for (size_t i = 0; i < r->rule->n_controls; i++)
        mln_json_put_str(w, rules->controls[r->rule->controls[i]].title);
    mln_json_end_array(w);
    mln_json_member_i64(w, "healthyResourceCount", r->healthy);
    mln_json_member_i64(w, "unhealthyResourceCount", r->unhealthy);
    mln_json_member_i64(w, "notApplicableResourceCount", r->not_applicable);
    mln_json_member_real(w, "potentialIncrease", points(r->potential_increase));
    mln_json_member_real(w, "potentialShare", points(r->potential_share));
    mln_json_member_str(w, "description", r->rule->description);
    mln_json_member_str(w, "remediationDescription", r->rule->remediation);
    mln_json_name(w, MLN_S("remediationCommands"));
    mln_json_begin_array(w);
    for (size_t i = 0; i < r->rule->n_commands; i++)
        mln_json_put_str(w, r->rule->commands[i]);
    mln_json_end_array(w);
    mln_envelope_end(w);
    return MLN_OK;
}

static struct mln_result list_recommendations(struct mln_request *request, struct mln_reply *reply)
{
    MLN_PINNED struct mln_pinned_rules rules = mln_pin_rules(request);
    struct mln_recommendation *list;
    size_t n;
    MLN_TRY(mln_posture_recommendations(request->api->posture, rules.set, request->subscription, request->arena, &list,
                                        &n));
    struct mln_json_writer *w = mln_reply_list_begin(reply);
    for (size_t i = 0; i < n; i++)
        MLN_TRY(put_recommendation(request, w, rules.set, &list[i]));
    return mln_reply_list_end(request, reply, (struct mln_str){NULL, 0});
}

#define READ_SCORE "Microsoft.Security/secureScores/read"
#define READ_CONTROLS "Microsoft.Security/secureScoreControls/read"
#define READ_DEFINITIONS "Microsoft.Security/secureScoreControlDefinitions/read"
#define READ_ASSESSMENTS "Microsoft.Security/assessments/read"

static const struct mln_route routes[] = {
    {MLN_GET, "{S}{P}/secureScores", mln_list_scores, READ_SCORE, "2020-01-01", 0, 0},
    {MLN_GET, "{S}{P}/secureScores/{score}", get_score, READ_SCORE, "2020-01-01", 0, 0},
    {MLN_GET, "{S}{P}/secureScoreControls", mln_list_controls, READ_CONTROLS, "2020-01-01", 0, 0},
    {MLN_GET, "{S}{P}/secureScores/{score}/secureScoreControls", mln_list_controls, READ_CONTROLS, "2020-01-01", 0, 0},
    {MLN_GET, "{P}/secureScoreControlDefinitions", list_definitions, NULL, "2020-01-01", 0, 0},
    {MLN_GET, "{S}{P}/secureScoreControlDefinitions", list_definitions, READ_DEFINITIONS, "2020-01-01", 0, 0},
    {MLN_GET, "{S}{P}/secureScores/{score}/changes", list_changes, READ_SCORE, "2026-11-01", 0, 0},
    {MLN_POST, "{S}{P}/secureScores/{score}/whatIf", what_if, READ_SCORE, "2026-11-01", MLN_ROUTE_UNRECORDED, 0},
    {MLN_POST, "{S}{P}/secureScores/{score}/plan", plan, READ_SCORE, "2026-11-01", MLN_ROUTE_UNRECORDED, 0},
    {MLN_GET, "{S}{P}/recommendations", list_recommendations, READ_ASSESSMENTS, "2026-11-01", 0, 0},
};
const struct mln_route_table mln_routes_scores = MLN_ROUTE_TABLE("secureScores", routes);
