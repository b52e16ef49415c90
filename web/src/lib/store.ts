/** A few values that this browser keeps from one page to the next; a browser that keeps nothing still has them on this page. */
export class Store<T extends object> {
  readonly value: T;
  private readonly key: string;

  constructor(key: string, start: T) {
    this.key = key;
    this.value = { ...start };
    try {
      const kept: unknown = JSON.parse(localStorage.getItem(key) ?? "{}");
      if (typeof kept === "object" && kept !== null) Object.assign(this.value, kept);
    } catch {
      // Storage is forbidden (a frame in another site's page), or holds something else.
    }
  }

  set(change: Partial<T>): void {
    Object.assign(this.value, change);
    this.save();
  }

  save(): void {
    try {
      localStorage.setItem(this.key, JSON.stringify(this.value));
    } catch {
      // As above.
    }
  }
}
