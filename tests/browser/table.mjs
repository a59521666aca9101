// The table of a thousand queues: sorted, filtered, searched and turned over, with all of it in the address.

import assert from "node:assert/strict";

import { forgive, names, sound, until } from "./viewer.mjs";

export default async function table({ daemon, viewer, queues }) {
  await queues.create("a-first.fifo", { attributes: { FifoQueue: "true" }, tags: { team: "logistics" } });
  await daemon.start({ poll: "attributes: 5s, metrics: []", discovery: "interval: 1m, tag_labels: [team]" });
  await daemon.read(1001);
  const page = await viewer.page(daemon.origin);
  await page.goto("/");
  await page.evaluate(() => (window.same = true));
  await sorts(page);
  await filters(page);
  await searches(page);
  await turns(page);
  assert(await page.evaluate(() => window.same), "all of that on one page");
  await forgive(page);
  const before = await page.locator("#b-queues tbody").innerText();
  await until(page, "it is live", (before) => document.querySelector("#b-queues tbody").innerText !== before, before);
  await sound(page);
}

async function shows(page, query, first) {
  await page.waitForURL((url) => url.search === query);
  await until(page, `${first} is the first at ${query}`, (name) => document.querySelector("#b-queues tbody th a")?.textContent === name, first);
}

async function sorts(page) {
  const head = page.getByRole("columnheader", { name: "Queue" });
  await head.getByRole("link").click();
  await shows(page, "?sort=name", "a-first.fifo");
  assert.equal(await head.getAttribute("aria-sort"), "ascending");
  await head.getByRole("link").click();
  await shows(page, "?sort=name&order=desc", "bench-00999");
  assert.equal(await head.getAttribute("aria-sort"), "descending");
  await page.getByRole("columnheader", { name: "Waiting" }).getByRole("link").click();
  await page.waitForURL("**/?sort=waiting");
  await until(page, "the fullest are first", () => {
    const cells = [...document.querySelectorAll("#b-queues [data-label=Waiting] > [title]")];
    const counts = cells.map((cell) => Number(cell.title.replaceAll(",", "")));
    return counts.length >= 50 && counts[0] > 900 && counts.every((count, place) => !place || counts[place - 1] >= count);
  });
  await page.goBack();
  await shows(page, "?sort=name&order=desc", "bench-00999");
  await page.goForward();
  await page.waitForURL("**/?sort=waiting");
}

async function filters(page) {
  const choose = (label, value) => page.getByRole("combobox", { name: label }).selectOption(value);
  await page.goto("/?sort=name");
  await page.evaluate(() => (window.same = true));
  await choose("Role", "dead_letter");
  await shows(page, "?role=dead_letter&sort=name", "bench-00009");
  await choose("Role", "source");
  await shows(page, "?role=source&sort=name", "bench-00008");
  await choose("Role", "");
  await choose("Kind", "fifo");
  await shows(page, "?kind=fifo&sort=name", "a-first.fifo");
  assert.deepEqual(await names(page), ["a-first.fifo"]);
  await choose("Kind", "");
  await choose("Tag", "team=search");
  await shows(page, "?tag=team%3Dsearch&sort=name", "bench-00002");
  await choose("Tag", "");
  await choose("State", "no_data");
  await shows(page, "?state=no_data&sort=name", "a-first.fifo");
  await choose("State", "firing");
  await page.waitForURL("**/?state=firing&sort=name");
  await page.getByText("No queue is like that.").waitFor();
  await page.reload();
  assert.equal(await page.getByRole("combobox", { name: "State" }).inputValue(), "firing", "kept by the address");
  await page.evaluate(() => (window.same = true));
  await page.locator("#b-queues").getByRole("link", { name: "Show all" }).click();
  await until(page, "all are back", () => document.querySelectorAll("#b-queues tbody tr").length === 50);
}

async function searches(page) {
  const field = page.locator("form.filters").getByRole("searchbox");
  await field.pressSequentially("BENCH-0042");
  await shows(page, "?q=BENCH-0042", (await narrowed(page))[0]);
  assert.equal(await field.inputValue(), "BENCH-0042");
  assert(await field.evaluate((element) => element === document.activeElement), "typing goes on");
  await field.fill("");
  await until(page, "all are back", () => document.querySelectorAll("#b-queues tbody tr").length === 50);
}

async function narrowed(page) {
  await until(page, "ten are left", () => document.querySelectorAll("#b-queues tbody tr").length === 10);
  const found = await names(page);
  assert(found.every((name) => name.startsWith("bench-0042")), found.join());
  return found;
}

async function turns(page) {
  await page.getByRole("columnheader", { name: "Queue" }).getByRole("link").click();
  await shows(page, "?sort=name", "a-first.fifo");
  await page.getByRole("link", { name: "After" }).click();
  await shows(page, "?sort=name&page=2", "bench-00049");
  await page.getByRole("link", { name: "Before" }).click();
  await shows(page, "?sort=name", "a-first.fifo");
  await page.goBack();
  await shows(page, "?sort=name&page=2", "bench-00049");
}
