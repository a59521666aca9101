// The daemon goes away, comes back, has no seat, comes back as another build; and a page that nobody sees holds no connection.

import assert from "node:assert/strict";

import { eventually } from "./stage.mjs";
import { row, sound, until } from "./viewer.mjs";

export default async function connection({ daemon, viewer, queues }) {
  await queues.create("orders");
  await daemon.start();
  await daemon.read(1);
  const page = await viewer.page(daemon.origin);
  await page.goto("/");
  await page.evaluate(() => (window.same = true));
  await loses(page, viewer, daemon, queues);
  await hides(page, queues);
  await refuses(page, viewer, queues);
  await upgrades(page, queues);
  await sound(page);
}

async function loses(page, viewer, daemon, queues) {
  viewer.expect(/net::ERR_.*\/live/);
  const old = page.locator("#offline");
  assert(await old.isHidden());
  await daemon.kill();
  await until(page, "it says that it is old", () => !document.getElementById("offline").hidden);
  assert.match(await old.textContent(), /not answered for \d+ s.*that old/);
  assert(await row(page, "orders").isVisible(), "what was known stays");

  await queues.show("orders", 4321);
  await daemon.startAgain();
  await until(page, "it is live again", () => document.querySelector("#b-queues").textContent.includes("4,321"));
  await until(page, "and says so", () => document.getElementById("offline").hidden);
  assert(await page.evaluate(() => window.same), "without a reload");
}

/** Browsers keep few connections to one place, so a page in the background gives its own back. */
async function hides(page, queues) {
  const lives = openLives(page);
  await hidden(page, true);
  await hidden(page, false); // the connection that was there before is not counted
  await eventually("it is connected", () => lives.size === 1);
  await hidden(page, true);
  await eventually("it is not connected", () => lives.size === 0);
  await queues.clearFaults();
  await queues.show("orders", 777);
  await hidden(page, false);
  await until(page, "it catches up", () => document.querySelector("#b-queues").textContent.includes("777"));
  assert.equal(lives.size, 1);
  assert(await page.evaluate(() => window.same), "without a reload");
}

/** Where too many pages are open already, this one is fetched now and then, and kept live once there is a seat. */
async function refuses(page, viewer, queues) {
  viewer.expect(/503.*\/live/);
  await page.route("**/live?*", (route) => route.fulfill({ status: 503 }));
  await hidden(page, true);
  await hidden(page, false);
  await queues.clearFaults();
  await queues.show("orders", 555);
  await until(page, "it is fetched", () => document.querySelector("#b-queues").textContent.includes("555"));
  await page.unroute("**/live?*");
  await queues.clearFaults();
  await queues.show("orders", 556);
  await until(page, "it is live again", () => document.querySelector("#b-queues").textContent.includes("556"));
  assert(await page.evaluate(() => window.same), "without a reload");
}

/** The connections to /live that were opened from now on and not closed. */
function openLives(page) {
  const lives = new Set();
  const ours = (request) => new URL(request.url()).pathname === "/live";
  page.on("request", (request) => ours(request) && lives.add(request));
  for (const end of ["requestfailed", "requestfinished"]) page.on(end, (request) => lives.delete(request));
  return lives;
}

/** A headless browser shows every page, so the page is told what a background tab would be. */
async function hidden(page, hidden) {
  await page.evaluate((hidden) => {
    Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
    document.dispatchEvent(new Event("visibilitychange"));
  }, hidden);
}

async function upgrades(page, queues) {
  const answer = { contentType: "text/event-stream", body: "event: build\ndata: another\n\n" };
  await page.route("**/live?*", (route) => route.fulfill(answer), { times: 1 });
  await hidden(page, true);
  await hidden(page, false);
  await until(page, "it was loaded anew", () => window.same === undefined && document.readyState === "complete");
  await queues.clearFaults();
  await queues.show("orders", 8765);
  await until(page, "it is live", () => document.querySelector("#b-queues").textContent.includes("8,765"));
}
