// Tells the server how a video is watched: small numbered batches, sent again until they were taken, the last by a beacon.

/** The player as far as it is looked at; `Engine` is one. */
export interface Watched {
  readonly video: HTMLVideoElement;
  qualities(): { lines: number; active: boolean }[];
}

export interface TelemetryConfig {
  /** The permission to play, for pages without the site's cookies (embeds); null: who watches is known by cookie. */
  grant?: () => string | null;
  /** Takes the place of `fetch` and `sendBeacon` in tests. */
  send?: (body: string, last: boolean) => Promise<number>;
}

export interface Telemetry {
  /** The player waits for data, or no longer does. */
  waiting(yes: boolean): void;
  /** Something went wrong; `code` is a short word. */
  failed(code: string): void;
  /** Send what is left, and look away. */
  stop(): void;
}

type Kind = "start" | "progress" | "pause" | "seek" | "stall" | "quality" | "error" | "end";

export interface Report {
  type: Kind;
  at: number;
  seq: number;
  position?: number;
  from?: number;
  rate?: number;
  duration?: number;
  first_frame?: number;
  height?: number;
  code?: string;
}

const PATH = "/api/v1/events";
const EVERY = 10; // seconds between two reports of progress
const FIRST = 3; // seconds until the first one: the beginning is when most people leave
const SOON = 250; // ms in which reports gather before they are sent
const AGAIN = [2_000, 5_000, 15_000, 30_000]; // ms until a batch is sent again
const MOST_KEPT = 400; // reports while the server cannot be reached; then the oldest of progress go
const MOST_AT_ONCE = 100;
const REAL_STALL = 0.1; // seconds; less is how seeking and switching look

/** Numbered reports on their way; nothing is lost while the page lives, and nothing counts twice. */
export class Outbox {
  private waiting: Report[] = [];
  private sending = false;
  private tries = 0;
  private timer = 0;
  private next = 0;
  private over = false;
  private readonly wrap: (events: Report[]) => string;
  private readonly send: (body: string, last: boolean) => Promise<number>;

  constructor(wrap: (events: Report[]) => string, send: (body: string, last: boolean) => Promise<number>) {
    this.wrap = wrap;
    this.send = send;
  }

  add(report: Omit<Report, "seq">): void {
    this.waiting.push({ ...report, seq: this.next++ });
    if (this.waiting.length > MOST_KEPT) {
      const idle = this.waiting.findIndex((one) => one.type === "progress");
      this.waiting.splice(Math.max(0, idle), 1);
    }
    this.later(SOON);
  }

  /** The page is being left: what waits goes out by a beacon, which nobody waits for. */
  flush(): void {
    window.clearTimeout(this.timer);
    this.timer = 0;
    for (let at = 0; at < this.waiting.length; at += MOST_AT_ONCE) {
      void this.send(this.wrap(this.waiting.slice(at, at + MOST_AT_ONCE)), true).catch(() => 0);
    }
    // They stay here: if the page comes back, they go out once more, and are known by their numbers.
    if (this.waiting.length) this.later(AGAIN[0] ?? 0);
  }

  end(): void {
    this.flush();
    window.clearTimeout(this.timer);
    this.over = true;
  }

  private later(delay: number): void {
    if (this.timer || this.sending || this.over) return;
    this.timer = window.setTimeout(() => {
      this.timer = 0;
      void this.deliver();
    }, delay);
  }

  private async deliver(): Promise<void> {
    const batch = this.waiting.slice(0, MOST_AT_ONCE);
    if (!batch.length) return;
    this.sending = true;
    const status = await this.send(this.wrap(batch), false).catch(() => 0);
    this.sending = false;
    const refused = status >= 400 && status < 500 && status !== 429 && status !== 408;
    if ((status >= 200 && status < 300) || refused) {
      // What was refused would be refused again.
      const sent = new Set(batch.map((one) => one.seq));
      this.waiting = this.waiting.filter((one) => !sent.has(one.seq));
      this.tries = 0;
      if (this.waiting.length) this.later(SOON);
    } else {
      this.later(AGAIN[Math.min(this.tries++, AGAIN.length - 1)] ?? 0);
    }
  }
}

async function post(body: string, last: boolean): Promise<number> {
  // A beacon is sent even if the page is gone; as text, for anything else would ask for permission first.
  if (last && navigator.sendBeacon(PATH, body)) return 202;
  const init: RequestInit = { method: "POST", body, credentials: "same-origin", keepalive: true };
  init.headers = { "Content-Type": "text/plain;charset=UTF-8" };
  return (await fetch(PATH, init)).status;
}

