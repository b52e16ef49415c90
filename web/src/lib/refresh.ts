// Lists that keep themselves up to date: the server knows best how they look, so a fresh copy of the page is asked for.

import { startTimes } from "./page.ts";
import { isPressed } from "./press.ts";

const EVERY = 2000; // ms between two copies

export function startRefreshing(): void {
  const list = document.querySelector<HTMLElement>("[data-refresh]");
  if (!list) return;
  let asking = false;
  window.setInterval(() => {
    if (asking || document.hidden) return;
    asking = true;
    void copy().then((fresh) => {
      asking = false;
      if (fresh) show(list, fresh);
    });
  }, EVERY);
}

async function copy(): Promise<HTMLElement | null> {
  const answer = await fetch(window.location.href, { credentials: "same-origin" }).catch(() => null);
  if (!answer?.ok) return null;
  return new DOMParser().parseFromString(await answer.text(), "text/html").querySelector<HTMLElement>("[data-refresh]");
}

const keys = (list: ParentNode): string => [...list.querySelectorAll<HTMLElement>("[data-key]")].map((item) => item.dataset["key"]).join("|");

/** Numbers and words change in place; a list with other items replaces the old one, unless somebody is about to use a button of it. */
function show(list: HTMLElement, fresh: HTMLElement): void {
  if (keys(list) !== keys(fresh)) {
    if (isPressed() || list.contains(document.activeElement)) return;
    list.replaceChildren(...fresh.childNodes);
    startTimes();
    return;
  }
  const [bars, newBars] = [list.querySelectorAll("progress"), fresh.querySelectorAll("progress")];
  bars.forEach((bar, at) => (bar.value = newBars[at]?.value ?? bar.value));
  for (const item of list.querySelectorAll<HTMLElement>("[data-key]")) {
    const news = fresh.querySelector(`[data-key="${CSS.escape(item.dataset["key"] ?? "")}"] [data-text]`);
    const text = item.querySelector("[data-text]");
    if (text && news && text.textContent !== news.textContent) text.textContent = news.textContent;
  }
}
