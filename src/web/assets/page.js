// Keeps the page live: fetches what changes every two seconds and swaps it in, and says when it cannot.
"use strict";

const live = document.getElementById("live");
const search = document.getElementById("q");
const offline = document.getElementById("offline");
const EVERY = 2000;
const PATIENCE = 8000;
let answered = Date.now();
let timer;

async function refresh() {
  clearTimeout(timer);
  const address = new URL("/", location.href);
  address.searchParams.set("fragment", "1");
  address.searchParams.set("q", search.value);
  try {
    const answer = await fetch(address, { cache: "no-store", signal: AbortSignal.timeout(PATIENCE) });
    if (!answer.ok) throw new Error(answer.statusText);
    swap(await answer.text());
    answered = Date.now();
  } catch {
    // Said below; the next round tries again.
  }
  tell();
  timer = setTimeout(refresh, document.hidden ? 5 * EVERY : EVERY);
}

function swap(html) {
  // Never under somebody who is selecting text to copy.
  const selection = getSelection();
  if (!selection.isCollapsed && live.contains(selection.anchorNode)) return;
  const open = [...live.querySelectorAll("details[open]")].map((element) => element.id);
  const focused = live.contains(document.activeElement) && document.activeElement.closest("details")?.id;
  const fresh = new DOMParser().parseFromString(html, "text/html");
  live.replaceChildren(...fresh.body.childNodes);
  for (const id of open) document.getElementById(id)?.setAttribute("open", "");
  if (focused) document.querySelector(`#${focused} > summary`)?.focus();
  document.title = document.getElementById("title").dataset.title;
}

function tell() {
  const silent = Math.round((Date.now() - answered) / 1000);
  const lost = silent * 1000 > 3 * EVERY;
  offline.hidden = !lost;
  live.classList.toggle("old", lost);
  if (lost) {
    offline.textContent = `sqswatch has not answered for ${silent} s. What you see is that old.`;
    document.title = "? sqswatch";
  }
}

search.form.addEventListener("submit", (event) => event.preventDefault());
search.addEventListener("input", () => {
  const address = new URL(location.href);
  if (search.value) address.searchParams.set("q", search.value);
  else address.searchParams.delete("q");
  history.replaceState(null, "", address);
  clearTimeout(timer);
  timer = setTimeout(refresh, 150);
});
document.addEventListener("visibilitychange", () => document.hidden || refresh());
timer = setTimeout(refresh, EVERY);
