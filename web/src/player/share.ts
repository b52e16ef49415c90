import { need } from "../lib/dom.ts";
import { clock } from "../lib/format.ts";
import { texts } from "../lib/texts.ts";
import { toast } from "../lib/toast.ts";
import { secondsOf, timeText } from "./options.ts";

const SOURCE = /src="([^"]*)"/;

/** An address that begins at a place, or at the beginning for null. */
export function timed(address: string, at: number | null): string {
  const url = new URL(address);
  if (at === null) url.searchParams.delete("t");
  else url.searchParams.set("t", timeText(at));
  return url.href;
}

/** The dialog with the link and the code for other pages, both with the present place if that is wished. */
export class Share {
  private readonly dialog = need<HTMLDialogElement>("#share-dialog");
  private readonly link = need<HTMLInputElement>("[data-share-link]", this.dialog);
  private readonly code = this.dialog.querySelector<HTMLTextAreaElement>("[data-share-code]");
  private readonly withTime = need<HTMLInputElement>("[data-share-timed]", this.dialog);
  private readonly at = need<HTMLInputElement>("[data-share-at]", this.dialog);
  private readonly plain = { link: this.link.value, code: this.code?.value ?? "" };
  private readonly now: () => number;

  /** `now` tells where the player is, in seconds. */
  constructor(now: () => number) {
    this.now = now;
    this.withTime.addEventListener("change", () => this.draw());
    this.at.addEventListener("input", () => {
      this.withTime.checked = true;
      this.draw();
    });
    for (const button of this.dialog.querySelectorAll<HTMLElement>("[data-share-copy]")) {
      button.addEventListener("click", () => void this.copy(button.dataset["shareCopy"] === "code" ? this.code : this.link));
    }
    for (const field of [this.link, this.code]) field?.addEventListener("focus", () => field.select());
    const native = need("[data-share-native]", this.dialog);
    native.hidden = typeof navigator.share !== "function";
    native.addEventListener("click", () => {
      navigator.share({ title: document.title, url: this.link.value }).catch(() => undefined);
    });
  }

  open(): void {
    if (this.dialog.open) return;
    this.at.value = clock(this.now());
    this.withTime.checked = false;
    this.draw();
    this.dialog.showModal();
  }

  private draw(): void {
    const at = secondsOf(this.at.value);
    const wrong = this.withTime.checked && at === null;
    this.at.setAttribute("aria-invalid", String(wrong));
    this.at.setCustomValidity(wrong ? texts.share.at : "");
    const place = this.withTime.checked ? at : null;
    this.link.value = timed(this.plain.link, place);
    if (this.code) this.code.value = this.plain.code.replace(SOURCE, (_, source: string) => `src="${timed(source, place)}"`);
  }

  private async copy(field: HTMLInputElement | HTMLTextAreaElement | null): Promise<void> {
    if (!field) return;
    const done = await navigator.clipboard?.writeText(field.value).then(() => true, () => false);
    field.focus();
    this.dialog.close();
    toast(done ? (field === this.code ? texts.share.codeCopied : texts.share.copied) : texts.share.notCopied);
  }
}
