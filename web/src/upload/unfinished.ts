// Uploads of an earlier visit that the server still holds. A page may not open files by itself, so the person chooses each again.

import { defaultOptions, type PreviousUpload } from "tus-js-client";
import { make, need } from "../lib/dom.ts";
import { bytes } from "../lib/format.ts";
import { csrfToken } from "../lib/http.ts";
import { texts } from "../lib/texts.ts";
import { toast } from "../lib/toast.ts";

const TUS = { "Tus-Resumable": "1.0.0" };

/** The offset the server has reached, null if it no longer knows the upload, undefined if it cannot be told now. */
async function offsetOf(url: string): Promise<number | null | undefined> {
  const answer = await fetch(url, { method: "HEAD", headers: TUS, credentials: "same-origin", cache: "no-store" }).catch(() => null);
  if (!answer) return undefined;
  if (answer.status === 404 || answer.status === 410) return null;
  const offset = Number.parseInt(answer.headers.get("Upload-Offset") ?? "", 10);
  return answer.ok && Number.isFinite(offset) ? offset : undefined;
}

export class Unfinished {
  private readonly section = need("[data-unfinished]");
  private readonly list = need("[data-unfinished-list]");
  private readonly user: string;
  private readonly add: (files: File[]) => void;

  constructor(user: string, add: (files: File[]) => void) {
    this.user = user;
    this.add = add;
  }

  async show(): Promise<void> {
    const all = await defaultOptions.urlStorage.findAllUploads();
    const mine = all.filter((upload) => upload.urlStorageKey.startsWith(`tus::streamhost|${this.user}|`));
    for (const upload of mine) {
      if (!upload.uploadUrl) continue;
      const offset = await offsetOf(upload.uploadUrl);
      if (offset === null || offset === upload.size) await defaultOptions.urlStorage.removeUpload(upload.urlStorageKey);
      else this.list.append(this.entry(upload, offset ?? 0));
    }
    this.hideIfEmpty();
  }

  /** An upload that was chosen by the ordinary way goes on there, and leaves this list. */
  taken(file: File): void {
    for (const entry of this.list.querySelectorAll<HTMLElement>("[data-file]")) {
      if (entry.dataset["file"] === `${file.name}|${file.size}`) entry.remove();
    }
    this.hideIfEmpty();
  }

  private entry(upload: PreviousUpload, offset: number): HTMLElement {
    const name = upload.metadata["filename"] ?? "";
    const size = upload.size ?? 0;
    const input = make("input", { type: "file", class: "visually-hidden" });
    input.addEventListener("change", () => {
      const file = input.files?.[0];
      if (!file) return;
      if (file.name !== name || file.size !== size) toast(texts.upload.otherFile(name));
      this.add([file]);
      input.value = "";
    });
    const discard = make("button", { type: "button", class: "button button--small button--quiet", "aria-label": `${texts.upload.forget}: ${name}` }, texts.upload.forget);
    const row = make(
      "li",
      { class: "unfinished__item", "data-file": `${name}|${size}` },
      make("div", {}, make("p", {}, name), make("p", { class: "small faint numeric" }, texts.upload.unfinished(bytes(offset), bytes(size)))),
      make("div", { class: "upload__actions" }, make("label", { class: "button button--small" }, texts.upload.chooseAgain, input), discard),
    );
    discard.addEventListener("click", () => void this.discard(upload, row));
    return row;
  }

  private async discard(upload: PreviousUpload, row: HTMLElement): Promise<void> {
    row.remove();
    this.hideIfEmpty();
    await defaultOptions.urlStorage.removeUpload(upload.urlStorageKey);
    const headers = { ...TUS, "X-CSRF-Token": csrfToken() };
    if (upload.uploadUrl) await fetch(upload.uploadUrl, { method: "DELETE", headers, credentials: "same-origin" }).catch(() => undefined);
    toast(texts.upload.discarded);
  }

  private hideIfEmpty(): void {
    this.section.hidden = this.list.childElementCount === 0;
  }
}
