// Asks once a second what is new, and shows it.
import { Chart, hueOf, shown } from "./chart.js";

const INTERVAL_MS = 1000;
const RUNNING = ["ramp", "load"];
const PHASES = { ready: "ready", ramp: "coming online", load: "under load", settling: "settling",
  judging: "judging", over: "over" };
const the = (id) => document.getElementById(id);
const put = (id, text) => { if (the(id).textContent !== text) the(id).textContent = text; };
const rate = (name) => (point, before) => before && point.at_s > before.at_s
  ? Math.max(0, point[name] - before[name]) / (point.at_s - before.at_s) : null;
const level = (name, factor = 1) => (point) => point[name] === null ? null : point[name] * factor;
let points = [], state = null, next = 0, run = 0, at = null;

const charts = [
  ["Delivery latency", "ms", [["p99", "vermillion", level("p99_ms")], ["p50", "blue", level("p50_ms")]]],
  ["Messages", "/s", [["sent", "grey", rate("sent")], ["acknowledged", "green", rate("acked")], ["delivered", "blue", rate("delivered")]]],
  ["In flight", "deliveries", [["in flight", "blue", level("owed")], ["over 30 s", "vermillion", level("overdue")]]],
  ["Connections", "", [["open", "blue", level("connections")], ["wanted", "grey", level("target")]]],
  ["Heartbeats", "/s", [["answered", "green", rate("beats_answered")], ["missed", "vermillion", rate("beats_missed")]]],
  ["Generator", "", [["loop lag ms", "orange", level("loop_lag_ms")], ["CPU % of a core", "purple", level("cpu_share", 100)]]],
].map(([title, unit, series]) => new Chart(the("charts"), title, unit,
  series.map(([label, hue, of]) => ({ label, hue, of }))));

