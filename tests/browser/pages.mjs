// Every page of a demo in trouble, light and dark, wide and narrow: usable with assistive technology, no wider than the window, light to
// load, and kept as a picture to look at.

import { join } from "node:path";

import { eventually } from "./stage.mjs";
import { axe, faultsOf } from "./viewer.mjs";

/** What one page may weigh with all it needs, in bytes, as it is sent and as it is. */
const WEIGHT = 150 * 1024;
const WIDTHS = [1280, 360];
const SCHEMES = ["light", "dark"];
/** What nobody may be stopped by. */
const GRAVE = ["serious", "critical"];

export default async function pages({ daemon, viewer }) {
  await daemon.startDemo("--speed", "3");
  await eventually("something fires", async () => (await daemon.json("/api/v1/alarms")).alarms.some((alarm) => alarm.state === "ALARM"));
  const { alarms } = await daemon.json("/api/v1/alarms");
  const firing = alarms.find((alarm) => alarm.state === "ALARM" && alarm.queue);
  const alarm = `/alarms/${encodeURIComponent(firing.alarm)}?queue=${encodeURIComponent(firing.queue)}`;
  const shown = {
    overview: "/",
    "overview-nothing": "/?q=nothing-like-that",
    queue: "/queues/orders",
    "queue-dlq": "/queues/orders-dlq",
    "queue-unknown": "/queues/ordesr",
    alarms: "/alarms",
    alarm,
    "alarm-rule": `/alarms/${encodeURIComponent(firing.alarm)}`,
    notifications: "/notifications",
    system: "/system",
    silence: `/silence?alarm=${encodeURIComponent(firing.alarm)}&queue=${encodeURIComponent(firing.queue)}`,
  };
  viewer.expect(/status of 404/);
  const faults = [];
  const script = axe();
  for (const [name, path] of Object.entries(shown)) {
    const page = await viewer.page(daemon.origin);
    for (const scheme of SCHEMES) {
      for (const width of WIDTHS) {
        await page.emulateMedia({ colorScheme: scheme });
        await page.setViewportSize({ width, height: width < 600 ? 740 : 800 });
        await page.goto(path);
        await page.screenshot({ path: join(process.env.SCREENSHOTS, `${name}-${scheme}-${width}.png`), fullPage: true, animations: "disabled" });
        const found = [...(await faultsOf(page)), ...(await tooWide(page)), ...(await grave(page, script))];
        faults.push(...found.map((fault) => `${path} ${scheme} ${width}: ${fault}`));
      }
    }
    faults.push(...(await tooHeavy(page, path)));
    await page.context().close();
  }
  if (faults.length) throw new Error(faults.join("\n"));
}

async function tooWide(page) {
  return page.evaluate(() => {
    const width = document.documentElement.scrollWidth;
    if (width <= innerWidth) return [];
    const beyond = [...document.querySelectorAll("main *")].filter((element) => element.getBoundingClientRect().right > innerWidth + 1);
    return [`${width} px wide: ${beyond.slice(0, 3).map((element) => element.outerHTML.slice(0, 120)).join(" | ")}`];
  });
}

async function grave(page, script) {
  await page.evaluate(script); // the driver may, whatever the page's policy
  const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
  const found = violations.filter(({ impact }) => GRAVE.includes(impact));
  return found.map(({ id, impact, help, nodes }) => `axe: ${impact} ${id}: ${help}: ${nodes.slice(0, 3).map((node) => node.html.slice(0, 160)).join(" | ")}`);
}

/** Loaded as for the first time. */
async function tooHeavy(page, path) {
  const session = await page.context().newCDPSession(page);
  await session.send("Network.clearBrowserCache");
  await page.goto(path, { waitUntil: "load" });
  const [sent, whole] = await page.evaluate(() => {
    const entries = [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")];
    const sum = (field) => entries.reduce((sum, entry) => sum + entry[field], 0);
    return [sum("transferSize"), sum("decodedBodySize")];
  });
  console.log(`${path}: ${(sent / 1024).toFixed(1)} KiB sent, ${(whole / 1024).toFixed(1)} KiB unpacked`);
  return sent > WEIGHT || whole === 0 ? [`${path} weighs ${sent} bytes`] : [];
}
