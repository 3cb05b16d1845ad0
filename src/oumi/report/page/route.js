/** What the address says is shown: `#/rows/0/41` is row 41 of the first run. */

/** @returns {{view: string, run: number, row: number|null}} */
export function readRoute() {
  const [view, run, row] = location.hash.replace(/^#\/?/, "").split("/");
  const isRow = row !== undefined && /^\d+$/.test(row);
  return { view: view || "overview", run: Number(run) || 0, row: isRow ? Number(row) : null };
}

export function routeOf(view, run, row) {
  return `#/${[view, run, row].filter((part) => part !== null && part !== undefined).join("/")}`;
}

/** Go to a view, in place of this one in the history where `replaces` is true. */
export function go(view, run, row, replaces = false) {
  const address = routeOf(view, run, row);
  if (address === location.hash) return;
  if (replaces) {
    history.replaceState(null, "", address);
    dispatchEvent(new HashChangeEvent("hashchange"));
  } else {
    location.hash = address;
  }
}
