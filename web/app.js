// The first page: score, what to fix first, controls, recommendations. State that can be linked to stands in the address.

import * as api from "./api.js";
import { ago, drawing, element, percent, points } from "./dom.js";

const TREND_DAYS = 30;
const REFRESH_MS = 15000;
const $ = (id) => document.getElementById(id);

const state = { subscription: "", recommendations: [], loaded: null };

// ---- address ----

const readAddress = () => Object.fromEntries(new URLSearchParams(location.search));

function writeAddress(changes) {
  const parameters = new URLSearchParams(location.search);
  for (const [key, value] of Object.entries(changes)) value ? parameters.set(key, value) : parameters.delete(key);
  const text = parameters.toString();
  history.replaceState(null, "", text ? `?${text}` : location.pathname);
}

// ---- theme ----

const THEMES = ["system", "light", "dark"];

function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
  $("theme").textContent = `Theme: ${theme}`;
  localStorage.setItem("theme", theme);
}

// ---- score ----

function showScore(score) {
  const { current, max, percentage } = score.properties.score;
  const known = max > 0;
  const length = 2 * Math.PI * 50;
  const value = drawing("circle", {
    class: "ring value", cx: 60, cy: 60, r: 50, "stroke-dasharray": length, "stroke-dashoffset": length * (1 - percentage),
    transform: "rotate(-90 60 60)",
  });
  const ring = drawing("svg", { viewBox: "0 0 120 120", role: "img", "aria-label": known ? `Secure score ${percent(percentage)}` : "No secure score yet" },
    drawing("circle", { class: "ring", cx: 60, cy: 60, r: 50 }), percentage > 0 ? value : null,
    drawing("text", { class: "figure", x: 60, y: 68, "text-anchor": "middle" }, known ? percent(percentage) : "\u2013"));
  const text = element("div", {},
    known ? element("p", {}, element("strong", {}, points(current)), ` of ${points(max)} points`) : element("p", {}, "No score yet"),
    element("p", { class: "quiet" }, `${score.properties.weight} resources assessed`));
  $("score").replaceChildren(ring, text);
}

function showTrend(changes) {
  const series = changes.map((change) => [new Date(change.time).getTime(), change.after.percentage ?? 0]).reverse();
  if (series.length < 2) {
    $("trend").replaceChildren();
    return;
  }
  series.push([Date.now(), series.at(-1)[1]]);
  const first = series[0][0];
  const span = Math.max(1, series.at(-1)[0] - first);
  const at = ([time, share]) => `${((time - first) / span) * 300} ${36 - share * 32}`;
  let path = `M${at(series[0])}`;
  for (let i = 1; i < series.length; i++) path += `L${at([series[i][0], series[i - 1][1]])}L${at(series[i])}`;
  const last = changes[0];
  const moved = last.after.current - last.before.current;
  $("trend").replaceChildren(
    drawing("svg", { class: "trend", viewBox: "0 0 300 40", preserveAspectRatio: "none", role: "img",
      "aria-label": `Score over time, ${series.length - 1} changes, now ${percent(series.at(-1)[1])}` },
      drawing("path", { d: path })),
    element("p", { class: "quiet" }, `Last change ${ago(last.time)}: ${moved < 0 ? "-" : "+"}${points(Math.abs(moved))} points`));
}

// ---- what to fix first ----

const isOpen = (item) => item.properties.unhealthyResourceCount > 0;

/* What fixing it brings: alone, or, where others fail on the same resources, only together with those. */
function gain(item) {
  const { potentialIncrease: alone, potentialShare: shared } = item.properties;
  if (!isOpen(item)) return "";
  return alone > 0 ? `+${points(alone)}` : shared > 0 ? `shares ${points(shared)}` : "";
}

function gainInWords(item) {
  const { potentialIncrease: alone, potentialShare: shared } = item.properties;
  if (!gain(item)) return null;
  return alone > 0 ? `Fixing it everywhere adds ${points(alone)} points.`
    : `${points(shared)} points come back when everything that fails on the same resources is fixed.`;
}

async function showFirst(items) {
  const best = items.filter(gain).slice(0, 3); // the server ranks them
  $("first").replaceChildren(...best.map((item) =>
    element("li", {}, element("a", { href: `#${item.name}` }, item.properties.displayName), " ",
      element("span", { class: "gain", title: gainInWords(item) }, gain(item)))));
  $("together").textContent = best.length === 0 ? "No fix raises the score right now." : "";
  if (best.length === 0) return;
  const { before, after } = await api.whatIf(state.subscription, best.map((item) => item.name));
  $("together").textContent =
    `${best.length === 1 ? "With it" : "All together"}: ${percent(before.score.percentage)} becomes ${percent(after.score.percentage)}`;
}

