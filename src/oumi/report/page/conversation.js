/** Conversations as a file has them, which may be any file. */

/** The messages of a conversation that are any. */
export function messagesOf(conversation) {
  const found = conversation?.messages;
  return Array.isArray(found) ? found.filter((one) => one && typeof one === "object") : [];
}

/** The text of a message, as a copy of it has it. */
export function textOf(message) {
  if (typeof message.content === "string") return message.content;
  if (Array.isArray(message.content)) {
    return message.content
      .map((part) => part?.content ?? part?.text ?? "")
      .filter((text) => typeof text === "string")
      .join("\n");
  }
  return message.tool_calls ? JSON.stringify(message.tool_calls, null, 2) : "";
}

/** The message that answers a row, if there is one. @param {object} row */
export function answerOf(row) {
  const last = row.failure ? null : messagesOf(row.conversation).at(-1);
  return last?.role === "assistant" ? last : null;
}

/** The messages that were there before the answer. @param {object} row */
export function askedOf(row) {
  const messages = messagesOf(row.conversation);
  return answerOf(row) ? messages.slice(0, -1) : messages;
}
