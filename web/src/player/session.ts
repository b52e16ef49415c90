import { make, need, setText } from "../lib/dom.ts";
import { clock } from "../lib/format.ts";
import { Problem } from "../lib/http.ts";
import { failureText, stateText } from "../lib/states.ts";
import { texts } from "../lib/texts.ts";
import { settled, type Stream, type Video } from "../lib/types.ts";
import { Controls, type Around } from "./controls.ts";
import { Ending } from "./ending.ts";
import { Engine, type Format } from "./engine.ts";
import type { Options } from "./options.ts";
import { Places, worthResuming, type Place } from "./places.ts";
import { troubleOf, type Trouble } from "./problems.ts";
import { attachTelemetry, type Telemetry } from "./telemetry.ts";

const RESUMED = 10_000; // ms that the way back to the beginning is offered

/** One player on one page: waits for a video that is not there yet, plays it, and says what went wrong in words. */
export class Session {
  readonly videoId: string;
  readonly engine: Engine;
  readonly controls: Controls;
  readonly ending: Ending | null;
  private readonly root: HTMLElement;
  private readonly message: HTMLElement;
  private readonly wait: HTMLElement;
  private readonly options: Options;
  private readonly places: Places | null;
  private readonly telemetry: Telemetry;
  private loading = false;
  private loaded = false;
  private known: string | null = null;
  private stale = false;
  private over = false;
  private passing = false;
  private ready = false;
  private start = 0;

  constructor(root: HTMLElement, options: Options, around: Around = {}) {
    const { video = "", format, embedded, related } = root.dataset;
    this.root = root;
    this.options = options;
    this.videoId = video;
    this.message = need("[data-message]", root);
    this.wait = need("[data-wait]", root);
    const kind: Format = format === "hls" ? "hls" : "dash";
    const listener = {
      failed: (error: unknown) => this.failed(error),
      waiting: (yes: boolean) => this.waiting(yes),
      qualities: () => this.controls.drawQualities(),
    };
    this.engine = new Engine(need<HTMLVideoElement>("[data-media]", root), video, kind, listener, given(root));
    const next = related && embedded === undefined ? { next: () => void this.ending?.next() } : {};
    this.controls = new Controls(root, this.engine, { ...next, ...around });
    const goesOn = () => this.controls.settings.goesOn && embedded === undefined;
    this.ending = related ? new Ending(root, this.engine.video, related, embedded !== undefined, goesOn) : null;
    this.places = embedded === undefined ? new Places(video, elsewhere(root)) : null;
    const grant = () => (embedded === undefined ? null : this.engine.permission);
    this.telemetry = attachTelemetry(this.engine, video, { grant });
    this.engine.video.loop = options.loop;
    this.engine.tracks.asked = options.captions;
    if (options.muted) this.controls.mute();
    this.engine.video.addEventListener("pause", () => void this.renewIfStale());
    window.addEventListener("online", () => this.recover());
  }

  /** Load what the address asks for, at the place it names or where somebody left off. */
  async begin(): Promise<void> {
    await this.load(this.options.at ?? this.places?.at ?? 0);
  }

  /** The video is still being made: show how far it is, start when it can play, take in qualities as they come. */
  changed(video: Video): void {
    const ready = video.renditions
      .filter((one) => one.ready)
      .map((one) => one.name)
      .join();
    const failed = video.state === "failed" || video.state === "rejected";
    const over = settled(video) && !failed;
    const more = this.known !== null && ready !== this.known;
    if ((this.loaded || this.loading) && (more || (over && !this.over))) this.stale = true;
    this.known = ready;
    this.over = over;
    if (failed) this.say(texts.processing.failedTitle, failureText(video));
    else if (!video.playable) this.progress(video);
    else if (!this.loaded && !this.loading) {
      this.loaded = true;
      void this.begin();
    } else if (over) void this.renewIfStale();
  }

  /** Nothing more is heard of how far the video is. */
  lost(problem: Problem): void {
    if (!this.loaded) setText(this.message.querySelector("[data-message-text]"), problem.status ? problem.message : texts.processing.lost);
  }

  get playing(): boolean {
    return this.loaded;
  }

