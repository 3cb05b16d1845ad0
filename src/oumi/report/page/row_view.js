/** One row opened: its facts, the conversation, its earlier answers, and the raw JSON. */

import { el, button, copyButton, shown } from "./dom.js";
import { dollars, NOTICED_WAIT_S, number, seconds, time } from "./format.js";
import { jsonView } from "./json_view.js";
import { chat } from "./chat.js";
import { logProbabilities } from "./log_probabilities.js";
import { messageView } from "./message_view.js";
import { statusBadge } from "./status.js";
import { plainText, textView } from "./text_view.js";

/** @param {import("./run.js").Run} run @param {number} at @param {object} row */
export function rowView(run, at, row) {
  return el(
    "div",
    { class: "row-view" },
    facts(run, at, row),
    row.failure && failureView(row.failure),
    chat(row.conversation),
    logProbabilities(row.conversation?.metadata?.logprobs),
    earlierView(row.earlier),
    metadataView(row.conversation?.metadata),
    rawView(row),
  );
}

function facts(run, at, row) {
  const value = (name) => run.value(`fact:${name}`, at);
  const named = [
    ["finish", value("finish_reason")],
    [
      "tokens",
      value("prompt_tokens") === null
        ? null
        : `${number(value("prompt_tokens"))} in, ${number(value("completion_tokens"))} out`,
    ],
    ["latency", seconds(value("latency_s"))],
    ["first token", seconds(value("first_token_s"))],
    ["waited", value("waited_s") >= NOTICED_WAIT_S && seconds(value("waited_s"))],
    ["cost", dollars(value("cost_usd"))],
    ["recorded", row.recorded_at ? time(row.recorded_at) : null],
    ["line", row.line === undefined ? null : number(row.line)],
  ];
  return el(
    "dl",
    { class: "facts" },
    el("div", {}, el("dt", {}, "status"), el("dd", {}, statusBadge(value("status")))),
    named
      .filter(([, text]) => text)
      .map(([name, text]) => el("div", {}, el("dt", {}, name), el("dd", {}, shown(text)))),
  );
}

function failureView(failure) {
  const tries = failure.attempts > 1 ? ` after ${failure.attempts} tries` : "";
  const status = failure.status_code ? `, status ${failure.status_code}` : "";
  return el(
    "section",
    { class: "failure" },
    el(
      "h3",
      {},
      "No answer: ",
      shown(String(failure.error_class || failure.error_type || "failed")),
      status,
      tries,
    ),
    el("div", { class: "plain" }, shown(String(failure.error_message ?? ""))),
    failure.reply &&
      el(
        "details",
        { open: true },
        el("summary", {}, "What came instead"),
        textView(String(failure.reply)),
      ),
  );
}

function earlierView(earlier) {
  if (!Array.isArray(earlier) || !earlier.length) return null;
  return el(
    "details",
    { class: "earlier" },
    el(
      "summary",
      {},
      `Earlier answers, which did not have the structure asked for (${earlier.length})`,
    ),
    earlier.map((answer, at) => [
      messageView(answer?.message ?? {}, new Map(), `Answer ${at + 1}`),
      answer?.problem && el("p", { class: "problem plain" }, shown(String(answer.problem))),
    ]),
  );
}

function metadataView(metadata) {
  if (!metadata || !Object.keys(metadata).length) return null;
  const { logprobs, ...others } = metadata;
  return el("details", { class: "metadata" }, el("summary", {}, "Metadata"), jsonView(others));
}

function rawView(row) {
  const holder = el("details", { class: "raw" }, el("summary", {}, "Raw JSON"));
  holder.addEventListener("toggle", () => {
    if (holder.childElementCount > 1) return;
    const text = JSON.stringify(row, null, 2);
    holder.append(copyButton("Copy", text), el("div", { class: "code" }, plainText(text)));
  });
  return holder;
}

/** The head of an opened row: which one it is, and buttons to its neighbours. */
export function rowHead(run, at, { previous, next, close, address }) {
  const name = run.value("fact:id", at);
  return el(
    "div",
    { class: "row-head" },
    el(
      "h2",
      { tabindex: "-1" },
      `Row ${run.value("fact:row", at)}`,
      name !== null && el("span", { class: "muted" }, " ", shown(String(name))),
    ),
    el(
      "div",
      { class: "actions" },
      copyButton("Copy link", () => address()),
      button("↑", previous, { "aria-label": "Previous row (k)", title: "Previous row (k)" }),
      button("↓", next, { "aria-label": "Next row (j)", title: "Next row (j)" }),
      button("✕", close, { "aria-label": "Close (Esc)", title: "Close (Esc)" }),
    ),
  );
}
