import { need, setText } from "./lib/dom.ts";
import { percent } from "./lib/format.ts";
import { api, type Problem } from "./lib/http.ts";
import { texts } from "./lib/texts.ts";
import type { Video } from "./lib/types.ts";
import { Transfer } from "./upload/transfer.ts";

const LOOK_EVERY = 1000; // ms

/** Sends another file for a video, then tells how far it is on its way to take the old one's place. */
class Replacing {
  private readonly root = need("[data-replace]");
  private readonly status = need("[data-replace-status]", this.root);
  private readonly bar = need<HTMLProgressElement>("[data-replace-progress]", this.root);
  private readonly form = need<HTMLFormElement>("[data-replace-form]", this.root);
  private readonly video = this.root.dataset["replace"] ?? "";
  private sending = false;

  start(): void {
    this.form.hidden = false;
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      const file = need<HTMLInputElement>("input[type=file]", this.form).files?.[0];
      if (file) this.send(file);
    });
    window.addEventListener("beforeunload", (event) => {
      if (this.sending) event.preventDefault();
    });
    if (this.root.dataset["coming"] === "yes") void this.follow();
  }

  private send(file: File): void {
    const problem = file.size === 0 ? texts.upload.empty : "";
    if (problem) return this.say(problem);
    this.form.hidden = true;
    this.sending = true;
    this.show(0, texts.replace.sending("0 %"));
    const to = { endpoint: "/api/v1/uploads", user: `${this.root.dataset["user"] ?? ""}|${this.video}` };
    const transfer = new Transfer(file, { filename: file.name, replaces: this.video }, to, {
      progress: (sent) => this.show(sent / file.size, texts.replace.sending(percent(sent / file.size))),
      retrying: () => this.say(texts.upload.retrying),
      done: () => {
        this.sending = false;
        void this.follow();
      },
      refused: (refusal: Problem) => {
        this.sending = false;
        this.ended(refusal.message);
      },
    });
    void transfer.start();
  }

  private async follow(): Promise<void> {
    this.form.hidden = true;
    const video = await api<Video>(`/api/v1/videos/${encodeURIComponent(this.video)}`).catch(() => null);
    const coming = video?.replacing;
    if (video && !coming) return this.ended(texts.replace.done);
    if (coming?.error) return this.ended([texts.replace.failed, coming.error.detail, coming.error.hint].filter(Boolean).join(" "));
    if (coming?.step === "review") return this.ended(texts.replace.held);
    if (coming) this.show(coming.progress, texts.replace.making(percent(coming.progress), texts.steps[coming.step] ?? texts.steps.other));
    window.setTimeout(() => void this.follow(), LOOK_EVERY);
  }

  private ended(text: string): void {
    this.bar.hidden = true;
    this.form.hidden = false;
    this.say(text);
  }

  private show(share: number, text: string): void {
    this.bar.hidden = false;
    this.bar.value = share;
    this.say(text);
  }

  private say(text: string): void {
    setText(this.status, text);
  }
}

new Replacing().start();