// ---- machines ----

function showMachines(machines) {
  if (machines.length === 0) {
    $("machines").replaceChildren(element("p", { class: "quiet" }, "No machine is enrolled yet. Make a token with "),
      element("code", {}, "merlon token create"));
    return;
  }
  const connected = machines.filter((machine) => machine.status === "Connected").length;
  const rows = machines.slice(0, 6).map((machine) => element("li", {},
    element("span", { class: "name" }, machine.name), element("span", {}, machine.status || "unknown"),
    element("span", { class: "os quiet" }, machine.os)));
  $("machines").replaceChildren(
    element("p", {}, element("strong", {}, String(machines.length)), ` enrolled, ${connected} connected`),
    element("ul", { class: "machines" }, ...rows));
  if (machines.length > 6) $("machines").append(element("p", { class: "quiet" }, `and ${machines.length - 6} more`));
}

// ---- controls ----

function showControls(controls) {
  const rows = controls
    .toSorted((a, b) => b.properties.potentialIncrease - a.properties.potentialIncrease || b.properties.score.max - a.properties.score.max)
    .map(({ properties: p }) => element("tr", {},
      element("th", { scope: "row" }, p.displayName),
      p.counted && p.score.max > 0
        ? element("td", { class: "number" }, `${points(p.score.current)} of ${p.score.max}`)
        : element("td", { class: "number quiet" }, p.score.max > 0 ? `not counted (${p.score.max})` : "no points"),
      element("td", {}, p.counted && p.score.max > 0
        ? element("meter", { min: 0, max: 1, low: 0.4, high: 0.75, optimum: 1, value: p.score.percentage, "aria-label": `${p.displayName}: ${percent(p.score.percentage)}` },
          percent(p.score.percentage))
        : ""),
      ...[p.healthyResourceCount, p.unhealthyResourceCount, p.notApplicableResourceCount].map((n) => element("td", { class: "number" }, String(n))),
      element("td", { class: "number" }, p.potentialIncrease > 0 ? `+${points(p.potentialIncrease)}` : "")));
  $("controls").querySelector("tbody").replaceChildren(...rows);
}

// ---- recommendations ----

async function showFindings(body, item) {
  const place = element("div", {}, element("p", { class: "quiet" }, "Reading ..."));
  body.append(element("h3", {}, "Resources"), place);
  try {
    const findings = await api.findings(state.subscription, item.name);
    place.replaceChildren(element("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": `Resources: ${item.properties.displayName}` },
      element("table", {},
        element("thead", {}, element("tr", {}, ...["Resource", "Status", "Found", "Since"].map((name) => element("th", { scope: "col" }, name)))),
        element("tbody", {}, ...findings.map((finding) => element("tr", {},
          element("th", { scope: "row", title: finding.resource }, finding.resource.split("/").at(-1)),
          element("td", {}, finding.code), element("td", {}, finding.text ?? ""),
          element("td", { title: finding.since }, finding.since ? ago(finding.since) : "")))))));
  } catch (error) {
    place.replaceChildren(element("p", { class: "problem" }, error.message));
  }
}

function showBody(body, item) {
  const p = item.properties;
  body.replaceChildren(
    element("p", {}, p.description),
    element("p", { class: "quiet" }, `${p.controls.join(", ")} \u00b7 rule ${p.ruleId}${p.preview ? " \u00b7 preview, not counted" : ""}`),
    element("h3", {}, "How to fix it"),
    element("p", {}, p.remediationDescription));
  if (p.remediationCommands.length) body.append(element("pre", { tabindex: 0, "aria-label": "Commands" }, element("code", {}, p.remediationCommands.join("\n"))));
  showFindings(body, item);
}

function recommendation(item) {
  const p = item.properties;
  const total = p.healthyResourceCount + p.unhealthyResourceCount;
  const body = element("div", { class: "body" });
  const details = element("details", { class: "item", id: item.name },
    element("summary", {},
      element("span", { class: `severity ${p.severity}` }, p.severity),
      element("span", { class: "title" }, p.displayName),
      element("span", { class: "quiet number" }, total ? `${p.unhealthyResourceCount} of ${total} failing` : "not applicable"),
      element("span", { class: "gain number", title: gainInWords(item) }, gain(item))),
    body);
  details.addEventListener("toggle", () => {
    if (!details.open || body.hasChildNodes()) return;
    showBody(body, item);
    history.replaceState(null, "", `${location.pathname}${location.search}#${item.name}`);
  });
  return details;
}

