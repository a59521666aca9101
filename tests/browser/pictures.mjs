// The pictures of the documentation, of a demo that has run for a while: `make screenshots`. SETTLE is for how many seconds (600).

import { join } from "node:path";

import { eventually } from "./stage.mjs";
import { row, until } from "./viewer.mjs";

export default async function pictures({ daemon, viewer }) {
  await daemon.startDemo("--speed", "2");
  await new Promise((resolve) => setTimeout(resolve, 1000 * Number(process.env.SETTLE ?? 600)));
  await eventually("two alarms fire", async () => {
    const { alarms } = await daemon.json("/api/v1/alarms");
    return alarms.filter((alarm) => alarm.state === "ALARM").length >= 2;
  });
  const page = await viewer.page(daemon.origin, { viewport: { width: 1280, height: 900 }, colorScheme: "light", timezoneId: "Europe/Berlin" });
  await page.goto("/");
  await until(page, "something fires", () => document.querySelector("#b-firing li"));
  await page.screenshot({ path: join(process.env.SCREENSHOTS, "page.png"), animations: "disabled" });
  await row(page, "orders").getByRole("link", { name: "orders", exact: true }).click();
  await page.waitForURL("**/queues/orders?*");
  await page.setViewportSize({ width: 1280, height: 1130 }); // down to all four plots
  await page.screenshot({ path: join(process.env.SCREENSHOTS, "queue.png"), animations: "disabled" });
}
