// A browser without scripts: every page says what it has to say, and the forms work.

import assert from "node:assert/strict";

import { names } from "./viewer.mjs";

export default async function noscript({ daemon, viewer, queues }) {
  for (const name of ["carts", "orders"]) await queues.createPair(name);
  await queues.send("orders-dlq", 4);
  await daemon.start();
  await daemon.read(4);
  const page = await viewer.page(daemon.origin, { javaScriptEnabled: false });
  await page.goto("/");
  assert.equal((await names(page))[0], "orders-dlq", "the worst is first");
  assert.match(await page.locator("#b-fresh time").textContent(), /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC$/);
  assert(await page.locator("#offline").isHidden());

  await page.locator("form.filters").getByRole("searchbox").fill("cart");
  await page.getByRole("combobox", { name: "Role" }).selectOption("source");
  await page.getByRole("button", { name: "Show" }).click();
  await page.waitForURL(/q=cart/);
  assert.deepEqual(await names(page), ["carts"]);
  await page.getByRole("columnheader", { name: "Queue" }).getByRole("link").click();
  await page.waitForURL(/sort=name/);
  assert.deepEqual(await names(page), ["carts"], "still narrowed");

  await page.locator("header").getByRole("searchbox").fill("orders");
  await page.keyboard.press("Enter");
  await page.waitForURL(/q=orders/);
  assert.equal((await names(page)).length, 2);
  await page.getByRole("rowheader").getByRole("link", { name: "orders-dlq" }).click();
  assert.equal(await page.locator("h1").first().textContent(), "orders-dlq");
  for (const path of ["/alarms", "/notifications", "/system"]) {
    const answer = await page.goto(path);
    assert.equal(answer.status(), 200);
    assert(await page.locator("h1").first().isVisible(), path);
  }
}
