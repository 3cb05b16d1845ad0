/** Rows of several runs that ask the same: by their id, or else by what is asked. */

/**
 * @typedef {{key: string, places: number[][], same: boolean|null}} Joined
 *   `places` are of each run those of the rows with this key: several where a row was sampled
 *   several times. `same` says whether all runs gave the same answer; null where not all have one.
 */

/** @param {import("./run.js").Run[]} runs @returns {Joined[]} in the order of the first run */
export function joinRuns(runs) {
  const byKey = new Map();
  runs.forEach((run, at) => {
    for (let place = 0; place < run.size; place++) {
      const key = run.value("fact:key", place);
      let joined = byKey.get(key);
      if (!joined) byKey.set(key, (joined = { key, places: runs.map(() => []), same: null }));
      joined.places[at].push(place);
    }
  });
  for (const joined of byKey.values()) joined.same = sameAnswers(runs, joined);
  return [...byKey.values()];
}

function sameAnswers(runs, { places }) {
  const answers = places.map((own, at) =>
    own.length ? runs[at].value("fact:answer", own[0]) : null,
  );
  if (answers.some((answer) => answer === null)) return null;
  return answers.every((answer) => answer === answers[0]);
}

/**
 * How often another run has the same value as the first one, where both have an answer.
 * @returns {{name: string, label: string, both: number, equal: number}[]} answers first, then properties
 */
export function agreement(joined, base, other) {
  const names = [...base.columns.keys()].filter(
    (name) => name.startsWith("property:") && other.columns.has(name),
  );
  return ["fact:answer", ...names]
    .map((name) => {
      let both = 0,
        equal = 0;
      for (const { places } of joined) {
        const [one, another] = [places[base.index][0], places[other.index][0]];
        if (one === undefined || another === undefined) continue;
        if (base.value("fact:answer", one) === null || other.value("fact:answer", another) === null)
          continue;
        const [value, second] = [base.value(name, one), other.value(name, another)];
        if (value === null && second === null) continue;
        both++;
        if (value === second) equal++;
      }
      return {
        name,
        label: name === "fact:answer" ? "whole answer" : name.slice("property:".length),
        both,
        equal,
      };
    })
    .filter(({ both }) => both > 0);
}
