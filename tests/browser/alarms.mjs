// An alarm fires while somebody looks, is silenced from its page by hand, and tells again once the silence is ended.

import assert from "node:assert/strict";

import { TOKEN } from "./stage.mjs";
import { sound, until } from "./viewer.mjs";

const RULE = { name: "dead-letters", description: "Somebody must look", queues: { role: "dead_letter" }, metric: "messages_visible", period: "10s", comparison: ">=", threshold: 1, severity: "critical" };

export default async function alarms({ daemon, viewer, queues }) {
  for (let index = 0; index < 30; index++) await queues.create(`idle-${index}`);
  for (const name of ["carts", "orders"]) await queues.createPair(name);
  await daemon.start({ more: `alarms: [${JSON.stringify(RULE)}]\nnotify: []` });
  await daemon.read(34);
  viewer.expect(/status of (400|401|403)/); // the form with a wrong token
  const page = await viewer.page(daemon.origin);
  await fires(page, queues);
  await firesBelow(page, queues);
  await silences(page, "orders-dlq");
  await ends(page, "orders-dlq");
  await sound(page);

  const plain = await viewer.page(daemon.origin, { javaScriptEnabled: false });
  await plain.goto("/");
  await plain.locator("#b-firing").getByRole("link", { name: "carts-dlq" }).click();
  await silences(plain, "carts-dlq");
  await ends(plain, "carts-dlq");
}

async function fires(page, queues) {
  await page.goto("/");
  await page.evaluate(() => (window.same = true));
  await queues.send("orders-dlq", 2);
  await until(page, "it fires", () => document.querySelector("#b-firing")?.textContent.includes("orders-dlq"));
  assert.match(await page.locator("#b-firing").innerText(), /critical[\s\S]*2 fires at ≥ 1[\s\S]*for \d+ s/);
  assert.match(await page.title(), /^\(1\)/, "the tab says so");
  assert(await page.evaluate(() => window.same), "without a reload");
  await glided(page);
  await sound(page);
}

/** Who reads further down is not moved by what appears above. */
async function firesBelow(page, queues) {
  await page.evaluate(() => scrollTo(0, document.body.scrollHeight));
  const last = () => page.evaluate(() => document.querySelector("#b-queues tbody tr:last-child").getBoundingClientRect().top);
  const place = await last();
  await queues.send("carts-dlq", 1);
  await until(page, "another fires", () => document.querySelectorAll("#b-firing li").length === 2);
  await glided(page);
  assert(Math.abs((await last()) - place) < 2, `the row went from ${place} to ${await last()}`);
  await sound(page);
  await page.locator("#b-firing").getByRole("link", { name: "orders-dlq" }).click();
}

const glided = (page) => page.evaluate(() => Promise.all(document.getAnimations().map((one) => one.finished)));

/** From the page of the alarm, with a wrong token first. */
async function silences(page, queue) {
  await page.waitForURL(/\/alarms\/dead-letters\?queue=/);
  assert.match(await page.locator("main").innerText(), /ALARM/);
  await page.getByRole("link", { name: "Silence it" }).click();
  assert.equal(await page.getByLabel("Queue", { exact: true }).inputValue(), queue);
  await page.getByLabel("Reason").fill("redriving <b>now</b>");
  await page.getByLabel("Your name").fill("ana");
  await page.getByText("4 hours").click();
  await page.getByLabel("Token").fill("guessed");
  await page.getByRole("button", { name: "Silence" }).click();
  await page.getByText("Nothing was silenced").waitFor();
  assert.equal(await page.getByLabel("Reason").inputValue(), "redriving <b>now</b>", "what was typed is kept");
  assert.equal(await page.getByLabel("Token").inputValue(), "", "but for the token");
  await page.getByLabel("Token").fill(TOKEN);
  await page.getByRole("button", { name: "Silence" }).click();
  await page.waitForURL(/\/alarms\/dead-letters\?queue=/);
  assert(!page.url().includes(TOKEN));
  await page.locator("main").getByText("redriving <b>now</b>").first().waitFor();
  await page.goto("/");
  assert.match(await page.locator("#b-firing li", { hasText: queue }).innerText(), /silenced/);
  assert.match(await page.locator("#b-silenced").innerText(), /redriving <b>now<\/b>/);
}

async function ends(page, queue) {
  await page.locator("#b-firing").getByRole("link", { name: queue }).click();
  await page.waitForURL(/\/alarms\/dead-letters\?queue=/);
  await page.getByRole("link", { name: "End the silence" }).click();
  await page.getByLabel("Token").fill(TOKEN);
  await page.getByRole("button", { name: "End the silence" }).click();
  await page.waitForURL(/\/alarms\/dead-letters\?queue=/);
  await page.goto("/");
  assert.doesNotMatch(await page.locator("#b-firing li", { hasText: queue }).innerText(), /silenced/);
}
