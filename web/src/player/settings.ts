import { make, need, setText } from "../lib/dom.ts";
import { Store } from "../lib/store.ts";
import { texts } from "../lib/texts.ts";
import type { Engine } from "./engine.ts";
import { OFF, type Choice } from "./tracks.ts";

const t = texts.player;

export const SPEEDS = [0.5, 0.75, 1, 1.25, 1.5, 1.75, 2];
const AUTO = "auto";

/** The panel of qualities, speeds, captions, sounds: native radio buttons, so that arrows and screen readers work as everywhere. */
export class Settings {
  private readonly panel: HTMLFormElement;
  private readonly button: HTMLElement;
  private readonly qualities: HTMLElement;
  private readonly speeds: HTMLElement;
  private readonly words: HTMLElement;
  private readonly sounds: HTMLElement;
  private readonly now: HTMLElement;
  private readonly engine: Engine;
  private readonly habits = new Store("streamhost.habits", { next: false });
  private drawn = "";

  constructor(root: HTMLElement, engine: Engine, touched: () => void) {
    this.engine = engine;
    this.panel = need<HTMLFormElement>("[data-settings]", root);
    this.button = need("[data-do=settings]", root);
    this.qualities = need("[data-qualities]", root);
    this.speeds = need("[data-speeds]", root);
    this.words = need("[data-captions]", root);
    this.sounds = need("[data-sounds]", root);
    this.now = need("[data-quality-now]", root);
    this.button.addEventListener("click", () => {
      if (!this.closeIfOpen()) this.show();
      touched();
    });
    document.addEventListener("pointerdown", (event) => {
      const inside = event.target instanceof Node && (this.panel.contains(event.target) || this.button.contains(event.target));
      if (!inside) this.closeIfOpen();
    });
    this.panel.addEventListener("change", (event) => this.chosen(event.target as HTMLInputElement));
    this.speeds.append(...SPEEDS.map((speed) => radio("speed", String(speed), t.speed(speed))));
  }

  get open(): boolean {
    return !this.panel.hidden;
  }

  closeIfOpen(): boolean {
    if (!this.open) return false;
    this.panel.hidden = true;
    this.button.setAttribute("aria-expanded", "false");
    return true;
  }

  /** The quality that plays, on the button; the lists only while somebody sees them. */
  drawNow(): void {
    const playing = this.engine.qualities().find((one) => one.active)?.lines;
    setText(this.now, playing ? name(playing) : "");
    if (this.open) this.draw();
  }

  private draw(): void {
    const { engine } = this;
    const list = engine.qualities();
    const playing = list.find((one) => one.active)?.lines;
    const key = list.map((one) => one.lines).join();
    if (key !== this.drawn || this.qualities.childElementCount === 0) {
      this.drawn = key;
      const options = list.map(({ lines }) => radio("quality", String(lines), name(lines)));
      this.qualities.replaceChildren(radio("quality", AUTO, t.auto), ...options);
    }
    const auto = playing ? t.autoNow(name(playing)) : t.auto;
    setText(this.qualities.querySelector(`[data-name="${AUTO}"]`), engine.chosen === null ? auto : t.auto);
    this.check("quality", engine.chosen === null ? AUTO : String(engine.chosen));
    this.check("speed", String(engine.speed));
    this.tick("loop", engine.video.loop);
    this.tick("next", this.habits.value.next);
    const captions = engine.tracks.captions();
    this.drawChoices("captions", this.words, captions.length ? [{ key: OFF, label: t.captionsOff, active: !captions.some((one) => one.active) }, ...captions] : []);
    const sounds = engine.tracks.sounds();
    this.drawChoices("sound", this.sounds, sounds.length > 1 ? sounds : []);
  }

  /** Whether the next video shall follow by itself. */
  get goesOn(): boolean {
    return this.habits.value.next;
  }

  /** A list that is there only where there is a choice. */
  private drawChoices(group: string, box: HTMLElement, choices: Choice[]): void {
    const key = choices.map((one) => one.key).join("\n");
    if (box.dataset["drawn"] !== key) {
      box.dataset["drawn"] = key;
      box.replaceChildren(...choices.map((one) => radio(group, one.key, one.label)));
    }
    box.querySelectorAll<HTMLInputElement>("input").forEach((input, i) => {
      input.checked = choices[i]?.active ?? false;
    });
    const list = box.closest("fieldset");
    if (list) list.hidden = !choices.length;
  }

  private show(): void {
    this.draw();
    this.panel.hidden = false;
    this.button.setAttribute("aria-expanded", "true");
    this.panel.querySelector<HTMLInputElement>("input:checked")?.focus();
  }

  private chosen(input: HTMLInputElement): void {
    if (input.name === "loop") this.engine.video.loop = input.checked;
    else if (input.name === "next") this.habits.set({ next: input.checked });
    else if (input.name === "speed") this.engine.speed = Number(input.value);
    else if (input.name === "captions") this.engine.tracks.chooseCaptions(input.value);
    else if (input.name === "sound") this.engine.tracks.chooseSound(input.value);
    else if (input.name === "quality") this.engine.choose(input.value === AUTO ? null : Number(input.value));
  }

  private tick(name: string, on: boolean): void {
    const box = this.panel.querySelector<HTMLInputElement>(`input[name=${name}]`);
    if (box) box.checked = on;
  }

  private check(group: string, value: string): void {
    const input = this.panel.querySelector<HTMLInputElement>(`input[name=${group}][value="${value}"]`);
    if (input && !input.checked) input.checked = true;
  }
}

function name(lines: number): string {
  return `${lines}p`;
}

function radio(group: string, value: string, label: string): HTMLElement {
  return make("label", {}, make("input", { type: "radio", name: group, value }), make("span", { "data-name": value }, label));
}
