/** Numbers, times and amounts as people read them. */

const WHOLE = new Intl.NumberFormat("en-US");
const SHORT = new Intl.NumberFormat("en-US", { notation: "compact", maximumFractionDigits: 1 });

/** A shorter wait is our own work about a request; the summary in a terminal leaves it out too. */
export const NOTICED_WAIT_S = 0.05;

/** `12,345`, and what is no whole number with three digits that count. */
export function number(value) {
  if (value === null || value === undefined || Number.isNaN(value)) return "";
  if (Number.isInteger(value)) return WHOLE.format(value);
  const size = Math.abs(value);
  if (size >= 1000) return WHOLE.format(Math.round(value));
  return String(Number(value.toPrecision(3)));
}

/** `12.3K`, where there is little room. */
export function short(value) {
  return Math.abs(value) < 1000 ? number(value) : SHORT.format(value);
}

/** `35 ms`, `1.2 s`, `3 min 4 s`, `2 h 5 min`. */
export function seconds(value) {
  if (value === null || value === undefined || Number.isNaN(value)) return "";
  if (value < 1) return `${number(Math.round(value * 1e6) / 1000)} ms`;
  if (value < 60) return `${Number(value.toPrecision(3))} s`;
  const whole = Math.round(value);
  if (whole < 3600) return joined(Math.floor(whole / 60), "min", whole % 60, "s");
  return joined(Math.floor(whole / 3600), "h", Math.floor((whole % 3600) / 60), "min");
}

function joined(many, large, few, small) {
  return few ? `${WHOLE.format(many)} ${large} ${few} ${small}` : `${WHOLE.format(many)} ${large}`;
}

/** `$1.20`, and small amounts with two digits that count. */
export function dollars(value) {
  if (value === null || value === undefined || Number.isNaN(value)) return "";
  if (value === 0) return "$0";
  if (value >= 0.1)
    return `$${value.toLocaleString("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 })}`;
  return `$${Number(value.toPrecision(2)).toLocaleString("en-US", { maximumSignificantDigits: 2 })}`;
}

/** `12.3 %`; neither none nor all where it is not quite so. */
export function percent(part, whole) {
  if (!whole) return "0 %";
  const share = (100 * part) / whole;
  if (share > 0 && share < 0.1) return "< 0.1 %";
  if (share < 100 && share > 99.9) return "> 99.9 %";
  return `${Number(share.toFixed(1))} %`;
}

/** A time of this place, from seconds since 1970. */
export function time(value) {
  return new Date(value * 1000).toLocaleString("en-GB", {
    dateStyle: "medium",
    timeStyle: "medium",
  });
}

/** From one time to another, the day said once where it is the same. */
export function span(from, to) {
  const [one, other] = [time(from), time(to)];
  const day = one.slice(0, one.indexOf(",") + 2);
  return `${one} to ${other.startsWith(day) ? other.slice(day.length) : other}`;
}

/** `5.2 MB`. */
export function size(characters) {
  if (characters < 1e3) return `${characters} characters`;
  if (characters < 1e6) return `${Math.round(characters / 1e3)} kB`;
  return `${(characters / 1e6).toFixed(1)} MB`;
}

/** `1 row`, `2 rows`. */
export function count(value, word) {
  return `${number(value)} ${word}${value === 1 ? "" : "s"}`;
}
