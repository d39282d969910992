// One socket a page. It resumes from the last number that it has seen, so nothing is missed.
const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 30000;
const FINAL_CODES = [4401, 4403, 4404];

const listeners = new Set();
let socket = null;
let delay = FIRST_DELAY_MS;
let place = placeOfPage();

/** Call `listener(frame)` for every event, and with `{type: "resync" | "lost" | "back" | "ended"}`. */
export function listen(listener) {
  listeners.add(listener);
  if (!socket) connect();
  return () => listeners.delete(listener);
}

// What the page shows is the log up to here; what came while it was on its way is replayed.
function placeOfPage() {
  const { since, log } = document.querySelector('meta[name="live-place"]')?.dataset ?? {};
  return log ? { since: Number(since), log } : {};
}

function tell(frame) {
  for (const listener of listeners) listener(frame);
}

function address() {
  const elsewhere = document.querySelector('meta[name="live-url"]')?.content;
  const url = new URL("/ws/", elsewhere || location.href);
  url.protocol = url.protocol === "https:" || url.protocol === "wss:" ? "wss:" : "ws:";
  return url.href;
}

function connect() {
  socket = new WebSocket(address());
  socket.addEventListener("open", () => send({ type: "subscribe", ...place }));
  socket.addEventListener("message", (message) => receive(JSON.parse(message.data)));
  socket.addEventListener("close", (closing) => retry(closing.code));
}

function send(frame) {
  if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(frame));
}

function receive(frame) {
  if (frame.type === "ping") send({ type: "pong" });
  if (frame.type === "ready") {
    place = { since: frame.seq, log: frame.log };
    delay = FIRST_DELAY_MS;
    tell({ type: "back" });
  }
  if (frame.type === "resync") place = {};
  if (frame.type === "event" && frame.seq && place.log) place.since = Math.max(place.since, frame.seq);
  if (frame.type === "event" || frame.type === "resync") tell(frame);
}

function retry(code) {
  if (FINAL_CODES.includes(code)) {
    tell({ type: "ended" });
    return;
  }
  tell({ type: "lost" });
  setTimeout(connect, delay * (0.75 + Math.random() / 2));
  delay = Math.min(delay * 2, LONGEST_DELAY_MS);
}
