/** A run that is served: figures and rows are asked for, and both become more while it lasts. */

import { count, number } from "./format.js";
import { RowCache } from "./row_cache.js";
import { ask } from "./served.js";

const PAUSE_MS = 1000;
/** Columns whose texts and their counts are among the figures. */
const COUNTED = {
  "fact:status": (figures) => Object.entries(figures.statuses),
  "fact:finish_reason": (figures) => Object.entries(figures.finish_reasons),
};

/**
 * @typedef {{files: boolean, figures: boolean, rows: boolean}} Changes  what is another than before:
 *   the files and so all places, the figures, or which rows there are
 */

/** It has the methods of `Run`. Places are those of the server, and hold until `files` change. */
export class ServedRun {
  constructor() {
    this.index = 0;
    this.share = 1;
    this.state = { generation: 0, version: 0, size: 0, counted: 0, finished: false, up_to_date: true };
    this.isGone = false;
    this.replaced = new Set(); // places whose rows stand at later ones
    this.columns = new Map();
    this.cache = new RowCache((places) => this.ask("rows", { places: places.join(",") }));
    this.selection = null; // the query that was asked last, and how far
  }

  get rowCount() {
    return this.state.size - this.replaced.size;
  }

  ask(path, parameters) {
    return ask(path, { generation: this.state.generation, ...parameters });
  }

  /** Ask how the run stands. @returns {Promise<Changes>} */
  async look() {
    const { version } = this.state;
    const { found } = await this.ask("state", { version, replaced: this.replaced.size });
    return this.take(found);
  }

  take({ facts, replaced, ...state }) {
    const before = this.state;
    const files = state.generation !== before.generation;
    this.state = state;
    if (files) {
      this.replaced.clear();
      this.cache.clear();
      this.selection = null;
    }
    for (const place of replaced) {
      this.replaced.add(place);
      this.cache.drop(place);
    }
    if (facts) this.takeFacts(facts);
    const rows = state.size !== before.size || state.counted !== before.counted;
    return { files, figures: Boolean(facts), rows: files || rows || replaced.length > 0 };
  }

  takeFacts(facts) {
    Object.assign(this, {
      name: facts.name,
      figures: facts.figures,
      summary: facts.summary,
      command: facts.command,
    });
    this.columns = new Map(
      Object.entries(facts.columns).map(([name, isNumeric]) => {
        const [group, ...label] = name.split(":");
        return [name, { name, group, label: label.join(":"), isNumeric, isEmpty: false }];
      }),
    );
  }

  /** Look again and again, as long as the page is seen. @param {(changes: Changes) => void} onchange */
  async follow(onchange) {
    for (;;) {
      await new Promise((resume) => setTimeout(resume, PAUSE_MS));
      if (document.hidden) await visible();
      try {
        const changes = await this.look();
        this.isGone = false;
        onchange(changes);
      } catch {
        this.isGone = true;
        onchange({ files: false, figures: false, rows: false });
      }
    }
  }

  /** How far it is, in words. */
  progress() {
    if (this.isGone) return "no longer served";
    const { counted, finished, up_to_date: upToDate } = this.state;
    const rows = count(this.rowCount, "row");
    if (!upToDate) return `reading: ${rows}, figures of ${number(counted)}`;
    return finished ? "finished" : `${rows} so far`;
  }

  unknown() {
    return this.state.finished
      ? "No run.json lies beside this file: settings, prices and retries are not known."
      : "Settings, prices and retries are known when the run has ended.";
  }

  missing(row) {
    return this.state.finished ? `There is no row ${row}.` : `Row ${row} has no answer so far.`;
  }

  value(name, at) {
    const value = this.cache.at(at)?.values[name] ?? null;
    return value === null || this.columns.get(name)?.isNumeric ? value : String(value);
  }

  async find(row) {
    try {
      return (await this.ask("place", { row })).found ?? -1;
    } catch {
      return -1;
    }
  }

  async row(at) {
    await this.cache.load(at);
    return this.rowAtHand(at);
  }

  rowAtHand(at) {
    return this.cache.at(at)?.row ?? null;
  }

  /** Try to have a row at hand: the next look finds out why it is not. */
  async load(at) {
    await this.cache.load(at).catch(() => {});
  }

  choices(name) {
    if (name in COUNTED) return COUNTED[name](this.figures);
    const property = this.figures.properties.by_name[name.replace(/^property:/, "")];
    return name.startsWith("property:") && property?.is_choice ? property.values : null;
  }

  async *select({ filters, text, sort }, signal) {
    if (!filters.length && !text.trim() && !sort) {
      yield Array.from({ length: this.state.size }, (_, at) => at).filter(
        (at) => !this.replaced.has(at),
      );
      return;
    }
    const selection = this.selectionOf(JSON.stringify({ filters, text, sort: sort?.column }));
    do {
      const found = await this.selectMore(selection);
      if (!found || signal.aborted) return;
      yield this.inOrder(selection, sort);
    } while (selection.next < this.state.counted);
  }

  /** What is known of a query already. */
  selectionOf(query) {
    if (this.selection?.query !== query)
      this.selection = { query, places: [], keys: [], next: 0, coming: null };
    return this.selection;
  }

  /** Ask on, once for all who ask meanwhile; whether there was an answer. */
  selectMore(selection) {
    const { query, next: start } = selection;
    selection.coming ??= this.ask("select", { query, start })
      .then(({ found }) => {
        for (const place of found.places) selection.places.push(place);
        for (const key of found.keys ?? []) selection.keys.push(key);
        selection.next = found.next;
        return true;
      })
      .catch(() => false)
      .finally(() => {
        selection.coming = null;
      });
    return selection.coming;
  }

  inOrder({ places, keys }, sort) {
    const found = places.map((_, i) => i).filter((i) => !this.replaced.has(places[i]));
    if (sort) {
      const compare = comparing(this.columns.get(sort.column)?.isNumeric);
      const sign = sort.descending ? -1 : 1;
      found.sort((a, b) => compare(keys[a], keys[b], sign) || a - b);
    }
    return found.map((i) => places[i]);
  }
}

/** Compares numbers or texts; nothing comes last. */
function comparing(isNumeric) {
  const plain = (key) => (isNumeric ? key : String(key));
  return (one, other, sign) => {
    if (one === null || other === null) return (one === null) - (other === null);
    return sign * (plain(one) < plain(other) ? -1 : plain(one) > plain(other) ? 1 : 0);
  };
}

function visible() {
  return new Promise((resume) =>
    document.addEventListener("visibilitychange", () => resume(), { once: true }),
  );
}
