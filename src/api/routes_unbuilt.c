/*
 * Groups of Microsoft.Security that this build does not have. Their lists are empty and their items are not found, as in an
 * Azure subscription where nobody has used them; whatever would make something is refused plainly. A group leaves
 * this file when it is built.
 */
#include "api/route.h"

static struct mln_result empty_list(struct mln_request *request, struct mln_reply *reply)
{
    mln_reply_list_begin(reply);
    return mln_reply_list_end(request, reply, (struct mln_str){NULL, 0});
}

static struct mln_result not_found(struct mln_request *request, struct mln_reply *reply)
{
    (void)reply;
    return mln_fail(MLN_E_NOT_FOUND, "The resource '%.*s' was not found.", MLN_FMT(mln_str_sub(request->id, 0, 200)));
}

/* Deleting what is not there is no mistake. */
static struct mln_result nothing_to_delete(struct mln_request *request, struct mln_reply *reply)
{
    (void)request;
    mln_reply_empty(reply, 204);
    return MLN_OK;
}

static struct mln_result not_built(struct mln_request *request, struct mln_reply *reply)
{
    (void)reply;
    return mln_fail(MLN_E_UNSUPPORTED, "This build of Merlon cannot do this yet: '%.*s'.",
                    MLN_FMT(mln_str_sub(request->id, 0, 200)));
}

#define READ(group) "Microsoft.Security/" group "/read"
#define WRITE(group) "Microsoft.Security/" group "/write"
#define DELETE(group) "Microsoft.Security/" group "/delete"

#define SQL "sqlVulnerabilityAssessments/default"

/* clang-format off */
/* A group with named items below a scope. */
#define GROUP(scope, group, versions)                                                               \
    {MLN_GET, scope "{P}/" group, empty_list, READ(group), versions, 0, 0},                         \
    {MLN_GET, scope "{P}/" group "/{name}", not_found, READ(group), versions, 0, 0},                \
    {MLN_PUT, scope "{P}/" group "/{name}", not_built, WRITE(group), versions, 0, 0},               \
    {MLN_DELETE, scope "{P}/" group "/{name}", nothing_to_delete, DELETE(group), versions, 0, 0}
/* A group that is only read, below a subscription and its location, and a group and its location. */
#define LOCATED(group, versions)                                                                    \
    {MLN_GET, "{S}{P}/" group, empty_list, READ(group), versions, 0, 0},                            \
    {MLN_GET, "{S}{P}{L}/" group, empty_list, READ(group), versions, 0, 0},                         \
    {MLN_GET, "{S}{P}{L}/" group "/{name}", not_found, READ(group), versions, 0, 0},                \
    {MLN_GET, "{G}{P}{L}/" group "/{name}", not_found, READ(group), versions, 0, 0}
/* clang-format on */

