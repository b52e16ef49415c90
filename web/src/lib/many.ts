import { need, setText } from "./dom.ts";
import { texts } from "./texts.ts";

/** Lists whose rows can be ticked, to do something to all of them. Without script the boxes and the bar still work; with it
 *  Shift ticks everything in between, one box ticks all, and Escape none. */
export function startMany(): void {
  const list = document.querySelector<HTMLElement>("[data-ticks]");
  const bar = document.querySelector<HTMLFormElement>("[data-many]");
  if (!list || !bar) return;
  const all = document.querySelector<HTMLInputElement>("[data-tick-all]");
  const boxes = () => [...list.querySelectorAll<HTMLInputElement>("[data-tick]")];
  let last: HTMLInputElement | null = null;
  let reaching = false;

  const show = () => {
    const every = boxes();
    const count = every.filter((box) => box.checked).length;
    setText(need("[data-many-count]", bar), texts.many.selected(count));
    if (!all) return;
    all.checked = count === every.length;
    all.indeterminate = count > 0 && count < every.length;
  };
  const tick = (some: HTMLInputElement[], on: boolean) => {
    for (const box of some) box.checked = on;
    show();
  };

  for (const kind of ["pointerdown", "keydown"] as const) {
    list.addEventListener(kind, (event) => {
      reaching = event.shiftKey;
      // Else the browser marks the text in between.
      if (reaching && kind === "pointerdown" && event.target instanceof Element && event.target.closest(".tick")) event.preventDefault();
    });
  }
  list.addEventListener("change", (event) => {
    const box = event.target;
    if (!(box instanceof HTMLInputElement) || !("tick" in box.dataset)) return;
    const every = boxes();
    const [from, to] = [last ? every.indexOf(last) : -1, every.indexOf(box)].sort((a, b) => a - b) as [number, number];
    last = box;
    if (reaching && from >= 0) tick(every.slice(from, to + 1), box.checked);
    else show();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.defaultPrevented || document.querySelector("dialog[open]")) return;
    const open = bar.querySelector<HTMLDetailsElement>("details[open]");
    if (open) {
      open.open = false;
      open.querySelector("summary")?.focus();
    } else if (boxes().some((box) => box.checked)) {
      tick(boxes(), false);
      last?.focus();
    }
  });
  bar.addEventListener("reset", () => window.setTimeout(() => tick(boxes(), false)));
  if (all) {
    need<HTMLElement>(".tick--all").hidden = false;
    all.addEventListener("change", () => tick(boxes(), all.checked));
  }
  show();
  // Coming back by the browser's history, boxes may be ticked already.
  window.addEventListener("pageshow", show);
}
