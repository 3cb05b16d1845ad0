/** Shows the runs that are in the file. */

import { Page, showProblem } from "./page.js";
import { loadRun } from "./run.js";

async function start() {
  try {
    const runs = [];
    const { runs: count } = document.getElementById("app").dataset;
    for (let index = 0; index < Number(count); index++) runs.push(await loadRun(index));
    new Page(runs).start();
  } catch (error) {
    showProblem(
      `This report cannot be shown: ${error.message}. It needs a browser of 2023 or later, and the whole file.`,
    );
    throw error;
  }
}

start();
