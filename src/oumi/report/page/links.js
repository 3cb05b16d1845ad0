/** Addresses that a model named: shown, and opened only after a look at where they lead. */

import { el, button, copyButton, plain } from "./dom.js";

const OPENED = /^(https?:\/\/|mailto:)/i;

/** A link that does nothing until it is clicked; text where it leads to no page. */
export function link(children, address) {
  const trimmed = address.trim();
  if (!OPENED.test(trimmed))
    return el("span", { class: "dead-link", title: plain(trimmed) }, children);
  return el(
    "button",
    { type: "button", class: "link", title: plain(trimmed), onclick: () => ask(trimmed) },
    children,
  );
}

/** An image that was named by its address is never fetched by this page. */
export function remoteImage(description, address) {
  return el(
    "span",
    { class: "image-link" },
    el("span", { class: "badge" }, "image"),
    " ",
    link([description || "not fetched"], address),
  );
}

function ask(address) {
  const dialog = el(
    "dialog",
    { class: "ask", "aria-label": "Open an address" },
    el("h2", {}, "Open this address?"),
    el("p", {}, "It comes from the conversation, and nobody has checked it."),
    el("code", { class: "address" }, address),
    el(
      "div",
      { class: "actions" },
      button(
        "Open in a new tab",
        () => {
          window.open(address, "_blank", "noopener,noreferrer");
          dialog.close();
        },
        { class: "primary" },
      ),
      copyButton("Copy", address),
      button("Cancel", () => dialog.close()),
    ),
  );
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}
