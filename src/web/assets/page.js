// Keeps a page live: takes what changed from /live and puts it in its place, says when nothing comes any more, and writes
// times by the viewer's clock. Links and forms with `data-soft` change the page without leaving it.
"use strict";

const main = document.getElementById("live");
const offline = document.getElementById("offline");
/** After how many milliseconds without a word what is shown counts as old. */
const SILENCE = 15000;
let source;
let heard = Date.now();
let stale = 0;
/** Blocks that wait until nobody works in them, by id. */
const waiting = new Map();
/** Items of lists that wait likewise: by key, by list. */
const waitingItems = new Map();

// ---- Changes --------------------------------------------------------------------------------------------------------

function connect() {
  source?.close();
  if (!main.dataset.view) return; // a form is not kept live
  if (document.hidden) return; // a hidden page needs no connection; browsers have few of them
  const { view, version } = main.dataset;
  source = new EventSource(`/live?${new URLSearchParams({ view, version })}`);
  source.addEventListener("build", (event) => {
    hear();
    if (event.data !== main.dataset.build) location.reload();
  });
  source.addEventListener("beat", (event) => hear(Number(event.data)));
  source.addEventListener("change", (event) => {
    hear();
    apply(JSON.parse(event.data));
  });
  source.addEventListener("error", () => {
    // Refused for good, such as when too many pages are open: fetched now and then, until there is a seat.
    if (source.readyState === EventSource.CLOSED) setTimeout(again, SILENCE);
  });
}

function again() {
  if (!document.hidden) visit(location.href, { replace: true, stay: true });
}

function hear(age = 0) {
  heard = Date.now();
  stale = age;
  tell();
}

function apply({ anew, title, blocks = {}, lists = {} }) {
  if (anew) return visit(location.href, { replace: true });
  if (title) document.title = title;
  inPlace(() => {
    for (const [id, html] of Object.entries(blocks)) put(id, html);
    for (const [id, list] of Object.entries(lists)) putItems(id, list);
    settle();
  });
}

function put(id, html) {
  const block = document.getElementById(`b-${id}`);
  if (!block) return;
  if (inUse(block)) return waiting.set(id, html);
  waiting.delete(id);
  const open = [...block.querySelectorAll("details[open]")].map((element) => element.id);
  const focused = block.contains(document.activeElement) && path(document.activeElement, block);
  block.innerHTML = html;
  for (const one of open) document.getElementById(one)?.setAttribute("open", "");
  if (focused) at(focused, block)?.focus({ preventScroll: true });
}

/** Nothing is taken from under somebody who types, chooses, or selects text to copy. */
function inUse(element) {
  const selection = getSelection();
  const selecting = !selection.isCollapsed && element.contains(selection.anchorNode);
  return selecting || element.querySelector("input:focus, select:focus, textarea:focus, [data-busy]") !== null;
}

function putItems(id, { order, items }) {
  const list = document.querySelector(`#b-${id} [data-items]`);
  if (!list) return;
  const known = new Map([...list.children].map((item) => [item.dataset.key, item]));
  const later = {};
  for (const [key, html] of Object.entries({ ...waitingItems.get(id), ...items })) {
    const old = known.get(key);
    if (old && inUse(old)) {
      later[key] = html;
      continue;
    }
    if (!old && !order) continue; // it waited, and is gone
    const holder = document.createElement(list.tagName);
    holder.innerHTML = html;
    const item = holder.firstElementChild;
    if (!item) continue;
    if (old) {
      const focused = old.contains(document.activeElement) && path(document.activeElement, old);
      old.replaceWith(item);
      if (focused) at(focused, item)?.focus({ preventScroll: true });
    }
    known.set(key, item);
  }
  waitingItems.set(id, later);
  if (!order) return;
  for (const [key, item] of known) if (!order.includes(key)) item.remove();
  order.forEach((key, place) => {
    const item = known.get(key);
    if (item && list.children[place] !== item) list.insertBefore(item, list.children[place] ?? null);
  });
}

/** Where `element` is below `root`, so that it is found again in what takes its place. */
function path(element, root) {
  const steps = [];
  for (let at = element; at !== root; at = at.parentElement) steps.unshift([...at.parentElement.children].indexOf(at));
  return steps;
}

function at(steps, root) {
  return steps.reduce((element, step) => element?.children[step], root);
}

function settle() {
  writeTimes();
  main.dispatchEvent(new Event("changed"));
}

main.addEventListener("focusout", () =>
  setTimeout(() => {
    for (const [id, html] of [...waiting]) put(id, html);
    writeTimes();
  }),
);

// ---- Places ---------------------------------------------------------------------------------------------------------

const calm = matchMedia("(prefers-reduced-motion: reduce)");

/** Changes the page so that nothing jumps: what is read stays where it is on the screen, and what must move glides there. */
function inPlace(change) {
  const before = places();
  const top = [...main.children].find((block) => before.get(block.id) < 0 && block.getBoundingClientRect().bottom > 0)?.id;
  change();
  const after = places();
  const scrolled = top && after.has(top) ? after.get(top) - before.get(top) : 0;
  if (scrolled) scrollBy({ top: scrolled, behavior: "instant" });
  if (calm.matches || document.hidden) return;
  for (const [element, id, parent] of placed()) {
    const moved = movedBy(id) - (parent ? movedBy(parent) : 0);
    const seen = before.get(id) < innerHeight || after.get(id) - scrolled < innerHeight;
    if (Math.abs(moved) < 1 || !seen) continue;
    element.animate([{ transform: `translateY(${moved}px)` }, { transform: "none" }], { duration: 300, easing: "ease-out" });
  }

  function movedBy(id) {
    return before.has(id) ? before.get(id) - after.get(id) + scrolled : 0;
  }
}

