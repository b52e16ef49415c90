import { secondsOf } from "../player/options.ts";
import { icon, make, need, setText } from "./dom.ts";
import { clock } from "./format.ts";
import { texts } from "./texts.ts";

const LINE = /^(\S*\d:\d\S*)(?:\s+(.*))?$/;
const LONGEST = "200"; // letters of a title

interface Written {
  time: string;
  title: string;
}

/** A time as it stands in a field: 1:23, or 1:23.4 where it begins within a second. */
export function exactly(seconds: number): string {
  const thousandths = Math.round(seconds * 1000);
  const rest = String(thousandths % 1000).padStart(3, "0").replace(/0+$/, "");
  return clock(Math.floor(thousandths / 1000)) + (rest && `.${rest}`);
}

/** The chapters in a text, one a line; a line without a time is a title that still lacks one. */
export function written(text: string): Written[] {
  const lines = text.split(/\r?\n/).map((line) => line.trim()).filter(Boolean);
  return lines.map((line) => {
    const found = LINE.exec(line);
    return found ? { time: found[1] ?? "", title: found[2] ?? "" } : { time: "", title: line };
  });
}

/** The second that was typed, null for anything that is no time. A comma is as good as a point. */
export function placeOf(time: string): number | null {
  return secondsOf(time.replace(",", "."));
}

/** The text of chapters becomes rows with a time and a title; what is sent stays the text. */
export function startChapterRows(): void {
  const form = document.querySelector<HTMLFormElement>("[data-chapter-form]");
  if (form) new Rows(form);
}

class Row {
  readonly time = make("input", { class: "input marks__time", placeholder: "0:00", autocomplete: "off", maxlength: "16" });
  readonly title = make("input", { class: "input marks__title", autocomplete: "off", maxlength: LONGEST });
  readonly remove = tool("x");
  readonly element: HTMLLIElement;
  private readonly error = make("p", { class: "field__error", hidden: true });

  constructor(number: number, given: Written, tools: HTMLButtonElement[]) {
    this.time.value = given.time;
    this.title.value = given.title;
    this.error.id = `chapter-${number}-error`;
    const buttons = make("div", { class: "marks__tools" }, ...tools, this.remove);
    this.element = make("li", { class: "marks__one" }, this.time, this.title, buttons, this.error);
    this.time.addEventListener("change", () => {
      const at = placeOf(this.time.value);
      if (at !== null) this.time.value = exactly(at);
    });
  }

  get empty(): boolean {
    return !this.time.value.trim() && !this.title.value.trim();
  }

  get at(): number | null {
    return placeOf(this.time.value);
  }

  get wrong(): boolean {
    return !this.error.hidden;
  }

  /** Say what is wrong, beside the field that it is wrong in; nothing takes it back. */
  complain(text = "", field: HTMLInputElement = this.time): void {
    setText(this.error, text);
    this.error.hidden = !text;
    for (const one of [this.time, this.title]) {
      const wrong = Boolean(text) && one === field;
      one.setAttribute("aria-invalid", String(wrong));
      if (wrong) one.setAttribute("aria-describedby", this.error.id);
      else one.removeAttribute("aria-describedby");
    }
  }
}

class Rows {
  private readonly list = make("ol", { class: "marks" });
  private readonly add = make("button", { class: "button button--small", type: "button" }, icon("plus"));
  private readonly text: HTMLTextAreaElement;
  private readonly video: HTMLVideoElement | null;
  private rows: Row[] = [];
  private made = 0;

  constructor(form: HTMLFormElement) {
    const field = need("[data-chapter-text]", form);
    this.text = need("textarea", field);
    this.video = document.querySelector<HTMLVideoElement>("[data-player] [data-media]");
    this.add.append(this.video ? texts.chapters.addHere : texts.chapters.add);
    field.hidden = true;
    field.before(make("p", { class: "field__hint" }, texts.chapters.hint), this.list, make("div", {}, this.add));
    this.insert(0, written(this.text.value));
    this.add.addEventListener("click", () => this.another());
    this.list.addEventListener("paste", (event) => this.pasted(event));
    // Before the form is taken for sent, which makes its button wait.
    form.addEventListener("submit", (event) => this.sent(event), { capture: true });
  }