function clock(seconds) {
  return `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;
}

function showFaults() {
  const names = [...new Set(state.faults.map((fault) => fault.name))];
  const held = document.activeElement?.dataset?.number;
  the("faults").replaceChildren(...state.faults.toReversed().map((fault) => {
    const item = document.createElement("li"), words = document.createElement("span");
    item.style.setProperty("--hue", hueOf(names, fault.name));
    const since = fault.start_s === null ? `begins at ${clock(fault.due_s)}`
      : `${clock(fault.start_s)} – ${fault.end_s === null ? "now" : clock(fault.end_s)}`;
    words.textContent = `${fault.summary}: ${fault.stand}, ${since}${fault.error ? `; ${fault.error}` : ""}`;
    item.append(words);
    if (fault.stand !== "over" && state.is_open) {
      const button = document.createElement("button");
      Object.assign(button, { type: "button", textContent: "Switch off" });
      button.setAttribute("aria-label", `Switch off ${fault.summary}`);
      button.dataset.number = fault.number;
      button.onclick = () => ask(`faults/${fault.number}/off`, {});
      item.append(button);
    }
    return item;
  }));
  if (held !== undefined) document.querySelector(`button[data-number="${held}"]`)?.focus();
  return names;
}

function showOutcome() {
  const summary = state.summary, isOver = state.phase === "over" || state.phase === "judging";
  the("outcome").hidden = !(isOver && state.folder);
  put("folder", state.folder ?? "");
  put("verdict", summary ? `Verdict: ${summary.verdict}` : state.phase === "judging" ? "Judging…" : "No verdict");
  the("outcome").style.setProperty("--tone", summary ? { pass: "var(--green)", fail: "var(--vermillion)" }[summary.verdict] : "var(--grey)");
  const found = summary?.checks.completeness;
  put("figures", found ? `${shown(found.sent)} sent, ${shown(found.acked)} acknowledged, ${shown(found.expected)} deliveries expected, ${shown(found.lost)} lost, ${shown(found.late)} late` : "");
  the("report").hidden = !state.has_report;
  if (found?.checked) {
    put("overdue", shown(found.lost));
    put("lost-note", "after settling: as judged");
  } else put("lost-note", "owed for more than 30 s; may still come by a pull");
}

function show() {
  const { totals } = state, { messages, beats, deliveries, connects, sends, health } = totals;
  const isRunning = RUNNING.includes(state.phase);
  put("phase", PHASES[state.phase] ?? state.phase);
  put("elapsed", points.length ? clock(points.at(-1).at_s) : "");
  the("stop").hidden = !isRunning;
  if (state.phase !== show.phase) the("starting").open = !isRunning && state.phase !== "settling";
  show.phase = state.phase;
  the("run").querySelector("[type=submit]").disabled = isRunning || state.phase === "settling";
  the("on").disabled = !state.is_open;
  for (const option of the("kind").options) {
    option.disabled = state.is_open && !state.levers.includes(option.dataset.pulls);
  }
  for (const name of ["sent", "acked", "delivered", "repeated"]) put(name, shown(messages[name]));
  put("owed", shown(deliveries.owed));
  put("overdue", shown(deliveries.overdue));
  put("connections", shown(totals.connections));
  put("connects", `of ${shown(totals.target)}; ${shown(connects.dropped)} dropped`);
  put("beats", shown(beats.answered));
  put("missed", `${shown(beats.missed)} missed`);
  put("processes", shown(totals.processes));
  put("lag", `${shown(health.loop_lag_ms)} ms`);
  put("cpu", `${shown(health.cpu_share * 100)} %`);
  put("late", shown(sends.late));
  put("planned", `of ${shown(sends.started)} begun, ${shown(sends.planned)} planned`);
  put("memory", `${shown(health.rss_bytes / 1e6)} MB`);
  tell(state.broken ?? state.error);
  showOutcome();
  const names = showFaults();
  the("cursor").max = Math.max(0, points.length - 1);
  if (at === null) the("cursor").value = the("cursor").max;
  put("moment", at === null ? "now" : clock(points[at]?.at_s ?? 0));
  for (const chart of charts) chart.draw(points, state.faults, names, at);
}

function tell(trouble) {
  the("trouble").hidden = !trouble;
  put("trouble", trouble ?? "");
}

async function look() {
  try {
    const answer = await fetch(`live?run=${run}&since=${next}`);
    if (!answer.ok || answer.redirected) throw new Error(`${answer.status}`);
    state = await answer.json();
    if (state.run !== run) { points = []; run = state.run; at = null; }
    points.push(...state.points.map((point) => Object.fromEntries(state.columns.map((name, place) => [name, point[place]]))));
    points = points.slice(-3600);
    next = state.next;
    show();
  } catch (error) {
    put("phase", "no answer");
    tell(`The run's process does not answer (${error.message}).${state?.folder ? ` Its folder is ${state.folder}.` : ""}`);
  }
}

async function ask(path, body) {
  const answer = await fetch(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
  put("refusal", answer.ok ? "" : (await answer.json()).error);
  await look();
}

the("fault").addEventListener("submit", (event) => {
  event.preventDefault();
  const form = new FormData(event.target), said = (name) => String(form.get(name) ?? "").trim();
  const words = [said("kind") + (said("value") && `=${said("value")}`), `at ${said("at") || 0}s`];
  if (said("for")) words.push(`for ${said("for")}s`);
  if (said("target") && said("target") !== "all") words.push(`on ${said("target")}`);
  if (said("stream")) words.push(`stream ${said("stream")}`);
  ask("faults", { faults: words.join(" ") });
});

function suggest() {
  const { example, pulls } = the("kind").selectedOptions[0].dataset, written = example.split(" ")[0];
  the("value").value = written.includes("=") ? written.slice(written.indexOf("=") + 1) : "";
  put("example", `such as ${example}; by the ${pulls}`);
}
the("kind").addEventListener("change", suggest);
suggest();

the("run").addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = new FormData(event.target);
  form.set("proxies", String(event.target.proxies.checked));
  const answer = await (await fetch("../swarm", { method: "POST", body: new URLSearchParams(form) })).json();
  tell(answer.success ? null : answer.message);
  await look();
});

the("stop").addEventListener("click", async () => {
  the("stop").disabled = true;
  await fetch("../stop", { method: "POST" });
  the("stop").disabled = false;
});

the("cursor").addEventListener("input", ({ target }) => {
  at = Number(target.value) >= points.length - 1 ? null : Number(target.value);
  if (state) show();
});

look();
setInterval(look, INTERVAL_MS);
