/** Charts over uPlot (https://github.com/leeoniya/uPlot), in the colors of the page. */

import { el, fill } from "./dom.js";
import { color } from "./theme.js";

const HEIGHT = 170;
const drawn = new Set();

/** Draw all charts anew, in other colors. */
export function redrawCharts() {
  for (const chart of drawn) {
    if (chart.figure.isConnected) chart.draw();
    else drawn.delete(chart);
  }
}

/** Let go of the charts in an element that is not shown any more. */
export function forgetCharts(element) {
  for (const chart of drawn) if (element.contains(chart.figure)) drawn.delete(chart);
}

/**
 * A figure with a title, a line of text under it, and a chart.
 * @param {{title: string, note?: string, heading?: string, summary: string, data: Array,
 *   series: () => object[], x: object, y: object, readout: (at: number) => string,
 *   scales?: object, legend?: HTMLElement|false}} options
 *   `summary` is what a screen reader says of it; `series` is called again for other colors.
 */
function chart({
  title,
  note,
  heading = "h2",
  summary,
  data,
  series,
  x,
  y,
  readout,
  scales,
  legend,
}) {
  const value = el("span", { class: "readout muted" }, note ?? "");
  const holder = el("div", { class: "canvas", role: "img", "aria-label": summary });
  const figure = el(
    "figure",
    { class: "chart" },
    el("figcaption", {}, el(heading, {}, title), value),
    legend,
    holder,
  );
  let plot = null;
  const draw = () => {
    plot?.destroy();
    plot = new uPlot(
      {
        width: Math.max(holder.clientWidth, 120),
        height: HEIGHT,
        scales: { x: { time: false }, ...scales },
        legend: { show: false },
        cursor: { y: false, drag: { x: false, y: false }, points: { show: false } },
        axes: [axis({ size: 26, ...x }), axis(y)],
        padding: [8, 10, 0, 0],
        series: [{}, ...series().map((one) => ({ points: { show: false }, ...one }))],
        hooks: {
          setCursor: [
            (one) => {
              value.textContent =
                one.cursor.idx === null || one.cursor.idx === undefined
                  ? (note ?? "")
                  : readout(one.cursor.idx);
            },
          ],
        },
      },
      data,
      fill(holder),
    );
  };
  const made = { figure, draw };
  drawn.add(made);
  let width = 0;
  new ResizeObserver(() => {
    if (!holder.clientWidth || holder.clientWidth === width) return;
    width = holder.clientWidth;
    if (plot) plot.setSize({ width, height: HEIGHT });
    else draw();
  }).observe(holder);
  return figure;
}

function axis(own) {
  return {
    stroke: color("muted"),
    font: "11px system-ui, sans-serif",
    grid: { stroke: color("grid"), width: 1 },
    ticks: { show: false },
    ...own,
  };
}

/**
 * Counts in bins that stand side by side.
 * @param {{title, note, heading, bins: {low: number, high: number, count: number}[], format, unit}} options
 */
export function histogram({ title, note, heading, bins, format, unit }) {
  const counts = bins.map((bin) => bin.count);
  const total = counts.reduce((sum, count) => sum + count, 0);
  const label = (at) => (bins[at] ? format(bins[at].low) : "");
  const span = (bin) =>
    bin.low === bin.high ? format(bin.low) : `${format(bin.low)} to ${format(bin.high)}`;
  const most = bins.reduce((best, bin) => (bin.count > best.count ? bin : best), bins[0]);
  return chart({
    title,
    note,
    heading,
    summary: `${title}: ${total} ${unit}, from ${format(bins[0].low)} to ${format(bins.at(-1).high)}, most of them at ${span(most)}. ${note ?? ""}`,
    data: [bins.map((_, at) => at), counts],
    scales: {
      x: { time: false, range: [-0.6, bins.length - 0.4] },
      y: { range: (_, __, high) => [0, high * 1.06 || 1] },
    },
    x: {
      values: (_, splits) => splits.map((at) => (Number.isInteger(at) ? label(at) : "")),
      space: 70,
      incrs: [1, 2, 5, 10, 20, 50],
      grid: { show: false },
    },
    y: {
      size: 48,
      values: (_, splits) => splits.map((one) => (Number.isInteger(one) ? shortCount(one) : "")),
    },
    series: () => [
      {
        fill: color("accent"),
        stroke: color("accent"),
        width: 0,
        paths: uPlot.paths.bars({ size: [0.86, 60], radius: 0.1 }),
      },
    ],
    readout: (at) => `${span(bins[at])}: ${counts[at].toLocaleString("en-US")} ${unit}`,
  });
}

function shortCount(value) {
  return value >= 1000 ? `${value / 1000}k` : String(value);
}

/**
 * Values over time, from seconds since 1970.
 * @param {{title, note, times: number[], series: {label, color, values, fills?: boolean, steps?: boolean}[], format}} options
 */
export function timeChart({ title, note, times, series, format }) {
  const clock = (at) => new Date(at * 1000).toLocaleTimeString("en-GB");
  const last = series.map((one) => `${one.label} ${format(one.values.at(-1) ?? 0)}`).join(", ");
  const legend =
    series.length > 1 &&
    el(
      "div",
      { class: "legend muted" },
      series.map((one) => el("span", {}, el("i", { class: `swatch ${one.color}` }), one.label)),
    );
  return chart({
    title,
    note,
    legend,
    summary: `${title}, from ${clock(times[0])} to ${clock(times.at(-1))}; at the end ${last}.`,
    data: [times, ...series.map((one) => one.values)],
    scales: { x: { time: true }, y: { range: (_, __, high) => [0, high * 1.06 || 1] } },
    x: {
      space: 80,
      grid: { show: false },
      values: (_, splits) => splits.map((one, at) => timeLabel(one, splits[at + 1] - one || 60)),
    },
    y: { size: 56, values: (_, splits) => splits.map(format) },
    series: () =>
      series.map((one) => ({
        stroke: color(one.color),
        width: 1.5,
        fill: one.fills ? color(`${one.color}-faint`) : undefined,
        paths: one.steps ? uPlot.paths.stepped({ align: 1 }) : undefined,
      })),
    readout: (at) =>
      `${clock(times[at])}  ${series.map((one) => `${one.label} ${one.values[at] === null ? "–" : format(one.values[at])}`).join(" · ")}`,
  });
}

function timeLabel(at, step) {
  const date = new Date(at * 1000);
  if (step >= 86400) return date.toLocaleDateString("en-GB", { day: "numeric", month: "short" });
  const form = { hour: "2-digit", minute: "2-digit" };
  if (step < 60) form.second = "2-digit";
  return date.toLocaleTimeString("en-GB", form);
}
