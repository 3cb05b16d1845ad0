/** Rows that came from a server, as long as there is room for them. */

/** Characters of JSON that are kept, in rows that were looked at last. */
const KEPT_CHARACTERS = 20e6;
/** Rows of one request; the server takes no more than 200. */
const ROWS_AT_ONCE = 100;

export class RowCache {
  /** @param {(places: number[]) => Promise<{found: any[], characters: number}>} get */
  constructor(get) {
    this.get = get;
    this.clear();
  }

  clear() {
    this.rows = new Map(); // by place, the one that came last at the end
    this.kept = 0;
    this.wanted = new Set();
    this.coming = null;
  }

  /** @returns {{place: number, row: object, values: object}|undefined} */
  at(place) {
    return this.rows.get(place);
  }

  drop(place) {
    const entry = this.rows.get(place);
    if (!entry) return;
    this.kept -= entry.characters;
    this.rows.delete(place);
  }

  /** Get a row, together with all that are asked for in the same moment. */
  load(place) {
    if (this.rows.has(place)) return Promise.resolve();
    this.wanted.add(place);
    this.coming ??= Promise.resolve().then(() => this.loadWanted());
    return this.coming;
  }

  async loadWanted() {
    const { wanted, rows } = this;
    this.wanted = new Set();
    this.coming = null;
    let left = [...wanted];
    while (left.length) {
      const { found, characters } = await this.get(left.slice(0, ROWS_AT_ONCE));
      if (!found.length || rows !== this.rows) return; // cleared meanwhile
      for (const entry of found) this.keep(entry, characters / found.length);
      left = left.slice(found.length);
    }
  }

  keep(entry, characters) {
    this.drop(entry.place);
    this.rows.set(entry.place, { ...entry, characters });
    this.kept += characters;
    for (const oldest of this.rows.keys()) {
      if (this.kept <= KEPT_CHARACTERS || oldest === entry.place) break;
      this.drop(oldest);
    }
  }
}
