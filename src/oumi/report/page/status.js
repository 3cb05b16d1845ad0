/** What became of rows, in a word and a color. */

import { el } from "./dom.js";

export const STATUSES = ["done", "repaired", "failed", "unanswered"];

export function statusBadge(status) {
  return el(
    "span",
    { class: `status ${STATUSES.includes(status) ? status : ""}` },
    String(status ?? ""),
  );
}
