/** A list of any length, of which only what is seen exists. */

import { el } from "./dom.js";

const MARGIN = 8;
/** Browsers draw no element that is much higher; a list of more rows is compressed into it. */
const HIGHEST = 12e6;

export class VirtualList {
  /**
   * @param {{height: number, draw: (at: number) => HTMLElement, onscroll?: () => void}} options
   *   `height` of a row in pixels; `draw` makes the row at a place of the list.
   */
  constructor({ height, draw }) {
    this.height = height;
    this.draw = draw;
    this.length = 0;
    this.drawn = new Map();
    this.space = el("div", { class: "list-space", role: "presentation" });
    this.element = el("div", { class: "list", role: "presentation", tabindex: "-1" }, this.space);
    this.element.addEventListener("scroll", () => this.refresh(), { passive: true });
    new ResizeObserver(() => this.refresh()).observe(this.element);
  }

  /** Show so many rows, drawn anew. */
  reset(length, keepsPlace = false) {
    this.length = length;
    this.space.style.height = `${Math.min(length * this.height, HIGHEST)}px`;
    if (!keepsPlace) this.element.scrollTop = 0;
    this.clear();
    this.refresh();
  }

  clear() {
    for (const row of this.drawn.values()) row.remove();
    this.drawn.clear();
  }

  /** The first and the last place that are seen. */
  range() {
    const seen = Math.ceil(this.element.clientHeight / this.height);
    const first = Math.floor(this.top() / this.height);
    return [Math.max(0, first - MARGIN), Math.min(this.length, first + seen + MARGIN)];
  }

  /** Pixels above what is seen, in a list that is not compressed. */
  top() {
    const whole = this.length * this.height;
    if (whole <= HIGHEST) return this.element.scrollTop;
    const seen = this.element.clientHeight;
    return (this.element.scrollTop / (HIGHEST - seen)) * (whole - seen);
  }

  refresh() {
    const [first, last] = this.range();
    for (const [at, row] of this.drawn) {
      if (at >= first && at < last) continue;
      row.remove();
      this.drawn.delete(at);
    }
    for (let at = first; at < last; at++) {
      let row = this.drawn.get(at);
      if (!row) {
        row = this.draw(at);
        this.drawn.set(at, row);
        this.space.append(row);
      }
      this.place(row, at);
    }
  }

  /** Put a row where it belongs. A style that is read back has six digits, which is too few. */
  place(row, at) {
    row.style.top = `${at * this.height + this.element.scrollTop - this.top()}px`;
  }

  /** Draw one row anew, if it is seen. */
  redraw(at) {
    const old = this.drawn.get(at);
    if (!old) return;
    const row = this.draw(at);
    this.place(row, at);
    old.replaceWith(row);
    this.drawn.set(at, row);
  }

  /** Scroll so far that a row is seen. */
  show(at) {
    const seen = this.element.clientHeight;
    const whole = this.length * this.height;
    const top = this.top();
    const wanted = at * this.height;
    if (wanted >= top && wanted + this.height <= top + seen) return;
    const target = wanted < top ? wanted : wanted + this.height - seen;
    this.element.scrollTop =
      whole <= HIGHEST ? target : (target / (whole - seen)) * (HIGHEST - seen);
    this.refresh();
  }
}
