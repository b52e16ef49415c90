import { need, setText } from "../lib/dom.ts";
import { texts } from "../lib/texts.ts";

const IDLE = 2800; // ms without a move until the controls fade
const GONE = 600; // ms after the pointer has left
const DOUBLE_TAP = 300; // ms
const SKIP = 10; // seconds for each further tap
const SHOWN = 700; // ms that the sum of a skip stays

interface Hand {
  toggle(): void;
  fullscreen(): void;
  skip(seconds: number): void;
  /** An open panel takes the click; answers whether there was one. */
  close(): boolean;
  /** Nothing may fade now. */
  held(): boolean;
}

/** Mouse and touch on the picture: clicks, taps on a side, and controls that fade when nobody moves. */
export class Gestures {
  private readonly root: HTMLElement;
  private readonly video: HTMLVideoElement;
  private readonly hand: Hand;
  private idleTimer = 0;
  private tapTimer = 0;
  private skipTimer = 0;
  private lastTap = 0;
  private side = 0;
  private sum = 0;

  constructor(root: HTMLElement, video: HTMLVideoElement, hand: Hand) {
    this.root = root;
    this.video = video;
    this.hand = hand;
    root.addEventListener("pointermove", (event) => {
      if (event.pointerType !== "touch") this.wake();
    });
    root.addEventListener("pointerdown", (event) => {
      if (event.target !== video) this.wake();
    });
    root.addEventListener("focusin", () => this.wake());
    root.addEventListener("pointerleave", (event) => {
      if (event.pointerType !== "touch") this.sleepSoon(GONE);
    });
    video.addEventListener("click", (event) => {
      if (hand.close()) return;
      if ((event as PointerEvent).pointerType === "touch") this.tap(event);
      else hand.toggle();
    });
    video.addEventListener("dblclick", (event) => {
      if ((event as PointerEvent).pointerType !== "touch") hand.fullscreen();
    });
  }

  wake(): void {
    this.root.classList.remove("player--idle");
    this.sleepSoon(IDLE);
  }

  private sleepSoon(delay: number): void {
    window.clearTimeout(this.idleTimer);
    this.idleTimer = window.setTimeout(() => {
      if (!this.video.paused && !this.hand.held()) this.root.classList.add("player--idle");
    }, delay);
  }

  /** One tap shows or hides the controls; two on a side skip, and each further one there skips again. */
  private tap(event: MouseEvent): void {
    const box = this.root.getBoundingClientRect();
    const side = event.clientX < box.left + box.width / 2 ? -1 : 1;
    const again = event.timeStamp - this.lastTap < (this.sum ? SHOWN : DOUBLE_TAP) && (!this.sum || side === this.side);
    this.lastTap = event.timeStamp;
    window.clearTimeout(this.tapTimer);
    if (!again) {
      this.side = side;
      this.tapTimer = window.setTimeout(() => {
        if (this.root.classList.contains("player--idle")) this.wake();
        else this.sleepSoon(0);
      }, DOUBLE_TAP);
      return;
    }
    this.sum = side === this.side ? this.sum + SKIP : SKIP;
    this.side = side;
    this.hand.skip(side * SKIP);
    this.show(side);
  }

  private show(side: number): void {
    const boxes = { back: need("[data-skip=back]", this.root), on: need("[data-skip=on]", this.root) };
    boxes.back.hidden = side > 0;
    boxes.on.hidden = side < 0;
    setText(side > 0 ? boxes.on : boxes.back, side > 0 ? texts.player.forward(this.sum) : texts.player.back(this.sum));
    window.clearTimeout(this.skipTimer);
    this.skipTimer = window.setTimeout(() => {
      this.sum = 0;
      boxes.back.hidden = true;
      boxes.on.hidden = true;
    }, SHOWN);
  }
}
