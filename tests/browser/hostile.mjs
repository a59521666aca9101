// Names that try to be more than text. SQS itself keeps names of queues plain, so they come by tags, by alarms and by the address.

import assert from "node:assert/strict";

import { eventually } from "./stage.mjs";
import { sound, until } from "./viewer.mjs";

const MARKUP = `<img src=x onerror=window.hit=1>"'><script>window.hit=1</script>`;
const ARABIC = "\u202eطلبات\u202c 🎉";
const ALARM = `too deep ${MARKUP} ${ARABIC}`;

export default async function hostile({ daemon, viewer, queues }) {
  await queues.create("orders", { tags: { team: MARKUP, "كتاب": ARABIC } });
  await queues.send("orders", 3);
  const rule = { name: ALARM, description: MARKUP, metric: "messages_visible", queues: { name: ["orders"] }, period: "10s", comparison: ">=", threshold: 1 };
  await daemon.start({ discovery: 'interval: 10s, tag_labels: [team, "كتاب"]', more: `alarms: [${JSON.stringify(rule)}]\nnotify: []` });
  await eventually("it fires", async () => (await daemon.json("/api/v1/alarms")).alarms.some((alarm) => alarm.state === "ALARM"));
  const page = await viewer.page(daemon.origin);
  viewer.expect(/status of 404/);

  await page.goto("/");
  await until(page, "the alarm is shown as it is called", (name) => document.querySelector("#b-firing")?.textContent.includes(name), ALARM);
  await shownAsText(page, ALARM);
  const options = await page.getByRole("combobox", { name: "Tag" }).locator("option").allTextContents();
  assert(options.includes(`team=${MARKUP}`) && options.includes(`كتاب=${ARABIC}`), options.join("\n"));
  await page.getByRole("combobox", { name: "Tag" }).selectOption(`team=${MARKUP}`);
  await page.waitForURL((url) => url.searchParams.get("tag") === `team=${MARKUP}`);
  await until(page, "the queue fits", () => document.querySelectorAll("#b-queues tbody tr").length === 1);
  await page.reload();
  assert.equal(await page.getByRole("combobox", { name: "Tag" }).inputValue(), `team=${MARKUP}`);

  const searched = `/?q=${encodeURIComponent(MARKUP + ARABIC)}`;
  await page.goto(searched);
  assert.equal(await page.locator("form.filters").getByRole("searchbox").inputValue(), MARKUP + ARABIC);

  await page.goto("/");
  await page.locator("#b-firing").getByRole("link").first().click();
  await page.waitForURL((url) => decodeURIComponent(url.pathname) === `/alarms/${ALARM}`);
  await shownAsText(page, ALARM);
  await page.goto(`/queues/${encodeURIComponent(MARKUP + ARABIC)}`);
  await shownAsText(page, MARKUP + ARABIC);
  await page.goto("/queues/orders");
  await sound(page);
  assert.equal(await page.evaluate(() => window.hit), undefined);
}

async function shownAsText(page, text) {
  const body = await page.locator("body").textContent();
  assert(body.includes(text), `${page.url()}: ${body.slice(0, 1000)}`);
  assert.equal(await page.evaluate(() => window.hit), undefined, "nothing of it ran");
  assert.equal(await page.locator("img, main script").count(), 0);
  await sound(page);
}
