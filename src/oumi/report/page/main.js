/** Puts the page together, and shows what its address says. */

import { el, fill, plain } from "./dom.js";
import { redrawCharts } from "./charts.js";
import { Comparison } from "./compare.js";
import { failures } from "./failures.js";
import { number } from "./format.js";
import { overview } from "./overview.js";
import { hasProperties, properties } from "./properties.js";
import { go, readRoute, routeOf } from "./route.js";
import { RowsView } from "./rows_view.js";
import { loadRun } from "./run.js";
import { themeButton } from "./theme.js";

class Page {
  constructor(runs) {
    this.runs = runs;
    this.made = new Map(); // views by name and run
    this.tabs = el("nav", { class: "tabs", "aria-label": "Views" });
    this.choice = el("div", { class: "segments runs", role: "group", "aria-label": "Run" });
    this.main = el("main", { tabindex: "-1" });
    this.head = el(
      "header",
      { class: "top" },
      el("div", { class: "title" }, el("h1", {}, plain(runs.map((run) => run.name).join(" · ")))),
      this.tabs,
      this.choice,
      themeButton(redrawCharts),
    );
    addEventListener("hashchange", () => this.show());
    addEventListener("keydown", (event) => this.press(event));
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
    const route = readRoute();
    const run = this.runs[route.run] ?? this.runs[0];
    const views = this.views(run);
    const name = views.some(([one]) => one === route.view) ? route.view : "overview";
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
    const view = this.view(name, run);
    const element = view.element ?? view;
    if (this.main.firstChild !== element) fill(this.main, element);
    this.current = view;
    document.body.dataset.view = name;
    view.open?.(route.row);
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

async function start() {
  const app = document.getElementById("app");
  try {
    const runs = [];
    for (let index = 0; index < Number(app.dataset.runs); index++) runs.push(await loadRun(index));
    const page = new Page(runs);
    fill(app, page.head, page.main);
    page.show();
    document.documentElement.dataset.ready = "true";
  } catch (error) {
    fill(
      app,
      el(
        "p",
        { class: "loading", role: "alert" },
        `This report cannot be shown: ${error.message}. It needs a browser of 2023 or later, and the whole file.`,
      ),
    );
    throw error;
  }
}

start();
