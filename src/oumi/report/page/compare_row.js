/** One row of several runs side by side: the question once, and the answers beside each other. */

import { el, shown } from "./dom.js";
import { dollars, number, seconds } from "./format.js";
import { answerOf, askedOf, textOf } from "./conversation.js";
import { chat } from "./chat.js";
import { runName } from "./compare_figures.js";
import { statusBadge } from "./status.js";
import { parseJson } from "./json_view.js";
import { textView } from "./text_view.js";
import { markedDifferences } from "./word_diff.js";

/**
 * @param {import("./run.js").Run[]} runs
 * @param {import("./join.js").Joined} joined
 * @param {(run, row) => void} onopen
 */
export async function compareRow(runs, joined, onopen) {
  const rows = await Promise.all(
    joined.places.map((places, at) => Promise.all(places.map((place) => runs[at].row(place)))),
  );
  const first = rows.flat()[0];
  const answers = rows.map((own) => own.map(answerText));
  const base = answers[0][0] ?? null;
  // Of two answers each is marked where it differs from the other; of more, all but the first.
  const others = answers.flat().slice(1);
  const opposite = (at, i) => (at || i ? base : others.length === 1 ? others[0] : null);
  const columns = runs.map((run, at) =>
    el(
      "section",
      { class: "column" },
      el("h3", {}, runName(run, at)),
      rows[at].length
        ? rows[at].map((row, i) => sample(run, joined.places[at][i], row, opposite(at, i), onopen))
        : el("p", { class: "muted" }, "not in this run"),
    ),
  );
  const holder = el("div", { class: "columns" }, columns);
  holder.style.setProperty("--columns", String(runs.length));
  return el("div", { class: "row-view" }, chat({ messages: askedOf(first) }), holder);
}

/** The text of an answer, JSON laid out so that its spacing makes no difference; null for none. */
function answerText(row) {
  const answer = answerOf(row);
  if (!answer) return null;
  const text = textOf(answer);
  const value = parseJson(text);
  return value === undefined ? text : JSON.stringify(value, null, 2);
}

function sample(run, place, row, opposite, onopen) {
  const value = (name) => run.value(`fact:${name}`, place);
  const answer = answerText(row);
  const facts = [
    value("completion_tokens") === null ? null : `${number(value("completion_tokens"))} tokens`,
    seconds(value("latency_s")),
    dollars(value("cost_usd")),
  ]
    .filter(Boolean)
    .join(" · ");
  const body =
    answer === null
      ? el(
          "div",
          { class: "failure plain" },
          shown(String(row.failure?.error_message ?? "no answer")),
        )
      : opposite === null || answer === opposite
        ? textView(answer)
        : markedDifferences(opposite, answer);
  return el(
    "article",
    { class: "message assistant" },
    el(
      "div",
      { class: "head" },
      statusBadge(value("status")),
      answer !== null && answer === opposite && el("span", { class: "badge" }, "same"),
      el("span", { class: "muted" }, facts),
      el(
        "span",
        { class: "tools" },
        el(
          "button",
          { type: "button", class: "quiet", onclick: () => onopen(run.index, value("row")) },
          "Open",
        ),
      ),
    ),
    el("div", { class: "body" }, body),
  );
}
