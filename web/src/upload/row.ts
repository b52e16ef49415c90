import { icon, make, setText } from "../lib/dom.ts";
import { bytes, clock, percent } from "../lib/format.ts";
import { words } from "../lib/http.ts";
import { failureText, stateText } from "../lib/states.ts";
import { texts } from "../lib/texts.ts";
import type { Video } from "../lib/types.ts";
import type { Item, Phase, Visibility } from "./item.ts";

const t = texts.upload;
type Act = "pause" | "resume" | "retry" | "cancel" | "remove" | "up" | "down";

const ACTS: Record<Phase, Act[]> = {
  queued: ["up", "down", "pause", "remove"],
  uploading: ["pause", "cancel"],
  retrying: ["retry", "pause", "cancel"],
  paused: ["resume", "cancel"],
  interrupted: ["retry", "cancel"],
  refused: ["remove"],
  processing: [],
  review: ["remove"],
  ready: ["remove"],
  failed: ["remove"],
};

export interface Wishes {
  start(item: Item): void;
  pause(item: Item): void;
  hurry(item: Item): void;
  move(item: Item, by: -1 | 1): void;
  drop(item: Item): void;
}

const ICONS: Partial<Record<Act, string>> = { up: "arrow-up", down: "arrow-down" };

/** How one item looks: a card with its title, its numbers, its way through the house, and what can be done. */
export class Row {
  readonly element: HTMLLIElement;
  private readonly item: Item;
  private readonly wishes: Wishes;
  private readonly state = make("span", { role: "status" });
  private readonly numbers = make("span", { class: "numeric" });
  private readonly bar: HTMLProgressElement;
  private readonly steps = t.steps.map((name) => make("li", { class: "way__item" }, name));
  private readonly problem = make("p", { class: "field__error", role: "alert", hidden: true });
  private readonly actions = make("div", { class: "upload__actions" });
  private shown = "";
  private drawing = false;

  constructor(item: Item, wishes: Wishes) {
    this.item = item;
    this.wishes = wishes;
    this.bar = make("progress", { class: "progress", max: "1", "aria-label": t.progress(item.file.name) });
    this.element = make(
      "li",
      { class: "upload" },
      make("p", { class: "upload__file" }, `${item.file.name} · ${bytes(item.file.size)}`),
      make("div", { class: "upload__fields" }, this.titleField(), this.visibilityField()),
      make("div", {}, make("p", { class: "upload__numbers" }, this.state, this.numbers), this.bar),
      make("ol", { class: "way", "aria-label": t.steps_label }, ...this.steps),
      this.problem,
      this.actions,
    );
    this.draw();
  }

  /** Redraw at most once a frame, however often the transfer reports. */
  update(): void {
    if (this.drawing) return;
    this.drawing = true;
    requestAnimationFrame(() => {
      this.drawing = false;
      this.draw();
    });
  }

  private titleField(): HTMLElement {
    const input = make("input", { class: "input", value: this.item.title, maxlength: "200", required: true, autocomplete: "off" });
    input.addEventListener("input", () => {
      this.item.title = input.value;
    });
    input.addEventListener("change", () => void this.item.save());
    return make("label", { class: "field" }, make("span", { class: "field__label" }, t.title), input);
  }

  private visibilityField(): HTMLElement {
    const options = Object.entries(texts.visibility).map(([value, name]) => make("option", { value }, name));
    const select = make("select", { class: "input" }, ...options);
    select.value = this.item.visibility;
    select.addEventListener("change", () => {
      this.item.visibility = select.value as Visibility;
      void this.item.save();
    });
    return make("label", { class: "field" }, make("span", { class: "field__label" }, t.visibility), select);
  }

  private draw(): void {
    const { item } = this;
    this.element.dataset["phase"] = item.phase;
    setText(this.state, this.stateWords());
    setText(this.numbers, this.numberWords());
    const fraction = item.video ? item.video.progress : item.file.size ? item.sent / item.file.size : 0;
    this.bar.value = item.phase === "ready" ? 1 : fraction;
    this.bar.hidden = item.phase === "failed" || item.phase === "refused" || item.phase === "review";
    this.bar.classList.toggle("progress--paused", item.phase === "paused" || item.phase === "interrupted");
    this.drawSteps();
    this.drawProblem();
    this.drawActions();
  }

