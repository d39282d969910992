// Entry: parts of a page that follow the log. Without JavaScript the page is whole, it only stands still.
import { LiveRegion } from "./live/region.js";
import { LiveNotice } from "./live/notice.js";
import { watchConnection } from "./live/connection.js";

customElements.define("live-region", LiveRegion);
customElements.define("live-notice", LiveNotice);
if (document.querySelector("live-region, live-notice")) watchConnection();
