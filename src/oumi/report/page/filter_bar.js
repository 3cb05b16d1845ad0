/** What narrows the rows down: the search, the statuses, and filters by any column. */

import { el, button, fill, plain } from "./dom.js";
import { number } from "./format.js";
import { searchField } from "./search_field.js";
import { STATUSES } from "./status.js";

const MOST_CHOICES = 40;

export class FilterBar {
  /** @param {{run, columns, onchange: () => void, onsearch: (text: string) => void}} options */
  constructor({ run, columns, onchange, onsearch, oncolumns }) {
    Object.assign(this, { run, columns, onchange, oncolumns, filters: [], status: null });
    this.input = searchField(onsearch);
    this.count = el("span", { class: "muted count", role: "status", "aria-live": "polite" });
    this.chips = el("div", { class: "chips" });
    this.statuses = el("div", { class: "segments", role: "group", "aria-label": "Status" });
    this.element = el(
      "div",
      { class: "filter-bar" },
      el(
        "div",
        { class: "line" },
        this.input,
        this.statuses,
        this.menu("Filter", (close) => this.filterForm(close)),
        this.menu("Columns", () => this.columnForm()),
        this.count,
      ),
      this.chips,
    );
    this.draw();
  }

  /** All filters, that of the status included. */
  all() {
    const status = this.status
      ? [{ column: "fact:status", kind: "one of", values: [this.status] }]
      : [];
    return [...status, ...this.filters];
  }

  set(filters, status = null) {
    this.filters = filters;
    this.status = status;
    this.draw();
    this.onchange();
  }

  draw() {
    const counts = new Map(this.run.choices("fact:status"));
    const segments = [
      [null, "all", this.run.rowCount],
      ...STATUSES.filter((one) => counts.get(one)).map((one) => [one, one, counts.get(one)]),
    ];
    fill(
      this.statuses,
      segments.map(([value, label, count]) =>
        button(
          [label, el("span", { class: "muted" }, ` ${number(count)}`)],
          () => this.set(this.filters, value),
          { "aria-pressed": String(this.status === value) },
        ),
      ),
    );
    fill(
      this.chips,
      this.filters.map((filter, at) =>
        el(
          "span",
          { class: "chip" },
          plain(describe(this.run, filter)),
          button(
            "✕",
            () =>
              this.set(
                this.filters.filter((_, i) => i !== at),
                this.status,
              ),
            { "aria-label": `Remove the filter ${plain(describe(this.run, filter))}` },
          ),
        ),
      ),
    );
  }

  menu(label, form) {
    const panel = el("div", { class: "panel" });
    const made = el("details", { class: "menu" }, el("summary", { role: "button" }, label), panel);
    made.addEventListener("toggle", () => {
      const close = () => {
        made.open = false;
      };
      fill(panel, made.open ? form(close) : null);
    });
    made.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      made.open = false;
      made.firstElementChild.focus();
      event.stopPropagation();
    });
    document.addEventListener("click", (event) => {
      if (!made.contains(event.target)) made.open = false;
    });
    return made;
  }

  columnForm() {
    return this.columns.map((column) =>
      el(
        "label",
        { class: "choice" },
        el("input", {
          type: "checkbox",
          checked: column.isShown,
          onchange: (event) => {
            column.isShown = event.target.checked;
            this.oncolumns();
          },
        }),
        plain(column.label),
      ),
    );
  }

  filterForm(close) {
    const columns = this.columns.filter((one) => one.sorts && one.name !== "fact:status");
    const select = el(
      "select",
      { "aria-label": "Column" },
      columns.map((one) => el("option", { value: one.name }, plain(one.label))),
    );
    const holder = el("div", {});
    const show = () =>
      fill(
        holder,
        this.conditionForm(select.value, (filter) => {
          this.set([...this.filters, filter], this.status);
          close();
        }),
      );
    select.addEventListener("change", show);
    show();
    return el("div", { class: "filter-form" }, el("label", {}, "Column ", select), holder);
  }

  conditionForm(name, done) {
    const column = this.run.columns.get(name);
    if (column.isNumeric) return rangeForm(name, done);
    const counts = this.run.choices(name);
    const isChoice = counts !== null && counts.length <= MOST_CHOICES;
    return isChoice ? choiceForm(name, counts, done) : textForm(name, done);
  }
}

function rangeForm(column, done) {
  const low = el("input", { type: "number", step: "any", "aria-label": "At least" });
  const high = el("input", { type: "number", step: "any", "aria-label": "At most" });
  const value = (input) => (input.value === "" ? null : Number(input.value));
  return form([el("label", {}, "At least ", low), el("label", {}, "At most ", high)], () =>
    done({ column, kind: "between", low: value(low), high: value(high) }),
  );
}

function choiceForm(column, counts, done) {
  const boxes = counts.map(([value]) => el("input", { type: "checkbox", value }));
  const labels = counts.map(([value, count], i) =>
    el(
      "label",
      { class: "choice" },
      boxes[i],
      plain(value || "(nothing)"),
      el("span", { class: "muted" }, ` ${number(count)}`),
    ),
  );
  return form(labels, () =>
    done({
      column,
      kind: "one of",
      values: boxes.filter((box) => box.checked).map((box) => box.value),
    }),
  );
}

function textForm(column, done) {
  const input = el("input", { type: "text", "aria-label": "Contains" });
  return form([el("label", {}, "Contains ", input)], () =>
    done({ column, kind: "contains", text: input.value }),
  );
}

function form(children, onsubmit) {
  return el(
    "form",
    {
      onsubmit: (event) => {
        event.preventDefault();
        onsubmit();
      },
    },
    children,
    el("button", { type: "submit", class: "primary" }, "Apply"),
  );
}

function describe(run, filter) {
  const label = run.columns.get(filter.column)?.label ?? filter.column;
  if (filter.label) return filter.label;
  if (filter.kind === "contains") return `${label} contains ${filter.text}`;
  if (filter.kind === "one of")
    return `${label}: ${filter.values.map((value) => value || "(nothing)").join(", ")}`;
  return `${label} ${filter.low ?? "…"} to ${filter.high ?? "…"}`;
}
