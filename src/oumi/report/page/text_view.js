/** A text of a conversation: JSON laid out, or Markdown, and always the text itself. */

import { el, button, fill, shown } from "./dom.js";
import { size } from "./format.js";
import { jsonView, parseJson } from "./json_view.js";
import { codeBlock, markdown } from "./markdown.js";

const SHOWN_AT_FIRST = 20_000;
/** Characters up to which Markdown is laid out: half a second at most. */
const LONGEST_MARKDOWN = 200_000;

/** @param {string} text @param {{tools?: HTMLElement}} [where]  where the button for the form goes */
export function textView(text, where = {}) {
  if (!text.trim()) return el("p", { class: "muted" }, text ? "only white space" : "empty");
  const forms = formsOf(text);
  const body = el("div", { class: "text", dir: "auto" });
  let form = 0;
  const show = () => fill(body, forms[form][1]());
  if (forms.length > 1 && where.tools) {
    const toggle = button(
      forms[1][0],
      () => {
        form = 1 - form;
        toggle.textContent = forms[1 - form][0];
        show();
      },
      { class: "quiet" },
    );
    where.tools.append(toggle);
  }
  show();
  return body;
}

/** @typedef {[string, () => HTMLElement]} Form  its name, and what makes it */

/** The forms in which a text can be shown, the best first. @returns {Form[]} */
function formsOf(text) {
  /** @type {Form} */
  const asText = ["Text", () => plainText(text)];
  if (text.length > LONGEST_MARKDOWN) return [asText];
  const value = parseJson(text);
  if (value !== undefined) return [["JSON", () => jsonView(value)], asText];
  if (!/[*_`#>|[\]~-]|\d[.)] |https?:/.test(text)) return [asText];
  return [["Markdown", () => el("div", { class: "md" }, markdown(text))], asText];
}

/** A text as it is; of a long one the beginning, until all of it is asked for. */
export function plainText(text) {
  const body = el("div", { class: "plain" });
  if (text.length <= SHOWN_AT_FIRST * 1.5) return el("div", { class: "plain" }, shown(text));
  const more = button(`Show all ${size(text.length)}`, () => {
    fill(body, shown(text));
    more.remove();
  });
  return el("div", {}, fill(body, shown(text.slice(0, SHOWN_AT_FIRST)), "…"), more);
}

/** A JSON value that may also be a text of JSON, such as the arguments of a tool call. */
export function valueView(value) {
  if (typeof value !== "string") return jsonView(value);
  const parsed = parseJson(value);
  return parsed === undefined ? codeBlock(value, "") : jsonView(parsed);
}
