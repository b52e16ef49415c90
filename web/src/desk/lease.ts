import { setText } from "../lib/dom.ts";
import { api, csrfToken, Problem } from "../lib/http.ts";

interface Claim {
  reviewer: string | null;
  claimed_until: string | null;
}

const LEAST = 5; // seconds between two words to the server

/** Keeps a case for whoever looks at its page, and lets go of it when they leave. Two reviewers never hold one at the same time. */
export class Lease {
  private readonly path: string;
  private readonly page: HTMLElement;
  private timer = 0;
  private held = false; // or asked for: the server may have given it when the page is left before its answer

  constructor(page: HTMLElement) {
    this.page = page;
    this.path = `/api/v1/moderation/${encodeURIComponent(page.dataset["casePage"] ?? "")}/claim`;
    window.addEventListener("pagehide", () => this.leave());
  }

  start(): void {
    const { holding, until } = this.page.dataset;
    if (holding === "other") return this.wait(until);
    if (holding === "free" || holding === "me") void this.claim();
  }

  /** A decision ends the case, so there is nothing to let go of. */
  forget(): void {
    this.held = false;
    window.clearTimeout(this.timer);
  }

  private async claim(): Promise<void> {
    this.held = true;
    try {
      await api<Claim>(this.path, "POST");
      this.stand("me");
      this.later(() => void this.claim(), Number(this.page.dataset["lease"]) / 3);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      this.held = false;
      if (error.code === "claimed_by_other") this.taken(error.message);
      else if (error.code === "no_case") this.stand("none");
      else this.later(() => void this.claim(), LEAST);
    }
  }

  /** Somebody was quicker. */
  private taken(message: string): void {
    const box = this.page.querySelector<HTMLElement>("[data-taken]");
    const text = box?.querySelector("p");
    if (text) setText(text, message);
    if (box) box.hidden = false;
    this.stand("other");
  }

  /** Says whose the case is, and shows the form that fits: one claims where no script has, one lets go. */
  private stand(holding: string): void {
    this.page.dataset["holding"] = holding;
    for (const form of this.page.querySelectorAll<HTMLElement>("[data-hold]")) form.hidden = form.dataset["hold"] !== holding;
  }

  /** Somebody else has it: look again when their time is up. */
  private wait(until: string | undefined): void {
    const left = until ? (new Date(until).getTime() - Date.now()) / 1000 : 0;
    this.later(() => window.location.reload(), left + 1);
  }

  private later(then: () => void, seconds: number): void {
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(then, Math.max(LEAST, seconds) * 1000);
  }

  private leave(): void {
    if (!this.held) return;
    this.held = false;
    void fetch(this.path, { method: "DELETE", headers: { "X-CSRF-Token": csrfToken() }, credentials: "same-origin", keepalive: true }).catch(() => undefined);
  }
}
