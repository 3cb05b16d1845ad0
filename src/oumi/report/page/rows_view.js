/** The rows of a run: a table, and beside it the row that is open. */

import { el, fill } from "./dom.js";
import { count, number, percent } from "./format.js";
import { FilterBar } from "./filter_bar.js";
import { matching, sortPlaces } from "./filters.js";
import { go, routeOf } from "./route.js";
import { rowHead, rowView } from "./row_view.js";
import { RowsTable } from "./rows_table.js";
import { search } from "./search.js";
import { tableColumns } from "./table_columns.js";

export class RowsView {
  /** @param {import("./run.js").Run} run */
  constructor(run) {
    this.run = run;
    this.sort = null;
    this.found = null;
    const columns = tableColumns(run);
    this.bar = new FilterBar({
      run,
      columns,
      onchange: () => this.update(),
      onsearch: (text) => this.search(text),
      oncolumns: () => this.table.redraw(),
    });
    this.table = new RowsTable({
      run,
      columns,
      onopen: (at) => go("rows", run.index, run.value("fact:row", at)),
      onsort: (column) => this.sortBy(column),
    });
    this.detail = el("section", { class: "detail", "aria-label": "Row", hidden: true });
    this.element = el(
      "div",
      { class: "rows-view" },
      this.notice(),
      this.bar.element,
      el("div", { class: "split" }, this.table.element, this.detail),
    );
    this.update();
  }

  notice() {
    if (this.run.share >= 1) return null;
    const all = this.run.figures.rows;
    return el(
      "p",
      { class: "notice" },
      `This file holds ${number(this.run.size)} of ${number(all)} rows: every failure, and a sample of ${percent(this.run.share, 1)} of the others. The figures are of all rows.`,
    );
  }

  /** Bring the table up to date with the filters, the search and the order. */
  update() {
    const places = sortPlaces(this.run, matching(this.run, this.bar.all(), this.found), this.sort);
    this.table.show(places, this.sort);
    const all = places.length === this.run.size;
    this.bar.count.textContent = all
      ? count(places.length, "row")
      : `${number(places.length)} of ${count(this.run.size, "row")}`;
  }

  sortBy(column) {
    const isSame = this.sort?.column === column;
    if (isSame && this.sort.descending) this.sort = null;
    else this.sort = { column, descending: isSame };
    this.update();
  }

  async search(text) {
    this.searching?.abort();
    const stop = (this.searching = new AbortController());
    this.element.dataset.searching = "true";
    if (!text.trim()) this.found = null;
    else {
      for await (const found of search(this.run, text, stop.signal)) {
        if (stop.signal.aborted) return;
        this.found = found;
        this.update();
      }
    }
    if (stop.signal.aborted) return;
    this.update();
    delete this.element.dataset.searching;
  }

  /** Open the row with a number of the input; null closes the one that is open. */
  async open(row) {
    this.wanted = row;
    const at = row === null ? -1 : this.run.find(row);
    this.table.markOpened(at);
    this.element.classList.toggle("has-detail", row !== null);
    this.detail.hidden = row === null;
    if (row === null) return;
    if (at < 0) {
      fill(this.detail, el("p", { class: "notice" }, `Row ${row} is not in this file.`));
      return;
    }
    const data = await this.run.row(at);
    if (this.wanted !== row) return; // another one was opened meanwhile
    const moves = {
      previous: () => this.step(-1),
      next: () => this.step(1),
      close: () => this.close(),
    };
    const address = () => location.href.split("#")[0] + routeOf("rows", this.run.index, row);
    fill(this.detail, rowHead(this.run, at, { ...moves, address }), rowView(this.run, at, data));
    this.detail.scrollTop = 0;
    this.table.list.refresh();
  }

  /** Open the next row of the table, or the one before. */
  step(by) {
    const { places, opened, current } = this.table;
    if (!places.length) return;
    const from = opened < 0 ? current - by : current;
    const index = Math.max(0, Math.min(from + by, places.length - 1));
    if (opened < 0) this.table.move(index + by);
    else go("rows", this.run.index, this.run.value("fact:row", places[index]), true);
  }

  close() {
    go("rows", this.run.index, null);
    this.table.element.focus();
  }

  /** @returns {boolean} whether the key meant something here */
  press(event) {
    if (event.key === "/") {
      this.bar.input.focus();
      this.bar.input.select();
    } else if (event.key === "Escape" && this.wanted !== null && this.wanted !== undefined)
      this.close();
    else if (event.key === "j") this.step(1);
    else if (event.key === "k") this.step(-1);
    else if (event.key === "Enter" && event.target === document.body && this.table.places.length) {
      this.table.onopen(this.table.places[this.table.current]);
    } else return false;
    return true;
  }
}
