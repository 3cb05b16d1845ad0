/** What a page asks the server for that it came from. */

/**
 * An answer to a question, with the length of its text. Throws where there is none.
 * @param {string} path @param {Object<string, string|number>} parameters
 * @returns {Promise<{found: any, characters: number}>}
 */
export async function ask(path, parameters) {
  const reply = await fetch(`${path}?${new URLSearchParams(parameters)}`);
  const text = await reply.text();
  if (!reply.ok) throw new Error(`status ${reply.status} of ${path}`);
  return { found: JSON.parse(text), characters: text.length };
}
