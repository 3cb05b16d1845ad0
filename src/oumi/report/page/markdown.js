/**
 * Markdown to elements. There is no raw HTML: a `<` is a `<`. Only the forms that models use are
 * known; whatever else is text. Each line is looked at a bounded number of times.
 */

import { el, shown } from "./dom.js";
import { link, remoteImage } from "./links.js";

const FENCE = /^ {0,3}(`{3,}|~{3,})\s*([\w+#.-]*)/;
const HEADING = /^ {0,3}(#{1,6})\s+(.*?)\s*#*$/;
/** Those of each depth, below the headings of the page. @type {("h3"|"h4"|"h5"|"h6")[]} */
const HEADING_TAGS = ["h3", "h4", "h5", "h6", "h6", "h6"];
const RULE = /^ {0,3}([-*_])(?:\s*\1){2,}\s*$/;
const ITEM = /^(\s*)(?:([-*+])|(\d{1,9})[.)])\s+(.*)$/;
const TABLE_LINE = /^\s*\|?[\s:|-]*-[\s:|-]*$/;
const DEEPEST = 6;
const LONGEST_PARAGRAPH = 20_000;

/** @param {string} text @returns {DocumentFragment} */
export function markdown(text, depth = 0) {
  const made = document.createDocumentFragment();
  const lines = text.split("\n");
  let at = 0;
  while (at < lines.length) at = block(lines, at, made, depth);
  return made;
}

/** One block, from line `at`; where the next one begins. */
function block(lines, at, made, depth) {
  const line = lines[at];
  if (!line.trim()) return at + 1;
  const fence = FENCE.exec(line);
  if (fence) return code(lines, at, fence, made);
  const heading = HEADING.exec(line);
  if (heading) {
    const depth = heading[1].length;
    const tag = HEADING_TAGS[depth - 1];
    made.append(el(tag, { class: `md-h${depth}` }, inline(heading[2])));
    return at + 1;
  }
  if (RULE.test(line)) {
    made.append(el("hr"));
    return at + 1;
  }
  if (depth < DEEPEST && /^ {0,3}>/.test(line)) return quote(lines, at, made, depth);
  if (depth < DEEPEST && ITEM.test(line)) return list(lines, at, made, depth);
  if (line.includes("|") && TABLE_LINE.test(lines[at + 1] ?? "") && lines[at + 1].includes("|")) {
    return table(lines, at, made);
  }
  return paragraph(lines, at, made);
}

function code(lines, at, fence, made) {
  const end = fence[1];
  let next = at + 1;
  while (next < lines.length && !lines[next].trim().startsWith(end)) next++;
  made.append(codeBlock(lines.slice(at + 1, next).join("\n"), fence[2]));
  return next + 1;
}

export function codeBlock(text, language) {
  const head = language ? el("span", { class: "language" }, language) : null;
  return el(
    "div",
    { class: "code" },
    head,
    el("pre", { tabindex: "0" }, el("code", {}, shown(text))),
  );
}

function quote(lines, at, made, depth) {
  let next = at;
  const inner = [];
  while (next < lines.length && /^ {0,3}>/.test(lines[next]))
    inner.push(lines[next++].replace(/^ {0,3}> ?/, ""));
  made.append(el("blockquote", {}, markdown(inner.join("\n"), depth + 1)));
  return next;
}

function list(lines, at, made, depth) {
  const first = ITEM.exec(lines[at]);
  const indent = first[1].length;
  const ordered = first[3] !== undefined;
  const items = [];
  let next = at;
  while (next < lines.length) {
    const item = ITEM.exec(lines[next]);
    const width = lines[next].length - lines[next].trimStart().length;
    if (item && item[1].length <= indent + 1 && (item[3] !== undefined) === ordered) {
      if (item[1].length < indent) break;
      items.push([item[4]]);
    } else if (!lines[next].trim()) {
      if (!(lines[next + 1] ?? "").startsWith(" ") && !ITEM.test(lines[next + 1] ?? "")) break;
      items.at(-1).push("");
    } else if (width > indent) {
      items.at(-1).push(lines[next].slice(Math.min(width, indent + 2)));
    } else break;
    next++;
  }
  const start = ordered && first[3] !== "1" ? first[3] : null;
  made.append(
    el(
      ordered ? "ol" : "ul",
      { start },
      items.map((inner) => listItem(inner, depth)),
    ),
  );
  return next;
}

function listItem(lines, depth) {
  if (lines.length === 1) return el("li", {}, inline(lines[0]));
  return el("li", {}, markdown(lines.join("\n"), depth + 1));
}

function table(lines, at, made) {
  const cells = (line) =>
    line
      .trim()
      .replace(/^\||\|$/g, "")
      .split("|")
      .map((cell) => cell.trim());
  const head = cells(lines[at]);
  let next = at + 2;
  const rows = [];
  while (next < lines.length && lines[next].includes("|")) rows.push(cells(lines[next++]));
  const row = (tag, values) =>
    el(
      "tr",
      {},
      head.map((_, i) => el(tag, {}, inline(values[i] ?? ""))),
    );
  made.append(
    el(
      "div",
      { class: "scroll", tabindex: "0", role: "region", "aria-label": "Table" },
      el(
        "table",
        {},
        el("thead", {}, row("th", head)),
        el(
          "tbody",
          {},
          rows.map((one) => row("td", one)),
        ),
      ),
    ),
  );
  return next;
}

function paragraph(lines, at, made) {
  let next = at + 1;
  while (next < lines.length && lines[next].trim() && !startsBlock(lines, next)) next++;
  made.append(el("p", {}, inline(lines.slice(at, next).join("\n"))));
  return next;
}

function startsBlock(lines, at) {
  const line = lines[at];
  return (
    FENCE.test(line) ||
    HEADING.test(line) ||
    RULE.test(line) ||
    ITEM.test(line) ||
    /^ {0,3}>/.test(line)
  );
}

/** What stands within a line: code, emphasis, links, images, addresses. */
const INLINE =
  /(`+)([^`]|[^`][^]{0,2000}?[^`])\1(?!`)|(!?)\[([^\]\n]{0,500})\]\(\s*<?([^()\s<>]{1,2000}(?:\([^()\s]{0,200}\))?[^()\s<>]{0,200})>?(?:\s+"[^"\n]{0,200}")?\s*\)|(\*\*|__)(?=\S)([^\n]{1,2000}?)(?<=\S)\6|(?<![\w*])([*_])(?=[^\s*_])([^\n*_]{1,1000}?)(?<=\S)\8(?!\w)|~~(?=\S)([^\n~]{1,1000})~~|(https?:\/\/[^\s<>"'`)\]]{3,2000})/;

function inline(text, depth = 0) {
  const made = document.createDocumentFragment();
  let rest = text;
  while (rest && text.length <= LONGEST_PARAGRAPH && depth < DEEPEST) {
    const found = INLINE.exec(rest);
    if (!found) break;
    made.append(shown(rest.slice(0, found.index)), inlinePart(found, depth));
    rest = rest.slice(found.index + found[0].length);
  }
  made.append(shown(rest));
  return made;
}

function inlinePart(found, depth) {
  if (found[1]) return el("code", {}, shown(found[2].replace(/^ (.*) $/, "$1")));
  if (found[5]) {
    if (found[3]) return remoteImage(found[4], found[5]);
    return link([inline(found[4], depth + 1)], found[5]);
  }
  if (found[6]) return el("strong", {}, inline(found[7], depth + 1));
  if (found[8]) return el("em", {}, inline(found[9], depth + 1));
  if (found[10]) return el("s", {}, inline(found[10], depth + 1));
  return link([found[11]], found[11]);
}
