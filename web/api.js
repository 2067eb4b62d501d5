// Calls to the server's own API, with the browser's session. A call without a session leads to the sign-in page.

const VERSION = { securescores: "2020-01-01", recommendations: "2026-11-01", assessments: "2021-06-01" };

async function call(path, options = {}) {
  let response;
  try {
    response = await fetch(path, {
      credentials: "same-origin",
      ...options,
      headers: { Accept: "application/json", "X-Merlon-Request": "1", ...options.headers },
    });
  } catch {
    throw new Error("it does not answer.");
  }
  if (response.status === 401) {
    location.assign("/ui/signin");
    throw new Error("Signing in ...");
  }
  const text = await response.text();
  let body = null;
  try {
    body = text ? JSON.parse(text) : null;
  } catch {
    throw new Error(`The server's answer to ${path} is not JSON (status ${response.status}).`);
  }
  if (!response.ok) {
    const id = response.headers.get("x-ms-request-id");
    throw new Error(`${body?.error?.message ?? response.statusText}${id ? ` (request ${id})` : ""}`);
  }
  return body;
}

async function list(path) {
  const items = [];
  for (let next = path; next; ) {
    const page = await call(next);
    items.push(...page.value);
    const link = page.nextLink ? new URL(page.nextLink, location.origin) : null;
    next = link ? link.pathname + link.search : null;
  }
  return items;
}

const security = (subscription, rest, version) =>
  `/subscriptions/${encodeURIComponent(subscription)}/providers/Microsoft.Security/${rest}${rest.includes("?") ? "&" : "?"}api-version=${version}`;

export const subscriptions = () => list("/subscriptions?api-version=2019-11-01");

export const score = (subscription) => call(security(subscription, "secureScores/ascScore", VERSION.securescores));

export const controls = (subscription) => list(security(subscription, "secureScoreControls", VERSION.securescores));

export const recommendations = (subscription) => list(security(subscription, "recommendations", VERSION.recommendations));

export async function changes(subscription, from) {
  const page = await call(
    security(subscription, `secureScores/ascScore/changes?from=${encodeURIComponent(from.toISOString())}`, VERSION.recommendations));
  return page.value;
}

export const whatIf = (subscription, keys) =>
  call(security(subscription, "secureScores/ascScore/whatIf", VERSION.recommendations), {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ fixes: keys.map((assessmentKey) => ({ assessmentKey })) }),
  });

async function query(subscription, text) {
  const rows = [];
  for (let skipToken; ; ) {
    const page = await call("/providers/Microsoft.ResourceGraph/resources?api-version=2021-03-01", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ subscriptions: [subscription], query: text, options: skipToken ? { $skipToken: skipToken } : {} }),
    });
    rows.push(...page.data);
    skipToken = page.$skipToken;
    if (!skipToken) return rows;
  }
}

export const machines = (subscription) =>
  query(subscription, `resources
    | where type == 'microsoft.hybridcompute/machines'
    | project id, name, os = tostring(properties.osSku), status = tostring(properties.status)
    | sort by name asc`);

export const findings = (subscription, key) =>
  query(subscription, `securityresources
    | where type == 'microsoft.security/assessments' and name == '${key.replaceAll("'", "")}'
    | project resource = tostring(properties.resourceDetails.id), code = tostring(properties.status.code),
              text = tostring(properties.status.description), since = tostring(properties.status.statusChangeDate)
    | sort by code desc, resource asc`);
