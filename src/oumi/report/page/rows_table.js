/** The table of rows: its head, the list below, and which row is the current one. */

import { el, fill } from "./dom.js";
import { VirtualList } from "./virtual_list.js";

const ROW_HEIGHT = 34;

export class RowsTable {
  /** @param {{run, columns, onopen: (at: number) => void, onsort: (column: string) => void}} options */
  constructor({ run, columns, onopen, onsort }) {
    Object.assign(this, {
      run,
      columns,
      onopen,
      onsort,
      places: [],
      sort: null,
      current: 0,
      opened: -1,
    });
    this.head = el("div", { class: "table-head", role: "rowgroup" });
    this.list = new VirtualList({ height: ROW_HEIGHT, draw: (index) => this.drawRow(index) });
    this.list.element.setAttribute("role", "rowgroup");
    this.element = el(
      "div",
      {
        class: "table",
        role: "grid",
        tabindex: "0",
        "aria-label": "Rows",
        onkeydown: (event) => this.press(event),
      },
      this.head,
      this.list.element,
    );
    this.list.element.addEventListener("scroll", () => {
      this.head.scrollLeft = this.list.element.scrollLeft;
    });
  }

  shownColumns() {
    return this.columns.filter((one) => one.isShown);
  }

  /** Show rows, given by their places in the run; with `keepsPlace` those that were there before
   * stay where they are on the screen. */
  show(places, sort, keepsPlace = false) {
    const opened = places.indexOf(this.opened);
    const current = keepsPlace ? places.indexOf(this.places[this.current]) : opened;
    this.places = places;
    this.sort = sort;
    this.current = Math.max(0, current);
    this.drawHead();
    this.element.setAttribute("aria-rowcount", String(places.length + 1));
    this.list.reset(places.length, keepsPlace);
    if (opened >= 0 && !keepsPlace) this.list.show(this.current);
  }

  drawHead() {
    const columns = this.shownColumns();
    this.template = columns.map((one) => one.width).join(" ");
    const row = el(
      "div",
      { class: "cells", role: "row", "aria-rowindex": "1" },
      columns.map((one) => this.headCell(one)),
    );
    row.style.gridTemplateColumns = this.template;
    const least = columns.reduce((sum, one) => sum + Number(/\d+/.exec(one.width)[0]), 0);
    this.least = `${least + 12 * columns.length + 16}px`;
    row.style.minWidth = this.least;
    this.list.space.style.minWidth = this.least;
    fill(this.head, row);
  }

  headCell(column) {
    const isSorted = this.sort?.column === column.name;
    const order = isSorted ? (this.sort.descending ? "descending" : "ascending") : "none";
    const arrow = isSorted ? (this.sort.descending ? " ↓" : " ↑") : "";
    return el(
      "div",
      {
        class: column.numeric ? "cell number" : "cell",
        role: "columnheader",
        "aria-sort": column.sorts ? order : null,
        title: column.hint,
      },
      column.sorts
        ? el(
            "button",
            { type: "button", tabindex: "-1", onclick: () => this.onsort(column.name) },
            column.label,
            arrow,
          )
        : column.label,
    );
  }

  drawRow(index) {
    const at = this.places[index];
    const row = this.run.rowAtHand(at);
    if (!row) this.load(index);
    const cells = this.shownColumns().map((one) =>
      el(
        "div",
        { class: one.numeric ? "cell number" : "cell", role: "gridcell" },
        one.cell(at, row),
      ),
    );
    const made = el(
      "div",
      {
        class: "cells row",
        role: "row",
        "aria-rowindex": String(index + 2),
        id: `row-at-${index}`,
        "aria-selected": String(at === this.opened),
        tabindex: index === this.current ? "0" : "-1",
        "data-current": index === this.current ? "true" : null,
        onclick: () => {
          this.move(index);
          this.onopen(at);
        },
      },
      cells,
    );
    made.style.gridTemplateColumns = this.template;
    return made;
  }

  /** Get a row, and draw it anew if it is still there. */
  async load(index) {
    const at = this.places[index];
    await this.run.load(at);
    if (this.places[index] === at && this.run.rowAtHand(at)) this.list.redraw(index);
  }

  /** Make a row the current one. */
  move(index) {
    const old = this.current;
    this.current = Math.max(0, Math.min(index, this.places.length - 1));
    this.list.show(this.current);
    this.list.redraw(old);
    this.list.redraw(this.current);
    this.element.setAttribute("aria-activedescendant", `row-at-${this.current}`);
  }

  /** Mark the row at a place of the run as the one that is open; -1 for none. */
  markOpened(at) {
    const old = this.places.indexOf(this.opened);
    this.opened = at;
    const index = this.places.indexOf(at);
    if (old >= 0) this.list.redraw(old);
    if (index >= 0) this.move(index);
  }

  press(event) {
    const page = Math.max(1, Math.floor(this.list.element.clientHeight / ROW_HEIGHT) - 1);
    const steps = {
      ArrowDown: 1,
      ArrowUp: -1,
      PageDown: page,
      PageUp: -page,
      Home: -Infinity,
      End: Infinity,
    };
    if (event.target.closest("button") || event.ctrlKey || event.metaKey) return;
    if (event.key in steps) {
      this.move(Math.max(0, Math.min(this.current + steps[event.key], this.places.length - 1)));
    } else if (event.key === "Enter" && this.places.length) {
      this.onopen(this.places[this.current]);
    } else return;
    event.preventDefault();
  }

  redraw() {
    this.drawHead();
    this.list.clear();
    this.list.refresh();
  }
}