  private insert(place: number, given: Written[]): Row[] {
    const fresh = given.map((one) => this.row(one));
    this.rows.splice(place, 0, ...fresh);
    this.show();
    return fresh;
  }

  private row(given: Written): Row {
    const { video } = this;
    const [take, play] = [tool("clock"), tool("play")];
    const row = new Row((this.made += 1), given, video ? [take, play] : []);
    for (const [button, name] of [[take, texts.chapters.take], [play, texts.chapters.play]] as const) {
      button.title = name;
      button.setAttribute("aria-label", name);
    }
    take.addEventListener("click", () => {
      row.time.value = this.now();
    });
    play.addEventListener("click", () => {
      if (!video || row.at === null) return;
      video.currentTime = row.at;
      void video.play().catch(() => undefined);
    });
    row.remove.addEventListener("click", () => this.remove(row));
    return row;
  }

  /** Where the player stands, to a tenth of a second; without a player nothing. */
  private now(): string {
    return this.video ? exactly(Math.floor(this.video.currentTime * 10) / 10) : "";
  }

  private another(): void {
    const time = this.now();
    const later = time ? this.rows.findIndex((row) => (row.at ?? 0) > (placeOf(time) ?? 0)) : -1;
    const [row] = this.insert(later < 0 ? this.rows.length : later, [{ time, title: "" }]);
    (time ? row?.title : row?.time)?.focus();
  }

  private remove(row: Row): void {
    const place = this.rows.indexOf(row);
    this.rows.splice(place, 1);
    this.show();
    (this.rows[place] ?? this.rows.at(-1))?.remove.focus();
    if (!this.rows.length) this.add.focus();
  }

  private pasted(event: ClipboardEvent): void {
    const given = written(event.clipboardData?.getData("text/plain") ?? "");
    const row = this.rows.find((one) => event.target instanceof Node && one.element.contains(event.target));
    if (given.length < 2 || !row) return;
    event.preventDefault();
    const place = this.rows.indexOf(row);
    if (row.empty) this.rows.splice(place, 1);
    this.insert(row.empty ? place : place + 1, given).at(-1)?.title.focus();
  }

  private show(): void {
    this.list.replaceChildren(...this.rows.map((row) => row.element));
    this.rows.forEach((row, place) => {
      row.time.setAttribute("aria-label", texts.chapters.time(place + 1));
      row.title.setAttribute("aria-label", texts.chapters.title(place + 1));
      row.title.placeholder = texts.chapters.name;
      row.remove.title = texts.chapters.remove(place + 1);
      row.remove.setAttribute("aria-label", texts.chapters.remove(place + 1));
    });
  }

  private sent(event: SubmitEvent): void {
    const full = this.rows.filter((row) => !row.empty);
    const [wrong] = full.filter((row) => this.complained(row, full));
    if (wrong) {
      event.preventDefault();
      event.stopImmediatePropagation();
      need("[aria-invalid=true]", wrong.element).focus();
      return;
    }
    this.text.value = full.map((row) => `${exactly(row.at ?? 0)} ${row.title.value.trim()}`).join("\n");
  }

  private complained(row: Row, rows: Row[]): boolean {
    const { at } = row;
    if (at === null) row.complain(texts.chapters.noTime);
    else if (!row.title.value.trim()) row.complain(texts.chapters.noTitle, row.title);
    else if (rows.find((one) => one.at === at) !== row) row.complain(texts.chapters.twice);
    else row.complain();
    return row.wrong;
  }
}

function tool(name: string): HTMLButtonElement {
  return make("button", { class: "button button--quiet button--icon button--small", type: "button" }, icon(name));
}
