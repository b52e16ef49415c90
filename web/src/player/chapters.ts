import { make, need, setText } from "../lib/dom.ts";
import type { Chapter } from "../lib/types.ts";

/** The chapter that a place lies in, null before the first. */
export function chapterAt(chapters: Chapter[], seconds: number): Chapter | null {
  return chapters.findLast((one) => one.start <= seconds) ?? null;
}

/** Marks on the seek bar where chapters begin, and the name of the present one beside the clock. */
export class Chapters {
  private readonly marks: HTMLElement;
  private readonly name: HTMLElement;
  private list: Chapter[] = [];
  private length = 0;

  constructor(root: HTMLElement) {
    this.marks = need("[data-chapter-marks]", root);
    this.name = need("[data-chapter]", root);
  }

  set(list: Chapter[]): void {
    this.list = list;
    this.length = 0;
  }

  titleAt(seconds: number): string {
    return chapterAt(this.list, seconds)?.title ?? "";
  }

  draw(seconds: number, length: number): void {
    const title = this.titleAt(seconds);
    setText(this.name, title);
    this.name.hidden = !title;
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
}
