// Drives every operation group of @azure/arm-security, unmodified, and Resource Graph against a server that has three machines
// (machines.py). Prints "ok NAME" or "not ok NAME: why" for each check, and exits with 0 when all are ok.
//
// Asked by the environment: MERLON_URL, MERLON_SUBSCRIPTION, MERLON_CLIENT_ID, MERLON_CLIENT_SECRET (an owner),
// MERLON_READER_TOKEN (an access token of a reader). NODE_EXTRA_CA_CERTS must name the server's authority.

import assert from "node:assert/strict";
import { SecurityCenter } from "@azure/arm-security";
import { ResourceGraphClient } from "@azure/arm-resourcegraph";

const { MERLON_URL: url, MERLON_SUBSCRIPTION: subscription } = process.env;
const scope = `subscriptions/${subscription}`; // the SDK's scopes have no leading slash; ids in answers have one
const group = "default";
const groupScope = `${scope}/resourceGroups/${group}`;
const location = "local";
const machine = `${groupScope}/providers/Microsoft.HybridCompute/machines/web-1`;
const machineParts = [group, "Microsoft.HybridCompute", "machines", "web-1"];
const MACHINES = 3;
const CONTROLS = 15;

// ---- the clients ----

async function askToken() {
  const answer = await fetch(`${url}/adfs/oauth2/token`, {
    method: "POST",
    body: new URLSearchParams({
      grant_type: "client_credentials", client_id: process.env.MERLON_CLIENT_ID,
      client_secret: process.env.MERLON_CLIENT_SECRET, scope: `${url}/.default`,
    }),
  });
  assert.equal(answer.status, 200);
  return (await answer.json()).access_token;
}

const credential = (token) => ({ getToken: async () => ({ token, expiresOnTimestamp: Date.now() + 3600e3 }) });
const options = { endpoint: url, retryOptions: { maxRetries: 0 } };

function makeClient(token, subscriptionId = subscription) {
  const client = new SecurityCenter(credential(token), subscriptionId, options);
  client.pipeline.addPolicy({
    name: "small pages",
    sendRequest(request, next) {
      if (client.top && request.method === "GET" && !request.url.includes("skipToken")) request.url += `&$top=${client.top}`;
      return next(request);
    },
  });
  return client;
}

// ---- checks ----

let failed = 0;

async function check(name, body) {
  try {
    await body();
    console.log(`ok ${name}`);
  } catch (error) {
    failed++;
    console.log(`not ok ${name}: ${String(error.message).split("\n").slice(0, 6).join(" ")}`);
  }
}

async function all(list) {
  const items = [];
  for await (const item of list) items.push(item);
  return items;
}

const isEmpty = async (list) => assert.deepEqual(await all(list), []);
const isEmptyValue = async (promise) => assert.deepEqual((await promise).value, []);

function refuses(promise, statusCode, code) {
  return assert.rejects(promise, (error) => {
    assert.equal(error.name, "RestError");
    assert.equal(error.statusCode, statusCode);
    if (code) assert.equal(error.code, code);
    return true;
  });
}

const isMissing = (promise) => refuses(promise, 404);
const isUnbuilt = (promise) => refuses(promise, 400, "NotSupported");

const token = await askToken();
const asked = new Set(); // operation groups that were used
const client = new Proxy(makeClient(token), {
  get(target, name) {
    asked.add(name);
    return target[name];
  },
});

// ---- scores ----

await check("secureScores.list", async () => {
  const scores = await all(client.secureScores.list());
  assert.equal(scores.length, 1);
  assert.equal(scores[0].name, "ascScore");
  assert.ok(scores[0].max > 0 && scores[0].percentage > 0 && scores[0].percentage < 1);
});
await check("secureScores.get", async () => {
  const score = await client.secureScores.get("ascScore");
  assert.equal(score.weight, MACHINES);
  assert.ok(Math.abs(score.percentage - score.current / score.max) < 1e-6);
});
await check("secureScores.get of another", () => isMissing(client.secureScores.get("other")));
await check("secureScoreControls.list", async () => {
  const controls = await all(client.secureScoreControls.list());
  assert.equal(controls.length, CONTROLS);
  for (const control of controls)
    assert.ok(Number.isInteger(control.max) && typeof control.current === "number" && control.definition === undefined);
});
await check("secureScoreControls.list with definitions", async () => {
  const controls = await all(client.secureScoreControls.list({ expand: "definition" }));
  assert.ok(controls.every((control) => control.definition.maxScore === control.max && control.definition.source));
});
await check("secureScoreControls.listBySecureScore", async () =>
  assert.equal((await all(client.secureScoreControls.listBySecureScore("ascScore"))).length, CONTROLS));
