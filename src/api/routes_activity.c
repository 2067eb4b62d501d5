/* Microsoft.Insights: the activity log, as Azure lists it, and (ours) whether its chain holds. */
#include "api/odata.h"
#include "api/route.h"
#include "model/arm_id.h"

enum { DAY_MS = 24 * 3600 * 1000 };
#define I "/providers/Microsoft.Insights/eventtypes/management"
#define VERSIONS "2015-04-01"

struct wanted {
    int64_t from_ms, to_ms;
    struct mln_str group, resource, caller, correlation; /* p NULL: any */
};

/* az sends times without a zone, in UTC. */
static struct mln_result parse_time(struct mln_str text, int64_t *ms)
{
    char zoned[64];
    bool bare = text.n > 10 && text.n < 40 && text.p[text.n - 1] != 'Z' && text.p[text.n - 1] != 'z' &&
                mln_str_find(text, MLN_S("+"), 10) == SIZE_MAX && mln_str_find(text, MLN_S("-"), 10) == SIZE_MAX;
    if (!bare)
        return mln_time_parse(text, ms);
    int n = snprintf(zoned, sizeof zoned, "%.*sZ", MLN_FMT(text));
    return mln_time_parse((struct mln_str){zoned, (size_t)n}, ms);
}

static struct mln_result read_clause(const struct mln_odata_clause *c, struct wanted *wanted)
{
    struct {
        const char *name;
        struct mln_str *to;
    } texts[] = {{"resourceGroupName", &wanted->group},
                 {"resourceUri", &wanted->resource},
                 {"resourceId", &wanted->resource},
                 {"caller", &wanted->caller},
                 {"correlationId", &wanted->correlation}};
    if (mln_str_eq_nocase(c->name, MLN_S("eventTimestamp"))) {
        int64_t ms;
        MLN_TRY(parse_time(c->value, &ms));
        if (mln_str_eq_nocase(c->op, MLN_S("ge")) || mln_str_eq_nocase(c->op, MLN_S("gt")))
            wanted->from_ms = ms;
        else if (mln_str_eq_nocase(c->op, MLN_S("le")) || mln_str_eq_nocase(c->op, MLN_S("lt")))
            wanted->to_ms = ms + 1;
        else
            return mln_fail(MLN_E_INVALID, "$filter: eventTimestamp is compared with ge and le.");
        return MLN_OK;
    }
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (mln_str_eq_nocase(c->name, mln_str_c(texts[i].name)) && mln_str_eq_nocase(c->op, MLN_S("eq"))) {
            *texts[i].to = c->value;
            return MLN_OK;
        }
    return mln_fail(MLN_E_INVALID, "$filter: eventTimestamp (ge, le), resourceGroupName, resourceUri, caller and "
                                   "correlationId (eq) are understood here.");
}

struct listing {
    struct mln_request *request;
    struct mln_json_writer *w;
    struct wanted wanted;
    size_t n, limit;
    int64_t last;
    bool more;
};

static bool passes(const struct listing *list, const struct mln_activity_entry *e)
{
    const struct wanted *w = &list->wanted;
    struct mln_str scope = list->request->scope;
    struct mln_arm_id id;
    if (scope.n && !mln_arm_id_below(e->scope, scope))
        return false;
    if (w->group.p && (!mln_ok(mln_arm_id_parse(e->scope, &id)) || !mln_str_eq_nocase(id.group, w->group)))
        return false;
    return (!w->resource.p || mln_arm_id_below(e->scope, w->resource)) &&
           (!w->caller.p || mln_str_eq_nocase(w->caller, e->caller_name) ||
            mln_str_eq_nocase(w->caller, e->caller_id)) &&
           (!w->correlation.p || mln_str_eq_nocase(w->correlation, e->correlation_id));
}

static void put_word(struct mln_json_writer *w, const char *name, struct mln_str value)
{
    mln_json_name(w, mln_str_c(name));
    mln_json_begin_object(w);
    mln_json_member_str(w, "value", value);
    mln_json_member_str(w, "localizedValue", value);
    mln_json_end_object(w);
}

static void put_names(struct mln_json_writer *w, const struct mln_activity_entry *e)
{
    struct mln_arm_id id;
    struct mln_str rest = e->action, provider;
    mln_str_cut(&rest, '/', &provider);
    put_word(w, "operationName", e->action);
    put_word(w, "resourceProviderName", provider);
    mln_json_member_str(w, "resourceId", e->scope);
    if (!mln_ok(mln_arm_id_parse(e->scope, &id)))
        return;
    mln_json_member_str(w, "resourceGroupName", id.group);
    mln_json_member_str(w, "subscriptionId", id.subscription);
}

