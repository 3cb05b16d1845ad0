/** What stands in the answers: each property of them, and how it is distributed. */

import { el, plain } from "./dom.js";
import { bars } from "./bars.js";
import { linearBins } from "./bins.js";
import { histogram } from "./charts.js";
import { count, number, percent } from "./format.js";

/** Bars of a property that are shown at once; the others fold. */
const MOST_BARS = 12;

export function hasProperties(run) {
  const { properties } = run.figures;
  return properties.objects > 0 || properties.texts !== null;
}

/** @param {import("./page.js").AnyRun} run */
export function properties(run) {
  const { objects, texts, by_name: byName, has_more: hasMore } = run.figures.properties;
  const names = Object.keys(byName);
  return el(
    "div",
    { class: "properties" },
    objects > 0 &&
      el(
        "p",
        { class: "muted" },
        `${count(objects, "answer")} with JSON, ${count(names.length, "property").replace("propertys", "properties")}${hasMore ? " and more, which are not shown" : ""}.`,
      ),
    el(
      "div",
      { class: "property-cards" },
      texts && propertyView("Answers", texts, null),
      names.map((name) => propertyView(name, byName[name], name.includes("[]") ? null : objects)),
    ),
  );
}

function propertyView(name, found, objects) {
  const { kinds, numbers, lengths } = found;
  const total = Object.values(kinds).reduce((sum, one) => sum + one, 0);
  const missing = objects === null ? 0 : Math.max(0, objects - total);
  const notes = [
    Object.entries(kinds)
      .filter(([kind]) => kind !== "null")
      .map(([kind, one]) =>
        Object.keys(kinds).length > 1 ? `${kind} ${percent(one, total)}` : kind,
      )
      .join(", "),
    kinds.null ? `null ${percent(kinds.null, total)}` : null,
    missing ? `absent ${percent(missing, objects)}` : null,
    found.values.length && !found.is_choice
      ? `${found.different === null ? "over 1,000" : number(found.different)} different`
      : null,
    numbers.count ? `mean ${number(numbers.mean)}` : null,
  ];
  return el(
    "section",
    { class: "card property" },
    el("h2", {}, plain(name)),
    el("p", { class: "muted" }, notes.filter(Boolean).join(" · ")),
    numbers.count > 0 &&
      histogram({
        heading: "h3",
        title: `Values of ${plain(name)}`,
        format: number,
        unit: "answers",
        bins: linearBins(numbers),
      }),
    found.values.length > 0 && found.is_choice && choices(name, found.values, total),
    !found.is_choice &&
      lengths.count > 0 &&
      histogram({
        heading: "h3",
        title: lengthTitle(kinds),
        format: number,
        unit: "answers",
        bins: linearBins(lengths),
      }),
    found.values.length > 0 &&
      !found.is_choice &&
      el(
        "details",
        {},
        el("summary", {}, "Most frequent"),
        bars(`Most frequent values of ${plain(name)}`, found.values.slice(0, 15), total),
      ),
  );
}

function choices(name, values, total) {
  const label = `Values of ${plain(name)}`;
  const more = values.slice(MOST_BARS);
  return [
    bars(label, values.slice(0, MOST_BARS), total),
    more.length > 0 &&
      el(
        "details",
        {},
        el("summary", {}, `${number(more.length)} more`),
        bars(`More ${label.toLowerCase()}`, more, total),
      ),
  ];
}

function lengthTitle(kinds) {
  return kinds.list && !kinds.text ? "Number of items" : "Length in characters";
}
