/** The columns that a table of rows may have. */

import { answerOf, askedOf, textOf } from "./conversation.js";
import { plain } from "./dom.js";
import { dollars, number, seconds } from "./format.js";
import { statusBadge } from "./status.js";

const FORMATS = {
  latency_s: seconds,
  first_token_s: seconds,
  waited_s: seconds,
  cost_usd: dollars,
};
const LABELS = {
  row: "row",
  id: "id",
  status: "status",
  finish_reason: "finish",
  prompt_tokens: "in",
  completion_tokens: "out",
  latency_s: "latency",
  first_token_s: "first token",
  waited_s: "waited",
  cost_usd: "cost",
  answer_characters: "characters",
};
const HINTS = {
  prompt_tokens: "tokens of the prompt",
  completion_tokens: "tokens of the answer",
  answer_characters: "length of the answer",
  first_token_s: "time to the first piece of the answer",
  waited_s: "for a place in the limits, and for tries that failed",
};
const HIDDEN = new Set(["fact:key", "fact:answer", "fact:failure"]);
const USUAL = new Set([
  "fact:row",
  "fact:status",
  "question",
  "answer",
  "fact:completion_tokens",
  "fact:latency_s",
  "fact:cost_usd",
]);
const PROPERTIES_AT_FIRST = 3;
const PREVIEW = 160;

/**
 * @typedef {{name: string, label: string, hint?: string, width: string, numeric: boolean,
 *   isShown: boolean, sorts: boolean, cell: (at: number, row: object|null) => any}} TableColumn
 */

/** @returns {TableColumn[]} */
export function tableColumns(run) {
  const made = [...run.columns.values()]
    .filter((one) => !HIDDEN.has(one.name) && !one.isEmpty)
    .map((one) => dataColumn(run, one));
  const properties = made.filter((one) => one.name.startsWith("property:"));
  properties.slice(0, PROPERTIES_AT_FIRST).forEach((one) => {
    one.isShown = true;
  });
  const status = made.findIndex((one) => one.name === "fact:status");
  made.splice(
    status + 1,
    0,
    textColumn("question", questionText),
    textColumn("answer", answerText),
  );
  return made;
}

function dataColumn(run, column) {
  const numeric = column.isNumeric;
  const format =
    FORMATS[column.label] ?? (numeric ? (column.name === "fact:row" ? String : number) : plain);
  const isFact = column.group === "fact";
  return {
    name: column.name,
    label: (isFact && LABELS[column.label]) || column.label,
    hint: HINTS[column.label],
    width: widthOf(column),
    numeric,
    isShown: USUAL.has(column.name),
    sorts: true,
    cell: (at) => {
      const value = run.value(column.name, at);
      if (column.name === "fact:status") return statusBadge(value);
      return value === null ? "" : format(value);
    },
  };
}

function widthOf(column) {
  if (column.name === "fact:row") return "56px";
  if (column.isNumeric) return "76px";
  return column.name === "fact:status" ? "100px" : "minmax(80px, 1fr)";
}

function textColumn(label, textIn) {
  return {
    name: label,
    label,
    width: "minmax(140px, 3fr)",
    numeric: false,
    isShown: true,
    sorts: false,
    cell: (_, row) => (row ? plain(textIn(row).slice(0, PREVIEW).replace(/\s+/g, " ")) : "…"),
  };
}

function questionText(row) {
  const asked = askedOf(row).filter((one) => one.role === "user");
  return asked.length ? textOf(asked.at(-1)) : "";
}

function answerText(row) {
  if (row.failure) return String(row.failure.error_message ?? "");
  const answer = answerOf(row);
  return answer ? textOf(answer) : "";
}
