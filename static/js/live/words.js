// The page brings its own words, so that they are translated with it.
/** Return the text of `data-<name>` of the page's `<meta name="live-words">`, with `{person}` filled in. */
export function words(name, person = "") {
  const text = document.querySelector('meta[name="live-words"]')?.dataset[name] ?? "";
  return text.replace("{person}", person);
}
