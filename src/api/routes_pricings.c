/*
 * Defender plans: which are on, for a subscription or for one machine. Plans, their sub-plans and extensions are one table.
 * A plan that is Standard is a wish; whether this build covers what it promises stands in resourcesCoverageStatus.
 */
#include "api/documents.h"
#include "api/items.h"

#define TYPE "Microsoft.Security/pricings"

struct plan {
    const char *name;
    const char *sub_plans[4];  /* the first is the default when the plan is on; none: NULL */
    const char *extensions[6]; /* that can be switched */
};

/* Plans, sub-plans and extensions as Azure's pricings API names them. */
static const struct plan plans[] = {
    {"VirtualMachines", {"P2", "P1"}, {"MdeDesignatedSubscription", "AgentlessVmScanning", "FileIntegrityMonitoring"}},
    {"SqlServers", {NULL}, {NULL}},
    {"SqlServerVirtualMachines", {NULL}, {NULL}},
    {"OpenSourceRelationalDatabases", {NULL}, {NULL}},
    {"CosmosDbs", {NULL}, {NULL}},
    {"AppServices", {NULL}, {NULL}},
    {"StorageAccounts",
     {"DefenderForStorageV2", "PerStorageAccount", "PerTransaction"},
     {"OnUploadMalwareScanning", "SensitiveDataDiscovery"}},
    {"Containers",
     {NULL},
     {"ContainerRegistriesVulnerabilityAssessments", "AgentlessDiscoveryForKubernetes", "AgentlessVmScanning",
      "ContainerSensor"}},
    {"KubernetesService", {NULL}, {NULL}},
    {"ContainerRegistry", {NULL}, {NULL}},
    {"KeyVaults", {"PerKeyVault", "PerTransaction"}, {NULL}},
    {"Arm", {"PerSubscription", "PerApiCall"}, {NULL}},
    {"Dns", {NULL}, {NULL}},
    {"CloudPosture",
     {NULL},
     {"SensitiveDataDiscovery", "ContainerRegistriesVulnerabilityAssessments", "AgentlessDiscoveryForKubernetes",
      "AgentlessVmScanning", "EntraPermissionsManagement"}},
    {"Api", {"P1", "P2", "P3", "P4"}, {NULL}},
    {"AI", {NULL}, {"AIPromptEvidence"}},
};

static const char *const tiers[] = {"Free", "Standard", NULL};
static const char *const yes_no[] = {"True", "False", NULL};

static const struct plan *find_plan(struct mln_str name)
{
    for (size_t i = 0; i < sizeof plans / sizeof *plans; i++)
        if (mln_str_eq_nocase(name, mln_str_c(plans[i].name)))
            return &plans[i];
    return NULL;
}

static struct mln_result plan_of(const struct mln_request *request, const struct plan **out)
{
    struct mln_str name = mln_request_capture(request, "plan");
    *out = find_plan(name);
    return *out ? MLN_OK : mln_fail(MLN_E_NOT_FOUND, "There is no plan '%.*s'.", MLN_FMT(mln_str_sub(name, 0, 60)));
}

static struct mln_str subscription_scope(struct mln_request *request)
{
    return mln_str_printf(request->arena, "/subscriptions/%.*s", MLN_FMT(request->subscription));
}

/* The stored form of a plan at a scope; NULL when nobody has set it there. */
static struct mln_result stored(struct mln_request *request, struct mln_str scope, const struct plan *plan,
                                const struct mln_json **out)
{
    struct mln_str id;
    MLN_TRY_STR(request->arena, id, mln_security_id(request, scope, "pricings", mln_str_c(plan->name)));
    struct mln_result r = mln_document_get(request, id, out);
    if (r.code != MLN_E_NOT_FOUND)
        return r;
    *out = NULL;
    return MLN_OK;
}

/* One plan at a scope: what is stored there, else what the subscription has, else Free. */
static struct mln_result put_pricing(struct mln_request *request, struct mln_json_writer *w, const struct plan *plan)
{
    const struct mln_json *document;
    struct mln_str id, subscription;
    bool modern = mln_request_version_from(request, "2023-01-01");
    bool at_resource = request->group.p != NULL, inherited = false;
    MLN_TRY(stored(request, request->scope, plan, &document));
    MLN_TRY_STR(request->arena, subscription, subscription_scope(request));
    if (!document && at_resource) {
        MLN_TRY(stored(request, subscription, plan, &document));
        inherited = true;
    }
    struct mln_str tier = mln_json_str(mln_json_path(document, "properties.pricingTier"), MLN_S("Free"));
    MLN_TRY_STR(request->arena, id, mln_security_id(request, request->scope, "pricings", mln_str_c(plan->name)));
    mln_envelope_begin(w, id, mln_str_c(plan->name), TYPE);
    mln_envelope_properties(w);
    mln_json_member_str(w, "pricingTier", tier);
    mln_json_member_str(w, "subPlan",
                        mln_json_str(mln_json_path(document, "properties.subPlan"), (struct mln_str){NULL, 0}));
    mln_json_member_str(w, "freeTrialRemainingTime", MLN_S("PT0S"));
    if (modern) {
        mln_json_member_tree(w, "enablementTime", mln_json_path(document, "properties.enablementTime"));
        mln_json_member_tree(w, "enforce", mln_json_path(document, "properties.enforce"));
        mln_json_member_tree(w, "extensions", mln_json_path(document, "properties.extensions"));
        mln_json_member_bool(w, "deprecated", false);
        if (at_resource)
            mln_json_member_str(w, "inherited", inherited ? MLN_S("True") : MLN_S("False"));
        if (inherited)
            mln_json_member_str(w, "inheritedFrom", subscription);
        if (mln_str_eq(tier, MLN_S("Standard"))) /* no plan's protection is part of this build yet */
            mln_json_member_str(w, "resourcesCoverageStatus", MLN_S("NotCovered"));
    }
    mln_envelope_end(w);
    return MLN_OK;
}

