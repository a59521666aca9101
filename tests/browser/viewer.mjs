// Somebody who looks: a real browser whose every page is watched for what must never happen. A scenario ends with `check`,
// which fails for console errors, broken policies, requests to elsewhere, and things that jumped while nobody touched them.

import { createRequire } from "node:module";

import { PATIENCE } from "./stage.mjs";

/** How far things may have jumped by themselves, as browsers count it (cumulative layout shift). */
const SHIFT = 0.01;
const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage"];

const require = createRequire(`${process.env.PEERS}/browser/`);

export class Viewer {
  faults = [];
  #browser;
  #origins = new Set();
  #expected = [];

  static async start() {
    const viewer = new Viewer();
    const { chromium } = require("playwright-core");
    viewer.#browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: FLAGS });
    return viewer;
  }

  /** An empty page of somebody in Kathmandu. `options` are Playwright's of a context. */
  async page(origin, options = {}) {
    this.#origins.add(origin);
    const context = await this.#browser.newContext({
      baseURL: origin,
      viewport: { width: 1280, height: 800 },
      timezoneId: "Asia/Kathmandu",
      locale: "en-GB",
      ...options,
    });
    context.setDefaultTimeout(PATIENCE);
    context.on("request", (request) => this.#request(request));
    context.on("weberror", (error) => this.faults.push(`error in a script: ${error.error()}`));
    context.on("console", (message) => this.#console(message));
    await context.addInitScript(watch);
    return context.newPage();
  }

  /** From now on console errors like this are part of the scenario. */
  expect(pattern) {
    this.#expected.push(pattern);
  }

  #request(request) {
    const { origin } = new URL(request.url());
    if (!this.#origins.has(origin)) this.faults.push(`request to elsewhere: ${request.url()}`);
  }

  #console(message) {
    if (!["error", "warning"].includes(message.type())) return;
    const text = `${message.text()} (${message.location().url})`;
    if (!this.#expected.some((pattern) => pattern.test(text))) this.faults.push(`console: ${text}`);
  }

  /** Fails for everything that must never happen and did, on any page so far. */
  check() {
    if (this.faults.length) throw new Error(`on the pages:\n  ${[...new Set(this.faults)].join("\n  ")}`);
  }

  async close() {
    await this.#browser.close();
  }
}

/** Runs in every page before its own scripts. */
function watch() {
  window.watched = { shift: 0, moved: [], violations: [] };
  document.addEventListener("securitypolicyviolation", (event) =>
    window.watched.violations.push(`${event.violatedDirective}: ${event.blockedURI} ${event.sample}`),
  );
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      if (entry.hadRecentInput) continue;
      window.watched.shift += entry.value;
      for (const { node } of entry.sources) window.watched.moved.push(node?.outerHTML?.slice(0, 100) ?? String(node?.nodeName));
    }
  }).observe({ type: "layout-shift", buffered: true });
}

/** What is wrong with the page as it stands; it must have been open for its updates to count. */
export async function faultsOf(page) {
  return page.evaluate((limit) => {
    const faults = window.watched.violations.map((violation) => `policy: ${violation}`);
    const ids = [...document.querySelectorAll("[id]")].map((element) => element.id);
    const twice = ids.filter((id, place) => ids.indexOf(id) !== place);
    if (twice.length) faults.push(`duplicate ids: ${twice.join(", ")}`);
    const { shift, moved } = window.watched;
    if (shift > limit) faults.push(`things jumped by ${shift.toFixed(4)}: ${moved.slice(0, 5).join(" | ")}`);
    return faults;
  }, SHIFT);
}

/** Fails if anything is wrong with the page as it stands. */
export async function sound(page) {
  const faults = await faultsOf(page);
  if (faults.length) throw new Error(`${page.url()}:\n  ${faults.join("\n  ")}`);
}

/** What moved so far was asked for; browsers count it when the answer takes longer than half a second. */
export function forgive(page) {
  return page.evaluate(() => Object.assign(window.watched, { shift: 0, moved: [] }));
}

/** Waits for a condition in the page; `argument` is handed to it. */
export async function until(page, what, condition, argument) {
  try {
    await page.waitForFunction(condition, argument, { polling: 100 });
  } catch (error) {
    const text = await page.locator("main").innerText().catch(() => "");
    throw new Error(`${what}: ${error.message.split("\n")[0]}\n${text.slice(0, 1500)}`);
  }
}

/** The row of one queue. */
export function row(page, name) {
  return page.locator("#b-queues [data-items] > *", { has: page.getByRole("rowheader").getByRole("link", { name, exact: true }) });
}

/** The names in the table, from first to last. */
export function names(page) {
  return page.locator("#b-queues tbody th a").allTextContents();
}

/** The script that finds what people with assistive technology cannot use. */
export function axe() {
  return require("axe-core").source;
}
