/** Several runs of the same input: figures, agreement, and the rows side by side. */

import { el, button, fill, plain } from "./dom.js";
import { agreementTable, compareFigures, runName } from "./compare_figures.js";
import { compareRow } from "./compare_row.js";
import { count, number, percent } from "./format.js";
import { joinRuns } from "./join.js";
import { go } from "./route.js";
import { search } from "./search.js";
import { searchField } from "./search_field.js";
import { tableColumns } from "./table_columns.js";
import { VirtualList } from "./virtual_list.js";

const ROW_HEIGHT = 34;
const KINDS = {
  all: () => true,
  different: (one) => one.same === false,
  same: (one) => one.same === true,
  "not in all": (one) => one.same === null,
};

export class Comparison {
  /** @param {import("./run.js").Run[]} runs */
  constructor(runs) {
    this.runs = runs;
    this.joined = joinRuns(runs);
    this.previews = runs.map((run) => tableColumns(run).filter((one) => !one.sorts));
    this.kind = "all";
    this.opened = null;
    this.list = new VirtualList({ height: ROW_HEIGHT, draw: (index) => this.drawRow(index) });
    this.list.element.setAttribute("tabindex", "0");
    this.kinds = el("div", { class: "segments", role: "group", "aria-label": "Rows" });
    this.input = searchField((text) => this.search(text));
    this.count = el("span", { class: "muted count", role: "status" });
    this.detail = el("section", { class: "detail wide", "aria-label": "Row", hidden: true });
    const sampled = runs.some((run) => run.share < 1);
    this.element = el(
      "div",
      { class: "compare" },
      sampled &&
        el(
          "p",
          { class: "notice" },
          "Agreement is that of the rows in this file; of large runs it holds a sample, the same rows of each.",
        ),
      el(
        "div",
        { class: "charts" },
        el("section", { class: "card" }, el("h2", {}, "Side by side"), compareFigures(runs)),
        el(
          "section",
          { class: "card" },
          el("h2", {}, "Agreement with ", runName(runs[0], 0)),
          agreementTable(this.joined, runs),
        ),
      ),
      el(
        "div",
        { class: "filter-bar" },
        el("div", { class: "line" }, this.input, this.kinds, this.count),
      ),
      el(
        "div",
        { class: "split" },
        el("div", { class: "table" }, this.head(), this.list.element),
        this.detail,
      ),
    );
    this.update();
  }

  head() {
    const row = el(
      "div",
      { class: "cells" },
      el("div", { class: "cell" }, "row"),
      el("div", { class: "cell" }, "question"),
      this.runs.map((run, at) => el("div", { class: "cell" }, runName(run, at))),
    );
    row.style.gridTemplateColumns = this.template();
    return el("div", { class: "table-head" }, row);
  }

  template() {
    return `100px minmax(80px, 2fr) repeat(${this.runs.length}, minmax(80px, 3fr))`;
  }

  update() {
    const wasFound = (one) =>
      !this.found ||
      one.places.some((places, run) => places.some((place) => this.found[run][place]));
    this.shown = this.joined.filter((one) => KINDS[this.kind](one) && wasFound(one));
    this.list.reset(this.shown.length);
    this.count.textContent = `${number(this.shown.length)} of ${count(this.joined.length, "row")}`;
    fill(
      this.kinds,
      Object.entries(KINDS).map(([kind, test]) => {
        const size = this.joined.filter(test).length;
        return button(
          [
            kind,
            el(
              "span",
              { class: "muted" },
              ` ${kind === "all" ? number(size) : percent(size, this.joined.length)}`,
            ),
          ],
          () => {
            this.kind = kind;
            this.update();
          },
          { "aria-pressed": String(this.kind === kind) },
        );
      }),
    );
  }

  drawRow(index) {
    const joined = this.shown[index];
    const cells = joined.places.map((places, at) =>
      places.length ? this.preview(at, places[0], "answer") : "–",
    );
    const at = joined.places.findIndex((places) => places.length);
    const name =
      this.runs[at].value("fact:id", joined.places[at][0]) ??
      this.runs[at].value("fact:row", joined.places[at][0]);
    const mark = { true: "", false: "≠ ", null: "? " }[String(joined.same)];
    const row = el(
      "div",
      {
        class: `cells row ${joined.same === false ? "different" : ""}`,
        "data-index": String(index),
        onclick: () => go("compare", 0, this.joined.indexOf(joined)),
      },
      el(
        "div",
        { class: "cell" },
        button(mark + plain(String(name)), () => {}, { class: "plain-button" }),
      ),
      el("div", { class: "cell" }, this.preview(at, joined.places[at][0], "question")),
      cells.map((text) => el("div", { class: "cell" }, text)),
    );
    row.style.gridTemplateColumns = this.template();
    this.load(index);
    return row;
  }

  preview(run, place, label) {
    const row = this.runs[run].rowAtHand(place);
    return this.previews[run].find((one) => one.label === label).cell(place, row);
  }

  /** Get what a row shows, unless it is at hand, and draw it anew. */
  async load(index) {
    const joined = this.shown[index];
    const firsts = joined.places.map((places) => places[0]);
    const isMissing = (place, at) => place !== undefined && !this.runs[at].rowAtHand(place);
    if (!firsts.some(isMissing)) return;
    await Promise.all(firsts.map((place, at) => place !== undefined && this.runs[at].load(place)));
    if (this.shown[index] === joined) this.list.redraw(index);
  }

  async search(text) {
    this.searching?.abort();
    const stop = (this.searching = new AbortController());
    const found = [];
    for (const run of text.trim() ? this.runs : []) {
      for await (const one of search(run, text, stop.signal)) found[run.index] = one;
      if (stop.signal.aborted) return;
    }
    this.found = text.trim() ? found : null;
    this.update();
  }

  /** Show the row at a place of all joined rows; null closes what is shown. */
  async open(index) {
    this.opened = index;
    const joined = index === null ? null : this.joined[index];
    this.element.classList.toggle("has-detail", Boolean(joined));
    this.detail.hidden = !joined;
    if (!joined) return;
    const view = await compareRow(this.runs, joined, (run, row) => go("rows", run, row));
    if (this.opened !== index) return;
    fill(
      this.detail,
      el(
        "div",
        { class: "row-head" },
        el("h2", {}, plain(String(joined.key))),
        el(
          "div",
          { class: "actions" },
          button("↑", () => this.step(-1), { "aria-label": "Previous row (k)" }),
          button("↓", () => this.step(1), { "aria-label": "Next row (j)" }),
          button("✕", () => go("compare", 0, null), { "aria-label": "Close (Esc)" }),
        ),
      ),
      view,
    );
    this.detail.scrollTop = 0;
  }

  step(by) {
    const at = this.opened === null ? -1 : this.shown.indexOf(this.joined[this.opened]);
    const next = this.shown[Math.max(0, Math.min(at + by, this.shown.length - 1))];
    if (!next) return;
    go("compare", 0, this.joined.indexOf(next), true);
    this.list.show(this.shown.indexOf(next));
  }

  press(event) {
    if (event.key === "/") this.input.focus();
    else if (event.key === "j") this.step(1);
    else if (event.key === "k") this.step(-1);
    else if (event.key === "Escape" && this.opened !== null) go("compare", 0, null);
    else return false;
    return true;
  }
}
