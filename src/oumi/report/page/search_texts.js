/** What a search looks through: the lines of blocks in lower case, kept as far as there is room. */

/** 100,000 usual rows take 90 MB, and a page of them stays below 120 MB. */
const KEPT_BYTES = 92e6;
/** A text in which one such character stands takes two bytes for each. */
const WIDE = /[^\x00-\xff]/;
const ALL_WIDE = /[^\x00-\xff]/g;

export class SearchTexts {
  constructor() {
    this.blocks = new Map();
    this.kept = 0;
  }

  /** @returns {{text: string, isNarrow: boolean}|undefined} */
  at(block) {
    return this.blocks.get(block);
  }

  /** What to look through in a block whose lines are a text. */
  add(block, lines) {
    const made = searchTextOf(lines.toLowerCase());
    const bytes = made.text.length * (made.isNarrow ? 1 : 2);
    if (this.kept + bytes <= KEPT_BYTES) {
      this.blocks.set(block, made);
      this.kept += bytes;
    }
    return made;
  }
}

function searchTextOf(text) {
  if (!WIDE.test(text)) return { text, isNarrow: true };
  const narrow = narrowed(text);
  if (narrow.length > 2 * text.length) return { text, isNarrow: false };
  // Decoded anew, as the engine keeps what it made of a wide text a wide one.
  return { text: new TextDecoder().decode(new TextEncoder().encode(narrow)), isNarrow: true };
}

/** The text with wide characters written as four narrow ones, which stand in no other text. */
export function narrowed(text) {
  return text.replace(ALL_WIDE, (wide) => {
    const code = wide.charCodeAt(0);
    const digits = [code >> 12, (code >> 8) & 15, (code >> 4) & 15, code & 15];
    return String.fromCharCode(...digits.map((digit) => 0x80 + digit));
  });
}
