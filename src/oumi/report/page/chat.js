/** A conversation as a chat, in which each tool call stands beside its result. */

import { el } from "./dom.js";
import { messagesOf } from "./conversation.js";
import { messageView } from "./message_view.js";

export function chat(conversation) {
  const messages = messagesOf(conversation);
  const { results, taken } = pair(messages);
  const views = messages.filter((one) => !taken.has(one)).map((one) => messageView(one, results));
  return el(
    "div",
    { class: "chat" },
    views.length
      ? views
      : el("p", { class: "muted" }, "The file of the run holds no conversation for this row."),
  );
}

/** Of each call the message that answers it: the one with its id, or the next one without any. */
function pair(messages) {
  const results = new Map();
  const taken = new Set();
  messages.forEach((message, at) => {
    for (const call of Array.isArray(message.tool_calls) ? message.tool_calls : []) {
      const result = resultOf(messages, at, call, taken);
      if (!result) continue;
      results.set(call, result);
      taken.add(result);
    }
  });
  return { results, taken };
}

function resultOf(messages, at, call, taken) {
  for (const message of messages.slice(at + 1)) {
    if (message.role === "assistant") return null;
    if (message.role !== "tool" || taken.has(message)) continue;
    if (message.tool_call_id === undefined || message.tool_call_id === call?.id) return message;
  }
  return null;
}
