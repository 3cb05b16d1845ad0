/** JSON laid out, with parts that fold. */

import { el, shown } from "./dom.js";

const OPEN_DEPTH = 3;
const MOST_PARTS = 500;
const LONGEST_TEXT = 2_000;

/** The value of a text that is a JSON object or list; undefined for any other. */
export function parseJson(text) {
  const start = text.trimStart()[0];
  if (start !== "{" && start !== "[") return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export function jsonView(value) {
  return el("div", { class: "json" }, part(value, 0));
}

function part(value, depth) {
  if (value === null || typeof value !== "object") return scalar(value);
  const isList = Array.isArray(value);
  const entries = isList ? value.map((one, i) => [i, one]) : Object.entries(value);
  const [open, close] = isList ? ["[", "]"] : ["{", "}"];
  if (!entries.length) return el("span", {}, open + close);
  if (isList && isShort(value)) return shortList(value);
  const lines = entries
    .slice(0, MOST_PARTS)
    .map(([name, one]) => line(isList ? null : name, one, depth));
  const more = entries.length - lines.length;
  return el(
    "details",
    { open: depth < OPEN_DEPTH },
    el("summary", {}, open, el("span", { class: "folded" }, ` ${entries.length} … ${close}`)),
    el(
      "div",
      { class: "parts" },
      lines,
      more > 0 && el("div", { class: "muted" }, `and ${more} more, in the raw JSON`),
    ),
    el("span", {}, close),
  );
}

function line(name, value, depth) {
  const key = name === null ? null : [el("span", { class: "key" }, shown(name)), ": "];
  return el("div", { class: "line" }, key, part(value, depth + 1));
}

function isShort(list) {
  return (
    list.length <= 12 &&
    list.every((one) => one === null || typeof one !== "object") &&
    JSON.stringify(list).length <= 80
  );
}

function shortList(list) {
  return el(
    "span",
    {},
    "[",
    list.map((one, i) => [i ? ", " : "", scalar(one)]),
    "]",
  );
}

function scalar(value) {
  if (typeof value !== "string")
    return el("span", { class: `json-${value === null ? "null" : typeof value}` }, String(value));
  const cut = value.length > LONGEST_TEXT ? `${value.slice(0, LONGEST_TEXT)}…` : value;
  return el("span", { class: "json-string" }, shown(JSON.stringify(cut)));
}