await check("secureScoreControlDefinitions.list", async () => {
  const definitions = await all(client.secureScoreControlDefinitions.list());
  assert.equal(definitions.length, CONTROLS);
  assert.ok(definitions.some((definition) => definition.assessmentDefinitions.length > 5));
});
await check("secureScoreControlDefinitions.listBySubscription", async () =>
  assert.equal((await all(client.secureScoreControlDefinitions.listBySubscription())).length, CONTROLS));
await check("the score is the sum of its controls", async () => {
  const score = await client.secureScores.get("ascScore");
  const counted = (await all(client.secureScoreControls.list())).filter((c) => c.healthyResourceCount + c.unhealthyResourceCount > 0);
  const sum = (member) => counted.reduce((total, control) => total + control[member], 0);
  assert.ok(Math.abs(sum("current") - score.current) < 1e-6);
  assert.equal(sum("max"), score.max);
});

// ---- assessments ----

const metadata = await all(client.assessmentsMetadata.list());
const rootLogin = metadata.find((item) => item.displayName === "SSH should not let root sign in")?.name;

await check("assessmentsMetadata.list", () => assert.ok(metadata.length > 300 && rootLogin));
await check("assessmentsMetadata.listBySubscription", async () =>
  assert.equal((await all(client.assessmentsMetadata.listBySubscription())).length, metadata.length));
await check("assessmentsMetadata.get", async () => {
  const item = await client.assessmentsMetadata.get(rootLogin);
  assert.equal(item.severity, "High");
  assert.equal(item.assessmentType, "BuiltIn");
  assert.deepEqual(item.categories, ["Compute"]);
});
await check("assessmentsMetadata.getInSubscription", async () =>
  assert.equal((await client.assessmentsMetadata.getInSubscription(rootLogin)).name, rootLogin));

const assessments = await all(client.assessments.list(scope));
await check("assessments.list of a subscription", () => {
  assert.ok(assessments.length >= MACHINES * metadata.length);
  assert.ok(assessments.every((item) => item.status.code && item.resourceDetails.source === "Azure" && item.displayName));
});
await check("assessments.list in pages", async () => {
  const pages = [];
  client.top = 50;
  try {
    for await (const page of client.assessments.list(scope).byPage()) pages.push(page.length);
  } finally {
    client.top = 0;
  }
  assert.ok(pages.length >= MACHINES, `${pages.length} pages`);
  assert.equal(pages.reduce((a, b) => a + b), assessments.length);
});
await check("assessments.list of a group", async () =>
  assert.equal((await all(client.assessments.list(groupScope))).length, assessments.length));
await check("assessments.list of a machine", async () =>
  assert.equal((await all(client.assessments.list(machine))).length, assessments.length / MACHINES));
await check("assessments.get", async () => {
  const item = await client.assessments.get(machine, rootLogin);
  assert.equal(item.status.code, "Unhealthy");
  assert.ok(item.status.firstEvaluationDate instanceof Date && item.status.statusChangeDate instanceof Date);
  assert.equal(item.metadata, undefined);
});
await check("assessments.get with more", async () => {
  const item = await client.assessments.get(machine, rootLogin, { expand: "metadata" });
  assert.equal(item.metadata.severity, "High");
  assert.ok((await client.assessments.get(machine, rootLogin, { expand: "links" })).links.azurePortalUri.startsWith(url.slice(0, 8)));
});
await check("assessments.get of none", () => isMissing(client.assessments.get(machine, "00000000-0000-4000-8000-00000000dead")));

const own = "5d7c3a10-0000-4000-8000-00000000000b";
const ownMetadata = { displayName: "Doors are shut", severity: "Medium", assessmentType: "CustomerManaged", description: "All of them." };
await check("assessments.createOrUpdate without metadata", () => refuses(
  client.assessments.createOrUpdate(machine, own, { status: { code: "Healthy" }, resourceDetails: { source: "Azure" } }), 400));
