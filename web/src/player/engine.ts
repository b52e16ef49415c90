// Shaka Player's core behind the few words that our controls speak. Its own interface is not used: it brings styles and markup
// that a strict content security policy would refuse.

import type shaka from "shaka-player/dist/shaka-player.dash-es2021.js";
import type { Chapter, Stream } from "../lib/types.ts";
import { Grant } from "./grant.ts";
import { listedTo } from "./listed.ts";
import { Tracks } from "./tracks.ts";
import { EngineMissing, isEngineError, statusOf, Unsupported } from "./problems.ts";

export type Format = "dash" | "hls";
type Shaka = typeof shaka;
export type Player = InstanceType<Shaka["Player"]>;
type VideoTrack = ReturnType<Player["getVideoTracks"]>[number];

const CRITICAL = 2;
const MANIFEST = 0; // shaka.net.NetworkingEngine.RequestType.MANIFEST
const LICENSE = 2; // shaka.net.NetworkingEngine.RequestType.LICENSE
const FORBIDDEN = 403; // a segment's answer when its grant has ended
// About half a minute of trying: longer than a restart of the server or a change of network takes.
const ATTEMPTS = { maxAttempts: 12, baseDelay: 500, backoffFactor: 1.3, fuzzFactor: 0.3, timeout: 20_000 };
const BUFFER_AHEAD = 30; // seconds
const BUFFER_BEHIND = 30; // seconds
const LEAST_JUMP = 0.1; // seconds
const LEAST_STEP = 0.001; // seconds: where it stood before, the engine would take for a start that has not been made
const LEAST_AHEAD = 1; // seconds that can be played from the last place that can be chosen in a video that is being made

/** Each format has its own build of the engine, so that a page loads a quarter less. Throws `EngineMissing`. */
async function fetchShaka(format: Format): Promise<Shaka> {
  try {
    const loaded =
      format === "hls"
        ? await import("shaka-player/dist/shaka-player.hls-es2021.js")
        : await import("shaka-player/dist/shaka-player.dash-es2021.js");
    return loaded.default as unknown as Shaka;
  } catch (error) {
    throw new EngineMissing(String(error));
  }
}

export interface Listener {
  failed(error: unknown): void;
  waiting(yes: boolean): void;
  qualities(): void;
}

export interface Quality {
  /** The shorter side in pixels: what people call 720p, also for upright pictures. */
  lines: number;
  active: boolean;
}

export class Engine {
  readonly video: HTMLVideoElement;
  readonly tracks: Tracks;
  chapters: Chapter[] = [];
  private readonly listener: Listener;
  private readonly format: Format;
  private readonly grant: Grant;
  private player: Player | null = null;
  private made: Format | null = null;
  private wanted: number | null = null;
  private renewing: Promise<unknown> | null = null;
  private listed: number | null = null;
  private leads = 0;
  private plays = false;
  private latest: Promise<void> = Promise.resolve();
  private preparing: Promise<unknown> = Promise.resolve();

  /** `given`: the permission to play that the page came with; `query`: what of the video is asked for. */
  constructor(video: HTMLVideoElement, videoId: string, format: Format, listener: Listener, given: Stream | null = null, query = "") {
    this.video = video;
    this.format = format;
    this.listener = listener;
    const again = () => void this.load().catch((error: unknown) => this.listener.failed(error));
    this.grant = new Grant(videoId, again, given, query);
    // A seek while it is loaded anew: the element keeps it until it can, and the engine then goes where its load leads.
    const keep = (asked: number) => {
      if (asked) video.addEventListener("canplay", () => (video.currentTime = asked + LEAST_STEP), { once: true });
    };
    video.addEventListener("loadedmetadata", () => keep(video.currentTime), { capture: true });
    // Whoever asks for what is not made yet, a link to a place included, gets the last place there is.
    video.addEventListener("seeking", () => {
      if (this.reachable(video.currentTime) < video.currentTime - LEAST_JUMP) video.currentTime = this.reachable(video.currentTime);
    });
    this.tracks = new Tracks(() => this.player, () => listener.qualities());
    // Loading stops the element without a word, also while somebody presses play: what they want is known by these.
    for (const name of ["play", "pause", "ended"]) video.addEventListener(name, () => (this.plays = name === "play"));
  }

