import { api, Problem } from "./http.ts";
import { settled, type Video } from "./types.ts";

type Listener = (video: Video) => void;

// A browser opens six connections to a server (HTTP/1.1): two for events, the others stay free for uploads and segments.
const STREAMS = 2;
const POLL = 4000; // ms between questions for those without a stream
const LOST = 8000; // ms until the next try after a failure

let streams = 0;

/**
 * Follows one video until nothing changes any more: by server-sent events where a connection is free, by asking now and then
 * otherwise. Rests while the page is hidden. `onChange` gets the whole video each time.
 */
export class Follower {
  private source: EventSource | null = null;
  private video: Video | null = null;
  private timer = 0;
  private stopped = false;
  private asking = false;
  private again = false;
  private readonly id: string;
  private readonly onChange: Listener;
  private readonly onLost: (problem: Problem) => void;

  constructor(id: string, onChange: Listener, onLost: (problem: Problem) => void = () => undefined) {
    this.id = id;
    this.onChange = onChange;
    this.onLost = onLost;
    document.addEventListener("visibilitychange", this.visibility);
    void this.start();
  }

  stop(): void {
    this.stopped = true;
    document.removeEventListener("visibilitychange", this.visibility);
    this.rest();
  }

  private readonly visibility = (): void => {
    if (document.hidden) this.rest();
    else if (!this.stopped) void this.start();
  };

  private rest(): void {
    window.clearTimeout(this.timer);
    if (!this.source) return;
    this.source.close();
    this.source = null;
    streams -= 1;
  }

  private async start(): Promise<void> {
    this.rest();
    if (!document.hidden && streams < STREAMS) this.listen();
    else await this.ask();
  }

  private listen(): void {
    streams += 1;
    const source = new EventSource(`/api/v1/videos/${encodeURIComponent(this.id)}/events`);
    this.source = source;
    source.addEventListener("state", (event) => this.told(JSON.parse(event.data as string) as Video));
    source.addEventListener("progress", (event) => {
      const news = JSON.parse(event.data as string) as Pick<Video, "progress" | "step" | "waiting" | "processing">;
      if (this.video) this.told({ ...this.video, ...news });
    });
    source.addEventListener("rendition", () => void this.ask());
    source.addEventListener("error", () => {
      // The browser reconnects by itself unless the server refused for good.
      if (source.readyState === EventSource.CLOSED && this.source === source) {
        this.rest();
        void this.ask();
      }
    });
  }

  private told(video: Video): void {
    if (this.stopped) return;
    this.video = video;
    this.onChange(video);
    if (settled(video)) this.stop();
  }

  private async ask(): Promise<void> {
    if (this.asking) {
      this.again = true;
      return;
    }
    this.asking = true;
    try {
      const video = await api<Video>(`/api/v1/videos/${encodeURIComponent(this.id)}`);
      this.told(video);
      if (!this.stopped && !this.source) this.later(POLL);
    } catch (error) {
      if (this.stopped || !(error instanceof Problem)) return;
      this.onLost(error);
      if (error.status === 404 || error.status === 403) this.stop();
      else this.later(LOST);
    } finally {
      this.asking = false;
      if (this.again && !this.stopped) {
        this.again = false;
        void this.ask();
      }
    }
  }

  private later(delay: number): void {
    window.clearTimeout(this.timer);
    if (!document.hidden) this.timer = window.setTimeout(() => void this.start(), delay);
  }
}