await check("assessmentsMetadata.createInSubscription", async () => {
  const made = await client.assessmentsMetadata.createInSubscription(own, ownMetadata);
  assert.equal(made.displayName, "Doors are shut");
  assert.equal((await client.assessmentsMetadata.get(own)).assessmentType, "CustomerManaged");
});
await check("assessmentsMetadata.createInSubscription of a built-in one", () => refuses(
  client.assessmentsMetadata.createInSubscription(rootLogin, ownMetadata), 409));
await check("assessmentsMetadata.createInSubscription of another type", () => refuses(
  client.assessmentsMetadata.createInSubscription(own, { ...ownMetadata, assessmentType: "BuiltIn" }), 400));
await check("assessments.createOrUpdate", async () => {
  const body = { status: { code: "Unhealthy", cause: "Seen" }, resourceDetails: { source: "Azure" }, additionalData: { door: "3" } };
  const made = await client.assessments.createOrUpdate(machine, own, body); // 201
  assert.equal(made.status.code, "Unhealthy");
  const again = await client.assessments.createOrUpdate(machine, own, { ...body, status: { code: "Healthy" } }); // 200
  assert.equal(again.status.code, "Healthy");
  assert.deepEqual(again.additionalData, { door: "3" });
  assert.equal(again.resourceDetails.id.toLowerCase(), `/${machine}`.toLowerCase());
});
await check("assessments.delete", async () => {
  await client.assessments.delete(machine, own);
  await client.assessments.delete(machine, own);
  await isMissing(client.assessments.get(machine, own));
});
await check("assessmentsMetadata.deleteInSubscription", async () => {
  await client.assessmentsMetadata.deleteInSubscription(own);
  await isMissing(client.assessmentsMetadata.get(own));
});
await check("subAssessments.listAll", () => isEmpty(client.subAssessments.listAll(scope)));
await check("subAssessments.list", () => isEmpty(client.subAssessments.list(machine, rootLogin)));
await check("subAssessments.get", () => isMissing(client.subAssessments.get(machine, rootLogin, "none")));

// ---- plans and settings ----

await check("pricings.list", async () => {
  const { value } = await client.pricings.list();
  assert.ok(value.length > 10 && value.every((plan) => ["Free", "Standard"].includes(plan.pricingTier)));
});
await check("pricings.get", async () => assert.equal((await client.pricings.get("VirtualMachines")).pricingTier, "Free"));
await check("pricings.update", async () => {
  const plan = await client.pricings.update("VirtualMachines", { pricingTier: "Standard", subPlan: "P1" });
  assert.equal(plan.subPlan, "P1");
  assert.equal((await client.pricings.get("VirtualMachines")).pricingTier, "Standard");
  await client.pricings.update("VirtualMachines", { pricingTier: "Free" });
});
await check("pricings.update with a bad tier", () => refuses(client.pricings.update("VirtualMachines", { pricingTier: "Gold" }), 400, "InvalidParameter"));
await check("pricings.update with a bad sub-plan", () => refuses(
  client.pricings.update("VirtualMachines", { pricingTier: "Standard", subPlan: "P9" }), 400));