/** A name for this session that nobody guesses, also on pages without https, where `randomUUID` is missing. */
function sessionName(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

class Observer implements Telemetry {
  private readonly player: Watched;
  private readonly video: HTMLVideoElement;
  private readonly box: Outbox;
  private readonly away = new AbortController();
  private askedAt: number | null = null;
  private begun = false;
  private since: number | null = null; // where the part that plays now began
  private last = 0; // where it was when the clock last moved
  private reported = 0;
  private stalledAt: number | null = null;
  private seeking = false;
  private lines = 0;

  constructor(player: Watched, videoId: string, config: TelemetryConfig) {
    this.player = player;
    this.video = player.video;
    const session = sessionName();
    const wrap = (events: Report[]): string => {
      const grant = config.grant?.() ?? undefined;
      return JSON.stringify({ session, video: videoId, events, grant });
    };
    this.box = new Outbox(wrap, config.send ?? post);
    this.listen();
  }

  waiting(yes: boolean): void {
    if (yes && this.begun && !this.seeking && !this.video.paused) this.stalledAt ??= now();
    else if (!yes) this.moves();
  }

  failed(code: string): void {
    this.report("error", { code: code.replace(/[^A-Za-z0-9_.:-]/g, "_").slice(0, 64) });
    this.since = null;
  }

  stop(): void {
    this.leave();
    this.away.abort();
    this.box.end();
  }

  private listen(): void {
    const on = (name: string, does: () => void) => this.video.addEventListener(name, does, { signal: this.away.signal });
    on("play", () => this.asked());
    on("playing", () => this.plays());
    on("timeupdate", () => this.moved());
    on("waiting", () => this.waiting(true));
    on("seeking", () => this.seeks());
    on("seeked", () => this.sought());
    on("pause", () => this.pauses());
    on("ended", () => this.ends());
    const page = { signal: this.away.signal };
    window.addEventListener("pagehide", () => this.leave(), page);
    document.addEventListener(
      "visibilitychange",
      () => {
        // On phones this may be the last that a page hears.
        if (document.visibilityState === "hidden") this.flushNow();
      },
      page,
    );
    if (!this.video.paused) this.asked();
  }

  private asked(): void {
    this.askedAt ??= now();
    this.report("start", { rate: this.video.playbackRate || 1 });
    this.last = this.video.currentTime;
  }

  private plays(): void {
    this.moves();
    this.since ??= this.video.currentTime;
    this.last = this.video.currentTime;
  }

  /** The picture moves, or moves again. */
  private moves(): void {
    if (this.stalledAt === null) return;
    const duration = now() - this.stalledAt;
    this.stalledAt = null;
    if (duration >= REAL_STALL && !this.seeking) this.report("stall", { duration });
  }

  private moved(): void {
    const at = this.video.currentTime;
    if (this.video.paused || this.seeking) return;
    if (at > this.last) this.moves();
    if (!this.begun && this.askedAt !== null && at > this.last) {
      this.begun = true;
      this.report("progress", { first_frame: Math.max(0, now() - this.askedAt - (at - this.last)) });
      this.since ??= this.last;
      this.reported = now();
    }
    this.last = at;
    this.since ??= at;
    this.quality();
    const due = this.reported && now() - this.reported >= (at < EVERY ? FIRST : EVERY);
    if (due) this.progress("progress");
  }

  private quality(): void {
    const active = this.player.qualities().find((one) => one.active);
    const lines = active?.lines ?? Math.min(this.video.videoWidth, this.video.videoHeight);
    if (!lines || lines === this.lines) return;
    this.progress("quality", { height: lines });
    this.lines = lines;
  }

  /** Tell what was played since the last report. */
  private progress(type: Kind, more: Partial<Report> = {}): void {
    const from = this.since;
    const told = { ...more };
    if (from !== null && this.last > from) told.from = from;
    this.report(type, told);
    if (this.since !== null) this.since = this.last;
    this.reported = now();
  }

  private seeks(): void {
    if (this.seeking) return;
    this.seeking = true;
    this.stalledAt = null;
    const from = this.since;
    // What was played up to here is told first; a seek says only where to.
    if (from !== null && this.last > from) this.progress("progress");
    this.since = null;
  }

  private sought(): void {
    this.seeking = false;
    this.stalledAt = null;
    this.last = this.video.currentTime;
    this.report("seek", { position: this.last });
    if (!this.video.paused) this.since = this.last;
  }

  private pauses(): void {
    if (this.video.ended) return;
    this.stalledAt = null;
    if (!this.seeking) this.last = this.video.currentTime;
    this.progress("pause");
    this.since = null;
  }

  private ends(): void {
    this.last = this.video.currentTime;
    this.progress("end");
    this.since = null;
  }

  private leave(): void {
    if (this.askedAt === null) return;
    if (!this.video.ended) this.progress("end");
    this.box.flush();
  }

  private flushNow(): void {
    if (this.askedAt === null) return;
    if (!this.video.paused && !this.seeking) this.progress("progress");
    this.box.flush();
  }

  private report(type: Kind, more: Partial<Report> = {}): void {
    const rate = this.video.playbackRate || undefined;
    const place = this.seeking ? this.last : type === "progress" || type === "quality" ? this.last : this.video.currentTime;
    const said: Omit<Report, "seq"> = { type, at: Date.now() / 1000, position: place, ...more };
    if (rate !== undefined && said.rate === undefined) said.rate = rate;
    this.box.add(said);
  }
}

/** Seconds on a clock that never jumps. */
function now(): number {
  return performance.now() / 1000;
}

/** Watch a player and report what it does. One call for a page; the answer is told what the element does not say. */
export function attachTelemetry(player: Watched, videoId: string, config: TelemetryConfig = {}): Telemetry {
  return new Observer(player, videoId, config);
}
