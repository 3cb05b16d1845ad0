/** Counts of words as bars, in a table that a screen reader reads as one. */

import { el, plain } from "./dom.js";
import { number, percent } from "./format.js";

/**
 * @param {string} label  what the table is about
 * @param {[string, number, string?][]} entries  a word, how often it occurs, and a class for its color
 */
export function bars(label, entries, total = entries.reduce((sum, [, count]) => sum + count, 0)) {
  const most = Math.max(...entries.map(([, count]) => count), 1);
  const rows = entries.map(([word, count, kind]) => {
    const bar = el("div", { class: `bar ${kind ?? ""}`, hidden: count === 0 });
    bar.style.width = `${(100 * count) / most}%`;
    return el(
      "tr",
      {},
      el("th", { scope: "row", title: plain(word) }, plain(word) || "(empty)"),
      el("td", { class: "track", "aria-hidden": "true" }, bar),
      el("td", { class: "number" }, number(count)),
      el("td", { class: "number muted" }, percent(count, total)),
    );
  });
  return el("table", { class: "bars", "aria-label": label }, el("tbody", {}, rows));
}