await check("pricings.get of none", () => isMissing(client.pricings.get("NoSuchPlan")));
await check("settings.list", async () => {
  const settings = await all(client.settings.list());
  assert.ok(settings.some((item) => item.name === "MCAS" && item.kind === "DataExportSettings" && item.enabled === false));
});
await check("settings.update", async () => {
  assert.equal((await client.settings.update("MCAS", { kind: "DataExportSettings", enabled: true })).enabled, true);
  assert.equal((await client.settings.get("MCAS")).enabled, true);
  await client.settings.update("MCAS", { kind: "DataExportSettings", enabled: false });
});
await check("settings.update of another kind", () => refuses(client.settings.update("MCAS", { kind: "AlertSyncSettings", enabled: true }), 400));
await check("settings.get of none", () => isMissing(client.settings.get("none")));
await check("securityContacts", async () => {
  const contact = { email: "a@example.org", alertNotifications: "On", alertsToAdmins: "Off" };
  await isEmpty(client.securityContacts.list());
  assert.equal((await client.securityContacts.create("default1", contact)).email, contact.email);
  assert.equal((await client.securityContacts.update("default1", { ...contact, phone: "2" })).phone, "2");
  assert.equal((await client.securityContacts.get("default1")).alertsToAdmins, "Off");
  assert.equal((await all(client.securityContacts.list())).length, 1);
  await client.securityContacts.delete("default1");
  await isMissing(client.securityContacts.get("default1"));
});
await check("autoProvisioningSettings", async () => {
  assert.equal((await all(client.autoProvisioningSettings.list()))[0].name, "default");
  assert.equal((await client.autoProvisioningSettings.create("default", { autoProvision: "On" })).autoProvision, "On");
  assert.equal((await client.autoProvisioningSettings.get("default")).autoProvision, "On");
  await client.autoProvisioningSettings.create("default", { autoProvision: "Off" });
});
await check("workspaceSettings", async () => {
  const setting = { workspaceId: `/${groupScope}/providers/Microsoft.OperationalInsights/workspaces/w`, scope: `/${scope}` };
  assert.equal((await client.workspaceSettings.create("default", setting)).scope, setting.scope);
  assert.equal((await client.workspaceSettings.update("default", { ...setting, workspaceId: `${setting.workspaceId}2` })).workspaceId,
    `${setting.workspaceId}2`);
  assert.equal((await client.workspaceSettings.get("default")).workspaceId, `${setting.workspaceId}2`);
  assert.equal((await all(client.workspaceSettings.list())).length, 1);
  await client.workspaceSettings.delete("default");
  await isMissing(client.workspaceSettings.get("default"));
});
await check("advancedThreatProtection", async () => {
  const account = `${groupScope}/providers/Microsoft.Storage/storageAccounts/acct`;
  assert.equal((await client.advancedThreatProtection.get(account)).isEnabled, false);
  assert.equal((await client.advancedThreatProtection.create(account, { isEnabled: true })).isEnabled, true);
  assert.equal((await client.advancedThreatProtection.get(account)).isEnabled, true);
  await client.advancedThreatProtection.create(account, { isEnabled: false });
});

// ---- tasks, locations, operations ----

await check("locations", async () => {
  assert.deepEqual((await all(client.locations.list())).map((item) => item.name), [location]);
  assert.deepEqual((await client.locations.get(location)).properties, { homeRegionName: location });
});
await check("operations.list", async () => {
  const operations = await all(client.operations.list());
  assert.ok(operations.some((operation) => operation.display.provider === "Microsoft.Security"));
});
await check("tasks", async () => {
  const tasks = await all(client.tasks.list());
  assert.ok(tasks.length > 20 && tasks.every((task) => task.creationTimeUtc instanceof Date));
  assert.equal((await all(client.tasks.listByHomeRegion(location))).length, tasks.length);
  assert.equal((await all(client.tasks.listByResourceGroup(group, location))).length, tasks.length);
  const { name } = tasks[0];
  assert.equal((await client.tasks.getSubscriptionLevelTask(location, name)).state, "Active");
  await client.tasks.updateSubscriptionLevelTaskState(location, name, "Dismiss");
  assert.equal((await client.tasks.getResourceGroupLevelTask(group, location, name)).state, "Dismissed");
  await client.tasks.updateResourceGroupLevelTaskState(group, location, name, "Activate");
  assert.equal((await client.tasks.getSubscriptionLevelTask(location, name)).state, "Active");
  await isMissing(client.tasks.getSubscriptionLevelTask(location, "none"));
});

// ---- what is not built: as in a subscription in which nobody has used it ----

