// One queue: opened from the overview, its plots read by pointer and by keys, a time looked at closer; and one that does not exist.

import assert from "node:assert/strict";

import { row, sound, until } from "./viewer.mjs";

const RULE = { name: "backlog", metric: "messages_visible", queues: { name: ["orders"] }, period: "10s", comparison: ">=", threshold: 300 };

export default async function queue({ daemon, viewer, queues }) {
  await queues.createPair("orders", { tags: { team: "payments" } });
  await daemon.start({ more: `alarms: [${JSON.stringify(RULE)}]\nnotify: []` });
  await daemon.read(2);
  await queues.show("orders", 321);
  const page = await viewer.page(daemon.origin);
  await page.goto("/");
  await row(page, "orders").getByRole("link", { name: "orders", exact: true }).click();
  await page.waitForURL("**/queues/orders?*");
  await page.evaluate(() => (window.same = true));
  const plot = page.locator("figure.plot").first();
  await until(page, "the newest value is drawn", () => document.querySelector("figure.plot [data-values]").dataset.values.endsWith("321"));
  await until(page, "the alarm is drawn in", () => document.querySelector("figure.plot rect.alarm") && document.querySelector("figure.plot .mark"));
  await sound(page);
  await pointed(page, plot);
  await keyed(page, plot);
  await closer(page, plot);
  assert(await page.evaluate(() => window.same), "all of that on one page");
  await goesOn(page, queues);
  await unknown(page, viewer);
}

const legend = (plot) => plot.locator("[data-values] b").first();
const time = (plot) => plot.locator("output");

async function pointed(page, plot) {
  const box = await plot.locator(".canvas").boundingBox();
  await page.mouse.move(box.x + box.width - 2, box.y + 60);
  assert.equal(await legend(plot).textContent(), "321");
  const last = await plot.evaluate((plot) => Number(plot.dataset.from) + Number(plot.dataset.step) * (Number(plot.dataset.count) - 1));
  const local = new Date(last).toLocaleTimeString("en-GB", { timeZone: "Asia/Kathmandu", hour: "2-digit", minute: "2-digit" });
  assert((await time(plot).textContent()).endsWith(local), `${await time(plot).textContent()} is ${local}`);
  assert(await page.locator("figure.plot .cross").count() > 1, "on all plots");
  await page.mouse.move(box.x + 2, box.y + 60);
  assert.equal(await legend(plot).textContent(), "–", "of that time nothing is known");
  await page.mouse.move(0, 0);
  assert.equal(await time(plot).textContent(), "");
  assert.equal(await legend(plot).textContent(), "321", "the newest again");
}

async function keyed(page, plot) {
  await plot.locator(".area").focus();
  await page.keyboard.press("ArrowLeft");
  assert.equal(await legend(plot).textContent(), "321");
  const newest = await time(plot).textContent();
  await page.keyboard.press("ArrowLeft");
  assert.notEqual(await time(plot).textContent(), newest);
  await page.keyboard.press("End");
  assert.equal(await time(plot).textContent(), newest);
  await page.keyboard.press("Escape");
  assert.equal(await time(plot).textContent(), "");
}

/** By a drag, and back by the browser's own button. */
async function closer(page, plot) {
  const before = await span(plot);
  const box = await plot.locator(".canvas").boundingBox();
  await page.mouse.move(box.x + box.width / 2, box.y + 60);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.75, box.y + 60, { steps: 5 });
  await page.mouse.up();
  await page.waitForURL(/from=\d+.*until=\d+/);
  await until(page, "less time is drawn", (before) => {
    const { step, count } = document.querySelector("figure.plot").dataset;
    return step * count < before;
  }, before);
  await page.goBack();
  await until(page, "all of it is back", (before) => {
    const { step, count } = document.querySelector("figure.plot").dataset;
    return step * count === before;
  }, before);
}

const span = (plot) => plot.evaluate((plot) => plot.dataset.step * plot.dataset.count);

async function goesOn(page, queues) {
  await queues.clearFaults();
  await queues.show("orders", 4567);
  await until(page, "the page is live", () => document.querySelector("main").textContent.includes("4,567"));
}

async function unknown(page, viewer) {
  viewer.expect(/status of 404/);
  const answer = await page.goto("/queues/ordesr");
  assert.equal(answer.status(), 404);
  await page.locator("main").getByRole("link", { name: "orders", exact: true }).click();
  await page.waitForURL("**/queues/orders?*");
  assert.equal((await page.locator("h1").first().textContent()).trim(), "orders");
}
