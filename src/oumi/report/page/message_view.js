/** One message of a conversation. */

import { el, copyButton, shown } from "./dom.js";
import { textOf } from "./conversation.js";
import { count } from "./format.js";
import { remoteImage } from "./links.js";
import { textView, valueView } from "./text_view.js";

/** Kinds of pictures by the beginning of their base64; whatever else is not shown as one. */
const PICTURES = { "/9j/": "jpeg", iVBORw0K: "png", R0lGOD: "gif", UklGR: "webp" };
const FOLDED = new Set(["system", "developer"]);
const NAMES = {
  system: "System",
  developer: "Developer",
  user: "User",
  assistant: "Assistant",
  tool: "Tool",
};

/**
 * @param {object} message
 * @param {Map<object, object>} results  the tool message that answers a call
 * @param {string} [title]  in place of the role
 */
export function messageView(message, results, title) {
  const role = typeof message.role === "string" ? message.role : "unknown";
  const tools = el("span", { class: "tools" });
  const name = title ?? NAMES[role] ?? role;
  const body = el(
    "div",
    { class: "body" },
    thoughts(message),
    contentViews(message, tools),
    callViews(message, results),
  );
  tools.append(copyButton("Copy", () => textOf(message)));
  const head = [
    el("span", { class: "role" }, shown(name)),
    message.name && el("span", { class: "muted" }, shown(String(message.name))),
  ];
  if (FOLDED.has(role)) {
    return el(
      "details",
      { class: `message ${role}` },
      el(
        "summary",
        {},
        head,
        el("span", { class: "muted preview" }, shown(textOf(message).slice(0, 120))),
      ),
      el("div", { class: "head" }, tools),
      body,
    );
  }
  return el(
    "article",
    { class: `message ${role}` },
    el("div", { class: "head" }, head, tools),
    body,
  );
}

function thoughts(message) {
  const text = message.reasoning_content;
  if (typeof text !== "string" || !text.trim()) return null;
  const words = text.trim().split(/\s+/).length;
  return el(
    "details",
    { class: "thoughts" },
    el("summary", {}, "Thoughts ", el("span", { class: "muted" }, count(words, "word"))),
    textView(text),
  );
}

function contentViews(message, tools) {
  const { content } = message;
  if (typeof content === "string") {
    return content || !message.tool_calls ? textView(content, { tools }) : null;
  }
  if (Array.isArray(content)) return content.map((part) => partView(part, tools));
  return content === null || content === undefined ? null : valueView(content);
}

function partView(part, tools) {
  if (part === null || typeof part !== "object") return textView(String(part));
  const type = String(part.type ?? "");
  if (type === "text" || type.endsWith("_text"))
    return textView(String(part.content ?? part.text ?? ""), { tools });
  if (type.startsWith("image")) return imageView(part);
  return el(
    "p",
    {},
    el("span", { class: "badge" }, type || "part"),
    " ",
    shown(String(part.filename ?? part.format ?? part.content ?? "")),
  );
}

function imageView(part) {
  const address = String(part.content ?? part.image_url?.url ?? part.image_url ?? "");
  const data = part.binary ?? /^data:image\/[\w+.-]+;base64,([\w+/=]+)$/.exec(address)?.[1];
  if (typeof data !== "string") return el("p", {}, remoteImage(address.slice(0, 200), address));
  const start = Object.keys(PICTURES).find((one) => data.startsWith(one));
  if (!start)
    return el("p", {}, el("span", { class: "badge" }, "image"), " of a kind that is not shown");
  return el("img", {
    class: "picture",
    alt: "An image of the conversation",
    src: `data:image/${PICTURES[start]};base64,${data}`,
  });
}

function callViews(message, results) {
  if (!Array.isArray(message.tool_calls)) return null;
  return message.tool_calls.map((call) => {
    const result = results.get(call);
    return el(
      "div",
      { class: "call" },
      el(
        "div",
        { class: "head" },
        el("span", { class: "badge" }, "tool call"),
        " ",
        el("code", {}, shown(String(call?.function?.name ?? "?"))),
      ),
      valueView(call?.function?.arguments ?? "{}"),
      result
        ? el(
            "details",
            { open: true, class: "result" },
            el("summary", {}, "Result"),
            resultView(result),
          )
        : el("p", { class: "muted" }, "no result"),
    );
  });
}

function resultView(message) {
  return typeof message.content === "string" ? textView(message.content) : contentViews(message);
}
