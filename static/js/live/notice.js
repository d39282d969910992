// <live-notice>: stands on a page with a form. It says that others changed the issue, and never touches the form.
import { listen } from "./socket.js";
import { showBanner } from "./banner.js";
import { words } from "./words.js";

export class LiveNotice extends HTMLElement {
  connectedCallback() {
    this.stop = listen((frame) => this.hear(frame));
  }

  disconnectedCallback() {
    this.stop();
  }

  hear(frame) {
    if (frame.type !== "event" || frame.event !== "ISSUE_UPDATED") return;
    if (frame.issue?.id !== this.dataset.liveIssue) return;
    showBanner(words("edited", frame.actor?.name), { label: words("show"), act: () => open(frame.issue.url, "_blank") });
  }
}
