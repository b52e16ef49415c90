import { need, setIcon, setText } from "../lib/dom.ts";
import { clock } from "../lib/format.ts";
import { texts } from "../lib/texts.ts";
import type { Engine } from "./engine.ts";
import { actOf, keepsKey, type Act } from "./keys.ts";
import { SeekBar } from "./seekbar.ts";
import { Settings, SPEEDS } from "./settings.ts";

const t = texts.player;
const IDLE = 2800; // ms without a move until the controls fade
const ECHO = 900; // ms that the word for a key press stays
const FRAME = 1 / 30; // seconds; near enough where the true rate is not known
const DOUBLE_TAP = 300; // ms
const REMEMBER = "streamhost.player";

interface Memory {
  volume: number;
  muted: boolean;
  anywhere: boolean;
}

function remembered(): Memory {
  const start: Memory = { volume: 1, muted: false, anywhere: true };
  try {
    return { ...start, ...(JSON.parse(localStorage.getItem(REMEMBER) ?? "{}") as Partial<Memory>) };
  } catch {
    return start;
  }
}

/** Buttons, seek bar, keys, fading: everything one touches. */
export class Controls {
  private readonly root: HTMLElement;
  private readonly video: HTMLVideoElement;
  private readonly start: HTMLButtonElement;
  private readonly engine: Engine;
  private readonly seekBar: SeekBar;
  private readonly settings: Settings;
  private readonly memory = remembered();
  private idleTimer = 0;
  private echoTimer = 0;
  private lastTap = 0;

  constructor(root: HTMLElement, engine: Engine) {
    this.root = root;
    this.engine = engine;
    this.video = engine.video;
    this.start = need<HTMLButtonElement>("[data-start]", root);
    this.seekBar = new SeekBar(root, engine);
    this.settings = new Settings(root, engine, () => this.wake());
    this.video.volume = this.memory.volume;
    this.video.muted = this.memory.muted;
    this.listenToButtons();
    this.listenToVideo();
    this.listenToPointer();
    this.listenToKeys();
  }

  /** Show what can be touched, once there is something to play. */
  show(): void {
    need("[data-controls]", this.root).hidden = false;
    this.start.hidden = this.video.currentTime > 0 || !this.video.paused;
    need("[data-do=pip]", this.root).hidden = !document.pictureInPictureEnabled;
    this.seekBar.begin();
    this.draw();
  }

  hide(): void {
    need("[data-controls]", this.root).hidden = true;
    this.start.hidden = true;
  }

  /** The choice of qualities is new, or another one is playing. */
  drawQualities(): void {
    this.settings.draw();
    const captions = this.settings.captions();
    const button = this.button("captions");
    button.hidden = !captions.length;
    const on = captions.some((one) => one.active);
    button.setAttribute("aria-pressed", String(on));
    setIcon(button, on ? "captions" : "captions-off");
  }

  private button(name: string): HTMLElement {
    return need(`[data-do=${name}]`, this.root);
  }

  private listenToButtons(): void {
    this.start.addEventListener("click", () => {
      void this.play();
      this.video.focus({ preventScroll: true });
    });
    for (const name of ["toggle", "mute", "fullscreen", "pip", "shortcuts", "captions"] as const) {
      this.button(name).addEventListener("click", () => this.act({ do: name }, false));
    }
    const volume = need<HTMLInputElement>("[data-volume]", this.root);
    volume.addEventListener("input", () => {
      this.video.volume = Number(volume.value);
      this.video.muted = this.video.volume === 0;
    });
    const anywhere = document.querySelector<HTMLInputElement>("[data-keys-anywhere]");
    if (!anywhere) return;
    anywhere.checked = this.memory.anywhere;
    anywhere.addEventListener("change", () => this.remember({ anywhere: anywhere.checked }));
  }

  private listenToVideo(): void {
    for (const name of ["play", "pause", "ended", "volumechange", "durationchange", "timeupdate", "progress", "seeking", "seeked", "ratechange"]) {
      this.video.addEventListener(name, () => this.draw());
    }
    this.video.addEventListener("play", () => {
      this.start.hidden = true;
      this.root.querySelector("[data-poster]")?.remove();
      this.wake();
    });
    this.video.addEventListener("seeked", () => this.root.querySelector("[data-poster]")?.remove());
    this.video.addEventListener("pause", () => this.wake());
    this.video.addEventListener("volumechange", () => this.remember({ volume: this.video.volume, muted: this.video.muted }));
    document.addEventListener("fullscreenchange", () => this.draw());
  }

  private listenToPointer(): void {
    this.root.addEventListener("pointermove", () => this.wake());
    this.root.addEventListener("focusin", () => this.wake());
    this.root.addEventListener("pointerleave", () => this.sleepSoon(600));
    this.video.addEventListener("click", (event) => {
      if (this.settings.closeIfOpen()) return;
      if ((event as PointerEvent).pointerType === "touch") this.tap(event);
      else void this.toggle();
    });
    this.video.addEventListener("dblclick", (event) => {
      if ((event as PointerEvent).pointerType !== "touch") void this.fullscreen();
    });
  }

  /** One tap shows or hides the controls, two on a side skip. */
  private tap(event: MouseEvent): void {
    const twice = event.timeStamp - this.lastTap < DOUBLE_TAP;
    this.lastTap = twice ? 0 : event.timeStamp;
    const box = this.root.getBoundingClientRect();
    if (twice) this.act({ do: "skip", seconds: event.clientX < box.left + box.width / 2 ? -10 : 10 });
    else if (this.root.classList.contains("player--idle")) this.wake();
    else this.sleepSoon(250);
  }

