// <live-region>: fetches its page again when an event concerns it, and swaps its own content.
import { listen } from "./socket.js";
import { showBanner } from "./banner.js";
import { words } from "./words.js";

const GATHER_MS = 80;
const PAUSE_MS = 700;
const KEYED = ".issue-row, .comment, .event";

export class LiveRegion extends HTMLElement {
  connectedCallback() {
    this.stop = listen((frame) => this.hear(frame));
  }

  disconnectedCallback() {
    this.stop();
    clearTimeout(this.timer);
  }

  hear(frame) {
    if (frame.type === "event" && this.concerns(frame)) this.soon();
    if (frame.type === "resync") this.soon();
  }

  concerns({ issue, changes }) {
    if (!issue) return false;
    const { liveIssue, liveProject } = this.dataset;
    if (liveIssue) return issue.id === liveIssue;
    const left = changes?.project?.[0]; // a moved issue concerns the project that it left as well
    return !liveProject || !issue.project || [issue.project.key, left].includes(liveProject);
  }

  soon() {
    if (this.timer) return;
    const pause = (this.refreshed ?? -PAUSE_MS) + PAUSE_MS - performance.now();
    this.timer = setTimeout(() => this.act(), Math.max(GATHER_MS, pause));
  }

  act() {
    this.timer = 0;
    if (document.hidden) {
      document.addEventListener("visibilitychange", () => this.soon(), { once: true });
    } else if (this.isBusy()) {
      this.offer();
    } else {
      this.refresh();
    }
  }

  isBusy() {
    const selection = document.getSelection();
    const isSelecting = selection && !selection.isCollapsed && this.contains(selection.anchorNode);
    return this.contains(document.activeElement) || isSelecting || this.querySelector("input:checked");
  }

  offer() {
    showBanner(words("changed"), { label: words("show"), act: () => this.refresh() });
  }

  async refresh() {
    this.refreshed = performance.now();
    const reply = await fetch(location.href, { headers: { "X-Live": "1" } }).catch(() => null);
    if (!reply) return;
    if (!reply.ok) {
      showBanner(words("gone"), { label: words("reload"), act: () => location.reload() });
      return;
    }
    const page = new DOMParser().parseFromString(await reply.text(), "text/html");
    const fresh = page.getElementById(this.id);
    if (!fresh) return;
    const before = new Set(this.marks(this));
    for (const element of fresh.querySelectorAll(KEYED)) {
      element.classList.toggle("is-fresh", !before.has(markOf(element)));
    }
    this.replaceChildren(...fresh.childNodes);
    document.title = page.title;
  }

  marks(root) {
    return Array.from(root.querySelectorAll(KEYED), markOf);
  }
}

function markOf(element) {
  return element.id || element.dataset.mark;
}
