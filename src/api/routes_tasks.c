/*
 * Security tasks, the older view of findings: one task for each unhealthy assessment. A task's name is derived from the
 * resource and the rule, so it stays the same; what somebody did to it (dismissed, started, ...) is a document.
 */
#include "api/documents.h"
#include "api/pinned.h"

#include "crypto/random.h"
#include "model/arm_id.h"

struct task_list {
    struct mln_request *request;
    struct mln_json_writer *w;
    struct mln_str only; /* this task alone; p NULL: all */
    bool found;
};

static struct mln_result task_name(const struct mln_assessment *a, char out[MLN_UUID_TEXT])
{
    struct mln_uuid space, name;
    char lower[MLN_ARM_ID_MAX_BYTES];
    size_t n = a->resource_id.n < sizeof lower ? a->resource_id.n : sizeof lower;
    for (size_t i = 0; i < n; i++) {
        char c = a->resource_id.p[i];
        lower[i] = c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
    }
    MLN_TRY(mln_uuid_parse(a->rule->key, &space));
    MLN_TRY(mln_uuid_from_name(&space, (struct mln_str){lower, n}, &name));
    mln_uuid_text(&name, out);
    return MLN_OK;
}

static struct mln_result task_state(struct mln_request *request, struct mln_str name, struct mln_str *state,
                                    struct mln_str *changed)
{
    const struct mln_json *document;
    struct mln_str id, subscription;
    MLN_TRY_STR(request->arena, subscription,
                mln_str_printf(request->arena, "/subscriptions/%.*s", MLN_FMT(request->subscription)));
    MLN_TRY_STR(request->arena, id, mln_security_id(request, subscription, "tasks", name));
    struct mln_result r = mln_document_get(request, id, &document);
    *state = MLN_S("Active");
    *changed = (struct mln_str){NULL, 0};
    if (r.code == MLN_E_NOT_FOUND)
        return MLN_OK;
    MLN_TRY(r);
    *state = mln_json_str(mln_json_get(document, MLN_S("state")), *state);
    *changed = mln_json_str(mln_json_get(document, MLN_S("changed")), *changed);
    return MLN_OK;
}

static struct mln_result put_task(void *context, const struct mln_assessment *a, bool *stop)
{
    struct task_list *list = context;
    struct mln_request *request = list->request;
    struct mln_arm_id resource;
    struct mln_str name, id, scope, state, changed;
    char text[MLN_UUID_TEXT];
    if (a->status != MLN_UNHEALTHY)
        return MLN_OK;
    MLN_TRY(task_name(a, text));
    name = mln_str_c(text);
    if (list->only.p && !mln_str_eq_nocase(list->only, name))
        return MLN_OK;
    list->found = true;
    *stop = list->only.p != NULL;
    MLN_TRY(task_state(request, name, &state, &changed));
    MLN_TRY(mln_arm_id_parse(a->resource_id, &resource));
    MLN_TRY_STR(request->arena, scope,
                mln_str_printf(request->arena, "/subscriptions/%.*s/resourceGroups/%.*s",
                               MLN_FMT(resource.subscription), MLN_FMT(resource.group)));
    MLN_TRY_STR(request->arena, id, mln_security_id(request, scope, "locations/" MLN_LOCATION "/tasks", name));
    mln_envelope_begin(list->w, id, name, "Microsoft.Security/locations/tasks");
    mln_envelope_properties(list->w);
    mln_json_member_str(list->w, "state", state);
    mln_json_member_str(list->w, "subState", MLN_S("NA"));
    mln_json_member_time(list->w, "creationTimeUtc", a->changed_ms);
    if (changed.p)
        mln_json_member_str(list->w, "lastStateChangeTimeUtc", changed);
    else
        mln_json_member_time(list->w, "lastStateChangeTimeUtc", a->changed_ms);
    mln_json_name(list->w, MLN_S("securityTaskParameters"));
    mln_json_begin_object(list->w);
    mln_json_member_str(list->w, "name", a->rule->title);
    mln_json_member_str(list->w, "assessmentKey", a->rule->key);
    mln_json_member_str(list->w, "resourceId", a->resource_id);
    mln_json_member_str(list->w, "severity", mln_str_c(mln_severity_words[a->rule->severity]));
    mln_json_end_object(list->w);
    mln_envelope_end(list->w);
    return MLN_OK;
}

static struct mln_result visit_tasks(struct task_list *list)
{
    MLN_PINNED struct mln_pinned_rules rules = mln_pin_rules(list->request);
    const struct mln_posture_query query = {.scope = list->request->scope};
    return mln_posture_assessments(list->request->api->posture, rules.set, &query, put_task, list);
}

static struct mln_result list_tasks(struct mln_request *request, struct mln_reply *reply)
{
    struct task_list list = {.request = request, .w = mln_reply_list_begin(reply)};
    MLN_TRY(visit_tasks(&list));
    return mln_reply_list_end(request, reply, (struct mln_str){NULL, 0});
}

