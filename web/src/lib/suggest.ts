import { make } from "./dom.ts";
import { texts } from "./texts.ts";

const WAIT = 150; // ms without a key before the server is asked
const LEAST = 2; // letters

type Answer = { items: { text: string; video: string }[] };

/** Search fields become comboboxes (WAI-ARIA: list autocomplete with manual selection). Without script they are forms. */
export function startSuggestions(): void {
  for (const box of document.querySelectorAll<HTMLElement>("[data-suggest]")) {
    const input = box.querySelector<HTMLInputElement>("input[type=search]");
    if (input) new Suggestions(box, input, LEAST, titles, () => input.form?.requestSubmit());
  }
}

async function titles(typed: string, signal: AbortSignal): Promise<string[]> {
  const address = `/api/v1/search/suggest?q=${encodeURIComponent(typed)}`;
  const answer = await fetch(address, { credentials: "same-origin", signal }).catch(() => null);
  if (!answer?.ok) return [];
  const { items } = (await answer.json()) as Answer;
  return items.map((item) => item.text);
}

/** A list below a field: `find` gives what fits what was typed, from `least` letters on; `took` hears of the one that was chosen. */
export class Suggestions {
  private readonly list: HTMLUListElement;
  private readonly status: HTMLElement;
  private options: HTMLLIElement[] = [];
  private at = -1;
  private typed = "";
  private timer = 0;
  private asking: AbortController | null = null;

  private readonly input: HTMLInputElement;
  private readonly least: number;
  private readonly find: (typed: string, signal: AbortSignal) => Promise<string[]>;
  private readonly took: (text: string) => void;

  constructor(box: HTMLElement, input: HTMLInputElement, least: number, find: (typed: string, signal: AbortSignal) => Promise<string[]>, took: (text: string) => void) {
    this.input = input;
    this.least = least;
    this.find = find;
    this.took = took;
    const id = `${input.id}-list`;
    this.list = make("ul", { class: "suggestions", id, role: "listbox", "aria-label": texts.suggest.label, hidden: true });
    this.status = make("div", { class: "visually-hidden", role: "status" });
    box.append(this.list, this.status);
    for (const [name, value] of Object.entries({ role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": id })) {
      input.setAttribute(name, value);
    }
    input.addEventListener("input", () => this.changed());
    input.addEventListener("keydown", (event) => this.pressed(event));
    input.addEventListener("blur", () => this.close());
    // Before the field loses the focus, which would close the list.
    this.list.addEventListener("pointerdown", (event) => event.preventDefault());
    this.list.addEventListener("click", (event) => {
      const option = event.target instanceof Element ? event.target.closest("li") : null;
      if (option) this.take(option);
    });
  }

  private changed(): void {
    this.typed = this.input.value;
    this.asking?.abort();
    window.clearTimeout(this.timer);
    if (this.typed.trim().length < this.least) return this.close();
    this.timer = window.setTimeout(() => void this.ask(this.typed), WAIT);
  }

  private async ask(typed: string): Promise<void> {
    this.asking = new AbortController();
    const found = await this.find(typed, this.asking.signal);
    if (typed === this.typed && typed === this.input.value && document.activeElement === this.input) this.show(found);
  }

  private show(found: string[]): void {
    this.options = found.map((text, number) => make("li", { class: "suggestions__item", id: `${this.list.id}-${number}`, role: "option", "aria-selected": "false" }, ...marked(text, this.typed)));
    this.list.replaceChildren(...this.options);
    this.select(-1);
    this.list.hidden = !found.length;
    this.input.setAttribute("aria-expanded", String(found.length > 0));
    this.status.textContent = texts.suggest.count(found.length);
  }

  private pressed(event: KeyboardEvent): void {
    if (event.isComposing) return;
    const open = !this.list.hidden;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (open) return this.step(event.key === "ArrowDown" ? 1 : -1);
      this.typed = this.input.value;
      if (this.typed.trim().length >= this.least) void this.ask(this.typed);
    } else if (event.key === "Escape" && open) {
      event.preventDefault();
      this.input.value = this.typed;
      this.close();
    } else if (event.key === "Enter") {
      const option = this.options[this.at];
      if (open && option) {
        event.preventDefault();
        this.take(option);
      }
    }
  }

  /** One option on or back; before the first and after the last one stands what was typed. */
  private step(by: number): void {
    const places = this.options.length + 1;
    this.select(((this.at + 1 + by + places) % places) - 1);
    this.input.value = this.options[this.at]?.textContent ?? this.typed;
  }

  private select(at: number): void {
    this.at = at;
    for (const [number, option] of this.options.entries()) option.setAttribute("aria-selected", String(number === at));
    const chosen = this.options[at];
    if (chosen) this.input.setAttribute("aria-activedescendant", chosen.id);
    else this.input.removeAttribute("aria-activedescendant");
    chosen?.scrollIntoView({ block: "nearest" });
  }

  private take(option: HTMLLIElement): void {
    this.input.value = option.textContent ?? "";
    this.typed = this.input.value;
    this.close();
    this.took(this.typed);
  }

  close(): void {
    this.asking?.abort();
    window.clearTimeout(this.timer);
    this.list.hidden = true;
    this.select(-1);
    this.input.setAttribute("aria-expanded", "false");
  }
}

/** The title, with what was not typed yet in bold. */
function marked(text: string, typed: string): (Node | string)[] {
  const start = typed.trim();
  if (!text.toLowerCase().startsWith(start.toLowerCase())) return [make("b", {}, text)];
  return [text.slice(0, start.length), make("b", {}, text.slice(start.length))];
}

/** A filter that is chosen counts at once. */
export function startFilters(): void {
  for (const filters of document.querySelectorAll<HTMLElement>("[data-filters]")) {
    filters.addEventListener("change", () => filters.closest("form")?.requestSubmit());
  }
}