/* $filter=name in (A,B): the plans that are wanted. */
static struct mln_result filtered(const struct mln_request *request, const struct plan *plan, bool *wanted)
{
    struct mln_str filter = mln_str_trim(mln_request_query(request, "$filter")), part;
    *wanted = true;
    if (!filter.n)
        return MLN_OK;
    size_t open = mln_str_find(filter, MLN_S("("), 0);
    if (!mln_str_starts_nocase(filter, MLN_S("name in")) || open == SIZE_MAX || !mln_str_ends(filter, MLN_S(")")))
        return mln_fail(MLN_E_INVALID, "$filter must be of the form: name in (VirtualMachines,Containers)");
    struct mln_str rest = mln_str_sub(filter, open + 1, filter.n - 1);
    *wanted = false;
    while (mln_str_cut(&rest, ',', &part)) {
        part = mln_str_trim(part);
        if (part.n > 1 && part.p[0] == '\'')
            part = mln_str_sub(part, 1, part.n - 1);
        *wanted |= mln_str_eq_nocase(part, mln_str_c(plan->name));
    }
    return MLN_OK;
}

struct mln_result mln_list_pricings(struct mln_request *request, struct mln_reply *reply)
{
    struct mln_json_writer *w = mln_reply_list_begin(reply);
    for (size_t i = 0; i < sizeof plans / sizeof *plans; i++) {
        bool wanted;
        MLN_TRY(filtered(request, &plans[i], &wanted));
        if (wanted && (!request->group.p || i == 0)) /* a resource has the servers' plan alone */
            MLN_TRY(put_pricing(request, w, &plans[i]));
    }
    return mln_reply_list_end(request, reply, (struct mln_str){NULL, 0});
}

static struct mln_result check_scope(const struct mln_request *request, const struct plan *plan)
{
    if (request->group.p && plan != &plans[0])
        return mln_fail(MLN_E_UNSUPPORTED, "The plan %s can be set for a subscription, not for one resource.",
                        plan->name);
    return MLN_OK;
}

static struct mln_result get_pricing(struct mln_request *request, struct mln_reply *reply)
{
    const struct plan *plan;
    MLN_TRY(plan_of(request, &plan));
    MLN_TRY(check_scope(request, plan));
    return put_pricing(request, mln_reply_json(reply, 200), plan);
}

static struct mln_result read_sub_plan(const struct plan *plan, const struct mln_json *properties, bool standard,
                                       const char **out)
{
    struct mln_str text;
    MLN_TRY(mln_member_text(properties, "subPlan", false, &text));
    *out = standard ? plan->sub_plans[0] : NULL;
    if (!text.n || !standard)
        return MLN_OK;
    for (size_t i = 0; i < 4 && plan->sub_plans[i]; i++)
        if (mln_str_eq_nocase(text, mln_str_c(plan->sub_plans[i]))) {
            *out = plan->sub_plans[i];
            return MLN_OK;
        }
    return mln_fail(MLN_E_INVALID, "The plan %s has no sub-plan '%.*s'%s%s.", plan->name,
                    MLN_FMT(mln_str_sub(text, 0, 40)), plan->sub_plans[0] ? "; its first one is " : "",
                    plan->sub_plans[0] ? plan->sub_plans[0] : "");
}