  /**
   * Load, at `start` seconds, or anew at the place where it is. Throws what `troubleOf` understands. A load that a later
   * one has overtaken ends as the later one does.
   */
  load(start = 0): Promise<void> {
    const mine: Promise<void> = this.loadNow(start).catch((error: unknown) => {
      if (this.latest !== mine) return this.latest;
      throw error;
    });
    this.latest = mine;
    return mine;
  }

  private async loadNow(start: number): Promise<void> {
    // The engine's code and the permission come side by side.
    if (!this.player) void fetchShaka(this.format).catch(() => undefined);
    const stream = await this.grant.renew();
    const format: Format = stream.dash ? this.format : "hls";
    // Where it stands by now; amid another load, or after one that failed, where that one leads.
    const at = this.video.currentTime || this.leads || start;
    this.leads = at;
    const player = await this.prepare(format);
    if (!player) {
      await this.loadNatively(stream.hls, at);
    } else {
      player.configure("drm.servers", stream.license ?? {});
      this.listed = null;
      // What is still being made would begin at its end unless told where.
      await player.load(format === "dash" && stream.dash ? stream.dash : stream.hls, at);
      this.choose(this.wanted);
      if (format === "hls") await this.addCaptions(player, stream);
      this.tracks.begin(stream);
    }
    this.leads = 0;
    this.chapters = stream.chapters;
    this.listener.qualities();
    if (this.plays) await this.video.play().catch(() => undefined);
  }

  /** The qualities to choose from, best first. */
  qualities(): Quality[] {
    const best = new Map<number, Quality>();
    for (const track of this.player?.getVideoTracks() ?? []) {
      const lines = linesOf(track);
      best.set(lines, { lines, active: track.active || (best.get(lines)?.active ?? false) });
    }
    return [...best.values()].sort((a, b) => b.lines - a.lines);
  }

  /** The quality that was asked for, null for the automatic choice. */
  get chosen(): number | null {
    return this.wanted;
  }

  choose(lines: number | null): void {
    this.wanted = lines;
    const track = this.player
      ?.getVideoTracks()
      .filter((one) => linesOf(one) === lines)
      .sort((a, b) => b.bandwidth - a.bandwidth)[0];
    this.player?.configure("abr.enabled", !track);
    if (track && !track.active) this.player?.selectVideoTrack(track, true);
    this.listener.qualities();
  }

  /** How fast it plays, also while it waits for data: the engine then holds the element's own rate at 0. */
  get speed(): number {
    return this.player?.getPlaybackRate() || this.video.playbackRate;
  }

  set speed(rate: number) {
    if (this.player) this.player.trickPlay(rate, false);
    else this.video.playbackRate = rate;
  }

  /** The engine itself, null where the browser plays by its own means: for whoever counts what it does. */
  get inner(): Player | null {
    return this.player;
  }

  /** Parts of the video that are loaded, in seconds. */
  buffered(): [number, number][] {
    const ranges = this.video.buffered;
    return Array.from({ length: ranges.length }, (_, i) => [ranges.start(i), ranges.end(i)]);
  }

  /**
   * Up to where it can be played, in seconds, while the rest is still being made; null where nothing is missing. The engine
   * moves the end of its range on with the clock, whatever is made.
   */
  get reaches(): number | null {
    const player = this.player;
    if (!player?.isInProgress()) return null;
    const { end } = player.seekRange();
    return this.listed === null ? end : Math.min(end, Math.max(0, this.listed - LEAST_AHEAD));
  }

  /** The place nearest to `to` that can be played by now. */
  reachable(to: number): number {
    return Math.min(to, this.reaches ?? to);
  }

  /** Where the pictures for the seek bar are listed, null while there are none. */
  get storyboard(): string | null {
    return this.grant.storyboard;
  }

  /** The permission to play as text, null while there is none. */
  get permission(): string | null {
    return this.grant.text;
  }

  async destroy(): Promise<void> {
    this.grant.stop();
    await this.unmake();
  }

  private async unmake(): Promise<void> {
    await this.player?.destroy();
    this.player = null;
  }

  /** The one player of this element, made for `format`; null where the browser knows no Media Source Extensions. */
  private prepare(format: Format): Promise<Player | null> {
    const mine = this.preparing.then(async () => {
      if (this.player && this.made !== format) await this.unmake();
      return this.player ?? this.make(format);
    });
    this.preparing = mine.catch(() => undefined);
    return mine;
  }

