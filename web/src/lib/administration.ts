// What pages of the administration do by themselves: wait for a server that starts anew, send a logo, show a colour.

import { need, setText } from "./dom.ts";
import { startPicture } from "./posters.ts";
import { texts } from "./texts.ts";

const EVERY = 700; // ms between two questions whether the server is back
const LONG = 45_000; // ms after which something may have gone wrong

export function startAdministration(): void {
  const waiting = document.querySelector<HTMLElement>("[data-new-server]");
  if (waiting) waitForRestart(waiting);
  const logo = document.querySelector<HTMLElement>("[data-logo]");
  if (logo) startPicture(logo, "logo", "PUT", "/api/v1/admin/logo");
  const colour = document.querySelector<HTMLElement>("[data-colour]");
  if (colour) startColour(colour);
}

/** The server that answers is the new one once it says that it was started at another time. */
function waitForRestart(root: HTMLElement): void {
  const begun = Date.now();
  const look = async (): Promise<void> => {
    const answer = await fetch("/api/v1/admin/overview", { credentials: "same-origin" }).catch(() => null);
    if (answer?.ok) {
      const now = (await answer.json().catch(() => ({}))) as { started_at?: string };
      if (now.started_at && now.started_at !== root.dataset["newServer"]) return window.location.assign(root.dataset["onward"] ?? "/admin");
    }
    if (Date.now() - begun > LONG) setText(need("[data-restart-text]", root), texts.restart.long);
    window.setTimeout(() => void look(), EVERY);
  };
  window.setTimeout(() => void look(), EVERY);
}

/** The picker and the field say the same. */
function startColour(root: HTMLElement): void {
  const picker = need<HTMLInputElement>("[data-colour-picker]", root);
  const field = need<HTMLInputElement>("[data-colour-field]", root);
  picker.hidden = false;
  picker.addEventListener("input", () => (field.value = picker.value));
  field.addEventListener("input", () => {
    if (/^#[0-9a-f]{6}$/i.test(field.value)) picker.value = field.value;
  });
}
