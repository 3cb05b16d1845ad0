/** What happened when: answers, latencies, tokens and cost of a run, retries and limits of a call. */

import { timeChart } from "./charts.js";
import { dollars, number, seconds, short, span } from "./format.js";

/** Where what stands in a bin of `over_time`, whose first value is when it begins. */
const BIN = { done: 1, failed: 2, tokens: 3, cost: 4, latency: 5, firstToken: 8 };

/** @param {object} figures */
export function timeCharts({ over_time: { bins, width_s: width } }) {
  if (bins.length < 2) return null;
  const times = bins.map(([at]) => at);
  const values = (name) => bins.map((bin) => bin[BIN[name]]);
  const shared = { note: span(times[0], times.at(-1) + width), times };
  const rate = (name) => values(name).map((value) => value / width);
  const cost = sums(values("cost"));
  return [
    timeChart({
      ...shared,
      title: "Answers a second",
      format: number,
      series: [
        { label: "done", color: "accent", values: rate("done"), fills: true, steps: true },
        ...(values("failed").some(Boolean)
          ? [{ label: "failed", color: "bad", values: rate("failed"), steps: true }]
          : []),
      ],
    }),
    quantileChart("Latency over time", bins, BIN.latency, shared),
    quantileChart("First token over time", bins, BIN.firstToken, shared),
    timeChart({
      ...shared,
      title: "Tokens of answers a second",
      format: short,
      series: [
        { label: "tokens/s", color: "second", values: rate("tokens"), fills: true, steps: true },
      ],
    }),
    cost.at(-1) > 0 &&
      timeChart({
        ...shared,
        title: "Cost",
        format: dollars,
        series: [{ label: "so far", color: "accent", values: cost, fills: true }],
      }),
  ];
}

function sums(values) {
  let sum = 0;
  return values.map((value) => (sum += value));
}

/** Three quantiles of durations, which stand in bins one after the other; 0 where there are none. */
function quantileChart(title, bins, first, shared) {
  if (!bins.some((bin) => bin[first])) return null;
  const series = [
    ["p50", "accent"],
    ["p90", "second"],
    ["p99", "third"],
  ].map(([label, color], at) => ({
    label,
    color,
    values: bins.map((bin) => bin[first + at] || null),
  }));
  return timeChart({ ...shared, title, format: seconds, series });
}

/** Of the last call, as `run.json` has it; nothing where it is one of an earlier version. */
export function callCharts(session) {
  const { stretches, width_s: width } = session?.over_time ?? { stretches: [] };
  if (stretches.length < 2) return null;
  const times = stretches.map(({ at }) => at);
  const values = (name) => stretches.map((one) => one[name] ?? null);
  const shared = { note: span(times[0], times.at(-1) + width), times, format: number };
  const chart = (title, series) =>
    series.some(({ values }) => values.some(Boolean)) && timeChart({ ...shared, title, series });
  const retries = values("retries").map((count) => count / width);
  return [
    chart("Tries made again, a second (last call)", [
      { label: "tries", color: "bad", values: retries, fills: true, steps: true },
    ]),
    chart("Requests in flight (last call)", [
      { label: "in flight", color: "accent", values: values("in_flight"), fills: true },
      { label: "allowed", color: "third", values: values("allowed") },
    ]),
    chart("Starts allowed, a second (last call)", [
      { label: "starts", color: "second", values: values("rate_per_s"), fills: true },
    ]),
  ];
}
