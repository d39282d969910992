// Says when the connection is lost for a while, when it is back, and when the session has ended.
import { listen } from "./socket.js";
import { hideBanner, showBanner } from "./banner.js";
import { words } from "./words.js";

const LOST_AFTER_MS = 3000;
let timer = 0;

/** Keep an eye on the connection of a page that listens. */
export function watchConnection() {
  listen(({ type }) => {
    if (type === "lost") timer ||= setTimeout(() => showBanner(words("lost"), { kind: "lost" }), LOST_AFTER_MS);
    if (type === "back") calm();
    if (type === "ended") showBanner(words("ended"), { label: words("reload"), act: () => location.reload() });
  });
}

function calm() {
  clearTimeout(timer);
  timer = 0;
  hideBanner("lost");
}
