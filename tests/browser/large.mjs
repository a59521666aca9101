// Ten thousand queues: the first page comes, typing in the search is answered, and the browser holds no more than a page of rows.

import assert from "node:assert/strict";

import { names, until } from "./viewer.mjs";

const QUEUES = 10_000;

export default async function large({ daemon, viewer }) {
  // Read over minutes: what is not read yet is on the page as well.
  await daemon.start({ poll: "attributes: 5m, metrics: []" });
  const page = await viewer.page(daemon.origin);
  await page.goto("/?sort=name");
  await until(page, "all queues are found", (count) => document.querySelector("#queues small")?.textContent === count, QUEUES.toLocaleString("en"));
  const size = await page.evaluate(() => document.querySelectorAll("*").length);
  assert(size < 3000, `${size} elements`);

  const field = page.locator("form.filters").getByRole("searchbox");
  for (const [typed, found] of [["0777", 11], ["07777", 1]]) {
    await field.fill("");
    await field.pressSequentially(typed);
    await until(page, `${found} are found`, (count) => document.querySelectorAll("#b-queues tbody tr").length === count, found);
  }
  assert.deepEqual(await names(page), ["bench-07777"]);
  await field.fill("");
  await until(page, "all are back", () => document.querySelectorAll("#b-queues tbody tr").length === 50);
  await page.goto("/?sort=name&page=200");
  await until(page, "the last", () => [...document.querySelectorAll("#b-queues tbody th a")].at(-1)?.textContent === "bench-09999");
}
