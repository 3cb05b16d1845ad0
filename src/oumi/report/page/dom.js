/**
 * Elements are made here and nowhere else. Text always becomes a text node, never markup: what a
 * model said cannot become an element, an attribute that is run, or an address that is fetched.
 */

/** What steers the direction of text, controls, line ends of Unicode, and halves of characters. */
const CONTROL =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]|\p{Surrogate}/gu;

/**
 * An element. In `attributes`, a function is a listener (`onclick`), `class` and the like are
 * attributes, and what is null or false is left out.
 * @template {keyof HTMLElementTagNameMap} TagT
 * @param {TagT} tag
 * @param {Object<string, any>} [attributes]
 * @param {...(Node|string|number|boolean|null|undefined|Array)} children
 * @returns {HTMLElementTagNameMap[TagT]}
 */
export function el(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== null && value !== undefined && value !== false) {
      element.setAttribute(name, String(value));
    }
  }
  add(element, children);
  return element;
}

/** Append children; arrays are flattened, and nothing is left out. */
function add(element, children) {
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    element.append(child instanceof Node ? child : plain(String(child)));
  }
  return element;
}

/** Put children in the place of those that are there. */
export function fill(element, ...children) {
  element.replaceChildren();
  return add(element, children);
}

/** A text in which characters that are not seen, or turn others around, are written out. */
export function plain(text) {
  return text.replace(CONTROL, (found) => `⟨${name(found)}⟩`);
}

/** The same as nodes, in which these characters stand out. */
export function shown(text) {
  const nodes = document.createDocumentFragment();
  let end = 0;
  for (const found of text.matchAll(CONTROL)) {
    nodes.append(text.slice(end, found.index));
    nodes.append(
      el("span", { class: "control", title: "a character that is not seen" }, name(found[0])),
    );
    end = found.index + found[0].length;
  }
  nodes.append(end ? text.slice(end) : text);
  return nodes;
}

function name(character) {
  return `U+${character.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}`;
}

/** A button with a text. */
export function button(text, onclick, attributes = {}) {
  return el("button", { type: "button", onclick, ...attributes }, text);
}

/** Copies a text, and says so on the button for a moment. */
export function copyButton(label, text) {
  const made = button(
    label,
    async () => {
      made.textContent = (await copy(typeof text === "function" ? text() : text))
        ? "Copied"
        : "Not allowed";
      setTimeout(() => {
        made.textContent = label;
      }, 1500);
    },
    { class: "quiet" },
  );
  return made;
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyBySelection(text); // pages that were opened from a disk may have no clipboard
  }
}

function copyBySelection(text) {
  const area = el("textarea", { class: "offscreen", "aria-hidden": "true" });
  area.value = text;
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  return done;
}
