/** Buckets as they were counted, to bins as they are drawn. */

const MOST_BARS = 36;
/** What stands for a zero, of which there is no logarithm. */
const ZERO = 1e-5;

/** Buckets of a logarithmic scale, pairs of middle and count, to at most 36 bins of equal ratio. */
export function logBins(buckets) {
  const zeros = buckets
    .filter(([middle]) => middle < ZERO)
    .reduce((sum, [, count]) => sum + count, 0);
  const others = buckets.filter(([middle]) => middle >= ZERO);
  const bins = zeros ? [{ low: 0, high: 0, count: zeros }] : [];
  if (!others.length) return bins;
  const low = Math.log(others[0][0] / 1.01);
  const high = Math.log(others.at(-1)[0] * 1.01);
  const total = others.reduce((sum, [, count]) => sum + count, 0);
  const most = Math.min(MOST_BARS, Math.ceil(3 * Math.sqrt(total))); // few rows make few bars
  const bars = Math.max(1, Math.min(most, Math.round((high - low) / Math.log(1.02))));
  const width = (high - low) / bars;
  const made = Array.from({ length: bars }, (_, i) => ({
    low: Math.exp(low + i * width),
    high: Math.exp(low + (i + 1) * width),
    count: 0,
  }));
  for (const [middle, count] of others) {
    made[Math.min(bars - 1, Math.floor((Math.log(middle) - low) / width))].count += count;
  }
  return [...bins, ...made];
}

/** Bins of equal width, pairs of start and count, with the empty ones between them. */
export function linearBins({ bins, width, whole }) {
  const first = bins[0][0];
  const steps = Math.round((bins.at(-1)[0] - first) / width) + 1;
  const merged = Math.max(1, Math.ceil(steps / MOST_BARS));
  const step = width * merged;
  const isExact = whole && step <= 1; // each bin holds one number
  const start = isExact ? first : Math.floor(first / step) * step;
  const bars = Math.floor((bins.at(-1)[0] - start) / (isExact ? 1 : step)) + 1;
  const size = isExact ? 1 : step;
  const made = Array.from({ length: bars }, (_, i) => ({
    low: start + i * size,
    high: isExact ? start + i * size : start + (i + 1) * size,
    count: 0,
  }));
  for (const [at, count] of bins)
    made[Math.min(bars - 1, Math.floor((at - start) / size))].count += count;
  return made;
}