static void put_entry(struct listing *list, const struct mln_activity_entry *e)
{
    struct mln_json_writer *w = list->w;
    char id[64], http[16];
    bool failed = mln_str_eq(e->status, MLN_S("Failed")), started = mln_str_eq(e->status, MLN_S("Started"));
    int n = snprintf(id, sizeof id, "/providers/Microsoft.Insights/events/%lld", (long long)e->sequence);
    int h = snprintf(http, sizeof http, "%lld", (long long)e->http_status);
    mln_json_begin_object(w);
    mln_json_member_str(w, "id", (struct mln_str){id, (size_t)n});
    mln_json_member_i64(w, "sequence", e->sequence);
    mln_json_member_time(w, "eventTimestamp", e->time_ms);
    mln_json_member_time(w, "submissionTimestamp", e->time_ms);
    mln_json_member_str(w, "caller", e->caller_name);
    mln_json_member_str(w, "correlationId", e->correlation_id);
    mln_json_member_str(w, "level", failed ? MLN_S("Error") : MLN_S("Informational"));
    mln_json_member_str(w, "tenantId", list->request->api->tenant_id);
    put_word(w, "category", MLN_S("Administrative"));
    put_word(w, "eventName", started ? MLN_S("BeginRequest") : MLN_S("EndRequest"));
    put_word(w, "status", e->status);
    put_word(w, "subStatus", started ? MLN_S("") : (struct mln_str){http, (size_t)h});
    put_names(w, e);
    mln_json_name(w, MLN_S("authorization"));
    mln_json_begin_object(w);
    mln_json_member_str(w, "action", e->action);
    mln_json_member_str(w, "scope", e->scope);
    mln_json_end_object(w);
    mln_json_name(w, MLN_S("claims"));
    mln_json_begin_object(w);
    mln_json_member_str(w, "oid", e->caller_id);
    mln_json_end_object(w);
    mln_json_name(w, MLN_S("httpRequest"));
    mln_json_begin_object(w);
    mln_json_member_str(w, "clientIpAddress", e->address);
    mln_json_end_object(w);
    if (e->client_command.n) {
        mln_json_name(w, MLN_S("properties"));
        mln_json_begin_object(w);
        mln_json_member_str(w, "clientCommand", e->client_command);
        mln_json_end_object(w);
    }
    mln_json_end_object(w);
}

static struct mln_result list_entry(void *context, const struct mln_activity_entry *e, bool *stop)
{
    struct listing *list = context;
    if (!passes(list, e))
        return MLN_OK;
    if (list->n == list->limit) {
        list->more = *stop = true;
        return MLN_OK;
    }
    put_entry(list, e);
    list->last = e->sequence;
    list->n++;
    return MLN_OK;
}

static struct mln_result get_values(struct mln_request *request, struct mln_reply *reply)
{
    struct mln_odata_clause clauses[MLN_ODATA_MAX_CLAUSES];
    size_t n;
    struct mln_page page;
    int64_t before = INT64_MAX;
    struct listing list = {.request = request,
                           .wanted = {.from_ms = request->now_ms - INT64_C(90) * DAY_MS, .to_ms = INT64_MAX}};
    MLN_TRY(mln_request_page(request, &page));
    list.limit = page.limit < 200 ? page.limit : 200;
    if (page.after.p)
        MLN_TRY(mln_str_to_i64(page.after, &before));
    MLN_TRY(mln_odata_parse(request->arena, mln_request_query(request, "$filter"), clauses, &n));
    for (size_t i = 0; i < n; i++)
        MLN_TRY(read_clause(&clauses[i], &list.wanted));
    list.w = mln_reply_list_begin(reply);
    MLN_TRY(
        mln_activity_list(request->api->activity, list.wanted.from_ms, list.wanted.to_ms, before, list_entry, &list));
    char next[24];
    int bytes = snprintf(next, sizeof next, "%lld", (long long)list.last);
    return mln_reply_list_end(request, reply, list.more ? (struct mln_str){next, (size_t)bytes} : (struct mln_str){0});
}

/* Ours: walks the chain and says whether it holds. */
static struct mln_result get_verification(struct mln_request *request, struct mln_reply *reply)
{
    int64_t entries, first_broken;
    char hash[MLN_SHA256_HEX];
    struct mln_result r = mln_activity_verify(request->api->activity, &entries, &first_broken);
    if (!mln_ok(r) && r.code != MLN_E_CORRUPT)
        return r;
    int64_t sequence = mln_activity_head(request->api->activity, hash);
    struct mln_json_writer *w = mln_reply_json(reply, 200);
    mln_envelope_begin(w, request->id, MLN_S("default"), "Microsoft.Security/activityLogVerifications");
    mln_envelope_properties(w);
    mln_json_member_bool(w, "intact", mln_ok(r));
    mln_json_member_i64(w, "entriesChecked", entries);
    if (!mln_ok(r))
        mln_json_member_i64(w, "firstBrokenEntry", first_broken);
    mln_json_member_i64(w, "headSequence", sequence);
    mln_json_member_str(w, "headHash", mln_str_c(hash));
    mln_envelope_end(w);
    return mln_json_writer_end(w);
}

#define RIGHT "Microsoft.Insights/eventtypes/values/read"

static const struct mln_route routes[] = {
    {MLN_GET, I "/values", get_values, RIGHT, VERSIONS, 0, 0},
    {MLN_GET, "{S}" I "/values", get_values, RIGHT, VERSIONS, 0, 0},
    {MLN_GET, "{P}/activityLogVerifications/default", get_verification, RIGHT, "2026-11-01", 0, 0},
};
const struct mln_route_table mln_routes_activity = MLN_ROUTE_TABLE("activity", routes);
