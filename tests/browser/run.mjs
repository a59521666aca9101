// Runs one scenario: `node run.mjs NAME`, the default export of `NAME.mjs`.
//
// Environment: SQSWATCH (the program), SIMULATOR (address of one that runs), PEERS (where scripts/peers.sh installed the browser's
// driver), SCREENSHOTS (a folder), CHROMIUM (if not /usr/bin/chromium).

import { Daemon, Queues } from "./stage.mjs";
import { Viewer } from "./viewer.mjs";

const [name] = process.argv.slice(2);
const { default: scenario } = await import(`./${name}.mjs`);
const daemon = new Daemon(process.env.SIMULATOR);
let viewer;
try {
  viewer = await Viewer.start();
  await scenario({ daemon, viewer, queues: new Queues(process.env.SIMULATOR) });
  viewer.check();
} catch (error) {
  console.error(error.stack);
  for (const fault of viewer?.faults ?? []) console.error(`also: ${fault}`);
  console.error(`--- the last lines of sqswatch:\n${daemon.log.slice(-20).join("\n")}`);
  process.exitCode = 1;
} finally {
  await viewer?.close();
  await daemon.close();
}