  private async load(start: number): Promise<void> {
    this.start = start;
    this.loading = true;
    this.stale = false;
    this.message.hidden = true;
    this.message.classList.remove("player__message--over");
    this.wait.hidden = false;
    this.passing = false;
    try {
      await this.engine.load(start);
      this.loaded = true;
      this.controls.show();
      this.begun();
    } catch (error) {
      this.stale = false; // whoever tries again reads everything anew
      this.failed(error);
    } finally {
      this.loading = false;
      this.wait.hidden = true;
    }
    if (this.over) void this.renewIfStale();
  }

  /** It can play for the first time. */
  private begun(): void {
    if (this.ready) return;
    this.ready = true;
    const { video } = this.engine;
    this.places?.follow(video, this.start);
    if (this.options.at === null && worthResuming(this.start, video.duration)) this.sayResumed(this.start);
    if (this.options.autoplay) void this.controls.play();
  }

  private waiting(yes: boolean): void {
    this.wait.hidden = !yes || this.engine.video.paused;
    this.telemetry.waiting(yes);
    if (yes) void this.renewIfStale();
  }

  private progress(video: Video): void {
    const text = video.state === "received" ? texts.processing.waiting : texts.processing.working(stateText(video));
    setText(this.message.querySelector("[data-message-text]"), text);
    const bar = this.message.querySelector<HTMLProgressElement>("[data-message-progress]");
    if (bar) bar.value = video.progress;
  }

  /** Manifests do not change while they play: read them anew where that does not disturb, one time after the other. */
  private async renewIfStale(): Promise<void> {
    const idle = this.engine.video.paused || !this.wait.hidden;
    if (!this.stale || !this.loaded || this.loading || !idle) return;
    this.stale = false;
    this.loading = true;
    await this.engine.load().catch((error: unknown) => this.failed(error));
    this.loading = false;
    if (this.over) void this.renewIfStale();
  }

  /** The connection is back: what had failed for want of it is tried again without a click. */
  private recover(): void {
    if (this.passing && !this.message.hidden) void this.load(this.start);
  }

  private failed(error: unknown): void {
    const trouble = troubleOf(error);
    this.passing = trouble.passing ?? false;
    this.telemetry.failed(trouble.code);
    this.controls.hide();
    this.say(trouble.title, trouble.text);
    const way = this.wayOut(trouble);
    if (way) this.message.append(way);
    if (way instanceof HTMLButtonElement) way.focus({ preventScroll: true });
  }

  /** What somebody can do about it: a button or a link. */
  private wayOut(trouble: Trouble): HTMLElement | null {
    const { retry, reload, signIn, home } = texts.player;
    const target = this.root.dataset["embedded"] === undefined ? "_self" : "_blank";
    if (trouble.way === "retry" || trouble.way === "reload") {
      this.message.append(make("p", { class: "small" }, texts.playback.code(trouble.code)));
      const button = make("button", { type: "button", class: "button" }, trouble.way === "retry" ? retry : reload);
      button.addEventListener("click", () => (trouble.way === "retry" ? void this.load(this.start) : window.location.reload()));
      return button;
    }
    if (trouble.way === "sign-in") {
      const next = encodeURIComponent(window.location.pathname + window.location.search);
      return make("a", { class: "button", href: `/login?next=${next}`, target }, signIn);
    }
    return trouble.way === "leave" ? make("a", { class: "button", href: "/", target }, home) : null;
  }

  private say(title: string, text: string): void {
    this.message.replaceChildren(make("h2", { role: "alert" }, title), make("p", {}, text));
    this.message.classList.add("player__message--over");
    this.message.hidden = false;
  }

  private sayResumed(at: number): void {
    const box = need("[data-resumed]", this.root);
    setText(need("[data-resumed-text]", box), texts.player.resumed(clock(at)));
    box.hidden = false;
    const hide = () => {
      box.hidden = true;
    };
    need("[data-restart]", box).addEventListener("click", () => {
      this.controls.seek(0);
      hide();
      void this.controls.play();
      this.engine.video.focus({ preventScroll: true });
    });
    this.engine.video.addEventListener("playing", () => window.setTimeout(hide, RESUMED), { once: true });
  }
}

/** Where the one who is signed in left off, as the site knows it. */
function elsewhere(root: HTMLElement): Place | null {
  const { place, placeNoted } = root.dataset;
  return place ? { at: Number(place), noted: Number(placeNoted) * 1000 } : null;
}

/** The permission to play that the server has put into the page. */
function given(root: HTMLElement): Stream | null {
  const text = root.querySelector("script[data-stream]")?.textContent;
  return text ? (JSON.parse(text) as Stream) : null;
}