static struct mln_result find_task(struct mln_request *request, struct mln_reply *reply)
{
    struct task_list list = {
        .request = request, .w = mln_reply_json(reply, 200), .only = mln_request_capture(request, "task")};
    MLN_TRY(visit_tasks(&list));
    if (list.found)
        return MLN_OK;
    return mln_fail(MLN_E_NOT_FOUND, "The task '%.*s' was not found.", MLN_FMT(mln_str_sub(list.only, 0, 60)));
}

static struct mln_result act_on_task(struct mln_request *request, struct mln_reply *reply)
{
    static const struct {
        const char *verb, *state;
    } steps[] = {{"Activate", "Active"},
                 {"Dismiss", "Dismissed"},
                 {"Start", "InProgress"},
                 {"Resolve", "Resolved"},
                 {"Close", "Closed"}};
    struct mln_str verb = mln_request_capture(request, "verb"), id, subscription;
    const char *state = NULL;
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
        if (mln_str_eq_nocase(verb, mln_str_c(steps[i].verb)))
            state = steps[i].state;
    if (!state)
        return mln_fail(MLN_E_NOT_FOUND, "There is no action '%.*s' on a task.", MLN_FMT(mln_str_sub(verb, 0, 40)));
    MLN_TRY(find_task(request, reply));
    MLN_TRY_STR(request->arena, subscription,
                mln_str_printf(request->arena, "/subscriptions/%.*s", MLN_FMT(request->subscription)));
    MLN_TRY_STR(request->arena, id,
                mln_security_id(request, subscription, "tasks", mln_request_capture(request, "task")));
    MLN_BUF_CLEANUP struct mln_buf text = MLN_BUF(1024);
    struct mln_json_writer w = mln_json_writer(&text);
    mln_json_begin_object(&w);
    mln_json_member_str(&w, "state", mln_str_c(state));
    mln_json_member_time(&w, "changed", request->now_ms);
    mln_json_end_object(&w);
    MLN_TRY(mln_json_writer_end(&w));
    MLN_TRY(mln_document_put(request, id, mln_buf_str(&text), NULL));
    mln_reply_empty(reply, 204);
    return MLN_OK;
}

/* ---- locations: there is one ---- */

static struct mln_result put_location(struct mln_request *request, struct mln_json_writer *w)
{
    struct mln_str id;
    MLN_TRY_STR(request->arena, id, mln_security_id(request, request->scope, "locations", MLN_S(MLN_LOCATION)));
    mln_envelope_begin(w, id, MLN_S(MLN_LOCATION), "Microsoft.Security/locations");
    mln_envelope_properties(w);
    mln_json_member_str(w, "homeRegionName", MLN_S(MLN_LOCATION));
    mln_envelope_end(w);
    return MLN_OK;
}

static struct mln_result list_locations(struct mln_request *request, struct mln_reply *reply)
{
    MLN_TRY(put_location(request, mln_reply_list_begin(reply)));
    return mln_reply_list_end(request, reply, (struct mln_str){NULL, 0});
}

static struct mln_result get_location(struct mln_request *request, struct mln_reply *reply)
{
    struct mln_str name = mln_request_capture(request, "location");
    if (!mln_str_eq_nocase(name, MLN_S(MLN_LOCATION)))
        return mln_fail(MLN_E_NOT_FOUND, "There is no location '%.*s'; the one there is is called '" MLN_LOCATION "'.",
                        MLN_FMT(mln_str_sub(name, 0, 60)));
    return put_location(request, mln_reply_json(reply, 200));
}

#define READ "Microsoft.Security/tasks/read"
#define WRITE "Microsoft.Security/tasks/write"
#define READ_LOCATIONS "Microsoft.Security/locations/read"
#define VERSIONS "2015-06-01-preview"

static const struct mln_route routes[] = {
    {MLN_GET, "{S}{P}/locations", list_locations, READ_LOCATIONS, VERSIONS, 0, 0},
    {MLN_GET, "{S}{P}/locations/{location}", get_location, READ_LOCATIONS, VERSIONS, 0, 0},
    {MLN_GET, "{S}{P}/tasks", list_tasks, READ, VERSIONS, 0, 0},
    {MLN_GET, "{S}{P}{L}/tasks", list_tasks, READ, VERSIONS, 0, 0},
    {MLN_GET, "{G}{P}{L}/tasks", list_tasks, READ, VERSIONS, 0, 0},
    {MLN_GET, "{S}{P}{L}/tasks/{task}", find_task, READ, VERSIONS, 0, 0},
    {MLN_GET, "{G}{P}{L}/tasks/{task}", find_task, READ, VERSIONS, 0, 0},
    {MLN_POST, "{S}{P}{L}/tasks/{task}/{verb}", act_on_task, WRITE, VERSIONS, 0, 0},
    {MLN_POST, "{G}{P}{L}/tasks/{task}/{verb}", act_on_task, WRITE, VERSIONS, 0, 0},
};
const struct mln_route_table mln_routes_tasks = MLN_ROUTE_TABLE("tasks", routes);
