// A queue fills while somebody looks: its row changes in place, and nothing else moves.

import assert from "node:assert/strict";

import { row, sound, until } from "./viewer.mjs";

export default async function live({ daemon, viewer, queues }) {
  for (let index = 0; index < 60; index++) await queues.create(`idle-${String(index).padStart(2, "0")}`);
  await queues.createPair("orders");
  await daemon.start();
  await daemon.read(62);

  const page = await viewer.page(daemon.origin);
  await page.goto("/?sort=name");
  await page.evaluate(() => (window.same = true));
  const link = row(page, "idle-40").getByRole("link", { name: "idle-40" });
  await link.focus();
  assert((await page.evaluate(() => scrollY)) > 300, "it is further down");
  const place = () => page.evaluate(() => document.activeElement.getBoundingClientRect().top);
  const before = await place();

  await queues.show("idle-40", 12_345);
  await until(page, "the row fills", () => document.activeElement.closest("tr")?.innerText.includes("12.3k"));
  await until(page, "the sum too", () => document.querySelector("#b-totals").textContent.includes("12.3k"));
  const figure = row(page, "idle-40").locator("[data-label=Waiting] [title]").first();
  assert.equal(await figure.getAttribute("title"), "12,345", "the exact value on hover");
  assert.equal(await page.evaluate(() => document.activeElement.textContent), "idle-40", "focus stays");
  assert(Math.abs((await place()) - before) < 2, `what is read stays where it is: ${before} and ${await place()}`);
  assert(await page.evaluate(() => window.same), "the page was not loaded again");

  await queues.show("orders-dlq", 3);
  await page.evaluate(() => scrollTo(0, 0));
  await until(page, "dead letters are told", () => document.querySelector(".totals .bad")?.textContent === "3");
  await sound(page);
  await worstFirst(page, queues);
  await times(page);
}

/** A queue that becomes the worst moves to the top, where the eye can follow. */
async function worstFirst(page, queues) {
  await page.goto("/");
  await until(page, "the dead letters are first", () => document.querySelector("#b-queues tbody th a").textContent === "orders-dlq");
  await queues.show("idle-50", 999_999);
  await until(page, "the new one is second", () => document.querySelectorAll("#b-queues tbody th a")[1].textContent === "idle-50");
  await page.evaluate(() => Promise.all(document.getAnimations().map((one) => one.finished)));
  await sound(page);
}

/** Times are by the viewer's clock, with the exact one behind them. */
async function times(page) {
  const time = page.locator("#b-fresh time");
  await until(page, "how long ago", () => /ago$/.test(document.querySelector("#b-fresh time").textContent));
  const exact = await time.getAttribute("title");
  const instant = await time.getAttribute("datetime");
  const local = new Date(instant).toLocaleString("en-GB", { timeZone: "Asia/Kathmandu" });
  assert(exact.includes(local) && exact.includes(instant), `${exact} is ${local}`);
}
