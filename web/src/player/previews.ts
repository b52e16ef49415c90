// Pictures for the seek bar: a WebVTT track names, for each stretch of time, a sheet and the place of its picture there.

const CUE = /(?:(\d+):)?(\d+):(\d+\.\d+) --> (?:(\d+):)?(\d+):(\d+\.\d+)\s*\n(\S+)#xywh=(\d+),(\d+),(\d+),(\d+)/g;
const AGAIN = 10_000; // ms until a track that could not be read is asked for again

export interface Preview {
  start: number;
  end: number;
  sheet: string;
  left: number;
  top: number;
  width: number;
  height: number;
}

/** The pictures that a thumbnails track names, in order of time. */
export function previewsOf(track: string): Preview[] {
  return [...track.matchAll(CUE)].map(([, h1, m1, s1, h2, m2, s2, sheet, ...place]) => {
    const [left, top, width, height] = place.map(Number) as [number, number, number, number];
    return { start: seconds(h1, m1, s1), end: seconds(h2, m2, s2), sheet: sheet ?? "", left, top, width, height };
  });
}

function seconds(h = "0", m = "0", s = "0"): number {
  return Number(h) * 3600 + Number(m) * 60 + Number(s);
}

/** Draws the picture of a moment into an element; nothing is fetched before somebody wants to see one. */
export class Previews {
  private readonly element: HTMLElement;
  private readonly address: () => string | null;
  private known: Preview[] = [];
  private asked = 0;
  private wanted = 0;

  /** `address` gives the track's address with a grant that is good now, null while there is none. */
  constructor(element: HTMLElement, address: () => string | null) {
    this.element = element;
    this.address = address;
  }

  show(at: number): void {
    this.wanted = at;
    const track = this.address();
    if (!this.known.length) void this.load(track);
    const found = this.known.find((one) => at < one.end) ?? this.known.at(-1);
    this.element.hidden = !found || !track;
    if (!found || !track) return;
    const style = this.element.style;
    style.width = `${found.width}px`;
    style.height = `${found.height}px`;
    style.backgroundImage = `url("${new URL(found.sheet, new URL(track, document.baseURI)).href}")`;
    style.backgroundPosition = `${-found.left}px ${-found.top}px`;
  }

  private async load(track: string | null): Promise<void> {
    if (!track || Date.now() - this.asked < AGAIN) return;
    this.asked = Date.now();
    const answer = await fetch(track).catch(() => null);
    if (!answer?.ok) return;
    this.known = previewsOf(await answer.text());
    this.show(this.wanted); // Who rests on the bar meanwhile need not move to see a picture.
  }
}
