/** Failures by reason, with what helps against each. */

import { el, button, shown } from "./dom.js";
import { count, number, percent } from "./format.js";
import { go } from "./route.js";

const ROWS_NAMED = 8;

/** @param {import("./page.js").AnyRun} run @param {(filters: object) => void} showRows */
export function failures(run, showRows) {
  const groups = run.figures.failures;
  if (!groups.length)
    return el(
      "div",
      { class: "empty" },
      el("h2", {}, "No row failed"),
      el("p", { class: "muted" }, "All rows have an answer."),
    );
  const total = groups.reduce((sum, group) => sum + group.count, 0);
  return el(
    "div",
    { class: "failures" },
    el(
      "p",
      { class: "muted" },
      `${number(total)} of ${count(run.figures.rows, "row")} failed, for ${count(groups.length, "reason")}.`,
    ),
    groups.map((group) => groupView(run, group, total, showRows)),
  );
}

function groupView(run, group, total, showRows) {
  const title = group.status ? `${group.class}, status ${group.status}` : group.class;
  const bar = el("div", { class: "bar bad" });
  bar.style.width = `${(100 * group.count) / total}%`;
  const share = el("div", { class: "share", "aria-hidden": "true" }, bar);
  const filter = {
    column: "fact:failure",
    kind: "one of",
    values: [group.id],
    label: `failure: ${title}`,
  };
  return el(
    "section",
    { class: "card failure-group" },
    el(
      "div",
      { class: "head" },
      el("h2", {}, shown(title)),
      el(
        "span",
        { class: "muted" },
        `${count(group.count, "row")}, ${percent(group.count, total)}`,
      ),
    ),
    share,
    el("div", { class: "plain message-text" }, shown(group.message)),
    el(
      "p",
      { class: "help" },
      el("strong", {}, "What helps: "),
      group.help.text,
      " ",
      group.help.settings.map((name) => [el("code", {}, name), " "]),
    ),
    el(
      "p",
      { class: "muted" },
      group.retryable
        ? "The same request may succeed later. "
        : "The same request would fail again. ",
      group.attempts > group.count ? `${number(group.attempts)} tries were made.` : "",
    ),
    el(
      "div",
      { class: "actions" },
      group.rows
        .slice(0, ROWS_NAMED)
        .map((row) => button(`row ${row}`, () => go("rows", run.index, row), { class: "quiet" })),
      button(`Show all ${number(group.count)} in the table`, () => showRows([filter])),
    ),
  );
}
