import "../styles/desk.css";
import { actOf, keepsKey, numberOf, type Act } from "./desk/keys.ts";
import { Lease } from "./desk/lease.ts";
import { Veil } from "./desk/veil.ts";
import { Viewer } from "./desk/viewer.ts";

const find = <T extends HTMLElement = HTMLElement>(selector: string): T | null => document.querySelector<T>(selector);

/** The pages of those who moderate, by keyboard. Everything also works by forms and links alone. */
class Desk {
  private readonly page = find("[data-case-page]");
  private readonly lease = this.page && new Lease(this.page);
  private readonly veil = this.page && new Veil(this.page);
  private readonly viewer: Viewer | null = null;
  private evidence = -1;

  constructor() {
    const video = find<HTMLVideoElement>("[data-desk-player]");
    if (video && this.page) this.viewer = new Viewer(video, this.page);
  }

  start(): void {
    const keys = find("[data-keys]");
    if (keys) keys.hidden = false;
    document.addEventListener("keydown", (event) => this.pressed(event));
    document.addEventListener("click", (event) => this.clicked(event));
    for (const form of document.querySelectorAll<HTMLFormElement>("[data-acts] form, [data-reject-form]")) {
      form.addEventListener("submit", () => this.lease?.forget());
    }
    this.startReasons();
    void this.viewer?.start();
    this.lease?.start();
  }

  private pressed(event: KeyboardEvent): void {
    if (event.defaultPrevented || keepsKey(event.target, event.key)) return;
    const dialog = find<HTMLDialogElement>("dialog[open]");
    if (dialog) return this.inDialog(dialog, event);
    const act = actOf(event);
    if (!act || event.repeat) return;
    if (this.act(act)) event.preventDefault();
  }

  private inDialog(dialog: HTMLDialogElement, event: KeyboardEvent): void {
    const number = dialog.id === "reject-dialog" ? numberOf(event) : 0;
    const choice = number ? dialog.querySelector<HTMLInputElement>(`input[name=template][value="${number}"]`) : null;
    if (!choice) return;
    event.preventDefault();
    choice.click();
    choice.focus();
  }

  private act(act: Act): boolean {
    switch (act) {
      case "approve":
        return press("[data-approve]");
      case "reject":
        return this.reject();
      case "undo":
        return send("[data-undo]");
      case "next":
        return this.page ? press("[data-next]") : step(1);
      case "previous":
        return this.page ? press("[data-previous]") : step(-1);
      case "evidence":
        return this.look(1);
      case "evidence-back":
        return this.look(-1);
      case "blur":
        this.veil?.toggle();
        return true;
      case "play":
        this.viewer?.toggle();
        return this.viewer !== null;
      case "queue":
        window.location.assign("/moderation");
        return true;
      case "help":
        find<HTMLDialogElement>("#desk-keys")?.showModal();
        return true;
    }
  }

  private reject(): boolean {
    const dialog = find<HTMLDialogElement>("#reject-dialog");
    if (!dialog) return false;
    dialog.showModal();
    dialog.querySelector<HTMLElement>("input[name=template]")?.focus();
    return true;
  }

  /** Go to the next thing that speaks against the video, and put the player there. */
  private look(by: 1 | -1): boolean {
    const list = [...document.querySelectorAll<HTMLElement>("[data-evidence]")];
    if (!list.length) return false;
    this.evidence = Math.min(list.length - 1, Math.max(0, this.evidence + by));
    const item = list[this.evidence]!;
    (item.querySelector<HTMLElement>("input, a") ?? item).focus();
    item.scrollIntoView({ block: "nearest" });
    this.seek(item.dataset["evidence"]);
    return true;
  }

  private clicked(event: MouseEvent): void {
    const link = event.target instanceof Element ? event.target.closest<HTMLElement>("[data-seek]") : null;
    if (!link || !this.viewer || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    this.seek(link.dataset["seek"]);
  }

  private seek(text: string | undefined): void {
    const at = text ? Number(text) : NaN;
    if (Number.isFinite(at) && at >= 0) void this.viewer?.seek(at);
  }

  /** Choosing a reason fills in its words, unless others were typed. */
  private startReasons(): void {
    const form = find<HTMLFormElement>("[data-reject-form]");
    const words = form?.querySelector<HTMLTextAreaElement>("textarea");
    if (!form || !words) return;
    const choices = [...form.querySelectorAll<HTMLInputElement>("input[name=template]")];
    form.addEventListener("change", (event) => {
      const chosen = event.target;
      if (!(chosen instanceof HTMLInputElement) || chosen.name !== "template") return;
      const own = words.value.trim() && !choices.some((one) => one.dataset["text"] === words.value.trim());
      if (!own) words.value = chosen.dataset["text"] ?? "";
    });
  }
}

/** Press what is there. */
function press(selector: string): boolean {
  const target = find(selector);
  target?.click();
  return target !== null;
}

function send(selector: string): boolean {
  const form = find<HTMLFormElement>(selector);
  form?.requestSubmit();
  return form !== null;
}

/** Mark the next or the one before in the list of what waits. */
function step(by: 1 | -1): boolean {
  const list = [...document.querySelectorAll<HTMLElement>("[data-case]")];
  if (!list.length) return false;
  const now = list.findIndex((one) => one === document.activeElement);
  const next = now < 0 ? (by > 0 ? 0 : list.length - 1) : Math.min(list.length - 1, Math.max(0, now + by));
  list[next]?.focus();
  return true;
}

new Desk().start();
