import { Store } from "../lib/store.ts";

const MOST = 200; // videos whose place is kept
const BEGUN = 10; // seconds; nobody wants to be brought back to the very beginning
const OVER = 0.97; // of the length; from here on it counts as seen to the end
const EVERY = 5000; // ms between two notes while it plays

export interface Place {
  at: number;
  /** When it was noted, ms since 1970. */
  noted: number;
}

/** Whether coming back to `at` spares somebody something, in a video of this length. */
export function worthResuming(at: number, length: number): boolean {
  return at >= BEGUN && at < length * OVER && at < length - 3;
}

/** The newest `most` of the places. */
export function newest(places: Record<string, Place>, most: number): Record<string, Place> {
  const sorted = Object.entries(places).sort(([, a], [, b]) => b.noted - a.noted);
  return Object.fromEntries(sorted.slice(0, most));
}

/** Where somebody left off, video by video, in this browser. */
export class Places {
  private readonly store = new Store<{ places: Record<string, Place> }>("streamhost.places", { places: {} });
  private readonly id: string;
  private last = 0;
  private start: number | null = null;

  private readonly elsewhere: Place | null;

  /** `elsewhere`: the place that the site knows of, from any browser in which somebody is signed in. */
  constructor(id: string, elsewhere: Place | null = null) {
    this.id = id;
    this.elsewhere = elsewhere;
  }

  /** The place to go on from, the later noted of what this browser and the site know; null for the beginning. */
  get at(): number | null {
    const here = this.store.value.places[this.id];
    const known = [here, this.elsewhere].filter((one) => one && Number.isFinite(one.at) && Number.isFinite(one.noted)) as Place[];
    return known.sort((a, b) => b.noted - a.noted)[0]?.at ?? null;
  }

  /** Note the place now and then while it plays, and whenever it stops. Who only looks in at `start` has left off elsewhere. */
  follow(video: HTMLVideoElement, start: number): void {
    this.start = start;
    video.addEventListener("timeupdate", () => {
      if (Date.now() - this.last >= EVERY) this.note(video);
    });
    for (const name of ["pause", "seeked"]) video.addEventListener(name, () => this.note(video));
    video.addEventListener("ended", () => this.forget());
    window.addEventListener("pagehide", () => this.note(video));
  }

  private note(video: HTMLVideoElement): void {
    if (!Number.isFinite(video.duration) || video.ended || video.readyState < HTMLMediaElement.HAVE_METADATA) return;
    if (this.start !== null && Math.abs(video.currentTime - this.start) < 1) return;
    this.start = null;
    this.last = Date.now();
    if (!worthResuming(video.currentTime, video.duration)) return this.forget();
    const places = { ...this.store.value.places, [this.id]: { at: Math.floor(video.currentTime), noted: this.last } };
    this.store.set({ places: newest(places, MOST) });
  }

  private forget(): void {
    if (!(this.id in this.store.value.places)) return;
    const { [this.id]: _gone, ...places } = this.store.value.places;
    this.store.set({ places });
  }
}
