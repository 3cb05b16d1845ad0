/** A run in the page: its figures, its columns, and its rows as they are looked at. */

import { countValues, matching, sortPlaces } from "./filters.js";
import { inflate } from "./inflate.js";
import { search } from "./search.js";

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

/**
 * @typedef {{filters: import("./filters.js").Filter[], text: string, sort: Sort|null}} Query
 * @typedef {{column: string, descending: boolean}} Sort
 * @typedef {{name: string, label: string, group: string, isNumeric: boolean, isEmpty: boolean}} Column
 */

/** All of it is in the file. `ServedRun` has the same methods, and asks a server. */
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
    this.unpacking = new Map(); // of blocks that are being unpacked the promises
    this.kept = 0;
  }

  /** How many rows there are to show. */
  get rowCount() {
    return this.size;
  }

  /** Why there is no summary of the run. */
  unknown() {
    return "No run.json lies beside this file: settings, prices and retries are not known.";
  }

  /** Why a row of the input is not shown. */
  missing(row) {
    return `Row ${row} is not in this file.`;
  }

  /**
   * The places of the rows that meet a query, in order; of a search as they are found.
   * @param {Query} query @param {AbortSignal} signal @yields {number[]}
   */
  async *select({ filters, text, sort }, signal) {
    const inOrder = (found) => sortPlaces(this, matching(this, filters, found), sort);
    if (!text.trim()) yield inOrder(null);
    else for await (const found of search(this, text, signal)) yield inOrder(found);
  }

  /** How often each text of a column occurs, the most frequent first; null where not known. */
  choices(name) {
    return countValues(this, name);
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

  /** Have the row at a place at hand. */
  async load(at) {
    await this.lines(this.blockOf(at));
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
    const lines = this.blocks.get(block) ?? (await this.unpack(block));
    const isNew = !this.blocks.has(block);
    if (!passing || (isNew && this.kept + lines.characters <= KEPT_CHARACTERS))
      this.keep(block, lines);
    return lines;
  }

  /** Unpack a block, once for all who ask meanwhile. */
  unpack(block) {
    if (!this.unpacking.has(block)) {
      const element = document.getElementById(`run${this.index}-${block}`);
      const unpacked = inflate(element).then((text) => {
        this.unpacking.delete(block);
        return Object.assign(text.split("\n"), { characters: text.length });
      });
      this.unpacking.set(block, unpacked);
    }
    return this.unpacking.get(block);
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

/** @returns {Column} with its `numbers`, NaN for nothing, or `codes` into `texts`, -1 for nothing */
function toColumn(name, made) {
  const label = name.slice(name.indexOf(":") + 1);
  const { group, texts } = made;
  if (!made.numbers) {
    const codes = Int32Array.from(made.codes);
    return { name, label, group, codes, texts, isNumeric: false, isEmpty: !texts.length };
  }
  const numbers = Float64Array.from(made.numbers, (number) => number ?? NaN);
  const isEmpty = numbers.every(Number.isNaN);
  return { name, label, group, numbers, isNumeric: true, isEmpty };
}