const lists = {
  "alerts.list": () => client.alerts.list(),
  "alerts.listByResourceGroup": () => client.alerts.listByResourceGroup(group),
  "alerts.listSubscriptionLevelByRegion": () => client.alerts.listSubscriptionLevelByRegion(location),
  "alerts.listResourceGroupLevelByRegion": () => client.alerts.listResourceGroupLevelByRegion(location, group),
  "alertsSuppressionRules.list": () => client.alertsSuppressionRules.list(),
  "jitNetworkAccessPolicies.list": () => client.jitNetworkAccessPolicies.list(),
  "jitNetworkAccessPolicies.listByRegion": () => client.jitNetworkAccessPolicies.listByRegion(location),
  "jitNetworkAccessPolicies.listByResourceGroup": () => client.jitNetworkAccessPolicies.listByResourceGroup(group),
  "jitNetworkAccessPolicies.listByResourceGroupAndRegion": () => client.jitNetworkAccessPolicies.listByResourceGroupAndRegion(group, location),
  "regulatoryComplianceStandards.list": () => client.regulatoryComplianceStandards.list(),
  "automations.list": () => client.automations.list(),
  "automations.listByResourceGroup": () => client.automations.listByResourceGroup(group),
  "securityConnectors.list": () => client.securityConnectors.list(),
  "securityConnectors.listByResourceGroup": () => client.securityConnectors.listByResourceGroup(group),
  "connectors.list": () => client.connectors.list(),
  "adaptiveNetworkHardenings.listByExtendedResource": () => client.adaptiveNetworkHardenings.listByExtendedResource(...machineParts),
  "allowedConnections.list": () => client.allowedConnections.list(),
  "allowedConnections.listByHomeRegion": () => client.allowedConnections.listByHomeRegion(location),
  "topology.list": () => client.topology.list(),
  "topology.listByHomeRegion": () => client.topology.listByHomeRegion(location),
  "discoveredSecuritySolutions.list": () => client.discoveredSecuritySolutions.list(),
  "discoveredSecuritySolutions.listByHomeRegion": () => client.discoveredSecuritySolutions.listByHomeRegion(location),
  "externalSecuritySolutions.list": () => client.externalSecuritySolutions.list(),
  "externalSecuritySolutions.listByHomeRegion": () => client.externalSecuritySolutions.listByHomeRegion(location),
  "securitySolutions.list": () => client.securitySolutions.list(),
  "complianceResults.list": () => client.complianceResults.list(scope),
  "compliances.list": () => client.compliances.list(scope),
  "informationProtectionPolicies.list": () => client.informationProtectionPolicies.list(scope),
  "customAssessmentAutomations.listBySubscription": () => client.customAssessmentAutomations.listBySubscription(),
  "customAssessmentAutomations.listByResourceGroup": () => client.customAssessmentAutomations.listByResourceGroup(group),
  "customEntityStoreAssignments.listBySubscription": () => client.customEntityStoreAssignments.listBySubscription(),
  "customEntityStoreAssignments.listByResourceGroup": () => client.customEntityStoreAssignments.listByResourceGroup(group),
  "deviceSecurityGroups.list": () => client.deviceSecurityGroups.list(machine),
  "ingestionSettings.list": () => client.ingestionSettings.list(),
  "iotSecuritySolution.listBySubscription": () => client.iotSecuritySolution.listBySubscription(),
  "iotSecuritySolution.listByResourceGroup": () => client.iotSecuritySolution.listByResourceGroup(group),
  "softwareInventories.listBySubscription": () => client.softwareInventories.listBySubscription(),
  "softwareInventories.listByExtendedResource": () => client.softwareInventories.listByExtendedResource(...machineParts),
};
for (const [name, list] of Object.entries(lists)) await check(name, () => isEmpty(list()));

const values = { // lists without pages
  "adaptiveApplicationControls.list": () => client.adaptiveApplicationControls.list(),
  "mdeOnboardings.list": () => client.mdeOnboardings.list(),
  "securitySolutionsReferenceData.list": () => client.securitySolutionsReferenceDataOperations.list(),
  "securitySolutionsReferenceData.listByHomeRegion": () => client.securitySolutionsReferenceDataOperations.listByHomeRegion(location),
  "serverVulnerabilityAssessment.listByExtendedResource": () => client.serverVulnerabilityAssessmentOperations.listByExtendedResource(...machineParts),
  "sqlVulnerabilityAssessmentScans.list": () => client.sqlVulnerabilityAssessmentScans.list("w", machine),
  "sqlVulnerabilityAssessmentBaselineRules.list": () => client.sqlVulnerabilityAssessmentBaselineRules.list("w", machine),
};
for (const [name, list] of Object.entries(values)) await check(name, () => isEmptyValue(list()));

