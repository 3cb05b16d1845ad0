/** Shows a run that is served, and follows it. */

import { Page, showProblem } from "./page.js";
import { ServedRun } from "./served_run.js";

async function start() {
  const run = new ServedRun();
  try {
    await run.look();
  } catch (error) {
    showProblem(`This report cannot be shown: ${error.message}. Is it still served?`);
    return;
  }
  const page = new Page([run]);
  page.start();
  page.refresh({ files: false, figures: false, rows: false });
  run.follow((changes) => page.refresh(changes));
}

start();
