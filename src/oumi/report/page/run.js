/** A run in the page: its figures, its columns, and its rows as they are looked at. */

import { inflate } from "./inflate.js";

/** Characters of unpacked blocks that are kept: a search over them again is quick, and a page of
 * 100,000 rows stays below 120 MB. */
const KEPT_CHARACTERS = 40e6;

/** @param {number} index  the run's place in the page */
export async function loadRun(index) {
  const element = document.getElementById(`run${index}`);
  const facts = JSON.parse(await inflate(element));
  element.remove(); // unpacked only once
  return new Run(index, facts);
}

export class Run {
  constructor(index, facts) {
    this.index = index;
    this.name = facts.name;
    this.figures = facts.figures;
    this.summary = facts.summary;
    this.command = facts.command;
    this.share = facts.share;
    /** How many rows the file holds. */
    this.size = facts.rows;
    this.starts = facts.starts;
    /** Names of columns such as `fact:status`, `metadata:topic`, `property:price`. */
    this.columns = new Map(
      Object.entries(facts.columns).map(([name, made]) => [name, toColumn(name, made)]),
    );
    this.blocks = new Map(); // of unpacked blocks the lines, the one that was used last at the end
    this.kept = 0;
  }

  /** A value of the table: a number or a text; null for nothing. */
  value(name, at) {
    const column = this.columns.get(name);
    if (!column) return null;
    if (column.numbers) return Number.isNaN(column.numbers[at]) ? null : column.numbers[at];
    return column.codes[at] < 0 ? null : column.texts[column.codes[at]];
  }

  /** Where a row of the input stands in this file; -1 where it does not. */
  find(row) {
    const rows = this.columns.get("fact:row")?.numbers ?? [];
    let low = 0,
      high = rows.length - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      if (rows[middle] === row) return middle;
      if (rows[middle] < row) low = middle + 1;
      else high = middle - 1;
    }
    return -1;
  }

  /** The whole row at a place. */
  async row(at) {
    const block = this.blockOf(at);
    const lines = await this.lines(block);
    return JSON.parse(lines[at - this.starts[block]]);
  }

  /** The row at a place if its block is unpacked, or else null. */
  rowAtHand(at) {
    const block = this.blockOf(at);
    const lines = this.blocks.get(block);
    return lines ? JSON.parse(lines[at - this.starts[block]]) : null;
  }

  blockOf(at) {
    let low = 0,
      high = this.starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.starts[middle] <= at) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** The lines of a block. With `passing`, it is kept only where that pushes no other out. */
  async lines(block, passing = false) {
    const known = this.blocks.get(block);
    if (known) {
      if (!passing) this.keep(block, known);
      return known;
    }
    const text = await inflate(document.getElementById(`run${this.index}-${block}`));
    const lines = text.split("\n");
    lines.characters = text.length;
    if (!passing || this.kept + text.length <= KEPT_CHARACTERS) this.keep(block, lines);
    return lines;
  }

  keep(block, lines) {
    if (this.blocks.delete(block)) this.kept -= lines.characters;
    this.blocks.set(block, lines);
    this.kept += lines.characters;
    for (const [oldest, other] of this.blocks) {
      if (this.kept <= KEPT_CHARACTERS || oldest === block) break;
      this.blocks.delete(oldest);
      this.kept -= other.characters;
    }
  }
}

function toColumn(name, made) {
  const label = name.slice(name.indexOf(":") + 1);
  if (made.numbers) {
    const numbers = new Float64Array(made.numbers.length);
    for (let i = 0; i < numbers.length; i++) numbers[i] = made.numbers[i] ?? NaN;
    return { name, label, group: made.group, numbers };
  }
  return { name, label, group: made.group, codes: Int32Array.from(made.codes), texts: made.texts };
}
