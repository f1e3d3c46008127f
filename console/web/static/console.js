// The page's end of the console: an xterm.js on a WebSocket. Nothing is kept but, for this tab, the
// token that lets it come back after a lost connection.
"use strict";

const place = (id) => document.getElementById(id);
const screenName = new URLSearchParams(location.search).get("screen") || "";
const MEMORY = "pointsman.again";
const TICKET = /^[\w-]+$/;
// what is shown at the door: a ticket, or a client's key
let shown = words(new URLSearchParams(location.hash.slice(1)).get("ticket") || "", "");
let socket = null;
let tries = 0;

// a ticket must not stay in the address bar or the history
if (location.hash) history.replaceState(null, "", location.pathname + location.search);

const terminal = new Terminal({
  allowProposedApi: true,
  cursorBlink: false,
  fontFamily: "ui-monospace, 'SF Mono', Menlo, 'DejaVu Sans Mono', Consolas, monospace",
  fontSize: 14,
  // at 1.0 the row below covers what hangs lowest: no underscore could be read
  lineHeight: 1.15,
  macOptionIsMeta: true,
  scrollback: 0,
  theme: { background: "#0f1216" },
});
const fit = new FitAddon.FitAddon();
terminal.loadAddon(fit);
terminal.loadAddon(new Unicode11Addon.Unicode11Addon());
terminal.unicode.activeVersion = "11";
terminal.open(place("terminal"));
fit.fit();

// the console copies by OSC 52; reading the clipboard is not offered to it
terminal.parser.registerOscHandler(52, (data) => {
  const encoded = data.slice(data.indexOf(";") + 1);
  if (encoded === "?" || !navigator.clipboard) return true;
  try {
    const bytes = Uint8Array.from(atob(encoded), (c) => c.charCodeAt(0));
    navigator.clipboard.writeText(new TextDecoder().decode(bytes)).catch(() => {});
  } catch (_) { /* not base64: nothing to copy */ }
  return true;
});

const encoder = new TextEncoder();
const send = (data) => { if (socket && socket.readyState === WebSocket.OPEN) socket.send(data); };
terminal.onData((text) => send(encoder.encode(text)));
terminal.onBinary((text) => send(Uint8Array.from(text, (c) => c.charCodeAt(0))));
const tellSize = () => send(JSON.stringify({ size: [terminal.cols, terminal.rows] }));
terminal.onResize(tellSize);
addEventListener("resize", () => fit.fit());
addEventListener("focus", () => terminal.focus());

function words(ticket, key) {
  const offers = TICKET.test(ticket) ? [`ticket.${ticket}`] : [];
  // base64url: a key may hold what no header's word may
  const coded = btoa(String.fromCharCode(...new TextEncoder().encode(key)))
    .replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  return coded ? [...offers, `key.${coded}`] : offers;
}

function tell(words, button, asks) {
  place("words").textContent = words;
  place("again").textContent = button;
  place("again").hidden = !button;
  place("asked").hidden = !asks;
  place("notice").hidden = false;
  (asks ? place("ticket") : place("again")).focus();
}

function open() {
  const again = sessionStorage.getItem(MEMORY);
  if (!shown.length && !again) {
    tell("This console asks for a ticket: run `pointsman web` in a terminal on that machine,\n"
      + "and open the link that it prints, or paste its ticket here. A router that asks its clients\n"
      + "for a key opens to that key, too.", "Open the console", true);
    return;
  }
  const here = location.pathname.replace(/[^/]*$/, "");
  const query = new URLSearchParams({ size: `${terminal.cols}x${terminal.rows}`, screen: screenName });
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  const offers = shown.length ? shown : [`again.${again}`];
  let opened = false;
  socket = new WebSocket(`${scheme}//${location.host}${here}ws?${query}`, ["pointsman", ...offers]);
  socket.binaryType = "arraybuffer";
  socket.onopen = () => {
    opened = true;
    tries = 0;
    shown = [];
    terminal.reset();
    place("notice").hidden = true;
    tellSize();
    terminal.focus();
  };
  socket.onmessage = ({ data }) => {
    if (typeof data === "string") sessionStorage.setItem(MEMORY, JSON.parse(data).again);
    else terminal.write(new Uint8Array(data));
  };
  socket.onclose = ({ code, reason }) => {
    if (code >= 4000) {
      tell(reason, "Open it again", false);
    } else if (!opened && tries > 0 && ++tries > 8) {
      tries = 0;
      sessionStorage.removeItem(MEMORY);
      open();
    } else if (!opened && tries === 0) {
      // refused: the ticket was used, or the router has started anew since
      const key = shown.some((each) => each.startsWith("key."));
      shown = [];
      sessionStorage.removeItem(MEMORY);
      tell(`${key ? "No console opens to this" : "This ticket was used, or is too old"}:`
        + " `pointsman web` gives another ticket.", "Open the console", true);
    } else {
      tries = tries || 1;
      tell("The connection was lost; trying again …", "", false);
      setTimeout(open, Math.min(500 * 2 ** (tries - 1), 8000));
    }
  };
}

place("again").addEventListener("click", () => {
  const given = place("ticket").value.trim();
  const linked = new URLSearchParams(given.split("#")[1] || "").get("ticket");
  // pasted alone, the one looks as the other may: the server tries both
  if (given) shown = linked ? words(linked, "") : words(given, given);
  place("ticket").value = "";
  open();
});
place("ticket").addEventListener("keydown", (event) => {
  if (event.key === "Enter") place("again").click();
});
open();