  private listenToKeys(): void {
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && this.settings.closeIfOpen()) {
        this.button("settings").focus();
        return;
      }
      if (!this.memory.anywhere && !this.root.contains(document.activeElement)) return;
      const act = event.defaultPrevented || keepsKey(event.target, event.key) ? null : actOf(event);
      if (!act || need("[data-controls]", this.root).hidden) return;
      event.preventDefault();
      this.wake();
      this.act(act);
    });
  }

  private act(act: Act, say = true): void {
    const video = this.video;
    let word = "";
    switch (act.do) {
      case "toggle":
        void this.toggle();
        break;
      case "mute":
        video.muted = !video.muted;
        word = video.muted ? t.muted : t.volume(Math.round(video.volume * 100));
        break;
      case "volume":
        video.volume = Math.min(1, Math.max(0, Math.round((video.volume + act.by) * 100) / 100));
        video.muted = video.volume === 0;
        word = t.volume(Math.round(video.volume * 100));
        break;
      case "skip":
        this.seek(video.currentTime + act.seconds);
        word = act.seconds > 0 ? t.forward(act.seconds) : t.back(-act.seconds);
        break;
      case "jump":
        this.seek(video.duration * act.fraction);
        word = clock(video.duration * act.fraction);
        break;
      case "frame":
        if (!video.paused) return;
        this.seek(video.currentTime + act.by * FRAME);
        word = t.frame;
        break;
      case "speed":
        word = t.speedNow(this.faster(act.by));
        break;
      case "fullscreen":
        void this.fullscreen();
        break;
      case "pip":
        void this.pip();
        break;
      case "captions":
        if (!this.settings.captions().length) return;
        word = t.captions(this.engine.tracks.toggle());
        break;
      case "shortcuts":
        need<HTMLDialogElement>("#shortcuts-dialog").showModal();
        break;
    }
    if (say && word) this.echo(word);
  }

  private seek(to: number): void {
    if (!Number.isFinite(this.video.duration)) return;
    this.video.currentTime = Math.min(this.video.duration, Math.max(0, to));
    this.start.hidden = true;
  }

  private faster(by: 1 | -1): number {
    const at = SPEEDS.findIndex((speed) => speed >= this.engine.speed);
    const next = SPEEDS[Math.min(SPEEDS.length - 1, Math.max(0, at + by))] ?? 1;
    this.engine.speed = next;
    this.settings.draw();
    return next;
  }

  private async toggle(): Promise<void> {
    if (this.video.paused) await this.play();
    else this.video.pause();
  }

  private async play(): Promise<void> {
    // A play() that a pause overtakes rejects; the buttons follow the events, so there is nothing to tell.
    await this.video.play().catch(() => undefined);
  }

  private async fullscreen(): Promise<void> {
    const phone = this.video as HTMLVideoElement & { webkitEnterFullscreen?: () => void };
    if (document.fullscreenElement) await document.exitFullscreen();
    else if (document.fullscreenEnabled) await this.root.requestFullscreen().catch(() => undefined);
    else phone.webkitEnterFullscreen?.();
  }

  private async pip(): Promise<void> {
    if (document.pictureInPictureElement) await document.exitPictureInPicture();
    else if (document.pictureInPictureEnabled) await this.video.requestPictureInPicture().catch(() => undefined);
  }

  private wake(): void {
    this.root.classList.remove("player--idle");
    this.sleepSoon(IDLE);
  }

  private sleepSoon(delay: number): void {
    window.clearTimeout(this.idleTimer);
    this.idleTimer = window.setTimeout(() => {
      if (!this.video.paused && !this.settings.open) this.root.classList.add("player--idle");
    }, delay);
  }

  private echo(word: string): void {
    const box = need("[data-echo]", this.root);
    box.hidden = false;
    setText(box, word);
    window.clearTimeout(this.echoTimer);
    this.echoTimer = window.setTimeout(() => {
      box.hidden = true;
    }, ECHO);
  }

  private remember(change: Partial<Memory>): void {
    Object.assign(this.memory, change);
    try {
      localStorage.setItem(REMEMBER, JSON.stringify(this.memory));
    } catch {
      // A browser that keeps nothing still plays.
    }
  }

  private label(name: string, label: string, picture: string): void {
    const button = this.button(name);
    setIcon(button, picture);
    if (button.getAttribute("aria-label") !== label) button.setAttribute("aria-label", label);
  }

  private draw(): void {
    const { video } = this;
    const word = video.ended ? t.replay : video.paused ? t.play : t.pause;
    this.label("toggle", word, video.ended ? "rotate-ccw" : video.paused ? "play" : "pause");
    const silent = video.muted || video.volume === 0;
    this.label("mute", silent ? t.unmute : t.mute, silent ? "volume-x" : video.volume < 0.5 ? "volume-1" : "volume-2");
    const full = document.fullscreenElement !== null;
    this.label("fullscreen", full ? t.leaveFullscreen : t.fullscreen, full ? "minimize" : "maximize");
    const volume = need<HTMLInputElement>("[data-volume]", this.root);
    volume.value = String(silent ? 0 : video.volume);
    setText(need("[data-now]", this.root), clock(video.currentTime));
    if (Number.isFinite(video.duration)) setText(need("[data-length]", this.root), clock(video.duration));
    this.seekBar.draw();
  }
}
