/** Which rows are shown, and in which order. */

/**
 * @typedef {{column: string, kind: "one of", values: string[]}} OneOf
 * @typedef {{column: string, kind: "between", low: number|null, high: number|null}} Between
 * @typedef {{column: string, kind: "contains", text: string}} Contains
 * @typedef {OneOf|Between|Contains} Filter
 */

/** The places of the rows that meet all filters and were found, if there was a search. */
export function matching(run, filters, found) {
  const tests = filters.map((filter) => testOf(run, filter));
  const places = [];
  for (let at = 0; at < run.size; at++) {
    if ((!found || found[at]) && tests.every((test) => test(at))) places.push(at);
  }
  return places;
}

function testOf(run, filter) {
  const column = run.columns.get(filter.column);
  if (!column) return () => filter.kind === "one of" && filter.values.includes("");
  if (filter.kind === "between") {
    const { numbers } = column;
    const low = filter.low ?? -Infinity,
      high = filter.high ?? Infinity;
    return numbers ? (at) => numbers[at] >= low && numbers[at] <= high : () => false;
  }
  if (filter.kind === "contains") {
    const text = filter.text.toLowerCase();
    return (at) =>
      String(run.value(filter.column, at) ?? "")
        .toLowerCase()
        .includes(text);
  }
  const wanted = new Set(filter.values);
  return (at) => wanted.has(String(run.value(filter.column, at) ?? ""));
}

/** Sort places by a column; rows without a value come last. */
export function sortPlaces(run, places, sort) {
  const column = sort && run.columns.get(sort.column);
  if (!column) return places;
  const sign = sort.descending ? -1 : 1;
  const key = column.numbers ?? ranks(column);
  return places.sort((a, b) => {
    const one = key[a],
      other = key[b];
    if (Number.isNaN(one) || Number.isNaN(other))
      return Number.isNaN(one) - Number.isNaN(other) || a - b;
    return sign * (one - other) || a - b;
  });
}

/** Of each row the place of its text in the alphabet. */
function ranks(column) {
  const order = column.texts
    .map((_, i) => i)
    .sort((a, b) => compareTexts(column.texts[a], column.texts[b]));
  const rank = new Float64Array(column.texts.length);
  order.forEach((code, i) => {
    rank[code] = i;
  });
  return Float64Array.from(column.codes, (code) => (code < 0 ? NaN : rank[code]));
}

function compareTexts(one, other) {
  return one < other ? -1 : one > other ? 1 : 0;
}

/** How often each text of a column occurs, the most frequent first; "" where there is none. */
export function countValues(run, name) {
  const column = run.columns.get(name);
  if (!column) return [];
  const counts = new Map();
  for (let at = 0; at < run.size; at++) {
    const value = String(run.value(name, at) ?? "");
    counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  return [...counts].sort((a, b) => b[1] - a[1]);
}
