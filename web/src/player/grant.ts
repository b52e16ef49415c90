import { api, Problem } from "../lib/http.ts";
import type { Stream } from "../lib/types.ts";

// The permission to play is a part of every media URL: /s/<grant>/<video>/…
const PLACE = /\/s\/[^/]+\//;
const LONGEST = 2_000_000_000; // ms; what a browser's timer can hold
const SOONEST = 5000; // ms
const LEAST = 10_000; // ms that a permission must still be good for to begin with it: a page may come out of the browser's history
const LOST = 15_000; // ms until the next try after a failure

/** Put the grant of `fresh` in the place of the one in `uri`. */
export function regrant(uri: string, fresh: string): string {
  const grant = PLACE.exec(fresh)?.[0];
  return grant ? uri.replace(PLACE, grant) : uri;
}

/** For how many milliseconds a permission is still good. */
export function goodFor(stream: Pick<Stream, "grant_expires_at">, now: Date): number {
  return new Date(stream.grant_expires_at).getTime() - now.getTime();
}

/** How long to wait before asking for the next grant: four fifths of what is left, so that a slow answer still comes in time. */
export function renewalDelay(expires: Date, now: Date): number {
  return Math.min(LONGEST, Math.max(SOONEST, (expires.getTime() - now.getTime()) * 0.8));
}

/** Holds the permission to play one video and renews it before it ends, without the player noticing. */
export class Grant {
  private readonly path: string;
  private timer = 0;
  private readonly replaced: () => void;
  private stream: Stream | null = null;
  private given: Stream | null;

  /**
   * `replaced` hears that the video was packaged anew: what is loaded does not fit the newest grant. `given` is the permission
   * that the page came with: the first time, nobody has to wait for an answer. `query` says what of the video is meant.
   */
  constructor(videoId: string, replaced: () => void, given: Stream | null = null, query = "") {
    this.path = `/api/v1/stream/${encodeURIComponent(videoId)}${query}`;
    this.replaced = replaced;
    this.given = given;
  }

  /** A fresh one, to load what it names. */
  async renew(): Promise<Stream> {
    const given = this.given;
    this.given = null;
    return this.take(given && goodFor(given, new Date()) > LEAST ? given : await this.ask());
  }

  /** Ask for a fresh one for what is loaded already. */
  async prolong(): Promise<void> {
    const stream = await this.ask();
    if (this.stream && stream.package !== this.stream.package) this.replaced();
    else this.take(stream);
  }

  private async ask(): Promise<Stream> {
    window.clearTimeout(this.timer);
    return api<Stream>(this.path);
  }

  private take(stream: Stream): Stream {
    this.stream = stream;
    this.later(renewalDelay(new Date(stream.grant_expires_at), new Date()));
    return stream;
  }

  /** The URL with the newest grant in it, for whatever a manifest of an older grant named. */
  freshen(uri: string): string {
    return this.stream ? regrant(uri, this.stream.hls) : uri;
  }

  /** The newest grant itself; null before the first. */
  get text(): string | null {
    return PLACE.exec(this.stream?.hls ?? "")?.[0].slice("/s/".length, -1) ?? null;
  }

  /** Where the pictures for the seek bar are listed, with the newest grant; null while there are none. */
  get storyboard(): string | null {
    return this.stream?.storyboard ?? null;
  }

  /** Where licences are had by the newest grant; null for a stream that needs none. */
  get licence(): string | null {
    return this.stream?.license?.["org.w3.clearkey"] ?? null;
  }

  stop(): void {
    window.clearTimeout(this.timer);
  }

  private later(delay: number): void {
    this.timer = window.setTimeout(() => {
      this.prolong().catch((error: unknown) => {
        if (error instanceof Problem && (error.status === 0 || error.status >= 500)) this.later(LOST);
      });
    }, delay);
  }
}
