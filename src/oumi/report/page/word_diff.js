/** Two texts, word by word. */

import { el, shown } from "./dom.js";

/** Pairs of words above which texts are compared line by line, or not at all: a quarter second. */
const MOST_PAIRS = 4e6;

/**
 * The parts of `text`, those that `other` does not have marked.
 * @param {string} other @param {string} text
 */
export function markedDifferences(other, text) {
  const parts = differences(other, text);
  return el(
    "div",
    { class: "plain mono" },
    parts.map(([words, isNew]) => (isNew ? el("mark", {}, shown(words)) : shown(words))),
  );
}

/** Runs of words of `text`, each with whether `other` lacks it. */
function differences(other, text) {
  if (other === text) return [[text, false]];
  let before = other.match(/\s+|[\p{L}\p{N}_]+|./gsu) ?? [];
  let after = text.match(/\s+|[\p{L}\p{N}_]+|./gsu) ?? [];
  if (before.length * after.length > MOST_PAIRS) {
    before = other.split(/(?<=\n)/);
    after = text.split(/(?<=\n)/);
    if (before.length * after.length > MOST_PAIRS) return [[text, true]];
  }
  return joined(after, common(before, after));
}

/** Of each word of `after`, whether it belongs to the longest common subsequence. */
function common(before, after) {
  const width = after.length + 1;
  const lengths = new Uint16Array((before.length + 1) * width);
  for (let i = before.length - 1; i >= 0; i--) {
    for (let j = after.length - 1; j >= 0; j--) {
      lengths[i * width + j] =
        before[i] === after[j]
          ? lengths[(i + 1) * width + j + 1] + 1
          : Math.max(lengths[(i + 1) * width + j], lengths[i * width + j + 1]);
    }
  }
  const isCommon = new Uint8Array(after.length);
  for (let i = 0, j = 0; i < before.length && j < after.length;) {
    if (before[i] === after[j]) {
      isCommon[j] = 1;
      i++;
      j++;
    } else if (lengths[(i + 1) * width + j] >= lengths[i * width + j + 1]) i++;
    else j++;
  }
  return isCommon;
}

function joined(words, isCommon) {
  const parts = [];
  words.forEach((word, i) => {
    const isNew = !isCommon[i];
    if (parts.length && parts.at(-1)[1] === isNew) parts.at(-1)[0] += word;
    else parts.push([word, isNew]);
  });
  return parts;
}
