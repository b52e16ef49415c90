import { need, setIcon, setText } from "../lib/dom.ts";
import { clock } from "../lib/format.ts";
import { Store } from "../lib/store.ts";
import { texts } from "../lib/texts.ts";
import type { Engine } from "./engine.ts";
import { Gestures } from "./gestures.ts";
import { actOf, keepsKey, type Act } from "./keys.ts";
import { CaptionLook } from "./looks.ts";
import { startMediaSession } from "./media_session.ts";
import { SeekBar } from "./seekbar.ts";
import { Settings, SPEEDS } from "./settings.ts";

const t = texts.player;
// Seconds. Shaka 5.2 takes exactly 0 for a start that has not been made yet, and would go where it was told to start once more.
const EARLIEST = 0.001;
const ECHO = 900; // ms that the word for a key press stays
const FRAME = 1 / 30; // seconds; near enough where the true rate is not known
const BUTTONS = ["toggle", "mute", "fullscreen", "pip", "shortcuts", "captions", "theatre"] as const;

interface Memory {
  volume: number;
  muted: boolean;
  anywhere: boolean;
}

/** What the page around the player can do; where it cannot, the keys for it do nothing. */
export interface Around {
  theatre?: () => void;
  share?: () => void;
  next?: () => void;
}

/** Buttons, seek bar, keys: everything one touches. */
export class Controls {
  readonly settings: Settings;
  private readonly root: HTMLElement;
  private readonly video: HTMLVideoElement;
  private readonly start: HTMLButtonElement;
  private readonly engine: Engine;
  private readonly seekBar: SeekBar;
  private readonly looks: CaptionLook;
  private readonly gestures: Gestures;
  private readonly around: Around;
  private readonly memory = new Store<Memory>("streamhost.player", { volume: 1, muted: false, anywhere: true });
  private echoTimer = 0;

  constructor(root: HTMLElement, engine: Engine, around: Around) {
    this.root = root;
    this.engine = engine;
    this.around = around;
    this.video = engine.video;
    this.start = need<HTMLButtonElement>("[data-start]", root);
    this.seekBar = new SeekBar(root, engine, (to) => this.seek(to));
    this.settings = new Settings(root, engine, () => this.gestures.wake());
    this.looks = new CaptionLook(root);
    this.gestures = new Gestures(root, this.video, {
      toggle: () => void this.toggle(),
      fullscreen: () => void this.fullscreen(),
      skip: (seconds) => this.seek(this.video.currentTime + seconds),
      close: () => this.closePanels() !== null,
      held: () => this.settings.open || this.seekBar.chapters.shown,
    });
    this.video.volume = this.memory.value.volume;
    this.video.muted = this.memory.value.muted;
    this.listenToButtons();
    this.listenToVideo();
    this.listenToKeys();
    startMediaSession(root, this.video, {
      skip: (seconds) => this.seek(this.video.currentTime + seconds),
      seek: (to) => this.seek(to),
      next: around.next ?? null,
    });
  }

  /** Show what can be touched, once there is something to play. */
  show(): void {
    need("[data-controls]", this.root).hidden = false;
    this.start.hidden = this.video.currentTime > 0 || !this.video.paused;
    this.button("pip").hidden = !document.pictureInPictureEnabled;
    this.seekBar.begin();
    this.draw();
  }

  hide(): void {
    need("[data-controls]", this.root).hidden = true;
    this.closePanels();
    this.start.hidden = true;
  }

  /** The choice of qualities is new, or another one is playing. */
  drawQualities(): void {
    this.settings.drawNow();
    const { shown } = this.engine.tracks;
    const button = this.button("captions");
    button.hidden = shown === null;
    this.looks.offer(shown !== null);
    button.setAttribute("aria-pressed", String(shown === true));
    setIcon(button, shown ? "captions" : "captions-off");
  }

  seek(to: number): void {
    if (!Number.isFinite(this.video.duration)) return;
    this.video.currentTime = Math.min(this.video.duration, Math.max(EARLIEST, this.engine.reachable(to)));
    this.start.hidden = true;
  }

  async play(): Promise<void> {
    // A play() that a pause overtakes rejects; the buttons follow the events, so there is nothing to tell.
    await this.video.play().catch(() => undefined);
  }

  /** Muted for this page alone, because its address says so. */
  mute(): void {
    this.video.muted = true;
  }

