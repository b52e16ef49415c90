const WINDOW = 8000; // ms of the past that count: calm enough to read, quick enough to be true

/** Bytes per second over the last seconds. */
export class Speed {
  private samples: { at: number; sent: number }[] = [];

  reset(): void {
    this.samples = [];
  }

  add(sent: number, at: number = performance.now()): void {
    this.samples.push({ at, sent });
    while (this.samples.length > 2 && this.samples[0]!.at < at - WINDOW) this.samples.shift();
  }

  /** 0 until it can be told. */
  get perSecond(): number {
    const [first, last] = [this.samples[0], this.samples.at(-1)];
    if (!first || !last || last.at - first.at < 500) return 0;
    return Math.max(0, ((last.sent - first.sent) * 1000) / (last.at - first.at));
  }
}