function matches(item) {
  const p = item.properties;
  const status = $("status").value;
  if (status === "open" && !isOpen(item)) return false;
  if (status === "healthy" && (isOpen(item) || p.healthyResourceCount === 0)) return false;
  if ($("severity").value && p.severity !== $("severity").value) return false;
  const text = [p.displayName, p.ruleId, p.description, ...p.controls].join(" ").toLowerCase();
  return $("text").value.toLowerCase().split(/\s+/).every((word) => text.includes(word));
}

function showRecommendations() {
  const open = new Set([...document.querySelectorAll("details.item[open]")].map((item) => item.id));
  const shown = state.recommendations.filter(matches);
  $("count").textContent = `${shown.length} of ${state.recommendations.length}`;
  if (shown.length === 0) {
    const all = state.recommendations.length;
    $("recommendations").replaceChildren(element("p", { class: "empty" },
      all === 0 ? "Nothing has been assessed yet." : `None of ${all} recommendations matches this filter.`));
    return;
  }
  $("recommendations").replaceChildren(...shown.map((item) => {
    const made = recommendation(item);
    if (open.has(item.name)) made.open = true;
    return made;
  }));
}

function openLinked() {
  const linked = location.hash.slice(1);
  if (!linked) return;
  if (!document.getElementById(linked)) {
    $("status").value = "all";
    $("severity").value = $("text").value = "";
    showRecommendations();
  }
  const item = document.getElementById(linked);
  if (!item || !item.matches("details")) return;
  item.open = true;
  item.scrollIntoView({ block: "start" });
  item.querySelector("summary").focus();
}

// ---- loading ----

async function load(first) {
  try {
    const from = new Date(Date.now() - TREND_DAYS * 86400000);
    const [score, controls, items, changes, machines] = await Promise.all([
      api.score(state.subscription), api.controls(state.subscription), api.recommendations(state.subscription),
      api.changes(state.subscription, from), api.machines(state.subscription)]);
    const fingerprint = JSON.stringify([score, controls, items, changes[0]?.time, machines]);
    $("problem").hidden = true;
    $("freshness").textContent = `Read ${new Date().toLocaleTimeString()}`;
    if (fingerprint === state.loaded) return;
    state.loaded = fingerprint;
    state.recommendations = items;
    showScore(score);
    showTrend(changes);
    showControls(controls);
    showMachines(machines);
    showRecommendations();
    await showFirst(items);
    if (first) openLinked();
  } catch (error) {
    $("problem").textContent = `The server could not be read: ${error.message} What is shown may be old.`;
    $("problem").hidden = false;
  }
}

async function start() {
  setTheme(THEMES.includes(localStorage.getItem("theme")) ? localStorage.getItem("theme") : "system");
  $("theme").addEventListener("click", () =>
    setTheme(THEMES[(THEMES.indexOf(document.documentElement.dataset.theme) + 1) % THEMES.length]));
  const address = readAddress();
  $("text").value = address.q ?? "";
  $("severity").value = address.severity ?? "";
  $("status").value = address.status ?? "open";
  $("filter").addEventListener("submit", (event) => event.preventDefault());
  $("filter").addEventListener("input", () => {
    writeAddress({ q: $("text").value, severity: $("severity").value, status: $("status").value === "open" ? "" : $("status").value });
    showRecommendations();
  });
  addEventListener("hashchange", openLinked);
  let all;
  try {
    all = await api.subscriptions();
  } catch (error) {
    $("problem").textContent = error.message;
    $("problem").hidden = false;
    return;
  }
  $("subscription").replaceChildren(...all.map((one) => element("option", { value: one.subscriptionId }, one.displayName)));
  state.subscription = all.some((one) => one.subscriptionId === address.subscription) ? address.subscription : all[0]?.subscriptionId ?? "";
  if (!state.subscription) {
    $("problem").textContent = "You may not read any subscription. An owner can give you the role Security Reader.";
    $("problem").hidden = false;
    return;
  }
  $("subscription").value = state.subscription;
  $("subscription").addEventListener("change", () => {
    state.subscription = $("subscription").value;
    writeAddress({ subscription: state.subscription });
    load(false);
  });
  await load(true);
  setInterval(() => document.visibilityState === "visible" && load(false), REFRESH_MS);
}

start();
