/** Full-text search over all rows of a run. */

import { narrowed } from "./search_texts.js";

/** Milliseconds after which a search lets the page draw and listen. */
const TURN_MS = 40;

/**
 * The places of the rows that hold the text, in whatever case, block by block as they are found.
 * @param {import("./run.js").Run} run
 * @param {string} text
 * @param {AbortSignal} signal
 * @yields {Uint8Array} one for each row so far: 1 where it was found
 */
export async function* search(run, text, signal) {
  const found = new Uint8Array(run.size);
  const wanted = text.toLowerCase();
  const [pattern, narrowPattern] = [patternOf(wanted), patternOf(narrowed(wanted))];
  let turn = performance.now();
  for (let block = 0; block < run.starts.length; block++) {
    const { text, isNarrow } = run.searchTextAtHand(block) ?? (await run.searchText(block));
    if (signal.aborted) return;
    markLines(text, isNarrow ? narrowPattern : pattern, found, run.starts[block]);
    if (performance.now() - turn > TURN_MS) {
      yield found;
      await new Promise((resume) => setTimeout(resume));
      turn = performance.now();
    }
  }
  yield found;
}

/** A text, and how JSON has it, where some characters are written with a backslash. */
function patternOf(text) {
  return { text, json: JSON.stringify(text).slice(1, -1) };
}

/** Mark which lines of JSON hold a text. Only those are parsed in which it may stand. */
function markLines(lines, { text, json }, found, first) {
  let place = first;
  let start = 0;
  for (let at = lines.indexOf(json); at >= 0; at = lines.indexOf(json, start)) {
    let end = lines.indexOf("\n", start);
    for (; end >= 0 && end < at; end = lines.indexOf("\n", start)) {
      start = end + 1;
      place++;
    }
    if (end < 0) end = lines.length;
    if (holds(JSON.parse(lines.slice(start, end)), text)) found[place] = 1;
    start = end + 1;
    place++;
    if (start > lines.length) break;
  }
}

/** Whether a text or a number in a value holds a text; the names of fields do not count. */
function holds(value, text) {
  if (typeof value === "string") return value.includes(text);
  if (value === null || typeof value !== "object") return String(value).includes(text);
  for (const name in value) if (holds(value[name], text)) return true;
  return false;
}