  echo(word: string): void {
    const box = need("[data-echo]", this.root);
    box.hidden = false;
    setText(box, word);
    window.clearTimeout(this.echoTimer);
    this.echoTimer = window.setTimeout(() => {
      box.hidden = true;
    }, ECHO);
  }

  private button(name: string): HTMLElement {
    return need(`[data-do=${name}]`, this.root);
  }

  private listenToButtons(): void {
    this.start.addEventListener("click", () => {
      void this.play();
      this.video.focus({ preventScroll: true });
    });
    for (const name of BUTTONS) {
      this.root.querySelector(`[data-do=${name}]`)?.addEventListener("click", () => this.act({ do: name }, false));
    }
    const volume = need<HTMLInputElement>("[data-volume]", this.root);
    volume.addEventListener("input", () => {
      this.video.volume = Number(volume.value);
      this.video.muted = this.video.volume === 0;
      this.remember();
    });
    const anywhere = document.querySelector<HTMLInputElement>("[data-keys-anywhere]");
    if (!anywhere) return;
    anywhere.checked = this.memory.value.anywhere;
    anywhere.addEventListener("change", () => this.memory.set({ anywhere: anywhere.checked }));
  }

  private listenToVideo(): void {
    for (const name of ["play", "pause", "ended", "volumechange", "durationchange", "timeupdate", "progress", "seeking", "seeked", "ratechange"]) {
      this.video.addEventListener(name, () => this.draw());
    }
    this.video.addEventListener("play", () => {
      this.start.hidden = true;
      this.root.querySelector("[data-poster]")?.remove();
      this.root.classList.add("player--begun");
      this.gestures.wake();
    });
    this.video.addEventListener("seeked", () => this.root.querySelector("[data-poster]")?.remove());
    this.video.addEventListener("pause", () => this.gestures.wake());
    document.addEventListener("fullscreenchange", () => this.draw());
  }

  /** Close what is open over the picture; answers what gives the focus back, null where nothing was open. */
  private closePanels(): (() => void) | null {
    if (this.settings.closeIfOpen()) return () => this.button("settings").focus();
    if (this.seekBar.chapters.close()) return () => this.seekBar.chapters.focusButton();
    return null;
  }

  private listenToKeys(): void {
    document.addEventListener("keydown", (event) => {
      const focus = event.key === "Escape" ? this.closePanels() : null;
      if (focus) {
        focus();
        return;
      }
      if (!this.memory.value.anywhere && !this.root.contains(document.activeElement)) return;
      const act = event.defaultPrevented || keepsKey(event.target, event.key) ? null : actOf(event);
      if (!act || need("[data-controls]", this.root).hidden) return;
      event.preventDefault();
      this.gestures.wake();
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
        this.remember();
        word = video.muted ? t.muted : t.volume(Math.round(video.volume * 100));
        break;
      case "volume":
        video.volume = Math.min(1, Math.max(0, Math.round((video.volume + act.by) * 100) / 100));
        video.muted = video.volume === 0;
        this.remember();
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
      case "chapter":
        word = this.toChapter(act.by);
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
      case "theatre":
        this.around.theatre?.();
        break;
      case "pip":
        void this.pip();
        break;
      case "captions":
        if (this.engine.tracks.shown === null) return;
        word = t.captions(this.engine.tracks.toggle());
        break;
      case "shortcuts":
        need<HTMLDialogElement>("#shortcuts-dialog").showModal();
        break;
      case "share":
        this.around.share?.();
        break;
      case "next":
        this.around.next?.();
        break;
    }
    if (say && word) this.echo(word);
  }

  private toChapter(by: 1 | -1): string {
    const chapter = this.seekBar.chapters.beside(this.video.currentTime, by);
    if (chapter) this.seek(chapter.start);
    return chapter?.title ?? "";
  }

  private faster(by: 1 | -1): number {
    const at = SPEEDS.findIndex((speed) => speed >= this.engine.speed);
    const next = SPEEDS[Math.min(SPEEDS.length - 1, Math.max(0, at + by))] ?? 1;
    this.engine.speed = next;
    this.settings.drawNow();
    return next;
  }

  private async toggle(): Promise<void> {
    if (this.video.paused) await this.play();
    else this.video.pause();
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

  /** Only what somebody chose by hand is kept for other videos. */
  private remember(): void {
    this.memory.set({ volume: this.video.volume, muted: this.video.muted });
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
    this.button("toggle").querySelector("svg")?.classList.toggle("icon--solid", !video.ended);
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
