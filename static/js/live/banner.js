// A quiet line at the foot of the page, said politely to screen readers.
let banner = null;

/** Show `text`, with a button that calls `act` where there is one. */
export function showBanner(text, { label = "", act = null, kind = "" } = {}) {
  hideBanner();
  banner = document.createElement("div");
  banner.className = "live-banner";
  banner.dataset.kind = kind;
  banner.setAttribute("role", "status");
  const words = document.createElement("span");
  words.textContent = text;
  banner.append(words);
  if (act) banner.append(button(label, act));
  document.body.append(banner);
}

/** Take the banner away; with `kind` only one of that kind. */
export function hideBanner(kind = "") {
  if (!banner || (kind && banner.dataset.kind !== kind)) return;
  banner.remove();
  banner = null;
}

function button(label, act) {
  const control = document.createElement("button");
  control.type = "button";
  control.className = "link-button";
  control.textContent = label;
  control.addEventListener("click", () => {
    hideBanner();
    act();
  });
  return control;
}
