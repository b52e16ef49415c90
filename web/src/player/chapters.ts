import { make, need, setText } from "../lib/dom.ts";
import { clock } from "../lib/format.ts";
import type { Chapter } from "../lib/types.ts";

const AGAIN = 3; // seconds into a chapter from which "the one before" means its own beginning

/** The chapter that a place lies in, null before the first. */
export function chapterAt(chapters: Chapter[], seconds: number): Chapter | null {
  return chapters.findLast((one) => one.start <= seconds) ?? null;
}

/** Where the chapter before or after a place begins, null where there is none. */
export function chapterBeside(chapters: Chapter[], seconds: number, by: 1 | -1): Chapter | null {
  if (by > 0) return chapters.find((one) => one.start > seconds + 0.01) ?? null;
  return chapterAt(chapters, seconds - AGAIN) ?? chapters[0] ?? null;
}

/** Marks on the seek bar where chapters begin, the name of the present one beside the clock, and a list to choose from. */
export class Chapters {
  private readonly marks: HTMLElement;
  private readonly name: HTMLElement;
  private readonly button: HTMLElement;
  private readonly panel: HTMLElement;
  private readonly rows: HTMLElement;
  private readonly seek: (to: number) => void;
  private list: Chapter[] = [];
  private length = 0;
  private present: Chapter | null = null;

  constructor(root: HTMLElement, seek: (to: number) => void) {
    this.marks = need("[data-chapter-marks]", root);
    this.name = need("[data-chapter]", root);
    this.button = need("[data-do=chapters]", root);
    this.panel = need("[data-chapter-panel]", root);
    this.rows = need("[data-chapter-list]", root);
    this.seek = seek;
    this.button.addEventListener("click", () => {
      if (!this.close()) this.open();
    });
    document.addEventListener("pointerdown", (event) => {
      const inside = event.target instanceof Node && (this.panel.contains(event.target) || this.button.contains(event.target));
      if (!inside) this.close();
    });
  }

  set(list: Chapter[]): void {
    this.list = list;
    this.length = 0;
    this.present = null;
    this.rows.replaceChildren(
      ...list.map((one) => {
        const button = make("button", { type: "button", class: "settings__chapter" }, make("span", { class: "numeric" }, clock(one.start)), make("span", {}, one.title));
        button.addEventListener("click", () => {
          this.seek(one.start);
          this.close();
          this.button.focus();
        });
        return make("li", {}, button);
      }),
    );
  }

  titleAt(seconds: number): string {
    return chapterAt(this.list, seconds)?.title ?? "";
  }

  beside(seconds: number, by: 1 | -1): Chapter | null {
    return chapterBeside(this.list, seconds, by);
  }

  get shown(): boolean {
    return !this.panel.hidden;
  }

  close(): boolean {
    if (this.panel.hidden) return false;
    this.panel.hidden = true;
    this.button.setAttribute("aria-expanded", "false");
    return true;
  }

  focusButton(): void {
    this.button.focus();
  }

  draw(seconds: number, length: number): void {
    const present = chapterAt(this.list, seconds);
    this.button.hidden = !present;
    setText(this.name, present?.title ?? "");
    if (present !== this.present) {
      this.present = present;
      [...this.rows.querySelectorAll("button")].forEach((button, i) => {
        if (this.list[i] === present) button.setAttribute("aria-current", "true");
        else button.removeAttribute("aria-current");
      });
    }
    if (length === this.length) return;
    this.length = length;
    const inside = this.list.filter((one) => one.start > 0 && one.start < length);
    this.marks.replaceChildren(
      ...inside.map((one) => {
        const mark = make("div", { class: "seek__mark" });
        mark.style.left = `${(one.start / length) * 100}%`;
        return mark;
      }),
    );
  }

  private open(): void {
    this.panel.hidden = false;
    this.button.setAttribute("aria-expanded", "true");
    (this.rows.querySelector<HTMLElement>("[aria-current]") ?? this.rows.querySelector<HTMLElement>("button"))?.focus();
  }
}
