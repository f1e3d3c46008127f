// Runs in a process of its own: `node child.js FILE`, FILE being a custom router written for CCR:
//   module.exports = async (req, config, { event }) => "provider,model" or null
// Reads one JSON object a line (first the config, then questions), writes one. What the person's
// code prints goes to stderr. Ends when stdin closes.
"use strict";

const { EventEmitter } = require("node:events");
const path = require("node:path");
const readline = require("node:readline");
const { pathToFileURL } = require("node:url");

const tell = process.stdout.write.bind(process.stdout);
for (const name of ["log", "info", "debug"]) console[name] = console.error;
process.stdout.write = process.stderr.write.bind(process.stderr);

const file = path.resolve(process.argv[2]);
const event = new EventEmitter();
const log = Object.fromEntries(
  ["fatal", "error", "warn", "info", "debug", "trace"].map((name) => [name, console.error]),
);

async function load() {
  const found = file.endsWith(".mjs") ? await import(pathToFileURL(file).href) : require(file);
  const chosen = typeof found === "function" ? found : found.default;
  if (typeof chosen !== "function") throw new Error("exports no function");
  return chosen;
}

async function answer(chosen, line, config) {
  const { id, ...question } = JSON.parse(line);
  const reply = { id };
  try {
    const req = { ...question, url: "/v1/messages", method: "POST", log };
    const before = JSON.stringify(req.body);
    const model = await chosen(req, config, { event });
    if (model && typeof model !== "string") throw new Error(`returned ${typeof model}`);
    reply.model = model || null;
    if (JSON.stringify(req.body) !== before) reply.body = req.body;
  } catch (error) {
    const at = /:(\d+):\d+\)?$/m.exec(String(error && error.stack).replaceAll(file, ""));
    reply.error = `${error && error.name}: ${error && error.message}` + (at ? ` (line ${at[1]})` : "");
  }
  tell(JSON.stringify(reply) + "\n");
}

async function main() {
  let chosen = null;
  let config = null;
  const loading = load();
  loading.catch((error) => {
    console.error(`${error.name}: ${error.message}`.split("\n")[0]);
    process.exit(1);
  });
  for await (const line of readline.createInterface({ input: process.stdin })) {
    if (config === null) config = JSON.parse(line);
    else {
      chosen ??= await loading;
      answer(chosen, line, config);
    }
  }
  process.exit(0);
}

main();
