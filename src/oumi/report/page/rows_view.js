/** The rows of a run: a table, and beside it the row that is open. */

import { el, fill } from "./dom.js";
import { count, number, percent } from "./format.js";
import { FilterBar } from "./filter_bar.js";
import { go, routeOf } from "./route.js";
import { rowHead, rowView } from "./row_view.js";
import { RowsTable } from "./rows_table.js";
import { tableColumns } from "./table_columns.js";

export class RowsView {
  /** @param {import("./run.js").Run} run */
  constructor(run) {
    this.run = run;
    this.sort = null;
    this.text = "";
    const columns = (this.columns = tableColumns(run));
    this.bar = new FilterBar({
      run,
      columns,
      onchange: () => this.update(),
      onsearch: (text) => {
        this.text = text;
        this.update();
      },
      oncolumns: () => this.table.redraw(),
    });
    this.table = new RowsTable({
      run,
      columns,
      onopen: (at) => this.goTo(at),
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
  async update(keepsPlace = false) {
    this.selecting?.abort();
    const { signal } = (this.selecting = new AbortController());
    this.element.dataset.searching = "true";
    const query = { filters: this.bar.all(), text: this.text, sort: this.sort };
    for await (const places of this.run.select(query, signal)) {
      if (signal.aborted) return;
      this.show(places, keepsPlace);
    }
    if (!signal.aborted) delete this.element.dataset.searching;
  }

  show(places, keepsPlace) {
    this.table.show(places, this.sort, keepsPlace);
    const total = this.run.rowCount;
    this.bar.count.textContent =
      places.length === total
        ? count(total, "row")
        : `${number(places.length)} of ${count(total, "row")}`;
  }

  /** Take up what has changed in a run that is served. */
  async refresh({ files, figures, rows }) {
    if (figures) this.refreshColumns();
    if (files) await this.open(this.wanted ?? null); // its place is another one
    // A query that is still worked on goes on to the rows that have come meanwhile.
    if (files || (rows && !this.element.dataset.searching)) this.update(!files);
  }

  refreshColumns() {
    const shown = new Map(this.columns.map((one) => [one.name, one.isShown]));
    const fresh = tableColumns(this.run);
    fresh.forEach((one) => {
      one.isShown = shown.get(one.name) ?? one.isShown;
    });
    this.columns.splice(0, Infinity, ...fresh);
    this.bar.draw();
  }

  sortBy(column) {
    const isSame = this.sort?.column === column;
    if (isSame && this.sort.descending) this.sort = null;
    else this.sort = { column, descending: isSame };
    this.update();
  }

  /** Open the row with a number of the input; null closes the one that is open. */
  async open(row) {
    this.wanted = row;
    const at = row === null ? -1 : await this.run.find(row);
    if (this.wanted !== row) return; // another one was opened meanwhile
    this.table.markOpened(at);
    this.element.classList.toggle("has-detail", row !== null);
    this.detail.hidden = row === null;
    if (row === null) return;
    if (at < 0) {
      fill(this.detail, el("p", { class: "notice" }, this.run.missing(row)));
      return;
    }
    const data = await this.run.row(at);
    if (this.wanted !== row) return;
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
    this.table.move(opened < 0 ? index + by : index);
    if (opened >= 0) this.goTo(places[index], true);
  }

  /** Open the row at a place, in place of the address where it `replaces`. */
  async goTo(at, replaces = false) {
    if (!this.run.rowAtHand(at)) await this.run.load(at);
    go("rows", this.run.index, this.run.value("fact:row", at), replaces);
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
