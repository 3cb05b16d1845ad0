/** The page: its views, and which of them its address says. */

import { el, fill, plain } from "./dom.js";
import { forgetCharts, redrawCharts } from "./charts.js";
import { Comparison } from "./compare.js";
import { failures } from "./failures.js";
import { number } from "./format.js";
import { overview } from "./overview.js";
import { hasProperties, properties } from "./properties.js";
import { go, readRoute, routeOf } from "./route.js";
import { RowsView } from "./rows_view.js";
import { themeButton } from "./theme.js";

/** @typedef {import("./run.js").Run|import("./served_run.js").ServedRun} AnyRun */

export class Page {
  /** @param {AnyRun[]} runs */
  constructor(runs) {
    this.runs = runs;
    this.made = new Map(); // views by name and run
    this.tabs = el("nav", { class: "tabs", "aria-label": "Views" });
    this.choice = el("div", { class: "segments runs", role: "group", "aria-label": "Run" });
    this.main = el("main", { tabindex: "-1" });
    this.progress = el("span", { class: "muted progress" });
    this.head = el(
      "header",
      { class: "top" },
      el("div", { class: "title" }, el("h1", {}, plain(runs.map((run) => run.name).join(" · ")))),
      this.tabs,
      this.choice,
      this.progress,
      themeButton(redrawCharts),
    );
  }

  /** Put it into the document, and follow the address and the keys. */
  start() {
    fill(document.getElementById("app"), this.head, this.main);
    addEventListener("hashchange", () => this.show());
    addEventListener("keydown", (event) => this.press(event));
    this.show();
    document.documentElement.dataset.ready = "true";
  }

  views(run) {
    return [
      ["overview", "Overview"],
      ["rows", "Rows"],
      ["failures", `Failures (${number(run.figures.statuses.failed ?? 0)})`],
      ...(hasProperties(run) ? [["properties", "Answers"]] : []),
      ...(this.runs.length > 1 ? [["compare", "Compare"]] : []),
    ];
  }

  show() {
    const { run, name, row } = this.place();
    this.drawHead(run, name);
    const view = this.view(name, run);
    const element = view.element ?? view;
    if (this.main.firstChild !== element) fill(this.main, element);
    this.current = view;
    document.body.dataset.view = name;
    view.open?.(row);
  }

  /** What the address says. */
  place() {
    const route = readRoute();
    const run = this.runs[route.run] ?? this.runs[0];
    const name = this.views(run).some(([one]) => one === route.view) ? route.view : "overview";
    return { run, name, row: route.row };
  }

  drawHead(run, name) {
    const views = this.views(run);
    fill(
      this.tabs,
      views.map(([one, label]) =>
        el(
          "a",
          { href: routeOf(one, run.index), "aria-current": one === name ? "page" : null },
          label,
        ),
      ),
    );
    const isChoice = this.runs.length > 1 && name !== "compare";
    this.choice.hidden = !isChoice;
    fill(
      this.choice,
      this.runs.map((one) =>
        el(
          "a",
          { href: routeOf(name, one.index), "aria-current": one === run ? "true" : null },
          plain(one.name),
        ),
      ),
    );
  }

  /** Show what has changed in a run that is served. @param {import("./served_run.js").Changes} changes */
  refresh(changes) {
    const { run, name } = this.place();
    this.progress.textContent = run.progress();
    this.made.get(`rows ${run.index}`)?.refresh(changes);
    if (!changes.figures) return;
    for (const key of this.made.keys()) if (!key.startsWith("rows")) this.made.delete(key);
    if (name === document.body.dataset.view) this.drawHead(run, name);
    if (name !== "rows") this.redraw(name, run);
  }

  /** Draw a view of figures anew; what was unfolded stays so, and what is seen stays where it is. */
  redraw(name, run) {
    const old = this.main.firstChild;
    const top = scrollY;
    this.current = this.view(name, run);
    fill(this.main, this.current);
    forgetCharts(old);
    const unfolded = old.querySelectorAll("details");
    this.current.querySelectorAll("details").forEach((one, at) => {
      one.open = unfolded[at]?.open ?? one.open;
    });
    scrollTo(0, top);
  }

  view(name, run) {
    const key = name === "compare" ? name : `${name} ${run.index}`;
    if (!this.made.has(key)) this.made.set(key, this.make(name, run));
    return this.made.get(key);
  }

  make(name, run) {
    const showRows = (filters) => {
      this.view("rows", run).bar.set(filters ?? []);
      go("rows", run.index, null);
    };
    if (name === "rows") return new RowsView(run);
    if (name === "failures") return failures(run, showRows);
    if (name === "properties") return properties(run);
    if (name === "compare") return new Comparison(this.runs);
    return overview(run, showRows);
  }

  press(event) {
    const isTyping = event.target.closest?.("input, textarea, select, dialog");
    if (event.key === "Escape" && event.target.closest?.("input")) event.target.blur();
    if (isTyping || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented)
      return;
    if (this.current.press?.(event)) event.preventDefault();
  }
}

/** Say why there is nothing to see. */
export function showProblem(text) {
  fill(document.getElementById("app"), el("p", { class: "loading", role: "alert" }, text));
}
