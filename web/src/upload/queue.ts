import { need, setText } from "../lib/dom.ts";
import { bytes, clock } from "../lib/format.ts";
import { texts } from "../lib/texts.ts";
import type { Item } from "./item.ts";
import { Speed } from "./speed.ts";

const t = texts.upload;

/** What can be done to every file of the list at once, and how far all of them are. */
export class Queue {
  private readonly bar = need("[data-queue]");
  private readonly words = need("[data-queue-words]", this.bar);
  private readonly progress = need<HTMLProgressElement>("progress", this.bar);
  private readonly speed = new Speed();
  private readonly items: () => Item[];
  private readonly fill: () => void;

  constructor(items: () => Item[], fill: () => void, drop: (item: Item) => void) {
    this.items = items;
    this.fill = fill;
    this.on("pause", () => {
      // Those that wait first, else each place that becomes free would be taken by one of them.
      this.each((item) => item.phase === "queued" && void item.pause());
      this.each((item) => item.mayPause && void item.pause());
    });
    this.on("resume", () => this.each((item) => item.mayGoOn && item.queue()));
    this.on("clear", () => this.each((item) => item.phase === "ready" && drop(item)));
  }

  /** Say in passing what became of the order. */
  tell(text: string): void {
    setText(need("[data-queue-status]", this.bar), text);
  }

  draw(): void {
    const items = this.items().filter((item) => item.phase !== "refused");
    const [whole, sent] = [sum(items, (item) => item.file.size), sum(items, (item) => item.sent)];
    const done = items.filter((item) => item.sentWhole).length;
    this.bar.hidden = this.items().length < 2;
    this.progress.value = whole ? sent / whole : 0;
    this.progress.hidden = done === items.length;
    this.speed.add(sent);
    const pace = items.some((item) => item.active) ? this.speed.perSecond : 0;
    const parts = [t.whole(done, items.length), t.numbers(bytes(sent), bytes(whole))];
    if (pace > 0 && done < items.length) parts.push(t.left(clock((whole - sent) / pace)));
    setText(this.words, parts.join(" · "));
    this.button("pause").hidden = !items.some((item) => item.mayPause);
    this.button("resume").hidden = !items.some((item) => item.mayGoOn);
    this.button("clear").hidden = !this.items().some((item) => item.phase === "ready");
  }

  private on(name: string, act: () => void): void {
    this.button(name).addEventListener("click", () => {
      act();
      this.fill();
    });
  }

  private each(act: (item: Item) => unknown): void {
    for (const item of this.items()) act(item);
  }

  private button(name: string): HTMLElement {
    return need(`[data-queue-${name}]`, this.bar);
  }
}

const sum = (items: Item[], of: (item: Item) => number): number => items.reduce((whole, item) => whole + of(item), 0);
