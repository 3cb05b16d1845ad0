/** Full-text search over all rows of a run. */

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
  const pattern = patternOf(text);
  let turn = performance.now();
  for (let block = 0; block < run.starts.length; block++) {
    const lines = await run.lines(block, true);
    if (signal.aborted) return;
    const start = run.starts[block];
    lines.forEach((line, i) => {
      if (pattern.test(line) && holds(JSON.parse(line), pattern)) found[start + i] = 1;
    });
    if (performance.now() - turn > TURN_MS) {
      yield found;
      await new Promise((resume) => setTimeout(resume));
      turn = performance.now();
    }
  }
  yield found;
}

/** What finds the text in JSON, where some characters are written with a backslash. */
function patternOf(text) {
  const escaped = JSON.stringify(text).slice(1, -1);
  return new RegExp(escaped.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"), "i");
}

/** Whether a text or a number in a value holds it; the names of fields do not count. */
function holds(value, pattern) {
  if (typeof value === "string") return pattern.test(JSON.stringify(value));
  if (value === null || typeof value !== "object") return pattern.test(String(value));
  return Object.values(value).some((part) => holds(part, pattern));
}