/** Blocks, the items of lists, and the footer below them: the element, its name, and the name of what it moves along with. */
function* placed() {
  yield [document.querySelector("footer"), "footer"];
  for (const block of main.children) {
    yield [block, block.id];
    for (const item of block.querySelectorAll("[data-items] > *")) yield [item, `${block.id} ${item.dataset.key}`, block.id];
  }
}

function places() {
  return new Map([...placed()].map(([element, id]) => [id, element.getBoundingClientRect().top]));
}

// ---- Whether what is shown is old -----------------------------------------------------------------------------------

function tell() {
  const age = Date.now() - heard + stale;
  const old = age > SILENCE && !document.hidden && Boolean(main.dataset.view);
  main.classList.toggle("old", old);
  if (!old && offline.hidden) return;
  offline.hidden = !old;
  if (old) offline.textContent = `sqswatch has not answered for ${length(age / 1000)}. What you see is that old.`;
}

// ---- Visits ---------------------------------------------------------------------------------------------------------

let turn = 0;

/** Shows another address without leaving the page; one that is no page of ours is left for, unless to `stay` is asked. */
async function visit(address, { replace = false, stay = false } = {}) {
  const mine = ++turn;
  const url = new URL(address, location.href);
  // What is still told of the page as it was must not undo what somebody has chosen.
  source?.close();
  waiting.clear();
  waitingItems.clear();
  const had = document.activeElement;
  try {
    const answer = await fetch(url, { headers: { accept: "text/html" } });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.getElementById("live");
    if (mine !== turn) return; // somebody asked for more meanwhile
    if (!fresh && stay) throw new Error("somebody else answers");
    if (!fresh) return location.assign(url);
    hear();
    history[replace ? "replaceState" : "pushState"](null, "", url);
    Object.assign(main.dataset, fresh.dataset);
    document.title = page.title;
    const blocks = [...fresh.children];
    if (blocks.every((block, place) => block.id === main.children[place]?.id)) {
      for (const [place, block] of blocks.entries()) {
        if (block.innerHTML !== main.children[place].innerHTML) put(block.id.slice(2), block.innerHTML);
      }
    } else {
      main.replaceChildren(...blocks);
    }
    if (had !== document.activeElement && document.activeElement === document.body) main.focus({ preventScroll: true });
    settle();
    connect();
  } catch {
    if (mine !== turn) return;
    tell(); // the page stays as it is
    connect();
  }
}

document.addEventListener("visit", (event) => visit(event.detail));
addEventListener("popstate", () => visit(location.href, { replace: true }));

main.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-soft]");
  if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const turned = link.closest(".pager")?.closest(".block");
  visit(link.href).then(() => turned?.scrollIntoView());
});

let typing;
main.addEventListener("input", (event) => {
  const form = event.target.form;
  if (!form?.hasAttribute("data-soft")) return;
  clearTimeout(typing);
  typing = setTimeout(() => visit(addressOf(form), { replace: true }), event.target.type === "search" ? 150 : 0);
});

main.addEventListener("submit", (event) => {
  if (!event.target.hasAttribute("data-soft")) return;
  event.preventDefault();
  visit(addressOf(event.target));
});

function addressOf(form) {
  const url = new URL(form.action, location.href);
  const asked = [...new FormData(form)].filter(([, value]) => value !== "");
  url.search = new URLSearchParams(asked);
  return url;
}

// ---- Times ----------------------------------------------------------------------------------------------------------

function writeTimes() {
  const now = Date.now();
  for (const element of document.querySelectorAll("time[data-time]")) {
    const instant = new Date(element.dateTime);
    if (Number.isNaN(instant.getTime())) continue;
    const text = words(element.dataset.time, instant, now);
    if (element.textContent !== text) element.textContent = text;
    const exact = `${instant.toLocaleString()} (${element.dateTime})`;
    if (element.title !== exact) element.title = exact;
  }
}

function words(style, instant, now) {
  const seconds = (now - instant.getTime()) / 1000;
  if (style === "for") return length(Math.abs(seconds));
  if (style === "ago") return seconds < 0 ? `in ${length(-seconds)}` : `${length(seconds)} ago`;
  const sameDay = new Date(now).toDateString() === instant.toDateString();
  return sameDay
    ? instant.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit" })
    : instant.toLocaleString([], { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
}

/** As `humane::length` writes it. */
function length(total) {
  const seconds = Math.floor(total);
  const [minutes, hours, days] = [Math.floor(seconds / 60), Math.floor(seconds / 3600), Math.floor(seconds / 86400)];
  const two = (large, unit, small, smallUnit) => (small ? `${large} ${unit} ${small} ${smallUnit}` : `${large} ${unit}`);
  if (!minutes) return `${seconds} s`;
  if (!hours) return `${minutes} min`;
  if (!days) return two(hours, "h", minutes % 60, "min");
  return days < 100 ? two(days, "d", hours % 24, "h") : `${days} d`;
}

// ---- Start ----------------------------------------------------------------------------------------------------------

document.addEventListener("visibilitychange", () => {
  if (document.hidden) return source?.close();
  heard = Date.now();
  connect();
});
setInterval(() => {
  writeTimes();
  tell();
}, 1000);
writeTimes();
connect();
