// Keeps the page true while it is looked at, and gives each snippet a button that copies it.
"use strict";

const WORDS = { up: "● up", degraded: "◐ degraded", down: "✗ down", unknown: "○ unknown", off: "– off" };
const EVERY = 3000; // milliseconds between two looks; none while nobody looks

function cell(text, kind, of) {
  const made = document.createElement("td");
  made.textContent = text;
  if (kind) made.className = kind;
  if (of) made.dataset.of = of;
  return made;
}

function count(of, number) { // of a program beside the router nobody counts anything
  return of.kind === "neighbour" || of.kind === "ssh" ? "" : number.toLocaleString("en");
}

function show(place, state) {
  place.textContent = WORDS[state] ?? state;
  place.className = state;
}

function draw(health) {
  const summary = document.getElementById("summary");
  summary.textContent = health.summary;
  const ill = Object.values(health.services).some((of) => of.state === "down" || of.state === "degraded");
  summary.className = health.status === "ok" && !health.simulated_only && !ill ? "up" : "degraded";
  document.getElementById("services").replaceChildren(...Object.entries(health.services).map(([name, of]) => {
    const row = document.createElement("tr");
    row.append(
      cell(name),
      cell(WORDS[of.state] ?? of.state, of.state),
      cell(count(of, of.requests), "number", "requests"),
      cell(count(of, of.errors), "number", "errors"),
      cell(of.p50_ms === null ? "" : `${Math.round(of.p50_ms)} ms`, "number", "first byte"),
      cell([of.mode === "simulated" ? "simulated" : "", of.reason].filter(Boolean).join(": ")),
    );
    return row;
  }));
  for (const state of document.querySelectorAll("[data-service]")) {
    const of = health.services[state.dataset.service];
    if (!of) continue;
    show(state, of.state);
  }
}

async function look() {
  const summary = document.getElementById("summary");
  if (document.hidden || !summary) return; // without one, the figures are not for us
  try {
    const answer = await fetch("/health", { cache: "no-store", signal: AbortSignal.timeout(EVERY) });
    if (answer.status >= 500) throw new Error("a proxy before us does not reach us");
    if (answer.ok) draw(await answer.json());
    else clearInterval(looking); // a proxy before us keeps the figures to itself
  } catch {
    summary.textContent = "the router does not answer";
    summary.className = "down";
    for (const state of document.querySelectorAll("[data-service], #services td:nth-child(2)")) show(state, "unknown");
  }
}

for (const snippet of navigator.clipboard ? document.querySelectorAll("pre") : []) {
  const button = document.createElement("button");
  button.textContent = "Copy";
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(snippet.innerText);
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = "Copy"; }, 1500);
  });
  snippet.before(button);
}

const looking = setInterval(look, EVERY);
document.addEventListener("visibilitychange", look);
look();
