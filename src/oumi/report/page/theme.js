/** Light or dark: as the system has it, until somebody chooses. */

import { el } from "./dom.js";

/** A button that changes between both. `onchange` is called when the colors are others. */
export function themeButton(onchange) {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () =>
    (document.documentElement.dataset.theme ?? (dark.matches ? "dark" : "light")) === "dark";
  dark.addEventListener("change", onchange);
  return el(
    "button",
    {
      type: "button",
      class: "quiet",
      "aria-label": "Light or dark",
      title: "Light or dark",
      onclick: () => {
        document.documentElement.dataset.theme = isDark() ? "light" : "dark";
        onchange();
      },
    },
    "◐",
  );
}

/** A color of the page, for what is drawn on a canvas. */
export function color(name) {
  const probe = document.body.appendChild(el("i", { hidden: true }));
  probe.style.color = `var(--${name})`;
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}