const missing = {
  "alerts.getSubscriptionLevel": () => client.alerts.getSubscriptionLevel(location, "none"),
  "alerts.getResourceGroupLevel": () => client.alerts.getResourceGroupLevel(location, "none", group),
  "alertsSuppressionRules.get": () => client.alertsSuppressionRules.get("none"),
  "jitNetworkAccessPolicies.get": () => client.jitNetworkAccessPolicies.get(group, location, "none"),
  "regulatoryComplianceStandards.get": () => client.regulatoryComplianceStandards.get("none"),
  "regulatoryComplianceControls.list": () => all(client.regulatoryComplianceControls.list("none")),
  "regulatoryComplianceControls.get": () => client.regulatoryComplianceControls.get("none", "1"),
  "regulatoryComplianceAssessments.list": () => all(client.regulatoryComplianceAssessments.list("none", "1")),
  "regulatoryComplianceAssessments.get": () => client.regulatoryComplianceAssessments.get("none", "1", "x"),
  "automations.get": () => client.automations.get(group, "none"),
  "securityConnectors.get": () => client.securityConnectors.get(group, "none"),
  "connectors.get": () => client.connectors.get("none"),
  "adaptiveApplicationControls.get": () => client.adaptiveApplicationControls.get(location, "none"),
  "adaptiveNetworkHardenings.get": () => client.adaptiveNetworkHardenings.get(...machineParts, "none"),
  "allowedConnections.get": () => client.allowedConnections.get(group, location, "Internal"),
  "topology.get": () => client.topology.get(group, location, "none"),
  "discoveredSecuritySolutions.get": () => client.discoveredSecuritySolutions.get(group, location, "none"),
  "externalSecuritySolutions.get": () => client.externalSecuritySolutions.get(group, location, "none"),
  "securitySolutions.get": () => client.securitySolutions.get(group, location, "none"),
  "complianceResults.get": () => client.complianceResults.get(scope, "none"),
  "compliances.get": () => client.compliances.get(scope, "none"),
  "informationProtectionPolicies.get": () => client.informationProtectionPolicies.get(scope, "custom"),
  "customAssessmentAutomations.get": () => client.customAssessmentAutomations.get(group, "none"),
  "customEntityStoreAssignments.get": () => client.customEntityStoreAssignments.get(group, "none"),
  "deviceSecurityGroups.get": () => client.deviceSecurityGroups.get(machine, "none"),
  "ingestionSettings.get": () => client.ingestionSettings.get("none"),
  "iotSecuritySolution.get": () => client.iotSecuritySolution.get(group, "none"),
  "iotSecuritySolutionAnalytics.list": () => client.iotSecuritySolutionAnalytics.list(group, "none"),
  "iotSecuritySolutionAnalytics.get": () => client.iotSecuritySolutionAnalytics.get(group, "none"),
  "iotSecuritySolutionsAnalyticsAggregatedAlert.list": () => all(client.iotSecuritySolutionsAnalyticsAggregatedAlert.list(group, "none")),
  "iotSecuritySolutionsAnalyticsRecommendation.list": () => all(client.iotSecuritySolutionsAnalyticsRecommendation.list(group, "none")),
  "mdeOnboardings.get": () => client.mdeOnboardings.get(),
  "serverVulnerabilityAssessment.get": () => client.serverVulnerabilityAssessmentOperations.get(...machineParts),
  "softwareInventories.get": () => client.softwareInventories.get(...machineParts, "none"),
  "sqlVulnerabilityAssessmentScans.get": () => client.sqlVulnerabilityAssessmentScans.get("latest", "w", machine),
  "sqlVulnerabilityAssessmentScanResults.list": () => client.sqlVulnerabilityAssessmentScanResults.list("latest", "w", machine),
  "sqlVulnerabilityAssessmentBaselineRules.get": () => client.sqlVulnerabilityAssessmentBaselineRules.get("VA1", "w", machine),
};
for (const [name, get] of Object.entries(missing)) await check(name, () => isMissing(get()));

const deletions = {
  "alertsSuppressionRules.delete": () => client.alertsSuppressionRules.delete("none"),
  "jitNetworkAccessPolicies.delete": () => client.jitNetworkAccessPolicies.delete(group, location, "none"),
  "automations.delete": () => client.automations.delete(group, "none"),
  "securityConnectors.delete": () => client.securityConnectors.delete(group, "none"),
  "adaptiveApplicationControls.delete": () => client.adaptiveApplicationControls.delete(location, "none"),
  "iotSecuritySolution.delete": () => client.iotSecuritySolution.delete(group, "none"),
  "serverVulnerabilityAssessment.beginDeleteAndWait": () => client.serverVulnerabilityAssessmentOperations.beginDeleteAndWait(...machineParts),
};
for (const [name, remove] of Object.entries(deletions)) await check(name, () => remove());

