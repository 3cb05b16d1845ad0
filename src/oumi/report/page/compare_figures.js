/** Figures of several runs side by side, and how far they agree. */

import { el, plain } from "./dom.js";
import { dollars, number, percent, seconds } from "./format.js";
import { agreement } from "./join.js";

export function compareFigures(runs) {
  const figure = (label, of) =>
    el(
      "tr",
      {},
      el("th", { scope: "row" }, label),
      runs.map((run) => el("td", { class: "number" }, of(run) || "–")),
    );
  const statuses = (run) => run.figures.statuses;
  const answered = (run) => (statuses(run).done ?? 0) + (statuses(run).repaired ?? 0);
  return el(
    "div",
    { class: "scroll", tabindex: "0", role: "region", "aria-label": "Figures of the runs" },
    el(
      "table",
      { class: "figures" },
      el(
        "thead",
        {},
        el(
          "tr",
          {},
          el("td", {}),
          runs.map((run, at) => el("th", { scope: "col" }, runName(run, at))),
        ),
      ),
      el(
        "tbody",
        {},
        figure("model", (run) => plain(String(run.summary?.settings?.model?.model_name ?? ""))),
        figure("rows", (run) => number(run.figures.rows)),
        figure(
          "done",
          (run) => `${number(answered(run))} (${percent(answered(run), run.figures.rows)})`,
        ),
        figure("repaired", (run) => number(statuses(run).repaired ?? 0)),
        figure("failed", (run) => number(statuses(run).failed ?? 0)),
        figure("tokens in", (run) => number(run.figures.usage.prompt_tokens)),
        figure("tokens out", (run) => number(run.figures.usage.completion_tokens)),
        figure("tokens of an answer, p50", (run) => tokens(run.figures.completion_tokens)),
        figure("cost", (run) => dollars(run.figures.cost_usd)),
        figure("cost of 1,000 rows", (run) =>
          run.figures.cost_usd === null
            ? ""
            : dollars((1000 * run.figures.cost_usd) / Math.max(1, run.figures.rows)),
        ),
        ...["p50", "p90", "p99"].map((name) =>
          figure(`latency ${name}`, (run) =>
            run.figures.latency_s.buckets.length ? seconds(run.figures.latency_s[name]) : "",
          ),
        ),
      ),
    ),
  );
}

function tokens(found) {
  return found.buckets.length ? number(Math.round(found.p50)) : "";
}

/** The name of a run with its color. */
export function runName(run, at) {
  return el(
    "span",
    { class: "run-name" },
    el("i", { class: `swatch run-${at % 4}` }),
    plain(run.name),
  );
}

/** How often each other run agrees with the first one, on whole answers and on each property. */
export function agreementTable(joined, runs) {
  const [base, ...others] = runs;
  const found = others.map(
    (other) => new Map(agreement(joined, base, other).map((one) => [one.label, one])),
  );
  const labels = [...new Set(found.flatMap((one) => [...one.keys()]))];
  if (!labels.length) return el("p", { class: "muted" }, "No row has an answer in both.");
  return el(
    "table",
    { class: "bars" },
    others.length > 1 &&
      el(
        "thead",
        {},
        el(
          "tr",
          {},
          el("td", {}),
          others.map((run) => el("th", { scope: "col", colspan: "3" }, runName(run, run.index))),
        ),
      ),
    el(
      "tbody",
      {},
      labels.map((label) =>
        el(
          "tr",
          {},
          el("th", { scope: "row" }, plain(label)),
          found.map((one) => agreementCells(one.get(label))),
        ),
      ),
    ),
  );
}

function agreementCells(found) {
  if (!found) return [el("td", {}), el("td", {}), el("td", { class: "number muted" }, "–")];
  const bar = el("div", { class: "bar", hidden: found.equal === 0 });
  bar.style.width = `${(100 * found.equal) / found.both}%`;
  return [
    el("td", { class: "track", "aria-hidden": "true" }, bar),
    el("td", { class: "number" }, percent(found.equal, found.both)),
    el("td", { class: "number muted" }, `${number(found.equal)} of ${number(found.both)}`),
  ];
}
