import { make, need, setText } from "../lib/dom.ts";
import { clock } from "../lib/format.ts";
import { texts } from "../lib/texts.ts";
import { Chapters } from "./chapters.ts";
import type { Engine } from "./engine.ts";
import { Previews } from "./previews.ts";

/** A native range, so that keys and screen readers know it, over a drawing of what is loaded and played. */
export class SeekBar {
  readonly chapters: Chapters;
  private readonly engine: Engine;
  private readonly video: HTMLVideoElement;
  private readonly input: HTMLInputElement;
  private readonly played: HTMLElement;
  private readonly loaded: HTMLElement;
  private readonly missing: HTMLElement;
  private readonly tip: HTMLElement;
  private readonly clock: HTMLOutputElement;
  private readonly previews: Previews;
  private dragging = false;

  constructor(root: HTMLElement, engine: Engine, seek: (to: number) => void) {
    this.engine = engine;
    this.video = engine.video;
    this.input = need<HTMLInputElement>("[data-position]", root);
    this.played = need("[data-played]", root);
    this.loaded = need("[data-buffered]", root);
    this.missing = need("[data-missing]", root);
    this.tip = need("[data-tip]", root);
    this.clock = need<HTMLOutputElement>("[data-tip-time]", root);
    this.previews = new Previews(need("[data-preview]", root), () => engine.storyboard);
    this.chapters = new Chapters(root, seek);
    this.input.addEventListener("input", () => {
      this.dragging = true;
      const at = Number(this.input.value);
      this.video.currentTime = this.engine.reachable(at * this.length);
      this.draw();
      this.point(at);
    });
    this.input.addEventListener("change", () => {
      this.dragging = false;
      if (!this.input.matches(":hover")) this.tip.hidden = true;
    });
    this.input.addEventListener("blur", () => {
      this.tip.hidden = true;
    });
    const bar = need("[data-seek]", root);
    bar.addEventListener("pointermove", (event) => this.hover(event));
    bar.addEventListener("pointerleave", () => {
      this.tip.hidden = true;
    });
  }

  /** The stream is new, and its chapters with it. */
  begin(): void {
    this.chapters.set(this.engine.chapters);
    this.draw();
  }

  draw(): void {
    this.chapters.draw(this.video.currentTime, this.length);
    const at = this.length ? this.video.currentTime / this.length : 0;
    if (!this.dragging) this.input.value = String(at);
    const chapter = this.chapters.titleAt(this.video.currentTime);
    const place = texts.player.position(clock(this.video.currentTime), clock(this.length));
    const { reaches } = this.engine;
    const made = reaches === null ? "" : texts.player.madeTo(clock(reaches));
    this.input.setAttribute("aria-valuetext", [place, chapter, made].filter(Boolean).join(", "));
    this.played.style.width = `${at * 100}%`;
    this.missing.hidden = reaches === null;
    if (reaches !== null && this.length) this.missing.style.left = `${(reaches / this.length) * 100}%`;
    const ranges = this.engine.buffered();
    while (this.loaded.childElementCount < ranges.length) this.loaded.append(make("div", { class: "seek__buffered" }));
    while (this.loaded.childElementCount > ranges.length) this.loaded.lastElementChild?.remove();
    ranges.forEach(([from, to], i) => {
      const piece = this.loaded.children[i] as HTMLElement;
      piece.style.left = `${(from / this.length) * 100}%`;
      piece.style.width = `${((to - from) / this.length) * 100}%`;
    });
  }

  private get length(): number {
    return Number.isFinite(this.video.duration) ? this.video.duration : 0;
  }

  private hover(event: PointerEvent): void {
    const box = this.input.getBoundingClientRect();
    if (event.pointerType !== "touch") this.point(Math.min(1, Math.max(0, (event.clientX - box.left) / box.width)));
  }

  /** Show the time, the chapter, and the picture if there is one, of a place on the bar (0..1). */
  private point(fraction: number): void {
    const box = this.input.getBoundingClientRect();
    this.tip.hidden = false;
    const place = fraction * this.length;
    const about = this.engine.reachable(place) < place ? texts.player.notMade : this.chapters.titleAt(place);
    setText(this.clock, clock(place) + (about ? ` · ${about}` : ""));
    this.previews.show(place);
    const half = this.tip.offsetWidth / 2;
    this.tip.style.left = `${Math.min(box.width - half, Math.max(half, fraction * box.width))}px`;
  }
}
