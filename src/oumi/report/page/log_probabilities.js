/** The tokens of an answer, shaded by how sure the model was of each. */

import { el, shown } from "./dom.js";
import { number } from "./format.js";

const MOST_TOKENS = 5_000;

/** Null where there are no log-probabilities in the form of OpenAI's chat API. */
export function logProbabilities(logprobs) {
  const tokens = Array.isArray(logprobs) ? logprobs : logprobs?.content;
  if (!Array.isArray(tokens) || !tokens.length) return null;
  if (
    !tokens.every((one) => one && typeof one.token === "string" && typeof one.logprob === "number")
  )
    return null;
  return el(
    "details",
    { class: "logprobs" },
    el("summary", {}, "How sure the model was of each token"),
    el(
      "p",
      { class: "legend muted" },
      "sure ",
      [0, 1, 2, 3, 4].map((level) => el("span", { class: `token t${level}` }, "\u00a0\u00a0")),
      " unsure",
    ),
    el("div", { class: "plain" }, tokens.slice(0, MOST_TOKENS).map(token)),
  );
}

function token(one) {
  const share = Math.exp(one.logprob);
  const level = share > 0.9 ? 0 : share > 0.6 ? 1 : share > 0.3 ? 2 : share > 0.1 ? 3 : 4;
  const others = (Array.isArray(one.top_logprobs) ? one.top_logprobs : []).map(
    (other) => `${JSON.stringify(other?.token)} ${number(100 * Math.exp(other?.logprob))} %`,
  );
  const title = [`${number(100 * share)} %`, ...others].join("\n");
  return el("span", { class: `token t${level}`, title }, shown(one.token));
}
