// Somebody without a mouse: every control is reached in the order it is read, shows where one is, and works.

import assert from "node:assert/strict";

import { names, row, sound, until } from "./viewer.mjs";

export default async function keyboard({ daemon, viewer, queues }) {
  for (const name of ["carts", "orders"]) await queues.createPair(name);
  await queues.create("events.fifo", { attributes: { FifoQueue: "true" } });
  await daemon.start();
  await daemon.read(5);
  const page = await viewer.page(daemon.origin);
  await page.goto("/?sort=name");
  await skips(page);
  await walks(page);
  await sound(page);
  await sortsAndOpens(page);
}

const focused = (page) => page.evaluate(() => document.activeElement.textContent || document.activeElement.name || document.activeElement.id);

async function skips(page) {
  await page.keyboard.press("Tab");
  assert.equal(await focused(page), "Skip to content");
  const seen = await page.evaluate(() => document.activeElement.getBoundingClientRect().top >= 0);
  assert(seen, "the skip link is seen when it is reached");
  await page.keyboard.press("Enter");
  assert.equal(await page.evaluate(() => document.activeElement.id), "live");
}

/** From the top to the last row, each stop is visible and says where it is. */
async function walks(page) {
  await page.reload();
  const stops = [];
  const seen = [];
  for (let step = 0; step < 60; step++) {
    await page.keyboard.press("Tab");
    const stop = await page.evaluate(() => {
      const element = document.activeElement;
      if (element === document.body) return null;
      const { top, bottom } = element.getBoundingClientRect();
      const style = getComputedStyle(element);
      const ring = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
      const name = element.getAttribute("aria-label") || element.labels?.[0]?.innerText || element.textContent || element.name;
      return { name: name.trim(), ring, onScreen: top < innerHeight && bottom > 0, tag: element.tagName };
    });
    if (!stop) break;
    assert(stop.ring && stop.onScreen, `where one is shows: ${JSON.stringify(stop)}`);
    stops.push(stop.name);
    seen.push(stop.tag);
  }
  const order = ["Skip to content", "sqswatch", "Queues", "Alarms", "Notifications", "System"];
  assert.deepEqual(stops.slice(0, order.length), order);
  const places = ["Queue", "Waiting", "carts", "carts-dlq", "events.fifo", "orders"].map((name) => stops.indexOf(name));
  assert(places.every((place, index) => place > (places[index - 1] ?? order.length)), `${stops.join(" > ")}`);
  assert(seen.includes("SELECT") && seen.includes("INPUT"), seen.join());
}

async function sortsAndOpens(page) {
  const head = page.getByRole("columnheader", { name: "Queue" }).getByRole("link");
  await head.focus();
  await page.keyboard.press("Enter");
  await until(page, "sorted the other way", () => document.querySelector("#b-queues tbody th a").textContent === "orders-dlq");
  assert.equal(await focused(page), "Queue", "the keyboard stays where it was");
  await page.locator("form.filters select[name=role]").focus();
  await page.keyboard.press("ArrowDown");
  await until(page, "filtered", () => document.querySelectorAll("#b-queues tbody tr").length === 2);
  assert.deepEqual(await names(page), ["orders", "carts"]);
  await row(page, "orders").getByRole("link", { name: "orders", exact: true }).focus();
  await page.keyboard.press("Enter");
  await page.waitForURL("**/queues/orders?*");
  assert.match(await page.locator("h1").first().textContent(), /orders/);
}