const unbuilt = {
  "alerts.simulate": () => client.alerts.simulate(location, { properties: { kind: "Bundles", bundles: ["VirtualMachines"] } }),
  "alertsSuppressionRules.update": () => client.alertsSuppressionRules.update("r", { alertType: "*", reason: "Other", state: "Enabled" }),
  "jitNetworkAccessPolicies.createOrUpdate": () => client.jitNetworkAccessPolicies.createOrUpdate(group, location, "p", { virtualMachines: [] }),
  "automations.createOrUpdate": () => client.automations.createOrUpdate(group, "a", { location, scopes: [], sources: [], actions: [] }),
  "automations.validate": () => client.automations.validate(group, "a", { location, scopes: [], sources: [], actions: [] }),
  "securityConnectors.createOrUpdate": () => client.securityConnectors.createOrUpdate(group, "c", { location, cloudName: "AWS" }),
  "serverVulnerabilityAssessment.createOrUpdate": () => client.serverVulnerabilityAssessmentOperations.createOrUpdate(...machineParts),
  "iotSecuritySolution.createOrUpdate": () => client.iotSecuritySolution.createOrUpdate(group, "s", { location, displayName: "s", iotHubs: [] }),
  "sqlVulnerabilityAssessmentBaselineRules.add": () => client.sqlVulnerabilityAssessmentBaselineRules.add("w", machine, { body: { latestScan: true, results: {} } }),
};
for (const [name, change] of Object.entries(unbuilt)) await check(`${name} is refused`, () => isUnbuilt(change()));

await check("every group of the SDK was asked", () => {
  const groups = Object.entries(client).filter(([, value]) => value?.client instanceof SecurityCenter).map(([name]) => name);
  assert.equal(groups.length, 49);
  assert.deepEqual(groups.filter((name) => !asked.has(name)), []);
});

// ---- refusals ----

await check("no rights", () => refuses(
  makeClient(process.env.MERLON_READER_TOKEN).pricings.update("VirtualMachines", { pricingTier: "Standard" }), 403, "AuthorizationFailed"));
await check("a reader reads", async () =>
  assert.equal((await all(makeClient(process.env.MERLON_READER_TOKEN).secureScores.list())).length, 1));
await check("a forged token", () => refuses(makeClient(`${token.slice(0, -6)}AAAAAA`).pricings.list(), 401, "InvalidAuthenticationToken"));
await check("no token that is one", () => refuses(makeClient("x").pricings.list(), 401, "InvalidAuthenticationToken"));
await check("another subscription", () => refuses(
  all(makeClient(token, "00000000-0000-4000-8000-00000000dead").secureScores.list()), 404, "SubscriptionNotFound"));

// ---- Resource Graph ----

const graph = new ResourceGraphClient(credential(token), options);
const query = (text, more = {}) => graph.resources({ subscriptions: [subscription], query: text, ...more });

await check("graph: resources", async () => {
  const { data, totalRecords, count, resultTruncated } = await query("resources | where type =~ 'microsoft.hybridcompute/machines' | project name");
  assert.deepEqual(data.map((row) => row.name).sort(), ["bastion-1", "db-1", "web-1"]);
  assert.deepEqual([totalRecords, count, resultTruncated], [3, 3, "false"]);
});
await check("graph: pages", async () => {
  const names = [];
  let skipToken;
  let pages = 0;
  do {
    const page = await query("securityresources | where type == 'microsoft.security/assessments' | project id | sort by id asc",
      { options: { top: 200, skipToken } });
    names.push(...page.data.map((row) => row.id));
    skipToken = page.skipToken;
    pages++;
  } while (skipToken);
  assert.ok(pages > 3);
  assert.equal(new Set(names).size, assessments.length);
});
await check("graph: a table", async () => {
  const { data } = await query("securityresources | summarize n = count() by type | sort by type asc", { options: { resultFormat: "table" } });
  assert.deepEqual(data.columns, [{ name: "type", type: "string" }, { name: "n", type: "integer" }]);
  assert.ok(data.rows.some(([type, n]) => type === "microsoft.security/assessments" && n === assessments.length));
});
await check("graph: facets", async () => {
  const { facets } = await query("securityresources | where type == 'microsoft.security/assessments'",
    { facets: [{ expression: "properties.status.code", options: { top: 5 } }] });
  assert.equal(facets[0].resultType, "FacetResult");
  assert.ok(facets[0].data.length >= 2);
});
await check("graph: a query that cannot be read", () => refuses(query("resources | where ("), 400, "BadRequest"));
await check("graph: a table that is not there", () => refuses(query("nosuchtable"), 400, "BadRequest"));
await check("graph: operations", async () => assert.ok(Array.isArray(await all(graph.operations.list()))));

process.exitCode = failed ? 1 : 0;
