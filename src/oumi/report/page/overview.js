/** The figures of a run. */

import { el, copyButton, shown } from "./dom.js";
import { bars } from "./bars.js";
import { logBins } from "./bins.js";
import { histogram } from "./charts.js";
import { count, dollars, NOTICED_WAIT_S, number, percent, seconds, short } from "./format.js";
import { jsonView } from "./json_view.js";
import { go } from "./route.js";
import { callCharts, timeCharts } from "./time_charts.js";

/** @param {import("./run.js").Run} run @param {(filters: object) => void} showRows */
export function overview(run, showRows) {
  const { figures } = run;
  return el(
    "div",
    { class: "overview" },
    tiles(run, showRows),
    el(
      "div",
      { class: "charts" },
      timeCharts(figures),
      callCharts(run.summary?.last_session),
      distributions(figures),
    ),
    el("div", { class: "charts counts" }, counts(run)),
    settings(run),
  );
}

function tiles(run, showRows) {
  const { figures, summary } = run;
  const { statuses, usage } = figures;
  const session = summary?.last_session ?? {};
  const spent = session.seconds;
  const answered = (statuses.done ?? 0) + (statuses.repaired ?? 0);
  const cost = figures.cost_usd ?? null;
  return el(
    "div",
    { class: "tiles" },
    tile(
      "rows",
      number(figures.rows),
      [
        session.answered_before
          ? `${number(session.answered_before)} answered by earlier calls`
          : null,
      ],
      () => showRows(null),
    ),
    tile(
      "done",
      number(answered),
      [
        percent(answered, figures.rows),
        statuses.repaired && `${number(statuses.repaired)} repaired`,
      ],
      null,
      "good",
    ),
    tile(
      "failed",
      number(statuses.failed ?? 0),
      [percent(statuses.failed ?? 0, figures.rows)],
      statuses.failed ? () => go("failures", run.index) : null,
      statuses.failed ? "bad" : "",
    ),
    statuses.unanswered && tile("without an answer", number(statuses.unanswered), []),
    tile("tokens in", short(usage.prompt_tokens), [
      exact(usage.prompt_tokens),
      usage.cached_tokens && `${number(usage.cached_tokens)} read from a cache`,
    ]),
    tile("tokens out", short(usage.completion_tokens), [
      exact(usage.completion_tokens),
      usage.reasoning_tokens && `${number(usage.reasoning_tokens)} of thoughts`,
    ]),
    costTile(cost, summary, figures),
    spent &&
      tile("last call took", seconds(spent), [
        session.answered ? `${number(session.answered / spent)} rows/s` : null,
        session.asked_again > 0 && `${count(session.asked_again, "answer")} asked for again`,
      ]),
    durationTile("latency p50", figures.latency_s),
    durationTile("first token p50", figures.first_token_s),
    durationTile("waited p50", noticed(waits(figures, session))),
  );
}

function durationTile(label, { buckets, p50, p90, p99 }) {
  if (!buckets.length) return null;
  return tile(label, seconds(p50), [`p90 ${seconds(p90)}`, `p99 ${seconds(p99)}`]);
}

/** The waits of all rows, or where no journal tells of them, those of the last call. */
function waits(figures, session) {
  if (figures.waited_s.buckets.length || !session.waited_s) return figures.waited_s;
  return { ...session.waited_s, buckets: [[session.waited_s.p50, 1]] };
}

/** A number in full, where its tile shows it shortened. */
function exact(value) {
  return value < 1000 ? null : number(value);
}

function costTile(cost, summary, figures) {
  if (cost !== null)
    return tile("cost", dollars(cost), [
      figures.rows ? `${dollars((1000 * cost) / figures.rows)} for 1,000 rows` : null,
    ]);
  return summary?.cost_note ? tile("cost", "not known", [summary.cost_note]) : null;
}

function tile(label, value, notes, onclick = null, kind = "") {
  const inner = [
    el("span", { class: "label" }, label),
    el("strong", { class: `value ${kind}` }, value),
    notes.filter(Boolean).map((note) => el("span", { class: "muted note" }, shown(String(note)))),
  ];
  return onclick
    ? el("button", { type: "button", class: "tile", onclick }, inner)
    : el("div", { class: "tile" }, inner);
}

function distributions(figures) {
  const charts = [
    ["Latency", figures.latency_s, seconds],
    ["Time to the first token", figures.first_token_s, seconds],
    ["Waits for limits and failed tries", noticed(figures.waited_s), seconds],
    ["Tokens of the prompt", figures.prompt_tokens, whole],
    ["Tokens of the answer", figures.completion_tokens, whole],
    ["Length of the answer, in characters", figures.answer_characters, whole],
  ];
  return charts
    .filter(([, found]) => found.buckets.length)
    .map(([title, found, format]) =>
      histogram({
        title,
        format,
        unit: "rows",
        bins: logBins(found.buckets),
        note: `p50 ${format(found.p50)} · p90 ${format(found.p90)} · p99 ${format(found.p99)}`,
      }),
    );
}

/** Waits, unless they are but our own work about requests. */
function noticed(waits) {
  return waits.p99 < NOTICED_WAIT_S ? { buckets: [] } : waits;
}

function whole(value) {
  return number(value < 1e-5 ? 0 : Math.round(value));
}

function counts(run) {
  const { figures, summary } = run;
  const failures = figures.failures.map((group) => [
    group.status ? `${group.class} ${group.status}` : group.class,
    group.count,
    "bad",
  ]);
  const retries = Object.entries(summary?.last_session?.retries ?? {}).sort((a, b) => b[1] - a[1]);
  return [
    card(
      "Finish reasons",
      bars("Finish reasons", Object.entries(figures.finish_reasons)),
      Object.keys(figures.finish_reasons).length,
    ),
    card("Failures", bars("Failures", merge(failures)), failures.length),
    card(
      "Tries made again, by reason (last call)",
      bars("Tries made again", retries),
      retries.length,
    ),
    card(
      "Limits (last call)",
      jsonView(summary?.last_session?.limits ?? {}),
      summary?.last_session?.limits,
    ),
  ];
}

/** Entries with the same word as one. */
function merge(entries) {
  const merged = new Map();
  for (const [word, count, kind] of entries)
    merged.set(word, [word, (merged.get(word)?.[1] ?? 0) + count, kind]);
  return [...merged.values()].sort((a, b) => b[1] - a[1]);
}

function card(title, body, isThere) {
  return isThere ? el("section", { class: "card" }, el("h2", {}, title), body) : null;
}

function settings(run) {
  const { summary, command } = run;
  if (!summary)
    return el(
      "p",
      { class: "muted" },
      run.unknown(),
    );
  const again = run.figures.statuses.failed
    ? "The same command asks for the rows that failed, and for no others."
    : "The same command finds all rows answered, and does nothing.";
  return el(
    "div",
    { class: "settings" },
    el(
      "section",
      { class: "card" },
      el("h2", {}, "Settings"),
      jsonView(withoutEmpty({ engine: summary.engine, ...summary.settings })),
    ),
    command &&
      el(
        "section",
        { class: "card" },
        el("div", { class: "head" }, el("h2", {}, "Command"), copyButton("Copy", command)),
        el("div", { class: "code" }, el("pre", { tabindex: "0" }, el("code", {}, shown(command)))),
        el(
          "p",
          { class: "muted" },
          again,
          " Keys come from the environment and are written nowhere.",
        ),
      ),
  );
}

/** Settings without groups in which nothing is set. */
function withoutEmpty(settings) {
  const isEmpty = (value) =>
    value === null || (typeof value === "object" && !Object.keys(value).length);
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => !isEmpty(value)));
}
