/** The field that searches all text. */

import { el } from "./dom.js";

const PAUSE_MS = 250;

/** @param {(text: string) => void} onsearch  called after a pause in typing, or by Enter */
export function searchField(onsearch) {
  let timer;
  let searched = "";
  const search = () => {
    clearTimeout(timer);
    if (searched === input.value) return;
    searched = input.value;
    onsearch(searched);
  };
  const input = el("input", {
    type: "search",
    class: "search",
    placeholder: "Search all text  ( / )",
    "aria-label": "Search all text",
    oninput: () => {
      clearTimeout(timer);
      timer = setTimeout(search, PAUSE_MS);
    },
    onkeydown: (event) => {
      if (event.key === "Enter") search();
    },
  });
  return input;
}
