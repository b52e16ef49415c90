import { icon, make, need } from "./dom.ts";
import { texts } from "./texts.ts";

const STAY = 7000; // ms; long enough to read two lines

/** Say something in passing. It goes by itself, or when dismissed; hovering or focusing it makes it stay. */
export function toast(message: string, link?: { text: string; href: string }): void {
  const close = make("button", { type: "button", class: "toast__close", "aria-label": texts.toast.close }, icon("x"));
  const box = make("div", { class: "toast" }, make("span", {}, message));
  if (link) box.append(make("a", { href: link.href }, link.text));
  box.append(close);
  let timer = 0;
  const leave = () => box.remove();
  const wait = () => {
    timer = window.setTimeout(leave, STAY);
  };
  const hold = () => window.clearTimeout(timer);
  close.addEventListener("click", leave);
  for (const start of ["pointerenter", "focusin"]) box.addEventListener(start, hold);
  for (const end of ["pointerleave", "focusout"]) box.addEventListener(end, wait);
  need("[data-toasts]").append(box);
  wait();
}
