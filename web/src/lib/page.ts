// What every page does with a script, on top of what works without: times in words, dialogs, no double submits.

import { icon, make, setText } from "./dom.ts";
import { ago, localMinute, moment, percent } from "./format.ts";
import { Follower } from "./live.ts";
import { letGo } from "./press.ts";
import { stateText } from "./states.ts";
import { texts } from "./texts.ts";
import { settled } from "./types.ts";

const READING = 0.4; // of the window's height, from above: what begins there is what one reads

export function startTimes(): void {
  for (const time of document.querySelectorAll<HTMLTimeElement>("time[data-ago]")) {
    setText(time, ago(new Date(time.dateTime)));
  }
  document.addEventListener("pointerover", tellExactly);
  for (const time of document.querySelectorAll<HTMLTimeElement>("time[data-at]")) setText(time, moment(new Date(time.dateTime)));
}

/** The moment itself, in the reader's own way to write it, for whoever points at how long ago it was. */
function tellExactly(event: Event): void {
  const time = event.target instanceof Element ? event.target.closest<HTMLTimeElement>("time[data-ago]") : null;
  if (time && !time.title) time.title = new Date(time.dateTime).toLocaleString();
}

/** Fields for a time are in UTC without script; with it they are in the zone of whoever types, and say so. */
export function startLocalTimes(): void {
  for (const field of document.querySelectorAll<HTMLElement>("[data-local-time]")) {
    const input = field.querySelector("input");
    if (!input) continue;
    const sent = make("input", { type: "hidden", name: input.name });
    const tell = () => {
      const at = new Date(input.value);
      sent.value = Number.isNaN(at.getTime()) ? "" : at.toISOString();
    };
    if (input.value) input.value = localMinute(new Date(`${input.value}Z`));
    input.removeAttribute("name");
    input.addEventListener("input", tell);
    input.after(sent);
    tell();
    setText(field.querySelector("[data-local-zone]"), texts.zone(Intl.DateTimeFormat().resolvedOptions().timeZone));
  }
}

/** A row of rooms that is wider than the window begins where one is. */
export function startRooms(): void {
  for (const here of document.querySelectorAll<HTMLElement>(".rooms [aria-current]")) toTheMiddle(here);
  startParts([...document.querySelectorAll<HTMLAnchorElement>(".rooms--within a")]);
}

function toTheMiddle(here: HTMLElement): void {
  const rooms = here.parentElement;
  if (rooms) rooms.scrollLeft = here.offsetLeft - rooms.offsetLeft - (rooms.clientWidth - here.offsetWidth) / 2;
}

/** The links to the parts of a page tell which part one reads: the last that has come up so far, at the end of the page the last of all. */
function startParts(links: HTMLAnchorElement[]): void {
  let told: HTMLAnchorElement | undefined;
  const tell = () => {
    const ended = window.scrollY > 0 && window.scrollY + window.innerHeight >= document.documentElement.scrollHeight - 1;
    const line = ended ? window.innerHeight : window.innerHeight * READING;
    const here = links.filter((link) => (document.getElementById(link.hash.slice(1))?.getBoundingClientRect().top ?? Infinity) <= line).pop();
    if (!here || here === told) return;
    told?.removeAttribute("aria-current");
    here.setAttribute("aria-current", "true");
    toTheMiddle(here);
    told = here;
  };
  if (!links.length) return;
  window.addEventListener("scroll", tell, { passive: true });
  tell();
}

/** A form that is sent is not sent twice by an impatient second click. */
export function startForms(): void {
  for (const form of document.querySelectorAll<HTMLFormElement>("form[data-once]")) {
    form.addEventListener("submit", () => {
      for (const button of form.querySelectorAll("button[type=submit]")) button.setAttribute("aria-busy", "true");
    });
  }
  // Coming back by the browser's history, the page is as it was left: make its buttons work again.
  window.addEventListener("pageshow", () => {
    for (const busy of document.querySelectorAll("form[data-once] [aria-busy]")) busy.removeAttribute("aria-busy");
  });
}

export function startPasswords(): void {
  for (const group of document.querySelectorAll<HTMLElement>("[data-password]")) {
    const input = group.querySelector("input");
    if (!input) continue;
    const button = make(
      "button",
      { type: "button", class: "input-group__button", "aria-label": texts.password.show, "aria-pressed": "false" },
      icon("eye"),
    );
    button.addEventListener("click", () => {
      const show = input.type === "password";
      input.type = show ? "text" : "password";
      button.setAttribute("aria-pressed", String(show));
      button.setAttribute("aria-label", show ? texts.password.hide : texts.password.show);
      button.replaceChildren(icon(show ? "eye-off" : "eye"));
    });
    group.append(button);
  }
}

/** Links that lead to a page without script open the same form in a dialog with it. One listener serves parts added later, too. */
export function startDialogs(): void {
  document.addEventListener("click", (event) => {
    const target = event.target instanceof Element ? event.target.closest<HTMLElement>("[data-dialog-open],[data-confirm],[data-dialog-close]") : null;
    if (!target || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const dialog = target.closest("dialog") ?? document.getElementById(target.dataset["dialogOpen"] ?? target.dataset["confirm"] ?? "");
    if (!(dialog instanceof HTMLDialogElement)) return;
    event.preventDefault();
    if ("dialogClose" in target.dataset) dialog.close();
    else open(dialog, target);
  });
}

function open(dialog: HTMLDialogElement, from: HTMLElement): void {
  const form = dialog.querySelector<HTMLFormElement>("[data-confirm-form]");
  if (form && from instanceof HTMLAnchorElement) form.action = from.href;
  setText(dialog.querySelector("[data-confirm-name]"), from.dataset["confirmTitle"] ?? "");
  dialog.showModal();
}

/** Cards and rows of videos that are still on their way through the house keep themselves up to date. */
export function startLiveVideos(): void {
  for (const item of document.querySelectorAll<HTMLElement>("[data-live]")) {
    let shown = item.dataset["live"];
    new Follower(item.dataset["video"] ?? "", (video) => {
      setText(item.querySelector("[data-live-label]"), stateText(video));
      setText(item.querySelector("[data-live-percent]"), percent(video.progress));
      const bar = item.querySelector<HTMLProgressElement>("[data-live-progress]");
      if (bar) bar.value = video.progress;
      const now = settled(video) ? "settled" : video.playable ? "playable" : "waiting";
      if (now !== shown) void refresh(item, video.id);
      shown = now;
    });
  }
}

/** Take the changed card from a fresh copy of this page: the server knows best how it looks. */
async function refresh(item: HTMLElement, id: string): Promise<void> {
  const answer = await fetch(window.location.href, { credentials: "same-origin" }).catch(() => null);
  if (!answer?.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page.querySelector(`[data-video="${CSS.escape(id)}"]`);
  await letGo();
  if (!fresh || !item.isConnected) return;
  const focused = item.contains(document.activeElement);
  const ticked = item.querySelector<HTMLInputElement>("[data-tick]")?.checked ?? false;
  item.replaceChildren(...fresh.childNodes);
  const tick = item.querySelector<HTMLInputElement>("[data-tick]");
  if (tick) tick.checked = ticked;
  if (focused) item.querySelector<HTMLElement>("a")?.focus();
  startTimes();
}