  private stateWords(): string {
    const { item } = this;
    if (item.video) return stateText(item.video);
    if (item.phase === "processing") return t.checking;
    if (item.phase === "refused" || item.phase === "failed") return texts.state.failed;
    if (item.phase === "ready" || item.phase === "review") return texts.state[item.phase];
    return t[item.phase];
  }

  private numberWords(): string {
    const { item } = this;
    if (item.video || item.phase === "queued" || item.phase === "refused" || item.phase === "processing") return "";
    const parts = [percent(item.sent / item.file.size), t.numbers(bytes(item.sent), bytes(item.file.size))];
    const speed = item.phase === "uploading" ? item.speed.perSecond : 0;
    if (speed > 0) parts.push(t.speed(bytes(speed)), t.left(clock((item.file.size - item.sent) / speed)));
    return parts.join(" · ");
  }

  private drawSteps(): void {
    const { item } = this;
    const bad = item.phase === "failed" || item.phase === "refused";
    const at = item.phase === "ready" ? 4 : item.phase === "review" ? 3 : item.video ? (begun(item.video) ? 2 : 1) : item.phase === "processing" ? 1 : 0;
    this.steps.forEach((step, i) => {
      step.className = ["way__item", i < at && "way__item--done", i === at && (bad ? "way__item--bad" : "way__item--now")]
        .filter(Boolean)
        .join(" ");
      if (i === at) step.setAttribute("aria-current", "step");
      else step.removeAttribute("aria-current");
    });
  }

  private drawProblem(): void {
    const { item } = this;
    const text = item.phase === "failed" && item.video ? failureText(item.video) : problemWords(item);
    this.problem.hidden = !text;
    setText(this.problem, text);
  }

  private drawActions(): void {
    const { item } = this;
    const key = `${item.phase} ${item.video?.playable ?? ""}`;
    if (key === this.shown) return;
    this.shown = key;
    const had = this.actions.contains(document.activeElement);
    const buttons: HTMLElement[] = [];
    if (item.video?.playable) {
      buttons.push(make("a", { class: "button button--small button--primary", href: `/watch/${item.video.id}` }, t.watch));
    }
    if (item.video && item.phase !== "failed") buttons.push(make("a", { class: "button button--small", href: `/studio/${item.video.id}` }, t.edit));
    buttons.push(...ACTS[item.phase].map((act) => this.button(act)));
    this.actions.replaceChildren(...buttons);
    if (had) buttons[0]?.focus();
  }

  private button(act: Act): HTMLElement {
    const label = `${t[act]}: ${this.item.file.name}`;
    const name = ICONS[act];
    const looks = name ? "button button--small button--icon" : "button button--small";
    const button = make("button", { type: "button", class: looks, "aria-label": label, title: name ? t[act] : undefined, "data-act": act }, name ? icon(name) : t[act]);
    button.addEventListener("click", () => {
      const { item, wishes } = this;
      if (act === "up" || act === "down") wishes.move(item, act === "up" ? -1 : 1);
      else if (act === "pause") wishes.pause(item);
      else if (act === "cancel" || act === "remove") wishes.drop(item);
      else if (item.phase === "retrying") wishes.hurry(item);
      else wishes.start(item);
    });
    return button;
  }
}

/** Whether the file was found to be a video, so that qualities are being made of it. */
function begun(video: Video): boolean {
  return video.state !== "received" && (video.state !== "failed" || video.progress > 0);
}

function problemWords(item: Item): string {
  const problem = item.problem;
  if (!problem) return "";
  if (problem.status === 507) return t.noRoom;
  if (problem.status === 404 || problem.status === 410) return t.gone;
  return problem.message || words(problem.status);
}
