import { icon, make, setText } from "./dom.ts";
import { Suggestions } from "./suggest.ts";
import { texts } from "./texts.ts";

const MOST = 8; // suggestions at once

/** A text field with commas becomes chips with suggestions; what is sent stays the same. */
export function startTags(): void {
  for (const field of document.querySelectorAll<HTMLElement>("[data-tags]")) {
    const input = field.querySelector("input");
    if (input) new Tags(field, input);
  }
}

class Tags {
  private tags: string[] = [];
  private readonly sent: HTMLInputElement;
  private readonly typed: HTMLInputElement;
  private readonly suggestions: Suggestions;
  private readonly chips = make("ul", { class: "chips__list", "aria-label": texts.tags.label });
  private readonly status = make("span", { class: "visually-hidden", role: "status" });

  constructor(field: HTMLElement, input: HTMLInputElement) {
    const own = [...field.querySelectorAll("option")].map((option) => option.value);
    this.typed = input;
    this.sent = make("input", { type: "hidden", name: input.name });
    const box = make("div", { class: "chips input" });
    input.replaceWith(box);
    box.append(this.chips, input, this.sent, this.status);
    const start = split(input.value);
    for (const name of ["name", "list", "value"]) input.removeAttribute(name);
    input.className = "chips__input";
    input.value = "";
    setText(field.querySelector("[data-tags-hint]"), texts.tags.hint);
    // Clicking beside the chips is clicking into the field.
    box.addEventListener("click", (event) => event.target === box && input.focus());
    const matching = (text: string) => own.filter((tag) => tag.startsWith(text.trim().toLowerCase()) && !this.tags.includes(tag)).slice(0, MOST);
    this.suggestions = new Suggestions(box, input, 1, async (text) => matching(text), (tag) => this.add([tag]));
    input.addEventListener("keydown", (event) => this.pressed(event));
    input.addEventListener("input", () => /[,\n]/.test(input.value) && this.add(split(input.value)));
    input.addEventListener("blur", () => this.add(split(input.value)));
    input.form?.addEventListener("reset", () => this.set(start));
    this.set(start);
  }

  private pressed(event: KeyboardEvent): void {
    if (event.defaultPrevented || event.isComposing) return;
    if (event.key === "Enter" && this.typed.value.trim()) {
      event.preventDefault();
      this.add(split(this.typed.value));
    } else if (event.key === "Backspace" && !this.typed.value && this.tags.length) {
      this.remove(this.tags.at(-1) ?? "");
    }
  }

  private add(more: string[]): void {
    this.typed.value = "";
    this.suggestions.close();
    const fresh = more.filter((tag) => !this.tags.includes(tag));
    if (!fresh.length) return;
    this.set([...this.tags, ...fresh]);
    setText(this.status, texts.tags.added(fresh.join(", ")));
  }

  private remove(tag: string): void {
    this.set(this.tags.filter((one) => one !== tag));
    setText(this.status, texts.tags.removed(tag));
    this.typed.focus();
  }

  private set(tags: string[]): void {
    this.tags = [...new Set(tags)];
    this.sent.value = this.tags.join(", ");
    this.chips.replaceChildren(...this.tags.map((tag) => this.chip(tag)));
    this.chips.hidden = !this.tags.length;
  }

  private chip(tag: string): HTMLElement {
    const button = make("button", { type: "button", class: "chips__remove", "aria-label": texts.tags.remove(tag) }, icon("x"));
    button.addEventListener("click", () => this.remove(tag));
    return make("li", { class: "chips__one" }, tag, button);
  }
}

/** Tags as the server tidies them. */
function split(text: string): string[] {
  return text
    .split(/[,\n]/)
    .map((tag) => tag.trim().replace(/\s+/g, " ").toLowerCase())
    .filter(Boolean);
}
