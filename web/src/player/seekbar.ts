import { make, need, setText } from "../lib/dom.ts";
import { clock } from "../lib/format.ts";
import { texts } from "../lib/texts.ts";
import type { Engine } from "./engine.ts";

/** A native range, so that keys and screen readers know it, over a drawing of what is loaded and played. */
export class SeekBar {
  private readonly engine: Engine;
  private readonly video: HTMLVideoElement;
  private readonly input: HTMLInputElement;
  private readonly played: HTMLElement;
  private readonly loaded: HTMLElement;
  private readonly tip: HTMLOutputElement;
  private dragging = false;

  constructor(root: HTMLElement, engine: Engine) {
    this.engine = engine;
    this.video = engine.video;
    this.input = need<HTMLInputElement>("[data-position]", root);
    this.played = need("[data-played]", root);
    this.loaded = need("[data-buffered]", root);
    this.tip = need<HTMLOutputElement>("[data-tip]", root);
    this.input.addEventListener("input", () => {
      this.dragging = true;
      this.video.currentTime = Number(this.input.value) * this.length;
      this.draw();
    });
    this.input.addEventListener("change", () => {
      this.dragging = false;
    });
    const bar = need("[data-seek]", root);
    bar.addEventListener("pointermove", (event) => this.hover(event));
    bar.addEventListener("pointerleave", () => {
      this.tip.hidden = true;
    });
  }

  draw(): void {
    const at = this.length ? this.video.currentTime / this.length : 0;
    if (!this.dragging) this.input.value = String(at);
    this.input.setAttribute("aria-valuetext", texts.player.position(clock(this.video.currentTime), clock(this.length)));
    this.played.style.width = `${at * 100}%`;
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
    const fraction = Math.min(1, Math.max(0, (event.clientX - box.left) / box.width));
    this.tip.hidden = event.pointerType === "touch";
    setText(this.tip, clock(fraction * this.length));
    const half = this.tip.offsetWidth / 2;
    this.tip.style.left = `${Math.min(box.width - half, Math.max(half, fraction * box.width))}px`;
  }
}
