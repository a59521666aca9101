// Reads plots: a crosshair over all plots of the page by pointer, touch and arrow keys, with the exact values; a drag, or shift
// with the arrows, chooses a time to look at closer. Ticks are written by the viewer's clock.
"use strict";

{
  const live = document.getElementById("live");
  const SVG = "http://www.w3.org/2000/svg";
  /** A pointer that moved less than this many pixels clicked. */
  const CLICK = 5;
  /** The instant that is read, in milliseconds; `null` when none is. */
  let read = null;
  /** The other end of what is being chosen. */
  let anchor = null;
  let dragging = null;

  const plots = () => [...live.querySelectorAll("figure.plot")];

  /** The time of a plot, from its attributes. */
  function timeOf(plot) {
    const [from, step, count] = [plot.dataset.from, plot.dataset.step, plot.dataset.count].map(Number);
    return { from, step, count, until: from + step * count };
  }

  // ---- Reading ------------------------------------------------------------------------------------------------------

  function show() {
    for (const plot of plots()) {
      const { from, step, count, until } = timeOf(plot);
      const place = read === null ? -1 : Math.floor((read - from) / step);
      const inside = place >= 0 && place < count;
      const drawing = plot.querySelector(".drawing");
      line(drawing, inside ? ((place + 0.5) / count) * 1000 : null);
      chosen(drawing, from, until);
      tell(plot, inside ? place : null, from, step);
    }
  }

  function line(drawing, x) {
    let cross = drawing.querySelector(".cross");
    if (x === null) return cross?.remove();
    cross ??= drawing.appendChild(document.createElementNS(SVG, "path"));
    cross.setAttribute("class", "cross");
    cross.setAttribute("d", `M${x} 0V160`);
  }

  function chosen(drawing, from, until) {
    let band = drawing.querySelector(".chosen");
    if (anchor === null || read === null) return band?.remove();
    band ??= drawing.insertBefore(document.createElementNS(SVG, "rect"), drawing.firstChild);
    const [left, right] = [Math.min(anchor, read), Math.max(anchor, read)].map(
      (at) => Math.min(1, Math.max(0, (at - from) / (until - from))) * 1000,
    );
    const shape = { class: "chosen", x: left, width: right - left, y: 0, height: 160 };
    for (const [name, value] of Object.entries(shape)) band.setAttribute(name, value);
  }

  /** Writes the values of one bucket into the legend, or the newest ones again. */
  function tell(plot, place, from, step) {
    const told = [];
    for (const entry of plot.querySelectorAll("[data-values]")) {
      const value = entry.querySelector("b");
      value.dataset.newest ??= value.textContent;
      const text = place === null ? value.dataset.newest : exact(entry.dataset.values.split(",")[place], plot.dataset.unit);
      if (value.textContent !== text) value.textContent = text;
      told.push(entry.textContent.trim());
    }
    const output = plot.querySelector("output");
    const time = place === null ? "" : moment(from + place * step);
    if (output.firstChild?.textContent !== time) output.replaceChildren(time);
    // Read out is the plot that has the keys, with its values.
    const words = output.querySelector(".unseen");
    if (!time || !plot.contains(document.activeElement)) return words?.remove();
    const unseen = words ?? output.appendChild(document.createElement("span"));
    unseen.className = "unseen";
    unseen.textContent = ` ${told.join(", ")}`;
  }

  function exact(text, unit) {
    if (!text) return "–";
    const value = Number(text);
    if (unit !== "seconds") return value.toLocaleString("en");
    return value < 60 ? `${value} s` : `${length(value)} (${value.toLocaleString("en")} s)`;
  }

  function moment(at) {
    const [instant, today] = [new Date(at), new Date()];
    const time = instant.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
    if (instant.toDateString() === today.toDateString()) return time;
    return `${instant.toLocaleDateString([], { day: "numeric", month: "short" })} ${time}`;
  }

  // ---- Pointer ------------------------------------------------------------------------------------------------------

  /** The instant below the pointer. */
  function under(event, area) {
    const box = area.querySelector(".canvas").getBoundingClientRect();
    const { from, until } = timeOf(area.closest("figure"));
    const share = Math.min(0.99999, Math.max(0, (event.clientX - box.left) / box.width));
    return from + share * (until - from);
  }

  addEventListener("pointermove", (event) => {
    const area = dragging?.area ?? event.target.closest?.(".plot .area");
    if (!area) return;
    read = under(event, area);
    if (dragging && anchor === null && Math.abs(event.clientX - dragging.x) >= CLICK) anchor = dragging.at;
    show();
  });

  live.addEventListener("pointerdown", (event) => {
    const area = event.target.closest?.(".plot .area");
    if (!area) return;
    read = under(event, area);
    show();
    // A finger scrolls and reads; it has the links to choose a time.
    if (event.button || event.pointerType === "touch") return;
    dragging = { area, x: event.clientX, at: read };
    // Nothing is taken from under the hand.
    for (const one of live.querySelectorAll(".plot .area")) one.setAttribute("data-busy", "");
  });

  addEventListener("pointerup", (event) => {
    if (!dragging) return;
    if (anchor !== null) read = under(event, dragging.area);
    choose();
  });

  live.addEventListener("pointerout", (event) => {
    const area = event.target.closest?.(".plot .area");
    if (!area || dragging || area.contains(document.activeElement)) return;
    // A plot that was replaced under a pointer that rests is left by it, too.
    if (document.elementFromPoint(event.clientX, event.clientY)?.closest(".plot .area")) return;
    read = null;
    show();
  });

  function release() {
    dragging = anchor = null;
    for (const one of live.querySelectorAll(".plot .area")) one.removeAttribute("data-busy");
  }

  /** Looks closer at what was chosen, whole buckets of it. */
  function choose() {
    const [plot] = plots();
    const ends = anchor === null || read === null || !plot ? null : [Math.min(anchor, read), Math.max(anchor, read)];
    release();
    show();
    if (!ends) return;
    const { from, step } = timeOf(plot);
    const whole = (at, round) => (from + round((at - from) / step) * step) / 1000;
    const url = new URL(location.href);
    url.searchParams.delete("range");
    url.searchParams.set("from", whole(ends[0], Math.floor));
    url.searchParams.set("until", whole(ends[1], Math.ceil));
    read = null;
    document.dispatchEvent(new CustomEvent("visit", { detail: url }));
  }

  // ---- Keys ---------------------------------------------------------------------------------------------------------

  live.addEventListener("keydown", (event) => {
    const area = event.target.closest?.(".plot .area");
    if (!area) return;
    const { from, step, count, until } = timeOf(area.closest("figure"));
    const middle = (at) => from + (Math.floor((at - from) / step) + 0.5) * step;
    const now = read === null ? until - step / 2 : middle(read);
    const moves = {
      ArrowLeft: now - (read === null ? 0 : step),
      ArrowRight: now + (read === null ? 0 : step),
      PageUp: now - 10 * step,
      PageDown: now + 10 * step,
      Home: from + step / 2,
      End: from + (count - 0.5) * step,
    };
    if (event.key in moves) {
      anchor = event.shiftKey ? (anchor ?? now) : null;
      read = Math.min(until - step / 2, Math.max(from + step / 2, moves[event.key]));
      show();
    } else if (event.key === "Enter" && anchor !== null) {
      choose();
    } else return;
    event.preventDefault();
  });

  // A drag ends by the key wherever the focus is.
  addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || read === null) return;
    release();
    read = null;
    show();
  });

  live.addEventListener("focusout", (event) => {
    if (!event.target.closest?.(".plot .area") || dragging) return;
    // What takes its place when the plot changes has the focus again at once.
    setTimeout(() => {
      if (document.activeElement?.closest(".plot .area")) return;
      read = anchor = null;
      show();
    });
  });

  // ---- The viewer's clock -------------------------------------------------------------------------------------------

  const MINUTE = 60000;
  const DAY = 1440 * MINUTE;

  /** Ticks at round times of the viewer's clock, in the place of those in UTC. */
  function writeTicks(plot) {
    const { from, until } = timeOf(plot);
    const times = plot.querySelector(".times");
    const every = Number(times?.dataset.every);
    if (!every || !(until > from)) return;
    const shift = (at) => -new Date(at).getTimezoneOffset() * MINUTE;
    const texts = [];
    for (let local = Math.ceil((from + shift(from)) / every) * every; ; local += every) {
      const at = local - shift(local - shift(from)); // the clock may be changed between
      if (at > until) break;
      const text = document.createElementNS(SVG, "text");
      const share = (at - from) / (until - from);
      text.setAttribute("x", `${(share * 100).toFixed(2)}%`);
      if (share < 0.03 || share > 0.97) text.setAttribute("class", share < 0.03 ? "first" : "last");
      text.setAttribute("y", "175");
      text.textContent = local % DAY === 0 || every >= DAY ? day(at) : time(at);
      texts.push(text);
    }
    times.replaceChildren(...texts);
  }

  const time = (at) => new Date(at).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
  const day = (at) => new Date(at).toLocaleDateString("en-GB", { day: "numeric", month: "short" });

  function settle() {
    for (const plot of plots()) if (new Date().getTimezoneOffset()) writeTicks(plot);
    const zone = live.querySelector(".span .zone");
    if (zone) zone.textContent = `Times are ${Intl.DateTimeFormat().resolvedOptions().timeZone}`;
    show();
  }

  live.addEventListener("changed", settle);
  settle();
}