static const struct mln_route routes[] = {
    LOCATED("alerts", "2022-01-01 2021-11-01"),
    {MLN_GET, "{G}{P}/alerts", empty_list, READ("alerts"), NULL, 0, 0},
    {MLN_GET, "{G}{P}{L}/alerts", empty_list, READ("alerts"), NULL, 0, 0},
    {MLN_POST, "{S}{P}{L}/alerts/{name}/{verb}", not_built, WRITE("alerts"), NULL, 0, 0},
    {MLN_POST, "{G}{P}{L}/alerts/{name}/{verb}", not_built, WRITE("alerts"), NULL, 0, 0},
    GROUP("{S}", "alertsSuppressionRules", "2019-01-01-preview"),
    LOCATED("jitNetworkAccessPolicies", "2020-01-01"),
    {MLN_GET, "{G}{P}/jitNetworkAccessPolicies", empty_list, READ("jitNetworkAccessPolicies"), NULL, 0, 0},
    {MLN_GET, "{G}{P}{L}/jitNetworkAccessPolicies", empty_list, READ("jitNetworkAccessPolicies"), NULL, 0, 0},
    {MLN_PUT, "{G}{P}{L}/jitNetworkAccessPolicies/{name}", not_built, WRITE("jitNetworkAccessPolicies"), NULL, 0, 0},
    {MLN_DELETE, "{G}{P}{L}/jitNetworkAccessPolicies/{name}", nothing_to_delete, DELETE("jitNetworkAccessPolicies"),
     NULL, 0, 0},
    {MLN_GET, "{S}{P}/regulatoryComplianceStandards", empty_list, READ("regulatoryComplianceStandards"),
     "2019-01-01-preview", 0, 0},
    {MLN_GET, "{S}{P}/regulatoryComplianceStandards/{path*}", not_found, READ("regulatoryComplianceStandards"), NULL, 0,
     0},
    {MLN_GET, "{S}{P}/automations", empty_list, READ("automations"), "2019-01-01-preview", 0, 0},
    GROUP("{G}", "automations", NULL),
    {MLN_POST, "{G}{P}/automations/{name}/validate", not_built, WRITE("automations"), NULL, 0, 0},
    {MLN_GET, "{S}{P}/securityConnectors", empty_list, READ("securityConnectors"), "2023-10-01-preview", 0, 0},
    GROUP("{G}", "securityConnectors", NULL),
    GROUP("{S}", "governanceRules", "2022-01-01-preview"),
    GROUP("{S}", "applications", "2022-07-01-preview"),
    {MLN_GET, "{X}{P}/assessments/{key}/governanceAssignments", empty_list, READ("assessments/governanceAssignments"),
     "2022-01-01-preview", 0, 0},
    {MLN_GET, "{S}{P}/applicationWhitelistings", empty_list, READ("applicationWhitelistings"), "2020-01-01", 0, 0},
    {MLN_GET, "{S}{P}{L}/applicationWhitelistings/{name}", not_found, READ("applicationWhitelistings"), NULL, 0, 0},
    {MLN_PUT, "{S}{P}{L}/applicationWhitelistings/{name}", not_built, WRITE("applicationWhitelistings"), NULL, 0, 0},
    {MLN_DELETE, "{S}{P}{L}/applicationWhitelistings/{name}", nothing_to_delete, DELETE("applicationWhitelistings"),
     NULL, 0, 0},
    {MLN_GET, "{R}{P}/adaptiveNetworkHardenings", empty_list, READ("adaptiveNetworkHardenings"), "2020-01-01", 0, 0},
    {MLN_GET, "{R}{P}/adaptiveNetworkHardenings/{name}", not_found, READ("adaptiveNetworkHardenings"), NULL, 0, 0},
    LOCATED("allowedConnections", "2020-01-01"),
    LOCATED("topologies", "2020-01-01"),
    LOCATED("discoveredSecuritySolutions", "2020-01-01"),
    LOCATED("externalSecuritySolutions", "2020-01-01"),
    {MLN_GET, "{S}{P}/securitySolutions", empty_list, READ("securitySolutions"), "2020-01-01", 0, 0},
    {MLN_GET, "{G}{P}{L}/securitySolutions/{name}", not_found, READ("securitySolutions"), NULL, 0, 0},
    {MLN_GET, "{S}{P}/securitySolutionsReferenceData", empty_list, READ("securitySolutionsReferenceData"), "2020-01-01",
     0, 0},
    {MLN_GET, "{S}{P}{L}/securitySolutionsReferenceData", empty_list, READ("securitySolutionsReferenceData"), NULL, 0,
     0},
    {MLN_GET, "{S}{P}/softwareInventories", empty_list, READ("softwareInventories"), "2021-05-01-preview", 0, 0},
    {MLN_GET, "{R}{P}/softwareInventories", empty_list, READ("softwareInventories"), NULL, 0, 0},
    {MLN_GET, "{R}{P}/softwareInventories/{name}", not_found, READ("softwareInventories"), NULL, 0, 0},
    GROUP("{R}", "serverVulnerabilityAssessments", "2020-01-01"),
    {MLN_GET, "{X}{P}/" SQL "/scans", empty_list, READ("sqlVulnerabilityAssessments"), "2020-07-01-preview", 0, 0},
    {MLN_GET, "{X}{P}/" SQL "/scans/{path*}", not_found, READ("sqlVulnerabilityAssessments"), NULL, 0, 0},
    {MLN_GET, "{X}{P}/" SQL "/baselineRules", empty_list, READ("sqlVulnerabilityAssessments"), NULL, 0, 0},
    {MLN_POST, "{X}{P}/" SQL "/baselineRules", not_built, WRITE("sqlVulnerabilityAssessments"), NULL, 0, 0},
    {MLN_GET, "{X}{P}/" SQL "/baselineRules/{rule}", not_found, READ("sqlVulnerabilityAssessments"), NULL, 0, 0},
    {MLN_PUT, "{X}{P}/" SQL "/baselineRules/{rule}", not_built, WRITE("sqlVulnerabilityAssessments"), NULL, 0, 0},
    {MLN_DELETE, "{X}{P}/" SQL "/baselineRules/{rule}", nothing_to_delete, DELETE("sqlVulnerabilityAssessments"), NULL,
     0, 0},
    {MLN_GET, "{X}{P}/complianceResults", empty_list, READ("complianceResults"), "2017-08-01", 0, 0},
    {MLN_GET, "{X}{P}/complianceResults/{name}", not_found, READ("complianceResults"), NULL, 0, 0},
    {MLN_GET, "{X}{P}/compliances", empty_list, READ("compliances"), "2017-08-01-preview", 0, 0},
    {MLN_GET, "{X}{P}/compliances/{name}", not_found, READ("compliances"), NULL, 0, 0},
    {MLN_GET, "{X}{P}/informationProtectionPolicies", empty_list, READ("informationProtectionPolicies"),
     "2017-08-01-preview", 0, 0},
    {MLN_GET, "{X}{P}/informationProtectionPolicies/{name}", not_found, READ("informationProtectionPolicies"), NULL, 0,
     0},
    {MLN_PUT, "{X}{P}/informationProtectionPolicies/{name}", not_built, WRITE("informationProtectionPolicies"), NULL, 0,
     0},
    {MLN_GET, "{S}{P}/customAssessmentAutomations", empty_list, READ("customAssessmentAutomations"),
     "2021-07-01-preview", 0, 0},
    GROUP("{G}", "customAssessmentAutomations", NULL),
    {MLN_GET, "{S}{P}/customEntityStoreAssignments", empty_list, READ("customEntityStoreAssignments"),
     "2021-07-01-preview", 0, 0},
    GROUP("{G}", "customEntityStoreAssignments", NULL),
    GROUP("{X}", "deviceSecurityGroups", "2019-08-01"),
    GROUP("{S}", "connectors", "2020-01-01-preview"),
    GROUP("{S}", "ingestionSettings", "2021-01-15-preview"),
    {MLN_GET, "{S}{P}/mdeOnboardings", empty_list, READ("mdeOnboardings"), "2021-10-01-preview", 0, 0},
    {MLN_GET, "{S}{P}/mdeOnboardings/{name}", not_found, READ("mdeOnboardings"), NULL, 0, 0},
    {MLN_GET, "{S}{P}/iotSecuritySolutions", empty_list, READ("iotSecuritySolutions"), "2019-08-01", 0, 0},
    GROUP("{G}", "iotSecuritySolutions", NULL),
    {MLN_GET, "{G}{P}/iotSecuritySolutions/{name}/{path*}", not_found, READ("iotSecuritySolutions"), NULL, 0, 0},
    GROUP("{X}", "customRecommendations", "2024-08-01"),
    GROUP("{X}", "securityStandards", "2024-08-01"),
    GROUP("{X}", "standardAssignments", "2024-08-01"),
    {MLN_GET, "{X}{P}/healthReports", empty_list, READ("healthReports"), "2023-05-01-preview", 0, 0},
    {MLN_GET, "{X}{P}/healthReports/{name}", not_found, READ("healthReports"), NULL, 0, 0},
};
const struct mln_route_table mln_routes_unbuilt = MLN_ROUTE_TABLE("unbuilt", routes);
