import { make, need } from "../lib/dom.ts";
import { clock } from "../lib/format.ts";
import { api } from "../lib/http.ts";
import { texts } from "../lib/texts.ts";

const t = texts.player.ending;
const SHOWN = 4; // videos to go on with
const EARLY = 20; // seconds before the end at which they are asked for
const PATIENCE = 8; // seconds until the next one starts by itself, if that is wished

export interface Suggestion {
  id: string;
  title: string;
  duration: number | null;
  poster: string | null;
  owner: { name: string };
}

interface Related {
  items: { video: Suggestion }[];
}

/** What stands over the last picture: the videos to go on with, the first of them by itself where somebody wishes that. */
export class Ending {
  private readonly box: HTMLElement;
  private readonly video: HTMLVideoElement;
  private readonly address: string;
  private readonly target: string;
  private readonly goesOn: () => boolean;
  private coming: Promise<Suggestion[]> | null = null;
  private countdown = 0;

  /** `address` answers with what is related; links lead out of a frame if `embedded`. */
  constructor(root: HTMLElement, video: HTMLVideoElement, address: string, embedded: boolean, goesOn: () => boolean) {
    this.box = need("[data-ending]", root);
    this.video = video;
    this.address = address;
    this.target = embedded ? "_blank" : "_self";
    this.goesOn = goesOn;
    video.addEventListener("timeupdate", () => {
      if (video.duration - video.currentTime < EARLY) void this.ask();
    });
    video.addEventListener("ended", () => void this.show());
    for (const again of ["play", "seeking"]) video.addEventListener(again, () => this.hide());
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.stay();
    });
  }

  /** Leave for the next video, if there is one. */
  async next(): Promise<void> {
    const [first] = await this.ask();
    if (first) window.location.assign(`/watch/${first.id}?autoplay=1`);
  }

  private ask(): Promise<Suggestion[]> {
    this.coming ??= api<Related>(`${this.address}?limit=${SHOWN}`).then(
      (found) => found.items.map((one) => one.video),
      () => [],
    );
    return this.coming;
  }

  private async show(): Promise<void> {
    const found = await this.ask();
    const [first, ...others] = found;
    if (!this.video.ended || !first) return;
    const next = make("div", { class: "ending__next" }, make("h2", { class: "ending__title" }, t.next), this.card(first));
    const parts: Node[] = [next];
    if (this.goesOn()) next.append(this.waiting());
    if (others.length) {
      const list = make("ul", { class: "ending__list" }, ...others.map((one) => make("li", {}, this.card(one))));
      parts.push(make("div", { class: "ending__others" }, make("h2", { class: "ending__title" }, t.others), list));
    }
    this.box.replaceChildren(...parts);
    this.box.hidden = false;
  }

  private card(one: Suggestion): HTMLElement {
    const picture = make("span", { class: "ending__picture" });
    if (one.poster) picture.append(make("img", { src: one.poster, alt: "", decoding: "async" }));
    if (one.duration) picture.append(make("span", { class: "ending__length" }, clock(one.duration)));
    const words = make("span", { class: "ending__words" }, make("b", {}, one.title), make("span", {}, t.by(one.owner.name)));
    return make("a", { class: "ending__card", href: `/watch/${one.id}`, target: this.target, rel: "noopener" }, picture, words);
  }

  /** The seconds that are left, and a way to stay. */
  private waiting(): HTMLElement {
    let left = PATIENCE;
    const words = make("span", { role: "timer" }, t.nextIn(left));
    const now = make("button", { type: "button", class: "player__pill" }, t.now);
    const stay = make("button", { type: "button", class: "player__pill" }, t.stay);
    now.addEventListener("click", () => void this.next());
    stay.addEventListener("click", () => this.stay());
    window.clearInterval(this.countdown);
    this.countdown = window.setInterval(() => {
      left -= 1;
      words.textContent = t.nextIn(left);
      if (left > 0) return;
      window.clearInterval(this.countdown);
      void this.next();
    }, 1000);
    return make("p", { class: "ending__wait", "data-ending-wait": true }, words, now, stay);
  }

  private stay(): void {
    window.clearInterval(this.countdown);
    this.box.querySelector("[data-ending-wait]")?.remove();
  }

  private hide(): void {
    this.stay();
    this.box.hidden = true;
  }
}
