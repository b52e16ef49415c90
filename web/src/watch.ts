import "../styles/watch.css";
import { make, need, setText } from "./lib/dom.ts";
import { Problem } from "./lib/http.ts";
import { Follower } from "./lib/live.ts";
import { startReports } from "./lib/reports.ts";
import { failureText, stateText } from "./lib/states.ts";
import { texts } from "./lib/texts.ts";
import { toast } from "./lib/toast.ts";
import { settled, type Video } from "./lib/types.ts";
import { Controls } from "./player/controls.ts";
import { Engine, type Format } from "./player/engine.ts";
import { troubleOf } from "./player/problems.ts";

/** The watch page: waits for a video that is not there yet, plays it, and says what went wrong in words. */
class WatchPage {
  private readonly root = need("[data-player]");
  private readonly message = need("[data-message]", this.root);
  private readonly wait = need("[data-wait]", this.root);
  private readonly videoId = this.root.dataset["video"] ?? "";
  private readonly engine: Engine;
  private readonly controls: Controls;
  private loaded = false;
  private known = "";
  private stale = false;

  constructor() {
    const format: Format = this.root.dataset["format"] === "hls" ? "hls" : "dash";
    this.engine = new Engine(need<HTMLVideoElement>("[data-media]", this.root), this.videoId, format, {
      failed: (error) => this.failed(error),
      waiting: (yes) => this.waiting(yes),
      qualities: () => this.controls.drawQualities(),
    });
    this.controls = new Controls(this.root, this.engine);
    this.engine.video.addEventListener("pause", () => void this.renewIfStale());
  }

  start(): void {
    const { state, playable } = this.root.dataset;
    this.startCopying();
    startReports();
    if (state === "failed" || state === "rejected") return;
    if (playable === "yes") void this.load();
    if (state !== "ready") new Follower(this.videoId, (video) => this.changed(video), (problem) => this.lost(problem));
  }

  private async load(): Promise<void> {
    this.message.hidden = true;
    this.message.classList.remove("player__message--over");
    this.wait.hidden = false;
    try {
      await this.engine.load();
      this.loaded = true;
      this.controls.show();
    } catch (error) {
      this.failed(error);
    } finally {
      this.wait.hidden = true;
    }
  }

  private waiting(yes: boolean): void {
    this.wait.hidden = !yes || this.engine.video.paused;
    if (yes) void this.renewIfStale();
  }

  /** The video is still being made: show how far it is, start when it can play, take in qualities as they come. */
  private changed(video: Video): void {
    const ready = video.renditions
      .filter((one) => one.ready)
      .map((one) => one.name)
      .join();
    if (this.loaded && ready !== this.known) this.stale = true;
    this.known = ready;
    setText(need("[data-processing-text]"), stateText(video));
    need("[data-processing]").hidden = settled(video) || !video.playable;
    if (video.state === "failed" || video.state === "rejected") this.say(texts.processing.failedTitle, failureText(video));
    else if (!video.playable) this.progress(video);
    else if (!this.loaded) {
      this.loaded = true;
      toast(texts.player.started);
      void this.load();
    } else if (settled(video)) void this.renewIfStale();
  }

  private lost(problem: Problem): void {
    if (!this.loaded) setText(this.message.querySelector("[data-message-text]"), problem.status ? problem.message : texts.processing.lost);
  }

  private progress(video: Video): void {
    const text = video.state === "received" ? texts.processing.waiting : texts.processing.working(stateText(video));
    setText(this.message.querySelector("[data-message-text]"), text);
    const bar = this.message.querySelector<HTMLProgressElement>("[data-message-progress]");
    if (bar) bar.value = video.progress;
  }

  /** Manifests do not change while they play: read them anew where that does not disturb. */
  private async renewIfStale(): Promise<void> {
    const idle = this.engine.video.paused || !this.wait.hidden;
    if (!this.stale || !this.loaded || !idle) return;
    this.stale = false;
    await this.engine.load().catch((error: unknown) => this.failed(error));
  }

  private failed(error: unknown): void {
    const trouble = troubleOf(error);
    this.controls.hide();
    this.say(trouble.title, trouble.text);
    const { retry, signIn, home } = texts.player;
    if (trouble.way === "retry") {
      this.message.append(make("p", { class: "small" }, texts.playback.code(trouble.code)));
      const button = make("button", { type: "button", class: "button" }, retry);
      button.addEventListener("click", () => void this.load());
      this.message.append(button);
      button.focus({ preventScroll: true });
    } else if (trouble.way === "sign-in") {
      const next = encodeURIComponent(window.location.pathname + window.location.search);
      this.message.append(make("a", { class: "button", href: `/login?next=${next}` }, signIn));
    } else if (trouble.way === "leave") {
      this.message.append(make("a", { class: "button", href: "/" }, home));
    }
  }

  private say(title: string, text: string): void {
    this.message.replaceChildren(make("h2", { role: "alert" }, title), make("p", {}, text));
    this.message.classList.add("player__message--over");
    this.message.hidden = false;
  }

  private startCopying(): void {
    const button = document.querySelector<HTMLElement>("[data-copy-link]");
    if (!button) return;
    button.hidden = false;
    button.addEventListener("click", async () => {
      const link = new URL(`/watch/${this.videoId}`, window.location.href).href;
      const done = await navigator.clipboard?.writeText(link).then(() => true, () => false);
      toast(done ? texts.linkCopied : texts.linkNotCopied);
    });
  }
}

new WatchPage().start();