/* The extensions that the body names, checked, in canonical spelling. */
static struct mln_result write_extensions(const struct plan *plan, const struct mln_json *properties,
                                          struct mln_json_writer *w)
{
    const struct mln_json *list = mln_json_get_nocase(properties, MLN_S("extensions"));
    if (!mln_json_is(list, MLN_JSON_ARRAY))
        return MLN_OK;
    mln_json_name(w, MLN_S("extensions"));
    mln_json_begin_array(w);
    for (uint32_t i = 0; i < list->n; i++) {
        struct mln_str name;
        const char *enabled, *known = NULL;
        MLN_TRY(mln_member_text(&list->items[i], "name", true, &name));
        MLN_TRY(mln_member_word(&list->items[i], "isEnabled", yes_no, true, &enabled));
        for (size_t e = 0; e < 6 && plan->extensions[e]; e++)
            if (mln_str_eq_nocase(name, mln_str_c(plan->extensions[e])))
                known = plan->extensions[e];
        if (!known)
            return mln_fail(MLN_E_INVALID, "The plan %s has no extension '%.*s'.", plan->name,
                            MLN_FMT(mln_str_sub(name, 0, 60)));
        mln_json_begin_object(w);
        mln_json_member_str(w, "name", mln_str_c(known));
        mln_json_member_str(w, "isEnabled", mln_str_c(enabled));
        mln_json_member_tree(w, "additionalExtensionProperties",
                             mln_json_get_nocase(&list->items[i], MLN_S("additionalExtensionProperties")));
        mln_json_end_object(w);
    }
    mln_json_end_array(w);
    return MLN_OK;
}

static struct mln_result update_pricing(struct mln_request *request, struct mln_reply *reply)
{
    const struct plan *plan;
    const struct mln_json *properties, *before;
    const char *tier, *sub_plan, *enforce;
    struct mln_str id;
    bool created;
    MLN_TRY(plan_of(request, &plan));
    MLN_TRY(check_scope(request, plan));
    MLN_TRY(mln_request_properties(request, &properties));
    MLN_TRY(mln_member_word(properties, "pricingTier", tiers, true, &tier));
    bool standard = tier == tiers[1];
    MLN_TRY(read_sub_plan(plan, properties, standard, &sub_plan));
    MLN_TRY(mln_member_word(properties, "enforce", yes_no, false, &enforce));
    MLN_TRY(stored(request, request->scope, plan, &before));
    const struct mln_json *since = mln_json_path(before, "properties.enablementTime");
    MLN_TRY_STR(request->arena, id, mln_security_id(request, request->scope, "pricings", mln_str_c(plan->name)));
    MLN_BUF_CLEANUP struct mln_buf text = MLN_BUF(1 << 20);
    struct mln_json_writer w = mln_json_writer(&text);
    mln_envelope_begin(&w, id, mln_str_c(plan->name), TYPE);
    mln_envelope_properties(&w);
    mln_json_member_str(&w, "pricingTier", mln_str_c(tier));
    mln_json_member_str(&w, "subPlan", mln_str_c(sub_plan));
    mln_json_member_str(&w, "enforce", mln_str_c(enforce));
    if (standard && since)
        mln_json_member_tree(&w, "enablementTime", since);
    else if (standard)
        mln_json_member_time(&w, "enablementTime", request->now_ms);
    MLN_TRY(write_extensions(plan, properties, &w));
    mln_envelope_end(&w);
    MLN_TRY(mln_json_writer_end(&w));
    MLN_TRY(mln_document_put(request, id, mln_buf_str(&text), &created));
    return put_pricing(request, mln_reply_json(reply, 200), plan);
}

static struct mln_result delete_pricing(struct mln_request *request, struct mln_reply *reply)
{
    const struct plan *plan;
    struct mln_str id;
    bool existed;
    MLN_TRY(plan_of(request, &plan));
    MLN_TRY(check_scope(request, plan));
    MLN_TRY_STR(request->arena, id, mln_security_id(request, request->scope, "pricings", mln_str_c(plan->name)));
    MLN_TRY(mln_document_delete(request, id, &existed));
    mln_reply_empty(reply, existed ? 200 : 204);
    return MLN_OK;
}

#define READ "Microsoft.Security/pricings/read"
#define WRITE "Microsoft.Security/pricings/write"
#define DELETE "Microsoft.Security/pricings/delete"
#define VERSIONS "2022-03-01 2018-06-01 2023-01-01 2024-01-01"

static const struct mln_route routes[] = {
    {MLN_GET, "{S}{P}/pricings", mln_list_pricings, READ, VERSIONS, 0, 0},
    {MLN_GET, "{S}{P}/pricings/{plan}", get_pricing, READ, VERSIONS, 0, 0},
    {MLN_PUT, "{S}{P}/pricings/{plan}", update_pricing, WRITE, VERSIONS, 0, 0},
    {MLN_GET, "{R}{P}/pricings", mln_list_pricings, READ, VERSIONS, 0, 0},
    {MLN_GET, "{R}{P}/pricings/{plan}", get_pricing, READ, VERSIONS, 0, 0},
    {MLN_PUT, "{R}{P}/pricings/{plan}", update_pricing, WRITE, VERSIONS, 0, 0},
    {MLN_DELETE, "{R}{P}/pricings/{plan}", delete_pricing, DELETE, VERSIONS, 0, 0},
};
const struct mln_route_table mln_routes_pricings = MLN_ROUTE_TABLE("pricings", routes);