  private async make(format: Format): Promise<Player | null> {
    const shaka = await fetchShaka(format);
    shaka.polyfill.installAll();
    if (!shaka.Player.isBrowserSupported()) return null;
    const player = new shaka.Player();
    // Before it gets its element: else captions are drawn by the browser, under the controls.
    player.setVideoContainer(this.video.parentElement);
    await player.attach(this.video);
    player.configure({
      streaming: {
        bufferingGoal: BUFFER_AHEAD,
        bufferBehind: BUFFER_BEHIND,
        // Shaka 5.2 keeps a prefetched init segment whose request was aborted and waits for it for ever: a switch of quality
        // followed at once by a seek would hang.
        segmentPrefetchLimit: 0,
        maxDisabledTime: 0, // a quality that fails is tried again, not taken away
        retryParameters: ATTEMPTS,
      },
      manifest: {
        retryParameters: { ...ATTEMPTS, maxAttempts: 3 },
        disableText: format === "hls",
        // What is still being made grows faster than a clock runs, or slower: what is listed counts.
        dash: { autoCorrectDrift: false },
      },
      abr: { restrictToElementSize: true },
    });
    this.startRenewing(player);
    player.addEventListener("error", (event: unknown) => this.broke((event as { detail: unknown }).detail));
    player.addEventListener("buffering", (event: unknown) => this.listener.waiting((event as { buffering: boolean }).buffering));
    for (const change of ["adaptation", "variantchanged", "trackschanged", "textchanged", "audiotrackschanged"]) {
      player.addEventListener(change, () => this.listener.qualities());
    }
    this.player = player;
    this.made = format;
    return player;
  }

  /**
   * Shaka 5.2 holds captions of an HLS playlist back until the next piece of video comes: whoever asks for them where all is
   * loaded would wait in vain. As files of their own they come at once.
   */
  private async addCaptions(player: Player, stream: Stream): Promise<void> {
    for (const { url, language, label, forced } of stream.captions) {
      const file = new URL(url, window.location.href).href;
      await player.addTextTrackAsync(file, language, "subtitles", "text/vtt", undefined, label, forced);
    }
  }

  /** Every request, also a repeated one, goes out with the newest grant; one that was refused waits for a fresh one first. */
  private startRenewing(player: Player): void {
    const network = player.getNetworkingEngine();
    network?.addEventListener("retry", (event: unknown) => {
      const error = (event as { error: unknown }).error;
      if (isEngineError(error) && statusOf(error) === FORBIDDEN) void this.renew();
    });
    network?.registerRequestFilter(async (type, request) => {
      await this.renewing;
      // The engine reads a relative licence address of a manifest as one beside the page. Keys that it has fetched one by
      // one it puts into a `data:` address of its own.
      const asks = type === LICENSE && !request.uris.some((uri) => uri.startsWith("data:"));
      const licence = asks ? this.grant.licence : null;
      request.uris = licence ? [licence] : request.uris.map((uri) => this.grant.freshen(uri));
    });
    network?.registerResponseFilter((type, response) => {
      const listed = type === MANIFEST ? listedTo(new TextDecoder().decode(response.data)) : null;
      if (listed !== null) this.listed = Math.max(listed, this.listed ?? 0);
    });
  }

  /** Old iPhones have no Media Source Extensions but play HLS themselves. */
  private async loadNatively(url: string, at: number): Promise<void> {
    if (!this.video.canPlayType("application/vnd.apple.mpegurl")) throw new Unsupported();
    this.video.src = url;
    if (at) this.video.currentTime = at;
  }

  /** Ask for a new grant; whoever needs one meanwhile waits for the same answer. */
  private renew(): Promise<unknown> {
    this.renewing ??= this.grant
      .prolong()
      .catch(() => null)
      .finally(() => {
        this.renewing = null;
      });
    return this.renewing;
  }

  /** The engine has tried for as long as `ATTEMPTS` allow; what is left to do is for a person to decide. */
  private broke(error: unknown): void {
    if (isEngineError(error) && error.severity !== CRITICAL) return;
    this.listener.failed(error);
  }
}

function linesOf(track: VideoTrack): number {
  return Math.min(track.height ?? 0, track.width ?? track.height ?? 0);
}
